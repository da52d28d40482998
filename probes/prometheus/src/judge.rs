//! Judges what the server said. Pure.

use readygate_sdk::{Checks, Level, Unit, count_of};

use crate::{
    config::{PrometheusConfig, UpConfig},
    judge_alerts,
    measurement::{JobRecord, PrometheusMeasurement, QueryRecord, State, TargetRecord},
    rules,
    text::retention,
};

/// Items that are listed beside a check.
pub(crate) const LISTED: usize = 10;
/// Discovery takes its time after a start; before that a job without targets says nothing.
pub(crate) const SETTLES_S: f64 = 30.0;

/// Pushes every check.
pub(crate) fn judge(
    config: &PrometheusConfig,
    record: &PrometheusMeasurement,
    checks: &mut Checks,
) {
    server(config, record, checks);
    for (index, wanted) in config.up.iter().enumerate() {
        match record.jobs.get(index) {
            Some(job) => up(wanted, job, record, checks),
            None => checks
                .check(&rules::TARGET_MISSING, &wanted.job)
                .unmeasured("the targets of this job were not asked for"),
        }
    }
    judge_alerts::judge(config, record, checks);
    for name in config.queries.keys() {
        let subject = format!("queries.{name}");
        match record.queries.get(name) {
            Some(query) => one_query(&subject, query, checks),
            None => checks
                .check(&rules::QUERY_UNANSWERED, subject)
                .unmeasured("the query was not asked"),
        }
    }
}

fn server(config: &PrometheusConfig, record: &PrometheusMeasurement, checks: &mut Checks) {
    let (server, url) = (&record.server, &record.url);
    if let Some(ok) = server.reload_ok {
        let message = "the server runs the config that was loaded last";
        let check = checks.check(&rules::RELOAD_FAILED, url);
        if ok {
            check.message(message).pass();
        } else {
            check.fail();
        }
    }
    let most = config.max_clock_skew.0.as_secs_f64();
    let shown = |seconds: f64| Unit::Seconds.format(seconds);
    let way = if server.skew_s < 0.0 {
        "behind"
    } else {
        "ahead"
    };
    let actual = format!("{} {way}", shown(server.skew_s.abs()));
    let check = checks
        .check(&rules::CLOCK_SKEW, url)
        .expected(format!("within {}", shown(most)))
        .message(format!(
            "the clock of the server is {actual}, give or take {}",
            shown(server.skew_error_s)
        ))
        .actual(actual);
    if server.skew_s.abs() - server.skew_error_s > most {
        check.fail();
    } else if server.skew_s.abs() + server.skew_error_s > most {
        check.unmeasured("the answer took too long to tell the skew of the clocks");
    } else {
        check.pass();
    }
    if let Some(wanted) = config.min_retention {
        let wanted = wanted.0.as_secs_f64();
        let text = server.retention.clone();
        let check = checks
            .check(&rules::RETENTION_SHORT, url)
            .expected(format!(">= {}", shown(wanted)));
        let Some(text) = text else {
            check.unmeasured("the server does not say for how long it keeps samples");
            return;
        };
        let (time, by_size) = retention(&text);
        let check = check.actual(&text);
        match time {
            Some(time) if time < wanted => check
                .message(format!("the server keeps samples for {text}"))
                .fail(),
            Some(_) if !by_size => check
                .message(format!("the server keeps samples for {text}"))
                .pass(),
            _ => check.unmeasured(format!(
                "the server keeps samples for {text}: for how long that is depends on their size"
            )),
        }
    }
}

fn up(wanted: &UpConfig, job: &JobRecord, record: &PrometheusMeasurement, checks: &mut Checks) {
    let subject = format!("job {}", wanted.job);
    let total = job.total();
    let missing = checks
        .check(&rules::TARGET_MISSING, &subject)
        .expected(
            count_of(u64::from(wanted.at_least.unwrap_or(1)), "target", "targets") + " or more",
        )
        .actual(count_of(total, "target", "targets"));
    if !job.partial.is_empty() {
        missing
            .details(job.partial.clone())
            .unmeasured("the list of targets is not complete: the server warns");
        return;
    }
    if total == 0 {
        match record.server.up_s.filter(|up| *up < SETTLES_S) {
            Some(up) => missing.unmeasured(format!(
                "the job has no target yet: the server was started {} ago",
                Unit::Seconds.format(up)
            )),
            None if job.own > 0 => missing
                .message("the server scrapes nothing but itself")
                .fail(),
            None => missing.fail(),
        }
        return;
    }
    missing
        .message(format!(
            "the job has {}",
            count_of(total, "target", "targets")
        ))
        .pass();
    states(wanted, job, &subject, checks);
}

/// Enough of them must be up. Beyond that, one that is not is a warning.
fn states(wanted: &UpConfig, job: &JobRecord, subject: &str, checks: &mut Checks) {
    let total = job.total();
    let needed = wanted.at_least.map_or(total, u64::from);
    let [bad, stale, fine] = [State::Bad, State::Stale, State::Fine].map(|s| job.count(s));
    let enough = fine >= needed;
    let level = if enough { Level::Warning } else { Level::Error };
    let listed = |state: State| {
        let of_state = job.targets.iter().filter(move |t| t.state() == state);
        of_state.take(LISTED).map(described).collect::<Vec<_>>()
    };
    let message = format!(
        "{fine} of {} up, {bad} down",
        count_of(total, "target is", "targets are")
    );
    let down = checks
        .check(&rules::TARGET_DOWN, subject)
        .level(level)
        .expected(format!("{needed} up"))
        .actual(format!("{fine} up"))
        .message(message)
        .details(listed(State::Bad));
    // Those that are not known might be up.
    if enough && bad == 0 {
        down.pass();
    } else if bad == 0 && total < needed {
        let there = count_of(total, "target is", "targets are");
        down.message(format!("{there} there, and {needed} must be"))
            .hint("start the others, or let discovery of the server find them; /targets shows those that it has")
            .fail();
    } else if enough || fine + stale < needed {
        down.fail();
    } else {
        down.unmeasured(format!(
            "{fine} of {needed} are known to be up, and {stale} are not known"
        ));
    }
    if stale > 0 && !enough {
        let stale_targets = count_of(stale, "target has", "targets have");
        checks
            .check(&rules::TARGET_STALE, subject)
            .details(listed(State::Stale))
            .unmeasured(format!(
                "{stale_targets} not been scraped, or not for a few intervals"
            ));
    }
}

fn described(target: &TargetRecord) -> String {
    let scraped = match target.age_s {
        Some(age) => format!("scraped {} ago", Unit::Seconds.format(age)),
        None => "never scraped".to_owned(),
    };
    let error = match target.error.as_str() {
        "" => String::new(),
        error => format!(": {error}"),
    };
    let (job, instance, health) = (&target.job, &target.instance, &target.health);
    format!("{job} {instance} is {health}, {scraped}{error}")
}

fn one_query(subject: &str, query: &QueryRecord, checks: &mut Checks) {
    let check = checks.check(&rules::QUERY_UNANSWERED, subject);
    match query.usable() {
        Ok(value) => {
            let shown = query.unit.format(value);
            let known = query.bucket.as_ref().map_or_else(String::new, |bucket| {
                let range = bucket.shown(query.unit);
                format!("; the histogram tells no more than that it lies {range}")
            });
            check
                .message(format!("the query gives {shown}{known}"))
                .actual(shown)
                .pass();
        }
        Err(why) => check
            .hint(rules::QUERY_UNANSWERED.fix)
            .details(query.details.clone())
            .unmeasured(why),
    }
    if !query.infos.is_empty() {
        checks
            .check(&rules::QUERY_REMARK, subject)
            .details(query.infos.clone())
            .fail();
    }
}
