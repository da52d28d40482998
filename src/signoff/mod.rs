//! Sign-offs: requests, statements, SSH signatures, roles, separation of duties.
//!
//! `run` and `gate` end with [`resolve`]: it reads the statements in the folder of sign-offs,
//! verifies each ([`verify`]), holds them against each other ([`duties`]), and decides the gates of
//! the `signoff` probe. [`request`] says what is still to be signed, and [`sign`] signs it.

pub mod allowed_signers;
mod changes;
mod check;
pub mod config;
mod duties;
pub(crate) mod found;
mod matter;
mod page;
mod ready;
mod repo;
pub mod request;
mod resolve;
mod revoked;
mod scene;
pub mod sign;
pub mod signature;
pub mod statement;
pub mod trust;
pub mod vector;
mod verify;

#[cfg(test)]
mod tests;

pub use check::{check, check_settings};
pub use page::page;
pub use resolve::resolve;
pub use revoked::Revoked;
pub use scene::{Inputs, Scene, head, is_release_of, resolves};
