//! The signer's side: a request to the page that a person reads, and to the statement they sign.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use jiff::{SignedDuration, Timestamp};
use readygate_sdk::{count_of, defang};

use super::{
    request::Request,
    signature,
    statement::{Digested, PREDICATE, Predicate, STATEMENT, Seen, Statement, Vouched, bytes},
    vector::{self, Item, Status},
};
use crate::{record::SignDecision, waiver::Accept};

/// What a person decided.
#[derive(Debug, Clone)]
pub struct Choice {
    /// Who.
    pub principal: String,
    /// What.
    pub decision: SignDecision,
    /// Why.
    pub reason: Option<String>,
    /// Answers, by id.
    pub answers: BTreeMap<String, String>,
    /// Failures that are accepted.
    pub accepts: Vec<Accept>,
}

/// The statement that a choice on a request amounts to; the error says what is wrong with it.
pub fn statement(request: &Request, choice: &Choice, now: Timestamp) -> Result<Statement, String> {
    let is_approval = choice.decision == SignDecision::Approve;
    if !is_approval && choice.reason.as_ref().is_none_or(|r| r.trim().is_empty()) {
        return Err("a rejection needs --reason".to_owned());
    }
    if is_approval {
        check_answers(request, choice)?;
        if !request.waiting_for.is_empty() {
            return Err(format!(
                "the final approval covers all other statements, and these roles have not signed: \
                 {}; let them sign, run `readygate gate`, then sign the new request",
                request.waiting_for.join(", ")
            ));
        }
    }
    check_accepts(request, choice)?;
    let item = |shown: &super::request::Shown| Item {
        id: shown.id.clone(),
        title: shown.title.clone(),
        status: shown.status,
    };
    let items: Vec<Item> = request.items.iter().map(item).collect();
    let holds_for = i64::try_from(request.holds_for_s).unwrap_or(i64::MAX);
    let issued_at = Timestamp::from_second(now.as_second()).unwrap_or(now);
    let expires_at = issued_at.checked_add(SignedDuration::from_secs(holds_for));
    Ok(Statement {
        kind: STATEMENT.to_owned(),
        subject: request.subject.clone(),
        predicate_type: PREDICATE.to_owned(),
        predicate: Predicate {
            role: request.role.clone(),
            principal: choice.principal.clone(),
            decision: choice.decision,
            reason: choice.reason.clone(),
            environment: request.environment.clone(),
            stages: request.stages.clone(),
            release_id: request.release.clone(),
            policy: Digested::sha256(&request.policy),
            run: request.run.clone(),
            gates: request.gates.iter().map(vouched).collect(),
            verdict: Seen {
                name: request.verdict.clone(),
                digest: Digested::sha256(&vector::digest(&items)).digest,
            },
            items,
            answers: choice.answers.clone(),
            accepts: choice.accepts.clone(),
            input_attestations: request
                .attestations
                .iter()
                .map(|a| Digested::sha256(&a.sha256))
                .collect(),
            issued_at,
            expires_at: expires_at.unwrap_or(Timestamp::MAX),
        },
    })
}

fn vouched(gate: &super::request::Asked) -> Vouched {
    let questions = gate.answers.iter();
    Vouched {
        id: gate.id.clone(),
        statement: gate.statement.clone(),
        questions: questions.map(|q| (q.id.clone(), q.ask.clone())).collect(),
    }
}

/// What is accepted must be something that the signer was shown to have failed.
fn check_accepts(request: &Request, choice: &Choice) -> Result<(), String> {
    if choice.decision == SignDecision::Reject && !choice.accepts.is_empty() {
        return Err("a rejection accepts nothing; leave out --accept".to_owned());
    }
    for accept in &choice.accepts {
        let id = &accept.id;
        let item = request.items.iter().find(|item| item.id == *id);
        match item.map(|item| item.status) {
            Some(Status::Failed | Status::Waived) => {}
            Some(status) => {
                let status = status.name();
                return Err(format!(
                    "{id} is {status}; only what failed can be accepted"
                ));
            }
            None => return Err(format!("the request shows no gate `{id}`")),
        }
        if accept.reason.trim().is_empty() {
            return Err(format!("{id} is accepted without a reason; add --reason"));
        }
    }
    Ok(())
}

fn check_answers(request: &Request, choice: &Choice) -> Result<(), String> {
    let questions = || request.gates.iter().flat_map(|gate| &gate.answers);
    for id in choice.answers.keys() {
        if !questions().any(|q| q.id == *id) {
            let known: Vec<&str> = questions().map(|q| q.id.as_str()).collect();
            return Err(match known.as_slice() {
                [] => format!("`{id}` is not asked; the request asks nothing"),
                known => format!("`{id}` is not asked; asked are {}", known.join(", ")),
            });
        }
    }
    for question in questions() {
        let id = &question.id;
        match choice.answers.get(id) {
            Some(given) => {
                if let Some(complaint) = question.complaint(given) {
                    return Err(format!("the answer to {id} {complaint}"));
                }
            }
            None if question.optional => {}
            None => {
                let ask = &question.ask;
                return Err(format!(
                    "{id} is not answered ({ask}); add --answer {id}=..."
                ));
            }
        }
    }
    Ok(())
}

/// What is signed, in plain text. Everything comes from a file that anybody may have written, so
/// nothing in it reaches the terminal as it is.
pub fn page(request: &Request, statement: &Statement) -> String {
    let said = &statement.predicate;
    let mut page = String::new();
    let mut line = |text: String| {
        let _ = writeln!(page, "{}", one_line(&text));
    };
    line(match said.decision {
        SignDecision::Approve => format!("{} APPROVES as {}", said.principal, request.title),
        SignDecision::Reject => format!("{} REJECTS as {}", said.principal, request.title),
    });
    if let Some(reason) = &said.reason {
        line(format!("  reason        {reason}"));
    }
    line(String::new());
    line(format!("  target        {}", request.target));
    for subject in &statement.subject {
        for (kind, hex) in &subject.digest {
            line(format!("  {:<13} {kind} {hex}", subject.name));
        }
    }
    line(format!("  environment   {}", said.environment));
    if !said.stages.is_empty() {
        line(format!("  stages        {}", said.stages.join(", ")));
    }
    if let Some(id) = &said.release_id {
        line(format!("  release id    {id}"));
    }
    line(format!("  policy        sha256 {}", request.policy));
    line(format!(
        "  run           {}, ended {}",
        request.run, request.made
    ));
    line(format!(
        "  evidence      {} without the sign-offs",
        request.verdict
    ));
    line(format!("  holds until   {}", said.expires_at));
    drop(line);
    page += &vouched_page(request, said);
    page += &evidence_page(request);
    page
}

fn vouched_page(request: &Request, said: &Predicate) -> String {
    let mut page = String::new();
    let _ = writeln!(page, "\nWhat is vouched for");
    for gate in &request.gates {
        let text = format!("  {} ({})", gate.title, gate.id);
        let _ = writeln!(page, "{}", one_line(&text));
        let _ = writeln!(page, "    {}", one_line(&gate.statement));
        for question in &gate.answers {
            let given = said.answers.get(&question.id);
            let given = given.map_or("(open)", String::as_str);
            let text = format!("    {}: {given}", question.ask);
            let _ = writeln!(page, "{}", one_line(&text));
        }
    }
    let accepts: Vec<String> = said
        .accepts
        .iter()
        .map(|accept| {
            let until = crate::waiver::until(accept.expires.0);
            format!("{} until {until}: {}", accept.covers(), accept.reason)
        })
        .collect();
    if !accepts.is_empty() {
        list(&mut page, "Accepted although it failed", &accepts);
    }
    if request.is_final {
        let _ = writeln!(page, "\nFinal approval over");
        for other in &request.attestations {
            let text = format!("  {} {} ({})", other.role, other.principal, other.file);
            let _ = writeln!(page, "{}", one_line(&text));
        }
    }
    page
}

/// What did not pass comes first, and in full.
fn evidence_page(request: &Request) -> String {
    let mut page = String::new();
    let mut items: Vec<_> = request.items.iter().collect();
    items.sort_by_key(|item| std::cmp::Reverse(item.status));
    let count = |wanted: fn(Status) -> bool| {
        let items = request.items.iter().filter(|item| wanted(item.status));
        items.count() as u64
    };
    let _ = writeln!(
        page,
        "\nEvidence: {}, {} passed, {} failed, {} could not be told",
        count_of(request.items.len() as u64, "gate", "gates"),
        count(|s| s == Status::Passed),
        count(|s| s == Status::Failed),
        count(|s| s == Status::Unmeasured),
    );
    for item in items {
        let text = format!(
            "  {:<12} {} ({}, {})",
            item.status.name().to_uppercase(),
            item.title,
            item.id,
            item.severity
        );
        let _ = writeln!(page, "{}", one_line(&text));
        if let Some(reason) = &item.reason {
            let _ = writeln!(page, "               {}", one_line(reason));
        }
    }
    list(&mut page, "Waivers in use", &request.waivers);
    match &request.changes {
        None => {
            let _ = writeln!(page, "\nNo earlier run to compare with (--baseline).");
        }
        Some(changes) => list(&mut page, "Changed since the earlier run", changes),
    }
    page
}

fn list(page: &mut String, title: &str, lines: &[String]) {
    if lines.is_empty() {
        let _ = writeln!(page, "\n{title}: none");
        return;
    }
    let _ = writeln!(page, "\n{title}");
    for text in lines {
        let _ = writeln!(page, "  {}", one_line(text));
    }
}

/// A line feed in a request must not begin a line that looks like ours.
fn one_line(text: &str) -> String {
    defang(&text.replace(['\n', '\r', '\t', '\u{85}', '\u{2028}', '\u{2029}'], " "))
}

/// Signs with `ssh-keygen`, so that agents, FIDO devices and passphrases work as ever, and writes
/// the statement and its signature side by side. Gives the file of the statement.
pub fn write(
    statement: &Statement,
    key: &Path,
    namespace: &str,
    directory: &Path,
) -> Result<PathBuf, String> {
    let bytes = bytes(statement)?;
    let said = &statement.predicate;
    write_bytes(
        &bytes,
        (&said.role, said.issued_at),
        key,
        namespace,
        directory,
    )
}

/// The same for the bytes of any statement, whose file is named by who speaks and when.
pub fn write_bytes(
    bytes: &[u8],
    (role, issued_at): (&str, Timestamp),
    key: &Path,
    namespace: &str,
    directory: &Path,
) -> Result<PathBuf, String> {
    let armored = sign(bytes, key, namespace)?;
    let signer = signature::verify(bytes, &signature::read(&armored)?, namespace)?;
    let stamp = issued_at.strftime("%Y%m%dT%H%M%SZ");
    let print: String = signer
        .fingerprint
        .trim_start_matches("SHA256:")
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(8)
        .collect();
    let failed = |path: &Path, e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
    fs::create_dir_all(directory).map_err(|e| failed(directory, &e))?;
    let name = format!("{role}-{stamp}-{print}");
    let (path, beside) = free(directory, &name).ok_or_else(|| failed(directory, &"is full"))?;
    // The signature first: a statement without one is reported as such.
    for (path, bytes) in [(&beside, armored.as_slice()), (&path, bytes)] {
        let file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(path);
        file.and_then(|mut file| std::io::Write::write_all(&mut file, bytes))
            .map_err(|e| failed(path, &e))?;
    }
    Ok(path)
}

/// Two files that are not there yet: of one second there may be several statements.
fn free(directory: &Path, name: &str) -> Option<(PathBuf, PathBuf)> {
    (1..1000).find_map(|number| {
        let name = match number {
            1 => name.to_owned(),
            _ => format!("{name}-{number}"),
        };
        let path = directory.join(format!("{name}.json"));
        let beside = directory.join(format!("{name}.json.sig"));
        let is_free = |path: &Path| fs::symlink_metadata(path).is_err();
        (is_free(&path) && is_free(&beside)).then_some((path, beside))
    })
}

fn sign(bytes: &[u8], key: &Path, namespace: &str) -> Result<Vec<u8>, String> {
    let folder = tempfile::tempdir().map_err(|e| format!("no temporary folder: {e}"))?;
    let file = folder.path().join("statement.json");
    fs::write(&file, bytes).map_err(|e| format!("{}: {e}", file.display()))?;
    let status = Command::new("ssh-keygen")
        .args(["-Y", "sign", "-n", namespace, "-f"])
        .arg(key)
        .arg(&file)
        .stdout(std::process::Stdio::null())
        .status()
        .map_err(|e| format!("ssh-keygen could not be started: {e}; install OpenSSH"))?;
    if !status.success() {
        return Err(format!("ssh-keygen did not sign: {status}"));
    }
    let signature = folder.path().join("statement.json.sig");
    fs::read(&signature).map_err(|e| format!("ssh-keygen left no signature: {e}"))
}
