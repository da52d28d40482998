//! `measure` with a clock that stands still.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::Timestamp;
use readygate_sdk::{Clock, Cx, ErrorKind, Probe as _, ProbeError};
use readygate_window::{Window, WindowConfig, WindowMeasurement, hindrances};
use serde_json::json;
use tokio_util::sync::CancellationToken;

struct Still(Timestamp);

impl Clock for Still {
    fn now(&self) -> Timestamp {
        self.0
    }
}

fn config() -> WindowConfig {
    let with = json!({
        "allow": [{"schedule": "0 22 * * TUE", "duration": "4h", "zone": "Europe/Berlin", "reason": "Tuesday night"}],
        "freeze": [{"schedule": "0 0 20 12 *", "duration": "16d", "zone": "Europe/Berlin", "reason": "Christmas"}],
        "reserve": {"deploy": "20m", "watch": "15m", "rollback": "15m"},
    });
    let config = serde_json::from_value(with).unwrap();
    Window::validate(&config).unwrap();
    config
}

async fn measure(at: &str, gitlab: Option<&str>) -> Result<WindowMeasurement, ProbeError> {
    let environment = gitlab.map(|v| ("CI_DEPLOY_FREEZE".to_owned(), v.to_owned()));
    let cx = Cx::builder(Duration::from_secs(10))
        .clock(Arc::new(Still(at.parse().unwrap())))
        .environment(environment.into_iter().collect::<BTreeMap<_, _>>())
        .build();
    Window::measure(&config(), &cx).await
}

#[tokio::test]
async fn the_clock_of_the_run_decides_and_the_record_survives_json() {
    // 2026-11-24 is a Tuesday.
    let open = measure("2026-11-24T22:00:00Z", Some("true")).await.unwrap();
    assert_eq!(
        open.open_until,
        Some("2026-11-25T01:00:00Z".parse().unwrap())
    );
    assert_eq!(
        open.next_freeze,
        Some("2026-12-19T23:00:00Z".parse().unwrap())
    );
    assert_eq!(open.gitlab.as_deref(), Some("true"));
    let json = serde_json::to_string(&open).unwrap();
    assert_eq!(
        serde_json::from_str::<WindowMeasurement>(&json).unwrap(),
        open
    );
    let closed = measure("2026-11-24T20:59:59Z", Some("")).await.unwrap();
    assert_eq!((closed.open_until, closed.gitlab), (None, None));
}

#[tokio::test]
async fn an_interrupted_run_has_no_measurement() {
    let cancel = CancellationToken::new();
    cancel.cancel();
    let cx = Cx::builder(Duration::from_secs(10))
        .cancellation(cancel)
        .build();
    let error = Window::measure(&config(), &cx).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Cancelled);
}

#[test]
fn a_freeze_wins_and_the_rest_of_a_window_must_be_long_enough() {
    let codes = |at: &str, gitlab| -> Vec<String> {
        let found = hindrances(&config(), at.parse().unwrap(), gitlab).unwrap();
        found.into_iter().map(|c| c.rule).collect()
    };
    assert!(codes("2026-11-24T22:00:00Z", None).is_empty());
    assert!(codes("2026-11-24T22:00:00Z", Some("false")).is_empty());
    assert_eq!(
        codes("2026-11-24T22:00:00Z", Some("true")),
        ["window/gitlab-freeze"]
    );
    assert!(codes("2026-11-25T00:10:00Z", None).is_empty());
    assert_eq!(codes("2026-11-25T00:10:01Z", None), ["window/too-short"]);
    assert_eq!(codes("2026-11-24T12:00:00Z", None), ["window/closed"]);
    // 2026-12-22 is a Tuesday too, inside of the freeze.
    assert_eq!(codes("2026-12-22T22:00:00Z", None), ["window/frozen"]);
}

/// The minutes of a schedule are looked at one by one only where they can matter.
#[test]
fn a_window_that_is_always_open_is_told_quickly() {
    let with =
        json!({"allow": [{"schedule": "* * * * *", "duration": "1m", "zone": "America/New_York"}]});
    let config: WindowConfig = serde_json::from_value(with).unwrap();
    assert!(
        hindrances(&config, "2026-11-24T22:00:00Z".parse().unwrap(), None)
            .unwrap()
            .is_empty()
    );
}
