use std::time::Duration;

use super::*;
use crate::record::{Advice, Decision};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn settings() -> Settings {
    let minute = Duration::from_secs(60);
    Settings::new(
        &crate::release::config::Watch::default(),
        Some(15 * minute),
        None,
    )
    .unwrap()
}

/// Two gates; each letter is what they show in one sample: `^` pass, `v` fails, `x` is not
/// reachable, `?` cannot tell. A second row after `/` is what looks at once show, one letter each.
struct Story {
    machine: Machine,
    second: i64,
    end: Option<End>,
    told: Vec<Notice>,
}

fn seen(letter: char) -> Seen {
    match letter {
        '^' => Seen::Passed,
        'v' => Seen::Failed,
        'x' => Seen::Unreachable,
        _ => Seen::Unknown,
    }
}

/// A watch that is as long as what is shown.
fn story(settings: Settings, health: &str, again: &str) -> Story {
    let intervals = u32::try_from(health.len()).unwrap().saturating_sub(1);
    let settings = Settings {
        duration: settings.every * intervals,
        ..settings
    };
    cut_short(settings, health, again)
}

fn cut_short(settings: Settings, health: &str, again: &str) -> Story {
    let machine = Machine::new(settings, ["health", "login"], |_| false);
    let mut story = Story {
        machine,
        second: 0,
        end: None,
        told: Vec::new(),
    };
    let mut again = again.chars();
    for letter in health.chars() {
        assert_eq!(story.end, None, "the watch ended before its time");
        let both = [
            ("health".to_owned(), seen(letter)),
            ("login".to_owned(), Seen::Passed),
        ];
        let mut next = story.machine.sample(at(story.second), &both, true);
        if let Next::Again(gates) = &next {
            assert_eq!(gates, &["health"]);
            let look = [("health".to_owned(), seen(again.next().unwrap()))];
            next = story.machine.again(at(story.second + 1), &look, true);
            assert!(!matches!(next, Next::Again(_)));
        }
        if let Next::End(end) = next {
            story.end = Some(end);
        }
        story.told.extend(story.machine.take_notices());
        story.second += 30;
    }
    assert_eq!(again.next(), None, "a look that was not taken");
    story
}

fn decided(story: &Story) -> Decision {
    let ended = Ended {
        early: story.end.clone(),
        signal: None,
        started: at(0),
        finished: at(story.second),
        against: Vec::new(),
        why: vec![("health".to_owned(), "status 503".to_owned())],
        release: None,
        run: "r1".to_owned(),
        baseline: None,
    };
    decide(&story.machine, ended)
}

#[test]
fn clean_samples_are_accepted_and_bound_the_error_rate() {
    let story = story(settings(), &"^".repeat(31), "");
    let decision = decided(&story);
    assert_eq!((decision.decision, decision.exit_code), (Advice::Accept, 0));
    assert_eq!((decision.samples.n, decision.samples.planned), (31, 31));
    assert!(decision.bound.unwrap().error_rate_below > 0.092);
    assert_eq!(decision.downtime.unwrap().outages, 0);
    assert_eq!(decision.reasons, ["31 of 31 samples were clean"]);
    assert!(story.told.is_empty());
}

#[test]
fn two_failures_in_a_row_are_a_breach() {
    let story = story(settings(), "^^v", "v");
    assert_eq!(story.end, Some(End::Breach));
    let health = vec!["health".to_owned()];
    assert_eq!(
        story.told,
        [Notice::Suspected(health.clone()), Notice::Confirmed(health)]
    );
    let decision = decided(&story);
    assert_eq!(
        (decision.decision, decision.exit_code),
        (Advice::Rollback, 5)
    );
    assert_eq!(
        decision.reasons,
        ["health failed twice in a row: status 503"]
    );
    let breach = decision.breach.unwrap();
    assert_eq!((breach.suspected, breach.confirmed), (at(60), Some(at(61))));
    assert_eq!(decision.deadline, Some(at(61 + 15 * 60)));
    assert_eq!(decision.warn_at, Some(at(61 + 10 * 60)));
}

#[test]
fn one_failure_that_passes_at_once_is_tolerated() {
    let story = story(settings(), "^v^^^", "^");
    assert_eq!(story.end, None);
    assert!(matches!(
        story.told[..],
        [Notice::Suspected(_), Notice::Cleared(_)]
    ));
    let decision = decided(&story);
    assert_eq!(decision.decision, Advice::Accept);
    assert_eq!(decision.breach, None);
    assert!(
        decision.reasons[1].starts_with("1 failed"),
        "{:?}",
        decision.reasons
    );
}

#[test]
fn a_failure_near_the_end_is_held() {
    for health in ["^^^v", "^^v^", "^v^^"] {
        let decision = decided(&story(settings(), health, "^"));
        assert_eq!(
            (decision.decision, decision.exit_code),
            (Advice::Hold, 1),
            "{health}"
        );
    }
}

#[test]
fn what_flaps_too_often_is_a_breach() {
    let story = story(settings(), "v^v^v^v", "^^^^");
    assert_eq!(story.end, Some(End::Breach));
    let decision = decided(&story);
    assert_eq!(decision.decision, Advice::Rollback);
    assert!(decision.breach.unwrap().flapping);
    assert_eq!(
        decision.reasons,
        ["health failed in 4 of 7 samples where 3 are tolerated: status 503"]
    );
}

#[test]
fn a_look_that_cannot_tell_neither_clears_nor_confirms() {
    // The suspicion stays open; the next failure confirms it.
    let confirmed = story(settings(), "^v?v", "?");
    assert_eq!(confirmed.end, Some(End::Breach));
    let cleared = story(settings(), "^v?^^^^", "?");
    assert_eq!(cleared.end, None);
    assert!(matches!(
        cleared.told[..],
        [Notice::Suspected(_), Notice::Cleared(_)]
    ));
    assert_eq!(
        decided(&story(settings(), "^v", "?")).decision,
        Advice::Inconclusive
    );
}

#[test]
fn errors_are_no_failures_but_too_many_in_a_row_have_no_conclusion() {
    let tolerated = story(settings(), "^????^", "");
    assert_eq!(decided(&tolerated).decision, Advice::Accept);
    let blind = story(settings(), "^?????", "");
    assert_eq!(
        blind.end,
        Some(End::Blind {
            gate: "health".to_owned(),
            errors: 5
        })
    );
    let decision = decided(&blind);
    assert_eq!(
        (decision.decision, decision.exit_code),
        (Advice::Inconclusive, 3)
    );
    assert!(decision.reasons[0].contains("5 times in a row where 4 are tolerated"));
}

#[test]
fn the_inconclusive_limit_counts_all_of_them() {
    let settings = Settings {
        inconclusive_limit: 1,
        ..settings()
    };
    assert_eq!(
        decided(&story(settings.clone(), "^?^", "")).decision,
        Advice::Accept
    );
    assert_eq!(
        decided(&story(settings, "^?^?^", "")).decision,
        Advice::Inconclusive
    );
}

#[test]
fn an_end_that_could_not_be_told_is_no_success() {
    assert_eq!(
        decided(&story(settings(), "^^^?", "")).decision,
        Advice::Inconclusive
    );
    assert_eq!(
        decided(&story(settings(), "", "")).decision,
        Advice::Inconclusive
    );
}

#[test]
fn a_target_that_answered_and_is_gone_is_down() {
    assert_eq!(story(settings(), "^x", "x").end, Some(End::Breach));
    // One that never answered cannot be told from a wrong address.
    assert_eq!(story(settings(), "xxxx", "").end, None);
    // The baseline knows that it answered before the deployment.
    let mut known = Machine::new(settings(), ["health"], |_| true);
    let gone = [("health".to_owned(), Seen::Unreachable)];
    assert!(matches!(known.sample(at(0), &gone, true), Next::Again(_)));
}

#[test]
fn a_runner_that_is_offline_tells_nothing_of_the_target() {
    let mut machine = Machine::new(settings(), ["health"], |_| true);
    let gone = [("health".to_owned(), Seen::Unreachable)];
    assert_eq!(machine.sample(at(0), &gone, false), Next::Wait);
    assert_eq!(machine.samples().unknown, 1);
}

#[test]
fn a_gate_that_is_missing_could_not_tell() {
    let mut machine = Machine::new(settings(), ["health"], |_| false);
    assert_eq!(machine.sample(at(0), &[], true), Next::Wait);
    assert_eq!(machine.samples().unknown, 1);
}

#[test]
fn downtime_is_that_of_the_gates_that_tell() {
    let only = Settings {
        availability: vec!["login".to_owned()],
        ..settings()
    };
    let decision = decided(&story(only, "^v^^^", "^"));
    assert_eq!(decision.downtime.unwrap().outages, 0);
    let decision = decided(&story(settings(), "^v^^^", "^"));
    let downtime = decision.downtime.unwrap();
    assert_eq!(
        (downtime.outages, downtime.seconds, downtime.most_s),
        (1, 1.0, 31.0)
    );
}

#[test]
fn an_interrupted_watch_has_no_conclusion() {
    let story = cut_short(settings(), "^^^^^^", "");
    let ended = Ended {
        early: None,
        signal: Some((15, "SIGTERM")),
        started: at(0),
        finished: at(9),
        against: Vec::new(),
        why: Vec::new(),
        release: None,
        run: "r1".to_owned(),
        baseline: None,
    };
    let decision = decide(&story.machine, ended);
    assert_eq!(
        (decision.decision, decision.exit_code),
        (Advice::Inconclusive, 143)
    );
    assert_eq!(
        decision.reasons,
        ["the watch was interrupted by SIGTERM after 6 of 31 samples"]
    );
}

#[test]
fn times_that_cannot_work_are_refused() {
    let new = |duration, every| {
        let seconds = |s| Some(Duration::from_secs_f64(s));
        Settings::new(
            &crate::release::config::Watch::default(),
            seconds(duration),
            seconds(every),
        )
    };
    assert!(
        new(10.0, 20.0)
            .unwrap_err()
            .contains("would see the start only")
    );
    assert!(
        new(100_000.0, 1.0)
            .unwrap_err()
            .contains("more than 5000 samples")
    );
    assert!(new(1.0, 0.001).unwrap_err().contains("too often"));
    assert_eq!(new(3.0, 1.0).unwrap().planned(), 4);
}

#[test]
fn a_fraction_of_the_samples_is_no_watch() {
    // 31 are planned, 25 are needed.
    let few = decided(&cut_short(settings(), &"^".repeat(24), ""));
    assert_eq!((few.decision, few.exit_code), (Advice::Inconclusive, 3));
    assert!(
        few.reasons[0].starts_with("24 of 31 planned samples were taken where 25 are needed"),
        "{:?}",
        few.reasons
    );
    let enough = decided(&cut_short(settings(), &"^".repeat(25), ""));
    assert_eq!(enough.decision, Advice::Accept);
    let one = decided(&story(settings(), "?^", ""));
    assert_eq!(one.decision, Advice::Inconclusive);
}

#[test]
fn an_end_that_nobody_saw_is_no_success() {
    let mut story = story(settings(), "^^^^^^", "");
    story.second += 31;
    let decision = decided(&story);
    assert_eq!(decision.decision, Advice::Inconclusive);
    assert!(
        decision.reasons[0].contains("before the end of the watch"),
        "{:?}",
        decision.reasons
    );
}

#[test]
fn a_tenth_of_the_samples_may_be_unable_to_tell() {
    let limit = |minutes: u64, every: u64| {
        let seconds = |s| Some(Duration::from_secs(s));
        let watch = crate::release::config::Watch::default();
        let settings = Settings::new(&watch, seconds(minutes * 60), seconds(every)).unwrap();
        settings.inconclusive_limit
    };
    assert_eq!((limit(15, 30), limit(1, 30), limit(60, 1)), (4, 1, 361));
    let health = "^?^^?^^?^^";
    assert_eq!(
        decided(&story(settings(), &health[..3], "")).decision,
        Advice::Accept
    );
    let mut short = settings();
    short.inconclusive_limit = 1;
    assert_eq!(
        decided(&story(short, health, "")).decision,
        Advice::Inconclusive
    );
}

#[test]
fn while_it_goes_on_there_is_no_conclusion() {
    let story = story(settings(), "^^^^", "");
    let ended = Ended {
        early: None,
        signal: None,
        started: at(0),
        finished: at(0),
        against: Vec::new(),
        why: Vec::new(),
        release: None,
        run: String::new(),
        baseline: None,
    };
    let decision = under_way(&story.machine, ended);
    assert_eq!(
        (decision.decision, decision.exit_code),
        (Advice::Inconclusive, 3)
    );
    assert!(decision.reasons[0].contains("under way, or was killed"));
}
