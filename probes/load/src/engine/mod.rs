//! The load engine: makes HTTP load from this machine and reports what came of it.
//!
//! It knows no bound: it counts and times. The judge decides.
//!
//! A run is conducted by the gate's process ([`run`]), which tells workers what to do and adds up
//! what they report once a second. A worker is a thread with an epoll of its own: threads of the
//! gate's process where the limit of open files allows, of worker processes else
//! ([`worker_main`]). Nothing is stored for a request beyond what its connection holds while it
//! is in flight.

pub(crate) mod cache;
mod cap;
mod child;
mod children;
mod clock;
mod conduct;
mod content;
mod crew;
mod delivery;
mod frames;
mod h2;
mod http1;
mod layout;
mod ledger;
mod machine;
mod plan;
mod poller;
mod random;
pub mod report;
mod rows;
mod schedule;
mod socket;
pub mod spec;
mod tally;
mod targets;
mod template;
mod tls;
mod worker;

use readygate_sdk::{ErrorKind, ProbeError};

pub use child::worker_main;
pub use children::WORKER_COMMAND;
pub use conduct::{check, run};
pub(crate) use rows::LONGEST_WINDOW;

fn internal(message: &str) -> ProbeError {
    ProbeError::new(ErrorKind::Internal, "load", "making load", message)
}
