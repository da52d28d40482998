//! The score of the HTTP Observatory, against a table of header sets.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail it by panicking"
)]

use std::collections::BTreeMap;

use readygate_headers::{
    CorsAnswer, HeadersMeasurement, Origin, Page, Plain, Step, answer_of, observatory,
};
use readygate_sdk::{ErrorKind, ProbeError};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    base: Base,
    sets: Vec<Set>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Base {
    url: String,
    headers: Vec<String>,
    plain: Vec<String>,
    expect: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Set {
    name: String,
    #[serde(default)]
    add: Vec<String>,
    #[serde(default)]
    drop: Vec<String>,
    url: Option<String>,
    html: Option<String>,
    cors: Option<Cors>,
    plain: Option<Vec<String>>,
    #[serde(default)]
    expect: BTreeMap<String, String>,
    score: u32,
    grade: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cors {
    allow_origin: String,
    credentials: bool,
}

const SENT: &str = "https://rg1.example";

fn plain(steps: &[String]) -> Plain {
    let mut plain = Plain {
        url: "http://shop.example.net/".to_owned(),
        ..Plain::default()
    };
    match steps {
        [only] if only == "closed" => plain.closed = true,
        [only] if only == "certificate" => {
            let message = "the certificate has expired";
            plain.error = Some(ProbeError::new(
                ErrorKind::Connect,
                "x",
                "TLS handshake",
                message,
            ));
        }
        steps => {
            let step = |url: &String| Step {
                url: url.clone(),
                status: 301,
            };
            plain.steps = steps.iter().map(step).collect();
        }
    }
    plain
}

fn record(base: &Base, set: &Set) -> HeadersMeasurement {
    let dropped = |line: &&String| {
        let name = line.split(':').next().unwrap();
        !set.drop.iter().any(|drop| drop.eq_ignore_ascii_case(name))
    };
    let lines: Vec<&str> = base
        .headers
        .iter()
        .filter(dropped)
        .chain(&set.add)
        .map(String::as_str)
        .collect();
    let html = set.html.as_deref().unwrap_or("<html></html>");
    let text = format!("HTTP/1.1 200 OK\r\n{}\r\n\r\n{html}", lines.join("\r\n"));
    let url = set.url.as_ref().unwrap_or(&base.url);
    let answer = answer_of(text.as_bytes(), &url.parse().unwrap()).unwrap();
    let cors = set.cors.as_ref();
    let preflight = CorsAnswer {
        declared: "/".to_owned(),
        url: url.clone(),
        method: "OPTIONS".to_owned(),
        asked_for: Some("GET".to_owned()),
        origin: Origin::Foreign,
        sent: SENT.to_owned(),
        status: Some(204),
        allow_origin: cors.map(|c| c.allow_origin.replace("sent", SENT)),
        allow_credentials: cors.is_some_and(|c| c.credentials),
        allow_methods: None,
        varies: false,
        error: None,
    };
    HeadersMeasurement {
        pages: vec![Page {
            declared: "/".to_owned(),
            url: url.clone(),
            answer: Some(answer),
            ..Page::default()
        }],
        cors: vec![preflight],
        plain: Some(plain(set.plain.as_ref().unwrap_or(&base.plain))),
        captured: false,
    }
}

#[test]
fn every_set_scores_as_the_observatory_does() {
    let table: Table = serde_saphyr::from_str(include_str!("observatory/sets.yaml")).unwrap();
    assert!(table.sets.len() >= 60);
    let mut wrong = Vec::new();
    for set in &table.sets {
        let record = record(&table.base, set);
        let scan = observatory::scan(&record.pages[0], &record).unwrap();
        for test in &scan.tests {
            let verdict = test.verdict.as_ref().unwrap();
            let found = format!("{} {}", verdict.result, verdict.modifier);
            let expected = set
                .expect
                .get(test.name)
                .unwrap_or(&table.base.expect[test.name]);
            if found != *expected {
                wrong.push(format!(
                    "{}: {}: expected {expected}, found {found}",
                    set.name, test.name
                ));
            }
        }
        let score = scan.score().unwrap();
        if (score, observatory::grade(score)) != (set.score, set.grade.as_str()) {
            let found = observatory::grade(score);
            wrong.push(format!(
                "{}: expected {} {}, found {score} {found}",
                set.name, set.score, set.grade
            ));
        }
        let unknown = set
            .expect
            .keys()
            .find(|name| !table.base.expect.contains_key(*name));
        assert_eq!(unknown, None, "{}", set.name);
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn what_is_not_known_gives_no_score() {
    let table: Table = serde_saphyr::from_str(include_str!("observatory/sets.yaml")).unwrap();
    let mut record = record(&table.base, &table.sets[0]);
    record.plain = None;
    let scan = observatory::scan(&record.pages[0], &record).unwrap();
    assert!(scan.score().unwrap_err().contains("http_url"));
    record.cors.clear();
    let scan = observatory::scan(&record.pages[0], &record).unwrap();
    assert_eq!(scan.tests.iter().filter(|t| t.verdict.is_err()).count(), 2);
    for (status, told) in [
        (200, true),
        (302, true),
        (401, true),
        (403, true),
        (404, false),
        (500, false),
    ] {
        record.pages[0].answer.as_mut().unwrap().status = status;
        assert_eq!(
            observatory::scan(&record.pages[0], &record).is_ok(),
            told,
            "{status}"
        );
    }
}
