//! The records of the config.

use std::collections::BTreeSet;

use readygate_sdk::{Checks, Level, count_of};

use super::{addresses, end_of, line, said};
use crate::{
    DnsConfig, DnsMeasurement,
    config::{RecordConfig, RecordKind},
    measurement::{Answer, Ended, Lookup},
    names, rules,
};

pub fn judge(
    config: &DnsConfig,
    measurement: &DnsMeasurement,
    wanted: &RecordConfig,
    lookup: &Lookup,
    checks: &mut Checks,
) {
    let subject = format!("{} {}", lookup.name, lookup.kind);
    let told: Vec<&Answer> = lookup
        .answers
        .iter()
        .filter(|answer| answer.ended.is_told())
        .collect();
    answered(measurement, lookup, &told, &subject, checks);
    if told.is_empty() {
        return;
    }
    chains(&told, &subject, checks);
    if wanted.absent {
        absent(lookup, &told, &subject, checks);
    } else {
        present(&told, &subject, checks);
        compare(wanted, lookup, &told, &subject, checks);
    }
    agree(&told, &subject, checks);
    conflict(config, lookup, &subject, checks);
    if matches!(lookup.kind, RecordKind::A | RecordKind::Aaaa) && !config.allow_private {
        addresses::private(&told, &subject, checks);
    }
    if let Some(port) = wanted.connect {
        addresses::connections(lookup, port, &subject, checks);
    }
    if let Some(max) = wanted.max_ttl {
        let max = max.0.as_secs_f64();
        addresses::time_to_live(lookup, &told, max, &subject, checks);
    }
}

/// Whether the resolvers said anything.
fn answered(
    measurement: &DnsMeasurement,
    lookup: &Lookup,
    told: &[&Answer],
    subject: &str,
    checks: &mut Checks,
) {
    let silent: Vec<&Answer> = lookup
        .answers
        .iter()
        .filter(|answer| !answer.ended.is_told())
        .collect();
    let check = checks.check(&rules::NO_ANSWER, subject);
    if silent.is_empty() && !told.is_empty() {
        let n = count_of(told.len() as u64, "resolver", "resolvers");
        return check.message(format!("{n} answered")).pass();
    }
    let lines = silent.iter().map(|answer| line(answer));
    let hint = if silent.iter().any(|a| a.ended == Ended::ServFail) {
        rules::NO_ANSWER.fix
    } else {
        "are these the right resolvers, and does the firewall let DNS through?"
    };
    let check = check.hint(hint).details(lines);
    let message = format!(
        "{} of {} gave no answer: {}",
        silent.len(),
        count_of(lookup.answers.len() as u64, "resolver", "resolvers"),
        silent.first().map_or_else(String::new, |a| line(a))
    );
    // The system turns to its next resolver, too; those that a config names must all answer.
    if measurement.system_resolvers && !told.is_empty() {
        check.level(Level::Warning).message(message).fail();
    } else {
        check.unmeasured(message);
    }
}

fn chains(told: &[&Answer], subject: &str, checks: &mut Checks) {
    let bad = told
        .iter()
        .find(|a| matches!(a.ended, Ended::Loop | Ended::LongChain));
    if let Some(answer) = bad {
        let what = said(answer);
        checks
            .check(&rules::CNAME_LOOP, subject)
            .message(format!("the name has {what}"))
            .expected("at most 8 aliases, without a circle")
            .actual(shown(answer))
            .fail();
    }
    let Some(first) = told.iter().find(|a| !a.chain.is_empty()) else {
        return;
    };
    if bad.is_none() {
        let n = count_of(first.chain.len() as u64, "alias", "aliases");
        checks
            .check(&rules::CNAME_LOOP, subject)
            .message(format!("{n} to {}", end_of(first)))
            .pass();
    }
    let dangling = told
        .iter()
        .find(|a| !a.chain.is_empty() && a.ended == Ended::NxDomain);
    let check = checks.check(&rules::DANGLING_CNAME, subject);
    match dangling {
        Some(answer) => {
            let target = end_of(answer);
            check
                .message(format!("it is an alias of {target}, which does not exist"))
                .actual(shown(answer))
                .fail();
        }
        None if bad.is_some() => {}
        None => check
            .message(format!("the target of the alias exists: {}", end_of(first)))
            .pass(),
    }
}

/// `a -> b -> c`
fn shown(answer: &Answer) -> String {
    let names = answer.chain.iter().map(|alias| alias.target.as_str());
    let first = answer.chain.first().map(|alias| alias.name.as_str());
    let all: Vec<&str> = first.into_iter().chain(names).collect();
    all.join(" -> ")
}

fn present(told: &[&Answer], subject: &str, checks: &mut Checks) {
    let missing: Vec<&&Answer> = told
        .iter()
        .filter(|a| a.ended == Ended::NoData || a.ended == Ended::NxDomain && a.chain.is_empty())
        .collect();
    let there = told.iter().any(|a| a.ended == Ended::Answer);
    let check = checks
        .check(&rules::MISSING_RECORD, subject)
        .expected("a record");
    match missing.first() {
        None if there => check.message("there are records").pass(),
        None => {}
        Some(first) => {
            let message = match first.ended {
                Ended::NxDomain => "the name does not exist (NXDOMAIN)",
                _ => "the name exists, and has no record of this type",
            };
            check
                .message(message)
                .actual(said(first))
                .details(missing.iter().map(|a| line(a)))
                .fail();
        }
    }
}

fn absent(lookup: &Lookup, told: &[&Answer], subject: &str, checks: &mut Checks) {
    let authoritative = lookup.authoritative.iter().filter(|a| a.authority);
    let found: Vec<&Answer> = told
        .iter()
        .copied()
        .chain(authoritative)
        .filter(|a| !a.records.is_empty())
        .collect();
    let check = checks
        .check(&rules::UNEXPECTED_RECORDS, subject)
        .expected("no such record");
    let aliases_fail = told
        .iter()
        .any(|a| matches!(a.ended, Ended::Loop | Ended::LongChain));
    match found.first() {
        Some(first) => check
            .message("there is a record that must be absent")
            .actual(said(first))
            .details(found.iter().map(|a| line(a)))
            .fail(),
        None if aliases_fail => check.unmeasured("the aliases of the name cannot be followed"),
        None => check.message("there is no such record").pass(),
    }
}

fn compare(
    wanted: &RecordConfig,
    lookup: &Lookup,
    told: &[&Answer],
    subject: &str,
    checks: &mut Checks,
) {
    let normal = |list: &Vec<String>| -> BTreeSet<String> {
        let texts = list.iter();
        texts
            .map(|text| names::wanted(wanted.kind, text).unwrap_or_else(|_| text.clone()))
            .collect()
    };
    let equals = wanted.equals.as_ref().map(normal);
    let contains = wanted.contains.as_ref().map(normal);
    if equals.is_none() && contains.is_none() {
        return;
    }
    let fits = |answer: &&Answer| {
        let found: BTreeSet<String> = answer.records.iter().cloned().collect();
        equals.as_ref().is_none_or(|wanted| *wanted == found)
            && contains
                .as_ref()
                .is_none_or(|wanted| wanted.is_subset(&found))
    };
    let with_records = |a: &&Answer| a.ended == Ended::Answer;
    let authoritative = lookup.authoritative.iter().filter(|a| a.authority);
    let answers: Vec<&Answer> = told
        .iter()
        .copied()
        .chain(authoritative)
        .filter(with_records)
        .collect();
    let wrong: Vec<&Answer> = answers.iter().copied().filter(|a| !fits(a)).collect();
    let list = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(", ");
    let expected = match (&equals, &contains) {
        (Some(equals), None) => format!("exactly {}", list(equals)),
        (None, Some(contains)) => list(contains),
        (Some(equals), Some(contains)) => {
            format!("exactly {}, with {}", list(equals), list(contains))
        }
        (None, None) => return,
    };
    let check = checks
        .check(&rules::UNEXPECTED_RECORDS, subject)
        .expected(expected);
    match (wrong.first(), answers.first()) {
        (Some(first), _) => {
            let n = wrong.len();
            let of = count_of(answers.len() as u64, "server gives", "servers give");
            check
                .message(format!("{n} of {of} other records than declared"))
                .actual(said(first))
                .details(wrong.iter().map(|a| line(a)))
                .fail();
        }
        (None, Some(first)) => check
            .message("the records are those that were declared")
            .actual(said(first))
            .pass(),
        // Nothing to compare: `dns/missing-record` or the aliases have failed.
        (None, None) => {}
    }
}

fn agree(told: &[&Answer], subject: &str, checks: &mut Checks) {
    let Some((first, rest)) = told.split_first().filter(|(_, rest)| !rest.is_empty()) else {
        return;
    };
    let same = |other: &&&Answer| other.ended == first.ended && other.records == first.records;
    let agreeing = 1 + rest.iter().filter(same).count();
    let check = checks.check(&rules::RESOLVERS_DISAGREE, subject);
    if agreeing == told.len() {
        check.message(format!("{agreeing} resolvers agree")).pass();
    } else {
        check
            .message(format!("{} resolvers give different answers", told.len()))
            .details(told.iter().map(|a| line(a)))
            .fail();
    }
}

fn conflict(config: &DnsConfig, lookup: &Lookup, subject: &str, checks: &mut Checks) {
    let at_top = |answer: &&Answer| {
        !answer.chain.is_empty()
            && config
                .zones
                .iter()
                .any(|zone| names::normal(&zone.name) == lookup.name)
    };
    let all = || lookup.answers.iter().chain(&lookup.authoritative);
    let beside = all().find(|answer| answer.beside_alias);
    let check = checks.check(&rules::CNAME_CONFLICT, subject);
    if let Some(answer) = beside {
        check
            .message(format!(
                "the name has an alias (CNAME) and {} records",
                lookup.kind
            ))
            .actual(line(answer))
            .fail();
    } else if let Some(answer) = all().find(at_top) {
        check
            .message("the name is the top of a zone, and an alias (CNAME)")
            .actual(shown(answer))
            .fail();
    } else if lookup.authoritative.iter().any(|a| a.authority) {
        check.message("no alias stands beside records").pass();
    }
}
