//! Statements for other tools: in-toto predicates of a run, and the check of a whole bundle.

mod approved;
pub mod bundle;
pub(crate) mod consistent;
pub mod policy;
pub(crate) mod signatures;
pub mod statement;
pub mod verify;
