//! What cannot work, found before anything runs.

use readygate_sdk::{ConfigError, Texts};

use super::{CommandConfig, Protocol, StreamConfig};
use crate::output;

const LEAST: u64 = 1024;
const MOST: u64 = 16 * 1024 * 1024;

impl CommandConfig {
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        let mut error = ConfigError::new();
        self.check_program(&mut error);
        self.check_variables(&mut error);
        self.check_protocol(&mut error);
        self.check_json(&mut error);
        check_stream("/stdout", &self.stdout, &mut error);
        check_stream("/stderr", &self.stderr, &mut error);
        if let Some(codes) = &self.exit_code
            && codes.0.is_empty()
        {
            error.add("/exit_code", "no exit code is listed", None);
        }
        if let Some(limit) = self.output_limit
            && !(LEAST..=MOST).contains(&limit.0)
        {
            let message = format!("`output_limit` is {limit}; it may be 1 KiB to 16 MiB");
            error.add("/output_limit", message, None);
        }
        error.into_result()
    }

    fn check_program(&self, error: &mut ConfigError) {
        match (&self.argv[..], &self.shell) {
            ([], None) => {
                let hint = Some("argv: [npm, test]");
                error.add("", "no program: give `argv` or `shell`", hint);
            }
            ([_, ..], Some(_)) => {
                let hint = Some("keep `argv`; `shell` is for pipes and `&&`");
                error.add("/shell", "`argv` and `shell` exclude each other", hint);
            }
            ([], Some(text)) if text.trim().is_empty() => {
                error.add("/shell", "the shell gets an empty text", None);
            }
            ([program, ..], None) if program.is_empty() => {
                error.add("/argv/0", "the name of the program is empty", None);
            }
            _ => {}
        }
        let texts = self.argv.iter().chain(&self.shell).chain(&self.directory);
        if texts.into_iter().any(|text| text.contains('\0')) {
            error.add("", "a NUL character cannot be handed to a program", None);
        }
    }

    fn check_variables(&self, error: &mut ConfigError) {
        let plain = self.env.iter().map(|(k, v)| ("env", k, v.as_str()));
        let secret = self
            .secret_env
            .iter()
            .map(|(k, v)| ("secret_env", k, v.expose()));
        for (field, name, value) in plain.chain(secret) {
            if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
                let shown = name.escape_debug();
                error.add(
                    format!("/{field}"),
                    format!("`{shown}` cannot be a variable"),
                    None,
                );
            }
        }
        for name in self.env.keys().filter(|k| self.secret_env.contains_key(*k)) {
            let message = format!("`{name}` stands under `env` and `secret_env`");
            error.add("/env", message, Some("keep the one under `secret_env`"));
        }
    }

    fn check_protocol(&self, error: &mut ConfigError) {
        let exit_only = [
            ("exit_code", self.exit_code.is_some()),
            ("json", !self.json.is_empty()),
            ("metrics", !self.metrics.is_empty()),
        ];
        let not_for_json = [
            ("stdin", self.stdin.is_some()),
            ("stdout", !self.stdout.is_unset()),
        ];
        let mut refuse = |fields: &[(&str, bool)], why: &str| {
            for (field, _) in fields.iter().filter(|(_, set)| *set) {
                error.add(format!("/{field}"), format!("`{field}` {why}"), None);
            }
        };
        match self.protocol {
            Protocol::Exit => {}
            Protocol::Nagios => refuse(&exit_only, "has no meaning for a plugin (protocol nagios)"),
            Protocol::Json => {
                refuse(&exit_only, "has no meaning with protocol json");
                refuse(&not_for_json, "is taken by protocol json");
            }
        }
        if self.protocol != Protocol::Json && !self.with.is_empty() {
            let message = "`with` is handed over by protocol json only";
            error.add("/with", message, Some("protocol: json"));
        }
    }

    fn check_json(&self, error: &mut ConfigError) {
        let expected = self
            .json
            .keys()
            .map(|pointer| ("/json".to_owned(), pointer));
        let drawn = self
            .metrics
            .iter()
            .map(|(name, p)| (format!("/metrics/{name}"), p));
        for (at, pointer) in expected.chain(drawn) {
            if !pointer.is_empty() && !pointer.starts_with('/') {
                let hint = Some("a pointer starts with a slash: /status, /items/0/name (RFC 6901)");
                error.add(at, format!("`{pointer}` is not a JSON pointer"), hint);
            }
        }
        for name in self.metrics.keys().filter(|name| !is_name(name)) {
            let message = format!("`{name}` cannot name a metric");
            let hint = Some("letters, digits, `.`, `_` and `-`");
            error.add("/metrics", message, hint);
        }
    }
}

fn check_stream(at: &str, stream: &StreamConfig, error: &mut ConfigError) {
    if stream.empty == Some(true) && !(stream.contains.is_empty() && stream.matches.is_empty()) {
        let message = "what must be empty cannot contain a text";
        error.add(format!("{at}/empty"), message, None);
    }
    let lists: [(&str, &Texts); 3] = [
        ("contains", &stream.contains),
        ("not_contains", &stream.not_contains),
        ("matches", &stream.matches),
    ];
    for (name, texts) in lists {
        for (index, text) in texts.iter().enumerate() {
            let pointer = format!("{at}/{name}/{index}");
            if text.is_empty() {
                error.add(pointer, "an empty text is everywhere", None);
            } else if name == "matches"
                && let Err(problem) = output::pattern(text)
            {
                let problem = problem.to_string();
                let last = problem.lines().last().unwrap_or_default();
                let last = last.trim_start_matches("error: ");
                let message = format!("`{text}` is not a regular expression: {last}");
                error.add(pointer, message, None);
            }
        }
    }
}

/// Whether a text can name a metric.
pub(crate) fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (1..=100).contains(&name.len()) && name.chars().all(fits)
}
