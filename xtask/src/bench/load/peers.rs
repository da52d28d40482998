//! How each peer is told what to do, and what it says.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use nix::unistd::Pid;

use super::{
    Bench,
    ours::{self, Said},
    run::{self, Ran},
    tools::Peer,
};
use crate::workspace;

/// What a peer is to do.
#[derive(Debug, Clone)]
pub struct Job {
    pub url: String,
    pub connections: u32,
    pub seconds: u32,
    /// Requests a second; as fast as they go when left out.
    pub rate: Option<u32>,
    /// k6: most virtual users, if not one for each connection.
    pub users: Option<u32>,
    /// oha: `--latency-correction`.
    pub corrected: bool,
    /// oha: so many requests in place of seconds.
    pub requests: Option<u64>,
}

impl Job {
    pub fn closed(url: String, connections: u32, seconds: u32) -> Self {
        Self {
            url,
            connections,
            seconds,
            rate: None,
            users: None,
            corrected: false,
            requests: None,
        }
    }
}

/// A run of a peer: one result for each process, none where nothing could be read.
pub struct PeerRun {
    pub ran: Ran,
    pub said: Vec<Option<Said>>,
}

impl PeerRun {
    /// A metric added over all processes; not a number where one is missing.
    pub fn sum(&self, metric: &str) -> f64 {
        let each = self.said.iter().map(|said| of(said.as_ref(), metric));
        each.sum()
    }

    /// The largest of a metric over all processes: an upper bound for a percentile.
    pub fn worst(&self, metric: &str) -> f64 {
        let each = self.said.iter().map(|said| of(said.as_ref(), metric));
        each.fold(f64::NAN, f64::max)
    }
}

fn of(said: Option<&Said>, metric: &str) -> f64 {
    said.map_or(f64::NAN, |said| said.metric(metric))
}

/// Runs a peer on the core of the client, once for each job, side by side.
pub fn run(
    bench: &Bench<'_>,
    peer: Peer,
    jobs: &[Job],
    server: Option<Pid>,
) -> Result<PeerRun, String> {
    let program = bench.tools.path(peer).ok_or("the peer is not here")?;
    let mut commands = Vec::new();
    let mut files = Vec::new();
    for (index, job) in jobs.iter().enumerate() {
        let file = bench.folder.path().join(format!("{}-{index}", peer.name()));
        let _ = std::fs::remove_file(&file);
        let mut command = run::client(bench, program);
        command.current_dir(bench.folder.path());
        let own_file = arguments(peer, job, &file, &mut command)?;
        commands.push(command);
        files.push(own_file);
    }
    let seconds = jobs.iter().map(|job| job.seconds).max().unwrap_or(0);
    let extra = if jobs.iter().any(|job| job.requests.is_some()) {
        1_200
    } else {
        60
    };
    let ran = run::run(
        commands,
        server,
        Duration::from_secs(u64::from(seconds) + extra),
    )?;
    let mut said = Vec::new();
    for (index, (one, file)) in ran.each.iter().zip(files).enumerate() {
        let file = if let Some(file) = file {
            file
        } else {
            let file = bench
                .folder
                .path()
                .join(format!("{}-{index}.out", peer.name()));
            workspace::write(&file, &one.out)?;
            file
        };
        said.push(ours::read(&bench.program, &file).ok());
    }
    Ok(PeerRun { ran, said })
}

/// Adds the arguments; the file that the peer writes by itself, if it does.
fn arguments(
    peer: Peer,
    job: &Job,
    file: &Path,
    command: &mut Command,
) -> Result<Option<PathBuf>, String> {
    let (connections, seconds) = (job.connections.to_string(), format!("{}s", job.seconds));
    match peer {
        Peer::Wrk => {
            command
                .args(["-t1", "--latency", "-c", &connections, "-d", &seconds])
                .arg(&job.url);
        }
        Peer::Wrk2 => {
            let rate = job.rate.unwrap_or(1_000_000).to_string();
            command
                .args([
                    "-t1",
                    "--latency",
                    "-c",
                    &connections,
                    "-d",
                    &seconds,
                    "-R",
                    &rate,
                ])
                .arg(&job.url);
        }
        Peer::Oha => oha(job, command),
        Peer::H2load => {
            let seconds = job.seconds.to_string();
            command
                .args(["--h1", "-t1", "-c", &connections, "-D", &seconds])
                .arg(&job.url);
        }
        Peer::Hey => {
            command.args(["-cpus", "1", "-z", &seconds, "-c", &connections]);
            if let Some(rate) = job.rate {
                // For each worker, in whole requests.
                command.args(["-q", &(rate / job.connections.max(1)).max(1).to_string()]);
            }
            command.arg(&job.url);
        }
        Peer::Autocannon => {
            let seconds = job.seconds.to_string();
            command.args(["--json", "-c", &connections, "-d", &seconds]);
            if let Some(rate) = job.rate {
                command.args(["-R", &rate.to_string()]);
            }
            command.arg(&job.url);
        }
        Peer::K6 => return k6(job, file, command).map(Some),
        Peer::Locust => return locust(job, file, command).map(Some),
    }
    Ok(None)
}

fn oha(job: &Job, command: &mut Command) {
    command.args(["--no-tui", "--output-format", "json", "--insecure"]);
    command.args(["-c", &job.connections.to_string()]);
    match job.requests {
        Some(requests) => command.args(["-n", &requests.to_string()]),
        None => command.args(["-z", &format!("{}s", job.seconds)]),
    };
    if let Some(rate) = job.rate {
        command.args(["-q", &rate.to_string()]);
    }
    if job.corrected {
        command.arg("--latency-correction");
    }
    command.arg(&job.url);
}

fn k6(job: &Job, file: &Path, command: &mut Command) -> Result<PathBuf, String> {
    let users = job.users.unwrap_or(job.connections);
    let seconds = job.seconds;
    let executor = match job.rate {
        Some(rate) => format!(
            "executor: 'constant-arrival-rate', rate: {rate}, timeUnit: '1s', duration: '{seconds}s', \
             preAllocatedVUs: {}, maxVUs: {users}",
            users.min(job.connections)
        ),
        None => format!("executor: 'constant-vus', vus: {users}, duration: '{seconds}s'"),
    };
    let script = format!(
        "import http from 'k6/http';\n\
         export const options = {{ discardResponseBodies: true, insecureSkipTLSVerify: true,\n  \
         summaryTrendStats: ['avg', 'min', 'med', 'max', 'p(90)', 'p(95)', 'p(99)'],\n  \
         scenarios: {{ s: {{ {executor}, gracefulStop: '5s' }} }} }};\n\
         export default function () {{ http.get('{}'); }}\n",
        job.url
    );
    let (path, summary) = (file.with_extension("js"), file.with_extension("json"));
    workspace::write(&path, &script)?;
    command
        .env("GOMAXPROCS", "1")
        .args(["run", "--quiet", "--no-usage-report", "--address", ""])
        .arg("--summary-export")
        .arg(&summary)
        .arg(&path);
    Ok(summary)
}

fn locust(job: &Job, file: &Path, command: &mut Command) -> Result<PathBuf, String> {
    let (host, route) = match job.url.rsplit_once('/') {
        Some((host, route)) => (host, format!("/{route}")),
        None => (job.url.as_str(), "/".to_owned()),
    };
    let wait = match job.rate {
        Some(rate) => format!("constant_throughput({rate} / {})", job.connections.max(1)),
        None => "constant(0)".to_owned(),
    };
    let script = format!(
        "from locust import FastHttpUser, constant, constant_throughput, task\n\n\n\
         class Bench(FastHttpUser):\n    wait_time = {wait}\n    insecure = True\n\n    \
         @task\n    def get(self):\n        self.client.get(\"{route}\")\n"
    );
    let (path, stats) = (file.with_extension("py"), file.with_extension("stats"));
    workspace::write(&path, &script)?;
    let users = job.connections.to_string();
    command
        .args(["--headless", "--only-summary", "-f"])
        .arg(&path)
        .args([
            "-H",
            host,
            "-u",
            &users,
            "-r",
            &users,
            "-t",
            &format!("{}s", job.seconds),
        ])
        .arg("--json-file")
        .arg(&stats);
    // It adds the extension.
    let mut written = stats.into_os_string();
    written.push(".json");
    Ok(written.into())
}
