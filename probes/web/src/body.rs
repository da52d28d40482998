//! Reads a response body: decompresses it as it comes, and stops at the limit.

use std::io::{self, Write};

use flate2::write::MultiGzDecoder;
use http::{HeaderMap, header::CONTENT_ENCODING};

/// A response body, as far as it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Body {
    /// The bytes, after decompression.
    pub bytes: Vec<u8>,
    /// Bytes that came over the wire, before decompression.
    pub wire_bytes: u64,
    /// Whether there was more than the limit.
    pub truncated: bool,
    /// A `Content-Encoding` that was not undone: `bytes` are still encoded.
    pub unread_encoding: Option<String>,
}

impl Body {
    /// As text, where the encoding was undone; bytes that are no UTF-8 are replaced.
    pub fn text(&self) -> Option<std::borrow::Cow<'_, str>> {
        let known = self.unread_encoding.is_none();
        known.then(|| String::from_utf8_lossy(&self.bytes))
    }
}

/// A body that is at hand, decompressed as `headers` say, up to `limit` bytes; for responses that were
/// captured elsewhere.
pub fn unzip(headers: &HeaderMap, wire: &[u8], limit: u64) -> io::Result<Body> {
    let mut reader = Reader::new(headers, limit);
    if reader.take(wire)? {
        reader.end()?;
    }
    Ok(reader.into_body())
}

/// The bytes of a body, up to the limit.
pub(crate) struct Reader {
    sink: Sink,
    wire_bytes: u64,
    unread_encoding: Option<String>,
}

enum Sink {
    Plain(Kept),
    Gzip(Box<MultiGzDecoder<Kept>>),
}

/// Keeps `limit` bytes and refuses the rest: a bomb stops where it is full.
struct Kept {
    bytes: Vec<u8>,
    limit: usize,
    full: bool,
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = (self.limit - self.bytes.len()).min(bytes.len());
        if room == 0 && !bytes.is_empty() {
            self.full = true;
            return Err(io::Error::other("full"));
        }
        self.bytes.extend_from_slice(&bytes[..room]);
        Ok(room)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Reader {
    /// A reader for the body that these headers announce.
    pub(crate) fn new(headers: &HeaderMap, limit: u64) -> Self {
        let kept = Kept {
            bytes: Vec::new(),
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
            full: false,
        };
        let encodings: Vec<_> = headers
            .get_all(CONTENT_ENCODING)
            .iter()
            .map(|value| {
                String::from_utf8_lossy(value.as_bytes())
                    .trim()
                    .to_ascii_lowercase()
            })
            .filter(|encoding| !encoding.is_empty() && encoding != "identity")
            .collect();
        let encoding = encodings.join(", ");
        let gzip = matches!(encoding.as_str(), "gzip" | "x-gzip");
        Self {
            sink: if gzip {
                Sink::Gzip(Box::new(MultiGzDecoder::new(kept)))
            } else {
                Sink::Plain(kept)
            },
            wire_bytes: 0,
            unread_encoding: (!gzip && !encoding.is_empty())
                .then(|| encoding.chars().take(64).collect()),
        }
    }

    /// Takes a piece; `Ok(false)` when there is no room for more.
    pub(crate) fn take(&mut self, piece: &[u8]) -> io::Result<bool> {
        self.wire_bytes += piece.len() as u64;
        let done = match &mut self.sink {
            Sink::Plain(kept) => kept.write_all(piece),
            Sink::Gzip(decoder) => decoder.write_all(piece),
        };
        if self.kept().full {
            return Ok(false);
        }
        done.map(|()| true)
    }

    /// Ends the body; a compressed one must be complete, with the right checksum.
    pub(crate) fn end(&mut self) -> io::Result<()> {
        match &mut self.sink {
            Sink::Gzip(decoder) if self.wire_bytes > 0 && !decoder.get_ref().full => {
                let ended = decoder.try_finish();
                if decoder.get_ref().full {
                    Ok(())
                } else {
                    ended
                }
            }
            _ => Ok(()),
        }
    }

    /// Bytes that came over the wire so far.
    pub(crate) fn wire_bytes(&self) -> u64 {
        self.wire_bytes
    }

    /// What was read.
    pub(crate) fn into_body(mut self) -> Body {
        let kept = match &mut self.sink {
            Sink::Plain(kept) => kept,
            Sink::Gzip(decoder) => decoder.get_mut(),
        };
        Body {
            truncated: kept.full,
            bytes: std::mem::take(&mut kept.bytes),
            wire_bytes: self.wire_bytes,
            unread_encoding: self.unread_encoding,
        }
    }

    fn kept(&self) -> &Kept {
        match &self.sink {
            Sink::Plain(kept) => kept,
            Sink::Gzip(decoder) => decoder.get_ref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use flate2::{Compression, write::GzEncoder};
    use http::HeaderValue;

    use super::*;

    fn gzipped(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn reader(encoding: &'static str, limit: u64) -> Reader {
        let headers = [(CONTENT_ENCODING, HeaderValue::from_static(encoding))];
        Reader::new(&headers.into_iter().collect(), limit)
    }

    #[test]
    fn the_limit_itself_is_not_too_much() {
        for (size, truncated) in [(99, false), (100, false), (101, true)] {
            let bytes = vec![b'x'; size];
            let mut plain = reader("identity", 100);
            assert_eq!(plain.take(&bytes).unwrap(), !truncated, "{size}");
            assert_eq!(plain.into_body().truncated, truncated, "{size}");
            let mut gzip = reader("gzip", 100);
            let _ = gzip.take(&gzipped(&bytes)).unwrap();
            gzip.end().unwrap();
            let body = gzip.into_body();
            assert_eq!(body.truncated, truncated, "{size} gzipped");
            assert_eq!(body.bytes, &bytes[..size.min(100)]);
        }
    }

    #[test]
    fn gzip_comes_in_pieces_and_members() {
        let mut wire = gzipped(b"hello, ");
        wire.extend(gzipped(b"world"));
        let mut reader = reader("GZIP", 100);
        for byte in &wire {
            assert!(reader.take(&[*byte]).unwrap());
        }
        reader.end().unwrap();
        let body = reader.into_body();
        assert_eq!(body.bytes, b"hello, world");
        assert_eq!(body.wire_bytes, wire.len() as u64);
    }

    #[test]
    fn broken_gzip_is_an_error() {
        let wire = gzipped(b"hello, world");
        for cut in 1..wire.len() {
            let mut reader = reader("gzip", 100);
            let taken = reader.take(&wire[..cut]);
            assert!(taken.is_err() || reader.end().is_err(), "cut at {cut}");
        }
        let mut flipped = wire;
        let at = flipped.len() - 6;
        flipped[at] ^= 1;
        let mut reader = reader("gzip", 100);
        assert!(reader.take(&flipped).is_err() || reader.end().is_err());
    }

    #[test]
    fn other_encodings_are_named() {
        for (encoding, unread) in [
            ("br", Some("br")),
            ("gzip, gzip", Some("gzip, gzip")),
            ("", None),
        ] {
            let reader = reader(encoding, 100);
            assert_eq!(reader.unread_encoding.as_deref(), unread);
        }
    }
}
