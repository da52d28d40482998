//! `Strict-Transport-Security`, by the grammar of RFC 6797, section 6.1.

/// What a browser keeps of the header.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hsts {
    /// Seconds. Zero switches HSTS off.
    pub max_age: u64,
    /// Whether subdomains are covered.
    pub include_subdomains: bool,
    /// Whether the site asks to be preloaded (not in the RFC; hstspreload.org).
    pub preload: bool,
}

/// Reads one header field.
///
/// # Errors
/// Says why a browser ignores the field: `max-age` is absent, not a number, or a directive comes
/// twice. Unknown directives are ignored, as the RFC wants it.
pub fn parse(value: &str) -> Result<Hsts, String> {
    let mut hsts = Hsts::default();
    let mut seen: Vec<String> = Vec::new();
    for directive in directives(value)? {
        let (name, argument) = match directive.split_once('=') {
            Some((name, argument)) => (name.trim(), Some(unquoted(argument.trim())?)),
            None => (directive.trim(), None),
        };
        if name.is_empty() && argument.is_none() {
            continue;
        }
        if !is_token(name) {
            return Err(format!("`{}` is not the name of a directive", shown(name)));
        }
        let name = name.to_ascii_lowercase();
        if seen.contains(&name) {
            return Err(format!("`{}` comes twice", shown(&name)));
        }
        match (name.as_str(), argument) {
            ("max-age", argument) => hsts.max_age = seconds(argument.as_deref())?,
            ("includesubdomains", None) => hsts.include_subdomains = true,
            ("includesubdomains", Some(_)) => {
                return Err("`includeSubDomains` takes no value".to_owned());
            }
            ("preload", None) => hsts.preload = true,
            _ => {}
        }
        seen.push(name);
    }
    if seen.iter().any(|name| name == "max-age") {
        Ok(hsts)
    } else {
        Err("`max-age` is missing".to_owned())
    }
}

fn seconds(argument: Option<&str>) -> Result<u64, String> {
    let digits = argument.ok_or("`max-age` has no value")?;
    if digits.is_empty() {
        return Err("`max-age` has no value".to_owned());
    }
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(format!("`max-age={}` is not a number", shown(digits)));
    }
    // More digits than fit mean for ever.
    Ok(digits.parse().unwrap_or(u64::MAX))
}

/// Splits at semicolons that stand outside of quotes.
fn directives(value: &str) -> Result<Vec<&str>, String> {
    let mut parts = Vec::new();
    let (mut start, mut quoted, mut escaped) = (0, false, false);
    for (at, byte) in value.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b';' if !quoted => {
                parts.push(&value[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    if quoted {
        return Err("a quote is not closed".to_owned());
    }
    parts.push(&value[start..]);
    Ok(parts)
}

/// A token, or a quoted string without its quotes (RFC 9110, section 5.6.4).
fn unquoted(argument: &str) -> Result<String, String> {
    let Some(rest) = argument.strip_prefix('"') else {
        return if argument.is_empty() || is_token(argument) {
            Ok(argument.to_owned())
        } else {
            Err(format!(
                "`{}` is not the value of a directive",
                shown(argument)
            ))
        };
    };
    let inner = rest
        .strip_suffix('"')
        .ok_or_else(|| format!("`{}` goes on after its quote", shown(argument)))?;
    let mut text = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => text.extend(chars.next()),
            '"' => return Err(format!("`{}` goes on after its quote", shown(argument))),
            c => text.push(c),
        }
    }
    Ok(text)
}

/// RFC 9110, section 5.6.2.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

fn shown(text: &str) -> String {
    readygate_sdk::excerpt(text, 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_rfc_are_read() {
        for (value, max_age, include) in [
            ("max-age=31536000", 31_536_000, false),
            ("max-age=15768000 ; includeSubDomains", 15_768_000, true),
            ("max-age=\"31536000\"", 31_536_000, false),
            ("max-age=0", 0, false),
            ("includeSubDomains; MAX-AGE=5;;", 5, true),
            ("max-age=1; future=\"a;b\"; other", 1, false),
            ("max-age=99999999999999999999999", u64::MAX, false),
        ] {
            let hsts = parse(value).unwrap_or_else(|e| panic!("{value}: {e}"));
            assert_eq!(
                (hsts.max_age, hsts.include_subdomains),
                (max_age, include),
                "{value}"
            );
        }
    }

    #[test]
    fn what_a_browser_ignores_is_refused() {
        for (value, says) in [
            ("", "missing"),
            ("max-age=", "no value"),
            ("max-age", "no value"),
            ("max-age=abc", "not a number"),
            ("max-age=-1", "not a number"),
            ("max-age=1.5", "not a number"),
            ("max-age=1, max-age=2", "not the value"),
            ("max-age=1; max-age=2", "twice"),
            ("max-age=1; includeSubDomains; INCLUDESUBDOMAINS", "twice"),
            ("max-age=\"1", "not closed"),
            ("max-age=\"1\"2\"\"", "goes on"),
            ("includeSubDomains", "missing"),
            ("max-age=1; includeSubDomains=false", "no value"),
            ("max age=1", "not the name"),
        ] {
            let error = parse(value).unwrap_err();
            assert!(error.contains(says), "{value}: {error}");
        }
    }
}
