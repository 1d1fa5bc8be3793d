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
    epochs::{Epoch, EpochError},
    id::{Origin, Position},
};

use crate::{limits::ENTRIES_PER_MESSAGE_MAX, roster::History};

use signers::Signers;

mod epoch;
mod signers;

pub use epoch::{Bound, FIRST_EPOCH, Fork, Head, Log, Placement, Root};
pub(crate) use signers::verify_held;

/// Consecutive verified entries of one origin and epoch; at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    first: Verified,
    rest: Vec<Verified>,
    /// Where it begins with an opening: that one's epoch, after those it continues from.
    openings: Vec<Epoch>,
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
        Self::verify_after(entries, Vec::new(), roster)
    }

    /// As [`Run::verify`], of entries that came with the openings that their first one continues from.
    ///
    /// # Errors
    /// [`RunError`].
    pub fn verify_after(
        entries: Vec<Unverified>,
        below: Vec<Unverified>,
        roster: &History,
    ) -> Result<Self, RunError> {
        if entries.len() > ENTRIES_PER_MESSAGE_MAX {
            return Err(RunError::TooMany { max: ENTRIES_PER_MESSAGE_MAX });
        }
        let signers = Signers::of(entries.first().ok_or(RunError::Empty)?, below, roster)?;
        let mut before = entries;
        let last = before.pop().ok_or(RunError::Empty)?;
        Self::ending_in(signers.verify(last)?, before, signers)
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
        let signers = Signers::of(entries.first()?, Vec::new(), roster).ok()?;
        while let Some(last) = entries.pop() {
            if let Ok(last) = signers.verify(last) {
                return Self::ending_in(last, entries, signers).ok();
            }
        }
        None
    }

    fn ending_in(last: Verified, before: Vec<Unverified>, signers: Signers<'_>) -> Result<Self, RunError> {
        let mut first = last;
        let mut backwards: Vec<Verified> = Vec::with_capacity(before.len());
        for entry in before.into_iter().rev() {
            let earlier = signers.verify_before(entry, &first)?;
            backwards.push(std::mem::replace(&mut first, earlier));
        }
        let origin = first.header().origin;
        if first.header().at == Position::FIRST && Some(first.header().prev) != signers.root(origin) {
            return Err(RunError::WrongRoot { origin });
        }
        backwards.reverse();
        Ok(Self { first, rest: backwards, openings: signers.into_openings() })
    }

    /// A run of entries that are verified and follow each other, as those that this node signed itself.
    #[must_use]
    pub(crate) fn own(first: Verified, rest: Vec<Verified>) -> Self {
        Self { first, rest, openings: Vec::new() }
    }

    /// Where it begins with an opening that came: that one's epoch, after those it continues from.
    #[must_use]
    pub fn openings(&self) -> &[Epoch] {
        &self.openings
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
        Some(Self::own(first, rest))
    }

    /// The run without its entries from `seq` on; `None` when nothing is left.
    pub(crate) fn before(self, seq: u64) -> Option<Self> {
        let openings = self.openings.clone();
        let mut entries = self.into_entries();
        let kept = entries.iter().take_while(|entry| entry.header().at.seq < seq).count();
        entries.truncate(kept);
        let first = (!entries.is_empty()).then(|| entries.remove(0))?;
        Some(Self { first, rest: entries, openings })
    }
}

#[cfg(test)]
mod tests;
