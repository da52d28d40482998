//! The `with` block of a `files` gate.

use readygate_sdk::{ByteSize, ConfigError, Period, Texts};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::pattern::Pattern;

/// Which files, and what they must be like. Every condition applies to every file that matches.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FilesConfig {
    /// Paths and globs, relative to the folder of the config; absolute ones work too. `*` and `?`
    /// stay within one folder, `**` crosses folders, `[ab]` and `{a,b}` choose; a backslash takes
    /// the next character as it is. Wildcards match hidden files too. Each entry must match at
    /// least one regular file.
    pub paths: Vec<String>,
    /// Turns the gate round: nothing of any kind may exist at the paths (no `.env` in the image).
    #[serde(default)]
    pub absent: bool,
    /// Plain texts that every file must contain, each of them. Compared byte by byte.
    #[serde(default)]
    pub contains: Texts,
    /// Plain texts that no file may contain.
    #[serde(default)]
    pub not_contains: Texts,
    /// Regular expressions (Rust `regex` syntax): every file must have a line that matches, for
    /// each of them.
    #[serde(default)]
    pub matches: Texts,
    /// SHA-256 of the file as 64 lowercase hex digits. Takes exactly one path, and that must match
    /// exactly one file.
    pub sha256: Option<String>,
    /// The smallest allowed size, inclusive: `1KiB`. `0B` says that empty files are fine.
    pub min_size: Option<ByteSize>,
    /// The largest allowed size, inclusive: `500KiB`.
    pub max_size: Option<ByteSize>,
    /// The longest time since the last modification, inclusive: `24h`. It applies to every file
    /// that matches; for "the newest of these", use `expect: { age.newest: "< 24h" }`.
    pub max_age: Option<Period>,
}

impl FilesConfig {
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        let mut error = ConfigError::new();
        self.check_paths(&mut error);
        self.check_conditions(&mut error);
        self.check_texts(&mut error);
        error.into_result()
    }

    fn check_paths(&self, error: &mut ConfigError) {
        if self.paths.is_empty() {
            error.add("/paths", "no path is given", Some("paths: [dist/app.js]"));
        }
        for (index, path) in self.paths.iter().enumerate() {
            let pointer = format!("/paths/{index}");
            if let Err(problem) = Pattern::parse(path) {
                error.add(&pointer, problem, None);
            }
            if self.paths[..index].contains(path) {
                error.add(pointer, format!("`{path}` is listed twice"), None);
            }
        }
    }

    fn check_conditions(&self, error: &mut ConfigError) {
        if self.absent && self.has_conditions() {
            error.add(
                "/absent",
                "`absent: true` cannot go together with conditions on the files",
                Some("a file that must not exist has no text, size or age; use two gates"),
            );
        }
        if let Some(sum) = &self.sha256 {
            let digits = sum.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
            if sum.len() != 64 || !digits {
                error.add(
                    "/sha256",
                    format!("`{sum}` is not a SHA-256 checksum"),
                    Some("64 lowercase hex digits, as `sha256sum FILE` prints them"),
                );
            }
            if self.paths.len() > 1 {
                error.add(
                    "/sha256",
                    format!("one checksum cannot hold for {} paths", self.paths.len()),
                    Some("make one gate for each file"),
                );
            }
        }
        if let (Some(min), Some(max)) = (self.min_size, self.max_size)
            && min > max
        {
            let message = format!("`min_size` ({min}) is larger than `max_size` ({max})");
            error.add("/min_size", message, None);
        }
    }

    fn check_texts(&self, error: &mut ConfigError) {
        let lists = [
            ("contains", &self.contains),
            ("not_contains", &self.not_contains),
            ("matches", &self.matches),
        ];
        for (name, list) in lists {
            for (index, text) in list.iter().enumerate() {
                let pointer = format!("/{name}/{index}");
                if text.is_empty() {
                    let message = "an empty text is in every file";
                    error.add(&pointer, message, Some("write the text to look for"));
                } else if name == "matches"
                    && let Err(problem) = regex::bytes::Regex::new(text)
                {
                    let problem = problem.to_string();
                    let last = problem.lines().last().unwrap_or_default();
                    let last = last.trim_start_matches("error: ");
                    let message = format!("`{text}` is not a regular expression: {last}");
                    error.add(&pointer, message, None);
                }
            }
        }
    }

    fn has_conditions(&self) -> bool {
        self.reads_text()
            || self.sha256.is_some()
            || self.min_size.is_some()
            || self.max_size.is_some()
            || self.max_age.is_some()
    }

    /// Whether the files must be opened to look for texts.
    pub(crate) fn reads_text(&self) -> bool {
        !(self.contains.is_empty() && self.not_contains.is_empty() && self.matches.is_empty())
    }
}
