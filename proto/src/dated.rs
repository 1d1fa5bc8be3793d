//! When a record was new, as far as this node can vouch for it.
//!
//! The problem: an author dates its entries by its own clock, and one that is wrong by fifty years would stand first in
//! every list for fifty years. The rule: what is newer than its arrival is as old as its arrival. It must never decide
//! whether an entry is valid or which of two counts.

use crate::v1;

/// Clocks differ, and an author that writes much at once dates one entry a millisecond after the other: so an entry may be
/// dated so much after its arrival without a word, and keeps its place among those beside it.
pub const CLOCK_AHEAD_MAX_MS: u64 = 10 * 60 * 1_000;

/// When something was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dated {
    /// When it was signed, or came where it is dated well after that, ms since 1970.
    pub ms: u64,
    /// The author's clock was ahead, by more than clocks differ.
    pub ahead: bool,
}

/// Of an entry that was signed at `signed_ms` by its author's clock and came at `received_ms` by this node's, 0 unknown.
#[must_use]
pub const fn dated(signed_ms: u64, received_ms: u64) -> Dated {
    let ahead = received_ms != 0 && signed_ms.saturating_sub(received_ms) > CLOCK_AHEAD_MAX_MS;
    Dated { ms: if ahead { received_ms } else { signed_ms }, ahead }
}

impl v1::Provenance {
    /// When the entry was signed, or came here.
    #[must_use]
    pub const fn dated(&self) -> Dated {
        dated(self.signed_at_ms, self.received_at_ms)
    }
}

impl v1::RecordSummary {
    /// When the newest entry was signed, or came here.
    #[must_use]
    pub const fn dated(&self) -> Dated {
        dated(self.signed_at_ms, self.received_at_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dated_well_after_its_arrival_is_as_old_as_its_arrival() {
        let almost = 5 + CLOCK_AHEAD_MAX_MS;
        for (signed, received) in [(5, 9), (9, 0), (u64::MAX, 0), (9, 5), (almost, 5)] {
            assert_eq!(dated(signed, received), Dated { ms: signed, ahead: false });
        }
        assert_eq!(dated(almost + 1, 5), Dated { ms: 5, ahead: true });
        assert_eq!(dated(u64::MAX, 5), Dated { ms: 5, ahead: true });
    }
}
