//! Answers, and headers of documents.

use readygate_sdk::{Level, Rule};

use super::rule;

/// No answer.
pub const NO_ANSWER: Rule = rule(
    "headers/no-answer",
    Level::Error,
    "a declared URL gave no answer, so its headers are not known",
    "What did not answer may have any headers.",
    "ask it by hand with `curl -sD - -o /dev/null URL`, and repair what is in the way",
    "",
);

/// Another answer than the declared one.
pub const UNEXPECTED_STATUS: Rule = rule(
    "headers/unexpected-status",
    Level::Error,
    "the answer is not the one that was declared, so the declared one's headers are not known",
    "The headers of an error page say nothing of the page that was meant, and those of a redirect nothing of where it leads: often another layer sends them.",
    "declare the URL under what it is (`pages`, `api`, `not_found`, `server_error`, `static`), give the credentials that it wants in `secret_headers`, or declare the URL that it redirects to",
    "RFC 9110, section 15",
);

/// A header too long to be judged.
pub const CUT_HEADER: Rule = rule(
    "headers/cut-header",
    Level::Error,
    "a header is too long to be kept whole, so what it says is not known",
    "The probe keeps 64 KiB of a header. Browsers and proxies refuse far shorter ones.",
    "find what makes the header grow",
    "",
);

/// Anyone may frame the page.
pub const FRAMING: Rule = rule(
    "headers/framing",
    Level::Error,
    "any site may show the page in a frame",
    "In a frame of the attacker's a user clicks what cannot be seen (clickjacking). `frame-ancestors *` and a scheme alone allow every site, and no browser obeys `ALLOW-FROM`. The observatory gives points for any `frame-ancestors`; this rule wants one that restricts.",
    "send `Content-Security-Policy: frame-ancestors 'self'` and `X-Frame-Options: SAMEORIGIN` for old browsers, or `'none'` and `DENY`",
    "W3C Content Security Policy Level 3, section 6.4.2; RFC 7034",
);

/// Content types are guessed.
pub const NOSNIFF: Rule = rule(
    "headers/nosniff",
    Level::Error,
    "browsers may guess the content type",
    "Without `X-Content-Type-Options: nosniff` a browser may run an uploaded text or image as a script.",
    "send `X-Content-Type-Options: nosniff` with every response, once",
    "WHATWG Fetch, section 3.5",
);

/// URLs reach other sites.
pub const REFERRER_POLICY: Rule = rule(
    "headers/referrer-policy",
    Level::Error,
    "the referrer policy tells other sites too much, or browsers do not know it",
    "Paths and queries hold tokens and names. An unsafe policy sends them to every site that a page links to. Without a policy today's browsers send the origin only, and older ones all of it, which is a warning.",
    "send `Referrer-Policy: strict-origin-when-cross-origin` or `no-referrer`",
    "W3C Referrer Policy, section 3",
);

/// Features for everyone.
pub const PERMISSIONS_POLICY: Rule = rule(
    "headers/permissions-policy",
    Level::Warning,
    "the permissions policy is missing, or browsers cannot read it",
    "Browsers ignore the whole header when one part of it is malformed, and old `Feature-Policy` syntax is. Absence is only noted: what browsers allow by themselves is asked of the user.",
    "send for example `Permissions-Policy: camera=(), microphone=(), geolocation=()`",
    "W3C Permissions Policy, section 5; RFC 9651",
);

/// Invalid COOP, COEP or CORP.
pub const CROSS_ORIGIN_POLICY: Rule = rule(
    "headers/cross-origin-policy",
    Level::Error,
    "a cross-origin policy has a value that browsers do not know",
    "`Cross-Origin-Opener-Policy`, `-Embedder-Policy` and `-Resource-Policy` are ignored when their value is misspelled or comes twice, and the isolation that was meant does not exist.",
    "send one known value, once: `Cross-Origin-Opener-Policy: same-origin`, `Cross-Origin-Resource-Policy: same-origin`, `Cross-Origin-Embedder-Policy: require-corp`",
    "WHATWG HTML, section 7.1; WHATWG Fetch, section 3.7",
);

/// Software and version.
pub const LEAK: Rule = rule(
    "headers/leak",
    Level::Warning,
    "a header tells which software answers, and in which version",
    "Scanners look for versions with known holes. The header is of no use to anyone else.",
    "switch it off: `server_tokens off` (nginx), `app.disable('x-powered-by')` (Express), `ServerTokens Prod` (Apache), `expose_php = Off`",
    "OWASP Secure Headers Project",
);

/// The old filter.
pub const XSS_PROTECTION: Rule = rule(
    "headers/xss-protection",
    Level::Warning,
    "`X-XSS-Protection` switches an old filter on",
    "The filter is gone from current browsers. In those that have it, it lets an attacker switch off parts of a page, and has opened holes of its own.",
    "send `X-XSS-Protection: 0`, or leave it out, and rely on a Content Security Policy",
    "OWASP Secure Headers Project",
);

/// Caches may keep it.
pub const CACHE_CONTROL: Rule = rule(
    "headers/cache-control",
    Level::Warning,
    "an answer for one user may be stored by a shared cache",
    "A cache that keeps it hands one user's data to the next. Without `Cache-Control` caches may guess. `public` or `s-maxage` on a URL declared `private` is an error, for it says so outright; a public API may say `public`.",
    "send `Cache-Control: no-store`, or `private` where the browser may keep it",
    "RFC 9111, sections 3 and 4.2.2",
);

/// No integrity.
pub const SRI_MISSING: Rule = rule(
    "headers/sri-missing",
    Level::Warning,
    "a script or style sheet of another site is loaded without a hash",
    "Whoever changes the file over there runs code on this page. Over plain HTTP so does whoever is on the way: that is an error.",
    "add `integrity` and `crossorigin`, or serve the file yourself",
    "W3C Subresource Integrity",
);

/// A hash that is none.
pub const SRI_INVALID: Rule = rule(
    "headers/sri-invalid",
    Level::Error,
    "an `integrity` attribute holds no hash that browsers take",
    "Browsers skip what is not sha256, sha384 or sha512 with a whole digest, and load the file unchecked when nothing is left.",
    "compute it again: `openssl dgst -sha384 -binary FILE | openssl base64 -A`",
    "W3C Subresource Integrity, section 3.5",
);

/// A header of the profile.
pub const PROFILE_HEADER: Rule = rule(
    "headers/profile-header",
    Level::Error,
    "a header that the profile wants is missing or has another value",
    "The profile is the policy that was chosen for this target: `helmet` for what Helmet 8 sends by default, `owasp` for the OWASP Secure Headers Project.",
    "send the header as the profile wants it, or choose another profile",
    "Helmet 8; OWASP Secure Headers Project",
);

/// A test of the observatory.
pub const OBSERVATORY_TEST: Rule = rule(
    "headers/observatory-test",
    Level::Error,
    "a test of the HTTP Observatory does not pass",
    "Profile `observatory` wants every test passed. The score follows algorithm 6, with these differences, all towards the lower score: an HSTS field that the grammar of RFC 6797 refuses is invalid, also where the observatory takes `max-age=abc` for half a year or more; an origin that is sent back with credentials is universal access, also where the observatory does not see what it sent itself; a cookie that browsers refuse for its prefix is judged and not forgotten; a `<meta>` cannot set Cross-Origin-Resource-Policy; nobody is taken to be on the preload list, which cannot be seen from outside; of several integrity findings the one that costs most counts. A later policy that names a directive alone keeps its sources, where the observatory takes `'none'`.",
    "read the rule of the same subject, and look the test up in the observatory's documentation",
    "MDN HTTP Observatory, algorithm 6",
);
