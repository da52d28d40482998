//! `Set-Cookie`, from its raw bytes, as a browser reads it (RFC 6265bis, section 5.6).
//!
//! The value of a cookie is a secret: only its length and its shape leave this module.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A browser drops a cookie whose name and value are longer together.
pub const MOST_BYTES: usize = 4096;
/// A browser ignores an attribute whose value is longer.
const MOST_ATTRIBUTE: usize = 1024;
/// Attributes that are kept; others are counted by nobody.
const MOST_ATTRIBUTES: usize = 24;
/// Characters of a name that are kept.
const NAME_LENGTH: usize = 120;

/// One cookie as it was set, without its value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cookie {
    /// Its name, cut at 120 characters.
    pub name: String,
    /// Bytes of its value.
    pub value_bytes: u64,
    /// Whether the value looks like a JSON Web Token (RFC 7519).
    #[serde(default, skip_serializing_if = "is_false")]
    pub jwt: bool,
    /// Whether the `Secure` attribute is there.
    #[serde(default)]
    pub secure: bool,
    /// Whether the `HttpOnly` attribute is there.
    #[serde(default)]
    pub http_only: bool,
    /// The last `SameSite` as it is written, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_site: Option<String>,
    /// The last `Domain`, without its leading dot, in lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// The last `Path`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Whether it expires at once, which takes a cookie away.
    #[serde(default, skip_serializing_if = "is_false")]
    pub expired: bool,
    /// Whether the `Partitioned` attribute is there.
    #[serde(default, skip_serializing_if = "is_false")]
    pub partitioned: bool,
    /// Attributes that no browser knows: often a misspelling of one that was meant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
    /// Why a browser drops it, where its bytes alone say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropped: Option<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde wants"
)]
fn is_false(value: &bool) -> bool {
    !value
}

/// Reads one `Set-Cookie` field.
pub fn parse(raw: &[u8]) -> Cookie {
    let (pair, rest) = split(raw, b';');
    let (name, value) = match pair.iter().position(|b| *b == b'=') {
        Some(at) => (trim(&pair[..at]), trim(&pair[at + 1..])),
        // Without `=` the whole is the value of a cookie without a name.
        None => (&b""[..], trim(pair)),
    };
    let mut cookie = Cookie {
        name: text(name, NAME_LENGTH),
        value_bytes: value.len() as u64,
        jwt: is_jwt(value),
        dropped: dropped(raw, name, value),
        ..Cookie::default()
    };
    let mut rest = rest;
    for _ in 0..MOST_ATTRIBUTES {
        let Some(bytes) = rest else { break };
        let (attribute, after) = split(bytes, b';');
        take(attribute, &mut cookie);
        rest = after;
    }
    cookie
}

fn dropped(raw: &[u8], name: &[u8], value: &[u8]) -> Option<String> {
    if let Some(byte) = raw
        .iter()
        .find(|b| (**b < 0x20 && **b != b'\t') || **b == 0x7f)
    {
        return Some(format!("it holds the control character 0x{byte:02x}"));
    }
    if name.is_empty() && value.is_empty() {
        return Some("it has neither a name nor a value".to_owned());
    }
    let bytes = name.len() + value.len();
    if bytes > MOST_BYTES {
        return Some(format!(
            "name and value have {bytes} bytes, and {MOST_BYTES} are the most"
        ));
    }
    // RFC 6265bis: a nameless cookie must not pretend to have a prefix.
    let value = value.to_ascii_lowercase();
    if name.is_empty() && (value.starts_with(b"__secure-") || value.starts_with(b"__host-")) {
        return Some("it has no name, and its value begins with a cookie prefix".to_owned());
    }
    None
}

fn take(attribute: &[u8], cookie: &mut Cookie) {
    let (name, value) = match attribute.iter().position(|b| *b == b'=') {
        Some(at) => (trim(&attribute[..at]), trim(&attribute[at + 1..])),
        None => (trim(attribute), &b""[..]),
    };
    if value.len() > MOST_ATTRIBUTE {
        return;
    }
    match name.to_ascii_lowercase().as_slice() {
        b"secure" => cookie.secure = true,
        b"httponly" => cookie.http_only = true,
        b"partitioned" => cookie.partitioned = true,
        b"samesite" => cookie.same_site = Some(text(value, 40)),
        b"domain" => {
            let domain = value.strip_prefix(b".").unwrap_or(value);
            cookie.domain = Some(text(domain, 255).to_ascii_lowercase()).filter(|d| !d.is_empty());
        }
        b"path" => cookie.path = Some(text(value, 255)),
        b"max-age" => cookie.expired = value.starts_with(b"-") || value == b"0",
        b"expires" | b"priority" | b"version" | b"comment" | b"" => {}
        _ => cookie.unknown.push(text(name, 40)),
    }
}

/// Three parts of base64url, the first of which begins with `{"` (RFC 7519, section 3).
fn is_jwt(value: &[u8]) -> bool {
    let value = value.strip_prefix(b"\"").unwrap_or(value);
    let parts: Vec<_> = value.split(|b| *b == b'.').take(6).collect();
    let letters = |part: &[u8]| {
        part.iter()
            .all(|b| b.is_ascii_alphanumeric() || b"-_=\"".contains(b))
    };
    matches!(parts.len(), 3 | 5)
        && parts[0].starts_with(b"ey")
        && parts[0].len() > 8
        && parts.iter().all(|part| letters(part))
}

/// What names and shapes of session cookies have in common.
const SESSION_PARTS: [&str; 5] = ["sess", "login", "token", "jwt", "remember"];

impl Cookie {
    /// Whether it carries the user's session: by its name, or because its value is a token.
    pub fn is_session(&self) -> bool {
        let name = self.name.to_ascii_lowercase();
        // `author` is no credential; `auth`, `x-auth` and `.ASPXAUTH` are.
        let mut words = name.split(|c: char| !c.is_ascii_alphanumeric());
        self.jwt
            || !self.is_anti_csrf()
                && (name.ends_with("sid")
                    || words.any(|word| word.ends_with("auth"))
                    || SESSION_PARTS.iter().any(|part| name.contains(part)))
    }

    /// Whether its name is one of a token against request forgery, which scripts may have to read.
    pub fn is_anti_csrf(&self) -> bool {
        let name = self.name.to_ascii_lowercase();
        name.contains("csrf") || name.contains("xsrf")
    }
}

fn split(bytes: &[u8], at: u8) -> (&[u8], Option<&[u8]>) {
    match bytes.iter().position(|b| *b == at) {
        Some(found) => (&bytes[..found], Some(&bytes[found + 1..])),
        None => (bytes, None),
    }
}

fn trim(bytes: &[u8]) -> &[u8] {
    let blank = |b: &u8| *b == b' ' || *b == b'\t';
    let start = bytes.iter().position(|b| !blank(b)).unwrap_or(bytes.len());
    let end = bytes
        .iter()
        .rposition(|b| !blank(b))
        .map_or(start, |at| at + 1);
    &bytes[start..end]
}

fn text(bytes: &[u8], most: usize) -> String {
    // Four bytes are the most that a character has.
    let bytes = &bytes[..bytes.len().min(most * 4)];
    String::from_utf8_lossy(bytes).chars().take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_read_as_browsers_do() {
        let cookie = parse(b" sid = a=b ; path=/; SECURE; httponly=x; SameSite=Lax; samesite = None;Domain=.Example.com");
        assert_eq!((cookie.name.as_str(), cookie.value_bytes), ("sid", 3));
        assert!(cookie.secure && cookie.http_only && cookie.is_session());
        assert_eq!(cookie.same_site.as_deref(), Some("None"));
        assert_eq!(cookie.domain.as_deref(), Some("example.com"));
        assert_eq!(cookie.dropped, None);
    }

    #[test]
    fn what_browsers_drop_is_known() {
        for (raw, says) in [
            (&b"a=b\0c"[..], "control"),
            (b"a=\x7f", "control"),
            (b"=", "neither"),
            (b"", "neither"),
            (b"; Secure", "neither"),
            (b"=__Host-x", "prefix"),
        ] {
            let dropped = parse(raw).dropped.unwrap_or_default();
            assert!(dropped.contains(says), "{raw:?}: {dropped}");
        }
        let long = [b"a=".to_vec(), vec![b'x'; 64 << 10]].concat();
        let cookie = parse(&long);
        assert!(cookie.dropped.is_some() && cookie.value_bytes == 64 << 10);
    }

    #[test]
    fn sessions_are_known_by_name_and_shape() {
        for name in [
            "connect.sid",
            "PHPSESSID",
            "JSESSIONID",
            "laravel_session",
            "access_token",
            "jwt",
            "auth",
            "__Host-sid",
            "login",
        ] {
            assert!(parse(format!("{name}=1").as_bytes()).is_session(), "{name}");
        }
        assert!(parse(b"x=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln").is_session());
        for raw in [
            "theme=dark",
            "csrf_token=1",
            "XSRF-TOKEN=1",
            "x=a.b.c",
            "x=eyJhbGci.b",
            "author=1",
        ] {
            assert!(!parse(raw.as_bytes()).is_session(), "{raw}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_kept_out() {
        let cookie = parse(b"a\xff\xfe=\xc3\x28; Path=\xff; Secur");
        assert!(cookie.name.starts_with('a') && cookie.unknown == ["Secur"]);
    }
}
