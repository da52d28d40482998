//! Metrics: the named, unit-carrying scalars of a measurement.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use crate::Unit;

/// What a probe documents about one of its metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetricSpec {
    /// Dotted, singular name: `latency.p95`. A trailing `.*` declares a family whose members are
    /// known only after measuring (`perf.*`).
    pub name: &'static str,
    /// Unit of the value; for a family, the unit is the one measured.
    pub unit: Unit,
    /// One sentence for the documentation.
    pub summary: &'static str,
}

impl MetricSpec {
    /// Shorthand for tables of metrics.
    pub const fn new(name: &'static str, unit: Unit, summary: &'static str) -> Self {
        Self {
            name,
            unit,
            summary,
        }
    }

    /// Whether this is a family (`perf.*`) rather than one metric.
    pub fn is_family(&self) -> bool {
        self.name.ends_with(".*")
    }

    /// Whether `name` is this metric or a member of this family.
    pub fn covers(&self, name: &str) -> bool {
        match self.name.strip_suffix('*') {
            Some(prefix) => name.len() > prefix.len() && name.starts_with(prefix),
            None => self.name == name,
        }
    }
}

/// The value of a metric.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)] // a record format, not a config: there is no caret to lose
pub enum Value {
    /// A number in the metric's base unit.
    Number(f64),
    /// A text, for metrics of [`Unit::Text`].
    Text(String),
}

impl Serialize for Value {
    /// Whole numbers are written as such: `6`, not `6.0`.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "below 2^53, where f64 holds integers exactly"
    )]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(n) if n.fract() == 0.0 && n.abs() < 9e15 => {
                serializer.serialize_i64(*n as i64)
            }
            Self::Number(n) => serializer.serialize_f64(*n),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl JsonSchema for Value {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "MetricValue".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": ["number", "string"]})
    }
}

/// How a rate was obtained: so many hits in so many trials.
///
/// A percentage that is a *sample* of an ongoing process (error rate, hit rate) carries this, so
/// that a claim on it can be refused when the sample is too small. A *census* (coverage of a code
/// base) does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sample {
    /// Trials that count towards the rate.
    pub hits: u64,
    /// All trials.
    pub trials: u64,
}

/// How sure a quantile is: an exact two-sided 95 % confidence interval from order statistics.
///
/// Of `n` values, the number at or below the true quantile is binomial, whatever their
/// distribution; so two of the values themselves, by rank, enclose it. An end is absent where the
/// sample is too small to have a value of that rank.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interval {
    /// Which quantile, as a share: 0.95.
    pub quantile: f64,
    /// Values that it rests on.
    pub samples: u64,
    /// Lower end, in the metric's base unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// Upper end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
}

/// A metric over the consecutive parts of a run, all of one length.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Windows {
    /// Length of each in seconds.
    pub seconds: f64,
    /// Value in each, in the metric's base unit; nothing where there was nothing to measure.
    pub values: Vec<Option<f64>>,
    /// What each rests on: samples of a quantile, trials of a rate.
    pub samples: Vec<u64>,
}

/// One measured metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Metric {
    /// In the base unit of `unit`.
    pub value: Value,
    /// The unit of `value`.
    pub unit: Unit,
    /// Present when the value is a rate estimated from a sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<Sample>,
    /// Present when the value is a quantile of a sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// The same over parts of the run, one entry for each length of part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<Windows>,
}

impl Metric {
    /// A number in the base unit of `unit`.
    pub fn number(value: f64, unit: Unit) -> Self {
        Self {
            value: Value::Number(value),
            unit,
            sample: None,
            interval: None,
            windows: Vec::new(),
        }
    }

    /// The share of `hits` in `trials`, as a percentage sampled from an ongoing process.
    pub fn rate(hits: u64, trials: u64) -> Self {
        Self {
            sample: Some(Sample { hits, trials }),
            ..Self::number(100.0 * hits as f64 / trials as f64, Unit::Percent)
        }
    }

    /// Adds how sure a quantile is.
    #[must_use]
    pub fn interval(mut self, interval: Interval) -> Self {
        self.interval = Some(interval);
        self
    }

    /// Adds what it was in parts of the run.
    #[must_use]
    pub fn windows(mut self, windows: Vec<Windows>) -> Self {
        self.windows = windows;
        self
    }

    /// The value as a person reads it: `41 ms`.
    pub fn display(&self) -> String {
        match &self.value {
            Value::Number(n) => self.unit.format(*n),
            Value::Text(t) => t.clone(),
        }
    }
}

/// The metrics of one measurement, in the order of insertion.
///
/// A value that is not finite is never stored: it becomes *absent with a reason*, and an
/// expectation on an absent metric is unmeasured. NaN therefore never passes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metrics {
    present: Vec<(String, Metric)>,
    absent: Vec<(String, String)>,
}

impl Metrics {
    /// No metrics yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a number in the base unit of `unit`.
    pub fn number(&mut self, name: impl Into<String>, value: f64, unit: Unit) -> &mut Self {
        self.put(name, Metric::number(value, unit))
    }

    /// Adds a plain count.
    pub fn count(&mut self, name: impl Into<String>, value: u64) -> &mut Self {
        self.number(name, value as f64, Unit::Count)
    }

    /// Adds a duration in seconds.
    pub fn seconds(&mut self, name: impl Into<String>, value: f64) -> &mut Self {
        self.number(name, value, Unit::Seconds)
    }

    /// Adds a size in bytes.
    pub fn bytes(&mut self, name: impl Into<String>, value: u64) -> &mut Self {
        self.number(name, value as f64, Unit::Bytes)
    }

    /// Adds a percentage, 0 to 100, that is a census and not a sample.
    pub fn percent(&mut self, name: impl Into<String>, value: f64) -> &mut Self {
        self.number(name, value, Unit::Percent)
    }

    /// Adds a rate sampled from `trials`, as a percentage; absent when there were no trials.
    pub fn rate(&mut self, name: impl Into<String>, hits: u64, trials: u64) -> &mut Self {
        if trials == 0 {
            return self.absent(name, "no samples");
        }
        self.put(name, Metric::rate(hits, trials))
    }

    /// Adds a text.
    pub fn text(&mut self, name: impl Into<String>, value: impl Into<String>) -> &mut Self {
        let metric = Metric {
            value: Value::Text(value.into()),
            ..Metric::number(0.0, Unit::Text)
        };
        self.present.push((name.into(), metric));
        self
    }

    /// Says that a metric could not be measured, and why.
    pub fn absent(&mut self, name: impl Into<String>, reason: impl Into<String>) -> &mut Self {
        self.absent.push((name.into(), reason.into()));
        self
    }

    /// Adds a metric with all that is known of it.
    pub fn put(&mut self, name: impl Into<String>, metric: Metric) -> &mut Self {
        match metric.value {
            Value::Number(value) if !value.is_finite() => {
                self.absent(name, format!("measured {value}, which is not a number"))
            }
            _ => {
                self.present.push((name.into(), metric));
                self
            }
        }
    }

    /// The metric of this name, if it was measured.
    pub fn get(&self, name: &str) -> Option<&Metric> {
        self.present.iter().find(|(n, _)| n == name).map(|(_, m)| m)
    }

    /// Why the metric of this name is absent, if the probe said so.
    pub fn why_absent(&self, name: &str) -> Option<&str> {
        self.absent
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, r)| r.as_str())
    }

    /// All measured metrics, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Metric)> {
        self.present.iter().map(|(n, m)| (n.as_str(), m))
    }

    /// Names that the probe declared absent, with the reason.
    pub fn iter_absent(&self) -> impl Iterator<Item = (&str, &str)> {
        self.absent.iter().map(|(n, r)| (n.as_str(), r.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_is_absent_with_a_reason() {
        let mut metrics = Metrics::new();
        metrics
            .seconds("latency", f64::NAN)
            .percent("load", f64::INFINITY)
            .rate("errors", 0, 0);
        assert_eq!(metrics.iter().count(), 0);
        assert!(
            metrics
                .why_absent("latency")
                .is_some_and(|r| r.contains("NaN"))
        );
        assert_eq!(metrics.why_absent("errors"), Some("no samples"));
    }

    #[test]
    fn families_cover_their_members_only() {
        let family = MetricSpec::new("perf.*", Unit::Count, "");
        assert!(
            family.covers("perf.users") && !family.covers("perf.") && !family.covers("perfect")
        );
    }
}
