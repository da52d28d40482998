//! Where text goes: results to stdout, everything else to stderr, reports to files.

use std::{
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    str::FromStr,
};

use super::{Global, When};
use crate::{
    config::Environment,
    exit,
    record::{Run, write_atomically},
    report::{self, Format, Style},
};

/// What the terminal can show.
#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    /// Colours on stdout.
    pub color: bool,
    /// Colours on stderr.
    pub color_err: bool,
    /// ASCII only.
    pub ascii: bool,
    /// stderr is a person's terminal.
    pub interactive: bool,
    /// Columns.
    pub width: usize,
}

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the {format} report could not be written to {target}: {message}")]
pub struct ReportError {
    format: Format,
    target: String,
    message: String,
}

impl Terminal {
    /// Looks at the terminal and the environment.
    pub fn new(global: &Global, environment: &Environment) -> Self {
        let wanted = |is_terminal: bool| match global.color {
            When::Always => true,
            When::Never => false,
            When::Auto => {
                let set = |name| environment.get(name).is_some_and(|v| !v.is_empty());
                let dumb = environment.get("TERM") == Some("dumb");
                (is_terminal && !dumb && !set("NO_COLOR")) || set("CLICOLOR_FORCE")
            }
        };
        let columns = environment.get("COLUMNS").and_then(|c| c.parse().ok());
        Self {
            color: wanted(io::stdout().is_terminal()),
            color_err: wanted(io::stderr().is_terminal()),
            ascii: global.ascii,
            interactive: io::stderr().is_terminal() && environment.get("CI").is_none(),
            width: columns.unwrap_or(Style::plain().width).clamp(40, 200),
        }
    }

    /// The look of a report on stdout.
    pub fn style(&self, verbose: bool) -> Style {
        Style {
            color: self.color,
            ascii: self.ascii,
            width: self.width,
            verbose,
        }
    }

    #[expect(clippy::unused_self, reason = "stdout belongs to the terminal")]
    /// Writes a result to stdout. A reader that has gone away (`| head`) is no error.
    pub fn print(self, bytes: &[u8]) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }

    /// Prints a result and gives `code`, or 1 when it could not be written.
    pub fn result(&self, bytes: &[u8], code: u8) -> u8 {
        match self.print(bytes) {
            Ok(()) => code,
            Err(error) => {
                self.complain(&format!("stdout could not be written: {error}"));
                if code == exit::GO { exit::NO_GO } else { code }
            }
        }
    }

    /// Writes a line about what went wrong to stderr.
    pub fn complain(&self, message: &str) {
        let (bold, plain) = if self.color_err {
            ("\u{1b}[1;31m", "\u{1b}[0m")
        } else {
            ("", "")
        };
        self.note(&format!("{bold}error{plain}: {message}"));
    }

    #[expect(clippy::unused_self, reason = "stderr belongs to the terminal")]
    /// Writes a line to stderr; nobody listening is no error.
    pub fn note(self, line: &str) {
        let _ = writeln!(io::stderr().lock(), "{line}");
    }

    /// Complains about the usage and gives exit code 2.
    pub fn usage_error(&self, message: &str) -> u8 {
        self.complain(message);
        exit::USAGE
    }
}

/// `--report FORMAT=PATH`; `-` is stdout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    format: Format,
    path: Option<PathBuf>,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (format, path) = text.split_once('=').ok_or_else(|| {
            format!("`{text}` is not FORMAT=PATH; write junit=reports/readygate.xml, or json=- for stdout")
        })?;
        let format = format
            .parse()
            .map_err(|e: report::UnknownFormat| e.to_string())?;
        if path.is_empty() {
            return Err(format!("`{text}` names no path"));
        }
        Ok(Self {
            format,
            path: (path != "-").then(|| PathBuf::from(path)),
        })
    }
}

/// The file that a path stands for: `x`, `./a/../x` and a link to it are one.
fn place(path: &Path) -> Option<PathBuf> {
    let below = || {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
        let folder = std::fs::canonicalize(folder.unwrap_or(Path::new("."))).ok()?;
        Some(folder.join(path.file_name()?))
    };
    let real = std::fs::canonicalize(path).ok().or_else(below);
    real.or_else(|| std::path::absolute(path).ok())
}

/// A report must not take the place of the policy that it is about.
pub fn spare_config<'a>(
    targets: &[Target],
    files: impl IntoIterator<Item = &'a str>,
) -> Result<(), String> {
    for file in files {
        let real = place(Path::new(file));
        let hit =
            |target: &&Target| real.is_some() && target.path.as_deref().and_then(place) == real;
        if let Some(target) = targets.iter().find(hit) {
            return Err(format!(
                "the {} report would overwrite the config {file}",
                target.format
            ));
        }
    }
    Ok(())
}

/// A file that is written besides the reports must take the place of none of them, nor of the config.
pub fn check_beside<'a>(
    what: &str,
    path: &Path,
    targets: &[Target],
    files: impl IntoIterator<Item = &'a str>,
) -> Result<(), String> {
    let own = place(path);
    let is_own = |other: &Path| own.is_some() && place(other) == own;
    if let Some(file) = files.into_iter().find(|file| is_own(Path::new(file))) {
        return Err(format!("the {what} would overwrite the config {file}"));
    }
    let hit = |target: &&Target| target.path.as_deref().is_some_and(is_own);
    match targets.iter().find(hit) {
        Some(target) => Err(format!(
            "the {what} and the {} report go to one file, {}",
            target.format,
            path.display()
        )),
        None => Ok(()),
    }
}

/// Looks at every target before anything runs: a run whose report has nowhere to go is wasted.
pub fn check_targets(targets: &[Target]) -> Result<(), String> {
    let place = |target: &Target| target.path.as_deref().and_then(place);
    for (index, target) in targets.iter().enumerate() {
        if targets[..index]
            .iter()
            .any(|earlier| place(earlier) == place(target))
        {
            return Err(format!("two reports go to {}", target.shown()));
        }
        let Some(path) = &target.path else { continue };
        if ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"]
            .iter()
            .any(|p| path == Path::new(p))
        {
            return Err(format!(
                "the {format} report is to go to {}; write {format}=- for stdout",
                path.display(),
                format = target.format
            ));
        }
        if path.is_dir() {
            return Err(format!(
                "the {} report is to go to {}, which is a folder",
                target.format,
                path.display()
            ));
        }
        let folder = path
            .parent()
            .filter(|p| !p.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        if !folder.is_dir() {
            return Err(format!(
                "the {} report is to go to {}, but the folder {} does not exist; create it first",
                target.format,
                path.display(),
                folder.display()
            ));
        }
    }
    Ok(())
}

impl Target {
    fn shown(&self) -> String {
        self.path
            .as_ref()
            .map_or_else(|| "stdout".to_owned(), |p| p.display().to_string())
    }

    fn write(&self, run: &Run, terminal: &Terminal) -> Result<(), ReportError> {
        let failed = |message: String| ReportError {
            format: self.format,
            target: self.shown(),
            message,
        };
        let style = if self.path.is_some() {
            Style::plain()
        } else {
            terminal.style(false)
        };
        let bytes = report::render(self.format, run, &style).map_err(|e| failed(e.to_string()))?;
        match &self.path {
            Some(path) => write_atomically(path, &bytes).map_err(|e| failed(e.to_string())),
            None => terminal.print(&bytes).map_err(|e| failed(e.to_string())),
        }
    }
}

/// Writes every report, then the console report unless another has stdout. Gives the exit code:
/// the run's own, or 1 when a report is missing and the run would otherwise have looked better.
pub fn write_reports(run: &Run, targets: &[Target], verbose: bool, terminal: &Terminal) -> u8 {
    let mut failed = false;
    for target in targets {
        if let Err(error) = target.write(run, terminal) {
            terminal.complain(&error.to_string());
            failed = true;
        }
    }
    if targets.iter().all(|t| t.path.is_some()) {
        let console = report::render(Format::Console, run, &terminal.style(verbose));
        let printed = match console {
            Ok(bytes) => terminal.print(&bytes).map_err(|e| e.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(message) = printed {
            terminal.complain(&format!(
                "the result could not be written to stdout: {message}"
            ));
            failed = true;
        }
    }
    match run.exit_code {
        exit::GO if failed => exit::NO_GO,
        code => code,
    }
}
