//! From the leaf upwards: which certificate issued which, and where the path ends.

use x509_parser::{
    certificate::X509Certificate, prelude::FromDer as _, x509::SubjectPublicKeyInfo,
};

use super::{
    Anchors, Link, PathEnd,
    parse::name,
    signature::{Verdict, verify},
};

/// Certificates of a path that are followed; webpki follows 6 intermediates, OpenSSL 100.
const LONGEST_PATH: usize = 16;

/// Signatures checked for one chain: a chain of look-alikes must not cost minutes.
const MOST_SIGNATURES: u32 = 256;

type Parsed<'a> = Result<X509Certificate<'a>, String>;

/// The path of the first certificate.
#[derive(Debug, Clone)]
pub(super) struct Path {
    pub positions: Vec<usize>,
    pub links: Vec<Link>,
    pub end: PathEnd,
}

/// How good a path is; a better one is looked for as long as there may be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Grade {
    /// It leads nowhere.
    Dead,
    /// It leads to an anchor, over a certificate that is out of its dates.
    Stale,
    /// It leads to an anchor.
    Good,
}

struct Search<'a, 'b> {
    sent: &'a [Parsed<'b>],
    anchors: &'a Anchors,
    now: i64,
    budget: u32,
    best: Option<(Grade, Path)>,
}

/// Builds the path: the first that leads to an anchor over valid certificates, else the first that
/// leads to an anchor, else the first. Cross-signed authorities make more than one.
pub(super) fn build(sent: &[Parsed<'_>], anchors: &Anchors, now: i64) -> Path {
    let mut search = Search {
        sent,
        anchors,
        now,
        budget: MOST_SIGNATURES,
        best: None,
    };
    search.climb(&mut vec![0], &mut Vec::new());
    match search.best {
        Some((_, path)) => path,
        None => Path {
            positions: vec![0],
            links: Vec::new(),
            end: PathEnd::TooLong,
        },
    }
}

impl<'b> Search<'_, 'b> {
    fn done(&self) -> bool {
        self.budget == 0
            || self
                .best
                .as_ref()
                .is_some_and(|(grade, _)| *grade == Grade::Good)
    }

    fn check(&mut self, child: &X509Certificate<'_>, spki: &SubjectPublicKeyInfo<'_>) -> Verdict {
        if self.budget == 0 {
            return Verdict::Wrong;
        }
        self.budget -= 1;
        verify(
            &child.signature_algorithm.algorithm.to_id_string(),
            spki,
            child.tbs_certificate.as_ref(),
            child.signature_value.data.as_ref(),
        )
    }

    fn end(&mut self, positions: &[usize], links: &[Link], last: Option<Link>, end: PathEnd) {
        let in_date = |at: &usize| {
            self.sent
                .get(*at)
                .and_then(|p| p.as_ref().ok())
                .is_some_and(|c| {
                    let validity = c.tbs_certificate.validity();
                    let (from, to) = (
                        validity.not_before.timestamp(),
                        validity.not_after.timestamp(),
                    );
                    (from..=to).contains(&self.now)
                })
        };
        let grade = match end {
            PathEnd::Anchor { .. } if positions.iter().skip(1).all(in_date) => Grade::Good,
            PathEnd::Anchor { .. } => Grade::Stale,
            _ => Grade::Dead,
        };
        if self.best.as_ref().is_none_or(|(best, _)| grade > *best) {
            let path = Path {
                positions: positions.to_vec(),
                links: links.iter().copied().chain(last).collect(),
                end,
            };
            self.best = Some((grade, path));
        }
    }

    fn climb(&mut self, positions: &mut Vec<usize>, links: &mut Vec<Link>) {
        let sent = self.sent;
        let at = positions.last().copied().unwrap_or(0);
        let index = u32::try_from(at).unwrap_or(u32::MAX);
        let Some(Ok(child)) = sent.get(at) else {
            return self.end(positions, links, None, PathEnd::Unreadable { index });
        };
        if positions.len() > LONGEST_PATH {
            return self.end(positions, links, None, PathEnd::TooLong);
        }
        let mut wrong = false;
        if self.reaches_anchor(child, positions, links, &mut wrong) {
            return;
        }
        let tbs = &child.tbs_certificate;
        if tbs.subject.as_raw() == tbs.issuer.as_raw()
            && self.check(child, &tbs.subject_pki) != Verdict::Wrong
        {
            let end = match index {
                0 => PathEnd::SelfSigned,
                _ => PathEnd::UntrustedRoot { index },
            };
            return self.end(positions, links, None, end);
        }
        let mut went_on = false;
        for (next, parsed) in sent.iter().enumerate() {
            let Ok(parent) = parsed else { continue };
            if self.done() {
                return;
            }
            if positions.contains(&next)
                || parent.tbs_certificate.subject.as_raw() != tbs.issuer.as_raw()
            {
                continue;
            }
            match self.check(child, &parent.tbs_certificate.subject_pki) {
                Verdict::Wrong => wrong = true,
                verdict => {
                    went_on = true;
                    positions.push(next);
                    links.push(link(verdict));
                    self.climb(positions, links);
                    positions.pop();
                    links.pop();
                }
            }
        }
        if !went_on {
            let issuer = name(&tbs.issuer);
            let end = if wrong {
                PathEnd::WrongKey { index, issuer }
            } else {
                PathEnd::MissingIssuer { index, issuer }
            };
            self.end(positions, links, None, end);
        }
    }

    fn reaches_anchor(
        &mut self,
        child: &X509Certificate<'b>,
        positions: &[usize],
        links: &[Link],
        wrong: &mut bool,
    ) -> bool {
        let (anchors, tbs) = (self.anchors, &child.tbs_certificate);
        // A certificate that is itself in the store ends the path, whoever issued it.
        for anchor in anchors.named(tbs.subject.as_raw()) {
            if anchor.spki == tbs.subject_pki.raw {
                self.end(positions, links, None, anchor.end(&tbs.subject));
                return true;
            }
        }
        for anchor in anchors.named(tbs.issuer.as_raw()) {
            let Ok((_, spki)) = SubjectPublicKeyInfo::from_der(&anchor.spki) else {
                continue;
            };
            match self.check(child, &spki) {
                Verdict::Wrong => *wrong = true,
                verdict => {
                    let end = anchor.end(&tbs.issuer);
                    self.end(positions, links, Some(link(verdict)), end);
                    return true;
                }
            }
        }
        false
    }
}

fn link(verdict: Verdict) -> Link {
    match verdict {
        Verdict::Right | Verdict::Wrong => Link::Signed,
        Verdict::Unchecked => Link::Unchecked,
    }
}
