//! What the operator of a node may choose. It must never outgrow what the limits allow.

use crate::limits;

/// What the operator of a node may choose, within what the limits allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Sessions open at once.
    pub sessions_max: usize,
    /// Time between two comparisons of heads with one peer, ms, before jitter of a quarter.
    pub anti_entropy_ms: u64,
    /// Time between two receipts of this node, ms; longer in a large federation.
    pub receipts_ms: u64,
    /// Members that must have confirmed the own log before a start writes; `None` for half of the others. With 0 the
    /// node trusts its copy, and nothing but its operator stands between an old copy and a fork.
    pub quorum: Option<usize>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            sessions_max: limits::SESSIONS_MAX,
            anti_entropy_ms: limits::ANTI_ENTROPY_MS,
            receipts_ms: limits::RECEIPTS_MS,
            quorum: None,
        }
    }
}
