//! Certificates without opinions: what each says, how they hang together, what the staple says.
//!
//! [`walk`] is total: whatever bytes come in, it ends, in bounded time and memory, and says what
//! could not be read.

mod der;
mod facts;
mod parse;
mod path;
mod signature;
mod staple;
mod walk;

pub use facts::{Certificate, Flaw, Key, Link, PathEnd, Staple, StapleStatus, Walk};
pub use walk::{Anchor, Anchors, MOST_CERTIFICATES, walk};

/// Feeds arbitrary bytes to the walk, as a server would send them: pieces with a length of two bytes
/// before each, the first of them the staple. The last certificate is trusted if it can be.
#[doc(hidden)]
pub fn fuzz_entry(bytes: &[u8]) {
    let mut pieces = Vec::new();
    let mut rest = bytes;
    while let Some((length, more)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length)).min(more.len());
        let (piece, behind) = more.split_at(length);
        pieces.push(piece.to_vec());
        rest = behind;
    }
    let Some((staple, chain)) = pieces.split_first() else {
        return;
    };
    let mut anchors = Anchors::default();
    if let Some(last) = chain.last() {
        let der = rustls::pki_types::CertificateDer::from(last.as_slice());
        if let Ok(anchor) = webpki::anchor_from_trusted_cert(&der) {
            anchors.add(anchor.to_owned());
        }
    }
    let walked = walk(chain, Some(staple), &anchors, 1_795_780_800);
    debug_assert!(walked.certificates.len() <= MOST_CERTIFICATES);
    debug_assert!(walked.path.len() <= MOST_CERTIFICATES);
}
