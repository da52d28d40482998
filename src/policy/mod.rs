//! The policy guard: what a change of the config loosens, and where trusted rules come from.

mod approval;
pub mod config;
pub mod diff;
mod documents;
mod name;
mod notice;
mod origin;

pub use approval::{Approval, Owner};
pub use documents::Documents;
pub use notice::notice;
pub use origin::{Origin, OriginError};
