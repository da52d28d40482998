//! What else was sent, and in which order.

use readygate_sdk::{Checks, Level, Unit, count_of};

use super::{AboutChain, trust::which};
use crate::{rules, x509::Certificate};

/// rustls reads 64 KiB of certificates, OpenSSL 100 KiB; the smaller one counts.
const MOST_BYTES: u64 = 64 * 1024;

pub(super) fn judge(about: &AboutChain<'_>, checks: &mut Checks) {
    let walk = &about.chain.walk;
    let sent = walk.certificates.len() as u64 + u64::from(walk.omitted);
    let size = Unit::Bytes.format(walk.bytes as f64);
    let what = format!(
        "{} of {size}",
        count_of(sent, "certificate", "certificates")
    );
    about
        .check(&rules::CHAIN_OVERSIZED, checks)
        .expected("at most 64 KiB")
        .actual(&size)
        .message(format!("the server sends {what}"))
        .passed_if(walk.bytes < MOST_BYTES && walk.omitted == 0);
    if walk.flaw.is_some() || walk.omitted > 0 {
        return; // without a path there is no order, and nothing is known to be superfluous
    }
    let ascending = walk.path.windows(2).all(|two| two[0] < two[1]);
    let order: Vec<String> = walk.path.iter().map(|at| (at + 1).to_string()).collect();
    about
        .check(&rules::CHAIN_ORDER, checks)
        .message(if ascending {
            "each certificate certifies the one before it".to_owned()
        } else {
            format!(
                "the path goes through the certificates in the order {}",
                order.join(", ")
            )
        })
        .passed_if(ascending);
    extra(about, checks);
}

fn extra(about: &AboutChain<'_>, checks: &mut Checks) {
    let walk = &about.chain.walk;
    let mut found: Vec<(Level, String)> = Vec::new();
    for (at, certificate) in walk.certificates.iter().enumerate() {
        let index = u32::try_from(at).unwrap_or(u32::MAX);
        if walk.path.contains(&index) || certificate.unreadable.is_some() {
            continue;
        }
        found.push(kind(about, index, certificate));
    }
    let check = about.check(&rules::CHAIN_EXTRA, checks);
    let worst = found.iter().map(|(level, _)| *level).max();
    match (found.first(), worst) {
        (Some((_, first)), Some(level)) => {
            let first = found
                .iter()
                .find(|f| f.0 == level)
                .map_or(first, |f| &f.1)
                .clone();
            let others = found.iter().map(|f| f.1.clone()).filter(|f| *f != first);
            check.level(level).message(&first).details(others).fail();
        }
        _ => check
            .message("every certificate that is sent is needed")
            .pass(),
    }
}

fn kind(about: &AboutChain<'_>, index: u32, certificate: &Certificate) -> (Level, String) {
    let walk = &about.chain.walk;
    let who = which(index, certificate);
    let earlier = walk.certificates.iter().take(index as usize);
    if earlier.into_iter().any(|c| c.sha256 == certificate.sha256) {
        return (Level::Warning, format!("{who} is sent twice"));
    }
    if certificate.not_after < about.now() {
        return (
            Level::Warning,
            format!("{who} has expired, and is sent although it is not needed"),
        );
    }
    let on_path = |c: &Certificate| walk.on_path().any(|(_, p)| p.issuer == c.subject);
    if certificate.self_issued && on_path(certificate) {
        return (
            Level::Info,
            format!("{who} is the root, which clients have already"),
        );
    }
    if on_path(certificate) {
        return (
            Level::Info,
            format!("{who} is for another path, for clients that do not have the root"),
        );
    }
    (
        Level::Warning,
        format!("{who} has nothing to do with the server's certificate"),
    )
}
