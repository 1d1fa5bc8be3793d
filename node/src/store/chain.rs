//! What may follow what: the one rule by which every implementation accepts, skips or refuses a batch.
//!
//! It must never write: an implementation asks here first and then writes all of it or nothing.

use prost::Message as _;
use wego_proto::{
    entry::{Header, Unverified, Verified},
    id::{Hash, Origin, Position},
    v1,
};

use crate::store::{Heads, LockedHead, StoreError};

/// The hash of a stored entry's bytes, without reading what they say.
#[must_use]
pub fn entry_hash(entry: &v1::Entry) -> Hash {
    Hash::of(&[&[0], &entry.header, &entry.signature])
}

/// What a batch adds to what is held.
#[derive(Debug, Default)]
pub(super) struct Additions<'batch> {
    /// Entries not held before, in the order of the batch.
    pub(super) fresh: Vec<&'batch Verified>,
    /// Heads that move.
    pub(super) heads: Heads,
}

/// Finds what `batch` adds to `heads`; `held` gives the hash of the entry that is held below a head.
pub(super) fn additions<'batch>(
    batch: &'batch [Verified],
    heads: &Heads,
    held: impl Fn(Origin, Position) -> Result<Hash, StoreError>,
) -> Result<Additions<'batch>, StoreError> {
    let mut found = Additions::default();
    for entry in batch {
        let Header { origin, at, prev, .. } = *entry.header();
        let log = (origin, at.epoch);
        let head = found.heads.get(&log).or_else(|| heads.get(&log)).copied();
        let head_seq = head.map_or(0, |(seq, _)| seq);
        if at.seq > head_seq + 1 {
            return Err(StoreError::Gap { origin, at });
        }
        if at.seq == head_seq + 1 {
            if let Some((seq, hash)) = head
                && hash != prev
            {
                return Err(StoreError::Fork { origin, at: Position { epoch: at.epoch, seq } });
            }
            found.add(entry);
            continue;
        }
        let before = match head {
            Some((seq, hash)) if seq == at.seq => hash,
            _ => match found.hash_of(origin, at) {
                Some(hash) => hash,
                None => held(origin, at)?,
            },
        };
        if before != entry.hash() {
            return Err(StoreError::Fork { origin, at });
        }
    }
    Ok(found)
}

impl<'batch> Additions<'batch> {
    fn add(&mut self, entry: &'batch Verified) {
        let Header { origin, at, .. } = *entry.header();
        self.heads.insert((origin, at.epoch), (at.seq, entry.hash()));
        self.fresh.push(entry);
    }

    /// Looks through the batch itself: only for a batch that names one entry twice.
    fn hash_of(&self, origin: Origin, at: Position) -> Option<Hash> {
        let same = |entry: &&&Verified| (entry.header().origin, entry.header().at) == (origin, at);
        self.fresh.iter().find(same).map(|entry| entry.hash())
    }
}

/// The head after `batch`, when its entries extend `head` one after the other.
///
/// An own log starts with an epoch, and a later epoch may open anywhere: what it continues from is in its header
/// and was decided above.
pub(super) fn extended(
    origin: Origin,
    mut head: Option<LockedHead>,
    batch: &[Verified],
) -> Result<LockedHead, StoreError> {
    for entry in batch {
        if !extends(origin, head.as_ref(), entry.header()) {
            return Err(StoreError::Gap { origin, at: entry.header().at });
        }
        head = Some(LockedHead { at: entry.header().at, hash: entry.hash() });
    }
    head.ok_or(StoreError::Gap { origin, at: Position::FIRST })
}

/// Whether an entry with this header may stand after `head` in the own log.
pub(crate) fn extends(origin: Origin, head: Option<&LockedHead>, header: &Header) -> bool {
    let follows = match head {
        None => header.at.seq == 1,
        Some(head) if header.at.epoch > head.at.epoch => header.at.seq == 1,
        Some(head) => head.at.next() == Some(header.at) && header.prev == head.hash,
    };
    follows && header.origin == origin
}

/// Refuses what could not be read back: every reader checks the limits.
pub(super) fn readable(batch: &[Verified]) -> Result<(), StoreError> {
    for entry in batch {
        let Header { origin, at, .. } = *entry.header();
        Unverified::parse(entry.to_wire()).map_err(|_| StoreError::Malformed { origin, at })?;
    }
    Ok(())
}

/// Reads the bytes an implementation has stored.
pub(super) fn decode(bytes: &[u8]) -> Result<v1::Entry, StoreError> {
    v1::Entry::decode(bytes).map_err(|_| StoreError::Corrupt { what: "entry" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::conformance::Author;

    fn nothing_held(_: Origin, _: Position) -> Result<Hash, StoreError> {
        Err(StoreError::Corrupt { what: "entry" })
    }

    #[test]
    fn an_entry_named_twice_in_one_batch_is_added_once() {
        let mut ada = Author::new(1);
        let batch = ada.batch(3, 1);
        let twice: Vec<_> = batch.iter().chain(&batch).cloned().collect();
        let found = additions(&twice, &Heads::new(), nothing_held).expect("the same entries");
        assert_eq!(found.fresh.len(), 3);
    }

    #[test]
    fn a_later_epoch_may_follow_any_head_but_only_from_its_first_entry() {
        let mut ada = Author::new(1);
        let first = ada.batch(3, 1);
        let head = extended(ada.origin(), None, &first).expect("a chain");
        let second = ada.open_epoch(2, first[1].header().at, first[1].hash());
        assert!(extends(ada.origin(), Some(&head), second.header()));
        let third = ada.next(1);
        assert!(!extends(ada.origin(), Some(&head), third.header()));
        assert!(!extends(Origin(9), Some(&head), second.header()), "of another origin");
    }
}
