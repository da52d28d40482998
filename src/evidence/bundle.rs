//! A bundle: a folder of evidence with a list of what is in it.
//!
//! ```text
//! bundle.json                     every other file, with size and SHA-256
//! events.jsonl, release.json      the history; not in the list, they carry their own chain
//! decision.json                   what the last watch advised
//! runs/ID/run.json                a record, byte for byte as written
//! runs/ID/*.predicate.json        in-toto predicates, for a signer that makes the statement itself
//! runs/ID/*.statement.json        in-toto statements, for one that does not
//! signoffs/SHA256.json, .sig      signed statements that count in a record
//! ```

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{signatures, statement};
use crate::{
    record::{FileError, Run, lock, read_regular, write_regular},
    release::events::{self, digest},
    report,
};

/// Name of the list.
pub const BUNDLE: &str = "bundle.json";
/// Name of a record.
pub const RECORD: &str = "run.json";
/// Name of what the last watch advised.
pub const DECISION: &str = "decision.json";
/// Folder of the records.
pub const RUNS: &str = "runs";
/// The value of [`Manifest::schema`].
pub const SCHEMA: &str = "readygate/bundle/v1";
/// A file larger than this is none of ours.
pub const LARGEST: u64 = 512 * 1024 * 1024;

/// `bundle.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Always `readygate/bundle/v1`.
    pub schema: String,
    /// Whether the history of a release belongs to it.
    pub history: bool,
    /// Every file but this one and the history, by path.
    pub files: Vec<Entry>,
}

/// One file of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Relative to the folder of the bundle, with slashes.
    pub path: String,
    /// Size.
    pub bytes: u64,
    /// SHA-256 of the content, hex.
    pub sha256: String,
}

/// A record as it lies in a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Relative to the folder of the bundle.
    pub path: String,
    /// SHA-256 of its bytes, hex.
    pub sha256: String,
}

impl Manifest {
    /// Reads the list of a bundle; `None` where there is none.
    pub fn read(folder: &Path) -> Result<Option<Self>, FileError> {
        let path = folder.join(BUNDLE);
        let bytes = match bounded(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(FileError::Io { path, error }),
        };
        let wrong = |line, column, message| FileError::Format {
            path: path.clone(),
            line,
            column,
            message,
        };
        let manifest: Self = serde_json::from_slice(&bytes)
            .map_err(|e| wrong(e.line(), e.column(), e.to_string()))?;
        if manifest.schema != SCHEMA {
            let other = &manifest.schema;
            return Err(wrong(
                1,
                1,
                format!("its schema is `{other}`, this version reads `{SCHEMA}`"),
            ));
        }
        Ok(Some(manifest))
    }

    fn put(&mut self, path: &str, bytes: &[u8]) {
        let entry = Entry {
            path: path.to_owned(),
            bytes: bytes.len() as u64,
            sha256: digest(bytes),
        };
        match self.files.iter_mut().find(|e| e.path == path) {
            Some(old) => *old = entry,
            None => self.files.push(entry),
        }
        self.files.sort_by(|a, b| a.path.cmp(&b.path));
    }
}

/// Adds a sealed record, the statements about it, and what a watch advised.
pub fn add(folder: &Path, run: &Run) -> Result<Kept, FileError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |error| FileError::Io { path, error }
    };
    let own = format!("{RUNS}/{}", file_name(&run.id));
    fs::create_dir_all(folder.join(&own)).map_err(io(folder))?;
    let (_lock, mut manifest) = open(folder)?;
    let mut write = |path: String, bytes: &[u8]| {
        manifest.put(&path, bytes);
        write_regular(&folder.join(&path), bytes)
    };
    let record = record(run).map_err(io(folder))?;
    let sha256 = digest(&record);
    write(format!("{own}/{RECORD}"), &record)?;
    for (name, value) in statement::files(run, &sha256) {
        write(format!("{own}/{name}"), &text(&value).map_err(io(folder))?)?;
    }
    if run.signoffs.iter().any(|s| s.accepted) {
        let signed = folder.join(signatures::SIGNOFFS);
        fs::create_dir_all(&signed).map_err(io(&signed))?;
    }
    for (path, bytes) in signatures::files(run).map_err(io(folder))? {
        write(path, &bytes)?;
    }
    if let Some(decision) = &run.watch {
        let value = serde_json::to_value(decision).map_err(|e| io(folder)(e.into()))?;
        write(DECISION.to_owned(), &text(&value).map_err(io(folder))?)?;
    }
    write_list(folder, &manifest)?;
    Ok(Kept {
        path: format!("{own}/{RECORD}"),
        sha256,
    })
}

/// Puts what a watch advises while it goes on in the place of what the last one advised.
pub fn put_decision(folder: &Path, decision: &[u8]) -> Result<(), FileError> {
    let (_lock, mut manifest) = open(folder)?;
    manifest.put(DECISION, decision);
    write_regular(&folder.join(DECISION), decision)?;
    write_list(folder, &manifest)
}

/// The list of a bundle, locked: two commands that end at the same time must not lose one another's
/// entries.
fn open(folder: &Path) -> Result<(File, Manifest), FileError> {
    let io = |error| FileError::Io {
        path: folder.to_owned(),
        error,
    };
    let held = File::open(folder).map_err(io)?;
    lock(&held).map_err(io)?;
    let mut manifest = Manifest::read(folder)?.unwrap_or_else(|| Manifest {
        schema: SCHEMA.to_owned(),
        history: false,
        files: Vec::new(),
    });
    manifest.history |= folder.join(events::EVENTS).exists();
    Ok((held, manifest))
}

fn write_list(folder: &Path, manifest: &Manifest) -> Result<(), FileError> {
    let list = serde_json::to_value(manifest).map_err(io::Error::from);
    let list = list.and_then(|list| text(&list));
    let list = list.map_err(|error| FileError::Io {
        path: folder.to_owned(),
        error,
    })?;
    write_regular(&folder.join(BUNDLE), &list)
}

/// The bytes of a record: the same that `--report json=` writes.
fn record(run: &Run) -> io::Result<Vec<u8>> {
    report::render(report::Format::Json, run, &report::Style::plain())
        .map_err(|e| io::Error::other(e.to_string()))
}

/// A value as it is written: indented, with a line end.
pub fn text(value: &Value) -> io::Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    Ok(text)
}

fn file_name(id: &str) -> String {
    let fine = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    id.chars().map(|c| if fine(c) { c } else { '_' }).collect()
}

/// Reads a file of a bundle: a regular one of at most 512 MiB.
pub fn bounded(path: &Path) -> io::Result<Vec<u8>> {
    read_regular(path, LARGEST)
}

/// Every file below a folder, by its path with slashes. What is neither file nor folder counts too.
///
/// # Errors
/// A folder that cannot be read, or more than `most` files.
pub fn walk(folder: &Path, most: usize) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = vec![PathBuf::new()];
    while let Some(below) = open.pop() {
        for entry in fs::read_dir(folder.join(&below))? {
            let entry = entry?;
            let path = below.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                open.push(path);
                continue;
            }
            if found.len() >= most {
                return Err(io::Error::other(format!("more than {most} files")));
            }
            found.push(path.to_string_lossy().into_owned());
        }
    }
    found.sort();
    Ok(found)
}
