//! What is allowed: by the config, by a baseline file, by a marker in the line.

use std::collections::HashMap;

use globset::{GlobBuilder, GlobMatcher};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use regex::bytes::Regex;

use crate::config::SecretAllowance;

/// The marker that allows a line, in it or in the line above.
pub(crate) const MARKER: &[u8] = b"readygate:allow-secret";
/// The markers of other scanners.
const FOREIGN: [&[u8]; 4] = [
    b"gitleaks:allow",
    b"pragma: allowlist secret",
    b"betterleaks:allow",
    b"trufflehog:ignore",
];

/// An entry of the config, compiled.
#[derive(Debug)]
pub(crate) struct Allowance {
    pub reason: String,
    paths: Vec<GlobMatcher>,
    rules: Vec<String>,
    regex: Option<Regex>,
    until: Option<Date>,
}

impl Allowance {
    /// Compiles; the error names the field.
    pub fn new(from: &SecretAllowance) -> Result<Self, (String, String)> {
        let glob = |(index, text): (usize, &String)| {
            let built = GlobBuilder::new(text).literal_separator(true).build();
            built.map(|g| g.compile_matcher()).map_err(|e| {
                (
                    format!("/paths/{index}"),
                    format!("`{text}` is not a glob: {}", e.kind()),
                )
            })
        };
        let regex = from.regex.as_deref().map(Regex::new).transpose();
        let until = from.until.as_deref().map(str::parse::<Date>).transpose();
        Ok(Self {
            reason: from.reason.clone(),
            paths: from
                .paths
                .iter()
                .enumerate()
                .map(glob)
                .collect::<Result<_, _>>()?,
            rules: from.rules.clone(),
            regex: regex.map_err(|e| {
                (
                    "/regex".to_owned(),
                    format!("it is not a regular expression: {e}"),
                )
            })?,
            until: until.map_err(|_| {
                (
                    "/until".to_owned(),
                    "it is not a day such as 2027-01-31".to_owned(),
                )
            })?,
        })
    }

    /// Whether the finding is meant, whatever the day.
    fn covers(&self, rule: &str, path: &str, secret: &[u8]) -> bool {
        (self.paths.is_empty() || self.paths.iter().any(|g| g.is_match(path)))
            && (self.rules.is_empty() || self.rules.iter().any(|r| r == rule))
            && self.regex.as_ref().is_none_or(|r| r.is_match(secret))
    }

    /// Whether what is found at `path` could be allowed for its path.
    pub fn covers_path(&self, path: &str) -> bool {
        self.paths.iter().any(|g| g.is_match(path))
    }
}

/// One line of a baseline.
#[derive(Debug)]
struct Known {
    reason: String,
    until: Option<Date>,
}

/// All that is allowed.
#[derive(Debug, Default)]
pub(crate) struct Allowed {
    entries: Vec<Allowance>,
    baseline: HashMap<String, Known>,
    foreign: bool,
    today: Option<Date>,
}

/// What is said of one finding.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ruling {
    /// It counts; perhaps with a note on an allowance that has ended.
    Counts(Option<String>),
    /// It does not: what allowed it, and the reason.
    Allowed(&'static str, String),
    /// A marker without a reason.
    Unexplained,
}

impl Allowed {
    /// Compiles the config's entries; these were validated before.
    pub fn new(entries: &[SecretAllowance], foreign: bool, now: Timestamp) -> Self {
        Self {
            entries: entries
                .iter()
                .filter_map(|e| Allowance::new(e).ok())
                .collect(),
            baseline: HashMap::new(),
            foreign,
            today: Some(now.to_zoned(TimeZone::UTC).date()),
        }
    }

    /// Reads a baseline; the error names the line.
    pub fn read_baseline(&mut self, text: &str) -> Result<(), (u64, String)> {
        for (number, line) in (1_u64..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (fingerprint, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            let right = fingerprint.len() == 20 && fingerprint.starts_with("rg1-");
            if !right || !fingerprint[4..].bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err((
                    number,
                    "it does not begin with a fingerprint such as rg1-0123456789abcdef".to_owned(),
                ));
            }
            let rest = rest.trim();
            let (until, reason) = match rest.strip_prefix("until=") {
                Some(rest) => {
                    let (day, reason) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
                    let day: Date = day.parse().map_err(|_| {
                        (number, format!("`{day}` is not a day such as 2027-01-31"))
                    })?;
                    (Some(day), reason.trim())
                }
                None => (None, rest),
            };
            if reason.is_empty() {
                return Err((number, "it gives no reason".to_owned()));
            }
            let known = Known {
                reason: reason.to_owned(),
                until,
            };
            self.baseline.insert(fingerprint.to_owned(), known);
        }
        Ok(())
    }

    /// Rules on a finding. `line` is the line that holds it and `above` the one before.
    pub fn rule(
        &self,
        rule: &str,
        path: &str,
        secret: &[u8],
        fingerprint: &str,
        line: &[u8],
        above: &[u8],
    ) -> Ruling {
        if let Some(reason) = marker(line).or_else(|| marker(above)) {
            return if reason.is_empty() {
                Ruling::Unexplained
            } else {
                Ruling::Allowed("inline", reason)
            };
        }
        if self.foreign
            && FOREIGN
                .iter()
                .any(|m| memchr::memmem::find(line, m).is_some())
        {
            return Ruling::Allowed("inline", "a marker of another scanner".to_owned());
        }
        let mut note = None;
        for entry in self.entries.iter().filter(|e| e.covers(rule, path, secret)) {
            match entry
                .until
                .filter(|until| self.today.is_some_and(|t| t > *until))
            {
                None => return Ruling::Allowed("allow", entry.reason.clone()),
                Some(until) => {
                    note = Some(format!("it was allowed until {until}: {}", entry.reason));
                }
            }
        }
        if let Some(known) = self.baseline.get(fingerprint) {
            match known
                .until
                .filter(|until| self.today.is_some_and(|t| t > *until))
            {
                None => return Ruling::Allowed("baseline", known.reason.clone()),
                Some(until) => {
                    note = Some(format!(
                        "the baseline allowed it until {until}: {}",
                        known.reason
                    ));
                }
            }
        }
        Ruling::Counts(note)
    }

    /// Whether an allowance depends on paths at all.
    pub fn names_paths(&self) -> bool {
        self.entries.iter().any(|e| !e.paths.is_empty())
    }

    /// Whether an allowance depends on this path, so that the same content elsewhere must be looked at again.
    pub fn depends_on(&self, path: &str) -> bool {
        self.entries.iter().any(|e| e.covers_path(path))
    }
}

/// The text behind a marker, empty where it gives no reason.
fn marker(line: &[u8]) -> Option<String> {
    let at = memchr::memmem::find(line, MARKER)? + MARKER.len();
    let rest = String::from_utf8_lossy(&line[at..]);
    let closers = ["*/", "-->", "#}", "%>", "]]>"];
    let mut reason = rest.trim().trim_start_matches([':', '=']).trim();
    for closer in closers {
        reason = reason.strip_suffix(closer).unwrap_or(reason).trim();
    }
    let words = reason.chars().filter(|c| c.is_alphanumeric()).count();
    Some(if words >= 3 {
        reason.chars().take(200).collect()
    } else {
        String::new()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(until: Option<&str>) -> Allowed {
        let entry = SecretAllowance {
            reason: "made for tests".into(),
            paths: vec!["tests/**".into()],
            rules: vec!["jwt".into()],
            regex: Some("^ey".into()),
            until: until.map(str::to_owned),
        };
        Allowed::new(&[entry], false, "2026-11-27T00:00:00Z".parse().unwrap())
    }

    #[test]
    fn an_entry_holds_where_all_of_it_does() {
        let rule =
            |a: &Allowed, rule, path, secret: &[u8]| a.rule(rule, path, secret, "", b"", b"");
        let a = allowed(None);
        assert_eq!(
            rule(&a, "jwt", "tests/a/b.rs", b"eyx"),
            Ruling::Allowed("allow", "made for tests".into())
        );
        assert_eq!(rule(&a, "jwt", "src/b.rs", b"eyx"), Ruling::Counts(None));
        assert_eq!(
            rule(&a, "npm-token", "tests/b.rs", b"eyx"),
            Ruling::Counts(None)
        );
        assert_eq!(rule(&a, "jwt", "tests/b.rs", b"x"), Ruling::Counts(None));
        let ended = rule(&allowed(Some("2026-11-26")), "jwt", "tests/b.rs", b"eyx");
        assert!(matches!(ended, Ruling::Counts(Some(note)) if note.contains("2026-11-26")));
        let last_day = rule(&allowed(Some("2026-11-27")), "jwt", "tests/b.rs", b"eyx");
        assert!(matches!(last_day, Ruling::Allowed(..)));
    }

    #[test]
    fn a_marker_needs_a_reason() {
        assert_eq!(marker(b"x = 1"), None);
        assert_eq!(marker(b"x // readygate:allow-secret"), Some(String::new()));
        assert_eq!(
            marker(b"x /* readygate:allow-secret */"),
            Some(String::new())
        );
        assert_eq!(
            marker(b"x # readygate:allow-secret revoked in May"),
            Some("revoked in May".into())
        );
        assert_eq!(
            marker(b"<!-- readygate:allow-secret: public demo -->"),
            Some("public demo".into())
        );
    }

    #[test]
    fn a_baseline_names_the_line_that_is_wrong() {
        let mut a = allowed(None);
        assert_eq!(
            a.read_baseline("# x\n\nrg1-0123456789abcdef until=2027-01-01 rotated in March\n"),
            Ok(())
        );
        assert_eq!(
            a.rule("x", "y", b"z", "rg1-0123456789abcdef", b"", b""),
            Ruling::Allowed("baseline", "rotated in March".into())
        );
        assert_eq!(a.read_baseline("rg1-0123456789abcdef\n").unwrap_err().0, 1);
        assert_eq!(a.read_baseline("\nnonsense reason\n").unwrap_err().0, 2);
        assert!(
            a.read_baseline("rg1-0123456789abcdef until=soon x")
                .is_err()
        );
    }
}
