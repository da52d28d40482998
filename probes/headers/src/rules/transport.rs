//! HSTS and the way from plain HTTP.

use readygate_sdk::{Level, Rule};

use super::rule;

/// No HSTS.
pub const HSTS_MISSING: Rule = rule(
    "headers/hsts-missing",
    Level::Error,
    "HTTPS is not made binding",
    "Without Strict-Transport-Security the first request of every visit can be kept on plain HTTP by whoever is on the way.",
    "send `Strict-Transport-Security: max-age=31536000; includeSubDomains` with every HTTPS response",
    "RFC 6797",
);

/// Malformed HSTS.
pub const HSTS_INVALID: Rule = rule(
    "headers/hsts-invalid",
    Level::Error,
    "browsers ignore Strict-Transport-Security, since it is malformed",
    "A field that does not follow the grammar does not count at all. The observatory takes some of them (`max-age=abc`) for half a year; browsers take none of them for anything.",
    "write `max-age=31536000; includeSubDomains`: every directive once, the number in digits",
    "RFC 6797, section 6.1",
);

/// Too short, or off.
pub const HSTS_MAX_AGE: Rule = rule(
    "headers/hsts-max-age",
    Level::Error,
    "`Strict-Transport-Security` does not hold long enough",
    "`max-age=0` switches HSTS off in every browser that comes by. Below 180 days it lapses between the visits of many users; below a year it is a warning, and preloading is refused.",
    "raise `max-age` to 31536000 (a year) or more",
    "RFC 6797, section 11.2",
);

/// A second field.
pub const HSTS_REPEATED: Rule = rule(
    "headers/hsts-repeated",
    Level::Warning,
    "`Strict-Transport-Security` is sent more than once, and only the first counts",
    "Two layers each add the header; which one is first depends on the deployment. The observatory takes it for invalid.",
    "let one layer send it",
    "RFC 6797, section 8.1",
);

/// Subdomains left out.
pub const HSTS_SUBDOMAINS: Rule = rule(
    "headers/hsts-subdomains",
    Level::Info,
    "`Strict-Transport-Security` leaves subdomains out",
    "A subdomain over plain HTTP can set cookies for the whole domain.",
    "add `includeSubDomains` when every subdomain speaks HTTPS",
    "RFC 6797, section 6.1.2",
);

/// Plain HTTP stays.
pub const REDIRECT_TO_HTTPS: Rule = rule(
    "headers/redirect-to-https",
    Level::Error,
    "plain HTTP does not lead to HTTPS",
    "Users who type the name arrive at plain HTTP. What answers there can be read and changed on the way.",
    "answer plain HTTP with 301 or 308 to the same URL over HTTPS, and with nothing else",
    "RFC 9110, section 15.4",
);

/// A detour over plain HTTP.
pub const REDIRECT_HTTPS_FIRST: Rule = rule(
    "headers/redirect-https-first",
    Level::Error,
    "plain HTTP redirects to plain HTTP first",
    "Every step over plain HTTP can be changed on the way, and the host's own HSTS is never learned.",
    "redirect to HTTPS on the same host in the first step, and to another host after that",
    "RFC 6797, section 7.2",
);

/// To another host at once.
pub const REDIRECT_HOST: Rule = rule(
    "headers/redirect-host",
    Level::Warning,
    "plain HTTP redirects to another host",
    "The host that was typed never sends its own HSTS over HTTPS, so that the next visit begins with plain HTTP again.",
    "redirect to HTTPS on the same host first",
    "RFC 6797, section 7.2",
);

/// 302.
pub const REDIRECT_PERMANENT: Rule = rule(
    "headers/redirect-permanent",
    Level::Warning,
    "the redirect to HTTPS is temporary",
    "Browsers remember 301 and 308 and skip plain HTTP next time; 302, 303 and 307 are asked again.",
    "answer with 308, or 301",
    "RFC 9110, sections 15.4.2 and 15.4.9",
);

/// The path is lost.
pub const REDIRECT_PATH: Rule = rule(
    "headers/redirect-path",
    Level::Warning,
    "the redirect to HTTPS loses the path or the query",
    "Old links end on the front page, and health checks of single pages prove nothing.",
    "redirect to the same path and query: `return 308 https://$host$request_uri;` (nginx)",
    "",
);

/// No end.
pub const REDIRECT_LOOP: Rule = rule(
    "headers/redirect-loop",
    Level::Error,
    "the redirects come back to where they were, or do not end",
    "A browser gives up without a page. Loops often come from a proxy that ends TLS and a service that insists on it.",
    "follow them by hand with `curl -sIL URL`; tell the service that TLS ends before it",
    "RFC 9110, section 15.4",
);

/// Back to plain HTTP.
pub const REDIRECT_DOWNGRADE: Rule = rule(
    "headers/redirect-downgrade",
    Level::Error,
    "a redirect leads from HTTPS back to plain HTTP",
    "From there on everything can be read and changed on the way.",
    "find who builds the URL: often a service behind a proxy that does not know that TLS ends there",
    "RFC 9110, section 15.4",
);
