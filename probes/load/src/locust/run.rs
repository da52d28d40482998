//! Runs a master and its workers, and watches both.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use readygate_sdk::{Cx, ErrorKind, ProbeError, process::Ended};
use serde_json::{Value, json};
use tokio::time::{self, Instant};

use super::{
    config::LocustConfig,
    facts::{LocustFacts, Worker},
    result,
    series::Series,
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

/// The index of the master among the children; workers have 1 and up.
const MASTER: usize = 0;
/// How often files are looked at.
const TICK: Duration = Duration::from_millis(250);
/// How long the master may take to end once no worker is left.
const ALONE: Duration = Duration::from_secs(4);
/// How long workers may take to end after the master.
const ORPHANS: Duration = Duration::from_secs(5);
const TEMPLATE: &str = include_str!("locustfile.py");

/// One run.
struct Run<'a> {
    config: &'a LocustConfig,
    cx: &'a Cx,
    folder: PathBuf,
    children: Children,
    exits: BTreeMap<usize, Exit>,
    series: Series,
    facts: LocustFacts,
    /// Since when no worker is left, while the master still runs.
    alone: Option<Instant>,
    announced: Vec<bool>,
}

pub(crate) async fn measure(config: &LocustConfig, cx: &Cx) -> Result<LoadMeasurement, ProbeError> {
    fleet::fits(cx, "Locust", config.longest())?;
    let scratch = fleet::scratch("Locust")?;
    let file = locustfile(config, cx.target().url.as_deref())
        .map_err(|why| request::no_target("Locust", why))?;
    let path = scratch.path().join("readygate_locustfile.py");
    fleet::write(&path, &file, "Locust").await?;
    let port = match config.address() {
        Some((_, port)) => port.to_owned(),
        None => free_port().await?.to_string(),
    };
    let mut run = Run::new(config, cx, scratch.path());
    run.start(&path, &port);
    run.watch().await?;
    run.finish().await
}

/// The locustfile of a gate.
pub(super) fn locustfile(config: &LocustConfig, target: Option<&str>) -> Result<String, String> {
    let requests = request::resolved(config.sent(), target)?;
    let per_user = config.rate.map(|rate| rate.0 / f64::from(config.users));
    let plan = json!({
        "requests": requests,
        "headers": config.headers.keys().collect::<Vec<_>>(),
        "timeout": config.timeout().as_secs_f64(),
        "per_user": per_user,
        "think": config.think.map_or(0.0, |think| think.0.as_secs_f64()),
        "warmup": config.warmup().as_secs_f64(),
        "seconds": config.duration.0.as_secs_f64(),
    });
    Ok(request::fill(TEMPLATE, &plan))
}

/// A port that is free now. Locust cannot take one of its own choice.
async fn free_port() -> Result<u16, ProbeError> {
    let failed = |e| ProbeError::new(ErrorKind::Connect, "Locust", "finding a free port", e);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await;
    let address = listener.and_then(|listener| listener.local_addr());
    address.map(|address| address.port()).map_err(failed)
}

impl<'a> Run<'a> {
    fn new(config: &'a LocustConfig, cx: &'a Cx, folder: &Path) -> Self {
        let facts = LocustFacts {
            expected: config.expected(),
            users_asked: config.users,
            rate_asked: config.rate.map(|rate| rate.0),
            window_asked: config.duration.0.as_secs_f64(),
            join: config.join(),
            ..LocustFacts::default()
        };
        Self {
            config,
            cx,
            folder: folder.to_owned(),
            children: Children::new(cx),
            exits: BTreeMap::new(),
            series: Series::new(folder.join("series.ndjson")),
            facts,
            alone: None,
            announced: vec![false; config.workers as usize + 1],
        }
    }

    fn start(&mut self, file: &Path, port: &str) {
        let program = self.config.program.clone();
        let program = program.unwrap_or_else(|| "locust".to_owned());
        let file = file.display().to_string();
        let out = self.folder.display().to_string();
        let headers = request::headers(&self.config.headers);
        let environment = |worker: usize| {
            let mut variables = BTreeMap::from([
                ("READYGATE_OUT".to_owned(), out.clone()),
                ("READYGATE_HEADERS".to_owned(), headers.clone()),
            ]);
            if worker != MASTER {
                variables.insert("READYGATE_WORKER".to_owned(), worker.to_string());
            }
            variables
        };
        let text = |list: &[&str]| {
            list.iter()
                .map(|word| (*word).to_owned())
                .collect::<Vec<_>>()
        };
        let master = self.master(&program, &file, port);
        self.children
            .start(MASTER, master, self.folder.clone(), environment(MASTER));
        let host = match self.config.address() {
            Some(("0.0.0.0" | "*" | "", _)) | None => "127.0.0.1",
            Some((host, _)) => host,
        };
        for worker in 1..=self.config.workers as usize {
            let argv = text(&[
                &program,
                "-f",
                &file,
                "--worker",
                "--master-host",
                host,
                "--master-port",
                port,
            ]);
            self.children
                .start(worker, argv, self.folder.clone(), environment(worker));
        }
        if let Some(join) = &self.facts.join {
            let n = self.config.remote_workers;
            self.cx.progress(&format!(
                "waiting for {n} remote workers; on each load machine run: {join}"
            ));
        }
    }

    fn master(&self, program: &str, file: &str, port: &str) -> Vec<String> {
        let config = self.config;
        let host = config.address().map_or("127.0.0.1", |(host, _)| host);
        // The master ends the run by itself; this is for a master whose listener fails.
        let limit = (config.load() + config.timeout()).as_secs() + 30;
        let words = [
            program.to_owned(),
            "-f".to_owned(),
            file.to_owned(),
            "--headless".to_owned(),
            "--master".to_owned(),
            format!("--master-bind-host={host}"),
            format!("--master-bind-port={port}"),
            format!("--expect-workers={}", config.expected()),
            format!(
                "--expect-workers-max-wait={}",
                config.wait().as_secs().max(1)
            ),
            format!("--users={}", config.users),
            format!("--spawn-rate={}", config.spawn_rate()),
            format!("--run-time={limit}s"),
            format!("--stop-timeout={}", config.timeout().as_secs() + 1),
            "--json-file=stats".to_owned(),
            "--only-summary".to_owned(),
            "--exit-code-on-error=0".to_owned(),
        ];
        words.into()
    }

    /// Until the master has ended, or nothing more can come of the run.
    async fn watch(&mut self) -> Result<(), ProbeError> {
        let mut tick = time::interval(TICK);
        tick.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                Some(exit) = self.children.next() => self.ended(exit)?,
                _ = tick.tick() => {
                    self.look().await;
                    if let Some(why) = self.hopeless() {
                        self.facts.aborted = Some(why);
                    }
                }
            }
            if self.facts.aborted.is_some() || !self.children.runs(MASTER) {
                return Ok(());
            }
        }
    }

    fn ended(&mut self, exit: Exit) -> Result<(), ProbeError> {
        if let Err(error) = &exit.ended
            && matches!(error.kind, ErrorKind::Cancelled | ErrorKind::Connect)
        {
            let hint = "install it: pip install locust, or give its path as `program`";
            let error = error.clone();
            return Err(if error.kind == ErrorKind::Connect {
                error.hint(hint)
            } else {
                error
            });
        }
        // Before the load began no worker ends by itself but by an error in the file.
        let index = exit.index;
        if index != MASTER && !self.series.began() && !matches!(exit.ended, Ok(Ended::Code(0))) {
            let how = how(&exit);
            self.facts.aborted = Some(format!("worker {index} {how} before the load began"));
        }
        self.exits.insert(index, exit);
        Ok(())
    }

    async fn look(&mut self) {
        self.series.read().await;
        if let Some(line) = self.series.news() {
            self.cx.progress(&line);
        }
        for worker in 1..self.announced.len() {
            if self.announced[worker] {
                continue;
            }
            if let Some(ready) = fleet::read_json(self.ready_file(worker)).await {
                self.announced[worker] = true;
                let pid = ready.get("pid").and_then(Value::as_u64).unwrap_or(0);
                self.cx
                    .progress(&format!("Locust worker {worker} is up (pid {pid})"));
            }
        }
    }

    fn ready_file(&self, worker: usize) -> PathBuf {
        self.folder.join(format!("worker-{worker}.json"))
    }

    /// Locust idles to the end of the run when its last worker is gone.
    fn hopeless(&mut self) -> Option<String> {
        let last = self.series.last();
        let own = self.config.workers > 0
            && (1..=self.config.workers as usize).all(|w| !self.children.runs(w));
        let none_left = match last {
            Some(last) => self.series.began() && last.workers == 0 && last.phase != "ending",
            None => false,
        };
        let gone = none_left || (own && self.config.remote_workers == 0);
        let since = self.alone.take();
        if !gone {
            return None;
        }
        let since = since.unwrap_or_else(Instant::now);
        self.alone = Some(since);
        (since.elapsed() > ALONE).then(|| "no worker is left".to_owned())
    }

    /// Ends what still runs and puts together what there is.
    async fn finish(mut self) -> Result<LoadMeasurement, ProbeError> {
        let master_killed = matches!(
            self.exits.get(&MASTER).map(|e| &e.ended),
            Some(Ok(Ended::Signal(_)))
        );
        if self.facts.aborted.is_none() && !master_killed {
            let patience = Instant::now() + ORPHANS;
            while !self.children.is_empty() {
                match time::timeout_at(patience, self.children.next()).await {
                    Ok(Some(exit)) => self.ended(exit)?,
                    Ok(None) | Err(_) => break,
                }
            }
        }
        for index in 0..=self.config.workers as usize {
            self.children.kill(index);
        }
        self.series.read().await;
        let end = fleet::read_json(self.folder.join("end.json"))
            .await
            .unwrap_or_default();
        let stats = fleet::read_json(self.folder.join("stats.json")).await;
        let ready = self.ready_files().await;
        self.tell(&end, &ready);
        let measured = stats.filter(|_| end.get("began").is_some_and(Value::is_number));
        let numbers = measured.and_then(|stats| result::result(stats, &end));
        let driven = if let Some(mut numbers) = numbers {
            numbers.users = self.facts.users_most;
            let parts = vec![("Locust".to_owned(), numbers.clone())];
            Driven {
                parts,
                total: numbers,
            }
        } else {
            let why = self.facts.void();
            let why = why.unwrap_or_else(|| "Locust wrote no result".to_owned());
            Driven {
                parts: Vec::new(),
                total: result::nothing(&why),
            }
        };
        let mut measurement = fleet::measurement(SourceKind::Locust, self.cx, driven);
        measurement.locust = Some(self.facts);
        Ok(measurement)
    }

    async fn ready_files(&self) -> BTreeMap<usize, String> {
        let mut ids = BTreeMap::new();
        for worker in 1..=self.config.workers as usize {
            let ready = fleet::read_json(self.ready_file(worker)).await;
            if let Some(id) = ready.and_then(|ready| result::text(&ready, "id")) {
                ids.insert(worker, id);
            }
        }
        ids
    }

    /// The facts, from the files and from how the processes ended.
    fn tell(&mut self, end: &Value, ready: &BTreeMap<usize, String>) {
        let facts = &mut self.facts;
        facts.version = result::text(end, "version");
        facts.finished = end
            .get("finished")
            .and_then(Value::as_bool)
            .unwrap_or(false);
        let number = |key: &str| end.get(key).and_then(Value::as_f64);
        if let (Some(began), Some(ended)) = (number("began"), number("ended")) {
            facts.window = Some(crate::measurement::nanos(ended - began));
        }
        if let Some(exit) = self.exits.get(&MASTER) {
            facts.master = Some(how(exit));
            let well = matches!(exit.ended, Ok(Ended::Code(0)));
            facts.finished &= well;
            if !facts.finished {
                facts.words.clone_from(&exit.words);
            }
        } else {
            facts.finished = false;
        }
        for row in end
            .get("exceptions")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let count = row.get("count").and_then(Value::as_u64).unwrap_or(1);
            let message = result::text(row, "message").unwrap_or_default();
            facts
                .exceptions
                .push(format!("{count} x {}", self.cx.mask(&message)));
        }
        (facts.users_least, facts.users_most) = self.series.users();
        facts.workers_most = self.series.workers();
        facts.series = self.series.thinned();
        for index in 1..=self.config.workers as usize {
            let worker =
                super::workers::local(index, ready.get(&index), self.exits.get(&index), end, facts);
            facts.workers.push(worker);
        }
        let known: Vec<&String> = ready.values().collect();
        let remote: Vec<Worker> = super::workers::remote(end, &known);
        facts.workers.extend(remote);
    }
}

/// How a process ended, as a sentence goes on: `ended with exit code 1`.
pub(super) fn how(exit: &Exit) -> String {
    match &exit.ended {
        Ok(ended) => fleet::said(*ended),
        Err(error) => format!("did not run: {}", error.message),
    }
}
