//! What probes that speak HTTP share. Not a probe: it judges nothing and knows no config file.
//!
//! [`Client`] sends one [`Request`] over one connection of its own: no pool, no proxy, no redirect, no
//! retry, no cookie jar stands between the [`Response`] and the server. Whatever goes wrong is a
//! [`ProbeError`](readygate_sdk::ProbeError) that names the URL and the phase, and everything ends at the
//! deadline of the [`Cx`](readygate_sdk::Cx) and when the run is interrupted. Everything read is bounded:
//! headers by number and bytes, bodies by [`Settings::max_body`], compressed or not.
//!
//! [`Client::follow`] follows redirects and leaves credentials on the origin that they are meant for.
//!
//! Secrets in what comes back are the caller's to mask; a [`Response`] is for the probe's eyes only.

mod address;
mod auth;
mod body;
mod client;
mod fault;
mod redirect;
mod request;
mod response;
mod trace;
mod trust;
pub mod validate;

#[cfg(feature = "testkit")]
pub mod testkit;

pub use address::{has_userinfo, resolve, shown, shown_text};
pub use auth::{Auth, BasicAuth};
pub use body::{Body, unzip};
pub use client::{Client, Settings};
pub use redirect::{Arrival, Hop, Stop};
pub use request::Request;
pub use response::{Response, Timings};
