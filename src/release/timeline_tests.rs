use serde_json::json;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn event(second: i64, event: Type, data: Value) -> Event {
    let Value::Object(data) = data else {
        panic!("no object")
    };
    Event {
        at: at(second),
        event,
        release: "4.0.0".to_owned(),
        data,
        recorded: None,
        prev: String::new(),
    }
}

fn breached(rollback: Option<i64>) -> Timeline {
    let mut events = vec![
        event(0, Type::ReleaseOpened, json!({"version": "4.0.0"})),
        event(
            1,
            Type::GateVerdict,
            json!({"verdict": "GO", "stages": ["pre-deploy"], "run": "r1"}),
        ),
        event(10, Type::DeployStarted, json!({})),
        event(70, Type::DeployFinished, json!({})),
        event(80, Type::WatchStarted, json!({"every_s": 30})),
        event(80, Type::WatchSample, json!({"n": 1, "down": false})),
        event(110, Type::WatchSample, json!({"n": 2, "down": true})),
        event(110, Type::BreachSuspected, json!({"gates": ["health"]})),
        event(111, Type::WatchSample, json!({"n": 3, "down": true})),
        event(
            111,
            Type::BreachConfirmed,
            json!({"gates": ["health"], "deadline": at(1011).to_string()}),
        ),
        event(
            112,
            Type::Decision,
            json!({"decision": "rollback", "reasons": ["health failed"], "deadline": at(1011).to_string()}),
        ),
    ];
    events.extend(rollback.map(|second| event(second, Type::RollbackStarted, json!({}))));
    Timeline::of(&events)
}

#[test]
fn a_release_is_told_from_its_events() {
    let timeline = breached(None);
    assert_eq!(timeline.release.as_deref(), Some("4.0.0"));
    assert_eq!(timeline.fact("version"), Some("4.0.0"));
    assert_eq!(timeline.verdicts[0].verdict, "GO");
    assert_eq!(timeline.started(), Some(at(10)));
    assert_eq!(timeline.duration(), Some(SignedDuration::from_secs(60)));
    let downtime = timeline.downtime.clone().unwrap();
    assert!(downtime.ongoing);
    assert_eq!((downtime.least_s, downtime.most_s), (1.0, 31.0));
    assert_eq!(timeline.breaches.len(), 1);
    assert_eq!(timeline.breaches[0].confirmed, Some(at(111)));
    assert_eq!(timeline.decision.as_ref().unwrap().decision, "rollback");
    assert!(!timeline.watching);
}

#[test]
fn the_rollback_clock() {
    let deadline = at(1011);
    let within = |second| breached(second).rollback_within.unwrap();
    assert_eq!(
        within(Some(1011)),
        Within::Met {
            deadline,
            started: deadline
        }
    );
    assert_eq!(
        within(Some(1012)),
        Within::Late {
            deadline,
            started: at(1012)
        }
    );
    assert_eq!(within(Some(1012)).failed(at(0)), Some(true));
    let open = within(None);
    assert_eq!(open.failed(deadline), None);
    assert_eq!(open.failed(at(1012)), Some(true));
    // A rollback from before the breach is no answer to it.
    assert_eq!(within(Some(100)), Within::NotStarted { deadline });
}

#[test]
fn what_is_not_known_is_not_made_up() {
    let opened = event(0, Type::ReleaseOpened, json!({}));
    let timeline = Timeline::of(std::slice::from_ref(&opened));
    assert_eq!(
        (
            timeline.duration(),
            timeline.downtime.clone(),
            timeline.rollback_within
        ),
        (None, None, None)
    );
    let started = event(5, Type::DeployStarted, json!({}));
    let timeline = Timeline::of(&[opened, started]);
    assert_eq!(
        (timeline.started(), timeline.duration()),
        (Some(at(5)), None)
    );
    assert_eq!(Timeline::of(&[]), Timeline::default());
}

#[test]
fn the_watch_knows_its_downtime_better_than_the_samples_in_the_history() {
    let told = json!({"seconds": 7.0, "least_s": 5.0, "most_s": 9.0, "resolution_s": 2.0, "outages": 1, "ongoing": false, "samples": 40});
    let watch = |second| {
        [
            event(second, Type::WatchStarted, json!({})),
            event(second, Type::WatchSample, json!({"down": true})),
            event(
                second + 60,
                Type::Decision,
                json!({"decision": "accept", "downtime": told}),
            ),
        ]
    };
    let events: Vec<Event> = watch(0).into_iter().chain(watch(100)).collect();
    let downtime = Timeline::of(&events).downtime.unwrap();
    assert_eq!(
        (downtime.seconds, downtime.samples, downtime.ongoing),
        (14.0, 80, false)
    );
}

#[test]
fn a_second_watch_does_not_start_the_rollback_clock_anew() {
    let breach = |second: i64| {
        let deadline = at(second + 900).to_string();
        [
            event(second - 2, Type::WatchStarted, json!({})),
            event(
                second - 1,
                Type::BreachSuspected,
                json!({"gates": ["health"]}),
            ),
            event(
                second,
                Type::BreachConfirmed,
                json!({"gates": ["health"], "deadline": deadline}),
            ),
            event(second, Type::Decision, json!({"decision": "rollback"})),
        ]
    };
    let one = |second, kind| vec![event(second, kind, json!({}))];
    let within = |parts: &[Vec<Event>]| Timeline::of(&parts.concat()).rollback_within;
    let (deployed, first, second) = (
        one(0, Type::DeployStarted),
        breach(100).to_vec(),
        breach(1500).to_vec(),
    );
    let rollback = one(1600, Type::RollbackStarted);
    let late = Within::Late {
        deadline: at(1000),
        started: at(1600),
    };
    let watched = [deployed, first, second.clone(), rollback];
    assert_eq!(within(&watched), Some(late));
    // A rollback that is tried again does not move it either.
    let again = [
        one(1700, Type::RollbackFinished),
        one(1800, Type::RollbackStarted),
    ];
    assert_eq!(within(&[&watched[..], &again].concat()), Some(late));
    // What is deployed anew has a clock of its own, and so has what breaks after a rollback.
    let anew = [one(2000, Type::DeployStarted)];
    assert_eq!(within(&[&watched[..], &anew].concat()), None);
    let broken = [one(1700, Type::RollbackFinished), breach(3000).to_vec()];
    assert_eq!(
        within(&[&watched[..], &broken].concat()),
        Some(Within::NotStarted { deadline: at(3900) })
    );
    // A rollback that began before the second look is an answer to the first.
    let early = [
        one(0, Type::DeployStarted),
        one(50, Type::BreachSuspected),
        one(55, Type::RollbackStarted),
        second[2..3].to_vec(),
    ];
    assert!(matches!(within(&early), Some(Within::Met { .. })));
}
