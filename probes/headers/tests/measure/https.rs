//! Over TLS: HSTS counts, plain HTTP leads there, and the observatory's score is whole.

use std::{path::Path, sync::Arc};

use readygate_headers::Headers;
use readygate_sdk::{
    CheckOutcome::{Failed, Passed},
    Cx, Probe,
};
use readygate_web::testkit::{Server, respond};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

use super::{PATIENCE, judge, measure_in, outcomes};

const GOOD: &str = "Content-Type: text/html\r\nContent-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\nStrict-Transport-Security: max-age=31536000; includeSubDomains\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n";

/// A certificate for `localhost`, and itself as its authority in `ca.pem`.
fn acceptor(folder: &Path) -> TlsAcceptor {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(folder.join("ca.pem"), made.cert.pem()).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

#[tokio::test]
async fn a_good_site_passes_every_rule_and_has_a_score() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_tls(acceptor(folder.path()), |_| {
        respond("200 OK", GOOD, "<html></html>")
    })
    .await;
    let home = server.url_as("localhost", "/x?y=1");
    let location = format!("Location: {home}\r\n");
    let plain = Server::always(respond("308 Permanent Redirect", &location, "")).await;
    let cx = Cx::builder(PATIENCE).directory(folder.path()).build();
    let yaml = format!(
        "{{profile: observatory, pages: '{home}', http_url: '{}', ca: ca.pem, resolve: {{localhost: 127.0.0.1}}}}",
        plain.url_as("localhost", "/x?y=1")
    );
    let record = measure_in(&yaml, &cx).await.unwrap();
    let checks = judge(&yaml, &record);
    let failed: Vec<_> = checks.iter().filter(|c| c.outcome != Passed).collect();
    assert!(
        matches!(failed.as_slice(), [one] if one.rule == "headers/permissions-policy"),
        "{failed:#?}"
    );
    assert!(record.cors.iter().any(|c| c.sent == "http://localhost"));
    let metrics = Headers::metrics(&record);
    // 10 for the policy, 5 for the frames, 5 for the referrer.
    assert_eq!(metrics.get("observatory.score").unwrap().display(), "120");
    assert_eq!(metrics.get("observatory.grade").unwrap().display(), "A+");
    assert_eq!(metrics.get("hsts.max_age").unwrap().display(), "365 d");

    // Nobody vouches for the certificate: the way ends there, and the page gives no answer.
    let yaml = yaml.replace("ca: ca.pem, ", "");
    let error = measure_in(&yaml, &cx).await.unwrap_err();
    assert!(error.message.contains("certificate"), "{error}");
    let here = Server::always(respond("200 OK", "Content-Type: text/html\r\n", "")).await;
    let yaml = yaml.replace(&home, &here.url("/"));
    let record = measure_in(&yaml, &cx).await.unwrap();
    assert_eq!(
        outcomes(&judge(&yaml, &record), "headers/redirect-to-https"),
        [Failed]
    );
}
