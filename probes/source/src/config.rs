//! The `with` block of a `source` gate.

use readygate_sdk::{ConfigError, Texts};
use schemars::JsonSchema;
use serde::Deserialize;

/// What of the repository is looked at. At least one section is needed.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceConfig {
    /// Code that must not go to production: breakpoints, debug prints, focused tests.
    pub debug: Option<DebugConfig>,
    /// Variables that the program wants, against those that the deployment sets.
    pub environment: Option<EnvironmentConfig>,
    /// Documents that a release needs, and what they must say.
    #[serde(default)]
    pub documents: Vec<DocumentConfig>,
    /// The state of the git work tree and of the commit to be released.
    pub git: Option<GitConfig>,
}

/// Where to look for debug code.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DebugConfig {
    /// Files and folders, relative to the folder of the config. What git ignores, hidden files,
    /// and vendored code below them are left out.
    #[serde(default = "here")]
    pub paths: Vec<String>,
    /// Globs of files that are left out besides: `scripts/**`.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// Which kinds are looked for; all of them unless told otherwise.
    #[serde(default = "all_kinds")]
    pub kinds: Vec<DebugKind>,
    /// Globs of files that may print: command-line programs, whose prints are their output.
    #[serde(default)]
    pub may_print: Vec<String>,
    /// Regular expressions that must not match a line of production code either, comments and
    /// strings included: `TODO\(release\)`.
    #[serde(default)]
    pub patterns: Texts,
}

fn here() -> Vec<String> {
    vec![".".to_owned()]
}

fn all_kinds() -> Vec<DebugKind> {
    vec![DebugKind::Breakpoint, DebugKind::Print, DebugKind::Focus]
}

/// A kind of debug code.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, serde::Serialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum DebugKind {
    /// Stops the program or dumps its state: `debugger`, `breakpoint()`, `binding.pry`, `dbg!`.
    Breakpoint,
    /// Prints for a developer's eyes: `console.log`, `print`, `System.out.println`.
    Print,
    /// Runs one test and silently leaves out the others: `it.only`, `fdescribe`.
    Focus,
    /// Matches one of the config's own `patterns`.
    Pattern,
}

/// Which variables must be set, and where they are.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentConfig {
    /// What the program wants: an example file (`.env.example`) or a JSON Schema of an object
    /// (`required` and `properties`).
    pub declared: String,
    /// What the deployment sets: `.env` files, JSON objects, or YAML (Kubernetes ConfigMap, Secret
    /// and workloads; Compose). Names are kept, values never.
    #[serde(default)]
    pub deployed: Vec<String>,
    /// Names that are set by other means, where no file can be read.
    #[serde(default)]
    pub names: Vec<String>,
    /// Whether variables of the gate's own environment, as far as `pass_env` lets them in, count as
    /// deployed.
    #[serde(default)]
    pub process: bool,
    /// Names that may be left out.
    #[serde(default)]
    pub optional: Vec<String>,
}

/// One document.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DocumentConfig {
    /// Path, relative to the folder of the config.
    pub path: String,
    /// The document must name the target's version.
    #[serde(default)]
    pub names_version: bool,
    /// The document is a changelog: a heading must name the target's version, with text below it.
    #[serde(default)]
    pub changelog: bool,
    /// Headings that must be there with text below them, upper and lower case alike: `Rollback`.
    #[serde(default)]
    pub headings: Vec<String>,
    /// Links to files of the repository, and to headings, must resolve. Links to other hosts are
    /// counted and not followed.
    #[serde(default)]
    pub links: bool,
}

/// What the repository must be like.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GitConfig {
    /// Folder of the work tree, relative to the folder of the config.
    #[serde(default = "dot")]
    pub directory: String,
    /// No changed and no untracked files.
    #[serde(default)]
    pub clean: bool,
    /// HEAD is the target's `commit`.
    #[serde(default)]
    pub commit: bool,
    /// This tag is on HEAD: `v4.0.0`.
    pub tag: Option<String>,
    /// HEAD carries a good signature, by `git verify-commit`'s means.
    #[serde(default)]
    pub signed: bool,
    /// With `signed`: every commit since this one does, not only HEAD: `origin/main`.
    pub since: Option<String>,
    /// HEAD contains this ref, so that nothing which is there gets lost: `origin/main`.
    pub contains: Option<String>,
}

fn dot() -> String {
    ".".to_owned()
}

impl SourceConfig {
    pub(crate) fn contacts(&self) -> Vec<String> {
        let mut contacts = Vec::new();
        if let Some(debug) = &self.debug {
            contacts.extend(debug.paths.clone());
        }
        if let Some(environment) = &self.environment {
            contacts.push(environment.declared.clone());
            contacts.extend(environment.deployed.clone());
        }
        contacts.extend(self.documents.iter().map(|d| d.path.clone()));
        if let Some(git) = &self.git {
            contacts.push(format!("git in {}", git.directory));
        }
        contacts
    }

    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        let mut error = ConfigError::new();
        let nothing = self.debug.is_none() && self.environment.is_none() && self.git.is_none();
        if nothing && self.documents.is_empty() {
            error.add(
                "",
                "nothing is looked at",
                Some("add `debug`, `environment`, `documents` or `git`"),
            );
        }
        if let Some(debug) = &self.debug {
            debug.validate(&mut error);
        }
        if let Some(environment) = &self.environment {
            environment.validate(&mut error);
        }
        if let Some(git) = &self.git {
            git.validate(&mut error);
        }
        for (index, document) in self.documents.iter().enumerate() {
            if document.path.is_empty() {
                let pointer = format!("/documents/{index}/path");
                error.add(pointer, "an empty path", Some("path: CHANGELOG.md"));
            }
        }
        error.into_result()
    }
}

impl DebugConfig {
    fn validate(&self, error: &mut ConfigError) {
        if self.paths.is_empty() {
            error.add("/debug/paths", "no path is given", Some("paths: [src]"));
        }
        if self.kinds.is_empty() && self.patterns.is_empty() {
            let hint = Some("kinds: [breakpoint, print, focus]");
            error.add("/debug/kinds", "nothing is looked for", hint);
        }
        if let Some(index) = self.kinds.iter().position(|k| *k == DebugKind::Pattern) {
            error.add(
                format!("/debug/kinds/{index}"),
                "`pattern` is what `patterns` finds; it is no kind to ask for",
                Some("write the regular expression under `patterns`"),
            );
        }
        for (name, globs) in [("exclude", &self.exclude), ("may_print", &self.may_print)] {
            for (index, glob) in globs.iter().enumerate() {
                if let Err(problem) = globset::Glob::new(glob) {
                    let message = format!("`{glob}` is not a glob: {}", problem.kind());
                    error.add(format!("/debug/{name}/{index}"), message, None);
                }
            }
        }
        for (index, text) in self.patterns.iter().enumerate() {
            if text.is_empty() || regex::Regex::new(text).is_err() {
                let message = format!("`{text}` is not a regular expression that can match");
                error.add(format!("/debug/patterns/{index}"), message, None);
            }
        }
    }
}

impl EnvironmentConfig {
    fn validate(&self, error: &mut ConfigError) {
        if self.deployed.is_empty() && self.names.is_empty() && !self.process {
            error.add(
                "/environment",
                "nothing says what is deployed",
                Some("deployed: [production.env], names: [DATABASE_URL], or process: true"),
            );
        }
    }
}

impl GitConfig {
    fn validate(&self, error: &mut ConfigError) {
        let asks = self.clean || self.commit || self.signed;
        if !asks && self.tag.is_none() && self.contains.is_none() {
            error.add(
                "/git",
                "nothing is asked of git",
                Some("clean: true, commit: true, tag: v4.0.0, signed: true"),
            );
        }
        if self.since.is_some() && !self.signed {
            error.add(
                "/git/since",
                "`since` says which commits `signed` is asked of; that is off",
                None,
            );
        }
        let names = [
            ("tag", &self.tag),
            ("since", &self.since),
            ("contains", &self.contains),
        ];
        for (key, name) in names {
            // git would take it for an option.
            if name
                .as_ref()
                .is_some_and(|n| n.is_empty() || n.starts_with('-'))
            {
                error.add(format!("/git/{key}"), "not the name of a ref", None);
            }
        }
    }
}
