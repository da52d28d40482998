//! Headers that tell what software answers.

/// Headers that are of no use but to tell it, whatever their value.
const TELLING: [&str; 40] = [
    "liferay-portal",
    "microsoftofficewebserver",
    "microsoftsharepointteamservices",
    "ms-author-via",
    "powered-by",
    "product",
    "servlet-engine",
    "sourcemap",
    "x-aspnet-version",
    "x-aspnetmvc-version",
    "x-atmosphere-error",
    "x-atmosphere-first-request",
    "x-atmosphere-tracking-id",
    "x-b3-parentspanid",
    "x-b3-sampled",
    "x-b3-spanid",
    "x-b3-traceid",
    "x-beserver",
    "x-cf-powered-by",
    "x-cms",
    "x-content-encoded-by",
    "x-envoy-attempt-count",
    "x-envoy-upstream-service-time",
    "x-feserver",
    "x-generator",
    "x-jitsi-release",
    "x-joomla-version",
    "x-litespeed-cache",
    "x-mod-pagespeed",
    "x-nextjs-page",
    "x-old-content-length",
    "x-owa-version",
    "x-php-version",
    "x-powered-by",
    "x-powered-by-plesk",
    "x-redirect-by",
    "x-runtime",
    "x-server-powered-by",
    "x-sourcemap",
    "x-varnish",
];

/// Headers that tell it when a version stands in them.
const VERSIONED: [&str; 4] = ["server", "via", "x-server", "x-backend-server"];

/// Whether some rule wants to see a header of this name.
pub(crate) fn is_suspect(name: &str) -> bool {
    TELLING.contains(&name) || VERSIONED.contains(&name)
}

/// Whether a header tells what software answers.
pub(crate) fn tells(name: &str, value: &str) -> bool {
    match name {
        // `1.1 proxy` begins with the version of HTTP.
        "via" => value.contains('(') && has_version(value),
        _ => TELLING.contains(&name) || (VERSIONED.contains(&name) && has_version(value)),
    }
}

/// `nginx/1.25`, `Apache 2`: a digit after a letter and a separator. `cloudflare` and `gws` are none.
fn has_version(value: &str) -> bool {
    let bytes = value.as_bytes();
    bytes
        .windows(2)
        .any(|two| b"/ -_v".contains(&two[0]) && two[1].is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_tell_and_names_do_not() {
        assert!(tells("server", "nginx/1.25.3") && tells("server", "Apache/2.4.1 (Unix)"));
        assert!(
            !tells("server", "nginx")
                && !tells("server", "AmazonS3")
                && !tells("server", "cloudflare")
        );
        assert!(tells("x-powered-by", "Express") && tells("via", "1.1 x (squid/5.7)"));
        assert!(!tells("via", "1.1 google") && !tells("date", "2026"));
    }
}
