//! PEP 440 (<https://peps.python.org/pep-0440/>), and what `setuptools` made of older versions.

use std::cmp::Ordering;

use super::digits;

/// In the order of comparison.
struct Version {
    epoch: String,
    release: Vec<String>,
    /// `None` stands for "no pre-release", which is greatest, except before a mere `.dev`.
    pre: Pre,
    post: Option<String>,
    dev: Option<String>,
    local: Vec<String>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Pre {
    /// A development release of the final one: before all pre-releases.
    OnlyDev,
    Phase(u8),
    Final,
}

/// A cursor over the lower-case text.
struct Cursor<'a>(&'a str);

impl<'a> Cursor<'a> {
    fn number(&mut self) -> &'a str {
        let (number, rest) = digits::split(self.0);
        self.0 = rest;
        number
    }

    /// An optional separator, then one of the words; nothing moves where none is there.
    fn word(&mut self, words: &[&str]) -> Option<usize> {
        let rest = self.0.strip_prefix(['.', '-', '_']).unwrap_or(self.0);
        let found = words.iter().position(|word| rest.starts_with(word))?;
        self.0 = &rest[words[found].len()..];
        Some(found)
    }

    /// The number after a word, 0 when left out.
    fn count(&mut self) -> String {
        let rest = self.0.strip_prefix(['.', '-', '_']).unwrap_or(self.0);
        let (number, after) = digits::split(rest);
        if number.is_empty() {
            return "0".to_owned();
        }
        self.0 = after;
        number.to_owned()
    }
}

/// Words of a pre-release, longest first, and the phase of each.
const PRE: &[(&str, u8)] = &[
    ("alpha", 0),
    ("beta", 1),
    ("preview", 2),
    ("pre", 2),
    ("rc", 2),
    ("a", 0),
    ("b", 1),
    ("c", 2),
];

fn parse(text: &str) -> Option<(Version, String)> {
    let text = text.trim().to_ascii_lowercase();
    let mut cursor = Cursor(text.strip_prefix('v').unwrap_or(&text));
    let mut first = cursor.number();
    let mut epoch = "0";
    if let Some(rest) = cursor.0.strip_prefix('!') {
        epoch = first;
        cursor.0 = rest;
        first = cursor.number();
    }
    if first.is_empty() {
        return None;
    }
    let mut release = vec![first.to_owned()];
    while let Some(rest) = cursor.0.strip_prefix('.')
        && rest.starts_with(|c: char| c.is_ascii_digit())
    {
        cursor.0 = rest;
        release.push(cursor.number().to_owned());
    }
    while release.len() > 1 && release.last().is_some_and(|n| n.bytes().all(|c| c == b'0')) {
        release.pop();
    }
    let words: Vec<&str> = PRE.iter().map(|(word, _)| *word).collect();
    let pre = cursor.word(&words).map(|at| (PRE[at].1, cursor.count()));
    let post = post(&mut cursor);
    let dev = cursor.word(&["dev"]).map(|_| cursor.count());
    let local = local(&mut cursor);
    if !cursor.0.is_empty() {
        return None;
    }
    let (phase, pre_number) = match pre {
        Some((phase, number)) => (Pre::Phase(phase), number),
        None if post.is_none() && dev.is_some() => (Pre::OnlyDev, String::new()),
        None => (Pre::Final, String::new()),
    };
    let version = Version {
        epoch: epoch.to_owned(),
        release,
        pre: phase,
        post,
        dev,
        local,
    };
    Some((version, pre_number))
}

/// `.post1`, `-1`, `.rev1`, `r1`.
fn post(cursor: &mut Cursor<'_>) -> Option<String> {
    if let Some(rest) = cursor.0.strip_prefix('-')
        && rest.starts_with(|c: char| c.is_ascii_digit())
    {
        cursor.0 = rest;
        return Some(cursor.number().to_owned());
    }
    cursor.word(&["post", "rev", "r"]).map(|_| cursor.count())
}

fn local(cursor: &mut Cursor<'_>) -> Vec<String> {
    let Some(rest) = cursor.0.strip_prefix('+') else {
        return Vec::new();
    };
    let parts: Vec<String> = rest.split(['.', '-', '_']).map(str::to_owned).collect();
    let good = |part: &String| !part.is_empty() && part.bytes().all(|c| c.is_ascii_alphanumeric());
    if parts.iter().all(good) {
        cursor.0 = "";
        return parts;
    }
    Vec::new()
}

/// Compares; what is no PEP 440 version comes before all that are.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    match (parse(a), parse(b)) {
        (Some((left, left_pre)), Some((right, right_pre))) => {
            versions((&left, &left_pre), (&right, &right_pre))
        }
        (Some(_), None) => Ordering::Greater,
        (None, Some(_)) => Ordering::Less,
        (None, None) => legacy(a).cmp(&legacy(b)),
    }
}

fn versions((a, a_pre): (&Version, &str), (b, b_pre): (&Version, &str)) -> Ordering {
    digits::compare(&a.epoch, &b.epoch)
        .then_with(|| release(&a.release, &b.release))
        .then_with(|| a.pre.cmp(&b.pre))
        .then_with(|| digits::compare(a_pre, b_pre))
        .then_with(|| optional(a.post.as_deref(), b.post.as_deref(), Ordering::Less))
        .then_with(|| optional(a.dev.as_deref(), b.dev.as_deref(), Ordering::Greater))
        .then_with(|| locals(&a.local, &b.local))
}

fn release(a: &[String], b: &[String]) -> Ordering {
    let unequal = a
        .iter()
        .zip(b)
        .map(|(a, b)| digits::compare(a, b))
        .find(|order| order.is_ne());
    unequal.unwrap_or(a.len().cmp(&b.len()))
}

/// `absent` is how nothing compares with something.
fn optional(a: Option<&str>, b: Option<&str>, absent: Ordering) -> Ordering {
    match (a, b) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => absent,
        (Some(_), None) => absent.reverse(),
        (Some(a), Some(b)) => digits::compare(a, b),
    }
}

/// Numbers above words, more parts above fewer.
fn locals(a: &[String], b: &[String]) -> Ordering {
    let part = |a: &String, b: &String| match (digits::all(a), digits::all(b)) {
        (true, true) => digits::compare(a, b),
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => a.cmp(b),
    };
    let unequal = a.iter().zip(b).map(|(a, b)| part(a, b)).find(|o| o.is_ne());
    unequal.unwrap_or(a.len().cmp(&b.len()))
}

/// The key by which `setuptools` once sorted anything at all.
fn legacy(text: &str) -> Vec<String> {
    let mut key: Vec<String> = Vec::new();
    for part in parts(&text.to_ascii_lowercase()) {
        let part = match part.as_str() {
            "" | "." => continue,
            "pre" | "preview" | "rc" => "c".to_owned(),
            "-" => "final-".to_owned(),
            "dev" => "@".to_owned(),
            _ => part,
        };
        if digits::all(&part) {
            let number = part.trim_start_matches('0');
            key.push(format!("{number:0>8}"));
            continue;
        }
        let word = format!("*{part}");
        if word.as_str() < "*final" {
            while key.last().is_some_and(|last| last == "*final-") {
                key.pop();
            }
        }
        if word.as_str() < "*final-" || word == "*final" {
            while key.last().is_some_and(|last| last == "00000000") {
                key.pop();
            }
        }
        key.push(word);
    }
    key.push("*final".to_owned());
    key
}

/// Runs of digits, runs of letters, and single other characters.
fn parts(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let kind = |c: char| match c {
        '0'..='9' => 1,
        'a'..='z' => 2,
        _ => 0,
    };
    let mut last = 0;
    for c in text.chars() {
        match parts.last_mut() {
            Some(part) if kind(c) != 0 && kind(c) == last => part.push(c),
            _ => parts.push(c.to_string()),
        }
        last = kind(c);
    }
    parts
}
