//! The scalars of a measurement.

use readygate_sdk::{MetricSpec, Metrics, Unit};

use crate::{
    measurement::{Peer, TlsMeasurement},
    wire::{Answer, Version},
    x509::Certificate,
};

/// What `expect` may name.
pub const METRICS: &[MetricSpec] = &[
    MetricSpec::new(
        "expires_in",
        Unit::Seconds,
        "Time until the first certificate of any path expires; negative once it has",
    ),
    MetricSpec::new(
        "validity",
        Unit::Seconds,
        "Longest life of a server's certificate, from its first to its last second",
    ),
    MetricSpec::new(
        "chain.length",
        Unit::Count,
        "Certificates sent, the most of any server",
    ),
    MetricSpec::new(
        "key.bits",
        Unit::Count,
        "Bits of the smallest key of a server's certificate",
    ),
    MetricSpec::new(
        "scts",
        Unit::Count,
        "Embedded timestamps of transparency logs, the fewest of any server's certificate",
    ),
    MetricSpec::new(
        "versions",
        Unit::Count,
        "Versions of SSL and TLS that any server accepts",
    ),
    MetricSpec::new(
        "version.min",
        Unit::Count,
        "Oldest version that any server accepts: 1.2 is TLS 1.2, 0.3 is SSLv3",
    ),
    MetricSpec::new(
        "version.max",
        Unit::Count,
        "Newest version that every server accepts",
    ),
    MetricSpec::new(
        "handshake.p50",
        Unit::Seconds,
        "Median of the full handshakes, without the TCP connection",
    ),
    MetricSpec::new(
        "peers",
        Unit::Count,
        "Pairs of address and name that were asked",
    ),
    MetricSpec::new("peers.answered", Unit::Count, "Those that spoke TLS"),
];

pub fn metrics(measurement: &TlsMeasurement) -> Metrics {
    let mut metrics = Metrics::new();
    certificates(measurement, &mut metrics);
    versions(measurement, &mut metrics);
    let shaken = measurement
        .peers
        .iter()
        .filter_map(|p| p.handshake.as_ref());
    let mut seconds: Vec<f64> = shaken.flat_map(|h| h.seconds.iter().copied()).collect();
    seconds.sort_by(f64::total_cmp);
    match seconds.get(seconds.len() / 2) {
        Some(middle) => metrics.seconds("handshake.p50", *middle),
        None => metrics.absent("handshake.p50", "no handshake came about"),
    };
    let answered = measurement
        .peers
        .iter()
        .filter(|p| p.fault.is_none())
        .count();
    metrics.count("peers", measurement.peers.len() as u64);
    metrics.count("peers.answered", answered as u64);
    metrics
}

fn number(version: Version) -> f64 {
    match version {
        Version::Ssl2 => 0.2,
        Version::Ssl3 => 0.3,
        Version::Tls10 => 1.0,
        Version::Tls11 => 1.1,
        Version::Tls12 => 1.2,
        Version::Tls13 => 1.3,
    }
}

/// A figure over all servers is known only if each of them is.
fn certificates(measurement: &TlsMeasurement, metrics: &mut Metrics) {
    const NAMES: [&str; 5] = ["expires_in", "validity", "chain.length", "key.bits", "scts"];
    let silent = measurement.peers.iter().find(|p| p.chains.is_empty());
    if let (Some(peer), _) | (None, Some(peer)) = (silent, unreadable(measurement)) {
        let reason = format!("the certificate of {} was not read", peer.subject());
        for name in NAMES {
            metrics.absent(name, &reason);
        }
        return;
    }
    let walks = || {
        measurement
            .peers
            .iter()
            .flat_map(|p| &p.chains)
            .map(|c| &c.walk)
    };
    let leaves = || walks().filter_map(|w| w.leaf());
    let life = |c: &Certificate| c.not_after.saturating_sub(c.not_before).saturating_add(1);
    let ends = walks()
        .flat_map(|w| w.on_path().map(|(_, c)| c.not_after))
        .min();
    let sent = walks()
        .map(|w| w.certificates.len() as u64 + u64::from(w.omitted))
        .max();
    let figures = [
        ends.map(|end| end.saturating_sub(measurement.at) as f64),
        leaves().map(life).max().map(|life| life as f64),
        sent.map(|n| n as f64),
        leaves().map(|l| l.key.bits).min().map(f64::from),
        leaves().map(|l| l.scts).min().map(f64::from),
    ];
    for (name, figure) in NAMES.into_iter().zip(figures) {
        let unit = METRICS
            .iter()
            .find(|m| m.name == name)
            .map_or(Unit::Count, |m| m.unit);
        match figure {
            Some(figure) => metrics.number(name, figure, unit),
            None => metrics.absent(name, "no certificate was seen"),
        };
    }
}

fn unreadable(measurement: &TlsMeasurement) -> Option<&Peer> {
    measurement.peers.iter().find(|p| {
        p.chains
            .iter()
            .any(|c| c.walk.on_path().any(|(_, c)| c.unreadable.is_some()))
    })
}

fn versions(measurement: &TlsMeasurement, metrics: &mut Metrics) {
    let mut any: Vec<Version> = Vec::new();
    let mut newest: Option<Version> = Some(Version::Tls13);
    for peer in &measurement.peers {
        let Some(survey) = &peer.survey else {
            let reason = format!("{} was not asked", peer.subject());
            for name in ["versions", "version.min", "version.max"] {
                metrics.absent(name, &reason);
            }
            return;
        };
        let rows = survey.versions.iter();
        let accepted = rows.filter(|row| matches!(row.answer, Answer::Accepted(_)));
        let own: Vec<Version> = accepted.map(|row| row.version).collect();
        newest = newest.min(own.iter().max().copied());
        any.extend(own);
    }
    any.sort();
    any.dedup();
    metrics.count("versions", any.len() as u64);
    for (name, version) in [
        ("version.min", any.first().copied()),
        ("version.max", newest),
    ] {
        match version {
            Some(version) => metrics.number(name, number(version), Unit::Count),
            None => metrics.absent(name, "no version is accepted"),
        };
    }
}
