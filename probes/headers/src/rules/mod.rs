//! The rules of the probe; their texts are user documentation.

mod cookies;
mod cors;
mod csp;
mod page;
mod transport;

use readygate_sdk::{Level, Rule};

pub use cookies::*;
pub use cors::*;
pub use csp::*;
pub use page::*;
pub use transport::*;

/// All rules, in the order of judgement.
pub const RULES: &[Rule] = &[
    NO_ANSWER,
    UNEXPECTED_STATUS,
    CUT_HEADER,
    CSP_MISSING,
    CSP_INVALID,
    CSP_UNSAFE_INLINE,
    CSP_UNSAFE_EVAL,
    CSP_BROAD_SOURCE,
    CSP_INSECURE_SCHEME,
    CSP_BASE_URI,
    CSP_NONCE_REUSE,
    CSP_WEAK_NONCE,
    CSP_UNKNOWN_DIRECTIVE,
    CSP_MISSING_SEMICOLON,
    CSP_INVALID_KEYWORD,
    CSP_REPEATED_DIRECTIVE,
    CSP_BYPASSABLE_HOST,
    CSP_UNSAFE_STYLE,
    META_IGNORED,
    FRAMING,
    HSTS_MISSING,
    HSTS_INVALID,
    HSTS_MAX_AGE,
    HSTS_REPEATED,
    HSTS_SUBDOMAINS,
    NOSNIFF,
    REFERRER_POLICY,
    PERMISSIONS_POLICY,
    CROSS_ORIGIN_POLICY,
    LEAK,
    XSS_PROTECTION,
    CACHE_CONTROL,
    SRI_MISSING,
    SRI_INVALID,
    COOKIE_DROPPED,
    COOKIE_SECURE,
    COOKIE_HTTP_ONLY,
    COOKIE_SAME_SITE,
    COOKIE_DOMAIN,
    CORS_FOREIGN_ORIGIN,
    CORS_NULL_ORIGIN,
    CORS_WILDCARD_CREDENTIALS,
    CORS_VARY,
    CORS_ALLOWED_ORIGIN,
    CORS_DENIED_ORIGIN,
    CORS_METHODS,
    REDIRECT_TO_HTTPS,
    REDIRECT_HTTPS_FIRST,
    REDIRECT_HOST,
    REDIRECT_PERMANENT,
    REDIRECT_PATH,
    REDIRECT_LOOP,
    REDIRECT_DOWNGRADE,
    PROFILE_HEADER,
    OBSERVATORY_TEST,
];

/// A rule in the order of its fields.
const fn rule(
    code: &'static str,
    level: Level,
    summary: &'static str,
    why: &'static str,
    fix: &'static str,
    source: &'static str,
) -> Rule {
    Rule {
        code,
        level,
        summary,
        why,
        fix,
        source,
    }
}
