//! The `waivers` list: each entry on its own, checked against gates, rules and roles.

use std::collections::BTreeMap;

use globset::{Glob, GlobMatcher};

use super::{Subject, Terms, Waiver, Waivers, config::WaiverFields};
use crate::{
    config::{Diagnostic, Gate, Kind, Node, Sink, Sources, decode},
    registry,
    signoff::config::Role,
};

/// What waivers are checked against.
pub struct Declared<'a> {
    /// For locations.
    pub sources: &'a Sources,
    /// Where mistakes go.
    pub sink: &'a Sink,
    /// Ids of all gates, readable or not.
    pub ids: &'a [&'a str],
    /// The gates that could be read.
    pub gates: &'a [Option<Gate>],
    /// Roles of the config.
    pub roles: &'a BTreeMap<String, Role>,
}

/// Reads all waivers of all files.
pub fn read(lists: &[&Node], declared: &Declared<'_>) -> Waivers {
    for list in lists {
        if !matches!(list.kind, Kind::Sequence(_)) && !list.is_null() {
            let message = format!("`waivers` must be a list, found {}", list.describe());
            let problem = Diagnostic::at(list.span, message);
            declared
                .sink
                .report(problem.help("write `waivers:` and below it `- gate: ...`"));
        }
    }
    let nodes = lists.iter().flat_map(|list| list.items());
    let gates = declared.gates.iter().flatten();
    let terms = |gate: &Gate| Terms {
        waivable: gate.waivable && gate.signoff().is_none(),
        sustained: gate.sustain.is_some(),
    };
    Waivers {
        list: nodes.filter_map(|node| waiver(node, declared)).collect(),
        terms: gates.map(|gate| (gate.id.clone(), terms(gate))).collect(),
    }
}

/// The globs of `may_waive`; one that cannot be read gives no power.
pub fn powers(may_waive: &[String]) -> Vec<GlobMatcher> {
    let globs = may_waive.iter().filter_map(|text| Glob::new(text).ok());
    globs.map(|glob| glob.compile_matcher()).collect()
}

fn waiver(node: &Node, declared: &Declared<'_>) -> Option<Waiver> {
    let sink = declared.sink;
    let before = sink.len();
    let fields = decode::<WaiverFields>(node, sink)?;
    if fields.gate.is_none() && fields.rule.is_none() {
        let head = node.entries().first().map_or(node.span, |e| e.key_span);
        let problem = Diagnostic::at(head, "a waiver names a `gate`, a `rule`, or both");
        sink.report(problem.help("a waiver of everything would be no gate at all"));
    }
    for (name, text) in [
        ("reason", &fields.reason),
        ("owner", &fields.owner),
        ("approver", &fields.approver),
    ] {
        if text.trim().is_empty() {
            report(node, name, format!("`{name}` is empty"), sink);
        }
    }
    let may_waive = approver(node, &fields.approver, declared);
    if let Some(id) = &fields.gate {
        check_gate(node, id, &may_waive, &fields, declared);
    }
    if let Some(rule) = &fields.rule {
        check_rule(node, rule, fields.gate.as_deref(), declared);
    }
    let subject = fields.subject.as_deref().map(Subject::new).transpose();
    let subject = subject.unwrap_or_else(|error| {
        report(node, "subject", format!("not a glob: {error}"), sink);
        None
    });
    (sink.len() == before).then(|| Waiver {
        gate: fields.gate,
        rule: fields.rule,
        subject,
        reason: fields.reason,
        owner: fields.owner,
        approver: fields.approver,
        principal: None,
        ticket: fields.ticket,
        expires: fields.expires,
        location: Some(declared.sources.locate(node.span)),
        powers: powers(&may_waive),
        refused: None,
    })
}

fn report(node: &Node, key: &str, message: String, sink: &Sink) {
    let span = node.get(key).map_or(node.span, |n| n.span);
    sink.report(Diagnostic::at(span, message));
}

/// What the approver may waive; nothing, if no such role is declared.
fn approver(node: &Node, name: &str, declared: &Declared<'_>) -> Vec<String> {
    if let Some(role) = declared.roles.get(name) {
        return role.may_waive.clone();
    }
    let span = node.get("approver").map_or(node.span, |n| n.span);
    let problem = Diagnostic::at(span, format!("no role `{name}` is declared"));
    let known: Vec<&str> = declared.roles.keys().map(String::as_str).collect();
    declared.sink.report(if known.is_empty() {
        problem.help(format!(
            "declare who may waive what: roles: {{ {name}: {{ may_waive: [GATE] }} }}"
        ))
    } else {
        problem.suggest(name, known)
    });
    Vec::new()
}

fn check_gate(
    node: &Node,
    id: &str,
    may_waive: &[String],
    fields: &WaiverFields,
    declared: &Declared<'_>,
) {
    let span = node.get("gate").map_or(node.span, |n| n.span);
    let refuse = |message: String, help: String| {
        let problem = Diagnostic::at(span, message);
        declared.sink.report(problem.help(help));
    };
    if !declared.ids.contains(&id) {
        let problem = Diagnostic::at(span, format!("no gate has the id `{id}`"));
        let ids = declared.ids.iter().copied();
        return declared.sink.report(problem.suggest(id, ids));
    }
    let Some(gate) = declared.gates.iter().flatten().find(|g| g.id == id) else {
        return;
    };
    if gate.signoff().is_some() {
        return refuse(
            format!("`{id}` is a signature, which cannot be waived"),
            "sign it, or take the gate out of the stage".into(),
        );
    }
    if !gate.waivable {
        refuse(
            format!("`{id}` is not waivable"),
            format!(
                "it is of severity {}; whoever owns the policy can write `waivable: true` on it",
                gate.severity.name()
            ),
        );
    }
    if gate.sustain.is_some() && (fields.rule.is_some() || fields.subject.is_some()) {
        refuse(
            format!("`{id}` is measured again and again: it can be waived as a whole only"),
            "leave out `rule` and `subject`".into(),
        );
    }
    let known = declared.roles.contains_key(&fields.approver);
    if known && !powers(may_waive).iter().any(|p| p.is_match(id)) {
        let approver = &fields.approver;
        refuse(
            format!("`{approver}` may not waive `{id}`"),
            format!(
                "name another approver, or add it: roles: {{ {approver}: {{ may_waive: [{id}] }} }}"
            ),
        );
    }
}

/// The rules that the gates of the config can report: those of the gate that is named, or of all.
fn check_rule(node: &Node, rule: &str, gate: Option<&str>, declared: &Declared<'_>) {
    let span = node.get("rule").map_or(node.span, |n| n.span);
    if rule.starts_with("signoff/") {
        let problem = Diagnostic::at(span, "a signature cannot be waived");
        let help = "sign it, or take the gate out of the stage";
        return declared.sink.report(problem.help(help));
    }
    let gates = declared.gates.iter().flatten();
    let meant: Vec<&Gate> = gates.filter(|g| gate.is_none_or(|id| id == g.id)).collect();
    // A gate that could not be read might have had the rule.
    if meant.is_empty() || declared.gates.iter().any(Option::is_none) {
        return;
    }
    // A program that reports checks of its own has rules that only it knows.
    let own = |g: &&Gate| g.probe.meta().id == "command" && rule.starts_with("ext/");
    if meant.iter().any(own) {
        return;
    }
    let mut known: Vec<String> = Vec::new();
    for gate in &meant {
        known.extend(gate.probe.meta().rules.iter().map(|r| r.code.to_owned()));
        known.extend(gate.expect.iter().map(|e| format!("expect/{}", e.metric)));
    }
    if known.iter().any(|code| code == rule) {
        return;
    }
    let exists = registry::PROBES
        .iter()
        .any(|p| p.meta.rules.iter().any(|r| r.code == rule));
    let message = match gate {
        Some(id) => format!("gate `{id}` has no rule `{rule}`"),
        None if exists => format!("no gate of this config has the rule `{rule}`"),
        None => format!("unknown rule `{rule}`"),
    };
    known.sort();
    known.dedup();
    let problem = Diagnostic::at(span, message);
    let known = known.iter().map(String::as_str);
    declared.sink.report(problem.suggest(rule, known));
}
