//! Debug code in the work tree.

mod language;
mod scan;
mod walk;

use std::sync::LazyLock;

use readygate_sdk::{Cx, ErrorKind, ProbeError};
use regex::Regex;

use crate::{DebugConfig, DebugRecord};

/// Larger files are no source, and are told.
const LARGEST_FILE: u64 = 16 << 20;

/// A comment that allows what stands on its line, with its reason.
static ALLOW: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"readygate:allow-debug[ \t]*([^\n*]*)").ok());

/// Reads every source file below the paths. Blocks.
///
/// # Errors
/// [`ErrorKind::NoData`] when no source file was found, [`ErrorKind::Timeout`] at the deadline.
pub(crate) fn measure(config: &DebugConfig, cx: &Cx) -> Result<DebugRecord, ProbeError> {
    let mut record = DebugRecord::default();
    let scanner = scan::Scanner::new(config)?;
    for path in &config.paths {
        cx.progress(path);
        walk::files(path, config, cx, &mut |file| match file {
            Ok(file) => scanner.file(file, &mut record),
            Err(problem) => scan::unread(problem, &mut record),
        })?;
    }
    if record.files == 0 && record.unread_total == 0 {
        let paths = config.paths.join(", ");
        let message = "no source file of a known language is there";
        let hint =
            "name the folders of the code; what git ignores and vendored code does not count";
        return Err(error(ErrorKind::NoData, &paths, message).hint(hint));
    }
    Ok(record)
}

fn error(kind: ErrorKind, path: &str, message: &str) -> ProbeError {
    ProbeError::new(kind, path, "looking for debug code", message)
}
