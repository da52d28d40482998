//! One OSV record, read leniently: `null` is as good as absent.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::severity::Severity;

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Record {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) modified: Option<String>,
    #[serde(default)]
    pub(crate) withdrawn: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) aliases: Vec<String>,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) summary: String,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) details: String,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) severity: Vec<Score>,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) affected: Vec<Affected>,
    #[serde(default)]
    pub(crate) database_specific: Value,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Score {
    #[serde(default, rename = "type")]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) score: Value,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Affected {
    #[serde(default)]
    pub(crate) package: Option<Package>,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) severity: Vec<Score>,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) ranges: Vec<Range>,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) versions: Vec<String>,
    #[serde(default)]
    pub(crate) database_specific: Value,
    #[serde(default)]
    pub(crate) ecosystem_specific: Value,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Package {
    pub(crate) ecosystem: String,
    pub(crate) name: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Range {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) events: Vec<BTreeMap<String, String>>,
}

fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl Record {
    /// One line: the summary, or the first line of the details.
    pub(crate) fn title(&self) -> &str {
        let text = if self.summary.trim().is_empty() {
            &self.details
        } else {
            &self.summary
        };
        text.lines()
            .map(str::trim)
            .find(|line| !line.is_empty())
            .unwrap_or_default()
    }

    /// How bad: the database's own label, then the worst CVSS of the newest version, then what
    /// stands at the package. Malware is always critical.
    pub(crate) fn severity_for(&self, affected: &Affected) -> (Option<f64>, Severity) {
        if self.id.starts_with("MAL-") {
            return (None, Severity::Critical);
        }
        let score = scores(&affected.severity)
            .or_else(|| scores(&self.severity))
            .or_else(|| {
                let vector = affected.database_specific.get("cvss")?;
                Severity::from_any(vector)
            });
        let label = [
            &self.database_specific,
            &affected.database_specific,
            &affected.ecosystem_specific,
        ]
        .iter()
        .filter_map(|place| place.get("severity")?.as_str())
        .map(Severity::from_label)
        .find(|label| *label != Severity::Unknown);
        match (label, score) {
            (Some(label), score) => (score.and_then(|(score, _)| score), label),
            (None, Some((score, band))) => (score, band),
            (None, None) => (None, Severity::Unknown),
        }
    }

    /// `unmaintained`, `unsound`, `notice`: `RustSec` marks what is no vulnerability.
    pub(crate) fn notice(affected: &Affected) -> Option<&str> {
        affected.database_specific.get("informational")?.as_str()
    }
}

fn scores(list: &[Score]) -> Option<(Option<f64>, Severity)> {
    ["CVSS_V4", "CVSS_V3", "CVSS_V2", "Ubuntu"]
        .iter()
        .find_map(|kind| {
            let of_kind = list.iter().filter(|score| score.kind == *kind);
            of_kind
                .filter_map(|score| match kind {
                    &"Ubuntu" => {
                        let label = Severity::from_label(score.score.as_str()?);
                        (label != Severity::Unknown).then_some((None, label))
                    }
                    _ => Severity::from_any(&score.score),
                })
                .max_by_key(|(_, band)| *band)
        })
}
