//! `integrity` attributes (W3C Subresource Integrity, section 3.5).

/// Whether a browser takes some hash of the attribute: `sha256-`, `sha384-` or `sha512-` and the
/// base64 of a digest of that length. An attribute without one protects nothing.
pub fn is_valid(value: &str) -> bool {
    value.split_ascii_whitespace().any(|item| {
        let item = item.split('?').next().unwrap_or_default();
        let Some((algorithm, digest)) = item.split_once('-') else {
            return false;
        };
        let length = match algorithm.to_ascii_lowercase().as_str() {
            "sha256" => 44,
            "sha384" => 64,
            "sha512" => 88,
            _ => return false,
        };
        is_base64(digest, length)
    })
}

/// Whether `text` is base64 of exactly `length` characters, in either alphabet.
pub(crate) fn is_base64(text: &str, length: usize) -> bool {
    let bare = text.trim_end_matches('=');
    text.len() == length
        && text.len() - bare.len() <= 2
        && bare
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+/-_".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_hashes_protect() {
        let sha384 = format!("sha384-{}", "A".repeat(64));
        let sha256 = format!("sha256-{}=", "A".repeat(43));
        let both = format!("md5-x {sha256}?opt");
        for good in [&sha384, &sha256, &both] {
            assert!(is_valid(good), "{good}");
        }
        let short = format!("sha384-{}", "A".repeat(63));
        for bad in [
            "",
            "sha384",
            "sha384-abc",
            "md5-1B2M2Y8AsgTpgAmY7PhCfg==",
            &short,
        ] {
            assert!(!is_valid(bad), "{bad}");
        }
    }
}
