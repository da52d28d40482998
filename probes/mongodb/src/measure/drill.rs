//! The failover on purpose: step the primary down while somebody writes, and see that all is well
//! again.

use std::time::Duration;

use mongodb::{
    Client, Collection,
    bson::{Document, doc},
    options::ClientOptions,
};
use readygate_sdk::{Cx, ProbeError, excerpt};
use tokio::{
    sync::watch,
    time::{Instant, timeout, timeout_at},
};

use super::{settled, timed};
use crate::{
    config::{Drill, MongodbConfig},
    judge::{self, view::View},
    measurement::{DrillRecord, MongodbMeasurement},
    uri,
};

/// Between two writes: the resolution of the gap.
const PACE: Duration = Duration::from_millis(10);
/// Writes before the step-down, and after the next primary took over.
const SOME: u64 = 10;
/// The longest that a secondary may take to catch up before the primary gives up stepping down.
const CATCH_UP: Duration = Duration::from_secs(10);

/// What the writer has seen so far.
#[derive(Debug, Clone, Copy)]
struct Written {
    count: u64,
    last: Instant,
    longest_pause: Duration,
}

pub async fn drill(
    config: &MongodbConfig,
    wanted: &Drill,
    options: &ClientOptions,
    before: &MongodbMeasurement,
    cx: &Cx,
) -> Result<DrillRecord, ProbeError> {
    let mut record = DrillRecord::default();
    let view = View::new(before);
    let primary = view.primary().map(|up| up.node.host.clone());
    record.before.clone_from(&primary);
    let wrong = judge::wrong(config, before);
    let primary = match (primary, wrong.first()) {
        (Some(primary), None) => primary,
        (_, wrong) => {
            let why = wrong.map_or("there is no primary", String::as_str);
            record.not_begun = Some(format!("the set is not well: {why}"));
            return Ok(record);
        }
    };
    if cx.remaining() < wanted.recovery.0 {
        let left = timed::seconds(cx.remaining());
        record.not_begun = Some(format!(
            "{left:.0} s are left, and the recovery may take {}: raise `timeout` of the gate",
            wanted.recovery
        ));
        return Ok(record);
    }
    let mut set = options.clone();
    set.repl_set_name = view.members().find_map(|up| up.hello.set_name.clone());
    set.direct_connection = None;
    set.selection_criteria = None;
    set.retry_writes = Some(false);
    fail_over(config, wanted, (options, &set), &primary, &mut record, cx).await?;
    Ok(record)
}

async fn fail_over(
    config: &MongodbConfig,
    wanted: &Drill,
    (options, set): (&ClientOptions, &ClientOptions),
    primary: &str,
    record: &mut DrillRecord,
    cx: &Cx,
) -> Result<(), ProbeError> {
    let clients = Client::with_options(set.clone()).and_then(|set| {
        let direct = uri::direct(options, primary, wanted.step_down.0);
        Ok((set, Client::with_options(direct)?))
    });
    let (writer, leader) = match clients {
        Ok(clients) => clients,
        Err(error) => {
            record.not_begun = Some(error.kind.to_string());
            return Ok(());
        }
    };
    let Some(collection) = collection(&writer, &wanted.collection) else {
        record.not_begun = Some("the collection has no name".to_owned());
        return Ok(());
    };
    let deadline = timed::until(cx, wanted.recovery.0);
    if let Err(why) = write(&collection, deadline).await {
        record.not_begun = Some(cx.mask(&format!("a write before it failed: {why}")));
        return Ok(());
    }
    cx.progress(&format!("stepping {primary} down"));
    let now = Instant::now();
    let start = Written {
        count: 1,
        last: now,
        longest_pause: Duration::ZERO,
    };
    let (seen, watched) = watch::channel(start);
    let stepped = cx
        .within(primary, "the failover drill", async {
            tokio::select! {
                stepped = step_down(&leader, wanted, watched, deadline) => stepped,
                () = keep_writing(&collection, seen.clone()) => Ok(()),
            }
        })
        .await?;
    let written = *seen.borrow();
    record.writes = written.count;
    let stepped_at = match stepped {
        Ok(()) => now,
        Err(Failure::StillPrimary(why)) => {
            record.not_stepped_down = Some(excerpt(&cx.mask(&why), 300));
            return Ok(());
        }
        Err(Failure::NoWrites) => {
            record.left.push(format!(
                "no write was acknowledged within {}",
                wanted.recovery
            ));
            now
        }
    };
    if record.left.is_empty() {
        record.write_gap_s = Some(timed::seconds(written.longest_pause));
    }
    let _ = timeout(Duration::from_secs(1), async { collection.drop().await }).await;
    recovery(config, options, stepped_at, deadline, record, cx).await
}

/// Looks until all is well or the time for it is over.
async fn recovery(
    config: &MongodbConfig,
    options: &ClientOptions,
    stepped_at: Instant,
    deadline: Instant,
    record: &mut DrillRecord,
    cx: &Cx,
) -> Result<(), ProbeError> {
    let patience = deadline.saturating_duration_since(Instant::now());
    let after = settled(config, options, cx, patience).await?;
    let view = View::new(&after);
    record.after = view.primary().map(|up| up.node.host.clone());
    record.left.extend(judge::wrong(config, &after));
    if record.left.is_empty() {
        record.recovered_after_s = Some(timed::seconds(stepped_at.elapsed()));
    }
    Ok(())
}

enum Failure {
    /// The primary did not step down, and why.
    StillPrimary(String),
    /// It did, and nobody took writes afterwards.
    NoWrites,
}

/// Steps down once some writes have been seen, and returns once some more have.
async fn step_down(
    leader: &Client,
    wanted: &Drill,
    mut seen: watch::Receiver<Written>,
    deadline: Instant,
) -> Result<(), Failure> {
    let enough = |at_least: u64| move |written: &Written| written.count >= at_least;
    if timeout_at(deadline, seen.wait_for(enough(SOME)))
        .await
        .is_err()
    {
        return Err(Failure::StillPrimary(
            "writes stopped before the step-down".to_owned(),
        ));
    }
    let seconds = wanted.step_down.0.as_secs().max(1);
    let catch_up = (seconds - 1).min(CATCH_UP.as_secs());
    let whole = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let command = doc! {
        "replSetStepDown": whole(seconds), "secondaryCatchUpPeriodSecs": whole(catch_up),
    };
    let admin = leader.database("admin");
    match timeout_at(deadline, admin.run_command(command)).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) if super::node::refusal(&error).is_none() => {} // it hung up on us
        Ok(Err(error)) => return Err(Failure::StillPrimary(error.kind.to_string())),
        Err(_) => return Err(Failure::StillPrimary("no answer in time".to_owned())),
    }
    // The writes under way may still be the old primary's; the first new one comes after an error.
    let more = seen.borrow().count + SOME;
    let waited = timeout_at(deadline, seen.wait_for(enough(more))).await;
    waited.map(drop).map_err(|_| Failure::NoWrites)
}

/// Writes for ever, and keeps the longest pause between two acknowledgements.
async fn keep_writing(collection: &Collection<Document>, seen: watch::Sender<Written>) {
    loop {
        let next = Instant::now() + Duration::from_secs(2);
        if write(collection, next).await.is_ok() {
            let now = Instant::now();
            seen.send_modify(|written| {
                written.count += 1;
                written.longest_pause = written.longest_pause.max(now - written.last);
                written.last = now;
            });
        }
        tokio::time::sleep(PACE).await;
    }
}

async fn write(collection: &Collection<Document>, deadline: Instant) -> Result<(), String> {
    let insert = async { collection.insert_one(doc! { "by": "readygate" }).await };
    match timeout_at(deadline, insert).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(excerpt(&error.kind.to_string(), 200)),
        Err(_) => Err("no answer in time".to_owned()),
    }
}

fn collection(client: &Client, name: &str) -> Option<Collection<Document>> {
    let (database, collection) = name.split_once('.')?;
    Some(client.database(database).collection(collection))
}
