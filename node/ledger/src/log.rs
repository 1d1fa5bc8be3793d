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
//! A fork is two signed entries with one predecessor. It freezes the log at the position before: everything up
//! to there stays valid, everything after is of an author that cannot be believed, whichever half came first.

use thiserror::Error;
use wego_proto::{
    entry::{EntryError, Unverified, Verified},
    id::{Hash, Origin, Position},
};

use crate::{limits::ENTRIES_PER_MESSAGE_MAX, roster::History};

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
    /// An epoch that this log has not opened.
    #[error("epoch {epoch} of member {origin} is not open")]
    ClosedEpoch {
        /// Author.
        origin: Origin,
        /// Epoch.
        epoch: u32,
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
    fn after(self, seq: u64) -> Option<Self> {
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
    let key = member.log_key(key_no, at).ok_or(RunError::UnknownKey { origin, key_no, at })?;
    entry.verify(&roster.federation(), key).map_err(|error| RunError::Entry { origin, at, error })
}

fn verify_before(entry: Unverified, next: &Verified, roster: &History) -> Result<Verified, RunError> {
    let (header, after) = (entry.header(), next.header());
    let (origin, at) = (after.origin, after.at);
    if header.origin != origin || header.at.next() != Some(at) {
        return Err(RunError::NotConsecutive { at });
    }
    if header.key_no != after.key_no {
        let signed = verify_signed(entry.clone(), roster)?;
        let chained = next.ancestor(entry);
        return chained.map(|_| signed).map_err(|error| RunError::Entry { origin, at, error });
    }
    let at = header.at;
    next.ancestor(entry).map_err(|error| RunError::Entry { origin, at, error })
}

/// The epoch a log starts with.
pub const FIRST_EPOCH: u32 = 1;

/// The last entry of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Its position.
    pub at: Position,
    /// Its hash.
    pub hash: Hash,
}

/// One member's log, as far as its head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// What the first entry names as predecessor.
    root: Hash,
    head: Option<Head>,
    fork: Option<Fork>,
    /// Hash of the entry held just before the fork. While it is not the one that the proof names, this log parts
    /// from the proved one further down, and comparing heads shows it.
    before_fork: Hash,
}

/// Where a log is frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fork {
    /// First position with two entries.
    pub at: Position,
    /// Hash of the last entry before it, as the proof names it: the head that every node agrees on in the end.
    pub prev: Hash,
}

/// Where a run belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placement {
    /// After the head: store it.
    Extends(Run),
    /// All of it is held, or lies behind a fork.
    Held,
    /// Entries before it are missing: fetch from this position.
    Gap(Position),
    /// It names another predecessor than the head: the histories part at the head or before.
    Parts,
    /// It holds another entry than the head, at the head's position: the histories part within or before.
    Differs(Run),
}

impl Log {
    /// An empty log that starts from `root`.
    #[must_use]
    pub fn new(root: Hash) -> Self {
        Self { root, head: None, fork: None, before_fork: root }
    }

    /// The last entry held, whether valid or behind a fork.
    #[must_use]
    pub fn head(&self) -> Option<Head> {
        self.head
    }

    /// The head that every node with the same knowledge agrees on: the one before the fork, if there is one.
    #[must_use]
    pub fn agreed_head(&self) -> Option<Head> {
        let Some(fork) = self.fork else { return self.head };
        if self.head.is_none_or(|head| head.at < fork.at) {
            return self.head;
        }
        let seq = fork.at.seq.checked_sub(1).filter(|seq| *seq > 0)?;
        Some(Head { at: Position { epoch: fork.at.epoch, seq }, hash: self.before_fork })
    }

    /// Where it is frozen.
    #[must_use]
    pub fn fork(&self) -> Option<Fork> {
        self.fork
    }

    /// The first position not held.
    #[must_use]
    pub fn next(&self) -> Option<Position> {
        self.head.map_or(Some(Position::FIRST), |head| head.at.next())
    }

    /// What an entry at [`Log::next`] must name as predecessor.
    #[must_use]
    pub fn tip(&self) -> Hash {
        self.head.map_or(self.root, |head| head.hash)
    }

    /// Says where a run belongs. Changes nothing.
    ///
    /// # Errors
    /// [`RunError::ClosedEpoch`].
    pub fn place(&self, run: Run) -> Result<Placement, RunError> {
        let first = run.first_at();
        let held = self.head.map_or(0, |head| head.at.seq);
        if first.epoch != self.head.map_or(FIRST_EPOCH, |head| head.at.epoch) {
            return Err(RunError::ClosedEpoch { origin: run.origin(), epoch: first.epoch });
        }
        let Some(run) = self.up_to_fork(run) else { return Ok(Placement::Held) };
        if first.seq > held + 1 {
            return Ok(Placement::Gap(Position { epoch: first.epoch, seq: held + 1 }));
        }
        if first.seq == held + 1 {
            let follows = run.first.header().prev == self.tip();
            return Ok(if follows { Placement::Extends(run) } else { Placement::Parts });
        }
        self.place_overlapping(run)
    }

    fn place_overlapping(&self, run: Run) -> Result<Placement, RunError> {
        let Some(head) = self.head else { return Ok(Placement::Held) };
        let at_head = run.iter().find(|entry| entry.header().at == head.at);
        match at_head {
            // It ends before the head, so nothing here can tell; whoever has the shorter log finds out.
            None => Ok(Placement::Differs(run)),
            Some(entry) if entry.hash() != head.hash => Ok(Placement::Differs(run)),
            Some(_) => Ok(run.after(head.at.seq).map_or(Placement::Held, Placement::Extends)),
        }
    }

    fn up_to_fork(&self, run: Run) -> Option<Run> {
        match self.fork {
            Some(fork) => run.before(fork.at.seq),
            None => Some(run),
        }
    }

    /// Moves the head to an entry that was stored.
    pub fn advance(&mut self, head: Head) {
        debug_assert!(self.head.is_none_or(|old| old.at < head.at), "a head never goes back");
        self.head = Some(head);
    }

    /// Freezes the log. The lowest fork counts, so that every order of arrival ends alike.
    ///
    /// Returns whether anything changed.
    /// `held_before` is the hash of the entry held just before the fork, if there is one.
    pub fn freeze(&mut self, fork: Fork, held_before: Option<Hash>) -> bool {
        if self.fork.is_some_and(|known| known.at <= fork.at) {
            return false;
        }
        self.fork = Some(fork);
        self.before_fork = held_before.unwrap_or(fork.prev);
        true
    }
}

#[cfg(test)]
mod tests;
