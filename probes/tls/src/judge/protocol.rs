//! Versions, suites, groups.

use readygate_sdk::{Checks, Level, Rule};

use super::{About, accepted, picked, sort, words};
use crate::{
    config::Profile,
    rules,
    wire::{Family, Group, Known, Survey, Version},
};

pub(super) fn judge(about: &About<'_>, survey: &Survey, checks: &mut Checks) {
    versions(about, survey, checks);
    broken(about, survey, checks);
    old_suites(about, survey, checks);
    dh(about, survey, checks);
    groups(about, survey, checks);
}

/// One check over several things that must all be refused.
fn none_of<T: Copy + std::fmt::Display>(
    about: &About<'_>,
    rule: &'static Rule,
    what: &str,
    found: (Vec<T>, Vec<(T, String)>),
    actual: impl Fn(T) -> String,
    checks: &mut Checks,
) {
    let (yes, unknown) = found;
    let check = checks.check(rule, &about.subject).expected("none accepted");
    if !yes.is_empty() {
        let list = yes
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ");
        let details = yes
            .iter()
            .map(|t| actual(*t))
            .filter(|text| !text.is_empty());
        check
            .actual(&list)
            .message(format!("the server accepts {list}"))
            .details(details)
            .fail();
    } else if let Some((first, why)) = unknown.first() {
        check.unmeasured(format!("whether {first} is accepted is not known: {why}"));
    } else {
        check.message(format!("no {what} is accepted")).pass();
    }
}

fn versions(about: &About<'_>, survey: &Survey, checks: &mut Checks) {
    let old = [Version::Ssl2, Version::Ssl3, Version::Tls10, Version::Tls11];
    let rows = old.into_iter().map(|v| (v, survey.version(v)));
    let what = "obsolete version of SSL or TLS";
    none_of(
        about,
        &rules::OLD_VERSION,
        what,
        sort(rows),
        |_| String::new(),
        checks,
    );
    let (tls12, tls13) = (
        speaks(about, survey, Version::Tls12),
        speaks(about, survey, Version::Tls13),
    );
    let check = checks
        .check(&rules::NO_MODERN_VERSION, &about.subject)
        .expected("TLS 1.2 or TLS 1.3");
    match (&tls12, &tls13) {
        (Ok(true), _) | (_, Ok(true)) => check.message("a modern version is accepted").pass(),
        (Ok(false), Ok(false)) => check.actual("neither").fail(),
        (Err(why), _) | (_, Err(why)) => check.unmeasured(why.clone()),
    }
    let check = checks.check(&rules::NO_TLS13, &about.subject);
    match &tls13 {
        Ok(true) => check.message("TLS 1.3 is accepted").pass(),
        Ok(false) if about.config.profile == Profile::Modern => check.level(Level::Error).fail(),
        Ok(false) => check.fail(),
        Err(why) => check.unmeasured(why.clone()),
    }
    if about.config.profile == Profile::Modern {
        let check = checks
            .check(&rules::OUTSIDE_PROFILE, &about.subject)
            .expected("TLS 1.3 only");
        match tls12 {
            Ok(true) => check
                .actual("TLS 1.2")
                .message("the server accepts TLS 1.2")
                .fail(),
            Ok(false) => check.message("TLS 1.2 is refused").pass(),
            Err(why) => check.unmeasured(why),
        }
    }
}

/// The handshake of the modern client is evidence, too.
fn speaks(about: &About<'_>, survey: &Survey, version: Version) -> Result<bool, String> {
    let shaken = about
        .peer
        .handshake
        .as_ref()
        .and_then(|h| h.version.as_deref());
    if shaken == Some(version.name()) {
        return Ok(true);
    }
    accepted(survey.version(version))
        .map_err(|why| format!("whether {version} is accepted is not known: {why}"))
}

/// A family as it reads in a sentence.
#[derive(Clone, Copy)]
struct Named(Family);

impl std::fmt::Display for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0 {
            Family::Null => "NULL (no encryption)",
            Family::Anonymous => "anonymous key exchange",
            Family::Export => "EXPORT",
            Family::Des => "DES",
            Family::TripleDes => "3DES",
            Family::Rc4 => "RC4",
            other => other.name(),
        })
    }
}

fn broken(about: &About<'_>, survey: &Survey, checks: &mut Checks) {
    let families = [
        Family::Null,
        Family::Anonymous,
        Family::Export,
        Family::Des,
        Family::TripleDes,
        Family::Rc4,
    ];
    let rows = families.into_iter().map(|f| (Named(f), survey.family(f)));
    let suite = |named: Named| picked(survey, named.0).unwrap_or_default();
    none_of(
        about,
        &rules::BROKEN_CIPHER,
        "broken cipher suite",
        sort(rows),
        suite,
        checks,
    );
}

fn old_suites(about: &About<'_>, survey: &Survey, checks: &mut Checks) {
    let strict = about.config.profile.is_strict();
    let aead = accepted(survey.family(Family::EcdheAead));
    let tls13 = speaks(about, survey, Version::Tls13);
    let check = checks.check(&rules::NO_MODERN_CIPHER, &about.subject);
    match (&aead, &tls13) {
        (Ok(true), _) | (_, Ok(true)) => check
            .message("a suite with ECDHE and AEAD is accepted")
            .pass(),
        (Ok(false), Ok(false)) => check.expected("TLS 1.3, or ECDHE with AEAD").fail(),
        (Err(why), _) | (_, Err(why)) => check.unmeasured(why.clone()),
    }
    for (rule, family, what) in [
        (&rules::CBC_CIPHER, Family::Cbc, "suites in CBC mode"),
        (
            &rules::STATIC_KEY_EXCHANGE,
            Family::StaticKeyExchange,
            "key exchanges without forward secrecy",
        ),
    ] {
        let ephemeral = [Family::EcdheAead, Family::Dhe, Family::Cbc];
        // Nothing but static keys up to TLS 1.2 is worse than an old option beside good ones.
        let alone = family == Family::StaticKeyExchange
            && ephemeral
                .iter()
                .all(|f| accepted(survey.family(*f)) == Ok(false));
        let level = if strict || alone {
            Level::Error
        } else {
            rule.level
        };
        let check = checks.check(rule, &about.subject).level(level);
        match accepted(survey.family(family)) {
            Ok(true) => {
                let suite = picked(survey, family).unwrap_or_default();
                let only = if alone { " and no others" } else { "" };
                let message = format!("the server accepts {what}{only}");
                check.actual(suite).message(message).fail();
            }
            Ok(false) => check.message(format!("no {what} are accepted")).pass(),
            Err(why) => {
                check.unmeasured(format!("whether {what} are accepted is not known: {why}"));
            }
        }
    }
}

fn dh(about: &About<'_>, survey: &Survey, checks: &mut Checks) {
    let check = checks
        .check(&rules::SHORT_DH, &about.subject)
        .expected("2048 bits or more");
    match &survey.dh {
        Known::Known { value } => check
            .actual(format!("{} bits", value.bits))
            .message(format!("the Diffie-Hellman group has {} bits", value.bits))
            .passed_if(value.bits >= 2048),
        Known::Moot { why } => check
            .message(format!("no finite-field Diffie-Hellman: {why}"))
            .pass(),
        Known::Unknown { doubt } => check.unmeasured(words(doubt)),
    }
}

fn groups(about: &About<'_>, survey: &Survey, checks: &mut Checks) {
    let shaken = about
        .peer
        .handshake
        .as_ref()
        .and_then(|h| h.group.as_deref());
    let offers = |group: Group, name: &str| {
        if shaken == Some(name) {
            return Ok(true);
        }
        accepted(survey.group(group))
            .map_err(|why| format!("whether {group} is offered is not known: {why}"))
    };
    // P-384 is what is left to clients without the others; P-521 alone shuts most of them out.
    let third = [
        (Group::P384, "secp384r1"),
        (Group::X25519_MLKEM768, "X25519MLKEM768"),
    ];
    let none = third
        .into_iter()
        .all(|(group, name)| offers(group, name) == Ok(false));
    let check = checks
        .check(&rules::MISSING_CURVES, &about.subject)
        .level(if none { Level::Error } else { Level::Warning })
        .expected("X25519 or P-256");
    match (
        offers(Group::X25519, "X25519"),
        offers(Group::P256, "secp256r1"),
    ) {
        (Ok(true), _) | (_, Ok(true)) => check.message("X25519 or P-256 is offered").pass(),
        (Ok(false), Ok(false)) if none => check
            .actual("neither, nor P-384")
            .message("the server offers no group that current clients have")
            .fail(),
        (Ok(false), Ok(false)) => check.actual("neither").fail(),
        (Err(why), _) | (_, Err(why)) => check.unmeasured(why),
    }
    let declared = about.config.profile == Profile::Pq;
    let check = checks.check(&rules::NO_POST_QUANTUM, &about.subject);
    match offers(Group::X25519_MLKEM768, "X25519MLKEM768") {
        Ok(true) => check.message("X25519MLKEM768 is offered").pass(),
        Ok(false) => check
            .level(if declared { Level::Error } else { Level::Info })
            .fail(),
        Err(why) => check.unmeasured(why),
    }
}
