//! Which servers send mail for a zone (SPF), and what becomes of forged mail (DMARC).

use readygate_sdk::{Checks, count_of};

use super::line;
use crate::{
    config::DmarcPolicy,
    measurement::{Answer, Ended},
    rules,
};

/// Texts of one kind among the TXT records; `None` when they could not be read.
fn texts<'a>(answer: &'a Answer, lead: &str) -> Option<Vec<&'a str>> {
    let of_kind = |text: &&str| {
        let text = text.trim_start();
        text.get(..lead.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(lead))
            && !text[lead.len()..].starts_with(|c: char| c.is_ascii_alphanumeric())
    };
    match answer.ended {
        Ended::Answer => {
            let records = answer.records.iter().map(String::as_str);
            Some(records.filter(of_kind).collect())
        }
        Ended::NoData | Ended::NxDomain => Some(Vec::new()),
        _ => None,
    }
}

pub fn spf(answer: &Answer, zone: &str, checks: &mut Checks) {
    let check = checks
        .check(&rules::SPF, zone)
        .expected("one record that ends with -all or ~all");
    let Some(found) = texts(answer, "v=spf1") else {
        return check.unmeasured(format!("its TXT records are unknown: {}", line(answer)));
    };
    let [record] = found[..] else {
        let n = count_of(found.len() as u64, "SPF record", "SPF records");
        return check
            .message(format!("the zone has {n}"))
            .actual(n)
            .details(found.iter().map(|&text| text.to_owned()))
            .fail();
    };
    let mut terms = record.split_whitespace().skip(1).map(str::to_lowercase);
    let verdict = terms.find(|term| {
        term.trim_start_matches(['+', '-', '~', '?']) == "all" || term.starts_with("redirect=")
    });
    let check = check.actual(record);
    match verdict.as_deref() {
        Some("-all" | "~all") => check.message("SPF names the senders").pass(),
        Some(redirect) if redirect.starts_with("redirect=") => check
            .hint("look at the record that it leads to; this probe does not follow it")
            .unmeasured("SPF leads to another record"),
        Some("?all") => check
            .message("SPF says nothing of all other servers (?all)")
            .fail(),
        Some(_) => check
            .message("SPF lets every server send mail (+all)")
            .fail(),
        None => check
            .message("SPF says nothing of all other servers")
            .fail(),
    }
}

pub fn dmarc(answer: &Answer, zone: &str, least: DmarcPolicy, checks: &mut Checks) {
    let name = |policy| match policy {
        DmarcPolicy::None => "none",
        DmarcPolicy::Quarantine => "quarantine",
        DmarcPolicy::Reject => "reject",
    };
    let check = checks
        .check(&rules::DMARC, format!("_dmarc.{zone}"))
        .expected(format!("one record with p={} or stricter", name(least)));
    let Some(found) = texts(answer, "v=DMARC1") else {
        return check.unmeasured(format!("its TXT records are unknown: {}", line(answer)));
    };
    let [record] = found[..] else {
        let n = count_of(found.len() as u64, "DMARC record", "DMARC records");
        return check
            .message(format!("the zone has {n}"))
            .actual(n)
            .details(found.iter().map(|&text| text.to_owned()))
            .fail();
    };
    let tag = |wanted: &str| {
        let mut tags = record.split(';').filter_map(|tag| tag.split_once('='));
        tags.find(|(key, _)| key.trim().eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value.trim().to_lowercase())
    };
    let policy = match tag("p").as_deref() {
        Some("none") => Some(DmarcPolicy::None),
        Some("quarantine") => Some(DmarcPolicy::Quarantine),
        Some("reject") => Some(DmarcPolicy::Reject),
        _ => None,
    };
    let partly = tag("pct").filter(|pct| pct != "100");
    let check = check.actual(record);
    match (policy, partly) {
        (None, _) => check.message("DMARC names no policy").fail(),
        (Some(policy), _) if policy < least => check
            .message(format!("DMARC asks for p={} only", name(policy)))
            .fail(),
        (Some(policy), Some(pct)) if policy > DmarcPolicy::None => check
            .message(format!("DMARC applies to {pct} % of the mail only"))
            .fail(),
        (Some(policy), _) => check
            .message(format!("DMARC asks for p={}", name(policy)))
            .pass(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lookup::blank;

    #[test]
    fn texts_are_told_by_their_whole_lead() {
        let mut answer = blank("x");
        answer.ended = Ended::Answer;
        answer.records = ["v=spf1 -all", "V=SPF1 mx", "v=spf10 x", "other"]
            .map(Into::into)
            .into();
        assert_eq!(
            texts(&answer, "v=spf1"),
            Some(vec!["v=spf1 -all", "V=SPF1 mx"])
        );
        answer.ended = Ended::ServFail;
        assert_eq!(texts(&answer, "v=spf1"), None);
    }
}
