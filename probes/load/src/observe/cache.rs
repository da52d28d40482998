//! What the headers of a response say about caches.

use readygate_web::Response;

use super::measurement::CacheSaid;

/// As the engine tells it of the responses that it gets: both are added.
pub fn said(response: &Response) -> CacheSaid {
    of(|name| response.text(name))
}

fn of(find: impl Fn(&str) -> Option<String>) -> CacheSaid {
    match crate::engine::cache::hit(find) {
        Some(true) => CacheSaid::Hit,
        Some(false) => CacheSaid::Miss,
        None => CacheSaid::Silent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weightiest_header_decides() {
        let said = |headers: &[(&str, &str)]| {
            of(|name| {
                let found = headers.iter().find(|(own, _)| *own == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        let miss = ("cache-status", "A; fwd=miss");
        assert_eq!(
            said(&[("age", "5"), ("x-cache", "HIT"), miss]),
            CacheSaid::Miss
        );
        assert_eq!(
            said(&[("age", "5"), ("x-cache", "MISS from white-1")]),
            CacheSaid::Miss
        );
        assert_eq!(said(&[("age", "5")]), CacheSaid::Hit);
        assert_eq!(said(&[("age", "0")]), CacheSaid::Silent);
        assert_eq!(said(&[]), CacheSaid::Silent);
    }
}
