//! The signed statements of a bundle: kept beside the records, verified against them.

use std::{
    io,
    path::{Path, PathBuf},
};

use jiff::SignedDuration;

use super::{approved, bundle::bounded, policy::Policy};
use crate::{
    record::{Outcome, Run, SignDecision, SignoffRecord},
    signoff::{
        signature::{self, Signer, Trust},
        statement::{self, Parsed, Statement},
    },
};

/// Clocks of signers differ from ours by so much.
const SKEW: SignedDuration = SignedDuration::from_mins(5);
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

/// What the signatures of a record are held against.
pub struct Held<'a> {
    /// The record.
    pub run: &'a Run,
    /// Whose keys count; without it a signature need only be one.
    pub trust: Option<&'a Trust>,
    /// Namespace of the signatures.
    pub namespace: &'a str,
    /// Who holds which role.
    pub policy: Option<&'a Policy<'a>>,
    /// Reads a file of the bundle.
    pub read: &'a dyn Fn(&str) -> io::Result<Vec<u8>>,
}

/// What was found: files and messages.
#[derive(Debug, Default)]
pub struct Found {
    /// What is wrong; a file without a name is the record.
    pub problems: Vec<(String, String)>,
    /// What could not be compared.
    pub notes: Vec<(String, String)>,
}

impl Held<'_> {
    /// Verifies every statement that counts, and that no sign-off passed without one.
    pub fn verify(&self) -> Found {
        let mut found = Found::default();
        for record in self.run.signoffs.iter().filter(|s| s.accepted) {
            let file = path_of(record);
            let who = format!("the sign-off of {} by {}", record.role, record.principal);
            match self.statement(&file, record) {
                Ok(None) => {}
                Ok(Some(note)) => found.notes.push((file, format!("{who}: {note}"))),
                Err(message) => found.problems.push((file, format!("{who}: {message}"))),
            }
        }
        found.problems.extend(self.unsigned());
        found
    }

    fn unsigned(&self) -> impl Iterator<Item = (String, String)> {
        let approved = |gate: &str| {
            let counts = |s: &SignoffRecord| s.accepted && s.decision == SignDecision::Approve;
            let mut signoffs = self.run.signoffs.iter();
            signoffs.any(|s| counts(s) && s.gates.iter().any(|id| id == gate))
        };
        let gates = self.run.gates.iter();
        let passed = gates.filter(move |g| {
            g.probe == readygate_signoff::ID && g.outcome == Outcome::Passed && !approved(&g.id)
        });
        passed.map(|gate| {
            let id = &gate.id;
            let message = format!("`{id}` is a sign-off that passed without a statement");
            (String::new(), message)
        })
    }

    /// Verifies one statement; gives what could not be compared.
    fn statement(&self, file: &str, record: &SignoffRecord) -> Result<Option<String>, String> {
        let read = |name: &str| {
            (self.read)(name).map_err(|e| match e.kind() {
                io::ErrorKind::NotFound => format!("{name} is missing"),
                _ => format!("{name}: {e}"),
            })
        };
        let (bytes, armored) = (read(file)?, read(&signature_of(file))?);
        if statement::sha256(&bytes) != record.sha256 {
            return Err("the statement is not the one that the record knows".to_owned());
        }
        let signer = signature::verify(&bytes, &signature::read(&armored)?, self.namespace)?;
        if signer.fingerprint != record.fingerprint {
            let (is, was) = (&signer.fingerprint, &record.fingerprint);
            return Err(format!("it was signed with {is}, the record says {was}"));
        }
        let Parsed::Signoff(statement) = statement::parse(&bytes)? else {
            return Err("it is no sign-off".to_owned());
        };
        agree(&statement, record, self.run)?;
        timely(&statement, record, self.run)?;
        self.trusted(&signer, record)?;
        if let Some(policy) = self.policy {
            policy.permits(record, signer.touched)?;
        }
        match record.decision {
            SignDecision::Approve => {
                let note = self.same_release(&statement)?;
                Ok(note.or_else(|| self.by_the_clock(&statement)))
            }
            SignDecision::Reject => Ok(None),
        }
    }

    /// The key was allowed when it was used. That of an approval must also have been so when it
    /// counted; a rejection stays one whatever becomes of its key.
    fn trusted(&self, signer: &Signer, record: &SignoffRecord) -> Result<(), String> {
        let Some(trust) = self.trust else {
            return Ok(());
        };
        let times = [record.issued, self.run.decided_at()];
        let times = match record.decision {
            SignDecision::Approve => &times[..],
            SignDecision::Reject => &times[..1],
        };
        trust.check(signer, &record.principal, times)
    }

    /// A policy says which gates are windows.
    fn by_the_clock(&self, statement: &Statement) -> Option<String> {
        let unknown = self.policy.is_none();
        let window = approved::by_the_clock(statement, self.run).filter(|_| unknown)?;
        Some(format!(
            "{window} was otherwise when it was signed; that it is a window, which may be, is what \
             the record says: compare it with the config, by -c"
        ))
    }

    /// A statement for another commit counts where only statements were committed since.
    fn same_release(&self, statement: &Statement) -> Result<Option<String>, String> {
        let Some(then) = approved::moved(statement, self.run) else {
            return Ok(None);
        };
        let now = self.run.target.commit.as_deref().unwrap_or("none");
        let same = self
            .policy
            .map(|policy| policy.same_release(self.run, then));
        match same.transpose()?.flatten() {
            Some(true) => Ok(None),
            Some(false) => Err(format!(
                "it is for commit {then}, the record is of {now}, and more than statements differs"
            )),
            None => Ok(Some(format!(
                "it is for commit {then}, the record is of {now}; whether only statements differ was \
                 not compared: run this in a clone that has both, with -c"
            ))),
        }
    }
}

/// It was made before the decision that it counted in, and had not ended.
fn timely(statement: &Statement, record: &SignoffRecord, run: &Run) -> Result<(), String> {
    let (issued, decided) = (record.issued, run.decided_at());
    if decided
        .checked_add(SKEW)
        .is_ok_and(|latest| latest < issued)
    {
        return Err(format!(
            "it is from {issued}, after the decision that it counted in: {decided}"
        ));
    }
    let ends = statement.predicate.expires_at;
    if record.decision == SignDecision::Approve && ends < decided {
        return Err(format!(
            "it expired {ends}, before the decision that it counted in: {decided}"
        ));
    }
    Ok(())
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
