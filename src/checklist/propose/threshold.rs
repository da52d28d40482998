//! Thresholds: what the text says, or else what the dictionary proposes.
//!
//! A number of the text may only set a threshold that bounds the same way, and may only loosen it
//! where it stands beside what is measured: `(150% of peak load)` is no error rate.

use std::ops::Range;

use crate::checklist::{
    dictionary::{Item, Word, words},
    normal::western,
    numbers::{Of, Reading, readings},
    scan::Line,
};

/// One line of an `expect` block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expect {
    /// Which metric.
    pub metric: String,
    /// What it must be.
    pub is: String,
    /// Line of the document that says so; `None` for a proposal of the dictionary.
    pub line: Option<usize>,
}

/// A number of the text that set no threshold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unused {
    /// Its line.
    pub line: usize,
    /// The number as it stands there.
    pub shown: String,
    /// Why not.
    pub why: &'static str,
}

/// The `expect` block of an item, from the lines that say it, and the numbers that it does not take.
pub fn expect(item: &Item, lines: &[&Line]) -> (Vec<Expect>, Vec<Unused>) {
    let mut out = Vec::with_capacity(item.expect.len());
    let mut read = Read::default();
    for given in &item.expect {
        let [metric, default, rest @ ..] = given.as_slice() else {
            continue;
        };
        let rule = rest
            .first()
            .and_then(|how| Rule::of(item, metric, default, how));
        let said = rule.map(|rule| rule.said(lines, &mut read));
        let said = said.unwrap_or_default();
        if said.is_empty() {
            out.push(Expect {
                metric: metric.clone(),
                is: default.clone(),
                line: None,
            });
        }
        out.extend(said);
    }
    let reads = item.expect.iter().any(|given| given.len() > 2);
    // The number of nodes goes into the `with` block.
    if item.with.as_deref().is_some_and(|w| w.contains("{{")) {
        let counts = |l: &&&Line| count(&readings(&l.text)).is_some_and(|r| is_named(&r));
        read.counted = lines.iter().filter(counts).map(|l| l.number).collect();
    }
    let unused = if reads {
        read.unused(lines)
    } else {
        Vec::new()
    };
    (out, unused)
}

/// Lines of one gate whose numbers are told of.
const MOST: usize = 50;

/// What became of the numbers.
#[derive(Debug, Default)]
struct Read {
    /// Lines with a number that a threshold takes.
    used: Vec<usize>,
    /// Lines with a number that the `with` block takes.
    counted: Vec<usize>,
    refused: Vec<Unused>,
}

impl Read {
    /// One number for each line that has some and set no threshold by any.
    fn unused(self, lines: &[&Line]) -> Vec<Unused> {
        let mut out: Vec<Unused> = Vec::new();
        for line in lines
            .iter()
            .take(MOST)
            .filter(|l| !self.used.contains(&l.number))
        {
            let refused = self.refused.iter().find(|u| u.line == line.number).cloned();
            let other = || {
                if self.counted.contains(&line.number) {
                    return None;
                }
                let first = readings(&line.text).into_iter().next()?;
                Some(Unused {
                    line: line.number,
                    shown: first.shown,
                    why: "its unit is not that of the threshold",
                })
            };
            out.extend(refused.or_else(other));
        }
        out
    }
}

/// A threshold of the dictionary, for which the text may have a number.
#[derive(Debug)]
struct Rule<'a> {
    item: &'a Item,
    metric: &'a str,
    /// `percent`, `count`, `duration`.
    kind: &'a str,
    /// `days`; `metric` where the words of the item say nothing of what is measured.
    detail: &'a str,
    op: &'a str,
    default: f64,
}

impl<'a> Rule<'a> {
    fn of(item: &'a Item, metric: &'a str, default: &'a str, how: &'a str) -> Option<Self> {
        let (kind, detail) = how.split_once(':').unwrap_or((how, ""));
        Some(Self {
            item,
            metric,
            kind,
            detail,
            op: default.split(' ').next()?,
            default: readings(default).first()?.value,
        })
    }

    /// What the first line says that says something, and what is refused.
    fn said(&self, lines: &[&Line], read: &mut Read) -> Vec<Expect> {
        let mut out: Vec<Expect> = Vec::new();
        for line in lines {
            let text = western(&line.text);
            let all = readings(&text);
            let mut found: Vec<Expect> = Vec::new();
            for (reading, metric) in self.candidates(&text, &all) {
                let taken = metric.and_then(|m| self.judge(&text, &reading).map(|()| m));
                match taken {
                    Ok(metric) if found.iter().all(|e| e.metric != metric) => found.push(Expect {
                        metric,
                        is: reading.expectation(self.op),
                        line: Some(line.number),
                    }),
                    Ok(_) => {}
                    Err(why) => read.refused.push(Unused {
                        line: line.number,
                        shown: reading.shown,
                        why,
                    }),
                }
            }
            if found.is_empty() {
                continue;
            }
            // Two numbers for one quantity are a finding of their own.
            let same = |e: &Expect| out.iter().any(|o| o.metric == e.metric && o.is == e.is);
            if out.is_empty() || self.item.quantity.is_some() || found.iter().all(same) {
                read.used.push(line.number);
            } else if let Some(first) = found.first() {
                read.refused.push(Unused {
                    line: line.number,
                    shown: first.is.clone(),
                    why: "another line of this gate says another number",
                });
            }
            if out.is_empty() {
                out = found;
            }
        }
        out
    }

    /// The numbers of a line that have the right unit, each with the metric that it is for. Only
    /// percentiles can have more than one.
    fn candidates(
        &self,
        text: &str,
        all: &[Reading],
    ) -> Vec<(Reading, Result<String, &'static str>)> {
        let metric = || Ok(self.metric.to_owned());
        let of = |wanted: Of| all.iter().filter(move |r| r.of == wanted).cloned();
        let found: Vec<Reading> = match self.kind {
            "percent" => of(Of::Percent).collect(),
            "total" => of(Of::Total).collect(),
            "duration" if self.detail == "days" => {
                of(Of::Duration).filter(|r| r.value >= 86_400.0).collect()
            }
            "duration" => of(Of::Duration).collect(),
            "rate" => rates(all),
            "number" => of(Of::Count).take(1).collect(),
            "count" => count(all).into_iter().collect(),
            _ => Vec::new(),
        };
        match self.metric.strip_suffix("p95") {
            Some(stem) => percentiles(stem, text, found),
            None => found.into_iter().map(|r| (r, metric())).collect(),
        }
    }

    /// Whether a number may be the threshold.
    fn judge(&self, text: &str, reading: &Reading) -> Result<(), &'static str> {
        let upper = self.op.starts_with('<');
        let lower = self.op.starts_with('>');
        let says = reading.op.map(|op| op.starts_with('<'));
        if reading.ambiguous {
            return Err("its separator may part thousands or decimals");
        }
        if (upper && says == Some(false)) || (!upper && says == Some(true)) {
            return Err("it bounds the other way");
        }
        if upper && reading.of == Of::Percent && reading.value >= 100.0 {
            return Err("100 % and more is no upper bound");
        }
        let named = reading.of == Of::Count && is_named(reading);
        let strict = (upper && reading.value <= self.default)
            || (lower && reading.value >= self.default)
            || (!upper && !lower && (reading.of != Of::Count || reading.noun.is_empty()));
        if named || strict || self.is_near(text, reading) {
            Ok(())
        } else {
            Err("it is looser than the dictionary, and may measure something else")
        }
    }

    /// Whether a number stands right beside what is measured.
    fn is_near(&self, text: &str, reading: &Reading) -> bool {
        let before = reading.before.trim_end();
        let open = |t: &str| t.rfind('(').is_some_and(|i| !t[i..].contains(')'));
        let bracketed = text.get(..reading.at.start).is_some_and(open);
        if bracketed && reading.op.is_none() {
            return false;
        }
        let after = reading.after.trim_start_matches([' ', '(']);
        let end = after.find(|c: char| !c.is_alphanumeric());
        let next = words(&after[..end.unwrap_or(after.len())]);
        let next = next.iter().find(|w| !is_filler(w));
        if next.is_some_and(|w| self.names(w)) {
            return true;
        }
        let clause = before
            .rsplit([',', ';', '،', '؛'])
            .next()
            .unwrap_or_default();
        // `Response time acceptable (< 200ms)`: the bracket is about all that stands before it.
        if before.ends_with('(') {
            let direct = reading
                .after
                .trim_start()
                .starts_with(char::is_alphanumeric);
            let about = words(&clause.replace(['(', ')'], " "));
            return !(direct && next.is_some()) && about.iter().any(|w| self.names(w));
        }
        let about = words(&clause.replace(['(', ')'], " "));
        match about.iter().rev().find(|w| !is_filler(w)) {
            Some(word) => self.names(word),
            None => before.is_empty() && next.is_none() && reading.op.is_some(),
        }
    }

    /// Whether a word names what is measured.
    fn names(&self, word: &Word) -> bool {
        let mut metric = self.metric.split(['.', '_']).flat_map(words);
        percentile_of(word.text()).is_some()
            || metric.any(|m| m.text() == word.text())
            || (self.detail != "metric" && self.item.phrases.iter().any(|p| p.has(word)))
    }
}

/// Words between what is measured and its number that change nothing.
fn is_filler(word: &Word) -> bool {
    const FILLERS: &[&str] = &[
        "target",
        "goal",
        "threshold",
        "limit",
        "slo",
        "sla",
        "avg",
        "average",
        "mean",
        "peak",
        "load",
        "stay",
        "kept",
        "keep",
        "remain",
        "acceptable",
        "good",
        "normal",
        "ok",
        "low",
        "fast",
        "high",
        "healthy",
        "verified",
        "checked",
        "confirmed",
        "met",
        "meet",
        "value",
        "current",
        "currently",
        "required",
        "expected",
        "sustained",
        "overall",
        "always",
        "all",
        "endpoint",
        "least",
        "now",
        "not",
        "no",
        "consistently",
    ];
    FILLERS.contains(&word.text())
}

/// `Requests/sec: 45,000+`: the unit stands in the label.
fn rates(all: &[Reading]) -> Vec<Reading> {
    let rates: Vec<Reading> = all.iter().filter(|r| r.of == Of::Rate).cloned().collect();
    if !rates.is_empty() {
        return rates;
    }
    let bare = all.iter().find(|r| r.of == Of::Count);
    let bare = bare.filter(|r| r.noun.is_empty()).cloned();
    let rate = bare.map(|bare| Reading {
        text: format!("{}/s", bare.text),
        of: Of::Rate,
        ..bare
    });
    rate.into_iter().collect()
}

/// A number of nodes, instances and the like; a lone number is meant, too.
fn count(all: &[Reading]) -> Option<Reading> {
    let counts = || {
        all.iter()
            .filter(|r| r.of == Of::Count && r.value.fract() == 0.0)
    };
    let named = counts().find(|r| is_named(r));
    named
        .or_else(|| counts().next().filter(|_| all.len() == 1))
        .cloned()
}

/// `6 nodes`, `5 application servers`.
fn is_named(reading: &Reading) -> bool {
    const NOUNS: &[&str] = &[
        "node",
        "nodes",
        "instance",
        "instances",
        "member",
        "members",
        "server",
        "servers",
        "replica",
        "replicas",
        "approval",
        "approvals",
        "reviewer",
        "reviewers",
        "عقد",
        "عقدة",
        "خوادم",
    ];
    let after = reading.after.to_lowercase();
    let phrase = after.split(|c: char| !(c.is_alphanumeric() || c.is_whitespace()));
    let phrase = phrase.take(1).flat_map(str::split_whitespace);
    phrase
        .take(3)
        .take_while(|w| !w.contains(|c: char| c.is_ascii_digit()) && !matches!(*w, "of" | "on"))
        .any(|w| NOUNS.contains(&w))
}

/// Durations with their percentiles: `P99 < 200ms, P95 < 50ms`, `< 50ms (P95), < 200ms (P99)`.
fn percentiles(
    stem: &str,
    text: &str,
    found: Vec<Reading>,
) -> Vec<(Reading, Result<String, &'static str>)> {
    let names = names_of_percentiles(text);
    let start = found.first().map_or(0, |r| r.at.start);
    let end = found.last().map_or(0, |r| r.at.end);
    // They stand behind their numbers where the last one does and none stands before the first.
    let behind =
        names.iter().any(|(at, _)| at.start >= end) && !names.iter().any(|(at, _)| at.end <= start);
    let mut spans: Vec<Range<usize>> = Vec::with_capacity(found.len());
    for (index, reading) in found.iter().enumerate() {
        let previous = index.checked_sub(1).and_then(|i| found.get(i));
        let next = found.get(index + 1);
        spans.push(if behind {
            reading.at.end..next.map_or(text.len(), |r| r.at.start)
        } else {
            previous.map_or(0, |r| r.at.end)..reading.at.start
        });
    }
    let pair = |(reading, span): (Reading, Range<usize>)| {
        let mut own = names
            .iter()
            .filter(|(at, _)| span.contains(&at.start) && at.end <= span.end);
        let own = if behind { own.next() } else { own.next_back() };
        let metric = match own.map(|(_, name)| name.as_str()) {
            None => Ok(format!("{stem}p95")),
            Some(name @ ("p50" | "p90" | "p95" | "p99")) => Ok(format!("{stem}{name}")),
            Some(_) => Err("no probe measures this percentile"),
        };
        (reading, metric)
    };
    found.into_iter().zip(spans).map(pair).collect()
}

fn names_of_percentiles(text: &str) -> Vec<(Range<usize>, String)> {
    let mut out = Vec::new();
    let mut at = 0;
    for word in text.split(|c: char| !(c.is_alphanumeric() || c == '.')) {
        let bare = word.trim_end_matches('.').to_lowercase();
        if let Some(name) = percentile_of(&bare) {
            out.push((at..at + bare.len(), name.to_owned()));
        }
        at += word.len();
        at += text[at..].chars().next().map_or(0, char::len_utf8);
    }
    out
}

/// `p95`, `p99.9`.
fn percentile_of(word: &str) -> Option<&str> {
    let digits = word.strip_prefix('p')?;
    let plain = |c: char| c.is_ascii_digit() || c == '.';
    let enough = (2..=6).contains(&digits.len());
    (enough && digits.chars().all(plain)).then_some(word)
}

/// The `with` block of an item: `{{nodes=3}}` becomes the number of the text, or 3.
pub fn with(item: &Item, lines: &[&Line]) -> String {
    let text = item.with.as_deref().unwrap_or_default();
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((inner, tail)) = after.split_once("}}") else {
            break;
        };
        out.push_str(before);
        let default = inner.split_once('=').map_or(inner, |(_, d)| d);
        let read = lines.iter().find_map(|line| count(&readings(&line.text)));
        match read.filter(|r| (1.0..=1000.0).contains(&r.value)) {
            Some(reading) => out.push_str(&reading.text),
            None => out.push_str(default),
        }
        rest = tail;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checklist::{dictionary, scan::scan};

    fn of(id: &str, line: &str) -> Vec<String> {
        let document = scan(line);
        let item = dictionary::item(id).unwrap().1;
        let (found, _) = expect(item, &[&document.lines[0]]);
        found
            .iter()
            .map(|e| format!("{} {}", e.metric, e.is))
            .collect()
    }

    #[test]
    fn the_text_outranks_the_dictionary() {
        assert_eq!(
            of("quality.coverage", "□ Code coverage ≥ 85%"),
            ["lines >= 85%"]
        );
        assert_eq!(
            of("quality.coverage", "□ Code coverage good"),
            ["lines > 80%"]
        );
        assert_eq!(
            of("quality.coverage", "□ تغطية الكود > ٩٠٪"),
            ["lines > 90%"]
        );
        assert_eq!(
            of("quality.tests-pass", "□ Tests (961/961 passing)")[0],
            "passed >= 961"
        );
        assert_eq!(
            of("perf.latency-p95", "□ Latency < 200ms (P99)"),
            ["latency.p99 < 200ms"]
        );
        assert_eq!(
            of("perf.load-rps", "Requests/sec: 45,000+"),
            ["throughput >= 45000/s"]
        );
        assert_eq!(
            of("perf.throughput", "□ traffic (50K req/s)"),
            ["throughput >= 50000/s"]
        );
        assert_eq!(
            of("cache.nodes", "□ All 6 nodes connected"),
            ["nodes.online >= 6"]
        );
        assert_eq!(
            of("security.tls-expiry", "□ certificates valid for 21 days"),
            ["expires_in > 21d"]
        );
    }

    const REFUSED: &[(&str, &str, &str, &str)] = &[
        (
            "perf.throughput",
            "□ Can handle expected traffic (up to 50K req/s)",
            "throughput >= 1/s",
            "other way",
        ),
        (
            "perf.stress",
            "□ Stress testing passed (150% of peak load)",
            "error_rate < 1%",
            "100 %",
        ),
        (
            "perf.stress",
            "□ Stress testing passed (CPU < 95%)",
            "error_rate < 1%",
            "something else",
        ),
        (
            "perf.stress",
            "□ Stress test passed < 95%",
            "error_rate < 1%",
            "something else",
        ),
        (
            "perf.latency-p95",
            "□ Response time acceptable (last 15 minutes)",
            "latency.p95 < 50ms",
            "something else",
        ),
        (
            "perf.latency-p95",
            "□ Response time (P95 200ms)",
            "latency.p95 < 50ms",
            "something else",
        ),
        (
            "perf.latency-p95",
            "□ Response time > 20ms",
            "latency.p95 < 50ms",
            "other way",
        ),
        (
            "perf.latency-p95",
            "□ Response time p99.9 < 20ms",
            "latency.p95 < 50ms",
            "percentile",
        ),
        (
            "perf.latency-p95",
            "□ Response time of 20 parsecs",
            "latency.p95 < 50ms",
            "unit",
        ),
        (
            "db.backup",
            "□ Database backup completed (retention 30 days)",
            "age.newest < 24h",
            "something else",
        ),
        (
            "db.backup",
            "□ Database backup completed, retention 30 days",
            "age.newest < 24h",
            "something else",
        ),
        (
            "perf.cache-hit",
            "□ Cache hit rate (70%)",
            "hit_rate > 80%",
            "something else",
        ),
        (
            "perf.cache-hit",
            "□ Cache hit rate < 70%",
            "hit_rate > 80%",
            "other way",
        ),
        (
            "perf.load-rps",
            "Requests/sec: 45.000",
            "throughput >= 1/s",
            "thousands",
        ),
        (
            "perf.throughput",
            "□ traffic 45.000 req/s",
            "throughput >= 1/s",
            "thousands",
        ),
    ];

    /// Items keep the threshold of the dictionary, and say why.
    #[test]
    fn a_number_of_something_else_loosens_nothing() {
        for (id, line, kept, why) in REFUSED.iter().copied() {
            let document = scan(line);
            let item = dictionary::item(id).unwrap().1;
            let (found, unused) = expect(item, &[&document.lines[0]]);
            let first = format!("{} {}", found[0].metric, found[0].is);
            assert_eq!((first.as_str(), found[0].line), (kept, None), "{line}");
            assert_eq!(unused.len(), 1, "{line}: {unused:?}");
            assert!(unused[0].why.contains(why), "{line}: {unused:?}");
        }
    }

    const TAKEN: &[(&str, &str, &str)] = &[
        (
            "perf.cache-hit",
            "□ Cache hit rate no less than 80%",
            "hit_rate >= 80%",
        ),
        (
            "perf.cache-hit",
            "□ Cache hit rate at least 70%",
            "hit_rate >= 70%",
        ),
        (
            "perf.cache-hit",
            "□ Cache hit rate > 90 percent",
            "hit_rate > 90%",
        ),
        (
            "perf.cache-hit",
            "□ ≥ 70% cache hit rate",
            "hit_rate >= 70%",
        ),
        (
            "perf.load-errors",
            "Error Rate: < 0,01%",
            "error_rate < 0.01%",
        ),
        (
            "perf.load-errors",
            "Error Rate: not more than 0.5%",
            "error_rate <= 0.5%",
        ),
        (
            "perf.latency-p95",
            "□ Response time < 1,5s",
            "latency.p95 < 1.5s",
        ),
        (
            "perf.latency-p95",
            "□ Response time < 20 msec",
            "latency.p95 < 20ms",
        ),
        (
            "perf.latency-p95",
            "□ Response time < 500µs",
            "latency.p95 < 0.5ms",
        ),
        (
            "perf.latency-p95",
            "□ Response time acceptable (< 200ms)",
            "latency.p95 < 200ms",
        ),
        (
            "perf.latency-p95",
            "□ Response time 200ms max",
            "latency.p95 <= 200ms",
        ),
        (
            "perf.stress",
            "□ Stress test passed, error rate < 5%",
            "error_rate < 5%",
        ),
        (
            "cache.nodes",
            "□ All 3 nodes connected",
            "nodes.online >= 3",
        ),
        (
            "cache.nodes",
            "□ All nodes connected (3 Redis nodes)",
            "nodes.online >= 3",
        ),
    ];

    #[test]
    fn a_number_beside_what_is_measured_counts() {
        for (id, line, expected) in TAKEN.iter().copied() {
            let document = scan(line);
            let item = dictionary::item(id).unwrap().1;
            let (found, unused) = expect(item, &[&document.lines[0]]);
            let first = format!("{} {}", found[0].metric, found[0].is);
            assert_eq!(first, expected, "{line}");
            assert!(unused.is_empty(), "{line}: {unused:?}");
        }
    }

    #[test]
    fn percentiles_keep_their_own_numbers() {
        let both = ["latency.p99 < 200ms", "latency.p95 < 50ms"];
        for line in [
            "□ Latency P99 < 200ms, P95 < 50ms",
            "□ Latency < 200ms (P99), < 50ms (P95)",
        ] {
            assert_eq!(of("perf.latency-p95", line), both, "{line}");
        }
        assert_eq!(
            of("perf.latency-p95", "□ Latency < 50ms, P99 < 200ms"),
            ["latency.p95 < 50ms", "latency.p99 < 200ms"]
        );
    }

    #[test]
    fn numbers_of_the_text_go_into_the_block() {
        let document = scan("□ Database replica set configured (5 nodes)\n□ Replica set");
        let item = dictionary::item("infra.mongo-replset").unwrap().1;
        assert!(with(item, &[&document.lines[0]]).contains("members: 5"));
        assert!(with(item, &[&document.lines[1]]).contains("members: 3"));
    }
}
