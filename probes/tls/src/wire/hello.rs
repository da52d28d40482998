//! The hellos we say: one question each.

use std::hash::{BuildHasher as _, RandomState};

use super::{Group, Suite, Version, bytes::Writer};

/// Says "this is a retry with an older version" (RFC 7507).
const FALLBACK_SCSV: u16 = 0x5600;
/// Says "I know secure renegotiation", where there are no extensions (RFC 5746 3.3).
const RENEGOTIATION_SCSV: u16 = 0x00ff;

/// Signature schemes offered: all that a server may want, SHA-1 among them, for the question is
/// what it has and not whether we like it.
const SIGNATURES: [u16; 16] = [
    0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0807, 0x0808, 0x0809, 0x080a, 0x080b, 0x0401,
    0x0501, 0x0601, 0x0203, 0x0201,
];

/// What a ClientHello says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// The one version offered (up to TLS 1.2: the best one, as servers may choose an older).
    pub version: Version,
    /// In the order of preference.
    pub suites: Vec<Suite>,
    /// SNI.
    pub name: Option<String>,
    /// In the order of preference; in TLS 1.3 without a key share for any of them.
    pub groups: Vec<Group>,
    /// ALPN.
    pub alpn: Vec<String>,
    /// Whether DEFLATE is offered before no compression.
    pub compression: bool,
    /// Whether it pretends to be a fallback.
    pub fallback: bool,
}

impl Hello {
    /// The bytes to send: one record, or SSLv2's own framing.
    pub fn encode(&self) -> Vec<u8> {
        if self.version == Version::Ssl2 {
            return self.encode_ssl2();
        }
        let mut record = Writer::default();
        // RFC 8446 5.1: 0x0301 for compatibility; a server that knows SSLv3 only wants 0x0300.
        let outer = self.version.number().min(Version::Tls10.number());
        record.u8(22).u16(outer).vector(2, |handshake| {
            handshake.u8(1).vector(3, |body| self.body(body));
        });
        record.0
    }

    /// CLIENT-HELLO of SSLv2: MSB of the length set, no padding.
    fn encode_ssl2(&self) -> Vec<u8> {
        let mut body = Writer::default();
        let specs: Vec<u8> = self
            .suites
            .iter()
            .flat_map(|s| s.0.to_be_bytes().into_iter().skip(1))
            .collect();
        let length = u16::try_from(specs.len()).unwrap_or(0);
        body.u8(1).u16(Version::Ssl2.number()).u16(length);
        body.u16(0).u16(16).raw(&specs).raw(&random()[..16]);
        let mut message = Writer::default();
        message.u16(0x8000 | u16::try_from(body.0.len()).unwrap_or(0));
        message.raw(&body.0);
        message.0
    }

    fn body(&self, body: &mut Writer) {
        let inner = self.version.number().min(Version::Tls12.number());
        body.u16(inner).raw(&random());
        body.vector(1, |id| {
            // RFC 8446 D.4: middleboxes want to see a session id.
            if self.version == Version::Tls13 {
                id.raw(&random());
            }
        });
        body.vector(2, |suites| {
            for suite in &self.suites {
                suites.u16(u16::try_from(suite.0).unwrap_or(0));
            }
            if self.version == Version::Ssl3 {
                suites.u16(RENEGOTIATION_SCSV);
            }
            if self.fallback {
                suites.u16(FALLBACK_SCSV);
            }
        });
        body.vector(1, |methods| {
            methods.raw(if self.compression { &[1, 0] } else { &[0] });
        });
        if self.version > Version::Ssl3 {
            body.vector(2, |extensions| self.extensions(extensions));
        }
    }

    /// None that is empty comes last: there are servers that choke on it.
    fn extensions(&self, out: &mut Writer) {
        if let Some(name) = &self.name {
            extension(out, 0, |e| {
                e.vector(2, |list| {
                    list.u8(0).vector(2, |n| _ = n.raw(name.as_bytes()));
                });
            });
        }
        if self.version == Version::Tls13 {
            extension(out, 43, |e| _ = e.u8(2).u16(Version::Tls13.number()));
            extension(out, 45, |e| _ = e.u8(1).u8(1));
            // No share: a server that has one of the groups answers with its name.
            extension(out, 51, |e| _ = e.u16(0));
        } else {
            extension(out, 23, |_| ());
            extension(out, 0xff01, |e| _ = e.u8(0));
            extension(out, 35, |_| ());
            extension(out, 5, |e| _ = e.u8(1).u16(0).u16(0));
            extension(out, 11, |e| _ = e.u8(1).u8(0));
        }
        if !self.alpn.is_empty() {
            extension(out, 16, |e| {
                e.vector(2, |list| {
                    for protocol in &self.alpn {
                        list.vector(1, |p| _ = p.raw(protocol.as_bytes()));
                    }
                });
            });
        }
        if self.version >= Version::Tls12 {
            extension(out, 13, |e| {
                e.vector(2, |list| SIGNATURES.iter().for_each(|s| _ = list.u16(*s)));
            });
        }
        if !self.groups.is_empty() {
            extension(out, 10, |e| {
                e.vector(2, |list| self.groups.iter().for_each(|g| _ = list.u16(g.0)));
            });
        }
    }
}

fn extension(out: &mut Writer, kind: u16, fill: impl FnOnce(&mut Writer)) {
    out.u16(kind).vector(2, fill);
}

/// Bytes that differ from call to call. Nothing is ever encrypted, so they need not be secret.
fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    for (index, part) in bytes.chunks_mut(8).enumerate() {
        part.copy_from_slice(&RandomState::new().hash_one(index).to_be_bytes());
    }
    bytes
}
