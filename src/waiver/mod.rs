//! Waivers: reasoned, owned, expiring exceptions. The check still runs and is shown as waived.

pub mod config;
