//! Did the failover drill succeed, and was all well afterwards?

use readygate_sdk::{Checks, Unit};

use super::Case;
use crate::{measurement::Handover, rules};

pub(super) fn judge(case: &Case<'_>, checks: &mut Checks) {
    let (Some(wanted), Some(drill)) = (case.config.drill.get(), &case.measurement.drill) else {
        if case.config.drill.get().is_some() {
            checks
                .check(&rules::DRILL_FAILED, "the drill")
                .unmeasured("it was not held");
        }
        return;
    };
    if let Some(denial) = &drill.not_held {
        checks.check(&rules::DRILL_FAILED, "the drill").unmeasured(
            format!("it was not held: {} {}", denial.code, denial.message)
                .trim_end()
                .to_owned(),
        );
    }
    for handover in &drill.handovers {
        promoted(case, handover, checks);
        let Some(max) = wanted.max_gap else { continue };
        let check = checks
            .check(&rules::DRILL_SLOW, &handover.replica)
            .expected(format!("at most {max}"));
        match handover.write_gap_s {
            Some(gap) => check
                .message(format!("writes did not get through for {}", shown(gap)))
                .actual(shown(gap))
                .passed_if(gap <= max.0.as_secs_f64()),
            None => check.unmeasured("writes did not come back while the drill was watched"),
        }
    }
    if wanted.restore && drill.not_held.is_none() && drill.handovers.len() == 1 {
        checks
            .check(&rules::DRILL_FAILED, "handing back")
            .unmeasured("the old master did not get its role back");
    }
}

fn promoted(case: &Case<'_>, handover: &Handover, checks: &mut Checks) {
    let within = case
        .config
        .drill
        .get()
        .map_or_else(String::new, |d| d.within.to_string());
    let check = checks
        .check(&rules::DRILL_FAILED, &handover.replica)
        .expected(format!("master, and every node well within {within}"))
        .details(handover.wrong.iter().chain(&handover.errors).cloned());
    let (replica, master) = (&handover.replica, &handover.master);
    match (handover.promoted_after_s, handover.healthy_after_s, handover.write_gap_s) {
        (Some(promoted), Some(healthy), Some(gap)) => check
            .message(format!(
                "{replica} took over from {master} after {}, all was well after {}, no write got through for {}",
                shown(promoted),
                shown(healthy),
                shown(gap)
            ))
            .pass(),
        (Some(_), None, _) => check
            .message(format!("{replica} took over from {master}, and the cluster was not well afterwards"))
            .actual("not well")
            .fail(),
        (None, ..) => check
            .message(format!("{replica} did not take over from {master}"))
            .actual("not promoted")
            .fail(),
        (Some(_), Some(_), None) => check
            .message(format!("{replica} took over from {master}, and writes did not come back"))
            .actual("no writes")
            .fail(),
    }
}

fn shown(seconds: f64) -> String {
    Unit::Seconds.format((seconds * 1e3).round() / 1e3)
}
