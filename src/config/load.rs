//! Files to [`Config`]: reading, including, merging.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use readygate_sdk::{Masker, Target};
use readygate_window::WindowConfig;
use sha2::{Digest as _, Sha256};

use super::{
    Config, Environment, Gate, Variables,
    decode::{Sink, decode},
    diagnostic::{Diagnostic, Sources, Span, render},
    gates::{self, GateContext},
    model::{Defaults, File, Require},
    variables::template,
    yaml::{self, Node},
};
use crate::{
    policy::{Origin, OriginError},
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

/// Files that were read, not yet bound to probes.
pub struct Files {
    /// Their texts.
    pub sources: Sources,
    /// One tree for each.
    pub roots: Vec<Node>,
    /// SHA-256 over all of them, hex.
    pub digest: String,
    /// Of every value that uses variables, by its place: its text without their defaults.
    pub templates: BTreeMap<Span, String>,
}

/// Reads config files and what they include, for a comparison. Of the variables only those with a
/// default in the files are put in: another machine would compare the same.
pub fn read_files(paths: &[PathBuf], origin: &Origin) -> Result<Files, LoadError> {
    let mut loader = Loader {
        origin: origin.clone(),
        ..Loader::default()
    };
    for path in paths {
        loader.read(path, None, &mut Vec::new());
    }
    loader.declare_variables();
    let mut roots = std::mem::take(&mut loader.roots);
    let digest = loader.digest();
    let (problems, secrets) = loader.sink.into_parts();
    if !problems.is_empty() {
        return Err(LoadError::new(problems, loader.sources, secrets));
    }
    // A variable without a value is left as it is written, which is what is compared then.
    let unheard = Sink::default();
    let mut templates = BTreeMap::new();
    for root in &mut roots {
        collect_templates(root, &mut templates);
        loader.variables.interpolate(root, &unheard);
    }
    Ok(Files {
        templates,
        sources: loader.sources,
        roots,
        digest,
    })
}

fn collect_templates(node: &Node, into: &mut BTreeMap<Span, String>) {
    if let Some(template) = node.text().and_then(template) {
        into.insert(node.span, template);
    }
    for item in node.items() {
        collect_templates(item, into);
    }
    for entry in node.entries() {
        collect_templates(&entry.value, into);
    }
}

/// Reads, merges and validates config files of the working tree.
pub fn load(
    paths: &[PathBuf],
    environment: &Environment,
    variables: Variables,
) -> Result<Config, LoadError> {
    load_from(&Origin::Disk, paths, environment, variables)
}

/// Reads, merges and validates config files, wherever they are.
pub fn load_from(
    origin: &Origin,
    paths: &[PathBuf],
    environment: &Environment,
    variables: Variables,
) -> Result<Config, LoadError> {
    let mut loader = Loader {
        origin: origin.clone(),
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

/// The deployment windows of a config, without its gates: a job that deploys may lack the variables
/// that they need.
///
/// # Errors
/// A file that cannot be read, windows that cannot work.
pub fn windows(
    origin: &Origin,
    paths: &[PathBuf],
    variables: Variables,
) -> Result<Option<WindowConfig>, LoadError> {
    let mut loader = Loader {
        origin: origin.clone(),
        variables,
        ..Loader::default()
    };
    for path in paths {
        loader.read(path, None, &mut Vec::new());
    }
    loader.declare_variables();
    let node = loader.roots.iter().find_map(|r| r.get("windows")).cloned();
    let windows = node.and_then(|mut node| {
        loader.variables.interpolate(&mut node, &loader.sink);
        let windows = decode::<WindowConfig>(&node, &loader.sink)?;
        gates::report(windows.validate(), &node, &loader.sink);
        Some(windows)
    });
    let Loader { sink, sources, .. } = loader;
    match sink.into_parts() {
        (problems, _) if problems.is_empty() => Ok(windows),
        (problems, secrets) => Err(LoadError::new(problems, sources, secrets)),
    }
}

#[derive(Default)]
struct Loader {
    origin: Origin,
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
        let shown = self.origin.shown(path);
        let canonical = self.origin.identity(path);
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
        let text = match read_text(path, &self.origin, from.is_none()) {
            Ok(text) => text,
            Err(OriginError { message, help }) => {
                return report(&self.sink, format!("{shown}: {message}"), &help);
            }
        };
        let file = self.sources.add(shown.as_str(), text.as_str());
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
            windows: self.roots.iter().find_map(|r| r.get("windows")),
        };
        let nodes: Vec<&Node> = self.roots.iter().filter_map(|r| r.get("gates")).collect();
        let gates = gates::read(&nodes, &context);
        signoff::check(&nodes, self.merged.roles.as_ref(), &self.sink);
        for root in &self.roots {
            signoff::check_settings(root, &self.sink);
        }
        self.check_requirements(&nodes);
        self.check_target(&nodes);
        self.check_windows();
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
            origin: self.origin.clone(),
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
            artifact: target.artifact,
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

    fn check_windows(&self) {
        let node = self.roots.iter().find_map(|r| r.get("windows"));
        if let (Some(node), Some(windows)) = (node, &self.merged.windows) {
            gates::report(windows.validate(), node, &self.sink);
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

/// The text of a file that the user `named`, or that another file includes.
fn read_text(path: &Path, origin: &Origin, named: bool) -> Result<String, OriginError> {
    let say = |message: String, help: &str| OriginError {
        message,
        help: help.to_owned(),
    };
    let bytes = if named {
        origin.read_named(path, LARGEST)?
    } else {
        origin.read(path, LARGEST)?
    };
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
