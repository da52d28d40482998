//! The release flow: events, windows, the watch after a deployment, the breach clock, the decision.

pub mod bound;
pub mod config;
pub mod downtime;
mod event;
pub mod events;
mod order;
pub mod timeline;
pub mod watch;

pub use event::{Event, Type};
