//! A run of content, kept up to a limit.

use super::lexer::{Fate, is_continuation};

/// Bytes kept of one run of character data, CDATA section, comment or attribute value.
pub const KEEP: u32 = 64 * 1024;
/// Longest reference (`&amp;`), bytes.
const LONGEST_REFERENCE: u8 = 64;

/// A run of content: how much of it was kept, and whether the rest is being left out.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Run {
    pub kept: u32,
    pub cut: bool,
    /// Bytes of the reference that is open, from its `&`; it must not be cut in two.
    pub reference: u8,
}

impl Run {
    /// Takes one byte of content.
    pub(crate) fn take(mut self, byte: u8, references: bool) -> Result<(Self, Fate), &'static str> {
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

    /// How many bytes can be taken without a change of fate.
    pub(crate) fn room(self) -> u32 {
        if self.cut {
            u32::MAX
        } else {
            KEEP.saturating_sub(self.kept)
        }
    }

    pub(crate) fn took(mut self, n: usize) -> Self {
        if !self.cut {
            self.kept = self
                .kept
                .saturating_add(u32::try_from(n).unwrap_or(u32::MAX));
        }
        self
    }

    /// What becomes of the next byte, unless the run is cut there.
    pub(crate) fn fate(self) -> Fate {
        if self.cut { Fate::Drop } else { Fate::Keep }
    }
}
