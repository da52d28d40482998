//! What probes that read report files share.
//!
//! `plan` is the part of a config that names a command and reports, `command` runs the one and
//! `find` looks for the others; `gather` does both. `fresh` tells evidence of this run from that of an earlier one,
//! `source` decodes any encoding, and `xml`, `json` and `lines` read the text with bounds and
//! places. `record` and `judge` are the parts of a measurement and of a judgement that follow.

pub mod command;
mod fault;
pub mod find;
mod fingerprint;
pub mod fresh;
pub mod gather;
mod guard;
pub mod json;
pub mod judge;
pub mod lines;
mod number;
pub mod plan;
pub mod record;
mod source;
mod text;
pub mod xml;

pub use fault::{Fault, Position};
pub use find::{Found, Pattern, find};
pub use fingerprint::{Fingerprint, Fingerprinter};
pub use guard::{Guard, KEEP};
pub use number::{Started, count, seconds, started, to_millis};
pub use source::{Digest, Source, fault_of};
pub use text::clip;
