//! Locks, index builds, profiler, connections, URI, migrations, drill.

use readygate_sdk::{Checks, Level, Unit, count_of};

use super::view::View;
use crate::{
    config::{MigrationsWanted, MongodbConfig},
    measurement::{Answer, MigrationsRecord, MongodbMeasurement, ServerFacts},
    rules,
};

pub fn operations(config: &MongodbConfig, view: &View<'_>, checks: &mut Checks) {
    for up in view.data() {
        let Some(operations) = up.node.operations.as_ref().and_then(Answer::got) else {
            continue;
        };
        let level = if up.is_primary() {
            Level::Error
        } else {
            Level::Warning
        };
        let check = checks.check(&rules::FSYNC, &up.node.host).level(level);
        if operations.fsync_locked {
            let role = if up.is_primary() {
                "the primary: every write hangs"
            } else {
                "a secondary: it stops replicating"
            };
            check
                .message(format!("writes are blocked by fsyncLock on {role}"))
                .fail();
        } else {
            check.message("is not locked").pass();
        }
        let check = checks.check(&rules::BUILD_RUNNING, &up.node.host);
        if operations.index_builds.is_empty() {
            check.message("builds no index").pass();
        } else {
            check
                .details(operations.index_builds.iter().cloned())
                .fail();
        }
    }
    let answers = view
        .data()
        .filter_map(|up| Some((up.node, up.node.operations.as_ref()?)));
    super::not_measured(&rules::FSYNC, answers, checks);
    connections(config, view, checks);
    profilers(config, view, checks);
}

/// Connections in use, in percent of all that there can be.
pub fn used(server: &ServerFacts) -> f64 {
    // Internal connections may exceed the limit: what is left is then negative.
    let all = server.connections + server.available.max(0);
    100.0 * server.connections as f64 / all.max(1) as f64
}

fn connections(config: &MongodbConfig, view: &View<'_>, checks: &mut Checks) {
    let limits = &config.limits;
    for up in view.members() {
        let Some(server) = up.node.server.as_ref().and_then(Answer::got) else {
            continue;
        };
        let used = used(server);
        let level = if used >= limits.connections {
            Level::Error
        } else {
            Level::Warning
        };
        let limit = if used >= limits.connections {
            limits.connections
        } else {
            limits.connections_warning
        };
        let message = format!(
            "{} connections, {} left",
            server.connections, server.available
        );
        let check = checks
            .check(&rules::CONNECTIONS, &up.node.host)
            .message(message);
        let well = used < limits.connections_warning;
        let check = if well { check } else { check.level(level) };
        let actual = Unit::Percent.format((used * 10.0).round() / 10.0);
        check
            .expected(format!("< {}", Unit::Percent.format(limit)))
            .actual(actual)
            .passed_if(well);
    }
    let answers = view
        .members()
        .filter_map(|up| Some((up.node, up.node.server.as_ref()?)));
    super::not_measured(&rules::CONNECTIONS, answers, checks);
}

fn profilers(config: &MongodbConfig, view: &View<'_>, checks: &mut Checks) {
    let most = i64::try_from(config.limits.slow_query.0.as_millis()).unwrap_or(i64::MAX);
    for up in view.data() {
        for record in &up.node.profilers {
            let subject = format!("{} {}", up.node.host, record.database);
            let Some(found) = record.settings.got() else {
                continue;
            };
            let logged = found.slow_ms >= 0 && found.slow_ms <= most && found.sample_rate >= 1.0;
            let message = format!(
                "logs {} % of the operations slower than {} ms",
                found.sample_rate * 100.0,
                found.slow_ms
            );
            let check = checks.check(&rules::SLOW_LOG, &subject).message(message);
            check
                .expected(format!("100 %, from {most} ms or less"))
                .passed_if(logged);
            let check = checks.check(&rules::PROFILER, &subject);
            check
                .message(format!("the profiler is at level {}", found.level))
                .expected("level 0 or 1")
                .passed_if(found.level < 2);
        }
    }
    let answers = view.data().flat_map(|up| {
        up.node
            .profilers
            .iter()
            .map(move |p| (up.node, &p.settings))
    });
    super::not_measured(&rules::SLOW_LOG, answers, checks);
}

/// What the URI says: what no application of a set should do, and what this one should.
pub fn uri(config: &MongodbConfig, measured: &MongodbMeasurement, checks: &mut Checks) {
    let uri = &measured.uri;
    let mut wrong = Vec::new();
    if uri.direct {
        wrong.push("directConnection=true ties it to one member".to_owned());
    }
    if uri.seeds.len() < 2 && !uri.srv {
        wrong.push("it names one seed only".to_owned());
    }
    if uri.write_concern.as_deref() == Some("0") {
        wrong.push("w=0 does not wait for any write".to_owned());
    }
    if uri.retry_writes == Some(false) {
        wrong.push("retryWrites=false makes errors of failovers".to_owned());
    }
    let check = checks.check(&rules::URI, "uri");
    if wrong.is_empty() {
        check.message("is fit for an application of a set").pass();
    } else {
        check.details(wrong).fail();
    }
    let Some(client) = &config.client else {
        return;
    };
    let text =
        |value: &Option<String>, default: &str| value.clone().unwrap_or_else(|| default.to_owned());
    let mut compare = |name: &str, wanted: Option<String>, found: String| {
        if let Some(wanted) = wanted {
            let check = checks.check(&rules::URI, name).level(Level::Error);
            check
                .message(format!("the URI says {found}"))
                .expected(&wanted)
                .passed_if(wanted == found);
        }
    };
    compare(
        "readPreference",
        client.read_preference.clone(),
        text(&uri.read_preference, "primary"),
    );
    compare(
        "w",
        client.write_concern.clone(),
        text(&uri.write_concern, "majority"),
    );
    let pool = uri.max_pool_size.unwrap_or(100);
    compare(
        "maxPoolSize",
        client.max_pool_size.map(|n| n.to_string()),
        pool.to_string(),
    );
}

pub fn migrations(config: &MongodbConfig, measured: &MongodbMeasurement, checks: &mut Checks) {
    let Some(wanted) = &config.migrations else {
        return;
    };
    let subject = wanted.collection.as_str();
    let found = match &measured.migrations {
        Some(Answer::Got { value }) => value,
        Some(Answer::Refused { message, .. }) => {
            let message =
                format!("could not be read: {message}; the user needs `read` on its database");
            return checks
                .check(&rules::MIGRATIONS, subject)
                .unmeasured(message);
        }
        Some(Answer::Lost { message }) => {
            let message = format!("could not be read: {message}");
            return checks
                .check(&rules::MIGRATIONS, subject)
                .unmeasured(message);
        }
        None => {
            return checks
                .check(&rules::MIGRATIONS, subject)
                .unmeasured("was not read");
        }
    };
    applied(wanted, found, checks);
}

fn applied(wanted: &MigrationsWanted, found: &MigrationsRecord, checks: &mut Checks) {
    let subject = wanted.collection.as_str();
    let missing: Vec<_> = wanted
        .expected
        .iter()
        .filter(|name| !found.applied.contains(name))
        .collect();
    let check = checks.check(&rules::MIGRATIONS, subject);
    let all = wanted.expected.len() as u64;
    if missing.is_empty() {
        check
            .message(format!("holds all {all} migrations of this release"))
            .pass();
    } else {
        let lacks = count_of(missing.len() as u64, "migration", "migrations");
        let names = missing.iter().take(20).map(|name| (*name).clone());
        check
            .message(format!("lacks {lacks} of {all}"))
            .details(names)
            .fail();
    }
    let unknown: Vec<_> = found
        .applied
        .iter()
        .filter(|name| !wanted.expected.contains(name))
        .cloned()
        .collect();
    let check = checks.check(&rules::MIGRATIONS_AHEAD, subject);
    if unknown.is_empty() {
        check.message("holds no other migration").pass();
    } else {
        check
            .message(format!(
                "holds migrations that this release does not know, {} in all",
                found.total
            ))
            .details(unknown)
            .fail();
    }
}

pub fn drill(config: &MongodbConfig, measured: &MongodbMeasurement, checks: &mut Checks) {
    let Some(wanted) = &config.drill else {
        return;
    };
    let Some(drill) = &measured.drill else {
        return checks
            .check(&rules::DRILL_NOT_BEGUN, "drill")
            .unmeasured("no drill was recorded");
    };
    let before = drill.before.as_deref().unwrap_or("the primary");
    if let Some(why) = &drill.not_begun {
        return checks
            .check(&rules::DRILL_NOT_BEGUN, before)
            .unmeasured(format!("the drill was not begun: {why}"));
    }
    if let Some(why) = &drill.not_stepped_down {
        let check = checks.check(&rules::DRILL, before);
        return check.message("did not step down").actual(why).fail();
    }
    let check = checks.check(&rules::DRILL, before);
    let gap = drill
        .write_gap_s
        .map_or("for ever".to_owned(), |s| Unit::Seconds.format(s));
    match drill.recovered_after_s {
        Some(after) if drill.left.is_empty() => {
            let after = Unit::Seconds.format(after);
            let next = drill.after.as_deref().unwrap_or("another member");
            check
                .message(format!(
                    "{next} took over; no write for {gap}, all well after {after}"
                ))
                .pass();
        }
        _ => {
            let message = format!(
                "the set was not well again within {}; no write for {gap}",
                wanted.recovery
            );
            check
                .message(message)
                .details(drill.left.iter().cloned())
                .fail();
        }
    }
}
