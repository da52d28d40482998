//! `readygate verify`

use std::path::{Path, PathBuf};

use clap::Args;
use readygate_sdk::{Clock as _, SystemClock};

use super::{ConfigArgs, output::Terminal, run, watch};
use crate::{
    config::{Config, Environment},
    evidence::{
        policy::Policy,
        verify::{Against, Report, verify},
    },
    exit,
    plan::{self, Plan},
    policy::Origin,
    record::Run,
    signoff::{
        Revoked, allowed_signers::AllowedSigners, config::NAMESPACE, signature::Trust,
        trust::Source,
    },
};

/// Lists of keys are written by people; more than this is a mistake or an attack.
const LARGEST: u64 = 1 << 20;

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Folder of the evidence: that of `run --evidence`, or that of a release.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Config file that should have been applied; several are put together.
    #[arg(short, long = "config", value_name = "FILE")]
    config: Vec<PathBuf>,
    /// Value for `${NAME}`; outranks the environment.
    #[arg(long = "var", value_name = "NAME=VALUE", requires = "config")]
    variables: Vec<String>,
    /// Read the policy (config files and lists of keys) from this git ref, not from the working tree,
    /// as the run did.
    #[arg(long, value_name = "REF", requires = "config")]
    trust_ref: Option<String>,
    /// OpenSSH `allowed_signers` file: whose signatures count. That of the config unless said
    /// otherwise.
    #[arg(long, value_name = "FILE")]
    allowed_signers: Option<PathBuf>,
    /// Folder that the signed statements were committed in; that of the config unless said otherwise.
    #[arg(long, value_name = "DIR", requires = "config")]
    signoffs: Option<PathBuf>,
}

/// Verifies a bundle: 0 as it was written, 1 something is wrong, 2 it is no bundle.
pub fn main(args: &VerifyArgs, terminal: &Terminal, environment: &Environment) -> u8 {
    let config = match load(args, terminal, environment) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let planned = |run: &Run| plan_of(config.as_ref(), run);
    let trust = match trust(args, config.as_ref()) {
        Ok(trust) => trust,
        Err(message) => return terminal.usage_error(&message),
    };
    let against = Against {
        trust,
        namespace: namespace(config.as_ref()),
        policy: config.as_ref().map(|config| Policy {
            config,
            signoffs: args.signoffs.as_deref(),
            plan: &planned,
        }),
        now: SystemClock.now(),
    };
    match verify(&args.folder, &against) {
        Ok(report) => tell(&report, terminal),
        Err(error) => terminal.usage_error(&error.to_string()),
    }
}

/// Loads the whole policy where one is named: only then is it known which gates it selects.
fn load(
    args: &VerifyArgs,
    terminal: &Terminal,
    environment: &Environment,
) -> Result<Option<Config>, u8> {
    if args.config.is_empty() {
        return Ok(None);
    }
    let given = ConfigArgs {
        config: args.config.clone(),
        variables: args.variables.clone(),
        trust_ref: args.trust_ref.clone(),
    };
    run::load(&given, terminal, environment).map(Some)
}

/// Which gates a record should hold, by its own selection.
fn plan_of(config: Option<&Config>, run: &Run) -> Result<Plan, String> {
    let config = config.ok_or("no config was named")?;
    if run.watch.is_some() {
        return watch::select::plan(config, &run.selection).map(|(_, plan)| plan);
    }
    plan::plan(config, &run.selection).map_err(|e| e.to_string())
}

fn namespace(config: Option<&Config>) -> String {
    let own = config.map(|config| config.signoffs.namespace());
    own.unwrap_or(NAMESPACE).to_owned()
}

/// Whose keys count. The lists that the config names are read from where the config is.
fn trust(args: &VerifyArgs, config: Option<&Config>) -> Result<Option<Trust>, String> {
    let listed = |path: &Path| -> Result<String, String> {
        let Some(config) = config else {
            return Err("no config was named".to_owned());
        };
        let text = Source::of(config).read_text(&config.directory, path);
        text.map_err(|e| e.to_string())
    };
    let settings = config.map(|config| &config.signoffs);
    let own = settings.and_then(|s| s.allowed_signers.as_deref());
    let (list, text) = match (args.allowed_signers.as_deref(), own) {
        (Some(list), _) => (list, named(list)?),
        (None, Some(list)) => (list, listed(list)?),
        (None, None) => return Ok(None),
    };
    let place = |path: &Path, e: &dyn std::fmt::Display| format!("{}:{e}", path.display());
    let revoked = match settings.and_then(|s| s.revoked.as_deref()) {
        None => Revoked::default(),
        Some(path) => Revoked::parse(&listed(path)?).map_err(|e| place(path, &e))?,
    };
    Ok(Some(Trust {
        allowed: AllowedSigners::parse(&text).map_err(|e| place(list, &e))?,
        revoked,
        namespace: namespace(config),
    }))
}

/// A list that the user named.
fn named(path: &Path) -> Result<String, String> {
    let wrong = |e: &str| format!("{}: {e}", path.display());
    let bytes = Origin::Disk.read_named(path, LARGEST);
    let bytes = bytes.map_err(|e| wrong(&e.message))?;
    String::from_utf8(bytes).map_err(|_| wrong("not UTF-8 text"))
}

fn tell(report: &Report, terminal: &Terminal) -> u8 {
    for note in &report.notes {
        terminal.note(&format!("note: {note}"));
    }
    for finding in &report.findings {
        terminal.complain(&finding.to_string());
    }
    if report.findings.is_empty() {
        let line = format!("verified: {}\n", report.looked_at.join(", "));
        return terminal.result(line.as_bytes(), exit::GO);
    }
    let count = report.findings.len() as u64;
    let problems = readygate_sdk::count_of(count, "problem", "problems");
    terminal.result(
        format!("not verified: {problems}\n").as_bytes(),
        exit::NO_GO,
    )
}
