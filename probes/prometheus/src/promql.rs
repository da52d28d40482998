//! As much of PromQL as it takes to know what an expression looks at.
//!
//! <https://prometheus.io/docs/prometheus/latest/querying/basics/>

use std::collections::BTreeSet;

/// Whether an expression is one plain instant vector selector: `up`, `up{job="api"}`. Only the
/// samples of such a one have a time of their own that `timestamp()` gives.
pub(crate) fn is_selector(expr: &str) -> bool {
    let expr = expr.trim();
    let name = expr.bytes().take_while(|b| is_name(*b)).count();
    let rest = expr[name..].trim_start();
    if rest.is_empty() {
        let words = ["inf", "nan"];
        return begins_name(expr) && !words.contains(&&*expr.to_ascii_lowercase());
    }
    let named = name == 0 || begins_name(expr);
    named && rest.starts_with('{') && closing(rest.as_bytes(), b'}') == Some(rest.len() - 1)
}

/// The names of metrics that an expression looks at; names that only a label matcher gives
/// (`{__name__=~"..."}`) are not seen.
pub(crate) fn metric_names(expr: &str) -> BTreeSet<String> {
    let bytes = expr.as_bytes();
    let mut names = BTreeSet::new();
    let mut at = 0;
    let mut skips_list = false;
    while at < bytes.len() {
        let rest = &bytes[at..];
        match rest[0] {
            b'"' | b'\'' | b'`' => at += quoted(rest),
            b'{' => at += closing(rest, b'}').map_or(rest.len(), |n| n + 1),
            b'[' => at += closing(rest, b']').map_or(rest.len(), |n| n + 1),
            b'(' if skips_list => at += closing(rest, b')').map_or(rest.len(), |n| n + 1),
            b'#' => at += rest.iter().take_while(|b| **b != b'\n').count(),
            b if is_name(b) => {
                let length = rest.iter().take_while(|b| is_name(**b)).count();
                let word = &expr[at..at + length];
                at += length;
                skips_list = LABEL_LISTS.contains(&&*word.to_ascii_lowercase());
                let called = expr[at..].trim_start().starts_with('(');
                if begins_name(word) && !called && !is_word(word) {
                    names.insert(word.to_owned());
                }
                continue;
            }
            b if b.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            _ => at += 1,
        }
        skips_list = false;
    }
    names
}

/// What is followed by a list of labels in parentheses.
const LABEL_LISTS: [&str; 6] = [
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
];

const WORDS: [&str; 24] = [
    "and",
    "or",
    "unless",
    "atan2",
    "bool",
    "offset",
    "inf",
    "nan",
    "sum",
    "min",
    "max",
    "avg",
    "group",
    "stddev",
    "stdvar",
    "count",
    "count_values",
    "bottomk",
    "topk",
    "quantile",
    "limitk",
    "limit_ratio",
    "start",
    "end",
];

fn is_word(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    WORDS.contains(&word.as_str()) || LABEL_LISTS.contains(&word.as_str())
}

const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b':'
}

fn begins_name(text: &str) -> bool {
    !text.starts_with(|c: char| c.is_ascii_digit()) && !text.is_empty()
}

/// Bytes of a text in quotes at the start, the quotes included.
fn quoted(bytes: &[u8]) -> usize {
    let quote = bytes[0];
    let mut at = 1;
    while at < bytes.len() && bytes[at] != quote {
        // In backticks nothing is escaped.
        at += 1 + usize::from(bytes[at] == b'\\' && quote != b'`');
    }
    (at + 1).min(bytes.len())
}

/// Where what opens at the start closes, texts in quotes left out.
fn closing(bytes: &[u8], close: u8) -> Option<usize> {
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b if b == close => return Some(at),
            b'"' | b'\'' | b'`' => at += quoted(&bytes[at..]),
            _ => at += 1,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_are_told_from_the_rest() {
        for (expr, wanted) in [
            ("up", true),
            (" node_load1 ", true),
            ("job:rate5m{job=\"a}b\"}", true),
            ("{__name__=\"up\"}", true),
            ("up{a=\"1\"} offset 5m", false),
            ("up{a=\"1\"} + up{b=\"2\"}", false),
            ("sum(up)", false),
            ("rate(x[5m])", false),
            ("1", false),
            ("5m", false),
            ("NaN", false),
            ("", false),
            ("up{a=\"1\"", false),
            ("é", false),
        ] {
            assert_eq!(is_selector(expr), wanted, "{expr}");
        }
    }

    #[test]
    fn metrics_are_named() {
        for (expr, wanted) in [
            ("up == 0", "up"),
            (
                "sum by (job, up) (rate(http_requests_total{code=~\"5..\"}[5m])) / on (job) group_left (x) \
                 sum without(a)(rate(all_total[5m:1m] offset 1h)) > bool 0.05",
                "all_total http_requests_total",
            ),
            (
                "(probe_ssl_earliest_cert_expiry - time()) / 86400 < 14",
                "probe_ssl_earliest_cert_expiry",
            ),
            ("absent(up{job=\"a\"}) # node_load1\nor x{y='z'}", "up x"),
            ("vector(1)", ""),
            ("sum(", ""),
            ("a{b=\"", "a"),
            ("é + up", "up"),
        ] {
            let names: Vec<_> = metric_names(expr).into_iter().collect();
            assert_eq!(names.join(" "), wanted, "{expr}");
        }
    }
}
