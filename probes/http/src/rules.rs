//! The rules of the probe; their texts are user documentation.

use readygate_sdk::{Level, Rule};

use crate::rules_grown as grown;

/// The status code is not one of the right ones.
pub const STATUS: Rule = Rule {
    code: "http/status",
    level: Level::Error,
    summary: "the status code is not the expected one",
    why: "A wrong status is the plainest sign that an endpoint does not do its work: 5xx says that the service fails, 404 that the route is missing, 401 or 403 that the credentials are, and 3xx that something else answers.",
    fix: "send the request by hand with `curl -i` and read the log of the service",
    source: "RFC 9110, section 15",
};

/// A sample got no answer.
pub const FAILED_SAMPLE: Rule = Rule {
    code: "http/failed-sample",
    level: Level::Error,
    summary: "some of the samples got no answer",
    why: "An endpoint that answers most of the time fails for some users all of the time. Typical causes are one bad node behind a load balancer and a limit on connections.",
    fix: "look for the node that does not answer: ask every node by itself, with `resolve`",
    source: "",
};

/// A response header is not what it must be.
pub const HEADER: Rule = Rule {
    code: "http/header",
    level: Level::Error,
    summary: "a response header is not the expected one",
    why: "Caches, browsers and proxies act on headers. A missing or wrong one changes how the same body is stored, shown or let through.",
    fix: "see which layer sets the header with `curl -sD - -o /dev/null URL`, and correct it there",
    source: "RFC 9110, section 6.3",
};

/// A value of the JSON body is not what it must be.
pub const BODY_JSON: Rule = Rule {
    code: "http/body-json",
    level: Level::Error,
    summary: "a value of the JSON body is not the expected one",
    why: "Health endpoints often answer 200 and tell the truth in the body: a database that is down, a queue that grows, a feature that is off.",
    fix: "read the whole body with `curl -s URL`, and repair what it reports",
    source: "RFC 6901",
};

/// The body holds a text that it must not, or lacks one that it must.
pub const BODY_TEXT: Rule = Rule {
    code: "http/body-text",
    level: Level::Error,
    summary: "the body does not hold the expected text",
    why: "A page that renders an error, a placeholder or a stack trace is often sent with status 200.",
    fix: "read the whole body with `curl -s URL`",
    source: "",
};

/// The body is not JSON.
pub const NOT_JSON: Rule = Rule {
    code: "http/not-json",
    level: Level::Error,
    summary: "the body is not JSON",
    why: "Where JSON was expected, a page of HTML means that a proxy, a sign-in page or an error handler answered in place of the service.",
    fix: "read the body with `curl -s URL`, and find out who answered",
    source: "RFC 8259",
};

/// The running version is not the one to be released.
pub const VERSION_MISMATCH: Rule = Rule {
    code: "http/version-mismatch",
    level: Level::Error,
    summary: "the running version is not the target's version",
    why: "Every other result of the run is about the version that answered. If that is not the one to be released, they prove nothing about it.",
    fix: "finish or repeat the deployment, and make sure that no old node and no cache answers",
    source: "",
};

/// Redirects did not lead to an answer.
pub const REDIRECT_LOOP: Rule = Rule {
    code: "http/redirect-loop",
    level: Level::Error,
    summary: "the redirects do not end in an answer",
    why: "A client that follows them gives up without a page. Loops often come from a proxy that ends TLS and a service that insists on it.",
    fix: "follow the redirects by hand with `curl -sIL URL`; raise `redirects` if the chain is meant to be longer",
    source: "RFC 9110, section 15.4",
};

/// The body was not read to its end.
pub const TRUNCATED_BODY: Rule = Rule {
    code: "http/truncated-body",
    level: Level::Error,
    summary: "the body is longer than `max_body`, so what it says is not known",
    why: "What was not read can be neither right nor wrong: a text that must be absent may stand after the cut.",
    fix: "raise `max_body`, or ask an endpoint with a shorter answer",
    source: "",
};

/// The body is encoded in a way that the probe does not know.
pub const UNREAD_ENCODING: Rule = Rule {
    code: "http/unread-encoding",
    level: Level::Error,
    summary: "the body has a Content-Encoding that was not asked for, so what it says is not known",
    why: "The probe accepts gzip and plain bodies. A server that sends another encoding ignores `Accept-Encoding`, and other clients will not read it either.",
    fix: "make the server obey `Accept-Encoding: gzip`",
    source: "RFC 9110, section 12.5.3",
};

/// All rules, in the order of judgement.
pub const RULES: &[Rule] = &[
    FAILED_SAMPLE,
    STATUS,
    REDIRECT_LOOP,
    HEADER,
    TRUNCATED_BODY,
    UNREAD_ENCODING,
    NOT_JSON,
    BODY_JSON,
    BODY_TEXT,
    VERSION_MISMATCH,
    grown::CDN_BYPASS,
    grown::CDN_MISS,
    grown::CDN_ABSENT,
    grown::CACHE_LEAK,
    grown::DEPENDENCY_DOWN,
    grown::DEPENDENCY_MISSING,
    grown::SPREAD,
    grown::STICKY,
    grown::INSTANCE_VERSION,
    grown::CAPTURE,
    grown::STEP,
    grown::OPENAPI_UNEXERCISED,
];
