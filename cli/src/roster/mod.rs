//! Rosters as files: founding one, proposing the next version, collecting signatures, showing it.
//!
//! What makes a roster valid is decided in `wego-proto`; here it is only read, signed and written.

pub(crate) mod admission;
pub(crate) mod chain;
pub(crate) mod diff;
mod edit;
pub(crate) mod file;
pub(crate) mod found;
pub(crate) mod propose;
pub(crate) mod status;
pub(crate) mod submit;
pub(crate) mod view;

#[cfg(test)]
mod tests;
