//! Memory and CPU of processes and cgroups, from `/proc` and `/sys/fs/cgroup` (Linux).

use std::{
    collections::{HashMap, HashSet},
    fs, io,
    path::{Path, PathBuf},
};

use super::config::ProcessConfig;

/// Ticks in a second of `/proc/PID/stat`: `USER_HZ`, 100 wherever Rust has Linux.
const TICKS: f64 = 100.0;
/// Longest file that is read.
const MOST: u64 = 1 << 20;

/// What one look at memory and CPU found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Look {
    /// Bytes, and CPU seconds since the first look.
    Seen {
        /// Bytes.
        memory: u64,
        /// Seconds.
        cpu_s: f64,
        /// The process is another one than at the look before.
        changed: bool,
    },
    /// It was there, and is gone.
    Gone,
}

/// What is looked at.
#[derive(Debug)]
pub enum Source {
    /// A process with its children.
    Process(Process),
    /// A cgroup.
    Cgroup(Cgroup),
}

impl Source {
    /// One look.
    pub fn look(&mut self) -> Result<Look, String> {
        match self {
            Self::Process(process) => process.look(Path::new("/proc")),
            Self::Cgroup(cgroup) => cgroup.look(),
        }
    }

    /// As it is called in the record.
    pub fn subject(&self) -> String {
        match self {
            Self::Process(process) => process.subject(),
            Self::Cgroup(cgroup) => format!("cgroup {}", cgroup.folder.display()),
        }
    }
}

/// A process by its id and the time at which it began: ids are used again.
type Key = (i32, u64);

/// Processes that a config names, with everything that they started.
#[derive(Debug)]
pub struct Process {
    which: Which,
    roots: HashSet<Key>,
    ticks: HashMap<Key, u64>,
    used: u64,
}

#[derive(Debug)]
enum Which {
    Pid(i32),
    File(PathBuf),
    Name(String),
}

impl Process {
    /// `file` is the resolved path of `pid_file`.
    pub fn new(config: &ProcessConfig, file: Option<PathBuf>) -> Self {
        let name = || config.name.clone().unwrap_or_default();
        let which = match (config.pid, file) {
            (Some(pid), _) => Which::Pid(pid),
            (None, Some(file)) => Which::File(file),
            (None, None) => Which::Name(name()),
        };
        Self {
            which,
            roots: HashSet::new(),
            ticks: HashMap::new(),
            used: 0,
        }
    }

    fn subject(&self) -> String {
        match &self.which {
            Which::Pid(pid) => format!("process {pid}"),
            Which::File(file) => format!("process of {}", file.display()),
            Which::Name(name) => format!("process {name}"),
        }
    }

    fn look(&mut self, proc: &Path) -> Result<Look, String> {
        let all = processes(proc)?;
        let roots = self.roots_in(&all)?;
        if roots.is_empty() {
            return if self.roots.is_empty() {
                Err(format!("there is no {} on this machine", self.subject()))
            } else {
                Ok(Look::Gone)
            };
        }
        // Workers of one name come and go; the one that an id names does not.
        let stays = matches!(self.which, Which::Name(_))
            && roots.iter().any(|key| self.roots.contains(key));
        let changed = !self.roots.is_empty() && !stays && roots != self.roots;
        let first = self.roots.is_empty();
        let tree = tree(&all, &roots);
        let mut memory = 0;
        for one in &tree {
            // One that ended in between no longer counts.
            memory += resident(proc, one.key.0).unwrap_or(0);
            let before = self.ticks.insert(one.key, one.ticks);
            let since = before.unwrap_or(if first { one.ticks } else { 0 });
            self.used += one.ticks.saturating_sub(since);
        }
        if memory == 0 {
            return Err(format!("{} has no resident memory", self.subject()));
        }
        self.roots = roots;
        Ok(Look::Seen {
            memory,
            cpu_s: self.used as f64 / TICKS,
            changed,
        })
    }

    fn roots_in(&self, all: &[One]) -> Result<HashSet<Key>, String> {
        let of_pid = |pid: i32| all.iter().filter(move |one| one.key.0 == pid);
        Ok(match &self.which {
            Which::Pid(pid) => of_pid(*pid).map(|one| one.key).collect(),
            Which::File(file) => {
                let text = match read(file) {
                    Ok(text) => text,
                    // A process that ends takes its file with it.
                    Err(_) if !self.roots.is_empty() => return Ok(HashSet::new()),
                    Err(e) => return Err(format!("{}: {e}", file.display())),
                };
                let pid = text.trim().parse();
                let pid = pid.map_err(|_| format!("{} holds no process id", file.display()))?;
                of_pid(pid).map(|one| one.key).collect()
            }
            Which::Name(name) => {
                let named = all.iter().filter(|one| one.name == *name);
                named.map(|one| one.key).collect()
            }
        })
    }
}

struct One {
    key: Key,
    parent: i32,
    name: String,
    ticks: u64,
}

fn processes(proc: &Path) -> Result<Vec<One>, String> {
    let entries = fs::read_dir(proc).map_err(|e| format!("{}: {e}", proc.display()))?;
    let pids = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    Ok(pids.filter_map(|pid| one(proc, pid)).collect())
}

/// `PID (name) state parent ...`; the name may hold spaces and parentheses (proc_pid_stat(5)).
fn one(proc: &Path, pid: i32) -> Option<One> {
    let text = read(&proc.join(format!("{pid}/stat"))).ok()?;
    let (head, rest) = text.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    // A zombie has ended and waits for its parent.
    if fields.first() == Some(&"Z") {
        return None;
    }
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    let short = head.split_once('(')?.1;
    Some(One {
        key: (pid, number(19)?),
        parent: fields.get(1)?.parse().ok()?,
        name: full_name(proc, pid, short),
        ticks: number(11)? + number(12)?,
    })
}

/// The kernel keeps 15 bytes of a name; the command line has the rest.
fn full_name(proc: &Path, pid: i32, short: &str) -> String {
    if short.len() < 15 {
        return short.to_owned();
    }
    let line = read(&proc.join(format!("{pid}/cmdline"))).unwrap_or_default();
    let program = line.split('\0').next().unwrap_or_default();
    let name = program.rsplit('/').next().unwrap_or_default();
    let fits = name.starts_with(short);
    if fits { name } else { short }.to_owned()
}

fn tree<'a>(all: &'a [One], roots: &HashSet<Key>) -> Vec<&'a One> {
    let mut children: HashMap<i32, Vec<&One>> = HashMap::new();
    for one in all {
        children.entry(one.parent).or_default().push(one);
    }
    let mut tree: Vec<&One> = all.iter().filter(|one| roots.contains(&one.key)).collect();
    let mut seen: HashSet<i32> = tree.iter().map(|one| one.key.0).collect();
    let mut next = 0;
    while let Some(one) = tree.get(next) {
        for child in children.remove(&one.key.0).unwrap_or_default() {
            if seen.insert(child.key.0) {
                tree.push(child);
            }
        }
        next += 1;
    }
    tree
}

fn resident(proc: &Path, pid: i32) -> Option<u64> {
    let text = read(&proc.join(format!("{pid}/status"))).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// A cgroup, version 2 or 1.
#[derive(Debug)]
pub struct Cgroup {
    folder: PathBuf,
    first_cpu: Option<f64>,
}

impl Cgroup {
    /// The folder of the cgroup, resolved.
    pub fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            first_cpu: None,
        }
    }

    fn look(&mut self) -> Result<Look, String> {
        let used = self.memory();
        let used = match used {
            Err(e) if e.kind() == io::ErrorKind::NotFound && self.first_cpu.is_some() => {
                return Ok(Look::Gone);
            }
            used => used.map_err(|e| self.fault("memory", &e))?,
        };
        let cpu = self.cpu().map_err(|e| self.fault("CPU time", &e))?;
        let first = *self.first_cpu.get_or_insert(cpu);
        Ok(Look::Seen {
            memory: used,
            cpu_s: (cpu - first).max(0.0),
            changed: cpu < first,
        })
    }

    fn fault(&self, what: &str, error: &io::Error) -> String {
        format!("{what} of cgroup {}: {error}", self.folder.display())
    }

    /// What would be left if the kernel took back the file cache that nobody uses: the cache grows to the
    /// limit and is no leak.
    fn memory(&self) -> io::Result<u64> {
        let at = |name: &str| self.folder.join(name);
        let (used, inactive) = match number(&at("memory.current")) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                (number(&at("memory.usage_in_bytes"))?, "total_inactive_file")
            }
            used => (used?, "inactive_file"),
        };
        let unused = keyed(&at("memory.stat"), inactive).unwrap_or(0);
        Ok(used.saturating_sub(unused))
    }

    fn cpu(&self) -> io::Result<f64> {
        let v2 = keyed(&self.folder.join("cpu.stat"), "usage_usec");
        match v2 {
            Ok(micros) => Ok(micros as f64 / 1e6),
            Err(e) => match number(&self.folder.join("cpuacct.usage")) {
                Ok(nanos) => Ok(nanos as f64 / 1e9),
                Err(_) => Err(e),
            },
        }
    }
}

fn read(path: &Path) -> io::Result<String> {
    use io::Read as _;
    let mut text = Vec::new();
    fs::File::open(path)?.take(MOST).read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn number(path: &Path) -> io::Result<u64> {
    let text = read(path)?;
    let bad = |_| io::Error::new(io::ErrorKind::InvalidData, "holds no number");
    text.trim().parse().map_err(bad)
}

fn keyed(path: &Path, key: &str) -> io::Result<u64> {
    let text = read(path)?;
    let mut lines = text.lines().filter_map(|line| line.split_once(' '));
    let value = lines.find(|(name, _)| *name == key);
    let value = value.and_then(|(_, value)| value.trim().parse().ok());
    value.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, format!("has no {key}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: i32) -> Process {
        let config = ProcessConfig {
            pid: Some(pid),
            ..ProcessConfig::default()
        };
        Process::new(&config, None)
    }

    /// A `/proc` of our own: pid, parent, name, start, ticks, resident kB.
    fn fake(all: &[(i32, i32, &str, u64, u64, u64)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (pid, parent, name, start, ticks, kib) in all {
            let folder = root.path().join(pid.to_string());
            fs::create_dir(&folder).unwrap();
            let mut fields = vec!["0".to_owned(); 30];
            fields[0] = "S".into();
            fields[1] = parent.to_string();
            fields[11] = ticks.to_string();
            fields[19] = start.to_string();
            let stat = format!("{pid} ({name}) {}\n", fields.join(" "));
            fs::write(folder.join("stat"), stat).unwrap();
            fs::write(
                folder.join("status"),
                format!("Name:\tx\nVmRSS:\t  {kib} kB\n"),
            )
            .unwrap();
        }
        root
    }

    fn seen(look: &Look) -> (u64, f64, bool) {
        match look {
            Look::Seen {
                memory,
                cpu_s,
                changed,
            } => (*memory, *cpu_s, *changed),
            Look::Gone => panic!("gone"),
        }
    }

    #[test]
    fn children_count_and_cpu_starts_at_zero() {
        let first = fake(&[
            (7, 1, "a ) b", 10, 500, 100),
            (8, 7, "c", 11, 50, 20),
            (9, 1, "d", 5, 9, 9),
        ]);
        let later = fake(&[(7, 1, "a ) b", 10, 600, 110), (12, 7, "c", 40, 30, 20)]);
        let mut process = process(7);
        assert_eq!(
            seen(&process.look(first.path()).unwrap()),
            (120 << 10, 0.0, false)
        );
        assert_eq!(
            seen(&process.look(later.path()).unwrap()),
            (130 << 10, 1.3, false)
        );
    }

    #[test]
    fn an_end_and_a_new_start_are_seen() {
        let mut process = process(7);
        let why = process
            .look(fake(&[(8, 1, "a", 1, 1, 1)]).path())
            .unwrap_err();
        assert!(why.contains("process 7"), "{why}");
        process.look(fake(&[(7, 1, "a", 10, 1, 1)]).path()).unwrap();
        let again = process.look(fake(&[(7, 1, "a", 99, 1, 1)]).path()).unwrap();
        assert!(seen(&again).2);
        assert_eq!(process.look(fake(&[]).path()), Ok(Look::Gone));
    }

    #[test]
    fn a_name_stands_for_all_of_its_kind() {
        let config = ProcessConfig {
            name: Some("web".into()),
            ..ProcessConfig::default()
        };
        let mut process = Process::new(&config, None);
        let first = fake(&[
            (1, 0, "web", 1, 0, 10),
            (2, 1, "web", 2, 0, 10),
            (3, 9, "web", 3, 0, 10),
        ]);
        assert_eq!(seen(&process.look(first.path()).unwrap()).0, 30 << 10);
        // A worker that is replaced is no restart.
        let next = fake(&[(1, 0, "web", 1, 0, 10), (5, 1, "web", 9, 0, 10)]);
        assert!(!seen(&process.look(next.path()).unwrap()).2);
    }

    #[test]
    fn this_process_is_found_through_a_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), format!("{}\n", std::process::id())).unwrap();
        let mut source = Source::Process(Process::new(
            &ProcessConfig::default(),
            Some(file.path().to_owned()),
        ));
        assert!(seen(&source.look().unwrap()).0 > 100_000);
        fs::write(file.path(), "x").unwrap();
        assert!(source.look().unwrap_err().contains("no process id"));
    }

    #[test]
    fn file_cache_is_no_memory_of_a_cgroup() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        let mut cgroup = Cgroup::new(folder.path().to_owned());
        assert!(cgroup.look().unwrap_err().contains("memory of cgroup"));
        write("memory.current", "1000\n");
        write("memory.stat", "anon 600\ninactive_file 300\n");
        write("cpu.stat", "usage_usec 2000000\nuser_usec 1\n");
        assert_eq!(seen(&cgroup.look().unwrap()), (700, 0.0, false));
        write("cpu.stat", "usage_usec 3500000\n");
        assert_eq!(seen(&cgroup.look().unwrap()), (700, 1.5, false));
        fs::remove_file(folder.path().join("memory.current")).unwrap();
        assert_eq!(cgroup.look(), Ok(Look::Gone));
    }
}
