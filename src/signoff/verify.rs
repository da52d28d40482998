//! One statement against the circumstances: who signed what, and whether it is about this release.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{
    config::Role,
    found::Found,
    scene::Scene,
    signature::{self, Signer, Trust},
    statement::{self, Parsed, Predicate, Statement, sha256},
    vector::{self, Item, Status, shown},
};
use crate::record::{Run, SignDecision};

/// Clocks of signers differ from ours by so much.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// A statement that was looked at.
#[derive(Debug)]
pub struct Examined {
    /// Its file, as the user knows it.
    pub file: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// What it says, as far as it can be read; not to be believed if it was refused.
    pub statement: Option<Statement>,
    /// Who signed; absent where the signature does not hold.
    pub signer: Option<Signer>,
    /// Why it cannot count.
    pub refused: Option<String>,
}

/// Looks at a file; `None` for a statement of another kind.
pub fn examine(found: &Found, trust: &Trust, scene: &Scene<'_>, run: &Run) -> Option<Examined> {
    let mut examined = Examined {
        file: found.file.clone(),
        sha256: sha256(&found.bytes),
        statement: None,
        signer: None,
        refused: None,
    };
    let refused = match statement::parse(&found.bytes) {
        Ok(Parsed::Other) => return None,
        Ok(Parsed::Signoff(statement)) => {
            let held = hold(found, &statement, trust, scene, run, &mut examined);
            examined.statement = Some(*statement);
            held.err()
        }
        // An unsigned file is called so, whatever else is wrong with it.
        Err(why) => Some(found.signature.as_ref().err().cloned().unwrap_or(why)),
    };
    examined.refused = refused.map(|why| shown(&why, &scene.masker));
    Some(examined)
}

/// Everything that must hold of a statement, whatever gate it answers.
fn hold(
    found: &Found,
    statement: &Statement,
    trust: &Trust,
    scene: &Scene<'_>,
    run: &Run,
    examined: &mut Examined,
) -> Result<(), String> {
    let said = &statement.predicate;
    let armored = found.signature.as_ref().map_err(Clone::clone)?;
    let signature = signature::read(armored)?;
    let signer = signature::verify(&found.bytes, &signature, &trust.namespace)?;
    examined.signer = Some(signer.clone());
    let role = scene
        .roles()
        .get(&said.role)
        .ok_or_else(|| format!("the config has no role `{}`", said.role))?;
    // An approval must hold now; a rejection need only have been one: a key that runs out must not
    // wave a release through.
    let times = [said.issued_at, scene.now];
    let times = match said.decision {
        SignDecision::Approve => &times[..],
        SignDecision::Reject => &times[..1],
    };
    trust.check(&signer, &said.principal, times)?;
    if !role.principals.contains(&said.principal) {
        let (principal, role) = (&said.principal, &said.role);
        return Err(format!("{principal} may not sign in the name of {role}"));
    }
    if role.require_touch && !signer.touched {
        let kind = if signer.hardware {
            "the hardware key was not touched for it"
        } else {
            "it was signed without a hardware key"
        };
        return Err(format!("{kind}, which {} requires", said.role));
    }
    of_this_deployment(said, scene)?;
    timely(statement, role, scene)?;
    match said.decision {
        SignDecision::Approve => of_this_evidence(statement, scene, run),
        // A rejection of the release stays one when the commit, the policy or the evidence change;
        // who made it takes it back. Only where releases have no names is the commit the release.
        SignDecision::Reject if scene.release.is_some() => Ok(()),
        SignDecision::Reject => of_this_subject(statement, scene),
    }
}

/// Whether a statement for some stages is one for these. A rejection is one for each of its stages,
/// and one without stages for all.
fn of_these_stages(said: &Predicate, scene: &Scene<'_>) -> bool {
    let (then, now) = (&said.stages, &scene.stages);
    match said.decision {
        SignDecision::Approve => then == now,
        SignDecision::Reject => {
            then.is_empty() || now.is_empty() || then.iter().any(|stage| now.contains(stage))
        }
    }
}

/// The environment, the stages and the release.
fn of_this_deployment(said: &Predicate, scene: &Scene<'_>) -> Result<(), String> {
    if said.environment != scene.environment {
        let (then, now) = (&said.environment, &scene.environment);
        return Err(format!("it is for environment {then}, this is {now}"));
    }
    if !of_these_stages(said, scene) {
        let name = |stages: &[String]| match stages {
            [] => "no stage".to_owned(),
            stages => format!("stage {}", stages.join(", ")),
        };
        let (then, now) = (name(&said.stages), name(&scene.stages));
        return Err(format!("it is for {then}, this is {now}"));
    }
    if said.release_id != scene.release {
        let name = |id: &Option<String>| match id {
            Some(id) => format!("release {id}"),
            None => "no release by name".to_owned(),
        };
        let (then, now) = (name(&said.release_id), name(&scene.release));
        return Err(format!("it is for {then}, this is {now}"));
    }
    Ok(())
}

/// The commit or the artifact. The same artifact is the same thing, whatever commit it is of.
fn of_this_subject(statement: &Statement, scene: &Scene<'_>) -> Result<(), String> {
    if let Some(now) = &scene.artifact {
        return match statement.artifact() {
            Some(then) if then == now => Ok(()),
            Some(then) => Err(format!(
                "it is for artifact sha256:{then}, this is sha256:{now}"
            )),
            None => Err(format!("it names no artifact, this is sha256:{now}")),
        };
    }
    let now = scene.commit.as_deref().unwrap_or("not known");
    let Some(then) = statement.commit() else {
        return Err(format!("it names no commit, this is {now}"));
    };
    if scene.is_same_release(then)? {
        return Ok(());
    }
    Err(format!("it is for commit {then}, this is {now}"))
}

/// When it was made, and until when it holds. Of rejections only the former matters.
fn timely(statement: &Statement, role: &Role, scene: &Scene<'_>) -> Result<(), String> {
    let said = &statement.predicate;
    let (issued, now) = (said.issued_at, scene.now);
    if later(now, SKEW) < issued {
        return Err(format!(
            "it is from the future: {issued}, and it is {now} now"
        ));
    }
    if said.expires_at <= issued {
        return Err("it ends before it begins".to_owned());
    }
    if said.decision == SignDecision::Reject {
        return Ok(());
    }
    if now > said.expires_at {
        return Err(format!("it expired {}", said.expires_at));
    }
    let ends = expires(issued, role.holds_for());
    if now > ends {
        return Err(format!(
            "it expired {ends}: a signature of {} holds for {}",
            said.role,
            readygate_sdk::Period(role.holds_for())
        ));
    }
    let made = statement.commit().and_then(|commit| scene.time_of(commit));
    if let Some(made) = made.filter(|made| later(issued, SKEW) < *made) {
        return Err(format!(
            "it claims to be from {issued}, before its commit was made: {made}"
        ));
    }
    Ok(())
}

/// When a signature ends.
pub fn expires(issued: Timestamp, holds_for: Duration) -> Timestamp {
    SignedDuration::try_from(holds_for).map_or(Timestamp::MAX, |age| later(issued, age))
}

fn later(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// The commit, the policy, and that what the signer was shown was true.
fn of_this_evidence(statement: &Statement, scene: &Scene<'_>, run: &Run) -> Result<(), String> {
    of_this_subject(statement, scene)?;
    let said = &statement.predicate;
    if !said.policy.is(&scene.policy) {
        return Err("it is for another policy: the config was changed after it was signed".into());
    }
    let listed = said.verdict.digest.get("sha256").map(String::as_str);
    if listed != Some(vector::digest(&said.items).as_str()) {
        return Err("its verdict digest is not that of the items it lists".to_owned());
    }
    for accept in &said.accepts {
        let shown = said.items.iter().find(|item| item.id == accept.id);
        let failed = |item: &Item| matches!(item.status, Status::Failed | Status::Waived);
        if !shown.is_some_and(failed) {
            let id = &accept.id;
            return Err(format!(
                "it accepts {id}, of which the signer was shown no failure"
            ));
        }
    }
    for item in &said.items {
        let mut same = said.items.iter().filter(|other| other.id == item.id);
        if same.nth(1).is_some() {
            return Err(format!("it lists {} twice", item.id));
        }
        let Some(gate) = run.gates.iter().find(|gate| gate.id == item.id) else {
            return Err(format!(
                "it lists {}, which the config does not have",
                item.id
            ));
        };
        if shown(&gate.title, &scene.masker) != item.title {
            return Err(format!(
                "the signer was shown another title for {}: {}",
                item.id, item.title
            ));
        }
    }
    Ok(())
}
