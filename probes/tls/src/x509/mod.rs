//! Certificates without opinions: what each says, how they hang together, what the staple says.
//!
//! [`walk`] is total: whatever bytes come in, it ends, in bounded time and memory, and says what
//! could not be read.

mod der;
mod facts;
mod parse;
mod path;
mod signature;
mod staple;
mod walk;

pub use facts::{Certificate, Flaw, Key, Link, PathEnd, Staple, StapleStatus, Walk};
pub use walk::{Anchor, Anchors, MOST_CERTIFICATES, walk};
