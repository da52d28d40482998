//! `readygate verify`

use std::path::{Path, PathBuf};

use clap::Args;
use readygate_sdk::{Clock as _, SystemClock};

use super::output::Terminal;
use crate::{
    config,
    evidence::{
        bundle,
        verify::{Against, Report, verify},
    },
    exit,
    policy::Origin,
    signoff::{Revoked, allowed_signers::AllowedSigners, config::NAMESPACE, signature::Trust},
};

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Folder of the evidence: that of `run --evidence`, or that of a release.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Config file that should have been applied; several are put together.
    #[arg(short, long = "config", value_name = "FILE")]
    config: Vec<PathBuf>,
    /// OpenSSH `allowed_signers` file: whose signatures count. That of the config unless said
    /// otherwise.
    #[arg(long, value_name = "FILE")]
    allowed_signers: Option<PathBuf>,
}

/// Verifies a bundle: 0 as it was written, 1 something is wrong, 2 it is no bundle.
pub fn main(args: &VerifyArgs, terminal: &Terminal) -> u8 {
    let against = match against(args, terminal) {
        Ok(against) => against,
        Err(message) => {
            terminal.note(message.trim_end());
            return exit::USAGE;
        }
    };
    match verify(&args.folder, &against) {
        Ok(report) => tell(&report, terminal),
        Err(error) => terminal.usage_error(&error.to_string()),
    }
}

fn against(args: &VerifyArgs, terminal: &Terminal) -> Result<Against, String> {
    let files = match args.config.as_slice() {
        [] => None,
        files => {
            let read = config::read_files(files, &Origin::Disk);
            Some(read.map_err(|e| e.render(terminal.color_err, terminal.ascii))?)
        }
    };
    let settings = |key: &str| {
        let mut roots = files.iter().flat_map(|files| &files.roots);
        let text = roots.find_map(|root| root.get("signoffs")?.get(key)?.text());
        text.map(str::to_owned)
    };
    let namespace = settings("namespace").unwrap_or_else(|| NAMESPACE.to_owned());
    let beside = args
        .config
        .first()
        .and_then(|c| c.parent())
        .map(Path::to_path_buf);
    let beside = |file: String| beside.clone().unwrap_or_default().join(file);
    let list = args.allowed_signers.clone();
    let list = list.or_else(|| settings("allowed_signers").map(beside));
    let revoked = settings("revoked").map(beside);
    let trust = match list {
        None => None,
        Some(list) => Some(Trust {
            allowed: AllowedSigners::parse(&text(&list)?)
                .map_err(|e| format!("error: {}: {e}", list.display()))?,
            revoked: match revoked {
                None => Revoked::default(),
                Some(path) => Revoked::parse(&text(&path)?)
                    .map_err(|e| format!("error: {}: {e}", path.display()))?,
            },
            namespace: namespace.clone(),
        }),
    };
    Ok(Against {
        policy: files.map(|f| f.digest),
        trust,
        namespace,
        now: SystemClock.now(),
    })
}

fn text(path: &Path) -> Result<String, String> {
    let named = |e: String| format!("error: {}: {e}", path.display());
    let bytes = bundle::bounded(path).map_err(|e| named(e.to_string()))?;
    String::from_utf8(bytes).map_err(|_| named("not UTF-8 text".to_owned()))
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
