//! The checklist: reads a Markdown document without loss, turns it into a policy, fills it in.

pub mod anchor;
pub mod normal;
pub mod render;
pub mod report;
pub mod scan;
pub mod shape;
pub mod source;
pub mod verify;
