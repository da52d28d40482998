//! What is asked of a survey over and over.

use readygate_sdk::{ErrorKind, ProbeError};

use super::{Answer, Contact, Doubt, DoubtKind, Family, Foreign, Group, Known, Survey, Version};

impl Contact {
    /// Why this contact is not the beginning of a survey, as an error; `None` if TLS was spoken.
    ///
    /// An alert to everything is such a problem, too: nothing is known of what is accepted.
    pub fn problem(&self, address: &str) -> Option<ProbeError> {
        let first = "waiting for the ServerHello";
        let (kind, phase, message, hint) = match self {
            Self::Tls => return None,
            Self::OnlyAlerts { alert } => (
                ErrorKind::Protocol,
                first,
                format!("the server answers every hello with an alert: {alert}"),
                Some("check that it has a certificate for the name that is asked for"),
            ),
            Self::Silent { phase } => (
                ErrorKind::Timeout,
                phase.as_str(),
                "the server accepts connections and does not answer".to_owned(),
                Some("check that the port speaks TLS and that its backend is up"),
            ),
            Self::Closed { phase } => (
                ErrorKind::Protocol,
                phase.as_str(),
                "the server closes the connection on every hello".to_owned(),
                Some("check that the port speaks TLS"),
            ),
            Self::Reset { phase } => (
                ErrorKind::Connect,
                phase.as_str(),
                "the connection is reset on every hello".to_owned(),
                Some("check that the port speaks TLS, and firewalls on the way"),
            ),
            Self::NotTls { foreign, excerpt } => (
                ErrorKind::Protocol,
                first,
                format!("the answer is {}, not TLS: {excerpt}", foreign.name()),
                Some("check the port; this one speaks another protocol, without TLS"),
            ),
            Self::Malformed { message } => (ErrorKind::Protocol, first, message.clone(), None),
            Self::TlsDeclined => (
                ErrorKind::Protocol,
                "asking for TLS by SSLRequest",
                "the server declines to speak TLS".to_owned(),
                Some("switch `ssl` on in postgresql.conf"),
            ),
        };
        let error = ProbeError::new(kind, address, phase, message);
        Some(match hint {
            Some(hint) => error.hint(hint),
            None => error,
        })
    }
}

impl Survey {
    /// [`Contact::problem`] of this survey.
    pub fn problem(&self) -> Option<ProbeError> {
        self.contact.problem(&self.address)
    }

    /// What became of `version`.
    pub fn version(&self, version: Version) -> Option<&Answer> {
        self.versions
            .iter()
            .find(|row| row.version == version)
            .map(|row| &row.answer)
    }

    /// What became of `family`.
    pub fn family(&self, family: Family) -> Option<&Answer> {
        self.families
            .iter()
            .find(|row| row.family == family)
            .map(|row| &row.answer)
    }

    /// What became of `group`.
    pub fn group(&self, group: Group) -> Option<&Answer> {
        self.groups
            .iter()
            .find(|row| row.group == group)
            .map(|row| &row.answer)
    }
}

impl Answer {
    /// Whether it was accepted; `None` if that is not known.
    pub fn accepted(&self) -> Option<bool> {
        match self {
            Self::Accepted(_) => Some(true),
            Self::Refused { .. } => Some(false),
            Self::Unknown { .. } => None,
        }
    }
}

impl Doubt {
    /// Whether the connection was reset on this hello each of three times, with other hellos
    /// answered before and after the third. That is not a refusal in so many words; it is how some
    /// stacks refuse (Windows' SChannel, servers that close before they read all), and a firewall
    /// that does not let old hellos through looks the same.
    pub fn is_steady_reset(&self) -> bool {
        self.kind == DoubtKind::Reset && self.others_answered
    }
}

impl<T> Known<T> {
    /// The value, if it is known.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Known { value } => Some(value),
            _ => None,
        }
    }
}

impl Foreign {
    /// As it reads after "the answer is".
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "plain HTTP",
            Self::Http2 => "plain HTTP/2",
            Self::Ssh => "SSH",
            Self::Redis => "plain Redis",
            Self::Memcached => "plain memcached",
            Self::Mysql => "MySQL's greeting",
            Self::Postgres => "plain PostgreSQL",
            Self::Smtp => "SMTP",
            Self::Imap => "IMAP",
            Self::Pop3 => "POP3",
            Self::Ftp => "FTP",
            Self::Amqp => "AMQP",
            Self::Xmpp => "XMPP",
            Self::Other => "something else",
        }
    }
}
