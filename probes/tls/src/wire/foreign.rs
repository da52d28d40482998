//! What a peer speaks that does not speak TLS.

use super::Foreign;

/// Bytes that are shown.
const SHOWN: usize = 120;

/// The protocol by its first bytes, and the first line of them, escaped.
pub fn recognise(bytes: &[u8]) -> (Foreign, String) {
    let starts = |prefix: &str| bytes.starts_with(prefix.as_bytes());
    let text = String::from_utf8_lossy(bytes.get(..SHOWN * 2).unwrap_or(bytes)).to_lowercase();
    let foreign = if starts("HTTP/") || text.starts_with("<!doctype html") || starts("<html") {
        Foreign::Http
    } else if starts("SSH-") {
        Foreign::Ssh
    } else if starts("-ERR") || starts("-NOAUTH") || starts("-DENIED") || starts("+PONG") {
        Foreign::Redis
    } else if starts("ERROR\r") || starts("CLIENT_ERROR") || starts("VERSION ") {
        Foreign::Memcached
    } else if starts("220") && text.contains("ftp") {
        Foreign::Ftp
    } else if starts("220") || starts("554") || starts("421") {
        Foreign::Smtp
    } else if starts("* OK") || starts("* BAD") || starts("* BYE") || starts("* PREAUTH") {
        Foreign::Imap
    } else if starts("+OK") {
        Foreign::Pop3
    } else if starts("AMQP") {
        Foreign::Amqp
    } else if starts("<?xml") || starts("<stream") {
        Foreign::Xmpp
    } else {
        binary(bytes)
    };
    (foreign, excerpt(bytes))
}

fn binary(bytes: &[u8]) -> Foreign {
    match *bytes {
        // A SETTINGS frame on stream 0.
        [0, 0, _, 4, 0, 0, 0, 0, 0, ..] => Foreign::Http2,
        // A packet with sequence number 0 and protocol 10, or an error packet.
        [_, _, 0, 0, 10 | 0xff, ..] => Foreign::Mysql,
        // ErrorResponse or AuthenticationRequest with a length that fits.
        [b'E' | b'R', 0, 0, _, _, ..] => Foreign::Postgres,
        _ => Foreign::Other,
    }
}

/// The beginning of bytes from outside, escaped.
pub fn excerpt(bytes: &[u8]) -> String {
    let line = bytes.split(|b| *b == b'\n').find(|l| !l.is_empty());
    let line = line.unwrap_or(bytes).trim_ascii_end();
    let shown = line.get(..SHOWN).unwrap_or(line);
    let cut = if shown.len() < line.len() { "..." } else { "" };
    format!("{}{cut}", shown.escape_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_greetings() {
        let of = |bytes: &[u8]| recognise(bytes).0;
        assert_eq!(of(b"HTTP/1.1 400 Bad Request\r\n"), Foreign::Http);
        assert_eq!(of(b"SSH-2.0-OpenSSH_9.2\r\n"), Foreign::Ssh);
        assert_eq!(of(b"-ERR Protocol error"), Foreign::Redis);
        assert_eq!(of(b"220 mail ESMTP"), Foreign::Smtp);
        assert_eq!(of(b"220 (vsFTPd 3.0)"), Foreign::Ftp);
        assert_eq!(of(b"J\0\0\0\n8.0.36\0"), Foreign::Mysql);
        assert_eq!(of(b"E\0\0\0\x40SFATAL\0"), Foreign::Postgres);
        assert_eq!(of(&[0xff; 40]), Foreign::Other);
        assert_eq!(of(b""), Foreign::Other);
        assert_eq!(recognise(b"\x1b[31m\nx").1, "\\x1b[31m");
    }
}
