//! Real handshakes of `openssl s_server`, where a canned answer would prove little.

use std::{net::SocketAddr, path::Path, process::Stdio};

use readygate_tls::wire::{
    Answer, Contact, Fallback, Family, Group, Identity, Known, Preference, Version,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

use crate::{ask, families, groups, versions};

/// The 1024-bit group 2 of RFC 2409, as `openssl dhparam` would write it.
const DH1024: &str = "-----BEGIN DH PARAMETERS-----
MIGHAoGBAP//////////yQ/aoiFowjTExmKLgNwc0SkCTgiKZ8x0Agu+pjsTmyJR
Sgh5jjQE3e+VGbPNOkMbMCsKbfJfFDdP4TVtbVHCReSFtXZiXn7G9ExC6aY37WsL
/1y29Aa37e44a/taiZ+lrp8kEXxLH+ZJKGZR7OZTgf//////////AgEC
-----END DH PARAMETERS-----
";

struct Server {
    address: SocketAddr,
    _child: Child,
}

fn run(args: &[&str], directory: &Path) -> Child {
    Command::new("openssl")
        .args(args)
        .current_dir(directory)
        .stdin(Stdio::piped()) // at its end s_server would leave
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("these tests need `openssl` (apt install openssl)")
}

/// A directory with a self-signed certificate and key, and the short DH group.
async fn identity(key: &[&str]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let mut args = vec!["req", "-x509", "-nodes", "-subj", "/CN=edge.test"];
    args.extend(["-days", "30", "-keyout", "key.pem", "-out", "cert.pem"]);
    args.extend(key);
    let made = run(&args, directory.path()).wait().await.unwrap();
    assert!(made.success());
    std::fs::write(directory.path().join("dh.pem"), DH1024).unwrap();
    directory
}

async fn rsa() -> TempDir {
    identity(&["-newkey", "rsa:2048"]).await
}

async fn ecdsa() -> TempDir {
    identity(&["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]).await
}

async fn serve(directory: &TempDir, args: &str) -> Server {
    let mut all = vec!["s_server", "-accept", "127.0.0.1:0"];
    all.extend(["-cert", "cert.pem", "-key", "key.pem"]);
    all.extend(args.split_whitespace());
    let mut child = run(&all, directory.path());
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        if let Some(address) = line.strip_prefix("ACCEPT ") {
            let address = address.parse().unwrap();
            // Its chatter must go somewhere.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Server {
                address,
                _child: child,
            };
        }
    }
    panic!("s_server does not start with {args}");
}

#[tokio::test]
async fn versions_up_to_tls12() {
    let identity = rsa().await;
    let old = serve(&identity, "-tls1 -cipher ALL:@SECLEVEL=0").await;
    let survey = ask(old.address).await;
    assert_eq!(survey.contact, Contact::Tls);
    assert_eq!(versions(&survey), [Version::Tls10]);
    let chain = survey.chain.value().unwrap();
    assert_eq!(chain.version, Version::Tls10);
    assert_eq!(chain.chain.len(), 1);
    assert_eq!(survey.client_certificate, Known::Known { value: None });
    assert!(matches!(survey.fallback, Known::Moot { .. }), "{survey:#?}");

    let old = serve(&identity, "-tls1_1 -cipher ALL:@SECLEVEL=0").await;
    assert_eq!(versions(&ask(old.address).await), [Version::Tls11]);

    let all = serve(&identity, "-cipher ALL:@SECLEVEL=0 -min_protocol TLSv1").await;
    let survey = ask(all.address).await;
    let expected = [
        Version::Tls10,
        Version::Tls11,
        Version::Tls12,
        Version::Tls13,
    ];
    assert_eq!(versions(&survey), expected);
    let noticed = matches!(
        survey.fallback,
        Known::Known {
            value: Fallback::Noticed { .. }
        }
    );
    assert!(noticed, "{:?}", survey.fallback);
}

#[tokio::test]
async fn a_good_server_with_both_versions() {
    let identity = ecdsa().await;
    let good = "-cipher ECDHE+AESGCM:ECDHE+CHACHA20 -groups X25519:P-256:P-384";
    let server = serve(&identity, good).await;
    let survey = ask(server.address).await;
    assert_eq!(versions(&survey), [Version::Tls12, Version::Tls13]);
    assert_eq!(families(&survey), [Family::EcdheAead]);
    assert_eq!(groups(&survey), [Group::X25519, Group::P256, Group::P384]);
    assert_eq!(survey.compression, Known::Known { value: false });
    assert_eq!(survey.secure_renegotiation, Known::Known { value: true });
    assert_eq!(survey.extended_master_secret, Known::Known { value: true });
    assert_eq!(survey.session_tickets, Known::Known { value: true });
    assert_eq!(survey.alpn, Known::Known { value: None });
    assert!(matches!(survey.dh, Known::Moot { .. }));
    assert_eq!(survey.other_chain, Known::Known { value: None });
    let value = Preference::Client;
    assert_eq!(survey.preference, Known::Known { value });
    let Known::Known {
        value: Identity::Certificate { same: true, leaf },
    } = &survey.wrong_name
    else {
        panic!("{:?}", survey.wrong_name);
    };
    assert_eq!(survey.chain.value().unwrap().chain[0], *leaf);
    let count = survey.connections.len();
    assert!((20..=30).contains(&count), "{count} connections");
}

#[tokio::test]
async fn one_version_only() {
    let identity = ecdsa().await;
    let server = serve(&identity, "-tls1_2 -cipher ECDHE+AESGCM -serverpref").await;
    let survey = ask(server.address).await;
    assert_eq!(versions(&survey), [Version::Tls12]);
    for group in [Group::X25519, Group::P256] {
        assert_eq!(survey.group(group).unwrap().accepted(), Some(true));
    }
    // The certificate needs P-256, and the server prefers it: nothing follows for the others.
    assert_eq!(survey.group(Group::P384).unwrap().accepted(), None);
    let hybrid = survey.group(Group::X25519_MLKEM768).unwrap();
    assert_eq!(hybrid.accepted(), Some(false));
    let value = Preference::Server;
    assert_eq!(survey.preference, Known::Known { value });

    let server = serve(&identity, "-tls1_3").await;
    let survey = ask(server.address).await;
    assert_eq!(versions(&survey), [Version::Tls13]);
    assert_eq!(families(&survey), []);
    assert!(matches!(survey.chain, Known::Moot { .. }));
    assert!(matches!(survey.secure_renegotiation, Known::Moot { .. }));
    assert!(matches!(survey.compression, Known::Moot { .. }));
    let value = Identity::Encrypted;
    assert_eq!(survey.without_name, Known::Known { value });
}

#[tokio::test]
async fn weak_suites_beside_good_ones() {
    let identity = rsa().await;
    let cases = [
        ("eNULL", Family::Null),
        ("aNULL+AES", Family::Anonymous),
        ("AES256-SHA", Family::StaticKeyExchange),
        ("ECDHE-RSA-AES128-SHA", Family::Cbc),
    ];
    for (cipher, family) in cases {
        let list = format!("-tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256:{cipher}:@SECLEVEL=0");
        let server = serve(&identity, &list).await;
        let survey = ask(server.address).await;
        assert_eq!(families(&survey), [family, Family::EcdheAead], "{cipher}");
        assert!(survey.chain.value().is_some(), "{cipher}");
    }
    let server = serve(&identity, "-tls1_2 -cipher AES256-SHA").await;
    let survey = ask(server.address).await;
    assert_eq!(families(&survey), [Family::StaticKeyExchange]);
    let value = Preference::SingleSuite;
    assert_eq!(survey.preference, Known::Known { value });
    // Nothing that has a certificate: found all the same, and the chain is not claimed.
    let server = serve(&identity, "-tls1_2 -cipher aNULL+AESGCM:@SECLEVEL=0").await;
    let survey = ask(server.address).await;
    assert_eq!(versions(&survey), [Version::Tls12]);
    assert_eq!(families(&survey), [Family::Anonymous]);
    assert!(matches!(survey.chain, Known::Unknown { .. }));
}

#[tokio::test]
async fn size_of_the_dh_group() {
    let identity = rsa().await;
    let list = "-tls1_2 -cipher DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0 -dhparam dh.pem";
    let server = serve(&identity, list).await;
    let survey = ask(server.address).await;
    assert_eq!(families(&survey), [Family::Dhe]);
    assert_eq!(survey.dh.value().unwrap().bits, 1024);
    let server = serve(&identity, "-tls1_2 -cipher DHE-RSA-AES128-GCM-SHA256").await;
    assert!(ask(server.address).await.dh.value().unwrap().bits >= 2048);
}

#[tokio::test]
async fn a_client_certificate_is_asked_for() {
    let identity = ecdsa().await;
    let server = serve(&identity, "-tls1_2 -Verify 1 -CAfile cert.pem").await;
    let survey = ask(server.address).await;
    let request = survey.client_certificate.value().unwrap().as_ref();
    assert_eq!(request.unwrap().authorities, 1);
}

#[tokio::test]
async fn another_certificate_for_another_name() {
    let identity = ecdsa().await;
    let names = "-tls1_2 -servername edge.test -cert2 cert.pem -key2 key.pem -servername_fatal";
    let server = serve(&identity, names).await;
    let survey = ask(server.address).await;
    let Known::Known {
        value: Identity::Alert { alert },
    } = survey.wrong_name
    else {
        panic!("{:?}", survey.wrong_name);
    };
    assert_eq!(alert.to_string(), "unrecognized_name");
    // The same alert to every hello is no refusal of anything.
    let server = serve(&identity, &names.replace("edge", "other")).await;
    let survey = ask(server.address).await;
    assert!(matches!(survey.contact, Contact::OnlyAlerts { .. }));
    let unknown = |a: &Answer| a.accepted().is_none();
    assert!(survey.versions.iter().all(|row| unknown(&row.answer)));
    assert!(survey.families.iter().all(|row| unknown(&row.answer)));
    assert!(survey.problem().unwrap().to_string().contains("alert"));
}
