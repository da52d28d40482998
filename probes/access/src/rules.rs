//! The rules of the probe; their texts are user documentation.

use readygate_sdk::{Level, Rule};

/// An origin that nobody declared may read.
pub const CORS: Rule = Rule {
    code: "access/cors",
    level: Level::Error,
    summary: "an origin that nobody declared may read",
    why: "Any site that a signed-in user visits can then read the data of that user. CORS is no authorization: what is behind it needs its own.",
    fix: "compare the whole origin with a list, and send `Access-Control-Allow-Credentials` to those alone",
    source: "Fetch, section 3.2",
};

/// The answer to strangers is careless, though it gives nothing away.
pub const CORS_CARELESS: Rule = Rule {
    code: "access/cors-careless",
    level: Level::Warning,
    summary: "the answer to strangers is careless, though it gives nothing away",
    why: "An origin that is echoed unchecked becomes a leak on the day credentials are switched on; `*` with credentials is refused by browsers and shows that the answer was not thought through.",
    fix: "send the header to declared origins only",
    source: "Fetch, section 3.2.5",
};

/// The allowed origin depends on the request, and `Vary` does not say so.
pub const CORS_VARY: Rule = Rule {
    code: "access/cors-vary",
    level: Level::Warning,
    summary: "the allowed origin depends on the request, and `Vary` does not say so",
    why: "A cache gives the answer for one origin to another: a page is locked out, or let in, by chance.",
    fix: "send `Vary: Origin` with every response of the URL",
    source: "Fetch, section 3.2.5",
};

/// Somebody without a valid sign-in was let in.
pub const AUTHENTICATION: Rule = Rule {
    code: "access/authentication",
    level: Level::Error,
    summary: "somebody without a valid sign-in was let in",
    why: "Whoever finds the URL has what is behind it. A token that is taken without a look at its signature can be written by anybody.",
    fix: "verify signature, algorithm and dates of every token before anything else, and answer 401",
    source: "RFC 8725, section 3.1",
};

/// A 401 does not say how to sign in.
pub const CHALLENGE: Rule = Rule {
    code: "access/challenge",
    level: Level::Info,
    summary: "a 401 does not say how to sign in",
    why: "HTTP asks for `WWW-Authenticate`; clients that act on it cannot.",
    fix: "send `WWW-Authenticate: Bearer` or what you use",
    source: "RFC 9110, section 15.5.2",
};

/// A role or a user got what is not theirs.
pub const AUTHORIZATION: Rule = Rule {
    code: "access/authorization",
    level: Level::Error,
    summary: "a role or a user got what is not theirs",
    why: "Rights that are checked in the pages alone, or by being signed in alone, let every user read and change what belongs to others.",
    fix: "check for each request whether this user may do this to this object, where the object is loaded",
    source: "OWASP API Security 2023, API1 and API5",
};

/// A burst was not limited.
pub const RATE_LIMIT: Rule = Rule {
    code: "access/rate-limit",
    level: Level::Error,
    summary: "a burst was not limited",
    why: "Passwords can be tried by the thousand, and one client can use up what all share.",
    fix: "limit by user or address before the work is done; in nginx `limit_req` does nothing where `return` answers",
    source: "RFC 6585, section 4",
};

/// A client that makes up its address is not limited.
pub const RATE_SPOOFABLE: Rule = Rule {
    code: "access/rate-limit-spoofable",
    level: Level::Error,
    summary: "a client that makes up its address is not limited",
    why: "Whoever sends another `X-Forwarded-For` with each request has no limit at all.",
    fix: "take the address from the connection, or from the last proxy of your own only",
    source: "RFC 7239, section 8.1",
};

/// A refusal does not say when to come back.
pub const RATE_HEADERS: Rule = Rule {
    code: "access/rate-limit-headers",
    level: Level::Warning,
    summary: "a refusal does not say when to come back",
    why: "Clients that are not told try again at once, all together.",
    fix: "send `Retry-After`, or `RateLimit` and `RateLimit-Policy`",
    source: "RFC 6585, section 4",
};

/// The limit does not open again in the time that is declared.
pub const RATE_RECOVERY: Rule = Rule {
    code: "access/rate-limit-recovery",
    level: Level::Error,
    summary: "the limit does not open again in the time that is declared",
    why: "Users stay locked out after a burst.",
    fix: "look into the window of the limit, and whether refused requests count against it",
    source: "",
};

/// Malformed input was not refused as such.
pub const INPUT: Rule = Rule {
    code: "access/input",
    level: Level::Error,
    summary: "malformed input was not refused as such",
    why: "What is taken unchecked ends in the database or in a stack trace. A 5xx shows that the check is the crash.",
    fix: "validate type, presence and size of every field at the door, and answer 400, 413, 415 or 422",
    source: "OWASP ASVS 5, V2",
};

/// Markup in a parameter comes back as markup.
pub const XSS: Rule = Rule {
    code: "access/xss",
    level: Level::Error,
    summary: "markup in a parameter comes back as markup",
    why: "A link with a script in it runs in the session of whoever follows it.",
    fix: "encode for the place where the value is put, and forbid inline scripts by a Content-Security-Policy",
    source: "OWASP ASVS 5, V1.2",
};

/// A request from another site was carried out.
pub const CSRF: Rule = Rule {
    code: "access/csrf",
    level: Level::Error,
    summary: "a request from another site was carried out",
    why: "Any page that a signed-in user opens can act in their name.",
    fix: "refuse requests whose `Sec-Fetch-Site` or `Origin` is foreign, or want a token",
    source: "OWASP ASVS 5, V3.5",
};

/// A value changed what the database was asked.
pub const INJECTION: Rule = Rule {
    code: "access/injection",
    level: Level::Error,
    summary: "a value changed what the database was asked",
    why: "Whoever writes queries reads and changes everything.",
    fix: "bind values as parameters, and refuse objects where a text belongs",
    source: "OWASP ASVS 5, V1.2",
};

/// The canaries found nothing, which is no proof.
pub const NO_EVIDENCE: Rule = Rule {
    code: "access/no-evidence",
    level: Level::Warning,
    summary: "the canaries found nothing, which is no proof",
    why: "A few harmless values show a careless service; they do not show a careful one. A report that said so would be believed.",
    fix: "bring evidence that goes further: a scan (ZAP, sqlmap) or a review; expect `claims.no_evidence: == 0` to insist on it",
    source: "",
};

/// A claim could not be checked.
pub const NOT_CHECKED: Rule = Rule {
    code: "access/not-checked",
    level: Level::Error,
    summary: "a claim could not be checked",
    why: "A refusal shows something only beside a request that is let through: a service that is down refuses everybody.",
    fix: "repair what the message names: mostly the test credentials or the URL of the positive control",
    source: "",
};

/// All rules.
pub const RULES: &[Rule] = &[
    CORS,
    CORS_CARELESS,
    CORS_VARY,
    AUTHENTICATION,
    CHALLENGE,
    AUTHORIZATION,
    RATE_LIMIT,
    RATE_SPOOFABLE,
    RATE_HEADERS,
    RATE_RECOVERY,
    INPUT,
    XSS,
    CSRF,
    INJECTION,
    NO_EVIDENCE,
    NOT_CHECKED,
];
