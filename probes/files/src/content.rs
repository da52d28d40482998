//! Looks for texts in files of any size with memory of a fixed size.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use readygate_sdk::Location;
use regex::bytes::Regex;
use sha2::{Digest as _, Sha256};

use crate::{FilesConfig, TextRecord, TextRole};

/// Bytes read at a time.
const CHUNK: usize = 256 * 1024;
/// The longest line that a regular expression sees as a whole.
const LONGEST_LINE: usize = 1024 * 1024;
/// Places and names kept for each text.
const KEPT: usize = 20;

/// The texts that a config asks about, and what was found of them so far.
pub struct Search {
    plain: Vec<(Regex, usize, TextRecord)>,
    lines: Vec<(Regex, TextRecord)>,
}

impl Search {
    /// Prepares for the texts of a config.
    pub fn new(config: &FilesConfig) -> Result<Self, regex::Error> {
        let mut plain = Vec::new();
        for (role, texts) in [
            (TextRole::Contains, &config.contains),
            (TextRole::NotContains, &config.not_contains),
        ] {
            for text in texts.iter() {
                let finder = Regex::new(&regex::escape(text))?;
                plain.push((finder, text.len(), record(role, text)));
            }
        }
        let mut lines = Vec::new();
        for text in config.matches.iter() {
            lines.push((Regex::new(text)?, record(TextRole::Matches, text)));
        }
        Ok(Self { plain, lines })
    }

    /// Searches one file; `shown` is its name for people. Stops with `Interrupted` when `is_over`.
    pub fn read(&mut self, path: &Path, shown: &str, is_over: &dyn Fn() -> bool) -> io::Result<()> {
        let mut plain: Vec<_> = self.plain.iter().map(|p| Plain::new(&p.0, p.1)).collect();
        let mut lines = Lines::new(self.lines.iter().map(|l| &l.0).collect());
        let done = each_chunk(path, is_over, &mut |chunk| {
            for needle in &mut plain {
                needle.push(chunk);
            }
            lines.push(chunk);
        });
        let (complete, problem) = match done {
            Ok(()) => (true, None),
            Err(error) => (false, Some(error)),
        };
        lines.finish();
        let whole = complete && !lines.cut;
        let plain: Vec<Hits> = plain.into_iter().map(|needle| needle.hits).collect();
        for ((_, _, record), hits) in self.plain.iter_mut().zip(plain) {
            note(record, &hits, complete, shown);
        }
        let found = std::mem::take(&mut lines.hits);
        for ((_, record), hits) in self.lines.iter_mut().zip(found) {
            note(record, &hits, whole, shown);
        }
        problem.map_or(Ok(()), Err)
    }

    /// What was found.
    pub fn into_records(self) -> Vec<TextRecord> {
        let plain = self.plain.into_iter().map(|(_, _, record)| record);
        plain
            .chain(self.lines.into_iter().map(|(_, record)| record))
            .collect()
    }
}

fn record(role: TextRole, text: &str) -> TextRecord {
    TextRecord {
        role,
        text: text.to_owned(),
        files_with: 0,
        files_without: 0,
        files_unjudged: 0,
        occurrences: 0,
        places: Vec::new(),
        without: Vec::new(),
    }
}

/// A hit counts wherever it was; that there is none counts only for a file read as a whole.
fn note(record: &mut TextRecord, hits: &Hits, whole: bool, shown: &str) {
    record.occurrences += hits.count;
    if hits.count > 0 {
        record.files_with += 1;
    } else if whole {
        record.files_without += 1;
        if record.without.len() < KEPT {
            record.without.push(shown.to_owned());
        }
    } else {
        record.files_unjudged += 1;
    }
    for line in &hits.lines {
        if record.places.len() < KEPT {
            record.places.push(Location {
                file: shown.to_owned(),
                line: Some(*line),
                column: None,
            });
        }
    }
}

#[derive(Debug, Default, Clone)]
struct Hits {
    count: u64,
    lines: Vec<u64>,
}

impl Hits {
    fn add(&mut self, line: u64) {
        self.count += 1;
        if self.lines.len() < KEPT && self.lines.last() != Some(&line) {
            self.lines.push(line);
        }
    }
}

/// One plain text, looked for across the seams of the chunks.
struct Plain<'a> {
    finder: &'a Regex,
    length: usize,
    /// Bytes carried over: fewer than the text has, so that no hit is seen twice.
    window: Vec<u8>,
    line: u64,
    hits: Hits,
}

impl<'a> Plain<'a> {
    fn new(finder: &'a Regex, length: usize) -> Self {
        Self {
            finder,
            length,
            window: Vec::new(),
            line: 1,
            hits: Hits::default(),
        }
    }

    fn push(&mut self, chunk: &[u8]) {
        self.window.extend_from_slice(chunk);
        let mut counted = 0;
        let mut end = 0;
        for hit in self.finder.find_iter(&self.window) {
            if self.hits.lines.len() < KEPT {
                self.line += line_feeds(&self.window[counted..hit.start()]);
                counted = hit.start();
            }
            self.hits.add(self.line);
            end = hit.end();
        }
        let cut = end.max(self.window.len().saturating_sub(self.length - 1));
        if self.hits.lines.len() < KEPT {
            // `counted` may lie before `cut` only; a hit starts before it ends.
            self.line += line_feeds(&self.window[counted..cut]);
        }
        self.window.drain(..cut);
    }
}

/// Line by line for the regular expressions.
struct Lines<'a> {
    patterns: Vec<&'a Regex>,
    hits: Vec<Hits>,
    current: Vec<u8>,
    number: u64,
    cut: bool,
}

impl<'a> Lines<'a> {
    fn new(patterns: Vec<&'a Regex>) -> Self {
        Self {
            hits: vec![Hits::default(); patterns.len()],
            patterns,
            current: Vec::new(),
            number: 1,
            cut: false,
        }
    }

    fn push(&mut self, chunk: &[u8]) {
        if self.patterns.is_empty() {
            return;
        }
        for piece in chunk.split_inclusive(|b| *b == b'\n') {
            let room = LONGEST_LINE.saturating_sub(self.current.len());
            self.cut |= piece.len() > room;
            self.current
                .extend_from_slice(&piece[..piece.len().min(room)]);
            if piece.ends_with(b"\n") {
                self.end_line();
            }
        }
    }

    fn finish(&mut self) {
        if !self.current.is_empty() {
            self.end_line();
        }
    }

    fn end_line(&mut self) {
        let line = self.current.strip_suffix(b"\n").unwrap_or(&self.current);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        for (pattern, hits) in self.patterns.iter().zip(&mut self.hits) {
            if pattern.is_match(line) {
                hits.add(self.number);
            }
        }
        self.number += 1;
        self.current.clear();
    }
}

#[expect(
    clippy::naive_bytecount,
    reason = "the compiler makes vector code of it; reading the file takes longer"
)]
fn line_feeds(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|b| **b == b'\n').count() as u64
}

/// SHA-256 of a file in lowercase hex.
pub fn sha256(path: &Path, is_over: &dyn Fn() -> bool) -> io::Result<String> {
    use std::fmt::Write as _;
    let mut hash = Sha256::new();
    each_chunk(path, is_over, &mut |chunk| hash.update(chunk))?;
    Ok(hash.finalize().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    }))
}

fn each_chunk(
    path: &Path,
    is_over: &dyn Fn() -> bool,
    work: &mut dyn FnMut(&[u8]),
) -> io::Result<()> {
    let mut file = open(path)?;
    let mut buffer = vec![0_u8; CHUNK];
    loop {
        if is_over() {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the time is over"));
        }
        match file.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(n) => work(&buffer[..n]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Opens a regular file. Should it have become a FIFO since it was looked at, opening does not hang.
fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(nix::libc::O_NONBLOCK)
        .open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other("no regular file any more"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str, chunks: &[&str]) -> (u64, Vec<u64>) {
        let finder = Regex::new(&regex::escape(text)).unwrap();
        let mut plain = Plain::new(&finder, text.len());
        for chunk in chunks {
            plain.push(chunk.as_bytes());
        }
        (plain.hits.count, plain.hits.lines)
    }

    #[test]
    fn hits_across_seams_are_seen_once() {
        assert_eq!(
            count("needle", &["a\nnee", "d", "le needle\n", "needle"]),
            (3, vec![2, 3])
        );
        assert_eq!(count("aa", &["a", "a", "a", "a"]), (2, vec![1]));
        assert_eq!(count("\n", &["\n", "\n"]), (2, vec![1, 2]));
        assert_eq!(count("x", &["yyy", "", "y"]), (0, vec![]));
    }

    #[test]
    fn every_way_to_cut_a_text_gives_the_same_hits() {
        let text = "ab\nab\nabab\n\nb";
        let whole = count("ab", &[text]);
        assert_eq!(whole, (4, vec![1, 2, 3]));
        for first in 0..text.len() {
            for second in first..text.len() {
                let chunks = [&text[..first], &text[first..second], &text[second..]];
                assert_eq!(count("ab", &chunks), whole, "{chunks:?}");
            }
        }
    }

    #[test]
    fn a_line_longer_than_the_limit_is_known_to_be_cut() {
        let pattern = Regex::new("end$").unwrap();
        let mut lines = Lines::new(vec![&pattern]);
        lines.push(&vec![b'x'; LONGEST_LINE + 1]);
        lines.push(b"end\nthe end\r\n");
        lines.finish();
        assert!(lines.cut);
        assert_eq!(lines.hits[0].lines, [2]);
    }
}
