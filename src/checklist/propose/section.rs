//! Sections of a document: who signs them, when their gates apply, what the dictionary knows.

use std::{collections::HashMap, sync::Arc};

use crate::checklist::{
    anchor::slug,
    dictionary::{self, Phrase, RoleNames, words},
    normal::normal,
    scan::{Document, Line},
    shape::Shape,
};

/// A section of a document: the lines under one innermost heading.
#[derive(Debug, Clone)]
pub struct Part {
    /// The heading that names it: the innermost with a number, or the innermost.
    pub title: String,
    /// Its number: `4`.
    pub number: Option<u32>,
    /// Start of the ids of what the dictionary does not know.
    pub slug: String,
    /// What the dictionary knows of it.
    pub known: Option<&'static dictionary::Section>,
    /// Role that answers for it.
    pub role: String,
    /// When its gates apply.
    pub stages: Vec<String>,
    /// The document says so itself, not only the dictionary.
    pub says_stage: bool,
    /// The document puts it elsewhere than the dictionary would.
    pub moved: bool,
}

/// The sections of a document and the roles that it names.
#[derive(Debug, Default)]
pub struct Parts {
    parts: HashMap<Arc<[String]>, Part>,
    /// Roles, with what the document calls them, in order of appearance.
    pub roles: Vec<(String, String)>,
}

/// When, as headings say it. The first that fits counts.
const PHASES: &[(&str, &str)] = &[
    ("rollback", "rollback"),
    ("roll back", "rollback"),
    ("التراجع", "rollback"),
    ("post deploy*|deployment|release|launch", "post-deploy"),
    ("after deploy*|deployment|release|launch", "post-deploy"),
    ("بعد النشر|الاطلاق", "post-deploy"),
    ("pre deploy*|deployment|release|launch", "pre-deploy"),
    ("before deploy*|deployment|release|launch", "pre-deploy"),
    ("قبل النشر|الاطلاق", "pre-deploy"),
    ("deployment|launch|release phase|day|window", "deploy"),
    ("during deploy*|deployment|release", "deploy"),
    ("اثناء|خلال النشر", "deploy"),
];

impl Parts {
    /// Looks at every section of a document.
    pub fn of(document: &Document) -> Result<Self, String> {
        let known = dictionary::sections()?;
        let names = dictionary::roles()?;
        let mut parts = Self::default();
        let signed = signatures(document, names, &mut parts.roles);
        for line in &document.lines {
            if !parts.parts.contains_key(&line.headings) {
                let part = part(&line.headings, known, &signed);
                parts.parts.insert(Arc::clone(&line.headings), part);
            }
        }
        Ok(parts)
    }

    /// The section of a line.
    pub fn at(&self, line: &Line) -> Part {
        self.parts
            .get(&line.headings)
            .cloned()
            .unwrap_or_else(|| part(&line.headings, &[], &HashMap::new()))
    }

    /// Adds a role that no line of the document names.
    pub fn ensure(&mut self, role: &str) {
        if !self.roles.iter().any(|(r, _)| r == role) {
            self.roles.push((role.to_owned(), title_of(role)));
        }
    }
}

/// Roles of sections, by the headings above their sign-off lines.
fn signatures(
    document: &Document,
    names: &[RoleNames],
    roles: &mut Vec<(String, String)>,
) -> HashMap<Vec<String>, String> {
    let mut signed = HashMap::new();
    for line in document.lines.iter().filter(|l| l.shape == Shape::SignOff) {
        let Some(title) = &line.role else { continue };
        let role = role_of(title, names);
        // A list of signatures belongs to no one of them.
        if line.boxes.is_empty() && line.blanks.len() == 1 {
            for depth in reach(&line.headings) {
                let above = line.headings[..depth].to_vec();
                signed.entry(above).or_insert_with(|| role.clone());
            }
        }
        if !roles.iter().any(|(r, _)| *r == role) {
            roles.push((role, title.clone()));
        }
    }
    signed
}

/// How many headings a signature stands under: those of its own section, and where that has no
/// number of its own (`### Checklist` and `### Steps` of one `## Rollback`) those around it.
pub fn reach(headings: &[String]) -> impl Iterator<Item = usize> + use<> {
    let shared = headings.len() > 2 && headings.last().is_some_and(|h| number(h).is_none());
    (1..=headings.len()).rev().take(if shared { 2 } else { 1 })
}

/// `Development Lead` is `dev-lead`; an unknown role gets a name of its own.
pub fn role_of(title: &str, names: &[RoleNames]) -> String {
    let wanted = normal(title);
    let known = names
        .iter()
        .find(|n| n.says.iter().any(|s| normal(s) == wanted));
    if let Some(known) = known {
        return known.role.clone();
    }
    let plain: String = slug(title)
        .chars()
        .map(|c| if c.is_ascii() { c } else { '-' })
        .collect();
    let parts: Vec<&str> = plain.split('-').filter(|p| !p.is_empty()).collect();
    let name = parts.join("-");
    if name.is_empty() {
        return format!("role-{}", short_hash(&wanted));
    }
    name.chars()
        .take(64)
        .collect::<String>()
        .trim_end_matches('-')
        .to_owned()
}

/// What people call a role.
pub fn title_of(role: &str) -> String {
    let names = dictionary::roles().unwrap_or_default();
    let known = names
        .iter()
        .find(|n| n.role == role)
        .map(|n| n.title.clone());
    known.unwrap_or_else(|| role.to_owned())
}

/// Eight hex digits for what has no Latin letters.
pub fn short_hash(text: &str) -> String {
    let mut anchors = crate::checklist::anchor::Anchors::default();
    let anchor = anchors.next(&[], text);
    anchor
        .trim_start_matches('/')
        .trim_end_matches(".1")
        .to_owned()
}

fn part(
    headings: &[String],
    known: &'static [dictionary::Section],
    signed: &HashMap<Vec<String>, String>,
) -> Part {
    let numbered = headings.iter().rev().find(|h| number(h).is_some());
    let title = numbered.or(headings.last()).cloned().unwrap_or_default();
    let section = best(headings, known);
    let said = headings.iter().rev().find_map(|h| phase(h));
    // What a section is called says less than the part of the document that it stands in, and
    // "deployment" is both the permit and what follows it: there the dictionary knows more.
    let outer = headings
        .split_last()
        .and_then(|(_, above)| above.iter().rev().find_map(|h| phase(h)));
    let moved = section.zip(outer).is_some_and(|(section, outer)| {
        outer != "deploy" && !section.stages.iter().any(|s| s == outer)
    });
    let stages = match (section, said) {
        _ if moved => outer.into_iter().map(str::to_owned).collect(),
        (Some(section), _) => section.stages.clone(),
        (None, Some(stage)) => vec![stage.to_owned()],
        (None, None) => vec!["pre-deploy".to_owned()],
    };
    let near = reach(headings).find_map(|d| signed.get(&headings[..d]));
    let role = near.cloned().or_else(|| section.map(|s| s.role.clone()));
    let any = || signed.values().min().cloned();
    Part {
        number: number(&title),
        slug: id_of(without_number(&title), 3)
            .unwrap_or_else(|| format!("s-{}", short_hash(&title))),
        title,
        known: section,
        role: role
            .or_else(any)
            .unwrap_or_else(|| "release-manager".to_owned()),
        stages,
        says_stage: said.is_some(),
        moved,
    }
}

/// The section of the dictionary whose phrase a heading says best, the innermost heading first.
fn best(
    headings: &[String],
    known: &'static [dictionary::Section],
) -> Option<&'static dictionary::Section> {
    // The title of the document names no section, unless there is nothing else.
    let below = if headings.len() > 1 {
        &headings[1..]
    } else {
        headings
    };
    below.iter().rev().find_map(|heading| {
        let line = words(without_number(heading));
        let scored = known.iter().map(|s| {
            let score = s
                .says
                .iter()
                .map(|p| Phrase::new(p).score(&line))
                .fold(0.0, f64::max);
            (score, s)
        });
        let best = scored.filter(|(score, _)| *score >= 0.65);
        best.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, s)| s)
    })
}

fn phase(heading: &str) -> Option<&'static str> {
    let line = words(heading);
    PHASES
        .iter()
        .find(|(says, _)| Phrase::new(says).score(&line) > 0.0)
        .map(|(_, stage)| *stage)
}

/// `4` of `4. Infrastructure`.
pub fn number(heading: &str) -> Option<u32> {
    let western = crate::checklist::normal::western(heading);
    let digits: String = western
        .trim()
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    let rest = &western.trim()[digits.len()..];
    (rest.starts_with(['.', ')', ':', '-', ' ']))
        .then(|| digits.parse().ok())
        .flatten()
}

fn without_number(heading: &str) -> &str {
    match number(heading) {
        Some(_) => heading.trim_start_matches(|c: char| c.is_numeric() || ". ):-".contains(c)),
        None => heading,
    }
}

/// An id of at most so many words; `None` without Latin letters.
pub fn id_of(text: &str, most: usize) -> Option<String> {
    let normal = normal(text);
    let plain = |w: &&str| w.chars().all(|c| c.is_ascii_alphanumeric());
    let kept: Vec<&str> = normal
        .split([' ', '.'])
        .filter(plain)
        .filter(|w| !w.is_empty())
        .take(most)
        .collect();
    (!kept.is_empty()).then(|| kept.join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checklist::scan::scan;

    #[test]
    fn roles_and_stages() {
        let text = "# T\n## Pre-Deployment Phase\n### 2. Security Verification\n□ a\n\
                    **Sign-off:** ________ (Security Officer)\n## After the launch\n### Odd things\n□ b\n\
                    ## Rollback\n### Steps\n□ c\n### Names\n**Sign-off:** ________ (قائد الحادث)\n";
        let document = scan(text);
        let parts = Parts::of(&document).unwrap();
        let at = |n: usize| parts.at(&document.lines[n - 1]);
        assert_eq!(
            (at(4).role.as_str(), at(4).number),
            ("security-lead", Some(2))
        );
        assert_eq!(at(4).known.unwrap().key, "2");
        assert_eq!(at(8).stages, ["post-deploy"]);
        assert_eq!(at(8).slug, "odd-things");
        assert_eq!(
            (at(11).role.as_str(), at(11).stages[0].as_str()),
            ("incident-commander", "rollback")
        );
        let roles: Vec<&str> = parts.roles.iter().map(|(r, _)| r.as_str()).collect();
        assert_eq!(roles, ["security-lead", "incident-commander"]);
    }

    #[test]
    fn names_of_roles() {
        let names = dictionary::roles().unwrap();
        assert_eq!(role_of("Development Lead", names), "dev-lead");
        assert_eq!(role_of("CTO/VP Engineering", names), "cto");
        assert_eq!(role_of("Head of Café", names), "head-of-caf");
        assert!(role_of("رئيس القسم", names).starts_with("role-"));
    }

    #[test]
    fn ids() {
        assert_eq!(
            id_of("Key customers informed by phone now", 4).as_deref(),
            Some("key-customers-informed-by")
        );
        assert_eq!(id_of("إبلاغ العملاء", 4), None);
        assert_eq!(number("٤. الكاش"), Some(4));
        assert_eq!(number("4x"), None);
    }
}
