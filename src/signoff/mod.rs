//! Sign-offs: requests, statements, SSH signatures, roles, separation of duties.

mod check;
pub mod config;
mod resolve;

pub use check::check;
pub use resolve::{Inputs, resolve};
