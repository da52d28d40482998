//! One row per version, family and group.

use super::{Assembly, answer::accepted};
use crate::wire::{
    Answer, DoubtKind, Family, FamilyAnswer, Group, GroupAnswer, Refusal, Version, VersionAnswer,
    topic::{GROUPS_12, GROUPS_13, Topic},
};

impl Assembly<'_> {
    pub(super) fn versions(&self) -> Vec<VersionAnswer> {
        let row = |version| VersionAnswer {
            version,
            answer: self.version(version),
        };
        Version::ALL.into_iter().map(row).collect()
    }

    pub(super) fn version(&self, version: Version) -> Answer {
        let own = self.answer(Topic::Version(version));
        if version != Version::Tls12 || own.accepted() == Some(true) {
            return own;
        }
        // TLS 1.2 is asked with all suites only if the hello for the certificate did not settle it.
        let retrieval = self.answer(Topic::Retrieval);
        let asked = self.findings.asked.contains_key(&Topic::Version(version));
        match retrieval.accepted() {
            Some(true) => retrieval,
            _ if asked => own,
            _ => retrieval,
        }
    }

    /// Whether it is known that no version below TLS 1.3 is accepted.
    pub(super) fn only_modern(&self) -> bool {
        let refused = |v| self.version(v).accepted() == Some(false);
        let old = [
            Version::Ssl3,
            Version::Tls10,
            Version::Tls11,
            Version::Tls12,
        ];
        self.version(Version::Ssl2).accepted() != Some(true) && old.into_iter().all(refused)
    }

    pub(super) fn families(&self) -> Vec<FamilyAnswer> {
        let row = |family| FamilyAnswer {
            family,
            answer: self.family(family),
        };
        Family::ALL.into_iter().map(row).collect()
    }

    pub(super) fn family(&self, family: Family) -> Answer {
        if self.findings.base.is_none() {
            return if self.only_modern() {
                let by = Refusal::NoVersion;
                Answer::Refused { by }
            } else {
                let doubt = self.unasked("asking for cipher suites");
                Answer::Unknown { doubt }
            };
        }
        let own = self.answer(Topic::Family(family));
        if own.accepted() == Some(true) {
            return own;
        }
        // Any other ServerHello that picked a suite of the family says so, too. It may be of the
        // questions that offer everything, in an older version.
        let seen = self.findings.asked.values().find_map(|a| {
            let hello = a.reply.hello.as_ref()?;
            let suite = hello.suite.filter(|s| family.contains(*s))?;
            let offered = a.question.hello.suites.contains(&suite);
            offered.then(|| accepted(hello, &a.reply))
        });
        seen.map_or(own, Answer::Accepted)
    }

    pub(super) fn groups(&self) -> Vec<GroupAnswer> {
        let modern = self.findings.accepts(Version::Tls13);
        let row = |group| GroupAnswer {
            group,
            answer: if modern {
                self.group13(group)
            } else {
                self.group12(group)
            },
        };
        if modern || self.findings.base.is_none() {
            GROUPS_13.into_iter().map(row).collect()
        } else {
            // Hybrids and X448 are of TLS 1.3.
            let only13 = GROUPS_13.into_iter().filter(|g| !GROUPS_12.contains(g));
            let absent = only13.map(|group| GroupAnswer {
                group,
                answer: self.absent13(),
            });
            absent.chain(GROUPS_12.into_iter().map(row)).collect()
        }
    }

    /// A group that TLS 1.3 alone has, where it is not accepted.
    pub(super) fn absent13(&self) -> Answer {
        match self.version(Version::Tls13) {
            Answer::Refused { .. } => Answer::Refused {
                by: Refusal::NoVersion,
            },
            other => other,
        }
    }

    pub(super) fn group13(&self, group: Group) -> Answer {
        let first = self.answer(Topic::Version(Version::Tls13));
        if matches!(&first, Answer::Accepted(a) if a.group == Some(group)) {
            return first;
        }
        self.picked_group(Topic::Group(group), group, DoubtKind::Malformed)
    }

    pub(super) fn group12(&self, group: Group) -> Answer {
        let beside = Topic::GroupBeside(group);
        if self.findings.asked.contains_key(&beside) {
            return self.picked_group(beside, group, DoubtKind::Ambiguous);
        }
        self.picked_group(Topic::Group(group), group, DoubtKind::Malformed)
    }

    /// The answer, if it is this group that was picked.
    pub(super) fn picked_group(&self, topic: Topic, group: Group, otherwise: DoubtKind) -> Answer {
        let answer = self.answer(topic);
        let Answer::Accepted(accepted) = &answer else {
            return answer;
        };
        let doubt = match accepted.group {
            Some(picked) if picked == group => return answer,
            Some(picked) => self.doubt(topic, otherwise, &format!("it picked {picked} instead")),
            None => self.trouble(topic),
        };
        Answer::Unknown { doubt }
    }
}
