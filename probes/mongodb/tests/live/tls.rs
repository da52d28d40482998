//! TLS that comes about, and all the ways in which it does not.

use std::{fs, path::Path};

use mongodb::bson::doc;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SanType};
use readygate_stack::Mongod;
use serde_json::{Value, json};

use crate::common::{Verdict, look};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
        .distinguished_name
        .push(DnType::CommonName, "readygate test CA");
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate and its key in one PEM file.
fn certificate(folder: &Path, name: &str, ca: &Authority, loopback: bool) -> String {
    let mut params = CertificateParams::new(["other.example".to_owned()]).unwrap();
    if loopback {
        params
            .subject_alt_names
            .push(SanType::IpAddress([127, 0, 0, 1].into()));
    }
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::OrganizationName, name);
    params.distinguished_name.push(DnType::CommonName, name);
    let key = KeyPair::generate().unwrap();
    let signed = params.signed_by(&key, ca).unwrap();
    let path = folder.join(format!("{name}.pem"));
    fs::write(&path, format!("{}{}", signed.pem(), key.serialize_pem())).unwrap();
    path.display().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_of_not_coming_about_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let ca = authority();
    let ca_file = folder.path().join("ca.pem");
    fs::write(&ca_file, ca.pem()).unwrap();
    let ca_file = ca_file.display().to_string();
    let server = certificate(folder.path(), "server", &ca, true);
    let client = certificate(folder.path(), "client", &ca, true);
    let named = certificate(folder.path(), "named", &ca, false);
    let start = |cert: &str, more: &[&str]| {
        let tls = [
            "--replSet",
            "rs0",
            "--tlsMode",
            "requireTLS",
            "--tlsCertificateKeyFile",
            cert,
        ];
        Mongod::start(&[&tls[..], &["--tlsCAFile", &ca_file], more].concat()).unwrap()
    };
    let lenient = ["--tlsAllowConnectionsWithoutCertificates"];
    let files = json!({ "tls": { "ca": ca_file } });
    let cannot_tell = async |host: &str, uri: &str, with: Value, text: &str| {
        let seen = look(uri, with).await;
        seen.ends(Verdict::Unmeasured)
            .cannot_tell("member-untrusted", host, text);
        assert!(
            seen.metrics.why_absent("primaries").is_some(),
            "nothing is known: {seen}"
        );
    };

    let mut mongod = start(&server, &lenient);
    let host = mongod.address();
    let (plain, tls) = (
        format!("mongodb://{host}/"),
        format!("mongodb://{host}/?tls=true"),
    );
    cannot_tell(&host, &plain, json!({}), "wants TLS").await;
    cannot_tell(&host, &tls, json!({}), "not trusted").await;
    let nowhere = json!({ "tls": { "ca": "/nowhere/ca.pem" } });
    cannot_tell(&host, &plain, nowhere, "our certificate files").await;
    let seen = look(&plain, files.clone()).await;
    seen.ends(Verdict::Failed).fails("not-initiated", &host, "");
    x509(&mongod, &host, &ca_file, &client).await;

    let strict = [
        "--replSet",
        "rs0",
        "--tlsMode",
        "requireTLS",
        "--tlsCertificateKeyFile",
        &server,
        "--tlsCAFile",
        &ca_file,
    ];
    mongod.restart(&strict).unwrap();
    cannot_tell(&host, &plain, files.clone(), "wants a certificate of ours").await;
    let both = json!({ "tls": { "ca": ca_file, "cert_key": client }, "topology": { "members": 1 }, "settle": "10s" });
    look(&plain, both).await.ends(Verdict::Passed);

    let other = [
        "--replSet",
        "rs0",
        "--tlsMode",
        "requireTLS",
        "--tlsCertificateKeyFile",
        &named,
        "--tlsCAFile",
        &ca_file,
        lenient[0],
    ];
    mongod.restart(&other).unwrap();
    cannot_tell(&host, &plain, files.clone(), "for other names").await;

    mongod.restart(&["--replSet", "rs0"]).unwrap();
    cannot_tell(&host, &tls, files, "does not speak TLS").await;
}

/// A set of one with a user that has a certificate in place of a password.
async fn x509(mongod: &Mongod, host: &str, ca: &str, certificate: &str) {
    use mongodb::options::{Tls, TlsOptions};
    let files = TlsOptions::builder()
        .ca_file_path(std::path::PathBuf::from(ca))
        .build();
    let client = mongod
        .client(|options| options.tls = Some(Tls::Enabled(files)))
        .unwrap();
    let admin = client.database("admin");
    let set = doc! { "_id": "rs0", "members": [{ "_id": 0, "host": host }] };
    admin
        .run_command(doc! { "replSetInitiate": set })
        .await
        .unwrap();
    while !admin
        .run_command(doc! { "hello": 1 })
        .await
        .unwrap()
        .get_bool("isWritablePrimary")
        .unwrap()
    {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let user = doc! {
        "createUser": "CN=client,O=client",
        "roles": [{ "role": "clusterMonitor", "db": "admin" }],
    };
    client
        .database("$external")
        .run_command(user)
        .await
        .unwrap();
    let with = json!({
        "tls": { "ca": ca, "cert_key": certificate }, "topology": { "members": 1 }, "settle": "10s",
    });
    let uri = format!("mongodb://{host}/?authMechanism=MONGODB-X509");
    let seen = look(&uri, with).await;
    seen.ends(Verdict::Passed).passes("login-refused", host);
}
