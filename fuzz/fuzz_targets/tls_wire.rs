//! Records and handshake messages, as a server might send them.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| readygate_tls::wire::fuzz_entry(bytes));
