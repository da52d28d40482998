//! Declared indexes against those of each member.

use std::collections::{BTreeMap, BTreeSet};

use readygate_sdk::{Checks, Rule};

use super::view::{Up, View};
use crate::{
    config::{IndexWanted, MongodbConfig},
    measurement::{Answer, IndexRecord, MongodbMeasurement},
    rules,
};

enum State {
    Fine,
    Missing,
    Building,
    Differs(String),
}

/// How many declared indexes are missing, unfinished or different on at least one member that holds
/// data; `None` where some member could not be asked.
pub fn wanting(config: &MongodbConfig, measured: &MongodbMeasurement) -> Option<u64> {
    let view = View::new(measured);
    let mut wanting = 0;
    for wanted in &config.indexes {
        let mut states = Vec::new();
        for up in holders(&view) {
            states.push(
                found(up, &wanted.collection)?
                    .got()
                    .map(|list| state(wanted, list))?,
            );
        }
        if states.is_empty() {
            return None;
        }
        wanting += u64::from(states.iter().any(|state| !matches!(state, State::Fine)));
    }
    Some(wanting)
}

pub fn indexes(config: &MongodbConfig, view: &View<'_>, checks: &mut Checks) {
    for wanted in &config.indexes {
        one(wanted, view, checks);
    }
    let collections: BTreeSet<&str> = config
        .indexes
        .iter()
        .map(|i| i.collection.as_str())
        .collect();
    for collection in collections {
        others(config, collection, view, checks);
        let answers = holders(view).filter_map(|up| Some((up.node, found(up, collection)?)));
        super::not_measured(&rules::INDEX_MISSING, answers, checks);
    }
    if !config.indexes.is_empty() && holders(view).next().is_none() {
        let check = checks.check(&rules::INDEX_MISSING, view.set());
        check.unmeasured("no member with data answers");
    }
}

/// Members that should have every index.
fn holders<'a>(view: &View<'a>) -> impl Iterator<Item = Up<'a>> {
    let members = view
        .config
        .map(|config| config.members.as_slice())
        .unwrap_or_default();
    view.data().filter(move |up| {
        let entry = members.iter().find(|m| m.host == up.name());
        entry.is_none_or(|entry| entry.build_indexes)
    })
}

fn found<'a>(up: Up<'a>, collection: &str) -> Option<&'a Answer<Vec<IndexRecord>>> {
    let record = up
        .node
        .indexes
        .iter()
        .find(|record| record.collection == collection);
    record.map(|record| &record.indexes)
}

fn one(wanted: &IndexWanted, view: &View<'_>, checks: &mut Checks) {
    let subject = format!("{} {}", wanted.collection, wanted.keys);
    let mut groups: BTreeMap<&str, (&'static Rule, Vec<String>)> = BTreeMap::new();
    let mut fine = 0;
    for up in holders(view) {
        let Some(list) = found(up, &wanted.collection).and_then(Answer::got) else {
            continue;
        };
        let (rule, what) = match state(wanted, list) {
            State::Fine => {
                fine += 1;
                continue;
            }
            State::Missing => (&rules::INDEX_MISSING, up.node.host.clone()),
            State::Building => (&rules::INDEX_BUILDING, up.node.host.clone()),
            State::Differs(how) => (&rules::INDEX_DIFFERS, format!("{}: {how}", up.node.host)),
        };
        groups
            .entry(rule.code)
            .or_insert((rule, Vec::new()))
            .1
            .push(what);
    }
    if groups.is_empty() && fine > 0 {
        let message = format!("is there and finished on {fine} members");
        checks
            .check(&rules::INDEX_MISSING, subject)
            .message(message)
            .pass();
        return;
    }
    for (rule, hosts) in groups.into_values() {
        let message = match rule.code {
            code if code == rules::INDEX_MISSING.code => "is missing on",
            code if code == rules::INDEX_BUILDING.code => "is still being built on",
            _ => "is not as declared on",
        };
        let message = format!("{message} {}", hosts.join("; "));
        checks.check(rule, &subject).message(message).fail();
    }
}

fn state(wanted: &IndexWanted, list: &[IndexRecord]) -> State {
    let keys: Vec<(String, String)> = wanted
        .keys
        .0
        .iter()
        .map(|(key, way)| (key.clone(), way.to_string()))
        .collect();
    let same = list.iter().filter(|index| same_keys(&index.keys, &keys));
    let differences = same.map(|index| (index, differences(wanted, index)));
    let Some((index, how)) = differences.min_by_key(|(_, how)| how.len()) else {
        return State::Missing;
    };
    if !how.is_empty() {
        State::Differs(how.join(", "))
    } else if index.building {
        State::Building
    } else {
        State::Fine
    }
}

/// MongoDB keeps the fields of a text index sorted, without their order.
fn same_keys(found: &[(String, String)], wanted: &[(String, String)]) -> bool {
    if wanted.iter().all(|(_, way)| way != "text") {
        return found == wanted;
    }
    let sorted = |keys: &[(String, String)]| {
        let mut keys = keys.to_vec();
        keys.sort();
        keys
    };
    sorted(found) == sorted(wanted)
}

fn differences(wanted: &IndexWanted, found: &IndexRecord) -> Vec<String> {
    let mut how = Vec::new();
    if found.hidden {
        how.push("it is hidden from queries".to_owned());
    }
    let mut compare = |name: &str, wanted: String, found: String| {
        if wanted != found {
            how.push(format!("{name} is {found}, not {wanted}"));
        }
    };
    compare(
        "unique",
        wanted.unique.to_string(),
        found.unique.to_string(),
    );
    compare(
        "sparse",
        wanted.sparse.to_string(),
        found.sparse.to_string(),
    );
    if let Some(name) = &wanted.name {
        compare("name", name.clone(), found.name.clone());
    }
    let none = || "none".to_owned();
    let seconds = |s: Option<i64>| s.map_or_else(none, |s| format!("{s} s"));
    let ttl = wanted
        .expire_after
        .map(|p| i64::try_from(p.0.as_secs()).unwrap_or(i64::MAX));
    compare(
        "expireAfterSeconds",
        seconds(ttl),
        seconds(found.expire_after_s),
    );
    let filter = |f: Option<&serde_json::Value>| f.map_or_else(none, ToString::to_string);
    let wanted_filter = wanted.partial_filter.clone().map(serde_json::Value::Object);
    if wanted_filter.as_ref() != found.partial_filter.as_ref() {
        let wanted = filter(wanted_filter.as_ref());
        compare(
            "partialFilterExpression",
            wanted,
            filter(found.partial_filter.as_ref()),
        );
    }
    how
}

/// Hidden indexes, and those that nobody declared.
fn others(config: &MongodbConfig, collection: &str, view: &View<'_>, checks: &mut Checks) {
    let mut hidden = BTreeSet::new();
    let mut extra = BTreeSet::new();
    let mut asked = false;
    for up in holders(view) {
        let Some(list) = found(up, collection).and_then(Answer::got) else {
            continue;
        };
        asked = true;
        hidden.extend(
            list.iter()
                .filter(|index| index.hidden)
                .map(|index| index.name.clone()),
        );
        let declared = |index: &IndexRecord| {
            let mut of = config.indexes.iter().filter(|w| w.collection == collection);
            of.any(|wanted| !matches!(state(wanted, std::slice::from_ref(index)), State::Missing))
        };
        let undeclared = list
            .iter()
            .filter(|index| index.name != "_id_" && !declared(index));
        extra.extend(undeclared.map(|index| index.name.clone()));
    }
    if asked {
        list(&rules::INDEX_HIDDEN, collection, "hidden", &hidden, checks);
        list(
            &rules::INDEX_UNDECLARED,
            collection,
            "undeclared",
            &extra,
            checks,
        );
    }
}

fn list(
    rule: &'static Rule,
    collection: &str,
    what: &str,
    names: &BTreeSet<String>,
    checks: &mut Checks,
) {
    let check = checks.check(rule, collection);
    if names.is_empty() {
        check.message(format!("has no {what} index")).pass();
    } else {
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        check
            .message(format!("has {what} indexes: {}", names.join(", ")))
            .fail();
    }
}
