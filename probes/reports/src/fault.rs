//! Places and faults in a report.

use std::fmt;

/// A place in a decoded file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// 1-based.
    pub line: u64,
    /// 1-based, in characters.
    pub column: u64,
}

/// Why a report cannot be read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where, if that is known.
    pub at: Option<Position>,
    /// What is wrong there.
    pub reason: String,
    /// How to fix it.
    pub hint: Option<&'static str>,
}

impl Fault {
    /// A fault at an unknown place.
    pub fn new(reason: impl Into<String>) -> Self {
        Self {
            at: None,
            reason: reason.into(),
            hint: None,
        }
    }

    /// Sets the place, where none is known yet.
    #[must_use]
    pub fn at(mut self, at: Position) -> Self {
        self.at = self.at.or(Some(at));
        self
    }

    /// Sets how to fix it.
    #[must_use]
    pub fn hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

// Lets a fault travel through `std::io::Error`.
impl std::error::Error for Fault {}
