//! Every target: the function of `wego_tests::fuzz` that has the name of the binary.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wego_tests::fuzz::run(env!("CARGO_BIN_NAME"), bytes));
