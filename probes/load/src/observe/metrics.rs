//! The scalars of what was observed.

use readygate_sdk::{MetricSpec, Metrics, Unit};

use super::{
    analysis,
    config::Take,
    measurement::{CacheSaid, Observed, Query, Resources},
};

/// All of them, for the table of the probe.
pub const SPECS: [MetricSpec; 6] = [
    MetricSpec::new(
        "observe.memory.slope",
        Unit::Percent,
        "Growth of the watched memory in an hour, once it is steady (`observe`)",
    ),
    MetricSpec::new(
        "observe.memory.max",
        Unit::Bytes,
        "Most memory of the watched process or cgroup",
    ),
    MetricSpec::new(
        "observe.cpu.avg",
        Unit::Percent,
        "Its CPU while it was measured; 100 % is one core",
    ),
    MetricSpec::new(
        "observe.cpu.p95",
        Unit::Percent,
        "95th percentile of its CPU between two looks",
    ),
    MetricSpec::new(
        "observe.cache.hit_rate",
        Unit::Percent,
        "Hits among look-ups of Redis, or of caches by their headers",
    ),
    MetricSpec::new(
        "observe.prometheus.*",
        Unit::Count,
        "What the query of that name gave",
    ),
];

/// Adds what is known and why the rest is not. `sampled` are hits and misses that the load itself saw in
/// cache headers.
pub fn metrics(
    observed: &Observed,
    min_lookups: u64,
    sampled: Option<(u64, u64)>,
    metrics: &mut Metrics,
) {
    usage(observed, metrics);
    match lookups(observed, sampled) {
        Ok((hits, all)) if all >= min_lookups => {
            metrics.rate("observe.cache.hit_rate", hits, all);
        }
        Ok((_, all)) => {
            let why = format!("{all} look-ups were seen; a hit rate takes {min_lookups}");
            metrics.absent("observe.cache.hit_rate", why);
        }
        Err(why) => {
            metrics.absent("observe.cache.hit_rate", why);
        }
    }
    for query in &observed.prometheus {
        let name = format!("observe.prometheus.{}", query.name);
        match of_query(query, observed.window) {
            Ok(value) => metrics.number(name, value, Unit::Count),
            Err(why) => metrics.absent(name, why),
        };
    }
}

const NEVER: &str = "the load was never measured";

fn usage(observed: &Observed, metrics: &mut Metrics) {
    let names = ["memory.slope", "memory.max", "cpu.avg", "cpu.p95"];
    let mut nothing = |why: &str| {
        for name in names {
            metrics.absent(format!("observe.{name}"), why);
        }
    };
    let Some(resources) = &observed.resources else {
        return nothing("`observe` names no process and no cgroup");
    };
    let Some(most) = resources.looks.iter().map(|look| look.memory).max() else {
        let why = resources.missed.why.as_deref();
        return nothing(why.unwrap_or("it was never looked at"));
    };
    let mut put = |name: &str, value: Result<f64, String>, unit| {
        match value {
            Ok(value) => metrics.number(name, value, unit),
            Err(why) => metrics.absent(name, why),
        };
    };
    put("observe.memory.max", Ok(most as f64), Unit::Bytes);
    let slope = slope(resources, observed.window).map(|slope| slope.percent_per_hour);
    put("observe.memory.slope", slope, Unit::Percent);
    let whole = whole(resources).and_then(|()| observed.window.ok_or(NEVER.to_owned()));
    let (mean, p95) = match whole {
        Ok(window) => {
            let cpu = analysis::cpu(&resources.looks, window);
            (cpu.mean, cpu.p95)
        }
        Err(why) => (Err(why.clone()), Err(why)),
    };
    put("observe.cpu.avg", mean, Unit::Percent);
    put("observe.cpu.p95", p95, Unit::Percent);
}

/// The slope of its memory, or what is missing.
pub(crate) fn slope(
    resources: &Resources,
    window: Option<(f64, f64)>,
) -> Result<analysis::Slope, String> {
    whole(resources)?;
    analysis::slope(&resources.looks, window.ok_or(NEVER)?)
}

/// Numbers over an end and a new start are of two processes.
fn whole(resources: &Resources) -> Result<(), String> {
    match resources.ended_s {
        Some(at) => Err(format!("{} ended after {at:.0} s", resources.subject)),
        None => Ok(()),
    }
}

/// Hits and look-ups: of Redis if it is watched, else by headers.
pub(crate) fn lookups(
    observed: &Observed,
    sampled: Option<(u64, u64)>,
) -> Result<(u64, u64), String> {
    if observed.redis.is_none() && observed.cache.is_none() {
        return match sampled {
            Some((hits, misses)) => Ok((hits, hits + misses)),
            None => Err("`observe` names neither `redis` nor `cache_headers`".into()),
        };
    }
    let (from, to) = observed.window.ok_or(NEVER)?;
    if let Some(redis) = &observed.redis {
        if let Some(at) = redis.reset_s {
            return Err(format!(
                "a Redis server started anew, or its counters were set back, after {at:.0} s"
            ));
        }
        let inside = redis
            .looks
            .iter()
            .filter(|l| l.at_s >= from && l.at_s <= to);
        let inside: Vec<_> = inside.collect();
        let (Some(first), Some(last)) = (inside.first(), inside.last()) else {
            let why = redis.missed.why.clone();
            return Err(why.unwrap_or_else(|| "Redis was not asked while it was measured".into()));
        };
        let hits = last.hits.saturating_sub(first.hits);
        return Ok((hits, hits + last.misses.saturating_sub(first.misses)));
    }
    let (mut hits, mut misses) = sampled.unwrap_or((0, 0));
    for (at, said) in observed.cache.iter().flat_map(|cache| &cache.looks) {
        if (from..=to).contains(at) {
            match said {
                CacheSaid::Hit => hits += 1,
                CacheSaid::Miss => misses += 1,
                CacheSaid::Silent => {}
            }
        }
    }
    Ok((hits, hits + misses))
}

fn of_query(query: &Query, window: Option<(f64, f64)>) -> Result<f64, String> {
    let (from, to) = window.ok_or(NEVER)?;
    let inside = query
        .looks
        .iter()
        .filter(|(at, _)| *at >= from && *at <= to);
    let values: Vec<f64> = inside.map(|(_, value)| *value).collect();
    let (Some(first), Some(last)) = (values.first(), values.last()) else {
        let why = query.missed.why.clone();
        return Err(why.unwrap_or_else(|| "it was not asked while it was measured".into()));
    };
    if query.take == Take::Delta && values.len() < 2 {
        return Err("it was asked once while it was measured, which is no difference".into());
    }
    Ok(match query.take {
        Take::Last => *last,
        Take::Max => values.iter().copied().fold(*first, f64::max),
        Take::Min => values.iter().copied().fold(*first, f64::min),
        Take::Mean => values.iter().sum::<f64>() / values.len() as f64,
        Take::Delta => last - first,
    })
}

#[cfg(test)]
mod tests {
    use super::{
        super::measurement::{CacheHeaders, Keyspace, Lookups, Missed},
        *,
    };

    fn nothing() -> Observed {
        super::super::empty(jiff::Timestamp::UNIX_EPOCH, 5.0)
    }

    #[test]
    fn hits_are_counted_within_the_window() {
        let mut observed = nothing();
        let look = |at_s, hits, misses| Lookups { at_s, hits, misses };
        observed.redis = Some(Keyspace {
            looks: vec![
                look(0.0, 5, 5),
                look(10.0, 100, 50),
                look(20.0, 1_000, 150),
                look(30.0, 9_000, 9_000),
            ],
            ..Keyspace::default()
        });
        assert!(lookups(&observed, None).is_err(), "never measured");
        observed.window = Some((9.0, 21.0));
        assert_eq!(lookups(&observed, None), Ok((900, 1_000)));
        observed.redis.as_mut().unwrap().reset_s = Some(15.0);
        assert!(lookups(&observed, None).unwrap_err().contains("15 s"));
    }

    #[test]
    fn headers_add_to_what_the_load_saw() {
        let mut observed = nothing();
        observed.window = Some((0.0, 10.0));
        let looks = vec![
            (1.0, CacheSaid::Hit),
            (2.0, CacheSaid::Silent),
            (3.0, CacheSaid::Miss),
            (99.0, CacheSaid::Hit),
        ];
        observed.cache = Some(CacheHeaders {
            looks,
            ..CacheHeaders::default()
        });
        assert_eq!(lookups(&observed, Some((9, 0))), Ok((10, 11)));
        let mut told = Metrics::new();
        metrics(&observed, 12, Some((9, 0)), &mut told);
        let why = told.why_absent("observe.cache.hit_rate").unwrap();
        assert!(
            why.contains("11 look-ups") && why.contains("takes 12"),
            "{why}"
        );
        metrics(&observed, 11, Some((9, 0)), &mut told);
        assert_eq!(
            told.get("observe.cache.hit_rate")
                .unwrap()
                .sample
                .unwrap()
                .trials,
            11
        );
    }

    #[test]
    fn queries_take_what_they_are_told() {
        let query = |take| Query {
            name: "x".into(),
            take,
            looks: vec![(0.0, 1.0), (5.0, 4.0), (10.0, 3.0), (50.0, 9.0)],
            missed: Missed::default(),
        };
        let of = |take| of_query(&query(take), Some((0.0, 20.0)));
        assert_eq!(of(Take::Last), Ok(3.0));
        assert_eq!(of(Take::Max), Ok(4.0));
        assert_eq!(of(Take::Min), Ok(1.0));
        assert_eq!(of(Take::Delta), Ok(2.0));
        assert!((of(Take::Mean).unwrap() - 8.0 / 3.0).abs() < 1e-9);
        assert!(of_query(&query(Take::Delta), Some((4.0, 6.0))).is_err());
        assert!(of_query(&query(Take::Last), None).is_err());
    }
}
