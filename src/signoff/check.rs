//! What only all gates and roles together can show, found when the config is loaded.

use std::collections::{BTreeMap, HashSet};

use super::config::{Role, is_artifact, is_namespace, is_role};
use crate::config::{Diagnostic, Node, Sink};

/// Looks at every sign-off among the gates, as the files have them.
pub fn check(gates: &[&Node], roles: Option<&BTreeMap<String, Role>>, sink: &Sink) {
    let gates: Vec<&Node> = gates.iter().flat_map(|list| list.items()).collect();
    let id = |gate: &Node| gate.get("id").and_then(Node::text).map(str::to_owned);
    let ids: Vec<String> = gates.iter().filter_map(|gate| id(gate)).collect();
    let signoffs: HashSet<String> = gates
        .iter()
        .filter(|gate| is_signoff(gate))
        .filter_map(|gate| id(gate))
        .collect();
    for gate in gates {
        if is_signoff(gate) {
            check_role(gate, roles, sink);
            check_items(gate, &ids, &signoffs, sink);
            check_schedule(gate, sink);
        } else {
            check_needs(gate, &signoffs, sink);
        }
    }
}

fn is_signoff(gate: &Node) -> bool {
    gate.get("probe").and_then(Node::text) == Some(readygate_signoff::ID)
}

/// Without any `roles` nobody can sign, which the run says; a role beside them is a slip.
fn check_role(gate: &Node, roles: Option<&BTreeMap<String, Role>>, sink: &Sink) {
    let role = gate.get("with").and_then(|with| with.get("role"));
    let (Some(roles), Some(node)) = (roles, role) else {
        return;
    };
    let name = node.text().unwrap_or_default();
    if !roles.contains_key(name) {
        let problem = Diagnostic::at(node.span, format!("`roles` has no role `{name}`"));
        sink.report(problem.suggest(name, roles.keys().map(String::as_str)));
    }
}

fn check_items(gate: &Node, ids: &[String], signoffs: &HashSet<String>, sink: &Sink) {
    let items = gate.get("with").and_then(|with| with.get("items"));
    for item in items.map(Node::items).unwrap_or_default() {
        let name = item.text().unwrap_or_default();
        if signoffs.contains(name) {
            let message = format!("`{name}` is a sign-off itself, and no evidence to vouch for");
            let problem = Diagnostic::at(item.span, message);
            sink.report(problem.help("list it under `needs`, or use `final: true`"));
        } else if !ids.iter().any(|id| id == name) {
            let problem = Diagnostic::at(item.span, format!("no gate has the id `{name}`"));
            sink.report(problem.suggest(name, ids.iter().map(String::as_str)));
        }
    }
}

fn check_schedule(gate: &Node, sink: &Sink) {
    for key in ["retry", "sustain"] {
        if let Some(node) = gate.get(key) {
            let message = format!("a sign-off knows no `{key}`: nothing is measured");
            sink.report(Diagnostic::at(node.span, message).help("remove it"));
        }
    }
}

/// Sign-offs are about what was measured, so nothing can be measured after them in the same run.
fn check_needs(gate: &Node, signoffs: &HashSet<String>, sink: &Sink) {
    for need in gate.get("needs").map(Node::items).unwrap_or_default() {
        let name = need.text().unwrap_or_default();
        if signoffs.contains(name) {
            let message = format!("only a sign-off can need the sign-off `{name}`");
            let problem = Diagnostic::at(need.span, message);
            sink.report(problem.help(
                "sign-offs are decided after everything was measured; give this gate a later stage",
            ));
        }
    }
}

/// What the schema says of single values, with the place in the file.
pub fn check_settings(root: &Node, sink: &Sink) {
    let artifact = root.get("target").and_then(|target| target.get("artifact"));
    if let Some(node) = artifact.filter(|n| !n.text().is_some_and(is_artifact)) {
        let problem = Diagnostic::at(node.span, "`artifact` is not a digest");
        sink.report(problem.help("write `sha256:` and the 64 hex digits, in lower case"));
    }
    let signoffs = root.get("signoffs");
    let namespace = signoffs.and_then(|signoffs| signoffs.get("namespace"));
    if let Some(node) = namespace.filter(|n| !n.text().is_some_and(is_namespace)) {
        let problem = Diagnostic::at(node.span, "not a namespace for sign-offs");
        sink.report(problem.help("write `signoff@` and a domain of yours: signoff@example.com"));
    }
    for entry in root.get("roles").map(Node::entries).unwrap_or_default() {
        if !is_role(&entry.key) {
            let message = format!("`{}` is not the name of a role", entry.key);
            let problem = Diagnostic::at(entry.key_span, message);
            sink.report(problem.help("use lower-case letters, digits and `-`: security-lead"));
        }
    }
}
