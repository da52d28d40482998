//! TLS: right, wrong, and one-sided.

use std::{fs, path::Path};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use readygate_stack::{RedisOptions, redis};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::{Verdict, look};

/// A folder with `ca.crt`, `server.crt` and `server.key` for 127.0.0.1.
fn certificates() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| fs::write(folder.path().join(name), text).unwrap();
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.distinguished_name
        .push(DnType::CommonName, "test authority");
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = ca.self_signed(&ca_key).unwrap();
    let issuer = Issuer::new(ca, ca_key);
    let key = KeyPair::generate().unwrap();
    let mut leaf =
        CertificateParams::new(vec!["127.0.0.1".to_owned(), "redis.test".to_owned()]).unwrap();
    leaf.distinguished_name
        .push(DnType::CommonName, "test server");
    let leaf = leaf.signed_by(&key, &issuer).unwrap();
    write("ca.crt", root.pem());
    write("server.crt", leaf.pem());
    write("server.key", key.serialize_pem());
    folder
}

fn tls(folder: &Path, more: &[(&str, &str)]) -> Value {
    let mut tls = json!({"ca": folder.join("ca.crt")});
    for (name, value) in more {
        tls[*name] = json!(value);
    }
    json!({"topology": {"mode": "standalone"}, "tls": tls})
}

#[tokio::test]
async fn tls_that_is_right_and_tls_that_is_not() {
    let (ours, other) = (certificates(), certificates());
    let options = |folder: &TempDir| RedisOptions {
        tls: Some(folder.path().to_owned()),
        ..RedisOptions::default()
    };
    let server = redis(options(&ours)).unwrap();
    let nodes = [server.address().to_string()];
    let path = ours.path();
    look(&nodes, tls(path, &[])).await.expect(Verdict::Pass);
    look(&nodes, tls(path, &[("server_name", "redis.test")]))
        .await
        .expect(Verdict::Pass);
    let url = [format!("rediss://{}", nodes[0])];
    look(&url, tls(path, &[])).await.expect(Verdict::Pass);

    let wrong = look(&nodes, tls(other.path(), &[])).await;
    wrong
        .expect(Verdict::Unmeasured)
        .names("tls-refused", "invalid peer certificate");
    let name = look(&nodes, tls(path, &[("server_name", "elsewhere.test")])).await;
    name.expect(Verdict::Unmeasured)
        .names("tls-refused", "elsewhere.test");
    let alone = json!({"mode": "standalone"});
    let system = look(&nodes, json!({"topology": alone, "tls": true})).await;
    system
        .expect(Verdict::Unmeasured)
        .names("tls-refused", &nodes[0]);
    let plain = look(&nodes, json!({"topology": alone})).await;
    plain
        .expect(Verdict::Unmeasured)
        .names("tls-refused", "want TLS");

    let strict = redis(options(&ours).set("tls-auth-clients", "yes")).unwrap();
    let nodes = [strict.address().to_string()];
    let without = look(&nodes, tls(path, &[])).await;
    without
        .expect(Verdict::Unmeasured)
        .names("tls-refused", &nodes[0]);
    let (cert, key) = (path.join("server.crt"), path.join("server.key"));
    let ours = [
        ("cert", cert.to_str().unwrap()),
        ("key", key.to_str().unwrap()),
    ];
    look(&nodes, tls(path, &ours)).await.expect(Verdict::Pass);

    let plain = redis(RedisOptions::default()).unwrap();
    let nodes = [plain.address().to_string()];
    let seen = look(&nodes, tls(path, &[])).await;
    seen.expect(Verdict::Unmeasured)
        .names("tls-refused", "plain text");
}
