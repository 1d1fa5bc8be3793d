//! The system through its edges, one file a claim area.

// All of it is tests, also the functions that tests share: lints that spare tests spare it.
#![cfg(test)]

mod audit;
mod backup;
mod bench;
mod corruption;
mod counting;
mod demo;
mod disk;
mod enrolment;
mod erasure;
mod federation;
mod fuzz;
mod governance;
mod hostile_client;
mod hostile_peer;
mod import;
mod kill;
mod openssl;
mod presence;
mod process;
mod roles;
mod runbook;
mod secrets;
mod story;
mod tidy;
mod transcripts;
mod transport;
mod trials;
mod unit_file;
mod vectors;
mod wire;
