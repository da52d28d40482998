//! Finds the end of a DOCTYPE.

use super::lexer::LONGEST_TAG;

/// Inside `<!DOCTYPE ... >`: only its end matters.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Doctype {
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
    pub(crate) fn after(mut self, byte: u8) -> Result<Option<Self>, &'static str> {
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
