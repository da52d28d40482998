//! Properties of the walk: it ends on any bytes, and a changed certificate is never accepted.

use std::sync::LazyLock;

use proptest::{collection::vec, prelude::*};
use readygate_tls::x509::{Anchors, PathEnd, Walk, fuzz_entry, walk};
use rustls::pki_types::CertificateDer;

use crate::{
    pki::{self, DAY, Pki},
    staple::{Says, response},
};

struct Fixed {
    chain: Vec<Vec<u8>>,
    staple: Vec<u8>,
    anchors: Anchors,
}

static FIXED: LazyLock<Fixed> = LazyLock::new(|| {
    let pki = Pki::new();
    let mut anchors = Anchors::default();
    let root = CertificateDer::from(pki.root.der().to_vec());
    let anchor = webpki::anchor_from_trusted_cert(&root).unwrap();
    anchors.add(anchor.to_owned());
    let says = Says {
        serial: vec![0x11, 0x22, 0x33],
        revoked: false,
        this_update: pki::now() - DAY,
        next_update: pki::now() + DAY,
    };
    Fixed {
        chain: pki.good().chain,
        staple: response(&pki.intermediate, &says),
        anchors,
    }
});

fn look(chain: &[Vec<u8>], staple: &[u8]) -> Walk {
    walk(
        chain,
        Some(staple),
        &FIXED.anchors,
        pki::now().unix_timestamp(),
    )
}

fn accepted(walk: &Walk) -> bool {
    walk.flaw.is_none() && matches!(walk.end, PathEnd::Anchor { .. })
}

#[test]
fn the_chain_as_it_is_is_accepted() {
    let walk = look(&FIXED.chain, &FIXED.staple);
    assert!(accepted(&walk), "{walk:#?}");
    assert_eq!(walk.staple.unwrap().invalid, None);
    assert_eq!(walk.path, [0, 1]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_flipped_bit_is_never_accepted(which in 0usize..2, at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let mut chain = FIXED.chain.clone();
        let index = at.index(chain[which].len());
        chain[which][index] ^= 1 << bit;
        let walk = look(&chain, &[]);
        prop_assert!(!accepted(&walk), "byte {index} bit {bit} of certificate {which}");
    }

    #[test]
    fn a_flipped_bit_of_a_staple_never_revokes(at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let mut staple = FIXED.staple.clone();
        let index = at.index(staple.len());
        staple[index] ^= 1 << bit;
        let walk = look(&FIXED.chain, &staple);
        let said = walk.staple.unwrap();
        let revoked = said.status == readygate_tls::x509::StapleStatus::Revoked;
        prop_assert!(!revoked || said.invalid.is_some());
    }

    #[test]
    fn any_bytes_end(bytes in vec(any::<u8>(), 0..2000)) {
        fuzz_entry(&bytes);
    }

    #[test]
    fn cut_and_joined_pieces_end(cut in any::<prop::sample::Index>(), junk in vec(any::<u8>(), 0..64)) {
        let mut bytes = Vec::new();
        for piece in [&FIXED.staple].into_iter().chain(&FIXED.chain) {
            bytes.extend(u16::try_from(piece.len()).unwrap().to_be_bytes());
            bytes.extend(piece);
        }
        let at = cut.index(bytes.len());
        bytes.splice(at..at, junk);
        fuzz_entry(&bytes);
        bytes.truncate(at);
        fuzz_entry(&bytes);
    }
}
