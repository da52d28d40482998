//! Worker processes, seen from their parent.

use std::{net::IpAddr, net::SocketAddr, process::Stdio, time::Duration};

use readygate_sdk::{Cx, ProbeError};
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{Child, ChildStdin, ChildStdout, Command},
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::JoinSet,
};

use super::{
    crew::Up,
    frames::{self, CALM, FAILURE, HALT, JOB, REPORT, START, STOP},
    layout::Layout,
    machine,
    spec::Spec,
    tally::State,
    worker::Job,
};

/// The hidden subcommand that makes this program a worker.
pub const WORKER_COMMAND: &str = "__load-worker";

/// What a worker process is told on its standard input.
#[derive(Serialize, Deserialize)]
pub(super) struct Order {
    pub spec: Spec,
    /// The first of its workers.
    pub first: u32,
    pub threads: u32,
    /// Workers over all processes.
    pub of: u32,
    pub targets: Vec<SocketAddr>,
    pub sources: Vec<IpAddr>,
}

/// All worker processes of a run. They end with it: by the end of their standard input, by the
/// death signal of the kernel, and by `kill_on_drop`.
pub(super) struct Children {
    pids: Vec<u32>,
    pipes: Vec<UnboundedSender<Vec<u8>>>,
    /// One for each process; it ends when the process has.
    listeners: JoinSet<()>,
}

impl Children {
    pub(super) fn start(
        job: &Job,
        layout: &Layout,
        cx: &Cx,
        up: &UnboundedSender<Up>,
    ) -> Result<Self, ProbeError> {
        let failed = |e: &dyn std::fmt::Display| {
            super::internal(&format!("a worker process cannot be started: {e}"))
        };
        let program = std::env::current_exe().map_err(|e| failed(&e))?;
        let mut children = Self {
            pids: Vec::new(),
            pipes: Vec::new(),
            listeners: JoinSet::new(),
        };
        for nth in 0..layout.processes {
            let order = Order {
                spec: (*job.spec).clone(),
                first: nth * layout.threads,
                threads: layout.threads,
                of: layout.workers(),
                targets: job.targets.clone(),
                sources: job.sources.clone(),
            };
            let order = serde_json::to_vec(&order).map_err(|e| failed(&e))?;
            let mut child = Command::new(&program)
                .arg(WORKER_COMMAND)
                .env_clear()
                .envs(cx.environment())
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                // An interrupt of the terminal is for the parent, which then asks for results.
                .process_group(0)
                .kill_on_drop(true)
                .spawn()
                .map_err(|e| failed(&e))?;
            let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
                return Err(failed(&"it has no pipes"));
            };
            let (send, receive) = unbounded_channel();
            // The receiver lives as long as the task below.
            let _ = send.send(frames::frame(JOB, &order));
            children.pids.extend(child.id());
            children.pipes.push(send);
            tokio::spawn(tell(stdin, receive));
            let listener = listen(child, stdout, nth, layout.threads, up.clone());
            children.listeners.spawn(listener);
        }
        Ok(children)
    }

    fn tell(&self, kind: u8, content: &[u8]) {
        for pipe in &self.pipes {
            let _ = pipe.send(frames::frame(kind, content));
        }
    }

    pub(super) fn begin(&self, at: u64) {
        self.tell(START, &at.to_be_bytes());
    }

    pub(super) fn calm(&self, at: u64) {
        self.tell(CALM, &at.to_be_bytes());
    }

    pub(super) fn stop(&self) {
        self.tell(STOP, &[]);
    }

    pub(super) fn halt(&self) {
        self.tell(HALT, &[]);
    }

    /// Lets the processes end and waits until they have, so that none outlives its run and their CPU time counts
    /// as that of this program; those that take longer are killed.
    pub(super) async fn finish(&mut self, within: Duration) {
        // The end of their standard input: until then they keep their connections.
        self.pipes.clear();
        let ended = async { while self.listeners.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(within, ended).await;
    }

    pub(super) fn resident(&self) -> u64 {
        self.pids
            .iter()
            .filter_map(|pid| machine::resident(Some(*pid)))
            .sum()
    }
}

/// Writes what the parent says; ends, and with it the child, when the parent has gone.
async fn tell(mut stdin: ChildStdin, mut frames: UnboundedReceiver<Vec<u8>>) {
    while let Some(frame) = frames.recv().await {
        if stdin.write_all(&frame).await.is_err() || stdin.flush().await.is_err() {
            return;
        }
    }
}

/// Passes on what a child reports, and says if it ends too early.
async fn listen(
    mut child: Child,
    mut stdout: ChildStdout,
    nth: u32,
    threads: u32,
    up: UnboundedSender<Up>,
) {
    let mut done = 0;
    let outcome = loop {
        match next(&mut stdout).await {
            Ok(Some(message)) => {
                let last = |i: &Up| matches!(i, Up::Report(i) if i.gauges.state == State::Done);
                done += u32::from(last(&message));
                if up.send(message).is_err() {
                    return;
                }
            }
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    if done >= threads {
        let _ = child.wait().await;
        return;
    }
    let why = match outcome {
        Some(error) => error,
        None => match child.wait().await {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        },
    };
    let _ = up.send(Up::Lost(format!(
        "worker process {nth} ended too early: {why}"
    )));
}

async fn next(stdout: &mut ChildStdout) -> Result<Option<Up>, String> {
    let mut head = [0; 5];
    match stdout.read_exact(&mut head).await {
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other.map_err(|e| e.to_string())?,
    };
    let (length, kind) = frames::header(head).map_err(|e| e.to_string())?;
    let mut content = vec![0; length];
    stdout
        .read_exact(&mut content)
        .await
        .map_err(|e| e.to_string())?;
    match kind {
        REPORT => Ok(Some(Up::Report(Box::new(frames::decode(&content)?)))),
        FAILURE => Err(String::from_utf8_lossy(&content).into_owned()),
        _ => Err("it sent what no worker sends".to_owned()),
    }
}
