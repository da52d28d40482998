//! What became of each worker, from the master's view and from its process.

use readygate_sdk::process::Ended;
use serde_json::Value;

use super::{
    facts::{LocustFacts, Worker},
    run::how,
};
use crate::fleet::children::Exit;

/// A worker of this machine.
pub(super) fn local(
    index: usize,
    id: Option<&String>,
    exit: Option<&Exit>,
    end: &Value,
    facts: &LocustFacts,
) -> Worker {
    let mut worker = id.map_or_else(Worker::default, |id| seen_by_master(id, end));
    worker.name = format!("worker {index}");
    let badly = exit.filter(|exit| !matches!(exit.ended, Ok(Ended::Code(0))));
    if let Some(exit) = badly {
        worker.words.clone_from(&exit.words);
        worker.lost = Some(how(exit));
    } else if worker.lost.is_none() && exit.is_some() && !facts.finished && facts.aborted.is_some()
    {
        worker.lost = Some("ended before the end of the run".to_owned());
    } else if worker.lost.is_none() && exit.is_none() && facts.finished {
        worker.lost = Some("did not end when it was told to".to_owned());
    } else if worker.lost.is_none() && !worker.seen && facts.finished {
        worker.lost = Some("never came up".to_owned());
    }
    worker
}

/// Workers of other machines: all that are not in `known`.
pub(super) fn remote(end: &Value, known: &[&String]) -> Vec<Worker> {
    let seen = end.get("seen").and_then(Value::as_array);
    let ids = seen.into_iter().flatten().filter_map(Value::as_str);
    let others = ids.filter(|id| !known.iter().any(|k| k == id));
    others
        .take(10_000)
        .map(|id| seen_by_master(id, end))
        .collect()
}

fn seen_by_master(id: &str, end: &Value) -> Worker {
    let seen = end.get("seen").and_then(Value::as_array);
    let cpu = end.get("cpu").and_then(|all| all.get(id));
    let number = |key: &str| cpu.and_then(|cpu| cpu.get(key)).and_then(Value::as_f64);
    let hot = number("span").filter(|span| *span > 0.0).zip(number("hot"));
    let round = |n: f64| (n * 100.0).round() / 100.0;
    Worker {
        name: readygate_reports::clip(id, crate::measurement::cap::NAME),
        id: Some(id.to_owned()),
        seen: seen.is_some_and(|all| all.iter().any(|one| one == id)),
        lost: end
            .get("lost")
            .and_then(|all| all.get(id))
            .map(|lost| lost_how(lost, end)),
        cpu_most: hot.and(number("most")).map(round),
        cpu_hot: hot.map(|(span, hot)| round(100.0 * hot / span)),
        words: String::new(),
    }
}

fn lost_how(lost: &Value, end: &Value) -> String {
    let back = lost.get("back").and_then(Value::as_bool) == Some(true);
    let number = |of: &Value, key: &str| of.get(key).and_then(Value::as_f64);
    let at = number(lost, "at").zip(number(end, "began"));
    let at = at.map_or_else(String::new, |(at, began)| match at - began {
        after if after >= 0.0 => format!(" {after:.0} s into the measurement"),
        _ => " before the measurement".to_owned(),
    });
    match lost.get("how").and_then(Value::as_str) {
        Some("left") => format!("left the run{at}"),
        Some("silent") => "did not hand over its last counts".to_owned(),
        _ if back => format!("fell silent{at} and came back"),
        _ => format!("sent no sign of life any more{at}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_worker_that_came_back_is_lost_all_the_same() {
        let end = json!({ "began": 100.0, "seen": ["a_1", "b_2"],
            "lost": { "a_1": { "how": "missing", "at": 108.2, "back": true } } });
        let workers = remote(&end, &[]);
        assert_eq!(
            workers[0].lost.as_deref(),
            Some("fell silent 8 s into the measurement and came back")
        );
        assert_eq!(workers[1].lost, None);
        assert!(workers[1].seen);
    }
}
