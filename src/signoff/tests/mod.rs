//! Real keys, real signatures, a real repository; only the clock and the evidence are made up.

mod kept;
mod keys;
mod lies;
mod people;
mod replay;
mod requests;
mod world;
