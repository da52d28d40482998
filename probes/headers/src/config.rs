//! The `with` block of a `headers` gate.

use std::{collections::BTreeMap, net::IpAddr};

use readygate_sdk::{ByteSize, Secret, Texts};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::record::Kind;

/// Which URLs are asked, or which captured responses are read, and by which rules they are judged.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeadersConfig {
    /// Which headers must be there beyond the probe's own rules.
    #[serde(default)]
    pub profile: Profile,
    /// URLs of documents that people see: one, or a list. Absolute, or relative to `target.url`.
    #[serde(default)]
    pub pages: Texts,
    /// URLs that programs read.
    #[serde(default)]
    pub api: Texts,
    /// URLs that do not exist, for the headers of the 404 page.
    #[serde(default)]
    pub not_found: Texts,
    /// URLs that fail with 5xx, for the headers of the error page.
    #[serde(default)]
    pub server_error: Texts,
    /// URLs of scripts, style sheets and images.
    #[serde(default)]
    pub r#static: Texts,
    /// Those of the URLs above whose answer is for one user only: it must not be stored by shared
    /// caches, and no other origin may read it. `all` stands for every one.
    #[serde(default)]
    pub private: Texts,
    /// Files with captured responses, in place of URLs: what `curl -i` prints, or HAR. Nothing is
    /// contacted then.
    #[serde(default)]
    pub from_file: Texts,
    /// The URL that a captured response without one came from; `target.url` by default.
    #[serde(default)]
    pub captured_url: Option<String>,
    /// A plain HTTP URL that must redirect to HTTPS: `http://shop.example.com/`. `none` says that
    /// nothing listens on plain HTTP, which is then taken on your word.
    #[serde(default)]
    pub http_url: Option<String>,
    /// Which other origins may read the answers.
    #[serde(default)]
    pub cors: CorsConfig,
    /// Request headers that are no secret.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Request headers whose values are masked in every output. Like `headers` they go to the
    /// origin of the URL only.
    #[serde(default)]
    pub secret_headers: BTreeMap<String, Secret>,
    /// A PEM file of certificate authorities that are trusted beside those of the system.
    #[serde(default)]
    pub ca: Option<String>,
    /// Addresses of names, in place of a look-up.
    #[serde(default)]
    pub resolve: BTreeMap<String, IpAddr>,
    /// How many redirects on the same origin are followed at most, 0 to 10.
    #[serde(default = "five")]
    pub redirects: u8,
    /// Bytes of the (decompressed) document that are read at most, up to 16 MiB. What a cut hides
    /// is unmeasured.
    #[serde(default = "two_mebibytes")]
    pub max_body: ByteSize,
}

const fn five() -> u8 {
    5
}

const fn two_mebibytes() -> ByteSize {
    ByteSize(2 << 20)
}

/// A set of headers that must be there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// The rules of the probe alone.
    #[default]
    Default,
    /// What Helmet 8 sends by default, too.
    Helmet,
    /// What the OWASP Secure Headers Project recommends, too.
    Owasp,
    /// Every test of the MDN HTTP Observatory must pass, too.
    Observatory,
}

impl Profile {
    /// The name in configs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Helmet => "helmet",
            Self::Owasp => "owasp",
            Self::Observatory => "observatory",
        }
    }
}

/// Which other origins may read the answers.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CorsConfig {
    /// The URLs that are asked as other origins: one, or a list. By default every `api` URL and the
    /// first page.
    #[serde(default)]
    pub urls: Texts,
    /// Origins that must be let in: `https://app.example.com`. `*` says that every origin may read
    /// the answers; `https://*.example.com` lets names below be let in, and is not asked for.
    #[serde(default)]
    pub allowed: Texts,
    /// Origins that must not be let in.
    #[serde(default)]
    pub denied: Texts,
    /// Methods that a preflight of an allowed origin must grant.
    #[serde(default)]
    pub methods: Texts,
}

impl HeadersConfig {
    /// Every declared URL, with what it is declared to be.
    pub(crate) fn urls(&self) -> impl Iterator<Item = (Kind, &str)> {
        [
            (Kind::Page, &self.pages),
            (Kind::Api, &self.api),
            (Kind::NotFound, &self.not_found),
            (Kind::ServerError, &self.server_error),
            (Kind::Static, &self.r#static),
        ]
        .into_iter()
        .flat_map(|(kind, texts)| texts.iter().map(move |text| (kind, text)))
    }

    /// Whether the answer of a declared URL is for one user only.
    pub(crate) fn is_private(&self, declared: &str) -> bool {
        self.private
            .iter()
            .any(|text| text == declared || text == "all")
    }

    /// The URLs that are asked as other origins.
    pub(crate) fn cors_urls(&self) -> Vec<&str> {
        if !self.cors.urls.is_empty() {
            return self.cors.urls.iter().collect();
        }
        self.api.iter().chain(self.pages.iter().take(1)).collect()
    }

    /// Whether the config lets this origin in by a pattern or by name.
    pub(crate) fn allows(&self, origin: &str) -> bool {
        self.cors
            .allowed
            .iter()
            .any(|allowed| match allowed.split_once("*.") {
                Some((scheme, domain)) => origin
                    .strip_prefix(scheme)
                    .and_then(|rest| rest.strip_suffix(domain))
                    .is_some_and(|name| name.len() > 1 && name.ends_with('.')),
                None => allowed == origin,
            })
    }

    /// Whether every origin may read the answers.
    pub(crate) fn is_public(&self) -> bool {
        self.cors.allowed.iter().any(|allowed| allowed == "*")
    }
}
