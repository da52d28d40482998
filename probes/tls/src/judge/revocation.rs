//! Is it revoked, and could anyone know?

use readygate_sdk::{Checks, Level};

use super::AboutChain;
use crate::{
    rules,
    time::{DAY, moment, seconds},
    x509::{Certificate, Staple, StapleStatus},
};

const SKEW: i64 = 60;

pub(super) fn judge(about: &AboutChain<'_>, checks: &mut Checks) {
    let Some(leaf) = about.chain.walk.leaf().filter(|l| l.unreadable.is_none()) else {
        return;
    };
    let staple = about.chain.walk.staple.as_ref();
    if let Some(staple) = staple {
        stapled(about, leaf, staple, checks);
    }
    if leaf.must_staple {
        about
            .check(&rules::MUST_STAPLE, checks)
            .message(match staple {
                Some(_) => "the certificate demands a staple, and the server sends one",
                None => "the certificate demands a staple, and the server sends none",
            })
            .passed_if(staple.is_some());
    }
    if about.is_public() {
        source(about, leaf, checks);
        timestamps(about, leaf, checks);
    }
}

fn stapled(about: &AboutChain<'_>, leaf: &Certificate, staple: &Staple, checks: &mut Checks) {
    let now = about.now();
    if staple.invalid.is_none() && staple.status == StapleStatus::Revoked {
        let since = staple.revoked_at.map(|at| format!(" since {}", moment(at)));
        about
            .check(&rules::REVOKED, checks)
            .actual("revoked")
            .message(format!(
                "the stapled response says: revoked{}",
                since.unwrap_or_default()
            ))
            .fail();
    }
    let problem = match (
        &staple.invalid,
        staple.status,
        staple.this_update,
        staple.next_update,
    ) {
        (Some(why), ..) => Some(format!("does not count: {why}")),
        (None, _, _, Some(next)) if next < now => Some(format!("expired on {}", moment(next))),
        (None, _, Some(this), _) if this > now + SKEW => {
            Some(format!("is valid only from {}", moment(this)))
        }
        (None, StapleStatus::Unknown, ..) => {
            Some("says that the responder does not know the certificate".to_owned())
        }
        _ => None,
    };
    let check = about.check(&rules::BAD_STAPLE, checks);
    match problem {
        Some(problem) => {
            let level = if leaf.must_staple {
                Level::Error
            } else {
                Level::Warning
            };
            check
                .level(level)
                .message(format!("the stapled response {problem}"))
                .fail();
            return;
        }
        None => check
            .message("the stapled response is signed and in its dates")
            .pass(),
    }
    if staple.status == StapleStatus::Good {
        about
            .check(&rules::REVOKED, checks)
            .message("the stapled response says: not revoked")
            .pass();
    }
}

fn life(leaf: &Certificate) -> i64 {
    leaf.not_after
        .saturating_sub(leaf.not_before)
        .saturating_add(1)
}

/// Baseline Requirements 7.1.2.11.2: short-lived certificates need no source.
fn source(about: &AboutChain<'_>, leaf: &Certificate, checks: &mut Checks) {
    let turn = seconds(jiff::civil::DateTime::constant(2026, 3, 15, 0, 0, 0, 0));
    let short = if leaf.not_before >= turn { 7 } else { 10 };
    let check = about.check(&rules::NO_REVOCATION_SOURCE, checks);
    match (leaf.ocsp.first(), leaf.crl.first()) {
        (None, None) if life(leaf) <= short * DAY => {
            check
                .message("so short-lived that it needs no source of revocation")
                .pass();
        }
        (None, None) => check.fail(),
        (Some(url), _) | (None, Some(url)) => {
            check
                .message(format!("revocation is published at {url}"))
                .pass();
        }
    }
}

fn timestamps(about: &AboutChain<'_>, leaf: &Certificate, checks: &mut Checks) {
    let wanted = if life(leaf) <= 180 * DAY { 2 } else { 3 };
    about
        .check(&rules::FEW_SCTS, checks)
        .expected(format!("{wanted} embedded timestamps"))
        .actual(leaf.scts.to_string())
        .message(format!(
            "{} of {wanted} embedded timestamps of transparency logs",
            leaf.scts.min(wanted)
        ))
        .passed_if(leaf.scts >= wanted);
}
