//! The checklist: reads a Markdown document without loss, turns it into a policy, fills it in.

pub mod anchor;
mod choice;
pub mod conflicts;
pub mod dictionary;
pub mod encoding;
pub mod import;
pub mod normal;
mod numbers;
pub mod propose;
pub mod render;
pub mod report;
pub mod scan;
pub mod shape;
pub mod source;
pub mod update;
pub mod verify;
mod yaml;
