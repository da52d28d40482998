//! All statements against all gates, and against each other.

use std::collections::{BTreeMap, BTreeSet};

use readygate_signoff::{Decision, SignoffConfig, SignoffMeasurement, StatementRecord};

use super::{
    config::Role,
    duties::{self, Approval},
    ready,
    request::path_of,
    scene::{Inputs, Scene},
    statement::Vouched,
    vector::{self, shown},
    verify::{Examined, expires},
};
use crate::{
    config::Gate,
    record::{Run, SignDecision, SignoffRecord},
    waiver::{self, Signed, Waiver},
};

/// What a statement means to a gate.
#[derive(Debug)]
pub struct Answer {
    /// Which statement.
    statement: usize,
    /// Which gate.
    gate: usize,
    /// Why it does not count.
    refused: Option<String>,
}

/// What was found out of the open sign-offs.
pub struct Settled {
    /// Those that are asked for, as places in the record.
    pub ready: Vec<usize>,
    /// Every statement with every one of them that it answers.
    pub answers: Vec<Answer>,
}

/// What there is to decide on.
pub struct Matter<'a> {
    /// The circumstances.
    pub scene: &'a Scene<'a>,
    /// Every statement that was found.
    pub examined: &'a [Examined],
    /// Why nobody can sign at all.
    pub impossible: Option<&'a str>,
}

impl Matter<'_> {
    /// Answers and waivers depend on each other: what a statement accepts may be what the signer of
    /// another was shown as waived. Begins with the waivers of the policy and ends when nothing
    /// changes any more; where that does not come to an end, nothing that was signed waives.
    ///
    /// Of the open sign-offs only those are asked for whose needs stand, with what is waived by then.
    pub fn settled(&self, run: &mut Run, open: &[usize], inputs: &Inputs<'_>) -> Settled {
        let mut settled = self.settle(run, open);
        let mut known = BTreeSet::new();
        for _ in 0..=self.examined.len() {
            let accepted = self.accepted(&settled.answers);
            if accepted == known {
                return settled;
            }
            let mut waivers = inputs.config.waivers.clone();
            waivers.extend(self.waivers(&accepted));
            run.waivers = waiver::apply(&waivers, &mut run.gates, inputs.waived_at);
            settled = self.settle(run, open);
            known = accepted;
        }
        run.waivers = waiver::apply(&inputs.config.waivers, &mut run.gates, inputs.waived_at);
        self.settle(run, open)
    }

    fn settle(&self, run: &Run, open: &[usize]) -> Settled {
        let ready = ready::ready(open, self.scene.gates, &run.gates);
        let answers = self.answers(run, &ready);
        Settled { ready, answers }
    }

    /// What the approvals that count accept although it fails.
    fn waivers(&self, accepted: &BTreeSet<String>) -> Vec<Waiver> {
        let counting = self.examined.iter();
        let counting = counting.filter(|e| accepted.contains(&e.sha256));
        let statements = counting.filter_map(|e| e.statement.as_ref());
        let said = statements.map(|statement| &statement.predicate);
        let approvals = said.filter(|said| said.decision == SignDecision::Approve);
        approvals
            .flat_map(|said| {
                let signed = Signed {
                    role: &said.role,
                    powers: self.scene.roles().get(&said.role),
                    principal: &said.principal,
                };
                signed.waivers(&said.accepts)
            })
            .collect()
    }

    /// Every statement with every open gate that it answers. The final approvals come last: they
    /// are held against the others.
    fn answers(&self, run: &Run, open: &[usize]) -> Vec<Answer> {
        let mut answers = Vec::new();
        let mut replaced = Vec::new();
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
            replaced.extend(self.replace(&mut answers));
            self.separate(&mut answers);
            self.restore(&mut answers, &replaced);
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
        let outdated = || vector::outdated(&said.verdict.name, run);
        if let Some(why) = vector::worse(&said.items, &scope).or_else(outdated) {
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

    /// The last word of a person on a gate is the one that counts. Gives what was replaced, and by
    /// what, as places in the list.
    fn replace(&self, answers: &mut [Answer]) -> Vec<(usize, usize)> {
        let key = |(at, answer): (usize, &Answer)| {
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
            let whose = (answer.gate, self.scene.person(&said.principal));
            Some((at, whose, rank))
        };
        let all = answers.iter().enumerate();
        let counting = all.filter(|(_, answer)| answer.refused.is_none());
        let keys: Vec<_> = counting.filter_map(key).collect();
        let mut replaced = Vec::new();
        for (at, whose, rank) in &keys {
            let later = keys.iter().filter(|(_, w, r)| w == whose && r > rank);
            let Some((last, ..)) = later.max_by_key(|(_, _, rank)| *rank) else {
                continue;
            };
            let file = &self.examined[answers[*last].statement].file;
            answers[*at].refused = Some(format!("{} signed anew: {file}", whose.1));
            replaced.push((*at, *last));
        }
        replaced
    }

    /// A rejection is taken back by an approval that counts, and by no other.
    fn restore(&self, answers: &mut [Answer], replaced: &[(usize, usize)]) {
        for (before, after) in replaced {
            let said = self.examined[answers[*before].statement].statement.as_ref();
            let rejects = said.is_some_and(|s| s.predicate.decision == SignDecision::Reject);
            if rejects && answers[*after].refused.is_some() {
                answers[*before].refused = None;
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

    /// What one gate is judged by.
    pub fn measurement(
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
    pub fn records(&self, run: &Run, answers: &[Answer]) -> Vec<SignoffRecord> {
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
            commit: None,
            file: examined.file.clone(),
            answers: BTreeMap::default(),
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
            commit: statement
                .commit()
                .filter(|then| base.accepted && self.scene.commit.as_deref() != Some(*then))
                .map(str::to_owned),
            answers: said.answers.clone(),
            ..base
        }
    }
}

fn fingerprint(examined: &Examined) -> String {
    let signer = examined.signer.as_ref();
    signer.map_or_else(|| "unknown".to_owned(), |s| s.fingerprint.clone())
}
