//! Real keys, real signatures, a real repository; only the clock and the evidence are made up.

mod keys;
mod lies;
mod people;
mod replay;
mod requests;
mod world;
