//! The contract between readygate and its probes.
//!
//! A probe measures one part of the world and judges the record that it brought back:
//!
//! - [`Probe::measure`] does I/O through [`Cx`] and knows no thresholds;
//! - [`Probe::metrics`] names the scalars of the record, for expectations, baselines and trends;
//! - [`Probe::judge`] is pure: it applies the probe's own [`Rule`]s and pushes a [`Check`] for each.
//!
//! A probe never knows the engine, a reporter or the config file. What it may not do by itself
//! (read the clock, the environment, stdout) is banned by clippy; `Cx` is the only door.

mod check;
mod cx;
mod error;
mod metric;
mod probe;
pub mod process;
mod rule;
mod secret;
mod text;
mod texts;
mod unit;

#[cfg(feature = "testkit")]
pub mod testkit;

pub use check::{Check, CheckBuilder, CheckOutcome, Checks, Location};
pub use cx::{Clock, Cx, CxBuilder, SystemClock, Target};
pub use error::{ConfigError, ConfigProblem, ErrorKind, ProbeError};
pub use metric::{Interval, Metric, MetricSpec, Metrics, Sample, Value, Windows};
pub use probe::{Activity, Alias, Bound, Comparison, Footprint, Meta, Probe};
pub use rule::{Level, Rule};
pub use secret::{Masker, SECRET_MARKER, Secret};
pub use text::{count_of, defang, excerpt, mentions};
pub use texts::Texts;
pub use unit::{ByteSize, Period, Quantity, QuantityError, Unit};
