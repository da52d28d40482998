//! One look: everyone at once, then everyone's progress, then the set as a whole.

use std::{collections::BTreeSet, time::Duration};

use futures::future::{OptionFuture, join_all};
use mongodb::{Client, bson::doc, options::ClientOptions};
use readygate_sdk::{Cx, ProbeError};
use tokio::time::{Instant, timeout_at};

use super::{node, questions, reach, timed};
use crate::{
    config::MongodbConfig,
    facts, judge,
    measurement::{
        ClientRecord, DialRecord, MongodbMeasurement, NodeRecord, OpTime, Progress, SettleRecord,
    },
    uri,
};

/// No set has more members.
const MOST_NODES: usize = 60;
/// How long a member may take to reach the position that the primary had when it was asked. On an
/// idle set the newest write is up to ten seconds newer than the one before it, and a member asked
/// a millisecond too early would seem to lag by that much.
const CATCH_UP: Duration = Duration::from_secs(1);
const POLL: Duration = Duration::from_millis(40);

/// One member and the connection to it.
pub struct Asked {
    pub record: NodeRecord,
    pub client: Option<Client>,
}

pub async fn look(
    config: &MongodbConfig,
    options: &ClientOptions,
    cx: &Cx,
) -> Result<MongodbMeasurement, ProbeError> {
    let named = named(config, options);
    let subject = named.join(",");
    let work = async {
        let asker = node::Asker {
            config,
            options,
            cx,
        };
        let none = BTreeSet::new();
        let mut asked = join_all(named.iter().map(|host| asker.ask(host, true, &none))).await;
        let (others, arbiters) = discovered(&asked);
        let more = others.iter().map(|host| asker.ask(host, false, &arbiters));
        asked.extend(join_all(more).await);
        let target = newest(&asked);
        let (dials, client, progress) = futures::join!(
            dial_all(config, cx, &asked),
            whole(config, options, cx, &asked),
            join_all(asked.iter().map(|member| follow(cx, member, target))),
        );
        for (member, (later, offset)) in asked.iter_mut().zip(progress) {
            member.record.later = later;
            member.record.clock_offset_s = offset;
        }
        let migrations = config.migrations.as_ref();
        let migrations = migrations.map(|wanted| questions::migrations(wanted, &asked, cx));
        let migrations = OptionFuture::from(migrations).await;
        (asked, dials, client, migrations)
    };
    let (asked, dials, client, migrations) =
        cx.within(&subject, "asking the members", work).await?;
    let (nodes, clients): (Vec<_>, Vec<_>) = asked
        .into_iter()
        .map(|member| (member.record, member.client))
        .unzip();
    let ending = join_all(
        clients
            .into_iter()
            .flatten()
            .map(|client| async move { client.shutdown().await }),
    );
    let _ = tokio::time::timeout(Duration::from_millis(100), ending).await;
    let mut measured = MongodbMeasurement {
        uri: uri::facts(config.uri.expose(), options),
        nodes,
        dials,
        client,
        settle: SettleRecord::default(),
        migrations,
        drill: None,
        indexes_missing: None,
    };
    if !config.indexes.is_empty() {
        measured.indexes_missing = judge::wanting_indexes(config, &measured);
    }
    Ok(measured)
}

/// Seeds, and declared hosts that are not among them.
fn named(config: &MongodbConfig, options: &ClientOptions) -> Vec<String> {
    let mut named: Vec<String> = options.hosts.iter().map(uri::name).collect();
    for host in &config.hosts {
        if !named.contains(host) {
            named.push(host.clone());
        }
    }
    named
}

/// Members of the set's config (or of `hello`, without the right to see it) that nobody named, and
/// which of them are arbiters.
fn discovered(asked: &[Asked]) -> (Vec<String>, BTreeSet<String>) {
    let mut others = Vec::new();
    let mut arbiters = BTreeSet::new();
    for record in asked.iter().map(|member| &member.record) {
        let hello = record.hello.iter().flat_map(|hello| &hello.hosts);
        arbiters.extend(record.hello.iter().flat_map(|hello| hello.arbiters.clone()));
        let config = record.config.as_ref().and_then(|config| config.got());
        for host in config
            .iter()
            .flat_map(|c| c.members.iter().map(|m| &m.host))
            .chain(hello)
        {
            if !others.contains(host) {
                others.push(host.clone());
            }
        }
    }
    let known = |host: &String| {
        asked.iter().map(|member| &member.record).any(|record| {
            record.host == *host || record.hello.as_ref().and_then(|h| h.me.as_ref()) == Some(host)
        })
    };
    others.retain(|host| !known(host));
    others.truncate(MOST_NODES);
    (others, arbiters)
}

/// The newest write of the primary, or of anyone where there is none.
fn newest(asked: &[Asked]) -> Option<OpTime> {
    let hellos = || {
        asked
            .iter()
            .filter_map(|member| member.record.hello.as_ref())
    };
    let primary = hellos().filter(|h| h.writable && h.set_name.is_some());
    let primary = primary.max_by(|a, b| a.election.cmp(&b.election));
    primary
        .and_then(|h| h.applied)
        .or_else(|| hellos().filter_map(|h| h.applied).max())
}

/// Where a member is once everyone has been asked, and what its clock says.
///
/// A primary is asked again until that position is on a majority, any other member until it has
/// applied it; one that is delayed by config is asked once.
async fn follow(
    cx: &Cx,
    member: &Asked,
    target: Option<OpTime>,
) -> (Option<Progress>, Option<f64>) {
    let (Some(client), Some(first)) = (&member.client, &member.record.hello) else {
        return (None, None);
    };
    let config = member.record.config.as_ref().and_then(|c| c.got());
    let mut entries = config.iter().flat_map(|c| &c.members);
    let delayed = entries.any(|m| m.delay_s > 0 && Some(&m.host) == first.me.as_ref());
    let deadline = timed::until(cx, CATCH_UP);
    let mut found = (None, None);
    while let Some(target) = target.filter(|_| Instant::now() < deadline || found.0.is_none()) {
        let sent = cx.now();
        let database = client.database("admin");
        let answer = timeout_at(deadline, database.run_command(doc! { "hello": 1 })).await;
        let Ok(Ok(answer)) = answer else {
            break;
        };
        let half = cx.now().duration_since(sent).as_secs_f64() / 2.0;
        let hello = facts::hello(&answer);
        let offset = hello
            .local_time
            .map(|theirs| theirs.duration_since(sent).as_secs_f64() - half);
        let Some(applied) = hello.applied else {
            found.1 = found.1.or(offset);
            break;
        };
        found = (
            Some(Progress {
                applied,
                committed: hello.committed,
            }),
            found.1.or(offset),
        );
        let reached = if first.writable {
            hello.committed
        } else {
            Some(applied)
        };
        if delayed || reached >= Some(target) {
            break;
        }
        tokio::time::sleep_until((Instant::now() + POLL).min(deadline)).await;
    }
    (found.0, found.1.map(|offset| (offset * 1e3).round() / 1e3))
}

/// Dials the host names of the set's config under which no member was asked: applications are sent
/// to these names.
async fn dial_all(config: &MongodbConfig, cx: &Cx, asked: &[Asked]) -> Vec<DialRecord> {
    let mut names = BTreeSet::new();
    for record in asked.iter().map(|member| &member.record) {
        let members = record.config.as_ref().and_then(|c| c.got());
        names.extend(
            members
                .iter()
                .flat_map(|c| c.members.iter().map(|m| m.host.clone())),
        );
        names.extend(record.hello.iter().flat_map(|hello| hello.hosts.clone()));
    }
    names.retain(|name| asked.iter().all(|member| member.record.host != *name));
    let deadline = timed::until(cx, config.node_timeout.0);
    let dials = names.into_iter().take(MOST_NODES).map(|host| async move {
        let problem = reach::dial(&host, deadline)
            .await
            .err()
            .map(|r| reach::sentence(&r));
        DialRecord { host, problem }
    });
    join_all(dials).await
}

/// Connects as an application does: by the seeds, to whoever is the primary.
async fn whole(
    config: &MongodbConfig,
    options: &ClientOptions,
    cx: &Cx,
    asked: &[Asked],
) -> Option<ClientRecord> {
    let hellos = asked
        .iter()
        .filter_map(|member| member.record.hello.as_ref());
    let found = hellos
        .clone()
        .filter(|h| h.writable)
        .find_map(|h| h.set_name.clone())?;
    let wanted = options
        .repl_set_name
        .clone()
        .or_else(|| config.replica_set.clone());
    let replica_set = wanted.unwrap_or(found);
    let mut whole = options.clone();
    whole.repl_set_name = Some(replica_set.clone());
    whole.direct_connection = None;
    whole.selection_criteria = None;
    whole.max_pool_size = Some(1);
    whole.min_pool_size = None;
    if asked
        .iter()
        .any(|m| matches!(m.record.login, crate::measurement::Login::Rejected { .. }))
    {
        // The members were asked without the credentials that they reject; so is the set.
        whole.credential = None;
    }
    let started = Instant::now();
    let deadline = timed::until(cx, config.node_timeout.0);
    let problem = match Client::with_options(whole) {
        Err(error) => Some(error.kind.to_string()),
        Ok(client) => {
            let database = client.database("admin");
            let answer = timeout_at(deadline, database.run_command(doc! { "hello": 1 })).await;
            let ending = tokio::time::timeout(Duration::from_millis(100), client.shutdown());
            let _ = ending.await;
            match answer {
                Err(_) => Some("no primary was found in time".to_owned()),
                Ok(answer) => answer.err().map(|error| error.kind.to_string()),
            }
        }
    };
    Some(ClientRecord {
        replica_set,
        took_ms: timed::millis(started.elapsed()),
        problem: problem.map(|problem| readygate_sdk::excerpt(&cx.mask(&problem), 400)),
    })
}
