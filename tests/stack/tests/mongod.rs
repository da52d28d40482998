//! The replica set starts, answers and stops.

use readygate_stack::{MongoSet, SetSpec};

#[tokio::test]
async fn a_set_has_one_primary() {
    let started = tokio::time::Instant::now();
    let set = MongoSet::start(SetSpec::default()).await.unwrap();
    println!("ready after {:?}", started.elapsed());
    assert!(set.primary().await.is_some());
}
