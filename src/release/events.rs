//! The history of a release: `events.jsonl`, append-only, each line bound to the one before.
//!
//! `release.json` beside it names the release and the last line, so that lines cut from the end
//! are missed. The chain shows accidents and careless edits; whoever can write both files can write
//! another history, which is why the verdict that matters is signed elsewhere.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::{
    event::{Event, Type},
    order,
};
use crate::record::{FileError, lock, open_regular, read_regular, write_regular};

/// Name of the history in the state folder.
pub const EVENTS: &str = "events.jsonl";
/// Name of the file that says which release it is.
pub const RELEASE: &str = "release.json";
/// The value of [`Release::schema`].
pub const SCHEMA: &str = "readygate/release/v1";
/// The state folder, unless said otherwise.
pub const STATE: &str = ".readygate/release";

const FIRST: &str = "0000000000000000000000000000000000000000000000000000000000000000";
const LARGEST: u64 = 64 * 1024 * 1024;
const LONGEST_LINE: usize = 64 * 1024;
const MOST_LINES: usize = 20_000;
const LIMITS: &str = "a history has at most 20000 lines of 65536 bytes";
/// What is told so soon after it happened needs no second time.
const SAME: SignedDuration = SignedDuration::from_secs(1);
/// Clocks of two machines differ by less than this.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// `release.json`: which release the folder is about, and how far its history goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// Always `readygate/release/v1`.
    pub schema: String,
    /// Id of the release.
    pub id: String,
    /// When it was opened, UTC.
    pub opened: Timestamp,
    /// Lines of `events.jsonl`.
    pub events: usize,
    /// SHA-256 of the last line, hex.
    pub head: String,
}

/// An event that is to be written.
#[derive(Debug, Clone)]
pub struct New {
    /// What happened.
    pub event: Type,
    /// When, if not now.
    pub at: Option<Timestamp>,
    /// Facts.
    pub data: Map<String, Value>,
}

impl New {
    /// An event that happens now.
    pub fn now(event: Type, data: Value) -> Self {
        let data = match data {
            Value::Object(data) => data,
            _ => Map::new(),
        };
        Self {
            event,
            at: None,
            data,
        }
    }
}

/// Why the history could not be read or continued.
#[derive(Debug, thiserror::Error)]
pub enum EventsError {
    /// The system said no.
    #[error("{}: {error}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// There is no history.
    #[error("{} is missing: no release is open in this folder; open one with `readygate event release.opened --release ID`, or bring the folder along from the job that did", .0.display())]
    Missing(PathBuf),
    /// A line is not the one that was written.
    #[error("{}:{line}: the history is broken: {message}", path.display())]
    Broken {
        /// Which file.
        path: PathBuf,
        /// 1-based.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// The event cannot follow what is there.
    #[error("`{event}` is refused: {message}")]
    Refused {
        /// The event.
        event: &'static str,
        /// What is in the way.
        message: String,
    },
}

impl From<FileError> for EventsError {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Io { path, error } => Self::Io { path, error },
            FileError::Format {
                path,
                line,
                message,
                ..
            } => Self::Broken {
                path,
                line,
                message,
            },
            FileError::Edited { path, why } => Self::Broken {
                path,
                line: 1,
                message: format!("the record {why}"),
            },
        }
    }
}

fn failed(path: &Path) -> impl Fn(io::Error) -> EventsError + '_ {
    move |error| EventsError::Io {
        path: path.to_owned(),
        error,
    }
}

/// Reads `release.json`; `None` where there is none.
pub fn release(folder: &Path) -> Result<Option<Release>, EventsError> {
    let path = folder.join(RELEASE);
    let bytes = match read_regular(&path, LARGEST) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(&path)(error)),
    };
    let broken = |line, message| EventsError::Broken {
        path: path.clone(),
        line,
        message,
    };
    let release: Release =
        serde_json::from_slice(&bytes).map_err(|e| broken(e.line(), e.to_string()))?;
    if release.schema != SCHEMA {
        let message = format!(
            "its schema is `{}`, this version reads `{SCHEMA}`",
            release.schema
        );
        return Err(broken(1, message));
    }
    Ok(Some(release))
}

/// Reads and verifies the history.
///
/// # Errors
/// A file is missing, or a line is missing, cut off, edited, out of order, or of another release;
/// the error names file and line.
pub fn read(folder: &Path) -> Result<Vec<Event>, EventsError> {
    let path = folder.join(EVENTS);
    let head = release(folder)?.ok_or_else(|| EventsError::Missing(folder.join(RELEASE)))?;
    let bytes = match read_regular(&path, LARGEST) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(EventsError::Missing(path));
        }
        Err(error) => return Err(failed(&path)(error)),
    };
    Ok(verify(&path, &bytes, &head)?.0)
}

/// Adds an event under a lock, after verifying all that is there. `folder` and `release.json` come
/// into being with `release.opened`.
///
/// # Errors
/// As [`read`], and an event that cannot follow what is there.
pub fn append(folder: &Path, id: &str, new: New, now: Timestamp) -> Result<Event, EventsError> {
    let path = folder.join(EVENTS);
    let name = new.event.name();
    let refused = |message: String| EventsError::Refused {
        event: name,
        message,
    };
    let mut file = open(folder, &path, new.event == Type::ReleaseOpened)?;
    let mut bytes = Vec::new();
    (&file)
        .take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(failed(&path))?;
    let (before, head) = history(folder, &path, &bytes)?;
    if let Some(first) = before.first().filter(|first| first.release != id) {
        let (folder, release) = (folder.display(), &first.release);
        return Err(refused(format!(
            "the folder {folder} is about the release `{release}`, not `{id}`"
        )));
    }
    let at = new.at.unwrap_or(now);
    if at > now + SKEW {
        return Err(refused(format!("{at} is in the future; it is {now}")));
    }
    let event = Event {
        at,
        event: new.event,
        release: id.to_owned(),
        recorded: (now.duration_since(at).abs() >= SAME).then_some(now),
        data: new.data,
        prev: head.unwrap_or_else(|| FIRST.to_owned()),
    };
    order::check(&before, &event).map_err(refused)?;
    let line = serde_json::to_vec(&event).map_err(|e| failed(&path)(e.into()))?;
    if line.len() > LONGEST_LINE || before.len() >= MOST_LINES {
        let (number, bytes) = (before.len() + 1, line.len());
        return Err(refused(format!(
            "{LIMITS}; this would be line {number}, of {bytes} bytes"
        )));
    }
    let written = [line.as_slice(), b"\n"].concat();
    file.write_all(&written)
        .and_then(|()| file.sync_all())
        .map_err(failed(&path))?;
    let release = Release {
        schema: SCHEMA.to_owned(),
        id: id.to_owned(),
        opened: before.first().map_or(event.at, |first| first.at),
        events: before.len() + 1,
        head: digest(&line),
    };
    seal(folder, &release)?;
    Ok(event)
}

/// Says why an event could not be added now. Whoever writes files that the event is about asks first.
///
/// # Errors
/// As [`append`].
pub fn check(folder: &Path, id: &str, kind: Type, now: Timestamp) -> Result<(), EventsError> {
    let before = read(folder)?;
    let event = Event {
        at: now,
        event: kind,
        release: id.to_owned(),
        recorded: None,
        data: Map::new(),
        prev: String::new(),
    };
    order::check(&before, &event).map_err(|message| EventsError::Refused {
        event: kind.name(),
        message,
    })
}

/// Opens the history for appending and locks it.
fn open(folder: &Path, path: &Path, create: bool) -> Result<File, EventsError> {
    if create {
        fs::create_dir_all(folder).map_err(failed(folder))?;
    } else if !path.exists() {
        return Err(EventsError::Missing(path.to_owned()));
    }
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(create);
    let file = open_regular(path, &options).map_err(failed(path))?;
    lock(&file).map_err(failed(path))?;
    Ok(file)
}

/// What is there, and the digest of its last line. A file that is new, or in which nothing was
/// written before the process that made it died, is empty.
fn history(
    folder: &Path,
    path: &Path,
    bytes: &[u8],
) -> Result<(Vec<Event>, Option<String>), EventsError> {
    match release(folder)? {
        Some(head) => verify(path, bytes, &head).map(|(events, last)| (events, Some(last))),
        None if bytes.is_empty() => Ok((Vec::new(), None)),
        None => Err(EventsError::Missing(folder.join(RELEASE))),
    }
}

fn seal(folder: &Path, release: &Release) -> Result<(), EventsError> {
    let path = folder.join(RELEASE);
    let mut text = serde_json::to_vec_pretty(release).map_err(|e| failed(&path)(e.into()))?;
    text.push(b'\n');
    Ok(write_regular(&path, &text)?)
}

/// Every line and the links between them, and that the end is the one that `release.json` knows.
/// More lines than it knows are fine: a process may have died between the two writes.
fn verify(path: &Path, bytes: &[u8], head: &Release) -> Result<(Vec<Event>, String), EventsError> {
    let mut events: Vec<Event> = Vec::new();
    let mut previous = FIRST.to_owned();
    let broken = |line, message| EventsError::Broken {
        path: path.to_owned(),
        line,
        message,
    };
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        let number = events.len() + 1;
        let event = link(&events, &previous, line, &head.id).map_err(|m| broken(number, m))?;
        previous = digest(line.strip_suffix(b"\n").unwrap_or(line));
        events.push(event);
        if number == head.events && previous != head.head {
            let message =
                format!("it is not the line that {RELEASE} knows as the last; it was edited");
            return Err(broken(number, message));
        }
    }
    if events.len() < head.events {
        let missing = (head.events - events.len()) as u64;
        let missing = readygate_sdk::count_of(missing, "line is", "lines are");
        let message = format!(
            "{missing} missing at the end; {RELEASE} knows {}",
            head.events
        );
        return Err(broken(events.len() + 1, message));
    }
    Ok((events, previous))
}

/// One line, its line end included, as the successor of those before.
fn link(before: &[Event], previous: &str, line: &[u8], release: &str) -> Result<Event, String> {
    let line = line.strip_suffix(b"\n").ok_or("the line is cut off")?;
    if line.len() > LONGEST_LINE || before.len() >= MOST_LINES {
        return Err(LIMITS.to_owned());
    }
    let event: Event = serde_json::from_slice(line).map_err(|e| format!("it is no event: {e}"))?;
    if event.prev != previous {
        return Err(match before.len() {
            0 => "it is not the first line of a history; lines before it are missing".to_owned(),
            number => format!(
                "it does not follow line {number}: one of the two was edited, or lines were removed, added or moved"
            ),
        });
    }
    if event.release != release {
        let other = &event.release;
        return Err(format!(
            "it is about the release `{other}`, the folder about `{release}`"
        ));
    }
    order::check(before, &event)
        .map_err(|message| format!("`{}` cannot stand here: {message}", event.event.name()))?;
    Ok(event)
}

/// SHA-256, hex.
pub fn digest(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    hash.iter()
        .fold(String::new(), |hex, b| hex + &format!("{b:02x}"))
}

#[cfg(test)]
#[path = "events_tests.rs"]
mod tests;
