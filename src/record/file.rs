//! `run.json` on disk.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use super::{Run, SCHEMA, check_digest, read_regular};

/// A record larger than this is not one of ours.
const LARGEST: u64 = 512 * 1024 * 1024;

/// Why a record could not be read or a report not written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The system said no.
    #[error("{}: {error}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Not JSON, or not a record.
    #[error("{}:{line}:{column}: not a run record: {message}", path.display())]
    Format {
        /// Which file.
        path: PathBuf,
        /// 1-based.
        line: usize,
        /// 1-based.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// A record that is not as it was sealed.
    #[error("{}: the record {why}", path.display())]
    Edited {
        /// Which file.
        path: PathBuf,
        /// What is wrong, as it reads after "the record".
        why: String,
    },
}

/// Reads a record and refuses other versions of the format.
pub fn read(path: &Path) -> Result<Run, FileError> {
    parse(path, &bytes(path)?)
}

/// Reads a record that something is decided on or proved with: one that was edited after it was
/// sealed is refused, and so is one that was not sealed. The bytes that are parsed are those whose
/// digest is right.
pub fn read_sealed(path: &Path) -> Result<Run, FileError> {
    // What is no file may give other bytes to the next reader, or none for ever.
    let text = read_regular(path, LARGEST).map_err(|error| FileError::Io {
        path: path.to_owned(),
        error,
    })?;
    let run = parse(path, &text)?;
    check_digest(&text).map_err(|why| FileError::Edited {
        path: path.to_owned(),
        why,
    })?;
    Ok(run)
}

fn bytes(path: &Path) -> Result<Vec<u8>, FileError> {
    let io = |error| FileError::Io {
        path: path.to_owned(),
        error,
    };
    let mut text = Vec::new();
    fs::File::open(path)
        .and_then(|f| f.take(LARGEST + 1).read_to_end(&mut text))
        .map_err(io)?;
    if text.len() as u64 > LARGEST {
        return Err(io(io::Error::other("larger than 512 MiB")));
    }
    Ok(text)
}

/// Parses the bytes of a record, and refuses other versions of the format; `path` is for the error.
pub fn parse(path: &Path, text: &[u8]) -> Result<Run, FileError> {
    let run: Run = serde_json::from_slice(text).map_err(|e| FileError::Format {
        path: path.to_owned(),
        line: e.line(),
        column: e.column(),
        message: e.to_string(),
    })?;
    if run.schema == SCHEMA {
        return Ok(run);
    }
    Err(FileError::Format {
        path: path.to_owned(),
        line: 1,
        column: 1,
        message: format!(
            "its schema is `{}`, this version reads `{SCHEMA}`",
            run.schema
        ),
    })
}

/// How the names of files begin that are written and not yet in their place.
pub const UNFINISHED: &str = ".readygate-";

/// Writes beside the target and renames over it, so that no reader ever sees half a file.
///
/// Targets that are no plain files (`/dev/full`, a pipe) are written to directly. A symbolic link
/// stays one: what it leads to is replaced.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let io = |error| FileError::Io {
        path: path.to_owned(),
        error,
    };
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let path = real.as_path();
    if fs::metadata(path).is_ok_and(|m| !m.is_file()) {
        let mut file = fs::OpenOptions::new().write(true).open(path).map_err(io)?;
        return file
            .write_all(bytes)
            .and_then(|()| file.flush())
            .map_err(io);
    }
    let folder = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut temporary = tempfile::Builder::new()
        .prefix(UNFINISHED)
        .tempfile_in(folder)
        .map_err(io)?;
    temporary
        .write_all(bytes)
        .and_then(|()| temporary.as_file().sync_all())
        .map_err(io)?;
    readable_by_others(temporary.as_file()).map_err(io)?;
    temporary.persist(path).map_err(|e| io(e.error))?;
    Ok(())
}

/// Temporary files are private; a report is for the next CI step, whoever runs it.
fn readable_by_others(file: &fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}
