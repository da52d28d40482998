//! Answers of MongoDB to facts. Pure; nothing that is missing or of another type is an error here:
//! managed services leave fields out.

use jiff::Timestamp;
use mongodb::bson::{Bson, Document};

use crate::measurement::{
    Election, Hello, IndexRecord, MemberConfig, MemberView, OpTime, Operations, Profiler,
    ServerFacts, SetConfig, Status,
};

const MOST_MEMBERS: usize = 50; // a replica set has no more
const MOST_BUILDS: usize = 20;

/// `hello`
pub fn hello(answer: &Document) -> Hello {
    let mut hosts = Vec::new();
    for list in ["hosts", "passives", "arbiters"] {
        hosts.extend(texts(answer, list));
    }
    hosts.truncate(MOST_MEMBERS);
    let write = child(answer, "lastWrite");
    Hello {
        set_name: text(answer, "setName"),
        me: text(answer, "me"),
        primary: text(answer, "primary"),
        writable: truth(answer, "isWritablePrimary") || truth(answer, "ismaster"),
        secondary: truth(answer, "secondary"),
        arbiter: truth(answer, "arbiterOnly"),
        mongos: text(answer, "msg").is_some_and(|msg| msg == "isdbgrid"),
        hosts,
        arbiters: texts(answer, "arbiters"),
        election: answer
            .get_object_id("electionId")
            .ok()
            .map(mongodb::bson::oid::ObjectId::to_hex),
        local_time: date(answer, "localTime"),
        applied: write.and_then(|w| optime(w, "opTime")),
        committed: write.and_then(|w| optime(w, "majorityOpTime")),
    }
}

/// `replSetGetStatus`; `None` where the answer lacks the members (not offered by the service).
pub fn status(answer: &Document) -> Option<Status> {
    let members = answer.get_array("members").ok()?;
    let members = members
        .iter()
        .filter_map(Bson::as_document)
        .take(MOST_MEMBERS);
    let optimes = child(answer, "optimes");
    let election = child(answer, "electionCandidateMetrics");
    Some(Status {
        state: small(answer, "myState")?,
        term: number(answer, "term").unwrap_or_default(),
        date: date(answer, "date")?,
        write_majority: count(answer, "writeMajorityCount"),
        voting: count(answer, "votingMembersCount"),
        writable_voting: count(answer, "writableVotingMembersCount"),
        applied: optimes.and_then(|o| optime(o, "appliedOpTime")),
        committed: optimes.and_then(|o| optime(o, "lastCommittedOpTime")),
        election: election.and_then(|e| {
            Some(Election {
                at: date(e, "lastElectionDate")?,
                term: number(e, "electionTerm")?,
                reason: text(e, "lastElectionReason").unwrap_or_default(),
            })
        }),
        initial_sync: child(answer, "initialSyncStatus").map(initial_sync),
        members: members.filter_map(member_view).collect(),
    })
}

fn initial_sync(status: &Document) -> String {
    let of = |name| number(status, name).unwrap_or_default();
    let left = status
        .get("remainingInitialSyncEstimatedMillis")
        .and_then(as_number);
    let left = left
        .map(|ms| format!(", about {} s left", ms / 1000))
        .unwrap_or_default();
    format!(
        "{} of {} bytes copied, {} failed attempts{left}",
        of("approxTotalBytesCopied"),
        of("approxTotalDataSize"),
        of("failedInitialSyncAttempts"),
    )
}

fn member_view(member: &Document) -> Option<MemberView> {
    Some(MemberView {
        name: text(member, "name")?,
        me: truth(member, "self"),
        state: small(member, "state")?,
        state_name: text(member, "stateStr").unwrap_or_default(),
        health: small(member, "health").unwrap_or_default(),
        heard: date(member, "lastHeartbeatRecv").filter(|at| at.as_second() > 0),
        message: text(member, "lastHeartbeatMessage").unwrap_or_default(),
    })
}

/// `replSetGetConfig`
pub fn config(answer: &Document) -> Option<SetConfig> {
    let config = child(answer, "config")?;
    let settings = child(config, "settings");
    let setting = |name, otherwise| settings.and_then(|s| number(s, name)).unwrap_or(otherwise);
    let members = config.get_array("members").ok()?;
    let members = members
        .iter()
        .filter_map(Bson::as_document)
        .take(MOST_MEMBERS);
    Some(SetConfig {
        name: text(config, "_id")?,
        version: number(config, "version").unwrap_or_default(),
        term: number(config, "term").unwrap_or_default(),
        members: members.filter_map(member_config).collect(),
        heartbeat_interval_ms: setting("heartbeatIntervalMillis", 2000),
        heartbeat_timeout_s: setting("heartbeatTimeoutSecs", 10),
    })
}

fn member_config(member: &Document) -> Option<MemberConfig> {
    let delay = number(member, "secondaryDelaySecs").or_else(|| number(member, "slaveDelay"));
    Some(MemberConfig {
        host: text(member, "host")?,
        arbiter: truth(member, "arbiterOnly"),
        hidden: truth(member, "hidden"),
        priority: float(member, "priority").unwrap_or(1.0),
        votes: small(member, "votes").unwrap_or(1),
        delay_s: delay.unwrap_or_default(),
        build_indexes: member.get_bool("buildIndexes").unwrap_or(true),
    })
}

/// `serverStatus`
pub fn server(answer: &Document) -> Option<ServerFacts> {
    let connections = child(answer, "connections")?;
    let won = child(answer, "electionMetrics").map(|reasons| {
        let won = reasons.values().filter_map(Bson::as_document);
        won.filter_map(|reason| number(reason, "successful"))
            .sum::<i64>()
    });
    Some(ServerFacts {
        version: text(answer, "version")?,
        uptime_s: number(answer, "uptimeMillis").unwrap_or_default() as f64 / 1e3,
        connections: number(connections, "current")?,
        available: number(connections, "available")?,
        elections_won: won.and_then(|n| u64::try_from(n).ok()),
    })
}

/// `getParameter: featureCompatibilityVersion`
pub fn fcv(answer: &Document) -> Option<String> {
    text(child(answer, "featureCompatibilityVersion")?, "version")
}

/// `currentOp` with our filter
pub fn operations(answer: &Document) -> Option<Operations> {
    let list = answer.get_array("inprog").ok()?;
    let builds = list.iter().filter_map(Bson::as_document).filter_map(|op| {
        let ns = text(op, "ns").unwrap_or_default();
        // A set that has just been formed builds indexes of its own.
        let own = ["admin.", "config.", "local."]
            .iter()
            .any(|own| ns.starts_with(own));
        let what = text(op, "msg").unwrap_or_else(|| "createIndexes".to_owned());
        (!own).then(|| short(&format!("{ns}: {what}")))
    });
    Some(Operations {
        fsync_locked: truth(answer, "fsyncLock"),
        index_builds: builds.take(MOST_BUILDS).collect(),
    })
}

/// `profile: -1`
pub fn profiler(answer: &Document) -> Option<Profiler> {
    Some(Profiler {
        level: small(answer, "was")?,
        slow_ms: number(answer, "slowms")?,
        sample_rate: float(answer, "sampleRate").unwrap_or(1.0),
    })
}

/// An entry of `$indexStats` (or of `listIndexes` with build information)
pub fn index(entry: &Document) -> Option<IndexRecord> {
    let spec = child(entry, "spec").unwrap_or(entry);
    let building = truth(entry, "building") || entry.contains_key("indexBuildInfo");
    let weights = child(spec, "weights");
    let mut keys = Vec::new();
    for (key, way) in child(spec, "key")? {
        match (key.as_str(), weights) {
            // A text index stores its fields as weights.
            ("_fts", Some(weights)) => {
                keys.extend(
                    weights
                        .keys()
                        .map(|field| (field.clone(), "text".to_owned())),
                );
            }
            ("_ftsx", Some(_)) => {}
            _ => keys.push((key.clone(), direction(way))),
        }
    }
    Some(IndexRecord {
        name: text(spec, "name")?,
        keys,
        unique: truth(spec, "unique"),
        sparse: truth(spec, "sparse"),
        hidden: truth(spec, "hidden"),
        building,
        expire_after_s: number(spec, "expireAfterSeconds"),
        partial_filter: child(spec, "partialFilterExpression")
            .and_then(|filter| serde_json::to_value(filter).ok()),
    })
}

fn direction(way: &Bson) -> String {
    match way {
        Bson::String(kind) => kind.clone(),
        other => as_number(other).map_or_else(|| other.to_string(), |n| n.to_string()),
    }
}

/// The field `ts` of an oplog entry
pub fn timestamp(entry: &Document, name: &str) -> Option<OpTime> {
    let ts = entry.get_timestamp(name).ok()?;
    Some(OpTime {
        seconds: ts.time,
        increment: ts.increment,
    })
}

fn optime(parent: &Document, name: &str) -> Option<OpTime> {
    let found = timestamp(child(parent, name)?, "ts");
    // A member that has not applied anything yet is at the beginning of time.
    found.filter(|at| at.seconds > 0)
}

fn child<'a>(document: &'a Document, name: &str) -> Option<&'a Document> {
    document.get_document(name).ok()
}

/// A text, cut where it is absurdly long.
pub fn text(document: &Document, name: &str) -> Option<String> {
    document.get_str(name).ok().map(short)
}

fn short(text: &str) -> String {
    readygate_sdk::excerpt(text, 300)
}

fn texts(document: &Document, name: &str) -> Vec<String> {
    let list = document
        .get_array(name)
        .map(Vec::as_slice)
        .unwrap_or_default();
    list.iter()
        .filter_map(Bson::as_str)
        .take(MOST_MEMBERS)
        .map(str::to_owned)
        .collect()
}

fn truth(document: &Document, name: &str) -> bool {
    document.get_bool(name).unwrap_or(false)
}

/// A number of whatever type, whole.
pub fn number(document: &Document, name: &str) -> Option<i64> {
    document.get(name).and_then(as_number)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "`as` saturates, and NaN becomes 0"
)]
fn as_number(value: &Bson) -> Option<i64> {
    match value {
        Bson::Int32(n) => Some(i64::from(*n)),
        Bson::Int64(n) => Some(*n),
        Bson::Double(n) => Some(*n as i64),
        _ => None,
    }
}

fn float(document: &Document, name: &str) -> Option<f64> {
    match document.get(name)? {
        Bson::Double(n) => Some(*n).filter(|n| n.is_finite()),
        other => as_number(other).map(|n| n as f64),
    }
}

fn small(document: &Document, name: &str) -> Option<i32> {
    number(document, name).and_then(|n| i32::try_from(n).ok())
}

fn count(document: &Document, name: &str) -> Option<u32> {
    number(document, name).and_then(|n| u32::try_from(n).ok())
}

fn date(document: &Document, name: &str) -> Option<Timestamp> {
    let millis = document.get_datetime(name).ok()?.timestamp_millis();
    Timestamp::from_millisecond(millis).ok()
}
