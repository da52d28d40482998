//! The look at the set, repeated until it is as wanted or the time to settle is over.

mod drill;
mod look;
mod node;
mod questions;
mod reach;
mod timed;

use std::time::Duration;

use readygate_sdk::{Cx, ProbeError};
use tokio::time::Instant;

use crate::{
    config::MongodbConfig,
    judge,
    measurement::{MongodbMeasurement, SettleRecord},
    uri,
};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(500);
/// What reporting needs before the deadline.
const SPARE: Duration = Duration::from_millis(30);
const MOST_REASONS: usize = 10;

pub async fn measure(config: &MongodbConfig, cx: &Cx) -> Result<MongodbMeasurement, ProbeError> {
    let options = uri::options(config, cx).await?;
    let mut measured = settled(config, &options, cx, config.settle.0).await?;
    if let Some(wanted) = &config.drill {
        measured.drill = Some(drill::drill(config, wanted, &options, &measured, cx).await?);
    }
    Ok(measured)
}

/// Looks until nothing is wrong that could pass by itself, or `patience` is over, or the deadline
/// leaves no time for another look.
async fn settled(
    config: &MongodbConfig,
    options: &mongodb::options::ClientOptions,
    cx: &Cx,
    patience: Duration,
) -> Result<MongodbMeasurement, ProbeError> {
    let started = Instant::now();
    let mut settle = SettleRecord::default();
    loop {
        let began = Instant::now();
        let mut measured = look::look(config, options, cx).await?;
        settle.looks += 1;
        settle.after_s = timed::seconds(began - started);
        let wrong = judge::may_pass_by_itself(config, &measured);
        if settle.looks == 1 {
            settle.at_first = wrong.iter().take(MOST_REASONS).cloned().collect();
        }
        let next = began.elapsed() + PAUSE + SPARE;
        let over = started.elapsed() + PAUSE > patience || cx.remaining() < next;
        if wrong.is_empty() || over {
            measured.settle = settle;
            return Ok(measured);
        }
        cx.progress(&format!("not settled yet: {}", wrong[0]));
        cx.sleep(PAUSE).await?;
    }
}
