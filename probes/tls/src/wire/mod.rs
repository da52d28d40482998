//! What a TLS server answers to hand-made hellos, in cleartext and without a TLS library.
//!
//! A TLS library refuses to speak what a gate has to find: SSLv2, SSLv3, TLS 1.0, NULL, anonymous
//! and export suites, short Diffie-Hellman groups, compression. Up to and including the ServerHello
//! every version of TLS is cleartext, and up to TLS 1.2 so are the certificates, the staple and the
//! server's key exchange. So [`survey`] writes its own ClientHellos, one question each, reads what
//! comes back and hangs up. About 25 connections, 10 to 30 ms on loopback.
//!
//! The result is a [`Survey`]: facts, no opinions. Three things are kept apart everywhere:
//!
//! - **accepted**: a ServerHello that picks what the hello offered;
//! - **refused**: an alert, another version, or (twice, and with other hellos answered since) a
//!   close. A refusal only counts if the same server answered at least one hello of the survey
//!   with a ServerHello: a server that answers an alert to everything has refused nothing in
//!   particular;
//! - **unknown**: silence, a reset, bytes that are not TLS, a question that was not asked. With the
//!   reason and the phase ([`Doubt`]). Never to be read as refused.
//!
//! [`plaintext`] asks the other question of a data store's port: does it answer without TLS?
//!
//! Everything is bounded: [`Options`] has the deadlines, the number of connections at a time and
//! the bytes read of each.
//!
//! Sources: RFC 2246, 4346, 5246, 8446 (TLS 1.0 to 1.3), RFC 6101 (SSLv3), RFC 6176 (SSLv2), RFC
//! 5746 (renegotiation), RFC 7507 (SCSV), RFC 7627 (EMS), RFC 7919 and 8422 (groups),
//! draft-ietf-tls-ecdhe-mlkem (X25519MLKEM768).

use std::net::SocketAddr;

use readygate_sdk::{Cx, ErrorKind, ProbeError};

mod codes;
mod facts;
mod options;
pub mod plaintext;
mod suites;

pub use codes::{Alert, Group, Suite, Version};
pub use facts::{
    Accepted, Answer, ClientCertificateRequest, Connection, Contact, Der, Dh, Doubt, DoubtKind,
    Fallback, Family, FamilyAnswer, Foreign, GroupAnswer, Identity, Known, Preference, Presented,
    Refusal, Survey, VersionAnswer,
};
pub use options::{Options, Upgrade};

/// Asks the server at `address`, under `name` (SNI; `None` for an IP address), everything that can
/// be asked in the clear.
///
/// `Ok` does not mean that it speaks TLS: see [`Survey::contact`] and [`Survey::problem`]. What
/// could not be asked is unknown in the survey. An error is a failed connect, or an interrupted
/// run.
#[expect(clippy::unused_async, reason = "not written yet")]
pub async fn survey(
    address: SocketAddr,
    name: Option<&str>,
    options: &Options,
    cx: &Cx,
) -> Result<Survey, ProbeError> {
    let _ = (name, options, cx);
    let (kind, phase) = (ErrorKind::Internal, "saying hello");
    Err(ProbeError::new(
        kind,
        address.to_string(),
        phase,
        "is not written yet",
    ))
}
