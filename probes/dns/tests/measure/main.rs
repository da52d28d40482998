//! The whole gate against name servers on loopback, with one fault each.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod gate;
mod records;
mod stub;
mod zones;
