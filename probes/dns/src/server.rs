//! Addresses of servers.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

/// Port of DNS, RFC 1035 section 4.2.
const PORT: u16 = 53;

/// Whom to ask, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Server {
    pub address: SocketAddr,
    /// Never by UDP.
    pub tcp: bool,
}

impl Server {
    /// Reads `1.1.1.1`, `1.1.1.1:53`, `::1`, `[::1]:53`, each perhaps after `tcp://`.
    pub fn parse(text: &str) -> Option<Self> {
        let (tcp, rest) = match text.strip_prefix("tcp://") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let bare = rest.strip_prefix('[').and_then(|r| r.strip_suffix(']'));
        let address = rest.parse().ok().or_else(|| {
            let ip: IpAddr = bare.unwrap_or(rest).parse().ok()?;
            Some(SocketAddr::new(ip, PORT))
        })?;
        (address.port() > 0).then_some(Self { address, tcp })
    }

    pub fn udp(ip: IpAddr) -> Self {
        Self {
            address: SocketAddr::new(ip, PORT),
            tcp: false,
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.address.port() == PORT {
            write!(f, "{}", self.address.ip())
        } else {
            write!(f, "{}", self.address)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Server;

    #[test]
    fn addresses_are_read_and_names_are_not() {
        let shown = |text: &str| Server::parse(text).map(|s| (s.to_string(), s.tcp));
        assert_eq!(shown("1.1.1.1"), Some(("1.1.1.1".into(), false)));
        assert_eq!(shown("tcp://1.1.1.1:54"), Some(("1.1.1.1:54".into(), true)));
        assert_eq!(shown("::1"), Some(("::1".into(), false)));
        assert_eq!(shown("[::1]"), Some(("::1".into(), false)));
        assert_eq!(shown("[::1]:5353"), Some(("[::1]:5353".into(), false)));
        for wrong in [
            "",
            "dns.example",
            "1.1.1.1:0",
            "1.1.1.1:99999",
            "udp://1.1.1.1",
        ] {
            assert_eq!(shown(wrong), None, "{wrong}");
        }
    }
}
