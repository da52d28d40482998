//! TLS: certificates, sessions, faults.

use std::{io::Write, sync::Arc};

use readygate_load::engine::spec::{Spec, Tls};
use readygate_sdk::ErrorKind;
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};

use crate::{
    exactly, load, open,
    server::{Request, Server, ok},
};

/// A server for `localhost`, and the certificate that it shows.
fn secure(body: &'static str) -> (Server, String) {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let server = Server::start(move |socket, _| {
        let tls = ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut stream = StreamOwned::new(tls, socket.try_clone().unwrap());
        while Request::read(&mut stream).is_some() {
            if stream.write_all(&ok(body)).is_err() || stream.flush().is_err() {
                return;
            }
        }
    });
    (server, cert.pem())
}

fn https(mut spec: Spec, tls: Tls) -> Spec {
    spec.base.set_scheme("https").unwrap();
    spec.tls = Some(tls);
    // Handshakes of a debug build on a busy machine.
    spec.connect.timeout = std::time::Duration::from_secs(5);
    spec.timeout = std::time::Duration::from_secs(5);
    spec
}

#[tokio::test]
async fn a_trusted_certificate_is_loaded() {
    let long: &'static str = Box::leak("secure ".repeat(20_000).into_boxed_str());
    for body in ["short", long] {
        let (server, pem) = secure(body);
        let tls = Tls {
            sni: Some("localhost".to_owned()),
            ca_pem: Some(pem),
            ..Tls::default()
        };
        let report = load(https(exactly(server.url(), 4, 40), tls))
            .await
            .unwrap();
        assert_eq!(
            (report.measured.completed, report.measured.failed()),
            (40, 0),
            "{report:?}"
        );
        assert_eq!(report.tls.as_deref(), Some("TLSv1.3"));
        assert!(report.measured.bytes_in >= 40 * body.len() as u64);
    }
}

#[tokio::test]
async fn an_unknown_certificate_is_no_report_unless_asked_for() {
    let (server, _) = secure("x");
    let mut spec = https(open(server.url(), 2, 20.0, 300), Tls::default());
    spec.tls.as_mut().unwrap().sni = Some("localhost".to_owned());
    spec.tls.as_mut().unwrap().ca_pem = Some(secure("y").1);
    let error = load(spec.clone()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Protocol);
    assert!(
        error.message.contains("invalid peer certificate"),
        "{error}"
    );
    spec.tls.as_mut().unwrap().insecure = true;
    assert_eq!(load(spec).await.unwrap().measured.completed, 6);
}

#[tokio::test]
async fn plain_text_is_no_tls() {
    let server = Server::answering(|_, _| ok("x"));
    let spec = https(
        open(server.url(), 2, 20.0, 300),
        Tls {
            insecure: true,
            ..Tls::default()
        },
    );
    let plain = Server::start(|socket, _| drop(socket.write_all(b"220 hello\r\n")));
    let mut other = spec;
    other.base = plain.url();
    other.base.set_scheme("https").unwrap();
    let error = load(other).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Protocol, "{error}");
}
