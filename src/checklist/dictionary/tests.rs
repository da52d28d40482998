use std::collections::HashSet;

use super::*;
use crate::{config::Variables, plan::STAGES, registry};

#[test]
fn every_file_reads_and_every_id_is_unique() {
    let mut ids = HashSet::new();
    for section in sections().unwrap() {
        for item in &section.items {
            assert!(ids.insert(item.id.as_str()), "{}", item.id);
        }
    }
    assert!(ids.len() >= 300, "{}", ids.len());
    assert!(roles().unwrap().len() >= 12);
}

#[test]
fn references_lead_somewhere() {
    for section in sections().unwrap() {
        assert!(
            section.stages.iter().all(|s| STAGES.contains(&s.as_str())),
            "{}",
            section.key
        );
        for item in &section.items {
            for id in &item.of {
                assert!(super::item(id).is_some(), "{} names {id}", item.id);
            }
            assert!(
                item.stages.iter().all(|s| STAGES.contains(&s.as_str())),
                "{}",
                item.id
            );
            let role = item.role.as_ref().unwrap_or(&section.role);
            assert!(roles().unwrap().iter().any(|r| &r.role == role), "{role}");
        }
    }
}

#[test]
fn probes_and_metrics_exist() {
    for item in sections().unwrap().iter().flat_map(|s| &s.items) {
        let Some(name) = &item.probe else {
            assert!(item.expect.is_empty(), "{}", item.id);
            continue;
        };
        let entry = registry::find(name).unwrap_or_else(|| panic!("{}: {name}", item.id));
        for expect in &item.expect {
            assert!(
                entry.meta.metrics.iter().any(|m| m.covers(&expect[0])),
                "{}: {}",
                item.id,
                expect[0]
            );
        }
    }
    for item in sections().unwrap().iter().flat_map(|s| &s.items) {
        let (Some(metric), Some(of)) = (&item.metric, item.of.first()) else {
            continue;
        };
        let probe = super::item(of).unwrap().1.probe.clone().unwrap();
        let entry = registry::find(&probe).unwrap();
        assert!(
            entry.meta.metrics.iter().any(|m| m.covers(metric)),
            "{}: {metric}",
            item.id
        );
    }
}

#[test]
fn every_item_answers_to_its_own_phrases() {
    for item in sections().unwrap().iter().flat_map(|s| &s.items) {
        for says in item.says.iter().filter(|s| !s.contains(['|', '*'])) {
            assert!(item.score(&words(says)) > 0.99, "{}: {says}", item.id);
        }
    }
}

/// Metrics of Prometheus itself, health checks and the rules that come with an operator must not answer
/// for a product whose names nobody gave.
#[test]
fn no_gate_is_met_by_what_every_prometheus_has() {
    let items = sections().unwrap().iter().flat_map(|s| &s.items);
    let of_prometheus = items.filter(|i| i.probe.as_deref() == Some("prometheus"));
    let mut seen = 0;
    for item in of_prometheus {
        let with = item.with.as_deref().unwrap();
        let any = ["job: \"*\"", "at_least"];
        assert!(!any.iter().any(|part| with.contains(part)), "{}", item.id);
        for line in with.lines() {
            let (metrics, jobs) = (
                line.matches("http_req"),
                line.matches("{job=~\"${APP_JOB:-"),
            );
            assert_eq!(metrics.count(), jobs.count(), "{}: {line}", item.id);
            assert!(
                !line.contains("rules:") || !line.contains('*'),
                "{}",
                item.id
            );
        }
        let of_nodes = with.contains("node_cpu") || with.contains("node_memory");
        assert!(!of_nodes || with.contains("up: [{ job: "), "{}", item.id);
        seen += 1;
    }
    assert!(seen >= 15, "{seen}");
}

#[test]
fn every_block_is_a_valid_config_of_its_probe() {
    for item in sections().unwrap().iter().flat_map(|s| &s.items) {
        let (Some(name), Some(_)) = (&item.probe, &item.with) else {
            continue;
        };
        let text = crate::checklist::propose::with_defaults(item);
        let mut problems = Vec::new();
        let mut node = parse_yaml(0, &text, &mut problems).unwrap();
        let sink = Sink::default();
        Variables::default().interpolate(&mut node, &sink);
        let bound = (registry::find(name).unwrap().bind)(&node, &sink);
        let found = sink.into_parts().0;
        assert!(
            problems.is_empty() && found.is_empty(),
            "{}: {problems:?} {found:?}",
            item.id
        );
        let valid = bound.unwrap().validate();
        assert!(valid.is_ok(), "{}: {valid:?}", item.id);
    }
}
