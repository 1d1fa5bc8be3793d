//! The rule of logs: what is accepted, and what two histories look like.
//!
//! The problem: nodes receive a member's entries at different times, from different peers, some of them hostile,
//! and must end with the same log. The rule has two halves.
//!
//! *Whose is it?* An entry is accepted iff it is, or is an ancestor by `prev` of, an entry whose signature
//! verifies strictly under the key valid at its position. So a run of entries is checked by one signature at its
//! end, one at each change of key, and a hash for each entry: a node that checks every signature and a node that
//! checks runs accept the same entries. [`Run::verify`] is the only way to a [`Run`].
//!
//! *Where does it go?* Exactly after the head ([`Log::place`]). Before it is a duplicate or the other half of a
//! fork; beyond it a gap, which is fetched, never skipped. Without this a peer could make two nodes disagree by
//! choosing what to leave out.
//!
//! A [`Log`] is one epoch of a member's log. How far it counts is its [`Bound`], which follows from later epochs,
//! proved forks and the roster (see [`crate::standing`]); what is held beyond it is not shown and not passed on.

use thiserror::Error;
use wego_proto::{
    entry::{EntryError, Unverified, Verified},
    epochs::EpochError,
    id::{Origin, Position},
};

use crate::{limits::ENTRIES_PER_MESSAGE_MAX, roster::History};

mod epoch;

pub use epoch::{Bound, FIRST_EPOCH, Fork, Head, Log, Placement};

/// Consecutive verified entries of one origin and epoch; at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    first: Verified,
    rest: Vec<Verified>,
}

/// Why entries are refused as a run. Nothing of them was stored.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RunError {
    /// No entries.
    #[error("no entries")]
    Empty,
    /// More than one message may hold.
    #[error("more than {max} entries")]
    TooMany {
        /// The limit.
        max: usize,
    },
    /// Not all of one origin and epoch, or not one after the other.
    #[error("entry {at} does not follow the one before")]
    NotConsecutive {
        /// Position of the entry that does not follow.
        at: Position,
    },
    /// The author is in no roster known here.
    #[error("the roster has no member {0}")]
    UnknownMember(Origin),
    /// The author has no such key at this position.
    #[error("member {origin} has no log key {key_no} at {at}")]
    UnknownKey {
        /// Author.
        origin: Origin,
        /// Key named in the header.
        key_no: u32,
        /// Position.
        at: Position,
    },
    /// Beyond the last valid position of a member that no longer takes part.
    #[error("member {origin} was cut off before {at}")]
    BeyondCut {
        /// Author.
        origin: Origin,
        /// Position.
        at: Position,
    },
    /// An epoch whose opening, or whose base's opening, has not come yet. Nothing is wrong with it.
    #[error("epoch {epoch} of member {origin} is not known")]
    UnknownEpoch {
        /// Author.
        origin: Origin,
        /// Epoch.
        epoch: u32,
    },
    /// An opening that opens nothing.
    #[error("opening of epoch {epoch} of member {origin}")]
    Opening {
        /// Author.
        origin: Origin,
        /// Epoch.
        epoch: u32,
        /// Why not.
        #[source]
        error: EpochError,
    },
    /// The first entry of a log does not name the author's city id as predecessor.
    #[error("the log of member {origin} starts from another root")]
    WrongRoot {
        /// Author.
        origin: Origin,
    },
    /// An entry that cannot be read.
    #[error("an entry cannot be read")]
    Unreadable(#[source] EntryError),
    /// A signature, hash or field is wrong.
    #[error("entry {at} of member {origin}")]
    Entry {
        /// Author.
        origin: Origin,
        /// Position.
        at: Position,
        /// What is wrong.
        #[source]
        error: EntryError,
    },
}

impl Run {
    /// Verifies consecutive entries under the newest roster: from the last to the first, a signature at the end
    /// and at each change of key, else the hash that the next entry names.
    ///
    /// # Errors
    /// [`RunError`].
    pub fn verify(entries: Vec<Unverified>, roster: &History) -> Result<Self, RunError> {
        if entries.len() > ENTRIES_PER_MESSAGE_MAX {
            return Err(RunError::TooMany { max: ENTRIES_PER_MESSAGE_MAX });
        }
        let mut before = entries;
        let last = before.pop().ok_or(RunError::Empty)?;
        Self::ending_in(verify_signed(last, roster)?, before, roster)
    }

    /// As many of the entries, from the first on, as verify: what is left ends at one that is signed itself.
    #[must_use]
    pub fn verify_start(mut entries: Vec<Unverified>, roster: &History) -> Option<Self> {
        // A change of key ends a message as well, so that what comes after it cannot take down what came before.
        let follows = |pair: &&[Unverified]| {
            let (header, next) = (pair[0].header(), pair[1].header());
            next.prev == pair[0].hash() && next.key_no == header.key_no
        };
        let chained = entries.windows(2).take_while(follows).count() + 1;
        entries.truncate(chained.min(ENTRIES_PER_MESSAGE_MAX));
        while let Some(last) = entries.pop() {
            if let Ok(last) = verify_signed(last, roster) {
                return Self::ending_in(last, entries, roster).ok();
            }
        }
        None
    }

    fn ending_in(last: Verified, before: Vec<Unverified>, roster: &History) -> Result<Self, RunError> {
        let mut first = last;
        let mut backwards: Vec<Verified> = Vec::with_capacity(before.len());
        for entry in before.into_iter().rev() {
            let earlier = verify_before(entry, &first, roster)?;
            backwards.push(std::mem::replace(&mut first, earlier));
        }
        let origin = first.header().origin;
        let root = roster.member(origin).map(wego_proto::roster::Member::log_root);
        if first.header().at == Position::FIRST && Some(first.header().prev) != root {
            return Err(RunError::WrongRoot { origin });
        }
        backwards.reverse();
        Ok(Self { first, rest: backwards })
    }

    /// A run of entries this node signed itself, one after the other.
    #[must_use]
    pub(crate) fn own(first: Verified, rest: Vec<Verified>) -> Self {
        Self { first, rest }
    }

    /// The author.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.first.header().origin
    }

    /// Position of the first entry.
    #[must_use]
    pub fn first_at(&self) -> Position {
        self.first.header().at
    }

    /// The last entry.
    #[must_use]
    pub fn last(&self) -> &Verified {
        self.rest.last().unwrap_or(&self.first)
    }

    /// How many.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a run is never empty")]
    pub fn len(&self) -> usize {
        1 + self.rest.len()
    }

    /// In order.
    pub fn iter(&self) -> impl Iterator<Item = &Verified> {
        std::iter::once(&self.first).chain(&self.rest)
    }

    /// The entries, in order.
    #[must_use]
    pub fn into_entries(self) -> Vec<Verified> {
        let mut entries = vec![self.first];
        entries.extend(self.rest);
        entries
    }

    /// The run without its entries up to `seq`; `None` when nothing is left.
    pub(super) fn after(self, seq: u64) -> Option<Self> {
        let mut entries = self.into_entries();
        let held = entries.iter().take_while(|entry| entry.header().at.seq <= seq).count();
        let mut rest = entries.split_off(held);
        let first = (!rest.is_empty()).then(|| rest.remove(0))?;
        Some(Self { first, rest })
    }

    /// The run without its entries from `seq` on; `None` when nothing is left.
    pub(crate) fn before(self, seq: u64) -> Option<Self> {
        let mut entries = self.into_entries();
        let kept = entries.iter().take_while(|entry| entry.header().at.seq < seq).count();
        entries.truncate(kept);
        let first = (!entries.is_empty()).then(|| entries.remove(0))?;
        Some(Self { first, rest: entries })
    }
}

pub(crate) fn verify_signed(entry: Unverified, roster: &History) -> Result<Verified, RunError> {
    let header = entry.header();
    let (origin, at, key_no) = (header.origin, header.at, header.key_no);
    let member = roster.member(origin).ok_or(RunError::UnknownMember(origin))?;
    if member.cut.is_some_and(|cut| at > cut.at) {
        return Err(RunError::BeyondCut { origin, at });
    }
    let epochs = roster.epochs(origin);
    if header.epoch_start.is_some() {
        let judged = epochs.judge(member, &roster.federation(), entry);
        return judged.map(|(_, opening)| opening).map_err(|error| match error {
            EpochError::UnknownBase(epoch) => RunError::UnknownEpoch { origin, epoch },
            error => RunError::Opening { origin, epoch: at.epoch, error },
        });
    }
    if at.epoch != FIRST_EPOCH && epochs.get(at.epoch).is_none() {
        return Err(RunError::UnknownEpoch { origin, epoch: at.epoch });
    }
    let key = epochs.log_key(member, key_no, at).ok_or(RunError::UnknownKey { origin, key_no, at })?;
    entry.verify(&roster.federation(), &key).map_err(|error| RunError::Entry { origin, at, error })
}

fn verify_before(entry: Unverified, next: &Verified, roster: &History) -> Result<Verified, RunError> {
    let (header, after) = (entry.header(), next.header());
    let (origin, at) = (after.origin, after.at);
    if header.origin != origin || header.at.next() != Some(at) {
        return Err(RunError::NotConsecutive { at });
    }
    // An opening says who signs from here on, so its own signature is asked for whatever follows it.
    if header.key_no != after.key_no || header.epoch_start.is_some() {
        let signed = verify_signed(entry.clone(), roster)?;
        let chained = next.ancestor(entry);
        return chained.map(|_| signed).map_err(|error| RunError::Entry { origin, at, error });
    }
    let at = header.at;
    next.ancestor(entry).map_err(|error| RunError::Entry { origin, at, error })
}

#[cfg(test)]
mod tests;
