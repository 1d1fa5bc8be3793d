//! The logs in a backup: each from its first entry to the head that the manifest names, and signed.
//!
//! As in the ledger, an entry counts when it is signed itself or an ancestor of one that is: entries are held back
//! until one that is signed vouches for them. It must never hold back more than a few MiB.

use std::collections::VecDeque;

use super::{Problem, Wanted};
use crate::{
    entry::{Header, Unverified, Verified},
    epochs::{Epochs, FIRST_EPOCH},
    id::{Hash, Origin, Position},
    key::PublicKey,
    roster::{Member, Roster},
};

/// A signature is checked once for so many entries.
const RUN: usize = 64;
/// Or for so many bytes of payload.
const RUN_BYTES: usize = 1_024 * 1_024;
/// So many entries may go unvouched: nodes exchange at most 512 in one message, whose last one is signed.
const UNSIGNED_MAX: usize = 1_024;
/// Or so many bytes of payload: such a message has at most 1 MiB.
const UNSIGNED_BYTES_MAX: usize = 4 * 1_024 * 1_024;

/// How far the logs have been read.
#[derive(Debug)]
pub(super) struct Logs {
    heads: VecDeque<(Origin, Position, Hash)>,
    /// Last entry of the log under way.
    last: Option<Head>,
    /// The epochs of the origin under way, and of the member whose backup it is.
    epochs: (Origin, Epochs),
    own: (Origin, Epochs),
    run: Vec<Unverified>,
    run_bytes: usize,
}

/// The entry that was read last.
#[derive(Debug, Clone, Copy)]
struct Head {
    seq: u64,
    hash: Hash,
    key_no: u32,
}

impl Logs {
    pub(super) fn new(own: Origin, heads: &[(Origin, Position, Hash)]) -> Self {
        Self {
            heads: heads.iter().copied().collect(),
            last: None,
            epochs: (own, Epochs::NONE),
            own: (own, Epochs::NONE),
            run: Vec::new(),
            run_bytes: 0,
        }
    }

    /// The epochs of the member whose backup it is, as far as they were read.
    pub(super) fn own_epochs(&self) -> &Epochs {
        &self.own.1
    }

    /// What is due.
    pub(super) fn wanted(&self) -> Wanted {
        let next = self.last.map_or(1, |last| last.seq + 1);
        let wanted = |(origin, at, _): &(Origin, Position, Hash)| {
            Wanted::Entry(*origin, Position { epoch: at.epoch, seq: next })
        };
        self.heads.front().map_or(Wanted::Nothing, wanted)
    }

    /// Takes the next entry and returns the runs that are vouched for by now, at most two.
    pub(super) fn take(&mut self, entry: Unverified, roster: &Roster) -> Result<Vec<Vec<Verified>>, Problem> {
        let Header { origin, at, key_no, .. } = *entry.header();
        let wanted = self.wanted();
        let Some(head) = self.heads.front().copied().filter(|_| wanted == Wanted::Entry(origin, at)) else {
            return Err(Problem::NotNext { found_origin: origin, found: at, wanted });
        };
        if self.epochs.0 != origin {
            self.epochs = (origin, Epochs::NONE);
        }
        if entry.header().epoch_start.is_some() {
            return self.open(entry, head, roster);
        }
        if self.predecessor(entry.header(), roster) != Some(entry.header().prev) {
            return Err(Problem::Chain { origin, at });
        }
        let mut runs = Vec::new();
        // A signature at each change of key: the next key says nothing about what the one before has signed.
        if self.last.is_some_and(|last| last.key_no != key_no) && !self.run.is_empty() {
            runs.push(self.vouched(roster)?);
        }
        self.last = Some(Head { seq: at.seq, hash: entry.hash(), key_no });
        self.run_bytes += entry.payload().map_or(0, |payload| payload.content.len());
        let hash = entry.hash();
        self.run.push(entry);
        if at == head.1 {
            self.reach(head, hash)?;
            runs.push(self.vouched(roster)?);
        } else if self.run.len() >= RUN || self.run_bytes >= RUN_BYTES {
            runs.extend(self.vouched_if_signed(roster)?);
        }
        Ok(runs)
    }

    /// Takes the opening of an epoch: it is signed by whoever may open one, and says who signs what follows. Those of
    /// the epochs below it stand before it.
    fn open(
        &mut self,
        opening: Unverified,
        head: (Origin, Position, Hash),
        roster: &Roster,
    ) -> Result<Vec<Vec<Verified>>, Problem> {
        let Header { origin, at, key_no, .. } = *opening.header();
        let member = roster.members().get(&origin).ok_or(Problem::UnknownKey { origin, key_no, at })?;
        let judged = self.epochs.1.judge(member, &roster.federation(), opening);
        let (epoch, opening) = judged.map_err(|error| Problem::Opening { origin, at, error })?;
        // What follows has the epoch's key, whoever signed the opening.
        self.last = Some(Head { seq: at.seq, hash: opening.hash(), key_no: epoch.key_no });
        self.epochs.1.include([epoch]);
        if origin == self.own.0 {
            self.own.1 = self.epochs.1.clone();
        }
        if at == head.1 {
            self.reach(head, opening.hash())?;
        }
        Ok(vec![vec![opening]])
    }

    /// The end of a log.
    fn reach(&mut self, head: (Origin, Position, Hash), hash: Hash) -> Result<(), Problem> {
        let (origin, at, expected) = head;
        if hash != expected {
            return Err(Problem::OtherHead { origin, at });
        }
        self.heads.pop_front();
        self.last = None;
        Ok(())
    }

    /// What the entry, which opens no epoch, must name as the one before it.
    fn predecessor(&self, header: &Header, roster: &Roster) -> Option<Hash> {
        match self.last {
            Some(last) => Some(last.hash),
            None if header.at.epoch == FIRST_EPOCH => {
                roster.members().get(&header.origin).map(Member::log_root)
            }
            None => None,
        }
    }

    /// The run under way; its last entry must be signed.
    fn vouched(&mut self, roster: &Roster) -> Result<Vec<Verified>, Problem> {
        self.run_bytes = 0;
        let run = std::mem::take(&mut self.run);
        self.verified(run, roster)
    }

    /// The run under way, unless its last entry is not signed and a later one may still vouch for it.
    fn vouched_if_signed(&mut self, roster: &Roster) -> Result<Option<Vec<Verified>>, Problem> {
        let signed = self.run.last().is_some_and(|last| {
            let header = last.header();
            self.signer(roster, header)
                .is_some_and(|key| last.clone().verify(&roster.federation(), &key).is_ok())
        });
        let patience = self.run.len() < UNSIGNED_MAX && self.run_bytes < UNSIGNED_BYTES_MAX;
        if signed || !patience { self.vouched(roster).map(Some) } else { Ok(None) }
    }

    /// Which key may sign at a position: the one question about keys that the check of a backup asks, openings aside.
    fn signer(&self, roster: &Roster, header: &Header) -> Option<PublicKey> {
        let member = roster.members().get(&header.origin)?;
        self.epochs.1.log_key(member, header.key_no, header.at)
    }

    /// Consecutive entries: the signature of the last, and for each other the hash that the next one names.
    fn verified(&self, mut run: Vec<Unverified>, roster: &Roster) -> Result<Vec<Verified>, Problem> {
        let Some(last) = run.pop() else { return Ok(Vec::new()) };
        let mut backwards = vec![self.signed(last, roster)?];
        while let Some(entry) = run.pop() {
            let Header { origin, at, .. } = *entry.header();
            let next = &backwards[backwards.len() - 1];
            let earlier = next.ancestor(entry).map_err(|error| Problem::Entry { origin, at, error })?;
            backwards.push(earlier);
        }
        backwards.reverse();
        Ok(backwards)
    }

    fn signed(&self, entry: Unverified, roster: &Roster) -> Result<Verified, Problem> {
        let Header { origin, at, key_no, .. } = *entry.header();
        let key = self.signer(roster, entry.header()).ok_or(Problem::UnknownKey { origin, key_no, at })?;
        entry.verify(&roster.federation(), &key).map_err(|error| Problem::Entry { origin, at, error })
    }
}
