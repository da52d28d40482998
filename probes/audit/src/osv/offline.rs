//! A database on disk: a folder of OSV records, the `all.zip` of an ecosystem, or one record.

use std::{
    collections::{BTreeSet, HashSet},
    fs::File,
    io::{BufReader, Read},
    path::Path,
};

use ignore::WalkBuilder;
use jiff::Timestamp;

use super::{
    Record,
    report::{Index, Key, key},
};

/// Largest record, and most of them: the whole of OSV is well below either.
const LARGEST_RECORD: u64 = 32 << 20;
const MOST_RECORDS: u64 = 3_000_000;
/// Most bytes unpacked from all files of one database.
const MOST_BYTES: u64 = 32 << 30;

/// What was read of one database.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    pub(crate) records: u64,
    pub(crate) newest: Option<Timestamp>,
    pub(crate) ecosystems: BTreeSet<String>,
    bytes: u64,
}

/// Why reading ended early.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The time of the gate was over.
    Over,
    /// A file and what is wrong with it.
    Bad { file: String, reason: String },
}

fn bad(file: impl Into<String>, reason: impl std::fmt::Display) -> Stop {
    Stop::Bad {
        file: file.into(),
        reason: reason.to_string(),
    }
}

/// Reads a database; only records about `wanted` packages stay in memory.
pub(crate) fn load(
    path: &Path,
    wanted: &HashSet<Key>,
    index: &mut Index,
    over: &dyn Fn() -> bool,
) -> Result<Loaded, Stop> {
    let mut loader = Loader {
        wanted,
        index,
        over,
        loaded: Loaded::default(),
    };
    if path.is_dir() {
        loader.folder(path)?;
    } else {
        loader.file(path)?;
    }
    if loader.loaded.records == 0 {
        return Err(bad(path.display().to_string(), "no OSV record is in it"));
    }
    Ok(loader.loaded)
}

struct Loader<'a> {
    wanted: &'a HashSet<Key>,
    index: &'a mut Index,
    over: &'a dyn Fn() -> bool,
    loaded: Loaded,
}

impl Loader<'_> {
    fn folder(&mut self, path: &Path) -> Result<(), Stop> {
        let walk = WalkBuilder::new(path)
            .standard_filters(false)
            .follow_links(false)
            .build();
        for entry in walk {
            if (self.over)() {
                return Err(Stop::Over);
            }
            let entry = entry.map_err(|e| bad(path.display().to_string(), e))?;
            let name = entry.file_name().to_string_lossy().to_lowercase();
            let known = Path::new(&name)
                .extension()
                .is_some_and(|e| e == "json" || e == "zip");
            if known && !name.starts_with('.') && entry.path().is_file() {
                self.file(entry.path())?;
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path) -> Result<(), Stop> {
        let shown = path.display().to_string();
        let mut file = File::open(path).map_err(|e| bad(&*shown, e))?;
        let mut magic = [0; 4];
        let read = file.read(&mut magic).map_err(|e| bad(&*shown, e))?;
        if read == 4 && magic.starts_with(b"PK") {
            return self.archive(path, &shown);
        }
        let file = File::open(path).map_err(|e| bad(&*shown, e))?;
        self.record(file, &shown)
    }

    fn archive(&mut self, path: &Path, shown: &str) -> Result<(), Stop> {
        let file = File::open(path).map_err(|e| bad(shown, e))?;
        let mut archive = zip::ZipArchive::new(BufReader::new(file)).map_err(|e| bad(shown, e))?;
        for at in 0..archive.len() {
            if (self.over)() {
                return Err(Stop::Over);
            }
            let entry = archive.by_index(at).map_err(|e| bad(shown, e))?;
            let inner = entry.name().map_err(|e| bad(shown, e))?.into_owned();
            let name = format!("{shown}!{inner}");
            let is_json = Path::new(&inner)
                .extension()
                .is_some_and(|e| e.eq_ignore_ascii_case("json"));
            if entry.is_file() && is_json {
                self.record(entry, &name)?;
            }
        }
        Ok(())
    }

    fn record(&mut self, from: impl Read, shown: &str) -> Result<(), Stop> {
        let mut text = Vec::new();
        from.take(LARGEST_RECORD + 1)
            .read_to_end(&mut text)
            .map_err(|e| bad(shown, e))?;
        let size = text.len() as u64;
        self.loaded.bytes += size;
        if size > LARGEST_RECORD {
            return Err(bad(shown, format!("larger than {LARGEST_RECORD} bytes")));
        }
        if self.loaded.bytes > MOST_BYTES || self.loaded.records >= MOST_RECORDS {
            return Err(bad(shown, "the database is larger than any real one"));
        }
        let record: Record = serde_json::from_slice(&text)
            .map_err(|e| bad(shown, format!("it is no OSV record: {e}")))?;
        self.loaded.records += 1;
        let modified = record
            .modified
            .as_deref()
            .and_then(|at| at.parse::<Timestamp>().ok());
        self.loaded.newest = self.loaded.newest.max(modified);
        let mut keep = false;
        for package in record
            .affected
            .iter()
            .filter_map(|affected| affected.package.as_ref())
        {
            let key = key(&package.ecosystem, &package.name);
            keep |= self.wanted.contains(&key);
            if !self.loaded.ecosystems.contains(&key.0) {
                self.loaded.ecosystems.insert(key.0);
            }
        }
        if keep && record.withdrawn.is_none() {
            self.index.add(record);
        }
        Ok(())
    }
}
