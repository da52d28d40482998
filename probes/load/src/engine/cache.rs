//! What the headers of a response tell about caches on its way.

use httparse::Header;

use super::http1::Cache;

/// Hit or miss by the headers of a response over the wire.
pub(super) fn tell(headers: &[Header<'_>]) -> Cache {
    let find = |name: &str| {
        let header = headers.iter().find(|h| h.name.eq_ignore_ascii_case(name))?;
        Some(String::from_utf8_lossy(header.value).into_owned())
    };
    match hit(find) {
        Some(true) => Cache::Hit,
        Some(false) => Cache::Miss,
        None => Cache::Silent,
    }
}

/// Whether a cache had the response, by the first header that is there: `Cache-Status` (RFC 9211), as
/// it is the only one with a meaning of its own; then `CF-Cache-Status` (Cloudflare), `X-Cache` (Fastly,
/// CloudFront, Akamai, Varnish, Squid) and its like of nginx; then an `Age` above 0 (RFC 9111, 5.1:
/// only a cache adds it, and one that has just asked the origin may say 0). Nothing where none tells.
pub(crate) fn hit(find: impl Fn(&str) -> Option<String>) -> Option<bool> {
    if let Some(value) = find("cache-status") {
        return status(&value);
    }
    if let Some(value) = find("cf-cache-status") {
        return cloudflare(&value);
    }
    let vendors = ["x-cache", "x-cache-status", "x-proxy-cache"];
    if let Some(value) = vendors.into_iter().find_map(&find) {
        return vendor(&value);
    }
    match find("age").map(|age| age.trim().parse::<u64>()) {
        Some(Ok(1..)) => Some(true),
        _ => None,
    }
}

/// A list of caches, the one nearest to the origin first: a hit in any of them is one.
fn status(value: &str) -> Option<bool> {
    let text = value.to_ascii_lowercase();
    let parameters = || text.split([',', ';']).map(str::trim);
    if parameters().any(|p| p == "hit" || p == "hit=?1") {
        return Some(true);
    }
    let forwarded = parameters().any(|p| p.starts_with("fwd=") || p == "hit=?0");
    forwarded.then_some(false)
}

fn cloudflare(value: &str) -> Option<bool> {
    match value.trim().to_ascii_uppercase().as_str() {
        "HIT" | "STALE" | "UPDATING" | "REVALIDATED" => Some(true),
        // What is never cached is no look-up.
        "DYNAMIC" | "NONE" | "" => None,
        _ => Some(false),
    }
}

/// `HIT`, `Hit from cloudfront`, `TCP_HIT`, `MISS, HIT`, `MISS from white-1`, `EXPIRED`, `BYPASS`: by
/// whole words, for names of machines stand beside them.
fn vendor(value: &str) -> Option<bool> {
    const HITS: [&str; 4] = ["hit", "stale", "updating", "revalidated"];
    const MISSES: [&str; 4] = ["miss", "pass", "expired", "bypass"];
    let text = value.to_ascii_lowercase();
    let has = |known: &[&str]| {
        let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
        words.any(|word| known.contains(&word))
    };
    if has(&HITS) {
        return Some(true);
    }
    has(&MISSES).then_some(false)
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
            ("CF-Cache-Status", "DYNAMIC", Cache::Silent),
            ("CF-Cache-Status", "BYPASS", Cache::Miss),
            ("X-Cache", "Hit from cloudfront", Cache::Hit),
            ("x-cache", "MISS", Cache::Miss),
            ("X-Cache", "MISS from white-1", Cache::Miss),
            ("X-Cache", "TCP_HIT from a-1", Cache::Hit),
            ("X-Cache", "MISS, HIT", Cache::Hit),
            ("X-Cache", "white", Cache::Silent),
            ("X-Cache-Status", "UPDATING", Cache::Hit),
            ("Age", "12", Cache::Hit),
            ("Age", "0", Cache::Silent),
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
