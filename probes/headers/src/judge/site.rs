//! Which names belong together.

/// The site of a host: its registrable domain. Without a list of public suffixes this is a guess:
/// two labels, or three below the usual second levels of country domains (`example.co.uk`).
pub(crate) fn site(host: &str) -> &str {
    let host = host.trim_end_matches('.');
    if is_address(host) {
        return host;
    }
    let dots: Vec<usize> = host.rmatch_indices('.').map(|(at, _)| at).collect();
    let labels = if is_second_level(host, &dots) { 3 } else { 2 };
    match dots.get(labels - 1) {
        Some(at) => &host[at + 1..],
        None => host,
    }
}

/// Whether the host is an address and no name.
pub(crate) fn is_address(host: &str) -> bool {
    host.starts_with('[') || host.parse::<std::net::IpAddr>().is_ok()
}

fn is_second_level(host: &str, dots: &[usize]) -> bool {
    let [last, before, ..] = dots else {
        return false;
    };
    let (country, second) = (&host[last + 1..], &host[before + 1..*last]);
    let usual = [
        "ac", "co", "com", "edu", "gob", "gov", "ltd", "me", "mil", "ne", "net", "nhs", "or",
        "org", "plc", "sch",
    ];
    country.len() == 2 && usual.contains(&second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sites_are_two_or_three_labels() {
        for (host, expected) in [
            ("example.com", "example.com"),
            ("a.b.example.com", "example.com"),
            ("shop.example.co.uk", "example.co.uk"),
            ("example.co.uk", "example.co.uk"),
            ("localhost", "localhost"),
            ("127.0.0.1", "127.0.0.1"),
            ("[::1]", "[::1]"),
        ] {
            assert_eq!(site(host), expected);
        }
    }
}
