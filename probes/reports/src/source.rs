//! Decodes a file of any encoding into UTF-8, a buffer at a time.

use std::io::{self, BufRead, Read};

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};

use crate::{
    Fault,
    fingerprint::{Fingerprint, Fingerprinter},
};

/// Bytes read at once; decoded text can be three times as long.
const CHUNK: usize = 32 * 1024;

/// What was read off the raw bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// Size of the file.
    pub bytes: u64,
    /// Stands for its content.
    pub fingerprint: Fingerprint,
}

/// The decoded text of a file.
pub struct Source<'s, R> {
    raw: R,
    stop: &'s dyn Fn() -> bool,
    encoding: &'static Encoding,
    decoder: Decoder,
    input: Vec<u8>,
    /// The part of `input` that is not decoded yet.
    pending: std::ops::Range<usize>,
    ended: bool,
    output: Vec<u8>,
    /// The part of `output` that is not consumed yet.
    ready: std::ops::Range<usize>,
    fault: Option<Fault>,
    hash: Fingerprinter,
    bytes: u64,
}

impl<'s, R: Read> Source<'s, R> {
    /// Reads the start of the file and finds its encoding.
    pub fn open(raw: R, stop: &'s dyn Fn() -> bool) -> Result<Self, Fault> {
        let mut source = Self {
            raw,
            stop,
            encoding: UTF_8,
            decoder: UTF_8.new_decoder_without_bom_handling(),
            input: vec![0; CHUNK],
            pending: 0..0,
            ended: false,
            output: vec![0; CHUNK * 3 + 16],
            ready: 0..0,
            fault: None,
            hash: Fingerprinter::new(),
            bytes: 0,
        };
        source.refill().map_err(|e| fault_of(&e))?;
        let head = &source.input[source.pending.clone()];
        if head.is_empty() {
            return Err(Fault::new("the file is empty (0 bytes)")
                .hint("the test runner wrote no report; look at why it ended early"));
        }
        if let Some(found) = binary(head) {
            return Err(Fault::new(format!("this is no text but {found}")));
        }
        let (encoding, bom) = detect(head)?;
        source.encoding = encoding;
        source.decoder = encoding.new_decoder_without_bom_handling();
        source.pending.start += bom;
        source.decode();
        if source.ready.is_empty() && source.fault.is_none() && source.ended {
            return Err(Fault::new("the file holds nothing but a byte order mark"));
        }
        Ok(source)
    }

    /// WHATWG name of the encoding.
    pub fn encoding(&self) -> &'static str {
        self.encoding.name()
    }

    /// The text decoded so far, before anything is consumed.
    pub fn head(&self) -> &str {
        str::from_utf8(&self.output[self.ready.clone()]).unwrap_or_default()
    }

    /// Size and fingerprint of the whole file.
    pub fn digest(mut self) -> Result<Digest, Fault> {
        while !self.ended {
            self.refill().map_err(|e| fault_of(&e))?;
        }
        Ok(Digest {
            bytes: self.bytes,
            fingerprint: self.hash.finish(),
        })
    }

    /// Fills `input`, whatever is left of it being decoded.
    fn refill(&mut self) -> io::Result<()> {
        if (self.stop)() {
            return Err(io::Error::other(Fault::new(
                "the time was over while reading it",
            )));
        }
        let mut filled = 0;
        while filled < self.input.len() {
            match self.raw.read(&mut self.input[filled..]) {
                Ok(0) => {
                    self.ended = true;
                    break;
                }
                Ok(n) => filled += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        self.hash.update(&self.input[..filled]);
        self.bytes += filled as u64;
        self.pending = 0..filled;
        Ok(())
    }

    fn decode(&mut self) {
        let input = &self.input[self.pending.clone()];
        let (result, read, written) =
            self.decoder
                .decode_to_utf8_without_replacement(input, &mut self.output, self.ended);
        self.pending.start += read;
        self.ready = 0..written;
        if let DecoderResult::Malformed(..) = result {
            self.fault = Some(
                Fault::new(format!("the bytes here are not {}", self.encoding.name())).hint(
                    "declare the encoding that the file is written in, or write UTF-8: \
                     <?xml version=\"1.0\" encoding=\"UTF-8\"?>",
                ),
            );
        }
    }
}

impl<R: Read> Read for Source<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut ready = self.fill_buf()?;
        let n = ready.read(into)?;
        self.consume(n);
        Ok(n)
    }
}

impl<R: Read> BufRead for Source<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.ready.is_empty() {
            if let Some(fault) = &self.fault {
                return Err(io::Error::new(io::ErrorKind::InvalidData, fault.clone()));
            }
            if self.pending.is_empty() {
                if self.ended {
                    break;
                }
                self.refill()?;
            }
            self.decode();
        }
        Ok(&self.output[self.ready.clone()])
    }

    fn consume(&mut self, amount: usize) {
        self.ready.start = (self.ready.start + amount).min(self.ready.end);
    }
}

/// The fault inside an I/O error, or the error itself as a fault.
pub fn fault_of(error: &io::Error) -> Fault {
    match error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Fault>())
    {
        Some(fault) => fault.clone(),
        None => Fault::new(format!("it could not be read: {error}")),
    }
}

/// Encoding and length of the byte order mark (XML 1.0, appendix F).
fn detect(head: &[u8]) -> Result<(&'static Encoding, usize), Fault> {
    let utf32 = matches!(
        head,
        [0, 0, 0xfe, 0xff, ..] | [0xff, 0xfe, 0, 0, ..] | [0, 0, 0, b'<', ..]
    );
    if utf32 || head.starts_with(b"<\0\0\0") {
        return Err(Fault::new("the encoding UTF-32 is not supported").hint("write UTF-8"));
    }
    if let Some((encoding, bom)) = Encoding::for_bom(head) {
        return Ok((encoding, bom));
    }
    match head {
        [b'<', 0, _, 0, ..] => return Ok((UTF_16LE, 0)),
        [0, b'<', 0, _, ..] => return Ok((UTF_16BE, 0)),
        _ => {}
    }
    let Some(label) = declared(head) else {
        return Ok((UTF_8, 0));
    };
    match Encoding::for_label_no_replacement(label.as_bytes()) {
        Some(encoding) if encoding == UTF_16LE || encoding == UTF_16BE => Err(Fault::new(format!(
            "the encoding is declared as {label}, but the bytes are not"
        ))
        .hint("write the file in the encoding that it declares, best UTF-8")),
        Some(encoding) => Ok((encoding, 0)),
        None => Err(Fault::new(format!("the encoding `{label}` is unknown"))
            .hint("write UTF-8: <?xml version=\"1.0\" encoding=\"UTF-8\"?>")),
    }
}

/// The `encoding` of an XML declaration in the first bytes of an ASCII-compatible file.
fn declared(head: &[u8]) -> Option<String> {
    let declaration = head.strip_prefix(b"<?xml")?;
    let declaration = &declaration[..declaration.len().min(1_024)];
    let end = declaration.windows(2).position(|w| w == b"?>")?;
    let text = str::from_utf8(&declaration[..end]).ok()?;
    let value = text
        .split_once("encoding")?
        .1
        .trim_start()
        .strip_prefix('=')?
        .trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let label = value[1..].split(quote).next()?;
    Some(crate::text::clip(label, 60))
}

/// What the first bytes are the signature of, where they are no text at all.
fn binary(head: &[u8]) -> Option<&'static str> {
    Some(match head {
        [0x1f, 0x8b, ..] => "gzip data; unpack it first",
        [b'P', b'K', 3, 4, ..] => "a ZIP archive; unpack it first",
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "Zstandard data; unpack it first",
        [0x7f, b'E', b'L', b'F', ..] => "a program",
        _ => return None,
    })
}
