//! `readygate sign`

use std::{
    collections::BTreeMap,
    io::{self, BufRead as _, IsTerminal as _},
    path::{Path, PathBuf},
    process::Command,
};

use clap::Args;
use readygate_sdk::{Clock as _, SystemClock, defang};

use super::output::Terminal;
use crate::{
    config::Environment,
    exit,
    record::SignDecision,
    signoff::{
        request::{self, Request},
        sign::{self, Choice},
    },
    waiver::{Accept, Expiry},
};

/// Keys that `ssh-keygen` makes, the best first.
const KEYS: [&str; 4] = ["id_ed25519_sk", "id_ecdsa_sk", "id_ed25519", "id_ecdsa"];

/// Arguments of `sign`.
#[derive(Debug, Args)]
pub struct SignArgs {
    /// What is to be signed; `readygate run` writes it.
    #[arg(value_name = "REQUEST")]
    request: PathBuf,
    /// Role in whose name you sign; must be that of the request.
    #[arg(long)]
    role: String,
    /// Private key, or public key whose private half is in the agent; `agent` for the only key
    /// that the agent holds. One of ~/.ssh unless given.
    #[arg(long, value_name = "PATH")]
    key: Option<PathBuf>,
    /// Sign against the release.
    #[arg(long)]
    reject: bool,
    /// Why; a rejection needs it.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Answer to a question of the request.
    #[arg(long = "answer", value_name = "ID=TEXT")]
    answers: Vec<String>,
    /// Gate whose failure you accept, for --reason and until --accept-until; your role must be one
    /// that `may_waive` it. With a rule, only that: GATE:RULE, or GATE:RULE:SUBJECT.
    #[arg(
        long = "accept",
        value_name = "GATE",
        requires = "accept_until",
        requires = "reason"
    )]
    accepts: Vec<String>,
    /// Until when: a date, which means 23:59:59 UTC of that day, or a time with its zone.
    #[arg(long, value_name = "DATE")]
    accept_until: Option<Expiry>,
    /// Where what you accept is tracked.
    #[arg(long, value_name = "TICKET")]
    accept_ticket: Option<String>,
    /// Who you are in the allowed_signers file, where several may hold the role.
    #[arg(long)]
    principal: Option<String>,
    /// Name of the release; must be that of the request.
    #[arg(long, value_name = "ID")]
    release: Option<String>,
    /// Folder to write the statement into; the one above the request unless given.
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Sign without asking; needed where nobody can be asked.
    #[arg(long)]
    yes: bool,
}

/// Shows what is signed, asks, and signs it.
pub fn main(args: &SignArgs, terminal: &Terminal, environment: &Environment) -> u8 {
    let (request, choice) = match prepare(args) {
        Ok(ready) => ready,
        Err(message) => return terminal.usage_error(&message),
    };
    let statement = match sign::statement(&request, &choice, SystemClock.now()) {
        Ok(statement) => statement,
        Err(message) => return terminal.usage_error(&defang(&message)),
    };
    let page = sign::page(&request, &statement);
    if terminal.print(page.as_bytes()).is_err() {
        return terminal.usage_error("what is signed could not be shown, so it is not signed");
    }
    match confirm(args, &choice, terminal) {
        Ok(true) => {}
        Ok(false) => {
            terminal.note("not signed");
            return exit::NO_GO;
        }
        Err(message) => return terminal.usage_error(&message),
    }
    let held = tempfile::tempdir();
    let key = match &held {
        Ok(folder) => find_key(args.key.as_deref(), environment, folder.path()),
        Err(e) => Err(format!("no temporary folder: {e}")),
    };
    let directory = args.output.clone().or_else(|| above(&args.request));
    let written = key.and_then(|key| {
        let directory = directory.unwrap_or_else(|| PathBuf::from("."));
        sign::write(&statement, &key, &request.namespace, &directory)
    });
    match written {
        Ok(path) => {
            let path = path.display();
            let line = format!("\nsigned: {path} and {path}.sig\n");
            terminal.result(line.as_bytes(), exit::GO)
        }
        Err(message) => {
            terminal.complain(&format!("not signed: {}", defang(&message)));
            exit::NO_GO
        }
    }
}

/// `signoffs/requests/dba.json` belongs into `signoffs`.
fn above(request: &Path) -> Option<PathBuf> {
    let folder = std::path::absolute(request).ok()?;
    let folder = folder.parent()?;
    let is_requests = folder.file_name().is_some_and(|name| name == "requests");
    let place = request.parent()?;
    Some(if is_requests {
        match place.parent() {
            Some(above) if place.file_name().is_some() => above.to_owned(),
            _ => place.join(".."),
        }
    } else {
        place.to_owned()
    })
    .map(|place| match place.as_os_str().is_empty() {
        true => PathBuf::from("."),
        false => place,
    })
}

fn prepare(args: &SignArgs) -> Result<(Request, Choice), String> {
    let shown = args.request.display();
    let request = request::read(&args.request).map_err(|e| format!("{shown}: {}", defang(&e)))?;
    if request.role != args.role {
        let role = defang(&request.role);
        return Err(format!(
            "{shown} is for the role `{role}`, not `{}`",
            args.role
        ));
    }
    if let Some(id) = args
        .release
        .as_ref()
        .filter(|id| request.release.as_ref() != Some(id))
    {
        let of = request
            .release
            .as_deref()
            .map_or("no release by name".into(), defang);
        return Err(format!("{shown} is for {of}, not {id}"));
    }
    let mut answers = BTreeMap::new();
    for pair in &args.answers {
        let (id, answer) = pair
            .split_once('=')
            .ok_or_else(|| format!("--answer `{pair}` is not ID=TEXT"))?;
        if answers.insert(id.to_owned(), answer.to_owned()).is_some() {
            return Err(format!("--answer {id} is given twice"));
        }
    }
    let choice = Choice {
        principal: principal(args, &request)?,
        decision: if args.reject {
            SignDecision::Reject
        } else {
            SignDecision::Approve
        },
        reason: args.reason.clone(),
        answers,
        accepts: accepts(args, &request),
    };
    Ok((request, choice))
}

fn accepts(args: &SignArgs, request: &Request) -> Vec<Accept> {
    let Some(expires) = args.accept_until else {
        return Vec::new();
    };
    let one = |text: &String| {
        let mut parts = text.splitn(3, ':').map(str::to_owned);
        let id = parts.next().unwrap_or_default();
        let item = request.items.iter().find(|item| item.id == id);
        Accept {
            status: item.map(|item| item.status.name().to_owned()),
            id,
            rule: parts.next(),
            subject: parts.next(),
            reason: args.reason.clone().unwrap_or_default(),
            ticket: args.accept_ticket.clone(),
            expires,
        }
    };
    args.accepts.iter().map(one).collect()
}

/// The verifier believes its own list only; this finds slips before anything is signed.
fn principal(args: &SignArgs, request: &Request) -> Result<String, String> {
    let known = request.principals.join(", ");
    match (&args.principal, request.principals.as_slice()) {
        (Some(given), listed) if listed.contains(given) => Ok(given.clone()),
        (Some(given), _) => Err(format!(
            "{given} may not sign in the name of {}; these may: {}",
            args.role,
            defang(&known)
        )),
        (None, [only]) => Ok(only.clone()),
        (None, []) => Err("the request names nobody who may sign".to_owned()),
        (None, _) => Err(format!(
            "say who you are with --principal: {}",
            defang(&known)
        )),
    }
}

fn confirm(args: &SignArgs, choice: &Choice, terminal: &Terminal) -> Result<bool, String> {
    let verb = match choice.decision {
        SignDecision::Approve => "approve",
        SignDecision::Reject => "reject",
    };
    ask(verb, args.yes, terminal)
}

/// Whether a person at the terminal types the word.
pub(super) fn ask(verb: &str, yes: bool, terminal: &Terminal) -> Result<bool, String> {
    if yes {
        return Ok(true);
    }
    if !io::stdin().is_terminal() {
        return Err("nobody can be asked here; add --yes if you have read the request".to_owned());
    }
    terminal.note(&format!(
        "\nType `{verb}` to sign this, anything else not to:"
    ));
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    read.map_err(|e| format!("the answer could not be read: {e}"))?;
    Ok(line.trim() == verb)
}

/// The key that is named, the only one of the agent, or one of ~/.ssh.
pub(super) fn find_key(
    named: Option<&Path>,
    environment: &Environment,
    folder: &Path,
) -> Result<PathBuf, String> {
    match named {
        Some(name) if name == Path::new("agent") => of_agent(folder),
        Some(path) => Ok(path.to_owned()),
        None => of_home(environment),
    }
}

/// The first key of the usual names. With a hardware key there, that is the one.
fn of_home(environment: &Environment) -> Result<PathBuf, String> {
    let home = environment
        .get("HOME")
        .map(PathBuf::from)
        .unwrap_or_default();
    let paths = KEYS.iter().map(|name| home.join(".ssh").join(name));
    paths
        .into_iter()
        .find(|path| path.is_file())
        .ok_or_else(|| {
            "no key found in ~/.ssh; name one with --key PATH, or --key agent".to_owned()
        })
}

/// Writes the public key of the only one that the agent holds; `ssh-keygen` finds its other half.
fn of_agent(folder: &Path) -> Result<PathBuf, String> {
    let output = Command::new("ssh-add")
        .arg("-L")
        .output()
        .map_err(|e| format!("ssh-add could not be started: {e}; install OpenSSH"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let is_key = |line: &&str| !line.starts_with("ssh-rsa ") && line.contains(" AAAA");
    let keys: Vec<&str> = text.lines().filter(is_key).collect();
    match keys.as_slice() {
        [only] => {
            let path = folder.join("agent.pub");
            std::fs::write(&path, format!("{only}\n")).map_err(|e| e.to_string())?;
            Ok(path)
        }
        [] => Err("the agent holds no ed25519 or ECDSA key; ssh-add -L shows what it has".into()),
        _ => Err("the agent holds several keys; name the public key with --key PATH.pub".into()),
    }
}
