//! The release flow: events, windows, the watch after a deployment, the breach clock, the decision.

pub mod config;
pub mod downtime;
mod event;
pub mod events;
mod order;
pub mod timeline;

pub use event::{Event, Type};
