//! Cookies.

use readygate_sdk::{Level, Rule};

use super::rule;

/// Browsers refuse it.
pub const COOKIE_DROPPED: Rule = rule(
    "headers/cookie-dropped",
    Level::Error,
    "browsers do not store the cookie",
    "A prefix that is not kept (`__Host-` wants Secure, `Path=/` and no Domain; `__Secure-` wants Secure), a foreign Domain, a control character or more than 4096 bytes: the browser drops the cookie without a word, and users are signed out or never in. Clients with a cookie jar do not even see that it was sent.",
    "correct the attributes; keep large data on the server",
    "RFC 6265bis, section 5.7",
);

/// It goes over plain HTTP.
pub const COOKIE_SECURE: Rule = rule(
    "headers/cookie-secure",
    Level::Error,
    "the cookie is sent over plain HTTP as well",
    "Without `Secure` one request over plain HTTP hands the cookie to whoever is on the way. For a cookie that is no session, on a site with HSTS, it is a warning.",
    "add `Secure`",
    "RFC 6265bis, section 4.1.2.5",
);

/// Scripts can read it.
pub const COOKIE_HTTP_ONLY: Rule = rule(
    "headers/cookie-http-only",
    Level::Error,
    "scripts can read a session cookie",
    "One injected script then takes the session away. A session is known by its name (`sid`, `sess`, `token`, `auth`, ...) or by a value that is a JSON Web Token.",
    "add `HttpOnly`",
    "RFC 6265bis, section 4.1.2.6",
);

/// Other sites can use it.
pub const COOKIE_SAME_SITE: Rule = rule(
    "headers/cookie-same-site",
    Level::Error,
    "the cookie's SameSite is invalid, or missing where it matters",
    "An unknown word counts as absent, and browsers refuse `None` without `Secure`. Without SameSite a session rests on the default of the browser, which is a warning; a token against request forgery must have it.",
    "set `SameSite=Lax`, or `Strict`; `None` only together with `Secure` and only where other sites embed this one",
    "RFC 6265bis, section 4.1.2.7",
);

/// Every subdomain gets it.
pub const COOKIE_DOMAIN: Rule = rule(
    "headers/cookie-domain",
    Level::Warning,
    "the cookie is sent to other hosts of the domain",
    "With a `Domain` wider than the host every other host below it gets the cookie and can set it, the weakest of them too.",
    "leave `Domain` out where one host is enough, and use the `__Host-` prefix",
    "RFC 6265bis, section 4.1.2.3",
);
