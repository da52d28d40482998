//! Applies the rules to a measurement.

use jiff::Timestamp;
use readygate_sdk::{ByteSize, Checks, Rule, Unit, count_of};

use crate::{
    FileRecord, FilesConfig, FilesMeasurement, PathRecord, TextRecord, TextRole,
    metrics::{SKEW_SECONDS, age},
    rules,
};

/// Lines of evidence in one check.
const SHOWN: usize = 20;

pub fn judge(config: &FilesConfig, measurement: &FilesMeasurement, checks: &mut Checks) {
    for path in &config.paths {
        let rule = if config.absent {
            &rules::UNEXPECTED
        } else {
            &rules::MISSING
        };
        match measurement.paths.iter().find(|p| p.path == *path) {
            None => checks
                .check(rule, path)
                .unmeasured("this path was not looked at in the measurement"),
            Some(_) if config.absent && !measurement.absence => checks
                .check(rule, path)
                .unmeasured("the measurement looked for files and passed over folders"),
            Some(found) if config.absent => absent(found, checks),
            Some(found) => present(config, found, measurement.taken_at, checks),
        }
    }
}

fn absent(found: &PathRecord, checks: &mut Checks) {
    let total = found.matched + found.others_total;
    let files = found.files.iter().map(|f| f.path.clone());
    let others = found
        .others
        .iter()
        .map(|o| format!("{} ({})", o.path, o.kind));
    let check = checks
        .check(&rules::UNEXPECTED, &found.path)
        .expected("nothing at this path")
        .actual(match total {
            0 => "nothing".to_owned(),
            n => count_of(n, "entry", "entries"),
        });
    if total > 0 {
        check
            .message(format!("{} where nothing may be", exist(total)))
            .details(list(files.chain(others), total))
            .fail();
    } else if found.unreadable_total > 0 {
        check.unmeasured("nothing was found, and not everything could be looked at");
    } else {
        check.message("nothing exists there, as wanted").pass();
    }
    readable(found, checks);
}

fn exist(n: u64) -> String {
    format!(
        "{} {}",
        count_of(n, "entry", "entries"),
        if n == 1 { "exists" } else { "exist" }
    )
}

fn present(config: &FilesConfig, found: &PathRecord, taken_at: Timestamp, checks: &mut Checks) {
    missing(found, checks);
    readable(found, checks);
    if found.matched == 0 {
        return;
    }
    sizes(config, found, checks);
    if let Some(max) = config.max_age {
        let limit = max.0.as_secs_f64();
        ages(found, taken_at, limit, &max.to_string(), checks);
    }
    let wanted = [
        (TextRole::Contains, &config.contains),
        (TextRole::Matches, &config.matches),
    ];
    for (role, texts) in wanted {
        for text in texts.iter() {
            lacks_text(found, role, text, checks);
        }
    }
    for text in config.not_contains.iter() {
        has_text(found, text, checks);
    }
    if let Some(sum) = &config.sha256 {
        checksum(found, sum, checks);
    }
}

fn missing(found: &PathRecord, checks: &mut Checks) {
    let check = checks
        .check(&rules::MISSING, &found.path)
        .expected("at least one regular file");
    if found.matched > 0 {
        let message = match found.matched {
            1 => "the file exists".to_owned(),
            n => format!("{n} files match"),
        };
        check
            .message(message)
            .actual(count_of(found.matched, "file", "files"))
            .pass();
    } else if found.unreadable_total > 0 {
        check.unmeasured("no file was found, and not everything could be looked at");
    } else if let Some(other) = found.others.first() {
        let hint = (other.kind == "a directory")
            .then(|| format!("name the file, or all files below: {}/**", found.path));
        let check = check
            .message(format!(
                "{} is {}, not a regular file",
                other.path, other.kind
            ))
            .actual(other.kind.clone());
        match hint {
            Some(hint) => check.hint(hint).fail(),
            None => check.fail(),
        }
    } else {
        check
            .message("nothing is at this path")
            .actual("nothing")
            .fail();
    }
}

fn readable(found: &PathRecord, checks: &mut Checks) {
    if found.unreadable_total > 0 {
        let lines = found
            .unreadable
            .iter()
            .map(|u| format!("{}: {}", u.path, u.problem));
        let total = found.unreadable_total;
        checks
            .check(&rules::UNREADABLE, &found.path)
            .hint(rules::UNREADABLE.fix)
            .details(list(lines, total))
            .unmeasured(format!(
                "{} could not be read",
                count_of(total, "file or folder", "files or folders")
            ));
    }
}

fn sizes(config: &FilesConfig, found: &PathRecord, checks: &mut Checks) {
    let bytes = |size: u64| match Unit::Bytes.format(size as f64) {
        shown if size < 1_024 => shown,
        shown => format!("{shown} ({size} bytes)"),
    };
    match config.min_size {
        Some(min) => each(
            &rules::TOO_SMALL,
            found,
            checks,
            Condition {
                expected: format!("at least {min}"),
                holds: "large enough",
                fails: &|f: &FileRecord| (f.size < min.0).then(|| bytes(f.size)),
            },
        ),
        None => each(
            &rules::EMPTY,
            found,
            checks,
            Condition {
                expected: "at least one byte".to_owned(),
                holds: "not empty",
                fails: &|f: &FileRecord| (f.size == 0).then(|| "0 bytes".to_owned()),
            },
        ),
    }
    if let Some(max @ ByteSize(limit)) = config.max_size {
        each(
            &rules::TOO_LARGE,
            found,
            checks,
            Condition {
                expected: format!("at most {max}"),
                holds: "small enough",
                fails: &|f: &FileRecord| (f.size > limit).then(|| bytes(f.size)),
            },
        );
    }
}

fn ages(found: &PathRecord, taken_at: Timestamp, limit: f64, shown: &str, checks: &mut Checks) {
    if let Some(file) = found.files.iter().find(|f| f.modified.is_none()) {
        checks
            .check(&rules::TOO_OLD, &found.path)
            .unmeasured(format!("{} has no modification time", file.path));
        return;
    }
    let age_of = |f: &FileRecord| f.modified.map_or(0.0, |at| age(taken_at, at));
    let dated = |f: &FileRecord, words: String| {
        let at = f.modified.map_or_else(String::new, |at| format!("{at:.0}"));
        format!("{words} ({at})")
    };
    each(
        &rules::FUTURE_MTIME,
        found,
        checks,
        Condition {
            expected: "modified at or before now".to_owned(),
            holds: "not from the future",
            fails: &|f: &FileRecord| {
                let ahead = -age_of(f);
                (ahead > SKEW_SECONDS)
                    .then(|| dated(f, format!("{} ahead", Unit::Seconds.format(ahead.round()))))
            },
        },
    );
    let is_future = |f: &FileRecord| -age_of(f) > SKEW_SECONDS;
    if found.files.iter().any(is_future) && !found.files.iter().any(|f| age_of(f) > limit) {
        return; // a date that cannot be right is not fresh either
    }
    each(
        &rules::TOO_OLD,
        found,
        checks,
        Condition {
            expected: format!("modified within the last {shown}"),
            holds: "fresh enough",
            fails: &|f: &FileRecord| {
                let age = age_of(f);
                (age > limit)
                    .then(|| dated(f, format!("{} ago", Unit::Seconds.format(age.round()))))
            },
        },
    );
}

/// A condition on single files.
struct Condition<'a> {
    expected: String,
    /// What a file is when it holds: `large enough`.
    holds: &'a str,
    /// What the file is instead, when it does not hold.
    fails: &'a dyn Fn(&FileRecord) -> Option<String>,
}

fn each(rule: &'static Rule, found: &PathRecord, checks: &mut Checks, condition: Condition<'_>) {
    let offenders: Vec<(&str, String)> = found
        .files
        .iter()
        .filter_map(|f| (condition.fails)(f).map(|actual| (f.path.as_str(), actual)))
        .collect();
    let check = checks.check(rule, &found.path).expected(condition.expected);
    let Some((path, actual)) = offenders.first() else {
        let message = match found.matched {
            1 => format!("the file is {}", condition.holds),
            n => format!("all {n} files are {}", condition.holds),
        };
        return check.message(message).pass();
    };
    let more = offenders.len() as u64;
    let check = check.actual(actual.clone());
    if more == 1 && found.matched == 1 {
        return check.message(format!("{path}: {actual}")).fail();
    }
    // Of very many files only the extremes are on record; they decide, and cannot be counted.
    let at_least = if found.is_selection() {
        "at least "
    } else {
        ""
    };
    check
        .message(format!(
            "{at_least}{more} of {}, {path} among them",
            count_of(found.matched, "file", "files")
        ))
        .details(list(
            offenders.iter().map(|(p, a)| format!("{p}: {a}")),
            more,
        ))
        .fail();
}

fn text_of<'a>(found: &'a PathRecord, role: TextRole, text: &str) -> Option<&'a TextRecord> {
    found
        .texts
        .iter()
        .find(|t| t.role == role && t.text == text)
}

fn lacks_text(found: &PathRecord, role: TextRole, text: &str, checks: &mut Checks) {
    let what = match role {
        TextRole::Matches => format!("a line that matches `{text}`"),
        _ => format!("the text `{text}`"),
    };
    let check = checks
        .check(&rules::LACKS_TEXT, &found.path)
        .expected(format!("{what} in every file"));
    let Some(record) = text_of(found, role, text) else {
        return check.unmeasured("this text was not looked for in the measurement");
    };
    let (without, all) = (
        record.files_without,
        count_of(found.matched, "file", "files"),
    );
    if without > 0 {
        check
            .message(match record.without.first() {
                Some(path) if found.matched == 1 => format!("{path} has not {what}"),
                _ => format!("{without} of {all} have not {what}"),
            })
            .actual(format!("{} of {all} with it", record.files_with))
            .details(list(record.without.iter().cloned(), without))
            .fail();
    } else if record.files_unjudged > 0 || record.files_with != found.matched {
        check.unmeasured(format!(
            "it could not be told for {} whether {what} is there",
            count_of(record.files_unjudged, "file", "files")
        ));
    } else {
        check
            .message(format!("{what} is there"))
            .actual(format!("{} of {all} with it", record.files_with))
            .pass();
    }
}

fn has_text(found: &PathRecord, text: &str, checks: &mut Checks) {
    let check = checks
        .check(&rules::HAS_TEXT, &found.path)
        .expected(format!("no file with the text `{text}`"));
    let Some(record) = text_of(found, TextRole::NotContains, text) else {
        return check.unmeasured("this text was not looked for in the measurement");
    };
    if record.files_with > 0 {
        let times = count_of(record.occurrences, "time", "times");
        let check = match record.places.first() {
            Some(place) => check
                .message(format!("`{text}` is in {place}"))
                .at(place.clone()),
            None => check.message(format!("`{text}` is there")),
        };
        let lines = record.places.iter().map(ToString::to_string);
        check
            .actual(format!(
                "{times} in {}",
                count_of(record.files_with, "file", "files")
            ))
            .details(lines.take(SHOWN))
            .fail();
    } else if record.files_unjudged > 0 || record.files_without != found.matched {
        check.unmeasured(format!("not every file could be searched for `{text}`"));
    } else {
        check.message(format!("`{text}` is in no file")).pass();
    }
}

fn checksum(found: &PathRecord, wanted: &str, checks: &mut Checks) {
    let check = checks
        .check(&rules::CHECKSUM, &found.path)
        .expected(wanted.to_owned());
    match &found.files[..] {
        [file] if !found.is_selection() => match &file.sha256 {
            Some(sum) => {
                let same = sum == wanted;
                let word = if same { "as wanted" } else { "another one" };
                check
                    .message(format!("the SHA-256 checksum of {} is {word}", file.path))
                    .actual(sum.clone())
                    .passed_if(same);
            }
            None => check.unmeasured(format!("the checksum of {} was not taken", file.path)),
        },
        _ => check
            .hint("make the glob match one file only")
            .unmeasured(format!(
                "{} files match, and one checksum cannot hold for all",
                found.matched
            )),
    }
}

fn list(lines: impl Iterator<Item = String>, total: u64) -> Vec<String> {
    let mut lines: Vec<String> = lines.take(SHOWN).collect();
    let more = total.saturating_sub(lines.len() as u64);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines
}
