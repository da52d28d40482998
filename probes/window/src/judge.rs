//! Applies the rules to a measurement. Pure.

use readygate_sdk::{Checks, Unit};

use crate::{WindowConfig, WindowMeasurement, metrics, rules};

pub fn judge(config: &WindowConfig, seen: &WindowMeasurement, checks: &mut Checks) {
    inside(seen, checks);
    for freeze in &seen.freeze {
        let check = checks
            .check(&rules::FROZEN, &freeze.name)
            .expected("no freeze");
        match freeze.until {
            Some(until) => check
                .message("a freeze is active")
                .actual(format!("until {until}"))
                .fail(),
            None => check.message("the freeze is not active").pass(),
        }
    }
    gitlab(seen, checks);
    reserve(config, seen, checks);
}

fn inside(seen: &WindowMeasurement, checks: &mut Checks) {
    if seen.allow.is_empty() {
        return;
    }
    let open = seen.allow.iter().find(|w| w.since.is_some());
    let names: Vec<&str> = seen.allow.iter().map(|w| w.name.as_str()).collect();
    let subject = open.map_or_else(|| names.join(", "), |w| w.name.clone());
    let check = checks
        .check(&rules::CLOSED, subject)
        .expected("inside of a window");
    if let Some(until) = open.and(seen.open_until) {
        return check
            .message("a window is open")
            .actual(format!("open until {until}"))
            .pass();
    }
    let next = seen.allow.iter().filter_map(|w| w.next).min();
    let next = next.map_or_else(
        || "closed".to_owned(),
        |n| format!("closed; the next opens at {n}"),
    );
    check.message("no window is open").actual(next).fail();
}

/// GitLab sets it to `true`; a value that clearly says no is no freeze.
fn gitlab(seen: &WindowMeasurement, checks: &mut Checks) {
    let check = checks
        .check(&rules::GITLAB_FREEZE, crate::GITLAB)
        .expected("not set");
    let no = |value: &String| ["false", "0", "no"].contains(&value.to_ascii_lowercase().as_str());
    match seen.gitlab.as_ref().filter(|value| !no(value)) {
        Some(value) => check
            .message("GitLab says that deployments are frozen")
            .actual(value)
            .fail(),
        None => check.message("GitLab names no deploy freeze").pass(),
    }
}

fn reserve(config: &WindowConfig, seen: &WindowMeasurement, checks: &mut Checks) {
    let Some(reserve) = &config.reserve else {
        return;
    };
    let needed = reserve.total().as_secs_f64();
    let shown = |seconds: f64| Unit::Seconds.format(seconds);
    let left = match metrics::remaining(seen) {
        Ok(left) => Some(left),
        Err(metrics::NoEnd::Unbounded) => None,
        // Another rule has failed, and says more.
        Err(metrics::NoEnd::Closed) => return,
    };
    let check = checks
        .check(&rules::TOO_SHORT, "the time that is left")
        .expected(format!(
            ">= {} for deployment, watch and rollback",
            shown(needed)
        ));
    match left {
        None => check.message("nothing ends it").pass(),
        Some(left) if left >= needed => check
            .message("there is time enough")
            .actual(shown(left))
            .pass(),
        Some(left) => {
            let end = metrics::end(seen);
            let end = end.map_or_else(String::new, |end| format!(", until {end}"));
            check
                .message("too little time is left")
                .actual(format!("{}{end}", shown(left)))
                .fail();
        }
    }
}
