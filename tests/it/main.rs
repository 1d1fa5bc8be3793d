//! The system through its edges, one file a claim area.

// All of it is tests, also the functions that tests share: lints that spare tests spare it.
#![cfg(test)]

mod demo;
mod federation;
mod tidy;
mod unit_file;
