//! What the items of checklists mean: from words to a probe, its threshold, a role and a severity.
//!
//! The knowledge is data: one YAML file for each section. A test holds it against the registry.

mod phrase;

use std::sync::LazyLock;

use serde::Deserialize;

pub use phrase::{Phrase, Word, words};

use crate::{
    config::{Sink, decode, parse_yaml},
    record::Severity,
};

macro_rules! sections {
    ($($name:literal),* $(,)?) => {
        const SECTIONS: &[(&str, &str)] = &[$(($name, include_str!(concat!($name, ".yaml")))),*];
    };
}

sections! {
    "01-quality", "02-security", "03-performance", "04-infrastructure", "05-database", "06-cache",
    "07-backup", "08-window", "09-deployment", "10-verification", "11-monitoring", "12-acceptance",
    "13-documentation", "14-communication", "15-cleanup", "16-rollback", "17-report",
    "18-signatures", "19-references", "20-links", "21-final", "22-around",
}

/// A section of checklists.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// Short name: `2`, `rb`.
    pub key: String,
    /// What documents call it.
    pub title: String,
    /// Phrases of its heading.
    pub says: Vec<String>,
    /// Role that signs it unless the document says otherwise.
    pub role: String,
    /// When its gates apply.
    pub stages: Vec<String>,
    /// What stands in its blanks is nobody's business.
    #[serde(default)]
    pub private: bool,
    /// What it is made of.
    pub items: Vec<Item>,
}

/// An item of checklists.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Id of the gate, or of what stands for one.
    pub id: String,
    /// What becomes of it.
    #[serde(default)]
    pub kind: Kind,
    /// Kinds of lines that can say it; those of its kind unless given.
    #[serde(default)]
    pub on: Vec<On>,
    /// Phrases, English and Arabic.
    #[serde(default)]
    pub says: Vec<String>,
    /// Which probe measures.
    pub probe: Option<String>,
    /// Which probe will measure one day; a person answers until then.
    pub planned: Option<String>,
    /// The probe disturbs the target, so that a person must agree first.
    #[serde(default)]
    pub consent: bool,
    /// What a person must connect before it works.
    pub needs: Option<Needs>,
    /// What that is, in words.
    pub hint: Option<String>,
    /// The `with` block, as YAML; `{{nodes=3}}` takes the number of the text.
    pub with: Option<String>,
    /// Metric, expectation, and what to read in the text in its place.
    #[serde(default)]
    pub expect: Vec<Vec<String>>,
    /// Time for one attempt.
    pub timeout: Option<String>,
    /// Keep passing.
    pub sustain: Option<SustainText>,
    /// How much it weighs.
    pub severity: Option<Severity>,
    /// A blocker that may be waived all the same.
    #[serde(default)]
    pub waivable: bool,
    /// When it applies, if not with its section.
    #[serde(default)]
    pub stages: Vec<String>,
    /// Who answers for it, if not the role of its section.
    pub role: Option<String>,
    /// Gates that give the answer; the first that there is.
    #[serde(default)]
    pub of: Vec<String>,
    /// Metric that fills in the blank.
    pub metric: Option<String>,
    /// What of the record or the history of the release fills in the blank or ticks the box.
    pub fact: Option<String>,
    /// What the signer fills in.
    #[serde(default)]
    pub answers: Vec<AnswerText>,
    /// What its number measures; two numbers for one quantity are a conflict.
    pub quantity: Option<String>,
    /// What a person should know.
    pub note: Option<String>,
    /// [`Item::says`], read once.
    #[serde(skip)]
    pub phrases: Vec<Phrase>,
}

/// What becomes of an item.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A gate with a probe.
    #[default]
    Check,
    /// A gate that waits for a signature.
    Sign,
    /// The signature of a section or a role.
    Signoff,
    /// Readygate knows it from the run and the history of the release.
    Derived,
    /// Another word for a gate.
    Alias,
    /// A blank that a gate fills in.
    Fill,
    /// Boxes of which a gate ticks one.
    Choice,
    /// A blank that the signer of the section fills in.
    Answer,
    /// A request in a list of requests.
    Endpoint,
    /// A list of addresses.
    Urls,
    /// A list of files.
    Files,
    /// Personal data, left alone.
    Private,
    /// Nothing to decide.
    Note,
}

/// A kind of line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum On {
    /// With a box.
    Item,
    /// With boxes of which one is ticked.
    Choice,
    /// With a blank.
    Fill,
    /// `Label: value`.
    Fact,
    /// A command.
    Command,
}

/// What a person must connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Needs {
    /// The report of another tool.
    Report,
    /// Credentials.
    Credentials,
    /// A checkout, or a runner on the host.
    Host,
}

/// A question to the signer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerText {
    /// Its name.
    pub id: String,
    /// In words.
    pub ask: String,
    /// `text`, `date`, `choice` or `number`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The answers that are possible.
    #[serde(default)]
    pub choices: Vec<String>,
    /// How long ago the date may be.
    pub max_age: Option<String>,
    /// The signature counts without it, too.
    #[serde(default)]
    pub optional: bool,
}

/// A `sustain` block.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SustainText {
    /// How long.
    #[serde(rename = "for")]
    pub duration: String,
    /// How often.
    pub every: String,
    /// Failures that are tolerated.
    #[serde(default)]
    pub failure_limit: u32,
}

/// A role and its names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleNames {
    /// As the config has it.
    pub role: String,
    /// As people have it.
    pub title: String,
    /// As documents have it.
    pub says: Vec<String>,
}

impl Item {
    /// Whether a line of this kind can say it.
    pub fn is_on(&self, on: On) -> bool {
        if !self.on.is_empty() {
            return self.on.contains(&on);
        }
        match self.kind {
            Kind::Check | Kind::Sign | Kind::Derived | Kind::Alias => on == On::Item,
            Kind::Fill | Kind::Private => on == On::Fill,
            Kind::Answer => matches!(on, On::Fill | On::Choice),
            Kind::Choice => on == On::Choice,
            Kind::Files | Kind::Urls => on == On::Fact,
            Kind::Signoff | Kind::Endpoint | Kind::Note => false,
        }
    }

    /// How well a line says it.
    pub fn score(&self, line: &[Word]) -> f64 {
        self.phrases
            .iter()
            .map(|p| p.score(line))
            .fold(0.0, f64::max)
    }
}

type Loaded<T> = Result<Vec<T>, String>;

static DICTIONARY: LazyLock<Loaded<Section>> = LazyLock::new(|| {
    let mut sections = Vec::with_capacity(SECTIONS.len());
    for (name, text) in SECTIONS {
        let mut section: Section = read(name, text)?;
        for item in &mut section.items {
            item.phrases = item.says.iter().map(|s| Phrase::new(s)).collect();
        }
        sections.push(section);
    }
    Ok(sections)
});
static ROLES: LazyLock<Loaded<RoleNames>> =
    LazyLock::new(|| read("roles", include_str!("roles.yaml")));

/// All sections, in order.
pub fn sections() -> Result<&'static [Section], String> {
    DICTIONARY.as_deref().map_err(Clone::clone)
}

/// All roles that are known by name.
pub fn roles() -> Result<&'static [RoleNames], String> {
    ROLES.as_deref().map_err(Clone::clone)
}

/// The item of this id.
pub fn item(id: &str) -> Option<(&'static Section, &'static Item)> {
    let mut sections = sections().ok()?.iter();
    sections.find_map(|s| Some((s, s.items.iter().find(|i| i.id == id)?)))
}

fn read<T: for<'de> Deserialize<'de>>(name: &str, text: &str) -> Result<T, String> {
    let mut problems = Vec::new();
    let sink = Sink::default();
    let node = parse_yaml(0, text, &mut problems);
    let value = node.as_ref().and_then(|n| decode(n, &sink));
    value.ok_or_else(|| {
        problems.extend(sink.into_parts().0);
        let why: Vec<String> = problems.into_iter().map(|p| p.message).collect();
        format!("the dictionary {name} is broken: {}", why.join("; "))
    })
}

#[cfg(test)]
mod tests;
