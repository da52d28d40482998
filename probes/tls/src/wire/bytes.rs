//! Big-endian fields with length prefixes, written and read.

/// Writes fields.
#[derive(Debug, Default)]
pub struct Writer(pub Vec<u8>);

impl Writer {
    pub fn u8(&mut self, value: u8) -> &mut Self {
        self.0.push(value);
        self
    }

    pub fn u16(&mut self, value: u16) -> &mut Self {
        self.raw(&value.to_be_bytes())
    }

    pub fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// What `fill` writes, after its length in `width` bytes. Longer than that can hold is cut by
    /// nobody: the callers write hellos of a few hundred bytes.
    pub fn vector(&mut self, width: usize, fill: impl FnOnce(&mut Self)) -> &mut Self {
        let mut inner = Self::default();
        fill(&mut inner);
        let length = (inner.0.len() as u64).to_be_bytes();
        self.raw(&length[length.len() - width..]);
        self.raw(&inner.0)
    }
}

/// Reads fields; every method is `None` where the bytes end too early.
#[derive(Debug, Clone, Copy)]
pub struct Cursor<'a>(pub &'a [u8]);

impl<'a> Cursor<'a> {
    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(count)?;
        self.0 = tail;
        Some(head)
    }

    fn number(&mut self, width: usize) -> Option<usize> {
        let bytes = self.take(width)?;
        Some(bytes.iter().fold(0, |n, b| n << 8 | usize::from(*b)))
    }

    pub fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|b| b[0])
    }

    pub fn u16(&mut self) -> Option<u16> {
        self.take(2).map(|b| u16::from_be_bytes([b[0], b[1]]))
    }

    /// The bytes after a length of `width` bytes.
    pub fn vector(&mut self, width: usize) -> Option<Cursor<'a>> {
        let length = self.number(width)?;
        self.take(length).map(Cursor)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
