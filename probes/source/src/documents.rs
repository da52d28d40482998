//! Documents that a release needs: that they are there, name the version, and lead to where they say.

use std::{collections::BTreeMap, fs, io::Read as _, path::Path};

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use readygate_sdk::Cx;

use crate::{
    DocumentConfig, DocumentRecord,
    measurement::{Heading, Link, LinkState, Links},
};

/// A document is larger only by mistake.
const LARGEST_FILE: u64 = 8 << 20;
/// Dead links kept.
const KEPT: usize = 20;

/// Looks at one document. Blocks. Whatever is wrong with it is part of the record.
pub(crate) fn measure(config: &DocumentConfig, cx: &Cx) -> DocumentRecord {
    let path = cx.resolve(&config.path);
    let mut record = DocumentRecord {
        path: config.path.clone(),
        ..DocumentRecord::default()
    };
    record.exists = path.exists();
    if !record.exists {
        return record;
    }
    let text = match read(&path) {
        Ok(text) => text,
        Err(problem) => {
            record.unreadable = Some(problem);
            return record;
        }
    };
    record.characters = text.chars().filter(|c| !c.is_whitespace()).count() as u64;
    record.names_version = cx
        .target()
        .version
        .as_deref()
        .map(|v| names_version(&text, v));
    let outline = Outline::of(&text);
    record.links = links(&outline, &path);
    record.headings = outline.headings;
    record
}

fn read(path: &Path) -> Result<String, String> {
    if !path.is_file() {
        return Err("not a regular file".to_owned());
    }
    let file = fs::File::open(path).map_err(|e| e.to_string())?;
    let mut bytes = Vec::new();
    file.take(LARGEST_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| e.to_string())?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(format!("larger than {LARGEST_FILE} bytes"));
    }
    String::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())
}

/// Whether `text` names `version` and not merely one that contains it: `4.0.0` is neither in
/// `14.0.0` nor in `4.0.0-rc.1` nor in `4.0.0.1`.
pub(crate) fn names_version(text: &str, version: &str) -> bool {
    let version = version.trim().trim_start_matches(['v', 'V']);
    !version.is_empty()
        && text.match_indices(version).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let mut after = text[at + version.len()..].chars();
            let (next, second) = (after.next(), after.next());
            let part = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
            let goes_on = matches!(next, Some('.' | '-' | '+')) && part(second);
            // `v4.0.0` names it; `rev4.0.0` and `1.4.0.0` do not.
            let starts = match before {
                Some('v' | 'V') => !part(text[..at - 1].chars().next_back()),
                Some('.') => false,
                other => !part(other),
            };
            starts && !part(next) && !goes_on
        })
}

/// The headings and links of a Markdown text.
#[derive(Default)]
struct Outline {
    headings: Vec<Heading>,
    links: Vec<(String, u64)>,
}

impl Outline {
    fn of(text: &str) -> Self {
        let lines: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
        let line = |at: usize| lines.partition_point(|feed| *feed < at) as u64 + 1;
        let mut outline = Self::default();
        let mut levels: Vec<HeadingLevel> = Vec::new();
        let mut open = false;
        let options = Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES;
        for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
            match event {
                Event::Start(Tag::Heading { level, .. }) => {
                    open = true;
                    levels.push(level);
                    outline.headings.push(Heading {
                        text: String::new(),
                        line: line(range.start),
                        filled: false,
                    });
                }
                Event::End(TagEnd::Heading(_)) => open = false,
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    outline
                        .links
                        .push((dest_url.into_string(), line(range.start)));
                }
                Event::Text(piece) | Event::Code(piece) if open => {
                    if let Some(heading) = outline.headings.last_mut() {
                        heading.text.push_str(&piece);
                    }
                }
                Event::Text(piece) | Event::Code(piece) if !piece.trim().is_empty() => {
                    fill(&mut outline.headings, &levels);
                }
                _ => {}
            }
        }
        outline
    }
}

/// Text fills its own heading and those that this one is below of.
fn fill(headings: &mut [Heading], levels: &[HeadingLevel]) {
    let mut lowest = None;
    for (heading, level) in headings.iter_mut().zip(levels).rev() {
        if lowest.is_none_or(|lowest| *level < lowest) {
            heading.filled = true;
            lowest = Some(*level);
        }
    }
}

/// The anchor that a heading gets on the common hosts, before duplicates are numbered.
fn anchor(text: &str) -> String {
    let kept = text.to_lowercase();
    let kept = kept
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn anchors(headings: &[Heading]) -> Vec<String> {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let numbered = headings.iter().map(|heading| {
        let base = anchor(heading.text.trim());
        let count = seen
            .entry(base.clone())
            .and_modify(|n| *n += 1)
            .or_insert(0);
        if *count == 0 {
            base
        } else {
            format!("{base}-{count}")
        }
    });
    numbered.collect()
}

fn links(outline: &Outline, document: &Path) -> Links {
    let own = anchors(&outline.headings);
    let mut links = Links::default();
    for (target, line) in &outline.links {
        if target.contains("://") || target.starts_with("mailto:") || target.starts_with("//") {
            links.external += 1;
            continue;
        }
        links.local += 1;
        if let Some(state) = dead(target, document, &own) {
            links.dead_total += 1;
            if links.dead.len() < KEPT {
                links.dead.push(Link {
                    target: target.clone(),
                    state,
                    line: *line,
                });
            }
        }
    }
    links
}

fn dead(target: &str, document: &Path, own: &[String]) -> Option<LinkState> {
    let (path, fragment) = target.split_once('#').unwrap_or((target, ""));
    let path = path.split('?').next().unwrap_or_default();
    if path.is_empty() {
        let missing =
            !fragment.is_empty() && !own.iter().any(|a| a == &unescaped(fragment).to_lowercase());
        return missing.then_some(LinkState::NoHeading);
    }
    let folder = document.parent().unwrap_or(document);
    // A leading slash means the root of the repository, which lies at or above the document.
    let file = match path.strip_prefix('/') {
        Some(rest) => folder
            .ancestors()
            .map(|a| a.join(unescaped(rest)))
            .find(|f| f.exists()),
        None => Some(folder.join(unescaped(path))).filter(|f| f.exists()),
    };
    let Some(file) = file else {
        return Some(LinkState::NoFile);
    };
    let markdown = file
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("md"));
    if fragment.is_empty() || !markdown {
        return None;
    }
    let text = read(&file).ok()?;
    let there = anchors(&Outline::of(&text).headings);
    let found = there
        .iter()
        .any(|a| a == &unescaped(fragment).to_lowercase());
    (!found && !text.contains(&format!("id=\"{fragment}\""))).then_some(LinkState::NoHeading)
}

/// Percent-encoding undone (RFC 3986, section 2.1); what is no such thing stays.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let digits = (*first == b'%').then(|| tail.get(..2)).flatten();
        let byte = digits
            .and_then(|d| std::str::from_utf8(d).ok())
            .and_then(|d| u8::from_str_radix(d, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_named_as_a_whole() {
        for text in [
            "v4.0.0",
            "# 4.0.0 (today)",
            "Release 4.0.0.",
            "[4.0.0]",
            "shop-4.0.0",
        ] {
            assert!(names_version(text, "v4.0.0"), "{text}");
        }
        for text in [
            "14.0.0",
            "4.0.01",
            "4.0.0-rc.1",
            "4.0.0.1",
            "1.4.0.0",
            "rev4.0.0",
            "",
        ] {
            assert!(!names_version(text, "4.0.0"), "{text}");
        }
    }

    #[test]
    fn headings_are_filled_by_what_is_below_them() {
        let outline = Outline::of("# A\n## B\n### C\ntext\n## D\n# E\n");
        let filled: Vec<_> = outline
            .headings
            .iter()
            .map(|h| (h.text.as_str(), h.filled))
            .collect();
        assert_eq!(
            filled,
            [
                ("A", true),
                ("B", true),
                ("C", true),
                ("D", false),
                ("E", false)
            ]
        );
        assert_eq!(outline.headings[2].line, 3);
    }

    #[test]
    fn anchors_are_numbered() {
        let outline = Outline::of("# Roll back!\n# Roll back!\n# a_b `c`\n");
        assert_eq!(
            anchors(&outline.headings),
            ["roll-back", "roll-back-1", "a_b-c"]
        );
    }

    #[test]
    fn escapes_are_undone() {
        assert_eq!(unescaped("a%20b%zz%"), "a b%zz%");
    }
}
