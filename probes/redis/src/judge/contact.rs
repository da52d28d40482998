//! Does each node answer, and may we ask?

use readygate_sdk::{Checks, Unit};

use super::Case;
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
    for node in nodes.iter().filter(|n| n.contact == Contact::Answered) {
        permissions(case, node, checks);
    }
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
            .message(format!("{name} closed the connection before it answered"))
            .expected("an answer to PING")
            .actual(what)
            .hint("redis-cli PING; it may be at maxclients, shutting down, or want TLS unlike the other nodes; its log says which")
            .fail(),
        Contact::Tls(what) => checks
            .check(&rules::TLS_REFUSED, name)
            .hint(rules::TLS_REFUSED.fix)
            .unmeasured(format!("no TLS with {name}: {what}")),
        Contact::Refused(denial) => checks
            .check(&rules::CREDENTIALS_REFUSED, name)
            .hint(rules::CREDENTIALS_REFUSED.fix)
            .unmeasured(format!("{name} is up and does not let the gate in: {}", words(denial))),
    }
}

fn silent(name: &str, silence: &Silence, mismatch: bool, checks: &mut Checks) {
    let waited = Unit::Seconds.format((silence.waited_ms as f64 / 100.0).round() / 10.0);
    let unanswered = match silence.phase {
        Phase::Connect => {
            return checks
                .check(&rules::UNREACHABLE, name)
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
                .hint(rules::TLS_REFUSED.fix)
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
                .message(format!("{name} is reading its data from disk{eta}"))
                .expected("PONG")
                .actual(words(denial))
                .fail();
        }
        Said::Error(denial) if denial.code == "NOPERM" => denied(name, "PING", denial, checks),
        Said::Error(denial) => checks
            .check(&rules::REJECTS_COMMANDS, name)
            .message(format!(
                "{name} answers PING with an error: {}",
                words(denial)
            ))
            .expected("PONG")
            .actual(denial.code.clone())
            .fail(),
        Said::Nonsense(what) => checks
            .check(&rules::UNREACHABLE, name)
            .message(format!("what listens at {name} is no Redis"))
            .expected("PONG")
            .actual(what)
            .fail(),
        Said::Nothing => checks
            .check(&rules::NO_ANSWER, name)
            .unmeasured(format!("{name} was not asked")),
    }
}

fn permissions(case: &Case<'_>, node: &NodeRecord, checks: &mut Checks) {
    let name = node.address.as_str();
    let mode = case.measurement.mode;
    if node.ping.value().is_none() {
        return; // loading, or not let in: said already
    }
    match &node.info {
        Said::Error(denial) => denied(name, "INFO", denial, checks),
        Said::Value(info) => running_mode(mode, name, info.mode.as_deref(), checks),
        _ => denied(name, "INFO", &unreadable(), checks),
    }
    if mode != Mode::Cluster {
        return;
    }
    let answers = [
        (
            "CLUSTER INFO",
            node.cluster.error(),
            node.cluster.value().is_some(),
        ),
        (
            "CLUSTER NODES",
            node.view.error(),
            node.view.value().is_some(),
        ),
    ];
    for (command, error, answered) in answers {
        match error {
            // Said once, by the mode.
            Some(denial) if denial.message.contains("cluster support disabled") => {
                if node.info.value().is_none() && command == "CLUSTER NODES" {
                    running_mode(mode, name, Some("standalone"), checks);
                }
            }
            Some(denial) => denied(name, command, denial, checks),
            None if !answered => denied(name, command, &unreadable(), checks),
            None => {}
        }
    }
}

fn running_mode(wanted: Mode, name: &str, actual: Option<&str>, checks: &mut Checks) {
    let Some(actual) = actual else {
        return; // older servers and services do not say
    };
    let expected = match wanted {
        Mode::Cluster => "cluster",
        Mode::Replication | Mode::Standalone => "standalone",
    };
    let message = if actual == expected {
        format!("{name} runs in {actual} mode")
    } else {
        format!("{name} runs in {actual} mode, and {expected} is declared")
    };
    checks
        .check(&rules::WRONG_MODE, name)
        .message(message)
        .expected(expected)
        .actual(actual)
        .passed_if(actual == expected);
}

fn denied(name: &str, command: &str, denial: &Denial, checks: &mut Checks) {
    checks
        .check(&rules::PERMISSION_MISSING, name)
        .hint(rules::PERMISSION_MISSING.fix)
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
