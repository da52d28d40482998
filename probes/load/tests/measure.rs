//! Result files as the tools write them, with what has fooled gates before.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use readygate_load::{How, Load, LoadConfig, LoadMeasurement, LoadResult, Model, Safe};
use readygate_sdk::{Cx, Metrics, Probe as _, ProbeError, testkit};
use serde_json::{Value as Json, json};

async fn measure(files: &[(&str, &str)], more: Json) -> Result<LoadMeasurement, ProbeError> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let mut with = json!({ "reports": [folder.path().join("*")] });
    with.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let config: LoadConfig = serde_json::from_value(with).unwrap();
    Load::validate(&config).unwrap();
    let cx: Cx = testkit::cx(Duration::from_secs(20));
    Load::measure(&config, &cx).await
}

async fn one(text: &str) -> LoadResult {
    let measured = measure(&[("result", text)], json!({})).await.unwrap();
    measured.total.unwrap()
}

async fn fault(text: &str) -> String {
    let error = measure(&[("result", text)], json!({})).await.unwrap_err();
    error.to_string()
}

fn number(metrics: &Metrics, name: &str) -> Option<f64> {
    match metrics.get(name)?.value {
        readygate_sdk::Value::Number(number) => Some(number),
        readygate_sdk::Value::Text(_) => None,
    }
}

const WRK: &str = "Running 2s test @ http://127.0.0.1/\n  1 threads and 4 connections\n  Thread Stats   Avg      Stdev     Max   +/- Stdev\n    Latency     1.50ms    2.17ms  23.28ms   93.73%\n    Req/Sec    15.33k     5.09k   19.71k    80.00%\n  1000 requests in 2.00s, 3.68MB read\n  Socket errors: connect 1, read 2, write 0, timeout 3\n  Non-2xx or 3xx responses: 100\nRequests/sec:    500.00\nTransfer/sec:      1.81MB\n";

#[tokio::test]
async fn wrk_counts_statuses_and_sockets_apart() {
    let result = one(WRK).await;
    assert_eq!((result.requests, result.errors), (Some(1006), Some(106)));
    assert_eq!((result.model, result.corrected), (Model::Closed, Safe::No));
    assert_eq!(result.users, Some(4));
    let broken = WRK.split("Requests/sec").next().unwrap();
    assert!(fault(broken).await.contains("breaks off"));
}

#[tokio::test]
async fn wrk2_has_its_p95_in_the_spectrum() {
    let text = "Running 20s test @ http://h/r\n  1 threads and 64 connections\n  Thread calibration: mean lat.: 26.687ms, rate sampling interval: 38ms\n  Thread Stats   Avg      Stdev     Max   +/- Stdev\n    Latency    27.94ms   91.14ms 500.99ms   91.72%\n  Latency Distribution (HdrHistogram - Recorded Latency)\n 50.000%    0.89ms\n 99.000%  454.91ms\n\n  Detailed Percentile spectrum:\n       Value   Percentile   TotalCount 1/(1-Percentile)\n\n       0.886     0.500000        24233         2.00\n     270.335     0.950000        45982        20.00\n----------\n  99000 requests in 20.00s, 5MB read\nRequests/sec:   4950.00\nTransfer/sec:    370.08KB\n";
    let result = one(text).await;
    let latency = result.latency.unwrap();
    assert_eq!(latency.at(95.0), Some(0.270_335));
    assert_eq!(latency.at(50.0), Some(0.000_89));
    assert_eq!((result.model, result.corrected), (Model::Open, Safe::Yes));
}

#[tokio::test]
async fn zeros_of_a_run_without_requests_are_no_latency() {
    let zero = "Running 3s test @ http://h/\n  1 threads and 4 connections\n  Thread Stats   Avg      Stdev     Max   +/- Stdev\n    Latency     0.00us    0.00us   0.00us    -nan%\n  0 requests in 3.00s, 0.00B read\nRequests/sec:      0.00\n";
    let measured = measure(&[("w", zero)], json!({})).await.unwrap();
    let metrics = Load::metrics(&measured);
    assert_eq!(number(&metrics, "requests"), Some(0.0));
    assert!(number(&metrics, "error_rate").is_none());
    assert!(number(&metrics, "latency.max").is_none());

    let autocannon = json!({ "connections": 4, "duration": 3.08, "errors": 12, "timeouts": 12, "non2xx": 0,
        "statusCodeStats": {}, "latency": { "mean": 0, "max": 0, "p50": 0, "p99": 0, "totalCount": 0 },
        "requests": { "average": 0, "total": 0, "sent": 16 } });
    let result = one(&autocannon.to_string()).await;
    assert_eq!((result.requests, result.errors), (Some(12), Some(12)));
    assert!(result.latency.is_none());
}

#[tokio::test]
async fn oha_calls_500_a_success() {
    let oha = |codes: Json, errors: Json| {
        json!({ "summary": { "successRate": 1.0, "total": 1.0, "average": 0.001, "slowest": 0.01, "requestsPerSec": 200.0 },
            "latencyPercentiles": { "p95": 0.004 }, "statusCodeDistribution": codes, "errorDistribution": errors })
        .to_string()
    };
    let half = one(&oha(
        json!({ "200": 100, "500": 100 }),
        json!({ "aborted due to deadline": 64 }),
    ))
    .await;
    assert_eq!((half.requests, half.errors), (Some(200), Some(100)));
    let timeouts = one(&oha(json!({}), json!({ "timeout": 8 }))).await;
    assert_eq!((timeouts.requests, timeouts.errors), (Some(8), Some(8)));
    assert!(timeouts.latency.is_none());
    let text = oha(json!({ "200": 1 }), json!({}));
    let more = json!({ "latency_corrected": true, "model": "open" });
    let declared = measure(&[("o", &text)], more).await.unwrap().total.unwrap();
    assert_eq!(
        (declared.model, declared.corrected),
        (Model::Open, Safe::Yes)
    );
}

#[tokio::test]
async fn the_summary_export_of_k6_says_true_for_failed() {
    let metrics = |fast: Json, slow: Json| {
        json!({ "root_group": {}, "metrics": {
            "http_reqs": { "count": 100, "rate": 10.0 },
            "http_req_failed": { "passes": 5, "fails": 95, "value": 0.05 },
            "http_req_duration": { "avg": 2.0, "med": 1.0, "max": 9.0, "p(95)": 8.0, "thresholds": { "p(95)<50": fast, "avg<1": slow } } } })
        .to_string()
    };
    for text in [
        metrics(json!(false), json!(true)),
        metrics(json!({ "ok": true }), json!({ "ok": false })),
    ] {
        let result = one(&text).await;
        let failed: Vec<String> = result
            .thresholds
            .unwrap()
            .into_iter()
            .filter(|t| !t.passed)
            .map(|t| t.name)
            .collect();
        assert_eq!(failed, ["http_req_duration: avg<1"]);
        assert_eq!(result.errors, Some(5));
        assert_eq!(result.latency.unwrap().at(99.0), None);
    }
}

#[tokio::test]
async fn k6_whose_iterations_throw_has_no_requests() {
    let text = json!({ "root_group": {}, "metrics": { "iterations": { "count": 500, "rate": 50.0 }, "iteration_duration": { "avg": 1.0 } } });
    let measured = measure(&[("k", &text.to_string())], json!({}))
        .await
        .unwrap();
    let metrics = Load::metrics(&measured);
    assert!(number(&metrics, "requests").is_none());
    assert!(
        metrics
            .why_absent("requests")
            .unwrap()
            .contains("no HTTP request")
    );
}

#[tokio::test]
async fn refused_connections_are_no_fast_responses() {
    let text = json!({ "state": {}, "metrics": { "http_reqs": { "values": { "count": 10 } },
        "http_req_failed": { "values": { "passes": 10, "fails": 0 } },
        "http_req_duration": { "values": { "avg": 0, "max": 0, "p(95)": 0 } } } });
    let result = one(&text.to_string()).await;
    assert_eq!(result.errors, Some(10));
    assert!(result.latency.is_none());
}

#[tokio::test]
async fn dropped_iterations_make_latency_unsafe() {
    let text = json!({ "state": {}, "metrics": { "dropped_iterations": { "values": { "count": 12162 } },
        "http_reqs": { "values": { "count": 10 } }, "http_req_duration": { "values": { "p(95)": 7.7 } } } });
    let result = one(&text.to_string()).await;
    assert_eq!((result.model, result.corrected), (Model::Open, Safe::No));
    assert!(result.notes[0].contains("12162"));
}

#[tokio::test]
async fn points_of_k6_that_break_off_are_no_result() {
    let point = |metric: &str, value: f64| {
        format!(
            "{{\"metric\":\"{metric}\",\"type\":\"Point\",\"data\":{{\"time\":\"2026-11-22T23:06:31Z\",\"value\":{value},\"tags\":{{\"name\":\"/a\",\"status\":\"200\"}}}}}}\n"
        )
    };
    let all = [
        point("http_reqs", 1.0),
        point("http_req_duration", 5.5),
        point("http_req_failed", 0.0),
    ]
    .concat();
    let result = one(&all).await;
    assert_eq!((result.requests, result.errors), (Some(1), Some(0)));
    assert_eq!(result.latency.unwrap().at(95.0), Some(0.0055));
    assert!(fault(&all[..all.len() - 30]).await.contains("breaks off"));
}

#[tokio::test]
async fn locust_without_a_request_is_not_a_pass() {
    let measured = measure(&[("l", "[]")], json!({})).await.unwrap();
    assert_eq!(measured.total.unwrap().requests, Some(0));
}

fn worker(buckets: &Json, n: u64) -> String {
    json!([{ "name": "r", "method": "GET", "num_requests": n, "num_failures": 1, "start_time": 1_795_387_260.0,
        "last_request_timestamp": 1_795_387_270.0, "total_response_time": 100.0, "max_response_time": 1000.0, "response_times": buckets }])
    .to_string()
}

#[tokio::test]
async fn workers_are_merged_as_counts() {
    let files = [
        ("a", worker(&json!({ "1": 900 }), 900)),
        ("b", worker(&json!({ "1000": 100 }), 100)),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(n, t)| (*n, t.as_str())).collect();
    let total = measure(&files, json!({})).await.unwrap().total.unwrap();
    assert_eq!((total.requests, total.errors), (Some(1000), Some(2)));
    assert_eq!(total.throughput, Some(100.0));
    let latency = total.latency.unwrap();
    // The average of both 95th percentiles would be half a second.
    assert_eq!((latency.at(95.0), latency.how), (Some(1.0), How::Histogram));
}

#[tokio::test]
async fn percentiles_of_several_summaries_are_absent() {
    let other = WRK.replace("1000 requests", "2000 requests");
    let measured = measure(&[("a", WRK), ("b", &other)], json!({}))
        .await
        .unwrap();
    let metrics = Load::metrics(&measured);
    assert_eq!(number(&metrics, "requests"), Some(3012.0));
    assert!(
        metrics
            .why_absent("latency.p95")
            .unwrap()
            .contains("cannot be merged")
    );
    assert!(
        metrics
            .why_absent("throughput")
            .unwrap()
            .contains("when each part ran")
    );
    assert_eq!(number(&metrics, "latency.mean"), Some(0.0015));
}

#[tokio::test]
async fn two_formats_are_not_added() {
    let measured = measure(
        &[("a", WRK), ("b", &worker(&json!({ "1": 9 }), 9))],
        json!({}),
    )
    .await
    .unwrap();
    assert!(measured.total.is_none());
    assert!(number(&Load::metrics(&measured), "requests").is_none());
}

#[tokio::test]
async fn samples_inside_samples_do_not_count_again() {
    let text = r#"<?xml version="1.0"?><testResults version="1.2">
        <sample t="300" ts="1296846793179" s="true" lb="T" rc="200"><httpSample t="100" ts="1296846793179" s="true" lb="a" rc="200"/>
        <httpSample t="200" ts="1296846793279" s="false" lb="b" rc="500"/></sample>
        <httpSample t="50" ts="1296846794179" s="false" lb="c" rc="Non HTTP response code: java.net.ConnectException"/></testResults>"#;
    let result = one(text).await;
    assert_eq!((result.requests, result.errors), (Some(2), Some(1)));
    assert_eq!(result.latency.unwrap().max, Some(0.3));
    assert!(!fault(&text.replace("</testResults>", "")).await.is_empty());
}

#[tokio::test]
async fn jtl_columns_in_any_order() {
    let text = "success;label;elapsed;timeStamp;responseCode\ntrue;\"a;b\nc\";100;1296846793179;200\nfalse;d;300;1296846793279;500\n";
    let result = one(text).await;
    assert_eq!((result.requests, result.errors), (Some(2), Some(1)));
    assert_eq!(result.latency.unwrap().mean, Some(0.2));
    assert!(fault(&text[..text.len() - 8]).await.contains("breaks off"));
    assert!(
        fault(&text.replace("300", "x"))
            .await
            .contains("`elapsed` is no number")
    );
}

#[tokio::test]
async fn ab_counts_other_lengths_as_failed() {
    let text = "This is ApacheBench, Version 2.3\n\nConcurrency Level:      10\nTime taken for tests:   0.100 seconds\nComplete requests:      200\nFailed requests:        50\n   (Connect: 0, Receive: 3, Length: 45, Exceptions: 2)\nNon-2xx responses:      20\nRequests per second:    1991.18 [#/sec] (mean)\nTime per request:       5.022 [ms] (mean)\n\nPercentage of the requests served within a certain time (ms)\n  50%      4\n  95%     10\n  99%     11\n 100%     11 (longest request)\n";
    let result = one(text).await;
    assert_eq!((result.requests, result.errors), (Some(200), Some(25)));
    assert!(result.notes[0].contains("45 responses differ"));
    assert_eq!(result.latency.unwrap().at(95.0), Some(0.01));
}

#[tokio::test]
async fn hey_lists_what_got_no_response() {
    let text = "\nSummary:\n  Total:\t1.0 secs\n  Slowest:\t0.0046 secs\n  Average:\t0.0009 secs\n  Requests/sec:\t100.0\n\nLatency distribution:\n  95%% in 0.0041 secs\n\nStatus code distribution:\n  [200]\t90 responses\n\nError distribution:\n  [10]\tGet \"http://h/\": dial tcp: connect: connection refused\n";
    let result = one(text).await;
    assert_eq!((result.requests, result.errors), (Some(100), Some(10)));
    assert_eq!(result.latency.unwrap().at(95.0), Some(0.0041));
    let csv = "response-time,DNS+dialup,DNS,Request-write,Response-delay,Response-read,status-code,offset\n0.0009,0,0,0,0,0,200,0.5\n";
    assert!(one(csv).await.absent["error_rate"].contains("leaves out"));
}

#[tokio::test]
async fn more_tools() {
    let gatling = json!({ "type": "GROUP", "name": "All Requests", "stats": { "name": "All Requests",
        "numberOfRequests": { "total": 10, "ok": 9, "ko": 1 }, "maxResponseTime": { "total": 50 }, "meanResponseTime": { "total": 20 },
        "percentiles3": { "total": 40 }, "meanNumberOfRequestsPerSecond": { "total": 5.0 } } });
    let result = one(&gatling.to_string()).await;
    assert_eq!((result.requests, result.errors), (Some(10), Some(1)));
    assert_eq!(result.latency.unwrap().at(95.0), Some(0.04));

    let artillery = json!({ "aggregate": { "counters": { "http.requests": 10, "http.codes.200": 7, "http.codes.500": 1, "errors.ETIMEDOUT": 1 },
        "summaries": { "http.response_time": { "count": 8, "p95": 29.1, "max": 450 } } } });
    let result = one(&artillery.to_string()).await;
    assert_eq!((result.requests, result.errors), (Some(10), Some(3)));

    let h2load = "starting benchmark...\nspawning thread #0: 64 total client(s). Timing\n\nfinished in 4.00s, 2.50 req/s, 12.08MB/s\nrequests: 12 total, 12 started, 10 done, 6 succeeded, 6 failed, 2 errored, 1 timeout\nstatus codes: 6 2xx, 0 3xx, 4 4xx, 0 5xx\ntraffic: 1MB\n                     min         max         mean         sd        +/- sd\ntime for request:      364us      9.07ms       807us       659us    91.49%\n";
    let result = one(h2load).await;
    assert_eq!((result.requests, result.errors), (Some(12), Some(6)));
    assert_eq!(result.latency.unwrap().max, Some(0.00907));

    let statistics = json!({ "Total": { "sampleCount": 10, "errorCount": 2, "meanResTime": 5.0, "pct2ResTime": 9.0, "throughput": 3.0 },
        "a": { "sampleCount": 10, "errorCount": 2 } });
    let result = one(&statistics.to_string()).await;
    assert_eq!((result.requests, result.errors), (Some(10), Some(2)));

    let history = "Timestamp,User Count,Type,Name,Requests/s,Failures/s,50%,95%,Total Request Count,Total Failure Count,Total Median Response Time,Total Average Response Time,Total Max Response Time\n1795389995,0,,Aggregated,0,0,N/A,N/A,0,0,0,0.0,0\n1795390005,20,,Aggregated,100,0,27,50,1000,3,27,28.5,92\n";
    let result = one(history).await;
    assert_eq!(
        (result.requests, result.errors, result.users),
        (Some(1000), Some(3), Some(20))
    );
    assert!(result.latency.unwrap().at(95.0).is_none());

    let nighthawk = json!({ "options": { "open_loop": true }, "results": [{ "name": "global", "execution_duration": "5s",
        "statistics": [{ "id": "benchmark_http_client.request_to_response", "count": "9", "mean": "0.001s", "percentiles": [{ "percentile": 0.95, "duration": "0.002s" }] }],
        "counters": [{ "name": "benchmark.http_2xx", "value": "9" }, { "name": "benchmark.pool_connection_failure", "value": "1" }] }] });
    let result = one(&nighthawk.to_string()).await;
    assert_eq!((result.requests, result.errors), (Some(10), Some(1)));
    assert_eq!(result.latency.unwrap().at(95.0), Some(0.002));
    assert_eq!(result.corrected, Safe::Yes);
}

#[tokio::test]
async fn what_is_no_result_is_named() {
    for (text, named) in [
        (
            "Method,Name,Error,Occurrences,First Seen,Last Seen\n",
            "list of failures",
        ),
        ("<testsuites/>", "JUnit"),
        ("hello\n", "other text"),
        ("{\"a\": 1}", "other JSON"),
        ("{\"a\": ", "breaks off"),
        ("  \n", "white space"),
    ] {
        let error = fault(text).await;
        assert!(error.contains(named), "{text}: {error}");
    }
    let named = measure(&[("r", WRK)], json!({ "format": "hey-text" })).await;
    assert!(named.unwrap_err().to_string().contains("breaks off"));
}
