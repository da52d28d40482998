//! A release in a folder: a config, a repository, keys made by `ssh-keygen`, and a run.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

use super::super::{
    Inputs, request, resolve,
    sign::{self, Choice},
    statement::Statement,
    trust::Source,
};
use crate::{
    config::{self, Config, Environment, Variables},
    engine,
    record::{
        ConfigRecord, Counts, GateRecord, Outcome, Run, SCHEMA, Selection, SignDecision,
        SignoffRecord, SkipReason, TargetRecord, Tool, Verdict,
    },
};

pub const NAMESPACE: &str = "signoff@readygate.dev";

/// Alice may sign for security, and at need for the database; Bob for the database; Erin has the
/// last word.
pub const POLICY: &str = "\
version: 1
target: { name: production, version: 4.0.0 }
roles:
  security-lead: { title: Security Lead, principals: [alice@example.com, ann@example.com] }
  dba: { principals: [bob@example.com, alice@example.com] }
  cto: { principals: [erin@example.com, alice@example.com] }
signoffs: { allowed_signers: allowed_signers, revoked: revoked }
gates:
  - { id: infra.a, title: A is up, probe: files, with: { paths: [x] } }
  - { id: infra.b, title: B is up, severity: minor, probe: files, with: { paths: [x] } }
  - id: signoff.security
    severity: blocker
    probe: signoff
    with:
      role: security-lead
      statement: I have reviewed it.
      answers: [{ id: review, ask: Last review, type: date, optional: true }]
";

pub const DBA: &str = "  - { id: signoff.dba, probe: signoff, with: { role: dba } }\n";
pub const FINAL: &str =
    "  - { id: signoff.final, probe: signoff, with: { role: cto, final: true } }\n";

pub struct World {
    folder: TempDir,
    pub now: Timestamp,
    pub stages: Vec<String>,
    pub release: Option<String>,
    pub environment: Option<String>,
    pub artifact: Option<String>,
    pub outcomes: BTreeMap<String, Outcome>,
}

/// Runs a program to its end.
pub fn call(folder: &Path, program: &str, args: &[&str]) -> bool {
    let output = Command::new(program)
        .args(args)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap();
    output.status.success()
}

impl World {
    pub fn new() -> Self {
        Self::with(POLICY)
    }

    pub fn with(policy: &str) -> Self {
        let world = Self {
            folder: TempDir::new().unwrap(),
            now: "2026-11-24T12:00:00Z".parse().unwrap(),
            stages: vec!["pre-deploy".to_owned()],
            release: Some("2026-11-24-4.0.0".to_owned()),
            environment: None,
            artifact: None,
            outcomes: BTreeMap::new(),
        };
        world.write("readygate.yaml", policy);
        world.write("revoked", "# none\n");
        let line = |name: &str| {
            let key = world.key(name, "ed25519");
            format!("{name}@example.com namespaces=\"{NAMESPACE}\" {key}")
        };
        let allowed = ["alice", "ann", "bob", "erin"].map(line);
        world.write("allowed_signers", &allowed.concat());
        assert!(call(world.path(), "git", &["init", "-q", "-b", "main"]));
        world.write(".gitignore", "keys/\n");
        world.commit("carol@example.com", "2026-11-24T08:00:00Z");
        world
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap()
    }

    pub fn edit(&self, name: &str, edit: impl Fn(&str) -> String) {
        let text = self.read(name);
        let edited = edit(&text);
        assert_ne!(text, edited, "nothing to edit in {name}");
        self.write(name, &edited);
    }

    /// Makes a key and gives its public half.
    pub fn key(&self, name: &str, kind: &str) -> String {
        fs::create_dir_all(self.path().join("keys")).unwrap();
        let file = format!("keys/{name}");
        let args = ["-q", "-t", kind, "-N", "", "-C", name, "-f", &file];
        assert!(call(self.path(), "ssh-keygen", &args));
        self.read(&format!("{file}.pub"))
    }

    /// Commits everything.
    pub fn commit(&self, author: &str, time: &str) {
        assert!(call(self.path(), "git", &["add", "-A"]));
        let output = Command::new("git")
            .args(["commit", "-q", "--allow-empty", "-m", "work"])
            .current_dir(self.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .envs([("GIT_AUTHOR_NAME", "X"), ("GIT_COMMITTER_NAME", "X")])
            .envs([
                ("GIT_AUTHOR_EMAIL", author),
                ("GIT_COMMITTER_EMAIL", author),
            ])
            .envs([("GIT_AUTHOR_DATE", time), ("GIT_COMMITTER_DATE", time)])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    pub fn config(&self) -> Config {
        let path = self.path().join("readygate.yaml");
        config::load(
            &[path],
            &Environment::default(),
            Variables::new(BTreeMap::new()),
        )
        .unwrap_or_else(|e| panic!("{}", e.render(false, true)))
    }

    pub fn problems(&self) -> String {
        let path = self.path().join("readygate.yaml");
        let loaded = config::load(&[path], &Environment::default(), Variables::default());
        loaded
            .err()
            .map(|e| e.render(false, true))
            .unwrap_or_default()
    }

    /// The run before its sign-offs are decided.
    fn measured(&self, config: &Config) -> Run {
        let gates = config.gates.iter().map(|gate| {
            let outcome = self.outcomes.get(&gate.id).copied();
            if gate.signoff().is_some() {
                return engine::awaiting(gate);
            }
            let outcome = outcome.unwrap_or(Outcome::Passed);
            GateRecord {
                outcome,
                skipped: (outcome == Outcome::Skipped).then_some(SkipReason::NotSelected),
                ..engine::blank(gate)
            }
        });
        Run {
            schema: SCHEMA.to_owned(),
            id: "run-1".to_owned(),
            tool: Tool {
                name: "readygate".to_owned(),
                version: "0.1.0".to_owned(),
            },
            target: TargetRecord {
                name: config.target.name.clone(),
                environment: self.environment.clone(),
                version: config.target.version.clone(),
                commit: config.target.commit.clone(),
                artifact: self.artifact.clone(),
                ..TargetRecord::default()
            },
            config: ConfigRecord {
                files: Vec::new(),
                sha256: config.digest.clone(),
                trusted: None,
            },
            selection: Selection {
                stages: self.stages.clone(),
                ..Selection::default()
            },
            release: self.release.clone(),
            started: self.now,
            finished: self.now,
            decided: None,
            interrupted: None,
            verdict: Verdict::Inconclusive,
            reasons: Vec::new(),
            exit_code: 3,
            counts: Counts::default(),
            gates: gates.collect(),
            waivers: Vec::new(),
            signoffs: Vec::new(),
            digest: None,
            judged: None,
            watch: None,
        }
    }

    /// Decides, and writes the requests that are open.
    pub fn resolve(&self) -> Run {
        self.resolve_from(&Source::default())
    }

    pub fn resolve_from(&self, trust: &Source) -> Run {
        let config = self.config();
        let gates: Vec<_> = config.gates.iter().collect();
        let inputs = Inputs {
            config: &config,
            gates: &gates,
            directory: None,
            fresh: true,
            trust,
            now: self.now,
            waived_at: self.now,
        };
        let mut run = self.measured(&config);
        resolve(&mut run, &inputs);
        request::write(&run, &inputs, None).unwrap();
        run
    }

    pub fn request(&self, role: &str) -> request::Request {
        let path = request::path_of(&self.path().join("signoffs"), role);
        request::read(&path).unwrap()
    }

    /// Signs the open request of a role as `NAME@example.com`, with the key of that name.
    pub fn sign(&self, role: &str, name: &str) -> PathBuf {
        self.sign_as(role, name, SignDecision::Approve, |_| ())
    }

    pub fn reject(&self, role: &str, name: &str) -> PathBuf {
        self.sign_as(role, name, SignDecision::Reject, |_| ())
    }

    /// Signs a statement that the honest signer's program would not have made.
    pub fn sign_as(
        &self,
        role: &str,
        name: &str,
        decision: SignDecision,
        edit: impl FnOnce(&mut Statement),
    ) -> PathBuf {
        self.resolve();
        self.sign_request(&self.request(role), name, decision, edit)
    }

    pub fn sign_request(
        &self,
        request: &request::Request,
        name: &str,
        decision: SignDecision,
        edit: impl FnOnce(&mut Statement),
    ) -> PathBuf {
        let choice = Choice {
            principal: format!("{name}@example.com"),
            decision,
            reason: (decision == SignDecision::Reject).then(|| "not yet".to_owned()),
            answers: BTreeMap::new(),
            accepts: Vec::new(),
        };
        let mut statement = sign::statement(request, &choice, self.now).unwrap();
        edit(&mut statement);
        let key = self.path().join("keys").join(name);
        let directory = self.path().join("signoffs");
        sign::write(&statement, &key, &request.namespace, &directory).unwrap()
    }

    pub fn pass(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    /// The outcome of a gate.
    pub fn outcome(&self, id: &str) -> Outcome {
        let run = self.resolve();
        run.gates.iter().find(|g| g.id == id).unwrap().outcome
    }

    /// Why the only statement does not count; the sign-off must be pending for it.
    pub fn refusal(&self) -> String {
        let run = self.resolve();
        assert_eq!(run.verdict, Verdict::Pending, "{:?}", run.reasons);
        assert_eq!(run.exit_code, 4);
        let [signoff] = run.signoffs.as_slice() else {
            panic!("{:?}", run.signoffs)
        };
        assert!(!signoff.accepted);
        signoff.reason.clone().unwrap()
    }

    /// What became of a statement.
    pub fn of(&self, path: &Path) -> SignoffRecord {
        let run = self.resolve();
        let name = path.file_name().unwrap().to_str().unwrap();
        let found = run.signoffs.into_iter().find(|s| s.file.ends_with(name));
        found.unwrap()
    }
}
