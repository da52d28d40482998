//! Records, resolvers, addresses.

use std::time::Duration;

use hickory_proto::{op::ResponseCode, rr::RecordType};
use readygate_dns::Ended;
use readygate_sdk::CheckOutcome;
use serde_json::json;
use tokio::{net::TcpListener, time::Instant};

use crate::{
    gate::{Gate, resolver, shop},
    stub::{Stub, Zone, a, aaaa, cname, mx, name, reply, txt},
};

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
    let gate = Gate::silence(&[&silent], shop("A")).await;
    assert_eq!(gate.ended(), Ended::Timeout);
    assert_eq!(gate.problems(), ["unmeasured no-answer"]);
    assert!(started.elapsed() < Duration::from_secs(10));
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
