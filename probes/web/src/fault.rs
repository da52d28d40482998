//! Names what went wrong on the way: reqwest's chain of causes becomes one [`ProbeError`].

use std::{error::Error, io};

use http::StatusCode;
use jiff::Timestamp;
use readygate_sdk::{ErrorKind, ProbeError, count_of};
use rustls::{AlertDescription, CertificateError};

use crate::{client::MOST_HEADERS, trace::Marks};

/// The causes that say more than "error sending request".
#[derive(Default)]
struct Causes<'a> {
    tls: Option<&'a rustls::Error>,
    hyper: Option<&'a hyper::Error>,
    io: Option<&'a io::Error>,
    /// The innermost cause.
    last: String,
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> Causes<'a> {
    let mut causes = Causes::default();
    let mut next: Option<&'a (dyn Error + 'static)> = Some(error);
    while let Some(error) = next {
        causes.last = error.to_string();
        causes.tls = causes.tls.or(error.downcast_ref());
        causes.hyper = causes.hyper.or(error.downcast_ref());
        next = error.source();
        if let Some(io) = error.downcast_ref::<io::Error>() {
            // The outer one may be a wrapper without a kind of its own.
            if causes
                .io
                .is_none_or(|outer| outer.kind() == io::ErrorKind::Other)
            {
                causes.io = Some(io);
            }
            // `source` of an io::Error skips the error that it wraps.
            if let Some(inner) = io.get_ref() {
                next = Some(inner);
            }
        }
    }
    causes
}

/// No response headers came.
pub(crate) fn sending(error: &reqwest::Error, marks: &Marks, subject: &str) -> ProbeError {
    let causes = causes(error);
    let phase = marks.phase();
    let fail = |kind, message: String| ProbeError::new(kind, subject, phase.clone(), message);
    if let Some(tls) = causes.tls {
        return tls_fault(tls, fail);
    }
    if marks.is_resolving() {
        return fail(
            ErrorKind::Connect,
            format!("the name does not resolve: {}", causes.last),
        )
        .hint("check the spelling, and the name servers of the machine that runs the gate");
    }
    if error.is_connect() && phase == "TLS handshake" {
        return handshake_fault(&causes, fail);
    }
    if error.is_connect() {
        return connection_fault(&causes, marks, fail);
    }
    answer_fault(&causes, fail)
}

type Fail<'a> = dyn Fn(ErrorKind, String) -> ProbeError + 'a;

fn connection_fault(
    causes: &Causes<'_>,
    marks: &Marks,
    fail: impl Fn(ErrorKind, String) -> ProbeError,
) -> ProbeError {
    let place = marks.place();
    match causes.io.map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => {
            fail(ErrorKind::Connect, format!("connection refused by {place}"))
                .hint("is the service running, and does it listen on this address and port?")
        }
        _ => fail(
            ErrorKind::Connect,
            format!("no connection to {place}: {}", causes.last),
        )
        .hint("check the route and the firewall between the gate and the target"),
    }
}

fn handshake_fault(
    causes: &Causes<'_>,
    fail: impl Fn(ErrorKind, String) -> ProbeError,
) -> ProbeError {
    let message = match causes.io.map(io::Error::kind) {
        Some(io::ErrorKind::UnexpectedEof) => "the server closed the connection".to_owned(),
        Some(io::ErrorKind::ConnectionReset) => "the server reset the connection".to_owned(),
        _ => causes.last.clone(),
    };
    fail(ErrorKind::Protocol, message)
        .hint("does this port speak TLS? `openssl s_client -connect HOST:PORT` shows it")
}

/// The connection stands, yet what comes is no response.
fn answer_fault(causes: &Causes<'_>, fail: impl Fn(ErrorKind, String) -> ProbeError) -> ProbeError {
    match causes.hyper {
        Some(hyper) if hyper.is_parse_too_large() => fail(
            ErrorKind::Protocol,
            format!(
                "the response headers are too large: more than {MOST_HEADERS}, or more than about 400 KB"
            ),
        )
        .hint("find what makes them grow; `curl -sD - -o /dev/null URL` shows them"),
        Some(hyper) if hyper.is_parse() => {
            let message = format!("what came back is not valid HTTP: {}", causes.last);
            fail(ErrorKind::Protocol, message)
                .hint("does another protocol own this port? a TLS port wants https://")
        }
        Some(hyper) if hyper.is_incomplete_message() => fail(
            ErrorKind::Protocol,
            "the server closed the connection before the response headers ended".into(),
        )
        .hint("look into the log of the server and of the proxies before it"),
        _ => broken(causes, fail),
    }
}

fn broken(causes: &Causes<'_>, fail: impl Fn(ErrorKind, String) -> ProbeError) -> ProbeError {
    let message = match causes.io.map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionReset) => "the server reset the connection".to_owned(),
        Some(io::ErrorKind::BrokenPipe) => "the server closed the connection".to_owned(),
        _ => format!("the exchange broke: {}", causes.last),
    };
    fail(ErrorKind::Protocol, message)
        .hint("look into the log of the server and of the proxies before it")
}

/// The headers came, the body did not come to its end.
pub(crate) fn reading(
    error: &reqwest::Error,
    subject: &str,
    status: StatusCode,
    read: u64,
    declared: Option<u64>,
) -> ProbeError {
    let causes = causes(error);
    let amount = match declared {
        Some(all) => format!("{read} of {all} bytes"),
        None => count_of(read, "byte", "bytes"),
    };
    let (what, cause) = match (causes.hyper, causes.io.map(io::Error::kind)) {
        (_, Some(io::ErrorKind::ConnectionReset)) => ("reset the connection", String::new()),
        (_, Some(io::ErrorKind::UnexpectedEof)) => ("closed the connection", String::new()),
        (Some(hyper), _) if hyper.is_incomplete_message() => {
            ("closed the connection", String::new())
        }
        _ => ("broke the protocol", format!(": {}", causes.last)),
    };
    let status = status.as_u16();
    let message =
        format!("the server answered {status} and {what} after {amount} of the body{cause}");
    ProbeError::new(ErrorKind::Protocol, subject, "reading the body", message)
        .hint("look into the log of the server and of the proxies before it")
}

/// The body came, and is not the gzip that the headers announce.
pub(crate) fn decoding(error: &io::Error, subject: &str, status: StatusCode) -> ProbeError {
    let status = status.as_u16();
    let message = format!("the server answered {status} with broken gzip: {error}");
    ProbeError::new(ErrorKind::BadData, subject, "reading the body", message)
        .hint("compare with `curl --compressed` and with `Accept-Encoding: identity`")
}

fn tls_fault(error: &rustls::Error, fail: impl Fn(ErrorKind, String) -> ProbeError) -> ProbeError {
    match error {
        rustls::Error::InvalidCertificate(cause) => certificate_fault(cause, &fail),
        rustls::Error::AlertReceived(
            alert @ (AlertDescription::CertificateRequired
            | AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::AccessDenied),
        ) => fail(
            ErrorKind::Refused,
            format!("the server refused the client: alert {alert:?}"),
        )
        .hint("the server wants a client certificate, which this probe does not send"),
        rustls::Error::AlertReceived(alert) => fail(
            ErrorKind::Protocol,
            format!("the server ended the handshake: alert {alert:?}"),
        )
        .hint("compare the TLS versions and names that the server offers; does it want a client certificate?"),
        rustls::Error::InvalidMessage(_) => fail(
            ErrorKind::Protocol,
            format!("what came back is not TLS: {error}"),
        )
        .hint("does this port speak plain HTTP? then write http://"),
        rustls::Error::PeerIncompatible(cause) => fail(
            ErrorKind::Protocol,
            format!("no TLS version or cipher in common: {cause:?}"),
        )
        .hint("the server must offer TLS 1.2 or 1.3"),
        other => fail(ErrorKind::Protocol, other.to_string()),
    }
}

fn certificate_fault(cause: &CertificateError, fail: &Fail<'_>) -> ProbeError {
    let date = |time: &rustls::pki_types::UnixTime| {
        i64::try_from(time.as_secs())
            .ok()
            .and_then(|s| Timestamp::from_second(s).ok())
            .map_or_else(String::new, |t| format!(" on {t}"))
    };
    let (message, hint) = match cause {
        CertificateError::Expired => ("the certificate has expired".to_owned(), RENEW),
        CertificateError::ExpiredContext { not_after, .. } => {
            (format!("the certificate expired{}", date(not_after)), RENEW)
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
            cause.to_string(),
            "check the clock of the machine that runs the gate, and the certificate's dates",
        ),
        CertificateError::UnknownIssuer => (
            "the certificate's issuer is unknown".to_owned(),
            "send the intermediate certificates along; name the authority in `ca` if it is your own",
        ),
        CertificateError::BadSignature => (
            "the certificate is signed with another key than its issuer's".to_owned(),
            "is the authority in `ca` an older one of the same name?",
        ),
        CertificateError::NotValidForName => {
            ("the certificate is for another name".to_owned(), RENAME)
        }
        CertificateError::NotValidForNameContext {
            expected,
            presented,
        } => (
            format!(
                "the certificate is for {}, not for {}",
                names(presented),
                expected.to_str()
            ),
            RENAME,
        ),
        CertificateError::Revoked => ("the certificate is revoked".to_owned(), RENEW),
        other => (format!("the certificate is not accepted: {other}"), RENEW),
    };
    fail(ErrorKind::Connect, message).hint(hint)
}

const RENAME: &str = "put the host's name into the certificate, or use a name it has";
const RENEW: &str = "renew the certificate and reload the server";

/// The names of a certificate, which rustls writes as `DnsName("example.com")`.
fn names(presented: &[String]) -> String {
    let bare = |name: &String| match name.split('"').nth(1) {
        Some(quoted) => quoted.to_owned(),
        None => name.clone(),
    };
    match presented {
        [] => "no name at all".to_owned(),
        some => some.iter().take(5).map(bare).collect::<Vec<_>>().join(", "),
    }
}
