//! Reads what nodes say. Unknown fields are passed over, missing ones stay missing.

use std::collections::BTreeMap;

use crate::{
    address::{Address, advertised},
    measurement::{
        AttachedReplica, ClusterInfo, Direction, Info, Memory, OpenSlot, Peer, Persistence,
        Replication, Stats,
    },
};

/// Hash slots of a cluster.
pub(crate) const SLOTS: u16 = 16_384;
/// Lines of CLUSTER NODES that are read at most.
const MOST_PEERS: usize = 2_000;
/// Replicas, open slots and error codes of one node that are kept at most.
const MOST_KEPT: usize = 200;

struct Fields<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Fields<'a> {
    fn read(text: &'a str) -> Self {
        let pairs = text
            .lines()
            .filter_map(|line| line.trim_end().split_once(':'));
        Self(pairs.collect())
    }

    fn text(&self, name: &str) -> Option<String> {
        let value = self.0.get(name)?;
        (!value.is_empty()).then(|| readygate_sdk::excerpt(value, 200))
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.0.get(name)?.trim().parse().ok()
    }

    fn ratio(&self, name: &str) -> Option<f64> {
        let value: f64 = self.0.get(name)?.trim().parse().ok()?;
        value.is_finite().then_some(value)
    }

    fn flag(&self, name: &str) -> Option<bool> {
        self.number(name).map(|n| n != 0)
    }
}

pub(crate) fn cluster_info(text: &str) -> Option<ClusterInfo> {
    let fields = Fields::read(text);
    fields.0.contains_key("cluster_state").then(|| ClusterInfo {
        state: fields.text("cluster_state"),
        slots_assigned: fields.number("cluster_slots_assigned"),
        slots_ok: fields.number("cluster_slots_ok"),
        slots_pfail: fields.number("cluster_slots_pfail"),
        slots_fail: fields.number("cluster_slots_fail"),
        known_nodes: fields.number("cluster_known_nodes"),
        size: fields.number("cluster_size"),
        current_epoch: fields.number("cluster_current_epoch"),
    })
}

/// Reads CLUSTER NODES; none unless a line is the node's own.
pub(crate) fn peers(text: &str) -> Option<Vec<Peer>> {
    let peers: Vec<Peer> = text.lines().filter_map(peer).take(MOST_PEERS).collect();
    peers.iter().any(|p| p.is("myself")).then_some(peers)
}

fn peer(line: &str) -> Option<Peer> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [
        id,
        address,
        flags,
        master,
        _ping,
        _pong,
        epoch,
        link,
        rest @ ..,
    ] = words.as_slice()
    else {
        return None;
    };
    let (address, hostname) = advertised(address);
    let mut peer = Peer {
        id: readygate_sdk::excerpt(id, 40),
        address: address.map(|a| a.to_string()),
        hostname,
        flags: flags.split(',').take(16).map(str::to_owned).collect(),
        master: (*master != "-").then(|| readygate_sdk::excerpt(master, 40)),
        epoch: epoch.parse().unwrap_or_default(),
        linked: *link == "connected",
        slots: Vec::new(),
        open: Vec::new(),
    };
    for word in rest {
        if let Some(open) = word.strip_prefix('[') {
            peer.open
                .extend(open_slot(open).filter(|_| peer.open.len() < MOST_KEPT));
        } else {
            peer.slots.extend(range(word));
        }
    }
    peer.slots = merged(peer.slots);
    Some(peer)
}

/// `93->-ID]` and `93-<-ID]`
fn open_slot(text: &str) -> Option<OpenSlot> {
    let text = text.trim_end_matches(']');
    let migrating = text
        .split_once("->-")
        .map(|parts| (Direction::Migrating, parts));
    let importing = || {
        text.split_once("-<-")
            .map(|parts| (Direction::Importing, parts))
    };
    let (direction, (slot, peer)) = migrating.or_else(importing)?;
    Some(OpenSlot {
        slot: slot.parse().ok()?,
        direction,
        peer: readygate_sdk::excerpt(peer, 40),
    })
}

fn range(word: &str) -> Option<(u16, u16)> {
    let (from, to) = word.split_once('-').unwrap_or((word, word));
    let (from, to) = (from.parse().ok()?, to.parse().ok()?);
    (from <= to && to < SLOTS).then_some((from, to))
}

/// Sorted and joined, so that two spellings of the same slots are equal.
pub(crate) fn merged(mut ranges: Vec<(u16, u16)>) -> Vec<(u16, u16)> {
    ranges.sort_unstable();
    let mut out: Vec<(u16, u16)> = Vec::new();
    for (from, to) in ranges {
        match out.last_mut() {
            Some((_, end)) if from <= end.saturating_add(1) => *end = (*end).max(to),
            _ => out.push((from, to)),
        }
    }
    out
}

pub(crate) fn info(text: &str) -> Option<Info> {
    let fields = Fields::read(text);
    if !["redis_version", "role", "uptime_in_seconds"]
        .iter()
        .any(|f| fields.0.contains_key(f))
    {
        return None;
    }
    let (server, version) = identity(&fields);
    Some(Info {
        server,
        version,
        mode: fields.text("server_mode").or(fields.text("redis_mode")),
        run_id: fields.text("run_id"),
        uptime_s: fields.number("uptime_in_seconds"),
        replication: replication(&fields),
        loading: fields.flag("loading"),
        loading_eta_s: fields.number("loading_eta_seconds"),
        persistence: Persistence {
            rdb_status: fields.text("rdb_last_bgsave_status"),
            rdb_last_save: fields
                .0
                .get("rdb_last_save_time")
                .and_then(|v| v.parse().ok()),
            rdb_saves: fields.number("rdb_saves"),
            rdb_changes: fields.number("rdb_changes_since_last_save"),
            aof: fields.flag("aof_enabled"),
            aof_write_status: fields.text("aof_last_write_status"),
            aof_rewrite_status: fields.text("aof_last_bgrewrite_status"),
        },
        memory: Memory {
            used: fields.number("used_memory"),
            max: fields.number("maxmemory"),
            policy: fields.text("maxmemory_policy"),
            fragmentation: fields
                .ratio("allocator_frag_ratio")
                .or(fields.ratio("mem_fragmentation_ratio")),
            resident: fields.ratio("mem_fragmentation_ratio"),
        },
        stats: Stats {
            hits: fields.number("keyspace_hits"),
            misses: fields.number("keyspace_misses"),
            evicted: fields.number("evicted_keys"),
            rejected: fields.number("rejected_connections"),
        },
        errors: errors(&fields),
        clients: fields.number("connected_clients"),
        max_clients: fields.number("maxclients"),
    })
}

/// Valkey and others keep `redis_version` at a fixed value for old clients.
fn identity(fields: &Fields<'_>) -> (String, Option<String>) {
    for (server, field) in [
        ("valkey", "valkey_version"),
        ("dragonfly", "dragonfly_version"),
    ] {
        if let Some(version) = fields.text(field) {
            return (server.to_owned(), Some(version));
        }
    }
    let server = fields
        .text("server_name")
        .unwrap_or_else(|| "redis".to_owned());
    (server, fields.text("redis_version"))
}

fn replication(fields: &Fields<'_>) -> Replication {
    let role = fields.text("role");
    let replica = role.as_deref() == Some("slave");
    let master = match (fields.text("master_host"), fields.number("master_port")) {
        (Some(host), Some(port)) => u16::try_from(port).ok().map(|port| Address { host, port }),
        _ => None,
    };
    let offset = if replica {
        "slave_repl_offset"
    } else {
        "master_repl_offset"
    };
    Replication {
        replid: fields.text("master_replid"),
        offset: fields.number(offset),
        backlog_bytes: fields.number("repl_backlog_size"),
        master: master.map(|a| a.to_string()),
        link: fields.text("master_link_status"),
        last_io_s: fields.number("master_last_io_seconds_ago"),
        syncing: fields.flag("master_sync_in_progress"),
        connected_replicas: fields.number("connected_slaves"),
        replicas: attached(fields),
        good_replicas: fields.number("min_slaves_good_slaves"),
        role,
    }
}

/// `slave0:ip=127.0.0.1,port=7104,state=online,offset=0,lag=0`
fn attached(fields: &Fields<'_>) -> Vec<AttachedReplica> {
    let lines = fields.0.iter().filter(|(name, _)| {
        name.strip_prefix("slave")
            .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    });
    let replicas = lines.filter_map(|(_, line)| {
        let parts: BTreeMap<&str, &str> =
            line.split(',').filter_map(|p| p.split_once('=')).collect();
        let port = parts.get("port")?.parse().ok()?;
        let host = (*parts.get("ip")?).to_owned();
        Some(AttachedReplica {
            address: Address { host, port }.to_string(),
            state: readygate_sdk::excerpt(parts.get("state").unwrap_or(&""), 40),
            offset: parts
                .get("offset")
                .and_then(|v| v.parse().ok())
                .unwrap_or_default(),
            lag_s: parts
                .get("lag")
                .and_then(|v| v.parse().ok())
                .unwrap_or_default(),
        })
    });
    replicas.take(MOST_KEPT).collect()
}

/// `errorstat_OOM:count=3`
fn errors(fields: &Fields<'_>) -> BTreeMap<String, u64> {
    let lines = fields.0.iter().filter_map(|(name, value)| {
        let code = name.strip_prefix("errorstat_")?;
        let count = value.strip_prefix("count=")?.parse().ok()?;
        Some((readygate_sdk::excerpt(code, 40), count))
    });
    lines.take(MOST_KEPT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nofailover_is_not_fail() {
        let peers = peers(
            "aa 1.1.1.1:1@2 myself,slave,nofailover bb 0 0 3 connected\n\
             bb 1.1.1.2:1@2 master,fail? - 0 0 4 disconnected 0-5 7 [93->-aa] [77-<-cc]\nshort line\n",
        )
        .unwrap();
        assert_eq!(peers.len(), 2);
        assert!(peers[0].is("nofailover") && !peers[0].is("fail"));
        assert!(peers[1].is("fail?") && !peers[1].is("fail") && !peers[1].linked);
        assert_eq!(
            (peers[1].slots.clone(), peers[1].slot_count()),
            (vec![(0, 5), (7, 7)], 7)
        );
        assert_eq!(peers[1].open[0].direction, Direction::Migrating);
        assert_eq!(
            (peers[1].open[1].slot, peers[1].open[1].peer.as_str()),
            (77, "cc")
        );
    }

    #[test]
    fn a_list_without_the_node_itself_is_none() {
        assert_eq!(peers("aa 1.1.1.1:1@2 master - 0 0 3 connected"), None);
        assert_eq!(peers(""), None);
    }

    #[test]
    fn ranges_join_and_nonsense_is_passed_over() {
        assert_eq!(merged(vec![(6, 9), (0, 5), (11, 11), (8, 10)]), [(0, 11)]);
        assert_eq!(
            (range("5-1"), range("0-16384"), range("x")),
            (None, None, None)
        );
    }

    #[test]
    fn valkey_is_named_and_its_own_version_taken() {
        let read = info(
            "redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.1.0\r\nserver_mode:cluster\r\n",
        );
        let read = read.unwrap();
        assert_eq!(
            (read.server.as_str(), read.version.as_deref()),
            ("valkey", Some("8.1.0"))
        );
        assert_eq!(read.mode.as_deref(), Some("cluster"));
        assert_eq!(info("hello"), None);
    }

    #[test]
    fn replication_of_both_sides_is_read() {
        let master = info("role:master\r\nconnected_slaves:1\r\nslave0:ip=::1,port=7104,state=online,offset=42,lag=8\r\nmaster_repl_offset:99\r\nslave_expires_tracked_keys:0\r\n").unwrap();
        assert_eq!(master.replication.replicas[0].address, "[::1]:7104");
        assert_eq!(master.replication.replicas.len(), 1);
        assert_eq!(master.replication.offset, Some(99));
        let replica = info("role:slave\r\nmaster_host:a\r\nmaster_port:1\r\nslave_repl_offset:7\r\nmaster_repl_offset:9\r\n").unwrap();
        assert_eq!(
            (
                replica.replication.offset,
                replica.replication.master.as_deref()
            ),
            (Some(7), Some("a:1"))
        );
    }
}
