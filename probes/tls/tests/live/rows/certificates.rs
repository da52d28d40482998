//! What certificates can be like.

#![expect(clippy::too_many_lines, reason = "each function is a table")]

use rcgen::{DistinguishedName, ExtendedKeyUsagePurpose, KeyPair, SanType};
use serde_json::json;

use super::{
    Row,
    Verdict::{Fail, Pass, Warn},
    row, shown,
};
use crate::{
    pki::{self, DAY, Identity, Pki, below, leaf, leaf_for, valid},
    server::{Behaviour, serve},
    staple::{Says, response},
};

pub async fn dates(pki: &Pki) -> Vec<Row> {
    let of = |from, to| pki.issue(&valid(leaf(), from, to));
    let old = below(
        valid(pki::authority("Expired Intermediate"), -200, -1),
        &pki.root,
    );
    let expired_above = Pki::issue_by(&leaf(), &old).with(old.der());
    let public = || json!({"public_rules": true});
    let mut rows = Vec::new();
    for (fixture, from, to, wanted, cause, with) in [
        ("expired", -100, -1, Fail, "tls/expired", json!({})),
        ("not-yet-valid", 1, 90, Fail, "tls/not-yet-valid", json!({})),
        ("exp-1d", -89, 1, Fail, "tls/expires-soon", json!({})),
        ("exp-10d", -80, 10, Warn, "tls/expires-soon", json!({})),
        ("exp-3d of 6", -3, 3, Pass, "", json!({})),
        ("life-250d, own authority", -1, 249, Pass, "", json!({})),
        (
            "life-250d, public rules",
            -1,
            249,
            Fail,
            "tls/validity-too-long",
            public(),
        ),
        (
            "life-398d, public rules",
            -1,
            397,
            Fail,
            "tls/validity-too-long",
            public(),
        ),
        (
            "life-825d, public rules",
            -1,
            824,
            Fail,
            "tls/validity-too-long",
            public(),
        ),
        (
            "until 9999",
            -10,
            2_900_000,
            Warn,
            "tls/validity-too-long",
            json!({}),
        ),
        (
            "1950 to 9999",
            -27_700,
            2_900_000,
            Fail,
            "tls/chain-invalid",
            json!({}),
        ),
        (
            "1950 to 1951",
            -27_700,
            -27_400,
            Fail,
            "tls/expired",
            json!({}),
        ),
    ] {
        rows.push(row(
            fixture,
            wanted,
            cause,
            with,
            shown(pki, &of(from, to)).await,
        ));
    }
    rows.push(row(
        "expired-intermediate",
        Fail,
        "tls/expired",
        json!({}),
        shown(pki, &expired_above).await,
    ));
    rows
}

pub async fn trust(pki: &Pki) -> Vec<Row> {
    let stranger = below(pki::authority("Stranger Intermediate"), &pki.stranger);
    let foreign = Pki::issue_by(&leaf(), &stranger).with(stranger.der());
    let constrained = below(pki::constrained(), &pki.root);
    let constrained = Pki::issue_by(&leaf(), &constrained).with(constrained.der());
    let namesake = pki::root("Test Root");
    let forged = below(pki::authority("Test Intermediate"), &namesake);
    let forged = Pki::issue_by(&leaf(), &forged).with(forged.der());
    let mut located = leaf();
    located.custom_extensions = vec![pki::issuer_at("http://ca.test/int.crt")];
    let alone = Pki::issue_by(&located, &pki.intermediate);
    let good = pki.good();
    let plain = Identity {
        chain: vec![
            good.chain[0].clone(),
            good.chain[0].clone(),
            good.chain[1].clone(),
        ],
        ..good.clone()
    };
    let unrelated = good.clone().with(stranger.der());
    let longer = below(pki::authority("Lower Intermediate"), &pki.intermediate);
    let longer = Pki::issue_by(&leaf(), &longer);
    let swapped = longer.clone().with(pki.intermediate.der());
    let lower = below(pki::authority("Lower Intermediate"), &pki.intermediate);
    let leafed = Pki::issue_by(&leaf(), &lower);
    let disordered = leafed.with(pki.intermediate.der()).with(lower.der());
    let mut other_key = pki.good();
    other_key.key = KeyPair::generate().unwrap().serialize_der();
    vec![
        row(
            "self-signed",
            Fail,
            "tls/untrusted",
            json!({}),
            shown(pki, &Identity::self_signed(&leaf())).await,
        ),
        row(
            "untrusted-root",
            Fail,
            "tls/untrusted",
            json!({}),
            shown(pki, &foreign).await,
        ),
        row(
            "untrusted-root, sent along",
            Fail,
            "tls/untrusted",
            json!({}),
            shown(pki, &foreign.clone().with(pki.stranger.der())).await,
        ),
        row(
            "namesake of the root",
            Fail,
            "tls/untrusted",
            json!({}),
            shown(pki, &forged).await,
        ),
        row(
            "incomplete-chain",
            Fail,
            "tls/missing-intermediate",
            json!({}),
            shown(pki, &alone).await,
        ),
        row(
            "intermediate of another level",
            Fail,
            "tls/missing-intermediate",
            json!({}),
            shown(pki, &swapped).await,
        ),
        row(
            "nc-violation",
            Fail,
            "tls/chain-invalid",
            json!({}),
            shown(pki, &constrained).await,
        ),
        row(
            "key of another certificate",
            Fail,
            "tls/key-not-proven",
            json!({}),
            shown(pki, &other_key).await,
        ),
        row(
            "dup-cert",
            Warn,
            "tls/chain-extra",
            json!({}),
            shown(pki, &plain).await,
        ),
        row(
            "unrelated-cert",
            Warn,
            "tls/chain-extra",
            json!({}),
            shown(pki, &unrelated).await,
        ),
        row(
            "wrong-order",
            Warn,
            "tls/chain-order",
            json!({}),
            shown(pki, &disordered).await,
        ),
        row(
            "own authority, bundled trust",
            Fail,
            "tls/untrusted",
            json!({"ca": null}),
            shown(pki, &good).await,
        ),
    ]
}

pub async fn names(pki: &Pki) -> Vec<Row> {
    let mut client = leaf();
    client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let mut ca = leaf();
    ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let mut nul = leaf_for(&[]);
    let name = "edge.test\0.evil.test".try_into().unwrap();
    nul.subject_alt_names = vec![SanType::DnsName(name)];
    let mut nobody = leaf();
    nobody.distinguished_name = DistinguishedName::new();
    let issue = |params| pki.issue(&params);
    let mut rows = Vec::new();
    for (fixture, identity, wanted, cause) in [
        (
            "wrong-host",
            issue(leaf_for(&["other.test"])),
            Fail,
            "tls/wrong-name",
        ),
        ("no-san", issue(leaf_for(&[])), Fail, "tls/wrong-name"),
        (
            "wild-only",
            issue(leaf_for(&["*.edge.test"])),
            Fail,
            "tls/wrong-name",
        ),
        ("NUL in the name", issue(nul), Fail, "tls/wrong-name"),
        ("empty subject", issue(nobody), Pass, ""),
        ("eku-client", issue(client), Fail, "tls/wrong-purpose"),
        ("leaf-is-ca", issue(ca), Fail, "tls/wrong-purpose"),
    ] {
        rows.push(row(
            fixture,
            wanted,
            cause,
            json!({}),
            shown(pki, &identity).await,
        ));
    }
    let www = json!({"names": ["www.edge.test"]});
    rows.push(row(
        "second name not served",
        Fail,
        "tls/wrong-name",
        www,
        shown(pki, &pki.good()).await,
    ));
    rows
}

pub async fn revocation(pki: &Pki) -> Vec<Row> {
    let mut demanding = leaf();
    demanding.custom_extensions = vec![pki::must_staple()];
    let says = |revoked, from: i64, to: i64| Says {
        serial: vec![0x11, 0x22, 0x33],
        revoked,
        this_update: pki::now() + DAY * i32::try_from(from).unwrap(),
        next_update: pki::now() + DAY * i32::try_from(to).unwrap(),
    };
    let by = |issuer, says| response(issuer, &says);
    let good = by(&pki.intermediate, says(false, -1, 3));
    let other = by(
        &pki.intermediate,
        Says {
            serial: vec![9],
            ..says(false, -1, 3)
        },
    );
    let stranger = by(&pki.stranger, says(false, -1, 3));
    let mut rows = Vec::new();
    for (fixture, params, staple, wanted, cause) in [
        ("staple-good", leaf(), Some(good.clone()), Pass, ""),
        (
            "staple-revoked",
            leaf(),
            Some(by(&pki.intermediate, says(true, -1, 3))),
            Fail,
            "tls/revoked",
        ),
        (
            "staple-expired",
            leaf(),
            Some(by(&pki.intermediate, says(false, -9, -2))),
            Warn,
            "tls/bad-staple",
        ),
        (
            "staple of another certificate",
            leaf(),
            Some(other),
            Warn,
            "tls/bad-staple",
        ),
        (
            "staple of another authority",
            leaf(),
            Some(stranger),
            Warn,
            "tls/bad-staple",
        ),
        (
            "staple is junk",
            leaf(),
            Some(vec![0x30, 0x82, 0xff, 0xff, 1]),
            Warn,
            "tls/bad-staple",
        ),
        (
            "must-staple, stapled",
            demanding.clone(),
            Some(good),
            Pass,
            "",
        ),
        (
            "must-staple without staple",
            demanding,
            None,
            Fail,
            "tls/must-staple",
        ),
    ] {
        let behaviour = Behaviour {
            staple,
            ..Behaviour::default()
        };
        let server = serve(pki, &pki.issue(&params), behaviour).await;
        rows.push(row(fixture, wanted, cause, json!({}), server));
    }
    rows
}
