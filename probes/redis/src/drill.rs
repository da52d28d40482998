//! The failover drill.

use crate::{
    config::Drill,
    look::Looker,
    measurement::{Denial, DrillRecord, RedisMeasurement},
};

pub(crate) async fn hold(
    _looker: &Looker<'_>,
    _drill: &Drill,
    _measurement: &RedisMeasurement,
) -> DrillRecord {
    DrillRecord {
        not_held: Some(Denial {
            code: String::new(),
            message: "todo".to_owned(),
        }),
        handovers: Vec::new(),
    }
}
