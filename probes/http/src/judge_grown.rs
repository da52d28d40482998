//! Judges steps, health documents, instances and the coverage of an OpenAPI document. Pure.

use readygate_sdk::{Checks, Level, count_of};

use crate::{
    config::HttpConfig,
    health::{Dependency, State},
    judge,
    judge_body::same_version,
    record::{Answer, HttpMeasurement, SpreadRecord, StickyRecord},
    rules::{FAILED_SAMPLE, STATUS},
    rules_grown as rules,
};

/// Pushes the checks of every step, with its name before the subject.
pub(crate) fn steps(config: &HttpConfig, record: &HttpMeasurement, checks: &mut Checks) {
    for step in &config.steps {
        let Some(done) = record.steps.iter().find(|done| done.name == step.name) else {
            let check = checks.check(&rules::STEP, &step.name);
            check.unmeasured("the record does not hold this step; measure again");
            continue;
        };
        let subject = format!("{}: {} {}", step.name, done.record.method, done.record.url);
        let check = checks.check(&rules::STEP, &subject);
        if let Some(reason) = &done.not_sent {
            check.unmeasured(format!("not sent: {reason}"));
            continue;
        }
        let Some(answer) = done.record.answers.first() else {
            let error = done.record.errors().next();
            let error = error.map_or_else(String::new, ToString::to_string);
            check.unmeasured(format!("no answer: {error}"));
            continue;
        };
        check.message(format!("answered {}", answer.status)).pass();
        let mut own = Checks::new();
        judge::endpoint(&step.alone(config), &done.record, &mut own);
        for mut check in own.into_vec() {
            check.subject = format!("{}: {}", step.name, check.subject);
            checks.push(check);
        }
        for (name, source) in &step.capture {
            let fact = done.captures.iter().find(|fact| fact.name == *name);
            let check = checks
                .check(&rules::CAPTURE, &subject)
                .expected(format!("`{name}` at {source}"));
            match fact.map(|fact| &fact.missing) {
                None => check.unmeasured("the record does not hold it; measure again"),
                Some(None) => check.message(format!("`{name}` was captured")).pass(),
                Some(Some(why)) => check.message(format!("`{name}` is missing: {why}")).fail(),
            }
        }
    }
}

/// Pushes the checks on the health document.
pub(crate) fn health(config: &HttpConfig, record: &HttpMeasurement, checks: &mut Checks) {
    let Some(wanted) = &config.health else {
        return;
    };
    if record.answers.is_empty() {
        let check = checks.check(&rules::DEPENDENCY_DOWN, &record.url);
        check.unmeasured("the health document could not be judged: no sample was answered");
    }
    for answer in &record.answers {
        let Some(fact) = &answer.facts.health else {
            let check = checks.check(&rules::DEPENDENCY_DOWN, &record.url);
            check.unmeasured("the body could not be read as a health document");
            continue;
        };
        if fact.overall.is_none() && fact.dependencies.is_empty() {
            let message = "the document names neither a status nor a dependency";
            checks
                .check(&rules::DEPENDENCY_DOWN, &record.url)
                .unmeasured(message);
        }
        for dependency in fact.overall.iter().chain(&fact.dependencies) {
            state(dependency, answer, record, checks);
        }
        for name in &wanted.require {
            let named = fact.dependencies.iter().any(|d| is_named(&d.name, name));
            let check = checks
                .check(&rules::DEPENDENCY_MISSING, &record.url)
                .expected(format!("a dependency `{name}`"));
            if named {
                check.message(format!("the document names `{name}`")).pass();
            } else {
                let names: Vec<_> = fact.dependencies.iter().map(|d| d.name.as_str()).collect();
                let message = format!("the document does not name `{name}`");
                check.actual(names.join(", ")).message(message).fail();
            }
        }
    }
}

/// `db` names `db`, `db:responseTime` (health+json) and `group/db` (Spring).
fn is_named(found: &str, wanted: &str) -> bool {
    let bare = found.split(':').next().unwrap_or(found);
    found == wanted || bare == wanted || found.rsplit('/').next() == Some(wanted)
}

fn state(dependency: &Dependency, answer: &Answer, record: &HttpMeasurement, checks: &mut Checks) {
    let name = match dependency.name.as_str() {
        "" => "the service",
        name => name,
    };
    let check = checks
        .check(&rules::DEPENDENCY_DOWN, &record.url)
        .expected(format!("{name}: up"))
        .actual(&dependency.said);
    let message = format!(
        "{name} is `{}`, says a document with status {}",
        dependency.said, answer.status
    );
    match dependency.state {
        State::Up => check.message(format!("{name} is up")).pass(),
        State::Warn => check.level(Level::Warning).message(message).fail(),
        State::Down => check.message(message).fail(),
    }
}

/// Pushes the checks on instances.
pub(crate) fn spread(config: &HttpConfig, record: &HttpMeasurement, checks: &mut Checks) {
    let Some(wanted) = &config.spread else {
        return;
    };
    let check = checks.check(&rules::SPREAD, &record.url);
    let Some(found) = &record.spread else {
        return check.unmeasured("the record does not hold it; measure again");
    };
    let least = usize::from(wanted.at_least);
    let count = found.instances.len();
    let lost = found.unanswered + found.unnamed;
    let message = format!(
        "{} answered {}",
        count_of(count as u64, "instance", "instances"),
        count_of(found.requests, "request", "requests")
    );
    let details = found.instances.iter().take(20).map(|instance| {
        format!(
            "{}: {}",
            instance.name,
            count_of(instance.times, "answer", "answers")
        )
    });
    let details: Vec<_> = details.chain(unknown(found)).collect();
    let check = check
        .expected(format!(
            "at least {least} instances, named by {}",
            found.source
        ))
        .actual(count.to_string());
    if count >= least {
        check.message(message).details(details).pass();
    } else if lost > 0 {
        check.details(details).unmeasured(format!(
            "{message}, and {} named none",
            count_of(lost, "request", "requests")
        ));
    } else {
        check.message(message).details(details).fail();
    }
    statuses(config, found, record, checks);
    if wanted.sticky {
        sticky(found.sticky.as_ref(), record, checks);
    }
    if config.version.is_some() {
        versions(found, record, checks);
    }
}

/// One instance of several that fails is what a single request misses most of the time.
fn statuses(
    config: &HttpConfig,
    found: &SpreadRecord,
    record: &HttpMeasurement,
    checks: &mut Checks,
) {
    let named = found
        .instances
        .iter()
        .map(|i| (i.name.as_str(), &i.statuses));
    let unnamed =
        (found.unnamed > 0).then_some(("responses that name no instance", &found.unnamed_statuses));
    for (name, statuses) in named.chain(unnamed) {
        let right = statuses.iter().all(|status| config.status.allow(*status));
        let shown: Vec<_> = statuses.iter().map(u16::to_string).collect();
        let shown = shown.join(", ");
        checks
            .check(&STATUS, format!("{name} of {}", record.url))
            .expected(config.status.to_string())
            .actual(&shown)
            .message(format!("the status is {shown}"))
            .passed_if(right);
    }
    if found.unanswered > 0 {
        let requests = count_of(found.requests, "request", "requests");
        checks
            .check(&FAILED_SAMPLE, &record.url)
            .message(format!("{} of {requests} got no answer", found.unanswered))
            .details(found.errors.iter().map(ToString::to_string))
            .fail();
    }
}

fn unknown(found: &SpreadRecord) -> Vec<String> {
    let mut lines: Vec<_> = found.errors.iter().map(ToString::to_string).collect();
    if found.unnamed > 0 {
        let responses = count_of(found.unnamed, "response names", "responses name");
        lines.push(format!("{responses} no instance"));
    }
    lines
}

fn sticky(found: Option<&StickyRecord>, record: &HttpMeasurement, checks: &mut Checks) {
    let check = checks
        .check(&rules::STICKY, &record.url)
        .expected("one instance");
    let Some(found) = found else {
        return check.unmeasured("the record does not hold it; measure again");
    };
    if found.cookies.is_empty() {
        return check
            .message("the first response sets no cookie that could keep a session on its instance")
            .fail();
    }
    let message = format!(
        "{} with {} reached {}",
        count_of(found.answered, "request", "requests"),
        found.cookies.join(", "),
        found.instances.join(", ")
    );
    match found.instances.len() {
        0 => check.unmeasured("no request with the cookies was answered by a named instance"),
        1 if found.lost > 0 => {
            let lost = count_of(found.lost, "request", "requests");
            check.unmeasured(format!("{message}; {lost} named none"));
        }
        1 => check.message(message).pass(),
        _ => check
            .actual(found.instances.join(", "))
            .message(message)
            .fail(),
    }
}

fn versions(found: &SpreadRecord, record: &HttpMeasurement, checks: &mut Checks) {
    let Some(wanted) = &record.target_version else {
        let check = checks.check(&rules::INSTANCE_VERSION, &record.url);
        return check.unmeasured("the record holds no version of the target; measure again");
    };
    for instance in &found.instances {
        let check = checks
            .check(
                &rules::INSTANCE_VERSION,
                format!("{} of {}", instance.name, record.url),
            )
            .expected(wanted);
        if instance.versions.is_empty() {
            check.unmeasured("the record does not hold its version; measure again");
            continue;
        }
        let shown = instance.versions.join(", ");
        let named = |version: &String| !version.is_empty();
        if !instance.versions.iter().all(named) {
            check.unmeasured("not every response of this instance names a version");
        } else if instance
            .versions
            .iter()
            .all(|found| same_version(found, wanted))
        {
            check
                .actual(&shown)
                .message(format!("it runs {shown}"))
                .pass();
        } else {
            check
                .actual(&shown)
                .message(format!("it runs {shown}"))
                .fail();
        }
    }
}

/// Operations that are listed by name.
const LISTED: usize = 50;

/// Pushes the check on the coverage of the OpenAPI document.
pub(crate) fn openapi(config: &HttpConfig, record: &HttpMeasurement, checks: &mut Checks) {
    let Some(file) = &config.openapi else {
        return;
    };
    let check = checks.check(&rules::OPENAPI_UNEXERCISED, file);
    let Some(found) = &record.openapi else {
        return check.unmeasured("the record does not hold it; measure again");
    };
    let all = found.operations.len();
    let unasked: Vec<_> = found
        .operations
        .iter()
        .filter(|o| o.answered.is_empty())
        .collect();
    let message = format!("{} of {all} operations were asked", all - unasked.len());
    let names = unasked
        .iter()
        .take(LISTED)
        .map(|o| format!("{} {}", o.method, o.path));
    let more = unasked.len().saturating_sub(LISTED);
    let details = names.chain((more > 0).then(|| format!("and {more} more")));
    check
        .message(message)
        .details(details)
        .passed_if(unasked.is_empty());
}
