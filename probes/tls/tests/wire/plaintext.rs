//! Ports that should speak TLS only, asked in plain text.

use readygate_tls::wire::plaintext::{Dialect, Plaintext, ask};

use crate::{
    cx,
    fake::{Fake, Fault},
    quick,
};

async fn said(dialect: Dialect, fault: Fault) -> Plaintext {
    let address = Fake::with_fault(fault).start().await;
    ask(address, dialect, &quick(), &cx()).await.unwrap()
}

#[tokio::test]
async fn an_answer_is_an_answer() {
    let pong = Fault::Greet(b"+PONG\r\n".to_vec());
    let answered = said(Dialect::Redis, pong).await;
    assert!(matches!(
        answered,
        Plaintext::Answered {
            needs_authentication: false,
            ..
        }
    ));
    let page = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi".to_vec();
    let answered = said(Dialect::Http, Fault::Greet(page)).await;
    assert!(matches!(answered, Plaintext::Answered { .. }));
}

#[tokio::test]
async fn silence_is_not_a_refusal() {
    for dialect in [
        Dialect::Redis,
        Dialect::Mongodb,
        Dialect::Postgres,
        Dialect::Memcached,
        Dialect::Http,
    ] {
        let silent = said(dialect, Fault::Greet(vec![])).await;
        assert!(matches!(silent, Plaintext::Silent { .. }), "{silent:?}");
    }
}

#[tokio::test]
async fn a_tls_server_answers_an_alert() {
    let alert = Fault::Greet(vec![21, 3, 1, 0, 2, 2, 10]);
    let answer = said(Dialect::Redis, alert).await;
    assert!(matches!(answer, Plaintext::TlsAlert { alert } if alert.0 == 10));
}
