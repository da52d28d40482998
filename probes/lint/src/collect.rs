//! Brings the readings of all reports together.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use readygate_reports::find::Found;
use readygate_sdk::{Cx, excerpt};

use crate::{
    config::{Format, LintConfig, Severity},
    measurement::{Baseline, Counts, Finding, LintReports, Problem, ReportFile, RuleCount, cap},
    read::{self, Fault, Reading, Settings},
};

/// Results that are held in memory, over all reports.
const MOST_RESULTS: usize = 2_000_000;

/// Where a report comes from.
pub(crate) struct Origin {
    pub path: String,
    pub modified: Option<Timestamp>,
    pub before_run: bool,
}

/// The sum in the making.
pub(crate) struct Collector<'a> {
    cx: &'a Cx,
    config: &'a LintConfig,
    /// The folder of the config, absolute: most linters write absolute paths.
    folder: PathBuf,
    reports: LintReports,
    findings: Vec<Finding>,
    known: HashMap<(u64, usize), String>,
    linted_unknown: bool,
    stated: (u64, u64),
}

impl<'a> Collector<'a> {
    pub fn new(cx: &'a Cx, config: &'a LintConfig, found: &Found) -> Self {
        Self {
            cx,
            config,
            folder: cx.resolve(".").canonicalize().unwrap_or_default(),
            reports: LintReports {
                unmatched: found.unmatched.clone(),
                ..LintReports::default()
            },
            findings: Vec::new(),
            known: HashMap::new(),
            linted_unknown: false,
            stated: (0, 0),
        }
    }

    pub fn wanted(&self) -> Option<Format> {
        self.config.format
    }

    /// The path as the user knows it.
    pub fn name(&self, path: &Path) -> String {
        let path = path.strip_prefix(self.cx.directory()).unwrap_or(path);
        path.strip_prefix(".").unwrap_or(path).display().to_string()
    }

    pub fn unreadable(&mut self, path: &str, fault: &Fault) {
        self.reports.unreadable_total += 1;
        let problem = Problem {
            path: path.to_owned(),
            line: fault.line,
            column: fault.column,
            reason: self.short(&fault.reason, cap::MESSAGE),
        };
        push(&mut self.reports.unreadable, problem);
    }

    /// Masks secrets before a text is cut and half of one could stay.
    fn short(&self, text: &str, max: usize) -> String {
        excerpt(self.cx.mask(text).trim(), max)
    }

    fn parse(&self, bytes: &[u8]) -> Result<(Format, Reading), Fault> {
        let text = read::decode(bytes)?;
        let settings = Settings {
            default_levels: &self.config.default_levels,
            empty_is_clean: self.config.empty_is_clean,
        };
        read::read(&text, self.config.format, &settings)
    }

    /// Adds one report.
    pub fn add(&mut self, origin: Origin, bytes: &[u8]) {
        let key = (digest(bytes), bytes.len());
        match self.parse(bytes) {
            Err(fault) => self.unreadable(&origin.path, &fault),
            Ok((_, reading)) if self.findings.len() + reading.findings.len() > MOST_RESULTS => {
                let reason = format!("there are more than {MOST_RESULTS} results");
                self.unreadable(&origin.path, &Fault::new(reason));
            }
            Ok((format, reading)) => {
                if let Some(of) = self.known.get(&key).filter(|_| !bytes.is_empty()) {
                    let pair = format!("{} is the same as {of}", origin.path);
                    if self.reports.duplicates.len() < cap::PROBLEMS {
                        self.reports.duplicates.push(pair);
                    }
                    return;
                }
                self.known.insert(key, origin.path.clone());
                self.take(origin, format, reading, bytes.len() as u64);
            }
        }
    }

    /// tsc printed nothing, and its exit code says that all is well.
    pub fn add_silent_tsc(&mut self, origin: Origin) {
        self.take(origin, Format::Tsc, read::silent_tsc(), 0);
    }

    fn take(&mut self, origin: Origin, format: Format, mut reading: Reading, bytes: u64) {
        let path = origin.path;
        self.reports.counts.add(&reading.counts);
        self.reports.files_total += 1;
        self.stated.0 += reading.stated_new;
        self.stated.1 += reading.stated;
        match reading.linted {
            Some(n) => *self.reports.linted.get_or_insert(0) += n,
            None => self.linted_unknown = true,
        }
        if reading.linted == Some(0) && reading.counts.results() == 0 {
            reading
                .doubtful
                .push("nothing was linted: no file is in it".to_owned());
        }
        self.reports.incomplete_total += reading.incomplete.len() as u64;
        for reason in &reading.incomplete {
            let problem = self.problem(&path, reason);
            push(&mut self.reports.incomplete, problem);
        }
        for reason in &reading.doubtful {
            let problem = self.problem(&path, reason);
            push(&mut self.reports.doubtful, problem);
        }
        let tools = reading.tools.iter().take(20);
        self.reports.files.push(ReportFile {
            path,
            format,
            tools: tools.map(|tool| self.short(tool, cap::NAME)).collect(),
            bytes,
            counts: reading.counts,
            written: reading.ended.or(origin.modified),
            before_run: origin.before_run,
        });
        for mut finding in reading.findings {
            finding.file = self.place(&finding.file);
            self.findings.push(finding);
        }
    }

    fn problem(&self, path: &str, reason: &str) -> Problem {
        Problem {
            path: path.to_owned(),
            line: None,
            column: None,
            reason: self.short(reason, cap::MESSAGE),
        }
    }

    /// A path without what differs from machine to machine.
    fn place(&self, file: &str) -> String {
        let file = file.strip_prefix("file://").unwrap_or(file);
        let inside = Path::new(file)
            .strip_prefix(&self.folder)
            .ok()
            .filter(|_| self.folder.parent().is_some())
            .and_then(Path::to_str);
        let file = inside.unwrap_or(file);
        file.strip_prefix("./").unwrap_or(file).to_owned()
    }

    /// Compares with an earlier report. A result may occur as often as it did then.
    pub fn compare(&mut self, path: &str, bytes: Result<Vec<u8>, Fault>) {
        let mut baseline = Baseline {
            path: path.to_owned(),
            known: 0,
            new: Counts::default(),
            trouble: None,
        };
        // The baseline may be in another format than the reports.
        let earlier = bytes.and_then(|bytes| {
            let text = read::decode(&bytes)?;
            let settings = Settings {
                default_levels: &self.config.default_levels,
                empty_is_clean: true,
            };
            read::read(&text, None, &settings)
        });
        match earlier {
            Err(fault) => baseline.trouble = Some(self.short(&fault.reason, cap::MESSAGE)),
            Ok((_, reading)) => {
                baseline.known = reading.findings.len() as u64;
                let mut room: HashMap<(String, String, String), u64> = HashMap::new();
                for finding in reading.findings {
                    let file = self.place(&finding.file);
                    *room
                        .entry((finding.rule, file, finding.message))
                        .or_default() += 1;
                }
                self.findings.retain(|finding| {
                    let key = (
                        finding.rule.clone(),
                        finding.file.clone(),
                        finding.message.clone(),
                    );
                    match room.get_mut(&key) {
                        Some(left) if *left > 0 => {
                            *left -= 1;
                            false
                        }
                        _ => {
                            *baseline.new.of(finding.level) += 1;
                            true
                        }
                    }
                });
            }
        }
        self.reports.baseline = Some(baseline);
    }

    pub fn finish(mut self) -> LintReports {
        if self.linted_unknown {
            self.reports.linted = None;
        }
        // Where reports must be left out of the list, the stale and the oldest stay.
        let files = &mut self.reports.files;
        if files.len() > cap::FILES {
            files.sort_by_key(|file| (!file.before_run, file.written));
            files.truncate(cap::FILES);
        }
        let (new, stated) = self.stated;
        let counted = self.reports.counts.results();
        self.reports.stated_new = (stated > 0 && stated == counted).then_some(new);
        let mut rules: BTreeMap<(Severity, &str), u64> = BTreeMap::new();
        for finding in &self.findings {
            *rules.entry((finding.level, &finding.rule)).or_default() += 1;
        }
        let mut rules: Vec<RuleCount> = rules
            .into_iter()
            .map(|((level, rule), count)| RuleCount {
                rule: self.short(rule, cap::NAME),
                level,
                count,
            })
            .collect();
        rules.sort_by_key(|rule| (rule.level, u64::MAX - rule.count));
        rules.truncate(cap::RULES);
        self.reports.rules = rules;
        let mut findings = std::mem::take(&mut self.findings);
        findings.sort_by_key(|finding| finding.level);
        findings.truncate(cap::RESULTS);
        for finding in &mut findings {
            finding.rule = self.short(&finding.rule, cap::NAME);
            finding.file = self.short(&finding.file, cap::NAME);
            finding.message = self.short(&finding.message, cap::MESSAGE);
        }
        self.reports.results = findings;
        self.reports
    }
}

fn push(list: &mut Vec<Problem>, problem: Problem) {
    if list.len() < cap::PROBLEMS {
        list.push(problem);
    }
}

/// Tells reports apart; equal ones that are not the same would have to be made on purpose.
fn digest(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}
