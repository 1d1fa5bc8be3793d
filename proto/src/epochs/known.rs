//! The openings known of one log, which of them count, and how a further one is judged.
//!
//! What is kept is a function of what was heard and of what the store holds, in whatever order it came: of each number the
//! opening with the smallest hash, those that are held, and whatever one of these continues from. Never more, whatever a
//! thief signs.

use std::collections::{BTreeMap, BTreeSet};

use super::{Epoch, EpochError, FIRST_EPOCH, OpeningId, Rank};
use crate::{
    entry::{Header, Unverified, Verified},
    id::{FederationId, Hash, Position},
    key::PublicKey,
    roster::{LogKey, Member},
};

/// The epochs known of one member's log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Epochs {
    known: BTreeMap<OpeningId, Epoch>,
    /// The opening whose entries are held, of each epoch of which any are.
    held: BTreeMap<u32, Hash>,
}

/// A part of a log that counts: an epoch, and the last entry of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Number of the epoch.
    pub epoch: u32,
    /// Hash of its opening; none of the first epoch.
    pub opening: Option<Hash>,
    /// Position and hash of the last entry that counts; `None` in the epoch that is being written.
    pub last: Option<(Position, Hash)>,
    /// Who opened the epoch after it.
    pub ended_by: Option<Rank>,
}

/// What an opening is held against: the key that must have signed it, and what the epoch will have.
struct Expected {
    rank: Rank,
    signer: PublicKey,
    key_no: u32,
    next_digest: Option<Hash>,
}

impl Epochs {
    /// A log in its first epoch.
    pub const NONE: Self = Self { known: BTreeMap::new(), held: BTreeMap::new() };

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
        let expected = self.expected(member, opening.header())?;
        let verified = opening.verify(federation, &expected.signer)?;
        Ok((expected.opened_by(&verified)?, verified))
    }

    /// The epoch that a verified opening opens.
    ///
    /// # Errors
    /// As [`Epochs::judge`].
    pub fn opened(&self, member: &Member, opening: &Verified) -> Result<Epoch, EpochError> {
        self.expected(member, opening.header())?.opened_by(opening)
    }

    /// Takes in judged epochs, together with what they continue from where that is not known yet. Of two openings of one
    /// epoch, which only a thief signs, the one with the smaller hash stands where no later epoch says otherwise. Returns
    /// whether anything changed.
    pub fn admit(&mut self, epochs: impl IntoIterator<Item = Epoch>) -> bool {
        let mut epochs: Vec<_> = epochs.into_iter().collect();
        epochs.retain(|epoch| !self.known.contains_key(&epoch.id()));
        let numbers: BTreeSet<u32> = epochs.iter().map(|epoch| epoch.number).collect();
        let opened_twice =
            numbers.len() < epochs.len() || numbers.iter().any(|number| self.least(*number).is_some());
        if !opened_twice {
            // Nothing becomes superfluous by it: in a log of many epochs each costs no more.
            let changed = !epochs.is_empty();
            self.include(epochs);
            return changed;
        }
        let before: BTreeSet<_> = self.known.keys().copied().collect();
        self.include(epochs);
        self.forget();
        !self.known.keys().eq(&before)
    }

    /// Takes in a judged epoch whose entries are held: it stays known, whoever contests it. Returns whether anything
    /// changed.
    pub fn hold(&mut self, epoch: Epoch) -> bool {
        let (number, hash) = epoch.id();
        let before = self.held.insert(number, hash);
        let admitted = self.admit([epoch]);
        // What was held instead may not be needed any more.
        if before.is_some_and(|before| before != hash) {
            self.forget();
        }
        admitted
    }

    /// Notes that nothing is held of an epoch any more.
    pub fn release(&mut self, number: u32) {
        self.held.remove(&number);
        self.forget();
    }

    /// Takes in judged epochs and forgets none: for whoever is given just what it needs.
    pub fn include(&mut self, epochs: impl IntoIterator<Item = Epoch>) {
        for epoch in epochs {
            self.known.entry(epoch.id()).or_insert(epoch);
        }
    }

    fn forget(&mut self) {
        let numbers: BTreeSet<u32> = self.known.keys().map(|(number, _)| *number).collect();
        let standing = numbers.into_iter().filter_map(|number| self.least(number)).map(Epoch::id);
        let held = self.held.iter().map(|(number, hash)| (*number, *hash));
        let mut due: Vec<OpeningId> = standing.chain(held).collect();
        let mut kept = BTreeSet::new();
        while let Some(id) = due.pop() {
            if kept.insert(id) {
                due.extend(self.known.get(&id).and_then(Epoch::below));
            }
        }
        self.known.retain(|id, _| kept.contains(id));
    }

    /// Pairs of openings of one epoch, one of `epochs` and one known: only a thief, or whoever lost its data twice, signs
    /// both.
    #[must_use]
    pub fn contradictions(&self, epochs: &[Epoch]) -> Vec<[Epoch; 2]> {
        let of_number =
            |number: u32| self.known.range((number, LEAST)..).take_while(move |(id, _)| id.0 == number);
        let against = |epoch: &Epoch| {
            let other = of_number(epoch.number).find(|(id, _)| **id != epoch.id());
            other.map(|(_, other)| [epoch.clone(), other.clone()])
        };
        epochs.iter().filter_map(against).collect()
    }

    /// One opening.
    #[must_use]
    pub fn find(&self, id: OpeningId) -> Option<&Epoch> {
        self.known.get(&id)
    }

    /// An epoch above the first: as it counts, else as it is held, else the one that stands.
    #[must_use]
    pub fn get(&self, number: u32) -> Option<&Epoch> {
        let counts = self.chain_of(self.least(self.tip())).find(|epoch| epoch.number == number);
        counts.or_else(|| self.held(number)).or_else(|| self.least(number))
    }

    /// An epoch of which entries are held, as these have it.
    #[must_use]
    pub fn held(&self, number: u32) -> Option<&Epoch> {
        self.find((number, *self.held.get(&number)?))
    }

    /// The opening of an epoch that stands where no later epoch says otherwise.
    #[must_use]
    pub fn least(&self, number: u32) -> Option<&Epoch> {
        self.known.range((number, LEAST)..).next().filter(|(id, _)| id.0 == number).map(|(_, epoch)| epoch)
    }

    /// All openings known, lowest number first.
    pub fn iter(&self) -> impl Iterator<Item = &Epoch> {
        self.known.values()
    }

    /// The highest number known: the epoch being written.
    #[must_use]
    pub fn tip(&self) -> u32 {
        self.known.last_key_value().map_or(FIRST_EPOCH, |((number, _), _)| *number)
    }

    /// The parts of the log that count, oldest first.
    #[must_use]
    pub fn path(&self) -> Vec<Segment> {
        self.path_to(self.tip())
    }

    /// The parts that would count, oldest first, if no later epoch than this one were known.
    #[must_use]
    pub fn path_to(&self, number: u32) -> Vec<Segment> {
        let last = Segment { epoch: number, opening: None, last: None, ended_by: None };
        let mut path = vec![last];
        for epoch in self.chain_of(self.least(number)) {
            if let Some(segment) = path.last_mut() {
                segment.opening = Some(epoch.opening.hash());
            }
            path.push(Segment {
                epoch: epoch.base.epoch,
                opening: None,
                last: Some((epoch.base, epoch.base_hash)),
                ended_by: Some(epoch.rank),
            });
        }
        path.reverse();
        path
    }

    /// An opening and those it continues from, oldest first.
    #[must_use]
    pub fn chain(&self, id: OpeningId) -> Vec<&Epoch> {
        let mut chain: Vec<_> = self.chain_of(self.find(id)).collect();
        chain.reverse();
        chain
    }

    /// From the highest down; bases have lower numbers, so this ends.
    fn chain_of<'a>(&'a self, top: Option<&'a Epoch>) -> impl Iterator<Item = &'a Epoch> {
        std::iter::successors(top, |epoch| self.find(epoch.below()?))
    }

    /// The key that may sign at a position, if it has this number.
    #[must_use]
    pub fn log_key(&self, member: &Member, key_no: u32, at: Position) -> Option<PublicKey> {
        if at.epoch == FIRST_EPOCH {
            return member.log_key(key_no, at).copied();
        }
        // The opening itself may be signed by another key: see `judge`.
        self.get(at.epoch)?.log_key(key_no)
    }

    /// The number and the key that sign the epoch's entries, at `at` or, for a base, right after it.
    #[must_use]
    pub fn key_after(&self, member: &Member, at: Position) -> Option<(u32, PublicKey)> {
        key_after(member, at, self.get(at.epoch))
    }

    /// What the member has committed to for the rotation of an epoch's key.
    #[must_use]
    pub fn next_digest(&self, member: &Member, epoch: u32) -> Option<Hash> {
        next_digest(member, epoch, self.get(epoch))
    }

    /// What an opening is held against.
    fn expected(&self, member: &Member, header: &Header) -> Result<Expected, EpochError> {
        let start = header.epoch_start.as_ref().ok_or(EpochError::NoOpening)?;
        let (base, number) = (start.base, header.at.epoch);
        let below = match start.base_opening {
            Some(hash) => Some(self.find((base.epoch, hash)).ok_or(EpochError::UnknownBase(base.epoch))?),
            None if base.epoch == FIRST_EPOCH => None,
            None => return Err(EpochError::WrongBase),
        };
        let from_nothing = base.seq == 0 && start.base_hash != member.log_root();
        if header.prev != start.base_hash || from_nothing {
            return Err(EpochError::WrongBase);
        }
        let wrong_number = EpochError::WrongNumber { base: base.epoch, number };
        let rank = Rank::between(base.epoch, number).ok_or(wrong_number)?;
        let before = key_after(member, base, below);
        let key_no_before = before.map_or(0, |(key_no, _)| key_no);
        let committed = next_digest(member, base.epoch, below);
        let (signer, signer_no, key_no) = match rank {
            Rank::Continuation => {
                let (key_no, key) = before.ok_or(EpochError::WrongKey)?;
                (key, key_no, key_no)
            }
            Rank::Rotation => {
                let key = start.log_key.ok_or(EpochError::WrongKey)?;
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
            Rank::Continuation => committed,
            Rank::Rotation | Rank::Recovery => start.next_digest,
            Rank::Reinception => member.committed(number).next_log_key,
        };
        Ok(Expected { rank, signer, key_no, next_digest })
    }
}

impl Expected {
    fn opened_by(self, opening: &Verified) -> Result<Epoch, EpochError> {
        let header = opening.header();
        let start = header.epoch_start.as_ref().ok_or(EpochError::NoOpening)?;
        Ok(Epoch {
            number: header.at.epoch,
            rank: self.rank,
            base: start.base,
            base_hash: start.base_hash,
            key_no: self.key_no,
            key: start.log_key.unwrap_or(self.signer),
            next_digest: self.next_digest,
            opening: opening.clone().without_payload(),
        })
    }
}

/// The number and the key that sign after a base in this epoch; in the first one the roster says it.
pub(super) fn key_after(member: &Member, at: Position, epoch: Option<&Epoch>) -> Option<(u32, PublicKey)> {
    if at.epoch == FIRST_EPOCH {
        let next = at.next()?;
        let holds = |key: &&LogKey| key.from <= next && key.until.is_none_or(|until| next < until);
        return member.log_keys.iter().rev().find(holds).map(|key| (key.key_no, key.key));
    }
    epoch.map(|epoch| (epoch.key_no, epoch.key))
}

fn next_digest(member: &Member, number: u32, epoch: Option<&Epoch>) -> Option<Hash> {
    match epoch {
        Some(epoch) => epoch.next_digest,
        None => member.committed(number).next_log_key,
    }
}

/// Sorts before every other hash.
const LEAST: Hash = Hash::new([0; 32]);
