//! Extensions, sessions, client certificates, plain text.

use readygate_sdk::{Checks, Level, Rule};

use super::{About, NOT_HELD, words};
use crate::{
    config::ClientCertificate,
    handshake::{CLOSED, RESET},
    measurement::{After, Handshake, Plain},
    rules,
    wire::{Fallback, Identity, Known, Survey, Version, plaintext::Plaintext},
};

/// Judges, and tells whether clients without a certificate are turned away: that explains a
/// handshake that fails.
pub(super) fn judge(about: &About<'_>, survey: &Survey, checks: &mut Checks) -> bool {
    alpn(about, checks);
    flag(
        about,
        &rules::INSECURE_RENEGOTIATION,
        &survey.secure_renegotiation,
        true,
        "renegotiation_info is sent",
        checks,
    );
    flag(
        about,
        &rules::COMPRESSION,
        &survey.compression,
        false,
        "nothing is compressed",
        checks,
    );
    flag(
        about,
        &rules::NO_EMS,
        &survey.extended_master_secret,
        true,
        "the extended master secret is used",
        checks,
    );
    fallback(about, survey, checks);
    resumption(about, checks);
    default_certificate(about, survey, checks);
    client_certificate(about, survey, checks)
}

/// A yes-or-no fact that must be `wanted`; moot is fine.
fn flag(
    about: &About<'_>,
    rule: &'static Rule,
    fact: &Known<bool>,
    wanted: bool,
    good: &str,
    checks: &mut Checks,
) {
    let check = checks.check(rule, &about.subject);
    match fact {
        Known::Known { value } if *value == wanted => check.message(good).pass(),
        Known::Known { .. } => check.fail(),
        Known::Moot { why } => check.message(format!("does not apply: {why}")).pass(),
        Known::Unknown { doubt } => check.unmeasured(words(doubt)),
    }
}

fn alpn(about: &About<'_>, checks: &mut Checks) {
    if about.config.alpn.is_empty() {
        return;
    }
    let wanted: Vec<&str> = about.config.alpn.iter().collect();
    let check = checks
        .check(&rules::ALPN, &about.subject)
        .expected(wanted.join(" or "));
    let Some(shaken) = &about.peer.handshake else {
        return check.unmeasured("no handshake was tried");
    };
    let fault = shaken.fault.as_ref();
    match (&shaken.alpn, &shaken.version) {
        (Some(protocol), _) => check
            .actual(protocol)
            .message(format!("the server agrees on {protocol}"))
            .passed_if(wanted.contains(&protocol.as_str())),
        (None, Some(_)) => check
            .actual("none")
            .message("the server agrees on no protocol")
            .fail(),
        (None, None)
            if fault.and_then(|f| f.alert.as_deref()) == Some("no_application_protocol") =>
        {
            check
                .actual("none")
                .message("the server refuses every declared protocol")
                .fail();
        }
        (None, None) => check.unmeasured("no handshake came about"),
    }
}

fn fallback(about: &About<'_>, survey: &Survey, checks: &mut Checks) {
    let check = checks.check(&rules::NO_FALLBACK_SCSV, &about.subject);
    match &survey.fallback {
        Known::Known {
            value: Fallback::Noticed { alert },
        } => {
            check
                .message(format!("a forced downgrade is noticed: {alert}"))
                .pass();
        }
        // TLS 1.3 marks such a downgrade in its own way (RFC 8446, section 4.1.3).
        Known::Known {
            value: Fallback::Accepted {
                version: Version::Tls12,
            },
        } => {
            check
                .message("a forced downgrade can go no lower than TLS 1.2")
                .pass();
        }
        Known::Known {
            value: Fallback::Accepted { version },
        } => check
            .actual(version.name())
            .message(format!("a forced downgrade to {version} is accepted"))
            .fail(),
        Known::Known { .. } => check.message("a forced downgrade is refused").pass(),
        Known::Moot { why } => check.message(format!("does not apply: {why}")).pass(),
        Known::Unknown { doubt } => check.unmeasured(words(doubt)),
    }
}

fn resumption(about: &About<'_>, checks: &mut Checks) {
    let resumed = about.peer.handshake.as_ref().and_then(|h| h.resumed);
    if let Some(resumed) = resumed {
        checks
            .check(&rules::NO_RESUMPTION, &about.subject)
            .message(if resumed {
                "a second connection takes up the session of the first"
            } else {
                "a second connection does not take up the session of the first"
            })
            .passed_if(resumed);
    }
}

fn default_certificate(about: &About<'_>, survey: &Survey, checks: &mut Checks) {
    let other = |known: &Known<Identity>| match known {
        Known::Known {
            value: Identity::Certificate { same, .. },
        } => Some(!*same),
        Known::Known { .. } => Some(false),
        _ => None,
    };
    let (without, wrong) = (other(&survey.without_name), other(&survey.wrong_name));
    let what = match (without, wrong) {
        (None, None) => return,
        (Some(true), _) => Some("a hello without a name"),
        (_, Some(true)) => Some("a hello with a name that nobody has"),
        _ => None,
    };
    let check = checks.check(&rules::DEFAULT_CERTIFICATE, &about.subject);
    match what {
        Some(what) => check
            .message(format!("{what} gets another certificate"))
            .fail(),
        None => check
            .message("no other certificate is shown for a wrong or missing name")
            .pass(),
    }
}

/// What is known of clients without a certificate.
enum Reception {
    NotAsked,
    Admitted(String),
    TurnedAway(String),
    Unknown(String),
}

fn reception(shaken: &Handshake, survey: &Survey) -> Reception {
    let asked = shaken.asks_certificate
        || matches!(&survey.client_certificate, Known::Known { value: Some(_) });
    if !asked {
        return match (&shaken.version, &survey.client_certificate) {
            (Some(_), _) | (None, Known::Known { .. }) => Reception::NotAsked,
            (None, Known::Moot { why }) => Reception::Unknown(why.clone()),
            (None, Known::Unknown { doubt }) => Reception::Unknown(words(doubt)),
        };
    }
    match (&shaken.after, &shaken.fault) {
        (Some(After::Alert { alert }), _) => Reception::TurnedAway(format!("alert {alert}")),
        (Some(After::Closed), _) => Reception::TurnedAway("the connection is closed".to_owned()),
        // nginx answers 400 and counts 495 and 496 inside.
        (
            Some(After::Http {
                status: status @ (400 | 401 | 403 | 495 | 496),
            }),
            _,
        ) => Reception::TurnedAway(format!("HTTP status {status}")),
        (Some(After::Http { status }), _) => Reception::Admitted(format!("HTTP status {status}")),
        (Some(After::Data), _) => Reception::Admitted("it sends data".to_owned()),
        (Some(After::Silence), _) => Reception::Admitted("the connection stays open".to_owned()),
        // Only a server that asked in this very handshake can have ended it for the lack of an
        // answer; one that agreed on a version before failed in another.
        (None, Some(fault))
            if shaken.asks_certificate
                && shaken.version.is_none()
                && (fault.alert.is_some() || [CLOSED, RESET].contains(&fault.message.as_str())) =>
        {
            Reception::TurnedAway(fault.message.clone())
        }
        (None, Some(fault)) => Reception::Unknown(fault.message.clone()),
        (None, None) => Reception::Unknown("what follows on the request was not seen".to_owned()),
    }
}

fn client_certificate(about: &About<'_>, survey: &Survey, checks: &mut Checks) -> bool {
    let none = Handshake::default();
    let shaken = about.peer.handshake.as_ref().unwrap_or(&none);
    let reception = reception(shaken, survey);
    let check = checks.check(&rules::CLIENT_CERTIFICATE, &about.subject);
    let away = matches!(reception, Reception::TurnedAway(_));
    match (about.config.client_certificate, reception) {
        (_, Reception::Unknown(why)) => check.unmeasured(format!("whether a client certificate is wanted is not known: {why}")),
        (ClientCertificate::None, Reception::NotAsked) => check.message("no client certificate is asked for").pass(),
        (ClientCertificate::None, Reception::Admitted(_)) => check
            .level(Level::Warning)
            .message("the server asks for a client certificate, and browsers will ask their users for one")
            .fail(),
        (ClientCertificate::None, Reception::TurnedAway(how)) => check
            .expected("clients without a certificate get in")
            .actual(&how)
            .message(format!("clients without a certificate are turned away: {how}"))
            .fail(),
        (ClientCertificate::Optional, Reception::Admitted(how)) => check
            .message(format!("a client certificate is asked for, and not insisted upon: {how}"))
            .pass(),
        (ClientCertificate::Optional | ClientCertificate::Required, Reception::NotAsked) => check
            .expected("a client certificate is asked for")
            .message("no client certificate is asked for")
            .fail(),
        (ClientCertificate::Optional, Reception::TurnedAway(how)) => check
            .expected("clients without a certificate get in")
            .message(format!("clients without a certificate are turned away: {how}"))
            .fail(),
        (ClientCertificate::Required, Reception::Admitted(how)) => check
            .expected("clients without a certificate are turned away")
            .actual(&how)
            .message(format!("a client without a certificate gets in: {how}"))
            .fail(),
        (ClientCertificate::Required, Reception::TurnedAway(how)) => check
            .message(format!("clients without a certificate are turned away: {how}"))
            .pass(),
    }
    away
}

pub(super) fn plaintext(about: &About<'_>, checks: &mut Checks) {
    let Some(plain) = &about.peer.plaintext else {
        // Where the host does not resolve there was nobody to ask.
        if about.config.store.is_some() && about.peer.address.is_some() {
            checks
                .check(&rules::PLAINTEXT, &about.subject)
                .unmeasured(NOT_HELD);
        }
        return;
    };
    let check = checks
        .check(&rules::PLAINTEXT, &about.subject)
        .expected("no answer without TLS");
    let answer = match plain {
        Plain::Seen { answer } => answer,
        Plain::Unknown { error } => {
            return check.unmeasured(format!("{} (while {})", error.message, error.phase));
        }
    };
    match answer {
        Plaintext::Answered {
            needs_authentication,
            excerpt,
        } => {
            let more = if *needs_authentication {
                ", and wants the password in the clear"
            } else {
                ", and wants no password"
            };
            check
                .actual(excerpt)
                .message(format!("a request without TLS is answered{more}"))
                .fail();
        }
        Plaintext::Declined { excerpt } => {
            check
                .message(format!("a request without TLS is declined: {excerpt}"))
                .pass();
        }
        Plaintext::TlsAlert { alert } => {
            check
                .message(format!("a request without TLS gets the alert {alert}"))
                .pass();
        }
        Plaintext::Closed | Plaintext::Reset => {
            check
                .message("the connection is closed on a request without TLS")
                .pass();
        }
        Plaintext::Silent { seconds } => {
            check.unmeasured(format!(
                "no answer within {seconds} s to a request without TLS (while asking in plain text)"
            ));
        }
        Plaintext::Other { excerpt } => {
            check.unmeasured(format!("a request without TLS gets an answer that is not understood: {excerpt} (while asking in plain text)"));
        }
    }
}
