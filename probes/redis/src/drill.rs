//! The failover drill: a replica takes over from its master while a key of the shard is written,
//! and the old master gets its role back.

use std::{collections::BTreeSet, time::Duration};

use readygate_sdk::excerpt;
use tokio::time::{Instant, timeout, timeout_at};

use crate::{
    address::Entry,
    config::Drill,
    dial::{Door, Fault, Link},
    look::{Looked, Looker, seconds},
    measure::{named, wrong},
    measurement::{Contact, Denial, DrillRecord, Handover, NodeRecord, Phase, RedisMeasurement},
    parse::SLOTS,
    picture::Picture,
};

/// Between two writes, and between two looks at the replica.
const BEAT: Duration = Duration::from_millis(2);
/// A write that has no answer by then goes to the next node.
const WRITE: Duration = Duration::from_millis(250);
/// Writes that must come back after the promotion until the gap is over for sure.
const ENOUGH: u64 = 25;
const MOST_ERRORS: usize = 10;

/// The two nodes that swap roles.
struct Pair {
    replica: Entry,
    master: Entry,
    /// A key whose slot the master serves.
    key: String,
}

pub(crate) async fn hold(
    looker: &Looker<'_>,
    drill: &Drill,
    before: &RedisMeasurement,
) -> DrillRecord {
    let mut record = DrillRecord::default();
    if let Some(check) = wrong(looker.config, before).first() {
        let message = format!("the cluster is not well to begin with: {}", named(check));
        return not_held(record, "", &message);
    }
    let pair = match choose(drill, before) {
        Ok(pair) => pair,
        Err(message) => return not_held(record, "", &message),
    };
    let back = Pair {
        replica: pair.master.clone(),
        master: pair.replica.clone(),
        key: pair.key.clone(),
    };
    let turns = if drill.restore {
        vec![pair, back]
    } else {
        vec![pair]
    };
    for turn in turns {
        // Half a drill must not be begun without the time to see how it ends.
        if looker.cx.remaining() < drill.within.0 {
            return not_held(
                record,
                "",
                "the `timeout` of the gate leaves no time for `within`",
            );
        }
        let shown = format!(
            "failover of {} to {}",
            turn.master.address, turn.replica.address
        );
        looker.cx.progress(&shown);
        match hand_over(looker, drill, &turn, before).await {
            Ok(handover) => {
                let well = handover.healthy_after_s.is_some();
                record.handovers.push(handover);
                if !well {
                    break;
                }
            }
            Err(denial) => return not_held(record, &denial.code, &denial.message),
        }
    }
    record
}

fn not_held(mut record: DrillRecord, code: &str, message: &str) -> DrillRecord {
    record.not_held = Some(Denial {
        code: code.to_owned(),
        message: message.to_owned(),
    });
    record
}

fn choose(drill: &Drill, before: &RedisMeasurement) -> Result<Pair, String> {
    let picture = Picture::of(before);
    let entry = |node: &NodeRecord| Entry::parse(&node.address).ok();
    let able = picture.replicas().filter(|r| {
        let wanted = drill
            .replica
            .as_deref()
            .and_then(|text| Entry::parse(text).ok());
        let named = wanted.is_none_or(|w| r.name() == w.address.to_string());
        named && r.own.is_some_and(|own| !own.is("nofailover")) && r.replicates()
    });
    for replica in able {
        let master = replica.own.and_then(|own| own.master.as_deref());
        let Some(master) = master.and_then(|id| picture.member(id)) else {
            continue;
        };
        let key = master.own.and_then(|own| key_in(&own.slots));
        if let (Some(replica), Some(master), Some(key)) = (
            replica.node.and_then(entry),
            master.node.and_then(entry),
            key,
        ) {
            return Ok(Pair {
                replica,
                master,
                key,
            });
        }
    }
    Err(match &drill.replica {
        Some(replica) => format!("{replica} is no replica that could take over"),
        None => "no replica could take over".to_owned(),
    })
}

/// A key whose slot is in the ranges.
fn key_in(ranges: &[(u16, u16)]) -> Option<String> {
    let keys = (0..200_000_u32).map(|n| format!("readygate:drill:{n}"));
    let served = |key: &String| {
        let slot = slot(key.as_bytes());
        ranges
            .iter()
            .any(|(from, to)| (*from..=*to).contains(&slot))
    };
    keys.into_iter().find(served)
}

/// CRC16 (XMODEM) of the key, as the cluster specification has it; our keys have no hash tag.
fn slot(key: &[u8]) -> u16 {
    let crc = key.iter().fold(0_u16, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 {
                crc << 1
            } else {
                (crc << 1) ^ 0x1021
            }
        })
    });
    crc % SLOTS
}

async fn hand_over(
    looker: &Looker<'_>,
    drill: &Drill,
    pair: &Pair,
    before: &RedisMeasurement,
) -> Result<Handover, Denial> {
    let mut writer = Writer::new(looker, pair);
    // The first write must work: without the right to write there is nothing to measure.
    writer.first().await?;
    let mut link = open(looker, &pair.replica)
        .await
        .map_err(|contact| Denial {
            code: pair.replica.address.to_string(),
            message: format!("{contact:?}"),
        })?;
    let limit = (Instant::now() + drill.within.0).min(looker.cx.deadline());
    let begun = Instant::now();
    let asked = link.ask(&["CLUSTER", "FAILOVER"], looker.cx);
    if let Ok(Err(Fault::Denied(denial))) = timeout_at(limit, asked).await {
        return Err(denial);
    }
    // Without an answer it may have begun all the same: what comes of it is watched.
    let promoted = promotion(looker, &mut link, begun, limit, &mut writer).await;
    let mut handover = Handover {
        replica: pair.replica.address.to_string(),
        master: pair.master.address.to_string(),
        promoted_after_s: promoted,
        ..Handover::default()
    };
    let (healthy, still_wrong) = health(looker, before, begun, limit).await;
    handover.healthy_after_s = healthy.filter(|_| promoted.is_some());
    handover.wrong = still_wrong;
    writer.clean().await;
    handover.write_gap_s = writer.came_back.then(|| seconds(writer.gap));
    handover.writes = writer.writes;
    handover.errors = writer.errors.into_iter().collect();
    Ok(handover)
}

/// Writes while it waits, until the replica calls itself master and writes come back.
async fn promotion(
    looker: &Looker<'_>,
    link: &mut Link,
    begun: Instant,
    limit: Instant,
    writer: &mut Writer<'_>,
) -> Option<f64> {
    let mut promoted = None;
    let mut after = 0;
    while Instant::now() < limit && after < ENOUGH {
        let wrote = writer.write().await;
        if promoted.is_some() {
            after += u64::from(wrote);
        } else {
            let asked = timeout(WRITE, link.ask(&["CLUSTER", "NODES"], looker.cx)).await;
            let peers = asked
                .ok()
                .and_then(Result::ok)
                .and_then(|value| crate::look::text(&value));
            let peers = peers.and_then(|text| crate::parse::peers(&text));
            let master = peers.is_some_and(|peers| {
                peers
                    .iter()
                    .any(|p| p.is("myself") && p.is("master") && !p.slots.is_empty())
            });
            promoted = master.then(|| seconds(begun.elapsed()));
        }
        tokio::time::sleep(BEAT).await;
    }
    writer.came_back = after > 0;
    promoted
}

/// Looks at all nodes until they are well, with the roles swapped.
async fn health(
    looker: &Looker<'_>,
    before: &RedisMeasurement,
    begun: Instant,
    limit: Instant,
) -> (Option<f64>, Vec<String>) {
    loop {
        let Looked { nodes, left_out } = looker.look().await;
        let now = RedisMeasurement {
            nodes,
            left_out,
            ..before.clone()
        };
        let wrong = wrong(looker.config, &now);
        if wrong.is_empty() {
            return (Some(seconds(begun.elapsed())), Vec::new());
        }
        if Instant::now() >= limit {
            let wrong = wrong.iter().take(20);
            let lines = wrong.map(|c| format!("{}: {}", named(c), c.message));
            return (None, lines.collect());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn open(looker: &Looker<'_>, entry: &Entry) -> Result<Link, Contact> {
    let door: &Door = looker.door(entry);
    let mut phase = Phase::Connect;
    let opened = timeout(
        looker.config.node_timeout.0,
        door.open(&entry.address, &mut phase),
    );
    opened
        .await
        .unwrap_or(Err(Contact::Down("no answer".to_owned())))
}

/// Writes one key again and again, to whichever of the two nodes takes it.
struct Writer<'a> {
    looker: &'a Looker<'a>,
    key: &'a str,
    entries: [&'a Entry; 2],
    links: [Option<Link>; 2],
    at: usize,
    last: Instant,
    gap: Duration,
    writes: u64,
    errors: BTreeSet<String>,
    came_back: bool,
}

impl<'a> Writer<'a> {
    fn new(looker: &'a Looker<'a>, pair: &'a Pair) -> Self {
        Self {
            looker,
            key: &pair.key,
            entries: [&pair.master, &pair.replica],
            links: [None, None],
            at: 0,
            last: Instant::now(),
            gap: Duration::ZERO,
            writes: 0,
            errors: BTreeSet::new(),
            came_back: false,
        }
    }

    async fn first(&mut self) -> Result<(), Denial> {
        for _ in 0..3 {
            if self.write().await {
                self.gap = Duration::ZERO;
                return Ok(());
            }
        }
        let said = self.errors.first().cloned().unwrap_or_default();
        let (code, message) = said.split_once(' ').unwrap_or((&said, ""));
        Err(Denial {
            code: code.to_owned(),
            message: format!(
                "{message} (writing {} to {})",
                self.key, self.entries[0].address
            ),
        })
    }

    /// One write; what goes wrong sends the next one to the other node.
    async fn write(&mut self) -> bool {
        // The key goes away by itself should the gate be killed.
        let key = self.key;
        let words = ["SET", key, "readygate", "PX", "60000"];
        match self.ask(&words).await {
            Ok(()) => {
                self.gap = self.gap.max(self.last.elapsed());
                self.last = Instant::now();
                self.writes += 1;
                true
            }
            Err(error) => {
                if self.errors.len() < MOST_ERRORS {
                    self.errors.insert(excerpt(&error, 200));
                }
                self.at = 1 - self.at;
                false
            }
        }
    }

    async fn ask(&mut self, words: &[&str]) -> Result<(), String> {
        let (looker, at) = (self.looker, self.at);
        let mut link = match self.links[at].take() {
            Some(link) => link,
            None => open(looker, self.entries[at])
                .await
                .map_err(|c| format!("{c:?}"))?,
        };
        match timeout(WRITE, link.ask(words, looker.cx)).await {
            Ok(Ok(_)) => {
                self.links[at] = Some(link);
                Ok(())
            }
            Ok(Err(Fault::Denied(denial))) => {
                self.links[at] = Some(link);
                let mut message = denial.message.as_str();
                if denial.code == "MOVED" {
                    message = ""; // the slot and address say nothing new
                }
                Err(format!("{} {message}", denial.code).trim_end().to_owned())
            }
            Ok(Err(Fault::Lost(contact))) => Err(format!("{contact:?}")),
            Err(_) => Err("no answer to a write".to_owned()),
        }
    }

    async fn clean(&mut self) {
        for _ in 0..2 {
            let key = self.key;
            if self.ask(&["DEL", key]).await.is_ok() {
                return;
            }
            self.at = 1 - self.at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_the_specification() {
        // CRC16 of "123456789" is 0x31C3 (cluster specification, appendix A).
        assert_eq!(slot(b"123456789"), 0x31c3 % SLOTS);
        assert_eq!(slot(b"foo"), 12_182);
    }

    #[test]
    fn a_key_is_found_for_every_slot() {
        for n in [0, 1, 8_191, 16_383] {
            let key = key_in(&[(n, n)]).unwrap();
            assert_eq!(slot(key.as_bytes()), n);
        }
        assert_eq!(key_in(&[]), None);
    }
}
