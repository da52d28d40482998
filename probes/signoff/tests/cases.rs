//! The case files, and what the probe says when it is called alone.

use std::time::Duration;

use readygate_sdk::{Cx, ErrorKind, Probe as _, testkit};
use readygate_signoff::{Signoff, SignoffConfig};

#[test]
fn cases_hold_and_cover_every_rule() {
    let produced = testkit::run_cases::<Signoff>(concat!(env!("CARGO_MANIFEST_DIR"), "/cases"));
    for rule in Signoff::META.rules {
        assert!(
            produced.iter().any(|code| code == rule.code),
            "no case fails {}",
            rule.code
        );
    }
}

#[tokio::test]
async fn called_alone_it_takes_nothing_on_trust() {
    let config: SignoffConfig = serde_json::from_value(serde_json::json!({"role": "dba"})).unwrap();
    let cx = Cx::builder(Duration::from_secs(5)).build();
    let error = Signoff::measure(&config, &cx).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NoData);
    cx.cancellation().cancel();
    let error = Signoff::measure(&config, &cx).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Cancelled);
}
