//! Asks one server for one name and type, and follows aliases: bounded, and never in a circle.

use std::time::Duration;

use hickory_proto::{
    op::{Message, ResponseCode},
    rr::{Name, RData, Record, RecordType},
};
use readygate_sdk::{Cx, ErrorKind, ProbeError};
use tokio::time::Instant;

use crate::{
    measurement::{Alias, Answer, Ended},
    names::{data, shown},
    server::Server,
    wire::{self, Question, Trouble},
};

/// Aliases that are followed. Resolvers give up between 8 (BIND: 16) and 11.
const MOST_ALIASES: usize = 8;
/// Records of one answer that are kept.
const MOST_RECORDS: usize = 200;

/// Asks servers for the time that the config gives them.
#[derive(Clone, Copy)]
pub(crate) struct Asker<'a> {
    pub cx: &'a Cx,
    pub limit: Duration,
}

/// What one look-up has seen so far.
struct Walk {
    name: Name,
    seen: Vec<Name>,
    answer: Answer,
}

impl Asker<'_> {
    /// One exchange; an error only when the gate is over.
    async fn exchange(
        &self,
        server: Server,
        question: &Question,
    ) -> Result<Result<Message, Trouble>, ProbeError> {
        let subject = server.to_string();
        let work = wire::ask(server, question, self.limit);
        self.cx
            .within(&subject, "asking for a record", work)
            .await
            .map_err(|error| {
                if error.kind == ErrorKind::Timeout {
                    error.hint("raise `timeout` of the gate, or lower `query_timeout`")
                } else {
                    error
                }
            })
    }

    /// Looks a question up. Only of a resolver is the rest of a chain asked.
    pub async fn look_up(&self, server: Server, question: &Question) -> Result<Answer, ProbeError> {
        let started = Instant::now();
        let mut answer = self.follow(server, question).await?;
        let failed = matches!(answer.ended, Ended::ServFail | Ended::Timeout);
        if failed && question.recurse && is_address(question.kind) {
            // Resolvers answer SERVFAIL to a circle, or nothing at all; the aliases themselves tell.
            let mut aliases = self.walk_aliases(server, question).await?;
            if matches!(aliases.ended, Ended::Loop | Ended::LongChain) {
                aliases.server.clone_from(&answer.server);
                answer = aliases;
            }
        }
        answer.seconds = (started.elapsed().as_secs_f64() * 1e6).round() / 1e6;
        Ok(answer)
    }

    async fn follow(&self, server: Server, question: &Question) -> Result<Answer, ProbeError> {
        let mut walk = Walk::new(server, &question.name);
        loop {
            let mut next = question.clone();
            next.name = walk.name.clone();
            let reply = match self.exchange(server, &next).await? {
                Ok(reply) => reply,
                Err(trouble) => return Ok(walk.troubled(trouble)),
            };
            let before = walk.answer.chain.len();
            if walk.take(&reply, question.kind) {
                return Ok(walk.answer);
            }
            let moved = walk.answer.chain.len() > before;
            let finished = reply.metadata.response_code != ResponseCode::NoError;
            if !moved || finished {
                walk.negative(&reply);
                return Ok(walk.answer);
            }
            if !question.recurse {
                walk.answer.ended = Ended::Alias;
                return Ok(walk.answer);
            }
        }
    }

    /// Asks for the aliases one by one.
    async fn walk_aliases(
        &self,
        server: Server,
        question: &Question,
    ) -> Result<Answer, ProbeError> {
        let mut walk = Walk::new(server, &question.name);
        loop {
            let next = Question::new(walk.name.clone(), RecordType::CNAME, true);
            let Ok(reply) = self.exchange(server, &next).await? else {
                return Ok(walk.answer);
            };
            if walk.step(&reply.answers) != Some(true) {
                return Ok(walk.answer);
            }
        }
    }
}

impl Walk {
    fn new(server: Server, name: &Name) -> Self {
        Self {
            name: name.clone(),
            seen: vec![name.clone()],
            answer: blank(&server.to_string()),
        }
    }

    /// Follows one alias of the current name: `Some(true)` when it moved, `Some(false)` when the
    /// chain is at fault, `None` when there is no alias.
    fn step(&mut self, records: &[Record]) -> Option<bool> {
        let record = records
            .iter()
            .find(|r| r.name == self.name && r.record_type() == RecordType::CNAME)?;
        let RData::CNAME(target) = &record.data else {
            return None;
        };
        let mut target = target.0.clone();
        target.set_fqdn(true);
        self.answer.chain.push(Alias {
            name: shown(&self.name),
            target: shown(&target),
        });
        let ttl = record.ttl;
        self.answer.ttl_max = Some(self.answer.ttl_max.map_or(ttl, |max| max.max(ttl)));
        if self.seen.contains(&target) {
            self.answer.ended = Ended::Loop;
            return Some(false);
        }
        if self.answer.chain.len() > MOST_ALIASES {
            self.answer.ended = Ended::LongChain;
            return Some(false);
        }
        self.seen.push(target.clone());
        self.name = target;
        Some(true)
    }

    /// Takes what a message holds; whether that is the end of the matter.
    fn take(&mut self, message: &Message, kind: RecordType) -> bool {
        if self.answer.chain.is_empty() {
            self.answer.authority = message.metadata.authoritative;
            let own = |wanted: RecordType| {
                let mut all = message.answers.iter();
                all.any(|r| r.name == self.name && r.record_type() == wanted)
            };
            self.answer.beside_alias =
                kind != RecordType::CNAME && own(RecordType::CNAME) && own(kind);
        }
        self.answer.validated = message.metadata.authentic_data;
        if kind != RecordType::CNAME {
            loop {
                match self.step(&message.answers) {
                    Some(true) => {}
                    Some(false) => return true,
                    None => break,
                }
            }
        }
        let records = message
            .answers
            .iter()
            .filter(|r| r.name == self.name && r.record_type() == kind);
        let answer = &mut self.answer;
        for record in records.take(MOST_RECORDS) {
            answer.records.push(data(record));
            let ttl = record.ttl;
            answer.ttl_min = Some(answer.ttl_min.map_or(ttl, |min| min.min(ttl)));
            answer.ttl_max = Some(answer.ttl_max.map_or(ttl, |max| max.max(ttl)));
        }
        answer.records.sort();
        answer.records.dedup();
        let found = !answer.records.is_empty();
        // Records together with an error code are no answer.
        if found && message.metadata.response_code == ResponseCode::NoError {
            answer.ended = Ended::Answer;
            return true;
        }
        answer.records.clear();
        false
    }

    /// The message holds no record of the last name.
    fn negative(&mut self, message: &Message) {
        let code = message.metadata.response_code;
        self.answer.ended = match code {
            ResponseCode::NoError => Ended::NoData,
            ResponseCode::NXDomain => Ended::NxDomain,
            ResponseCode::ServFail => Ended::ServFail,
            ResponseCode::Refused => Ended::Refused,
            other => {
                other.to_str().clone_into(&mut self.answer.reason);
                Ended::OtherCode
            }
        };
    }

    fn troubled(mut self, trouble: Trouble) -> Answer {
        (self.answer.ended, self.answer.reason) = match trouble {
            Trouble::Silent => (Ended::Timeout, String::new()),
            Trouble::Unreachable(why) => (Ended::Unreachable, why),
            Trouble::NoRoute(why) => (Ended::NoRoute, why),
            Trouble::Broken(why) => (Ended::Broken, why),
        };
        self.answer
    }
}

/// An answer of which nothing is known yet.
pub(crate) fn blank(server: &str) -> Answer {
    Answer {
        server: server.to_owned(),
        ended: Ended::Broken,
        reason: String::new(),
        chain: Vec::new(),
        records: Vec::new(),
        ttl_min: None,
        ttl_max: None,
        authority: false,
        validated: false,
        beside_alias: false,
        seconds: 0.0,
    }
}

fn is_address(kind: RecordType) -> bool {
    matches!(kind, RecordType::A | RecordType::AAAA)
}
