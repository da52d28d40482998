//! Statements to outcomes: the end of every run.

use std::collections::BTreeSet;

use readygate_sdk::{CheckOutcome, Level};
use readygate_signoff::{
    ANSWER, Decision, MISSING, SignoffConfig, SignoffMeasurement, StatementRecord,
};

use super::{
    config::Role,
    duties::{self, Approval},
    found,
    request::path_of,
    scene::{Inputs, Scene},
    signature::Trust,
    statement::Vouched,
    vector::{self, shown},
    verify::{self, Examined, expires},
};
use crate::{
    config::Gate,
    engine,
    record::{GateRecord, Outcome, Run, SignDecision, SignoffRecord, SkipReason},
    verdict,
    waiver::{self, Signed, Waiver},
};

/// Decides every sign-off that the run waits for, and the verdict anew.
pub fn resolve(run: &mut Run, inputs: &Inputs<'_>) {
    let waits = |(gate, record): &(&&Gate, &GateRecord)| {
        gate.signoff().is_some() && record.outcome == Outcome::Pending
    };
    let pairs = inputs.gates.iter().zip(&run.gates).enumerate();
    let open: Vec<usize> = pairs
        .filter(|(_, pair)| waits(pair))
        .map(|(at, _)| at)
        .collect();
    if open.is_empty() {
        return;
    }
    let scene = Scene::new(run, inputs);
    if run.target.commit.is_none() {
        run.target.commit.clone_from(&scene.commit);
    }
    let looked = scene
        .trust(inputs.trust)
        .and_then(|trust| look(&trust, &scene, run));
    let (examined, impossible) = match looked {
        Ok(examined) => (examined, None),
        Err(why) => (Vec::new(), Some(why)),
    };
    let matter = Matter {
        scene: &scene,
        examined: &examined,
        impossible: impossible.as_deref(),
    };
    let answers = matter.settled(run, &open, inputs);
    for at in open {
        let gate = inputs.gates[at];
        if let Some(config) = gate.signoff() {
            let measurement = matter.measurement(at, config, &answers);
            judge(gate, &measurement, &mut run.gates[at]);
        }
    }
    order(inputs.gates, &mut run.gates);
    run.signoffs = matter.records(run, &answers);
    verdict::settle(run, &inputs.config.required);
}

fn look(trust: &Trust, scene: &Scene<'_>, run: &Run) -> Result<Vec<Examined>, String> {
    let found = found::find(&scene.directory)?;
    let examined = found.iter();
    Ok(examined
        .filter_map(|found| verify::examine(found, trust, scene, run))
        .collect())
}

/// What a statement means to a gate.
#[derive(Debug)]
struct Answer {
    /// Which statement.
    statement: usize,
    /// Which gate.
    gate: usize,
    /// Why it does not count.
    refused: Option<String>,
}

/// What there is to decide on.
struct Matter<'a> {
    scene: &'a Scene<'a>,
    examined: &'a [Examined],
    impossible: Option<&'a str>,
}

impl Matter<'_> {
    /// Answers and waivers depend on each other: what a statement accepts may be what the signer of
    /// another was shown as waived. Begins with the waivers of the policy and ends when nothing
    /// changes any more; where that does not come to an end, nothing that was signed waives.
    fn settled(&self, run: &mut Run, open: &[usize], inputs: &Inputs<'_>) -> Vec<Answer> {
        let mut answers = self.answers(run, open);
        let mut known = BTreeSet::new();
        for _ in 0..=self.examined.len() {
            let accepted = self.accepted(&answers);
            if accepted == known {
                return answers;
            }
            let mut waivers = inputs.config.waivers.clone();
            waivers.extend(self.waivers(&accepted));
            run.waivers = waiver::apply(&waivers, &mut run.gates, inputs.waived_at);
            answers = self.answers(run, open);
            known = accepted;
        }
        run.waivers = waiver::apply(&inputs.config.waivers, &mut run.gates, inputs.waived_at);
        self.answers(run, open)
    }

    /// What the approvals that count accept although it fails.
    fn waivers(&self, accepted: &BTreeSet<String>) -> Vec<Waiver> {
        let mut waivers = Vec::new();
        for examined in self
            .examined
            .iter()
            .filter(|e| accepted.contains(&e.sha256))
        {
            let Some(statement) = &examined.statement else {
                continue;
            };
            let said = &statement.predicate;
            if said.decision == SignDecision::Approve {
                let signed = Signed {
                    role: &said.role,
                    powers: self.scene.roles().get(&said.role),
                    principal: &said.principal,
                };
                waivers.extend(signed.waivers(&said.accepts));
            }
        }
        waivers
    }

    /// Every statement with every open gate that it answers. The final approvals come last: they
    /// are held against the others.
    fn answers(&self, run: &Run, open: &[usize]) -> Vec<Answer> {
        let mut answers = Vec::new();
        for is_final in [false, true] {
            let accepted = self.accepted(&answers);
            for &gate in open {
                let Some(config) = self.scene.gates[gate].signoff() else {
                    continue;
                };
                if config.is_final != is_final {
                    continue;
                }
                for statement in 0..self.examined.len() {
                    answers.extend(self.answer(statement, gate, config, run, &accepted));
                }
            }
            self.replace(&mut answers);
            self.separate(&mut answers);
        }
        answers
    }

    /// Digests of the statements that count so far.
    fn accepted(&self, answers: &[Answer]) -> BTreeSet<String> {
        let counting = answers.iter().filter(|a| a.refused.is_none());
        counting
            .map(|a| self.examined[a.statement].sha256.clone())
            .collect()
    }

    /// `None` when the statement is not about this gate at all.
    fn answer(
        &self,
        statement: usize,
        gate: usize,
        config: &SignoffConfig,
        run: &Run,
        accepted: &BTreeSet<String>,
    ) -> Option<Answer> {
        let examined = &self.examined[statement];
        let said = &examined.statement.as_ref()?.predicate;
        if said.role != config.role {
            return None;
        }
        let own = self.scene.gates[gate];
        let vouched = said.gates.iter().find(|g| g.id == own.id)?;
        let refused = match &examined.refused {
            Some(why) => Some(why.clone()),
            None if said.decision == SignDecision::Reject => None,
            None => {
                let fits = self.fits(examined, vouched, own, config, run, accepted);
                fits.err().map(|why| shown(&why, &self.scene.masker))
            }
        };
        Some(Answer {
            statement,
            gate,
            refused,
        })
    }

    /// Whether an approval that holds by itself answers this gate.
    fn fits(
        &self,
        examined: &Examined,
        vouched: &Vouched,
        gate: &Gate,
        config: &SignoffConfig,
        run: &Run,
        accepted: &BTreeSet<String>,
    ) -> Result<(), String> {
        let Some(statement) = &examined.statement else {
            return Err("it cannot be read".to_owned());
        };
        let said = &statement.predicate;
        let (asked, id) = (self.scene.vouched(gate, config), &gate.id);
        if vouched.statement != asked {
            let then = &vouched.statement;
            return Err(format!("the signer of {id} was shown other words: {then}"));
        }
        if vouched.questions != self.scene.questions(config) {
            return Err(format!("the signer of {id} was asked other questions"));
        }
        if let Some(max_age) = config.max_age {
            let ends = expires(said.issued_at, max_age.0);
            if self.scene.now > ends {
                return Err(format!("it expired {ends}: {id} wants it within {max_age}"));
            }
        }
        let scope = vector::scope(gate, self.scene.gates, run);
        if let Some(why) = vector::worse(&said.items, &scope) {
            return Err(why);
        }
        let lists = |sha256: &String| said.input_attestations.iter().any(|d| d.is(sha256));
        match accepted.iter().find(|sha256| !lists(sha256)) {
            Some(missing) if config.is_final => {
                let file = self.examined.iter().find(|e| e.sha256 == *missing);
                let file = file.map_or(missing.as_str(), |e| e.file.as_str());
                Err(format!("the final approval does not cover {file}"))
            }
            _ => Ok(()),
        }
    }

    /// The last word of a person on a gate is the one that counts.
    fn replace(&self, answers: &mut [Answer]) {
        let key = |answer: &Answer| {
            let said = &self.examined[answer.statement]
                .statement
                .as_ref()?
                .predicate;
            // Of two words of one moment, the rejection is the last.
            let rank = (
                said.issued_at,
                said.decision == SignDecision::Reject,
                answer.statement,
            );
            Some((answer.gate, said.principal.to_lowercase(), rank))
        };
        let counting = answers.iter().filter(|a| a.refused.is_none());
        let keys: Vec<_> = counting.filter_map(key).collect();
        for answer in answers.iter_mut().filter(|a| a.refused.is_none()) {
            let Some((gate, principal, rank)) = key(answer) else {
                continue;
            };
            let later = keys
                .iter()
                .filter(|(g, p, r)| *g == gate && *p == principal && *r > rank);
            if let Some((_, _, (_, _, last))) = later.max_by_key(|(_, _, rank)| *rank) {
                let file = &self.examined[*last].file;
                answer.refused = Some(format!("{principal} signed anew: {file}"));
            }
        }
    }

    /// Rejections are nobody's duty and stay.
    fn separate(&self, answers: &mut [Answer]) {
        let approval = |(index, answer): (usize, &Answer)| {
            let examined = &self.examined[answer.statement];
            let said = &examined.statement.as_ref()?.predicate;
            let config = self.scene.gates[answer.gate].signoff()?;
            let counts = answer.refused.is_none() && said.decision == SignDecision::Approve;
            counts.then_some(())?;
            Some(Approval {
                index,
                role: said.role.clone(),
                principal: said.principal.clone(),
                fingerprint: examined.signer.as_ref()?.fingerprint.clone(),
                issued: said.issued_at,
                is_final: config.is_final,
            })
        };
        let approvals: Vec<Approval> = answers.iter().enumerate().filter_map(approval).collect();
        for (at, why) in duties::refused(&approvals, self.scene) {
            answers[at].refused = Some(why);
        }
    }

    fn measurement(
        &self,
        gate: usize,
        config: &SignoffConfig,
        answers: &[Answer],
    ) -> SignoffMeasurement {
        let role = self.scene.roles().get(&config.role);
        let nobody = match role {
            None => Some(format!(
                "`roles` of the config has no role `{}`",
                config.role
            )),
            Some(role) if role.principals.is_empty() => Some(format!(
                "nobody holds the role; list them in the config: roles: {{ {}: {{ principals: \
                 [...] }} }}",
                config.role
            )),
            Some(_) => None,
        };
        let impossible = self.impossible.map(str::to_owned).or(nobody);
        let of_gate = answers.iter().filter(|a| a.gate == gate);
        let mut statements: Vec<StatementRecord> = of_gate
            .filter_map(|answer| self.statement(answer, role))
            .collect();
        statements.sort_by(|a, b| (a.issued, &a.file).cmp(&(b.issued, &b.file)));
        let request = path_of(&self.scene.directory, &config.role);
        SignoffMeasurement {
            taken_at: self.scene.now,
            role: config.role.clone(),
            request: impossible.is_none().then(|| request.display().to_string()),
            impossible,
            statements,
        }
    }

    fn statement(&self, answer: &Answer, role: Option<&Role>) -> Option<StatementRecord> {
        let examined = &self.examined[answer.statement];
        let said = &examined.statement.as_ref()?.predicate;
        let holds_for = role.map(Role::holds_for).unwrap_or_default();
        Some(StatementRecord {
            file: examined.file.clone(),
            principal: said.principal.clone(),
            fingerprint: fingerprint(examined),
            decision: match said.decision {
                SignDecision::Approve => Decision::Approve,
                SignDecision::Reject => Decision::Reject,
            },
            comment: said.reason.clone(),
            issued: said.issued_at,
            expires: said.expires_at.min(expires(said.issued_at, holds_for)),
            answers: said.answers.clone(),
            refused: answer.refused.clone(),
        })
    }

    /// One record for each statement that was looked at.
    fn records(&self, run: &Run, answers: &[Answer]) -> Vec<SignoffRecord> {
        let records = self.examined.iter().enumerate();
        records
            .map(|(at, examined)| {
                let own: Vec<&Answer> = answers.iter().filter(|a| a.statement == at).collect();
                let counting = own.iter().any(|a| a.refused.is_none());
                let names = own.iter().filter(|a| a.refused.is_none() == counting);
                let gates = names.map(|a| run.gates[a.gate].id.clone()).collect();
                let refused = own.iter().find_map(|a| a.refused.clone());
                let unasked = || "no sign-off of this run asks for it".to_owned();
                let reason = examined.refused.clone().or(refused).unwrap_or_else(unasked);
                self.record(examined, gates, (!counting).then_some(reason))
            })
            .collect()
    }

    fn record(
        &self,
        examined: &Examined,
        gates: Vec<String>,
        reason: Option<String>,
    ) -> SignoffRecord {
        let hardware = examined.signer.as_ref().is_some_and(|s| s.touched);
        let base = SignoffRecord {
            role: "unknown".to_owned(),
            gates,
            principal: "unknown".to_owned(),
            fingerprint: fingerprint(examined),
            hardware,
            decision: SignDecision::Approve,
            issued: jiff::Timestamp::UNIX_EPOCH,
            expires: jiff::Timestamp::UNIX_EPOCH,
            sha256: examined.sha256.clone(),
            file: examined.file.clone(),
            answers: Default::default(),
            accepted: reason.is_none(),
            reason,
        };
        let Some(statement) = &examined.statement else {
            return base;
        };
        let said = &statement.predicate;
        let role = self.scene.roles().get(&said.role);
        let holds_for = role.map(Role::holds_for).unwrap_or_default();
        SignoffRecord {
            role: said.role.clone(),
            principal: said.principal.clone(),
            decision: said.decision,
            issued: said.issued_at,
            expires: said.expires_at.min(expires(said.issued_at, holds_for)),
            answers: said.answers.clone(),
            ..base
        }
    }
}

fn fingerprint(examined: &Examined) -> String {
    let signer = examined.signer.as_ref();
    signer.map_or_else(|| "unknown".to_owned(), |s| s.fingerprint.clone())
}

/// Judges like any other measurement. Where only a signature or an answer in one is missing,
/// nothing has failed: somebody is waited for.
fn judge(gate: &Gate, measurement: &SignoffMeasurement, record: &mut GateRecord) {
    let Ok(measurement) = serde_json::to_value(measurement) else {
        return;
    };
    let judged = engine::rejudge(gate, measurement, None);
    let waits = |rule: &str| rule == MISSING.code || rule == ANSWER.code;
    let mut failed = judged
        .checks
        .iter()
        .filter(|c| c.outcome == CheckOutcome::Failed && c.level == Level::Error)
        .peekable();
    let only_waits = failed.peek().is_some() && failed.all(|check| waits(&check.rule));
    let outcome = if only_waits {
        Outcome::Pending
    } else {
        judged.outcome
    };
    *record = GateRecord { outcome, ..judged };
}

/// A sign-off that needs another one waits for it. Only what is decided so far can lose by it.
fn order(gates: &[&Gate], records: &mut [GateRecord]) {
    let mut settled = false;
    while !settled {
        settled = true;
        for (at, gate) in gates.iter().enumerate() {
            if gate.signoff().is_none() || records[at].measurement.is_none() {
                continue;
            }
            let need = gate.needs.iter().find_map(|id| {
                let need = records.iter().find(|r| r.id == *id)?;
                (need.standing() != Outcome::Passed).then_some((id, need.standing()))
            });
            let Some((need, ended)) = need else { continue };
            // A rejection is a rejection, in whatever order it comes.
            if records[at].outcome == Outcome::Failed {
                continue;
            }
            let waits = ended == Outcome::Pending;
            records[at] = GateRecord {
                outcome: if waits {
                    Outcome::Pending
                } else {
                    Outcome::Skipped
                },
                skipped: (!waits).then_some(SkipReason::Dependency),
                reason: Some(format!("needs `{need}`, which {}", engine::ended(ended))),
                ..engine::blank(gate)
            };
            settled = false;
        }
    }
}
