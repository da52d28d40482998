//! Walks the paths and looks at what is there.

use std::{fs, path::PathBuf};

use jiff::Timestamp;
use readygate_sdk::{Cx, ErrorKind, ProbeError};

use crate::{
    FileRecord, FilesConfig, FilesMeasurement, OtherRecord, PathRecord, Unreadable, content,
    content::Search,
    pattern::{Entry, Found, Pattern},
    tally::Tally,
};

/// Others and unreadable things kept for each path.
const KEPT: usize = 20;

pub async fn measure(config: &FilesConfig, cx: &Cx) -> Result<FilesMeasurement, ProbeError> {
    let (config, inner) = (config.clone(), cx.clone());
    let subject = config.paths.join(", ");
    let subject = readygate_sdk::excerpt(&subject, 200);
    cx.blocking(&subject, "looking at the files", move || {
        let taken_at = inner.now();
        let mut paths = Vec::with_capacity(config.paths.len());
        for path in &config.paths {
            inner.progress(path);
            paths.push(Look::new(path, &config, &inner)?.run()?);
        }
        Ok(FilesMeasurement {
            taken_at,
            absence: config.absent,
            paths,
        })
    })
    .await
}

/// The look at one path or glob.
struct Look<'a> {
    path: &'a str,
    config: &'a FilesConfig,
    cx: &'a Cx,
    record: PathRecord,
    tally: Tally,
    search: Search,
    last: PathBuf,
}

impl<'a> Look<'a> {
    fn new(path: &'a str, config: &'a FilesConfig, cx: &'a Cx) -> Result<Self, ProbeError> {
        let search = Search::new(config).map_err(|e| broken(path, e))?;
        Ok(Self {
            path,
            config,
            cx,
            record: PathRecord {
                path: path.to_owned(),
                ..PathRecord::default()
            },
            tally: Tally::default(),
            search,
            last: PathBuf::new(),
        })
    }

    fn run(mut self) -> Result<PathRecord, ProbeError> {
        let pattern = Pattern::parse(self.path).map_err(|e| broken(self.path, e))?;
        let (literal, base) = (pattern.is_literal(), self.cx.directory().to_owned());
        pattern.walk(&base, &mut |found| self.visit(found, literal))?;
        self.record.matched = self.tally.matched;
        self.record.bytes = self.tally.bytes;
        self.record.files = self.tally.into_files();
        self.record.texts = self.search.into_records();
        if let ([file], Some(_)) = (&mut self.record.files[..], &self.config.sha256) {
            match content::sha256(&self.last, &|| self.cx.is_over()) {
                Ok(sum) => file.sha256 = Some(sum),
                Err(error) => unreadable(&mut self.record, self.path.to_owned(), &error),
            }
        }
        Ok(self.record)
    }

    fn visit(&mut self, found: Found, literal: bool) -> Result<(), ProbeError> {
        if self.cx.is_over() {
            let message = "the time was over before all files were looked at";
            return Err(ProbeError::new(
                ErrorKind::Timeout,
                self.path,
                "looking at the files",
                message,
            ));
        }
        let shown = found.shown.to_string_lossy().into_owned();
        match found.entry {
            Entry::File(metadata) => self.file(found.real, shown, &metadata),
            // A wildcard matches folders in passing; nobody means them, unless nothing may exist.
            Entry::Other("a directory") if !literal && !self.config.absent => {}
            Entry::Other(kind) => {
                self.record.others_total += 1;
                if self.record.others.len() < KEPT {
                    self.record.others.push(OtherRecord {
                        path: shown,
                        kind: kind.to_owned(),
                    });
                }
            }
            Entry::Unreadable(error) => unreadable(&mut self.record, shown, &error),
        }
        Ok(())
    }

    fn file(&mut self, real: PathBuf, shown: String, metadata: &fs::Metadata) {
        if self.config.reads_text() {
            let over = || self.cx.is_over();
            if let Err(error) = self.search.read(&real, &shown, &over) {
                unreadable(&mut self.record, shown.clone(), &error);
            }
        }
        self.tally.add(FileRecord {
            path: shown,
            size: metadata.len(),
            modified: metadata
                .modified()
                .ok()
                .and_then(|at| Timestamp::try_from(at).ok()),
            sha256: None,
        });
        self.last = real;
    }
}

fn unreadable(record: &mut PathRecord, path: String, error: &std::io::Error) {
    record.unreadable_total += 1;
    if record.unreadable.len() < KEPT {
        record.unreadable.push(Unreadable {
            path,
            problem: error.to_string(),
        });
    }
}

fn broken(path: &str, error: impl std::fmt::Display) -> ProbeError {
    ProbeError::new(ErrorKind::Internal, path, "reading the config", error)
}
