//! Hosts and ports, as configs write them.

use std::fmt;

/// One port of one host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub host: String,
    pub port: u16,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Ports of one entry at most.
const MOST: usize = 1_000;

/// Reads `host:port`, `host:80,443`, `host:8000-8010` and `[v6]:port`; the error is a sentence for
/// the user.
pub(crate) fn parse(text: &str) -> Result<Vec<Place>, String> {
    let wrong = || format!("`{text}` is not host:port");
    let (host, ports) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, ports) = rest.split_once("]:").ok_or_else(wrong)?;
            if host.parse::<std::net::Ipv6Addr>().is_err() {
                return Err(wrong());
            }
            (host, ports)
        }
        None => text.rsplit_once(':').ok_or_else(wrong)?,
    };
    let in_brackets = text.starts_with('[');
    let strange = |c: char| !(c.is_alphanumeric() || "-._".contains(c));
    if host.is_empty() || !in_brackets && host.contains(strange) {
        return Err(wrong());
    }
    let number = |text: &str| match text.parse::<u16>() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(format!("`{text}` is not a port, 1 to 65535")),
    };
    let mut places = Vec::new();
    for part in ports.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (number(first)?, number(last)?);
        if first > last {
            return Err(format!("`{part}` runs backwards"));
        }
        if usize::from(last - first) + places.len() >= MOST {
            return Err(format!("`{text}` names more than {MOST} ports"));
        }
        places.extend((first..=last).map(|port| Place {
            host: host.to_lowercase(),
            port,
        }));
    }
    Ok(places)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn lists_and_ranges_are_read() {
        let shown = |text: &str| -> Vec<String> {
            parse(text)
                .unwrap()
                .iter()
                .map(ToString::to_string)
                .collect()
        };
        assert_eq!(shown("DB.example:80"), ["db.example:80"]);
        assert_eq!(shown("a:80,443"), ["a:80", "a:443"]);
        assert_eq!(shown("a:80-82"), ["a:80", "a:81", "a:82"]);
        assert_eq!(shown("[::1]:80"), ["[::1]:80"]);
        for wrong in [
            "",
            "a",
            ":80",
            "a:",
            "a:0",
            "a:65536",
            "a:9-8",
            "a:1-65535",
            "::1:80",
            "[a]:80",
            "http://a:80",
            "a b:80",
            "[::1]",
            "a:80,",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
