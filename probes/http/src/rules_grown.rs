//! The rules on caches, health documents, instances and steps; their texts are user documentation.

use readygate_sdk::{Level, Rule};

/// A cache that does not store.
pub const CDN_BYPASS: Rule = Rule {
    code: "http/cdn-bypass",
    level: Level::Error,
    summary: "the CDN does not store the response",
    why: "A static file that every request fetches from the origin makes the CDN a detour: pages are slow far away, and a burst of visitors reaches the origin.",
    fix: "see the reasons below; `curl -sD - -o /dev/null URL` shows `Cache-Control` and what the CDN says",
    source: "developers.cloudflare.com/cache/concepts/cache-responses",
};

/// A cache that has nothing yet.
pub const CDN_MISS: Rule = Rule {
    code: "http/cdn-miss",
    level: Level::Warning,
    summary: "the response was not in the cache of the CDN after three requests",
    why: "Most of the time another node of the CDN answered each time. It can also mean that the response varies with every request, or is evicted at once.",
    fix: "ask again from one place a few times, and look for `Vary` and query strings that change",
    source: "developers.cloudflare.com/cache/concepts/cache-responses",
};

/// No cache at all.
pub const CDN_ABSENT: Rule = Rule {
    code: "http/cdn-absent",
    level: Level::Error,
    summary: "no CDN answered",
    why: "Without the CDN users wait longer, and its filters and limits do not stand before the origin.",
    fix: "point the name to the CDN, and switch its proxy on for this name",
    source: "RFC 9211",
};

/// A cache that stores too much.
pub const CACHE_LEAK: Rule = Rule {
    code: "http/cache-leak",
    level: Level::Error,
    summary: "a cache answered with what belongs to one user",
    why: "A response to credentials, or one that sets a cookie, that comes from a shared cache goes to other users too: they get the data or the session of somebody else.",
    fix: "send `Cache-Control: private, no-store` with such responses, and purge the cache",
    source: "RFC 9111, section 3.5",
};

/// Something is down.
pub const DEPENDENCY_DOWN: Rule = Rule {
    code: "http/dependency-down",
    level: Level::Error,
    summary: "the health document says that something is down",
    why: "A service often answers 200 while its database, queue or cache does not. What depends on it fails next.",
    fix: "read the document with `curl -s URL`, and repair what it reports",
    source: "draft-inadarei-api-health-check-06, section 3",
};

/// A dependency is not named.
pub const DEPENDENCY_MISSING: Rule = Rule {
    code: "http/dependency-missing",
    level: Level::Error,
    summary: "the health document does not name what it must",
    why: "A dependency that nobody looks at is healthy by silence only.",
    fix: "let the health endpoint check it; the names that it has are listed",
    source: "draft-inadarei-api-health-check-06, section 4",
};

/// Too few instances.
pub const SPREAD: Rule = Rule {
    code: "http/spread",
    level: Level::Error,
    summary: "fewer instances answer than must",
    why: "Instances that get no requests are no capacity: the others carry the load, and one failure takes more than its share.",
    fix: "look into the list of targets of the load balancer, and at the health checks it makes of them",
    source: "",
};

/// A session moves.
pub const STICKY: Rule = Rule {
    code: "http/sticky",
    level: Level::Error,
    summary: "a session does not stay on its instance",
    why: "State that is kept in one instance is lost when the next request goes to another one: users are signed out, carts are empty.",
    fix: "switch session affinity on, and let its cookie through every proxy",
    source: "",
};

/// An instance runs another version.
pub const INSTANCE_VERSION: Rule = Rule {
    code: "http/instance-version",
    level: Level::Error,
    summary: "not every instance runs the version of the target",
    why: "A roll-out that stopped half-way serves two versions: what one writes the other may not read.",
    fix: "finish or repeat the deployment on the instances named, and restart what still runs the old version",
    source: "",
};

/// A value is missing.
pub const CAPTURE: Rule = Rule {
    code: "http/capture",
    level: Level::Error,
    summary: "a response does not hold the value that later steps need",
    why: "A sign-in that answers 200 without a token has not signed anyone in.",
    fix: "send the step by hand with `curl -i`, and compare with what `capture` looks for",
    source: "",
};

/// A step is unknown.
pub const STEP: Rule = Rule {
    code: "http/step",
    level: Level::Error,
    summary: "a step got no answer, or was not sent",
    why: "What was not asked is not known, and everything that needs it is not known either.",
    fix: "repair the step that failed first; the others follow",
    source: "",
};

/// Operations that nobody asked.
pub const OPENAPI_UNEXERCISED: Rule = Rule {
    code: "http/openapi-unexercised",
    level: Level::Info,
    summary: "operations of the OpenAPI document were not asked",
    why: "The gate says nothing about them. Those are where a release breaks unseen.",
    fix: "add steps for the most used ones; expect `openapi.coverage` to hold the level",
    source: "OpenAPI 3.1, section 4.8.8",
};
