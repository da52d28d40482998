//! Bounds what the XML parser sees, so that it needs constant memory.
//!
//! quick-xml holds one event at a time: a CDATA section of 1 GB would be 1 GB in memory. Refusing
//! such files would refuse honest reports, since `system-out` holds whatever the tests printed. The
//! guard therefore lexes the text itself and leaves out the rest of long character data, CDATA
//! sections, comments, processing instructions and attribute values. What is markup is never left
//! out; a tag or DOCTYPE that is too long is a fault.
//!
//! On the way it refuses what no XML document may hold and the parser would let pass: control
//! characters (XML 1.0, section 2.2), `<` in attribute values (3.1) and `--` in comments (2.5).

use std::io::{self, BufRead, Read};

use super::{Fault, Position};

/// Bytes kept of one run of character data, CDATA section, comment or attribute value.
pub(super) const KEEP: u32 = 64 * 1024;
/// Longest tag or DOCTYPE, attribute values shortened, bytes.
const LONGEST_TAG: u32 = 1024 * 1024;
/// Longest reference (`&amp;`), bytes.
const LONGEST_REFERENCE: u8 = 64;

/// Passes on the text of `inner`, shortened.
pub(super) struct Guard<R> {
    inner: R,
    lexer: Lexer,
    /// Bytes of the inner buffer that were looked at and may be passed on.
    ready: usize,
    /// Put in place of a terminator that was left out with what it ends.
    stand_in: &'static [u8],
    position: Position,
}

impl<R: BufRead> Guard<R> {
    pub(super) fn new(inner: R) -> Self {
        let position = Position { line: 1, column: 1 };
        Self {
            inner,
            lexer: Lexer::default(),
            ready: 0,
            stand_in: b"",
            position,
        }
    }

    /// The place of the next byte that the parser will consume.
    pub(super) fn position(&self) -> Position {
        self.position
    }

    pub(super) fn into_inner(self) -> R {
        self.inner
    }

    /// Skips what is left out; afterwards something is ready, or the text has ended.
    fn advance(&mut self) -> io::Result<()> {
        while self.ready == 0 && self.stand_in.is_empty() {
            let chunk = self.inner.fill_buf()?;
            if chunk.is_empty() {
                break;
            }
            let step = self.lexer.scan(chunk);
            if step.fate == Fate::Keep {
                self.ready = step.length;
            } else {
                self.position.pass(&chunk[..step.length]);
                self.inner.consume(step.length);
                self.stand_in = step.stand_in;
            }
            if let (0, Some(reason)) = (step.length, step.fault) {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    Fault::new(reason),
                ));
            }
        }
        Ok(())
    }
}

impl<R: BufRead> Read for Guard<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut ready = self.fill_buf()?;
        let n = ready.read(into)?;
        self.consume(n);
        Ok(n)
    }
}

impl<R: BufRead> BufRead for Guard<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.advance()?;
        if !self.stand_in.is_empty() {
            return Ok(self.stand_in);
        }
        let chunk = self.inner.fill_buf()?;
        Ok(&chunk[..self.ready.min(chunk.len())])
    }

    fn consume(&mut self, amount: usize) {
        if !self.stand_in.is_empty() {
            self.stand_in = &self.stand_in[amount.min(self.stand_in.len())..];
            return;
        }
        let amount = amount.min(self.ready);
        // The buffer is not empty, so this reads nothing and cannot fail.
        if let Ok(chunk) = self.inner.fill_buf() {
            self.position.pass(&chunk[..amount.min(chunk.len())]);
        }
        self.inner.consume(amount);
        self.ready -= amount;
    }
}

impl Position {
    fn pass(&mut self, bytes: &[u8]) {
        let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
        let last = bytes.iter().rposition(|byte| *byte == b'\n');
        if last.is_some() {
            self.line += lines as u64;
            self.column = 1;
        }
        let rest = &bytes[last.map_or(0, |at| at + 1)..];
        self.column += rest.iter().filter(|byte| !is_continuation(**byte)).count() as u64;
    }
}

fn is_continuation(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Keep,
    Drop,
}

/// A run of bytes with one fate.
struct Step {
    length: usize,
    fate: Fate,
    stand_in: &'static [u8],
    /// Why the byte after the run may not be there.
    fault: Option<String>,
}

/// A run of content: how much of it was kept, and whether the rest is being left out.
#[derive(Debug, Clone, Copy, Default)]
struct Run {
    kept: u32,
    cut: bool,
    /// Bytes of the reference that is open, from its `&`; it must not be cut in two.
    reference: u8,
}

impl Run {
    /// Takes one byte of content.
    fn take(mut self, byte: u8, references: bool) -> Result<(Self, Fate), &'static str> {
        if self.cut {
            return Ok((self, Fate::Drop));
        }
        if self.kept >= KEEP && self.reference == 0 && !is_continuation(byte) {
            self.cut = true;
            return Ok((self, Fate::Drop));
        }
        if references {
            self.reference = match (self.reference, byte) {
                (_, b'&') => 1,
                (0, _) | (_, b';') => 0,
                (LONGEST_REFERENCE.., _) => return Err("an `&` here starts no reference"),
                (n, _) => n + 1,
            };
        }
        self.kept = self.kept.saturating_add(1);
        Ok((self, Fate::Keep))
    }
}

impl Run {
    /// How many bytes can be taken without a change of fate.
    fn room(self) -> u32 {
        if self.cut {
            u32::MAX
        } else {
            KEEP.saturating_sub(self.kept)
        }
    }

    fn took(mut self, n: usize) -> Self {
        if !self.cut {
            self.kept = self
                .kept
                .saturating_add(u32::try_from(n).unwrap_or(u32::MAX));
        }
        self
    }
}

fn room_for_tag(run: Run, tag: u32) -> u32 {
    if run.cut {
        u32::MAX
    } else {
        LONGEST_TAG.saturating_sub(tag)
    }
}

/// Where in the grammar the next byte stands.
#[derive(Debug, Clone, Copy)]
enum Lexer {
    Text(Run),
    /// After `<`.
    Open,
    /// After `<!`, with the bytes seen since.
    Bang(u8),
    Tag(u32),
    Quoted {
        quote: u8,
        run: Run,
        tag: u32,
    },
    Instruction {
        run: Run,
        mark: bool,
    },
    Comment {
        run: Run,
        dashes: u8,
    },
    Cdata {
        run: Run,
        brackets: u8,
    },
    Doctype(Doctype),
}

impl Default for Lexer {
    fn default() -> Self {
        Self::Text(Run::default())
    }
}

/// What comes after a byte: the state, the byte's own fate, and what stands in for a terminator
/// that was left out.
type Next = Result<(Lexer, Fate, &'static [u8]), &'static str>;

const CDATA: &[u8] = b"[CDATA[";

impl Lexer {
    /// The longest run with one fate at the start of `chunk`.
    fn scan(&mut self, chunk: &[u8]) -> Step {
        let mut step = Step {
            length: 0,
            fate: Fate::Keep,
            stand_in: b"",
            fault: None,
        };
        while let Some(&byte) = chunk.get(step.length) {
            if let Some((state, length, fate)) = self.skip(&chunk[step.length..]) {
                if step.length > 0 && fate != step.fate {
                    break;
                }
                *self = state;
                step.fate = fate;
                step.length += length;
                continue;
            }
            let next = if byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r') {
                Err(format!(
                    "the control character U+{byte:04X} may not stand in XML"
                ))
            } else {
                self.after(byte).map_err(str::to_owned)
            };
            match next {
                Err(reason) => {
                    step.fault = Some(reason);
                    break;
                }
                Ok((_, fate, _)) if step.length > 0 && fate != step.fate => break,
                Ok((state, fate, stand_in)) => {
                    *self = state;
                    step.fate = fate;
                    step.length += 1;
                    step.stand_in = stand_in;
                    if !stand_in.is_empty() {
                        break;
                    }
                }
            }
        }
        step
    }

    /// Takes bytes that mean nothing in this state all at once; `None` when there are none.
    fn skip(self, bytes: &[u8]) -> Option<(Self, usize, Fate)> {
        let plain = |special: [u8; 4], room: u32| {
            let found = bytes.iter().position(|b| {
                (*b < b' ' && !matches!(b, b'\t' | b'\n' | b'\r')) || special.contains(b)
            });
            Some(found.unwrap_or(bytes.len()).min(room as usize)).filter(|n| *n > 0)
        };
        let (state, length, run) = match self {
            Self::Text(run) if run.reference == 0 => {
                let n = plain([b'<', b'&', b'<', b'&'], run.room())?;
                (Self::Text(run.took(n)), n, run)
            }
            Self::Cdata { run, brackets: 0 } => {
                let n = plain([b']'; 4], run.room())?;
                (
                    Self::Cdata {
                        run: run.took(n),
                        brackets: 0,
                    },
                    n,
                    run,
                )
            }
            Self::Comment { run, dashes: 0 } => {
                let n = plain([b'-'; 4], run.room())?;
                (
                    Self::Comment {
                        run: run.took(n),
                        dashes: 0,
                    },
                    n,
                    run,
                )
            }
            Self::Quoted { quote, run, tag } if run.reference == 0 => {
                let n = plain(
                    [quote, b'<', b'&', quote],
                    run.room().min(room_for_tag(run, tag)),
                )?;
                let kept = if run.cut { 0 } else { u32::try_from(n).ok()? };
                (
                    Self::Quoted {
                        quote,
                        run: run.took(n),
                        tag: tag + kept,
                    },
                    n,
                    run,
                )
            }
            Self::Tag(tag) => {
                let n = plain([b'>', b'"', b'\'', b'<'], LONGEST_TAG.saturating_sub(tag))?;
                (Self::Tag(tag + u32::try_from(n).ok()?), n, Run::default())
            }
            _ => return None,
        };
        Some((state, length, same(run)))
    }

    fn after(self, byte: u8) -> Next {
        let keep = |state| Ok((state, Fate::Keep, b"".as_slice()));
        match self {
            Self::Text(_) if byte == b'<' => keep(Self::Open),
            Self::Text(run) => run
                .take(byte, true)
                .map(|(run, fate)| (Self::Text(run), fate, EMPTY)),
            Self::Open => keep(match byte {
                b'!' => Self::Bang(0),
                b'?' => Self::Instruction {
                    run: Run::default(),
                    mark: false,
                },
                b'<' => return Err("a `<` after a `<`; a `<` in text is written &lt;"),
                b'>' => return Err("an empty tag `<>`"),
                _ => Self::Tag(1),
            }),
            Self::Bang(seen) => after_bang(seen, byte),
            Self::Tag(length) => after_tag(length, byte),
            Self::Quoted { quote, tag, .. } if byte == quote => keep(Self::Tag(tag)),
            Self::Quoted { .. } if byte == b'<' => {
                Err("a `<` inside an attribute value; it is written &lt; there")
            }
            Self::Quoted { quote, run, tag } => {
                let (run, fate) = run.take(byte, true)?;
                let tag = longer(tag, fate)?;
                Ok((Self::Quoted { quote, run, tag }, fate, EMPTY))
            }
            Self::Instruction { run, mark } => {
                let (run, fate) = run.take(byte, false)?;
                if mark && byte == b'>' {
                    return Ok(ended(run, b"?>"));
                }
                Ok((
                    Self::Instruction {
                        run,
                        mark: byte == b'?',
                    },
                    fate,
                    EMPTY,
                ))
            }
            Self::Comment { run, dashes } => after_comment(run, dashes, byte),
            Self::Cdata { run, brackets } => {
                let (run, fate) = run.take(byte, false)?;
                let brackets = match byte {
                    b'>' if brackets >= 2 => return Ok(ended(run, b"]]>")),
                    b']' => (brackets + 1).min(2),
                    _ => 0,
                };
                Ok((Self::Cdata { run, brackets }, fate, EMPTY))
            }
            Self::Doctype(doctype) => doctype.after(byte).map(|d| {
                (
                    d.map_or_else(Self::default, Self::Doctype),
                    Fate::Keep,
                    EMPTY,
                )
            }),
        }
    }
}

const EMPTY: &[u8] = b"";

/// The end of a run whose terminator was left out with it, or was not.
fn ended(run: Run, terminator: &'static [u8]) -> (Lexer, Fate, &'static [u8]) {
    if run.cut {
        (Lexer::default(), Fate::Drop, terminator)
    } else {
        (Lexer::default(), Fate::Keep, EMPTY)
    }
}

fn longer(tag: u32, fate: Fate) -> Result<u32, &'static str> {
    match tag + u32::from(fate == Fate::Keep) {
        length if length > LONGEST_TAG => Err("a tag is longer than 1 MiB"),
        length => Ok(length),
    }
}

fn after_tag(length: u32, byte: u8) -> Next {
    let state = match byte {
        b'>' => Lexer::default(),
        b'"' | b'\'' => Lexer::Quoted {
            quote: byte,
            run: Run::default(),
            tag: length,
        },
        b'<' => return Err("a `<` inside a tag"),
        _ => Lexer::Tag(longer(length, Fate::Keep)?),
    };
    Ok((state, Fate::Keep, EMPTY))
}

fn after_bang(seen: u8, byte: u8) -> Next {
    let state = match (seen, byte) {
        (0, b'-') => Lexer::Bang(100),
        (100, b'-') => Lexer::Comment {
            run: Run::default(),
            dashes: 0,
        },
        (0, b'D') => Lexer::Doctype(Doctype::default()),
        (n, b) if CDATA.get(usize::from(n)) == Some(&b) => match usize::from(n) + 1 {
            n if n == CDATA.len() => Lexer::Cdata {
                run: Run::default(),
                brackets: 0,
            },
            _ => Lexer::Bang(n + 1),
        },
        _ => return Err("a `<!` here starts no comment, CDATA section or DOCTYPE"),
    };
    Ok((state, Fate::Keep, EMPTY))
}

fn after_comment(run: Run, dashes: u8, byte: u8) -> Next {
    match (dashes, byte) {
        (2, b'>') => Ok(ended(run, b"-->")),
        (2, _) => Err("`--` inside a comment"),
        (0, _) | (_, b'-') => {
            // A cut between two dashes would leave `--` in what is kept.
            let (run, fate) = if dashes == 0 {
                run.take(byte, false)?
            } else {
                (run, same(run))
            };
            let dashes = if byte == b'-' { dashes + 1 } else { 0 };
            Ok((Lexer::Comment { run, dashes }, fate, EMPTY))
        }
        _ => Ok((Lexer::Comment { run, dashes: 0 }, same(run), EMPTY)),
    }
}

fn same(run: Run) -> Fate {
    if run.cut { Fate::Drop } else { Fate::Keep }
}

/// Inside `<!DOCTYPE ... >`: only its end matters.
#[derive(Debug, Clone, Copy, Default)]
struct Doctype {
    length: u32,
    /// The quote that is open, or 0.
    quote: u8,
    /// Inside `[ ... ]`.
    subset: bool,
    /// Inside `<!-- ... -->`.
    comment: bool,
    /// The last four bytes.
    tail: u32,
}

impl Doctype {
    /// `None` after its end.
    fn after(mut self, byte: u8) -> Result<Option<Self>, &'static str> {
        self.length += 1;
        if self.length > LONGEST_TAG {
            return Err("the DOCTYPE is longer than 1 MiB");
        }
        self.tail = self.tail << 8 | u32::from(byte);
        if self.comment {
            self.comment = self.tail & 0x00ff_ffff != u32::from_be_bytes(*b"\0-->");
        } else if self.quote != 0 {
            if byte == self.quote {
                self.quote = 0;
            }
        } else if self.tail == u32::from_be_bytes(*b"<!--") {
            self.comment = true;
        } else {
            match byte {
                b'"' | b'\'' => self.quote = byte,
                b'[' => self.subset = true,
                b']' => self.subset = false,
                b'>' if !self.subset => return Ok(None),
                _ => {}
            }
        }
        Ok(Some(self))
    }
}
