//! The HTTP/1.1 reader (RFC 9112): finds the end of a response in whatever pieces it comes, and
//! keeps no byte of it.

use std::mem::MaybeUninit;

use httparse::{ParserConfig, Status};

/// Headers of a response; more are no HTTP to this reader.
pub(super) const MOST_HEADERS: usize = 128;
/// Bytes of a head; a longer one is no HTTP to this reader.
pub(super) const LONGEST_HEAD: usize = 64 << 10;

/// What the start of the input is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Head {
    /// The head is not whole yet.
    Partial,
    /// An informational response (1xx) of so many bytes; the real one follows.
    Informational(usize),
    /// A head.
    Whole(Facts),
    /// No HTTP, and why.
    Bad(&'static str),
}

/// What a head says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Facts {
    /// Its length.
    pub used: usize,
    pub status: u16,
    pub framing: Framing,
    /// Whether the connection can be used again afterwards.
    pub keep: bool,
    /// What the cache headers tell, if they were looked at.
    pub cache: Cache,
}

/// What the cache headers tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cache {
    /// They were not looked at.
    Unseen,
    Hit,
    Miss,
    Silent,
}

/// How the end of the body is found, and how far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// So many bytes to go.
    Length(u64),
    /// In chunks.
    Chunked(Chunk),
    /// With the end of the connection.
    UntilClose,
}

/// Where in the chunked coding (RFC 9112, 7.1) the reader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chunk {
    /// In the size, so far, and whether there was a digit.
    Size(u64, bool),
    /// After the size: extensions, up to the line feed; then so many bytes of data.
    Extension(u64),
    /// So many bytes of data to go.
    Data(u64),
    /// After the data: CR LF.
    DataEnd,
    /// In the trailer; whether the current line is empty so far.
    Trailer(bool),
}

/// What became of a piece of the body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// More is to come.
    More,
    /// It ended after so many bytes of the piece.
    Done(usize),
    /// Broken framing, and why.
    Bad(&'static str),
}

/// Reads a head from the start of `input`. `head_request`: the response has no body.
pub(super) fn head(input: &[u8], head_request: bool, look_at_cache: bool) -> Head {
    // The end must be there, and what dribbles in must not be parsed again for every byte.
    let mut headers = [const { MaybeUninit::uninit() }; MOST_HEADERS];
    let mut response = httparse::Response::new(&mut []);
    let parsed = ParserConfig::default().parse_response_with_uninit_headers(
        &mut response,
        input,
        &mut headers,
    );
    let used = match parsed {
        Ok(Status::Complete(used)) => used,
        Ok(Status::Partial) if input.len() > LONGEST_HEAD => {
            return Head::Bad("a head of more than 64 KiB");
        }
        Ok(Status::Partial) => return Head::Partial,
        Err(error) => return Head::Bad(reason(error)),
    };
    let status = response.code.unwrap_or(0);
    match status {
        101 => return Head::Bad("101 Switching Protocols, which was not asked for"),
        100..=199 => return Head::Informational(used),
        200..=999 => {}
        _ => return Head::Bad("a status below 100"),
    }
    let mut fields = Fields::default();
    for header in response.headers.iter() {
        fields.read(header.name, header.value);
    }
    let http10 = response.version == Some(0);
    let Some(framing) = fields.framing(status, head_request) else {
        return Head::Bad("a Content-Length or Transfer-Encoding that cannot be");
    };
    let keep = !fields.close && (!http10 || fields.keep_alive) && framing != Framing::UntilClose;
    let cache = if look_at_cache {
        super::cache::tell(response.headers)
    } else {
        Cache::Unseen
    };
    Head::Whole(Facts {
        used,
        status,
        framing,
        keep,
        cache,
    })
}

fn reason(error: httparse::Error) -> &'static str {
    match error {
        httparse::Error::HeaderName => "a header name that is none",
        httparse::Error::HeaderValue => "a header value that is none",
        httparse::Error::NewLine => "a line end that is none",
        httparse::Error::Status => "a status that is no number",
        httparse::Error::TooManyHeaders => "more than 128 headers",
        httparse::Error::Version => "no `HTTP/1.0` or `HTTP/1.1` at its start",
        httparse::Error::Token => "a byte that cannot be there",
    }
}

/// The headers that matter.
#[derive(Default)]
struct Fields {
    length: Option<u64>,
    bad: bool,
    coded: bool,
    chunked: bool,
    close: bool,
    keep_alive: bool,
}

impl Fields {
    fn read(&mut self, name: &str, value: &[u8]) {
        match name.len() {
            14 if name.eq_ignore_ascii_case("content-length") => self.read_length(value),
            17 if name.eq_ignore_ascii_case("transfer-encoding") => {
                self.coded = true;
                self.chunked = last_item(value).eq_ignore_ascii_case(b"chunked");
            }
            10 if name.eq_ignore_ascii_case("connection") => {
                for item in value.split(|b| *b == b',') {
                    let item = item.trim_ascii();
                    self.close |= item.eq_ignore_ascii_case(b"close");
                    self.keep_alive |= item.eq_ignore_ascii_case(b"keep-alive");
                }
            }
            _ => {}
        }
    }

    fn read_length(&mut self, value: &[u8]) {
        // "5, 5" may stand for a repeated header (RFC 9112, 6.3).
        for item in value.split(|b| *b == b',') {
            let length = decimal(item.trim_ascii());
            self.bad |= length.is_none() || (self.length.is_some() && self.length != length);
            self.length = length;
        }
    }

    fn framing(&self, status: u16, head_request: bool) -> Option<Framing> {
        if head_request || matches!(status, 204 | 304) {
            return Some(Framing::Length(0));
        }
        if self.coded {
            // Both headers at once is how requests are smuggled: not to be trusted.
            return match (self.chunked, self.length) {
                (true, None) => Some(Framing::Chunked(Chunk::Size(0, false))),
                (false, None) => Some(Framing::UntilClose),
                _ => None,
            };
        }
        if self.bad {
            return None;
        }
        Some(self.length.map_or(Framing::UntilClose, Framing::Length))
    }
}

fn last_item(value: &[u8]) -> &[u8] {
    let last = value.rsplit(|b| *b == b',').next();
    last.unwrap_or_default().trim_ascii()
}

fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    digits.iter().try_fold(0_u64, |sum, digit| {
        digit
            .is_ascii_digit()
            .then(|| sum * 10 + u64::from(digit - b'0'))
    })
}

impl Framing {
    /// Reads on in the body. Content is handed to `keep`, piece by piece.
    pub(super) fn read(&mut self, input: &[u8], keep: &mut dyn FnMut(&[u8])) -> Body {
        match self {
            Self::Length(left) => {
                let n = usize::try_from(*left)
                    .unwrap_or(usize::MAX)
                    .min(input.len());
                keep(&input[..n]);
                *left -= n as u64;
                if *left == 0 {
                    Body::Done(n)
                } else {
                    Body::More
                }
            }
            Self::UntilClose => {
                keep(input);
                Body::More
            }
            Self::Chunked(chunk) => chunk.read(input, keep),
        }
    }
}

impl Chunk {
    fn read(&mut self, input: &[u8], keep: &mut dyn FnMut(&[u8])) -> Body {
        let mut at = 0;
        while let Some(&byte) = input.get(at) {
            if let Self::Data(left) = *self {
                let n = usize::try_from(left)
                    .unwrap_or(usize::MAX)
                    .min(input.len() - at);
                keep(&input[at..at + n]);
                at += n;
                let left = left - n as u64;
                *self = if left == 0 {
                    Self::DataEnd
                } else {
                    Self::Data(left)
                };
                continue;
            }
            at += 1;
            match self.step(byte) {
                Ok(true) => return Body::Done(at),
                Ok(false) => {}
                Err(why) => return Body::Bad(why),
            }
        }
        Body::More
    }

    /// One byte of framing; true at the end of the body.
    fn step(&mut self, byte: u8) -> Result<bool, &'static str> {
        *self = match (*self, byte) {
            (Self::Size(size, any), _) => match (char::from(byte).to_digit(16), byte) {
                (Some(_), _) if size >> 56 != 0 => return Err("a chunk size that cannot be"),
                (Some(digit), _) => Self::Size(size * 16 + u64::from(digit), true),
                (None, b'\n') if any => Self::sized(size),
                (None, b'\r' | b';' | b' ' | b'\t') if any => Self::Extension(size),
                _ => return Err("a chunk size that is no number"),
            },
            (Self::Extension(size), b'\n') => Self::sized(size),
            (Self::Extension(size), _) => Self::Extension(size),
            (Self::DataEnd, b'\r') => Self::DataEnd,
            (Self::DataEnd, b'\n') => Self::Size(0, false),
            (Self::DataEnd, _) => return Err("a chunk that is longer than it says"),
            (Self::Trailer(true), b'\n') => return Ok(true),
            (Self::Trailer(_), b'\n') => Self::Trailer(true),
            (Self::Trailer(empty), b'\r') => Self::Trailer(empty),
            (Self::Trailer(_), _) => Self::Trailer(false),
            (Self::Data(left), _) => Self::Data(left),
        };
        Ok(false)
    }

    fn sized(size: u64) -> Self {
        if size == 0 {
            Self::Trailer(true)
        } else {
            Self::Data(size)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a response that comes in pieces of `size` bytes; gives its content, how many bytes
    /// of `input` it took, and whether the connection can be used again.
    fn read(
        input: &[u8],
        size: usize,
        head_request: bool,
    ) -> Result<(Vec<u8>, usize, bool), &'static str> {
        let mut content = Vec::new();
        let mut seen = Vec::new();
        let mut facts: Option<Facts> = None;
        let mut at = 0;
        for piece in input.chunks(size) {
            let mut rest = piece;
            let whole;
            if facts.is_none() {
                seen.extend_from_slice(piece);
                let used = loop {
                    match head(&seen, head_request, false) {
                        Head::Partial => break None,
                        Head::Informational(used) => {
                            seen.drain(..used);
                        }
                        Head::Bad(why) => return Err(why),
                        Head::Whole(found) => {
                            facts = Some(found);
                            break Some(found.used);
                        }
                    }
                };
                let Some(used) = used else {
                    at += piece.len();
                    continue;
                };
                whole = seen.split_off(used);
                at += piece.len() - whole.len();
                rest = &whole;
            }
            let facts = facts.as_mut().unwrap();
            match facts
                .framing
                .read(rest, &mut |b| content.extend_from_slice(b))
            {
                Body::More => at += rest.len(),
                Body::Done(used) => return Ok((content, at + used, facts.keep)),
                Body::Bad(why) => return Err(why),
            }
        }
        match facts {
            Some(facts) if facts.framing == Framing::UntilClose => Ok((content, at, facts.keep)),
            _ => Err("cut"),
        }
    }

    fn check(input: &[u8], expected: &[u8], keep: bool) {
        for size in 1..=input.len() {
            let (content, used, kept) = read(input, size, false).unwrap_or_else(|e| {
                panic!("{e}: pieces of {size}: {}", String::from_utf8_lossy(input))
            });
            assert_eq!(content, expected, "pieces of {size}");
            assert_eq!((used, kept), (input.len(), keep), "pieces of {size}");
        }
    }

    #[test]
    fn every_framing_in_every_cut() {
        check(
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            b"hello",
            true,
        );
        check(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", b"", true);
        check(
            b"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello",
            b"hello",
            true,
        );
        check(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;name=\"v\"\r\nwiki\r\nA \r\npedia in \n\r\n0\r\nDigest: x\r\n\r\n",
            b"wikipedia in \n",
            true,
        );
        check(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            b"",
            true,
        );
        check(
            b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
            b"until the end",
            false,
        );
        check(b"HTTP/1.1 204 No Content\r\n\r\n", b"", true);
        check(
            b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n",
            b"",
            true,
        );
        check(
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n!",
            b"!",
            true,
        );
        check(
            b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n!",
            b"!",
            false,
        );
        check(
            b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\n!",
            b"!",
            true,
        );
        check(
            b"HTTP/1.1 200 OK\r\nConnection: foo, Close\r\nContent-Length: 1\r\n\r\n!",
            b"!",
            false,
        );
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n";
        assert_eq!(read(answer, 7, true).unwrap().1, answer.len());
    }

    #[test]
    fn what_is_no_http_is_refused() {
        for bad in [
            &b"SSH-2.0-OpenSSH_9.2\r\n"[..],
            b"\x16\x03\x01\x02\x00",
            b"HTTP/1.1 abc OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello",
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
            b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        ] {
            for size in [1, bad.len()] {
                let outcome = read(bad, size, false);
                assert!(
                    outcome.is_err_and(|e| e != "cut"),
                    "{}",
                    String::from_utf8_lossy(bad)
                );
            }
        }
        let cut = read(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", 4, false);
        assert_eq!(cut, Err("cut"));
    }

    #[test]
    fn what_follows_a_response_is_seen() {
        let input = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n!HTTP/1.1";
        assert_eq!(read(input, input.len(), false).unwrap().1, input.len() - 8);
    }

    #[test]
    fn an_endless_head_ends() {
        let mut input = b"HTTP/1.1 200 OK\r\n".to_vec();
        while input.len() <= LONGEST_HEAD {
            input.extend_from_slice(b"X: ");
            input.extend_from_slice(&[b'a'; 4_000]);
            input.extend_from_slice(b"\r\n");
        }
        assert!(matches!(head(&input, false, false), Head::Bad(_)));
    }
}
