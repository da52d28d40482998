//! Makes the examples of the table, so that no file of this repository holds a token-shaped text.

/// Expands `{N:set}` to N characters of a set, the same ones for the same `seed`.
pub(crate) fn expand(template: &str, seed: u64) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut out = String::new();
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        out.push_str(&rest[..open]);
        let inner = rest[open + 1..].split_once('}');
        let spec = inner.and_then(|(spec, after)| {
            let (count, set) = spec.split_once(':')?;
            Some((count.parse::<usize>().ok()?, alphabet(set)?, after))
        });
        if let Some((count, set, after)) = spec {
            for _ in 0..count {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                let index = usize::try_from(state >> 33).unwrap_or(0) % set.len();
                out.push(char::from(set.as_bytes()[index]));
            }
            rest = after;
        } else {
            out.push('{');
            rest = &rest[open + 1..];
        }
    }
    out + rest
}

fn alphabet(name: &str) -> Option<&'static str> {
    Some(match name {
        "v" => "V",
        "hex" => "0123456789abcdef",
        "upperhex" => "0123456789ABCDEF",
        "digit" => "0123456789",
        "alpha" => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        "alnum" => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
        "loweralnum" => "abcdefghijklmnopqrstuvwxyz0123456789",
        "base32" => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
        "lowerbase32" => "abcdefghijklmnopqrstuvwxyz234567",
        "bech32" => "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
        "base64" => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
        "url64" => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
        _ => return None,
    })
}
