//! OCSP responses, written by hand (RFC 6960).

use aws_lc_rs::digest;
use rcgen::{CertifiedIssuer, KeyPair, SigningKey as _};
use time::OffsetDateTime;

fn tlv(tag: u8, contents: &[u8]) -> Vec<u8> {
    let mut der = vec![tag];
    let length = contents.len();
    match length {
        0..=0x7f => der.push(u8::try_from(length).unwrap()),
        0x80..=0xff => der.extend([0x81, u8::try_from(length).unwrap()]),
        _ => der.extend([
            0x82,
            u8::try_from(length >> 8).unwrap(),
            u8::try_from(length & 0xff).unwrap(),
        ]),
    }
    der.extend(contents);
    der
}

fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

fn time(at: OffsetDateTime) -> Vec<u8> {
    let text = format!(
        "{:04}{:02}{:02}{:02}{:02}{:02}Z",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    );
    tlv(0x18, text.as_bytes())
}

/// What a response says.
pub struct Says {
    pub serial: Vec<u8>,
    pub revoked: bool,
    pub this_update: OffsetDateTime,
    pub next_update: OffsetDateTime,
}

pub fn response(issuer: &CertifiedIssuer<'static, KeyPair>, says: &Says) -> Vec<u8> {
    let key = issuer.key();
    let bits = rcgen::PublicKeyData::der_bytes(key);
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bits);
    let sha1 = sequence(&[tlv(6, &[0x2b, 0x0e, 3, 2, 0x1a]), tlv(5, &[])]);
    let id = sequence(&[
        sha1,
        tlv(4, &[0; 20]),
        tlv(4, hash.as_ref()),
        tlv(2, &says.serial),
    ]);
    let status = if says.revoked {
        tlv(0xa1, &time(says.this_update))
    } else {
        tlv(0x80, &[])
    };
    let single = sequence(&[
        id,
        status,
        time(says.this_update),
        tlv(0xa0, &time(says.next_update)),
    ]);
    let responder = tlv(0xa2, &tlv(4, hash.as_ref()));
    let data = sequence(&[responder, time(says.this_update), sequence(&[single])]);
    let signature = key.sign(&data).unwrap();
    let algorithm = sequence(&[tlv(6, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2])]);
    let basic = sequence(&[
        data,
        algorithm,
        tlv(3, &[&[0], signature.as_slice()].concat()),
    ]);
    let oid = tlv(6, &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1]);
    let bytes = sequence(&[oid, tlv(4, &basic)]);
    sequence(&[tlv(0x0a, &[0]), tlv(0xa0, &bytes)])
}
