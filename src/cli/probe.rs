//! `readygate probe`

use std::path::PathBuf;

use clap::Args;
use readygate_sdk::{Activity, Masker, Period};
use serde_json::{Map, Value, json};

use super::{
    output::Terminal,
    session::{self, Options},
    variables,
};
use crate::{
    config::{self, AdHoc, Environment, Gate, nearest},
    exit,
    plan::{Choice, Plan},
    record::{GateRecord, Run},
    registry,
    report::{self, Format},
};

/// Arguments of `probe`.
#[derive(Debug, Args)]
pub struct ProbeArgs {
    /// Which probe: `readygate explain probes` lists them.
    probe: String,
    /// Settings of the probe; values are YAML: 'reports=["reports/*.xml"]'
    #[arg(value_name = "KEY=VALUE")]
    settings: Vec<String>,
    /// File with a whole `with` block; settings outrank it.
    #[arg(long, value_name = "FILE")]
    with: Option<PathBuf>,
    /// What a metric must be: 'failed == 0'
    #[arg(long = "expect", value_name = "METRIC OP VALUE")]
    expect: Vec<String>,
    /// Base URL that relative URLs resolve against.
    #[arg(long, value_name = "URL")]
    target_url: Option<String>,
    /// Version that is being released.
    #[arg(long, value_name = "VERSION")]
    target_version: Option<String>,
    /// Deadline; 30s, and what the probe is meant to take, unless said otherwise.
    #[arg(long, value_name = "DURATION")]
    timeout: Option<Period>,
    /// Value for `${NAME}`; outranks the environment.
    #[arg(long = "var", value_name = "NAME=VALUE")]
    variables: Vec<String>,
    /// Name of a variable whose value is masked in every output.
    #[arg(long = "secret", value_name = "NAME")]
    secrets: Vec<String>,
    /// Runs a probe that may disrupt what it measures: load, bursts, failover drills.
    #[arg(long)]
    allow_disruptive: bool,
    /// As JSON: probe, outcome, metrics, checks, measurement.
    #[arg(long)]
    json: bool,
}

/// Runs one probe; 0 passed, 1 failed, 3 could not tell.
pub fn main(args: &ProbeArgs, terminal: &Terminal, environment: &Environment) -> u8 {
    if registry::find(&args.probe).is_none() {
        let ids: Vec<&str> = registry::ids().collect();
        let near = nearest(&args.probe, &ids)
            .map_or_else(String::new, |n| format!(", did you mean `{n}`?"));
        return terminal.usage_error(&format!(
            "unknown probe `{}`{near}; known are {}",
            args.probe,
            ids.join(", ")
        ));
    }
    let mut variables = match variables(&args.variables, environment) {
        Ok(variables) => variables,
        Err(message) => return terminal.usage_error(&message),
    };
    for name in &args.secrets {
        variables.add_secret(name);
    }
    let config = match config::ad_hoc(&asked(args), environment, &variables) {
        Ok(config) => config,
        Err(error) => {
            terminal.note(error.render(terminal.color_err, terminal.ascii).trim_end());
            return exit::USAGE;
        }
    };
    let disruptive = |gate: &Gate| gate.probe.footprint().activity == Activity::Disruptive;
    if !args.allow_disruptive && config.gates.iter().any(disruptive) {
        let message = "with these settings the probe may disrupt what it measures; \
                       if you mean it, add --allow-disruptive";
        return terminal.usage_error(message);
    }
    let masker = Masker::new(config.secrets.iter().map(String::as_str));
    let plan = Plan {
        choices: vec![Choice::Selected],
    };
    let options = Options {
        quiet: true,
        ..Options::default()
    };
    match session::execute(config, &plan, options, terminal) {
        Ok(run) => print(&run, args, &masker, terminal),
        Err(message) => {
            terminal.complain(&message);
            exit::INCONCLUSIVE
        }
    }
}

fn asked(args: &ProbeArgs) -> AdHoc {
    AdHoc {
        probe: args.probe.clone(),
        settings: args.settings.clone(),
        with: args.with.clone(),
        expect: args.expect.clone(),
        target_url: args.target_url.clone(),
        target_version: args.target_version.clone(),
        timeout: args.timeout,
    }
}

fn print(run: &Run, args: &ProbeArgs, masker: &Masker, terminal: &Terminal) -> u8 {
    let Some(gate) = run.gates.first() else {
        return exit::INCONCLUSIVE;
    };
    if args.json {
        let text = format!("{:#}\n", document(gate));
        return terminal.result(masker.mask(&text).as_bytes(), run.exit_code);
    }
    match report::render(Format::Console, run, &terminal.style(true)) {
        Ok(bytes) => terminal.result(&bytes, run.exit_code),
        Err(error) => {
            terminal.complain(&error.to_string());
            exit::INCONCLUSIVE
        }
    }
}

/// Values are in base units: seconds `s`, bytes `B`, percent from 0 to 100 `%`, rates `/s`.
fn document(gate: &GateRecord) -> Value {
    let metrics: Map<String, Value> = gate
        .metrics
        .iter()
        .map(|(name, metric)| (name.clone(), json!(metric)))
        .collect();
    json!({
        "probe": gate.probe,
        "outcome": gate.outcome,
        "reason": gate.reason,
        "error": gate.error,
        "metrics": metrics,
        "absent_metrics": gate.absent_metrics,
        "checks": gate.checks,
        "measurement": gate.measurement,
        "duration_s": gate.duration_s,
    })
}
