//! What the headers of a response say about caches.

use readygate_web::Response;

use super::measurement::CacheSaid;

/// `Cache-Status` (RFC 9211) first, as it is the only one with a meaning of its own; then `CF-Cache-Status`
/// (Cloudflare), `X-Cache` (Fastly, CloudFront, Akamai, Varnish, Squid), and an `Age` (RFC 9111, section 5.1).
pub fn said(response: &Response) -> CacheSaid {
    let text = |name: &str| response.text(name);
    of(
        text("cache-status").as_deref(),
        text("cf-cache-status").as_deref(),
        text("x-cache").as_deref(),
        text("age").as_deref(),
    )
}

fn of(status: Option<&str>, cf: Option<&str>, x: Option<&str>, age: Option<&str>) -> CacheSaid {
    if let Some(status) = status {
        // A list of caches, each with parameters; any of them may have had it.
        let params = status.split([',', ';']).map(str::trim);
        return either(params.into_iter().any(|p| p == "hit" || p == "hit=?1"));
    }
    if let Some(cf) = cf {
        return match cf.trim().to_ascii_uppercase().as_str() {
            "HIT" | "STALE" | "UPDATING" | "REVALIDATED" => CacheSaid::Hit,
            // What is never cached is no look-up.
            "DYNAMIC" | "NONE" | "" => CacheSaid::Silent,
            _ => CacheSaid::Miss,
        };
    }
    if let Some(x) = x {
        let words = x.to_ascii_lowercase();
        let mut words = words.split(|c: char| !c.is_ascii_alphanumeric());
        let any = words.clone().any(|word| word == "hit");
        let known = any || words.any(|word| matches!(word, "miss" | "pass" | "expired" | "bypass"));
        return if known {
            either(any)
        } else {
            CacheSaid::Silent
        };
    }
    match age.map(|age| age.trim().parse::<u64>()) {
        Some(Ok(1..)) => CacheSaid::Hit,
        _ => CacheSaid::Silent,
    }
}

fn either(hit: bool) -> CacheSaid {
    if hit { CacheSaid::Hit } else { CacheSaid::Miss }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_understood() {
        let status = |text| of(Some(text), None, None, None);
        assert_eq!(
            status("OriginCache; fwd=uri-miss, CDN; hit; ttl=30"),
            CacheSaid::Hit
        );
        assert_eq!(
            status("\"CDN\"; fwd=stale; fwd-status=304"),
            CacheSaid::Miss
        );
        // Its own header outranks the others.
        let both = of(Some("A; fwd=miss"), None, Some("HIT"), Some("5"));
        assert_eq!(both, CacheSaid::Miss);
        for (cf, said) in [
            ("HIT", CacheSaid::Hit),
            ("MISS", CacheSaid::Miss),
            ("BYPASS", CacheSaid::Miss),
            ("DYNAMIC", CacheSaid::Silent),
        ] {
            assert_eq!(of(None, Some(cf), None, None), said, "{cf}");
        }
        for (x, said) in [
            ("Hit from cloudfront", CacheSaid::Hit),
            ("Miss from cloudfront", CacheSaid::Miss),
            ("TCP_HIT from a-1", CacheSaid::Hit),
            ("MISS, HIT", CacheSaid::Hit),
            ("white", CacheSaid::Silent),
        ] {
            assert_eq!(of(None, None, Some(x), None), said, "{x}");
        }
        assert_eq!(of(None, None, None, Some("12")), CacheSaid::Hit);
        assert_eq!(of(None, None, None, Some("0")), CacheSaid::Silent);
        assert_eq!(of(None, None, None, None), CacheSaid::Silent);
    }
}
