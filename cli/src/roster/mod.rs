//! Rosters as files: founding one, collecting signatures, showing it.
//!
//! What makes a roster valid is decided in `wego-proto`; here it is only read, signed and written.

pub(crate) mod file;
pub(crate) mod found;
pub(crate) mod view;

#[cfg(test)]
mod tests;
