//! Sign-offs: requests, statements, SSH signatures, roles, separation of duties.

pub mod config;
