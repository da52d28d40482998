//! Rate limits. Pure.

use readygate_sdk::count_of;

use crate::{
    grade::{Grade, Graded},
    record::{Claim, RateFact, Round},
};

/// Whether an address that a client makes up opens the limit. A limit that refills lets requests
/// pass now and then: only rounds that were refused before and after count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spoof {
    /// Refused all the same.
    Refused,
    /// Let through.
    Passed,
    /// No round shows it.
    Unknown,
}

/// What the rounds show.
pub(crate) fn spoof(fact: &RateFact) -> Spoof {
    let firm = |round: &&Round| round.before == Some(true) && round.after == Some(true);
    let mut firm = fact
        .rounds
        .iter()
        .filter(firm)
        .filter_map(|round| round.spoofed)
        .peekable();
    if firm.peek().is_none() {
        Spoof::Unknown
    } else if firm.any(|refused| !refused) {
        Spoof::Passed
    } else {
        Spoof::Refused
    }
}

/// The burst itself; what comes after it has rules of its own.
pub(crate) fn grade(claim: &Claim) -> Graded {
    let Some(fact) = &claim.rate else {
        return Graded::new(
            Grade::NotChecked,
            "the record does not hold the burst; measure again",
        );
    };
    let most = fact.limit + fact.tolerance;
    let counts = format!(
        "of {}, {} passed and {} refused",
        count_of(fact.sent, "request", "requests"),
        fact.passed,
        count_of(fact.limited, "was", "were")
    );
    if fact.unanswered > 0 {
        let error = fact
            .error
            .as_ref()
            .map_or_else(String::new, |e| format!(": {e}"));
        let message = format!("{counts}; {} got no answer{error}", fact.unanswered);
        return Graded::new(Grade::NotChecked, message);
    }
    if fact.faults > 0 {
        let message = format!("{counts}; {} ended in a fault of the server", fact.faults);
        return Graded::new(Grade::NotChecked, message);
    }
    if fact.passed == 0 {
        let message = format!("a positive control failed: {counts}; was the limit used up before?");
        return Graded::new(Grade::NotChecked, message);
    }
    if fact.limited == 0 || fact.passed > most {
        return Graded::new(Grade::Refuted, format!("{counts}; at most {most} may pass"));
    }
    Graded::new(
        Grade::Verified,
        format!("{counts}; at most {most} may pass"),
    )
}
