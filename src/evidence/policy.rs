//! A record against the policy itself: that its gates are those that the policy declares and selects.
//! Errors are sentences that begin after the record's name.

use std::path::Path;

use crate::{
    config::Config,
    plan::Plan,
    record::{GateRecord, Run, SignoffRecord},
    signoff::{Inputs, Scene, trust::Source},
};

/// The policy that should have been applied.
pub struct Policy<'a> {
    /// Read in full, with its values put in.
    pub config: &'a Config,
    /// Folder of the statements, where it is not that of the config.
    pub signoffs: Option<&'a Path>,
    /// Which gates a record should hold, by its own selection.
    pub plan: &'a dyn Fn(&Run) -> Result<Plan, String>,
}

/// Whether the record holds the gates that the config declares, in their order.
///
/// # Errors
/// It does not.
pub fn declared(run: &Run, config: &Config) -> Result<(), String> {
    let declared = config.gates.iter().map(|gate| &gate.id);
    if !run.gates.iter().map(|gate| &gate.id).eq(declared) {
        return Err("holds other gates than the config".to_owned());
    }
    Ok(())
}

/// Whether the gates that ran are those of a plan, with their probes and severities.
///
/// # Errors
/// The first that is not.
pub fn planned(run: &Run, config: &Config, plan: &Plan) -> Result<(), String> {
    let gates = config.gates.iter().zip(&plan.choices).zip(&run.gates);
    for ((gate, choice), record) in gates {
        let GateRecord { id, probe, .. } = record;
        if choice.runs() != record.is_selected() {
            let (was, does) = if choice.runs() {
                ("left out", "selects")
            } else {
                ("run", "does not select")
            };
            return Err(format!(
                "is of other gates: `{id}` was {was}, and the config {does} it; run them again"
            ));
        }
        if gate.severity != record.severity || gate.probe.meta().id != probe {
            return Err(format!(
                "has another severity or probe for `{id}` than the config; run the gates again"
            ));
        }
    }
    Ok(())
}

impl Policy<'_> {
    /// Whether the record is of this policy.
    ///
    /// # Errors
    /// It is of another one, or of other gates.
    pub fn holds(&self, run: &Run) -> Result<(), String> {
        let (expected, actual) = (&self.config.digest, &run.config.sha256);
        if expected != actual {
            return Err(format!(
                "was made under another policy: SHA-256 expected {expected}, actual {actual}"
            ));
        }
        declared(run, self.config)?;
        let plan = (self.plan)(run).map_err(|e| format!("is of no plan: {e}"))?;
        planned(run, self.config, &plan)
    }

    /// Whether the signer holds the role that they signed in the name of.
    ///
    /// # Errors
    /// They do not, or not without a hardware key.
    pub fn permits(&self, record: &SignoffRecord, touched: bool) -> Result<(), String> {
        let (role, principal) = (&record.role, &record.principal);
        let Some(holders) = self.config.roles.get(role) else {
            return Err(format!("the config has no role `{role}`"));
        };
        if !holders.principals.contains(principal) {
            return Err(format!("{principal} may not sign in the name of {role}"));
        }
        if holders.require_touch && !touched {
            return Err(format!(
                "no hardware key was touched for it, which {role} requires"
            ));
        }
        Ok(())
    }

    /// Whether only statements and requests differ between a signed commit and that of the record;
    /// `None` where git does not know both.
    ///
    /// # Errors
    /// Git cannot tell.
    pub fn same_release(&self, run: &Run, signed: &str) -> Result<Option<bool>, String> {
        let inputs = Inputs {
            config: self.config,
            gates: &self.config.gates.iter().collect::<Vec<_>>(),
            directory: self.signoffs,
            fresh: false,
            trust: &Source::of(self.config),
            now: run.decided_at(),
            waived_at: run.decided_at(),
        };
        let scene = Scene::new(run, &inputs);
        if !scene.knows(signed) {
            return Ok(None);
        }
        scene.is_same_release(signed).map(Some)
    }
}
