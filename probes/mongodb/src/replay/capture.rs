//! A recorded capture as the measurement that the probe would have brought back.

use std::{fs, path::Path};

use mongodb::bson::Document;
use serde_json::Value;

use crate::{
    facts,
    measurement::{
        Answer, Login, MongodbMeasurement, NodeRecord, Oplog, Reach, SettleRecord, TlsProblem,
        UriFacts,
    },
};

pub fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures")
}

pub fn read(name: &str) -> Value {
    let text = fs::read_to_string(folder().join(format!("{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

pub fn document(json: &Value) -> Document {
    serde_json::from_value(json.clone()).unwrap()
}

pub fn measurement(name: &str) -> MongodbMeasurement {
    let capture = read(name);
    let mut since = 0.0;
    let mut nodes: Vec<NodeRecord> = Vec::new();
    for recorded in capture["nodes"].as_array().unwrap() {
        nodes.push(node(name, recorded, since));
        since += recorded["total_ms"].as_f64().unwrap() / 1e3;
    }
    // The recorder asked one after the other and kept the server's time only: the offsets are
    // those from the first member's clock.
    let first = nodes.iter().find_map(|n| n.clock_offset_s);
    for node in &mut nodes {
        node.clock_offset_s = node
            .clock_offset_s
            .zip(first)
            .map(|(own, first)| own - first);
    }
    MongodbMeasurement {
        uri: UriFacts {
            seeds: nodes
                .iter()
                .map(|n| n.host.clone())
                .chain(["second:27017".to_owned()])
                .collect(),
            ..UriFacts::default()
        },
        nodes,
        dials: Vec::new(),
        client: None,
        settle: SettleRecord {
            looks: 1,
            ..SettleRecord::default()
        },
        indexes_missing: None,
        migrations: None,
        drill: None,
    }
}

fn node(name: &str, recorded: &Value, since: f64) -> NodeRecord {
    let mut hello = recorded["hello"].clone();
    let mut login = Login::Anonymous;
    let mut reach = Reach::Answered;
    if hello["code"] == 18 {
        // Rejected credentials: the probe asks again without. The set of 11a is the same one.
        let anonymous = read("11a-auth-none");
        let same = anonymous["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .find(|n| n["port"] == recorded["port"]);
        let same = same.unwrap().clone();
        let mut node = node("11a-auth-none", &same, since);
        node.login = Login::Rejected {
            message: hello["msg"].as_str().unwrap().to_owned(),
        };
        return node;
    }
    if let Some(message) = hello["msg"].as_str().filter(|_| hello["ERR"].is_string()) {
        reach = reach_of(name, message);
        hello = Value::Null;
    } else if name.starts_with("11c") {
        login = Login::Accepted;
    }
    let hello = (!hello.is_null()).then(|| facts::hello(&document(&hello)));
    let clock = hello.as_ref().and_then(|h| h.local_time);
    let oplog = |answer: &Document| {
        let end = |name| facts::timestamp(answer.get_document(name).ok()?, "ts");
        // Sizes as 19b recorded them for a set of the same age.
        Some(Oplog {
            first: end("first")?,
            last: end("last")?,
            size: 5464,
            max_size: 67_108_864,
        })
    };
    NodeRecord {
        host: format!("127.0.0.1:{}", recorded["port"]),
        named: true,
        reach,
        login,
        took_ms: recorded["total_ms"].as_f64().unwrap(),
        clock_offset_s: clock.map(|at| at.as_millisecond() as f64 / 1e3 - since),
        status: answer(&recorded["replSetGetStatus"], facts::status),
        config: answer(&recorded["replSetGetConfig"], facts::config),
        server: answer(&recorded["serverStatus"], facts::server),
        oplog: answer(&recorded["oplog"], oplog),
        fcv: answer(&recorded["getParameter.fcv"], facts::fcv),
        operations: None,
        profilers: Vec::new(),
        indexes: Vec::new(),
        later: None,
        hello,
    }
}

fn answer<T>(recorded: &Value, read: impl Fn(&Document) -> Option<T>) -> Option<Answer<T>> {
    if recorded.is_null() {
        return None;
    }
    if recorded["ERR"].is_string() {
        let text = |field: &str| recorded[field].as_str().unwrap_or_default().to_owned();
        return Some(match recorded["code"].as_i64() {
            Some(code) => Answer::Refused {
                code: i32::try_from(code).unwrap(),
                name: text("codeName"),
                message: text("msg"),
            },
            None => Answer::Lost {
                message: text("msg"),
            },
        });
    }
    let lost = || Answer::Lost {
        message: "nothing in it".to_owned(),
    };
    Some(read(&document(recorded)).map_or_else(lost, |value| Answer::Got { value }))
}

/// What the probe finds where the recorder's client (pymongo) only had these words; the `live`
/// tests show that it does.
fn reach_of(capture: &str, message: &str) -> Reach {
    let message = message.to_owned();
    let tls = |problem| Reach::Tls {
        problem,
        message: message.clone(),
    };
    match capture.get(..3).unwrap() {
        "25a" => tls(TlsProblem::Required),
        "25b" => tls(TlsProblem::Untrusted),
        "25d" => tls(TlsProblem::WrongName),
        "25e" => tls(TlsProblem::NotSpoken),
        "25f" => tls(TlsProblem::ClientCertificate),
        "28-" => Reach::Closed { message },
        _ if message.contains("refused") => Reach::Refused { message },
        _ if message.contains("timed out") || message.contains("No servers found") => {
            Reach::Hung { waited_s: 2.0 }
        }
        _ => panic!("{capture}: {message}"),
    }
}
