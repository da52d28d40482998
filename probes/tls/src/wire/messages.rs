//! What is in the handshake messages of a server.

use super::{ClientCertificateRequest, Der, Group, Suite, Version, bytes::Cursor};

/// More certificates than this are not a chain.
const MAX_CERTIFICATES: usize = 1_000;
/// The random of a ServerHello that is a HelloRetryRequest (RFC 8446 4.1.3).
const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// A ServerHello, HelloRetryRequest, or SSLv2's SERVER-HELLO.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerHello {
    /// The version agreed upon.
    pub version: Version,
    /// The suite picked; SSLv2 lists what it has, this is the first one of it.
    pub suite: Option<Suite>,
    /// Whether it asks for another hello.
    pub retry: bool,
    /// The compression method, 0 for none.
    pub compression: u8,
    /// renegotiation_info.
    pub renegotiation: bool,
    /// extended_master_secret.
    pub extended_master_secret: bool,
    /// session_ticket.
    pub ticket: bool,
    /// The protocol picked.
    pub alpn: Option<String>,
    /// The group of the key share.
    pub group: Option<Group>,
}

/// The group of a ServerKeyExchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyExchange {
    /// Finite field, with a prime of so many bits.
    FiniteField(u32),
    /// A named curve.
    Curve(Group),
}

/// ServerHello: RFC 5246 7.4.1.3, RFC 8446 4.1.3. Errors name what is wrong.
pub fn server_hello(body: &[u8]) -> Result<ServerHello, String> {
    let mut c = Cursor(body);
    let short = || "the ServerHello ends too early".to_owned();
    let number = c.u16().ok_or_else(short)?;
    let random = c.take(32).ok_or_else(short)?;
    let id = c.vector(1).ok_or_else(short)?;
    let suite = Suite(u32::from(c.u16().ok_or_else(short)?));
    let compression = c.u8().ok_or_else(short)?;
    if id.0.len() > 32 {
        return Err(format!("the session id has {} bytes", id.0.len()));
    }
    let mut hello = ServerHello {
        version: version(number)?,
        suite: Some(suite),
        retry: random == RETRY,
        compression,
        renegotiation: false,
        extended_master_secret: false,
        ticket: false,
        alpn: None,
        group: None,
    };
    // SSLv3 and old servers send no extensions at all, not even an empty list.
    if !c.is_empty() {
        let mut extensions = c.vector(2).ok_or_else(short)?;
        while !extensions.is_empty() {
            let kind = extensions.u16().ok_or_else(short)?;
            let data = extensions.vector(2).ok_or_else(short)?;
            read_extension(&mut hello, kind, data)?;
        }
        if !c.is_empty() {
            return Err("bytes follow the extensions of the ServerHello".to_owned());
        }
    }
    Ok(hello)
}

fn version(number: u16) -> Result<Version, String> {
    Version::of(number)
        .filter(|v| *v != Version::Ssl2)
        .ok_or_else(|| format!("the ServerHello picks version 0x{number:04x}"))
}

fn read_extension(hello: &mut ServerHello, kind: u16, mut data: Cursor) -> Result<(), String> {
    let short = || format!("extension {kind} of the ServerHello ends too early");
    match kind {
        0xff01 => hello.renegotiation = true,
        23 => hello.extended_master_secret = true,
        35 => hello.ticket = true,
        43 => hello.version = version(data.u16().ok_or_else(short)?)?,
        51 => hello.group = Some(Group(data.u16().ok_or_else(short)?)),
        16 => {
            let mut list = data.vector(2).ok_or_else(short)?;
            let protocol = list.vector(1).ok_or_else(short)?;
            hello.alpn = Some(protocol.0.escape_ascii().to_string());
        }
        _ => (),
    }
    Ok(())
}

/// Certificate up to TLS 1.2: RFC 5246 7.4.2.
pub fn certificates(body: &[u8]) -> Result<Vec<Der>, String> {
    let short = || "the certificate message ends too early".to_owned();
    let mut c = Cursor(body);
    let mut list = c.vector(3).ok_or_else(short)?;
    let mut chain = Vec::new();
    while !list.is_empty() {
        if chain.len() == MAX_CERTIFICATES {
            return Err(format!(
                "the chain has more than {MAX_CERTIFICATES} certificates"
            ));
        }
        let der = list.vector(3).ok_or_else(short)?;
        if der.is_empty() {
            return Err(format!(
                "certificate {} of the chain is empty",
                chain.len() + 1
            ));
        }
        chain.push(Der(der.0.to_vec()));
    }
    Ok(chain)
}

/// The curve of an ECDSA certificate's key, by its object identifier. A name that holds the same
/// bytes misleads it; that costs a needless question and no answer.
pub fn curve(certificate: &[u8]) -> Option<Group> {
    let identifiers: [(&[u8], Group); 3] = [
        (&[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7], Group::P256),
        (&[6, 5, 0x2b, 0x81, 4, 0, 0x22], Group::P384),
        (&[6, 5, 0x2b, 0x81, 4, 0, 0x23], Group::P521),
    ];
    let has = |id: &[u8]| certificate.windows(id.len()).any(|w| w == id);
    identifiers.into_iter().find(|row| has(row.0)).map(|r| r.1)
}

/// CertificateStatus: RFC 6066 8. `None` if it is not OCSP.
pub fn staple(body: &[u8]) -> Result<Option<Der>, String> {
    let short = || "the certificate status ends too early".to_owned();
    let mut c = Cursor(body);
    if c.u8().ok_or_else(short)? != 1 {
        return Ok(None);
    }
    let response = c.vector(3).ok_or_else(short)?;
    Ok((!response.is_empty()).then(|| Der(response.0.to_vec())))
}

/// ServerKeyExchange: RFC 5246 7.4.3, RFC 8422 5.4. `None` for other kinds of it.
pub fn key_exchange(suite: Suite, body: &[u8]) -> Result<Option<KeyExchange>, String> {
    let short = || "the ServerKeyExchange ends too early".to_owned();
    let name = suite.name().unwrap_or("");
    let mut c = Cursor(body);
    if name.starts_with("TLS_DHE_") || name.starts_with("TLS_DH_anon_") {
        let prime = c.vector(2).ok_or_else(short)?;
        c.vector(2).and_then(|_| c.vector(2)).ok_or_else(short)?;
        return Ok(Some(KeyExchange::FiniteField(bits(prime.0))));
    }
    if name.starts_with("TLS_ECDH") && c.u8().ok_or_else(short)? == 3 {
        let group = Group(c.u16().ok_or_else(short)?);
        return Ok(Some(KeyExchange::Curve(group)));
    }
    Ok(None)
}

/// The size of a number without its leading zeros.
fn bits(number: &[u8]) -> u32 {
    let significant = number.iter().position(|b| *b != 0).unwrap_or(number.len());
    let digits = &number[significant..];
    let zeros = digits.first().map_or(0, |b| b.leading_zeros());
    u32::try_from(digits.len()).unwrap_or(u32::MAX / 8) * 8 - zeros
}

/// CertificateRequest up to TLS 1.2: RFC 5246 7.4.4; before it without signature schemes.
pub fn certificate_request(
    version: Version,
    body: &[u8],
) -> Result<ClientCertificateRequest, String> {
    let short = || "the CertificateRequest ends too early".to_owned();
    let mut c = Cursor(body);
    c.vector(1).ok_or_else(short)?;
    if version == Version::Tls12 {
        c.vector(2).ok_or_else(short)?;
    }
    let mut names = c.vector(2).ok_or_else(short)?;
    let mut authorities = 0;
    while !names.is_empty() {
        names.vector(2).ok_or_else(short)?;
        authorities += 1;
    }
    Ok(ClientCertificateRequest { authorities })
}

/// What an SSLv2 server says first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ssl2 {
    /// SERVER-HELLO.
    Hello(ServerHello),
    /// ERROR, with its code.
    Error(u16),
}

/// A whole SSLv2 message, `None` while it has not come, `Err(None)` if it is none.
pub fn ssl2(bytes: &[u8]) -> Result<Option<Ssl2>, Option<String>> {
    let mut c = Cursor(bytes);
    let (Some(first), Some(second)) = (c.u8(), c.u8()) else {
        return Ok(None);
    };
    // Two bytes of header with the top bit set, else three with the length of padding.
    let (length, padded) = match first & 0x80 {
        0 => (usize::from(first & 0x3f) << 8 | usize::from(second), true),
        _ => (usize::from(first & 0x7f) << 8 | usize::from(second), false),
    };
    if padded && c.u8().is_none() {
        return Ok(None);
    }
    match c.0.first() {
        None => return Ok(None),
        Some(0 | 4) => (),
        Some(_) => return Err(None),
    }
    let Some(message) = c.take(length) else {
        return Ok(None);
    };
    let mut m = Cursor(message);
    let parsed = if m.u8() == Some(0) {
        m.u16().map(Ssl2::Error)
    } else {
        ssl2_hello(m)
    };
    parsed
        .map(Some)
        .ok_or_else(|| Some("the SSLv2 message ends too early".to_owned()))
}

fn ssl2_hello(mut m: Cursor) -> Option<Ssl2> {
    let _hit_and_type = m.take(2)?;
    if m.u16()? != Version::Ssl2.number() {
        return None;
    }
    let certificate = usize::from(m.u16()?);
    let specs = usize::from(m.u16()?);
    let _connection = m.u16()?;
    m.take(certificate)?;
    let spec = m.take(specs)?.get(..3);
    let suite = spec.map(|s| Suite(s.iter().fold(0, |n, b| n << 8 | u32::from(*b))));
    Some(Ssl2::Hello(ServerHello {
        version: Version::Ssl2,
        suite,
        retry: false,
        compression: 0,
        renegotiation: false,
        extended_master_secret: false,
        ticket: false,
        alpn: None,
        group: None,
    }))
}
