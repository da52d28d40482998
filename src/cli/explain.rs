//! `readygate explain`

use std::fmt::Write as _;

use clap::Args;
use readygate_sdk::{Level, Masker, Meta, Rule};

use super::{ConfigArgs, output::Terminal, run};
use crate::{
    config::{Environment, Gate, nearest},
    exit,
    registry::{self, PROBES},
};

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A gate of the config, a probe (`tls`), a rule (`tls/expires-soon`), or `probes` for a list.
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    config: ConfigArgs,
}

/// Prints what, why, how it is measured and how to fix it.
pub fn main(args: &ExplainArgs, terminal: &Terminal, environment: &Environment) -> u8 {
    let id = args.id.as_str();
    if id == "probes" {
        return terminal.result(list().as_bytes(), exit::GO);
    }
    if let Some(entry) = registry::find(id) {
        return terminal.result(probe(entry.meta).as_bytes(), exit::GO);
    }
    if let Some((meta, rule)) = find_rule(id) {
        return terminal.result(self::rule(meta, rule).as_bytes(), exit::GO);
    }
    let has_config = args.config.config.iter().all(|path| path.exists());
    let (gates, secrets) = if has_config {
        match run::load(&args.config, terminal, environment) {
            Ok(config) => (config.gates, config.secrets),
            Err(code) => return code,
        }
    } else {
        Default::default()
    };
    if let Some(gate) = gates.iter().find(|g| g.id == id) {
        let masker = Masker::new(secrets.iter().map(String::as_str));
        let text = masker.mask(&self::gate(gate));
        return terminal.result(text.as_bytes(), exit::GO);
    }
    let mut known: Vec<&str> = registry::ids().collect();
    known.extend(PROBES.iter().flat_map(|p| p.meta.rules).map(|r| r.code));
    known.extend(gates.iter().map(|g| g.id.as_str()));
    let hint = nearest(id, &known).map_or_else(
        || "`readygate explain probes` lists the probes".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    terminal.usage_error(&format!("`{id}` is no gate, probe or rule; {hint}"))
}

fn find_rule(code: &str) -> Option<(&'static Meta, &'static Rule)> {
    PROBES
        .iter()
        .find_map(|p| Some((p.meta, p.meta.rules.iter().find(|r| r.code == code)?)))
}

fn list() -> String {
    let width = registry::ids().map(str::len).max().unwrap_or_default();
    PROBES.iter().fold(String::new(), |mut out, entry| {
        let _ = writeln!(out, "{:<width$}  {}", entry.meta.id, entry.meta.summary);
        out
    })
}

fn probe(meta: &Meta) -> String {
    let mut out = meta.readme.trim_end().to_owned();
    out.push('\n');
    out
}

fn weight(level: Level) -> &'static str {
    match level {
        Level::Error => "error: fails the gate",
        Level::Warning => "warning: the gate still passes",
        Level::Info => "info: only reported",
    }
}

fn rule(meta: &Meta, rule: &Rule) -> String {
    let mut out = format!("{}\n\n  {}\n\n", rule.code, rule.summary);
    for (name, text) in [
        ("why", rule.why),
        ("fix", rule.fix),
        ("source", rule.source),
        ("weight", weight(rule.level)),
    ] {
        if !text.is_empty() {
            let _ = writeln!(out, "{name:<8}{text}");
        }
    }
    let _ = writeln!(
        out,
        "\nmeasured by the probe `{}`; grade it otherwise with\n",
        meta.id
    );
    let _ = writeln!(out, "  rules: {{ \"{}\": warning }}", rule.code);
    out
}

fn gate(gate: &Gate) -> String {
    let meta = gate.probe.meta();
    let mut out = format!("{}  {}\n\n", gate.id, gate.title);
    if let Some(description) = &gate.description {
        let _ = writeln!(out, "  {description}\n");
    }
    let severity = gate.severity.name();
    let weighs = if gate.severity.blocks() {
        "keeps the run from GO"
    } else {
        "does not block"
    };
    let _ = writeln!(out, "severity  {severity}: a failure {weighs}");
    if let Some(owner) = &gate.owner {
        let _ = writeln!(out, "owner     {owner}");
    }
    if !gate.stages.is_empty() {
        let _ = writeln!(out, "stages    {}", gate.stages.join(", "));
    }
    let _ = writeln!(out, "declared  {}", gate.location);
    let _ = writeln!(out, "probe     {}: {}", meta.id, meta.summary);
    for contact in gate.probe.footprint().contacts {
        let _ = writeln!(out, "contacts  {contact}");
    }
    for expectation in &gate.expect {
        let metric = meta.metrics.iter().find(|m| m.covers(&expectation.metric));
        let about = metric.map_or("", |m| m.summary);
        let _ = writeln!(out, "expects   {}: {about}", expectation.metric);
    }
    let _ = writeln!(out, "\nrules of the probe:");
    for rule in meta.rules {
        let _ = writeln!(out, "  {:<28}{}", rule.code, rule.summary);
    }
    out
}
