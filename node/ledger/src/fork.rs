//! Fork proofs: two signed entries at one position. Made here, checked here, believed from nobody unchecked.

use std::collections::BTreeMap;

use wego_proto::{
    entry::{Header, Unverified, Verified},
    epochs::Epoch,
    fork::{self, ForkError, ProvenFork},
    id::{Hash, Origin},
    v1,
};

use crate::{
    heads::LogKey,
    log::{Fork, Run},
    roster::History,
};

/// A checked fork proof: two entries of one author at one position, both signed.
#[derive(Debug, Clone, PartialEq)]
pub struct ForkEvidence {
    /// The author.
    pub origin: Origin,
    /// Where.
    pub fork: Fork,
    /// As it is kept and sent.
    pub proof: v1::ForkProof,
    /// The epochs that it shows to have been opened.
    pub openings: Vec<Epoch>,
    /// Hashes of the two entries, the smaller one first.
    entries: [Hash; 2],
}

impl ForkEvidence {
    /// Makes the proof out of two entries of what counts.
    ///
    /// # Errors
    /// As [`ForkEvidence::check`].
    pub fn of(one: &Verified, other: &Verified, roster: &History) -> Result<Self, ForkError> {
        let Header { origin, at, .. } = one.header();
        let epochs = roster.epochs(*origin);
        let branch = epochs.get(at.epoch).map(|epoch| epoch.opening.hash());
        Self::check(&fork::of(one, other, epochs, branch), roster)
    }

    /// Checks a received proof: two different entries, one author, one position, one predecessor, and each
    /// signed by the key that the author had there. An honest author never makes such a pair, so nobody can make one
    /// for it.
    ///
    /// # Errors
    /// [`ForkError`].
    pub fn check(proof: &v1::ForkProof, roster: &History) -> Result<Self, ForkError> {
        let proven = fork::verify(proof, roster.current())?;
        let ProvenFork { at, prev, branch, epochs, entries: [left, right], .. } = &proven;
        let sides = [left, right].into_iter().filter(|side| side.header().epoch_start.is_some());
        let tops = sides.map(|side| (at.epoch, side.hash())).chain(branch.map(|hash| (at.epoch, hash)));
        let openings: BTreeMap<_, _> =
            tops.flat_map(|top| epochs.chain(top)).map(|epoch| (epoch.id(), epoch.clone())).collect();
        Ok(Self {
            origin: proven.member.origin,
            fork: Fork { at: *at, prev: *prev, branch: *branch },
            // What is kept for ever must not keep a record that may be erased one day, nor what proves nothing.
            proof: fork::of(left, right, epochs, *branch),
            openings: openings.into_values().collect(),
            entries: [left.hash(), right.hash()],
        })
    }

    /// The log it freezes.
    #[must_use]
    pub fn key(&self) -> LogKey {
        (self.origin, self.fork.at.epoch)
    }

    /// Whether it counts instead of `known`, which is of the same epoch. Of two openings the proof with the one that
    /// stands, so that everybody comes to know that one.
    #[must_use]
    pub fn ranks_before(&self, known: &Self) -> bool {
        (self.fork.at, self.entries) < (known.fork.at, known.entries)
    }
}

/// Finds the first entry of `run` that differs from what is held at its position.
#[must_use]
pub fn first_difference<'a>(
    run: &'a Run,
    held: &BTreeMap<u64, Unverified>,
) -> Option<(&'a Verified, Unverified)> {
    run.iter().find_map(|entry| {
        let other = held.get(&entry.header().at.seq)?;
        (other.hash() != entry.hash()).then(|| (entry, other.clone()))
    })
}
