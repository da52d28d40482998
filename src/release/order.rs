//! Which event may follow which.

use super::event::{Event, Type};

/// Says why `new` cannot follow `before`; both are of one release.
///
/// # Errors
/// One sentence: what is missing or in the way.
pub fn check(before: &[Event], new: &Event) -> Result<(), String> {
    let name = new.event.name();
    match (before.first(), new.event) {
        (None, Type::ReleaseOpened) => return Ok(()),
        (None, _) => {
            return Err(format!(
                "`{name}` needs an open release; record `release.opened` first"
            ));
        }
        (Some(first), Type::ReleaseOpened) => {
            return Err(format!("the release `{}` is already open", first.release));
        }
        (Some(_), _) => {}
    }
    let phase = Phase { before };
    if let Some(closed) = phase.last(&[Type::Closed]) {
        return Err(format!("the release was closed at {}", closed.at));
    }
    match phase.in_the_way(new.event) {
        Some(message) => Err(message.to_owned()),
        None => in_time(&phase, new),
    }
}

/// Where a release stands.
struct Phase<'a> {
    before: &'a [Event],
}

impl<'a> Phase<'a> {
    fn last(&self, kinds: &[Type]) -> Option<&'a Event> {
        let mut newest_first = self.before.iter().rev();
        newest_first.find(|e| kinds.contains(&e.event))
    }

    /// Whether `kind` came after all others of `kinds`.
    fn stands_at(&self, kind: Type, kinds: &[Type]) -> bool {
        self.last(kinds).is_some_and(|e| e.event == kind)
    }

    /// A rollback ends the deployment that it undoes.
    fn deploying(&self) -> bool {
        let kinds = [
            Type::DeployStarted,
            Type::DeployFinished,
            Type::RollbackFinished,
        ];
        self.stands_at(Type::DeployStarted, &kinds)
    }

    fn rolling_back(&self) -> bool {
        let kinds = [Type::RollbackStarted, Type::RollbackFinished];
        self.stands_at(Type::RollbackStarted, &kinds)
    }

    fn watching(&self) -> bool {
        self.stands_at(Type::WatchStarted, &[Type::WatchStarted, Type::Decision])
    }

    fn suspecting(&self) -> bool {
        let kinds = [
            Type::WatchStarted,
            Type::BreachSuspected,
            Type::BreachConfirmed,
            Type::BreachCleared,
        ];
        self.stands_at(Type::BreachSuspected, &kinds)
    }

    fn has(&self, kind: Type) -> bool {
        self.last(&[kind]).is_some()
    }

    fn in_the_way(&self, event: Type) -> Option<&'static str> {
        const ROLLING: &str = "a rollback is under way; `rollback.finished` is missing";
        const DEPLOYING: &str = "a deployment is under way; `deploy.finished` is missing";
        let refused = |refused: bool, message| refused.then_some(message);
        match event {
            Type::DeployStarted | Type::Closed => {
                refused(self.rolling_back(), ROLLING).or(refused(self.deploying(), DEPLOYING))
            }
            Type::DeployFinished => refused(
                !self.deploying(),
                "no deployment is under way; `deploy.started` is missing",
            ),
            Type::WatchSample | Type::Decision | Type::BreachSuspected => {
                refused(!self.watching(), "no watch is under way")
            }
            Type::BreachConfirmed | Type::BreachCleared => refused(
                !self.suspecting(),
                "no breach is suspected; `breach.suspected` is missing",
            ),
            Type::RollbackStarted => refused(self.rolling_back(), ROLLING).or(refused(
                !self.has(Type::DeployStarted),
                "nothing was deployed; `deploy.started` is missing",
            )),
            Type::RollbackFinished => refused(
                !self.rolling_back(),
                "no rollback is under way; `rollback.started` is missing",
            ),
            Type::Accepted => refused(self.rolling_back(), ROLLING)
                .or(refused(self.deploying(), DEPLOYING))
                .or_else(|| self.unacceptable()),
            Type::ReleaseOpened
            | Type::GateVerdict
            | Type::WindowOk
            | Type::WindowRefused
            | Type::WatchStarted => None,
        }
    }

    fn unacceptable(&self) -> Option<&'static str> {
        let last = self.last(&[Type::Decision, Type::RollbackFinished, Type::DeployFinished]);
        let watched = self.has(Type::WatchStarted);
        match last {
            _ if !self.has(Type::DeployFinished) => {
                Some("nothing was deployed; `deploy.finished` is missing")
            }
            Some(e) if e.event == Type::RollbackFinished => Some("the release was rolled back"),
            _ if self.watching() => Some(
                "the last watch has no decision: it is under way, or was killed; watch again before accepting",
            ),
            Some(e) if watched && e.event == Type::DeployFinished => Some(
                "the last deployment was not watched, an earlier one was; watch again before accepting",
            ),
            Some(e) if e.event == Type::Decision => not_accepted(e),
            _ => None,
        }
    }
}

/// Only a watch that says so accepts.
fn not_accepted(decision: &Event) -> Option<&'static str> {
    match decision.text("decision") {
        Some("accept") => None,
        Some("rollback") => Some("the last watch advised a rollback; watch again before accepting"),
        Some("hold") => Some("the last watch advised to hold; watch again before accepting"),
        _ => Some("the last watch came to no conclusion; watch again before accepting"),
    }
}

/// What ends something cannot have happened before what began it.
fn in_time(phase: &Phase<'_>, new: &Event) -> Result<(), String> {
    let begun = match new.event {
        Type::DeployFinished | Type::RollbackStarted => Type::DeployStarted,
        Type::RollbackFinished => Type::RollbackStarted,
        Type::Accepted => Type::DeployFinished,
        _ => return Ok(()),
    };
    match phase.last(&[begun]) {
        Some(begun) if new.at < begun.at => Err(format!(
            "it is said to have happened at {}, before `{}` at {}",
            new.at,
            begun.event.name(),
            begun.at
        )),
        _ => Ok(()),
    }
}
