//! Checksums and structures that tokens carry.
//!
//! A checksum that holds makes a finding `verified`: nobody types such a token by chance. One that
//! does not hold lowers confidence and never drops the finding: examples in the providers' own
//! documentation fail it, and so may tokens of a generation that the rule does not know.

/// What can be verified of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verifier {
    /// The last six characters are the CRC-32 of what stands between the prefix and them, base 62.
    /// GitHub and npm.
    Crc32Base62,
    /// The last seven characters are the CRC-32 of all before them, base 36. GitLab's routable form.
    Crc32Base36,
    /// The last eight characters are the CRC-32 of what stands before, hexadecimal.
    Crc32Hex,
    /// RFC 7519: the header decodes to a JSON object with `alg`.
    Jwt,
    /// RFC 7617: decodes to `user:password`.
    Basic,
    /// BIP 173: the checksum of bech32.
    Bech32,
}

/// What verifying said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// A checksum holds.
    Holds,
    /// The structure is right, which is no checksum.
    Plausible,
    /// It does not hold.
    Fails,
}

impl Verifier {
    /// The verifier that a table names.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "crc32-base62" => Self::Crc32Base62,
            "crc32-base36" => Self::Crc32Base36,
            "crc32-hex" => Self::Crc32Hex,
            "jwt" => Self::Jwt,
            "basic" => Self::Basic,
            "bech32" => Self::Bech32,
            _ => return None,
        })
    }

    /// Verifies `secret`.
    pub fn verify(self, secret: &[u8]) -> Proof {
        match self {
            Self::Crc32Base62 => proven(crc32_tail(secret, 6, BASE62)),
            Self::Crc32Base36 => match secret.rsplit(|b| *b == b'.').next() {
                Some(tail) if tail.len() < secret.len() => {
                    proven(crc32_tail(secret, 7, &BASE62[..36].to_ascii_lowercase()))
                }
                _ => Proof::Plausible,
            },
            Self::Crc32Hex => proven(crc32_tail(secret, 8, b"0123456789abcdef")),
            Self::Jwt => plausible(is_jwt(secret)),
            Self::Basic => plausible(is_basic(secret)),
            Self::Bech32 => proven(is_bech32(secret)),
        }
    }
}

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

fn proven(holds: bool) -> Proof {
    if holds { Proof::Holds } else { Proof::Fails }
}

fn plausible(holds: bool) -> Proof {
    if holds {
        Proof::Plausible
    } else {
        Proof::Fails
    }
}

/// Whether the last `digits` characters are the CRC-32 of what is before them: of all of it, or
/// of what follows the prefix.
fn crc32_tail(secret: &[u8], digits: usize, alphabet: &[u8]) -> bool {
    let Some(at) = secret.len().checked_sub(digits).filter(|at| *at > 0) else {
        return false;
    };
    let (body, tail) = secret.split_at(at);
    let body = body.strip_suffix(b"_").unwrap_or(body);
    let rest = match body.iter().position(|b| *b == b'_') {
        Some(prefix) => &body[prefix + 1..],
        None => body,
    };
    [body, rest].iter().any(|part| {
        spell(crc32fast::hash(part), digits, alphabet).eq_ignore_ascii_hex(tail, alphabet)
    })
}

/// Hexadecimal digits are compared in any case, since both occur.
trait EqDigits {
    fn eq_ignore_ascii_hex(&self, other: &[u8], alphabet: &[u8]) -> bool;
}

impl EqDigits for Vec<u8> {
    fn eq_ignore_ascii_hex(&self, other: &[u8], alphabet: &[u8]) -> bool {
        if alphabet.len() == 16 {
            self.eq_ignore_ascii_case(other)
        } else {
            self == other
        }
    }
}

/// `number` in the digits of `alphabet`, padded on the left.
pub(crate) fn spell(mut number: u32, digits: usize, alphabet: &[u8]) -> Vec<u8> {
    let mut text = vec![alphabet[0]; digits];
    for place in text.iter_mut().rev() {
        *place = alphabet[number as usize % alphabet.len()];
        number /= u32::try_from(alphabet.len()).unwrap_or(u32::MAX);
    }
    text
}

/// Decodes base64 of either alphabet, with or without padding; `None` where it is neither.
pub(crate) fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut count) = (0_u32, 0_u32);
    for byte in text.iter().filter(|b| **b != b'=') {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from(bits >> count & 0xff).unwrap_or(0));
        }
    }
    Some(out)
}

fn is_jwt(secret: &[u8]) -> bool {
    let header = secret.split(|b| *b == b'.').next().and_then(base64);
    header.is_some_and(|json| {
        serde_json::from_slice::<serde_json::Value>(&json).is_ok_and(|v| v.get("alg").is_some())
    })
}

fn is_basic(secret: &[u8]) -> bool {
    base64(secret).is_some_and(|text| {
        text.contains(&b':') && text.iter().all(|b| b.is_ascii_graphic() || *b == b' ')
    })
}

/// BIP 173 over the human-readable part before the last `1`, in upper or lower case.
fn is_bech32(secret: &[u8]) -> bool {
    const ALPHABET: &[u8] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    const GENERATOR: [u32; 5] = [
        0x3b6a_57b2,
        0x2650_8e6d,
        0x1ea1_19fa,
        0x3d42_33dd,
        0x2a14_62b3,
    ];
    let text = secret.to_ascii_lowercase();
    let Some(split) = text.iter().rposition(|b| *b == b'1') else {
        return false;
    };
    let (human, data) = (&text[..split], &text[split + 1..]);
    let data = data
        .iter()
        .map(|b| ALPHABET.iter().position(|a| a == b))
        .collect::<Option<Vec<usize>>>();
    let Some(data) = data else { return false };
    let high = human.iter().map(|b| u32::from(*b >> 5));
    let low = human.iter().map(|b| u32::from(*b & 31));
    let data = data.iter().map(|v| u32::try_from(*v).unwrap_or(0));
    let mut sum = 1_u32;
    for value in high.chain([0]).chain(low).chain(data) {
        let top = sum >> 25;
        sum = (sum & 0x01ff_ffff) << 5 ^ value;
        for (bit, generator) in GENERATOR.iter().enumerate() {
            if top >> bit & 1 == 1 {
                sum ^= generator;
            }
        }
    }
    sum == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_holds_or_fails() {
        let body = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5";
        let tail = spell(crc32fast::hash(body.as_bytes()), 6, BASE62);
        let good = format!("ghp_{body}{}", String::from_utf8(tail).unwrap());
        assert_eq!(Verifier::Crc32Base62.verify(good.as_bytes()), Proof::Holds);
        let bad = format!("ghp_{body}000000");
        assert_eq!(Verifier::Crc32Base62.verify(bad.as_bytes()), Proof::Fails);
        assert_eq!(Verifier::Crc32Base62.verify(b"ghp"), Proof::Fails);
    }

    #[test]
    fn a_published_example_agrees() {
        // From GitHub's description of the format; split so that no scanner finds it here.
        let published = ["ghp", "_zQWBuTSOoRi4A9spHcVY5", "ncnsDkxkJ0mLq17"].concat();
        assert_eq!(
            Verifier::Crc32Base62.verify(published.as_bytes()),
            Proof::Holds
        );
    }

    #[test]
    fn the_checksum_of_bech32_is_that_of_bip_173() {
        assert!(is_bech32(b"A12UEL5L"));
        assert!(is_bech32(b"abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw"));
        assert!(!is_bech32(b"A12UEL5M"));
        assert!(!is_bech32(b"no"));
    }

    #[test]
    fn base64_is_decoded_in_both_alphabets() {
        assert_eq!(base64(b"YTpi").unwrap(), b"a:b");
        assert_eq!(base64(b"_-8=").unwrap(), base64(b"/+8").unwrap());
        assert_eq!(base64(b"a b"), None);
        assert_eq!(Verifier::Basic.verify(b"YTpi"), Proof::Plausible);
        assert_eq!(
            Verifier::Jwt.verify(b"eyJub3QiOiJqd3QifQ.a.b"),
            Proof::Fails
        );
    }
}
