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
//! - **refused**: an alert, another version, or a close (three times, with other hellos answered
//!   before and after the third). A refusal only counts if the same server answered at least one
//!   hello of the survey
//!   with a ServerHello: a server that answers an alert to everything refused nothing in
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

use std::{net::SocketAddr, time::Duration};

use readygate_sdk::{Cx, ErrorKind, ProbeError};
use tokio::time::Instant;

mod assemble;
mod bytes;
mod codes;
mod der;
mod dial;
mod facts;
mod foreign;
mod hello;
mod interview;
mod messages;
mod options;
pub mod plaintext;
mod reader;
mod reply;
mod suites;
#[cfg(test)]
mod tests;
mod topic;
mod views;

pub use codes::{Alert, Group, Suite, Version};
pub use der::Der;
pub use facts::{
    Accepted, Answer, ClientCertificateRequest, Connection, Contact, Dh, Doubt, DoubtKind,
    Fallback, Family, FamilyAnswer, Foreign, GroupAnswer, Identity, Known, Preference, Presented,
    Refusal, Survey, VersionAnswer,
};
pub use options::{Options, Upgrade};
#[doc(hidden)]
pub use reply::fuzz_entry;

use assemble::Assembly;
use dial::Dialer;
use interview::{Findings, interview};
use reply::{End, Reply};
use topic::Asker;

/// Kept of the gate's time, to report what was found.
const MARGIN: Duration = Duration::from_millis(50);

/// Asks the server at `address`, under `name` (SNI; `None` for an IP address), everything that can
/// be asked in the clear.
///
/// `Ok` does not mean that it speaks TLS: see [`Survey::contact`] and [`Survey::problem`]. What
/// could not be asked is unknown in the survey. An error is a failed connect, or an interrupted
/// run.
pub async fn survey(
    address: SocketAddr,
    name: Option<&str>,
    options: &Options,
    cx: &Cx,
) -> Result<Survey, ProbeError> {
    let started = Instant::now();
    let subject = address.to_string();
    // What there is by then is worth more than a timeout.
    let over = cx.deadline().checked_sub(MARGIN).unwrap_or(started);
    let end = (started + options.budget).min(over);
    let name = name.map(|n| n.trim_end_matches('.'));
    let asker = Asker { name, options };
    let dialer = Dialer::new(address, options, end);
    let phase = "saying hello";
    let findings = cx.within(&subject, phase, interview(&asker, &dialer));
    let findings = findings.await?;
    let unheard = |r: &Reply| matches!(r.end, End::Connect(_) | End::NotAsked);
    if findings.asked.values().all(|a| unheard(&a.reply)) {
        return Err(unconnected(&subject, &findings));
    }
    let mut survey = Assembly::new(&findings).survey();
    survey.address = subject;
    survey.name = name.map(str::to_owned);
    survey.seconds = (started.elapsed().as_secs_f64() * 1e6).round() / 1e6;
    Ok(survey)
}

fn unconnected(subject: &str, findings: &Findings) -> ProbeError {
    let mut replies = findings.asked.values().map(|a| &a.reply.end);
    let (kind, message) = match replies.next() {
        Some(End::Connect(message)) => (ErrorKind::Connect, message.clone()),
        _ => (
            ErrorKind::Timeout,
            "there was no time to connect".to_owned(),
        ),
    };
    ProbeError::new(kind, subject, "connecting", message)
        .hint("check the address and port, that the server is up, and firewalls on the way")
}
