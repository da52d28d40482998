//! The hand-made hellos against real servers, and against servers with one fault each.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests are tests"
)]

mod fake;
mod faults;
mod openssl;
mod plaintext;
mod rustls_peer;

use std::{net::SocketAddr, time::Duration};

use readygate_sdk::Cx;
use readygate_tls::wire::{Answer, Family, Group, Options, Survey, Version, survey};

pub(crate) const NAME: &str = "edge.test";

pub(crate) fn cx() -> Cx {
    Cx::builder(Duration::from_secs(30)).build()
}

/// Short waits, for servers with a fault; those that answer have time to on a busy machine.
pub(crate) fn quick() -> Options {
    Options {
        answer_timeout: Duration::from_secs(1),
        retry_pause: Duration::from_millis(5),
        ..Options::default()
    }
}

/// Shorter waits, for servers that never answer.
pub(crate) fn impatient() -> Options {
    Options {
        answer_timeout: Duration::from_millis(300),
        ..quick()
    }
}

pub(crate) async fn ask(address: SocketAddr) -> Survey {
    ask_with(address, &Options::default()).await
}

pub(crate) async fn ask_with(address: SocketAddr, options: &Options) -> Survey {
    let survey = survey(address, Some(NAME), options, &cx()).await.unwrap();
    let text = serde_json::to_string(&survey).unwrap();
    let back: Survey = serde_json::from_str(&text).unwrap();
    assert_eq!(back, survey, "the record comes back as it was");
    survey
}

/// The versions that are accepted; panics if one is unknown.
pub(crate) fn versions(survey: &Survey) -> Vec<Version> {
    let known = |v: &Version| accepted(survey.version(*v).unwrap());
    Version::ALL.into_iter().filter(known).collect()
}

/// The families that are accepted; panics if one is unknown.
pub(crate) fn families(survey: &Survey) -> Vec<Family> {
    let known = |f: &Family| accepted(survey.family(*f).unwrap());
    Family::ALL.into_iter().filter(known).collect()
}

/// The groups that are accepted; panics if one is unknown.
pub(crate) fn groups(survey: &Survey) -> Vec<Group> {
    let rows = survey.groups.iter().filter(|row| accepted(&row.answer));
    rows.map(|row| row.group).collect()
}

fn accepted(answer: &Answer) -> bool {
    answer
        .accepted()
        .unwrap_or_else(|| panic!("not known: {answer:#?}"))
}
