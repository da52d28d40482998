//! Private keys in PEM (RFC 7468) and in the forms of OpenSSH and PGP, also inside of strings.

use super::{Hit, value};
use crate::measurement::Confidence;

/// The rule of private keys.
pub(crate) const PRIVATE_KEY: &str = "private-key";
/// What starts a look.
pub(crate) const KEYWORD: &str = "private key";
/// Bytes of a key that are looked at: enough to tell a key from a placeholder.
const BODY: usize = 800;
/// Letters and digits that the smallest key has.
const LEAST: usize = 40;

/// Looks at the words "PRIVATE KEY" at `at`.
pub(crate) fn look(text: &[u8], at: usize, out: &mut Vec<Hit>) {
    let before = &text[at.saturating_sub(40)..at];
    let Some(begin) = memchr::memmem::rfind(before, b"-----BEGIN ") else {
        return;
    };
    let kind = &before[begin + b"-----BEGIN ".len()..];
    let upper = |b: &u8| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b' ';
    let rest = &text[at..text.len().min(at + BODY)];
    let Some(dashes) = memchr::memmem::find(&rest[..rest.len().min(30)], b"-----") else {
        return;
    };
    if !kind.iter().all(upper) || !rest.starts_with(b"PRIVATE KEY") {
        return;
    }
    let start = at + dashes + 5;
    let body = &text[start..text.len().min(start + BODY)];
    let body = &body[..memchr::memmem::find(body, b"-----").unwrap_or(body.len())];
    let letters: Vec<u8> = encoded(body);
    if letters.len() < LEAST || value::is_dull(&letters) || value::entropy(&letters) < 3.0 {
        return;
    }
    let locked =
        kind.starts_with(b"ENCRYPTED") || memchr::memmem::find(body, b"ENCRYPTED").is_some();
    out.push(Hit {
        rule: PRIVATE_KEY,
        name: if locked {
            "Private key, encrypted"
        } else {
            "Private key"
        },
        start: at - before.len() + begin,
        end: start + body.len(),
        shown: b"-----BEGIN ".len(),
        confidence: if locked {
            Confidence::Possible
        } else {
            Confidence::Likely
        },
    });
}

/// The base64 characters of a body, without the line ends that strings spell out.
fn encoded(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    let mut bytes = body.iter().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => {
                bytes.next();
            }
            b if b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/') => out.push(*b),
            _ => {}
        }
    }
    out
}
