//! In which order the questions are asked, and which of them answers make needless.

use std::collections::BTreeMap;

use super::{
    Alert, Connection, Family, Group, Version,
    dial::{AGAIN, Asked, Dialer},
    messages::curve,
    reply::{End, Reply},
    topic::{Asker, GROUPS_12, GROUPS_13, Question, Topic},
};

/// Everything heard.
#[derive(Debug, Default)]
pub struct Findings {
    pub asked: BTreeMap<Topic, Asked>,
    /// The best version up to TLS 1.2.
    pub base: Option<Version>,
    /// Whether an earlier question was answered again after the last try of what was dropped.
    pub control: bool,
    pub log: Vec<Connection>,
}

impl Findings {
    pub fn reply(&self, topic: Topic) -> Option<&Reply> {
        self.asked.get(&topic).map(|a| &a.reply)
    }

    /// The version of the ServerHello, if it picked something.
    pub fn picked(&self, topic: Topic) -> Option<Version> {
        self.reply(topic)?.hello.as_ref().map(|h| h.version)
    }

    /// Whether `version` was accepted by any of the questions that ask for it.
    pub fn accepts(&self, version: Version) -> bool {
        [Topic::Version(version), Topic::Retrieval]
            .into_iter()
            .any(|t| self.picked(t) == Some(version))
    }

    /// Versions accepted, without SSLv2, oldest first.
    pub fn accepted(&self) -> Vec<Version> {
        let modern = Version::ALL.into_iter().filter(|v| *v > Version::Ssl2);
        modern.filter(|v| self.accepts(*v)).collect()
    }
}

/// Asks everything.
pub async fn interview(asker: &Asker<'_>, dialer: &Dialer<'_>) -> Findings {
    let mut interview = Interview {
        asker,
        dialer,
        findings: Findings::default(),
    };
    interview.first_contact().await;
    if interview.may_go_on() {
        interview.versions().await;
        interview.afterthoughts().await;
        interview.control().await;
    }
    interview.findings
}

struct Interview<'a> {
    asker: &'a Asker<'a>,
    dialer: &'a Dialer<'a>,
    findings: Findings,
}

impl Interview<'_> {
    async fn ask(&mut self, questions: Vec<Question>) {
        let asked = self.dialer.ask(questions, &mut self.findings.log).await;
        let rows = asked.into_iter().map(|a| (a.question.topic, a));
        self.findings.asked.extend(rows);
    }

    /// One hello for what is old and one for what is new, together: a server that is silent to one
    /// costs no second wait.
    async fn first_contact(&mut self) {
        let old = self.asker.retrieval(Topic::Retrieval, Version::Tls12, true);
        let new = self.asker.version(Version::Tls13);
        self.ask(vec![old, new]).await;
        let alert = self.findings.reply(Topic::Retrieval).map(|r| &r.end);
        if alert == Some(&End::Alert(Alert::NO_APPLICATION_PROTOCOL)) {
            let plain = self
                .asker
                .retrieval(Topic::Retrieval, Version::Tls12, false);
            self.ask(vec![plain]).await;
        }
        self.findings.base = self
            .findings
            .picked(Topic::Retrieval)
            .filter(|v| *v < Version::Tls13);
    }

    /// Not if nobody speaks TLS there. A close or a reset may be a dislike of modern hellos.
    fn may_go_on(&self) -> bool {
        let replies = || self.findings.asked.values().map(|a| &a.reply);
        let spoke = |r: &Reply| r.hello.is_some() || matches!(r.end, End::Alert(_));
        let may_speak = |r: &Reply| matches!(r.end, End::Closed | End::Reset);
        replies().any(spoke) || replies().all(may_speak)
    }

    /// The older versions, and with them all that rests on the answers so far.
    async fn versions(&mut self) {
        let old = [Version::Ssl2, Version::Ssl3, Version::Tls10, Version::Tls11];
        let mut questions: Vec<_> = old.map(|v| self.asker.version(v)).into();
        if self.findings.base != Some(Version::Tls12) {
            // No suite that comes with a certificate; perhaps one of the others.
            questions.push(self.asker.version(Version::Tls12));
        }
        if self.findings.accepts(Version::Tls13) {
            questions.extend(self.groups13());
        }
        if let Some(base) = self.findings.base {
            questions.extend(self.details(base));
        }
        self.ask(questions).await;
        if self.findings.base.is_none() {
            let below13 = |v: &Version| *v < Version::Tls13;
            self.findings.base = self.findings.accepted().into_iter().rfind(below13);
            if let Some(base) = self.findings.base {
                let mut questions = self.details(base);
                let again = self.asker.retrieval(Topic::RetrievalAgain, base, true);
                questions.push(again);
                self.ask(questions).await;
            }
        }
    }

    /// All groups but the one that the first answer named.
    fn groups13(&self) -> Vec<Question> {
        let first = self.findings.reply(Topic::Version(Version::Tls13));
        let named = first.and_then(|r| r.hello.as_ref()?.group);
        let rest = GROUPS_13.into_iter().filter(|g| Some(*g) != named);
        rest.map(|g| self.asker.group13(g)).collect()
    }

    /// All there is to ask at the best version up to TLS 1.2.
    fn details(&self, base: Version) -> Vec<Question> {
        let picked = self
            .findings
            .reply(Topic::Retrieval)
            .and_then(|r| r.hello.as_ref()?.suite);
        let shown = |f: &Family| *f != Family::Dhe && picked.is_some_and(|s| f.contains(s));
        let mut questions: Vec<_> = Family::ALL
            .into_iter()
            .filter(|f| !shown(f))
            .map(|f| self.asker.family(base, f))
            .collect();
        questions.push(self.asker.compression(base));
        questions.push(self.asker.reversed(base));
        questions.extend(picked.and_then(|s| self.asker.other_key(base, s)));
        questions.extend(self.identities(base));
        if !self.findings.accepts(Version::Tls13) && base > Version::Ssl3 {
            questions.extend(GROUPS_12.map(|g| self.asker.group12(base, g, None)));
        }
        questions
    }

    fn identities(&self, version: Version) -> Vec<Question> {
        let without = self.asker.name.map(|_| Topic::WithoutName);
        let topics = without.into_iter().chain([Topic::WrongName]);
        topics.map(|t| self.asker.identity(t, version)).collect()
    }

    /// What rests on the answers to everything before.
    async fn afterthoughts(&mut self) {
        let mut questions = Vec::new();
        let accepted = self.findings.accepted();
        if let [.., second, _] = accepted[..] {
            questions.push(self.asker.fallback(second));
        }
        match self.findings.base {
            None if self.findings.accepts(Version::Tls13) => {
                questions.extend(self.identities(Version::Tls13));
            }
            None => (),
            Some(base) => {
                questions.extend(self.second_choice(base));
                questions.extend(self.groups_beside(base));
            }
        }
        self.ask(questions).await;
    }

    /// If the order of suites made no difference, is there a second one at all?
    fn second_choice(&self, base: Version) -> Option<Question> {
        let suite = |t| self.findings.reply(t)?.hello.as_ref()?.suite;
        let first = suite(Topic::Retrieval).or_else(|| suite(Topic::RetrievalAgain))?;
        (suite(Topic::Reversed)? == first).then(|| self.asker.without(base, first))
    }

    /// Up to TLS 1.2 the groups may also bound the curves of certificates: with an ECDSA
    /// certificate, a refusal of all other groups may be one of the certificate's curve.
    fn groups_beside(&self, base: Version) -> Vec<Question> {
        let retrieval = self.findings.reply(Topic::Retrieval);
        let leaf = retrieval.and_then(|r| r.chain.as_ref()?.first());
        let Some(curve) = leaf.and_then(|leaf| curve(&leaf.0)) else {
            return Vec::new();
        };
        let refused = |g: &Group| match self.findings.reply(Topic::Group(*g)) {
            Some(reply) => reply.hello.is_none() && matches!(reply.end, End::Alert(_)),
            None => false,
        };
        let others: Vec<_> = GROUPS_12.into_iter().filter(|g| *g != curve).collect();
        if !others.iter().all(refused) {
            return Vec::new();
        }
        let beside = |g| self.asker.group12(base, g, Some(curve));
        others.into_iter().map(beside).collect()
    }

    /// If some questions were dropped, does the server still answer those that it did?
    ///
    /// If so, what was dropped is asked a third time, between two controls: a limit on the rate
    /// that lets one of them pass would have to come and go at just the right moments to look like
    /// a refusal.
    async fn control(&mut self) {
        let all = || self.findings.asked.values();
        let dropped = |a: &&Asked| a.reply.is_dropped() && a.reply.hello.is_none();
        let again: Vec<_> = all().filter(dropped).map(|a| a.question.clone()).collect();
        let good = |a: &&Asked| a.reply.hello.is_some() && a.reply.end == End::Enough;
        let (false, Some(good)) = (again.is_empty(), all().find(good)) else {
            return;
        };
        let mut good = good.question.clone();
        good.topic = Topic::Control;
        self.findings.control = self.is_answered(&good).await;
        if !self.findings.control {
            return;
        }
        let again = self.dialer.round(again, AGAIN, &mut self.findings.log);
        for mut third in again.await {
            third.attempts = 3;
            self.findings.asked.insert(third.question.topic, third);
        }
        self.findings.control = self.is_answered(&good).await;
    }

    async fn is_answered(&mut self, question: &Question) -> bool {
        let questions = vec![question.clone()];
        let asked = self.dialer.round(questions, 1, &mut self.findings.log);
        asked.await.iter().any(|a| a.reply.hello.is_some())
    }
}
