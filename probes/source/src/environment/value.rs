//! What a value looks like: set, empty, or a text that stands for a value still to come.

use std::sync::LazyLock;

use regex::Regex;

use crate::State;

/// Texts that people write where a value is still missing. Whole values only: a password may well
/// contain `example`.
static PLACEHOLDER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?ix)^(?:
            <[^<>]*> | \[[^\[\]]*\] | \{\{.*\}\} | \$\{.*\} | \$\(.*\) | %[a-z_]+% |
            x{3,} | \*{3,} | \.{3,} | _{3,} | -{3,} | \?+ | 0{8,} |
            change[-_ ]?(?:me|it|this|now)?[!.]* | replace[-_ ]?(?:me|this|with.*)? |
            to[-_ ]?do | fix[-_ ]?me | tbd | tba | n/?a | none | null | undefined | nil |
            place[-_ ]?holder | dummy | example | sample | foo | bar | test(?:ing)? |
            (?:your|my|the|insert|enter|put|add|set)[-_ ].* | .*[-_ ]here |
            (?:.*@|https?://)?(?:www\.)?example\.(?:com|org|net)(?:/.*)?
        )$",
    )
    .ok()
});

/// Names whose values are secrets.
static SECRET_NAME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)(?:secret|token|passw(?:or)?d|passphrase|api[-_]?key|private[-_]?key|credential|salt)").ok()
});

/// Values that stand in for a secret that nobody made.
const WEAK: &[&str] = &[
    "secret",
    "password",
    "passw0rd",
    "admin",
    "root",
    "letmein",
    "qwerty",
    "123456",
    "12345678",
    "default",
    "supersecret",
    "keyboard cat",
    "guest",
];

/// How a variable of this name is set by `value`, where `example` is what the declaration shows.
pub(crate) fn state(name: &str, value: &str, example: &str) -> State {
    let value = value.trim();
    let secret = SECRET_NAME
        .as_ref()
        .is_some_and(|names| names.is_match(name));
    if value.is_empty() {
        State::Empty
    } else if PLACEHOLDER.as_ref().is_some_and(|p| p.is_match(value))
        || secret && WEAK.contains(&value.to_ascii_lowercase().as_str())
    {
        State::Placeholder
    } else if secret && value == example.trim() {
        State::Example
    } else {
        State::Set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_told_from_values() {
        for value in [
            "changeme",
            "CHANGE_ME!",
            "<token>",
            "${DB}",
            "{{ db }}",
            "xxx",
            "TODO",
            "your-key",
            "key-goes-here",
            "http://example.com/x",
        ] {
            assert_eq!(state("A", value, ""), State::Placeholder, "{value}");
        }
        for value in [
            "4",
            "false",
            "redis://cache:6379",
            "an-example-bucket",
            "xx",
            "production",
            "nonempty",
        ] {
            assert_eq!(state("A", value, ""), State::Set, "{value}");
        }
        assert_eq!(state("A", "  ", ""), State::Empty);
        assert_eq!(state("JWT_SECRET", "Secret", ""), State::Placeholder);
        assert_eq!(state("MODE", "default", ""), State::Set);
    }

    #[test]
    fn the_example_of_a_secret_is_no_value_and_that_of_a_setting_is() {
        assert_eq!(state("API_KEY", "k-1234", "k-1234"), State::Example);
        assert_eq!(state("PORT", "3000", "3000"), State::Set);
    }
}
