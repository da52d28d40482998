//! One instant query: asked, and made one number or the reason that there is none.
//!
//! <https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries>

use std::collections::BTreeSet;

use readygate_sdk::{ProbeError, Unit};

use crate::{
    answers::{Labels, QueryData, Sample, Series},
    api::{Answer, Api, Said},
    config::{QueryConfig, Reduce},
    measure::Clock,
    measurement::QueryRecord,
    promql::{self, Quantile},
    quantile,
    text::{milli, rounded},
};

/// Series that are named when there are too many.
const MOST_NAMED: usize = 10;
const NO_TRAFFIC: &str =
    "NaN, which is what 0 divided by 0 gives: was there no traffic in the window?";

/// Numbers with the labels of their series.
struct Found {
    numbers: Vec<(Labels, f64)>,
    infos: Vec<String>,
}

/// Why there is no number, with more on it.
struct Absent {
    why: String,
    details: Vec<String>,
}

impl Absent {
    fn new(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            details: Vec::new(),
        }
    }
}

pub(crate) async fn measure(
    api: &Api<'_>,
    query: &QueryConfig,
    clock: &Clock,
) -> Result<QueryRecord, ProbeError> {
    let (unit, factor) = query.unit.base();
    let mut record = QueryRecord {
        value: None,
        unit,
        why: None,
        details: Vec::new(),
        series: 0,
        trials: None,
        bucket: None,
        age_s: None,
        max_age_s: query.max_age.0.as_secs_f64(),
        infos: Vec::new(),
    };
    let quantile = promql::quantile(&query.expr).ok().flatten();
    // The quantile and its buckets are asked for at one time.
    let at = quantile.map(|_| clock.now());
    let value = match run(api, &query.expr, at).await? {
        Ok(found) => {
            record.series = found.numbers.len() as u64;
            record.infos = found.infos;
            reduced(api, query.reduce, &found.numbers)
        }
        Err(absent) => Err(absent),
    };
    match value {
        Ok(value) => record.value = Some(rounded(value * factor)),
        Err(absent) => {
            record.why = Some(absent.why);
            record.details = absent.details;
            return Ok(record);
        }
    }
    if let Some(expr) = &query.trials {
        rests_on(&mut record, trials(api, expr).await?);
    }
    if let (Some(call), Some(at)) = (quantile, at)
        && record.why.is_none()
    {
        bucket(api, query, call, at, &mut record).await?;
    }
    if promql::is_selector(&query.expr) {
        record.age_s = age(api, &query.expr, clock).await?;
    }
    Ok(record)
}

/// Puts down how many trials there were; a percentage must be a share of them.
fn rests_on(record: &mut QueryRecord, trials: Result<u64, String>) {
    /// `1 - x / x` may be that far below 0.
    const HAIR: f64 = 1e-9;
    let is_percent = record.unit == Unit::Percent;
    let near = (-HAIR)..=(100.0 + HAIR);
    let value = record.value.filter(|value| near.contains(value));
    match trials {
        Ok(_) if is_percent && value.is_none() => {
            let why =
                "the query gives what is no share of `trials`: less than 0 % or more than 100 %";
            record.why = Some(why.to_owned());
        }
        Ok(trials) => record.trials = Some(trials),
        Err(why) => record.why = Some(why),
    }
    if let Some(value) = value.filter(|_| is_percent) {
        record.value = Some(value.clamp(0.0, 100.0));
    }
}

/// Asks for the buckets of a quantile, and puts down what they tell.
async fn bucket(
    api: &Api<'_>,
    query: &QueryConfig,
    call: Quantile<'_>,
    at: f64,
    record: &mut QueryRecord,
) -> Result<(), ProbeError> {
    let factor = query.unit.base().1;
    let found = match data(api, call.of, Some(at)).await? {
        Ok(answer) => quantile::ends(answer.data, call.share, record, query.reduce, factor),
        Err(absent) => Err(absent.why),
    };
    match found {
        Ok(bucket) => record.bucket = Some(bucket),
        Err(why) => {
            record.why = Some(format!("the buckets of the quantile are not known: {why}"));
        }
    }
    Ok(())
}

/// Asks. What the server says against a query is no failure of the gate's, but of the query.
async fn run(
    api: &Api<'_>,
    expr: &str,
    at: Option<f64>,
) -> Result<Result<Found, Absent>, ProbeError> {
    Ok(match data(api, expr, at).await? {
        Ok(answer) => {
            let infos = answer.infos;
            numbers(answer.data).map(|numbers| Found { numbers, infos })
        }
        Err(absent) => Err(absent),
    })
}

/// The same, as it comes.
async fn data(
    api: &Api<'_>,
    expr: &str,
    at: Option<f64>,
) -> Result<Result<Answer<QueryData>, Absent>, ProbeError> {
    let at = at.map(|at| format!("{at:.3}"));
    let mut pairs = vec![("query", expr)];
    pairs.extend(at.as_deref().map(|at| ("time", at)));
    let answer = match api.ask::<QueryData>("api/v1/query", &pairs).await? {
        Said::Data(answer) => answer,
        Said::No(no) => {
            let text = no.text.trim_start_matches("invalid parameter \"query\": ");
            let why = format!("Prometheus refuses the query ({}): {text}", no.kind);
            return Ok(Err(Absent::new(why)));
        }
    };
    if !answer.warnings.is_empty() {
        let mut absent = Absent::new("the answer is not complete: the server warns");
        absent.details = answer.warnings;
        return Ok(Err(absent));
    }
    Ok(Ok(answer))
}

/// Names of the metrics that a query gives; nothing if the server does not answer it in full.
pub(crate) async fn names(
    api: &Api<'_>,
    expr: &str,
) -> Result<Option<BTreeSet<String>>, ProbeError> {
    let found = run(api, expr, None).await?.ok();
    let labels = found.map(|found| found.numbers.into_iter().map(|(labels, _)| labels));
    Ok(labels.map(|labels| labels.filter_map(|mut l| l.remove("__name__")).collect()))
}

fn numbers(data: QueryData) -> Result<Vec<(Labels, f64)>, Absent> {
    let unreadable =
        |error: serde_json::Error| Absent::new(format!("the result cannot be read: {error}"));
    let number = |text: &str| {
        // Go writes `+Inf`, which Rust reads too.
        let number: Result<f64, _> = text.parse();
        number.map_err(|_| Absent::new("the result holds what is no number"))
    };
    match data.result_type.as_str() {
        "scalar" => {
            let Sample(_, text) = serde_json::from_value(data.result).map_err(unreadable)?;
            Ok(vec![(Labels::new(), number(&text)?)])
        }
        "vector" => {
            let series: Vec<Series> = serde_json::from_value(data.result).map_err(unreadable)?;
            let mut numbers = Vec::new();
            for one in series {
                let Some(Sample(_, text)) = one.value else {
                    let why = "the query gives a native histogram; take a number from it with `histogram_quantile()`";
                    return Err(Absent::new(why));
                };
                numbers.push((one.metric, number(&text)?));
            }
            Ok(numbers)
        }
        "matrix" => Err(Absent::new(
            "the query gives a range; wrap it: `rate(...[5m])`, `max_over_time(...[5m])`",
        )),
        _ => Err(Absent::new("the query gives neither a number nor a vector")),
    }
}

fn reduced(api: &Api<'_>, reduce: Reduce, numbers: &[(Labels, f64)]) -> Result<f64, Absent> {
    let named = |(labels, value): &(Labels, f64)| format!("{} = {value}", name_of(api, labels));
    if numbers.is_empty() {
        return Err(Absent::new(
            "the query gives no series: nothing has these names and labels, or had a sample lately",
        ));
    }
    if reduce == Reduce::Only && numbers.len() > 1 {
        let mut absent = Absent::new(format!(
            "the query gives {} series; aggregate them in PromQL, or set `reduce: max`, `min` or `sum`",
            numbers.len()
        ));
        absent.details = numbers.iter().take(MOST_NAMED).map(named).collect();
        return Err(absent);
    }
    // One series that is no number hides behind the maximum of the others.
    if let Some(one) = numbers.iter().find(|(_, value)| !value.is_finite()) {
        let what = if one.1.is_nan() {
            format!("the query gives {NO_TRAFFIC}")
        } else {
            format!(
                "the query gives {}, which is what a division by 0 gives",
                one.1
            )
        };
        let mut absent = Absent::new(what);
        if numbers.len() > 1 {
            absent.details = vec![named(one)];
        }
        return Err(absent);
    }
    let values = numbers.iter().map(|(_, value)| *value);
    let value = reduce.of(values);
    if value.is_finite() {
        Ok(value)
    } else {
        Err(Absent::new("the sum of the series is beyond all numbers"))
    }
}

/// A series as PromQL writes it: `up{job="api"}`.
fn name_of(api: &Api<'_>, labels: &Labels) -> String {
    let name = labels.get("__name__").map_or("", String::as_str);
    let rest = labels.iter().filter(|(label, _)| *label != "__name__");
    let pairs: Vec<_> = rest
        .map(|(label, value)| format!("{label}={value:?}"))
        .collect();
    api.text(&format!("{name}{{{}}}", pairs.join(",")))
}

/// On how many events a percentage rests; `increase()` gives fractions.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range is checked on the line before"
)]
async fn trials(api: &Api<'_>, expr: &str) -> Result<Result<u64, String>, ProbeError> {
    let found = match run(api, expr, None).await? {
        Ok(found) => reduced(api, Reduce::Only, &found.numbers),
        Err(absent) => Err(absent),
    };
    Ok(match found {
        Err(absent) => Err(format!("`trials` is not known: {}", absent.why)),
        Ok(trials) if !(0.5..9e15).contains(&trials) => {
            Err("`trials` is 0: there was no traffic in the window".to_owned())
        }
        Ok(trials) => Ok(trials.floor() as u64),
    })
}

/// Seconds since the oldest sample of a plain selector, by the clock of the server.
async fn age(api: &Api<'_>, expr: &str, clock: &Clock) -> Result<Option<f64>, ProbeError> {
    let found = run(api, &format!("timestamp({})", expr.trim()), None).await?;
    let oldest = found.ok().and_then(|found| {
        let times = found.numbers.iter().map(|(_, time)| *time);
        times.reduce(f64::min)
    });
    Ok(oldest
        .filter(|time| time.is_finite())
        .map(|time| milli(clock.now() - time).max(0.0)))
}
