//! An old config and an edited document: what still fits, what changed, what is new, what is gone.
//!
//! The old file keeps every byte except the `source` blocks, and gets what is new at its end: what
//! a person wrote is theirs.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    ops::Range,
};

use super::{
    dictionary,
    normal::normal,
    propose::{Proposal, Proposed},
    scan::{Document, Line},
    shape::Shape,
    source::{Fill, Source},
    yaml,
};
use crate::config::{Kind, Node, Sink, decode, parse_yaml};

/// One difference between the old config and the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// `new`, `gone`, `changed` or `moved`.
    pub what: &'static str,
    /// Line of the document, now or at the last import.
    pub line: usize,
    /// Which gate.
    pub gate: String,
    /// What a person should know.
    pub detail: String,
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: line {}, gate `{}`: {}",
            self.what, self.line, self.gate, self.detail
        )
    }
}

/// How alike two texts must be to be one item that was reworded.
const ALIKE: f64 = 0.6;

/// Updates an old config.
pub fn update(
    name: &str,
    old: &str,
    document: &Document,
    proposal: &Proposal,
) -> Result<(String, Vec<Drift>), String> {
    let mut problems = Vec::new();
    let root = parse_yaml(0, old, &mut problems);
    let Some(root) = root.filter(|_| problems.is_empty()) else {
        let why = problems
            .first()
            .map_or("it is empty", |p| p.message.as_str());
        return Err(format!("{name} cannot be read: {why}"));
    };
    let gates = root.get("gates").map(Node::items).unwrap_or_default();
    let olds: Vec<Old<'_>> = gates.iter().filter_map(Old::read).collect();
    if olds.iter().all(|o| o.source.is_none()) {
        return Err(format!(
            "{name}: no gate has a `source`; it was not written by `readygate import`"
        ));
    }
    let mut matcher = Matcher::new(document, proposal);
    let mut edits = Vec::new();
    for gate in &olds {
        let Some(source) = &gate.source else { continue };
        matcher.exact(source);
    }
    let mut sources: Vec<Option<Source>> = olds.iter().map(|o| matcher.rematch(o)).collect();
    let fresh = matcher.leftovers(&olds, &mut sources);
    for (gate, source) in olds.iter().zip(&sources) {
        let changed = source.as_ref().filter(|s| Some(*s) != gate.source.as_ref());
        if let Some(source) = changed {
            edits.extend(replace_source(old, gate, source, &mut matcher.drift));
        }
    }
    edits.extend(append(old, gates, &fresh));
    edits.extend(append_roles(old, &root, proposal, &fresh));
    matcher.drift.sort_by_key(|d| d.line);
    Ok((apply(old, edits), matcher.drift))
}

/// A gate of the old config.
struct Old<'a> {
    id: &'a str,
    title: &'a str,
    node: &'a Node,
    source: Option<Source>,
}

impl<'a> Old<'a> {
    fn read(node: &'a Node) -> Option<Self> {
        let id = node.get("id")?.text()?;
        let source = node
            .get("source")
            .and_then(|n| decode::<Source>(n, &Sink::default()));
        Some(Self {
            id,
            title: node.get("title").and_then(Node::text).unwrap_or(id),
            node,
            source,
        })
    }

    fn is_signature(&self) -> bool {
        self.node.get("probe").and_then(Node::text) == Some("signoff")
    }

    fn expects(&self) -> Vec<(String, String)> {
        let entries = self
            .node
            .get("expect")
            .map(Node::entries)
            .unwrap_or_default();
        let pair = |e: &crate::config::Entry| Some((e.key.clone(), e.value.text()?.to_owned()));
        entries.iter().filter_map(pair).collect()
    }
}

struct Matcher<'a> {
    lines: HashMap<&'a str, &'a Line>,
    ordered: Vec<&'a Line>,
    proposal: &'a Proposal,
    claimed: HashSet<String>,
    drift: Vec<Drift>,
}

impl<'a> Matcher<'a> {
    fn new(document: &'a Document, proposal: &'a Proposal) -> Self {
        let ordered: Vec<&Line> = document
            .lines
            .iter()
            .filter(|l| !l.anchor.is_empty())
            .collect();
        Self {
            lines: ordered.iter().map(|l| (l.anchor.as_str(), *l)).collect(),
            ordered,
            proposal,
            claimed: HashSet::new(),
            drift: Vec::new(),
        }
    }

    /// What is still there under its name belongs to its gate, whoever comes first.
    fn exact(&mut self, source: &Source) {
        let fills = source.fills.iter().map(|f| &f.anchor);
        for anchor in source.also.iter().chain([&source.anchor]).chain(fills) {
            if self.lines.contains_key(anchor.as_str()) {
                self.claimed.insert(anchor.clone());
            }
        }
    }

    /// The source of an old gate in the new document.
    fn rematch(&mut self, gate: &Old<'_>) -> Option<Source> {
        let old = gate.source.as_ref()?;
        let mut source = old.clone();
        match self.find(&old.anchor, gate, true) {
            Some(line) => {
                source.line = Some(line.number);
                source.anchor.clone_from(&line.anchor);
            }
            None => self.drift.push(Drift {
                what: "gone",
                line: old.line.unwrap_or_default(),
                gate: gate.id.to_owned(),
                detail: format!(
                    "no line says \"{}\" any more; the gate stays until you delete it",
                    gate.title
                ),
            }),
        }
        source
            .also
            .retain_mut(|anchor| self.follow(anchor, gate, &old.anchor));
        source
            .fills
            .retain_mut(|fill| self.follow(&mut fill.anchor, gate, &old.anchor));
        Some(source)
    }

    /// Follows a further line; one that is gone leaves the list.
    fn follow(&mut self, anchor: &mut String, gate: &Old<'_>, main: &str) -> bool {
        if anchor == main {
            // It goes where the main line went.
            let now = self.find(main, gate, false);
            if let Some(line) = now {
                anchor.clone_from(&line.anchor);
            }
            return now.is_some();
        }
        let found = self.find(anchor, gate, false);
        match found {
            Some(line) => anchor.clone_from(&line.anchor),
            None => self.drift.push(Drift {
                what: "gone",
                line: 0,
                gate: gate.id.to_owned(),
                detail: "a further line of this gate is gone".to_owned(),
            }),
        }
        found.is_some()
    }

    /// The line that an anchor means now.
    fn find(&mut self, anchor: &str, gate: &Old<'_>, main: bool) -> Option<&'a Line> {
        if let Some(line) = self.lines.get(anchor) {
            return Some(line);
        }
        let hash = |a: &str| {
            a.rsplit('/')
                .next()
                .and_then(|h| h.split('.').next())
                .map(str::to_owned)
        };
        let wanted = hash(anchor);
        let free = |l: &&&Line, claimed: &HashSet<String>| !claimed.contains(&l.anchor);
        let moved = self
            .ordered
            .iter()
            .filter(|l| free(l, &self.claimed))
            .find(|l| hash(&l.anchor) == wanted);
        if let Some(line) = moved.copied() {
            self.claim(
                line,
                "moved",
                gate,
                format!("now under \"{}\"", line.section().unwrap_or_default()),
            );
            return Some(line);
        }
        let same_id = self.proposal.gates.iter().find(|g| g.id == gate.id);
        let meant = same_id.map(|g| anchors(g)).unwrap_or_default();
        let by_id = meant
            .iter()
            .find_map(|a| self.lines.get(a).filter(|l| free(l, &self.claimed)));
        let reworded = by_id
            .copied()
            .or_else(|| main.then(|| self.alike(gate)).flatten())?;
        let detail = match same_id.filter(|_| main).and_then(|g| differing(g, gate)) {
            Some(threshold) => format!("now \"{}\"; {threshold}", reworded.text),
            None => format!("now \"{}\"", reworded.text),
        };
        self.claim(reworded, "changed", gate, detail);
        Some(reworded)
    }

    fn claim(&mut self, line: &Line, what: &'static str, gate: &Old<'_>, detail: String) {
        self.claimed.insert(line.anchor.clone());
        self.drift.push(Drift {
            what,
            line: line.number,
            gate: gate.id.to_owned(),
            detail,
        });
    }

    /// A line in nearly the words of a gate. `MongoDB cluster healthy` is none for the gate of Redis.
    fn alike(&self, gate: &Old<'_>) -> Option<&'a Line> {
        let title = normal(gate.title);
        let askable = |l: &&&&Line| {
            matches!(
                l.shape,
                Shape::Item | Shape::Choice | Shape::Fill | Shape::SignOff
            ) && !self.claimed.contains(&l.anchor)
                && self.may_take(gate, l)
        };
        let scored = self.ordered.iter().filter(|l| askable(&l)).map(|l| {
            let short = |t: &str| t.chars().take(200).collect::<String>();
            (
                strsim::normalized_damerau_levenshtein(&short(&title), &short(&l.normal)),
                *l,
            )
        });
        let best = scored.filter(|(score, _)| *score >= ALIKE);
        best.max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, line)| line)
    }

    /// Whether a line can be that of an old gate in other words: it is not if it means another gate
    /// now. Only what a person vouches for, and the dictionary knows on neither side, has no other name.
    fn may_take(&self, gate: &Old<'_>, line: &Line) -> bool {
        let Some((id, _)) = self.proposal.covered.get(&line.number) else {
            return true;
        };
        let own = |p: &&Proposed| p.id == *id && p.source.anchor == line.anchor;
        let custom = |p: &Proposed| p.item.is_none() && p.is_signature();
        *id == gate.id
            || (gate.is_signature()
                && dictionary::item(gate.id).is_none()
                && self.proposal.gates.iter().find(own).is_some_and(custom))
    }

    /// Lines that belong to no old gate: new gates, or further lines of old ones.
    fn leftovers(&mut self, olds: &[Old<'_>], sources: &mut [Option<Source>]) -> Vec<Proposed> {
        let mut fresh = Vec::new();
        for gate in &self.proposal.gates {
            let old = olds.iter().position(|o| o.id == gate.id);
            let new_main = !self.claimed.contains(&gate.source.anchor);
            let also: Vec<String> = gate
                .source
                .also
                .iter()
                .filter(|a| !self.claimed.contains(*a))
                .cloned()
                .collect();
            let fills: Vec<Fill> = gate
                .source
                .fills
                .iter()
                .filter(|f| !self.claimed.contains(&f.anchor))
                .cloned()
                .collect();
            match old {
                None if new_main && !gate.source.anchor.is_empty() => {
                    self.added(
                        gate,
                        &gate.source.anchor,
                        "new in the document: see the end of the file".to_owned(),
                    );
                    let mut gate = gate.clone();
                    gate.source.also = also;
                    gate.source.fills = fills;
                    fresh.push(gate);
                }
                None => {}
                Some(index) => {
                    let Some(source) = sources.get_mut(index).and_then(Option::as_mut) else {
                        continue;
                    };
                    let main = new_main
                        .then(|| gate.source.anchor.clone())
                        .filter(|a| !a.is_empty());
                    for anchor in main.into_iter().chain(also) {
                        self.added(
                            gate,
                            &anchor,
                            "one more line that this gate answers".to_owned(),
                        );
                        source.also.push(anchor);
                    }
                    for fill in fills {
                        self.new_fill(gate, fill, source, &olds[index]);
                    }
                }
            }
        }
        fresh
    }

    fn new_fill(&mut self, gate: &Proposed, fill: Fill, source: &mut Source, old: &Old<'_>) {
        let asked = fill
            .answer
            .as_ref()
            .and_then(|id| gate.answers.iter().find(|a| a.id == *id));
        let asks = |id: &str| {
            let answers = old
                .node
                .get("with")
                .and_then(|w| w.get("answers"))
                .map(Node::items);
            answers
                .unwrap_or_default()
                .iter()
                .any(|a| a.get("id").and_then(Node::text) == Some(id))
        };
        match asked {
            Some(answer) if !asks(&answer.id) => {
                let detail = format!(
                    "a new blank; add to the `answers` of the gate: {}",
                    yaml::answer(answer)
                );
                self.added(gate, &fill.anchor, detail);
            }
            _ => {
                self.added(
                    gate,
                    &fill.anchor,
                    "one more blank that this gate fills in".to_owned(),
                );
                source.fills.push(fill);
            }
        }
    }

    fn added(&mut self, gate: &Proposed, anchor: &str, detail: String) {
        let line = self.lines.get(anchor).map_or(0, |l| l.number);
        self.drift.push(Drift {
            what: "new",
            line,
            gate: gate.id.clone(),
            detail,
        });
    }
}

fn anchors(gate: &Proposed) -> Vec<&str> {
    let fills = gate.source.fills.iter().map(|f| f.anchor.as_str());
    let also = gate.source.also.iter().map(String::as_str);
    [gate.source.anchor.as_str()]
        .into_iter()
        .chain(also)
        .chain(fills)
        .collect()
}

/// A threshold that the text now names and the gate does not.
fn differing(new: &Proposed, old: &Old<'_>) -> Option<String> {
    let have = old.expects();
    new.expect
        .iter()
        .filter(|e| e.line.is_some())
        .find_map(|e| {
            let (_, is) = have.iter().find(|(metric, _)| *metric == e.metric)?;
            (*is != e.is).then(|| {
                format!(
                    "the text says `{}: {}`, the gate expects `{is}`",
                    e.metric, e.is
                )
            })
        })
}

/// A replacement in the old file.
type Edit = (Range<usize>, String);

fn replace_source(
    text: &str,
    gate: &Old<'_>,
    source: &Source,
    drift: &mut Vec<Drift>,
) -> Option<Edit> {
    let entries = gate.node.entries();
    let at = entries.iter().position(|e| e.key == "source")?;
    let start = line_start(text, entries[at].key_span.start);
    let indent = &text[start..entries[at].key_span.start];
    let block = indent.chars().all(|c| c == ' ');
    let end = match entries.get(at + 1) {
        Some(next) => line_start(text, next.key_span.start),
        None => line_end(text, end_of(&entries[at].value)),
    };
    if !block || end <= start {
        drift.push(Drift {
            what: "changed",
            line: source.line.unwrap_or_default(),
            gate: gate.id.to_owned(),
            detail: format!(
                "its `source` is written in one line and was left alone; the anchor is now {}",
                source.anchor
            ),
        });
        return None;
    }
    // Comments between the block and the next key belong to that key.
    let kept = line_end(text, end_of(&entries[at].value)).min(end);
    Some((start..kept, yaml::source(source, indent)))
}

fn append(text: &str, gates: &[Node], fresh: &[Proposed]) -> Option<Edit> {
    let last = gates.last().filter(|_| !fresh.is_empty())?;
    let first = gates.first()?;
    let at = line_end(text, end_of(last));
    let column = first.span.start - line_start(text, first.span.start);
    let indent = " ".repeat(column.saturating_sub(2));
    let mut out = format!("\n{indent}# ---- New in the document ----\n");
    for gate in fresh {
        out.push('\n');
        for line in yaml::gate(gate).lines() {
            out.push_str(&indent);
            out.push_str(line.strip_prefix("  ").unwrap_or(line));
            out.push('\n');
        }
    }
    if !text[..at].ends_with('\n') {
        out.insert(0, '\n');
    }
    Some((at..at, out))
}

/// Roles that only new gates have.
fn append_roles(text: &str, root: &Node, proposal: &Proposal, fresh: &[Proposed]) -> Option<Edit> {
    let roles = root.get("roles")?;
    let last = roles.entries().last()?;
    let start = line_start(text, last.key_span.start);
    let indent = &text[start..last.key_span.start];
    let missing = proposal
        .roles
        .iter()
        .filter(|(role, _)| roles.get(role).is_none() && fresh.iter().any(|g| g.owner == *role));
    let out = missing.fold(String::new(), |out, (role, title)| {
        out + indent + yaml::role(role, title).trim_start()
    });
    let block = indent.chars().all(|c| c == ' ');
    let at = line_end(text, end_of(&last.value));
    (block && !out.is_empty()).then_some((at..at, out))
}

/// The last byte of a node that is not layout.
fn end_of(node: &Node) -> usize {
    match &node.kind {
        Kind::Scalar { .. } => node.span.end,
        Kind::Sequence(items) => items.last().map_or(node.span.end, end_of),
        Kind::Mapping(entries) => entries.last().map_or(node.span.end, |e| end_of(&e.value)),
    }
}

fn line_start(text: &str, at: usize) -> usize {
    text.get(..at)
        .and_then(|t| t.rfind('\n'))
        .map_or(0, |i| i + 1)
}

/// Start of the line after the one that a node ends in.
fn line_end(text: &str, at: usize) -> usize {
    if at > 0 && text.get(..at).is_some_and(|t| t.ends_with('\n')) {
        return at;
    }
    text.get(at..)
        .and_then(|t| t.find('\n'))
        .map_or(text.len(), |i| at + i + 1)
}

fn apply(text: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
    let mut out = text.to_owned();
    for (range, new) in edits {
        out.replace_range(range, &new);
    }
    out
}

#[cfg(test)]
mod tests;
