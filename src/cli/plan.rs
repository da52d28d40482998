//! `readygate plan`

use std::fmt::Write as _;

use clap::Args;
use readygate_sdk::{Activity, Unit};
use serde_json::{Value, json};

use super::{ConfigArgs, SelectArgs, output::Terminal, run};
use crate::{
    config::{Config, Environment, Gate},
    exit,
    plan::{Choice, Plan},
};

/// Arguments of `plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    select: SelectArgs,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Prints what would run; contacts nothing.
pub fn main(args: &PlanArgs, terminal: &Terminal, environment: &Environment) -> u8 {
    let (config, plan) = match run::prepare(&args.config, &args.select, terminal, environment) {
        Ok(ready) => ready,
        Err(code) => return code,
    };
    let masker = readygate_sdk::Masker::new(config.secrets.iter().map(String::as_str));
    let text = if args.json {
        let list: Vec<Value> = chosen(&config, &plan)
            .map(|(gate, choice)| entry(gate, choice))
            .collect();
        format!(
            "{:#}\n",
            json!({"target": config.target.name, "gates": list})
        )
    } else {
        render(&config, &plan)
    };
    terminal.result(masker.mask(&text).as_bytes(), exit::GO)
}

fn chosen<'a>(config: &'a Config, plan: &'a Plan) -> impl Iterator<Item = (&'a Gate, Choice)> {
    config
        .gates
        .iter()
        .zip(plan.choices.iter().copied())
        .filter(|(_, choice)| choice.runs())
}

/// The longest that a gate can take: its attempts and the pauses between them.
fn longest(gate: &Gate) -> f64 {
    // A person takes as long as it takes; the run waits for none.
    if gate.signoff().is_some() {
        return 0.0;
    }
    let timeout = gate.timeout.as_secs_f64();
    if let Some(sustain) = &gate.sustain {
        return sustain.duration.0.as_secs_f64() + timeout;
    }
    let attempts = gate.retry.as_ref().map_or(1, |r| r.attempts);
    let delay = gate
        .retry
        .as_ref()
        .and_then(|r| r.delay)
        .map_or(1.0, |d| d.0.as_secs_f64());
    f64::from(attempts) * timeout + f64::from(attempts.saturating_sub(1)) * delay
}

fn activity(activity: Activity) -> &'static str {
    match activity {
        Activity::Passive => "passive",
        Activity::Active => "active",
        Activity::Disruptive => "disruptive",
    }
}

fn entry(gate: &Gate, choice: Choice) -> Value {
    let footprint = gate.probe.footprint();
    json!({
        "id": gate.id,
        "title": gate.title,
        "probe": gate.probe.meta().id,
        "severity": gate.severity,
        "owner": gate.owner,
        "stages": gate.stages,
        "needs": gate.needs,
        "exclusive": gate.exclusive,
        "because": if choice == Choice::Needed { "needed" } else { "selected" },
        "contacts": footprint.contacts,
        "credentials": footprint.credentials,
        "activity": activity(footprint.activity),
        "expected_s": footprint.duration.map(|d| d.as_secs_f64()),
        "longest_s": longest(gate),
        "location": gate.location.to_string(),
    })
}

fn render(config: &Config, plan: &Plan) -> String {
    let mut out = String::new();
    let running = chosen(config, plan).count() as u64;
    let count = readygate_sdk::count_of(running, "gate", "gates");
    let url = config
        .target
        .url
        .as_ref()
        .map_or_else(String::new, |u| format!(" at {u}"));
    let _ = writeln!(
        out,
        "{count} of {} would run against {}{url}",
        config.gates.len(),
        config.target.name
    );
    let mut total = 0.0_f64;
    for (gate, choice) in chosen(config, plan) {
        let footprint = gate.probe.footprint();
        total += longest(gate);
        let _ = writeln!(out, "\n{}  {}", gate.id, gate.title);
        let mut facts = vec![
            gate.probe.meta().id.to_owned(),
            gate.severity.name().to_owned(),
            activity(footprint.activity).to_owned(),
            format!("at most {}", Unit::Seconds.format(longest(gate))),
        ];
        facts.extend(
            footprint
                .duration
                .map(|d| format!("takes {}", Unit::Seconds.format(d.as_secs_f64()))),
        );
        facts.extend(gate.exclusive.then(|| "alone".to_owned()));
        facts.extend((choice == Choice::Needed).then(|| "needed by a selected gate".to_owned()));
        let _ = writeln!(out, "    {}", facts.join(" · "));
        for (name, list) in [
            ("contacts", &footprint.contacts),
            ("credentials", &footprint.credentials),
            ("needs", &gate.needs),
        ] {
            if !list.is_empty() {
                let _ = writeln!(out, "    {name}: {}", list.join(", "));
            }
        }
    }
    let limit = config
        .deadline
        .map_or(total, |d| total.min(d.as_secs_f64()));
    let _ = writeln!(
        out,
        "\nat most {} one after the other; {} side by side",
        Unit::Seconds.format(limit),
        config.concurrency
    );
    out
}
