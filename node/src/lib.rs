//! The node every city runs: keeps the city's records, signs them, exchanges with peers, answers queries.
//!
//! A library with a thin `main`, so that tests and the demonstration run real nodes in one process. Modules are
//! ordered in levels; a file uses only lower levels and its own folder (`ARCHITECTURE.md`, held by a test):
//!
//! | level | modules |
//! |---|---|
//! | 6 | `app`, `demo`, `init`, `join`, `commands` |
//! | 5 | `rpc`, `portal` |
//! | 4 | `peers`, `enrolment`, `transport` |
//! | 3 | `engine` |
//! | 2 | `records`, `search` |
//! | 1 | `store`, `tls`, `clock`, `config`, `keys`, `operators`, `telemetry`, `audit` |

pub mod app;
pub mod audit;
pub mod clock;
pub mod commands;
pub mod config;
pub mod demo;
pub mod engine;
pub mod enrolment;
pub mod init;
pub mod join;
pub mod keys;
pub mod operators;
pub mod peers;
pub mod portal;
pub mod records;
pub mod rpc;
pub mod search;
pub mod store;
pub mod telemetry;
pub mod tls;
pub mod transport;
