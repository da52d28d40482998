//! One conversation with one node: TCP, TLS, AUTH, and then commands, in plain words.

use std::{io, sync::Arc};

use readygate_sdk::{Cx, Secret, excerpt};
use redis::{AsyncConnectionConfig, RedisConnectionInfo, Value, aio::MultiplexedConnection};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{net::TcpStream, task::AbortHandle};
use tokio_rustls::TlsConnector;

use crate::{
    address::Address,
    measurement::{Contact, Denial, Phase},
    tap::{First, Tap},
};

/// How nodes are talked to.
#[derive(Clone)]
pub(crate) struct Door {
    pub tls: Option<Arc<ClientConfig>>,
    pub server_name: Option<String>,
    pub username: Option<String>,
    pub password: Option<Secret>,
    pub cx: Cx,
}

/// An open conversation.
pub(crate) struct Link {
    connection: MultiplexedConnection,
    driver: AbortHandle,
    first: First,
    tls: bool,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Why a command has no answer.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// The server said no.
    Denied(Denial),
    /// The conversation is over.
    Lost(Contact),
}

impl Door {
    /// Connects and authenticates; `phase` says how far it came when it is cut off.
    pub async fn open(&self, address: &Address, phase: &mut Phase) -> Result<Link, Contact> {
        *phase = Phase::Connect;
        let stream = TcpStream::connect((address.host.as_str(), address.port)).await;
        let stream = stream.map_err(|e| Contact::Down(e.to_string()))?;
        let _ = stream.set_nodelay(true);
        let first = First::default();
        let mut link = match &self.tls {
            None => self.speak(stream, first, false).await?,
            Some(config) => {
                *phase = Phase::Tls;
                let name = self
                    .server_name
                    .clone()
                    .unwrap_or_else(|| address.host.clone());
                let name = ServerName::try_from(name)
                    .map_err(|e| Contact::Tls(format!("the host is no name for TLS: {e}")))?;
                let connector = TlsConnector::from(Arc::clone(config));
                let stream = connector.connect(name, stream).await;
                let stream = stream.map_err(|e| Contact::Tls(tls_words(&e)))?;
                self.speak(stream, first, true).await?
            }
        };
        if let Some(password) = &self.password {
            *phase = Phase::Auth;
            let mut words = vec!["AUTH"];
            words.extend(self.username.as_deref());
            words.push(password.expose());
            link.ask(&words, &self.cx)
                .await
                .map_err(|fault| match fault {
                    Fault::Denied(denial) => Contact::Refused(denial),
                    Fault::Lost(contact) => contact,
                })?;
        }
        Ok(link)
    }

    async fn speak<S>(&self, stream: S, first: First, tls: bool) -> Result<Link, Contact>
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        // Nothing is sent on setting up: no HELLO, no CLIENT SETINFO, which least-privilege users
        // may not run; AUTH is sent by hand, since the library keeps the server's words back.
        let setup = RedisConnectionInfo::default().set_skip_set_lib_name();
        // Deadlines are ours: one for the whole conversation.
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        let stream = Tap::new(stream, first.clone());
        let (connection, driver) = MultiplexedConnection::new_with_config(&setup, stream, config)
            .await
            .map_err(|e| Contact::Closed(e.to_string()))?;
        Ok(Link {
            connection,
            driver: tokio::spawn(driver).abort_handle(),
            first,
            tls,
        })
    }
}

impl Link {
    /// Sends one command and awaits its answer. Bound it from outside.
    pub async fn ask(&mut self, words: &[&str], cx: &Cx) -> Result<Value, Fault> {
        let mut command = redis::Cmd::new();
        for word in words {
            command.arg(*word);
        }
        let answer = self.connection.send_packed_command(&command).await;
        match answer.and_then(Value::extract_error) {
            Ok(value) => Ok(value),
            Err(error) => Err(self.fault(&error, cx)),
        }
    }

    fn fault(&self, error: &redis::RedisError, cx: &Cx) -> Fault {
        let clean = |text: &str| excerpt(&cx.mask(text), 300);
        if let Some(code) = error.code() {
            return Fault::Denied(Denial {
                code: excerpt(code, 40),
                message: clean(error.detail().unwrap_or_default()),
            });
        }
        let said = error.to_string();
        if let Some(unasked) = self.first.error() {
            let (code, message) = unasked.split_once(' ').unwrap_or((&unasked, ""));
            return Fault::Denied(Denial {
                code: excerpt(code, 40),
                message: clean(message),
            });
        }
        // A server that asks for a client certificate says no after the handshake (TLS 1.3).
        let alert = said.contains("fatal alert") || said.contains("ertificate");
        Fault::Lost(if self.tls && alert {
            Contact::Tls(clean(&said))
        } else {
            Contact::Closed(clean(&said))
        })
    }
}

fn tls_words(error: &io::Error) -> String {
    let inner = error
        .get_ref()
        .and_then(|e| e.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidMessage(_)) => {
            "what came back is not TLS; the port speaks plain text".to_owned()
        }
        Some(inner) => excerpt(&inner.to_string(), 300),
        None => excerpt(&error.to_string(), 300),
    }
}
