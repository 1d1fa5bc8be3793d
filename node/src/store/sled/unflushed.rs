//! How much may be written to a database before it is flushed.
//!
//! The problem: sled 0.34 writes its buffers on seven threads that all databases of a process share. One that needs
//! a new segment waits, holding a lock, for a truncation that is queued on the same threads; when all seven wait for
//! that lock, everything stands still for ever (sled pull request 1269, not in any release). The rule: one database
//! is written or flushed at a time, and what it has under way keeps no more than six threads busy: two for each
//! batch, which sled begins with a buffer of its own, one where what is written runs into the next segment, one for
//! the flush.

/// Encoded bytes written and not flushed. sled rewrites up to [`super::WRITE_FACTOR`] bytes for each, which is one
/// segment, so no more than one segment ends meanwhile. A batch of 256 entries of 1 KiB is one step.
pub(crate) const STEP_BYTES: u64 = 512 * 1_024;

/// Batches written and not flushed.
const BATCHES: u32 = 2;

/// What was written to a database since it was flushed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Unflushed {
    bytes: u64,
    batches: u32,
}

impl Unflushed {
    /// Whether a batch of `bytes` may be written before a flush.
    pub(crate) fn has_room_for(self, bytes: u64) -> bool {
        self.batches == 0 || (self.batches < BATCHES && self.bytes + bytes <= STEP_BYTES)
    }

    /// Counts a batch.
    pub(crate) fn add(&mut self, bytes: u64) {
        self.bytes += bytes;
        self.batches += 1;
    }

    pub(crate) fn bytes(self) -> u64 {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_more_bytes_nor_more_batches_are_under_way_than_sled_survives() {
        let mut unflushed = Unflushed::default();
        assert!(unflushed.has_room_for(2 * STEP_BYTES), "one large entry must be written somehow");
        unflushed.add(STEP_BYTES - 10);
        assert!(unflushed.has_room_for(10));
        assert!(!unflushed.has_room_for(11));
        unflushed.add(10);
        assert!(!unflushed.has_room_for(0), "two batches");
        assert_eq!(unflushed.bytes(), STEP_BYTES);
    }
}
