#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| readygate_headers::entry::policy(data));
