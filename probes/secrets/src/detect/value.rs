//! Whether a value can be a secret: placeholders, references and words are not.

use super::words::WORDS;

/// Shannon entropy in bits per byte.
pub(crate) fn entropy(text: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in text {
        counts[usize::from(*byte)] += 1;
    }
    let total = text.len() as f64;
    counts
        .iter()
        .filter(|n| **n > 0)
        .map(|n| f64::from(*n) / total)
        .map(|p| -p * p.log2())
        .sum()
}

/// Whether `value` stands for a secret without being one.
pub(crate) fn is_placeholder(value: &[u8]) -> bool {
    let lower = String::from_utf8_lossy(value).to_ascii_lowercase();
    if WORDS
        .placeholder_parts
        .iter()
        .any(|part| lower.contains(part))
    {
        return true;
    }
    let letters: String = lower.chars().filter(char::is_ascii_alphanumeric).collect();
    letters.is_empty()
        || WORDS.whole.contains(letters.as_str())
        || WORDS
            .whole
            .contains(letters.trim_end_matches(|c: char| c.is_ascii_digit()))
            && lower.len() < 8
        || is_dull(value)
}

/// A form to be filled in, even in a file that holds credentials.
pub(crate) fn is_template(value: &[u8]) -> bool {
    let lower = String::from_utf8_lossy(value).to_ascii_lowercase();
    let parts = [
        "<", "&lt;", "xxxx", "****", "....", "changeme", "your_", "your-", "null",
    ];
    parts.iter().any(|part| lower.contains(part))
        || matches!(lower.as_str(), "false" | "true" | "none")
}

/// A run of one or two characters: `xxxxxxxx`, `ababab`, `--------`.
pub(crate) fn is_dull(value: &[u8]) -> bool {
    let mut seen = [false; 256];
    for byte in value {
        seen[usize::from(*byte)] = true;
    }
    let distinct = seen.iter().filter(|s| **s).count();
    distinct <= 2 || value.len() >= 16 && distinct <= 4
}

/// A token of a known form whose variable part was filled by hand: `AKIA...EXAMPLE`, `ghp_xxxx`.
pub(crate) fn is_filled_in(secret: &[u8]) -> bool {
    let lower = secret.to_ascii_lowercase();
    let has = |part: &[u8]| memchr::memmem::find(&lower, part).is_some();
    let body = secret
        .iter()
        .rposition(|b| matches!(b, b'_' | b'-' | b'.'))
        .map_or(secret, |at| &secret[at + 1..]);
    let filler = |b: &u8| matches!(b, b'x' | b'X' | b'*' | b'.' | b'-' | b'_' | b'0' | b'#');
    has(b"example")
        || has(b"xxxxxxxx")
        || has(b"your")
        || has(b"placeholder")
        || secret.iter().filter(|b| filler(b)).count() * 5 >= secret.len() * 4
        || body.len() >= 6 && body.iter().all(filler)
        || secret
            .chunk_by(|a, b| a == b)
            .any(|run| run.len() >= 12 && filler(&run[0]))
}

/// Whether `value` names where the secret is to come from: `${VAR}`, `{{ x }}`, `env(X)`.
pub(crate) fn is_reference(value: &[u8]) -> bool {
    let text = String::from_utf8_lossy(value);
    if let Some(rest) = text.strip_prefix('$') {
        // `$6$salt$hash` and `$ecret1` are values; `$name` is a variable.
        let word = rest
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.');
        let variable = word && !rest.bytes().any(|b| b.is_ascii_digit())
            || rest.starts_with(['{', '(', '[', '$'])
            || rest.contains("->");
        return variable || rest.is_empty();
    }
    WORDS.reference_starts.iter().any(|s| text.starts_with(s))
        || text.starts_with('%') && text.ends_with('%')
        || text.contains("${")
        || text.contains("{{")
        || text.contains("$(")
        || text.contains("#{")
        || text
            .split("%s")
            .skip(1)
            .any(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
        || text.contains("{}")
        || text.contains("{0}")
}

/// Whether `value` is a path, a URL, a file name, a version, a date.
pub(crate) fn is_location(value: &[u8]) -> bool {
    let text = String::from_utf8_lossy(value).to_ascii_lowercase();
    let slashes = text.bytes().filter(|b| *b == b'/').count();
    text.starts_with("./")
        || text.starts_with("../")
        || text.starts_with("~/")
        || text.starts_with("c:\\")
        || text.contains("://")
        || WORDS.location_ends.iter().any(|end| text.ends_with(end))
        || text.starts_with('/') && slashes >= 2 && entropy(value) < 4.0
        || slashes >= 2 && !text.bytes().any(|b| b.is_ascii_digit())
}

/// RFC 9562: eight, four, four, four and twelve hexadecimal digits.
pub(crate) fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// What characters a value is made of.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Makeup {
    pub lower: usize,
    pub upper: usize,
    pub digits: usize,
    pub symbols: usize,
    pub spaces: usize,
    pub other: usize,
    /// From lower to upper case, or between a letter and a digit.
    pub changes: usize,
    /// The longest run of letters without a vowel.
    pub consonants: usize,
}

/// Counts.
pub(crate) fn makeup(value: &[u8]) -> Makeup {
    let mut made = Makeup::default();
    let (mut last, mut run) = (0_u8, 0);
    for byte in value {
        let kind = match byte {
            b'a'..=b'z' => (&mut made.lower, 1),
            b'A'..=b'Z' => (&mut made.upper, 2),
            b'0'..=b'9' => (&mut made.digits, 3),
            b' ' | b'\t' => (&mut made.spaces, 4),
            b'!'..=b'~' => (&mut made.symbols, 5),
            _ => (&mut made.other, 6),
        };
        *kind.0 += 1;
        let kind = kind.1;
        if matches!((last, kind), (1, 2) | (1 | 2, 3) | (3, 1 | 2)) {
            made.changes += 1;
        }
        last = kind;
        let consonant = byte.is_ascii_alphabetic()
            && !matches!(
                byte.to_ascii_lowercase(),
                b'a' | b'e' | b'i' | b'o' | b'u' | b'y'
            );
        run = if consonant { run + 1 } else { 0 };
        made.consonants = made.consonants.max(run);
    }
    made
}

/// Whether a value looks drawn at random, not written: `gX69YO4CvB`, not `invalid-password-2`.
pub(crate) fn is_random(value: &[u8]) -> bool {
    let made = makeup(value);
    let length = value.len();
    if made.spaces > 0 || made.other > 0 || length < 8 {
        return false;
    }
    let letters = made.lower + made.upper;
    let bits = entropy(value);
    let hex = value.iter().all(u8::is_ascii_hexdigit);
    if hex {
        return length >= 16 && made.digits >= length / 6 && letters >= length / 10 && bits > 2.6;
    }
    if made.digits == 0 {
        return length >= 16 && bits > 3.4 && (made.changes * 4 > length || made.consonants >= 6);
    }
    if letters == 0 {
        return false;
    }
    // Words with numbers behind them change between letters and digits once or twice.
    let words = is_wordy(value);
    bits > 2.9 && !words && (made.changes >= 3 || made.consonants >= 5) && length >= 10
        || bits > 3.7 && !words && length >= 20
}

/// Words of letters joined by separators, with numbers at most at the end of each.
pub(crate) fn is_wordy(value: &[u8]) -> bool {
    let separator = |b: &u8| matches!(b, b'_' | b'-' | b'.' | b':' | b'/' | b' ' | b',');
    let mut parts = value.split(separator).filter(|p| !p.is_empty());
    parts.all(|part| {
        let letters = part.iter().take_while(|b| b.is_ascii_alphabetic()).count();
        let (word, tail) = part.split_at(letters);
        // More digits than a year and a month have are no version.
        let digits = tail.len() <= 6 && tail.iter().all(u8::is_ascii_digit);
        let made = makeup(word);
        digits
            && (word.is_empty() && part.len() <= 4
                || made.changes * 4 <= word.len() && made.consonants <= 4 && !word.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_and_references_are_told() {
        for text in [
            "changeme",
            "CHANGE_ME",
            "<password>",
            "xxxxxxxx",
            "********",
            "password",
            "Passw0rd_example",
            "your-api-key",
            "placeholder",
            "secret",
            "test",
            "foo",
            "your_password_here",
            "",
        ] {
            assert!(is_placeholder(text.as_bytes()), "{text}");
        }
        for text in [
            "hunter22",
            "swordfish",
            "Tr0ub4dor&3",
            "pass123!",
            "mongopass",
        ] {
            assert!(!is_placeholder(text.as_bytes()), "{text}");
        }
        for text in [
            "${VAR}",
            "$VAR",
            "{{ x }}",
            "%VAR%",
            "process.env.X",
            "env(X)",
            "#{x}",
            "%(x)s",
            "pre${x}",
        ] {
            assert!(is_reference(text.as_bytes()), "{text}");
        }
        for text in ["$ecr3t9", "hunter22", "p%ssw0rd!"] {
            assert!(!is_reference(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn random_text_is_told_from_words() {
        for text in [
            "gX69YO4CvBsVjzAwYxdGyDd30t5",
            "8b1118b376c313ed420e5133ba91307817ed52c2",
            "f6CGV4aMM9zedoh3OUNbSakBymo7yplB",
            "ToCynx5Se4e2PtoZxEhW7lUJcOX15c54",
        ] {
            assert!(is_random(text.as_bytes()), "{text}");
        }
        for text in [
            "invalid-password-2",
            "notHighEnoughEntropy",
            "user.password.reset",
            "access_token_v2",
            "com.example.service",
            "AuthenticationProvider",
            "some words here",
            "2024-01-01",
        ] {
            assert!(!is_random(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn entropy_is_shannons() {
        assert!(entropy(b"aaaa").abs() < 1e-9);
        assert!((entropy(b"abcd") - 2.0).abs() < 1e-9);
    }
}
