//! How much of a record fits into one file.

use std::io::{self, Write};

/// GitLab refuses more than 30 MB a file and slows down long before.
pub const LARGEST_FILE: usize = 10 * 1024 * 1024;

/// How much of the record is written.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of a text node.
    pub node: usize,
    /// Testcases of a suite.
    pub rows: usize,
}

impl Limits {
    /// From generous to tight; the first that fits is taken. Texts go first, testcases last.
    pub const STEPS: [Self; 8] = [
        Self::new(32 * 1024, usize::MAX),
        Self::new(8 * 1024, usize::MAX),
        Self::new(2 * 1024, usize::MAX),
        Self::new(512, usize::MAX),
        Self::new(128, usize::MAX),
        Self::new(128, 1000),
        Self::new(128, 50),
        Self::new(128, 5),
    ];

    const fn new(node: usize, rows: usize) -> Self {
        Self { node, rows }
    }

    /// Bytes of an attribute `message`.
    pub fn attribute(&self) -> usize {
        self.node.min(1024)
    }

    /// Characters of a name; Azure DevOps refuses more than 512.
    pub fn name(&self) -> usize {
        self.node.clamp(100, 400)
    }
}

/// Collects the file and refuses to grow past `max`.
#[derive(Debug)]
pub struct Sink {
    bytes: Vec<u8>,
    max: usize,
    /// Whether something was refused.
    pub full: bool,
}

impl Sink {
    pub const fn new(max: usize) -> Self {
        Self {
            bytes: Vec::new(),
            max,
            full: false,
        }
    }

    pub fn finish(mut self) -> Vec<u8> {
        self.bytes.push(b'\n');
        self.bytes
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() >= self.max {
            self.full = true;
            return Err(io::Error::other("the report is too large"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
