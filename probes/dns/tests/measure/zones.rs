//! Name servers of a zone, DNSSEC, CAA, mail.

use hickory_proto::op::ResponseCode;
use serde_json::{Value, json};

use crate::{
    gate::{Gate, PATIENCE, resolver},
    stub::{Stub, Zone, a, caa, cname, ns, soa, txt},
};

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
