//! Gates of lines that ask for a signature.

use super::{
    build::{Builder, blank},
    section, title_of,
};
use crate::{
    checklist::{
        dictionary::{self, Kind},
        scan::Line,
        source::Source,
    },
    record::Severity,
};

impl<'a> Builder<'a> {
    /// The gate of a line that asks for a signature.
    pub(super) fn signature(&mut self, line: &'a Line) {
        let part = self.parts.at(line);
        let names = dictionary::roles().unwrap_or_default();
        let role = line
            .role
            .as_deref()
            .map_or_else(|| part.role.clone(), |r| section::role_of(r, names));
        self.parts.ensure(&role);
        let listed = !line.boxes.is_empty() || line.blanks.len() > 1;
        let label = line
            .blanks
            .first()
            .map(|b| crate::checklist::normal::normal(&b.label));
        let is_final =
            label.is_some_and(|l| l.contains("final approval") || l.contains("الموافقه النهاييه"));
        let id = match (is_final, listed, part.number, part.known) {
            (true, ..) => "signoff.final".to_owned(),
            (_, true, ..) => format!("signoff.{role}"),
            (_, _, Some(number), _) => format!("signoff.s{number:02}-{role}"),
            (_, _, _, Some(known)) => format!("signoff.{}-{role}", known.key),
            _ => format!("signoff.{}-{role}", part.slug),
        };
        let id = self.free_id(&id);
        let title = line.role.clone().unwrap_or_else(|| title_of(&role));
        let mut gate = blank(line, &part, &id);
        gate.statement = match (is_final, listed) {
            (true, _) => "Final approval: the release may stand".to_owned(),
            (_, true) => format!("{title}: what I answer for is ready"),
            _ => format!("{}: every item of this section is done", part.title),
        };
        gate.title = format!("Sign-off: {title}");
        gate.owner = role;
        gate.is_final = is_final;
        let known = dictionary::item(&id).map(|(_, item)| item);
        let of_section = || part.known?.items.iter().find(|i| i.kind == Kind::Signoff);
        let item = known.or_else(of_section);
        gate.severity = item.and_then(|i| i.severity).unwrap_or(Severity::Blocker);
        gate.item = known.map(|i| i.id.clone());
        if let Some(known) = known.filter(|i| !i.stages.is_empty()) {
            gate.stages.clone_from(&known.stages);
        } else if listed {
            gate.stages = self.stages_of(&gate.owner);
        }
        self.add(gate, line);
        if !listed {
            self.signatures
                .push((line.headings.to_vec(), self.gates.len() - 1));
        }
    }

    /// When a role answers for something: in every stage in which it signs a section.
    fn stages_of(&self, role: &str) -> Vec<String> {
        let mut stages = Vec::new();
        for gate in self.gates.iter().filter(|g| g.owner == role) {
            for stage in &gate.stages {
                if !stages.contains(stage) {
                    stages.push(stage.clone());
                }
            }
        }
        if stages.is_empty() {
            vec!["pre-deploy".to_owned()]
        } else {
            stages
        }
    }

    /// The gate of the signature of the section of a line; made if the document has none.
    pub(super) fn signature_of(&mut self, line: &'a Line) -> usize {
        let part = self.parts.at(line);
        let path = line.headings.to_vec();
        let near = |depth: usize| {
            let above = path.get(..depth)?;
            let same = |p: &&(Vec<String>, usize)| {
                p.0 == above || (depth > 1 && p.0.get(..depth) == Some(above))
            };
            self.signatures.iter().find(same).map(|(_, index)| *index)
        };
        let exact = self
            .signatures
            .iter()
            .find(|(p, _)| *p == path)
            .map(|(_, i)| *i);
        // `### Checklist` and `### Steps` of one `## Rollback` share a signature; numbered sections do not.
        let shared = || {
            (part.number.is_none() && path.len() > 2)
                .then(|| near(path.len() - 1))
                .flatten()
        };
        if let Some(index) = exact.or_else(shared) {
            return index;
        }
        let closing = part
            .known
            .is_some_and(|s| matches!(s.key.as_str(), "final" | "summary"));
        if let Some(index) = self.by_id.get("signoff.final").filter(|_| closing) {
            return *index;
        }
        let id = match (part.number, part.known) {
            (Some(number), _) => format!("signoff.s{number:02}-{}", part.role),
            (None, Some(known)) => format!("signoff.{}-{}", known.key, part.role),
            (None, None) => format!("signoff.{}-{}", part.slug, part.role),
        };
        if let Some(index) = self.by_id.get(&id) {
            return *index;
        }
        let mut gate = blank(line, &part, &id);
        gate.source = Source::default();
        gate.source.line = Some(line.number);
        gate.title = format!("Sign-off: {}", title_of(&part.role));
        gate.statement = format!("{}: what stands in its blanks is true", part.title);
        let report = part.known.is_some_and(|s| s.key == "report");
        gate.severity = if report {
            Severity::Minor
        } else {
            Severity::Major
        };
        self.parts.ensure(&part.role);
        let index = self.gates.len();
        self.by_id.insert(id, index);
        self.gates.push(gate);
        index
    }
}
