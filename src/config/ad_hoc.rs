//! A config of one gate, put together from command-line arguments (`readygate probe`).

use std::{collections::BTreeMap, fs, path::PathBuf};

use readygate_sdk::Target;

use crate::{
    policy::{Origin, config::Policy},
    release::config::{Watch, Windows},
    signoff::config::Signoffs,
    waiver::Waivers,
};

use super::{
    Config, Environment, Variables,
    decode::Sink,
    diagnostic::{Diagnostic, Sources, Span},
    gates::{self, GateContext},
    load::LoadError,
    model::Defaults,
    yaml::{self, Entry, Kind, Node},
};

/// What the command line says.
#[derive(Debug, Default)]
pub struct AdHoc {
    /// Probe id.
    pub probe: String,
    /// `key=value`, values in YAML.
    pub settings: Vec<String>,
    /// File with a whole `with` block.
    pub with: Option<PathBuf>,
    /// `metric op value`.
    pub expect: Vec<String>,
    /// Base URL.
    pub target_url: Option<String>,
    /// Version being released.
    pub target_version: Option<String>,
    /// Deadline of the attempt.
    pub timeout: Option<readygate_sdk::Period>,
}

/// Builds the config, or says everything that is wrong with it.
pub fn ad_hoc(
    asked: &AdHoc,
    environment: &Environment,
    variables: &Variables,
) -> Result<Config, LoadError> {
    let sink = Sink::default();
    let mut sources = Sources::default();
    let gate = gate_node(asked, &mut sources, &sink, variables);
    let defaults = Defaults {
        timeout: asked.timeout,
        ..Defaults::default()
    };
    let context = GateContext {
        sources: &sources,
        sink: &sink,
        defaults: &defaults,
        environment,
        pass_env: &[],
        windows: None,
    };
    let gates = gates::read(&[&gate], &context);
    let (problems, mut secrets) = sink.into_parts();
    secrets.extend(variables.secrets().map(str::to_owned));
    match gates.into_iter().collect::<Option<Vec<_>>>() {
        Some(gates) if problems.is_empty() => Ok(Config {
            sources,
            digest: String::new(),
            origin: Origin::Disk,
            directory: PathBuf::from("."),
            target: Target {
                name: "ad hoc".into(),
                url: asked.target_url.clone(),
                version: asked.target_version.clone(),
                ..Target::default()
            },
            artifact: None,
            allow_disruptive: Vec::new(),
            concurrency: 1,
            deadline: None,
            required: Vec::new(),
            secrets,
            roles: BTreeMap::default(),
            signoffs: Signoffs::default(),
            waivers: Waivers::default(),
            policy: Policy::default(),
            windows: Windows::default(),
            watch: Watch::default(),
            gates,
        }),
        _ => Err(LoadError::new(problems, sources, secrets)),
    }
}

fn gate_node(asked: &AdHoc, sources: &mut Sources, sink: &Sink, variables: &Variables) -> Node {
    let mut with = base(asked, sources, sink);
    for setting in &asked.settings {
        let Some((key, text)) = setting.split_once('=') else {
            let file = sources.add("command line", setting.as_str());
            let span = Span {
                file,
                start: 0,
                end: setting.len(),
            };
            let problem = Diagnostic::at(span, format!("`{setting}` is not `key=value`"));
            sink.report(problem.help("values are YAML: reports='[\"reports/*.xml\"]' timeout=5s"));
            continue;
        };
        if let Some((key_span, value)) = read(setting, key, text, sources, sink) {
            with.retain(|entry| entry.key != key);
            with.push(Entry {
                key: key.to_owned(),
                key_span,
                value,
            });
        }
    }
    let nowhere = Span {
        file: sources.add("command line", asked.probe.as_str()),
        start: 0,
        end: asked.probe.len(),
    };
    let mut with = Node {
        span: nowhere,
        kind: Kind::Mapping(with),
    };
    variables.interpolate(&mut with, sink);
    let expect = asked
        .expect
        .iter()
        .filter_map(|text| expectation(text, sources, sink))
        .collect();
    let text = |text: &str| Node {
        span: nowhere,
        kind: Kind::Scalar {
            text: text.to_owned(),
            plain: false,
        },
    };
    let field = |key: &str, value: Node| Entry {
        key: key.to_owned(),
        key_span: nowhere,
        value,
    };
    let gate = Kind::Mapping(vec![
        field("id", text(&asked.probe)),
        field("probe", text(&asked.probe)),
        field("with", with),
        field(
            "expect",
            Node {
                span: nowhere,
                kind: Kind::Mapping(expect),
            },
        ),
    ]);
    let gate = Node {
        span: nowhere,
        kind: gate,
    };
    Node {
        span: nowhere,
        kind: Kind::Sequence(vec![gate]),
    }
}

fn base(asked: &AdHoc, sources: &mut Sources, sink: &Sink) -> Vec<Entry> {
    let Some(path) = &asked.with else {
        return Vec::new();
    };
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            sink.report(Diagnostic::nowhere(format!("{}: {error}", path.display())));
            return Vec::new();
        }
    };
    let file = sources.add(path.display().to_string(), text.as_str());
    let mut problems = Vec::new();
    let node = yaml::parse(file, &text, &mut problems);
    for problem in problems {
        sink.report(problem);
    }
    match node.map(|n| (n.span, n.kind)) {
        Some((_, Kind::Mapping(entries))) => entries,
        Some((span, _)) => {
            sink.report(Diagnostic::at(span, "a `with` file holds a mapping"));
            Vec::new()
        }
        None => Vec::new(),
    }
}

/// Reads the value of `key=value`; its caret stands under the whole argument.
fn read(
    setting: &str,
    key: &str,
    text: &str,
    sources: &mut Sources,
    sink: &Sink,
) -> Option<(Span, Node)> {
    let file = sources.add("command line", setting);
    let mut problems = Vec::new();
    let node = yaml::parse(file, text, &mut problems);
    let failed = !problems.is_empty();
    for problem in problems {
        let span = Span {
            file,
            start: key.len() + 1,
            end: setting.len(),
        };
        sink.report(Diagnostic {
            span: Some(span),
            ..problem
        });
    }
    let key_span = Span {
        file,
        start: 0,
        end: key.len(),
    };
    let empty = Node {
        span: key_span,
        kind: Kind::Scalar {
            text: String::new(),
            plain: false,
        },
    };
    let mut node = if failed {
        None
    } else {
        Some(node.unwrap_or(empty))
    }?;
    shift(&mut node, key.len() + 1);
    Some((key_span, node))
}

/// The value was parsed alone but stands behind its key.
fn shift(node: &mut Node, by: usize) {
    node.span.start += by;
    node.span.end += by;
    match &mut node.kind {
        Kind::Scalar { .. } => {}
        Kind::Sequence(items) => items.iter_mut().for_each(|n| shift(n, by)),
        Kind::Mapping(entries) => {
            for entry in entries {
                entry.key_span.start += by;
                entry.key_span.end += by;
                shift(&mut entry.value, by);
            }
        }
    }
}

fn expectation(text: &str, sources: &mut Sources, sink: &Sink) -> Option<Entry> {
    let file = sources.add("command line", text);
    let whole = Span {
        file,
        start: 0,
        end: text.len(),
    };
    let end = text.find(|c: char| c.is_whitespace() || "<>=!".contains(c));
    let Some(end) = end.filter(|end| *end > 0) else {
        let problem = Diagnostic::at(whole, format!("`{text}` is not `metric op value`"));
        sink.report(problem.help("write `--expect 'failed == 0'`"));
        return None;
    };
    let condition = text[end..].trim();
    let value = Node {
        span: whole,
        kind: Kind::Scalar {
            text: condition.to_owned(),
            plain: false,
        },
    };
    Some(Entry {
        key: text[..end].to_owned(),
        key_span: Span { end, ..whole },
        value,
    })
}
