//! The console, as screenshots.
