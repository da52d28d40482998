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

/// A call of `histogram_quantile()`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Quantile<'a> {
    /// Which quantile, as a share.
    pub share: f64,
    /// The buckets.
    pub of: &'a str,
}

/// The call that an expression is; an error where it has one inside of something else, or without a
/// plain number: what the buckets leave open is not known then.
pub(crate) fn quantile(expr: &str) -> Result<Option<Quantile<'_>>, ()> {
    const NAME: &str = "histogram_quantile";
    let calls = calls(expr, NAME);
    if calls == 0 {
        return Ok(None);
    }
    let mut expr = expr.trim();
    while expr.starts_with('(') && parenthesis(expr.as_bytes()) == Some(expr.len() - 1) {
        expr = expr[1..expr.len() - 1].trim();
    }
    let rest = match expr.get(..NAME.len()) {
        Some(head) if head.eq_ignore_ascii_case(NAME) && calls == 1 => {
            expr[NAME.len()..].trim_start()
        }
        _ => return Err(()),
    };
    if !rest.starts_with('(') || parenthesis(rest.as_bytes()) != Some(rest.len() - 1) {
        return Err(());
    }
    let inner = &rest[1..rest.len() - 1];
    let comma = commas(inner.as_bytes());
    let &[comma] = comma.as_slice() else {
        return Err(());
    };
    let share: f64 = inner[..comma].trim().parse().map_err(|_| ())?;
    let of = inner[comma + 1..].trim();
    if (0.0..=1.0).contains(&share) && !of.is_empty() {
        Ok(Some(Quantile { share, of }))
    } else {
        Err(())
    }
}

/// How often a function is called whose name begins so.
fn calls(expr: &str, name: &str) -> usize {
    let mut count = 0;
    outside_texts(expr.as_bytes(), |at, byte| {
        let before = at.checked_sub(1).map(|at| expr.as_bytes()[at]);
        if is_name(byte) && !before.is_some_and(is_name) {
            let length = expr[at..].bytes().take_while(|b| is_name(*b)).count();
            let (word, rest) = expr[at..].split_at(length);
            let is_called = rest.trim_start().starts_with('(');
            count += usize::from(is_called && word.to_ascii_lowercase().starts_with(name));
        }
        true
    });
    count
}

/// Where the parenthesis closes that opens at the start.
fn parenthesis(bytes: &[u8]) -> Option<usize> {
    let (mut depth, mut end) = (0_usize, None);
    outside_texts(bytes, |at, byte| {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            end = Some(at);
        }
        depth > 0
    });
    end
}

/// Where commas are that stand in no parenthesis.
fn commas(bytes: &[u8]) -> Vec<usize> {
    let (mut depth, mut found) = (0_usize, Vec::new());
    outside_texts(bytes, |at, byte| {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => found.push(at),
            _ => {}
        }
        true
    });
    found
}

/// Hands out the bytes that stand in no quotes, matchers, ranges or comments, until it is told to
/// stop.
fn outside_texts(bytes: &[u8], mut take: impl FnMut(usize, u8) -> bool) {
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        at += match rest[0] {
            b'"' | b'\'' | b'`' => quoted(rest),
            b'{' => closing(rest, b'}').map_or(rest.len(), |n| n + 1),
            b'[' => closing(rest, b']').map_or(rest.len(), |n| n + 1),
            b'#' => rest.iter().take_while(|b| **b != b'\n').count(),
            byte if take(at, byte) => 1,
            _ => return,
        };
    }
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
    fn quantiles_are_found_where_they_are_outermost() {
        let inner = "sum by (le) (rate(a_bucket{x=\")\"}[10m]))";
        let call = format!("histogram_quantile(0.95, {inner})");
        let found = Some(Quantile {
            share: 0.95,
            of: inner,
        });
        assert_eq!(quantile(&call), Ok(found));
        assert_eq!(quantile(&format!(" (( {call} ) ) ")), Ok(found));
        assert_eq!(quantile(&call.replace("le(", "le (")), Ok(found));
        let spaced = call.replace("quantile(0.95", "quantile (\n95e-2 ");
        assert_eq!(quantile(&spaced), Ok(found));
        for other in [
            "up",
            "quantile(0.9, x)",
            "x{a=\"histogram_quantile(\"}",
            "é",
        ] {
            assert_eq!(quantile(other), Ok(None), "{other}");
        }
        for unclear in [
            format!("1000 * {call}"),
            format!("{call} * 1000"),
            format!("max({call})"),
            format!("({call}) or ({call})"),
            format!("max_over_time({call}[1h:1m])"),
            call.replace("0.95", "scalar(q)"),
            call.replace("0.95", "95"),
            call.replace("0.95", "NaN"),
            call.replace(inner, ""),
            call.replace("0.95, ", ""),
            call.replace("0.95, ", "0.95, \"x\", "),
            call.trim_end_matches(')').to_owned(),
            format!("histogram_quantile(0.5, {call})"),
            call.replace("quantile(", "quantiles(\"q\", "),
        ] {
            assert_eq!(quantile(&unclear), Err(()), "{unclear}");
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
