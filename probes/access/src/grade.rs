//! What the controls of a claim show together. Pure.

use std::collections::BTreeSet;

use readygate_sdk::count_of;
use readygate_web::Statuses;

use crate::{
    grade_input, grade_rate,
    record::{AccessMeasurement, Claim, Control, Kind, Try},
};

/// What may be said of a claim. There is no word for "prevented".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grade {
    /// A positive and a negative control both behaved.
    Verified,
    /// The canaries found nothing, which is no proof.
    NoEvidence,
    /// It cannot be told.
    NotChecked,
    /// A negative control was let through.
    Refuted,
}

/// A grade with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Graded {
    pub(crate) grade: Grade,
    pub(crate) message: String,
    pub(crate) details: Vec<String>,
}

impl Graded {
    pub(crate) fn new(grade: Grade, message: impl Into<String>) -> Self {
        Self {
            grade,
            message: message.into(),
            details: Vec::new(),
        }
    }
}

/// How one control behaved.
pub(crate) enum Behaviour {
    Right,
    Wrong(String),
    Unknown(String),
}

/// Every claim with its grade.
pub(crate) fn grades(record: &AccessMeasurement) -> Vec<(&Claim, Graded)> {
    let proven = proven(record);
    let graded = |claim| (claim, grade(claim, &proven));
    record.claims.iter().map(graded).collect()
}

/// Users whose credentials let them in somewhere: a refusal of anybody else shows nothing.
fn proven(record: &AccessMeasurement) -> BTreeSet<&str> {
    let claims = record
        .claims
        .iter()
        .filter(|c| c.kind == Kind::Authorization || c.kind == Kind::Authentication);
    let tries = claims.flat_map(|claim| &claim.tries);
    tries
        .filter(|t| t.control == Control::Positive && matches!(status(t), Behaviour::Right))
        .filter_map(|t| t.role.as_deref())
        .collect()
}

fn grade(claim: &Claim, proven: &BTreeSet<&str>) -> Graded {
    if let Some(why) = &claim.refused {
        return Graded::new(Grade::NotChecked, why);
    }
    match claim.kind {
        Kind::RateLimit => grade_rate::grade(claim),
        Kind::Xss => grade_input::xss(claim),
        Kind::Injection => grade_input::injection(claim),
        Kind::Cors => preflights(claim, of_controls(claim, |t| cors(claim, t))),
        Kind::Authorization => of_controls(claim, |t| authorization(t, proven)),
        Kind::Authentication | Kind::Input | Kind::Csrf => of_controls(claim, status),
    }
}

/// A positive control that failed leaves the claim open, whatever the negative ones show: a service
/// that refuses everybody keeps nobody out on purpose.
pub(crate) fn of_controls(claim: &Claim, behaviour: impl Fn(&Try) -> Behaviour) -> Graded {
    let (mut failed, mut wrong, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
    let (mut let_in, mut kept_out) = (0, 0);
    for one in &claim.tries {
        match (one.control, behaviour(one)) {
            (Control::Positive, Behaviour::Right) => let_in += 1,
            (Control::Negative, Behaviour::Right) => kept_out += 1,
            (Control::Positive, Behaviour::Wrong(why) | Behaviour::Unknown(why)) => {
                failed.push(format!("{}: {why}", one.name));
            }
            (Control::Negative, Behaviour::Wrong(why)) => {
                wrong.push(format!("{}: {why}", one.name));
            }
            (Control::Negative, Behaviour::Unknown(why)) => {
                unknown.push(format!("{}: {why}", one.name));
            }
        }
    }
    let first = |list: &[String]| list.first().cloned().unwrap_or_default();
    let graded = if !failed.is_empty() {
        Graded::new(
            Grade::NotChecked,
            format!("a positive control failed: {}", first(&failed)),
        )
    } else if let_in == 0 {
        Graded::new(
            Grade::NotChecked,
            "no positive control: nobody is meant to be let in, so a refusal shows nothing",
        )
    } else if !wrong.is_empty() {
        Graded::new(Grade::Refuted, first(&wrong))
    } else if !unknown.is_empty() {
        Graded::new(
            Grade::NotChecked,
            format!("a negative control is not known: {}", first(&unknown)),
        )
    } else if kept_out == 0 {
        Graded::new(
            Grade::NotChecked,
            "no negative control: nobody is meant to be kept out",
        )
    } else {
        let message = format!(
            "{} let through, {} refused",
            count_of(let_in, "control", "controls"),
            count_of(kept_out, "control", "controls")
        );
        Graded::new(Grade::Verified, message)
    };
    let all: Vec<_> = failed.into_iter().chain(wrong).chain(unknown).collect();
    let details = if all.len() > 1 { all } else { Vec::new() };
    Graded { details, ..graded }
}

/// No answer; a refusal because of too many requests, or because the service is away, says nothing
/// of what was asked.
pub(crate) fn unanswered(one: &Try) -> Option<String> {
    match (one.status, &one.error) {
        (None, Some(error)) => Some(error.to_string()),
        (None, None) => Some("the record does not hold the answer; measure again".to_owned()),
        (Some(429), _) if !wants(one, 429) => Some("429: there were too many requests".to_owned()),
        (Some(status), _) if by_a_gateway(status) && !wants(one, status) => {
            Some(format!("{status}: the service did not answer itself"))
        }
        _ => None,
    }
}

/// Answers of what stands before the service (RFC 9110, sections 15.6.3 to 15.6.5).
pub(crate) fn by_a_gateway(status: u16) -> bool {
    matches!(status, 502..=504)
}

fn wants(one: &Try, status: u16) -> bool {
    Statuses::of_text(&one.wanted).is_ok_and(|wanted| wanted.allow(status))
}

/// By the status; a sign-in page with status 200 is no answer to anybody.
pub(crate) fn status(one: &Try) -> Behaviour {
    if let Some(why) = unanswered(one) {
        return Behaviour::Unknown(why);
    }
    let status = one.status.unwrap_or_default();
    if one.saw.login_form && status < 300 {
        return Behaviour::Wrong(format!(
            "{status} with a sign-in page; {} is right",
            one.wanted
        ));
    }
    if wants(one, status) {
        return Behaviour::Right;
    }
    if one.control == Control::Negative && matches!(status, 401 | 403) && wants(one, 422) {
        // Input: whoever is refused for who he is has not had his input looked at.
        return Behaviour::Unknown(format!(
            "{status}: it was refused before the input was looked at"
        ));
    }
    let place = one
        .saw
        .location
        .as_ref()
        .map(|l| format!(" to {l}"))
        .unwrap_or_default();
    Behaviour::Wrong(format!("{status}{place}; {} is right", one.wanted))
}

fn authorization(one: &Try, proven: &BTreeSet<&str>) -> Behaviour {
    match (one.control, &one.role, status(one)) {
        (Control::Negative, Some(role), Behaviour::Right) if !proven.contains(role.as_str()) => {
            Behaviour::Unknown(format!(
                "nothing shows that the credentials of `{role}` work: let them in somewhere"
            ))
        }
        (_, _, behaviour) => behaviour,
    }
}

/// A declared method that the preflight does not allow is a fault, not a reason to doubt the others.
fn preflights(claim: &Claim, graded: Graded) -> Graded {
    let declared = |one: &&Try| {
        one.control == Control::Positive && one.origin.is_some() && !one.wanted.is_empty()
    };
    match claim.tries.iter().filter(declared).find_map(barred) {
        Some(message) if graded.grade == Grade::Verified => Graded::new(Grade::Refuted, message),
        _ => graded,
    }
}

/// Why browsers do not send what a preflight asked for: its status is no 2xx, whatever its headers
/// say (Fetch, section 4.9), or its method is not allowed.
fn barred(preflight: &Try) -> Option<String> {
    let status = preflight.status?;
    let name = &preflight.name;
    if !(200..300).contains(&status) {
        return Some(format!("{name}: {status}, where browsers want 2xx"));
    }
    let found = preflight.saw.allow_methods.as_deref().unwrap_or("absent");
    (!allows(preflight)).then(|| format!("{name}: Access-Control-Allow-Methods is {found}"))
}

fn cors(claim: &Claim, one: &Try) -> Behaviour {
    if let Some(why) = unanswered(one) {
        return Behaviour::Unknown(why);
    }
    let Some(origin) = &one.origin else {
        return status(one);
    };
    let allowed = one.saw.allow_origin.as_deref();
    let echoed = allowed == Some(origin.as_str());
    match one.control {
        Control::Positive if !echoed && allowed != Some("*") => {
            let found = allowed.unwrap_or("absent");
            Behaviour::Wrong(format!("Access-Control-Allow-Origin is {found}"))
        }
        Control::Positive if allowed == Some("*") && one.role.is_some() => Behaviour::Wrong(
            "`*` is no answer to a request with credentials: browsers refuse it".to_owned(),
        ),
        Control::Negative if echoed && one.saw.allow_credentials => {
            Behaviour::Wrong("it may read with the credentials of users".to_owned())
        }
        Control::Negative if claim.private && (echoed || allowed == Some("*")) => {
            Behaviour::Wrong("it may read, and the URL is declared private".to_owned())
        }
        Control::Positive | Control::Negative => Behaviour::Right,
    }
}

/// Whether a preflight allows its method; GET, HEAD and POST need no word (Fetch, section 4.8).
fn allows(one: &Try) -> bool {
    let methods = one.saw.allow_methods.as_deref().unwrap_or_default();
    let named = methods
        .split(',')
        .map(str::trim)
        .any(|m| m == one.wanted || m == "*");
    named || matches!(one.wanted.as_str(), "GET" | "HEAD" | "POST")
}
