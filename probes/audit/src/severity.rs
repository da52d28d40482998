//! How bad an advisory is.

use std::str::FromStr as _;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The bands of CVSS v3 and v4; a later one is worse.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nobody said.
    #[default]
    Unknown,
    /// Score 0, `info`, `negligible`.
    None,
    /// Score above 0.
    Low,
    /// Score from 4; `medium` elsewhere.
    Moderate,
    /// Score from 7.
    High,
    /// Score from 9.
    Critical,
}

impl Severity {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::None => "none",
            Self::Low => "low",
            Self::Moderate => "moderate",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// A tool's own word, in any case.
    pub(crate) fn from_label(label: &str) -> Self {
        match label.trim().to_ascii_lowercase().as_str() {
            "critical" | "urgent" => Self::Critical,
            "high" | "important" | "error" => Self::High,
            "medium" | "moderate" | "warning" => Self::Moderate,
            "low" | "minor" | "note" => Self::Low,
            "none" | "info" | "informational" | "negligible" | "unimportant" => Self::None,
            _ => Self::Unknown,
        }
    }

    /// The band of a CVSS v3 or v4 score.
    pub(crate) fn from_score(score: f64) -> Self {
        match score {
            s if !(0.0..=10.0).contains(&s) => Self::Unknown,
            s if s >= 9.0 => Self::Critical,
            s if s >= 7.0 => Self::High,
            s if s >= 4.0 => Self::Moderate,
            s if s > 0.0 => Self::Low,
            _ => Self::None,
        }
    }

    /// The score of a CVSS vector of any version, and its band. The `CVSS:x.y/` in front may be
    /// missing.
    pub(crate) fn from_vector(vector: &str) -> Option<(f64, Self)> {
        let vector = vector
            .trim()
            .trim_start_matches('(')
            .trim_end_matches([')', '/']);
        let prefixes: &[&str] = if vector.starts_with("CVSS:") {
            &[""]
        } else if vector.contains("Au:") {
            &["", "CVSS:2.0/"]
        } else if vector.contains("VC:") {
            &["CVSS:4.0/"]
        } else {
            &["CVSS:3.1/"]
        };
        if !complete(vector) {
            return None;
        }
        let scored = prefixes
            .iter()
            .find_map(|prefix| cvss::Cvss::from_str(&format!("{prefix}{vector}")).ok())?;
        let score = (scored.score() * 10.0).round() / 10.0;
        Some((score, Self::from_score(score)))
    }

    /// A score or a vector, as text or number.
    pub(crate) fn from_any(value: &Value) -> Option<(Option<f64>, Self)> {
        let score = match value {
            Value::Number(number) => number.as_f64()?,
            Value::String(text) => {
                if let Ok(score) = text.trim().parse::<f64>() {
                    score
                } else {
                    let (score, band) = Self::from_vector(text)?;
                    return Some((Some(score), band));
                }
            }
            _ => return None,
        };
        let band = Self::from_score(score);
        (band != Self::Unknown).then_some((Some(score), band))
    }
}

/// Whether all base metrics are there: what is missing must not count as "no impact".
fn complete(vector: &str) -> bool {
    const V2: &[&str] = &["AV", "AC", "Au", "C", "I", "A"];
    const V3: &[&str] = &["AV", "AC", "PR", "UI", "S", "C", "I", "A"];
    const V4: &[&str] = &[
        "AV", "AC", "AT", "PR", "UI", "VC", "VI", "VA", "SC", "SI", "SA",
    ];
    let names: Vec<&str> = vector
        .split('/')
        .filter_map(|part| Some(part.split_once(':')?.0))
        .collect();
    let needed = match () {
        () if names.contains(&"Au") => V2,
        () if names.contains(&"VC") => V4,
        () => V3,
    };
    needed.iter().all(|name| names.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_of_all_versions_are_scored() {
        let score = |vector: &str| {
            Severity::from_vector(vector).map(|(score, band)| (format!("{score:.1}"), band))
        };
        let is = |vector: &str, wanted: &str, band| {
            assert_eq!(score(vector), Some((wanted.to_owned(), band)), "{vector}");
        };
        is(
            "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
            "9.8",
            Severity::Critical,
        );
        is("AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", "7.5", Severity::High);
        is(
            "CVSS:3.0/AV:N/AC:H/PR:N/UI:N/S:U/C:L/I:L/A:L",
            "5.6",
            Severity::Moderate,
        );
        is("AV:N/AC:M/Au:N/C:N/I:P/A:N", "4.3", Severity::Moderate);
        is(
            "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
            "9.3",
            Severity::Critical,
        );
        is(
            "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N",
            "0.0",
            Severity::None,
        );
        assert_eq!(score("CVSS:3.1/AV:N"), None);
        assert_eq!(score("nonsense"), None);
    }

    #[test]
    fn bands_meet_where_cvss_says() {
        for (score, band) in [
            (0.0, Severity::None),
            (0.1, Severity::Low),
            (3.9, Severity::Low),
            (4.0, Severity::Moderate),
            (6.9, Severity::Moderate),
            (7.0, Severity::High),
            (8.9, Severity::High),
            (9.0, Severity::Critical),
            (10.0, Severity::Critical),
            (10.1, Severity::Unknown),
            (f64::NAN, Severity::Unknown),
        ] {
            assert_eq!(Severity::from_score(score), band, "{score}");
        }
    }
}
