//! Chains of certificates and staples, as a server might send them.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| readygate_tls::x509::fuzz_entry(bytes));
