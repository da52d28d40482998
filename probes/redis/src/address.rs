//! Addresses of nodes, as configs write them and as nodes advertise them.

use std::fmt;

/// Where a node listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Address {
    pub host: String,
    pub port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// One entry of `nodes`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub address: Address,
    /// `rediss://` asks for TLS, `redis://` for none.
    pub tls: Option<bool>,
}

const PORT: u16 = 6379;

impl Entry {
    /// Reads `host:port`, `[v6]:port`, `redis://host:port` and `rediss://host:port`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (tls, rest) = match text.split_once("://") {
            Some(("redis", rest)) => (Some(false), rest),
            Some(("rediss", rest)) => (Some(true), rest),
            Some((scheme, _)) => return Err(format!("`{scheme}://` is not redis:// or rediss://")),
            None => (None, text),
        };
        if rest.contains('@') {
            return Err("credentials do not belong into the address".to_owned());
        }
        let (rest, path) = rest.split_once('/').unwrap_or((rest, ""));
        if !matches!(path, "" | "0") {
            return Err(format!(
                "`/{path}`: a database other than 0 cannot be asked for"
            ));
        }
        let address = split(rest).ok_or_else(|| format!("`{rest}` is not host:port"))?;
        Ok(Self { address, tls })
    }
}

fn split(text: &str) -> Option<Address> {
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (host, after) = rest.split_once(']')?;
        (
            host,
            after
                .strip_prefix(':')
                .or(after.is_empty().then_some("6379"))?,
        )
    } else {
        match text.rsplit_once(':') {
            // A bare IPv6 address has more colons than one.
            Some((host, _)) if host.contains(':') => return None,
            Some(parts) => parts,
            None => (text, ""),
        }
    };
    let port = if port.is_empty() {
        PORT
    } else {
        port.parse().ok()?
    };
    let wrong = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | '@' | '?' | '#');
    (port > 0 && !host.is_empty() && !host.contains(wrong)).then(|| Address {
        host: host.to_owned(),
        port,
    })
}

/// The client address that a `CLUSTER NODES` line advertises: `ip:port@bus[,hostname]`. An empty
/// or unknown host (`:7000@17000`, `?:7000`, `:0@0`) is none.
pub(crate) fn advertised(text: &str) -> (Option<Address>, Option<String>) {
    let (ip_port, rest) = text.split_once('@').unwrap_or((text, ""));
    let mut parts = rest.split(',').skip(1);
    let hostname = parts
        .next()
        .filter(|name| !name.is_empty() && !name.contains('=') && *name != "?")
        .map(str::to_owned);
    let address = ip_port.rsplit_once(':').and_then(|(host, port)| {
        let port = port.parse().ok().filter(|port| *port > 0)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        (!host.is_empty() && host != "?").then(|| Address {
            host: host.to_owned(),
            port,
        })
    });
    (address, hostname)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read() {
        for (text, shown, tls) in [
            ("10.0.0.1:7000", "10.0.0.1:7000", None),
            ("cache", "cache:6379", None),
            ("redis://cache", "cache:6379", Some(false)),
            ("rediss://cache:6380/0", "cache:6380", Some(true)),
            ("[::1]:7000", "[::1]:7000", None),
            ("rediss://[::1]", "[::1]:6379", Some(true)),
        ] {
            let entry = Entry::parse(text).unwrap();
            assert_eq!(
                (entry.address.to_string().as_str(), entry.tls),
                (shown, tls),
                "{text}"
            );
        }
        for text in [
            "",
            ":7000",
            "a:0",
            "a:70000",
            "::1",
            "http://a:1",
            "redis://u:p@a:1",
            "a:1/3",
            "a b:1",
        ] {
            assert!(Entry::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn advertised_addresses_of_all_dialects_are_read() {
        let read = |text| {
            let (address, name) = advertised(text);
            (address.map(|a| a.to_string()), name)
        };
        let text = |s: &str| Some(s.to_owned());
        assert_eq!(read("127.0.0.1:7101@17101"), (text("127.0.0.1:7101"), None));
        assert_eq!(
            read("10.0.0.1:7101@17101,web-1"),
            (text("10.0.0.1:7101"), text("web-1"))
        );
        assert_eq!(
            read("10.0.0.1:7101@17101,,shard-id=ab"),
            (text("10.0.0.1:7101"), None)
        );
        assert_eq!(read("::1:7101@17101"), (text("[::1]:7101"), None));
        assert_eq!(read(":7101@17101"), (None, None));
        assert_eq!(read(":0@0"), (None, None));
        assert_eq!(read("?:7101@17101"), (None, None));
        assert_eq!(read("10.0.0.1:6379"), (text("10.0.0.1:6379"), None));
    }
}
