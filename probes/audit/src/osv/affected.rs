//! Whether a record affects a version.

use std::cmp::Ordering;

use super::record::{Affected, Range};
use crate::version::{Order, order_of};

/// The answer for one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Affects {
    No,
    /// With the versions that are fixed, the nearest first.
    Yes(Vec<String>),
    /// A version in the record, or the package's own, cannot be ordered.
    CannotTell,
}

/// The name as the ecosystem compares it.
pub(crate) fn normal_name(ecosystem: &str, name: &str) -> String {
    match ecosystem.split(':').next().unwrap_or_default() {
        // PEP 503: runs of `-`, `_` and `.` are one `-`.
        "PyPI" => {
            let mut out = String::with_capacity(name.len());
            for c in name.to_lowercase().chars() {
                let separator = matches!(c, '-' | '_' | '.');
                if !separator {
                    out.push(c);
                } else if !out.ends_with('-') {
                    out.push('-');
                }
            }
            out
        }
        "Packagist" | "NuGet" | "GitHub Actions" => name.to_lowercase(),
        _ => name.to_owned(),
    }
}

/// Whether `affected` names `version`: in its list, or in one of its ranges.
pub(crate) fn affects(affected: &Affected, ecosystem: &str, version: &str) -> Affects {
    let order = order_of(ecosystem);
    let equal = |a: &str, b: &str| {
        a == b
            || order
                .is_some_and(|order| order.compare(a, b) == Some(Ordering::Equal) && loose(order))
    };
    let mut answer = Affects::No;
    let ranges = affected.ranges.iter().filter(|range| range.kind != "GIT");
    for range in ranges {
        let this = order.map_or(Affects::CannotTell, |order| in_range(range, order, version));
        match this {
            Affects::Yes(_) => return this,
            Affects::CannotTell => answer = this,
            Affects::No => {}
        }
    }
    if affected
        .versions
        .iter()
        .any(|listed| equal(listed, version))
    {
        return Affects::Yes(later_fixes(affected, order, version));
    }
    answer
}

/// Whether equal versions are spelt in several ways there (`1.0` and `1.0.0`).
fn loose(order: Order) -> bool {
    matches!(
        order,
        Order::PyPi | Order::RubyGems | Order::NuGet | Order::Packagist | Order::SemVer
    )
}

/// The events in order of their versions switch the range on and off.
fn in_range(range: &Range, order: Order, version: &str) -> Affects {
    let mut events: Vec<(&str, &str)> = Vec::new();
    for (kind, value) in range.events.iter().flatten() {
        events.push((kind.as_str(), value.as_str()));
    }
    if !events.iter().any(|(kind, _)| *kind == "introduced") {
        return if events.is_empty() {
            Affects::No
        } else {
            Affects::CannotTell
        };
    }
    let mut decided = Vec::new();
    for (kind, value) in &events {
        let against = if *value == "0" && *kind == "introduced" {
            Some(Ordering::Greater)
        } else if *value == "*" && *kind == "limit" {
            Some(Ordering::Less)
        } else {
            order.compare(version, value)
        };
        match against {
            Some(against) => decided.push((*kind, *value, against)),
            None => return Affects::CannotTell,
        }
    }
    let limits = decided.iter().filter(|(kind, ..)| *kind == "limit");
    let limited =
        limits.clone().next().is_some() && !limits.clone().any(|(.., against)| against.is_lt());
    if limited {
        return Affects::No;
    }
    decided.sort_by(|a, b| event_order(order, a, b));
    let mut on = false;
    for (kind, _, against) in &decided {
        match *kind {
            "introduced" if against.is_ge() => on = true,
            "fixed" if against.is_ge() => on = false,
            "last_affected" if against.is_gt() => on = false,
            _ => {}
        }
    }
    if !on {
        return Affects::No;
    }
    let fixed = decided
        .iter()
        .filter(|(kind, _, against)| *kind == "fixed" && against.is_lt());
    Affects::Yes(fixed.map(|(_, value, _)| (*value).to_owned()).collect())
}

/// By version; `introduced: 0` first, and of equal versions the one that switches off comes first.
fn event_order(order: Order, a: &(&str, &str, Ordering), b: &(&str, &str, Ordering)) -> Ordering {
    let zero = |event: &(&str, &str, Ordering)| event.0 == "introduced" && event.1 == "0";
    match (zero(a), zero(b)) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => order
            .compare(a.1, b.1)
            .unwrap_or(Ordering::Equal)
            .then_with(|| (a.0 == "introduced").cmp(&(b.0 == "introduced"))),
    }
}

/// Fixes above a version that is only listed.
fn later_fixes(affected: &Affected, order: Option<Order>, version: &str) -> Vec<String> {
    let Some(order) = order else {
        return Vec::new();
    };
    let ranges = affected.ranges.iter().filter(|range| range.kind != "GIT");
    let mut fixes: Vec<&String> = ranges
        .flat_map(|range| &range.events)
        .filter_map(|event| event.get("fixed"))
        .filter(|fixed| order.compare(fixed, version) == Some(Ordering::Greater))
        .collect();
    fixes.sort_by(|a, b| order.compare(a, b).unwrap_or(Ordering::Equal));
    fixes.into_iter().cloned().collect()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize as _;
    use serde_json::json;

    use super::*;

    fn affected(value: &serde_json::Value) -> Affected {
        Affected::deserialize(value).unwrap()
    }

    fn range(kind: &str, events: &serde_json::Value) -> Affected {
        affected(&json!({"ranges": [{"type": kind, "events": events}]}))
    }

    fn yes(affected: &Affected, version: &str) -> bool {
        match affects(affected, "npm", version) {
            Affects::Yes(_) => true,
            Affects::No => false,
            Affects::CannotTell => panic!("cannot tell {version}"),
        }
    }

    #[test]
    fn events_switch_on_and_off_in_the_order_of_their_versions() {
        let range = range(
            "SEMVER",
            &json!([
                {"introduced": "1.0.0"}, {"fixed": "1.6.1"}, {"introduced": "0.6.3"}, {"fixed": "0.6.14"}
            ]),
        );
        for (version, affected) in [
            ("0.6.2", false),
            ("0.6.3", true),
            ("0.6.13", true),
            ("0.6.14", false),
            ("1.0.0-rc.1", false),
            ("1.0.0", true),
            ("1.6.0", true),
            ("1.6.1", false),
        ] {
            assert_eq!(yes(&range, version), affected, "{version}");
        }
        assert_eq!(
            affects(&range, "npm", "0.6.9"),
            Affects::Yes(vec!["0.6.14".into(), "1.6.1".into()])
        );
    }

    #[test]
    fn last_affected_is_in_and_limits_bound() {
        let last = range(
            "ECOSYSTEM",
            &json!([{"introduced": "0"}, {"last_affected": "2.0.0"}]),
        );
        assert!(yes(&last, "2.0.0") && !yes(&last, "2.0.1") && yes(&last, "0.0.0-a"));
        let limit = range(
            "ECOSYSTEM",
            &json!([{"introduced": "1.0.0"}, {"limit": "2.0.0"}]),
        );
        assert!(yes(&limit, "1.9.0") && !yes(&limit, "2.0.0"));
        let limits = range(
            "ECOSYSTEM",
            &json!([{"introduced": "1.0.0"}, {"limit": "2.0.0"}, {"limit": "*"}]),
        );
        assert!(yes(&limits, "3.0.0"));
    }

    #[test]
    fn a_fix_in_which_it_came_back_is_affected() {
        let again = range(
            "SEMVER",
            &json!([
                {"introduced": "0"}, {"fixed": "1.0.0"}, {"introduced": "1.0.0"}, {"fixed": "1.1.0"}
            ]),
        );
        assert!(yes(&again, "1.0.0"));
    }

    #[test]
    fn lists_count_beside_ranges_and_commits_do_not() {
        let listed = affected(&json!({"versions": ["1.0.0"], "ranges": [
            {"type": "GIT", "events": [{"introduced": "0"}]},
            {"type": "SEMVER", "events": [{"introduced": "2.0.0"}, {"fixed": "2.0.1"}]}
        ]}));
        assert!(yes(&listed, "1.0.0") && yes(&listed, "2.0.0") && !yes(&listed, "1.0.1"));
        let commits = range("GIT", &json!([{"introduced": "0"}]));
        assert!(!yes(&commits, "1.0.0"));
    }

    #[test]
    fn what_cannot_be_ordered_cannot_be_told() {
        let odd = range(
            "ECOSYSTEM",
            &json!([{"introduced": "abc"}, {"fixed": "def"}]),
        );
        assert_eq!(affects(&odd, "npm", "1.0.0"), Affects::CannotTell);
        let fixed = range("SEMVER", &json!([{"fixed": "1.0.0"}]));
        assert_eq!(affects(&fixed, "npm", "1.0.0"), Affects::CannotTell);
        let all = range("ECOSYSTEM", &json!([{"introduced": "0"}]));
        assert_eq!(affects(&all, "Nonesuch", "1"), Affects::CannotTell);
    }

    #[test]
    fn names_are_compared_as_the_ecosystem_does() {
        assert_eq!(normal_name("PyPI", "Zope.Interface__x"), "zope-interface-x");
        assert_eq!(normal_name("Packagist", "Vendor/Name"), "vendor/name");
        assert_eq!(normal_name("npm", "JSONStream"), "JSONStream");
    }
}
