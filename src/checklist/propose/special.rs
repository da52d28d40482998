//! Lines that are part of a list: requests, addresses, files.

use super::{
    Match, Part, Way,
    build::{Builder, blank},
};
use crate::{
    checklist::{
        dictionary,
        normal::{normal, western},
        scan::{Document, Line},
        shape::{self, Shape},
        yaml::quoted,
    },
    record::Severity,
};

/// Addresses and files, until all lines are read.
#[derive(Debug, Default)]
pub struct Collected {
    /// Name and address of each page.
    urls: Vec<(String, String)>,
    files: Vec<String>,
}

/// More than a person would check by hand.
const MOST: usize = 50;

impl<'a> Builder<'a> {
    /// `"GET /api/vehicles"` in the commands of a verification: one request, one gate.
    pub(super) fn endpoint(&mut self, line: &'a Line, part: &Part) -> bool {
        if line.shape != Shape::Command || part.known.is_none_or(|s| s.key != "10") {
            return false;
        }
        let text = line.content().trim().trim_matches(['"', '\'', ',']);
        let Some((method, path)) = text.split_once(' ').filter(|(_, p)| p.starts_with('/')) else {
            return false;
        };
        let plain = |c: char| c.is_ascii_graphic() && !"\"'`{}".contains(c);
        let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"].contains(&method);
        if !known || !path.chars().all(plain) {
            return false;
        }
        let last = path.split(['/', '?']).rfind(|s| !s.is_empty());
        let name =
            super::section::id_of(last.unwrap_or("root"), 3).unwrap_or_else(|| "root".to_owned());
        let id = format!("verify.ep-{name}");
        if let Some(index) = self.index_of(&id) {
            self.join(index, line);
            return true;
        }
        let mut gate = blank(line, part, &id);
        gate.title = format!("{method} {path}");
        gate.item = dictionary::item(&id).map(|(_, item)| item.id.clone());
        gate.severity = Severity::Blocker;
        gate.way = Way::Automatic;
        "http".clone_into(&mut gate.probe);
        gate.with = if matches!(method, "GET" | "HEAD") {
            format!(
                "url: {}\n{}",
                quoted(path),
                if method == "HEAD" {
                    "method: HEAD\n"
                } else {
                    ""
                }
            )
        } else {
            gate.comments.push(
                "without a valid body it must be refused; give it a test account for more"
                    .to_owned(),
            );
            format!(
                "url: {}\nmethod: {method}\njson: {{}}\nstatus: [400, 401, 403, 422]\n",
                quoted(path)
            )
        };
        self.add(gate, line);
        true
    }

    /// An address or a file of a list that becomes one gate.
    pub(super) fn collect(&mut self, line: &'a Line, part: &Part, found: Match) {
        let Some((label, value)) = shape::fact(&line.text) else {
            return;
        };
        let value = value.trim_matches(['`', '<', '>', ' ']);
        let word = value.split(' ').next().unwrap_or_default();
        let is_url = word.starts_with("http://") || word.starts_with("https://");
        let urls = found.item.kind == dictionary::Kind::Urls;
        let is_file = !word.contains(['*', '"', '{'])
            && word.rsplit_once('.').is_some_and(|(stem, end)| {
                !stem.is_empty()
                    && (1..=5).contains(&end.len())
                    && end.chars().all(char::is_alphanumeric)
            });
        if (urls && !is_url) || (!urls && (is_url || !is_file)) {
            return;
        }
        if urls && self.collected.urls.len() < MOST {
            let name =
                super::section::id_of(label, 3).unwrap_or_else(|| format!("page-{}", line.number));
            self.collected.urls.push((name, from_outside(word)));
        } else if !urls && self.collected.files.len() < MOST {
            self.collected.files.push(word.to_owned());
        }
        if let Some(index) = self.index_of(&found.item.id) {
            self.join(index, line);
            return;
        }
        let mut gate = blank(line, part, &found.item.id);
        gate.title = found
            .item
            .id
            .split('.')
            .next_back()
            .map_or_else(String::new, |_| part.title.clone());
        if let Some(context) = line.context.as_deref().filter(|_| urls) {
            context.clone_into(&mut gate.title);
        }
        gate.severity = found.item.severity.unwrap_or_default();
        gate.item = Some(found.item.id.clone());
        gate.way = if urls { Way::Automatic } else { Way::Connect };
        gate.comments
            .extend(found.item.hint.iter().map(|h| format!("connect: {h}")));
        if urls { "http" } else { "files" }.clone_into(&mut gate.probe);
        self.add(gate, line);
    }

    /// The blocks of the lists.
    pub(super) fn finish_collected(&mut self) {
        let urls = std::mem::take(&mut self.collected.urls);
        let files = std::mem::take(&mut self.collected.files);
        for gate in &mut self.gates {
            match gate.item.as_deref() {
                Some("monitor.urls") if !urls.is_empty() => {
                    let steps = urls.iter().enumerate().map(|(i, (name, url))| {
                        format!(
                            "  - {{ name: {name}-{}, url: {}, status: [2xx, 3xx, 401] }}\n",
                            i + 1,
                            quoted(url)
                        )
                    });
                    gate.with = format!("steps:\n{}", steps.collect::<String>());
                }
                Some("links.docs") if !files.is_empty() => {
                    let paths = files.iter().map(|f| format!("  - {}\n", quoted(f)));
                    gate.with = format!("paths:\n{}", paths.collect::<String>());
                }
                _ => {}
            }
        }
    }
}

/// `localhost` is the host's own view; users come through the target's address.
fn from_outside(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let name = host.split(':').next().unwrap_or_default();
    if matches!(name, "localhost" | "127.0.0.1" | "yourdomain.com") {
        format!("/{path}")
    } else {
        url.to_owned()
    }
}

/// The words of a line as a title, of reasonable length.
pub fn title(line: &Line) -> String {
    let decoration = |c: char| !(c.is_alphanumeric() || "([{\"'`<>".contains(c));
    let text = match line.shape {
        Shape::Choice => super::subject(line),
        Shape::Command | Shape::Comment => line.content().trim().to_owned(),
        _ => line.text.trim_start_matches(decoration).to_owned(),
    };
    let text = if text.is_empty() {
        format!("Line {}", line.number)
    } else {
        text
    };
    readygate_sdk::excerpt(&text, 120)
}

/// The version that the document names: `Version: 4.0.0`.
pub fn version(document: &Document) -> Option<String> {
    document
        .lines
        .iter()
        .rev()
        .filter(|l| l.shape == Shape::Fact)
        .find_map(|line| {
            let (label, value) = shape::fact(&line.text)?;
            let names = ["version", "release", "النسخه", "الاصدار", "الاصدار المستهدف"];
            let value = western(value);
            let number: String = value
                .chars()
                .take_while(|c| c.is_ascii_digit() || *c == '.')
                .collect();
            let number = number.trim_matches('.');
            (names.contains(&normal(label).as_str()) && number.matches('.').count() >= 1)
                .then(|| number.to_owned())
        })
}
