//! `readygate import`

use std::{
    fs::{self, File},
    io::Read as _,
    path::{Path, PathBuf},
};

use clap::Args;

use super::output::Terminal;
use crate::{
    checklist::import::{self, Imported, MOST_BYTES},
    exit,
    record::write_atomically,
};

/// Arguments of `import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The checklist: Markdown with boxes (□ ☐ [ ]), blanks (____) and sign-off lines.
    #[arg(value_name = "CHECKLIST")]
    checklist: PathBuf,
    /// Where to write the config; `-` is stdout.
    #[arg(short, long, value_name = "FILE", default_value = "readygate.yaml")]
    output: PathBuf,
    /// Overwrite an existing file.
    #[arg(long)]
    force: bool,
    /// Repair a document whose UTF-8 was read as Mac Roman; without it such a document is refused.
    #[arg(long)]
    repair_encoding: bool,
    /// Save the repaired document here, for `render checklist`.
    #[arg(long, value_name = "FILE", requires = "repair_encoding")]
    save_repaired: Option<PathBuf>,
    /// An earlier config from this checklist: keep what people changed in it, match its gates with
    /// the edited document, and list what drifted.
    #[arg(long, value_name = "OLD")]
    update: Option<PathBuf>,
}

/// Reads the checklist and writes a config.
pub fn main(args: &ImportArgs, terminal: &Terminal) -> u8 {
    match run(args, terminal) {
        Ok(imported) => report(args, &imported, terminal),
        Err(message) => terminal.usage_error(&message),
    }
}

fn run(args: &ImportArgs, terminal: &Terminal) -> Result<Imported, String> {
    let name = args.checklist.display().to_string();
    let to_file = args.output.as_os_str() != "-";
    let in_place = args.update.as_ref().is_some_and(|old| *old == args.output);
    if to_file && args.output.exists() && !args.force && !in_place {
        return Err(format!(
            "{} exists already; overwrite it with --force, or update it with --update {0} -o {0}",
            args.output.display()
        ));
    }
    let (text, repaired) = import::text(&name, bytes(&args.checklist)?, args.repair_encoding)
        .map_err(|e| e.to_string())?;
    if repaired {
        terminal.note(&format!(
            "{name}: repaired; UTF-8 had been read as Mac Roman"
        ));
    }
    if let Some(path) = &args.save_repaired {
        write_atomically(path, text.as_bytes()).map_err(|e| e.to_string())?;
    }
    let old = match &args.update {
        Some(path) => {
            let shown = path.display().to_string();
            let text =
                String::from_utf8(bytes(path)?).map_err(|_| format!("{shown}: not UTF-8"))?;
            Some((shown, text))
        }
        None => None,
    };
    let old = old
        .as_ref()
        .map(|(name, text)| (name.as_str(), text.as_str()));
    import::import(&name, &text, old).map_err(|e| e.to_string())
}

fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    let failed = |e: std::io::Error| format!("{} cannot be read: {e}", path.display());
    let size = fs::metadata(path).map_err(failed)?;
    if size.is_dir() {
        return Err(format!("{} is a folder", path.display()));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(format!(
            "{} is larger than 8 MiB: no checklist",
            path.display()
        ));
    }
    Ok(bytes)
}

fn report(args: &ImportArgs, imported: &Imported, terminal: &Terminal) -> u8 {
    for finding in &imported.findings {
        terminal.note(&format!(
            "{}: {}",
            if finding.note { "note" } else { "to settle" },
            finding.title
        ));
        for (line, text) in &finding.lines {
            let text = readygate_sdk::defang(&readygate_sdk::excerpt(text, 100));
            terminal.note(&format!("  {}:{line}: {text}", args.checklist.display()));
        }
        terminal.note(&format!("  so far: {}", finding.taken));
    }
    for drift in &imported.drift {
        terminal.note(&readygate_sdk::defang(&drift.to_string()));
    }
    if args.update.is_some() && imported.drift.is_empty() {
        terminal.note("no drift: the document says what the config knows");
    }
    let written = if args.output.as_os_str() == "-" {
        terminal
            .print(imported.yaml.as_bytes())
            .map_err(|e| format!("stdout could not be written: {e}"))
    } else {
        write_atomically(&args.output, imported.yaml.as_bytes()).map_err(|e| e.to_string())
    };
    if let Err(message) = written {
        return terminal.usage_error(&message);
    }
    if args.output.as_os_str() != "-" {
        terminal.note(&format!(
            "wrote {}; next: readygate plan",
            args.output.display()
        ));
    }
    terminal.note(&imported.coverage.to_string());
    if imported.coverage.dropped > 0 {
        terminal.complain("lines with boxes were dropped; this is a bug in readygate");
        return exit::USAGE;
    }
    exit::GO
}
