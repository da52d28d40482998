//! Applies the rules to what was seen. Pure.

mod behaviour;
mod chain;
mod dates;
mod names;
mod protocol;
mod revocation;
mod same;
mod trust;

use readygate_sdk::{CheckBuilder, CheckOutcome, Checks, Level, Rule};

use crate::{
    config::TlsConfig,
    measurement::{Chain, Handshake, Peer, TlsMeasurement},
    rules,
    wire::{Answer, Doubt, DoubtKind, Survey},
};

/// Pushes every check of all peers.
pub(crate) fn judge(config: &TlsConfig, measurement: &TlsMeasurement, checks: &mut Checks) {
    for peer in &measurement.peers {
        let about = About {
            config,
            measurement,
            peer,
            subject: peer.subject(),
        };
        about.peer(checks);
    }
    missing(config, measurement, checks);
    same::judge(measurement, checks);
}

/// A record that was made under another config may lack what this one asks for.
const NOT_HELD: &str = "the record does not hold it; measure again";

/// Endpoints and names of the config that nobody asked.
fn missing(config: &TlsConfig, measurement: &TlsMeasurement, checks: &mut Checks) {
    for (endpoint, name) in config.pairs() {
        let wanted = Peer {
            endpoint: endpoint.shown(),
            name,
            address: None,
            fault: None,
            survey: None,
            handshake: None,
            chains: Vec::new(),
            plaintext: None,
        };
        let held = |peer: &Peer| peer.endpoint == wanted.endpoint && peer.name == wanted.name;
        if !measurement.peers.iter().any(held) {
            checks
                .check(&rules::NO_ANSWER, wanted.subject())
                .unmeasured(NOT_HELD);
        }
    }
}

/// What is judged, and its surroundings.
struct About<'a> {
    config: &'a TlsConfig,
    measurement: &'a TlsMeasurement,
    peer: &'a Peer,
    subject: String,
}

/// One chain of a peer.
struct AboutChain<'a> {
    about: &'a About<'a>,
    chain: &'a Chain,
    subject: String,
}

impl About<'_> {
    fn peer(&self, checks: &mut Checks) {
        if let Some(fault) = &self.peer.fault {
            let hint = fault.hint.clone().unwrap_or_default();
            let check = checks.check(&rules::NO_ANSWER, &self.subject);
            let check = if hint.is_empty() {
                check
            } else {
                check.hint(hint)
            };
            check.unmeasured(format!("{} (while {})", fault.message, fault.phase));
            behaviour::plaintext(self, checks);
            return;
        }
        let mut refused_certificate = false;
        for chain in &self.peer.chains {
            let about = AboutChain {
                about: self,
                subject: self.chain_subject(chain),
                chain,
            };
            about.judge(checks);
        }
        if let Some(survey) = &self.peer.survey {
            protocol::judge(self, survey, checks);
            refused_certificate = behaviour::judge(self, survey, checks);
        }
        behaviour::plaintext(self, checks);
        self.completeness(refused_certificate, checks);
    }

    /// What stays unknown must be said: a chain that nobody saw, a handshake that nobody explains.
    fn completeness(&self, refused_certificate: bool, checks: &mut Checks) {
        let none = Handshake::default();
        let shaken = self.peer.handshake.as_ref().unwrap_or(&none);
        if self.peer.chains.is_empty() {
            checks.check(&rules::NO_ANSWER, &self.subject).unmeasured(
                "no certificate was seen, so nothing is known of it (while doing the handshake)",
            );
        }
        if shaken.version.is_some() && shaken.fault.is_none() {
            checks
                .check(&rules::NO_ANSWER, &self.subject)
                .actual(shaken.version.clone().unwrap_or_default())
                .message(format!(
                    "a modern client gets {}",
                    [&shaken.version, &shaken.suite, &shaken.group]
                        .into_iter()
                        .flatten()
                        .map(String::as_str)
                        .collect::<Vec<_>>()
                        .join(", ")
                ))
                .pass();
            return;
        }
        let explained = refused_certificate
            || checks.as_slice().iter().any(|c| {
                let because = [
                    rules::NO_MODERN_VERSION.code,
                    rules::NO_MODERN_CIPHER.code,
                    rules::MISSING_CURVES.code,
                    rules::ALPN.code,
                    rules::CHAIN_OVERSIZED.code,
                    rules::UNREADABLE.code,
                ];
                // A warning lets the gate pass, so it must not stand for the handshake.
                c.outcome == CheckOutcome::Failed
                    && c.level == Level::Error
                    && (c.subject == self.subject
                        || c.subject.starts_with(&format!("{} (", self.subject)))
                    && because.contains(&c.rule.as_str())
            });
        if !explained {
            let why = shaken
                .fault
                .as_ref()
                .map_or("it was not tried", |f| &f.message);
            checks
                .check(&rules::NO_ANSWER, &self.subject)
                .unmeasured(format!(
                    "the handshake of a modern client fails: {why} (while doing the handshake)"
                ));
        }
    }

    fn chain_subject(&self, chain: &Chain) -> String {
        let key = |c: &Chain| {
            c.walk
                .leaf()
                .map(|l| l.key.algorithm.clone())
                .unwrap_or_default()
        };
        match self.peer.chains.as_slice() {
            [_] => self.subject.clone(),
            _ => format!(
                "{} ({}, {})",
                self.subject,
                key(chain),
                chain.seen_in.join(" and ")
            ),
        }
    }
}

impl AboutChain<'_> {
    fn judge(&self, checks: &mut Checks) {
        let before = checks.as_slice().len();
        trust::unreadable(self, checks);
        trust::trust(self, checks);
        names::judge(self, checks);
        dates::judge(self, checks);
        trust::keys(self, checks);
        revocation::judge(self, checks);
        chain::judge(self, checks);
        let failed = checks
            .as_slice()
            .iter()
            .skip(before)
            .any(|c| c.outcome == CheckOutcome::Failed && c.level == Level::Error);
        trust::rest(self, failed, checks);
    }

    /// Whether the rules of public authorities apply.
    fn is_public(&self) -> bool {
        self.chain.walk.is_public() || self.about.config.public_rules
    }

    fn now(&self) -> i64 {
        self.about.measurement.at
    }

    fn check<'c>(&self, rule: &'static Rule, checks: &'c mut Checks) -> CheckBuilder<'c> {
        checks.check(rule, &self.subject)
    }
}

/// Whether something was accepted. A hello that the server resets, closes upon or ignores every
/// time, while it answers others in between, was not accepted: that is the server's own way to say no.
fn accepted(answer: Option<&Answer>) -> Result<bool, String> {
    match answer {
        None => Err("it was not asked".to_owned()),
        Some(Answer::Accepted(_)) => Ok(true),
        Some(Answer::Refused { .. }) => Ok(false),
        Some(Answer::Unknown { doubt }) => {
            let steady = matches!(
                doubt.kind,
                DoubtKind::Reset | DoubtKind::Closed | DoubtKind::Silent
            );
            if steady && doubt.others_answered {
                Ok(false)
            } else {
                Err(words(doubt))
            }
        }
    }
}

/// `no answer within 3 s (while waiting for the ServerHello)`.
fn words(doubt: &Doubt) -> String {
    format!("{} (while {})", doubt.message, doubt.phase)
}

/// Of several things: those that are accepted, and why others are not known.
fn sort<'a, T: Copy>(
    rows: impl Iterator<Item = (T, Option<&'a Answer>)>,
) -> (Vec<T>, Vec<(T, String)>) {
    let (mut yes, mut unknown) = (Vec::new(), Vec::new());
    for (what, answer) in rows {
        match accepted(answer) {
            Ok(true) => yes.push(what),
            Ok(false) => {}
            Err(why) => unknown.push((what, why)),
        }
    }
    (yes, unknown)
}

/// The suite that was picked for `answer`.
fn picked(survey: &Survey, family: crate::wire::Family) -> Option<String> {
    match survey.family(family) {
        Some(Answer::Accepted(accepted)) => accepted.suite.map(|s| s.to_string()),
        _ => None,
    }
}
