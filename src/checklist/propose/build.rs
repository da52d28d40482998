//! Line by line to gates; then what refers to other gates.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    Match, Part, Parts, Proposal, Proposed, Way,
    ask::{comments, questions},
    matching,
    section::{self, short_hash},
    special::Collected,
    threshold,
};
use crate::{
    checklist::{
        choice,
        conflicts::{self, Finding, Number},
        dictionary::{self, Item, Kind, Needs},
        numbers::readings,
        scan::{Document, Line},
        shape::Shape,
        source::{Fill, Source},
    },
    record::Severity,
    registry,
};

/// Everything that grows while the lines are read.
pub struct Builder<'a> {
    pub(super) document: &'a Document,
    pub(super) parts: Parts,
    pub(super) gates: Vec<Proposed>,
    pub(super) by_id: HashMap<String, usize>,
    /// Sign-off gates of sections, by the headings above them.
    pub(super) signatures: Vec<(Vec<String>, usize)>,
    covered: BTreeMap<usize, (String, Option<Way>)>,
    /// Lines that refer to a gate that may come later, with what they say.
    later: Vec<(&'a Line, Option<Match>)>,
    answers: HashSet<String>,
    pub(super) collected: Collected,
    numbers: Vec<Number>,
}

impl<'a> Builder<'a> {
    /// Looks at the sections first.
    pub fn new(document: &'a Document) -> Result<Self, String> {
        Ok(Self {
            document,
            parts: Parts::of(document)?,
            gates: Vec::new(),
            by_id: HashMap::new(),
            signatures: Vec::new(),
            covered: BTreeMap::new(),
            later: Vec::new(),
            answers: HashSet::new(),
            collected: Collected::default(),
            numbers: Vec::new(),
        })
    }

    /// Reads every line.
    pub fn build(mut self) -> Proposal {
        let document = self.document;
        for line in &document.lines {
            match line.shape {
                Shape::SignOff => self.signature(line),
                _ => self.line(line),
            }
        }
        for (line, found) in std::mem::take(&mut self.later) {
            match found {
                Some(found) => self.refer(line, found),
                None => self.ask(line, None, None),
            }
        }
        self.finish()
    }

    fn line(&mut self, line: &'a Line) {
        let part = self.parts.at(line);
        if self.endpoint(line, &part) {
            return;
        }
        let Some(found) = matching::best(line, &part) else {
            match line.shape {
                Shape::Item => self.custom(line, &part),
                Shape::Choice | Shape::Fill => self.later.push((line, None)),
                _ => {}
            }
            return;
        };
        if let Some(quantity) = &found.item.quantity {
            let all = readings(line.content());
            self.numbers.extend(all.into_iter().map(|reading| Number {
                quantity: quantity.clone(),
                line: line.number,
                text: line.content().trim().to_owned(),
                reading,
            }));
        }
        match found.item.kind {
            Kind::Check | Kind::Sign => self.check(line, &part, found),
            Kind::Urls | Kind::Files => self.collect(line, &part, found),
            Kind::Signoff | Kind::Endpoint | Kind::Note | Kind::Private => {}
            Kind::Derived | Kind::Alias | Kind::Fill | Kind::Choice | Kind::Answer => {
                self.later.push((line, Some(found)));
            }
        }
    }

    /// A gate of the dictionary; a second line that says the same is answered by the same gate.
    pub(super) fn check(&mut self, line: &'a Line, part: &Part, found: Match) {
        let item = found.item;
        if let Some(index) = self.by_id.get(&item.id).copied() {
            self.join(index, line);
            return;
        }
        let home = part.known.is_some_and(|s| s.key == found.section.key);
        let measured = item.kind == Kind::Check && !item.consent;
        let probe = item
            .probe
            .as_deref()
            .filter(|p| measured && registry::find(p).is_some());
        let mut gate = blank(line, part, &item.id);
        gate.item = Some(item.id.clone());
        gate.severity = item.severity.unwrap_or_default();
        gate.stages = match (home, part.says_stage) {
            (true, _) if !item.stages.is_empty() && !part.moved => item.stages.clone(),
            (true, _) | (false, true) => part.stages.clone(),
            _ if !item.stages.is_empty() => item.stages.clone(),
            _ => found.section.stages.clone(),
        };
        if let Some(role) = &item.role
            && self.parts.roles.iter().any(|(r, _)| r == role)
        {
            gate.owner.clone_from(role);
        }
        gate.comments = comments(item, found.score, probe.is_some());
        gate.waivable = item.waivable;
        gate.way = match (probe, item.needs) {
            (None, _) => Way::Signature,
            (Some(_), Some(Needs::Report | Needs::Credentials | Needs::Host)) => Way::Connect,
            (Some(_), None) => Way::Automatic,
        };
        if let Some(probe) = probe {
            probe.clone_into(&mut gate.probe);
            gate.timeout.clone_from(&item.timeout);
            gate.sustain.clone_from(&item.sustain);
        } else {
            for answer in &item.answers {
                if self.answers.insert(answer.id.clone()) {
                    gate.answers.push(answer.clone());
                }
            }
        }
        self.add(gate, line);
    }

    /// An item that the dictionary does not know: a person signs it.
    fn custom(&mut self, line: &'a Line, part: &Part) {
        let pinned = line.pin.clone().filter(|id| is_id(id));
        let id = pinned.unwrap_or_else(|| new_id(part, &line.text));
        if let Some(index) = self.by_id.get(&id).copied() {
            self.join(index, line);
            return;
        }
        let mut gate = blank(line, part, &id);
        gate.comments
            .push("not in the dictionary: a person answers, unless you give it a probe".to_owned());
        self.add(gate, line);
        if !line.blanks.is_empty() || !line.options().is_empty() {
            let index = self.gates.len() - 1;
            self.ask(line, Some(index), None);
        }
    }

    /// What refers to another gate.
    fn refer(&mut self, line: &'a Line, found: Match) {
        let item = found.item;
        let target = item.of.iter().find_map(|id| self.by_id.get(id).copied());
        match (item.kind, target) {
            (Kind::Alias, Some(index)) => self.join(index, line),
            // Which option holds can be told from a gate only where one is good and the other bad.
            (Kind::Choice, Some(index)) if choice::is_verdict(line) => self.join(index, line),
            (Kind::Alias, None) => {
                let part = self.parts.at(line);
                let meant = item.of.first().and_then(|id| dictionary::item(id));
                let Some((section, item)) = meant else {
                    self.custom(line, &part);
                    return;
                };
                let score = found.score;
                self.check(
                    line,
                    &part,
                    Match {
                        section,
                        item,
                        score,
                    },
                );
            }
            (Kind::Derived, _) => {
                let index = self.signature_of(line);
                self.cover(line, index, Some(Way::Derived));
                self.fact(index, line, item);
            }
            (Kind::Fill, _) => self.fill(line, item, target),
            (Kind::Choice, None) if item.planned.is_some() => {
                let part = self.parts.at(line);
                let mut gate = blank(line, &part, &item.id);
                gate.severity = item.severity.unwrap_or_default();
                gate.comments = comments(item, found.score, false);
                gate.item = Some(item.id.clone());
                self.add(gate, line);
                let index = self.gates.len() - 1;
                self.ask(line, Some(index), Some(item));
            }
            _ => self.ask(line, None, Some(item)),
        }
    }

    fn fill(&mut self, line: &'a Line, item: &Item, target: Option<usize>) {
        if item.fact.is_some() {
            let index = target.unwrap_or_else(|| self.signature_of(line));
            self.fact(index, line, item);
            return;
        }
        let measured = target.filter(|i| self.gates.get(*i).is_some_and(|g| !g.is_signature()));
        match (&item.metric, measured) {
            (Some(_), Some(index)) if line.blanks.is_empty() => self.join(index, line),
            (Some(metric), Some(index)) => {
                let fill = Fill {
                    anchor: line.anchor.clone(),
                    metric: Some(metric.clone()),
                    ..Fill::default()
                };
                self.gates[index].source.fills.push(fill);
                self.cover(line, index, None);
            }
            _ if line.blanks.is_empty() => {}
            // The gate that a person answers takes the value, too.
            _ => {
                let index = target.filter(|_| measured.is_none());
                self.ask(line, index, Some(item));
            }
        }
    }

    fn fact(&mut self, index: usize, line: &Line, item: &Item) {
        for blank in 0..line.blanks.len().max(1) {
            self.gates[index].source.fills.push(Fill {
                anchor: line.anchor.clone(),
                blank,
                fact: item.fact.clone(),
                ..Fill::default()
            });
        }
        self.cover(line, index, None);
    }

    /// Blanks and choices that only a person can fill in: questions to the signer.
    fn ask(&mut self, line: &'a Line, index: Option<usize>, item: Option<&Item>) {
        let part = self.parts.at(line);
        let private = part.known.is_some_and(|s| s.private);
        if private && line.boxes.is_empty() {
            return;
        }
        let index = index.unwrap_or_else(|| self.signature_of(line));
        let subject = matching::subject(line);
        let base = item.map_or_else(|| new_id(&part, &subject), |i| i.id.clone());
        let given = item.map(|i| i.answers.clone()).unwrap_or_default();
        for (blank, mut answer) in questions(line, &subject, &base, given) {
            answer.optional |= part.known.is_some_and(|s| s.key == "report");
            let name = answer.id.clone();
            let mut number = 2;
            while !self.answers.insert(answer.id.clone()) {
                answer.id = format!("{name}-{number}");
                number += 1;
            }
            let gate = &mut self.gates[index];
            gate.source.fills.push(Fill {
                anchor: line.anchor.clone(),
                blank,
                answer: Some(answer.id.clone()),
                ..Fill::default()
            });
            gate.answers.push(answer);
        }
        self.cover(line, index, None);
    }

    pub(super) fn add(&mut self, gate: Proposed, line: &Line) {
        let index = self.gates.len();
        self.parts.ensure(&gate.owner);
        self.by_id.insert(gate.id.clone(), index);
        self.gates.push(gate);
        self.cover(line, index, None);
    }

    /// One more line for a gate.
    pub(super) fn join(&mut self, index: usize, line: &Line) {
        let gate = &mut self.gates[index];
        gate.source.also.push(line.anchor.clone());
        gate.lines.push(line.number);
        self.cover(line, index, None);
    }

    pub(super) fn index_of(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    fn cover(&mut self, line: &Line, index: usize, way: Option<Way>) {
        let id = self.gates[index].id.clone();
        self.covered.entry(line.number).or_insert((id, way));
    }

    pub(super) fn free_id(&self, id: &str) -> String {
        let mut free = id.to_owned();
        let mut number = 2;
        while self.by_id.contains_key(&free) {
            free = format!("{id}-{number}");
            number += 1;
        }
        free
    }

    /// Gives every probe its block and its thresholds. Returns the lines with numbers that set none.
    fn thresholds(&mut self) -> Vec<(usize, String)> {
        let by_number: HashMap<usize, &Line> =
            self.document.lines.iter().map(|l| (l.number, l)).collect();
        let mut unused = BTreeMap::new();
        for gate in self.gates.iter_mut().filter(|g| !g.is_signature()) {
            let Some((_, item)) = gate.item.as_deref().and_then(dictionary::item) else {
                continue;
            };
            let lines: Vec<&Line> = gate
                .lines
                .iter()
                .filter_map(|n| by_number.get(n).copied())
                .collect();
            if gate.with.is_empty() {
                gate.with = threshold::with(item, &lines);
            }
            let (expect, numbers) = threshold::expect(item, &lines);
            gate.expect = expect;
            for number in numbers {
                gate.comments.push(format!(
                    "line {}: `{}` sets no threshold: {}; set it in `expect` if it is meant",
                    number.line, number.shown, number.why
                ));
                let text = by_number.get(&number.line).map(|l| l.content().trim());
                unused.insert(number.line, text.unwrap_or_default().to_owned());
            }
        }
        unused.into_iter().collect()
    }

    fn finish(mut self) -> Proposal {
        self.finish_collected();
        let unused = self.thresholds();
        for gate in &mut self.gates {
            // A signature that the document has no line for stands at its first blank.
            if gate.source.anchor.is_empty()
                && let Some(first) = gate.source.fills.first()
            {
                gate.source.anchor.clone_from(&first.anchor);
            }
        }
        let ways: HashMap<&str, Way> = self.gates.iter().map(|g| (g.id.as_str(), g.way)).collect();
        let covered = self.covered.iter().map(|(line, (id, way))| {
            let way = way
                .or_else(|| ways.get(id.as_str()).copied())
                .unwrap_or(Way::Signature);
            (*line, (id.clone(), way))
        });
        let covered = covered.collect();
        let mut findings: Vec<Finding> = conflicts::unused(unused).into_iter().collect();
        findings.extend(conflicts::find(
            self.document,
            &self.gates,
            &self.numbers,
            &self.parts.roles,
        ));
        let mut gates = self.gates;
        gates.sort_by_key(|g| g.source.line);
        let used: HashSet<&str> = gates.iter().map(|g| g.owner.as_str()).collect();
        let mut roles = self.parts.roles;
        roles.retain(|(role, _)| used.contains(role.as_str()));
        Proposal {
            roles,
            findings,
            covered,
            version: super::special::version(self.document),
            gates,
        }
    }
}

/// A gate of which nothing is known but its line: a person answers.
pub(super) fn blank(line: &Line, part: &Part, id: &str) -> Proposed {
    let title = super::special::title(line);
    Proposed {
        id: id.to_owned(),
        statement: title.clone(),
        title,
        section: part.title.clone(),
        owner: part.role.clone(),
        severity: Severity::Major,
        stages: part.stages.clone(),
        source: Source {
            line: Some(line.number),
            anchor: line.anchor.clone(),
            ..Source::default()
        },
        probe: "signoff".to_owned(),
        with: String::new(),
        expect: Vec::new(),
        timeout: None,
        sustain: None,
        waivable: false,
        answers: Vec::new(),
        is_final: false,
        comments: Vec::new(),
        way: Way::Signature,
        item: None,
        lines: vec![line.number],
    }
}

/// `security.backup-keys-stored`, or a hash where the text has no Latin letters.
fn new_id(part: &Part, text: &str) -> String {
    let name = section::id_of(text, 5).unwrap_or_else(|| format!("i-{}", short_hash(text)));
    let id = format!("{}.{name}", part.slug);
    // The same words twice in a section are one item.
    let taken = |id: &str| dictionary::item(id).is_some();
    if taken(&id) { format!("{id}-own") } else { id }
}

fn is_id(id: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    id.starts_with(|c: char| c.is_ascii_alphanumeric()) && id.chars().all(plain)
}
