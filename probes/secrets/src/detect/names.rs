//! Names that say that their value is a secret, and names that only sound like it.

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

/// Segments that make a name harmless wherever they occur.
const HARMLESS: &[&str] = &[
    "public", "pub", "hash", "hashed", "checksum", "digest", "integrity", "fingerprint", "etag",
    "regex", "regexp", "pattern", "format", "policy", "strength", "hint", "label", "placeholder",
    "title", "help", "message", "msg", "description", "desc", "error", "errors", "validator",
    "validation", "length", "len", "size", "count", "max", "min", "limit", "ttl", "expiry",
    "expires", "expiration", "expire", "timeout", "lifetime", "age", "type", "types", "field",
    "fields", "column", "name", "names", "file", "filename", "path", "dir", "folder", "url",
    "urls", "uri", "endpoint", "host", "port", "href", "link", "page", "next", "cursor",
    "continuation", "pagination", "primary", "foreign", "partition", "sort", "cache", "index",
    "idx", "prefix", "suffix", "algorithm", "alg", "algo", "issuer", "audience", "scope",
    "version", "keyboard", "keyword", "keywords", "hotkey", "shortcut", "keycode", "color",
    "icon", "image", "class", "style", "test", "enabled", "enable", "disabled", "required",
    "method", "mode", "usage", "author", "authors", "authority", "monkey", "turkey", "csrf",
    "sitekey", "i18n", "translation", "rotation", "dependencies", "compass", "bypass", "passed",
    "passing", "passes", "passenger", "passive", "passport", "encoding", "schema",
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
    if segments.iter().any(|s| HARMLESS.contains(s)) || matches!(last, "id" | "ids" | "env" | "var") {
        return None;
    }
    let any = |words: &[&str]| segments.iter().any(|s| words.contains(s));
    let joined: String = segments.concat();
    let has = |words: &[&str]| words.iter().any(|w| joined.contains(w));
    if has(&["password", "passwd", "passwort", "passphrase", "passcode", "dbpass", "userpass", "passw"])
        || any(&["pass", "pwd", "psw", "pw", "passwords"])
        || ends(last, &["pwd", "pass"])
    {
        return Some(Kind::Password);
    }
    if has(&[
        "secret", "apikey", "privatekey", "accesskey", "authkey", "encryptionkey", "accountkey",
        "signingkey", "masterkey", "credential", "securekey", "clientkey", "cryptkey", "aeskey",
        "sharedkey", "appkey", "servicekey", "licensekey", "loggedinkey", "deploykey",
    ]) || any(&["cred", "creds"])
    {
        return Some(Kind::Secret);
    }
    if any(&["token", "tokens", "auth", "bearer", "authorization", "oauth"]) || ends(last, &["token", "auth"]) {
        return Some(Kind::Token);
    }
    if any(&["key", "keys"]) || ends(last, &["key"]) {
        return Some(Kind::Key);
    }
    any(&["nonce", "salt"]).then_some(Kind::Weak)
        .or_else(|| ends(last, &["salt", "nonce"]).then_some(Kind::Weak))
}

fn ends(last: &str, words: &[&str]) -> bool {
    words.iter().any(|w| last.ends_with(w))
}

/// `dbPasswordHash` and `DB_PASSWORD-HASH` to their lower-case words.
fn split(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut last = ' ';
    for c in name.chars() {
        if !c.is_ascii_alphanumeric() {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
        } else {
            if c.is_ascii_uppercase() && last.is_ascii_lowercase() && !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            word.push(c.to_ascii_lowercase());
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
            "public_key", "password_hash", "tokenType", "key_id", "secret_name", "passwordField",
            "author", "compass", "next_page_token", "password-policy", "passed", "monkey",
        ] {
            assert_eq!(classify(name.as_bytes()), None, "{name}");
        }
    }
}
