//! Numbers with their units, as people write thresholds: `> 80%`, `< 50ms (P95)`, `50K req/s`.

use std::ops::Range;

use super::normal::western;

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// `80%`
    Percent,
    /// `50K req/s`
    Rate,
    /// `50ms`, `15 minutes`
    Duration,
    /// `8GB`, `1Gbps`
    Bytes,
    /// `961/961`: the second number
    Total,
    /// `3 nodes`, `50,000`
    Count,
}

/// One number of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// What it counts.
    pub of: Of,
    /// Its value: percent, per second, seconds, bytes, or plain.
    pub value: f64,
    /// `>`, `<`, `>=` or `<=`, where the text says one.
    pub op: Option<&'static str>,
    /// The value as an expectation takes it: `80%`, `50000/s`, `50ms`.
    pub text: String,
    /// The word after a count: `nodes`.
    pub noun: String,
    /// As it stands in the text: `50K req/s`.
    pub shown: String,
    /// Its digits can mean two numbers: `45.000` is 45 or 45000.
    pub ambiguous: bool,
    /// Where it stands in [`western`] of the text, without its operator.
    pub at: Range<usize>,
    /// Some of what stands before it and its operator, in lower case.
    pub before: String,
    /// Some of what stands after it; the noun of a count first.
    pub after: String,
}

impl Reading {
    /// An expectation: the operator of the text, or else `op`.
    pub fn expectation(&self, op: &str) -> String {
        format!("{} {}", self.op.unwrap_or(op), self.text)
    }
}

/// All numbers of a text, from left to right.
pub fn readings(text: &str) -> Vec<Reading> {
    let text = western(text);
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..]
        .find(|c: char| c.is_ascii_digit())
        .map(|i| at + i)
    {
        let length = number_length(&text[start..]);
        at = start + length;
        let glued = text[..start].chars().next_back();
        // `P95`, `v4.0`, `ISO-27001` name things; `<50` and `(3` count.
        if glued.is_some_and(|c| c.is_alphanumeric() || "_.-#/+".contains(c)) {
            continue;
        }
        let Some(digits) = digits(&text[start..at]) else {
            continue;
        };
        if let Some((reading, end)) = read(&text, start, at, digits) {
            at = end;
            found.push(reading);
        }
    }
    found
}

/// `45,000`, `0.01`; not the full stop of a sentence.
fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digit = |i: usize| bytes.get(i).is_some_and(u8::is_ascii_digit);
    let mut at = 0;
    while digit(at) || (matches!(bytes.get(at), Some(b',' | b'.')) && digit(at + 1)) {
        at += 1;
    }
    at
}

/// A number as it is written, before its unit is known.
#[derive(Debug, Clone, Copy)]
struct Digits {
    value: f64,
    /// `45.000`: whether the point parts thousands, nobody can tell.
    point: bool,
    /// `45,000`: a comma parts thousands.
    comma: bool,
}

/// Half of the world parts thousands by `,` and decimals by `.`, the other half the other way round.
/// A comma parts thousands only before exactly three digits, and never after a lone 0. Nothing for
/// what is no number: `4.0.1`.
fn digits(text: &str) -> Option<Digits> {
    let parse = |text: &str| text.parse::<f64>().ok();
    let of = |value, point, comma| Digits {
        value,
        point,
        comma,
    };
    let last = text.rfind([',', '.']);
    let Some((head, tail)) = last.map(|i| (&text[..i], &text[i + 1..])) else {
        return Some(of(parse(text)?, false, false));
    };
    let comma = text[head.len()..].starts_with(',');
    let thousands = tail.len() == 3 && head != "0";
    let joined = head.replace([',', '.'], "");
    match (head.contains(','), head.contains('.'), comma) {
        // `1.234,5` and `1,234.5`: the last of two different signs is the decimal one.
        (true, false, false) | (false, true, true) => {
            Some(of(parse(&format!("{joined}.{tail}"))?, false, false))
        }
        (_, false, true) if thousands => Some(of(parse(&format!("{joined}{tail}"))?, false, true)),
        (false, false, _) => {
            let point = !comma && thousands && head.len() <= 3;
            Some(of(parse(&format!("{head}.{tail}"))?, point, false))
        }
        // `1.234.567`, but no `4.0.1`.
        (false, true, false) if thousands && head.split('.').skip(1).all(|g| g.len() == 3) => {
            Some(of(parse(&format!("{joined}{tail}"))?, true, false))
        }
        _ => None,
    }
}

fn read(text: &str, start: usize, mut end: usize, digits: Digits) -> Option<(Reading, usize)> {
    let mut value = digits.value;
    let (op_before, before) = operator(tail(&text[..start]));
    let finish = |reading: Reading, end: usize| {
        let reading = Reading {
            at: start..end,
            before: before.clone(),
            after: head(&text[end..]).to_owned(),
            ..reading
        };
        (shown(reading, text, start, end), end)
    };
    if let Some(rest) = text[end..].strip_prefix('/') {
        let length = number_length(rest);
        if length > 0 {
            let total = self::digits(&rest[..length])?;
            let mut reading = reading(Of::Total, total.value, plain(total.value), op_before, "");
            reading.ambiguous = total.point;
            return Some(finish(reading, end + 1 + length));
        }
    }
    let scale = [("K", 1e3), ("k", 1e3), ("M", 1e6), ("ألف", 1e3)];
    let scaled = scale.iter().find(|(s, _)| {
        let rest = text[end..].trim_start();
        rest.strip_prefix(s)
            .is_some_and(|r| !r.starts_with(char::is_alphanumeric))
            && (rest.len() == text.len() - end || *s == "ألف")
    });
    if let Some((sign, factor)) = scaled {
        value *= factor;
        end = text.len() - text[end..].trim_start().len() + sign.len();
    }
    let plus = text[end..].starts_with('+');
    end += usize::from(plus);
    let rest = text[end..].trim_start();
    let gap = text.len() - end - rest.len();
    let word_length = unit_length(rest);
    let word = &rest[..word_length];
    let (of, value, formatted) = unit(word, value);
    if word_length > 0 && of != Of::Count {
        end += gap + word_length;
    }
    let plus_after = text[end..].starts_with('+');
    end += usize::from(plus_after);
    let behind = if of == Of::Count {
        None
    } else {
        behind(&text[end..])
    };
    let op = op_before
        .or((plus || plus_after).then_some(">="))
        .or(behind);
    let noun = if of == Of::Count { word } else { "" };
    let mut reading = reading(of, value, formatted, op, noun);
    reading.ambiguous = match of {
        Of::Count | Of::Rate => digits.point,
        Of::Percent => digits.comma,
        _ => false,
    };
    Some(finish(reading, end))
}

fn reading(of: Of, value: f64, text: String, op: Option<&'static str>, noun: &str) -> Reading {
    Reading {
        of,
        value,
        op,
        text,
        noun: noun.to_lowercase(),
        shown: String::new(),
        ambiguous: false,
        at: 0..0,
        before: String::new(),
        after: String::new(),
    }
}

fn shown(reading: Reading, text: &str, start: usize, end: usize) -> Reading {
    let sign = match reading.op {
        Some(op) if !text[start..end].contains('+') => format!("{op} "),
        _ => String::new(),
    };
    Reading {
        shown: format!("{sign}{}", text[start..end].trim()),
        ..reading
    }
}

/// As much of the end of a text as can matter to a number after it.
fn tail(text: &str) -> &str {
    let start = text.char_indices().rev().nth(119).map_or(0, |(i, _)| i);
    &text[start..]
}

/// As much of the start of a text as can matter to a number before it.
fn head(text: &str) -> &str {
    let end = text.char_indices().nth(60).map_or(text.len(), |(i, _)| i);
    &text[..end]
}

/// Longer ones before those that they end with.
const OPERATORS: &[(&str, &str)] = &[
    (">=", ">="),
    ("≥", ">="),
    ("<=", "<="),
    ("≤", "<="),
    (">", ">"),
    ("<", "<"),
    ("at least", ">="),
    ("minimum", ">="),
    ("min", ">="),
    ("more than", ">"),
    ("higher than", ">"),
    ("greater than", ">"),
    ("exceeding", ">"),
    ("exceeds", ">"),
    ("exceed", ">"),
    ("above", ">"),
    ("over", ">"),
    ("at most", "<="),
    ("within", "<="),
    ("up to", "<="),
    ("maximum", "<="),
    ("max", "<="),
    ("less than", "<"),
    ("fewer than", "<"),
    ("lower than", "<"),
    ("older than", ">"),
    ("longer than", ">"),
    ("under", "<"),
    ("below", "<"),
    ("على الأقل", ">="),
    ("بحد أدنى", ">="),
    ("بحد أقصى", "<="),
    ("لا يقل عن", ">="),
    ("لا تقل عن", ">="),
    ("لا يزيد عن", "<="),
    ("لا تزيد عن", "<="),
    ("لا يتجاوز", "<="),
    ("لا تتجاوز", "<="),
    ("أكثر من", ">"),
    ("أكبر من", ">"),
    ("أعلى من", ">"),
    ("أقل من", "<"),
    ("خلال", "<="),
    ("حتى", "<="),
];

/// `>` and the like, or words, right before a number; and what stands before that, in lower case.
fn operator(before: &str) -> (Option<&'static str>, String) {
    let before = before.to_lowercase();
    let before = before.trim_end();
    let found = OPERATORS.iter().find_map(|(word, op)| {
        let rest = before.strip_suffix(word)?;
        let letters = word.starts_with(char::is_alphabetic);
        (!letters || !rest.ends_with(char::is_alphanumeric)).then_some((rest, *op, letters))
    });
    let Some((rest, op, letters)) = found else {
        return (None, before.to_owned());
    };
    // `no less than`, `must not exceed`.
    let rest = rest.trim_end();
    let negation = ["no", "not", "never", "cannot", "لا", "ليس", "ليست"]
        .iter()
        .filter_map(|word| rest.strip_suffix(word))
        .find(|r| letters && !r.ends_with(char::is_alphanumeric));
    match negation {
        Some(rest) => (Some(opposite(op)), rest.trim_end().to_owned()),
        None => (Some(op), rest.to_owned()),
    }
}

fn opposite(op: &str) -> &'static str {
    match op {
        ">" => "<=",
        ">=" => "<",
        "<" => ">=",
        _ => ">",
    }
}

/// `80% or more`, `200ms max`.
fn behind(after: &str) -> Option<&'static str> {
    const WORDS: &[(&str, &str)] = &[
        ("or more", ">="),
        ("or higher", ">="),
        ("or above", ">="),
        ("or longer", ">="),
        ("at least", ">="),
        ("minimum", ">="),
        ("min", ">="),
        ("or less", "<="),
        ("or lower", "<="),
        ("or below", "<="),
        ("or fewer", "<="),
        ("or faster", "<="),
        ("at most", "<="),
        ("maximum", "<="),
        ("max", "<="),
        ("على الأقل", ">="),
        ("على الأكثر", "<="),
        ("أو أكثر", ">="),
        ("أو أقل", "<="),
    ];
    let after = head(after).to_lowercase();
    let after = after.trim_start();
    let whole = |word: &str| {
        let rest = after.strip_prefix(word);
        rest.is_some_and(|r| !r.starts_with(char::is_alphanumeric))
    };
    let found = WORDS.iter().find(|(word, _)| whole(word));
    found.map(|(_, op)| *op)
}

/// Letters, `%` and the slash of `req/s`.
fn unit_length(rest: &str) -> usize {
    if rest.starts_with('%') {
        return 1;
    }
    let end = rest
        .find(|c: char| !(c.is_alphabetic() || c == '/'))
        .unwrap_or(rest.len());
    let word = &rest[..end];
    let per = [" per second", " a second", " في الثانية"]
        .iter()
        .find(|p| rest[end..].starts_with(**p));
    end + per
        .filter(|_| word.starts_with("req") || word.starts_with("طلب"))
        .map_or(0, |p| p.len())
}

/// Names, how many of the unit of an expectation one is, and that unit with its seconds.
const DURATIONS: &[(&[&str], f64, &str, f64)] = &[
    (
        &["us", "μs", "usec", "microseconds", "microsecond"],
        0.001,
        "ms",
        0.001,
    ),
    (
        &[
            "ms",
            "msec",
            "msecs",
            "millis",
            "milliseconds",
            "millisecond",
            "ملي",
        ],
        1.0,
        "ms",
        0.001,
    ),
    (
        &["s", "sec", "secs", "second", "seconds", "ثانية", "ثوان"],
        1.0,
        "s",
        1.0,
    ),
    (
        &["min", "mins", "minute", "minutes", "دقيقة", "دقائق"],
        1.0,
        "m",
        60.0,
    ),
    (
        &["h", "hr", "hrs", "hour", "hours", "ساعة", "ساعات"],
        1.0,
        "h",
        3600.0,
    ),
    (&["d", "day", "days", "يوم", "أيام"], 1.0, "d", 86400.0),
    (&["week", "weeks", "أسبوع", "أسابيع"], 7.0, "d", 86400.0),
];
const PERCENT: &[&str] = &["%", "percent", "pct", "بالمئة", "بالمائة"];
const BYTES: &[(&str, f64, &str)] = &[
    ("kb", 1e3, "kB"),
    ("mb", 1e6, "MB"),
    ("gb", 1e9, "GB"),
    ("tb", 1e12, "TB"),
    ("gib", 1_073_741_824.0, "GiB"),
    ("mbps", 125e3, "Mbps"),
    ("gbps", 125e6, "Gbps"),
];

fn unit(word: &str, value: f64) -> (Of, f64, String) {
    let lower = word.to_lowercase();
    if PERCENT.contains(&lower.as_str()) {
        return (Of::Percent, value, format!("{}%", plain(value)));
    }
    let rate = [
        "req/s",
        "reqs/s",
        "rps",
        "requests/s",
        "requests/sec",
        "req/sec",
        "طلب/ثانية",
        "طلب/ث",
    ];
    let per = (lower.starts_with("req") || lower.starts_with("طلب"))
        && (lower.ends_with("second") || lower.ends_with("الثانية"));
    if rate.contains(&lower.as_str()) || per {
        return (Of::Rate, value, format!("{}/s", plain(value)));
    }
    let duration = DURATIONS
        .iter()
        .find(|(names, ..)| names.contains(&lower.as_str()));
    if let Some((_, each, sign, seconds)) = duration {
        let value = value * each;
        return (
            Of::Duration,
            value * seconds,
            format!("{}{sign}", plain(value)),
        );
    }
    if let Some((_, factor, sign)) = BYTES.iter().find(|(name, ..)| *name == lower) {
        return (Of::Bytes, value * factor, format!("{}{sign}", plain(value)));
    }
    (Of::Count, value, plain(value))
}

/// Without exponent or needless zeros.
fn plain(value: f64) -> String {
    format!("{value}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> (Of, String) {
        let found = readings(text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        (found[0].of, found[0].expectation("=="))
    }

    #[test]
    fn thresholds() {
        for (text, of, expected) in [
            ("Code coverage > 80%", Of::Percent, "> 80%"),
            ("Response time < 50ms (P95)", Of::Duration, "< 50ms"),
            ("traffic (50K req/s)", Of::Rate, "== 50000/s"),
            ("45,000+ req/s", Of::Rate, ">= 45000/s"),
            ("Throughput > 40K req/s", Of::Rate, "> 40000/s"),
            ("Replica set (3 nodes)", Of::Count, "== 3"),
            ("passing 961/961", Of::Total, "== 961"),
            ("within 15 minutes", Of::Duration, "<= 15m"),
            ("Memory: 8GB+ per instance", Of::Bytes, ">= 8GB"),
            ("Network: 1Gbps+", Of::Bytes, ">= 1Gbps"),
            ("Error Rate: < 0.01%", Of::Percent, "< 0.01%"),
            ("1 hour sustained", Of::Duration, "== 1h"),
            ("تغطية ≥ ٨٥٪", Of::Percent, ">= 85%"),
            ("أقل من ٥٠ ms", Of::Duration, "< 50ms"),
            ("خلال ١٥ دقيقة", Of::Duration, "<= 15m"),
            ("at least 2 approvals", Of::Count, ">= 2"),
            ("200 requests per second", Of::Rate, "== 200/s"),
            ("no less than 80%", Of::Percent, ">= 80%"),
            ("not more than 50ms", Of::Duration, "<= 50ms"),
            ("must not exceed 2 hours", Of::Duration, "<= 2h"),
            ("never below 80%", Of::Percent, ">= 80%"),
            ("لا أقل من ٨٠٪", Of::Percent, ">= 80%"),
            ("85% or more", Of::Percent, ">= 85%"),
            ("200ms max", Of::Duration, "<= 200ms"),
            ("> 90 percent", Of::Percent, "> 90%"),
            ("< 20 msec", Of::Duration, "< 20ms"),
            ("< 500µs", Of::Duration, "< 0.5ms"),
            ("< 500 us", Of::Duration, "< 0.5ms"),
            ("valid for 3 weeks", Of::Duration, "== 21d"),
        ] {
            assert_eq!(one(text), (of, expected.to_owned()), "{text}");
        }
        assert_eq!(readings("Error rate < 0.1%.")[0].shown, "< 0.1%");
        assert_eq!(readings("50,000 users")[0].noun, "users");
    }

    #[test]
    fn commas_and_points_are_read_as_people_mean_them() {
        for (text, expected, ambiguous) in [
            ("< 0,01%", "< 0.01%", false),
            ("< 1,5s", "< 1.5s", false),
            ("< 0,001%", "< 0.001%", false),
            ("< 0.001%", "< 0.001%", false),
            ("45,000 req/s", "== 45000/s", false),
            ("1,234,567 req/s", "== 1234567/s", false),
            ("1.234,5 req/s", "== 1234.5/s", false),
            ("1,234.5 req/s", "== 1234.5/s", false),
            ("45.000 req/s", "== 45/s", true),
            ("50.000 users", "== 50", true),
            ("1.234.567 users", "== 1234567", true),
            ("99.999%", "== 99.999%", false),
            ("99,999%", "== 99999%", true),
            ("1.500s", "== 1.5s", false),
        ] {
            let found = readings(text);
            let [found] = found.as_slice() else {
                panic!("{text}: {found:?}");
            };
            assert_eq!(
                (found.expectation("==").as_str(), found.ambiguous),
                (expected, ambiguous),
                "{text}"
            );
        }
        assert!(readings("version 4.0.1 or 1,2,3").is_empty());
    }

    #[test]
    fn names_are_no_numbers() {
        for text in ["P95 only", "v4.0.0", "N+1", "ISO-27001", "pm2", "no number"] {
            assert!(readings(text).is_empty(), "{text}: {:?}", readings(text));
        }
    }
}
