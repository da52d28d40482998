//! The whole gate against name servers on loopback, with one fault each.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod stub;

use std::time::Duration;

use hickory_proto::{op::ResponseCode, rr::RecordType};
use readygate_dns::{Dns, DnsConfig, DnsMeasurement, Ended};
use readygate_sdk::{Check, CheckOutcome, Checks, Level, Metrics, Probe as _, testkit};
use serde_json::{Value, json};
use stub::{Stub, Zone, a, aaaa, caa, cname, mx, name, ns, reply, soa, txt};
use tokio::{net::TcpListener, time::Instant};

/// Long enough for an answer on loopback on a busy machine; every silence takes as long.
const PATIENCE: &str = "500ms";

struct Gate {
    measurement: DnsMeasurement,
    metrics: Metrics,
    checks: Vec<Check>,
}

impl Gate {
    async fn run(with: Value) -> Self {
        let config: DnsConfig = serde_json::from_value(with).unwrap();
        Dns::validate(&config).unwrap();
        let cx = testkit::cx(Duration::from_secs(20));
        let measured = Dns::measure(&config, &cx).await.unwrap();
        let json = serde_json::to_string(&measured).unwrap();
        let measurement: DnsMeasurement = serde_json::from_str(&json).unwrap();
        assert_eq!(measurement, measured);
        let mut checks = Checks::new();
        Dns::judge(&config, &measurement, &mut checks);
        Self {
            metrics: Dns::metrics(&measurement),
            checks: checks.into_vec(),
            measurement,
        }
    }

    /// One record, asked of stubs.
    async fn record(servers: &[&Stub], record: Value) -> Self {
        let servers: Vec<String> = servers.iter().map(|s| s.text()).collect();
        Self::run(json!({
            "servers": servers, "query_timeout": PATIENCE, "allow_private": true,
            "records": [record],
        }))
        .await
    }

    /// `failed rule`, `unmeasured rule` for all that did not pass and weighs.
    fn problems(&self) -> Vec<String> {
        let bad = |c: &&Check| c.outcome != CheckOutcome::Passed && c.level != Level::Info;
        let shown = |c: &Check| {
            let how = match c.outcome {
                CheckOutcome::Unmeasured => "unmeasured",
                _ => "failed",
            };
            format!("{how} {}", c.rule.trim_start_matches("dns/"))
        };
        self.checks.iter().filter(bad).map(shown).collect()
    }

    fn ended(&self) -> Ended {
        self.measurement.records[0].answers[0].ended
    }

    fn text(&self) -> String {
        let shown = |c: &Check| format!("{} {:?} {:?}", c.message, c.actual, c.details);
        let lines: Vec<String> = self.checks.iter().map(shown).collect();
        lines.join(
            "
",
        )
    }
}

fn resolver() -> Zone {
    Zone {
        follows: true,
        ..Zone::default()
    }
}

fn shop(kind: &str) -> Value {
    json!({"name": "shop.example.com", "type": kind})
}

#[tokio::test]
async fn records_are_compared_exactly_or_in_part() {
    let zone = resolver()
        .with("shop.example.com", a("192.0.2.1"))
        .with("shop.example.com", a("192.0.2.2"))
        .with("shop.example.com", mx(10, "MX1.Example.com"))
        .with("shop.example.com", txt("v=spf1 -all"));
    let stub = Stub::zone(zone).await;
    for (kind, key, list, good) in [
        ("A", "equals", json!(["192.0.2.2", "192.0.2.1"]), true),
        ("A", "equals", json!(["192.0.2.2"]), false),
        ("A", "contains", json!(["192.0.2.2"]), true),
        ("A", "contains", json!(["192.0.2.3"]), false),
        ("MX", "equals", json!(["10 mx1.example.com."]), true),
        ("MX", "equals", json!(["20 mx1.example.com"]), false),
        ("TXT", "equals", json!(["v=spf1 -all"]), true),
    ] {
        let mut record = shop(kind);
        record[key] = list;
        let gate = Gate::record(&[&stub], record).await;
        let expected: &[&str] = if good {
            &[]
        } else {
            &["failed unexpected-records"]
        };
        assert_eq!(gate.problems(), expected, "{kind} {key}");
    }
    let gate = Gate::record(&[&stub], shop("A")).await;
    assert_eq!(gate.problems(), [""; 0]);
    assert_eq!(gate.metrics.get("records").unwrap().display(), "2");
    assert_eq!(gate.metrics.get("ttl.min").unwrap().display(), "5 min");
    assert!(gate.metrics.get("lookup.max").is_some());
}

#[tokio::test]
async fn the_ways_of_no_record_are_kept_apart() {
    let zone = resolver()
        .with("shop.example.com", a("192.0.2.1"))
        .code("broken.example.com", ResponseCode::ServFail)
        .code("refused.example.com", ResponseCode::Refused)
        .code("other.example.com", ResponseCode::NotImp);
    let stub = Stub::zone(zone).await;
    for (name, kind, ended, problem) in [
        (
            "none.example.com",
            "A",
            Ended::NxDomain,
            "failed missing-record",
        ),
        (
            "shop.example.com",
            "AAAA",
            Ended::NoData,
            "failed missing-record",
        ),
        (
            "broken.example.com",
            "A",
            Ended::ServFail,
            "unmeasured no-answer",
        ),
        (
            "refused.example.com",
            "A",
            Ended::Refused,
            "unmeasured no-answer",
        ),
        (
            "other.example.com",
            "A",
            Ended::OtherCode,
            "unmeasured no-answer",
        ),
    ] {
        let gate = Gate::record(&[&stub], json!({"name": name, "type": kind})).await;
        assert_eq!(gate.ended(), ended);
        assert_eq!(gate.problems(), [problem], "{name}");
        // Nor does a name that must be absent pass on a failure of its resolver.
        let absent = json!({"name": name, "type": kind, "absent": true});
        let gate = Gate::record(&[&stub], absent).await;
        let passes = matches!(ended, Ended::NxDomain | Ended::NoData);
        assert_eq!(gate.problems().is_empty(), passes, "{name}");
    }
    let absent = json!({"name": "shop.example.com", "type": "A", "absent": true});
    let gate = Gate::record(&[&stub], absent).await;
    assert_eq!(gate.problems(), ["failed unexpected-records"]);
}

#[tokio::test]
async fn silence_and_closed_ports_are_could_not_tell() {
    let silent = Stub::raw(|_, _| Vec::new()).await;
    let started = Instant::now();
    let gate = Gate::record(&[&silent], shop("A")).await;
    assert_eq!(gate.ended(), Ended::Timeout);
    assert_eq!(gate.problems(), ["unmeasured no-answer"]);
    assert!(started.elapsed() < Duration::from_secs(2));
    assert!(gate.metrics.get("records").is_none());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    let gate = Gate::run(json!({"servers": [closed.to_string()], "records": [shop("A")]})).await;
    assert_eq!(gate.ended(), Ended::Unreachable);
    assert_eq!(gate.problems(), ["unmeasured no-answer"]);
}

#[tokio::test]
async fn what_is_no_answer_is_not_taken_for_one() {
    let good = |question: &hickory_proto::op::Message| {
        resolver()
            .with("shop.example.com", a("192.0.2.1"))
            .answer(question)
    };
    let wrong_id = Stub::raw(move |question, _| {
        let mut answer = good(question);
        answer.metadata.id ^= 1;
        vec![answer.to_vec().unwrap()]
    });
    let other_question = Stub::raw(move |question, _| {
        let mut answer = good(question);
        answer.queries[0].set_name(name("other.example.com"));
        vec![answer.to_vec().unwrap()]
    });
    let garbage = Stub::raw(|_, _| vec![vec![0xff; 40]]);
    let cut = Stub::raw(move |question, _| {
        let mut bytes = good(question).to_vec().unwrap();
        bytes.truncate(bytes.len() - 20);
        vec![bytes]
    });
    // A name that points to itself, in the answer section.
    let pointer_loop = Stub::raw(move |question, _| {
        let mut bytes = reply(question).to_vec().unwrap();
        bytes[7] = 1;
        let at = u16::try_from(bytes.len()).unwrap() | 0xc000;
        bytes.extend(at.to_be_bytes());
        bytes.extend([0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1]);
        vec![bytes]
    });
    let echo = Stub::raw(|question, _| vec![question.to_vec().unwrap()]);
    let stubs = [
        wrong_id.await,
        other_question.await,
        garbage.await,
        cut.await,
        pointer_loop.await,
        echo.await,
    ];
    // Each takes its time to listen for a better answer.
    let gates =
        stubs.map(|stub| tokio::spawn(async move { Gate::record(&[&stub], shop("A")).await }));
    for gate in gates {
        let gate = gate.await.unwrap();
        assert_eq!(gate.ended(), Ended::Broken, "{:?}", gate.measurement);
        assert_eq!(gate.problems(), ["unmeasured no-answer"]);
    }
    // A forged answer before the right one changes nothing.
    let forged = Stub::raw(move |question, _| {
        let mut wrong = good(question);
        wrong.metadata.id ^= 1;
        vec![
            wrong.to_vec().unwrap(),
            vec![1, 2, 3],
            good(question).to_vec().unwrap(),
        ]
    });
    let gate = Gate::record(&[&forged.await], shop("A")).await;
    assert_eq!(gate.problems(), [""; 0]);
}

#[tokio::test]
async fn a_truncated_answer_is_asked_for_by_tcp() {
    let stub = Stub::raw(|question, tcp| {
        let mut answer = reply(question);
        answer.metadata.truncation = !tcp;
        let mut zone = resolver();
        for n in 0..100 {
            zone = zone.with("shop.example.com", a(&format!("192.0.2.{n}")));
        }
        if tcp {
            answer = zone.answer(question);
        }
        vec![answer.to_vec().unwrap()]
    })
    .await;
    let gate = Gate::record(&[&stub], shop("A")).await;
    assert_eq!(gate.problems(), [""; 0]);
    assert_eq!(gate.measurement.records[0].answers[0].records.len(), 100);
    for silent_by_tcp in [true, false] {
        let always = Stub::raw(move |question, tcp| {
            let mut answer = reply(question);
            answer.metadata.truncation = true;
            let silent = tcp && silent_by_tcp;
            Vec::from_iter((!silent).then(|| answer.to_vec().unwrap()))
        })
        .await;
        let gate = Gate::record(&[&always], shop("A")).await;
        assert_eq!(gate.problems(), ["unmeasured no-answer"], "{}", gate.text());
    }
}

#[tokio::test]
async fn aliases_are_followed_to_their_end() {
    let mut zone = resolver()
        .with("shop.example.com", cname("cdn.example.net"))
        .with("cdn.example.net", a("192.0.2.1"))
        .with("gone.example.com", cname("deleted.cloud.example"))
        .with("a.example.com", cname("b.example.com"))
        .with("b.example.com", cname("a.example.com"))
        .with("self.example.com", cname("self.example.com"));
    for n in 0..20 {
        zone = zone.with(
            &format!("l{n}.example.com"),
            cname(&format!("l{}.example.com", n + 1)),
        );
    }
    for follows in [true, false] {
        let zone = Zone {
            follows,
            ..zone.clone()
        };
        let stub = Stub::zone(zone).await;
        for (name, ended, problems) in [
            ("shop.example.com", Ended::Answer, &[][..]),
            (
                "gone.example.com",
                Ended::NxDomain,
                &["failed dangling-cname"],
            ),
            ("a.example.com", Ended::Loop, &["failed cname-loop"]),
            ("self.example.com", Ended::Loop, &["failed cname-loop"]),
            ("l0.example.com", Ended::LongChain, &["failed cname-loop"]),
        ] {
            let gate = Gate::record(&[&stub], json!({"name": name, "type": "A"})).await;
            assert_eq!(
                (gate.ended(), gate.problems().as_slice()),
                (
                    ended,
                    &problems.iter().map(ToString::to_string).collect::<Vec<_>>()[..]
                ),
                "{name} {follows}"
            );
        }
    }
}

#[tokio::test]
async fn a_circle_is_seen_through_servfail() {
    let zone = resolver()
        .with("a.example.com", cname("b.example.com"))
        .with("b.example.com", cname("a.example.com"));
    let stub = Stub::raw(move |question, _| {
        let mut answer = zone.answer(question);
        if question.queries[0].query_type() != RecordType::CNAME {
            answer = reply(question);
            answer.metadata.response_code = ResponseCode::ServFail;
        }
        vec![answer.to_vec().unwrap()]
    })
    .await;
    let gate = Gate::record(&[&stub], json!({"name": "a.example.com", "type": "A"})).await;
    assert_eq!(gate.problems(), ["failed cname-loop"]);
}

#[tokio::test]
async fn resolvers_that_differ_are_told() {
    let one = Stub::zone(resolver().with("shop.example.com", a("192.0.2.1"))).await;
    let other = Stub::zone(resolver().with("shop.example.com", a("192.0.2.2"))).await;
    let silent = Stub::raw(|_, _| Vec::new()).await;
    let gate = Gate::record(&[&one, &other], shop("A")).await;
    assert_eq!(gate.problems(), ["failed resolvers-disagree"]);
    assert_eq!(gate.metrics.get("servers.agreeing").unwrap().display(), "1");
    let mut record = shop("A");
    record["equals"] = json!(["192.0.2.1"]);
    let gate = Gate::record(&[&one, &other], record).await;
    assert_eq!(
        gate.problems(),
        ["failed unexpected-records", "failed resolvers-disagree"]
    );
    let gate = Gate::record(&[&one, &silent], shop("A")).await;
    assert_eq!(gate.problems(), ["unmeasured no-answer"]);
    assert_eq!(
        gate.metrics.get("servers.answering").unwrap().display(),
        "1"
    );
}

#[tokio::test]
async fn private_and_dead_addresses_are_found() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    // 127.0.0.2 is an address of this machine too, where nothing listens on this port.
    let zone = resolver()
        .with("shop.example.com", a("127.0.0.1"))
        .with("shop.example.com", a("127.0.0.2"))
        .with("shop.example.com", aaaa("::1"));
    let stub = Stub::zone(zone).await;
    let mut record = shop("A");
    record["connect"] = json!(port);
    let gate =
        Gate::run(json!({"servers": [stub.text()], "records": [record, shop("AAAA")]})).await;
    assert_eq!(
        gate.problems(),
        [
            "failed private-address",
            "failed dead-address",
            "failed private-address"
        ]
    );
    assert!(gate.text().contains("127.0.0.1 is loopback"));
    let dead = gate
        .checks
        .iter()
        .find(|c| c.rule == "dns/dead-address" && c.outcome == CheckOutcome::Failed);
    assert!(dead.unwrap().subject.contains("127.0.0.2"));
}

fn authority(serial: u32) -> Zone {
    Zone {
        authority: true,
        ..Zone::default()
    }
    .with("example.com", soa(serial))
    .with("example.com", ns("ns1.example.com"))
    .with("example.com", ns("ns2.example.com"))
    .with("shop.example.com", a("192.0.2.1"))
}

async fn zone_gate(servers: &[&Stub], more: Value) -> Gate {
    let resolver = Stub::zone(Zone {
        follows: true,
        authority: false,
        ..authority(1)
    })
    .await;
    let servers: Vec<String> = servers.iter().map(|s| s.text()).collect();
    let mut zone = json!({"name": "example.com", "name_servers": servers});
    for (key, value) in more.as_object().unwrap() {
        zone[key] = value.clone();
    }
    Gate::run(json!({
        "servers": [resolver.text()], "query_timeout": PATIENCE, "allow_private": true,
        "records": [{"name": "shop.example.com", "type": "A", "max_ttl": "5m"}],
        "zones": [zone],
    }))
    .await
}

#[tokio::test]
async fn name_servers_are_asked_each_by_itself() {
    let (one, two) = (
        Stub::zone(authority(7)).await,
        Stub::zone(authority(7)).await,
    );
    let gate = zone_gate(&[&one, &two], json!({})).await;
    assert_eq!(gate.problems(), [""; 0], "{}", gate.text());
    assert_eq!(
        gate.metrics
            .get("name_servers.answering")
            .unwrap()
            .display(),
        "2"
    );
    let gate = zone_gate(&[&one], json!({})).await;
    assert_eq!(gate.problems(), ["failed few-name-servers"]);

    let old = Stub::zone(authority(6)).await;
    let gate = zone_gate(&[&one, &old], json!({})).await;
    assert_eq!(gate.problems(), ["failed serials-differ"]);

    let other = Stub::zone(authority(7).with("shop.example.com", a("192.0.2.9"))).await;
    let gate = zone_gate(&[&one, &other], json!({})).await;
    assert_eq!(gate.problems(), ["failed servers-disagree"]);

    let lame = Stub::zone(Zone::default().code("example.com", ResponseCode::Refused)).await;
    let gate = zone_gate(&[&one, &lame], json!({})).await;
    assert_eq!(gate.problems(), ["failed name-server-fails"]);

    let cached = Stub::zone(Zone {
        authority: false,
        ..authority(7)
    })
    .await;
    let gate = zone_gate(&[&one, &cached], json!({})).await;
    assert_eq!(gate.problems(), ["failed name-server-fails"]);

    let silent = Stub::raw(|_, _| Vec::new()).await;
    let gate = zone_gate(&[&one, &silent], json!({})).await;
    assert_eq!(gate.problems(), ["failed name-server-fails"]);
    let gate = zone_gate(&[&silent], json!({"min_name_servers": 1})).await;
    assert!(
        gate.problems().iter().all(|p| p.starts_with("unmeasured")),
        "{:?}",
        gate.problems()
    );
    assert!(
        gate.problems()
            .contains(&"unmeasured ttl-too-long".to_owned())
    );
}

#[tokio::test]
async fn faults_of_one_name_server_are_named() {
    let one = Stub::zone(authority(7)).await;
    let udp_only = {
        let zone = authority(7);
        Stub::raw(move |question, tcp| {
            let bytes = zone.answer(question).to_vec().unwrap();
            if tcp { Vec::new() } else { vec![bytes] }
        })
        .await
    };
    let gate = zone_gate(&[&one, &udp_only], json!({})).await;
    assert_eq!(gate.problems(), ["failed name-server-fails"]);
    assert!(gate.text().contains("by TCP"), "{}", gate.text());

    let open = Stub::zone(Zone {
        transfers: true,
        ..authority(7)
    })
    .await;
    let gate = zone_gate(&[&one, &open], json!({})).await;
    assert_eq!(gate.problems(), [""; 0]);
    let gate = zone_gate(&[&one, &open], json!({"refuse_transfer": true})).await;
    assert_eq!(gate.problems(), ["failed zone-transfer-open"]);

    let mut slow = authority(7);
    slow.records.iter_mut().for_each(|record| record.1 = 86_400);
    let (slow, slow2) = (Stub::zone(slow.clone()).await, Stub::zone(slow).await);
    let gate = zone_gate(&[&slow, &slow2], json!({})).await;
    assert_eq!(gate.problems(), ["failed ttl-too-long"]);

    let both = Stub::zone(authority(7).with("shop.example.com", cname("x.example.net"))).await;
    let gate = zone_gate(&[&both, &one], json!({})).await;
    assert_eq!(gate.problems(), ["failed cname-conflict"]);

    let apex = Stub::zone(authority(7).with("example.com", cname("x.example.net"))).await;
    let gate = zone_gate(&[&apex, &one], json!({})).await;
    assert_eq!(gate.problems(), ["failed cname-conflict"]);
}

#[tokio::test]
async fn a_name_server_without_an_address_is_found() {
    let resolver = resolver()
        .with("example.com", soa(1))
        .with("example.com", ns("ns1.gone.example"))
        .with("example.com", ns("ns2.gone.example"));
    let stub = Stub::zone(resolver).await;
    let gate = Gate::run(json!({
        "servers": [stub.text()], "query_timeout": PATIENCE, "zones": [{"name": "example.com"}],
    }))
    .await;
    let problems = gate.problems();
    assert_eq!(
        problems[..3],
        [
            "failed few-name-servers",
            "failed name-server-fails",
            "failed name-server-fails"
        ]
    );
    assert!(gate.text().contains("whoever registers it"));
}

#[tokio::test]
async fn dnssec_is_believed_of_a_validating_resolver_only() {
    let signed = || {
        let zone = Zone {
            validates: true,
            follows: true,
            ..authority(1)
        };
        Zone {
            records: [
                zone.records.clone(),
                vec![(".".into(), 300, ns("a.root.example"))],
            ]
            .concat(),
            ..zone
        }
    };
    let one = Stub::zone(authority(1)).await;
    let two = Stub::zone(authority(1)).await;
    let unsigned = {
        let zone = signed();
        Stub::raw(move |question, _| {
            let mut answer = zone.answer(question);
            answer.metadata.authentic_data &= question.queries[0].name().is_root();
            vec![answer.to_vec().unwrap()]
        })
    };
    let no_validation = Zone {
        validates: false,
        ..signed()
    };
    for (stub, problem) in [
        (Stub::zone(signed()).await, ""),
        (unsigned.await, "failed dnssec-invalid"),
        (
            Stub::zone(signed().code("example.com", ResponseCode::ServFail)).await,
            "failed dnssec-invalid",
        ),
        (Stub::zone(no_validation).await, "unmeasured dnssec-invalid"),
        (
            Stub::raw(|_, _| Vec::new()).await,
            "unmeasured dnssec-invalid",
        ),
    ] {
        let gate = Gate::run(json!({
            "servers": [one.text()], "validating": [stub.text()], "query_timeout": PATIENCE,
            "zones": [{"name": "example.com", "name_servers": [one.text(), two.text()], "dnssec": true}],
        }))
        .await;
        let expected = Some(problem.to_owned()).filter(|p| !p.is_empty());
        assert_eq!(gate.problems(), Vec::from_iter(expected), "{}", gate.text());
    }
}

#[tokio::test]
async fn caa_is_looked_for_from_the_name_upwards() {
    let zone = resolver()
        .with("example.com", caa("letsencrypt.org"))
        .with("pay.example.com", caa("digicert.com"))
        .with("shop.example.com", a("192.0.2.1"))
        .code("broken.example.com", ResponseCode::ServFail);
    let stub = Stub::zone(zone).await;
    let gate = |issuer: &'static str, name: &'static str| {
        let stub = stub.text();
        async move {
            let with = json!({"servers": [stub], "caa": {"issuer": issuer, "names": [name]}});
            Gate::run(with).await.problems()
        }
    };
    assert_eq!(gate("letsencrypt.org", "shop.example.com").await, [""; 0]);
    assert_eq!(gate("Let's Encrypt", "*.shop.example.com").await, [""; 0]);
    assert_eq!(
        gate("letsencrypt.org", "pay.example.com").await,
        ["failed caa-forbids"]
    );
    assert_eq!(gate("letsencrypt.org", "free.example.net").await, [""; 0]);
    assert_eq!(
        gate("letsencrypt.org", "a.broken.example.com").await,
        ["unmeasured caa-forbids"]
    );
}

#[tokio::test]
async fn mail_policies_are_read() {
    let zone = |spf: &[&str], dmarc: &str| {
        let mut zone = authority(1).with("_dmarc.example.com", txt(dmarc));
        zone.follows = true;
        for text in spf {
            zone = zone.with("example.com", txt(text));
        }
        zone
    };
    for (spf, dmarc, problems) in [
        (
            &["v=spf1 mx -all", "other"][..],
            "v=DMARC1; p=reject",
            &[][..],
        ),
        (
            &["v=spf1 +all"],
            "v=DMARC1; p=none",
            &["failed spf", "failed dmarc"],
        ),
        (
            &["v=spf1 -all", "v=spf1 ~all"],
            "v=DMARC1; p=quarantine; pct=10",
            &["failed spf", "failed dmarc"],
        ),
        (&[], "p=reject", &["failed spf", "failed dmarc"]),
    ] {
        let stub = Stub::zone(zone(spf, dmarc)).await;
        let two = Stub::zone(authority(1)).await;
        let gate = Gate::run(json!({
            "servers": [stub.text()],
            "zones": [{"name": "example.com", "name_servers": [stub.text(), two.text()], "spf": true, "dmarc": "quarantine"}],
        }))
        .await;
        assert_eq!(gate.problems(), problems, "{spf:?} {dmarc}");
    }
}
