//! `readygate event`, and where the history of a release is kept.

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;
use readygate_sdk::{Check, Clock as _, SystemClock};
use serde_json::{Map, Value, json};

use super::{output::Terminal, run};
use crate::{
    config::{self, Environment, Variables, nearest},
    exit,
    policy::Origin,
    record::TrustRecord,
    release::{
        Event, Type,
        events::{self, EventsError, New, STATE},
        timeline::{Timeline, Within},
    },
};

const LONGEST_ID: usize = 128;
const LONGEST_VALUE: usize = 4096;
const MOST_DATA: usize = 64;

/// Which release, and where its history is.
#[derive(Debug, Clone, Default, Args)]
pub struct StateArgs {
    /// Folder with the history of the release; `.readygate/release` unless said otherwise.
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Id of the release; the one that is open in the folder unless said otherwise.
    #[arg(long, value_name = "ID")]
    release: Option<String>,
}

/// A release, and the folder of its history where one is kept.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Folder of the history.
    pub folder: Option<PathBuf>,
    /// Id of the release.
    pub release: Option<String>,
}

impl StateArgs {
    fn folder(&self) -> &Path {
        self.state.as_deref().unwrap_or(Path::new(STATE))
    }

    /// The release that is open in the folder. Without a folder given, and without a release in the
    /// usual one, no history is kept.
    ///
    /// # Errors
    /// A folder given in which no release or another one is open, or one whose history is broken or
    /// at its end.
    pub fn open(&self) -> Result<State, String> {
        let folder = self.folder();
        if let Some(id) = &self.release {
            check_id(id)?;
        }
        let open = events::release(folder).map_err(|e| e.to_string())?;
        match (open, &self.release) {
            (Some(open), wanted) => {
                let history = events::read(folder).map_err(|e| e.to_string())?;
                still_open(&history, folder)?;
                if let Some(id) = wanted.as_ref().filter(|id| open.id != **id) {
                    return Err(format!(
                        "the release `{}` is open in {}, not `{id}`",
                        open.id,
                        folder.display()
                    ));
                }
                Ok(State {
                    folder: Some(folder.to_owned()),
                    release: Some(open.id),
                })
            }
            (None, _) if self.state.is_some() => {
                Err(EventsError::Missing(folder.join(events::RELEASE)).to_string())
            }
            (None, release) => Ok(State {
                folder: None,
                release: release.clone(),
            }),
        }
    }
}

/// On a runner that keeps its folders, that of the last release is still there.
fn still_open(history: &[Event], folder: &Path) -> Result<(), String> {
    let Some(closed) = history.iter().find(|e| e.event == Type::Closed) else {
        return Ok(());
    };
    Err(format!(
        "the release `{}` in {folder} was closed at {}, and nothing can be added to it; keep {folder} \
         elsewhere as its evidence, and open the next release with `readygate event release.opened \
         --release ID`, or name another folder with --state",
        closed.release,
        closed.at,
        folder = folder.display()
    ))
}

impl State {
    /// Says why an event could not be added now, where a history is kept.
    pub fn check(&self, event: Type) -> Result<(), EventsError> {
        match (&self.folder, &self.release) {
            (Some(folder), Some(id)) => events::check(folder, id, event, SystemClock.now()),
            _ => Ok(()),
        }
    }

    /// Adds to the history, where one is kept.
    pub fn record(&self, event: Type, data: Value) -> Result<(), EventsError> {
        let (Some(folder), Some(id)) = (&self.folder, &self.release) else {
            return Ok(());
        };
        events::append(folder, id, New::now(event, data), SystemClock.now()).map(drop)
    }
}

/// Ids stand in file names, in events and in statements.
fn check_id(id: &str) -> Result<(), String> {
    let fine = |b: u8| b.is_ascii_alphanumeric() || b"._:+-/@".contains(&b);
    if id.is_empty() || id.len() > LONGEST_ID || !id.bytes().all(fine) {
        return Err(format!(
            "`{}` cannot name a release: 1 to {LONGEST_ID} of letters, digits and ._:+-/@",
            readygate_sdk::excerpt(&readygate_sdk::defang(id), LONGEST_ID)
        ));
    }
    Ok(())
}

/// Arguments of `event`.
#[derive(Debug, Args)]
pub struct EventArgs {
    /// What happened: `release.opened`, `deploy.started`, `deploy.finished`, `rollback.started`,
    /// `rollback.finished`, `accepted` or `closed`.
    #[arg(value_name = "TYPE")]
    event: String,
    /// A fact about it, as often as you like: `--data version=4.0.0`.
    #[arg(long = "data", value_name = "KEY=VALUE")]
    data: Vec<String>,
    /// When it happened, with its offset from UTC (2026-11-27T14:00:00Z); now unless said otherwise.
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    #[command(flatten)]
    state: StateArgs,
    /// Config file with the deployment windows, for `deploy.started`; `readygate.yaml` where there
    /// is one.
    #[arg(short, long = "config", value_name = "FILE")]
    config: Vec<PathBuf>,
    /// Read the windows from this git ref, not from the working tree, so that a change cannot open
    /// the window that it is deployed in.
    #[arg(long, value_name = "REF")]
    trust_ref: Option<String>,
}

/// Adds an event.
pub fn main(args: &EventArgs, terminal: &Terminal, environment: &Environment) -> u8 {
    let new = match read(args) {
        Ok(new) => new,
        Err(message) => return terminal.usage_error(&message),
    };
    let window = match window(args, new.at, terminal, environment) {
        Ok(window) => window,
        Err(code) => return code,
    };
    let folder = args.state.folder();
    let id = match release_id(args, folder) {
        Ok(id) => id,
        Err(message) => return terminal.usage_error(&message),
    };
    let recorded = events::append(folder, &id, new, SystemClock.now()).and_then(|event| {
        let window = window.map_or(Ok(()), |window| window.record(folder, &id, terminal));
        window.map(|()| event)
    });
    match recorded {
        Ok(event) => {
            remark(folder, &event, terminal);
            let line = format!("recorded {} of {id} at {}\n", event.event.name(), event.at);
            terminal.result(line.as_bytes(), exit::GO)
        }
        Err(error) => {
            terminal.complain(&error.to_string());
            exit::NO_GO
        }
    }
}

/// Whether a deployment may start, by the windows of the config.
struct WindowAt {
    at: Timestamp,
    hindrances: Vec<Check>,
    trusted: Option<TrustRecord>,
}

/// Looks at the windows when a deployment starts, if there are any.
fn window(
    args: &EventArgs,
    at: Option<Timestamp>,
    terminal: &Terminal,
    environment: &Environment,
) -> Result<Option<WindowAt>, u8> {
    let usual = Path::new("readygate.yaml");
    let files = match args.config.as_slice() {
        _ if args.event != Type::DeployStarted.name() => return Ok(None),
        // That the change has no config does not mean that the ref has none.
        [] if usual.exists() || args.trust_ref.is_some() => vec![usual.to_owned()],
        files => files.to_vec(),
    };
    let origin = match &args.trust_ref {
        None => Origin::Disk,
        Some(reference) => run::trusted(reference, &files, terminal)?,
    };
    let refuse = |message: &str| {
        terminal.note(message.trim_end());
        exit::USAGE
    };
    let variables = Variables::new(environment.all().clone());
    let windows = config::windows(&origin, &files, variables);
    let windows = windows.map_err(|e| refuse(&e.render(false, true)))?;
    let Some(windows) = windows else {
        return Ok(None);
    };
    let at = at.unwrap_or_else(|| SystemClock.now());
    let gitlab = environment.get(readygate_window::GITLAB);
    let hindrances = readygate_window::hindrances(&windows, at, gitlab);
    let hindrances = hindrances.map_err(|e| refuse(&e.to_string()))?;
    Ok(Some(WindowAt {
        at,
        hindrances,
        trusted: origin.record(),
    }))
}

impl WindowAt {
    /// What has started has started: the history says so, and that it was not allowed.
    fn record(self, folder: &Path, id: &str, terminal: &Terminal) -> Result<(), EventsError> {
        let reasons: Vec<String> = self
            .hindrances
            .iter()
            .map(crate::engine::sentence)
            .collect();
        for reason in &reasons {
            terminal.note(&format!(
                "warning: this deployment starts when it may not: {reason}"
            ));
        }
        let (event, mut data) = if reasons.is_empty() {
            (Type::WindowOk, json!({}))
        } else {
            (Type::WindowRefused, json!({"reason": reasons.join("; ")}))
        };
        if let Some(trusted) = self.trusted {
            data["trusted"] = json!(trusted);
        }
        let new = New {
            at: Some(self.at),
            ..New::now(event, data)
        };
        events::append(folder, id, new, SystemClock.now()).map(drop)
    }
}

fn read(args: &EventArgs) -> Result<New, String> {
    let name = args.event.as_str();
    let Some(event) = Type::of(name) else {
        let mine = Type::ALL.iter().filter(|t| t.recorded_by().is_none());
        let known: Vec<&str> = mine.map(|t| t.name()).collect();
        let shown = readygate_sdk::excerpt(&readygate_sdk::defang(name), 60);
        return Err(match nearest(name, &known) {
            Some(near) => format!("unknown event `{shown}`; did you mean `{near}`?"),
            None => format!("unknown event `{shown}`; known are {}", known.join(", ")),
        });
    };
    if let Some(command) = event.recorded_by() {
        return Err(format!("`{name}` is recorded by `{command}`, not by hand"));
    }
    Ok(New {
        event,
        at: args.at,
        data: facts(&args.data)?,
    })
}

fn facts(pairs: &[String]) -> Result<Map<String, Value>, String> {
    if pairs.len() > MOST_DATA {
        return Err(format!("more than {MOST_DATA} facts"));
    }
    let mut facts = Map::new();
    for pair in pairs {
        let shown = readygate_sdk::excerpt(&readygate_sdk::defang(pair), 60);
        let (key, value) = pair
            .split_once('=')
            .ok_or_else(|| format!("--data `{shown}` is not KEY=VALUE"))?;
        let fine = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        if key.is_empty() || key.len() > 64 || !key.bytes().all(fine) {
            return Err(format!(
                "--data `{shown}`: a key has 1 to 64 letters, digits and ._-"
            ));
        }
        if value.len() > LONGEST_VALUE {
            return Err(format!("--data {key}: longer than {LONGEST_VALUE} bytes"));
        }
        if facts.insert(key.to_owned(), value.into()).is_some() {
            return Err(format!("--data {key} is given twice"));
        }
    }
    Ok(facts)
}

/// Named, or the one that is open. Only opening needs a name.
fn release_id(args: &EventArgs, folder: &Path) -> Result<String, String> {
    if let Some(id) = &args.state.release {
        check_id(id)?;
        return Ok(id.clone());
    }
    if args.event == Type::ReleaseOpened.name() {
        return Err("`release.opened` needs a name: --release ID".to_owned());
    }
    match events::release(folder) {
        Ok(Some(open)) => Ok(open.id),
        Ok(None) => Err(EventsError::Missing(folder.join(events::RELEASE)).to_string()),
        Err(error) => Err(error.to_string()),
    }
}

/// What somebody who records a rollback should know at once.
fn remark(folder: &Path, event: &Event, terminal: &Terminal) {
    if event.event != Type::RollbackStarted {
        return;
    }
    let Ok(history) = events::read(folder) else {
        return;
    };
    match Timeline::of(&history).rollback_within {
        Some(within @ Within::Late { .. }) => {
            terminal.note(&format!("warning: rollback.within: {}", within.sentence()));
        }
        Some(within) => terminal.note(&within.sentence()),
        None => terminal
            .note("note: no watch confirmed a breach; the rollback is recorded all the same"),
    }
}
