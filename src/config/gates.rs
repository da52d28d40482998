//! The `gates` list: each gate on its own, then what only all of them together can show.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use readygate_sdk::{ConfigError, Meta, MetricSpec};

use super::{
    Environment, Gate,
    decode::{Sink, decode},
    diagnostic::{Diagnostic, Sources, Span},
    model::{Defaults, GateFields},
    yaml::{Entry, Kind, Node},
};
use crate::{
    expect::{self, Expectation},
    plan::STAGES,
    record::Severity,
    registry::{self, BoundProbe},
};

const TIMEOUT: Duration = Duration::from_secs(30);

/// What reading a gate needs besides its node.
pub struct GateContext<'a> {
    pub sources: &'a Sources,
    pub sink: &'a Sink,
    pub defaults: &'a Defaults,
    pub environment: &'a Environment,
    pub pass_env: &'a [String],
    /// The block `windows`, which a `window` gate without `with` takes.
    pub windows: Option<&'a Node>,
}

/// Reads all gates of all files; `None` for one that cannot be read.
pub fn read(lists: &[&Node], context: &GateContext<'_>) -> Vec<Option<Gate>> {
    for list in lists {
        if !matches!(list.kind, Kind::Sequence(_)) {
            let problem = Diagnostic::at(
                list.span,
                format!("`gates` must be a list, found {}", list.describe()),
            );
            context
                .sink
                .report(problem.help("write `gates:` and below it `- id: ...`"));
        }
    }
    let nodes: Vec<&Node> = lists.iter().flat_map(|list| list.items()).collect();
    check_ids(&nodes, context.sink);
    check_needs(&nodes, context.sink);
    nodes.iter().map(|node| gate(node, context)).collect()
}

fn gate(node: &Node, context: &GateContext<'_>) -> Option<Gate> {
    let sink = context.sink;
    let fields = decode::<GateFields>(node, sink);
    let (probe, expect) = probe_and_expect(node, context);
    let fields = fields?;
    let probe = probe?;
    check_schedule(node, &fields, sink);
    check_rules(node, probe.meta(), sink);
    check_stages(node, sink);
    let id_span = node.get("id").map_or(node.span, |n| n.span);
    let pass = fields.pass_env.iter().chain(context.pass_env);
    let severity = fields.severity.or(context.defaults.severity);
    let severity = severity.unwrap_or_default();
    Some(Gate {
        title: fields.title.unwrap_or_else(|| fields.id.clone()),
        description: fields.description,
        section: fields.section,
        owner: fields.owner,
        severity,
        waivable: fields.waivable.unwrap_or(severity != Severity::Blocker),
        stages: fields.stages,
        tags: fields.tags,
        needs: fields.needs,
        exclusive: fields.exclusive,
        timeout: fields
            .timeout
            .or(context.defaults.timeout)
            .map_or(TIMEOUT, |t| t.0),
        retry: fields.retry.or_else(|| context.defaults.retry.clone()),
        sustain: fields.sustain,
        environment: Arc::new(context.environment.for_children(pass)),
        rules: fields.rules,
        source: fields.source,
        probe,
        expect,
        location: context.sources.locate(id_span),
        id: fields.id,
    })
}

/// Reads `probe`, `with` and `expect`, whatever else is wrong with the gate.
fn probe_and_expect(
    node: &Node,
    context: &GateContext<'_>,
) -> (Option<Arc<dyn BoundProbe>>, Vec<Expectation>) {
    let sink = context.sink;
    let Some((name, span)) = node.get("probe").and_then(|n| Some((n.text()?, n.span))) else {
        return (None, Vec::new());
    };
    let Some(entry) = registry::find(name) else {
        let problem = Diagnostic::at(span, format!("unknown probe `{name}`"));
        sink.report(problem.suggest(name, registry::ids()));
        return (None, Vec::new());
    };
    let empty = Node {
        span,
        kind: Kind::Mapping(Vec::new()),
    };
    let shared = context
        .windows
        .filter(|_| entry.meta.id == readygate_window::ID);
    let with = node.get("with").or(shared).unwrap_or(&empty);
    let probe = (entry.bind)(with, sink);
    if let Some(probe) = &probe {
        report(probe.validate(), with, sink);
    }
    let expect = node.get("expect");
    let expect = expect
        .map(|e| parse_expectations(e, entry.meta, context.sources, sink))
        .unwrap_or_default();
    (probe, expect)
}

/// Puts what cannot work to its place in a block.
pub fn report(found: Result<(), ConfigError>, with: &Node, sink: &Sink) {
    let Err(error) = found else { return };
    for problem in error.problems {
        let place = with.follow(&problem.pointer);
        // A missing field has no place of its own: its block's first key stands for it.
        let span = place.entries().first().map_or(place.span, |e| e.key_span);
        let diagnostic = Diagnostic::at(span, problem.message);
        sink.report(match problem.hint {
            Some(hint) => diagnostic.help(hint),
            None => diagnostic,
        });
    }
}

/// Reads an `expect` block against the metrics that the probe documents.
fn parse_expectations(
    node: &Node,
    meta: &Meta,
    sources: &Sources,
    sink: &Sink,
) -> Vec<Expectation> {
    if !matches!(node.kind, Kind::Mapping(_)) {
        let problem = Diagnostic::at(
            node.span,
            format!("`expect` must be a mapping, found {}", node.describe()),
        );
        sink.report(problem.help("write `expect: { METRIC: \"== 0\" }`"));
    }
    let mut expectations = Vec::new();
    for entry in node.entries() {
        let Some(spec) = metric(&entry.key, entry.key_span, meta, sink) else {
            continue;
        };
        // The unit of a family's member is known only after measuring.
        let unit = (!spec.is_family()).then_some(spec.unit);
        let Some(texts) = texts(entry, sink) else {
            continue;
        };
        match expect::parse(&texts, unit) {
            Ok(conditions) if !conditions.is_empty() => expectations.push(Expectation {
                metric: entry.key.clone(),
                conditions,
                location: Some(sources.locate(entry.key_span)),
            }),
            Ok(_) => sink.report(
                Diagnostic::at(
                    entry.value.span,
                    format!("no expectation on `{}`", entry.key),
                )
                .help("write text such as `\"== 0\"`, or a list of such texts"),
            ),
            Err(error) => {
                let problem = Diagnostic::at(
                    entry.value.span,
                    format!("`{}`: {}", entry.key, error.message),
                );
                sink.report(Diagnostic {
                    help: error.help,
                    ..problem
                });
            }
        }
    }
    expectations
}

/// The conditions of one metric. An item that is no text must not drop out without a word.
fn texts<'a>(entry: &'a Entry, sink: &Sink) -> Option<Vec<&'a str>> {
    let node = &entry.value;
    let items = match &node.kind {
        Kind::Sequence(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    for item in items.iter().filter(|item| item.text().is_none()) {
        let message = format!(
            "no expectation on `{}`: expected text, found {}",
            entry.key,
            item.describe()
        );
        let problem = Diagnostic::at(item.span, message);
        sink.report(problem.help("write text such as `\"== 0\"`, or a list of such texts"));
    }
    items.iter().map(Node::text).collect()
}

/// The documented metric, or the family that it belongs to.
fn metric(name: &str, span: Span, meta: &Meta, sink: &Sink) -> Option<&'static MetricSpec> {
    let spec = meta.metrics.iter().find(|m| m.covers(name));
    if spec.is_none() {
        let message = format!("probe `{}` has no metric `{name}`", meta.id);
        sink.report(
            Diagnostic::at(span, message).suggest(name, meta.metrics.iter().map(|m| m.name)),
        );
    }
    spec
}

fn check_ids(nodes: &[&Node], sink: &Sink) {
    let mut first: HashMap<&str, Span> = HashMap::new();
    for node in nodes {
        let Some((id, span)) = node.get("id").and_then(|n| Some((n.text()?, n.span))) else {
            continue;
        };
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
        if !id.chars().all(plain) || !id.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            let problem = Diagnostic::at(span, format!("`{id}` is not an id"));
            sink.report(problem.help(
                "use lower-case letters, digits, `.`, `-` and `_`, as in `infra.redis-cluster`",
            ));
        }
        match first.get(id) {
            Some(before) => {
                let problem = Diagnostic::at(span, format!("duplicate id `{id}`"))
                    .related(*before, "first here");
                sink.report(problem.help("every gate needs an id of its own"));
            }
            None => {
                first.insert(id, span);
            }
        }
    }
}

fn check_needs(nodes: &[&Node], sink: &Sink) {
    let ids: Vec<&str> = nodes.iter().filter_map(|n| n.get("id")?.text()).collect();
    let known: HashSet<&str> = ids.iter().copied().collect();
    let mut graph: HashMap<&str, Vec<(&str, Span)>> = HashMap::new();
    for node in nodes {
        let Some(id) = node.get("id").and_then(Node::text) else {
            continue;
        };
        for need in node.get("needs").map(Node::items).unwrap_or_default() {
            let Some(name) = need.text() else { continue };
            if known.contains(name) {
                graph.entry(id).or_default().push((name, need.span));
            } else {
                let problem = Diagnostic::at(need.span, format!("no gate has the id `{name}`"));
                sink.report(problem.suggest(name, ids.iter().copied()));
            }
        }
    }
    let mut done = HashSet::new();
    for id in ids {
        if let Some((span, circle)) = find_circle(id, &graph, &mut done) {
            let problem =
                Diagnostic::at(span, format!("gates need each other in a circle: {circle}"));
            sink.report(problem.help("remove one of these `needs`"));
        }
    }
}

/// Depth first, without recursion: a chain of needs may be as long as the file. A need that is on
/// the path already closes a circle.
fn find_circle<'a>(
    id: &'a str,
    graph: &HashMap<&'a str, Vec<(&'a str, Span)>>,
    done: &mut HashSet<&'a str>,
) -> Option<(Span, String)> {
    let needs = |id: &str| graph.get(id).map(Vec::as_slice).unwrap_or_default().iter();
    let mut found = None;
    let mut path = vec![(id, needs(id))];
    let mut on_path = HashSet::from([id]);
    while let Some((id, open)) = path.last_mut() {
        let id = *id;
        match open.next().filter(|_| !done.contains(id)) {
            Some((need, span)) if on_path.contains(need) => {
                let circle = path.iter().map(|(id, _)| *id).skip_while(|id| id != need);
                let names: Vec<&str> = circle.chain([*need]).collect();
                found = found.or(Some((*span, names.join(" -> "))));
            }
            Some((need, _)) => {
                on_path.insert(need);
                path.push((need, needs(need)));
            }
            None => {
                path.pop();
                on_path.remove(id);
                done.insert(id);
            }
        }
    }
    found
}

fn check_schedule(node: &Node, fields: &GateFields, sink: &Sink) {
    let span = |outer: &str, inner: &str| {
        node.get(outer)
            .and_then(|n| n.get(inner))
            .map_or(node.span, |n| n.span)
    };
    if fields.retry.as_ref().is_some_and(|r| r.attempts == 0) {
        let problem = Diagnostic::at(
            span("retry", "attempts"),
            "`attempts` counts the first one: at least 1",
        );
        sink.report(problem);
    }
    if let Some(sustain) = &fields.sustain {
        if sustain.every.0.is_zero() || sustain.every > sustain.duration {
            let problem = Diagnostic::at(
                span("sustain", "every"),
                "`every` must be more than 0 and at most `for`",
            );
            sink.report(problem);
        }
        if fields.retry.is_some() {
            let place = node.get("sustain").map_or(node.span, |n| n.span);
            let problem = Diagnostic::at(place, "`sustain` and `retry` contradict each other");
            sink.report(problem.help("`failure_limit` says how many failures `sustain` tolerates"));
        }
    }
    if fields.timeout.is_some_and(|t| t.0.is_zero()) {
        let place = node.get("timeout").map_or(node.span, |n| n.span);
        sink.report(Diagnostic::at(
            place,
            "a timeout of 0 lets nothing be measured",
        ));
    }
}

/// Stages of one's own are free, but not next to a known one: a gate of the stage `pre-depoly`
/// would never run, and nobody would miss it.
fn check_stages(node: &Node, sink: &Sink) {
    for item in node.get("stages").map(Node::items).unwrap_or_default() {
        let name = item.text().unwrap_or_default().to_lowercase();
        let slip = |known: &&&str| {
            !name.starts_with(**known) && strsim::damerau_levenshtein(&name, known) <= 1
        };
        if let Some(known) = STAGES.iter().find(slip) {
            let message =
                format!("`{name}` is no stage, and too close to one for a name of your own");
            let problem = Diagnostic::at(item.span, message);
            sink.report(problem.help(format!("did you mean `{known}`?")));
        }
    }
}

fn check_rules(node: &Node, meta: &Meta, sink: &Sink) {
    for entry in node.get("rules").map(Node::entries).unwrap_or_default() {
        if !meta.rules.iter().any(|rule| rule.code == entry.key) {
            let message = format!("probe `{}` has no rule `{}`", meta.id, entry.key);
            let problem = Diagnostic::at(entry.key_span, message);
            sink.report(problem.suggest(&entry.key, meta.rules.iter().map(|r| r.code)));
        }
    }
}
