//! What the user configures. The doc comments are the user documentation.

use readygate_sdk::{ConfigError, Period};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whose signature is wanted, and for what.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignoffConfig {
    /// Role that signs; one of `roles` of the config: `security-lead`.
    #[schemars(regex(pattern = r"^[a-z0-9][a-z0-9-]*$"))]
    pub role: String,
    /// What the person vouches for, in words; the title of the gate unless said otherwise.
    pub statement: Option<String>,
    /// What the person fills in.
    #[serde(default)]
    pub answers: Vec<Answer>,
    /// How old the signature may be; that of the role unless said otherwise.
    pub max_age: Option<Period>,
    /// Final approval: its statement lists all others that count, and its signer holds no other
    /// role in this release.
    #[serde(default, rename = "final")]
    pub is_final: bool,
    /// Ids of the gates that it speaks for. Unless said otherwise these are all gates of its
    /// section, or of the run where it has none.
    #[serde(default)]
    pub items: Vec<String>,
}

/// A blank that the signer fills in.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Its name: `security.last-review`.
    #[schemars(regex(pattern = r"^[a-z0-9][a-z0-9._-]*$"))]
    pub id: String,
    /// The question.
    pub ask: String,
    /// What kind of answer; text unless said otherwise.
    #[serde(default, rename = "type")]
    pub kind: AnswerType,
    /// The answers that are possible, for the type `choice`.
    #[serde(default)]
    pub choices: Vec<String>,
    /// How long ago the date may be, for the type `date`.
    pub max_age: Option<Period>,
    /// The signature counts without it, too.
    #[serde(default)]
    pub optional: bool,
}

/// A kind of answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AnswerType {
    /// Any words.
    #[default]
    Text,
    /// A day: `2026-11-01`.
    Date,
    /// One of `choices`.
    Choice,
    /// A number.
    Number,
}

impl Answer {
    /// What is wrong with an answer, as it reads after "the answer".
    pub fn complaint(&self, given: &str) -> Option<String> {
        let wrong = |wanted: String| Some(format!("`{given}` is not {wanted}"));
        match self.kind {
            _ if given.trim().is_empty() => Some("is empty".to_owned()),
            AnswerType::Date if day(given).is_none() => wrong("a date such as 2026-11-01".into()),
            AnswerType::Number if number(given).is_none() => wrong("a number".into()),
            AnswerType::Choice if !self.choices.iter().any(|c| c == given) => {
                wrong(format!("one of: {}", self.choices.join(", ")))
            }
            AnswerType::Text | AnswerType::Date | AnswerType::Number | AnswerType::Choice => None,
        }
    }
}

/// `2026-11-01` and nothing else; jiff alone would take times and offsets, too.
pub fn day(text: &str) -> Option<jiff::civil::Date> {
    (text.len() == 10).then(|| text.parse().ok()).flatten()
}

/// A finite number in plain notation.
pub fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|n: &f64| n.is_finite())
}

/// Lower-case letters, digits and `-`: it becomes the name of a file.
fn is_role(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(plain)
        && name.len() <= 64
}

fn is_id(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(plain)
}

impl SignoffConfig {
    /// Everything that can be said without looking at a signature.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let mut error = ConfigError::new();
        if !is_role(&self.role) {
            let message = format!("`{}` is not the name of a role", self.role);
            let hint = "use at most 64 lower-case letters, digits and `-`, as in `security-lead`";
            error.add("/role", message, Some(hint));
        }
        if self.statement.as_ref().is_some_and(|s| s.trim().is_empty()) {
            let message = "an empty statement vouches for nothing";
            error.add("/statement", message, None);
        }
        if self.max_age.is_some_and(|age| age.0.is_zero()) {
            let message = "no signature is younger than 0 s";
            error.add("/max_age", message, None);
        }
        for (at, item) in self.items.iter().enumerate() {
            if self.items[..at].contains(item) {
                error.add(
                    format!("/items/{at}"),
                    format!("`{item}` is listed twice"),
                    None,
                );
            }
        }
        for (at, answer) in self.answers.iter().enumerate() {
            if self.answers[..at].iter().any(|a| a.id == answer.id) {
                let message = format!("`{}` is asked twice", answer.id);
                error.add(format!("/answers/{at}/id"), message, None);
            }
            answer.validate(&format!("/answers/{at}"), &mut error);
        }
        error.into_result()
    }
}

impl Answer {
    fn validate(&self, at: &str, error: &mut ConfigError) {
        if !is_id(&self.id) {
            let message = format!("`{}` is not an id", self.id);
            let hint = "use lower-case letters, digits, `.`, `-` and `_`";
            error.add(format!("{at}/id"), message, Some(hint));
        }
        if self.ask.trim().is_empty() {
            error.add(format!("{at}/ask"), "an empty question", None);
        }
        let is_choice = self.kind == AnswerType::Choice;
        if is_choice && self.choices.len() < 2 {
            let message = "a choice needs at least two `choices`";
            error.add(format!("{at}/choices"), message, None);
        }
        if !is_choice && !self.choices.is_empty() {
            let message = "`choices` are for the type `choice`";
            error.add(format!("{at}/choices"), message, None);
        }
        if self.max_age.is_some() && self.kind != AnswerType::Date {
            let message = "`max_age` is for the type `date`";
            error.add(format!("{at}/max_age"), message, None);
        }
    }
}
