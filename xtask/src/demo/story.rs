//! `cargo xtask demo --release-story`: from a checklist to a release that is rolled back.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{RELEASED, build, start};
use crate::{
    Done,
    exec::{must, quietly},
    stores::Stores,
    workspace,
};

/// Roles of the checklist and who holds them.
const PEOPLE: [(&str, &str); 4] = [
    ("dev-lead", "alice"),
    ("security-lead", "bob"),
    ("dba", "dora"),
    ("devops-lead", "olaf"),
];

/// Tells the story step by step; fails at the first exit code that does not belong to it.
pub fn main() -> Done {
    crate::setup::need_program("nginx", "nginx-light")?;
    crate::setup::need_program("node", "nodejs")?;
    crate::setup::need_program("ssh-keygen", "openssh-client")?;
    build()?;
    let stage = Stage::new()?;
    println!("starting a replica set of three, a Redis cluster of six, the catalogue and nginx\n");
    let stores = Stores::start()?;
    let (app, front, authority) = start(RELEASED)?;
    workspace::write(&stage.path("ca.pem"), &authority.pem())?;
    let address = front.url().replace("http://", "");
    let mut variables = stores.variables();
    variables.push(("REDIS_NODE".to_owned(), stores.redis.addresses()[0].clone()));
    variables.push(("PAGE".to_owned(), "/api/vehicles?limit=1".to_owned()));
    variables.push(("TLS_ENDPOINT".to_owned(), address.clone()));
    variables.push(("TARGET_URL".to_owned(), format!("https://{address}")));
    let stage = Stage { variables, ..stage };

    go(&stage)?;

    stage.say("The deployment, and an outage during the watch");
    stage.run("event deploy.started --state release", 0)?;
    stage.run("event deploy.finished --state release", 0)?;
    drop(app);
    let watch =
        "watch --for 1m --every 1s --state release --baseline go.json --report json=watch.json";
    stage.run(watch, 5)?;
    stage.run("event rollback.started --state release", 0)?;
    stage.run("event rollback.finished --state release", 0)?;
    drop((front, stores));

    stage.say("The checklist comes out filled in, and the report");
    let records = "go.json watch.json --state release";
    stage.run(
        &format!("render checklist {records} --checklist CHECKLIST.md -o FILLED.md"),
        0,
    )?;
    stage.run(&format!("verify-checklist FILLED.md {records}"), 0)?;
    stage.run(&format!("render report {records} -o REPORT.md"), 0)?;
    stage.run("verify release -c readygate.yaml", 0)?;
    println!(
        "\nlook at target/demo/story: FILLED.md, REPORT.md, readygate.yaml, decision.json, release/"
    );
    Ok(true)
}

/// From the checklist to GO.
fn go(stage: &Stage) -> Result<(), String> {
    stage.say("The checklist becomes a policy, and a person completes it");
    stage.run("import CHECKLIST.md -o readygate.yaml", 0)?;
    stage.complete_policy()?;
    stage.keys()?;
    stage.tests()?;
    stage.commit()?;

    stage.say("Before the deployment: only the signatures are missing");
    stage.run(
        "event release.opened --release catalogue-4.0.0 --state release",
        0,
    )?;
    stage.run(
        "run -q --stage pre-deploy --state release --report json=pre.json",
        4,
    )?;
    stage.say("Four roles sign with their ssh keys");
    for (role, name) in PEOPLE {
        let request = format!("signoffs/requests/{role}.json");
        stage.run(
            &format!("sign {request} --role {role} --key keys/{name} --yes"),
            0,
        )?;
    }
    stage.run(
        "gate pre.json --stage pre-deploy --state release --report json=go.json",
        0,
    )?;
    Ok(())
}

/// Where the story is played.
struct Stage {
    folder: PathBuf,
    program: PathBuf,
    variables: Vec<(String, String)>,
}

impl Stage {
    /// An empty folder with the checklist in it.
    fn new() -> Result<Self, String> {
        let root = workspace::root();
        let folder = root.join("target/demo/story");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        let checklist = root.join("fixtures/story/CHECKLIST.md");
        fs::copy(&checklist, folder.join("CHECKLIST.md"))
            .map_err(|e| format!("{}: {e}", checklist.display()))?;
        Ok(Self {
            folder,
            program: root.join("target/debug/readygate"),
            variables: Vec::new(),
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    #[expect(clippy::unused_self, reason = "the stage tells the story")]
    fn say(&self, what: &str) {
        println!("\n── {what}\n");
    }

    /// Runs readygate, which must end with the code given.
    fn run(&self, args: &str, code: i32) -> Result<(), String> {
        println!("$ readygate {args}");
        let status = Command::new(&self.program)
            .args(args.split_whitespace())
            .current_dir(&self.folder)
            .envs(self.variables.iter().cloned())
            .status()
            .map_err(|e| format!("readygate could not be started: {e}"))?;
        println!("[exit code {}]\n", status.code().unwrap_or(-1));
        if status.code() == Some(code) {
            Ok(())
        } else {
            Err(format!(
                "`readygate {args}` ended with {status}, not {code}"
            ))
        }
    }

    /// What the comments of the imported policy ask for: who holds the roles, and whom to trust.
    fn complete_policy(&self) -> Result<(), String> {
        let path = self.path("readygate.yaml");
        let policy = fs::read_to_string(&path).map_err(|e| e.to_string())?;
        let mut out = String::new();
        let mut speaks_tls = false;
        for line in policy.lines() {
            // The catalogue is an API.
            if line == "      profile: helmet" {
                continue;
            }
            let line = &line.replace("      pages: ", "      api: ");
            let role = PEOPLE
                .iter()
                .find(|(role, _)| line.starts_with(&format!("  {role}: {{")));
            if let Some((_, name)) = role {
                out += &line.replace(" }", &format!(", principals: [{name}@example.com] }}"));
            } else {
                out += line;
            }
            out.push('\n');
            if let Some(probe) = line.strip_prefix("    probe: ") {
                speaks_tls = ["tls", "headers", "http"].contains(&probe);
            } else if line == "    with:" && speaks_tls {
                out += "      ca: ca.pem\n";
            }
        }
        workspace::write(&path, &out)
    }

    fn keys(&self) -> Result<(), String> {
        fs::create_dir_all(self.path("keys")).map_err(|e| e.to_string())?;
        let mut allowed = String::new();
        for (_, name) in PEOPLE {
            let key = self.path("keys").join(name);
            let mut keygen = Command::new("ssh-keygen");
            keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"]);
            must("ssh-keygen", keygen.arg(&key))?;
            let public =
                fs::read_to_string(key.with_extension("pub")).map_err(|e| e.to_string())?;
            let _ = write!(allowed, "{name}@example.com {public}");
        }
        workspace::write(&self.path("allowed_signers"), &allowed)
    }

    /// What is signed is a commit.
    fn commit(&self) -> Result<(), String> {
        workspace::write(&self.path(".gitignore"), "keys/\n")?;
        for args in [
            "init -q .",
            "add -A",
            "-c user.name=Carol -c user.email=carol@example.com commit -qm release",
        ] {
            let mut git = Command::new("git");
            git.args(args.split(' ')).current_dir(&self.folder);
            must("git", &mut git)?;
        }
        Ok(())
    }

    /// The tests of the catalogue, as its build would run them.
    fn tests(&self) -> Result<(), String> {
        let reports = self.path("reports/junit");
        fs::create_dir_all(&reports).map_err(|e| e.to_string())?;
        let destination = format!(
            "--test-reporter-destination={}",
            reports.join("app.xml").display()
        );
        let app: &Path = &workspace::root().join("fixtures/demo/app");
        let mut node = Command::new("node");
        node.args(["--test", "--test-reporter=junit", &destination, "test/"]);
        if quietly(node.current_dir(app)) {
            Ok(())
        } else {
            Err("the tests of the catalogue failed".to_owned())
        }
    }
}
