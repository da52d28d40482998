//! Child processes: argv and not a shell, a clean environment, a process group that is killed as a
//! whole, and output that is capped while it is read.

use std::{
    collections::{BTreeMap, VecDeque},
    os::unix::process::ExitStatusExt as _,
    path::PathBuf,
    process::Stdio,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::{Child, Command},
    time::Instant,
};

use crate::{Cx, ErrorKind, ProbeError};

/// Between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_millis(300);
/// How long to wait for a pipe that a grandchild holds open after the child has ended.
const LINGER: Duration = Duration::from_millis(500);

/// What to run.
#[derive(Debug, Clone)]
pub struct Job {
    /// Program and arguments. No shell sees them.
    pub argv: Vec<String>,
    /// Working folder.
    pub directory: PathBuf,
    /// Added to [`Cx::environment`].
    pub environment: BTreeMap<String, String>,
    /// Written to stdin; without it stdin is empty.
    pub stdin: Option<Vec<u8>>,
    /// Bytes kept of each stream: one half from its start, the rest from its end.
    pub keep: usize,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Ended {
    /// With this exit code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(number) => match Signal::try_from(*number) {
                Ok(signal) => write!(f, "killed by {signal}"),
                Err(_) => write!(f, "killed by signal {number}"),
            },
        }
    }
}

/// What was kept of one output stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Captured {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    /// All bytes that were written, kept or not.
    pub total: u64,
}

impl Captured {
    /// Whether bytes were thrown away.
    pub fn truncated(&self) -> bool {
        self.total > (self.head.len() + self.tail.len()) as u64
    }

    /// The bytes kept, in order; a gap is not marked here.
    pub fn bytes(&self) -> Vec<u8> {
        self.head
            .iter()
            .copied()
            .chain(self.tail.iter().copied())
            .collect()
    }

    /// The text kept, invalid UTF-8 replaced, with a line that says how much is missing.
    pub fn text(&self) -> String {
        if !self.truncated() {
            return String::from_utf8_lossy(&self.bytes()).into_owned();
        }
        let missing = self.total - (self.head.len() + self.tail.len()) as u64;
        let tail: Vec<u8> = self.tail.iter().copied().collect();
        format!(
            "{}\n[... {missing} bytes left out ...]\n{}",
            String::from_utf8_lossy(&self.head),
            String::from_utf8_lossy(&tail)
        )
    }

    fn push(&mut self, bytes: &[u8], keep: usize) {
        self.total += bytes.len() as u64;
        let room = (keep / 2).saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..room]);
        let rest = &bytes[room..];
        let limit = keep - keep / 2;
        let rest = &rest[rest.len().saturating_sub(limit)..];
        let overflow = (self.tail.len() + rest.len()).saturating_sub(limit);
        self.tail.drain(..overflow.min(self.tail.len()));
        self.tail.extend(rest);
    }
}

/// A process that has ended by itself.
#[derive(Debug, Clone)]
pub struct Finished {
    /// How it ended.
    pub ended: Ended,
    /// Its stdout.
    pub stdout: Captured,
    /// Its stderr.
    pub stderr: Captured,
    /// From start to end.
    pub took: Duration,
}

/// Runs a job until it ends, the deadline passes or the run is interrupted.
///
/// The child leads a process group of its own; at the deadline, on cancellation, or when this
/// future is dropped, the whole group is killed.
///
/// # Errors
/// [`ErrorKind::Connect`] when the program cannot be started, [`ErrorKind::Timeout`] at the
/// deadline (the message ends with what it printed last), [`ErrorKind::Cancelled`].
pub async fn run(job: &Job, cx: &Cx) -> Result<Finished, ProbeError> {
    let Some((program, arguments)) = job.argv.split_first() else {
        return Err(ProbeError::new(
            ErrorKind::NoData,
            "command",
            "starting",
            "no program is named",
        ));
    };
    let started = Instant::now();
    let mut child = spawn(program, arguments, job, cx)?;
    let mut group = Group::of(&child);
    let mut stdout = Captured::default();
    let mut stderr = Captured::default();
    let outcome = {
        let pipes = (child.stdout.take(), child.stderr.take());
        feed(&mut child, job.stdin.clone());
        let work = wait(&mut child, pipes, &mut stdout, &mut stderr, job.keep);
        cx.within(program, "running", work).await
    };
    match outcome {
        Ok(Ok(ended)) => {
            group.kill(Signal::SIGKILL); // stray grandchildren
            Ok(Finished {
                ended,
                stdout,
                stderr,
                took: started.elapsed(),
            })
        }
        Ok(Err(io)) => Err(ProbeError::new(
            ErrorKind::Internal,
            program,
            "reading its output",
            io,
        )),
        Err(error) => {
            group.kill(Signal::SIGTERM);
            let _ = tokio::time::timeout(GRACE, child.wait()).await;
            group.kill(Signal::SIGKILL);
            let last = if stderr.total > 0 { stderr } else { stdout };
            Err(explain_timeout(
                error,
                started.elapsed(),
                &cx.mask(&last.text()),
            ))
        }
    }
}

/// A command that hangs says best itself why: its last words go into the message.
fn explain_timeout(mut error: ProbeError, ran: Duration, last: &str) -> ProbeError {
    if error.kind == ErrorKind::Timeout {
        let ran = crate::Unit::Seconds.format((ran.as_secs_f64() * 10.0).round() / 10.0);
        error.message = format!("still running after {ran}; its process group was killed");
        if !last.trim().is_empty() {
            error.message.push_str("; it last said: ");
            error.message.push_str(&crate::excerpt(last.trim(), 400));
        }
    }
    error
}

fn spawn(program: &str, arguments: &[String], job: &Job, cx: &Cx) -> Result<Child, ProbeError> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(&job.directory)
        .env_clear()
        .envs(cx.environment())
        .envs(&job.environment)
        .stdin(if job.stdin.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    command.spawn().map_err(|io| {
        let error = ProbeError::new(ErrorKind::Connect, program, "starting", &io);
        if !job.directory.is_dir() {
            return error.hint(format!(
                "the folder {} does not exist",
                job.directory.display()
            ));
        }
        match io.kind() {
            std::io::ErrorKind::NotFound => {
                error.hint("install it, or give its path; PATH is the gate's own")
            }
            std::io::ErrorKind::PermissionDenied => {
                error.hint("the file is not executable: chmod +x")
            }
            _ => error,
        }
    })
}

fn feed(child: &mut Child, input: Option<Vec<u8>>) {
    if let (Some(mut pipe), Some(input)) = (child.stdin.take(), input) {
        // A child that does not read must not block us; the task ends when the pipe closes.
        tokio::spawn(async move {
            let _ = pipe.write_all(&input).await;
        });
    }
}

type Pipes = (
    Option<tokio::process::ChildStdout>,
    Option<tokio::process::ChildStderr>,
);

async fn wait(
    child: &mut Child,
    (out, err): Pipes,
    stdout: &mut Captured,
    stderr: &mut Captured,
    keep: usize,
) -> std::io::Result<Ended> {
    let reading = async {
        tokio::join!(drain(out, stdout, keep), drain(err, stderr, keep));
    };
    tokio::pin!(reading);
    let status = tokio::select! {
        status = child.wait() => {
            // The output of the child itself is in the pipe by now; a grandchild may keep it open.
            let _ = tokio::time::timeout(LINGER, &mut reading).await;
            status?
        }
        () = &mut reading => child.wait().await?,
    };
    let signal = || status.signal().unwrap_or_default();
    Ok(status
        .code()
        .map_or_else(|| Ended::Signal(signal()), Ended::Code))
}

async fn drain(pipe: Option<impl AsyncRead + Unpin>, into: &mut Captured, keep: usize) {
    let Some(mut pipe) = pipe else { return };
    let mut buffer = vec![0_u8; 64 * 1024];
    while let Ok(n) = pipe.read(&mut buffer).await {
        if n == 0 {
            break;
        }
        into.push(&buffer[..n], keep);
    }
}

/// Kills the process group when dropped.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(
            child
                .id()
                .and_then(|id| i32::try_from(id).ok())
                .map(Pid::from_raw),
        )
    }

    fn kill(&mut self, signal: Signal) {
        if let Some(group) = self.0 {
            let _ = killpg(group, signal);
            if signal == Signal::SIGKILL {
                self.0 = None;
            }
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill(Signal::SIGKILL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(script: &str) -> Job {
        Job {
            argv: vec!["/bin/sh".into(), "-c".into(), script.into()],
            directory: ".".into(),
            environment: BTreeMap::from([("PATH".into(), "/usr/bin:/bin".into())]),
            stdin: None,
            keep: 1_024,
        }
    }

    fn cx(timeout: Duration) -> Cx {
        Cx::builder(timeout).build()
    }

    #[tokio::test]
    async fn codes_and_signals_are_told_apart() {
        let cx = cx(Duration::from_secs(10));
        assert_eq!(
            run(&job("exit 3"), &cx).await.unwrap().ended,
            Ended::Code(3)
        );
        assert_eq!(
            run(&job("kill -9 $$"), &cx).await.unwrap().ended,
            Ended::Signal(9)
        );
    }

    #[tokio::test]
    async fn endless_output_is_capped() {
        let cx = cx(Duration::from_secs(60));
        let done = run(&job("head -c 50000000 /dev/zero; echo end"), &cx)
            .await
            .unwrap();
        assert_eq!(done.stdout.total, 50_000_004);
        assert!(done.stdout.truncated() && done.stdout.text().ends_with("end\n"));
        assert!(done.stdout.bytes().len() <= 1_024);
    }

    #[tokio::test]
    async fn the_whole_group_is_killed_at_the_deadline() {
        let marker = std::env::temp_dir().join(format!("readygate-group-{}", std::process::id()));
        let script = format!(
            "(trap '' TERM; sleep 6; touch {}) & echo waiting; wait",
            marker.display()
        );
        let started = Instant::now();
        let error = run(&job(&script), &cx(Duration::from_secs(2)))
            .await
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::Timeout);
        assert!(error.message.contains("waiting"), "{}", error.message);
        tokio::time::sleep_until(started + Duration::from_millis(6_500)).await;
        assert!(!marker.exists(), "a grandchild outlived the gate");
    }

    #[tokio::test]
    async fn a_daemon_that_keeps_the_pipe_open_does_not_hold_the_gate() {
        let started = Instant::now();
        let done = run(&job("sleep 30 & echo done"), &cx(Duration::from_secs(20)))
            .await
            .unwrap();
        assert_eq!(done.stdout.text(), "done\n");
        assert!(started.elapsed() < Duration::from_secs(10));
    }

    #[tokio::test]
    async fn the_environment_of_the_gate_does_not_leak() {
        let cx = cx(Duration::from_secs(10));
        let done = run(&job("env | grep -c CARGO"), &cx).await.unwrap();
        assert_eq!(done.stdout.text().trim(), "0");
    }

    #[tokio::test]
    async fn a_missing_program_is_named() {
        let mut job = job("");
        job.argv = vec!["no-such-program".into()];
        let error = run(&job, &cx(Duration::from_secs(5))).await.unwrap_err();
        assert_eq!(
            (error.kind, error.subject.as_str()),
            (ErrorKind::Connect, "no-such-program")
        );
        assert!(error.hint.is_some());
    }
}
