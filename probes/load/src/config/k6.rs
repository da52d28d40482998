//! Expectations in the spelling of k6, so that thresholds of a script can be pasted.

use readygate_sdk::{Alias, ConfigProblem};

/// Built-in metrics of k6 that this probe measures too.
const NAMES: [&str; 4] = [
    "http_req_duration",
    "http_req_failed",
    "http_reqs",
    "http_req_waiting",
];
const OPERATORS: [&str; 8] = ["<=", ">=", "===", "==", "!==", "!=", "<", ">"];

/// `http_req_duration` and `p(95)<50` as `latency.p95` and `< 50ms`; a percentile that is spelled
/// with a dot (`latency.p99.9`) with the underscore of ours. Nothing for any other metric.
pub(crate) fn alias(metric: &str, condition: &str) -> Option<Alias> {
    if let Some(dotted) = dotted(metric) {
        return Some(Ok((dotted, condition.to_owned())));
    }
    let (name, tags) = match metric.split_once('{') {
        Some((name, tags)) => (name, Some(tags)),
        None => (metric, None),
    };
    if !NAMES.contains(&name) {
        return None;
    }
    Some(translate(name, tags, condition))
}

/// Dots part names of metrics, so a fraction of a percent has an underscore.
fn dotted(metric: &str) -> Option<String> {
    let (head, fraction) = metric.rsplit_once('.')?;
    let (_, last) = head.rsplit_once(".p")?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    (digits(last) && digits(fraction)).then(|| format!("{head}_{fraction}"))
}

fn problem(message: String, hint: &str) -> ConfigProblem {
    ConfigProblem {
        pointer: String::new(),
        message,
        hint: Some(hint.to_owned()),
    }
}

fn translate(name: &str, tags: Option<&str>, condition: &str) -> Alias {
    let route = route(tags)?;
    let bad = || {
        problem(
            format!("`{condition}` is no threshold of k6 on `{name}`"),
            "write `p(95)<50`, `rate<0.01` or `rate>100`, or use the metrics of this probe: latency.p95: \"< 50ms\"",
        )
    };
    let at = condition.find(['<', '>', '=', '!']).ok_or_else(bad)?;
    let (aggregation, rest) = condition.split_at(at);
    let op = OPERATORS
        .iter()
        .filter(|op| rest.starts_with(**op))
        .max_by_key(|op| op.len())
        .ok_or_else(bad)?;
    let bound = rest[op.len()..].trim();
    let number: f64 = bound.parse().map_err(|_| bad())?;
    let op = match *op {
        "===" => "==",
        "!==" => "!=",
        op => op,
    };
    let (own, value) = match (name, aggregation.trim()) {
        ("http_req_failed", "rate") => (
            "error_rate".to_owned(),
            format!("{}%", exact(number * 100.0)),
        ),
        ("http_req_failed", "count") => ("errors".to_owned(), bound.to_owned()),
        ("http_reqs", "rate") => ("throughput".to_owned(), format!("{bound}/s")),
        ("http_reqs", "count") => ("requests".to_owned(), bound.to_owned()),
        ("http_req_duration", aggregation) => {
            let own = latency(aggregation).ok_or_else(bad)?;
            (format!("latency.{own}"), format!("{bound}ms"))
        }
        ("http_req_waiting", aggregation) => {
            let own =
                latency(aggregation).filter(|own| matches!(own.as_str(), "p50" | "p95" | "p99"));
            (
                format!("ttfb.{}", own.ok_or_else(bad)?),
                format!("{bound}ms"),
            )
        }
        _ => return Err(bad()),
    };
    let own = match route {
        Some(route) => format!("routes.{route}.{own}"),
        None => own,
    };
    Ok((own, format!("{op} {value}")))
}

/// `0.01 * 100` is a hair off one percent.
fn exact(percent: f64) -> f64 {
    (percent * 1e9).round() / 1e9
}

/// `p(95)`, `avg`, `med` and `max` in our spelling.
fn latency(aggregation: &str) -> Option<String> {
    match aggregation {
        "avg" => Some("mean".to_owned()),
        "med" => Some("p50".to_owned()),
        "max" => Some("max".to_owned()),
        text => {
            let percent = text.strip_prefix("p(")?.strip_suffix(')')?.trim();
            let own = format!("p{}", percent.replace('.', "_"));
            crate::metrics::percentile(&format!("latency.{own}")).map(|_| own)
        }
    }
}

/// The route of `{name:/checkout}`.
fn route(tags: Option<&str>) -> Result<Option<String>, ConfigProblem> {
    let Some(tags) = tags else { return Ok(None) };
    let inner = tags.strip_suffix('}').unwrap_or(tags);
    match inner.split_once(':') {
        Some(("name", name)) if !name.trim().is_empty() && !name.contains(',') => {
            Ok(Some(name.trim().to_owned()))
        }
        _ => Err(problem(
            format!("the tags `{{{inner}}}` of k6 are not known here"),
            "only `{name:ROUTE}` is: it stands for routes.ROUTE",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_of_k6_are_read() {
        for (metric, condition, own, ours) in [
            ("http_req_duration", "p(95)<50", "latency.p95", "< 50ms"),
            (
                "http_req_duration",
                "p(99.9) <= 100.5",
                "latency.p99_9",
                "<= 100.5ms",
            ),
            ("http_req_duration", "avg<200", "latency.mean", "< 200ms"),
            (
                "http_req_duration{name:/a}",
                "med<20",
                "routes./a.latency.p50",
                "< 20ms",
            ),
            ("http_req_failed", "rate<0.01", "error_rate", "< 1%"),
            ("http_req_failed", "rate<0.0001", "error_rate", "< 0.01%"),
            ("http_req_failed", "rate===0", "error_rate", "== 0%"),
            ("http_reqs", "rate>100", "throughput", "> 100/s"),
            ("http_reqs", "count>=1000", "requests", ">= 1000"),
            ("latency.p99.9", "< 1s", "latency.p99_9", "< 1s"),
        ] {
            assert_eq!(
                alias(metric, condition),
                Some(Ok((own.to_owned(), ours.to_owned()))),
                "{metric}: {condition}"
            );
        }
        for metric in ["latency.p95", "error_rate", "routes./v1.2/x.latency.p95"] {
            assert_eq!(alias(metric, "< 1"), None, "{metric}");
        }
        for (metric, condition) in [
            ("http_req_duration", "p(95)"),
            ("http_req_duration", "p(95)<fast"),
            ("http_req_duration", "p(42)<5"),
            ("http_req_duration", "rate<5"),
            ("http_req_duration{status:200}", "p(95)<5"),
            ("http_req_failed", "p(95)<5"),
        ] {
            assert!(
                alias(metric, condition).is_some_and(|a| a.is_err()),
                "{condition}"
            );
        }
    }
}
