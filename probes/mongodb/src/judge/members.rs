//! Who answers, as what, and who leads.

use readygate_sdk::{Checks, Level};

use super::view::{ARBITER, PRIMARY, SECONDARY, Up, View};
use crate::{
    config::MongodbConfig,
    measurement::{Answer, Login, Reach, TlsProblem},
    rules,
};

/// Each node that was asked: does it answer, and does it take our credentials?
pub fn reach(config: &MongodbConfig, view: &View<'_>, checks: &mut Checks) {
    let nodes = view.nodes();
    let all = |is: fn(&Reach) -> bool| nodes.iter().all(|node| is(&node.reach));
    // Where every member is out of reach for a reason on our side, nothing is known of the set.
    let blocked = all(|r| matches!(r, Reach::Tls { .. } | Reach::Unresolved { .. }));
    for node in nodes {
        let sentence = sentence(&node.reach);
        match &node.reach {
            Reach::Answered => {
                let message = format!("answers, everything within {:.0} ms", node.took_ms);
                checks
                    .check(&rules::UNREACHABLE, &node.host)
                    .message(message)
                    .pass();
            }
            Reach::Tls { problem, .. } => {
                let check = checks.check(&rules::UNTRUSTED, &node.host);
                if view.anyone() && *problem != TlsProblem::OurFiles {
                    check.message(sentence).fail();
                } else {
                    check.unmeasured(sentence);
                }
            }
            Reach::NotAsked => checks
                .check(&rules::UNREACHABLE, &node.host)
                .unmeasured(sentence),
            Reach::Hung { waited_s }
                if !view.anyone() && *waited_s < 0.8 * config.node_timeout.0.as_secs_f64() =>
            {
                let message = format!("{sentence}; the gate's own `timeout` left no more time");
                checks
                    .check(&rules::UNREACHABLE, &node.host)
                    .unmeasured(message);
            }
            _ if blocked => checks
                .check(&rules::UNREACHABLE, &node.host)
                .unmeasured(sentence),
            _ => checks
                .check(&rules::UNREACHABLE, &node.host)
                .message(sentence)
                .fail(),
        }
    }
    for up in view.up().filter(|up| !up.hello.arbiter) {
        let check = match &up.node.login {
            Login::Rejected { message } => {
                let message = format!("is up and rejects the credentials: {message}");
                checks
                    .check(&rules::LOGIN_REFUSED, &up.node.host)
                    .unmeasured(message);
                continue;
            }
            Login::Accepted => checks.check(&rules::LOGIN_REFUSED, &up.node.host),
            Login::Anonymous => continue,
        };
        check.message("accepts the credentials").pass();
    }
}

fn sentence(reach: &Reach) -> String {
    match reach {
        Reach::Answered => "answers".to_owned(),
        Reach::NotAsked => "no time was left to ask it: raise `timeout` of the gate".to_owned(),
        Reach::Refused { message } => format!("refuses connections: {message}"),
        Reach::Unresolved { message } => format!("its name does not resolve: {message}"),
        Reach::Unroutable { message } => format!("cannot be reached: {message}"),
        Reach::Hung { waited_s } => format!(
            "hangs: accepts connections and did not answer within {waited_s:.1} s (stopped process, full disk, swapping)"
        ),
        Reach::Closed { message } => format!(
            "closes every connection at once: out of connections (maxIncomingConnections, ulimit), or not MongoDB ({message})"
        ),
        Reach::Tls { problem, message } => {
            let what = match problem {
                TlsProblem::Required => "wants TLS, and the URI does not ask for it: add tls=true",
                TlsProblem::NotSpoken => "does not speak TLS, and the URI asks for it",
                TlsProblem::Untrusted => "its certificate is not trusted: set `tls.ca`",
                TlsProblem::WrongName => "its certificate is for other names",
                TlsProblem::ClientCertificate => {
                    "wants a certificate of ours (`tls.cert_key`), or is out of connections"
                }
                TlsProblem::OurFiles => "our certificate files cannot be used",
            };
            format!("{what} ({message})")
        }
        Reach::Failed { message } => format!("cannot be asked: {message}"),
    }
}

/// Is each one a member of the set that is meant?
pub fn membership(config: &MongodbConfig, view: &View<'_>, checks: &mut Checks) {
    for up in view.up() {
        let host = &up.node.host;
        let code = up.node.status.as_ref().and_then(Answer::code);
        if up.hello.mongos {
            let message = "is a mongos: ask the members of each shard's set, with a gate for each";
            checks.check(&rules::STANDALONE, host).unmeasured(message);
        } else if code == Some(76) || (!up.in_a_set() && up.hello.writable) {
            let message = "runs without replication, and accepts writes";
            checks
                .check(&rules::STANDALONE, host)
                .message(message)
                .fail();
        } else if code == Some(94) {
            checks.check(&rules::UNINITIALISED, host).fail();
        } else if !up.in_a_set() {
            let message =
                "is in no set: removed from it, not initiated, or started with the name of another";
            checks
                .check(&rules::NOT_A_MEMBER, host)
                .message(message)
                .fail();
        } else if view.config.is_some() && view.entry(up).is_none() {
            checks.check(&rules::NOT_A_MEMBER, host).fail();
        } else {
            checks
                .check(&rules::NOT_A_MEMBER, host)
                .message("is a member of the set")
                .pass();
        }
    }
    set_name(config, view, checks);
}

fn set_name(config: &MongodbConfig, view: &View<'_>, checks: &mut Checks) {
    let wanted = config
        .replica_set
        .as_ref()
        .or(view.measured.uri.replica_set.as_ref());
    let mut names: Vec<&str> = view
        .members()
        .filter_map(|up| up.hello.set_name.as_deref())
        .collect();
    names.sort_unstable();
    names.dedup();
    match (names.as_slice(), wanted) {
        ([], _) => {}
        ([one], Some(wanted)) if one != wanted => {
            let message = format!(
                "the members belong to the set `{one}`, and `{wanted}` was asked for: this may be another set than meant"
            );
            checks
                .check(&rules::WRONG_SET, *one)
                .expected(wanted)
                .unmeasured(message);
        }
        ([one], _) => checks
            .check(&rules::WRONG_SET, *one)
            .message("all members belong to it")
            .pass(),
        (several, _) => {
            let of = |up: Up<'_>| {
                format!(
                    "{}: {}",
                    up.node.host,
                    up.hello.set_name.as_deref().unwrap_or("-")
                )
            };
            let message = format!("the hosts belong to different sets: {}", several.join(", "));
            let check = checks
                .check(&rules::WRONG_SET, several.join(", "))
                .message(message);
            check.details(view.members().map(of)).fail();
        }
    }
}

/// Exactly one primary, and everyone agrees on it.
pub fn primary(view: &View<'_>, checks: &mut Checks) {
    let primaries: Vec<_> = view.members().filter(|up| up.is_primary()).collect();
    let set = view.set();
    match primaries.as_slice() {
        [] => {
            let states = view
                .up()
                .map(|up| format!("{}: {}", up.node.host, state_name(up.state())));
            let lost = view.nodes().iter().filter(|n| n.reach != Reach::Answered);
            let lost = lost.map(|n| format!("{}: no answer", n.host));
            let check = checks
                .check(&rules::NO_PRIMARY, set)
                .expected("1 primary")
                .actual("0");
            check.details(states.chain(lost)).fail();
            return;
        }
        [one] => checks
            .check(&rules::NO_PRIMARY, set)
            .message(format!("{} is the primary", one.node.host))
            .pass(),
        several => {
            let of = |up: &Up<'_>| {
                format!(
                    "{}: electionId {}",
                    up.node.host,
                    up.hello.election.as_deref().unwrap_or("-")
                )
            };
            let names: Vec<_> = several.iter().map(|up| up.node.host.as_str()).collect();
            let check = checks
                .check(&rules::TWO_PRIMARIES, set)
                .actual(names.join(", "));
            check
                .expected("1 primary")
                .details(several.iter().map(of))
                .fail();
        }
    }
    agreement(view, checks);
}

fn agreement(view: &View<'_>, checks: &mut Checks) {
    let voices: Vec<_> = view
        .members()
        .filter(|up| matches!(up.state(), Some(PRIMARY | SECONDARY | ARBITER)))
        .collect();
    let mut named: Vec<_> = voices
        .iter()
        .map(|up| up.hello.primary.as_deref())
        .collect();
    named.sort_unstable();
    named.dedup();
    if named.len() <= 1 {
        let message = "all members name the same primary";
        checks
            .check(&rules::DISPUTED, view.set())
            .message(message)
            .pass();
        return;
    }
    let says = |up: &Up<'_>| {
        format!(
            "{} names {}",
            up.node.host,
            up.hello.primary.as_deref().unwrap_or("none")
        )
    };
    checks
        .check(&rules::DISPUTED, view.set())
        .details(voices.iter().map(says))
        .fail();
}

/// The state of each member, by its own account.
pub fn states(view: &View<'_>, checks: &mut Checks) {
    for up in view.members() {
        let state = up.state();
        let message = format!("is {}", state_name(state));
        let check = checks.check(&rules::STATE, &up.node.host).message(message);
        if matches!(state, Some(PRIMARY | SECONDARY | ARBITER)) {
            check.pass();
        } else {
            let hint = state_hint(view, up, state);
            check
                .expected("PRIMARY, SECONDARY or ARBITER")
                .hint(hint)
                .fail();
        }
    }
}

fn state_name(state: Option<i32>) -> &'static str {
    match state {
        Some(0) => "STARTUP",
        Some(1) => "PRIMARY",
        Some(2) => "SECONDARY",
        Some(3) => "RECOVERING",
        Some(5) => "STARTUP2 (initial sync)",
        Some(6) => "UNKNOWN",
        Some(7) => "ARBITER",
        Some(8) => "DOWN",
        Some(9) => "ROLLBACK",
        Some(10) => "REMOVED",
        Some(_) => "in a state that has no name",
        None => "neither primary, secondary nor arbiter",
    }
}

fn state_hint(view: &View<'_>, up: Up<'_>, state: Option<i32>) -> String {
    match state {
        Some(5) => {
            let sync = up.status().and_then(|s| s.initial_sync.clone()).unwrap_or_default();
            format!("it copies all data; wait for it. rs.status().initialSyncStatus: {sync}")
        }
        Some(9) => "it undoes writes that no majority had; keep the files in its rollback folder, and look why w:majority was not used".to_owned(),
        Some(3) if too_stale(view, up) => "it is too stale: the oplog of the others no longer reaches back to it. Stop it, empty its data folder, start it: it copies all data anew (then enlarge the oplog)".to_owned(),
        Some(3) => "it catches up after a restart, or somebody left it in maintenance: db.adminCommand({replSetMaintenance: false}) on it; look for RS102 (too stale) in its log".to_owned(),
        _ => rules::STATE.fix.to_owned(),
    }
}

/// Whether the oplog of everyone else begins after what this member has applied.
fn too_stale(view: &View<'_>, up: Up<'_>) -> bool {
    let Some(applied) = up.applied_later() else {
        return false;
    };
    let others = view
        .data()
        .filter_map(|other| other.node.oplog.as_ref()?.got().map(|o| o.first));
    others.min().is_some_and(|first| first > applied)
}

/// What members say of each other.
pub fn peers(view: &View<'_>, checks: &mut Checks) {
    seen_down(view, checks);
    heartbeats(view, checks);
    let answers = view
        .members()
        .filter_map(|up| Some((up.node, up.node.status.as_ref()?)));
    super::not_measured(&rules::PEER_DOWN, answers, checks);
}

fn seen_down(view: &View<'_>, checks: &mut Checks) {
    let mut any = false;
    for up in view.up().filter(|up| !up.hello.mongos) {
        let mut voices = Vec::new();
        for peer in view.members() {
            let Some(status) = peer.status() else {
                continue;
            };
            any = true;
            let seen = status
                .members
                .iter()
                .filter(|m| !m.me && m.name == up.name());
            let down = seen.filter(|m| m.health == 0 || matches!(m.state, 6 | 8));
            voices.extend(
                down.map(|m| format!("{} sees it {}: {}", peer.node.host, m.state_name, m.message)),
            );
        }
        if !voices.is_empty() {
            checks
                .check(&rules::PEER_DOWN, &up.node.host)
                .details(voices)
                .fail();
            any = false;
        }
    }
    if any {
        checks
            .check(&rules::PEER_DOWN, view.set())
            .message("the members see each other up")
            .pass();
    }
}

fn heartbeats(view: &View<'_>, checks: &mut Checks) {
    let Some(config) = view.config else {
        return;
    };
    // Two beats, and never less than a busy host may take for one.
    let warn = (2.0 * config.heartbeat_interval_ms as f64 / 1e3).max(4.0);
    let fail = (config.heartbeat_timeout_s as f64).max(warn);
    let mut any = false;
    for up in view.members() {
        let Some(status) = up.status() else {
            continue;
        };
        for peer in status.members.iter().filter(|m| !m.me && m.health == 1) {
            let Some(heard) = peer.heard else {
                continue;
            };
            any = true;
            let age = status.date.duration_since(heard).as_secs_f64();
            if age >= warn {
                let level = if age >= fail {
                    Level::Error
                } else {
                    Level::Warning
                };
                let message = format!("has not heard from {} for {age:.1} s", peer.name);
                let check = checks
                    .check(&rules::HEARTBEAT, &up.node.host)
                    .message(message);
                check.expected(format!("< {warn:.0} s")).level(level).fail();
            }
        }
    }
    let stale = checks
        .as_slice()
        .iter()
        .any(|c| c.rule == rules::HEARTBEAT.code);
    if any && !stale {
        checks
            .check(&rules::HEARTBEAT, view.set())
            .message("every member hears every other")
            .pass();
    }
}

/// Whether a member serves in its role.
pub fn healthy(up: Up<'_>) -> bool {
    up.in_a_set() && matches!(up.state(), Some(PRIMARY | SECONDARY | ARBITER))
}
