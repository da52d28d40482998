//! Headers whose value is one word of a short list.

/// Whether a token of `Referrer-Policy` keeps the path of a URL from other sites; nothing for a
/// token that browsers do not know (W3C Referrer Policy, section 3).
pub(crate) fn referrer(token: &str) -> Option<bool> {
    match token {
        "no-referrer" | "same-origin" | "strict-origin" | "strict-origin-when-cross-origin" => {
            Some(true)
        }
        "origin" | "origin-when-cross-origin" | "unsafe-url" | "no-referrer-when-downgrade" => {
            Some(false)
        }
        _ => None,
    }
}

/// The token of a structured item (RFC 9651, section 3.3), without its parameters.
pub(crate) fn token(value: &str) -> Option<String> {
    let item: sfv::Item = sfv::Parser::new(value).parse().ok()?;
    match item.bare_item {
        sfv::BareItem::Token(token) => Some(token.as_str().to_owned()),
        _ => None,
    }
}

/// Whether a value is the structured boolean true.
pub(crate) fn is_true(value: &str) -> bool {
    let item: Result<sfv::Item, _> = sfv::Parser::new(value).parse();
    item.is_ok_and(|item| matches!(item.bare_item, sfv::BareItem::Boolean(true)))
}

/// The features of a `Permissions-Policy`; each allowlist is `*`, or a list of `self`, `src` and
/// origins in quotes.
pub(crate) fn permissions(value: &str) -> Result<Vec<String>, String> {
    let dictionary: sfv::Dictionary = sfv::Parser::new(value)
        .parse()
        .map_err(|e| format!("not a structured dictionary: {e}"))?;
    let mut features = Vec::new();
    for (name, entry) in &dictionary {
        let good = |item: &sfv::Item| match &item.bare_item {
            sfv::BareItem::Token(token) => ["*", "self", "src"].contains(&token.as_str()),
            sfv::BareItem::String(_) => true,
            _ => false,
        };
        let fine = match entry {
            sfv::ListEntry::Item(item) => good(item),
            sfv::ListEntry::InnerList(list) => list.items.iter().all(good),
        };
        if !fine {
            return Err(format!(
                "the allowlist of `{name}` holds what is no origin, `self` or `*`"
            ));
        }
        features.push(name.as_str().to_owned());
    }
    if features.is_empty() {
        return Err("it names no feature".to_owned());
    }
    Ok(features)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_tokens_with_parameters() {
        assert_eq!(
            token("same-origin; report-to=\"x\"").as_deref(),
            Some("same-origin")
        );
        assert_eq!(token("\"same-origin\""), None);
        assert_eq!(token("same-origin, same-origin"), None);
        assert!(is_true("?1") && !is_true("?0") && !is_true("1"));
    }

    #[test]
    fn permissions_are_dictionaries() {
        assert_eq!(
            permissions("camera=(), geolocation=(self \"https://a.example\"), usb=*")
                .unwrap()
                .len(),
            3
        );
        for broken in [
            "",
            "camera 'none'",
            "camera=none",
            "camera=(none)",
            "camera=();;",
            "camera=('self')",
        ] {
            assert!(permissions(broken).is_err(), "{broken}");
        }
    }
}
