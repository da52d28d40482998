//! The signed statements of a bundle: kept beside the records, verified against them.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{approved, bundle::bounded};
use crate::{
    record::{Outcome, Run, SignDecision, SignoffRecord},
    signoff::{
        signature::{self, Signer, Trust},
        statement::{self, Parsed, Statement},
    },
};

/// Folder of the statements.
pub const SIGNOFFS: &str = "signoffs";

/// Where a statement is kept: named by its digest, since two releases may use one file name.
pub fn path_of(record: &SignoffRecord) -> String {
    format!("{SIGNOFFS}/{}.json", record.sha256)
}

/// The signature beside a statement.
pub fn signature_of(statement: &str) -> String {
    format!("{statement}.sig")
}

/// Files that a bundle must hold for a record: the statements that count, with their signatures.
///
/// # Errors
/// A statement that is not there any more, or not the one that the run saw.
pub fn files(run: &Run) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    for record in run.signoffs.iter().filter(|s| s.accepted) {
        let path = Path::new(&record.file);
        let named = |e: io::Error| io::Error::new(e.kind(), format!("{}: {e}", record.file));
        let bytes = bounded(path).map_err(named)?;
        if statement::sha256(&bytes) != record.sha256 {
            let message = format!("{}: is not the statement that the run saw", record.file);
            return Err(io::Error::other(message));
        }
        let signature = bounded(&PathBuf::from(signature_of(&record.file))).map_err(named)?;
        let kept = path_of(record);
        files.push((signature_of(&kept), signature));
        files.push((kept, bytes));
    }
    Ok(files)
}

/// What is wrong with the signatures of a record: file and message.
pub fn problems(
    folder: &Path,
    run: &Run,
    trust: Option<&Trust>,
    namespace: &str,
) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for record in run.signoffs.iter().filter(|s| s.accepted) {
        let file = path_of(record);
        let who = format!("{} by {}", record.role, record.principal);
        if let Err(message) = verify(folder, &file, record, run, trust, namespace) {
            found.push((file, format!("the sign-off of {who}: {message}")));
        }
    }
    for gate in run
        .gates
        .iter()
        .filter(|g| g.probe == readygate_signoff::ID)
    {
        let approved = |s: &SignoffRecord| {
            s.accepted && s.decision == SignDecision::Approve && s.gates.contains(&gate.id)
        };
        if gate.outcome == Outcome::Passed && !run.signoffs.iter().any(approved) {
            let message = format!(
                "`{}` is a sign-off that passed without a statement",
                gate.id
            );
            found.push((String::new(), message));
        }
    }
    found
}

fn verify(
    folder: &Path,
    file: &str,
    record: &SignoffRecord,
    run: &Run,
    trust: Option<&Trust>,
    namespace: &str,
) -> Result<(), String> {
    let read = |name: &str| {
        bounded(&folder.join(name)).map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => format!("{name} is missing"),
            _ => format!("{name}: {e}"),
        })
    };
    let (bytes, armored) = (read(file)?, read(&signature_of(file))?);
    if statement::sha256(&bytes) != record.sha256 {
        return Err("the statement is not the one that the record knows".to_owned());
    }
    let signer = signature::verify(&bytes, &signature::read(&armored)?, namespace)?;
    if signer.fingerprint != record.fingerprint {
        let (is, was) = (&signer.fingerprint, &record.fingerprint);
        return Err(format!("it was signed with {is}, the record says {was}"));
    }
    let Parsed::Signoff(statement) = statement::parse(&bytes)? else {
        return Err("it is no sign-off".to_owned());
    };
    agree(&statement, record, run)?;
    trusted(trust, &signer, record, run)
}

/// The statement says what the record says of it, and is about this policy and release.
fn agree(statement: &Statement, record: &SignoffRecord, run: &Run) -> Result<(), String> {
    let said = &statement.predicate;
    let target = &run.target;
    let environment = target.environment.as_ref().unwrap_or(&target.name);
    let facts = [
        ("role", said.role == record.role),
        ("principal", said.principal == record.principal),
        ("decision", said.decision == record.decision),
        ("time", said.issued_at == record.issued),
        (
            "release",
            said.release_id == run.release || said.decision == SignDecision::Reject,
        ),
        ("environment", said.environment == *environment),
        (
            "policy",
            said.policy.is(&run.config.sha256) || said.decision == SignDecision::Reject,
        ),
    ];
    match facts.iter().find(|(_, same)| !same) {
        Some((what, _)) => Err(format!("it names another {what} than the record")),
        None if said.decision == SignDecision::Reject => Ok(()),
        None => approved::agree(statement, record, run),
    }
}

/// The key was allowed when it was used, and when the run ended.
fn trusted(
    trust: Option<&Trust>,
    signer: &Signer,
    record: &SignoffRecord,
    run: &Run,
) -> Result<(), String> {
    let Some(trust) = trust else { return Ok(()) };
    trust.check(signer, &record.principal, &[record.issued, run.finished])
}
