//! Between which values a quantile of a histogram lies.
//!
//! `histogram_quantile()` takes the observations of a bucket to be spread evenly, and gives the
//! highest finite end for whatever lies beyond it
//! (<https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile>). What a
//! histogram tells are the ends of the bucket.

use std::collections::BTreeMap;

use crate::{
    answers::{Labels, NativeHistogram, QueryData, Sample, Series},
    config::Reduce,
    measurement::{BucketRecord, QueryRecord},
    text::rounded,
};

/// Standard deviations of 95 % confidence.
const CONFIDENCE: f64 = 1.96;
/// By how much, relatively, the number of the server may lie outside of its bucket.
const SLACK: f64 = 1e-6;

/// Observations between two values.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Bucket {
    low: f64,
    high: f64,
    count: f64,
}

/// Finds the ends in the buckets of every histogram. They must fit the value of the record, and
/// `factor` makes its unit of theirs.
pub(crate) fn ends(
    data: QueryData,
    share: f64,
    record: &QueryRecord,
    reduce: Reduce,
    factor: f64,
) -> Result<BucketRecord, String> {
    let histograms = histograms(data)?;
    if histograms.len() as u64 != record.series {
        let (count, series) = (histograms.len(), record.series);
        return Err(format!("{count} histograms give {series} series"));
    }
    let shares = shares(share, record.trials);
    let found: Option<Vec<_>> = histograms.iter().map(|b| of_one(b, shares)).collect();
    let Some(found) = found.filter(|found| !found.is_empty()) else {
        return Err("a histogram holds nothing".to_owned());
    };
    let low = reduce.of(found.iter().map(|(low, _)| *low)) * factor;
    let high = reduce.of(found.iter().map(|(_, high)| *high)) * factor;
    let fits = |value: f64| {
        let slack = SLACK * value.abs();
        low <= value + slack && value <= high + slack
    };
    if !record.value.is_some_and(fits) {
        return Err("the number that the server gives lies outside of them".to_owned());
    }
    let finite = |end: f64| end.is_finite().then(|| rounded(end));
    Ok(BucketRecord {
        quantile: share,
        low: finite(low),
        high: finite(high),
    })
}

/// Which shares of the observations the quantile may really be, of so many events: the normal
/// approximation, which with few of them reaches beyond all.
fn shares(share: f64, trials: Option<u64>) -> (f64, f64) {
    let half = trials.map_or(0.0, |trials| {
        CONFIDENCE * (share * (1.0 - share) / trials as f64).sqrt()
    });
    (share - half, share + half)
}

/// Ends of the buckets from the one that holds the lower share to the one that holds the upper.
fn of_one(buckets: &[Bucket], (low, high): (f64, f64)) -> Option<(f64, f64)> {
    let total: f64 = buckets.iter().map(|bucket| bucket.count).sum();
    if !(total.is_finite() && total > 0.0) {
        return None;
    }
    let at = |share: f64| {
        let mut sum = 0.0;
        let reaches = |bucket: &&Bucket| {
            sum += bucket.count;
            sum >= share * total
        };
        buckets.iter().find(reaches).or(buckets.last())
    };
    let upper = if high > 1.0 {
        f64::INFINITY
    } else {
        at(high)?.high
    };
    Some((at(low)?.low, upper))
}

/// The buckets of each histogram, lowest first.
fn histograms(data: QueryData) -> Result<Vec<Vec<Bucket>>, String> {
    if data.result_type != "vector" {
        return Err("they come as no vector".to_owned());
    }
    let series: Vec<Series> =
        serde_json::from_value(data.result).map_err(|error| error.to_string())?;
    let mut classic: BTreeMap<Labels, Vec<(f64, f64)>> = BTreeMap::new();
    let mut all = Vec::new();
    for one in series {
        match one {
            Series {
                histogram: Some(sample),
                ..
            } => all.push(native(&sample.1)?),
            Series {
                mut metric,
                value: Some(Sample(_, count)),
                ..
            } => {
                metric.remove("__name__");
                let end = metric.remove("le").ok_or("a series has no label `le`")?;
                let bucket = (number(&end)?, number(&count)?);
                classic.entry(metric).or_default().push(bucket);
            }
            Series { .. } => return Err("a series has no number".to_owned()),
        }
    }
    all.extend(classic.into_values().map(cumulative));
    Ok(all)
}

/// From counts of all that is no larger than the end of each.
fn cumulative(mut ends: Vec<(f64, f64)>) -> Vec<Bucket> {
    ends.sort_by(|a, b| a.0.total_cmp(&b.0));
    // Prometheus takes the lowest bucket to begin at 0 where it ends above.
    let first = ends.first().map_or(0.0, |(end, _)| *end);
    let mut low = if first > 0.0 { 0.0 } else { f64::NEG_INFINITY };
    let mut below = 0.0_f64;
    let bucket = |(high, count): (f64, f64)| {
        // Buckets that are scraped apart may seem to hold less than those below.
        let count = count.max(below);
        let bucket = Bucket {
            low,
            high,
            count: count - below,
        };
        (low, below) = (high, count);
        bucket
    };
    ends.into_iter().map(bucket).collect()
}

fn native(histogram: &NativeHistogram) -> Result<Vec<Bucket>, String> {
    let bucket = |b: &crate::answers::NativeBucket| {
        Ok(Bucket {
            low: number(&b.1)?,
            high: number(&b.2)?,
            count: number(&b.3)?,
        })
    };
    histogram.buckets.iter().map(bucket).collect()
}

fn number(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|n: &f64| !n.is_nan());
    number.ok_or_else(|| "one of them is no number".to_owned())
}

#[cfg(test)]
mod tests {
    use readygate_sdk::Unit;
    use serde_json::json;

    use super::*;

    fn record(value: f64, trials: Option<u64>) -> QueryRecord {
        QueryRecord {
            value: Some(value),
            unit: Unit::Seconds,
            why: None,
            details: Vec::new(),
            series: 1,
            trials,
            bucket: None,
            age_s: None,
            max_age_s: 300.0,
            infos: Vec::new(),
        }
    }

    fn classic(buckets: &[(&str, f64)]) -> QueryData {
        let series = buckets
            .iter()
            .map(|(le, count)| json!({"metric": {"le": le}, "value": [1.0, count.to_string()]}));
        QueryData {
            result_type: "vector".into(),
            result: series.collect(),
        }
    }

    fn of(data: QueryData, share: f64, record: &QueryRecord) -> (Option<f64>, Option<f64>) {
        let found = ends(data, share, record, Reduce::Only, 1.0).unwrap();
        (found.low, found.high)
    }

    #[test]
    fn the_bucket_of_a_quantile_is_found() {
        // Of 100 requests 94 take 10 ms and 6 take 95 ms.
        let two = || classic(&[("+Inf", 100.0), ("0.1", 100.0), ("0.03", 94.0)]);
        let p95 = of(two(), 0.95, &record(0.0416, None));
        assert_eq!(p95, (Some(0.03), Some(0.1)));
        assert_eq!(
            of(two(), 0.9, &record(0.029, None)),
            (Some(0.0), Some(0.03))
        );
        assert_eq!(of(two(), 1.0, &record(0.1, None)), (Some(0.03), Some(0.1)));
        // All of them take 30 s.
        let beyond = classic(&[("0.5", 0.0), ("1", 0.0), ("+Inf", 100.0)]);
        assert_eq!(of(beyond, 0.95, &record(1.0, None)), (Some(1.0), None));
        let below = classic(&[("-1", 5.0), ("+Inf", 5.0)]);
        assert_eq!(of(below, 0.5, &record(-1.0, None)), (None, Some(-1.0)));
    }

    #[test]
    fn few_events_may_lie_in_other_buckets() {
        let all = || classic(&[("0.01", 960.0), ("0.1", 990.0), ("+Inf", 1000.0)]);
        let p95 = |trials| of(all(), 0.95, &record(0.0099, trials));
        assert_eq!(p95(None), (Some(0.0), Some(0.01)));
        assert_eq!(p95(Some(100_000)), (Some(0.0), Some(0.01)));
        assert_eq!(p95(Some(300)), (Some(0.0), Some(0.1)));
        assert_eq!(p95(Some(20)), (Some(0.0), None));
    }

    #[test]
    fn native_histograms_name_the_ends_themselves() {
        let histogram = json!({"count": "10", "sum": "1", "buckets": [[0, "0.5", "1", "4"], [0, "1", "2", "6"]]});
        let data = QueryData {
            result_type: "vector".into(),
            result: json!([{"metric": {}, "histogram": [1.0, histogram]}]),
        };
        assert_eq!(of(data, 0.9, &record(1.8, None)), (Some(1.0), Some(2.0)));
    }

    #[test]
    fn what_does_not_fit_is_not_known() {
        let why =
            |data, record: &QueryRecord| ends(data, 0.5, record, Reduce::Only, 1.0).unwrap_err();
        let good = || classic(&[("1", 5.0), ("+Inf", 5.0)]);
        assert!(why(good(), &record(2.0, None)).contains("outside"));
        assert!(why(classic(&[]), &record(1.0, None)).contains("0 histograms"));
        let nothing = classic(&[("1", 0.0), ("+Inf", 0.0)]);
        assert!(why(nothing, &record(1.0, None)).contains("nothing"));
        assert!(why(classic(&[("x", 1.0)]), &record(1.0, None)).contains("no number"));
        let mut other = good();
        other.result[0]["metric"] = json!({"vmrange": "1...2"});
        assert!(why(other, &record(1.0, None)).contains("`le`"));
        // Buckets that are not in step.
        let mixed = classic(&[("1", 5.0), ("2", 4.0), ("+Inf", 10.0)]);
        assert_eq!(of(mixed, 0.5, &record(1.0, None)), (Some(0.0), Some(1.0)));
    }
}
