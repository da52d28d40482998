//! Recorded answers of real servers in every state that was reproduced in the laboratory, served
//! again over the wire: the whole probe reads them, from TCP to verdict.
//!
//! `captures/NAME.json` holds what each node answered (INFO cut to the fields that are read), and
//! what an expert says of the state.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::{collections::BTreeMap, fs, path::Path, sync::Arc, time::Duration};

use futures::{StreamExt as _, stream};
use readygate_redis::{Redis, RedisConfig};
use readygate_sdk::{Check, CheckOutcome, Checks, Cx, Level, Probe as _};
use serde::Deserialize;
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinSet,
};

#[derive(Deserialize)]
struct Capture {
    note: String,
    verdict: String,
    redis_cli_check: serde_json::Value,
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    port: u16,
    state: String,
    #[serde(default)]
    replies: BTreeMap<String, String>,
}

/// Keeps what a capture needs alive: tasks, and ports that refuse.
#[derive(Default)]
struct Stage {
    tasks: JoinSet<()>,
    refusing: Vec<TcpSocket>,
}

impl Stage {
    /// Serves a capture; gives the addresses, in the order of the nodes.
    async fn set(&mut self, nodes: Vec<Node>) -> Vec<String> {
        let mut listeners = Vec::new();
        let mut ports = BTreeMap::new();
        for node in &nodes {
            if node.state == "refused" {
                // Bound and not listening: taken, and refusing.
                let socket = TcpSocket::new_v4().unwrap();
                socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
                ports.insert(node.port, socket.local_addr().unwrap().port());
                self.refusing.push(socket);
                listeners.push(None);
            } else {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                ports.insert(node.port, listener.local_addr().unwrap().port());
                listeners.push(Some(listener));
            }
        }
        let addresses = nodes
            .iter()
            .map(|n| format!("127.0.0.1:{}", ports[&n.port]))
            .collect();
        for (mut node, listener) in nodes.into_iter().zip(listeners) {
            for reply in node.replies.values_mut() {
                for (old, new) in &ports {
                    *reply = reply.replace(&format!(":{old}@"), &format!(":{new}@"));
                    *reply = reply.replace(&format!("port={old},"), &format!("port={new},"));
                    *reply =
                        reply.replace(&format!("master_port:{old}"), &format!("master_port:{new}"));
                }
            }
            if let Some(listener) = listener {
                self.tasks.spawn(serve(listener, Arc::new(node)));
            }
        }
        addresses
    }
}

async fn serve(listener: TcpListener, node: Arc<Node>) {
    let mut tasks = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let node = Arc::clone(&node);
        tasks.spawn(async move { drop(answer(stream, &node).await) });
    }
}

async fn answer(mut stream: TcpStream, node: &Node) -> std::io::Result<()> {
    match node.state.as_str() {
        "silent" => return std::future::pending().await,
        "full" => {
            let said = b"-ERR max number of clients + cluster connections reached\r\n";
            stream.write_all(said).await?;
            return stream.shutdown().await;
        }
        _ => {}
    }
    let (read, mut write) = stream.split();
    let mut reader = BufReader::new(read);
    loop {
        let count: usize = header(&mut reader).await?;
        let mut words = Vec::new();
        for _ in 0..count {
            let length = header(&mut reader).await?;
            let mut word = vec![0; length + 2];
            reader.read_exact(&mut word).await?;
            words.push(String::from_utf8_lossy(&word[..length]).into_owned());
        }
        let command = words.join(" ");
        let denied = node
            .replies
            .values()
            .find(|r| r.starts_with("-WRONGPASS") || r.starts_with("-NOAUTH"));
        let reply = match (node.replies.get(&command), denied) {
            (_, Some(denied)) => format!("{denied}\r\n"),
            (Some(reply), _) if reply.starts_with('-') => format!("{reply}\r\n"),
            (Some(reply), _) => format!("${}\r\n{reply}\r\n", reply.len()),
            (None, _) if words[0] == "AUTH" => "+OK\r\n".to_owned(),
            (None, _) => "-NOPERM this user has no permissions to run the command\r\n".to_owned(),
        };
        write.write_all(reply.as_bytes()).await?;
    }
}

async fn header(reader: &mut (impl AsyncBufReadExt + Unpin)) -> std::io::Result<usize> {
    let mut line = String::new();
    if reader.read_line(&mut line).await? == 0 {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line[1..].trim().parse().unwrap())
}

/// In the words of the captures.
fn verdict(checks: &[Check]) -> &'static str {
    let any = |holds: &dyn Fn(&Check) -> bool| checks.iter().any(holds);
    let failed = |level| move |c: &Check| c.outcome == CheckOutcome::Failed && c.level == level;
    if any(&failed(Level::Error)) {
        "fail"
    } else if any(&|c| c.outcome == CheckOutcome::Unmeasured) {
        "error"
    } else if any(&failed(Level::Warning)) {
        "warn"
    } else {
        "pass"
    }
}

async fn replay(name: String, capture: Capture) -> Result<(String, String), String> {
    let mut stage = Stage::default();
    let total = capture.nodes.len();
    let mut nodes = stage.set(capture.nodes).await;
    nodes.truncate(6);
    let mut with = json!({
        "nodes": nodes, "settle": "0s", "node_timeout": "3s", "hit_rate": {"window": "0s"},
    });
    if total == 1 {
        with["topology"] = json!({"nodes": 1});
    }
    if name.starts_with("13") && !name.starts_with("13a") {
        with["password"] = json!("whatever it was");
    }
    let config: RedisConfig = serde_json::from_value(with).unwrap();
    Redis::validate(&config).unwrap();
    let cx = Cx::builder(Duration::from_secs(60)).build();
    let measured = Redis::measure(&config, &cx).await.unwrap();
    let read = serde_json::from_str(&serde_json::to_string(&measured).unwrap()).unwrap();
    assert_eq!(measured, read);
    let mut checks = Checks::new();
    Redis::judge(&config, &read, &mut checks);
    let ours = verdict(checks.as_slice());
    if ours == capture.verdict {
        return Ok((ours.to_owned(), capture.redis_cli_check.to_string()));
    }
    let wrong = checks
        .as_slice()
        .iter()
        .filter(|c| c.outcome != CheckOutcome::Passed);
    let lines: Vec<String> = wrong
        .map(|c| format!("  {:?} {} {}: {}", c.outcome, c.rule, c.subject, c.message))
        .collect();
    Err(format!(
        "{name} ({}): {ours}, an expert says {}\n{}",
        capture.note,
        capture.verdict,
        lines.join("\n")
    ))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_recorded_state_gets_the_experts_verdict() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/captures"));
    let mut captures = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        captures.push((name, serde_json::from_str::<Capture>(&text).unwrap()));
    }
    assert!(captures.len() >= 48, "{} captures", captures.len());
    // A few at a time, so that on a busy machine no node is late that answers.
    let replays = stream::iter(captures).map(|(name, capture)| replay(name, capture));
    let results: Vec<_> = replays.buffer_unordered(6).collect().await;
    let wrong: Vec<&String> = results.iter().filter_map(|r| r.as_ref().err()).collect();
    assert!(
        wrong.is_empty(),
        "{} states\n{}",
        wrong.len(),
        wrong
            .iter()
            .map(|s| s.as_str())
            .collect::<Vec<_>>()
            .join("\n")
    );
    let told: Vec<(String, String)> = results.into_iter().flatten().collect();
    let healthy = told.iter().filter(|(ours, _)| ours == "pass").count();
    assert_eq!((healthy, told.len() - healthy), (6, 42));
    // Where `redis-cli --cluster check` fails, the probe never passes.
    assert!(
        told.iter()
            .all(|(ours, theirs)| theirs == "0" || ours != "pass")
    );
}

#[tokio::test]
async fn valkey_is_named_and_treated_alike() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/captures/00-healthy.json"
    );
    let mut capture: Capture = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    for node in &mut capture.nodes {
        let info = node.replies.get_mut("INFO").unwrap();
        let theirs = "redis_version:7.2.4\nserver_name:valkey\nvalkey_version:8.1.1\n";
        *info = info.replacen("redis_version:7.0.15\n", theirs, 1);
        *info = info.replacen("redis_mode:", "server_mode:", 1);
    }
    let mut stage = Stage::default();
    let nodes = stage.set(capture.nodes).await;
    let with = json!({"nodes": nodes, "settle": "0s", "hit_rate": {"window": "0s"}});
    let config: RedisConfig = serde_json::from_value(with).unwrap();
    let cx = Cx::builder(Duration::from_secs(20)).build();
    let measured = Redis::measure(&config, &cx).await.unwrap();
    let mut checks = Checks::new();
    Redis::judge(&config, &measured, &mut checks);
    assert_eq!(verdict(checks.as_slice()), "pass");
    let metrics = Redis::metrics(&measured);
    assert_eq!(
        metrics.get("server.version").unwrap().display(),
        "valkey 8.1.1"
    );
}
