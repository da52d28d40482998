//! One member, asked directly, under a deadline of its own.

use std::collections::BTreeSet;

use mongodb::{
    Client,
    bson::doc,
    error::{Error, ErrorKind},
    event::{EventHandler, sdam::SdamEvent},
    options::{ClientOptions, Tls},
};
use readygate_sdk::{Cx, excerpt};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};

use super::{look::Asked, questions, reach, timed};
use crate::{
    config::MongodbConfig,
    facts,
    measurement::{Hello, Login, NodeRecord, Reach},
    uri,
};

/// Asks members.
#[derive(Clone, Copy)]
pub struct Asker<'a> {
    pub config: &'a MongodbConfig,
    pub options: &'a ClientOptions,
    pub cx: &'a Cx,
}

impl Asker<'_> {
    /// Asks one member everything, and keeps what came until its deadline.
    pub async fn ask(self, host: &str, named: bool, arbiters: &BTreeSet<String>) -> Asked {
        let started = Instant::now();
        // Two rounds of members and what follows must fit into what is left.
        let patience = self
            .config
            .node_timeout
            .0
            .min(self.cx.remaining().mul_f64(0.85));
        let deadline = timed::until(self.cx, patience);
        let mut options = uri::direct(self.options, host, self.config.node_timeout.0);
        // Arbiters hold no users: every login would fail there.
        if arbiters.contains(host) {
            options.credential = None;
        }
        let mut asked = Asked {
            record: blank(host, named),
            client: None,
        };
        if deadline <= started {
            return asked;
        }
        match self.connect(host, options, deadline).await {
            Ok((client, hello, login)) => {
                asked.record.reach = Reach::Answered;
                asked.record.login = login;
                questions::ask(
                    self.config,
                    self.cx,
                    &client,
                    &hello,
                    &mut asked.record,
                    deadline,
                )
                .await;
                asked.record.hello = Some(hello);
                asked.client = Some(client);
            }
            Err(reach) => asked.record.reach = reach,
        }
        asked.record.took_ms = timed::millis(started.elapsed());
        asked
    }

    async fn connect(
        self,
        host: &str,
        options: ClientOptions,
        deadline: Instant,
    ) -> Result<(Client, Hello, Login), Reach> {
        drop(reach::dial(host, deadline).await?);
        let sent = options.credential.is_some();
        match self.greet(host, &options, deadline).await? {
            Ok((client, hello)) => {
                let login = if sent {
                    Login::Accepted
                } else {
                    Login::Anonymous
                };
                Ok((client, hello, login))
            }
            Err(message) => {
                // `hello` needs no login: "up, credentials rejected" is more than "rejected".
                let mut anonymous = options;
                anonymous.credential = None;
                match self.greet(host, &anonymous, deadline).await? {
                    Ok((client, hello)) => Ok((client, hello, Login::Rejected { message })),
                    Err(message) => Err(Reach::Failed { message }),
                }
            }
        }
    }

    /// Says hello. The inner error: our credentials were rejected, and what the server said.
    async fn greet(
        self,
        host: &str,
        options: &ClientOptions,
        deadline: Instant,
    ) -> Result<Result<(Client, Hello), String>, Reach> {
        let started = Instant::now();
        let tls = matches!(options.tls, Some(Tls::Enabled(_)));
        let error = match greet(options, deadline).await {
            None => {
                let waited_s = timed::seconds(started.elapsed());
                return Err(Reach::Hung { waited_s });
            }
            Some(Ok((client, hello))) => return Ok(Ok((client, hello))),
            Some(Err(error)) => error,
        };
        match reach::of(&error, tls, started.elapsed()) {
            None => Ok(Err(excerpt(&self.cx.mask(&error.kind.to_string()), 300))),
            Some(Reach::Closed { message }) => {
                Err(reach::diagnose(host, options, self.cx.mask(&message), deadline).await)
            }
            Some(reach) => Err(reach),
        }
    }
}

/// `None`: the deadline passed.
async fn greet(
    options: &ClientOptions,
    deadline: Instant,
) -> Option<Result<(Client, Hello), Error>> {
    let mut options = options.clone();
    // The driver reports why a connection fails through events at once, and as an error only after
    // the whole time-out, in words.
    let (failed, mut failures) = mpsc::channel(4);
    options.sdam_event_handler = Some(EventHandler::callback(move |event| {
        if let SdamEvent::ServerHeartbeatFailed(event) = event {
            let _ = failed.try_send(event.failure);
        }
    }));
    let client = match Client::with_options(options) {
        Ok(client) => client,
        Err(error) => return Some(Err(error)),
    };
    let database = client.database("admin");
    let hello = async {
        tokio::select! {
            answer = database.run_command(doc! { "hello": 1 }) => answer,
            Some(failure) = failures.recv() => Err(failure),
        }
    };
    let answer = timeout_at(deadline, hello).await.ok()?;
    Some(answer.map(|answer| (client.clone(), facts::hello(&answer))))
}

fn blank(host: &str, named: bool) -> NodeRecord {
    NodeRecord {
        host: host.to_owned(),
        named,
        reach: Reach::NotAsked,
        login: Login::Anonymous,
        took_ms: 0.0,
        clock_offset_s: None,
        hello: None,
        status: None,
        config: None,
        server: None,
        oplog: None,
        fcv: None,
        operations: None,
        profilers: Vec::new(),
        indexes: Vec::new(),
        later: None,
    }
}

/// Whether the server refused, and how it named that.
pub fn refusal(error: &Error) -> Option<(i32, String, String)> {
    match &*error.kind {
        ErrorKind::Command(error) => Some((
            error.code,
            error.code_name.clone(),
            excerpt(&error.message, 200),
        )),
        _ => None,
    }
}
