//! Content Security Policy.

use readygate_sdk::{Level, Rule};

use super::rule;

const CSP: &str = "W3C Content Security Policy Level 3";

/// No enforced policy.
pub const CSP_MISSING: Rule = rule(
    "headers/csp-missing",
    Level::Error,
    "the document has no enforced Content Security Policy",
    "Without a policy a browser runs every script that gets into a page, an attacker's too. A policy in `Content-Security-Policy-Report-Only` reports and stops nothing.",
    "send `Content-Security-Policy: default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'` and widen it only where the page needs it; a policy that only reports must be sent as `Content-Security-Policy` in the end",
    CSP,
);

/// A policy that cannot do what it says.
pub const CSP_INVALID: Rule = rule(
    "headers/csp-invalid",
    Level::Error,
    "the policy cannot work as it is written",
    "With `'strict-dynamic'` browsers ignore hosts and `'self'`: without a nonce or a hash beside it no script runs at all, and older browsers run what the hosts allow. A policy without a single known directive restricts nothing.",
    "add a nonce or a hash beside `'strict-dynamic'`, or leave it out; check the names of the directives",
    "W3C Content Security Policy Level 3, section 8.2",
);

/// Inline scripts run.
pub const CSP_UNSAFE_INLINE: Rule = rule(
    "headers/csp-unsafe-inline",
    Level::Error,
    "the policy lets inline scripts run",
    "With `'unsafe-inline'` an injected `<script>` or `onclick` runs as if the site had written it: the policy stops no cross-site scripting. `script-src-elem` and `script-src-attr` take precedence over `script-src`, so one of them can open what the other closes.",
    "give inline scripts a nonce or a hash, which makes browsers ignore `'unsafe-inline'`, and move event handlers into scripts",
    "W3C Content Security Policy Level 3, section 6.7.3",
);

/// `eval` runs.
pub const CSP_UNSAFE_EVAL: Rule = rule(
    "headers/csp-unsafe-eval",
    Level::Warning,
    "the policy lets text run as code",
    "With `'unsafe-eval'` a text that reaches `eval`, `new Function` or `setTimeout` runs, which turns many harmless injections into harmful ones.",
    "replace the library that needs `eval`, or use `'wasm-unsafe-eval'` where only WebAssembly does",
    "W3C Content Security Policy Level 3, section 4.4.1",
);

/// A wildcard or a scheme alone.
pub const CSP_BROAD_SOURCE: Rule = rule(
    "headers/csp-broad-source",
    Level::Error,
    "the policy lets scripts or plug-ins come from nearly everywhere",
    "`*`, `https:`, `data:` and a directive that is missing allow any host, the attacker's too. Without `object-src` and without `default-src` plug-ins are not restricted at all.",
    "name the hosts, or use a nonce with `'strict-dynamic'`; set `object-src 'none'`",
    "W3C Content Security Policy Level 3, section 6.7.2",
);

/// Unencrypted sources on an encrypted page.
pub const CSP_INSECURE_SCHEME: Rule = rule(
    "headers/csp-insecure-scheme",
    Level::Error,
    "the policy of an HTTPS page allows sources over plain HTTP",
    "Whoever is on the way can change what comes over plain HTTP. Images and media are a warning only: they change what is seen and not what is run.",
    "write `https:` for every source, and `upgrade-insecure-requests` for old links",
    "W3C Mixed Content, section 4",
);

/// `<base>` can move scripts elsewhere.
pub const CSP_BASE_URI: Rule = rule(
    "headers/csp-base-uri",
    Level::Error,
    "the policy does not keep an injected `<base>` from moving scripts",
    "An injected `<base href>` makes every relative script of the page load from the attacker's host. Where scripts are allowed by nonce, or by hash with `'strict-dynamic'`, the browser then runs them.",
    "set `base-uri 'none'`, or `'self'`",
    "W3C Content Security Policy Level 3, section 6.3.1",
);

/// Two responses, one nonce.
pub const CSP_NONCE_REUSE: Rule = rule(
    "headers/csp-nonce-reuse",
    Level::Error,
    "two responses have the same nonce",
    "A nonce that is known beforehand protects nothing: the attacker writes it into the injected script. It is often fixed in a config file, or kept by a cache together with the page.",
    "make a new nonce of at least 128 random bits for every response, and keep pages with nonces out of caches",
    "W3C Content Security Policy Level 3, section 7.1",
);

/// A short nonce.
pub const CSP_WEAK_NONCE: Rule = rule(
    "headers/csp-weak-nonce",
    Level::Warning,
    "a nonce is short, or is no base64",
    "A nonce should have at least 128 random bits, which are 22 characters of base64; shorter ones can be guessed, and fewer than 8 characters quickly. One with other characters is ignored by browsers.",
    "encode 16 random bytes as base64",
    "W3C Content Security Policy Level 3, section 7.1",
);

/// A directive that no browser knows.
pub const CSP_UNKNOWN_DIRECTIVE: Rule = rule(
    "headers/csp-unknown-directive",
    Level::Warning,
    "the policy has a directive that browsers do not know",
    "Browsers ignore a directive with a misspelled name, and what it was to forbid stays allowed.",
    "correct the name, or take the directive out where browsers have given it up",
    CSP,
);

/// A directive among the values of another.
pub const CSP_MISSING_SEMICOLON: Rule = rule(
    "headers/csp-missing-semicolon",
    Level::Error,
    "a semicolon is missing: the name of a directive stands among the sources of another",
    "What follows a forgotten semicolon is read as the name of a host. The directive that was meant does not exist.",
    "end every directive with `;`",
    "W3C Content Security Policy Level 3, section 2.2",
);

/// A keyword without quotes, or an unknown one in quotes.
pub const CSP_INVALID_KEYWORD: Rule = rule(
    "headers/csp-invalid-keyword",
    Level::Error,
    "a keyword of the policy is not written as browsers read it",
    "Without its quotes `self` or `none` is the name of a host, and a misspelled keyword in quotes is ignored: the policy is wider or narrower than it looks.",
    "write `'self'`, `'none'`, `'nonce-...'` in single quotes, and `'none'` alone",
    "W3C Content Security Policy Level 3, section 2.3.1",
);

/// The second directive of a name.
pub const CSP_REPEATED_DIRECTIVE: Rule = rule(
    "headers/csp-repeated-directive",
    Level::Warning,
    "a directive comes twice in one policy, and browsers ignore the second",
    "Often two places of a configuration each add a line. What the second one says does not hold.",
    "write the sources of both into one directive",
    "W3C Content Security Policy Level 3, section 2.2.1",
);

/// A host where anybody's script can be had.
pub const CSP_BYPASSABLE_HOST: Rule = rule(
    "headers/csp-bypassable-host",
    Level::Warning,
    "the policy allows scripts from a host that serves code of anyone's choice",
    "Public package mirrors hold every library, those that turn markup into code among them, and JSONP endpoints send back the caller's text as a script. A policy that allows the whole host is bypassed with either.",
    "serve the library yourself, or allow it by hash or nonce, or by its whole path",
    "Weichselbaum et al., CSP Is Dead, Long Live CSP (2016)",
);

/// Inline styles.
pub const CSP_UNSAFE_STYLE: Rule = rule(
    "headers/csp-unsafe-style",
    Level::Info,
    "the policy lets styles come from inline or from everywhere",
    "Injected styles can hide and imitate parts of a page and read attribute values by selectors. They run no code.",
    "give inline styles a nonce or a hash, and name the hosts of style sheets",
    "W3C Content Security Policy Level 3, section 6.7.3",
);

/// A `<meta>` that nobody obeys.
pub const META_IGNORED: Rule = rule(
    "headers/meta-ignored",
    Level::Warning,
    "a `<meta>` element tries to set what browsers take from headers only",
    "A policy in `<meta>` counts in the head only, and never its `frame-ancestors`, `report-uri` or `sandbox`; no other security header can be set there. The page looks protected and is not.",
    "send it as a header",
    "W3C Content Security Policy Level 3, section 3.3",
);
