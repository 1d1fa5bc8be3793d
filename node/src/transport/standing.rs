//! How a change of the transport key stands.

use wego_proto::{id::Origin, key::PublicKey};

use crate::keys::certificate::Validity;

/// What is shown, and what is to take over.
#[derive(Debug, Clone)]
pub struct Standing {
    /// The key in use.
    pub key: PublicKey,
    /// Whether it speaks for this member.
    pub listed: bool,
    /// Its certificate's dates.
    pub certificate: Validity,
    /// The key that is to take over.
    pub next: Option<Next>,
}

/// A key that is to take over.
#[derive(Debug, Clone)]
pub struct Next {
    /// The key.
    pub key: PublicKey,
    /// When the log named it, ms since 1970.
    pub since_ms: u64,
    /// It takes over not before, ms since 1970,
    pub earliest_ms: u64,
    /// and then as soon as all members know it, or at this time.
    pub latest_ms: u64,
    /// The active members that have not said that they know it.
    pub waiting: Vec<Origin>,
    /// Whether somebody has, or there is nobody else.
    pub known: bool,
}

impl Next {
    pub(super) fn is_due(&self, now_ms: u64) -> bool {
        let late = now_ms >= self.latest_ms && self.known;
        now_ms >= self.earliest_ms && (self.waiting.is_empty() || late)
    }
}
