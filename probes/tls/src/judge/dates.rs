//! From when, until when, and for how long.

use readygate_sdk::{Checks, Level};

use super::{AboutChain, trust::which};
use crate::{
    rules,
    time::{DAY, date, length, moment, seconds},
    x509::Certificate,
};

/// Clocks of authorities and machines differ; a certificate is not wrong for a minute.
const SKEW: i64 = 60;
/// Apple's limit for certificates of authorities that users added.
const PRIVATE_LIMIT: i64 = 825;

pub(super) fn judge(about: &AboutChain<'_>, checks: &mut Checks) {
    let path: Vec<_> = about
        .chain
        .walk
        .on_path()
        .filter(|(_, c)| c.unreadable.is_none())
        .collect();
    let Some((_, leaf)) = path.first() else {
        return;
    };
    let now = about.now();
    let begins = path.iter().max_by_key(|(_, c)| c.not_before);
    if let Some((at, last)) = begins {
        let check = about.check(&rules::NOT_YET_VALID, checks);
        let from = moment(last.not_before);
        if last.not_before > now + SKEW {
            let who = which(*at, last);
            let message = format!(
                "{who} is valid from {from}, in {}",
                length(last.not_before - now)
            );
            check.actual(from).message(message).fail();
        } else {
            check.message(format!("valid since {from}")).pass();
        }
    }
    expired(about, &path, checks);
    validity(about, leaf, checks);
}

fn expired(about: &AboutChain<'_>, path: &[(u32, &Certificate)], checks: &mut Checks) {
    let now = about.now();
    let over: Vec<_> = path.iter().filter(|(_, c)| c.not_after < now).collect();
    let first = path.iter().min_by_key(|(_, c)| c.not_after);
    let Some((_, first)) = first else { return };
    if let Some((at, certificate)) = over.first() {
        let ended = moment(certificate.not_after);
        let who = which(*at, certificate);
        let message = format!(
            "{who} expired on {ended}, {} ago",
            length(now - certificate.not_after)
        );
        let more = over
            .iter()
            .skip(1)
            .map(|(at, c)| format!("{} expired on {}", which(*at, c), moment(c.not_after)));
        about
            .check(&rules::EXPIRED, checks)
            .expected(format!("valid on {}", date(now)))
            .actual(ended)
            .message(message)
            .details(more)
            .fail();
        return;
    }
    let message = format!(
        "no certificate of the path has expired; the first ends on {}",
        moment(first.not_after)
    );
    about.check(&rules::EXPIRED, checks).message(message).pass();
    soon(about, path, checks);
}

/// How close to its end a certificate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Close {
    Far,
    Near,
    Too,
}

/// Fixed days would cry wolf over certificates that live for six days, and sleep over those of a year.
fn close(certificate: &Certificate, now: i64) -> (Close, i64) {
    let left = certificate.not_after.saturating_sub(now);
    let life = certificate.not_after.saturating_sub(certificate.not_before);
    let (error, warning) = ((7 * DAY).min(life / 10), (30 * DAY).min(life / 3));
    match left {
        left if left < error => (Close::Too, error),
        left if left < warning => (Close::Near, warning),
        _ => (Close::Far, warning),
    }
}

fn soon(about: &AboutChain<'_>, path: &[(u32, &Certificate)], checks: &mut Checks) {
    let now = about.now();
    let graded = path.iter().map(|(at, c)| (close(c, now), *at, *c));
    let worst = graded.max_by_key(|((close, _), _, c)| (*close, std::cmp::Reverse(c.not_after)));
    let Some(((how, bound), at, certificate)) = worst else {
        return;
    };
    let left = length(certificate.not_after - now);
    let ends = date(certificate.not_after);
    let check = about
        .check(&rules::EXPIRES_SOON, checks)
        .expected(format!("at least {} left", length(bound)))
        .actual(&left);
    let message = format!("{} expires on {ends}, in {left}", which(at, certificate));
    match how {
        Close::Far => check.message(message).pass(),
        Close::Near => check.level(Level::Warning).message(message).fail(),
        Close::Too => check.message(message).fail(),
    }
}

/// The longest life that a public authority may give, by the first day (ballot SC-081v3).
fn limit(not_before: i64) -> Option<i64> {
    let from = |year, month, day| {
        seconds(jiff::civil::DateTime::constant(
            year, month, day, 0, 0, 0, 0,
        ))
    };
    let steps = [
        (from(2029, 3, 15), 47),
        (from(2027, 3, 15), 100),
        (from(2026, 3, 15), 200),
        (from(2020, 9, 1), 398),
        (from(2018, 3, 1), 825),
    ];
    let step = steps.into_iter().find(|(from, _)| not_before >= *from);
    step.map(|(_, days)| days)
}

fn validity(about: &AboutChain<'_>, leaf: &Certificate, checks: &mut Checks) {
    // Both ends belong to the validity (RFC 5280, 4.1.2.5).
    let life = leaf
        .not_after
        .saturating_sub(leaf.not_before)
        .saturating_add(1);
    let days = life / DAY + i64::from(life % DAY != 0);
    let public = about.is_public();
    let limit = if public {
        limit(leaf.not_before)
    } else {
        Some(PRIVATE_LIMIT)
    };
    let Some(limit) = limit else { return };
    let check = about
        .check(&rules::VALIDITY_TOO_LONG, checks)
        .expected(format!("at most {limit} days"))
        .actual(format!("{days} days"));
    let since = date(leaf.not_before);
    if days <= limit {
        check
            .message(format!("valid for {days} days from {since} on"))
            .pass();
    } else if public {
        check
            .message(format!(
                "valid for {days} days; from {since} on, {limit} are allowed"
            ))
            .fail();
    } else {
        check
            .level(Level::Warning)
            .message(format!("valid for {days} days; Apple's clients refuse more than {limit}, of private authorities too"))
            .fail();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_follows_the_calendar() {
        let at = |y, m, d| seconds(jiff::civil::DateTime::constant(y, m, d, 0, 0, 0, 0));
        assert_eq!(limit(at(2026, 3, 14)), Some(398));
        assert_eq!(limit(at(2026, 3, 15)), Some(200));
        assert_eq!(limit(at(2027, 3, 15)), Some(100));
        assert_eq!(limit(at(2030, 1, 1)), Some(47));
        assert_eq!(limit(at(2015, 1, 1)), None);
    }

    #[test]
    fn bounds_scale_with_life() {
        let of = |life: i64, left: i64| {
            let certificate = Certificate {
                not_before: 0,
                not_after: life * DAY,
                ..Certificate::default()
            };
            close(&certificate, (life - left) * DAY).0
        };
        assert_eq!(of(90, 31), Close::Far);
        assert_eq!(of(90, 29), Close::Near);
        assert_eq!(of(90, 6), Close::Too);
        assert_eq!(of(6, 3), Close::Far);
        assert_eq!(of(6, 1), Close::Near);
        assert_eq!(of(365, 31), Close::Far);
        assert_eq!(of(365, 10), Close::Near);
    }
}
