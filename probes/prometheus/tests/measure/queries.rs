//! Queries, and all the ways not to give a number.

use readygate_sdk::{CheckOutcome, Level};
use serde_json::{Value, json};

use crate::support::{Fake, Judged, now, run};

async fn ask(data: Value, query: Value) -> Judged {
    let server = Fake::new()
        .data("/api/v1/query?query=x", &data)
        .start()
        .await;
    run(&server.url("/"), json!({"queries": {"q": query}}))
        .await
        .unwrap()
}

fn vector(values: &[&str]) -> Value {
    let series = values.iter().enumerate().map(|(index, value)| {
        json!({"metric": {"__name__": "m", "i": index.to_string()}, "value": [now(), value]})
    });
    json!({"resultType": "vector", "result": series.collect::<Vec<_>>()})
}

/// Why the query has no value; it must be unmeasured in both ways.
fn why(judged: &Judged) -> String {
    let (outcome, _) = judged.outcome("query-unanswered", "queries.q").unwrap();
    assert_eq!(outcome, CheckOutcome::Unmeasured);
    assert_eq!(judged.number("query.q"), None);
    judged.metrics.why_absent("query.q").unwrap().to_owned()
}

#[tokio::test]
async fn one_number_is_taken_in_its_unit() {
    for (unit, value, wanted) in [
        ("count", "42.5", 42.5),
        ("ratio", "0.003", 0.3),
        ("%", "0.3", 0.3),
        ("ms", "250", 0.25),
        ("s", "1e-3", 0.001),
        ("B", "1024", 1024.0),
        ("/s", "0.1234567890123456", 0.123_456_789),
    ] {
        let judged = ask(vector(&[value]), json!({"expr": "x()", "unit": unit})).await;
        assert_eq!(judged.number("query.q"), Some(wanted), "{unit}");
        assert_eq!(judged.wrong(), Vec::<String>::new());
    }
    let scalar = json!({"resultType": "scalar", "result": [now(), "0"]});
    assert_eq!(
        ask(scalar, json!({"expr": "x()"})).await.number("query.q"),
        Some(0.0)
    );
}

#[tokio::test]
async fn several_series_are_reduced_only_when_asked() {
    let three = vector(&["1", "5", "3"]);
    for (reduce, wanted) in [("max", 5.0), ("min", 1.0), ("sum", 9.0)] {
        let judged = ask(three.clone(), json!({"expr": "x()", "reduce": reduce})).await;
        assert_eq!(judged.number("query.q"), Some(wanted), "{reduce}");
    }
    let judged = ask(three, json!({"expr": "x()"})).await;
    assert!(why(&judged).contains("3 series"));
    let named = &judged.check("query-unanswered", "q").unwrap().details;
    assert_eq!(named[1], "m{i=\"1\"} = 5");
}

#[tokio::test]
async fn what_is_no_number_is_absent() {
    let strange = json!({"resultType": "vector", "result": [{"metric": {}, "histogram": [1, {}]}]});
    for (data, reduce, part) in [
        (vector(&[]), "only", "no series"),
        (vector(&[]), "sum", "no series"),
        (vector(&["NaN"]), "only", "no traffic"),
        (vector(&["1", "NaN", "2"]), "max", "no traffic"),
        (vector(&["+Inf"]), "max", "division by 0"),
        (vector(&["-Inf", "1"]), "min", "division by 0"),
        (vector(&["many"]), "only", "no number"),
        (strange, "only", "histogram"),
        (
            json!({"resultType": "matrix", "result": []}),
            "only",
            "range",
        ),
        (
            json!({"resultType": "string", "result": [1, "x"]}),
            "only",
            "neither",
        ),
        (
            json!({"resultType": "vector", "result": 7}),
            "only",
            "cannot be read",
        ),
    ] {
        let judged = ask(data, json!({"expr": "x()", "reduce": reduce})).await;
        assert!(why(&judged).contains(part), "{part}: {}", why(&judged));
    }
}

#[tokio::test]
async fn what_the_server_says_against_a_query_is_shown() {
    for (status, kind, error) in [
        (
            "400 Bad Request",
            "bad_data",
            "invalid parameter \"query\": 1:7: parse error: unclosed left parenthesis",
        ),
        (
            "422 Unprocessable Entity",
            "execution",
            "multiple matches for labels",
        ),
        (
            "503 Service Unavailable",
            "timeout",
            "query timed out in expression evaluation",
        ),
    ] {
        let body = json!({"status": "error", "errorType": kind, "error": error});
        let server = Fake::new()
            .answer("/api/v1/query?query=x", status, &body)
            .start()
            .await;
        let with = json!({"queries": {"q": {"expr": "x("}, "other": {"expr": "time()"}}});
        let judged = run(&server.url("/"), with).await.unwrap();
        let why = why(&judged);
        assert!(
            why.contains(kind)
                && why.contains(error.trim_start_matches("invalid parameter \"query\": ")),
            "{why}"
        );
        assert!(
            judged.number("query.other").is_some(),
            "the others are asked all the same"
        );
    }
}

#[tokio::test]
async fn warnings_make_an_answer_partial_and_infos_do_not() {
    let body = |field: &str| {
        let mut body = json!({"status": "success", "data": vector(&["1"])});
        body[field] = json!(["store-7: no answer"]);
        body
    };
    let query = json!({"queries": {"q": {"expr": "x()"}}});
    let server = Fake::new()
        .answer("/api/v1/query?query=x", "200 OK", &body("warnings"))
        .start()
        .await;
    let judged = run(&server.url("/"), query.clone()).await.unwrap();
    assert!(why(&judged).contains("not complete"));
    assert!(judged.check("query-unanswered", "q").unwrap().details[0].contains("store-7"));
    let server = Fake::new()
        .answer("/api/v1/query?query=x", "200 OK", &body("infos"))
        .start()
        .await;
    let judged = run(&server.url("/"), query).await.unwrap();
    assert_eq!(judged.number("query.q"), Some(1.0));
    assert_eq!(
        judged.outcome("query-remark", "q"),
        Some((CheckOutcome::Failed, Level::Info))
    );
}

/// Before 2.54 infos come as warnings; a cluster of VictoriaMetrics warns in its own way.
#[tokio::test]
async fn infos_among_warnings_are_infos_and_partial_answers_are_partial() {
    let query = json!({"queries": {"q": {"expr": "x()"}}});
    let info =
        "PromQL info: metric might not be a counter, name does not end in _total: \"x\" (1:6)";
    let old = json!({"status": "success", "data": vector(&["1"]), "warnings": [info]});
    let both = json!({"status": "success", "data": vector(&["1"]), "warnings": [info, "store-7: no answer"]});
    let partial = json!({"status": "success", "isPartial": true, "data": vector(&["1"])});
    let whole = json!({"status": "success", "isPartial": false, "data": vector(&["1"])});
    for (body, number, remark) in [
        (old, Some(1.0), true),
        (both, None, false),
        (partial, None, false),
        (whole, Some(1.0), false),
    ] {
        let server = Fake::new()
            .answer("/api/v1/query?query=x", "200 OK", &body)
            .start()
            .await;
        let judged = run(&server.url("/"), query.clone()).await.unwrap();
        assert_eq!(judged.number("query.q"), number, "{body}");
        assert_eq!(
            judged.check("query-remark", "q").is_some(),
            remark,
            "{body}"
        );
        if number.is_none() {
            assert!(why(&judged).contains("not complete"), "{body}");
        }
    }
}

fn buckets(pairs: &[(&str, &str)]) -> Value {
    let series = pairs
        .iter()
        .map(|(le, count)| json!({"metric": {"le": le}, "value": [now(), count]}));
    json!({"resultType": "vector", "result": series.collect::<Vec<_>>()})
}

fn p95(unit: &str, trials: Option<&str>) -> Value {
    let query = json!({"expr": "histogram_quantile(0.95, b)", "unit": unit, "trials": trials});
    json!({"queries": {"q": query}})
}

#[tokio::test]
async fn a_quantile_carries_the_ends_of_its_bucket() {
    let spread = buckets(&[("0.03", "94"), ("0.1", "100"), ("+Inf", "100")]);
    let beyond = buckets(&[("0.5", "0"), ("1", "0"), ("+Inf", "100")]);
    for (all, value, unit, ends) in [
        (&spread, "0.0416", "s", Ok((Some(0.03), Some(0.1)))),
        (&beyond, "1", "s", Ok((Some(1.0), None))),
        (&beyond, "1", "ms", Ok((Some(0.001), None))),
        (&spread, "0.5", "s", Err("outside")),
        (&vector(&["1"]), "1", "s", Err("`le`")),
    ] {
        let server = Fake::new()
            .data("/api/v1/query?query=histogram_quantile", &vector(&[value]))
            .data("/api/v1/query?query=b", all)
            .start()
            .await;
        let judged = run(&server.url("/"), p95(unit, None)).await.unwrap();
        match ends {
            Ok((low, high)) => {
                let interval = judged.metrics.get("query.q").unwrap().interval.unwrap();
                let near = |a: Option<f64>, b: Option<f64>| match (a, b) {
                    (Some(a), Some(b)) => (a - b).abs() < 1e-8,
                    (a, b) => a == b,
                };
                assert!(
                    near(interval.low, low) && near(interval.high, high),
                    "{interval:?}"
                );
                assert_eq!((interval.quantile, interval.samples), (0.95, 0));
            }
            Err(part) => assert!(why(&judged).contains(part), "{}", why(&judged)),
        }
        // Both at one time.
        let seen = server.seen();
        let times: Vec<_> = seen
            .iter()
            .filter_map(|s| s.line.split_once("&time=").map(|(_, time)| time.to_owned()))
            .collect();
        assert!(times.len() == 2 && times[0] == times[1], "{times:?}");
    }
}

#[tokio::test]
async fn few_requests_say_little_of_a_quantile() {
    let server = Fake::new()
        .data(
            "/api/v1/query?query=histogram_quantile",
            &vector(&["0.029"]),
        )
        .data(
            "/api/v1/query?query=b",
            &buckets(&[("0.03", "5"), ("+Inf", "5")]),
        )
        .data("/api/v1/query?query=n", &vector(&["5"]))
        .start()
        .await;
    let judged = run(&server.url("/"), p95("s", Some("n()"))).await.unwrap();
    let metric = judged.metrics.get("query.q").unwrap();
    assert_eq!((metric.interval.unwrap().high, metric.sample), (None, None));
}

#[tokio::test]
async fn the_age_of_a_plain_selector_counts() {
    for (age, fresh) in [(60.0, true), (600.0, false)] {
        let server = Fake::new()
            .data("/api/v1/query?query=x", &vector(&["1"]))
            .data(
                "/api/v1/query?query=timestamp%28x%29",
                &vector(&[&format!("{}", now() - age)]),
            )
            .start()
            .await;
        let judged = run(&server.url("/"), json!({"queries": {"q": {"expr": "x"}}}))
            .await
            .unwrap();
        assert_eq!(judged.number("query.q").is_some(), fresh);
        if !fresh {
            assert!(why(&judged).contains("old"), "{}", why(&judged));
        }
    }
}

#[tokio::test]
async fn a_percentage_carries_what_it_rests_on() {
    let server = |trials: &str| {
        Fake::new()
            .data("/api/v1/query?query=x", &vector(&["0.01"]))
            .data("/api/v1/query?query=n", &vector(&[trials]))
            .start()
    };
    let with = json!({"queries": {"q": {"expr": "x()", "unit": "ratio", "trials": "n()"}}});
    let judged = run(&server("250.7").await.url("/"), with.clone())
        .await
        .unwrap();
    let sample = judged.metrics.get("query.q").unwrap().sample.unwrap();
    assert_eq!((sample.hits, sample.trials), (3, 250));
    let more = json!({"queries": {"q": {"expr": "x()", "unit": "count"}}});
    let unit = run(&server("1").await.url("/"), more).await.unwrap();
    assert_eq!(unit.metrics.get("query.q").unwrap().sample, None);
    let beyond = Fake::new()
        .data("/api/v1/query?query=x", &vector(&["1.5"]))
        .data("/api/v1/query?query=n", &vector(&["10"]))
        .start()
        .await;
    let judged = run(&beyond.url("/"), with.clone()).await.unwrap();
    assert!(why(&judged).contains("no share"), "{}", why(&judged));
    // What 1 - x / x may give.
    for (value, wanted) in [
        ("-2.2e-16", Some(0.0)),
        ("1.0000000000000002", Some(100.0)),
        ("-0.001", None),
    ] {
        let server = Fake::new()
            .data("/api/v1/query?query=x", &vector(&[value]))
            .data("/api/v1/query?query=n", &vector(&["10"]))
            .start()
            .await;
        let judged = run(&server.url("/"), with.clone()).await.unwrap();
        assert_eq!(judged.number("query.q"), wanted, "{value}");
    }
    for nothing in ["0", "NaN"] {
        let judged = run(&server(nothing).await.url("/"), with.clone())
            .await
            .unwrap();
        assert!(why(&judged).contains("no traffic"), "{}", why(&judged));
    }
}
