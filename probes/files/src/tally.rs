//! Counts files and keeps the telling ones, in memory that does not grow with their number.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::FileRecord;

/// Up to so many files are all kept.
const ALL: usize = 200;
/// Of more, so many are kept at each end of size and age.
const ENDS: usize = 20;

/// Files seen so far.
#[derive(Debug, Default)]
pub struct Tally {
    /// How many.
    pub matched: u64,
    /// Their size together.
    pub bytes: u64,
    all: Vec<FileRecord>,
    smallest: Ends,
    largest: Ends,
    oldest: Ends,
    newest: Ends,
    undated: Vec<FileRecord>,
}

impl Tally {
    /// Takes one more file.
    pub fn add(&mut self, file: FileRecord) {
        self.matched += 1;
        self.bytes = self.bytes.saturating_add(file.size);
        let size = i128::from(file.size);
        self.smallest.offer(size, &file);
        self.largest.offer(-size, &file);
        match file.modified.map(Timestamp::as_nanosecond) {
            Some(at) => {
                self.oldest.offer(at, &file);
                self.newest.offer(-at, &file);
            }
            None if self.undated.len() < ENDS => self.undated.push(file.clone()),
            None => {}
        }
        if self.all.len() <= ALL {
            self.all.push(file);
        }
    }

    /// The files to keep, by path.
    pub fn into_files(self) -> Vec<FileRecord> {
        if self.all.len() <= ALL {
            let mut files = self.all;
            files.sort_by(|a, b| a.path.cmp(&b.path));
            return files;
        }
        let ends = [self.smallest, self.largest, self.oldest, self.newest];
        let mut kept = BTreeMap::new();
        let files = ends.into_iter().flat_map(|end| end.files.into_values());
        for file in files.chain(self.undated) {
            kept.insert(file.path.clone(), file);
        }
        kept.into_values().collect()
    }
}

/// The files with the lowest keys.
#[derive(Debug, Default)]
struct Ends {
    order: BTreeSet<(i128, String)>,
    files: BTreeMap<String, FileRecord>,
}

impl Ends {
    fn offer(&mut self, key: i128, file: &FileRecord) {
        let full = self.order.len() >= ENDS;
        if full && self.order.last().is_some_and(|(worst, _)| key >= *worst) {
            return;
        }
        self.order.insert((key, file.path.clone()));
        self.files.insert(file.path.clone(), file.clone());
        if full && let Some((_, path)) = self.order.pop_last() {
            self.files.remove(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_files_the_extremes_are_kept() {
        let mut tally = Tally::default();
        for n in 0..100_000_u64 {
            let at = i64::try_from((n * 7_919) % 100_000).unwrap();
            tally.add(FileRecord {
                path: format!("f{n:06}"),
                size: (n * 31) % 100_003,
                modified: Timestamp::from_second(at).ok(),
                sha256: None,
            });
        }
        assert_eq!(tally.matched, 100_000);
        let files = tally.into_files();
        assert!(files.len() <= 4 * ENDS, "{}", files.len());
        let sizes: Vec<u64> = files.iter().map(|f| f.size).collect();
        let times: Vec<i64> = files
            .iter()
            .filter_map(|f| f.modified)
            .map(Timestamp::as_second)
            .collect();
        assert_eq!(sizes.iter().min(), Some(&0));
        assert!(sizes.iter().max() >= Some(&99_990));
        assert_eq!(
            (times.iter().min(), times.iter().max()),
            (Some(&0), Some(&99_999))
        );
    }
}
