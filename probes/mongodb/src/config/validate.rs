//! What cannot work, found without I/O.

use std::time::Duration;

use readygate_sdk::ConfigError;

use super::{Limits, MongodbConfig};
use crate::uri;

pub fn validate(config: &MongodbConfig) -> Result<(), ConfigError> {
    let mut error = ConfigError::new();
    if let Err(problem) = uri::parse(config.uri.expose()) {
        let hint =
            "mongodb://a:27017,b:27017,c:27017/?replicaSet=rs0; percent-encode user and password";
        error.add("/uri", problem, Some(hint));
    }
    if config.node_timeout.0 < Duration::from_millis(100) {
        error.add(
            "/node_timeout",
            "a member needs 100ms at least to answer",
            None,
        );
    }
    hosts(config, &mut error);
    topology(config, &mut error);
    limits(&config.limits, &mut error);
    names(config, &mut error);
    error.into_result()
}

fn hosts(config: &MongodbConfig, error: &mut ConfigError) {
    for (index, host) in config.hosts.iter().enumerate() {
        let pointer = format!("/hosts/{index}");
        let port = host.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
        if !matches!(port, Some(Ok(_))) {
            let message = format!("`{host}` is not HOST:PORT");
            error.add(
                pointer,
                message,
                Some("as `rs.conf().members[].host` spells it"),
            );
        } else if config.hosts[..index].contains(host) {
            error.add(pointer, format!("`{host}` is listed twice"), None);
        }
    }
}

fn topology(config: &MongodbConfig, error: &mut ConfigError) {
    let Some(topology) = &config.topology else {
        return;
    };
    let parts = [
        ("voting", topology.voting),
        ("arbiters", topology.arbiters),
        ("hidden", topology.hidden),
        ("delayed", topology.delayed),
    ];
    if topology.members.is_none() && parts.iter().all(|(_, n)| n.is_none()) {
        error.add(
            "/topology",
            "an empty topology wants nothing",
            Some("topology: { members: 3 }"),
        );
    }
    let Some(members) = topology.members else {
        return;
    };
    if members == 0 {
        error.add("/topology/members", "a set has at least one member", None);
    }
    for (name, part) in parts {
        if let Some(part) = part.filter(|part| *part > members) {
            let message = format!("{part} {name} of {members} members");
            error.add(format!("/topology/{name}"), message, None);
        }
    }
    let listed = config.hosts.len();
    if listed > 0 && listed != members as usize {
        let message = format!("{members} members, and `hosts` lists {listed}");
        error.add("/topology/members", message, None);
    }
}

fn limits(limits: &Limits, error: &mut ConfigError) {
    let mut order = |name: &str, holds: bool, first: String, second: String| {
        if !holds {
            let message = format!("the warning ({first}) comes after the failure ({second})");
            error.add(format!("/limits/{name}"), message, None);
        }
    };
    let (warning, fail) = (limits.lag_warning, limits.lag);
    order(
        "lag_warning",
        warning <= fail,
        warning.to_string(),
        fail.to_string(),
    );
    let (warning, fail) = (limits.commit_lag_warning, limits.commit_lag);
    order(
        "commit_lag_warning",
        warning <= fail,
        warning.to_string(),
        fail.to_string(),
    );
    let (warning, fail) = (limits.oplog_window_warning, limits.oplog_window);
    order(
        "oplog_window_warning",
        warning >= fail,
        warning.to_string(),
        fail.to_string(),
    );
    let (warning, fail) = (limits.connections_warning, limits.connections);
    order(
        "connections_warning",
        warning <= fail,
        warning.to_string(),
        fail.to_string(),
    );
    for (name, percent) in [("connections_warning", warning), ("connections", fail)] {
        if !(percent > 0.0 && percent <= 100.0) {
            let message = format!("`{percent}` is not a share in percent, above 0 and up to 100");
            error.add(format!("/limits/{name}"), message, None);
        }
    }
}

fn names(config: &MongodbConfig, error: &mut ConfigError) {
    for (index, wanted) in config.indexes.iter().enumerate() {
        namespace(
            &format!("/indexes/{index}/collection"),
            &wanted.collection,
            error,
        );
        if wanted.keys.0.is_empty() {
            let hint = Some("keys: { customer: 1, at: -1 }");
            error.add(
                format!("/indexes/{index}/keys"),
                "an index has at least one key",
                hint,
            );
        }
    }
    if let Some(migrations) = &config.migrations {
        namespace("/migrations/collection", &migrations.collection, error);
        if migrations.expected.is_empty() {
            error.add("/migrations/expected", "no migration is expected", None);
        }
    }
    if let Some(drill) = &config.drill {
        namespace("/drill/collection", &drill.collection, error);
        if drill.step_down.0 < Duration::from_secs(1) {
            error.add(
                "/drill/step_down",
                "MongoDB steps down for 1s at least",
                None,
            );
        }
    }
    let modes = [
        "primary",
        "primaryPreferred",
        "secondary",
        "secondaryPreferred",
        "nearest",
    ];
    let wanted = config
        .client
        .as_ref()
        .and_then(|c| c.read_preference.as_deref());
    if let Some(mode) = wanted.filter(|mode| !modes.contains(mode)) {
        let message = format!("`{mode}` is not a read preference");
        error.add(
            "/client/read_preference",
            message,
            Some("primary, secondaryPreferred, ..."),
        );
    }
}

fn namespace(pointer: &str, name: &str, error: &mut ConfigError) {
    let parts = name.split_once('.');
    if !matches!(parts, Some((database, collection)) if !database.is_empty() && !collection.is_empty())
    {
        let message = format!("`{name}` is not DATABASE.COLLECTION");
        error.add(pointer, message, Some("shop.orders"));
    }
}
