//! Numbers with their units, as people write thresholds: `> 80%`, `< 50ms (P95)`, `50K req/s`.

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
        let Ok(value) = text[start..at].replace(',', "").parse::<f64>() else {
            continue;
        };
        if let Some((reading, end)) = read(&text, start, at, value) {
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

fn read(text: &str, start: usize, mut end: usize, mut value: f64) -> Option<(Reading, usize)> {
    let op_before = operator(&text[..start]);
    if let Some(rest) = text[end..].strip_prefix('/') {
        let length = number_length(rest);
        if length > 0 {
            let total = rest[..length].replace(',', "").parse().ok()?;
            let reading = reading(Of::Total, total, plain(total), op_before, "");
            let end = end + 1 + length;
            return Some((shown(reading, text, start, end), end));
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
    let op = op_before.or((plus || plus_after).then_some(">="));
    let noun = if of == Of::Count { word } else { "" };
    let reading = reading(of, value, formatted, op, noun);
    Some((shown(reading, text, start, end), end))
}

fn reading(of: Of, value: f64, text: String, op: Option<&'static str>, noun: &str) -> Reading {
    Reading {
        of,
        value,
        op,
        text,
        noun: noun.to_lowercase(),
        shown: String::new(),
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

/// `>` and the like, or words, right before a number.
fn operator(before: &str) -> Option<&'static str> {
    const WORDS: &[(&str, &str)] = &[
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
        ("above", ">"),
        ("over", ">"),
        ("greater than", ">"),
        ("at most", "<="),
        ("within", "<="),
        ("up to", "<="),
        ("maximum", "<="),
        ("max", "<="),
        ("less than", "<"),
        ("under", "<"),
        ("below", "<"),
        ("على الأقل", ">="),
        ("لا يقل عن", ">="),
        ("أكثر من", ">"),
        ("أكبر من", ">"),
        ("أقل من", "<"),
        ("لا يزيد عن", "<="),
        ("خلال", "<="),
    ];
    let before = before.trim_end().to_lowercase();
    let whole = |word: &str| {
        let rest = before.strip_suffix(word);
        let letters = word.starts_with(char::is_alphabetic);
        rest.is_some_and(|r| !letters || !r.ends_with(char::is_alphanumeric))
    };
    WORDS
        .iter()
        .find(|(word, _)| whole(word))
        .map(|(_, op)| *op)
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

const DURATIONS: &[(&[&str], f64, &str)] = &[
    (&["ms", "milliseconds", "millisecond", "ملي"], 0.001, "ms"),
    (
        &["s", "sec", "secs", "second", "seconds", "ثانية", "ثوان"],
        1.0,
        "s",
    ),
    (
        &["min", "mins", "minute", "minutes", "دقيقة", "دقائق"],
        60.0,
        "m",
    ),
    (
        &["h", "hr", "hrs", "hour", "hours", "ساعة", "ساعات"],
        3600.0,
        "h",
    ),
    (&["d", "day", "days", "يوم", "أيام"], 86400.0, "d"),
];
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
    if lower == "%" {
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
    if let Some((_, factor, sign)) = DURATIONS
        .iter()
        .find(|(names, ..)| names.contains(&lower.as_str()))
    {
        return (
            Of::Duration,
            value * factor,
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
        ] {
            assert_eq!(one(text), (of, expected.to_owned()), "{text}");
        }
        assert_eq!(readings("Error rate < 0.1%.")[0].shown, "< 0.1%");
        assert_eq!(readings("50,000 users")[0].noun, "users");
    }

    #[test]
    fn names_are_no_numbers() {
        for text in ["P95 only", "v4.0.0", "N+1", "ISO-27001", "pm2", "no number"] {
            assert!(readings(text).is_empty(), "{text}: {:?}", readings(text));
        }
    }
}
