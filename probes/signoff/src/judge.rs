//! The rules, applied. Pure.

use readygate_sdk::{Checks, Level};

use crate::{
    config::{Answer, AnswerType, SignoffConfig, day},
    measurement::{Decision, SignoffMeasurement, StatementRecord},
    rules::{ANSWER, MISSING, OUTDATED, REFUSED, REJECTED},
};

/// A rejection outweighs every approval. Nothing passes unless a statement counts: even with every
/// rule graded down, a gate that nobody signed has no check that passed.
pub fn judge(config: &SignoffConfig, measurement: &SignoffMeasurement, checks: &mut Checks) {
    let mut rejected = false;
    for statement in measurement.counting(Decision::Reject) {
        rejected = true;
        let comment = statement.comment.as_deref().unwrap_or("no reason given");
        checks
            .check(&REJECTED, &statement.principal)
            .message(format!("signed against the release: {comment}"))
            .actual(signed(statement))
            .fail();
    }
    let approval = measurement.counting(Decision::Approve).next_back();
    match approval {
        _ if rejected => {}
        Some(approval) => approved(config, measurement, approval, checks),
        None => missing(config, measurement, checks),
    }
    // Beside one that counts, statements of earlier releases are an archive and no alarm.
    let level = match approval {
        Some(_) if !rejected => Level::Info,
        _ => REFUSED.level,
    };
    for statement in &measurement.statements {
        if let Some(why) = &statement.refused {
            checks
                .check(&REFUSED, &statement.file)
                .message(format!("does not count: {why}"))
                .level(level)
                .actual(signed(statement))
                .fail();
        }
    }
}

fn signed(statement: &StatementRecord) -> String {
    let StatementRecord {
        principal,
        fingerprint,
        issued,
        ..
    } = statement;
    format!("{principal}, {fingerprint}, {issued}")
}

fn missing(config: &SignoffConfig, measurement: &SignoffMeasurement, checks: &mut Checks) {
    let check = checks
        .check(&MISSING, format!("role {}", config.role))
        .message("nobody has signed");
    if let Some(why) = &measurement.impossible {
        return check
            .message(format!("nobody can sign: {why}"))
            .hint("the sign-off guide says what the config needs: docs/signoffs.md")
            .fail();
    }
    let refused = measurement
        .statements
        .iter()
        .filter(|s| s.refused.is_some());
    let check = match refused.count() {
        0 => check,
        1 => check.actual("1 statement that does not count"),
        n => check.actual(format!("{n} statements that do not count")),
    };
    match &measurement.request {
        Some(request) => {
            let command = format!("readygate sign {request} --role {}", config.role);
            check.hint(command).fail();
        }
        None => check.fail(),
    }
}

fn approved(
    config: &SignoffConfig,
    measurement: &SignoffMeasurement,
    approval: &StatementRecord,
    checks: &mut Checks,
) {
    checks
        .check(&MISSING, format!("role {}", config.role))
        .message(format!("signed by {}", approval.principal))
        .actual(signed(approval))
        .pass();
    for answer in &config.answers {
        answered(answer, measurement, approval, checks);
    }
}

fn answered(
    answer: &Answer,
    measurement: &SignoffMeasurement,
    approval: &StatementRecord,
    checks: &mut Checks,
) {
    let given = approval.answers.get(&answer.id);
    let check = checks.check(&ANSWER, &answer.id).expected(&answer.ask);
    let given = match given {
        None if answer.optional => return check.message("may stay open").actual("none").pass(),
        None => return check.message("is not answered").actual("none").fail(),
        Some(given) => given,
    };
    let check = check.actual(given);
    match answer.complaint(given) {
        Some(complaint) => return check.message(format!("the answer {complaint}")).fail(),
        None => check.message("is answered").pass(),
    }
    if answer.kind == AnswerType::Date {
        timely(answer, given, measurement, checks);
    }
}

/// Whole days, UTC: a day that has begun anywhere counts as come.
fn timely(answer: &Answer, given: &str, measurement: &SignoffMeasurement, checks: &mut Checks) {
    let (Some(max_age), Some(day)) = (answer.max_age, day(given)) else {
        return;
    };
    let today = measurement
        .taken_at
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date();
    let days = (today - day).get_days();
    let seconds = f64::from(days) * 86_400.0;
    let holds = days >= -1 && seconds <= max_age.0.as_secs_f64();
    checks
        .check(&OUTDATED, &answer.id)
        .message(if holds {
            "is recent enough"
        } else {
            OUTDATED.summary
        })
        .expected(format!("at most {max_age} ago"))
        .actual(format!("{given}, {days} days ago"))
        .passed_if(holds);
}
