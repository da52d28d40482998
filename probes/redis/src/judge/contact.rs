//! Does each node answer, and may we ask?

use readygate_sdk::{Checks, Unit};

use super::{Case, Offender, each, fix};
use crate::{
    config::Mode,
    measurement::{Contact, Denial, NodeRecord, Phase, Said, Silence},
    rules,
};

pub(super) fn judge(case: &Case<'_>, checks: &mut Checks) {
    let nodes = &case.measurement.nodes;
    let mismatch = case.picture.mismatch;
    for node in nodes {
        contact(node, mismatch, checks);
    }
    for node in nodes.iter().filter(|n| n.ping.value().is_some()) {
        permissions(case, node, checks);
    }
    modes(case, checks);
    if case.measurement.left_out > 0 {
        checks
            .check(&rules::NODE_MISSING, "nodes beyond the limit")
            .unmeasured(format!(
                "{} nodes were not asked: there was no time left, or more than 200 nodes",
                case.measurement.left_out
            ));
    }
}

fn contact(node: &NodeRecord, mismatch: bool, checks: &mut Checks) {
    let name = node.address.as_str();
    match &node.contact {
        Contact::Answered => greeting(node, checks),
        Contact::Down(what) => checks
            .check(&rules::UNREACHABLE, name)
            .hint(fix(&rules::UNREACHABLE, name))
            .message(format!("{name} does not accept a connection: {what}"))
            .expected("an answer to PING")
            .actual(what)
            .fail(),
        Contact::Silent(silence) => silent(name, silence, mismatch, checks),
        Contact::Closed(what) if mismatch => checks
            .check(&rules::TLS_REFUSED, name)
            .hint("if the port speaks TLS, set `tls`; by hand: redis-cli --tls --insecure PING")
            .unmeasured(format!(
                "every node closes the connection without a word ({what}); do they want TLS, or is something else listening?"
            )),
        Contact::Closed(what) => checks
            .check(&rules::UNREACHABLE, name)
            .hint(fix(&rules::UNREACHABLE, name))
            .message(format!("{name} closed the connection before it answered"))
            .expected("an answer to PING")
            .actual(what)
            .hint("redis-cli PING; it may be at maxclients, shutting down, or want TLS unlike the other nodes; its log says which")
            .fail(),
        Contact::Tls(what) => checks
            .check(&rules::TLS_REFUSED, name)
            .hint(fix(&rules::TLS_REFUSED, name))
            .unmeasured(format!("no TLS with {name}: {what}")),
        Contact::Refused(denial) => checks
            .check(&rules::CREDENTIALS_REFUSED, name)
            .hint(fix(&rules::CREDENTIALS_REFUSED, name))
            .unmeasured(format!("{name} is up and does not let the gate in: {}", words(denial))),
    }
}

fn silent(name: &str, silence: &Silence, mismatch: bool, checks: &mut Checks) {
    let waited = Unit::Seconds.format((silence.waited_ms as f64 / 100.0).round() / 10.0);
    let unanswered = match silence.phase {
        Phase::Connect => {
            return checks
                .check(&rules::UNREACHABLE, name)
                .hint(fix(&rules::UNREACHABLE, name))
                .message(format!(
                    "{name} did not accept a connection within {waited}"
                ))
                .expected("an answer to PING")
                .actual(format!("nothing within {waited}"))
                .fail();
        }
        Phase::Tls if mismatch => {
            return checks
                .check(&rules::TLS_REFUSED, name)
                .hint(fix(&rules::TLS_REFUSED, name))
                .unmeasured(format!(
                    "no node answered the TLS handshake within {waited}; do these ports speak plain text?"
                ));
        }
        Phase::Tls => "the TLS handshake",
        Phase::Auth => "AUTH",
        Phase::Ping => "PING",
        Phase::Ask => "all that was asked",
    };
    checks
        .check(&rules::NO_ANSWER, name)
        .hint(fix(&rules::NO_ANSWER, name))
        .message(format!(
            "{name} accepts connections and did not answer {unanswered} within {waited}"
        ))
        .expected("an answer to PING")
        .actual(format!("nothing within {waited}"))
        .fail();
}

fn greeting(node: &NodeRecord, checks: &mut Checks) {
    let name = node.address.as_str();
    match &node.ping {
        Said::Value(seconds) => checks
            .check(&rules::UNREACHABLE, name)
            .hint(fix(&rules::UNREACHABLE, name))
            .message(format!("{name} answers"))
            .actual(format!(
                "PONG after {}",
                Unit::Seconds.format((seconds * 1e5).round() / 1e5)
            ))
            .pass(),
        Said::Error(denial) if denial.code == "LOADING" => {
            let eta = node.info.value().and_then(|info| info.loading_eta_s);
            let eta = eta.map_or_else(String::new, |s| {
                format!(", {s} s to go by its own estimate")
            });
            checks
                .check(&rules::LOADING, name)
                .hint(fix(&rules::LOADING, name))
                .message(format!("{name} is reading its data from disk{eta}"))
                .expected("PONG")
                .actual(words(denial))
                .fail();
        }
        Said::Error(denial) if denial.code == "NOPERM" => denied(name, "PING", denial, checks),
        Said::Error(denial) => checks
            .check(&rules::REJECTS_COMMANDS, name)
            .hint(fix(&rules::REJECTS_COMMANDS, name))
            .message(format!(
                "{name} answers PING with an error: {}",
                words(denial)
            ))
            .expected("PONG")
            .actual(denial.code.clone())
            .fail(),
        Said::Nonsense(what) => checks
            .check(&rules::UNREACHABLE, name)
            .hint(fix(&rules::UNREACHABLE, name))
            .message(format!("what listens at {name} is no Redis"))
            .expected("PONG")
            .actual(what)
            .fail(),
        Said::Nothing => checks
            .check(&rules::NO_ANSWER, name)
            .unmeasured(format!("{name} was not asked")),
    }
}

/// What an answering node did not tell, said once for each node.
fn permissions(case: &Case<'_>, node: &NodeRecord, checks: &mut Checks) {
    let mut asked = vec![("INFO", node.info.error(), node.info.value().is_some())];
    if case.measurement.mode == Mode::Cluster {
        let (cluster, view) = (&node.cluster, &node.view);
        asked.push(("CLUSTER INFO", cluster.error(), cluster.value().is_some()));
        asked.push(("CLUSTER NODES", view.error(), view.value().is_some()));
    }
    let denied_all: Vec<(&str, Denial)> = asked
        .into_iter()
        .filter(|(_, error, answered)| !answered && !error.is_some_and(is_disabled))
        .map(|(command, error, _)| (command, error.cloned().unwrap_or_else(unreadable)))
        .collect();
    // A node that stopped answering half-way has a check of its own.
    if let Some((_, denial)) = denied_all.last()
        && node.contact == Contact::Answered
    {
        let commands: Vec<&str> = denied_all.iter().map(|(command, _)| *command).collect();
        denied(&node.address, &commands.join(", "), denial, checks);
    }
}

/// The mode is judged by its own rule.
fn is_disabled(denial: &Denial) -> bool {
    denial.message.contains("cluster support disabled")
}

fn modes(case: &Case<'_>, checks: &mut Checks) {
    let expected = match case.measurement.mode {
        Mode::Cluster => "cluster",
        Mode::Replication | Mode::Standalone => "standalone",
    };
    let mut known = 0;
    let mut offenders = Vec::new();
    for node in &case.measurement.nodes {
        let disabled = node.view.error().is_some_and(is_disabled);
        // Older servers and services do not say.
        let said = node.info.value().and_then(|info| info.mode.as_deref());
        let Some(actual) = said.or(disabled.then_some("standalone")) else {
            continue;
        };
        known += 1;
        if actual != expected || disabled {
            let message = format!(
                "{} runs in {actual} mode, {expected} is declared",
                node.address
            );
            let offender = Offender::new(&node.address, message);
            offenders.push(offender.expected(expected).actual(actual));
        }
    }
    if known > 0 {
        let well = format!("every node that says so runs in {expected} mode");
        each(checks, &rules::WRONG_MODE, &well, offenders);
    }
}

fn denied(name: &str, command: &str, denial: &Denial, checks: &mut Checks) {
    checks
        .check(&rules::PERMISSION_MISSING, name)
        .hint(fix(&rules::PERMISSION_MISSING, name))
        .unmeasured(format!(
            "{name} does not answer {command}: {}",
            words(denial)
        ));
}

fn unreadable() -> Denial {
    Denial {
        code: "the answer".to_owned(),
        message: "cannot be read".to_owned(),
    }
}

fn words(denial: &Denial) -> String {
    format!("{} {}", denial.code, denial.message)
        .trim()
        .to_owned()
}
