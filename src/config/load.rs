//! Files to [`Config`]: reading, including, merging.

use std::{
    collections::BTreeMap,
    fs, io,
    io::Read as _,
    path::{Path, PathBuf},
};

use readygate_sdk::{Masker, Target};
use sha2::{Digest as _, Sha256};

use super::{
    Config, Environment, Gate, Variables,
    decode::{Sink, decode},
    diagnostic::{Diagnostic, Sources, Span, render},
    gates::{self, GateContext},
    model::{Defaults, File, Require},
    yaml::{self, Node},
};
use crate::{
    signoff::{self, config::Role},
    waiver::{self, Declared, Waivers},
};

/// A policy is written by people; more than this is a mistake or an attack.
const LARGEST: u64 = 4 * 1024 * 1024;
const MOST_FILES: usize = 64;
const CONCURRENCY: usize = 8;

/// Everything that is wrong with a config.
#[derive(Debug)]
pub struct LoadError {
    /// At least one.
    pub problems: Vec<Diagnostic>,
    /// The files they are in.
    pub sources: Sources,
    secrets: Vec<String>,
}

impl LoadError {
    pub(super) fn new(problems: Vec<Diagnostic>, sources: Sources, secrets: Vec<String>) -> Self {
        Self {
            problems,
            sources,
            secrets,
        }
    }

    /// All problems with source lines and carets; secrets masked.
    pub fn render(&self, color: bool, ascii: bool) -> String {
        let text = render(&self.problems, &self.sources, color, ascii);
        let masker = Masker::new(self.secrets.iter().map(String::as_str));
        masker.mask(&text)
    }
}

/// Reads, merges and validates config files.
pub fn load(
    paths: &[PathBuf],
    environment: &Environment,
    variables: Variables,
) -> Result<Config, LoadError> {
    let mut loader = Loader {
        variables,
        ..Loader::default()
    };
    for path in paths {
        loader.read(path, None, &mut Vec::new());
    }
    loader.merge();
    let config = loader.validate(paths, environment);
    let Loader {
        sink,
        sources,
        variables,
        ..
    } = loader;
    let (problems, mut secrets) = sink.into_parts();
    secrets.extend(variables.secrets().map(str::to_owned));
    for gate in config.iter().flat_map(|config| &config.gates) {
        let passed = gate.environment.iter();
        let telling = passed.filter(|(name, _)| variables.is_secret(name));
        secrets.extend(telling.map(|(_, value)| value.clone()));
    }
    match config {
        Some(config) if problems.is_empty() => Ok(Config {
            sources,
            secrets,
            ..config
        }),
        _ => Err(LoadError {
            problems,
            sources,
            secrets,
        }),
    }
}

#[derive(Default)]
struct Loader {
    sources: Sources,
    sink: Sink,
    variables: Variables,
    roots: Vec<Node>,
    merged: File,
    given: Vec<(&'static str, Span)>,
}

impl Loader {
    /// Reads one file and what it includes, depth first, the file itself before what it includes.
    fn read(&mut self, path: &Path, from: Option<Span>, open: &mut Vec<PathBuf>) {
        let report = |sink: &Sink, message: String, help: &str| {
            let problem = from.map_or_else(
                || Diagnostic::nowhere(&message),
                |s| Diagnostic::at(s, &message),
            );
            sink.report(if help.is_empty() {
                problem
            } else {
                problem.help(help)
            });
        };
        let shown = path.display();
        let canonical = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        if open.contains(&canonical) {
            return report(&self.sink, format!("{shown} includes itself"), "");
        }
        if self.roots.len() >= MOST_FILES {
            return report(
                &self.sink,
                format!("more than {MOST_FILES} config files"),
                "",
            );
        }
        let text = match read_text(path) {
            Ok(text) => text,
            Err(ReadError { message, help }) => {
                return report(&self.sink, format!("{shown}: {message}"), help);
            }
        };
        let file = self.sources.add(shown.to_string(), text.as_str());
        let mut problems = Vec::new();
        let root = yaml::parse(file, &text, &mut problems);
        for problem in problems {
            self.sink.report(problem);
        }
        let Some(root) = root else {
            if self.sink.is_empty() {
                report(
                    &self.sink,
                    format!("{shown} is empty"),
                    "`readygate init` writes a starter config",
                );
            }
            return;
        };
        let includes: Vec<(PathBuf, Span)> = root
            .get("include")
            .map(Node::items)
            .unwrap_or_default()
            .iter()
            .filter_map(|item| Some((path.parent()?.join(item.text()?), item.span)))
            .collect();
        self.roots.push(root);
        open.push(canonical);
        for (include, span) in includes {
            self.read(&include, Some(span), open);
        }
        open.pop();
    }

    /// Puts the files together; what may be said once must be said in one file only.
    fn merge(&mut self) {
        self.declare_variables();
        for mut root in std::mem::take(&mut self.roots) {
            self.variables.interpolate(&mut root, &self.sink);
            self.mark_telling(&root);
            self.merge_file(&root);
            self.roots.push(root);
        }
    }

    /// Variables and secret names are known before anything is interpolated.
    fn declare_variables(&mut self) {
        for root in &self.roots {
            let variables = root.get("target").and_then(|t| t.get("variables"));
            for entry in variables.map(Node::entries).unwrap_or_default() {
                if let Some(text) = entry.value.text() {
                    self.variables
                        .add_default(&entry.key, &text.replace("$$", "$"));
                    self.refuse_nested(&entry.value, text);
                }
            }
            for name in root.get("secrets").map(Node::items).unwrap_or_default() {
                if let Some(name) = name.text() {
                    self.variables.add_secret(name);
                }
            }
        }
    }

    /// Values are put in as they are: a `${NAME}` inside of one would go on as these characters.
    fn refuse_nested(&self, node: &Node, text: &str) {
        if text.replace("$$", "").contains("${") {
            let problem = Diagnostic::at(node.span, "a variable cannot refer to another one");
            self.sink
                .report(problem.help("write its value out, or both variables where it is used"));
        }
    }

    /// Values written out under telling names, where probes hand them on: `env: { API_TOKEN: x }`.
    fn mark_telling(&self, root: &Node) {
        let gates = root.get("gates").map(Node::items).unwrap_or_default();
        let with = gates.iter().filter_map(|gate| gate.get("with"));
        let maps = with.flat_map(|with| [with.get("env"), with.get("headers")]);
        for entry in maps.flatten().flat_map(Node::entries) {
            if let Some(text) = entry.value.text()
                && self.variables.is_secret(&entry.key.replace('-', "_"))
            {
                self.sink.add_secret(text);
            }
        }
    }

    fn merge_file(&mut self, root: &Node) {
        const ONCE: [&str; 10] = [
            "target",
            "defaults",
            "concurrency",
            "deadline",
            "require",
            "roles",
            "signoffs",
            "policy",
            "windows",
            "watch",
        ];
        for entry in root.entries() {
            let Some(name) = ONCE.iter().find(|name| **name == entry.key) else {
                continue;
            };
            match self.given.iter().find(|(n, _)| n == name) {
                Some((_, first)) => {
                    let problem =
                        Diagnostic::at(entry.key_span, format!("`{name}` is given in two files"))
                            .related(*first, "first here")
                            .help("keep it in one of them");
                    self.sink.report(problem);
                }
                None => self.given.push((name, entry.key_span)),
            }
        }
        if root.get("version").is_none_or(Node::is_null) {
            let problem = Diagnostic::at(root.span, "`version` is missing")
                .help("add `version: 1` at the top");
            self.sink.report(problem);
        }
        let Some(file) = decode::<File>(root, &self.sink) else {
            return;
        };
        if let (Some(version @ (0 | 2..)), Some(node)) = (file.version, root.get("version")) {
            let problem = Diagnostic::at(
                node.span,
                format!("version {version} of the format is not known"),
            );
            self.sink
                .report(problem.help("this readygate reads version 1"));
        }
        let merged = &mut self.merged;
        merged.target = merged.target.take().or(file.target);
        merged.defaults = merged.defaults.take().or(file.defaults);
        merged.concurrency = merged.concurrency.or(file.concurrency);
        merged.deadline = merged.deadline.or(file.deadline);
        merged.require = merged.require.take().or(file.require);
        merged.roles = merged.roles.take().or(file.roles);
        merged.signoffs = merged.signoffs.take().or(file.signoffs);
        merged.policy = merged.policy.take().or(file.policy);
        merged.windows = merged.windows.take().or(file.windows);
        merged.watch = merged.watch.take().or(file.watch);
        merged.secrets.extend(file.secrets);
        merged.pass_env.extend(file.pass_env);
    }

    fn validate(&self, paths: &[PathBuf], environment: &Environment) -> Option<Config> {
        let defaults = self.merged.defaults.clone().unwrap_or(Defaults {
            timeout: None,
            retry: None,
            severity: None,
        });
        let context = GateContext {
            sources: &self.sources,
            sink: &self.sink,
            defaults: &defaults,
            environment,
            pass_env: &self.merged.pass_env,
        };
        let nodes: Vec<&Node> = self.roots.iter().filter_map(|r| r.get("gates")).collect();
        let gates = gates::read(&nodes, &context);
        signoff::check(&nodes, self.merged.roles.as_ref(), &self.sink);
        self.check_requirements(&nodes);
        self.check_target(&nodes);
        let roles = self.merged.roles.clone().unwrap_or_default();
        let waivers = self.waivers(&nodes, &gates, &roles);
        let target = self.merged.target.clone().unwrap_or_default();
        let directory = paths
            .first()
            .and_then(|p| p.parent())
            .map(Path::to_path_buf);
        Some(Config {
            sources: Sources::default(),
            digest: self.digest(),
            directory: directory
                .filter(|d| !d.as_os_str().is_empty())
                .unwrap_or_else(|| ".".into()),
            target: Target {
                name: target.name.unwrap_or_else(|| "unnamed".into()),
                url: target.url,
                environment: target.environment,
                version: target.version,
                commit: target.commit,
            },
            allow_disruptive: target.allow_disruptive,
            concurrency: self.merged.concurrency.unwrap_or(CONCURRENCY).clamp(1, 256),
            deadline: self.merged.deadline.map(|d| d.0),
            required: self.merged.require.clone().unwrap_or_default().ids,
            secrets: Vec::new(),
            roles,
            signoffs: self.merged.signoffs.clone().unwrap_or_default(),
            waivers,
            policy: self.merged.policy.clone().unwrap_or_default(),
            windows: self.merged.windows.clone().unwrap_or_default(),
            watch: self.merged.watch.clone().unwrap_or_default(),
            gates: gates.into_iter().collect::<Option<Vec<Gate>>>()?,
        })
    }

    fn waivers(
        &self,
        nodes: &[&Node],
        gates: &[Option<Gate>],
        roles: &BTreeMap<String, Role>,
    ) -> Waivers {
        let gate_nodes = nodes.iter().flat_map(|n| n.items());
        let ids: Vec<&str> = gate_nodes.filter_map(|g| g.get("id")?.text()).collect();
        let lists = self.roots.iter().filter_map(|r| r.get("waivers"));
        let declared = Declared {
            sources: &self.sources,
            sink: &self.sink,
            ids: &ids,
            gates,
            roles,
        };
        waiver::read(&lists.collect::<Vec<_>>(), &declared)
    }

    /// Deleting gates must not pass: what `require` names has to be declared.
    fn check_requirements(&self, nodes: &[&Node]) {
        let Some(require): Option<&Require> = self.merged.require.as_ref() else {
            return;
        };
        let Some(node) = self.roots.iter().find_map(|r| r.get("require")) else {
            return;
        };
        let declared: Vec<&str> = nodes
            .iter()
            .flat_map(|n| n.items())
            .filter_map(|g| g.get("id").and_then(Node::text))
            .collect();
        if declared.len() < require.min_gates {
            let span = node.get("min_gates").map_or(node.span, |n| n.span);
            let message = format!(
                "{} declared, {} required",
                readygate_sdk::count_of(declared.len() as u64, "gate is", "gates are"),
                require.min_gates
            );
            self.sink.report(
                Diagnostic::at(span, message)
                    .help("a gate was removed; restore it, or lower the bound on purpose"),
            );
        }
        for item in node.get("ids").map(Node::items).unwrap_or_default() {
            let id = item.text().unwrap_or_default();
            if !declared.contains(&id) {
                let problem =
                    Diagnostic::at(item.span, format!("required gate `{id}` is not declared"));
                self.sink
                    .report(problem.suggest(id, declared.iter().copied()));
            }
        }
    }

    fn check_target(&self, nodes: &[&Node]) {
        let Some(target) = self.roots.iter().find_map(|r| r.get("target")) else {
            return;
        };
        if let Some(url) = target.get("url") {
            let text = url.text().unwrap_or_default();
            if !text.starts_with("http://") && !text.starts_with("https://") {
                let problem = Diagnostic::at(url.span, "`url` is not an http or https URL");
                self.sink
                    .report(problem.help("write it with its scheme: https://shop.example.com"));
            }
        }
        let declared: Vec<&str> = nodes
            .iter()
            .flat_map(|n| n.items())
            .filter_map(|g| g.get("id").and_then(Node::text))
            .collect();
        for item in target
            .get("allow_disruptive")
            .map(Node::items)
            .unwrap_or_default()
        {
            let id = item.text().unwrap_or_default();
            if !declared.contains(&id) {
                let problem = Diagnostic::at(item.span, format!("no gate has the id `{id}`"));
                self.sink
                    .report(problem.suggest(id, declared.iter().copied()));
            }
        }
    }

    fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for text in self.sources.texts() {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        }
        hash.finalize()
            .iter()
            .fold(String::new(), |hex, b| hex + &format!("{b:02x}"))
    }
}

struct ReadError {
    message: String,
    help: &'static str,
}

fn read_text(path: &Path) -> Result<String, ReadError> {
    let say = |message: String, help| ReadError { message, help };
    let metadata = fs::metadata(path).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => say(
            "no such file".into(),
            "name it with -c, or write one: readygate init",
        ),
        _ => say(e.to_string(), ""),
    })?;
    if metadata.is_dir() {
        return Err(say(
            "is a folder".into(),
            "name the file in it: -c FOLDER/readygate.yaml",
        ));
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(|e| say(e.to_string(), ""))?;
    file.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| say(e.to_string(), ""))?;
    if bytes.len() as u64 > LARGEST {
        return Err(say(
            "larger than 4 MiB".into(),
            "this is not a readygate config",
        ));
    }
    let text = String::from_utf8(bytes).map_err(|e| {
        let valid = e.utf8_error().valid_up_to();
        let line = e.as_bytes()[..valid].split(|b| *b == b'\n').count();
        say(
            format!("not UTF-8 text (line {line}, byte {valid})"),
            "save the file as UTF-8",
        )
    })?;
    if let Some(at) = text.find('\0') {
        let line = text[..at].matches('\n').count() + 1;
        return Err(say(
            format!("holds a NUL character (line {line})"),
            "this looks like a binary file",
        ));
    }
    Ok(text
        .strip_prefix('\u{feff}')
        .map_or(text.clone(), str::to_owned))
}
