//! What a cache on the way says that it did.

use readygate_web::{Arrival, Request, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a cache did with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CacheState {
    /// It answered.
    Hit,
    /// It had nothing fresh; the next request may hit.
    Miss,
    /// It does not store this response.
    Bypass,
    /// Nothing says that there is a cache.
    Absent,
}

/// What a response says of a cache.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CacheFact {
    /// What the cache did.
    pub state: CacheState,
    /// The header that says so: `CF-Cache-Status`, `Cache-Status`, `X-Vercel-Cache`, `X-Cache`, `Age`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// What the header said to each request, in order.
    pub said: Vec<String>,
    /// Whether Cloudflare answered, by `cf-ray` or `server`.
    #[serde(default)]
    pub cloudflare: bool,
    /// Why it may not be stored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub why: Vec<String>,
    /// Names of cookies that the response sets, but for those that CDNs set themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cookies: Vec<String>,
    /// Whether the request carried credentials.
    #[serde(default)]
    pub authenticated: bool,
}

impl CacheFact {
    /// Whether a cache answered with what belongs to one user.
    pub fn leaks(&self) -> bool {
        self.state == CacheState::Hit && (self.authenticated || !self.cookies.is_empty())
    }
}

/// Cookies that a CDN sets on what it takes from its cache: they belong to no stored response.
const OF_THE_CDN: [&str; 10] = [
    "__cf_bm",
    "__cflb",
    "__cfruid",
    "__cfwaitingroom",
    "_cfuvid",
    "cf_clearance",
    "ak_bmsc",
    "bm_sv",
    "bm_sz",
    "_abck",
];
const COOKIES: usize = 16;
const VALUE: usize = 200;

/// What `arrival` says of a cache. `request` is the one that was sent first.
pub(crate) fn observe(request: &Request, arrival: &Arrival) -> CacheFact {
    let response = &arrival.response;
    let (state, header, said) = state(response);
    let carried = request.headers.iter().any(|(name, value)| {
        value.is_sensitive() || matches!(name.as_str(), "authorization" | "cookie")
    });
    CacheFact {
        state,
        header: header.map(str::to_owned),
        said: said.into_iter().collect(),
        cloudflare: response.values("cf-ray").next().is_some()
            || response
                .text("server")
                .is_some_and(|s| s.eq_ignore_ascii_case("cloudflare")),
        why: reasons(response),
        cookies: cookies(response),
        authenticated: carried && !arrival.hops.iter().any(|hop| hop.elsewhere),
    }
}

fn state(response: &Response) -> (CacheState, Option<&'static str>, Option<String>) {
    type Read = fn(&str) -> CacheState;
    let headers: [(&'static str, Read); 4] = [
        ("CF-Cache-Status", cloudflare),
        ("Cache-Status", cache_status),
        ("X-Vercel-Cache", vercel),
        ("X-Cache", x_cache),
    ];
    for (name, read) in headers {
        if let Some(value) = response.text(name) {
            let state = read(&value);
            return (state, Some(name), Some(value.chars().take(VALUE).collect()));
        }
    }
    match response
        .text("Age")
        .and_then(|age| age.trim().parse::<u64>().ok())
    {
        Some(age) if age > 0 => (CacheState::Hit, Some("Age"), Some(age.to_string())),
        _ => (CacheState::Absent, None, None),
    }
}

/// Cloudflare's words (developers.cloudflare.com/cache/concepts/cache-responses).
fn cloudflare(value: &str) -> CacheState {
    match value.trim().to_ascii_uppercase().as_str() {
        "HIT" => CacheState::Hit,
        "MISS" | "EXPIRED" | "REVALIDATED" | "UPDATING" | "STALE" => CacheState::Miss,
        _ => CacheState::Bypass,
    }
}

/// RFC 9211: a list of caches, the one nearest to the user last; `hit`, or why it was forwarded.
fn cache_status(value: &str) -> CacheState {
    let mut state = CacheState::Bypass;
    for member in split(value, ',') {
        let mut parameters = split(&member, ';')
            .into_iter()
            .skip(1)
            .map(|p| p.trim().to_owned());
        let found = parameters.find_map(|parameter| match parameter.as_str() {
            "hit" | "hit=?1" => Some(CacheState::Hit),
            "fwd=bypass" | "fwd=method" | "fwd=request" => Some(CacheState::Bypass),
            other if other.starts_with("fwd=") => Some(CacheState::Miss),
            _ => None,
        });
        match found {
            Some(CacheState::Hit) => return CacheState::Hit,
            Some(found) => state = found,
            None => {}
        }
    }
    state
}

/// Splits outside of quotes.
fn split(text: &str, at: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    for c in text.chars() {
        quoted ^= c == '"';
        if c == at && !quoted {
            parts.push(String::new());
        } else if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    parts
}

fn vercel(value: &str) -> CacheState {
    match value.trim().to_ascii_uppercase().as_str() {
        "HIT" | "PRERENDER" => CacheState::Hit,
        "MISS" | "STALE" | "REVALIDATED" => CacheState::Miss,
        _ => CacheState::Bypass,
    }
}

/// `HIT`, `MISS, HIT` (shield and edge), `Hit from cloudfront`, `TCP_HIT from a...`.
fn x_cache(value: &str) -> CacheState {
    let value = value.to_ascii_lowercase();
    let words = || value.split(|c: char| !c.is_ascii_alphanumeric());
    if words().any(|word| word == "hit") {
        CacheState::Hit
    } else if words().any(|word| matches!(word, "miss" | "expired" | "refreshhit" | "stale")) {
        CacheState::Miss
    } else {
        CacheState::Bypass
    }
}

/// What keeps shared caches from storing a response (RFC 9111, section 3).
fn reasons(response: &Response) -> Vec<String> {
    let mut why = Vec::new();
    let control = response.text("cache-control").unwrap_or_default();
    let forbids = ["private", "no-store", "no-cache", "max-age=0", "s-maxage=0"];
    let found: Vec<_> = control
        .split(',')
        .map(|d| d.trim().to_ascii_lowercase())
        .filter(|d| forbids.contains(&d.as_str()))
        .collect();
    if !found.is_empty() {
        why.push(format!("`Cache-Control: {}`", found.join(", ")));
    }
    if response.values("set-cookie").next().is_some() {
        why.push("it sets a cookie".to_owned());
    }
    if !response.status.is_success() {
        why.push(format!("its status is {}", response.status.as_u16()));
    }
    let file = response.url.path().rsplit('/').next().unwrap_or_default();
    if !file.contains('.') {
        why.push("the path has no file extension, and Cloudflare stores only those of its list unless a rule says otherwise".to_owned());
    }
    why
}

fn cookies(response: &Response) -> Vec<String> {
    let names = response.values("set-cookie").map(|value| {
        let text = String::from_utf8_lossy(value);
        let name = text.split(['=', ';']).next().unwrap_or_default();
        name.trim().chars().take(64).collect::<String>()
    });
    let foreign = |name: &String| {
        !OF_THE_CDN.contains(&name.as_str())
            && !name.starts_with("incap_ses_")
            && !name.starts_with("visid_incap_")
    };
    names.filter(foreign).take(COOKIES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_caches() {
        use CacheState::{Bypass, Hit, Miss};
        for (read, value, state) in [
            (cloudflare as fn(&str) -> CacheState, "HIT", Hit),
            (cloudflare, "expired", Miss),
            (cloudflare, "DYNAMIC", Bypass),
            (cloudflare, "NONE/UNKNOWN", Bypass),
            (cache_status, "ExampleCache; hit; ttl=30", Hit),
            (cache_status, "Origin; fwd=uri-miss; stored, Edge; hit", Hit),
            (cache_status, "Edge; fwd=uri-miss", Miss),
            (cache_status, "\"a; hit, b\"; fwd=bypass", Bypass),
            (cache_status, "Edge", Bypass),
            (x_cache, "MISS, HIT", Hit),
            (x_cache, "Miss from cloudfront", Miss),
            (x_cache, "RefreshHit from cloudfront", Miss),
            (x_cache, "TCP_HIT from a1.example (x)", Hit),
            (x_cache, "Error from cloudfront", Bypass),
            (vercel, "PRERENDER", Hit),
            (vercel, "BYPASS", Bypass),
        ] {
            assert_eq!(read(value), state, "{value}");
        }
    }
}
