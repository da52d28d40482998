//! A probe that gets no answer ends at its deadline and on cancellation, by itself.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use readygate::{
    config::{self, Environment, Variables},
    registry::Entry,
};
use readygate_sdk::{Cx, ErrorKind, testkit::BlackHole};
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::Instant;

use crate::support::{Wait, conformance, maze, none, probes, readygate, write_config};

/// What a hanging gate works on.
struct Scene {
    folder: TempDir,
    black_hole: BlackHole,
    variables: Vec<(&'static str, String)>,
}

impl Scene {
    fn new(probe: &Entry) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let black_hole = BlackHole::start().unwrap();
        let shown = |path: &Path| path.to_str().unwrap().to_owned();
        let variables = vec![
            ("BLACK_HOLE", black_hole.address().to_string()),
            ("MAZE", shown(&maze(folder.path()))),
            ("STARTED", shown(&folder.path().join("started"))),
        ];
        let (Wait::Hang(with) | Wait::Instant(with)) = conformance(probe).wait;
        write_config(folder.path(), probe, &with, &[]);
        Self {
            folder,
            black_hole,
            variables,
        }
    }

    fn has_started(&self) -> bool {
        self.black_hole.accepted() > 0 || self.folder.path().join("started").exists()
    }
}

/// How often a probe is tried before a complaint counts: a busy machine is late now and then, a
/// probe with a fault always.
const TRIES: usize = 3;

/// What is wrong with how the gate ended.
fn deadline(probe: &Entry) -> Option<String> {
    let scene = Scene::new(probe);
    let output = readygate(scene.folder.path())
        .envs(scene.variables.iter().cloned())
        .args(["run", "--quiet", "--report", "json=run.json"])
        .output()
        .unwrap();
    let complain = |what: String| {
        let stderr = String::from_utf8_lossy(&output.stderr);
        let stdout = String::from_utf8_lossy(&output.stdout);
        Some(format!("{}: {what}\n{stdout}{stderr}", probe.meta.id))
    };
    let text = match fs::read_to_string(scene.folder.path().join("run.json")) {
        Ok(text) => text,
        Err(error) => return complain(format!("`hang` in conformance.yaml does not run: {error}")),
    };
    let run: Value = serde_json::from_str(&text).unwrap();
    let gate = &run["gates"][0];
    if let Wait::Instant(_) = conformance(probe).wait {
        let took = run["gates"][0]["duration_s"].as_f64().unwrap();
        let passed = gate["outcome"] == "passed" || output.status.code() == Some(0);
        return (passed || took > 0.4).then(|| format!("{}: {gate}", probe.meta.id));
    }
    if gate["outcome"] != "unmeasured" || output.status.code() != Some(3) {
        return complain(format!("ended {}, not unmeasured", gate["outcome"]));
    }
    if text.contains("was cut off") {
        return complain("did not end at its deadline by itself".to_owned());
    }
    let took = gate["duration_s"].as_f64().unwrap();
    if !(0.4..1.5).contains(&took) {
        return complain(format!("took {took} s with a timeout of 0.5 s"));
    }
    None
}

#[test]
fn without_an_answer_a_probe_is_unmeasured_at_its_deadline() {
    // The last complaint, of a probe that never was in time.
    let problem = |probe| {
        let tried = (0..TRIES).map_while(|_| deadline(probe));
        tried.collect::<Vec<_>>().into_iter().nth(TRIES - 1)
    };
    none(&probes().filter_map(problem).collect::<Vec<_>>());
}

/// Cancels once the probe is at work, and tells what is wrong with how it ended.
async fn cancelled(entry: &Entry) -> Option<String> {
    let id = entry.meta.id;
    let scene = Scene::new(entry);
    let variables = scene.variables.iter();
    let variables = variables.map(|(name, value)| ((*name).to_owned(), value.clone()));
    let path = scene.folder.path().join("readygate.yaml");
    let variables = Variables::new(variables.collect());
    let config = match config::load(&[path], &Environment::default(), variables) {
        Ok(config) => config,
        Err(error) => return Some(format!("{id}: {}", error.render(false, true))),
    };
    let progressed = Arc::new(AtomicBool::new(false));
    let noted = Arc::clone(&progressed);
    let path = ("PATH".to_owned(), "/usr/local/bin:/usr/bin:/bin".to_owned());
    let cx = Cx::builder(Duration::from_secs(60))
        .directory(scene.folder.path())
        .environment([path].into())
        .progress(move |_| noted.store(true, Ordering::Relaxed))
        .build();
    let cancel = cx.cancellation().clone();
    let probe = Arc::clone(&config.gates[0].probe);
    if let Wait::Instant(_) = conformance(entry).wait {
        cancel.cancel();
        let kind = probe.measure(&cx).await.map_err(|error| error.kind);
        return (kind != Err(ErrorKind::Cancelled)).then(|| format!("{id}: ended with {kind:?}"));
    }
    let measuring = tokio::spawn(async move { probe.measure(&cx).await });
    let limit = Instant::now() + Duration::from_secs(10);
    while !(scene.has_started() || progressed.load(Ordering::Relaxed)) {
        if Instant::now() > limit || measuring.is_finished() {
            return Some(format!(
                "{id}: never got to work: no connection to ${{BLACK_HOLE}}, no file ${{STARTED}}, no \
                 progress"
            ));
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    cancel.cancel();
    match tokio::time::timeout(Duration::from_millis(1500), measuring).await {
        Err(_) => Some(format!("{id}: still at work 1.5 s after it was cancelled")),
        Ok(ended) => match ended.unwrap() {
            Err(error) if error.kind == ErrorKind::Cancelled => None,
            Err(error) => Some(format!("{id}: says `{error}`, not that it was cancelled")),
            Ok(_) => Some(format!("{id}: brought a measurement back from nowhere")),
        },
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancellation_ends_a_probe() {
    let mut problems = Vec::new();
    for probe in probes() {
        let mut problem = None;
        for _ in 0..TRIES {
            problem = cancelled(probe).await;
            if problem.is_none() {
                break;
            }
        }
        problems.extend(problem);
    }
    none(&problems);
}
