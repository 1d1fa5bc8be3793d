//! One epoch of a member's log, as far as its head and its bound: where does a run go? Changes nothing but itself.

use wego_proto::id::{Hash, Position};

use super::Run;

pub use wego_proto::epochs::FIRST_EPOCH;

/// The last entry of an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Its position.
    pub at: Position,
    /// Its hash.
    pub hash: Hash,
}

/// How far an epoch counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// Sequence number of the last entry that counts; 0 for none.
    pub last: u64,
    /// Its hash, where it is known from elsewhere than the log itself.
    pub hash: Option<Hash>,
}

impl Bound {
    /// Everything counts.
    pub const OPEN: Self = Self { last: u64::MAX, hash: None };
    /// Nothing counts.
    pub const NOTHING: Self = Self { last: 0, hash: None };
}

/// A proved fork: where, and after what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fork {
    /// First position with two entries.
    pub at: Position,
    /// Hash of the last entry before it, as the proof names it: the head that every node agrees on in the end.
    pub prev: Hash,
    /// The opening of the epoch in which both entries stand; none in the first epoch, and of two openings.
    pub branch: Option<Hash>,
}

/// One epoch of a member's log, as far as its head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    root: Root,
    epoch: u32,
    head: Option<Head>,
    bound: Bound,
    /// Hash of the entry held at the bound. While it is not the bound's, this log parts from the one that counts, and
    /// comparing heads shows it.
    held_at_bound: Option<Hash>,
}

/// What a log begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Root {
    /// The first epoch: what its first entry names as predecessor.
    Before(Hash),
    /// A later epoch: its opening, which is its first entry.
    Opening(Hash),
}

/// Where a run belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placement {
    /// After the head: store it.
    Extends(Run),
    /// All of it is held, or lies beyond the bound.
    Held,
    /// Entries before it are missing: fetch from this position.
    Gap(Position),
    /// It names another predecessor than the head: the histories part at the head or before.
    Parts,
    /// It holds another entry than the head, at the head's position: the histories part within or before.
    Differs(Run),
}

impl Log {
    /// An empty epoch that begins with `root`.
    #[must_use]
    pub fn new(root: Root, epoch: u32) -> Self {
        Self { root, epoch, head: None, bound: Bound::OPEN, held_at_bound: None }
    }

    /// What it begins with.
    #[must_use]
    pub fn root(&self) -> Root {
        self.root
    }

    /// The last entry held, whether it counts or not.
    #[must_use]
    pub fn head(&self) -> Option<Head> {
        self.head
    }

    /// The head that every node with the same knowledge agrees on: the one at the bound, if more is held.
    #[must_use]
    pub fn agreed_head(&self) -> Option<Head> {
        let Bound { last, hash } = self.bound;
        match self.head {
            Some(head) if head.at.seq > last => {
                let hash = self.held_at_bound.or(hash).filter(|_| last > 0)?;
                Some(Head { at: Position { epoch: self.epoch, seq: last }, hash })
            }
            head => head,
        }
    }

    /// How far it counts.
    #[must_use]
    pub fn bound(&self) -> Bound {
        self.bound
    }

    /// Whether what is held up to the bound is known to be another history than the one that counts.
    #[must_use]
    pub fn parts_from_bound(&self) -> bool {
        let at_bound = self.agreed_head().filter(|head| head.at.seq == self.bound.last);
        at_bound.is_some_and(|head| self.bound.hash.is_some_and(|hash| hash != head.hash))
    }

    /// The first position not held.
    #[must_use]
    pub fn next(&self) -> Option<Position> {
        self.head.map_or(Some(Position { epoch: self.epoch, seq: 1 }), |head| head.at.next())
    }

    /// What an entry at [`Log::next`] must name as predecessor; a later epoch has none before its opening is there.
    #[must_use]
    pub fn tip(&self) -> Option<Hash> {
        match (self.head, self.root) {
            (Some(head), _) => Some(head.hash),
            (None, Root::Before(hash)) => Some(hash),
            (None, Root::Opening(_)) => None,
        }
    }

    /// Says where a run of this epoch belongs. Changes nothing.
    #[must_use]
    pub fn place(&self, run: Run) -> Placement {
        let first = run.first_at();
        debug_assert_eq!(first.epoch, self.epoch, "the caller found this log by the run's epoch");
        let held = self.head.map_or(0, |head| head.at.seq);
        let Some(run) = run.before(self.bound.last.saturating_add(1)) else { return Placement::Held };
        if first.seq > held + 1 {
            return Placement::Gap(Position { epoch: first.epoch, seq: held + 1 });
        }
        if first.seq == held + 1 {
            let follows = match (self.tip(), self.root) {
                (None, Root::Opening(opening)) => run.first.hash() == opening,
                (tip, _) => tip == Some(run.first.header().prev),
            };
            return if follows { Placement::Extends(run) } else { Placement::Parts };
        }
        self.place_overlapping(run)
    }

    fn place_overlapping(&self, run: Run) -> Placement {
        let Some(head) = self.head else { return Placement::Held };
        let at_head = run.iter().find(|entry| entry.header().at == head.at);
        match at_head {
            // It ends before the head, so nothing here can tell; whoever has the shorter log finds out.
            None => Placement::Differs(run),
            Some(entry) if entry.hash() != head.hash => Placement::Differs(run),
            Some(_) => run.after(head.at.seq).map_or(Placement::Held, Placement::Extends),
        }
    }

    /// Moves the head to an entry that was stored.
    pub fn advance(&mut self, head: Head) {
        debug_assert!(self.head.is_none_or(|old| old.at < head.at), "a head never goes back");
        self.head = Some(head);
        if head.at.seq == self.bound.last {
            self.held_at_bound = Some(head.hash);
        }
    }

    /// Goes back to an earlier head, after another history than the one that counts was set aside.
    pub fn rewind(&mut self, head: Option<Head>) {
        self.head = head;
        self.held_at_bound = None;
    }

    /// Sets how far it counts. Returns whether the hash held at the bound must be looked up for it.
    pub fn limit(&mut self, bound: Bound) -> bool {
        if bound.last != self.bound.last {
            self.held_at_bound = self.head.filter(|head| head.at.seq == bound.last).map(|head| head.hash);
        }
        self.bound = bound;
        let held_beyond = self.head.is_some_and(|head| head.at.seq > bound.last);
        held_beyond && bound.last > 0 && self.held_at_bound.is_none()
    }

    /// Takes over the hash held at the bound.
    pub fn found_at(&mut self, seq: u64, hash: Hash) {
        if seq == self.bound.last {
            self.held_at_bound = Some(hash);
        }
    }
}
