//! Failovers on purpose.

use std::time::Duration;

use readygate_mongodb::Mongodb;
use readygate_sdk::{Activity, Probe};
use readygate_stack::{MongoSet, SetSpec};
use serde_json::json;

use crate::common::{Verdict, config, look_within, three, with};

const TIMEOUT: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn the_primary_steps_down_and_all_is_well_again() {
    let set = MongoSet::start(SetSpec::default()).await.unwrap();
    let drill = |recovery| {
        with(
            three(),
            json!({ "settle": "5s", "drill": { "step_down": "3s", "recovery": recovery } }),
        )
    };
    let asked = config(&set.uri(), drill("20s"));
    assert_eq!(Mongodb::footprint(&asked).activity, Activity::Disruptive);
    assert_eq!(
        Mongodb::footprint(&config(&set.uri(), three())).activity,
        Activity::Active
    );

    let before = set.primary().await.unwrap();
    let seen = look_within(TIMEOUT, &set.uri(), drill("20s"))
        .await
        .unwrap();
    seen.ends(Verdict::Passed)
        .passes("drill-not-recovered", &set.nodes[before].address());
    let gap = seen.number("drill.write_gap");
    assert!(gap > 0.0 && gap < 15.0, "{seen}");
    assert!(seen.number("drill.recovery") >= gap, "{seen}");
    assert_ne!(set.primary().await, Some(before));

    // Too little time to see the end of it: not begun.
    let seen = look_within(Duration::from_secs(10), &set.uri(), drill("20s"))
        .await
        .unwrap();
    seen.ends(Verdict::Unmeasured)
        .cannot_tell("drill-not-begun", "", "raise `timeout`");

    // A secondary stops for good once another one has taken over.
    let primary = set.primary().await.unwrap();
    let victim = (0..3).find(|n| *n != primary).unwrap();
    let uri = set.uri();
    let drilled = look_within(
        TIMEOUT,
        &uri,
        with(drill("8s"), json!({ "node_timeout": "1s" })),
    );
    let (seen, ()) = tokio::join!(drilled, async {
        let moved = async |set: &MongoSet| set.primary().await.is_some_and(|p| p != primary);
        set.until("another primary", moved).await.unwrap();
        set.nodes[victim].stop().unwrap();
    });
    let seen = seen.unwrap();
    seen.ends(Verdict::Failed)
        .fails("drill-not-recovered", "", &set.nodes[victim].address());

    // A set that is not well is left alone.
    let seen = look_within(
        TIMEOUT,
        &uri,
        with(drill("8s"), json!({ "node_timeout": "1s" })),
    )
    .await
    .unwrap();
    seen.ends(Verdict::Failed)
        .cannot_tell("drill-not-begun", "", "not well");
}
