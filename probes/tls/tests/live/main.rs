//! The whole probe against servers with one fault each; the matrix is `docs/tls-matrix.md`.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod canned;
mod common;
mod faults;
mod matrix;
mod openssl;
mod pki;
mod rows;
mod server;
mod staple;
mod walk;
