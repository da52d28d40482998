//! Canaries: markup and queries. At best they find nothing. Pure.

use crate::{
    grade::{self, Behaviour, Grade, Graded, unanswered},
    record::{Claim, Reflection, Try},
};

fn named<'a>(claim: &'a Claim, name: &str) -> Option<&'a Try> {
    claim.tries.iter().find(|one| one.name == name)
}

fn open(why: impl std::fmt::Display) -> Graded {
    Graded::new(Grade::NotChecked, why.to_string())
}

/// Verified only where the value came back encoded, and the browser is told to run nothing else.
pub(crate) fn xss(claim: &Claim) -> Graded {
    let (Some(marker), Some(canary)) = (
        named(claim, "a harmless value"),
        named(claim, "a value with markup"),
    ) else {
        return open("the record does not hold the controls; measure again");
    };
    if let Some(why) = unanswered(marker) {
        return open(format!(
            "a positive control failed: a harmless value: {why}"
        ));
    }
    let status = marker.status.unwrap_or_default();
    if status >= 400 || marker.saw.login_form {
        return open(format!(
            "a positive control failed: a harmless value got {status}"
        ));
    }
    if let Some(why) = unanswered(canary) {
        return open(format!("a negative control is not known: {why}"));
    }
    if canary.saw.html && canary.saw.reflection == Some(Reflection::Raw) {
        return Graded::new(
            Grade::Refuted,
            "markup in the parameter came back as markup",
        );
    }
    if canary.status.unwrap_or_default() >= 500 {
        return open(format!(
            "a value with markup got {}",
            canary.status.unwrap_or_default()
        ));
    }
    if marker.saw.reflection != Some(Reflection::Raw) {
        let message = "the page does not show the parameter, so nothing was tried";
        return Graded::new(Grade::NoEvidence, message);
    }
    match (canary.saw.reflection, canary.saw.html) {
        (Some(Reflection::Encoded), _) | (Some(Reflection::Raw), false) => harmless(canary),
        // Refused, or left out: nothing shows what the page would have made of it.
        _ => {
            let message = "the page does not show the value with markup";
            Graded::new(Grade::NoEvidence, message)
        }
    }
}

/// The parameter came back harmless; whether a second line of defence stands.
fn harmless(canary: &Try) -> Graded {
    let mut missing = Vec::new();
    if !canary.saw.nosniff {
        missing.push("`X-Content-Type-Options: nosniff`");
    }
    if !canary.saw.strict_csp {
        missing.push("a Content-Security-Policy that lets no inline script run");
    }
    let so = "the parameter comes back harmless";
    if missing.is_empty() {
        Graded::new(
            Grade::Verified,
            format!("{so}, and inline scripts are switched off"),
        )
    } else {
        let message = format!("{so}, but the response lacks {}", missing.join(" and "));
        Graded::new(Grade::NoEvidence, message)
    }
}

/// Bytes by which two answers may differ and still be the same: dates, identifiers.
const NOISE: u64 = 64;

fn alike(a: &Try, b: &Try) -> bool {
    a.status == b.status && a.saw.bytes.abs_diff(b.saw.bytes) <= NOISE.max(a.saw.bytes / 20)
}

/// Never verified: no number of canaries shows that there is no way in.
pub(crate) fn injection(claim: &Claim) -> Graded {
    let first = |name| named(claim, name);
    let (Some(harmless), Some(again), Some(nobody)) = (
        first("the harmless value"),
        first("the harmless value, again"),
        first("a value that nobody has"),
    ) else {
        return open("the record does not hold the controls; measure again");
    };
    for one in [harmless, again] {
        if let Behaviour::Wrong(why) | Behaviour::Unknown(why) = grade::status(one) {
            return open(format!("a positive control failed: {}: {why}", one.name));
        }
    }
    let mut found: Vec<String> = claim.tries.iter().filter_map(fault).collect();
    if alike(harmless, again) {
        found.extend(condition(claim, harmless));
    }
    found.extend(operators(claim, harmless, again, nobody));
    if let Some(worst) = found.first() {
        let graded = Graded::new(Grade::Refuted, worst.clone());
        return Graded {
            details: found,
            ..graded
        };
    }
    let unknown = |one: &Try| unanswered(one).map(|why| format!("{}: {why}", one.name));
    if let Some(why) = claim.tries.iter().find_map(unknown) {
        return open(format!("a negative control is not known: {why}"));
    }
    let message = "quotes, conditions and operators changed nothing; that shows no absence";
    Graded::new(Grade::NoEvidence, message)
}

fn fault(one: &Try) -> Option<String> {
    if let Some(database) = &one.saw.database_error {
        return Some(format!(
            "{}: the body holds an error message of {database}",
            one.name
        ));
    }
    let own = |status: &u16| *status >= 500 && !grade::by_a_gateway(*status);
    let status = one.status.filter(own)?;
    Some(format!("{}: {status}", one.name))
}

/// A condition that holds changes nothing, one that does not changes the answer.
fn condition(claim: &Claim, harmless: &Try) -> Option<String> {
    let holds = named(claim, "a condition that holds")?;
    let not = named(claim, "a condition that does not")?;
    (alike(harmless, holds) && !alike(holds, not) && not.status.is_some()).then(|| {
        "a condition that holds is answered otherwise than one that does not: the value is run as a query".to_owned()
    })
}

/// An operator that matches everything, answered as the right value is where a wrong one is not.
fn operators(claim: &Claim, harmless: &Try, again: &Try, nobody: &Try) -> Option<String> {
    let operator = named(claim, "an operator in place of the value")
        .or_else(|| named(claim, "an operator in the name of the parameter"))?;
    if succeeded(operator) && !succeeded(nobody) && nobody.status.is_some() {
        return Some(format!(
            "{}: let in, and a wrong value is not",
            operator.name
        ));
    }
    let telling = alike(harmless, again) && !alike(harmless, nobody);
    (telling && alike(harmless, operator)).then(|| {
        format!(
            "{}: answered as the right value is, and a wrong one is not",
            operator.name
        )
    })
}

fn succeeded(one: &Try) -> bool {
    one.status
        .is_some_and(|status| (200..300).contains(&status))
        && !one.saw.login_form
}
