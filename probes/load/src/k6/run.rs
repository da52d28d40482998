//! Runs the segments side by side.

use std::{collections::BTreeMap, path::Path};

use readygate_sdk::{Cx, ErrorKind, ProbeError};
use serde_json::Value;

use super::{
    config::K6Config,
    facts::{K6Facts, Segment},
    result, script,
};
use crate::{
    config::SourceKind,
    fleet::{
        self, Driven,
        children::{Children, Exit},
        request,
    },
    measurement::LoadMeasurement,
};

pub(crate) async fn measure(
    config: &K6Config,
    allowed: f64,
    cx: &Cx,
) -> Result<LoadMeasurement, ProbeError> {
    fleet::fits(cx, "k6", config.longest())?;
    let scratch = fleet::scratch("k6")?;
    let text = script::script(config, allowed, cx.target().url.as_deref())
        .map_err(|why| request::no_target("k6", why))?;
    fleet::write(&scratch.path().join("readygate.js"), &text, "k6").await?;
    let mut children = Children::new(cx);
    for segment in 0..config.segments {
        let summary = scratch.path().join(format!("summary-{segment}.json"));
        let environment = BTreeMap::from([
            (
                "READYGATE_HEADERS".to_owned(),
                request::headers(&config.headers),
            ),
            (
                "READYGATE_SUMMARY".to_owned(),
                summary.display().to_string(),
            ),
        ]);
        let directory = scratch.path().to_owned();
        children.start(
            segment as usize,
            argv(config, segment),
            directory,
            environment,
        );
    }
    let length = readygate_sdk::Unit::Seconds.format(config.duration.0.as_secs_f64());
    cx.progress(&format!(
        "k6: {} processes measure for {length}",
        config.segments
    ));
    let mut exits = BTreeMap::new();
    while let Some(exit) = children.next().await {
        failed_to_run(&exit)?;
        let name = name(config, exit.index);
        cx.progress(&format!("k6: {name} has ended"));
        exits.insert(exit.index, exit);
    }
    let (facts, summaries) = collect(config, scratch.path(), &exits).await;
    let driven = numbers(config, &facts, &summaries);
    let mut measurement = fleet::measurement(SourceKind::K6, cx, driven);
    measurement.k6 = Some(facts);
    Ok(measurement)
}

/// Facts and summaries of the segments that ended.
async fn collect(
    config: &K6Config,
    folder: &Path,
    exits: &BTreeMap<usize, Exit>,
) -> (K6Facts, Vec<(String, Value)>) {
    let mut facts = asked(config);
    let mut summaries = Vec::new();
    for index in 0..config.segments as usize {
        let mut segment = Segment {
            name: name(config, index),
            ..Segment::default()
        };
        let path = folder.join(format!("summary-{index}.json"));
        if let Some(summary) = fleet::read_json(path).await {
            result::tell(&mut segment, &summary, config.rate.is_some());
            summaries.push((segment.name.clone(), summary));
        }
        if let Some(exit) = exits.get(&index) {
            segment.ended = exit.ended.as_ref().ok().copied();
            if !segment.went_through() || segment.done < segment.started || segment.done == 0 {
                segment.words.clone_from(&exit.words);
            }
        }
        facts.segments.push(segment);
    }
    facts.bounds = result::bounds(config, &summaries);
    (facts, summaries)
}

fn numbers(config: &K6Config, facts: &K6Facts, summaries: &[(String, Value)]) -> Driven {
    let whole = summaries.len() == config.segments as usize;
    let found = result::driven(config, summaries).filter(|_| whole);
    found.unwrap_or_else(|| {
        let why = facts
            .void()
            .unwrap_or_else(|| "k6 wrote no summary that can be read".to_owned());
        Driven {
            parts: Vec::new(),
            total: result::nothing(&why),
        }
    })
}

fn asked(config: &K6Config) -> K6Facts {
    K6Facts {
        rate_asked: config.rate.map(|rate| rate.0),
        window_asked: config.duration.0.as_secs_f64(),
        users_asked: u64::from(config.vus()),
        max_error_rate: config.max_error_rate.map(|share| share.0),
        ..K6Facts::default()
    }
}

fn name(config: &K6Config, index: usize) -> String {
    match config.segments {
        1 => "k6".to_owned(),
        n => format!("segment {}/{n}", index + 1),
    }
}

/// A program that is not there, or an interrupted run.
fn failed_to_run(exit: &Exit) -> Result<(), ProbeError> {
    match &exit.ended {
        Err(error) if error.kind == ErrorKind::Connect => {
            let hint = "install it: https://grafana.com/docs/k6/latest/set-up/install-k6/, or give its path as `program`";
            Err(error.clone().hint(hint))
        }
        Err(error) => Err(error.clone()),
        Ok(_) => Ok(()),
    }
}

fn argv(config: &K6Config, segment: u32) -> Vec<String> {
    let program = config.program.clone();
    let mut argv = vec![program.unwrap_or_else(|| "k6".to_owned()), "run".to_owned()];
    // No REST server: two segments would fight for its port.
    for word in ["--quiet", "--no-color", "--no-usage-report", "--address="] {
        argv.push(word.to_owned());
    }
    if config.segments > 1 {
        let n = config.segments;
        argv.push(format!("--execution-segment={}", part(segment, n)));
        argv.push(format!("--execution-segment-sequence={}", sequence(n)));
    }
    argv.push("readygate.js".to_owned());
    argv
}

fn point(i: u32, n: u32) -> String {
    match i {
        0 => "0".to_owned(),
        i if i == n => "1".to_owned(),
        i => format!("{i}/{n}"),
    }
}

fn part(segment: u32, n: u32) -> String {
    format!("{}:{}", point(segment, n), point(segment + 1, n))
}

fn sequence(n: u32) -> String {
    let points: Vec<String> = (0..=n).map(|i| point(i, n)).collect();
    points.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_named_as_k6_reads_them() {
        assert_eq!(part(0, 3), "0:1/3");
        assert_eq!(part(2, 3), "2/3:1");
        assert_eq!(sequence(3), "0,1/3,2/3,1");
    }
}
