//! Watching the target while the load runs: memory and CPU, Redis, Prometheus, cache headers.
//!
//! [`start`] begins to look, once each `every`, beside the load; [`Watcher::finish`] ends it and gives the
//! series. Nothing here is in the path of the load. What cannot be seen is counted with its reason, and
//! judged as unmeasured.

mod analysis;
mod cache;
mod config;
mod judge;
mod measurement;
mod metrics;
mod prometheus;
mod redis;
mod rules;
mod usage;

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use readygate_sdk::Cx;
use readygate_web::{Client, Method, Request, Settings};
use tokio::{
    task::{JoinHandle, JoinSet, spawn_blocking},
    time::{Instant, MissedTickBehavior, timeout},
};
use tokio_util::sync::CancellationToken;
use url::Url;

pub use config::{
    ObserveConfig, ProcessConfig, PrometheusConfig, QueryConfig, RedisConfig, Take, validate,
};
pub use judge::judge;
pub use measurement::{
    CacheHeaders, CacheSaid, Keyspace, Lookups, Missed, Observed, Query, Resources, Usage,
};
pub use metrics::{SPECS, metrics};
pub use rules::{MEMORY_LEAK, NOT_OBSERVED, PROCESS_ENDED};

use self::{
    prometheus::Prometheus,
    redis::{Counters, Servers},
    usage::{Cgroup, Look, Process, Source},
};

/// Longest time of one look; a shorter `every` shortens it.
const PATIENCE: Duration = Duration::from_secs(3);

/// The request whose response tells of caches.
#[derive(Debug, Clone)]
pub struct Side {
    /// What is asked for.
    pub url: Url,
    /// Headers of the load, values that may be secret.
    pub headers: Vec<(String, String)>,
    /// Trust and addresses, as for the load.
    pub settings: Settings,
}

/// A task that watches until it is told to end.
#[derive(Debug)]
pub struct Watcher {
    stop: CancellationToken,
    task: JoinHandle<Observed>,
    /// If the task was lost, when it had begun.
    started: Timestamp,
    every_s: f64,
}

/// Begins to watch. Never fails: what cannot be watched is in the record.
pub fn start(config: &ObserveConfig, side: Option<Side>, cx: &Cx) -> Watcher {
    let stop = CancellationToken::new();
    let started = cx.now();
    let (config, cx, token) = (config.clone(), cx.clone(), stop.clone());
    let every_s = config.every.0.as_secs_f64();
    let task = tokio::spawn(async move {
        let begun = Instant::now();
        let mut eyes = Eyes::open(&config, side, &cx, started).await;
        let mut tick = tokio::time::interval(config.every.0);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                biased;
                () = cx.cancellation().cancelled() => break,
                () = token.cancelled() => {
                    eyes.look(&cx, begun).await;
                    break;
                }
                _ = tick.tick() => eyes.look(&cx, begun).await,
            }
        }
        eyes.seen
    });
    Watcher {
        stop,
        task,
        started,
        every_s,
    }
}

impl Watcher {
    /// Looks once more and ends. `window` is when the load was measured; nothing if it never was.
    pub async fn finish(self, window: Option<(Timestamp, Timestamp)>) -> Observed {
        self.stop.cancel();
        let mut observed = self
            .task
            .await
            .unwrap_or_else(|_| empty(self.started, self.every_s));
        let since = |at: Timestamp| at.duration_since(observed.started).as_secs_f64();
        observed.window = window.map(|(from, to)| (since(from), since(to)));
        observed
    }
}

fn empty(started: Timestamp, every_s: f64) -> Observed {
    Observed {
        started,
        every_s,
        window: None,
        resources: None,
        redis: None,
        prometheus: Vec::new(),
        cache: None,
    }
}

/// What is looked with, and what was seen. A source that could not be set up tells why at each look.
struct Eyes {
    seen: Observed,
    source: Option<Source>,
    redis: Option<Result<Servers, String>>,
    runs: Vec<String>,
    prometheus: Option<Result<Arc<Prometheus>, String>>,
    side: Option<Result<(Client, Request), String>>,
    patience: Duration,
}

impl Eyes {
    async fn open(config: &ObserveConfig, side: Option<Side>, cx: &Cx, started: Timestamp) -> Self {
        let mut seen = empty(started, config.every.0.as_secs_f64());
        let process = config.process.as_ref().map(|process| {
            let file = process.pid_file.as_ref().map(|file| cx.resolve(file));
            Source::Process(Process::new(process, file))
        });
        let cgroup = || {
            let folder = cx.resolve(config.cgroup.as_ref()?);
            Some(Source::Cgroup(Cgroup::new(folder)))
        };
        let source = process.or_else(cgroup);
        seen.resources = source.as_ref().map(|source| Resources {
            subject: source.subject(),
            ..Resources::default()
        });
        let redis = config.redis.as_ref().map(Servers::new);
        seen.redis = redis.as_ref().map(|_| Keyspace::default());
        let prometheus = match &config.prometheus {
            None => None,
            Some(config) => {
                seen.prometheus = config.queries.iter().map(named).collect();
                let made = Prometheus::new(config, cx).await;
                Some(made.map(Arc::new).map_err(|e| e.to_string()))
            }
        };
        let side = if config.cache_headers {
            seen.cache = Some(CacheHeaders::default());
            Some(request(side, cx).await)
        } else {
            None
        };
        Self {
            seen,
            source,
            redis,
            runs: Vec::new(),
            prometheus,
            side,
            patience: PATIENCE.min(config.every.0),
        }
    }

    /// Looks at everything, one source beside the other; ends early when the run is interrupted.
    async fn look(&mut self, cx: &Cx, begun: Instant) {
        let at_s = nanos(begun.elapsed().as_secs_f64());
        let patience = self.patience;
        let late = |_| Err("no answer in time".to_owned());
        let source = self.source.take();
        let resources = async {
            let mut source = source?;
            let looked = spawn_blocking(move || {
                let look = source.look();
                (source, look)
            });
            looked.await.ok()
        };
        let redis = async {
            match self.redis.as_mut()? {
                Ok(servers) => Some(timeout(patience, servers.look()).await.unwrap_or_else(late)),
                Err(why) => Some(Err(why.clone())),
            }
        };
        let prometheus = ask(self.prometheus.as_ref(), patience);
        let side = async {
            match self.side.as_ref()? {
                Ok((client, request)) => {
                    Some(match timeout(patience, client.send(request)).await {
                        Ok(response) => response.map_err(|e| e.to_string()),
                        Err(_) => Err("no answer in time".to_owned()),
                    })
                }
                Err(why) => Some(Err(why.clone())),
            }
        };
        let all = async { tokio::join!(resources, redis, prometheus, side) };
        let all = tokio::select! {
            biased;
            () = cx.cancellation().cancelled() => return,
            all = all => all,
        };
        let (resources, redis, prometheus, side) = all;
        if let Some((source, look)) = resources {
            self.source = Some(source);
            self.saw_usage(at_s, look);
        }
        if let Some(told) = redis {
            self.saw_lookups(at_s, told);
        }
        for (query, told) in self.seen.prometheus.iter_mut().zip(prometheus) {
            match told {
                Ok(value) => query.looks.push((at_s, value)),
                Err(why) => query.missed.add(why),
            }
            measurement::thin(&mut query.looks);
        }
        if let (Some(cache), Some(response)) = (self.seen.cache.as_mut(), side) {
            match response {
                Ok(response) => cache.looks.push((at_s, cache::said(&response))),
                Err(why) => cache.missed.add(why),
            }
            measurement::thin(&mut cache.looks);
        }
    }

    fn saw_usage(&mut self, at_s: f64, look: Result<Look, String>) {
        let Some(resources) = self.seen.resources.as_mut() else {
            return;
        };
        match look {
            Ok(Look::Seen {
                memory,
                cpu_s,
                changed,
            }) => {
                if changed {
                    resources.ended_s.get_or_insert(at_s);
                }
                resources.looks.push(Usage {
                    at_s,
                    memory,
                    cpu_s: nanos(cpu_s),
                });
            }
            Ok(Look::Gone) => {
                resources.ended_s.get_or_insert(at_s);
                resources.missed.add("it was gone".to_owned());
            }
            Err(why) => resources.missed.add(why),
        }
        measurement::thin(&mut resources.looks);
    }

    fn saw_lookups(&mut self, at_s: f64, told: Result<Counters, String>) {
        let Some(redis) = self.seen.redis.as_mut() else {
            return;
        };
        match told {
            Ok(Counters { hits, misses, runs }) => {
                let before = redis.looks.last();
                let fell = before.is_some_and(|b| hits < b.hits || misses < b.misses);
                if fell || (!self.runs.is_empty() && self.runs != runs) {
                    redis.reset_s.get_or_insert(at_s);
                }
                self.runs = runs;
                redis.looks.push(Lookups { at_s, hits, misses });
            }
            Err(why) => redis.missed.add(why),
        }
        measurement::thin(&mut redis.looks);
    }
}

fn named(query: &QueryConfig) -> Query {
    Query {
        name: query.name.clone(),
        take: query.take,
        ..Query::default()
    }
}

async fn request(side: Option<Side>, cx: &Cx) -> Result<(Client, Request), String> {
    let side = side.ok_or("the gate has no URL to ask for")?;
    let client = Client::build(&side.settings, cx).await;
    let client = client.map_err(|e| e.to_string())?;
    let mut request = Request::new(Method::Get.into(), side.url);
    for (name, value) in &side.headers {
        request.set(name, value, true).map_err(|e| e.to_string())?;
    }
    Ok((client, request))
}

/// All queries at once, in their order.
async fn ask(
    prometheus: Option<&Result<Arc<Prometheus>, String>>,
    patience: Duration,
) -> Vec<Result<f64, String>> {
    let server = match prometheus {
        None => return Vec::new(),
        // More queries than a config may have, so that each of them is told.
        Some(Err(why)) => return vec![Err(why.clone()); 20],
        Some(Ok(server)) => server,
    };
    let mut asking = JoinSet::new();
    for index in 0..server.len() {
        let server = Arc::clone(server);
        asking.spawn(async move {
            let told = timeout(patience, server.ask(index)).await;
            (
                index,
                told.unwrap_or_else(|_| Err("no answer in time".into())),
            )
        });
    }
    let mut told = vec![Err("asking was given up".to_owned()); server.len()];
    while let Some(joined) = asking.join_next().await {
        if let Ok((index, answer)) = joined {
            told[index] = answer;
        }
    }
    told
}

/// Seconds to the nanosecond: such a number survives JSON exactly.
fn nanos(seconds: f64) -> f64 {
    (seconds * 1e9).round() / 1e9
}
