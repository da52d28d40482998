//! What the headers of a response tell about caches on its way.

use httparse::Header;

use super::http1::Cache;

/// Hit or miss by the first header that tells: `Cache-Status` (RFC 9211), then the vendors',
/// then `Age` (RFC 9111, 5.1: only a cache adds it).
pub(super) fn tell(headers: &[Header<'_>]) -> Cache {
    let find = |name: &str| headers.iter().find(|h| h.name.eq_ignore_ascii_case(name));
    if let Some(header) = find("cache-status") {
        return status(header.value);
    }
    for name in [
        "cf-cache-status",
        "x-cache",
        "x-cache-status",
        "x-proxy-cache",
    ] {
        if let Some(header) = find(name) {
            return vendor(header.value);
        }
    }
    let age = find("age").and_then(|h| std::str::from_utf8(h.value).ok());
    match age.and_then(|age| age.trim().parse::<u64>().ok()) {
        Some(_) => Cache::Hit,
        None => Cache::Silent,
    }
}

/// A list of caches, the one nearest to the origin first: a hit in any of them is one.
fn status(value: &[u8]) -> Cache {
    let text = String::from_utf8_lossy(value).to_ascii_lowercase();
    let parameters = || text.split([',', ';']).map(str::trim);
    if parameters().any(|p| p == "hit" || p == "hit=?1") {
        Cache::Hit
    } else if parameters().any(|p| p.starts_with("fwd=")) {
        Cache::Miss
    } else {
        Cache::Silent
    }
}

/// `HIT`, `Hit from cloudfront`, `TCP_HIT`, `MISS, HIT`, `EXPIRED`, `BYPASS`, `DYNAMIC`.
fn vendor(value: &[u8]) -> Cache {
    let text = String::from_utf8_lossy(value).to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if has(&["hit", "stale", "updating", "revalidated"]) {
        Cache::Hit
    } else if has(&["miss", "expired", "bypass", "dynamic", "none", "error"]) {
        Cache::Miss
    } else {
        Cache::Silent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caches_are_understood() {
        for (name, value, expected) in [
            ("Cache-Status", "ExampleCache; hit; ttl=376", Cache::Hit),
            (
                "Cache-Status",
                "Origin; fwd=uri-miss, CDN; fwd=uri-miss; stored",
                Cache::Miss,
            ),
            (
                "Cache-Status",
                "Origin; hit; ttl=1100, CDN; fwd=uri-miss",
                Cache::Hit,
            ),
            ("CF-Cache-Status", "DYNAMIC", Cache::Miss),
            ("X-Cache", "Hit from cloudfront", Cache::Hit),
            ("x-cache", "MISS", Cache::Miss),
            ("Age", "12", Cache::Hit),
            ("Server", "nginx", Cache::Silent),
        ] {
            let header = Header {
                name,
                value: value.as_bytes(),
            };
            assert_eq!(tell(&[header]), expected, "{name}: {value}");
        }
    }
}
