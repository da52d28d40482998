//! Names that say that their value is a secret, and names that only sound like it.

use super::words::{NameWords, WORDS};

/// What a name promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Chosen by people: any value counts.
    Password,
    /// `secret`, `api_key`, `credential`.
    Secret,
    /// `token`, `auth`.
    Token,
    /// `key`, whose value must look random.
    Key,
    /// `salt`, `nonce`: only what looks random at length.
    Weak,
}

impl Kind {
    /// What a finding is called.
    pub fn title(self) -> &'static str {
        match self {
            Self::Password => "Password in an assignment",
            Self::Secret => "Secret in an assignment",
            Self::Token => "Token in an assignment",
            Self::Key => "Key in an assignment",
            Self::Weak => "Random value in an assignment",
        }
    }
}

/// What starts a look at the name around it.
pub(crate) const KEYWORDS: &[&str] = &[
    "pass", "pwd", "psw", "secret", "token", "key", "auth", "cred", "nonce", "salt",
];

/// What `name` promises; `None` where it promises nothing.
pub(crate) fn classify(name: &[u8]) -> Option<Kind> {
    let text = std::str::from_utf8(name).ok()?;
    let mut segments = [""; 16];
    let lowered = split(text);
    let count = lowered.len().min(16);
    for (slot, segment) in segments.iter_mut().zip(&lowered) {
        *slot = segment;
    }
    let segments = &segments[..count];
    let last = *segments.last()?;
    if segments.iter().any(|s| WORDS.harmless.contains(s))
        || matches!(last, "id" | "ids" | "env" | "var")
    {
        return None;
    }
    let joined: String = segments.concat();
    let telling = |kind: &NameWords| {
        segments.iter().any(|s| kind.words.contains(s))
            || kind.parts.iter().any(|w| joined.contains(w))
            || kind.ends.iter().any(|w| last.ends_with(w))
    };
    let kinds = [
        Kind::Password,
        Kind::Secret,
        Kind::Token,
        Kind::Key,
        Kind::Weak,
    ];
    let found = WORDS.kinds.iter().position(telling);
    found.map(|at| kinds[at])
}

/// `dbPasswordHash` and `DB_PASSWORD-HASH` to their lower-case words.
fn split(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut last = ' ';
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            if c.is_ascii_uppercase() && last.is_ascii_lowercase() && !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            word.push(c.to_ascii_lowercase());
        } else if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        last = c;
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_promise_what_they_say() {
        for (name, kind) in [
            ("DB_PASSWORD", Kind::Password),
            ("spring.datasource.password", Kind::Password),
            ("dbpasswd", Kind::Password),
            ("sshPassphrase", Kind::Password),
            ("AdminPassword", Kind::Password),
            ("IRC_PASS", Kind::Password),
            ("client_secret", Kind::Secret),
            ("apiKey", Kind::Secret),
            ("SECURE_AUTH_KEY", Kind::Secret),
            ("secret_key_base", Kind::Secret),
            ("oauth_token", Kind::Token),
            ("APP_KEY", Kind::Secret),
            ("key", Kind::Key),
            ("AUTH_SALT", Kind::Token),
        ] {
            assert_eq!(classify(name.as_bytes()), Some(kind), "{name}");
        }
        for name in [
            "public_key",
            "password_hash",
            "tokenType",
            "key_id",
            "secret_name",
            "passwordField",
            "author",
            "compass",
            "next_page_token",
            "password-policy",
            "passed",
            "monkey",
        ] {
            assert_eq!(classify(name.as_bytes()), None, "{name}");
        }
    }
}
