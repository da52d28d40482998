//! Six servers that are one cluster.

use std::{collections::BTreeSet, fmt::Write as _, fs, net::Ipv4Addr, time::Duration};

use super::{Blueprint, Redis, RedisOptions, ports, program};
use crate::server::{StackError, folder, now, pause};

/// How long a cluster may take to come together.
const PATIENCE: Duration = Duration::from_secs(60);
const SLOTS: u16 = 16_384;

/// A cluster on loopback: the first half are masters, each followed by one of the second half.
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<Redis>,
    ids: Vec<String>,
}

impl RedisCluster {
    /// Starts three masters and three replicas, and waits until all agree.
    pub fn start(options: &RedisOptions) -> Result<Self, StackError> {
        let cluster = Self::prepare(options, true)?;
        cluster.wait_until_well()?;
        Ok(cluster)
    }

    /// Starts six nodes that were never joined.
    pub fn apart(options: &RedisOptions) -> Result<Self, StackError> {
        Self::prepare(options, false)
    }

    /// Every node gets the finished map on disk before it starts: no MEET, no gossip to await.
    fn prepare(options: &RedisOptions, joined: bool) -> Result<Self, StackError> {
        let program = program()?;
        let mut plans = Vec::new();
        let mut taken = BTreeSet::new();
        while plans.len() < 6 {
            let (port, bus) = ports()?;
            if taken.contains(&port) || taken.contains(&bus) {
                continue;
            }
            taken.extend([port, bus]);
            let host = options
                .hosts
                .get(plans.len())
                .copied()
                .unwrap_or(Ipv4Addr::LOCALHOST);
            plans.push(Blueprint {
                host,
                port,
                bus: Some(bus),
                options: options.clone(),
                data: folder("redis")?.keep(),
                program: program.clone(),
            });
        }
        let ids: Vec<String> = plans
            .iter()
            .enumerate()
            .map(|(i, plan)| id(i, plan.port))
            .collect();
        if joined {
            for (index, plan) in plans.iter().enumerate() {
                let path = plan.data.join("nodes.conf");
                fs::write(path, map(&plans, &ids, index)).map_err(|error| StackError::Io {
                    what: "writing nodes.conf".into(),
                    error,
                })?;
            }
        }
        let mut nodes: Vec<Redis> = plans
            .into_iter()
            .map(|launch| Redis {
                server: None,
                launch,
            })
            .collect();
        for node in &mut nodes {
            node.start()?;
        }
        Ok(Self { nodes, ids })
    }

    /// The node at a position: 0 to 2 were started as masters, 3 to 5 as their replicas.
    pub fn node(&self, index: usize) -> &Redis {
        &self.nodes[index]
    }

    /// The same, to kill or start it.
    pub fn node_mut(&mut self, index: usize) -> &mut Redis {
        &mut self.nodes[index]
    }

    /// Its id in the cluster.
    pub fn id(&self, index: usize) -> &str {
        &self.ids[index]
    }

    /// `host:port` of every node.
    pub fn addresses(&self) -> Vec<String> {
        self.nodes
            .iter()
            .map(|node| node.address().to_string())
            .collect()
    }

    /// Waits until all six see the same whole cluster, with three replicas connected.
    pub fn wait_until_well(&self) -> Result<(), StackError> {
        self.wait("the cluster", |cluster| cluster.ailment().is_none())
    }

    /// Waits for anything else.
    pub fn wait(&self, what: &str, holds: impl Fn(&Self) -> bool) -> Result<(), StackError> {
        let deadline = now() + PATIENCE;
        while !holds(self) {
            if now() > deadline {
                return Err(StackError::NotUp {
                    name: what.to_owned(),
                    why: self.ailment().unwrap_or_else(|| "still waiting".to_owned()),
                    log: self.logs(),
                });
            }
            pause();
        }
        Ok(())
    }

    fn logs(&self) -> String {
        let logs = self
            .nodes
            .iter()
            .filter_map(|node| Some(node.server()?.log()));
        logs.collect::<Vec<_>>().join("\n")
    }

    /// What keeps the cluster from being well.
    fn ailment(&self) -> Option<String> {
        let mut views = BTreeSet::new();
        for node in &self.nodes {
            let asked: [&[&str]; 3] = [
                &["CLUSTER", "INFO"],
                &["CLUSTER", "NODES"],
                &["INFO", "replication"],
            ];
            let replies = match node.converse(&asked) {
                Ok(replies) => replies,
                Err(why) => return Some(format!("{}: {why}", node.address())),
            };
            let mut texts = replies.into_iter().map(|r| r.unwrap_or_else(|e| e));
            let (info, nodes, replication) = (texts.next()?, texts.next()?, texts.next()?);
            if !info.contains("cluster_state:ok") {
                return Some(format!(
                    "{}: {}",
                    node.address(),
                    info.lines().next().unwrap_or("")
                ));
            }
            let marks = ["fail", "handshake", "noaddr", "disconnected"];
            let lines = || nodes.lines().map(|l| l.split(' ').collect::<Vec<_>>());
            if let Some(mark) = marks.iter().find(|mark| {
                lines().any(|w| {
                    w.get(2)
                        .is_some_and(|f| f.split(',').any(|f| f.trim_end_matches('?') == **mark))
                        || w.get(7) == Some(*mark)
                })
            }) {
                return Some(format!("{}: {mark}", node.address()));
            }
            if replication.contains("master_link_status:down")
                || replication.contains("role:master") && replication.contains("connected_slaves:0")
            {
                return Some(format!("{}: replication is not up", node.address()));
            }
            views.insert(canonical(&nodes));
        }
        (views.len() != 1).then(|| "the views differ".to_owned())
    }
}

/// Ids, roles, masters and slots, sorted.
fn canonical(nodes: &str) -> Vec<String> {
    let mut lines: Vec<String> = nodes
        .lines()
        .map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            let role = words.get(2).map_or("", |flags| {
                if flags.contains("master") {
                    "master"
                } else {
                    "slave"
                }
            });
            let rest = words.get(8..).unwrap_or_default().join(" ");
            format!("{} {role} {} {rest}", words[0], words.get(3).unwrap_or(&""))
        })
        .collect();
    lines.sort();
    lines
}

fn id(index: usize, port: u16) -> String {
    format!("{:08x}{index:032x}", u32::from(port) * 65_537)
}

fn map(plans: &[Blueprint], ids: &[String], me: usize) -> String {
    let third = |n: u32| u32::from(SLOTS) * n / 3;
    let mut text = String::new();
    for (index, plan) in plans.iter().enumerate() {
        let myself = if index == me { "myself," } else { "" };
        let bus = plan.bus.unwrap_or_default();
        let _ = write!(
            text,
            "{} {}:{}@{bus} {myself}",
            ids[index], plan.host, plan.port
        );
        let _ = match (u32::try_from(index), index.checked_sub(3)) {
            (Ok(n @ 0..3), _) => {
                let (from, to) = (third(n), third(n + 1) - 1);
                writeln!(text, "master - 0 0 {} connected {from}-{to}", n + 1)
            }
            (n, master) => {
                let epoch = n.unwrap_or_default() + 1;
                writeln!(
                    text,
                    "slave {} 0 0 {epoch} connected",
                    ids[master.unwrap_or_default()]
                )
            }
        };
    }
    text + "vars currentEpoch 6 lastVoteEpoch 0\n"
}
