//! Sends one control, and keeps what its response shows.

use std::sync::{
    LazyLock,
    atomic::{AtomicU32, Ordering},
};

use readygate_sdk::{Cx, ErrorKind, Masker, ProbeError};
use readygate_web::{Client, Request, Response, Settings, resolve, shown_text};
use regex::Regex;

use crate::{
    config::{AccessConfig, User},
    record::{Control, Reflection, Saw, Try},
    users,
};

/// Requests of one gate; a matrix is the longest part.
const MOST_REQUESTS: u32 = 2000;
/// Bytes of a body that are looked at.
const BODY: u64 = 1 << 20;
/// Characters kept of a header.
const VALUE: usize = 200;

/// Sends the requests of a gate.
pub(crate) struct Asker<'a> {
    pub(crate) config: &'a AccessConfig,
    pub(crate) cx: &'a Cx,
    client: Client,
    masker: Masker,
    sent: AtomicU32,
    /// Differs from run to run; marks what the probe made up.
    pub(crate) random: String,
}

/// A control, not yet sent.
pub(crate) struct Plan<'a> {
    pub(crate) name: String,
    pub(crate) control: Control,
    pub(crate) role: Option<&'a str>,
    pub(crate) wanted: String,
    pub(crate) request: Request,
    /// What to look for in the body.
    pub(crate) canary: Option<&'a str>,
}

impl<'a> Plan<'a> {
    /// A control; `wanted` is a list of status codes as text.
    pub(crate) fn new(
        name: impl Into<String>,
        control: Control,
        wanted: &str,
        request: Request,
        role: Option<&'a str>,
    ) -> Self {
        Self {
            name: name.into(),
            control,
            role,
            // `Statuses` writes a comma.
            wanted: wanted.replace(", ", "|"),
            request,
            canary: None,
        }
    }

    /// Sends it.
    pub(crate) async fn run(self, asker: &Asker<'_>) -> Try {
        asker.ask(self).await
    }
}

impl<'a> Asker<'a> {
    pub(crate) async fn new(config: &'a AccessConfig, cx: &'a Cx) -> Result<Self, ProbeError> {
        let settings = Settings {
            ca: config.ca.clone(),
            resolve: config.resolve.clone(),
            max_body: BODY,
            ..Settings::default()
        };
        let masker = masker(config);
        Ok(Self {
            config,
            cx,
            client: Client::build(&settings, cx).await?,
            masker,
            sent: AtomicU32::new(0),
            random: format!("{:x}", cx.now().as_nanosecond()),
        })
    }

    /// A request to a URL of the config.
    pub(crate) fn request(&self, method: http::Method, url: &str) -> Result<Request, ProbeError> {
        Ok(Request::new(method, resolve(url, self.cx.target())?))
    }

    /// The same, with the credentials of a user.
    pub(crate) fn signed(
        &self,
        method: http::Method,
        url: &str,
        user: Option<&str>,
    ) -> Result<Request, ProbeError> {
        let mut request = self.request(method, url)?;
        if let Some(user) = user.and_then(|name| self.user(name)) {
            users::sign(&mut request, user)?;
        }
        Ok(request)
    }

    /// A user of the config; `anonymous` has no credentials.
    pub(crate) fn user(&self, name: &str) -> Option<&'a User> {
        self.config.users.get(name)
    }

    /// `GET https://...`, as it may be shown.
    pub(crate) fn subject(&self, method: &http::Method, url: &str) -> String {
        let shown = match resolve(url, self.cx.target()) {
            Ok(url) => readygate_web::shown(&url),
            Err(_) => shown_text(url),
        };
        format!("{method} {}", self.mask(&shown))
    }

    pub(crate) fn mask(&self, text: &str) -> String {
        self.cx.mask(&self.masker.mask(text))
    }

    /// Sends a request, and counts it.
    pub(crate) async fn send(&self, request: &Request) -> Result<Response, ProbeError> {
        if self.sent.fetch_add(1, Ordering::Relaxed) >= MOST_REQUESTS {
            let message = format!("the gate has sent {MOST_REQUESTS} requests, and sends no more");
            let error = ProbeError::new(ErrorKind::BadData, request.subject(), "sending", message);
            return Err(error.hint("split the gate"));
        }
        self.client.send(request).await.map_err(|mut error| {
            for text in [&mut error.subject, &mut error.phase, &mut error.message] {
                *text = self.mask(text);
            }
            error
        })
    }

    /// Sends a control.
    pub(crate) async fn ask(&self, plan: Plan<'_>) -> Try {
        self.cx.progress(&plan.name);
        let sent = self.send(&plan.request).await;
        let origin = plan.request.headers.get("origin");
        let mut done = Try {
            name: plan.name,
            control: plan.control,
            role: plan.role.map(str::to_owned),
            wanted: plan.wanted,
            origin: origin.map(|o| String::from_utf8_lossy(o.as_bytes()).into_owned()),
            status: None,
            error: None,
            saw: Saw::default(),
        };
        match sent {
            Ok(response) => {
                done.status = Some(response.status.as_u16());
                done.saw = self.saw(&response, plan.canary);
            }
            Err(error) => done.error = Some(error),
        }
        done
    }

    fn saw(&self, response: &Response, canary: Option<&str>) -> Saw {
        let text = response.body.text().unwrap_or_default();
        let cut = |text: String| self.mask(&text).chars().take(VALUE).collect::<String>();
        let header = |name: &str| response.text(name);
        let is = |name: &str, wanted: &str| {
            header(name).is_some_and(|v| v.trim().eq_ignore_ascii_case(wanted))
        };
        let html = match header("content-type") {
            Some(kind) => kind.to_ascii_lowercase().contains("html"),
            None => text.trim_start().starts_with('<'),
        };
        Saw {
            location: response.location().map(|l| cut(shown_text(&l))),
            html,
            login_form: html && LOGIN.is_match(&text),
            www_authenticate: header("www-authenticate").is_some(),
            allow_origin: header("access-control-allow-origin").map(cut),
            allow_credentials: is("access-control-allow-credentials", "true"),
            allow_methods: header("access-control-allow-methods").map(cut),
            vary_origin: header("vary").is_some_and(|vary| {
                vary.split(',')
                    .any(|v| matches!(v.trim().to_ascii_lowercase().as_str(), "origin" | "*"))
            }),
            limit_headers: limit_headers(response),
            database_error: database(&text).map(str::to_owned),
            nosniff: is("x-content-type-options", "nosniff"),
            strict_csp: header("content-security-policy").is_some_and(|csp| strict(&csp)),
            reflection: canary.map(|canary| reflection(&text, canary)),
            bytes: response.body.bytes.len() as u64,
        }
    }
}

#[expect(
    clippy::expect_used,
    reason = "the patterns are constants, and tests run them"
)]
static LOGIN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?i)<input[^>]{0,500}type\s*=\s*["']?password"#).expect("a constant pattern")
});

/// Masks the secrets of every user, and the spent tokens.
pub(crate) fn masker(config: &AccessConfig) -> Masker {
    let mut secrets: Vec<&str> = config.users.values().flat_map(users::secrets).collect();
    for one in &config.authentication {
        let tokens = one.expired.iter().chain(&one.logged_out);
        secrets.extend(tokens.map(readygate_sdk::Secret::expose));
    }
    Masker::new(secrets)
}

/// What databases and their drivers write when a query does not parse.
const DATABASES: [(&str, &[&str]); 6] = [
    (
        "PostgreSQL",
        &[
            "pg_query(",
            "psycopg2.",
            "org.postgresql.util.psqlexception",
            "syntax error at or near",
            "unterminated quoted string",
        ],
    ),
    (
        "MySQL",
        &[
            "you have an error in your sql syntax",
            "sqlstate[42000]",
            "com.mysql.jdbc",
            "mysql_fetch",
            "er_parse_error",
        ],
    ),
    (
        "SQLite",
        &[
            "sqlite3::",
            "sqlite_error",
            "sqlite3.operationalerror",
            "unrecognized token: \"",
        ],
    ),
    (
        "SQL Server",
        &[
            "unclosed quotation mark after the character string",
            "microsoft sql server",
            "system.data.sqlclient",
        ],
    ),
    (
        "Oracle",
        &[
            "ora-00933",
            "ora-01756",
            "quoted string not properly terminated",
        ],
    ),
    (
        "MongoDB",
        &[
            "mongoservererror",
            "mongoerror",
            "unknown operator: $",
            "unknown top level operator: $",
            "bsontypeerror",
            "cast to string failed for value",
            "$where",
        ],
    ),
];

fn database(body: &str) -> Option<&'static str> {
    let body = body.to_ascii_lowercase();
    let said = |marks: &[&str]| marks.iter().any(|mark| body.contains(mark));
    DATABASES
        .iter()
        .find(|(_, marks)| said(marks))
        .map(|(name, _)| *name)
}

/// `Retry-After`, every draft of `RateLimit` (draft-ietf-httpapi-ratelimit-headers), and what was in
/// use before it.
pub(crate) fn limit_headers(response: &Response) -> Vec<String> {
    let known = |name: &str| {
        name == "retry-after"
            || name == "ratelimit"
            || name == "ratelimit-policy"
            || name.starts_with("ratelimit-")
            || name.starts_with("x-ratelimit-")
            || name.starts_with("x-rate-limit-")
    };
    let mut names: Vec<_> = response
        .fields()
        .map(|(name, _)| name)
        .filter(|n| known(n))
        .map(str::to_owned)
        .collect();
    names.sort_unstable();
    names.dedup();
    names.truncate(10);
    names
}

/// Whether some policy of the list lets no inline script run: nonces and hashes switch
/// `'unsafe-inline'` off (CSP3, section 6.7.3.2).
fn strict(policies: &str) -> bool {
    policies.split(',').any(|policy| {
        let directive = |wanted: &str| {
            policy.split(';').find_map(|directive| {
                let mut words = directive.split_ascii_whitespace();
                let name = words.next()?;
                name.eq_ignore_ascii_case(wanted)
                    .then(|| words.map(str::to_ascii_lowercase).collect::<Vec<_>>())
            })
        };
        let Some(sources) = directive("script-src").or_else(|| directive("default-src")) else {
            return false;
        };
        let guarded = |s: &String| s.starts_with("'nonce-") || s.starts_with("'sha");
        let inline = sources.iter().any(|s| s == "'unsafe-inline'") && !sources.iter().any(guarded);
        !inline && !sources.iter().any(|s| s == "data:" || s == "*")
    })
}

/// Bytes between the two ends of a canary that came back; escapes make it longer.
const BETWEEN: usize = 64;

/// How the canary came back. The letters that it begins and ends with are found either way; a `<`
/// between them begins a tag, whatever became of the quotes.
fn reflection(body: &str, canary: &str) -> Reflection {
    let letter = |c: char| c.is_ascii_alphanumeric();
    let begin = canary.split(|c| !letter(c)).next().unwrap_or_default();
    let end = canary.rsplit(|c| !letter(c)).next().unwrap_or_default();
    let markup = body.match_indices(begin).any(|(at, _)| {
        let rest = body.as_bytes().get(at + begin.len()..).unwrap_or_default();
        let near = rest.get(..BETWEEN + end.len()).unwrap_or(rest);
        let mut windows = near.windows(end.len().max(1));
        let between = windows.position(|window| window == end.as_bytes());
        between.is_some_and(|length| near[..length].contains(&b'<'))
    });
    if markup || body.contains(canary) {
        Reflection::Raw
    } else if body.contains(begin) {
        Reflection::Encoded
    } else {
        Reflection::Absent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_that_let_no_inline_script_run() {
        for (csp, yes) in [
            ("default-src 'self'", true),
            ("script-src 'self' 'unsafe-inline'", false),
            ("script-src 'unsafe-inline' 'nonce-abc'", true),
            ("default-src 'none'; script-src *", false),
            ("img-src 'self'", false),
            ("default-src 'unsafe-inline', script-src 'self'", true),
        ] {
            assert_eq!(strict(csp), yes, "{csp}");
        }
    }

    #[test]
    fn bodies_are_recognized() {
        assert!(LOGIN.is_match("<form><INPUT name=p type='password'>"));
        assert!(!LOGIN.is_match("<p>your password</p>"));
        assert_eq!(
            database("MongoServerError: unknown operator: $foo"),
            Some("MongoDB")
        );
        assert_eq!(database("all is well"), None);
        let canary = "rg1'\"><gr1";
        for (body, wanted) in [
            ("<p>rg1'\"><gr1</p>", Reflection::Raw),
            (r#"<p>rg1\'\"><gr1</p>"#, Reflection::Raw),
            ("<p>rg1&#39;&quot;><gr1</p>", Reflection::Raw),
            ("rg1&gt;&lt;gr1 <p>rg1><gr1", Reflection::Raw),
            ("<p>rg1&#39;&quot;&gt;&lt;gr1</p>", Reflection::Encoded),
            // Cut before the markup; the tag is the page's own.
            ("<p>rg1&#39;&quot;</p>", Reflection::Encoded),
            ("<p></p>", Reflection::Absent),
        ] {
            assert_eq!(reflection(body, canary), wanted, "{body}");
        }
        assert_eq!(reflection("<p>rg1</p>", "rg1"), Reflection::Raw);
    }
}
