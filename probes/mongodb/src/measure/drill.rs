//! The failover on purpose.

use mongodb::options::ClientOptions;
use readygate_sdk::{Cx, ProbeError};

use crate::{
    config::{Drill, MongodbConfig},
    measurement::{DrillRecord, MongodbMeasurement},
};

pub async fn drill(
    _config: &MongodbConfig,
    _wanted: &Drill,
    _options: &ClientOptions,
    _before: &MongodbMeasurement,
    _cx: &Cx,
) -> Result<DrillRecord, ProbeError> {
    Ok(DrillRecord {
        not_begun: Some("not built yet".to_owned()),
        ..DrillRecord::default()
    })
}
