//! Whether CAA records let an authority issue, RFC 8659.

use readygate_sdk::{CheckBuilder, Checks};

use crate::{
    config::CaaConfig,
    issuer,
    measurement::{CaaEntry, CaaFacts},
    rules,
};

/// Tags that every authority knows: RFC 8659, RFC 9495, and those of the CA/Browser Forum.
const KNOWN: [&str; 7] = [
    "issue",
    "issuewild",
    "iodef",
    "issuemail",
    "issuevmc",
    "contactemail",
    "contactphone",
];

pub fn judge(config: &CaaConfig, facts: &CaaFacts, checks: &mut Checks) {
    let wanted = issuer::domains(&config.issuer);
    let check = checks
        .check(&rules::CAA_FORBIDS, &facts.name)
        .expected(format!("{} may issue", wanted.join(" or ")));
    if let Some(trouble) = &facts.trouble {
        return check
            .hint("an authority does not issue while this look-up fails")
            .unmeasured(format!("the CAA records are unknown: {trouble}"));
    }
    let Some(at) = &facts.found_at else {
        return check
            .message("there are no CAA records, so every authority may issue")
            .pass();
    };
    let shown = facts
        .records
        .iter()
        .map(|r| format!("{at}: {} \"{}\"", r.tag, r.value));
    let check = check.details(shown);
    let strange = facts
        .records
        .iter()
        .find(|r| r.critical && !KNOWN.contains(&r.tag.as_str()));
    if let Some(record) = strange {
        return check
            .message(format!(
                "the CAA record `{}` is critical and unknown, so nobody may issue",
                record.tag
            ))
            .fail();
    }
    let relevant = relevant(facts);
    if relevant.is_empty() {
        return check
            .message(format!(
                "the CAA records of {at} do not restrict who issues"
            ))
            .pass();
    }
    permitted(&relevant, &wanted, at, check);
}

fn permitted(relevant: &[&CaaEntry], wanted: &[String], at: &str, check: CheckBuilder<'_>) {
    let domain = |record: &CaaEntry| {
        let domain = record.value.split(';').next().unwrap_or_default();
        domain.trim().trim_end_matches('.').to_lowercase()
    };
    match relevant.iter().find(|r| wanted.contains(&domain(r))) {
        Some(record) if record.value.contains(';') => check
            .message(format!(
                "the authority may issue, on conditions: {}",
                record.value
            ))
            .pass(),
        Some(_) => check.message("the authority may issue").pass(),
        None => {
            let allowed: Vec<String> = relevant
                .iter()
                .map(|record| domain(record))
                .filter(|domain| !domain.is_empty())
                .collect();
            let actual = if allowed.is_empty() {
                "nobody may".to_owned()
            } else {
                format!("only {} may", allowed.join(", "))
            };
            check
                .message(format!("the CAA records of {at} do not name the authority"))
                .actual(actual)
                .fail();
        }
    }
}

/// For a wildcard `issuewild` decides where there is one.
fn relevant(facts: &CaaFacts) -> Vec<&CaaEntry> {
    let of = |tag: &str| -> Vec<&CaaEntry> {
        let all = facts.records.iter();
        all.filter(|r| r.tag.eq_ignore_ascii_case(tag)).collect()
    };
    let wild = of("issuewild");
    if facts.name.starts_with("*.") && !wild.is_empty() {
        return wild;
    }
    of("issue")
}
