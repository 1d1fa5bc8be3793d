//! Backup files: fetching one from a node, and checking one without any.
//!
//! It must never leave a file under its final name that was not checked from its first byte to its last.

mod check;
pub(crate) mod create;
mod view;

pub(crate) use check::{Against, Checked, check, opening};
pub(crate) use view::{Backup, State, print};
