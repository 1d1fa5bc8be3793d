//! Which key may sign where in a log, and which epochs of it count.
//!
//! The problem: disks are lost, keys are stolen, logs fork, and afterwards every replica must hold the same log,
//! whatever it heard first. The rule: a log is a chain of epochs with one key each. A later epoch begins with an entry
//! that pins, by hash, the last entry of an earlier epoch that stays valid. Who may sign it decides the part of the
//! epoch's number that it raises, so that numbers sort as authority does; the highest known number counts, with the
//! chain of bases below it. Without that order a thief of a log key could undo what the recovery key says, or two
//! replicas could follow different epochs for ever.
//!
//! Nothing here looks at the roster's versions or at clocks: what a member had committed to is in its newest version.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::{
    entry::{EntryError, Header, Unverified, Verified},
    id::{FederationId, Hash, Position, StoreId},
    key::PublicKey,
    roster::{LogKey, Member},
};

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
    /// The database incarnation that opened it.
    pub store: Option<StoreId>,
    /// Hash of the opening.
    pub opening: Hash,
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
    /// The epoch it continues from is not known: that one's opening must come first. Nothing is wrong with it.
    #[error("epoch {0}, which it continues from, is not known")]
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

/// The epochs known of one member's log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Epochs {
    above_first: BTreeMap<u32, Epoch>,
}

/// A part of a log that counts: an epoch, and the last entry of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Number of the epoch.
    pub epoch: u32,
    /// Position and hash of the last entry that counts; `None` in the epoch that is being written.
    pub last: Option<(Position, Hash)>,
    /// Who opened the epoch after it.
    pub ended_by: Option<Rank>,
}

impl Epochs {
    /// A log in its first epoch.
    pub const NONE: Self = Self { above_first: BTreeMap::new() };

    /// Judges an opening: its number, base and signature.
    ///
    /// # Errors
    /// [`EpochError`]; of these only [`EpochError::UnknownBase`] may pass with time.
    pub fn judge(
        &self,
        member: &Member,
        federation: &FederationId,
        opening: Unverified,
    ) -> Result<(Epoch, Verified), EpochError> {
        let (epoch, signer) = self.expected(member, opening.header(), opening.hash())?;
        let verified = opening.verify(federation, &signer)?;
        Ok((epoch, verified))
    }

    /// The epoch that a verified opening opens.
    ///
    /// # Errors
    /// As [`Epochs::judge`].
    pub fn opened(&self, member: &Member, opening: &Verified) -> Result<Epoch, EpochError> {
        self.expected(member, opening.header(), opening.hash()).map(|(epoch, _)| epoch)
    }

    /// Takes in a judged epoch. Of two openings of one epoch, which only a thief signs, the one with the smaller hash
    /// stands. Returns whether anything changed.
    pub fn admit(&mut self, epoch: Epoch) -> bool {
        let known = self.above_first.get(&epoch.number);
        if known.is_some_and(|known| known.opening <= epoch.opening) {
            return false;
        }
        self.above_first.insert(epoch.number, epoch);
        true
    }

    /// An epoch above the first.
    #[must_use]
    pub fn get(&self, number: u32) -> Option<&Epoch> {
        self.above_first.get(&number)
    }

    /// The epochs above the first, lowest number first.
    pub fn iter(&self) -> impl Iterator<Item = &Epoch> {
        self.above_first.values()
    }

    /// The highest number known: the epoch being written.
    #[must_use]
    pub fn tip(&self) -> u32 {
        self.above_first.last_key_value().map_or(FIRST_EPOCH, |(number, _)| *number)
    }

    /// The parts of the log that count, oldest first.
    #[must_use]
    pub fn path(&self) -> Vec<Segment> {
        let mut path = vec![Segment { epoch: self.tip(), last: None, ended_by: None }];
        // Bases have lower numbers, so this ends.
        while let Some(epoch) = path.last().and_then(|segment| self.get(segment.epoch)) {
            path.push(Segment {
                epoch: epoch.base.epoch,
                last: Some((epoch.base, epoch.base_hash)),
                ended_by: Some(epoch.rank),
            });
        }
        path.reverse();
        path
    }

    /// The key that may sign at a position, if it has this number.
    #[must_use]
    pub fn log_key(&self, member: &Member, key_no: u32, at: Position) -> Option<PublicKey> {
        if at.epoch == FIRST_EPOCH {
            return member.log_key(key_no, at).copied();
        }
        let epoch = self.get(at.epoch)?;
        // The opening itself may be signed by another key: see `judge`.
        (epoch.key_no == key_no).then_some(epoch.key)
    }

    /// The number and the key that sign the epoch's entries, at `at` or, for a base, right after it.
    #[must_use]
    pub fn key_after(&self, member: &Member, at: Position) -> Option<(u32, PublicKey)> {
        if at.epoch == FIRST_EPOCH {
            let next = at.next()?;
            let holds = |key: &&LogKey| key.from <= next && key.until.is_none_or(|until| next < until);
            return member.log_keys.iter().rev().find(holds).map(|key| (key.key_no, key.key));
        }
        self.get(at.epoch).map(|epoch| (epoch.key_no, epoch.key))
    }

    /// What the member has committed to for the rotation of an epoch's key.
    #[must_use]
    pub fn next_digest(&self, member: &Member, epoch: u32) -> Option<Hash> {
        match self.get(epoch) {
            Some(epoch) => epoch.next_digest,
            None => member.committed(epoch).next_log_key,
        }
    }

    /// The epoch that an opening would open, and the key that must have signed it.
    fn expected(
        &self,
        member: &Member,
        header: &Header,
        hash: Hash,
    ) -> Result<(Epoch, PublicKey), EpochError> {
        let start = header.epoch_start.as_ref().ok_or(EpochError::NoOpening)?;
        let (base, number) = (start.base, header.at.epoch);
        if base.epoch != FIRST_EPOCH && self.get(base.epoch).is_none() {
            return Err(EpochError::UnknownBase(base.epoch));
        }
        let from_nothing = base.seq == 0 && start.base_hash != member.log_root();
        if header.prev != start.base_hash || from_nothing {
            return Err(EpochError::WrongBase);
        }
        let wrong_number = EpochError::WrongNumber { base: base.epoch, number };
        let rank = Rank::between(base.epoch, number).ok_or(wrong_number)?;
        let before = self.key_after(member, base);
        let key_no_before = before.map_or(0, |(key_no, _)| key_no);
        let (signer, signer_no, key_no) = match rank {
            Rank::Continuation => {
                let (key_no, key) = before.ok_or(EpochError::WrongKey)?;
                (key, key_no, key_no)
            }
            Rank::Rotation => {
                let key = start.log_key.ok_or(EpochError::WrongKey)?;
                let committed = self.next_digest(member, base.epoch);
                if committed != Some(key.digest()) {
                    return Err(EpochError::WrongKey);
                }
                (key, key_no_before + 1, key_no_before + 1)
            }
            Rank::Recovery => {
                let key = header.recovery_key.ok_or(EpochError::WrongKey)?;
                if member.committed(number).recovery != Some(key.digest()) || start.log_key.is_none() {
                    return Err(EpochError::WrongKey);
                }
                (key, 0, key_no_before + 1)
            }
            Rank::Reinception => {
                let given = member.log_keys.iter().find(|key| key.from == header.at);
                let given = given.ok_or(EpochError::WrongKey)?;
                (given.key, given.key_no, given.key_no)
            }
        };
        let carries_key = matches!(rank, Rank::Rotation | Rank::Recovery);
        if header.key_no != signer_no || start.log_key.is_some() != carries_key {
            return Err(EpochError::WrongKey);
        }
        let next_digest = match rank {
            Rank::Continuation => self.next_digest(member, base.epoch),
            Rank::Rotation | Rank::Recovery => start.next_digest,
            Rank::Reinception => member.committed(number).next_log_key,
        };
        let epoch = Epoch {
            number,
            rank,
            base,
            base_hash: start.base_hash,
            key_no,
            key: start.log_key.unwrap_or(signer),
            next_digest,
            store: start.store,
            opening: hash,
        };
        Ok((epoch, signer))
    }
}

#[cfg(test)]
mod tests;
