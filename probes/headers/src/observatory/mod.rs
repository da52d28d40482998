//! The score of the MDN HTTP Observatory, by algorithm 6: twelve tests, each with a modifier.
//!
//! The facts are the observatory's, the code is not. Where it is known to be wrong this one differs
//! on purpose, always towards the lower score; `tests/observatory/differences.md` has each case.

mod content;
mod csp;
mod transport;

use crate::record::{Answer, HeadersMeasurement, Origin, Page, Plain};

/// The points of a site without any finding.
const START: i32 = 100;
/// Bonuses count from here on.
const EXTRA_CREDIT_FROM: i32 = 90;

/// How one test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Name of the result: `unsafe-inline`.
    pub result: &'static str,
    /// Points.
    pub modifier: i32,
    /// Whether the observatory shows the test as passed.
    pub passes: bool,
}

const fn pass(result: &'static str, modifier: i32) -> Verdict {
    Verdict {
        result,
        modifier,
        passes: true,
    }
}

const fn fail(result: &'static str, modifier: i32) -> Verdict {
    Verdict {
        result,
        modifier,
        passes: false,
    }
}

/// One test: its name, and its verdict or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// Name of the test: `csp`.
    pub name: &'static str,
    /// The verdict.
    pub verdict: Result<Verdict, String>,
}

/// All tests of one response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// In the order of the documentation.
    pub tests: Vec<Test>,
}

/// Names of the tests, in order.
pub const TESTS: [&str; 12] = [
    "csp",
    "cookies",
    "cors",
    "redirection",
    "referrer_policy",
    "hsts",
    "sri",
    "nosniff",
    "framing",
    "corp",
    "coop",
    "coep",
];

/// What the observatory would say of a page.
///
/// # Errors
/// Why it would say nothing: no answer, or a status that it refuses.
pub fn scan(page: &Page, record: &HeadersMeasurement) -> Result<Scan, String> {
    let Some(answer) = &page.answer else {
        let error = page.error.as_ref().map(ToString::to_string);
        return Err(error.unwrap_or_else(|| "there is no answer".to_owned()));
    };
    if !(200..400).contains(&answer.status) && ![401, 403].contains(&answer.status) {
        return Err(format!(
            "the observatory refuses the status {}",
            answer.status
        ));
    }
    let hsts = transport::hsts(answer);
    let tests = [
        csp::judge(answer),
        known(answer, "set-cookie", content::cookies(answer, hsts.passes)),
        cors(page, record),
        redirection(record.plain.as_ref()),
        known(answer, "referrer-policy", content::referrer(answer)),
        known(answer, "strict-transport-security", hsts),
        content::sri(answer),
        known(answer, "x-content-type-options", content::nosniff(answer)),
        known(answer, "x-frame-options", content::framing(answer)),
        known(
            answer,
            "cross-origin-resource-policy",
            content::corp(answer),
        ),
        known(answer, "cross-origin-opener-policy", content::coop(answer)),
        known(
            answer,
            "cross-origin-embedder-policy",
            content::coep(answer),
        ),
    ];
    let tests = TESTS.into_iter().zip(tests);
    Ok(Scan {
        tests: tests
            .map(|(name, verdict)| Test { name, verdict })
            .collect(),
    })
}

/// A verdict on a field that was cut is none.
fn known(answer: &Answer, name: &str, verdict: Verdict) -> Result<Verdict, String> {
    if answer.is_cut(name) {
        Err(format!("`{name}` is too long to be kept whole"))
    } else {
        Ok(verdict)
    }
}

/// The preflight of a foreign origin, as the observatory sends it.
fn cors(page: &Page, record: &HeadersMeasurement) -> Result<Verdict, String> {
    let preflight = record.cors.iter().find(|c| {
        c.declared == page.declared && c.method == "OPTIONS" && c.origin == Origin::Foreign
    });
    let Some(preflight) = preflight else {
        return Err("no other origin asked for this URL".to_owned());
    };
    if let Some(error) = &preflight.error {
        return Err(error.clone());
    }
    Ok(match preflight.allow_origin.as_deref().map(str::trim) {
        None | Some("") => pass("none", 0),
        Some("*") => pass("public", 0),
        Some(origin) if origin == preflight.sent && preflight.allow_credentials => {
            fail("universal", -50)
        }
        Some(_) => pass("restricted", 0),
    })
}

fn redirection(plain: Option<&Plain>) -> Result<Verdict, String> {
    let plain = plain.ok_or("`http_url` is not set")?;
    transport::redirection(plain)
}

impl Scan {
    /// The score, when every test has a verdict.
    ///
    /// # Errors
    /// The first test without one, and why.
    pub fn score(&self) -> Result<u32, String> {
        let mut modifiers = Vec::new();
        for test in &self.tests {
            match &test.verdict {
                Ok(verdict) => modifiers.push(verdict.modifier),
                Err(reason) => return Err(format!("`{}` could not be told: {reason}", test.name)),
            }
        }
        Ok(total(&modifiers))
    }

    /// The score if every test without a verdict neither gave nor took points. A missing verdict may
    /// hide a malus, so the true score is at most this plus the bonuses of those tests.
    pub fn known_score(&self) -> u32 {
        let verdicts = self.tests.iter().filter_map(|t| t.verdict.as_ref().ok());
        total(&verdicts.map(|v| v.modifier).collect::<Vec<_>>())
    }
}

/// Bonuses count only for a site that keeps 90 points without them; no score is below zero.
fn total(modifiers: &[i32]) -> u32 {
    let lost: i32 = modifiers.iter().filter(|m| **m < 0).sum();
    let all: i32 = modifiers.iter().sum();
    let score = if START + lost >= EXTRA_CREDIT_FROM {
        START + all
    } else {
        START + lost
    };
    u32::try_from(score).unwrap_or(0)
}

/// The grade of a score, which is rounded down to a multiple of five.
pub fn grade(score: u32) -> &'static str {
    match score {
        100.. => "A+",
        90..=99 => "A",
        85..=89 => "A-",
        80..=84 => "B+",
        70..=79 => "B",
        65..=69 => "B-",
        60..=64 => "C+",
        50..=59 => "C",
        45..=49 => "C-",
        40..=44 => "D+",
        30..=39 => "D",
        25..=29 => "D-",
        0..=24 => "F",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bonuses_need_ninety_points() {
        for (modifiers, score) in [
            (&[5, 5, 10][..], 120),
            (&[-10, 5], 95),
            (&[-5, -5, 10], 100),
            (&[-20, 10], 80),
            (&[-11, 30], 89),
            (&[-50, -40, -30, 5], 0),
            (&[], 100),
        ] {
            assert_eq!(total(modifiers), score, "{modifiers:?}");
        }
    }

    #[test]
    fn grades_have_their_bounds() {
        let bounds = [
            (130, "A+"),
            (100, "A+"),
            (99, "A"),
            (90, "A"),
            (89, "A-"),
            (84, "B+"),
            (79, "B"),
            (70, "B"),
            (69, "B-"),
            (64, "C+"),
            (59, "C"),
            (49, "C-"),
            (44, "D+"),
            (39, "D"),
            (29, "D-"),
            (24, "F"),
            (0, "F"),
        ];
        for (score, letter) in bounds {
            assert_eq!(grade(score), letter, "{score}");
        }
    }
}
