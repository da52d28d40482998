//! Parsers of what servers send. Each takes any bytes, never fails by panicking, and says in words
//! what a browser would make of the text.

pub mod cookie;
pub mod csp;
pub mod hsts;
pub mod html;
pub mod integrity;

/// The tokens of a comma-separated list, without the spaces around them.
pub(crate) fn list(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim).filter(|t| !t.is_empty())
}
