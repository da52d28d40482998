//! Nodes that are gone.

use readygate_stack::{RedisCluster, RedisOptions};
use serde_json::json;

use crate::common::{Verdict, look};

#[tokio::test]
async fn each_of_six_nodes_killed_in_turn() {
    let mut cluster = RedisCluster::start(&RedisOptions::default()).unwrap();
    let nodes = cluster.addresses();

    let healthy = look(&nodes, json!({})).await;
    healthy.expect(Verdict::Pass);
    for (metric, value) in [
        ("nodes.known", 6.0),
        ("nodes.online", 6.0),
        ("nodes.failed", 0.0),
        ("masters", 3.0),
        ("replicas", 3.0),
        ("slots.covered", 16_384.0),
        ("slots.open", 0.0),
        ("views", 1.0),
    ] {
        assert!((healthy.number(metric) - value).abs() < 0.5, "{metric}");
    }
    assert!(healthy.number("replication_lag.max") <= 2.0);

    for (index, node) in nodes.iter().enumerate() {
        cluster.node_mut(index).kill();
        let seen = look(&nodes, json!({})).await;
        seen.expect(Verdict::Fail)
            .names("unreachable", node)
            .names("node-missing", node);
        assert!((seen.number("nodes.online") - 5.0).abs() < 0.5);
        assert!((seen.number("nodes.failed") - 1.0).abs() < 0.5);
        assert_eq!(seen.of("unreachable").len(), 1, "{}", seen.report());
        cluster.node_mut(index).start().unwrap();
        cluster.wait_until_well().unwrap();
        look(&nodes, json!({"settle": "3s"}))
            .await
            .expect(Verdict::Pass);
    }
}
