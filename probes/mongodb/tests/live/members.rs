//! Members that are well, dead, hung, alone.

use readygate_stack::{MongoSet, SetSpec};

use crate::common::{Verdict, look, three};

#[tokio::test(flavor = "multi_thread")]
async fn healthy_then_members_go() {
    let mut set = MongoSet::start(SetSpec::default()).await.unwrap();
    let seen = look(&set.uri(), three()).await;
    println!("{seen}");
    seen.ends(Verdict::Passed);
    assert_eq!(seen.wrong(), Vec::<&str>::new(), "{seen}");
    assert_eq!(seen.number("members.total"), 3.0);
    assert_eq!(seen.number("members.healthy"), 3.0);
    assert_eq!(seen.number("members.voting"), 3.0);
    assert_eq!(seen.number("primaries"), 1.0);
    assert_eq!(seen.number("replication_lag.max"), 0.0);
    assert_eq!(seen.number("commit_lag"), 0.0);

    let primary = set.primary().await;
    let secondary = (0..3).find(|n| Some(*n) != primary).unwrap();
    set.nodes[secondary].kill();
    let seen = look(&set.uri(), three()).await;
    println!("{seen}");
    let dead = set.nodes[secondary].address();
    seen.ends(Verdict::Failed)
        .fails("member-unreachable", &dead, "refuses connections");
    seen.fails("no-spare-member", "rs0", "");
    assert_eq!(seen.number("members.healthy"), 2.0);
}
