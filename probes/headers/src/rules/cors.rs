//! Cross-origin resource sharing.

use readygate_sdk::{Level, Rule};

use super::rule;

const FETCH: &str = "WHATWG Fetch, section 3.3";

/// Any origin.
pub const CORS_FOREIGN_ORIGIN: Rule = rule(
    "headers/cors-foreign-origin",
    Level::Error,
    "an origin that was not declared may read the answer",
    "A server that sends the origin back lets any site read the answers, with the user's cookies where it allows credentials. Names that only begin or end like the host's own are let in by patterns without an anchor. Without credentials it is a warning, and an error for a URL declared `private`. CORS is no authorization: it restrains browsers and nobody else.",
    "compare the origin with a list of whole origins, and declare those in `cors.allowed`",
    FETCH,
);

/// The origin `null`.
pub const CORS_NULL_ORIGIN: Rule = rule(
    "headers/cors-null-origin",
    Level::Error,
    "the origin `null` may read the answer",
    "Any site can send `null` from a sandboxed frame. With credentials it is an error, without them a warning.",
    "never allow `null`",
    FETCH,
);

/// `*` with credentials.
pub const CORS_WILDCARD_CREDENTIALS: Rule = rule(
    "headers/cors-wildcard-credentials",
    Level::Warning,
    "`*` is sent together with Access-Control-Allow-Credentials",
    "Browsers refuse the pair, so that what was meant does not work; the next change often sends the origin back, which opens everything.",
    "allow single origins with credentials, or `*` without",
    "WHATWG Fetch, section 3.3.5",
);

/// Caches mix origins up.
pub const CORS_VARY: Rule = rule(
    "headers/cors-vary",
    Level::Warning,
    "the answer depends on the origin and does not say so",
    "Without `Vary: Origin` a cache hands the answer for one origin to another, which then is refused, or let in.",
    "send `Vary: Origin` with every answer of the URL",
    "WHATWG Fetch, section 3.3.7",
);

/// A declared origin is kept out.
pub const CORS_ALLOWED_ORIGIN: Rule = rule(
    "headers/cors-allowed-origin",
    Level::Error,
    "an origin declared as allowed is not let in",
    "The front end on that origin does not work. It is also the positive control: a server that answers no cross-origin request at all would pass every other rule.",
    "add the origin to the server's list, for GET and for the preflight",
    FETCH,
);

/// A denied origin is let in.
pub const CORS_DENIED_ORIGIN: Rule = rule(
    "headers/cors-denied-origin",
    Level::Error,
    "an origin declared as denied is let in",
    "It was taken off the list for a reason.",
    "remove it from the server's list",
    FETCH,
);

/// A method is not granted.
pub const CORS_METHODS: Rule = rule(
    "headers/cors-methods",
    Level::Error,
    "the preflight does not grant a declared method",
    "The browser sends the preflight, sees that the method is missing and never sends the request.",
    "add the method to `Access-Control-Allow-Methods`",
    "WHATWG Fetch, section 3.3.3",
);
