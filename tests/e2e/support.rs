//! Runs the real binary in a folder of its own, and makes what it said comparable.

use std::{
    fmt::Write as _,
    fs,
    io::{BufRead as _, BufReader, Read as _},
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{LazyLock, mpsc},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use regex::Regex;
use serde_json::Value;
use tempfile::TempDir;

/// No invocation may take longer; on a busy machine most take a small part of it.
const LIMIT: Duration = Duration::from_secs(60);

/// A folder with a config, and how to call the binary in it.
pub struct Project {
    folder: TempDir,
    environment: Vec<(String, String)>,
    args: Vec<String>,
    limit: Duration,
    /// What `ulimit -v` allows, in KiB.
    memory: Option<u64>,
}

/// So many pieces of a text, one after the other.
pub fn repeated(count: usize, piece: impl Fn(usize) -> String) -> String {
    (0..count).map(piece).collect::<Vec<_>>().concat()
}

/// What one invocation left behind.
pub struct Ran {
    pub code: i32,
    /// With folders, times and ids replaced.
    pub stdout: String,
    /// With folders, times and ids replaced.
    pub stderr: String,
    /// As it came.
    pub raw: Output,
    /// What stands in `run.json` afterwards.
    pub report: Option<Vec<u8>>,
    folder: PathBuf,
}

/// An empty folder and `readygate run --report json=run.json`.
pub fn readygate() -> Project {
    Project {
        folder: TempDir::new().unwrap(),
        environment: Vec::new(),
        args: ["run", "--report", "json=run.json"].map(Into::into).into(),
        limit: LIMIT,
        memory: None,
    }
}

impl Project {
    /// Writes `readygate.yaml`.
    pub fn config(self, text: &str) -> Self {
        self.file("readygate.yaml", text)
    }

    /// Writes `readygate.yaml` with these gates, a YAML list that starts on line 3.
    pub fn gates(self, list: &str) -> Self {
        let list = list.trim_start_matches('\n');
        self.config(&format!("version: 1\ngates:\n{list}"))
    }

    /// Writes a file, and the folders that lead to it.
    pub fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    /// Sets a variable; of the environment of the tests nothing but `PATH` gets through.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Replaces the arguments.
    pub fn args<'a>(mut self, args: impl IntoIterator<Item = &'a str>) -> Self {
        self.args = args.into_iter().map(Into::into).collect();
        self
    }

    /// Adds an argument.
    pub fn arg(mut self, arg: &str) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Bounds the time.
    pub fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Bounds the address space, children included.
    pub fn memory_kib(mut self, most: u64) -> Self {
        self.memory = Some(most);
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// Runs the binary to its end.
    pub fn run(&self) -> Ran {
        let binary = env!("CARGO_BIN_EXE_readygate");
        match self.memory {
            None => self.finish(assert_cmd::Command::new(binary), &self.args),
            Some(most) => {
                let script = format!("ulimit -v {most}; exec \"$0\" \"$@\"");
                let args = ["-c", &script, binary].map(str::to_owned);
                let args: Vec<String> = args.into_iter().chain(self.args.clone()).collect();
                self.finish(assert_cmd::Command::new("sh"), &args)
            }
        }
    }

    /// Runs `readygate` with other arguments, split at spaces, in the same folder.
    pub fn call(&self, args: &str) -> Ran {
        let args: Vec<String> = args.split_whitespace().map(str::to_owned).collect();
        let binary = assert_cmd::Command::new(env!("CARGO_BIN_EXE_readygate"));
        self.finish(binary, &args)
    }

    /// Runs a shell script in which `$readygate` is the binary.
    pub fn shell(&self, script: &str) -> Ran {
        self.finish(
            assert_cmd::Command::new("bash"),
            &["-c".to_owned(), script.to_owned()],
        )
    }

    /// Starts the binary, for a conversation with it while it runs.
    pub fn start(&self) -> Running {
        let mut command = Command::new(env!("CARGO_BIN_EXE_readygate"));
        command
            .args(&self.args)
            .current_dir(self.folder.path())
            .env_clear()
            .envs(self.variables())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Running::new(command.spawn().unwrap(), self.folder.path().to_owned())
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "programs that the gates call are found in PATH"
    )]
    fn variables(&self) -> Vec<(String, String)> {
        let path = std::env::var("PATH").unwrap();
        let fixed = [
            ("PATH", path.as_str()),
            ("HOME", "/nonexistent"),
            ("readygate", env!("CARGO_BIN_EXE_readygate")),
        ];
        fixed
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into_iter()
            .chain(self.environment.clone())
            .collect()
    }

    fn finish(&self, mut command: assert_cmd::Command, args: &[String]) -> Ran {
        let output = command
            .args(args)
            .current_dir(self.folder.path())
            .env_clear()
            .envs(self.variables())
            .timeout(self.limit)
            .output()
            .unwrap();
        Ran::new(output, self.folder.path())
    }
}

impl Ran {
    fn new(raw: Output, folder: &Path) -> Self {
        let text = |bytes: &[u8]| comparable(&String::from_utf8_lossy(bytes), folder);
        let (stdout, stderr) = (text(&raw.stdout), text(&raw.stderr));
        let code = raw.status.code().unwrap_or_else(|| {
            let signal = raw.status.signal();
            panic!("ended by signal {signal:?}, or cut off at the time limit:\n{stdout}\n{stderr}")
        });
        Self {
            code,
            stdout,
            stderr,
            raw,
            report: fs::read(folder.join("run.json")).ok(),
            folder: folder.to_owned(),
        }
    }

    /// `run.json`, read.
    pub fn record(&self) -> Value {
        let Some(text) = &self.report else {
            panic!("no run.json:\n{}{}", self.stdout, self.stderr);
        };
        serde_json::from_slice(text).unwrap()
    }

    /// One gate of `run.json`.
    pub fn gate(&self, id: &str) -> Value {
        let record = self.record();
        let gates = record["gates"].as_array().unwrap();
        let gate = gates.iter().find(|g| g["id"] == id);
        gate.unwrap_or_else(|| panic!("no gate {id}")).clone()
    }

    /// Verdict, exit code, and each gate with its outcome and reason, as `run.json` says.
    pub fn summary(&self) -> String {
        let record = self.record();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        assert!(record["interrupted"].is_string() || record["exit_code"] == self.code);
        let mut out = format!("{}, exit {}\n", text(&record["verdict"]), self.code);
        for gate in record["gates"].as_array().unwrap() {
            let flaky = if gate["flaky"] == true { ", flaky" } else { "" };
            let reason = text(&gate["reason"]);
            let colon = if reason.is_empty() { "" } else { ": " };
            let (id, outcome) = (text(&gate["id"]), text(&gate["outcome"]));
            writeln!(out, "{id} {outcome}{flaky}{colon}{reason}").unwrap();
        }
        comparable(&out, &self.folder)
    }
}

/// The binary while it runs.
pub struct Running {
    child: Option<Child>,
    lines: mpsc::Receiver<String>,
    seen: String,
    stdout: Option<std::thread::JoinHandle<Vec<u8>>>,
    folder: PathBuf,
}

impl Running {
    fn new(mut child: Child, folder: PathBuf) -> Self {
        let (sender, lines) = mpsc::channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            stderr
                .lines()
                .map_while(Result::ok)
                .try_for_each(|line| sender.send(line))
        });
        let mut pipe = child.stdout.take().unwrap();
        let stdout = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = pipe.read_to_end(&mut bytes);
            bytes
        });
        Self {
            child: Some(child),
            lines,
            seen: String::new(),
            stdout: Some(stdout),
            folder,
        }
    }

    /// Waits for a line on stderr that holds this text.
    pub fn wait_for(&mut self, text: &str) {
        loop {
            let line = self.lines.recv_timeout(LIMIT);
            let line = line.unwrap_or_else(|e| panic!("no {text:?} ({e}):\n{}", self.seen));
            self.seen += &line;
            self.seen.push('\n');
            if line.contains(text) {
                return;
            }
        }
    }

    pub fn signal(&self, signal: Signal) {
        let id = self.child.as_ref().unwrap().id();
        kill(Pid::from_raw(id.try_into().unwrap()), signal).unwrap();
    }

    /// Waits for the end; the end of stderr comes with it.
    pub fn finish(mut self) -> Ran {
        loop {
            match self.lines.recv_timeout(LIMIT) {
                Ok(line) => self.seen += &(line + "\n"),
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => panic!("no end:\n{}", self.seen),
            }
        }
        let status = self.child.take().unwrap().wait().unwrap();
        let output = Output {
            status,
            stdout: self.stdout.take().unwrap().join().unwrap(),
            stderr: std::mem::take(&mut self.seen).into_bytes(),
        };
        Ran::new(output, &self.folder)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Text with what differs from run to run replaced by its name.
fn comparable(text: &str, folder: &Path) -> String {
    static WAYS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
        let ways = [
            (r"\b\d{8}T\d{6}Z-\d+(-judged-\d+)?\b", "[ID]"),
            (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "[TIME]"),
            (
                r"(after |\(|· |\| |alone |  )(\d+ min )?\d+(\.\d+)? (µs|ms|s)\b",
                "$1[TIME]",
            ),
        ];
        ways.map(|(pattern, name)| (Regex::new(pattern).unwrap(), name))
            .into()
    });
    let folder = folder.to_string_lossy();
    let text = text.replace(&*folder, "[DIR]");
    WAYS.iter().fold(text, |text, (pattern, name)| {
        pattern.replace_all(&text, *name).into_owned()
    })
}
