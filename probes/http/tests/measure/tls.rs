//! HTTPS: trust, names, dates, versions.

use std::{convert::Infallible, sync::Arc, time::Duration};

use http_body_util::Full;
use hyper::{Request, Response, body::Bytes, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use jiff::Timestamp;
use readygate_http::Http;
use readygate_sdk::{Clock, Cx, ErrorKind, Probe, testkit::BlackHole};
use tokio::net::TcpListener;

use readygate_web::testkit::{Act, Seen, Server, respond};

use crate::{
    config, cx, fails,
    identity::{Authority, Special},
    measure, measure_in, metrics, number, outcomes,
};

const HOST: &str = "shop.example.com";

fn yaml(server: &Server, host: &str, rest: &str) -> String {
    let url = server.url_as(host, "/");
    format!("{{url: '{url}', resolve: {{{host}: 127.0.0.1}}, {rest}}}")
}

fn ok() -> impl Fn(&Seen) -> Vec<Act> + Send + Sync + 'static {
    |_| respond("200 OK", "", "ok")
}

#[tokio::test]
async fn an_own_authority_is_trusted_when_named() {
    let authority = Authority::new();
    let server = Server::start_tls(authority.server(HOST), ok()).await;
    let yaml = yaml(&server, HOST, &format!("ca: {}", authority.file()));
    let record = measure(&yaml).await;
    let answer = &record.answers[0];
    assert_eq!(answer.tls.as_deref(), Some("TLS 1.3"));
    assert_eq!(answer.http_version, "HTTP/1.1");
    assert_eq!(answer.remote, Some(server.address().to_string()));
    assert_eq!(outcomes(&yaml, &record), ["passed http/status"]);
    let metrics = metrics(&record);
    let phases =
        ["connect", "tls", "first_byte"].map(|p| number(&metrics, &format!("latency.{p}")));
    assert!(phases.iter().all(|p| *p > 0.0), "{phases:?}");
    let total = number(&metrics, "latency.total");
    assert!(
        phases.iter().sum::<f64>() <= total + 1e-5,
        "{phases:?} of {total}"
    );
    assert!(metrics.why_absent("latency.dns").is_some());
}

#[tokio::test]
async fn tls_12_is_named() {
    let authority = Authority::new();
    let special = Special {
        tls12: true,
        ..Special::default()
    };
    let server = Server::start_tls(authority.special(HOST, special), ok()).await;
    let record = measure(&yaml(&server, HOST, &format!("ca: {}", authority.file()))).await;
    assert_eq!(record.answers[0].tls.as_deref(), Some("TLS 1.2"));
    assert!(number(&metrics(&record), "latency.tls") > 0.0);
}

#[tokio::test]
async fn a_stranger_is_not_trusted() {
    let server = Server::start_tls(Authority::new().server(HOST), ok()).await;
    let other = Authority::named("another authority");
    for rest in [String::new(), format!("ca: {}", other.file())] {
        let error = fails(&yaml(&server, HOST, &rest)).await;
        assert_eq!(
            (error.kind, error.phase.as_str()),
            (ErrorKind::Connect, "TLS handshake")
        );
        assert!(error.message.contains("issuer is unknown"), "{error}");
        assert!(error.hint.unwrap().contains("`ca`"));
    }
    assert!(server.seen().is_empty(), "a request was sent to a stranger");
}

#[tokio::test]
async fn an_authority_of_the_same_name_is_another() {
    let server = Server::start_tls(Authority::new().server(HOST), ok()).await;
    let other = Authority::new();
    let error = fails(&yaml(&server, HOST, &format!("ca: {}", other.file()))).await;
    assert_eq!(
        (error.kind, error.phase.as_str()),
        (ErrorKind::Connect, "TLS handshake")
    );
    assert!(error.message.contains("another key"), "{error}");
}

#[tokio::test]
async fn an_expired_certificate_is_named_with_its_date() {
    let authority = Authority::new();
    let special = Special {
        expired: true,
        ..Special::default()
    };
    let server = Server::start_tls(authority.special(HOST, special), ok()).await;
    let error = fails(&yaml(&server, HOST, &format!("ca: {}", authority.file()))).await;
    assert_eq!(
        (error.kind, error.phase.as_str()),
        (ErrorKind::Connect, "TLS handshake")
    );
    assert_eq!(
        error.message,
        "the certificate expired on 2021-02-03T00:00:00Z"
    );
}

#[tokio::test]
async fn certificates_are_judged_at_the_time_of_the_run() {
    struct Then;
    impl Clock for Then {
        fn now(&self) -> Timestamp {
            "2020-06-01T00:00:00Z".parse().unwrap()
        }
    }
    let authority = Authority::new();
    let special = Special {
        expired: true,
        ..Special::default()
    };
    let server = Server::start_tls(authority.special(HOST, special), ok()).await;
    let cx = Cx::builder(crate::PATIENCE).clock(Arc::new(Then)).build();
    let yaml = yaml(&server, HOST, &format!("ca: {}", authority.file()));
    assert_eq!(measure_in(&yaml, &cx).await.unwrap().answers[0].status, 200);
}

#[tokio::test]
async fn a_wrong_name_is_named() {
    let authority = Authority::new();
    let server = Server::start_tls(authority.server("other.example.com"), ok()).await;
    let error = fails(&yaml(&server, HOST, &format!("ca: {}", authority.file()))).await;
    assert_eq!(
        (error.kind, error.phase.as_str()),
        (ErrorKind::Connect, "TLS handshake")
    );
    assert_eq!(
        error.message,
        format!("the certificate is for other.example.com, not for {HOST}")
    );
}

#[tokio::test]
async fn a_server_that_wants_a_client_certificate_refuses() {
    for tls12 in [false, true] {
        let authority = Authority::new();
        let special = Special {
            wants_client_certificate: true,
            tls12,
            ..Special::default()
        };
        let server = Server::start_tls(authority.special(HOST, special), ok()).await;
        let error = fails(&yaml(&server, HOST, &format!("ca: {}", authority.file()))).await;
        assert_eq!(error.kind, ErrorKind::Refused, "{error}");
        assert!(error.hint.unwrap().contains("client certificate"));
    }
}

#[tokio::test]
async fn plain_http_on_a_tls_port_and_the_reverse() {
    let rude = Server::rude(respond("400 Bad Request", "", "this is HTTP")).await;
    let url = rude.url("/").replace("http://", "https://");
    let error = fails(&format!("{{url: '{url}'}}")).await;
    assert_eq!(
        (error.kind, error.phase.as_str()),
        (ErrorKind::Protocol, "TLS handshake"),
        "{error}"
    );
    assert!(error.message.contains("not TLS"), "{error}");
    assert!(error.hint.unwrap().contains("http://"));

    let tls = Server::start_tls(Authority::new().server(HOST), ok()).await;
    let url = tls.url("/").replace("https://", "http://");
    let error = fails(&format!("{{url: '{url}'}}")).await;
    assert_eq!(error.kind, ErrorKind::Protocol, "{error}");
    assert_eq!(error.phase, "waiting for the response headers");
    assert!(
        error.hint.unwrap().contains("https://"),
        "{}",
        error.message
    );
}

#[tokio::test]
async fn a_handshake_that_hangs_ends_at_the_deadline() {
    let hole = BlackHole::start().unwrap();
    let yaml = format!("{{url: 'https://{}/'}}", hole.address());
    // Reading the trust store is part of it.
    let cx = cx(Duration::from_secs(3));
    let error = measure_in(&yaml, &cx).await.unwrap_err();
    assert_eq!(
        (error.kind, error.phase.as_str()),
        (ErrorKind::Timeout, "TLS handshake")
    );
}

#[tokio::test]
async fn http_2_is_spoken_where_it_is_offered() {
    let authority = Authority::new();
    let special = Special {
        alpn: vec![b"h2".to_vec()],
        ..Special::default()
    };
    let acceptor = authority.special(HOST, special);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let stream = acceptor.accept(stream).await.unwrap();
                let service = service_fn(|request: Request<_>| async move {
                    let _: Request<hyper::body::Incoming> = request;
                    let body = Full::new(Bytes::from_static(b"{\"ready\": true}"));
                    Ok::<_, Infallible>(Response::new(body))
                });
                let _ = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
    let yaml = format!(
        "{{url: 'https://{HOST}:{port}/', resolve: {{{HOST}: 127.0.0.1}}, ca: {}, body_json: {{/ready: true}}, samples: 3}}",
        authority.file()
    );
    let record = measure(&yaml).await;
    assert_eq!(record.answers[0].http_version, "HTTP/2.0");
    assert_eq!(
        outcomes(&yaml, &record),
        [
            "passed http/failed-sample",
            "passed http/status",
            "passed http/not-json",
            "passed http/body-json"
        ]
    );
    // Each sample measures a handshake of its own.
    assert!(
        record
            .samples
            .iter()
            .all(|s| s.latency.unwrap().tls.is_some_and(|t| t > 0.0))
    );
}

#[tokio::test]
async fn unusable_authorities_are_reported() {
    let empty = tempfile::NamedTempFile::new().unwrap();
    let path = empty.path().to_str().unwrap();
    for (path, says) in [
        (path, "no certificate"),
        ("/nowhere/ca.pem", "No such file"),
    ] {
        let config = config(&format!("{{url: 'https://127.0.0.1:1/', ca: {path}}}"));
        let error = Http::measure(&config, &cx(crate::PATIENCE))
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind, error.subject.as_str()),
            (ErrorKind::BadData, path)
        );
        assert!(error.message.contains(says), "{error}");
    }
}
