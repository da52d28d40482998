//! Clients on their core, with CPU time, memory and what else used the cores.

use std::{
    collections::HashMap,
    fs,
    io::Read,
    path::Path,
    process::{Child, Command, Stdio},
    thread::JoinHandle,
    time::Duration,
};

use nix::sys::{
    resource::{UsageWho, getrusage},
    signal::{Signal, kill},
};
use nix::unistd::Pid;

use super::{Bench, CLIENT_CORE, SERVER_CORE};
use crate::exec::Stopwatch;

/// Between two looks at memory.
const SAMPLE: Duration = Duration::from_millis(200);
/// Every so many looks, shared pages are told apart, which costs more.
const PROPORTIONAL: usize = 5;
/// Output that is kept; no tool prints more than a few kilobytes.
const MOST_OUTPUT: u64 = 16 << 20;
/// Page size of `statm`, in KiB.
const PAGE_KIB: u64 = 4;
/// Ticks in a second of `/proc/*/stat`.
const TICKS: f64 = 100.0;

/// What came of one process.
#[derive(Debug)]
pub struct One {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// What came of processes that ran side by side.
#[derive(Debug)]
pub struct Ran {
    pub each: Vec<One>,
    /// User and system time of all, with their children, in seconds.
    pub cpu: f64,
    /// Most resident memory of all at one time, with their children, in KiB.
    pub peak_kib: u64,
    /// The same with shared pages counted once, looked at less often (`Pss`), in KiB.
    pub proportional_kib: u64,
    /// Resident memory over time: seconds and KiB.
    pub memory: Vec<(f64, u64)>,
    /// Highest share of a core (0 to 1) that neither client nor server used.
    pub noise: f64,
    /// Whether it had to be killed because it did not end.
    pub overdue: bool,
}

impl Ran {
    /// The first process; there is always one.
    pub fn first(&self) -> &One {
        &self.each[0]
    }

    /// Memory at a share (0 to 1) of the time that samples cover: the median of those around it.
    pub fn memory_at(&self, share: f64) -> f64 {
        let end = self.memory.last().map_or(0.0, |(at, _)| *at);
        let near = self
            .memory
            .iter()
            .filter(|(at, _)| (at / end - share).abs() <= 0.03);
        super::table::median(&near.map(|(_, kib)| *kib as f64).collect::<Vec<_>>())
    }
}

/// Puts a command before all ordinary processes of the machine: it is scheduled in real time.
pub const FRONT: [&str; 3] = ["chrt", "--rr", "1"];

/// A command on the core of the client, which ends when this process ends.
pub fn client(bench: &Bench<'_>, program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]);
    if bench.options.realtime {
        command.args(FRONT);
    }
    command
        .args(["taskset", "-c", &CLIENT_CORE.to_string()])
        .arg(program);
    command
}

/// Runs the commands side by side. `server` is the process whose time counts as the server's.
pub fn run(commands: Vec<Command>, server: Option<Pid>, limit: Duration) -> Result<Ran, String> {
    let (cpu_before, cores_before) = (children_cpu()?, cores()?);
    let served_before = server.map_or(0.0, tree_cpu);
    let watch = Stopwatch::start();
    let mut running = Vec::new();
    for mut command in commands {
        running.push(Running::start(&mut command)?);
    }
    let mut memory = Vec::new();
    let (mut overdue, mut proportional) = (false, 0);
    let mut used: HashMap<i32, f64> = HashMap::new();
    while running.iter_mut().any(Running::is_running) {
        pause();
        for pid in tree(&running) {
            let seconds = used.entry(pid).or_default();
            *seconds = seconds.max(process_cpu(pid).unwrap_or(0.0));
        }
        let kib = resident(&running, "statm");
        // Between the end of a process and its notice there is nothing to see.
        if kib > 0 {
            memory.push((watch.seconds(), kib));
        }
        if memory.len() % PROPORTIONAL == 0 {
            proportional = proportional.max(resident(&running, "smaps_rollup"));
        }
        if watch.seconds() > limit.as_secs_f64() {
            overdue = true;
            running.iter().for_each(Running::kill);
        }
    }
    let wall = watch.seconds();
    let served = server.map_or(0.0, tree_cpu) - served_before;
    let each = running
        .into_iter()
        .map(Running::end)
        .collect::<Result<_, _>>()?;
    // The system adds what a process waited for; one that nobody waited for was looked at.
    let cpu = f64::max(children_cpu()? - cpu_before, used.values().sum());
    let cores_after = cores()?;
    let busy = |core: usize| cores_after[core] - cores_before[core];
    let others = f64::max(busy(SERVER_CORE) - served, busy(CLIENT_CORE) - cpu);
    Ok(Ran {
        each,
        cpu,
        peak_kib: memory.iter().map(|(_, kib)| *kib).max().unwrap_or(0),
        proportional_kib: proportional,
        memory,
        noise: (others / wall).max(0.0),
        overdue,
    })
}

struct Running {
    child: Child,
    ended: bool,
    out: JoinHandle<String>,
    err: JoinHandle<String>,
}

impl Running {
    fn start(command: &mut Command) -> Result<Self, String> {
        let program = format!("{command:?}");
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| format!("{program}: {e}"))?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        Ok(Self {
            child,
            ended: false,
            out: std::thread::spawn(move || text_of(out)),
            err: std::thread::spawn(move || text_of(err)),
        })
    }

    fn is_running(&mut self) -> bool {
        self.ended = self.ended || !matches!(self.child.try_wait(), Ok(None));
        !self.ended
    }

    fn pid(&self) -> i32 {
        self.child.id().try_into().unwrap_or_default()
    }

    fn kill(&self) {
        if !self.ended {
            for pid in descendants(&[self.pid()]) {
                let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            }
        }
    }

    fn end(mut self) -> Result<One, String> {
        let status = self.child.wait().map_err(|e| e.to_string())?;
        Ok(One {
            code: status.code(),
            out: self.out.join().unwrap_or_default(),
            err: self.err.join().unwrap_or_default(),
        })
    }
}

fn text_of(from: Option<impl Read>) -> String {
    let mut bytes = Vec::new();
    if let Some(from) = from {
        let _ = from.take(MOST_OUTPUT).read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Those that live, with their children.
fn tree(running: &[Running]) -> Vec<i32> {
    let live = running.iter().filter(|one| !one.ended);
    let roots: Vec<i32> = live.map(Running::pid).collect();
    descendants(&roots)
}

/// Memory of all in KiB: `statm` counts shared pages for each process, `smaps_rollup` divides them.
fn resident(running: &[Running], file: &str) -> u64 {
    let kib = |pid: &i32| -> Option<u64> {
        let text = fs::read_to_string(format!("/proc/{pid}/{file}")).ok()?;
        if file == "statm" {
            return Some(PAGE_KIB * text.split(' ').nth(1)?.parse::<u64>().ok()?);
        }
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
        line.trim().strip_suffix("kB")?.trim().parse().ok()
    };
    tree(running).iter().filter_map(kib).sum()
}

/// The processes and everything that they started. Not by a look at all of `/proc`: this is called while
/// others are measured.
fn descendants(roots: &[i32]) -> Vec<i32> {
    let mut all = roots.to_vec();
    let mut next = 0;
    while let Some(pid) = all.get(next) {
        let threads = fs::read_dir(format!("/proc/{pid}/task"));
        for thread in threads.into_iter().flatten().flatten() {
            let text = fs::read_to_string(thread.path().join("children"));
            let text = text.unwrap_or_default();
            let children = text
                .split_whitespace()
                .filter_map(|pid| pid.parse::<i32>().ok());
            all.extend(children);
        }
        next += 1;
    }
    all
}

/// The fields of `/proc/PID/stat` after the name: state, parent, ...
fn stat(pid: i32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(") ")?;
    Some(rest.split(' ').map(str::to_owned).collect())
}

/// CPU seconds of a process and of those that it started and that still live.
pub fn tree_cpu(root: Pid) -> f64 {
    let all = descendants(&[root.as_raw()]);
    all.into_iter().filter_map(process_cpu).sum()
}

fn process_cpu(pid: i32) -> Option<f64> {
    let fields = stat(pid)?;
    let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / TICKS)
}

/// Busy seconds of each core since the start of the system.
fn cores() -> Result<Vec<f64>, String> {
    let text = fs::read_to_string("/proc/stat").map_err(|e| format!("/proc/stat: {e}"))?;
    let lines = text.lines().filter(|line| line.starts_with("cpu")).skip(1);
    let busy = |line: &str| {
        let fields: Vec<f64> = line
            .split_whitespace()
            .skip(1)
            .filter_map(|field| field.parse().ok())
            .collect();
        // user, nice, system, (idle, iowait), irq, softirq, steal
        let used = [0, 1, 2, 5, 6, 7].iter().filter_map(|i| fields.get(*i));
        used.sum::<f64>() / TICKS
    };
    let cores: Vec<f64> = lines.map(busy).collect();
    if cores.len() < 2 {
        return Err("client and server need a core each, and this machine has one".into());
    }
    Ok(cores)
}

/// CPU time of all children that have ended: the difference is that of those which ended in between.
fn children_cpu() -> Result<f64, String> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).map_err(|e| e.to_string())?;
    let seconds =
        |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    Ok(seconds(usage.user_time()) + seconds(usage.system_time()))
}

#[expect(clippy::disallowed_methods, reason = "samples memory in real time")]
fn pause() {
    std::thread::sleep(SAMPLE);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_and_time_include_children() {
        let mut shell = Command::new("sh");
        shell.args([
            "-c",
            "x=$(seq 200000 | tail -n 1); echo $x; sleep 0.3; exit 3",
        ]);
        let ran = run(vec![shell], None, Duration::from_secs(20)).unwrap();
        assert_eq!(ran.first().code, Some(3));
        assert_eq!(ran.first().out.trim(), "200000");
        assert!(ran.cpu > 0.0 && ran.peak_kib > 500, "{ran:?}");
        assert!(!ran.overdue);
    }

    #[test]
    fn what_does_not_end_is_killed_with_its_children() {
        let mut shell = Command::new("sh");
        shell.args(["-c", "sleep 60; true"]);
        let ran = run(vec![shell], None, Duration::from_millis(200)).unwrap();
        assert!(ran.overdue);
    }
}
