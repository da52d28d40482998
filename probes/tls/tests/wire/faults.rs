//! One fault per server, each found, and nothing else with it.

use std::{sync::atomic::Ordering, time::Duration};

use readygate_sdk::{Cx, ErrorKind};
use readygate_tls::wire::{
    Alert, Answer, Contact, DoubtKind, Fallback, Family, Foreign, Group, Identity, Known, Options,
    Preference, Refusal, Survey, Upgrade, Version,
};

use crate::{
    ask, ask_with, cx,
    fake::{self, Fake, Fault},
    families, groups, impatient, quick, versions,
};

fn refused(survey: &Survey) -> Vec<String> {
    let versions = survey
        .versions
        .iter()
        .map(|r| (r.version.to_string(), &r.answer));
    let families = survey
        .families
        .iter()
        .map(|r| (r.family.name().to_owned(), &r.answer));
    let groups = survey
        .groups
        .iter()
        .map(|r| (r.group.to_string(), &r.answer));
    let rows = versions.chain(families).chain(groups);
    rows.filter(|row| row.1.accepted() == Some(false))
        .map(|row| row.0)
        .collect()
}

fn doubt(answer: Option<&Answer>) -> &readygate_tls::wire::Doubt {
    match answer.unwrap() {
        Answer::Unknown { doubt } => doubt,
        other => panic!("it is known: {other:?}"),
    }
}

#[tokio::test]
async fn a_good_server_has_nothing_wrong() {
    let survey = ask(Fake::default().start().await).await;
    assert_eq!(versions(&survey), [Version::Tls12]);
    assert_eq!(families(&survey), [Family::EcdheAead]);
    assert_eq!(survey.compression, Known::Known { value: false });
    assert_eq!(survey.secure_renegotiation, Known::Known { value: true });
    assert_eq!(survey.client_certificate, Known::Known { value: None });
    assert_eq!(survey.chain.value().unwrap().staple, None);
    let value = Preference::SingleSuite;
    assert_eq!(survey.preference, Known::Known { value });
    assert_eq!(survey.problem(), None);
}

#[tokio::test]
async fn each_old_version_alone() {
    for (number, version) in [
        (2, Version::Ssl2),
        (0x0300, Version::Ssl3),
        (0x0301, Version::Tls10),
        (0x0302, Version::Tls11),
    ] {
        let fake = Fake {
            versions: vec![number],
            suites: vec![0x2f],
            ..Fake::default()
        };
        let survey = ask(fake.start().await).await;
        assert_eq!(survey.contact, Contact::Tls, "{version}");
        assert_eq!(versions(&survey), [version]);
    }
}

#[tokio::test]
async fn an_old_version_beside_the_good_ones() {
    for number in [0x0300, 0x0301, 0x0302] {
        let fake = Fake {
            versions: vec![number, 0x0303, 0x0304],
            groups: vec![0x1d],
            ..Fake::default()
        };
        let survey = ask(fake.start().await).await;
        let old = Version::of(number).unwrap();
        assert_eq!(versions(&survey), [old, Version::Tls12, Version::Tls13]);
        let alert = Alert(86);
        let value = Fallback::Noticed { alert };
        assert_eq!(survey.fallback, Known::Known { value });
    }
}

#[tokio::test]
async fn each_broken_family() {
    for (suite, family) in [
        (0x0002, Family::Null),
        (0x0034, Family::Anonymous),
        (0x0008, Family::Export),
        (0x0009, Family::Des),
        (0x000a, Family::TripleDes),
        (0x0005, Family::Rc4),
    ] {
        let fake = Fake {
            suites: vec![0xc02f, suite],
            ..Fake::default()
        };
        let survey = ask(fake.start().await).await;
        assert_eq!(families(&survey), [family, Family::EcdheAead]);
        let Some(Answer::Accepted(accepted)) = survey.family(family) else {
            panic!("{survey:#?}");
        };
        assert_eq!(accepted.suite.unwrap().0, u32::from(suite));
        // And where it is all there is.
        let fake = Fake {
            suites: vec![suite],
            ..Fake::default()
        };
        assert_eq!(families(&ask(fake.start().await).await), [family]);
    }
}

#[tokio::test]
async fn facts_of_the_server_hello() {
    let fake = Fake {
        suites: vec![0x9e],
        dh_bytes: 128,
        renegotiation: false,
        extended_master_secret: false,
        compression: true,
        staple: true,
        ..Fake::default()
    };
    let survey = ask(fake.start().await).await;
    assert_eq!(survey.dh.value().unwrap().bits, 1024);
    assert_eq!(survey.compression, Known::Known { value: true });
    assert_eq!(survey.secure_renegotiation, Known::Known { value: false });
    assert_eq!(survey.extended_master_secret, Known::Known { value: false });
    let staple = survey.chain.value().unwrap().staple.as_ref();
    assert_eq!(staple.unwrap().0, b"a staple");
}

#[tokio::test]
async fn groups_by_hello_retry_request() {
    let fake = Fake {
        versions: vec![0x0304],
        groups: vec![0x17, 0x11ec],
        ..Fake::default()
    };
    let survey = ask(fake.start().await).await;
    assert_eq!(versions(&survey), [Version::Tls13]);
    assert_eq!(groups(&survey), [Group::X25519_MLKEM768, Group::P256]);
    assert!(matches!(survey.chain, Known::Moot { .. }));
    let by = Refusal::NoVersion;
    assert_eq!(survey.family(Family::Rc4), Some(&Answer::Refused { by }));
}

/// Nothing is refused, nothing is accepted, and the problem has words.
fn nothing_known(survey: &Survey, kind: ErrorKind) {
    assert_eq!(refused(survey), [""; 0]);
    let accepted = |a: &Answer| a.accepted() == Some(true);
    assert!(!survey.versions.iter().any(|r| accepted(&r.answer)));
    assert!(!survey.families.iter().any(|r| accepted(&r.answer)));
    for unknown in [
        &survey.compression,
        &survey.secure_renegotiation,
        &survey.extended_master_secret,
    ] {
        assert!(matches!(unknown, Known::Unknown { .. }), "{unknown:?}");
    }
    assert!(matches!(survey.chain, Known::Unknown { .. }));
    assert!(matches!(survey.fallback, Known::Unknown { .. }));
    let problem = survey.problem().unwrap();
    assert_eq!(problem.kind, kind, "{problem}");
}

#[tokio::test]
async fn silence_ends_soon_and_tells_nothing() {
    for (sent, phase) in [(0, "waiting for"), (30, "reading")] {
        let fake = Fake {
            versions: vec![0x0303, 0x0304],
            groups: vec![0x1d],
            ..Fake::with_fault(Fault::HangAfter(sent))
        };
        let survey = ask_with(fake.start().await, &impatient()).await;
        nothing_known(&survey, ErrorKind::Timeout);
        let Contact::Silent { phase: said } = &survey.contact else {
            panic!("{:?}", survey.contact);
        };
        assert_eq!(*said, format!("{phase} the ServerHello"));
        assert_eq!(survey.connections.len(), 2);
        assert!(survey.seconds < 5.0, "{} s", survey.seconds);
    }
    let default = Options::default();
    assert!(default.answer_timeout.as_secs_f64() < 3.0);
}

#[tokio::test]
async fn a_reset_or_close_at_any_point_tells_nothing() {
    // Less than an alert has.
    for sent in [0, 3, 6] {
        let fake = Fake::with_fault(Fault::ResetAfter(sent));
        let survey = ask_with(fake.start().await, &quick()).await;
        nothing_known(&survey, ErrorKind::Connect);
        assert!(matches!(survey.contact, Contact::Reset { .. }));
        let fake = Fake::with_fault(Fault::CloseAfter(sent));
        let survey = ask_with(fake.start().await, &quick()).await;
        nothing_known(&survey, ErrorKind::Protocol);
        assert!(matches!(survey.contact, Contact::Closed { .. }));
    }
}

#[tokio::test]
async fn the_chain_is_not_claimed_if_it_broke_off() {
    for fault in [
        Fault::HangAfter(300),
        Fault::CloseAfter(300),
        Fault::ResetAfter(300),
        // Past the certificate, but before it is known whether there is a staple.
        Fault::CloseAfter(58 + 5 + 4 + 3 + 703),
    ] {
        let fake = Fake {
            fault_for: vec![0x0303],
            suites: vec![0x9c],
            ..Fake::with_fault(fault.clone())
        };
        let survey = ask_with(fake.start().await, &quick()).await;
        assert!(matches!(survey.chain, Known::Unknown { .. }), "{fault:?}");
        let request = &survey.client_certificate;
        assert!(matches!(request, Known::Unknown { .. }), "{fault:?}");
    }
}

#[tokio::test]
async fn other_protocols_are_named() {
    for (bytes, foreign) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], Foreign::Http),
        (b"SSH-2.0-OpenSSH_9.2\r\n", Foreign::Ssh),
        (b"-ERR unknown command\r\n", Foreign::Redis),
        (b"220 mail ESMTP\r\n", Foreign::Smtp),
        (&[0xff; 64], Foreign::Other),
    ] {
        let fake = Fake::with_fault(Fault::Greet(bytes.to_vec()));
        let survey = ask_with(fake.start().await, &quick()).await;
        nothing_known(&survey, ErrorKind::Protocol);
        let Contact::NotTls { foreign: found, .. } = survey.contact else {
            panic!("{:?}", survey.contact);
        };
        assert_eq!(found, foreign);
    }
}

#[tokio::test]
async fn floods_and_lies_are_bounded() {
    let mib = 1 << 20;
    let lie = fake::records(22, &[11, 0xff, 0xff, 0xff], 4);
    let cases = [
        vec![0xaa; mib],
        vec![22, 3, 3, 0xff, 0xff],
        [lie, vec![0; mib]].concat(),
        fake::records(22, &[2, 0xff, 0xff, 0xff], 4),
        // Warnings, ChangeCipherSpec, empty records, and no end of them.
        fake::records(21, &[1, 90], 2).repeat(mib / 7),
        fake::records(20, &[1], 1).repeat(mib / 6),
        [22, 3, 3, 0, 0].repeat(mib / 5),
        fake::records(22, &fake::message(14, &[]), 4),
        fake::records(22, &fake::message(2, &[3, 3, 1]), 16),
        fake::records(23, &[1; 40], 40),
        fake::records(22, &fake::message(0, &[]).repeat(mib / 4), 16_000),
    ];
    for (index, bytes) in cases.into_iter().enumerate() {
        let fake = Fake::with_fault(Fault::Flood(bytes, 10));
        let (address, sent) = fake.start_counted().await;
        let survey = ask_with(address, &quick()).await;
        nothing_known(&survey, ErrorKind::Protocol);
        assert!(survey.seconds < 5.0, "case {index}: {} s", survey.seconds);
        // 10 MiB and more are on offer in each of two connections; socket buffers take some.
        let sent = sent.load(Ordering::Relaxed);
        assert!(sent < 20 * mib, "case {index}: {sent} bytes");
    }
}

#[tokio::test]
async fn byte_by_byte_is_as_good_as_at_once() {
    let whole = Fake::default();
    let split = Fake::with_fault(Fault::ByteByByte);
    let (whole, split) = (
        ask(whole.start().await).await,
        ask(split.start().await).await,
    );
    assert_eq!(whole.versions, split.versions);
    assert_eq!(whole.families, split.families);
    assert_eq!(whole.chain, split.chain);
    assert!(split.chain.value().is_some());
}

#[tokio::test]
async fn long_chains() {
    let chain = |length| Fake {
        chain: length,
        ..Fake::default()
    };
    let survey = ask(chain(200).start().await).await;
    assert_eq!(survey.chain.value().unwrap().chain.len(), 200);
    // Longer than 256 KiB, shorter than 1 MiB.
    let survey = ask(chain(600).start().await).await;
    assert_eq!(survey.chain.value().unwrap().chain.len(), 600);
    let survey = ask(chain(2_000).start().await).await;
    let Known::Unknown { doubt } = &survey.chain else {
        panic!("claimed");
    };
    assert_eq!(doubt.kind, DoubtKind::TooLong);
    assert_eq!(versions(&survey), [Version::Tls12]);
    let survey = ask(chain(0).start().await).await;
    assert!(matches!(survey.chain, Known::Unknown { .. }));
}

#[tokio::test]
async fn a_drop_on_one_version_is_told_from_a_refusal() {
    let old = vec![2, 0x0300, 0x0301, 0x0302];
    let dropping = |fault| Fake {
        fault_for: old.clone(),
        ..Fake::with_fault(fault)
    };
    let survey = ask_with(dropping(Fault::ResetAfter(0)).start().await, &quick()).await;
    for version in [Version::Ssl2, Version::Ssl3, Version::Tls10] {
        let doubt = doubt(survey.version(version));
        assert_eq!((doubt.kind, doubt.attempts), (DoubtKind::Reset, 3));
        assert!(doubt.is_steady_reset());
    }
    assert_eq!(
        survey.version(Version::Tls12).unwrap().accepted(),
        Some(true)
    );

    let survey = ask_with(dropping(Fault::HangAfter(0)).start().await, &quick()).await;
    let silent = doubt(survey.version(Version::Tls10));
    assert_eq!(
        (silent.kind, silent.others_answered),
        (DoubtKind::Silent, false)
    );

    let survey = ask_with(dropping(Fault::CloseAfter(0)).start().await, &quick()).await;
    let by = Refusal::Close;
    let closed = Some(&Answer::Refused { by });
    assert_eq!(survey.version(Version::Tls10), closed);
    // Half an answer and a close is no refusal.
    let survey = ask_with(dropping(Fault::CloseAfter(4)).start().await, &quick()).await;
    let broken = doubt(survey.version(Version::Tls10));
    assert_eq!(
        (broken.kind, broken.others_answered),
        (DoubtKind::Closed, false)
    );
    let survey = ask_with(dropping(Fault::ResetAfter(4)).start().await, &quick()).await;
    let broken = doubt(survey.version(Version::Tls10));
    assert!(!broken.is_steady_reset() && !broken.others_answered);
}

#[tokio::test]
async fn an_accident_is_made_good() {
    let fake = Fake {
        fault_from: 4,
        fault_until: 9,
        ..Fake::with_fault(Fault::ResetAfter(0))
    };
    let survey = ask_with(fake.start().await, &quick()).await;
    assert_eq!(versions(&survey), [Version::Tls12]);
    assert_eq!(families(&survey), [Family::EcdheAead]);
}

#[tokio::test]
async fn a_server_that_stops_answering_has_not_refused() {
    for fault in [Fault::CloseAfter(0), Fault::ResetAfter(0)] {
        let fake = Fake {
            fault_from: 2,
            ..Fake::with_fault(fault)
        };
        let survey = ask_with(fake.start().await, &quick()).await;
        assert_eq!(survey.contact, Contact::Tls);
        // TLS 1.3 was asked for before; its groups follow from it.
        let refused = refused(&survey);
        let old = ["SSLv2", "SSLv3", "TLS 1.0", "TLS 1.1", "rc4", "null"];
        assert!(old.iter().all(|o| !refused.contains(&(*o).to_owned())));
        assert!(!doubt(survey.version(Version::Ssl3)).others_answered);
        assert!(matches!(survey.wrong_name, Known::Unknown { .. }));
    }
}

#[tokio::test]
async fn what_was_not_offered_is_not_accepted() {
    let fake = Fake {
        insist: Some(0x0005),
        ..Fake::default()
    };
    let survey = ask(fake.start().await).await;
    let odd = doubt(survey.family(Family::Null));
    assert_eq!(odd.kind, DoubtKind::Malformed);
    assert_eq!(survey.family(Family::Rc4).unwrap().accepted(), Some(true));
}

#[tokio::test]
async fn alpn_that_is_not_liked_costs_nothing() {
    let fake = Fake {
        alpn_alert: Some(120),
        ..Fake::default()
    };
    let survey = ask(fake.start().await).await;
    assert_eq!(versions(&survey), [Version::Tls12]);
    assert!(survey.chain.value().is_some());
    assert_eq!(survey.alpn, Known::Known { value: None });
}

#[tokio::test]
async fn postgres_says_yes_or_no_first() {
    let options = Options {
        upgrade: Upgrade::Postgres,
        ..quick()
    };
    let server = |answer| Fake {
        postgres: Some(answer),
        ..Fake::default()
    };
    let survey = ask_with(server(b'S').start().await, &options).await;
    assert_eq!(versions(&survey), [Version::Tls12]);
    let survey = ask_with(server(b'N').start().await, &options).await;
    assert_eq!(survey.contact, Contact::TlsDeclined);
    nothing_known(&survey, ErrorKind::Protocol);
}

#[tokio::test]
async fn without_a_name_there_is_none_to_leave_out() {
    let address = Fake::default().start().await;
    let options = Options::default();
    let cx = cx();
    let survey = readygate_tls::wire::survey(address, None, &options, &cx);
    let survey = survey.await.unwrap();
    assert!(matches!(survey.without_name, Known::Moot { .. }));
    let shown = survey.wrong_name.value().unwrap();
    assert!(matches!(shown, Identity::Certificate { same: true, .. }));
}

#[tokio::test]
async fn nobody_there_is_an_error() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let options = quick();
    let cx = cx();
    let survey = readygate_tls::wire::survey(address, None, &options, &cx);
    let error = survey.await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Connect);
    assert_eq!(error.subject, address.to_string());
    assert!(error.hint.is_some());
}

#[tokio::test]
async fn the_budget_ends_it_and_what_was_not_asked_is_unknown() {
    let fake = Fake {
        fault_from: 2,
        ..Fake::with_fault(Fault::HangAfter(0))
    };
    let options = Options {
        budget: Duration::from_millis(1_700),
        concurrency: 2,
        ..quick()
    };
    let survey = ask_with(fake.start().await, &options).await;
    assert!(survey.seconds < 5.0, "{} s", survey.seconds);
    assert_eq!(
        survey.version(Version::Tls12).unwrap().accepted(),
        Some(true)
    );
    let silent = doubt(survey.version(Version::Ssl2));
    assert_eq!(silent.kind, DoubtKind::Silent);
    let unasked = doubt(survey.family(Family::Rc4));
    assert_eq!(unasked.kind, DoubtKind::NotAsked);
    assert!(refused(&survey).iter().all(|row| !row.starts_with("SSL")));
}

#[tokio::test]
async fn the_deadline_of_the_gate_leaves_a_record_and_cancelling_an_error() {
    let address = Fake::with_fault(Fault::HangAfter(0)).start().await;
    let options = Options::default();
    let cx = Cx::builder(Duration::from_millis(300)).build();
    let survey = readygate_tls::wire::survey(address, None, &options, &cx);
    nothing_known(&survey.await.unwrap(), ErrorKind::Timeout);

    let cancel = tokio_util::sync::CancellationToken::new();
    let cx = Cx::builder(Duration::from_secs(30)).cancellation(cancel.clone());
    let cx = cx.build();
    cancel.cancel();
    let survey = readygate_tls::wire::survey(address, None, &options, &cx);
    assert_eq!(survey.await.unwrap_err().kind, ErrorKind::Cancelled);
}
