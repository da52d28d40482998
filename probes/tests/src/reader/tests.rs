//! Tests of the reader, by behaviour.

mod bounds;
mod encodings;
mod faults;
mod fold;
mod formats;
mod generated;
mod states;

use std::io::Read;

use super::{About, Fault, read};
use crate::{config::Retries, measurement::Counts, tally::Tally};

/// What came of a report.
struct Outcome {
    read: Result<About, Fault>,
    tally: Tally<'static>,
}

impl Outcome {
    fn counts(&self) -> Counts {
        self.tally.counts()
    }

    /// Total, passed, failed, errors, skipped of a report that must be readable.
    #[track_caller]
    fn states(&self) -> [u64; 5] {
        assert!(self.read.is_ok(), "{:?}", self.read);
        let c = self.counts();
        [c.total, c.passed, c.failed, c.errors, c.skipped]
    }

    #[track_caller]
    fn about(&self) -> &About {
        self.read.as_ref().unwrap()
    }

    /// `line:column: reason` of a report that must not be readable.
    #[track_caller]
    fn fault(&self) -> String {
        let fault = self.read.as_ref().unwrap_err();
        match fault.at {
            Some(at) => format!("{}:{}: {}", at.line, at.column, fault.reason),
            None => fault.reason.clone(),
        }
    }
}

/// Without secrets to mask.
fn plain(text: &str) -> String {
    text.to_owned()
}

fn from(raw: impl Read, retries: Retries) -> Outcome {
    let mut tally = Tally::new("r.xml", retries, &plain);
    let read = read(raw, &|| false, &mut tally).map(|(about, _)| about);
    Outcome { read, tally }
}

fn bytes(raw: &[u8]) -> Outcome {
    from(raw, Retries::Separate)
}

fn text(xml: &str) -> Outcome {
    bytes(xml.as_bytes())
}

/// A suite around some cases.
fn suite(cases: &str) -> Outcome {
    text(&format!("<testsuite name=\"s\">{cases}</testsuite>"))
}
