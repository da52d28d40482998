//! Lexes XML just as far as to tell content from markup.

use super::{doctype::Doctype, run::Run};

/// Longest tag or DOCTYPE, attribute values shortened, bytes.
pub(crate) const LONGEST_TAG: u32 = 1024 * 1024;

pub(crate) fn is_continuation(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Keep,
    Drop,
}

/// A run of bytes with one fate.
pub(crate) struct Step {
    pub length: usize,
    pub fate: Fate,
    pub stand_in: &'static [u8],
    /// Why the byte after the run may not be there.
    pub fault: Option<String>,
}

/// Where in the grammar the next byte stands.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Lexer {
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
    pub(crate) fn scan(&mut self, chunk: &[u8]) -> Step {
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
        Some((state, length, run.fate()))
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
                (run, run.fate())
            };
            let dashes = if byte == b'-' { dashes + 1 } else { 0 };
            Ok((Lexer::Comment { run, dashes }, fate, EMPTY))
        }
        _ => Ok((Lexer::Comment { run, dashes: 0 }, run.fate(), EMPTY)),
    }
}

fn room_for_tag(run: Run, tag: u32) -> u32 {
    if run.cut {
        u32::MAX
    } else {
        LONGEST_TAG.saturating_sub(tag)
    }
}
