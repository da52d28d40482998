//! Coverage of source files, and how that of several reports is brought together.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// So many covered of so many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Count {
    /// Executed at least once.
    pub covered: u64,
    /// All that can be executed.
    pub total: u64,
}

impl Count {
    pub(crate) fn new(covered: u64, total: u64) -> Self {
        Self {
            covered: covered.min(total),
            total,
        }
    }

    fn of<'a>(items: impl Iterator<Item = &'a bool>) -> Self {
        items.fold(Self::default(), |count, hit| {
            Self::new(count.covered + u64::from(*hit), count.total + 1)
        })
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.covered = self.covered.saturating_add(other.covered);
        self.total = self.total.saturating_add(other.total);
    }

    /// What is beyond `part`; nothing where the part is as large.
    fn beyond(self, part: Self) -> Self {
        let total = self.total.saturating_sub(part.total);
        Self::new(self.covered.saturating_sub(part.covered), total)
    }

    /// Counts of the same things from two runs, of which neither says which: the true union is at
    /// least the better one.
    fn better(self, other: Self) -> Self {
        Self::new(self.covered.max(other.covered), self.total.max(other.total))
    }

    /// 0 to 100, unrounded; `None` of nothing.
    pub fn percent(self) -> Option<f64> {
        (self.total > 0).then(|| 100.0 * self.covered as f64 / self.total as f64)
    }
}

/// The three measures, each with a count where the report carries it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub lines: Option<Count>,
    pub branches: Option<Count>,
    pub functions: Option<Count>,
}

impl Counts {
    fn merge(self, other: Self, join: fn(Count, Count) -> Count) -> Self {
        let both = |a: Option<Count>, b: Option<Count>| match (a, b) {
            (Some(a), Some(b)) => Some(join(a, b)),
            (a, b) => a.or(b),
        };
        Self {
            lines: both(self.lines, other.lines),
            branches: both(self.branches, other.branches),
            functions: both(self.functions, other.functions),
        }
    }

    pub(crate) fn sum(self, other: Self) -> Self {
        let add = |mut a: Count, b: Count| {
            a.add(b);
            a
        };
        self.merge(other, add)
    }

    /// These, and the others where one is absent.
    pub(crate) fn or(self, other: Self) -> Self {
        self.merge(other, |own, _| own)
    }

    pub(crate) fn beyond(self, part: Self) -> Self {
        let beyond = |own: Option<Count>, part: Option<Count>| {
            own.map(|own| own.beyond(part.unwrap_or_default()))
        };
        Self {
            lines: beyond(self.lines, part.lines),
            branches: beyond(self.branches, part.branches),
            functions: beyond(self.functions, part.functions),
        }
    }
}

/// One source file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FileCoverage {
    /// Whether each executable line was executed.
    pub lines: BTreeMap<u32, bool>,
    /// Go's blocks by their extent: statements inside, and whether they were executed.
    pub blocks: BTreeMap<[u32; 4], (u64, bool)>,
    /// Branches that the report tells apart.
    pub branches: BTreeMap<(u32, String), bool>,
    /// Branches of a line, where it only counts them.
    pub branch_counts: BTreeMap<u32, Count>,
    /// Functions by name and place.
    pub functions: BTreeMap<String, bool>,
    /// Counts of the whole file, where the report gives no more.
    pub summary: Counts,
    /// Lines of a report that counts them otherwise (llvm-cov: by function); for the change only.
    pub view: BTreeMap<u32, bool>,
}

impl FileCoverage {
    /// A line that several parts of a report or several reports name is hit if it is in any.
    pub(crate) fn line(&mut self, line: u32, hit: bool) {
        *self.lines.entry(line).or_default() |= hit;
    }

    pub(crate) fn branch(&mut self, line: u32, key: impl Into<String>, taken: bool) {
        *self.branches.entry((line, key.into())).or_default() |= taken;
    }

    pub(crate) fn branch_count(&mut self, line: u32, count: Count) {
        let known = self.branch_counts.entry(line).or_default();
        *known = known.better(count);
    }

    pub(crate) fn function(&mut self, key: impl Into<String>, hit: bool) {
        *self.functions.entry(key.into()).or_default() |= hit;
    }

    pub(crate) fn block(&mut self, extent: [u32; 4], statements: u64, hit: bool) {
        let known = self.blocks.entry(extent).or_insert((statements, false));
        known.1 |= hit;
    }

    /// Adds the same file of another report.
    pub(crate) fn merge(&mut self, other: Self) {
        for (line, hit) in other.lines {
            self.line(line, hit);
        }
        for (extent, (statements, hit)) in other.blocks {
            self.block(extent, statements, hit);
        }
        for (line, hit) in other.view {
            *self.view.entry(line).or_default() |= hit;
        }
        for ((line, key), taken) in other.branches {
            self.branch(line, key, taken);
        }
        for (line, count) in other.branch_counts {
            self.branch_count(line, count);
        }
        for (key, hit) in other.functions {
            self.function(key, hit);
        }
        self.summary = self.summary.merge(other.summary, Count::better);
    }

    /// What counts: the details, or the counts of the whole file where there are none.
    pub(crate) fn counts(&self) -> Counts {
        let mut lines = Count::of(self.lines.values());
        for (statements, hit) in self.blocks.values() {
            lines.add(Count::new(if *hit { *statements } else { 0 }, *statements));
        }
        let mut branches = Count::of(self.branches.values());
        for count in self.branch_counts.values() {
            branches.add(*count);
        }
        let functions = Count::of(self.functions.values());
        let detailed = !self.lines.is_empty() || !self.blocks.is_empty();
        let some = |count: Count, detailed: bool, summary| {
            (detailed || count.total > 0).then_some(count).or(summary)
        };
        Counts {
            lines: some(lines, detailed, self.summary.lines),
            branches: some(branches, false, self.summary.branches),
            functions: some(functions, false, self.summary.functions),
        }
    }

    /// Whether a line is executable, and if so, whether it was executed. Go's blocks stand for the
    /// lines that they extend over.
    pub(crate) fn at(&self, line: u32) -> Option<bool> {
        let in_block = |extent: &[u32; 4]| extent[0] <= line && line <= extent[2];
        let blocks = self
            .blocks
            .iter()
            .filter(|(extent, (statements, _))| *statements > 0 && in_block(extent))
            .map(|(_, (_, hit))| *hit);
        let own = [&self.lines, &self.view].into_iter();
        let own = own.filter_map(|lines| lines.get(&line).copied());
        blocks.chain(own).reduce(|a, b| a | b)
    }

    /// Whether single lines are known.
    pub(crate) fn has_lines(&self) -> bool {
        !self.lines.is_empty() || !self.blocks.is_empty() || !self.view.is_empty()
    }
}

/// What one report holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Report {
    pub format: &'static str,
    /// By the path as it is written in the report.
    pub files: BTreeMap<String, FileCoverage>,
    /// Counts of the whole report that stand beside those of the files.
    pub totals: Counts,
    /// Folders that relative paths may be relative to.
    pub roots: Vec<String>,
    /// Whether the format tells about branches and functions at all.
    pub carries_branches: bool,
    pub carries_functions: bool,
    /// When it was made.
    pub started: Option<readygate_reports::Started>,
    /// The commit that it names.
    pub commit: Option<String>,
}

impl Report {
    pub(crate) fn file(&mut self, path: &str) -> &mut FileCoverage {
        self.files.entry(path.to_owned()).or_default()
    }

    /// The sum over its files.
    pub(crate) fn sum(&self) -> Counts {
        let counts = self.files.values().map(FileCoverage::counts);
        counts.fold(Counts::default(), Counts::sum)
    }
}
