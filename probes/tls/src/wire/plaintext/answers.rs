//! What comes back, by dialect.

use super::{Alert, Dialect, Plaintext};
use crate::wire::foreign::excerpt;

/// Bytes of a server's own message that are kept.
const MESSAGE: usize = 400;

impl Dialect {
    /// What an answer means; `None` if more of it is needed, which `whole` says will not come.
    pub(super) fn read(self, heard: &[u8], whole: bool) -> Option<Plaintext> {
        match *heard {
            [] => return None,
            [21, 3, _, 0, 2, _, alert, ..] => {
                let alert = Alert(alert);
                return Some(Plaintext::TlsAlert { alert });
            }
            // The beginning of an alert, or of an answer that cannot be told yet.
            [21, ..] if heard.len() < 7 && !whole => return None,
            _ if heard.len() < 4 && !whole => return None,
            _ => (),
        }
        let text = String::from_utf8_lossy(heard).to_lowercase();
        let known = match self {
            Self::Redis => redis(heard),
            Self::Memcached => memcached(heard, &text),
            Self::Http if heard.starts_with(b"HTTP/") => {
                // The reason is in the body, if one comes.
                if !whole && !text.contains("https") {
                    return None;
                }
                Some(http(heard, &text))
            }
            Self::Http => None,
            Self::Mongodb if heard.len() < 16 && !whole => return None,
            Self::Mongodb => mongodb(heard),
            Self::Postgres => postgres(heard, &text),
        };
        let excerpt = excerpt(heard);
        Some(known.unwrap_or(Plaintext::Other { excerpt }))
    }
}

fn answered(heard: &[u8], needs_authentication: bool) -> Plaintext {
    Plaintext::Answered {
        needs_authentication,
        excerpt: excerpt(heard),
    }
}

/// A simple string or an error: `+PONG`, `-NOAUTH`, `-DENIED`.
fn redis(heard: &[u8]) -> Option<Plaintext> {
    let wants = heard.starts_with(b"-NOAUTH") || heard.starts_with(b"-WRONGPASS");
    matches!(heard, [b'+' | b'-', ..]).then(|| answered(heard, wants))
}

fn memcached(heard: &[u8], text: &str) -> Option<Plaintext> {
    let known = ["VERSION", "CLIENT_ERROR", "SERVER_ERROR", "ERROR"];
    let starts = known.iter().any(|k| heard.starts_with(k.as_bytes()));
    starts.then(|| answered(heard, text.contains("unauthenticated")))
}

/// nginx and Go answer 400 in plain text on an HTTPS port, and say so.
fn http(heard: &[u8], text: &str) -> Plaintext {
    let status = text.lines().next().unwrap_or_default();
    if status.contains(" 400") && text.contains("https") {
        let excerpt = excerpt(heard);
        Plaintext::Declined { excerpt }
    } else {
        answered(heard, status.contains(" 401"))
    }
}

/// A reply to our request 1, of the kind OP_MSG or OP_REPLY.
fn mongodb(heard: &[u8]) -> Option<Plaintext> {
    match heard.get(8..16)? {
        [1, 0, 0, 0, 0xdd, 7, 0, 0] | [1, 0, 0, 0, 1, 0, 0, 0] => Some(answered(heard, false)),
        _ => None,
    }
}

/// AuthenticationRequest or ErrorResponse.
fn postgres(heard: &[u8], text: &str) -> Option<Plaintext> {
    match heard.first()? {
        b'R' => Some(Plaintext::Answered {
            needs_authentication: heard.get(5..9) != Some(&[0; 4]),
            excerpt: "it goes on to authentication".to_owned(),
        }),
        b'E' => {
            let excerpt = postgres_message(heard);
            let wants_tls = text.contains("no encryption") || text.contains("ssl off");
            Some(if wants_tls {
                Plaintext::Declined { excerpt }
            } else {
                Plaintext::Answered {
                    needs_authentication: false,
                    excerpt,
                }
            })
        }
        _ => None,
    }
}

/// The human-readable field of an ErrorResponse, all of it: its end says why.
fn postgres_message(bytes: &[u8]) -> String {
    let mut fields = bytes.split(|b| *b == 0);
    let message = fields.find_map(|field| field.strip_prefix(b"M"));
    let message = message.map(|m| m.get(..MESSAGE).unwrap_or(m));
    message.map_or_else(|| excerpt(bytes), |m| m.escape_ascii().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(dialect: Dialect, heard: &[u8]) -> Option<Plaintext> {
        dialect.read(heard, true)
    }

    fn answered(dialect: Dialect, heard: &[u8]) -> Option<bool> {
        match read(dialect, heard)? {
            Plaintext::Answered {
                needs_authentication,
                ..
            } => Some(needs_authentication),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn answers_in_the_clear() {
        assert_eq!(answered(Dialect::Redis, b"+PONG\r\n"), Some(false));
        let noauth = b"-NOAUTH Authentication required.\r\n";
        assert_eq!(answered(Dialect::Redis, noauth), Some(true));
        assert_eq!(answered(Dialect::Redis, b"-DENIED Redis"), Some(false));
        assert_eq!(answered(Dialect::Memcached, b"VERSION 1.6"), Some(false));
        assert_eq!(answered(Dialect::Http, b"HTTP/1.1 200 OK\r\n"), Some(false));
        assert_eq!(
            answered(Dialect::Postgres, b"R\0\0\0\x08\0\0\0\x05salt"),
            Some(true)
        );
        assert_eq!(
            answered(Dialect::Postgres, b"R\0\0\0\x08\0\0\0\0"),
            Some(false)
        );
        let reply = b"\x30\0\0\0\x05\0\0\0\x01\0\0\0\xdd\x07\0\0\0\0";
        assert_eq!(answered(Dialect::Mongodb, reply), Some(false));
    }

    #[test]
    fn refusals_are_not_answers() {
        let https = b"HTTP/1.1 400 Bad Request\r\n\r\nsent to HTTPS port";
        let declined = |p| matches!(p, Some(Plaintext::Declined { .. }));
        assert!(declined(read(Dialect::Http, https)));
        let hba = b"E\0\0\0\x40SFATAL\0Mno pg_hba.conf entry, no encryption\0";
        let Some(Plaintext::Declined { excerpt }) = read(Dialect::Postgres, hba) else {
            panic!("not declined");
        };
        assert_eq!(excerpt, "no pg_hba.conf entry, no encryption");
        let alert = read(Dialect::Redis, &[21, 3, 3, 0, 2, 2, 70]);
        assert_eq!(alert, Some(Plaintext::TlsAlert { alert: Alert(70) }));
        assert_eq!(Dialect::Redis.read(&[21, 3], false), None);
        assert!(matches!(
            read(Dialect::Redis, b"SSH-2.0"),
            Some(Plaintext::Other { .. })
        ));
        assert_eq!(read(Dialect::Redis, b""), None);
    }
}
