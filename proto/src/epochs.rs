//! Which key may sign where in a log, and which epochs of it count.
//!
//! The problem: disks are lost, keys are stolen, logs fork, and afterwards every replica must hold the same log,
//! whatever it heard first. The rule: a log is a chain of epochs with one key each. A later epoch begins with an entry
//! that pins, by hash, the last entry of an earlier epoch that stays valid. Who may sign it decides the part of the
//! epoch's number that it raises, so that numbers sort as authority does; the highest known number counts, with the
//! chain of bases below it. Without that order a thief of a log key could undo what the recovery key says, or two
//! replicas could follow different epochs for ever.
//!
//! Whoever steals a log key can sign any number of openings of one epoch, so a number alone does not say which one a later
//! epoch continues from: each opening pins, by hash, the opening of its base's epoch. So an opening brings its whole chain
//! with it, whatever was heard before. Only the highest number is pinned by nobody: there the smallest hash counts.
//!
//! Nothing here looks at the roster's versions or at clocks: what a member had committed to is in its newest version.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::{
    entry::{EntryError, Verified},
    id::{Hash, Position},
    key::PublicKey,
    roster::Member,
};

mod known;

pub use known::{Epochs, Segment};

/// The number of a log's first epoch.
pub const FIRST_EPOCH: u32 = 1;
/// A continuation raises its part of the number by up to this much, by chance: a member that loses its disk twice, the
/// second time before anybody heard of the first, must not open the same epoch again.
pub const CONTINUATION_STEP_MAX: u32 = 64;

/// Who opened an epoch, in the order of authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// The log key that goes on.
    Continuation,
    /// The next log key, committed to before.
    Rotation,
    /// The recovery key.
    Recovery,
    /// The governance: a later roster gives the log key.
    Reinception,
}

impl Rank {
    /// Bits of an epoch's number below this rank's part, and the part's width.
    const fn part(self) -> (u32, u32) {
        match self {
            Self::Continuation => (0, 16),
            Self::Rotation => (16, 8),
            Self::Recovery => (24, 5),
            Self::Reinception => (29, 3),
        }
    }

    /// This rank's part of an epoch's number.
    const fn of(self, epoch: u32) -> u32 {
        let (shift, width) = self.part();
        (epoch >> shift) & ((1 << width) - 1)
    }

    /// The parts of a number above this rank's.
    const fn above(self, epoch: u32) -> u64 {
        let (shift, width) = self.part();
        (epoch as u64) >> (shift + width)
    }

    /// The rank by which an epoch with this number follows `base`, if it can.
    const fn between(base: u32, number: u32) -> Option<Self> {
        let ranks = [Self::Reinception, Self::Recovery, Self::Rotation, Self::Continuation];
        let mut at = 0;
        while at < ranks.len() {
            let rank = ranks[at];
            if rank.of(number) != rank.of(base) {
                let raised = rank.of(number) > rank.of(base) && rank.below_is_zero(number);
                return if raised { Some(rank) } else { None };
            }
            at += 1;
        }
        None
    }

    /// Whether the parts below this rank's are 0, but for the continuation's.
    const fn below_is_zero(self, number: u32) -> bool {
        let (shift, _) = self.part();
        let (_, free) = Self::Continuation.part();
        (number & ((1 << shift) - 1)) >> free == 0
    }
}

/// What of an epoch's number the log key that goes on cannot raise.
#[must_use]
pub const fn reign(number: u32) -> u32 {
    let (shift, _) = Rank::Rotation.part();
    number >> shift
}

/// A number for a new epoch: the least of its rank above `highest`, the highest number known of the log, within what
/// stays as in `base`. `chance` spreads continuations. `None` when the part is used up: an opening of a higher rank
/// begins it anew.
#[must_use]
pub fn next_number(rank: Rank, base: u32, highest: u32, chance: u32) -> Option<u32> {
    // What was opened in another reign, recovery or rotation does not count here.
    let from = if rank.above(highest) == rank.above(base) { highest.max(base) } else { base };
    let step = match rank {
        Rank::Continuation => 1 + chance % CONTINUATION_STEP_MAX,
        _ => 1,
    };
    let (shift, width) = rank.part();
    let part = rank.of(from).checked_add(step).filter(|part| *part < 1 << width)?;
    let above = u32::try_from(rank.above(base) << (shift + width)).ok()?;
    let below = if rank == Rank::Continuation { 0 } else { chance % CONTINUATION_STEP_MAX };
    Some(above | (part << shift) | below)
}

/// An epoch above the first, as its opening says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Epoch {
    /// Its number.
    pub number: u32,
    /// Who opened it.
    pub rank: Rank,
    /// The last entry of an earlier epoch that stays valid; seq 0 for none.
    pub base: Position,
    /// Its hash; for seq 0 the member's log root.
    pub base_hash: Hash,
    /// Number of its log key.
    pub key_no: u32,
    /// Its log key.
    pub key: PublicKey,
    /// What the member has committed to for the next rotation.
    pub next_digest: Option<Hash>,
    /// Its first entry, without payload.
    pub opening: Verified,
}

/// An opening among all of a log: its epoch's number, and its hash.
pub type OpeningId = (u32, Hash);

impl Epoch {
    /// Which opening it is.
    #[must_use]
    pub fn id(&self) -> OpeningId {
        (self.number, self.opening.hash())
    }

    /// The opening of its base's epoch; none when that is the first one.
    #[must_use]
    pub fn below(&self) -> Option<OpeningId> {
        let start = self.opening.header().epoch_start?;
        Some((self.base.epoch, start.base_opening?))
    }

    /// Its log key, if it has this number.
    #[must_use]
    pub fn log_key(&self, key_no: u32) -> Option<PublicKey> {
        (self.key_no == key_no).then_some(self.key)
    }

    /// The number and the key that sign what an opening after `base` continues: those of this epoch, when it is the base's;
    /// else the roster's.
    #[must_use]
    pub fn key_after(branch: Option<&Self>, member: &Member, base: Position) -> Option<(u32, PublicKey)> {
        known::key_after(member, base, branch)
    }
}

/// The last sequence number that counts of each epoch, where `bases` says what each epoch above the first continues
/// from: what a projection goes by, which sees openings in any order of arrival.
#[must_use]
pub fn counting(bases: &BTreeMap<u32, Position>) -> BTreeMap<u32, u64> {
    let tip = bases.last_key_value().map_or(FIRST_EPOCH, |(number, _)| *number);
    let mut counting = BTreeMap::from([(tip, u64::MAX)]);
    let mut epoch = tip;
    // Bases have lower numbers, so this ends.
    while let Some(base) = bases.get(&epoch).filter(|base| base.epoch < epoch) {
        counting.insert(base.epoch, base.seq);
        epoch = base.epoch;
    }
    counting
}

/// Whether an entry counts.
#[must_use]
pub fn counts(counting: &BTreeMap<u32, u64>, at: Position) -> bool {
    counting.get(&at.epoch).is_some_and(|last| at.seq <= *last)
}

/// Whether something counts after an opening that did not before it; the opened epoch itself aside.
#[must_use]
pub fn brings_back(before: &BTreeMap<u32, u64>, after: &BTreeMap<u32, u64>, opened: u32) -> bool {
    after.iter().any(|(epoch, last)| *epoch != opened && before.get(epoch).is_none_or(|before| before < last))
}

/// Why an entry opens no epoch.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EpochError {
    /// It is no opening.
    #[error("the entry opens no epoch")]
    NoOpening,
    /// The opening it continues from is not known: that one must come first. Nothing is wrong with it.
    #[error("the opening of epoch {0} that it continues from is not known")]
    UnknownBase(u32),
    /// The base is not one that the entry's predecessor, or the log's root, can be.
    #[error("it does not follow its base")]
    WrongBase,
    /// Its number does not follow from its base's by raising one part.
    #[error("an epoch {number} cannot follow epoch {base}")]
    WrongNumber {
        /// Number of the base's epoch.
        base: u32,
        /// Its own.
        number: u32,
    },
    /// The key is not the one that may open such an epoch.
    #[error("its key may not open such an epoch")]
    WrongKey,
    /// The signature does not verify.
    #[error(transparent)]
    Entry(#[from] EntryError),
}

#[cfg(test)]
mod tests;
