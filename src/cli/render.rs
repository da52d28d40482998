//! `readygate render`

use std::{
    fs,
    path::{Path, PathBuf},
    str::FromStr,
};

use clap::Args;
use readygate_sdk::Masker;

use super::output::Terminal;
use crate::{
    checklist::{
        render::{self, Evidence, Filled},
        report as post_deployment,
    },
    exit,
    record::{self, Run, write_atomically},
    release::{events, timeline::Timeline},
    report::{self, Format, Style},
};

/// A checklist is written by people; more than this is a mistake.
const LARGEST: u64 = 4 * 1024 * 1024;

/// Arguments of `render`.
#[derive(Debug, Args)]
pub struct RenderArgs {
    /// console, json or junit; `checklist` fills a checklist in, `report` is the post-deployment
    /// report.
    #[arg(value_name = "FORMAT")]
    what: What,
    /// Record of a run. `checklist` and `report` take several of one release.
    #[arg(value_name = "RUN.JSON", required = true)]
    records: Vec<PathBuf>,
    /// The document to fill in, for `checklist`.
    #[arg(long, value_name = "CHECKLIST.MD")]
    checklist: Option<PathBuf>,
    /// Folder with the history of the release, for `checklist` and `report`.
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Where to; stdout unless said otherwise.
    #[arg(short, long, value_name = "PATH")]
    output: Option<PathBuf>,
    /// Every check and metric in the console report.
    #[arg(short, long)]
    verbose: bool,
}

/// What is rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Format(Format),
    Checklist,
    Report,
}

impl FromStr for What {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "checklist" => Ok(Self::Checklist),
            "report" => Ok(Self::Report),
            _ => name
                .parse()
                .map(Self::Format)
                .map_err(|e: report::UnknownFormat| format!("{e}, checklist, report")),
        }
    }
}

/// Renders the same bytes as the run that made the record; 0, or 2 when that cannot be done.
pub fn main(args: &RenderArgs, terminal: &Terminal) -> u8 {
    let bytes = match bytes(args, terminal) {
        Ok(bytes) => bytes,
        Err(error) => return terminal.usage_error(&error),
    };
    let Some(path) = &args.output else {
        return terminal.result(&bytes, exit::GO);
    };
    match write_atomically(path, &bytes) {
        Ok(()) => exit::GO,
        Err(error) => terminal.usage_error(&error.to_string()),
    }
}

fn bytes(args: &RenderArgs, terminal: &Terminal) -> Result<Vec<u8>, String> {
    misplaced(args)?;
    let runs = match args.what {
        What::Format(_) => vec![read_record(&args.records[0])?],
        What::Checklist | What::Report => read_records(&args.records)?,
    };
    let run = render::combine(&runs).map_err(|e| e.to_string())?;
    let history = args.state.as_deref().map(read_history).transpose()?;
    let evidence = Evidence {
        run: &run,
        parts: &runs,
        history: history.as_ref(),
    };
    match args.what {
        What::Report => Ok(post_deployment::report(evidence).into_bytes()),
        What::Checklist => {
            let path = args.checklist.as_deref().ok_or(
                "name the document to fill in: readygate render checklist RUN.JSON --checklist CHECKLIST.md",
            )?;
            let filled = render::fill(&read_text(path)?, evidence)
                .map_err(|e| format!("{}: {e}", path.display()))?;
            tell(&filled, terminal);
            Ok(filled.text.into_bytes())
        }
        What::Format(format) => {
            let style = if args.output.is_some() {
                Style::plain()
            } else {
                terminal.style(args.verbose)
            };
            report::render(format, &run, &style).map_err(|e| e.to_string())
        }
    }
}

/// An option that would change nothing was meant for something else.
fn misplaced(args: &RenderArgs) -> Result<(), String> {
    if args.checklist.is_some() && args.what != What::Checklist {
        return Err("--checklist goes with `render checklist`".to_owned());
    }
    if args.records.len() > 1 && matches!(args.what, What::Format(_)) {
        return Err("several records go with `render checklist` and `render report`".to_owned());
    }
    if args.state.is_some() && matches!(args.what, What::Format(_)) {
        return Err("--state goes with `render checklist` and `render report`".to_owned());
    }
    Ok(())
}

fn tell(filled: &Filled, terminal: &Terminal) {
    terminal.note(&format!(
        "{} ticked, {} crossed, {} not verified; {} filled in, {} left empty",
        readygate_sdk::count_of(filled.ticked as u64, "box", "boxes"),
        filled.crossed,
        filled.open,
        readygate_sdk::count_of(filled.filled as u64, "blank", "blanks"),
        filled.empty,
    ));
    for claim in &filled.claims {
        let sentence = readygate_sdk::defang(&claim.sentence());
        terminal.note(&format!("claim: {sentence}"));
    }
    if !filled.lost.is_empty() {
        terminal.note(&format!(
            "not in the document: the lines of {}; `readygate import --update` binds them anew",
            filled.lost.join(", ")
        ));
    }
}

/// Records in the order of their runs. What is filled in or compared with them is held to be proved,
/// so that they must be as they were sealed.
pub fn read_records(paths: &[PathBuf]) -> Result<Vec<Run>, String> {
    let read = |path: &PathBuf| {
        let run = record::read_sealed(path).map_err(|e| e.to_string())?;
        harmless(&run)
    };
    let runs: Result<Vec<Run>, String> = paths.iter().map(read).collect();
    let mut runs = runs?;
    runs.sort_by_key(|run| run.finished);
    Ok(runs)
}

/// A record, sealed: one that was edited by hand must not reach a terminal raw either.
fn read_record(path: &Path) -> Result<Run, String> {
    let run = record::read(path).map_err(|e| e.to_string())?;
    harmless(&run)
}

fn harmless(run: &Run) -> Result<Run, String> {
    record::seal(run, &Masker::new([])).map_err(|e| e.to_string())
}

/// The history of a release; its chain is verified.
pub fn read_history(folder: &Path) -> Result<Timeline, String> {
    let events = events::read(folder).map_err(|e| e.to_string())?;
    Ok(Timeline::of(&events))
}

/// A text of people's making.
pub fn read_text(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let size = fs::metadata(path)
        .map_err(|e| format!("{shown}: {e}"))?
        .len();
    if size > LARGEST {
        return Err(format!("{shown}: larger than 4 MiB; this is no checklist"));
    }
    let bytes = fs::read(path).map_err(|e| format!("{shown}: {e}"))?;
    String::from_utf8(bytes).map_err(|e| {
        let valid = e.utf8_error().valid_up_to();
        let line = e.as_bytes()[..valid].split(|b| *b == b'\n').count();
        format!("{shown}:{line}: not UTF-8 text; save the file as UTF-8")
    })
}
