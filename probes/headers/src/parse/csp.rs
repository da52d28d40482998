//! Content Security Policy: texts to policies (W3C CSP Level 3, section 2.2).

/// Directives beyond this number are not read.
const MOST_DIRECTIVES: usize = 256;

/// What a policy must hold to be one: the names that browsers know.
pub const DIRECTIVES: [&str; 27] = [
    "base-uri",
    "child-src",
    "connect-src",
    "default-src",
    "fenced-frame-src",
    "font-src",
    "form-action",
    "frame-ancestors",
    "frame-src",
    "img-src",
    "manifest-src",
    "media-src",
    "object-src",
    "report-to",
    "report-uri",
    "require-trusted-types-for",
    "sandbox",
    "script-src",
    "script-src-attr",
    "script-src-elem",
    "style-src",
    "style-src-attr",
    "style-src-elem",
    "trusted-types",
    "upgrade-insecure-requests",
    "webrtc",
    "worker-src",
];

/// Names that browsers once knew.
pub const DEPRECATED: [&str; 7] = [
    "block-all-mixed-content",
    "navigate-to",
    "plugin-types",
    "prefetch-src",
    "referrer",
    "reflected-xss",
    "require-sri-for",
];

/// Directives that a `<meta>` element cannot set.
pub const NOT_IN_META: [&str; 3] = ["frame-ancestors", "report-uri", "sandbox"];

/// One directive: its name in lower case, and its values as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// `script-src`.
    pub name: String,
    /// `'self'`, `https://cdn.example.com`.
    pub values: Vec<String>,
}

/// One policy. Of a directive that comes twice the first counts; the second is kept by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// In the order of the text.
    pub directives: Vec<Directive>,
    /// Names that came again.
    pub repeated: Vec<String>,
}

/// The policies of one header field: a comma ends a policy.
pub fn parse_list(value: &str) -> Vec<Policy> {
    let policies = value.split(',').map(parse);
    policies
        .filter(|policy| !policy.directives.is_empty())
        .collect()
}

/// One serialized policy.
pub fn parse(text: &str) -> Policy {
    let mut policy = Policy::default();
    for part in text.split(';').take(MOST_DIRECTIVES) {
        let mut words = part.split_ascii_whitespace();
        let Some(name) = words.next() else { continue };
        let name = name.to_ascii_lowercase();
        if policy.values(&name).is_some() {
            policy.repeated.push(name);
        } else {
            let values = words.map(str::to_owned).collect();
            policy.directives.push(Directive { name, values });
        }
    }
    policy
}

impl Policy {
    /// The values of a directive, where it is there.
    pub fn values(&self, name: &str) -> Option<&[String]> {
        let found = self.directives.iter().find(|d| d.name == name);
        found.map(|d| d.values.as_slice())
    }

    /// The first of these directives that is there.
    pub fn first_of<'a>(&'a self, names: &[&'a str]) -> Option<(&'a str, Sources<'a>)> {
        let found = names
            .iter()
            .find_map(|name| Some((*name, self.values(name)?)));
        found.map(|(name, values)| (name, Sources(values)))
    }

    /// What governs `<script>` elements.
    pub fn script_elements(&self) -> Option<(&str, Sources<'_>)> {
        self.first_of(&["script-src-elem", "script-src", "default-src"])
    }

    /// What governs event handlers such as `onclick`.
    pub fn script_attributes(&self) -> Option<(&str, Sources<'_>)> {
        self.first_of(&["script-src-attr", "script-src", "default-src"])
    }

    /// What governs `eval`.
    pub fn eval(&self) -> Option<(&str, Sources<'_>)> {
        self.first_of(&["script-src", "default-src"])
    }

    /// What governs plug-ins.
    pub fn objects(&self) -> Option<(&str, Sources<'_>)> {
        self.first_of(&["object-src", "default-src"])
    }

    /// What governs `<style>` elements and attributes.
    pub fn styles(&self) -> Option<(&str, Sources<'_>)> {
        self.first_of(&["style-src", "default-src"])
    }

    /// Every nonce of the policy, without quotes and prefix.
    pub fn nonces(&self) -> Vec<&str> {
        let values = self.directives.iter().flat_map(|d| &d.values);
        let mut nonces: Vec<&str> = values.filter_map(|v| nonce(v)).collect();
        nonces.sort_unstable();
        nonces.dedup();
        nonces
    }
}

/// The nonce of a `'nonce-...'` source.
pub fn nonce(source: &str) -> Option<&str> {
    let inner = source.strip_prefix('\'')?.strip_suffix('\'')?;
    let (prefix, nonce) = inner.split_once('-')?;
    prefix.eq_ignore_ascii_case("nonce").then_some(nonce)
}

/// A source list.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a>(pub &'a [String]);

impl<'a> Sources<'a> {
    /// Whether a keyword such as `'unsafe-inline'` is there.
    pub fn has(self, keyword: &str) -> bool {
        self.0.iter().any(|s| s.eq_ignore_ascii_case(keyword))
    }

    /// Whether a nonce or a hash is there.
    pub fn has_nonce_or_hash(self) -> bool {
        self.has_nonce() || self.has_hash()
    }

    /// Whether a nonce is there.
    pub fn has_nonce(self) -> bool {
        self.0.iter().any(|s| nonce(s).is_some())
    }

    /// Whether a hash is there.
    pub fn has_hash(self) -> bool {
        let start = |s: &String| s.get(..8).map(str::to_ascii_lowercase);
        let hash = |s: String| ["'sha256-", "'sha384-", "'sha512-"].contains(&s.as_str());
        self.0.iter().any(|s| start(s).is_some_and(hash))
    }

    /// Whether inline code runs: a nonce, a hash or `'strict-dynamic'` takes `'unsafe-inline'` away.
    pub fn allows_inline(self) -> bool {
        self.has("'unsafe-inline'") && !self.has_nonce_or_hash() && !self.has("'strict-dynamic'")
    }

    /// Sources that stand for half of the web: a wildcard or a bare scheme. With `'strict-dynamic'`
    /// browsers ignore them.
    pub fn broad(self) -> Vec<&'a str> {
        if self.has("'strict-dynamic'") && self.has_nonce_or_hash() {
            return Vec::new();
        }
        self.0
            .iter()
            .map(String::as_str)
            .filter(|s| is_broad(s))
            .collect()
    }

    /// Sources over unencrypted schemes.
    pub fn insecure(self) -> impl Iterator<Item = &'a str> {
        self.0.iter().map(String::as_str).filter(|s| is_insecure(s))
    }
}

/// A wildcard for every host, or a scheme alone that anyone can serve from.
pub fn is_broad(source: &str) -> bool {
    let source = source.to_ascii_lowercase();
    let schemes = [
        "http:",
        "https:",
        "ftp:",
        "ws:",
        "wss:",
        "data:",
        "blob:",
        "filesystem:",
    ];
    if schemes.contains(&source.as_str()) {
        return true;
    }
    let host = source
        .split_once("://")
        .map_or(source.as_str(), |(_, rest)| rest);
    let host = host.split('/').next().unwrap_or_default();
    let host = host.split_once(':').map_or(host, |(host, _)| host);
    matches!(host, "*" | "*.*")
}

/// Unencrypted: `http:` and `ftp:` with or without a host.
pub fn is_insecure(source: &str) -> bool {
    let scheme = source.split(':').next().unwrap_or_default();
    source.contains(':')
        && ["http", "ftp", "ws"]
            .iter()
            .any(|s| scheme.eq_ignore_ascii_case(s))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_split_and_the_first_directive_counts() {
        let policies =
            parse_list("Default-Src 'self';; script-src  a\tb ; default-src *, img-src x,,");
        assert_eq!(policies.len(), 2);
        assert_eq!(policies[0].values("default-src").unwrap(), ["'self'"]);
        assert_eq!(policies[0].values("script-src").unwrap(), ["a", "b"]);
        assert_eq!(policies[0].repeated, ["default-src"]);
        assert_eq!(policies[1].directives.len(), 1);
        assert!(parse_list(" ;;, ").is_empty());
    }

    #[test]
    fn inline_is_taken_away_by_nonces() {
        for (value, allowed) in [
            ("script-src 'unsafe-inline'", true),
            ("script-src 'UNSAFE-INLINE' https:", true),
            ("script-src 'unsafe-inline' 'nonce-abc'", false),
            ("script-src 'unsafe-inline' 'sha256-abc='", false),
            ("script-src 'unsafe-inline' 'strict-dynamic'", false),
            ("default-src 'unsafe-inline'; script-src 'self'", false),
            ("script-src 'self'; script-src-elem 'unsafe-inline'", true),
        ] {
            let policy = parse(value);
            let (_, sources) = policy.script_elements().unwrap();
            assert_eq!(sources.allows_inline(), allowed, "{value}");
        }
    }

    #[test]
    fn broad_sources_are_known() {
        for source in [
            "*",
            "https:",
            "DATA:",
            "http://*",
            "https://*.*",
            "*:443",
            "https://*:8443/x",
        ] {
            assert!(is_broad(source), "{source}");
        }
        for source in [
            "'self'",
            "*.example.com",
            "https://a.example",
            "'none'",
            "mediastream:",
        ] {
            assert!(!is_broad(source), "{source}");
        }
    }
}
