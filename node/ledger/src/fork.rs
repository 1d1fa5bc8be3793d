//! Fork proofs: two signed entries at one position. Made here, checked here, believed from nobody unchecked.

use std::collections::BTreeMap;

use wego_proto::{
    entry::{Unverified, Verified},
    epochs::Epoch,
    fork::{self, ForkError},
    id::Origin,
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
}

impl ForkEvidence {
    /// Makes the proof out of two entries. The one with the smaller hash stands left, so that every node makes
    /// the same proof of the same two entries.
    ///
    /// # Errors
    /// As [`ForkEvidence::check`].
    pub fn of(one: &Verified, other: &Verified, roster: &History) -> Result<Self, ForkError> {
        let (left, right) = if one.hash() < other.hash() { (one, other) } else { (other, one) };
        let proof = v1::ForkProof {
            left: Some(left.to_wire_without_payload()),
            right: Some(right.to_wire_without_payload()),
        };
        Self::check(&proof, roster)
    }

    /// Checks a received proof: two different entries, one author, one position, one predecessor, and each
    /// signed by the key that the author had there. An honest author never makes such a pair, so nobody can make one
    /// for it.
    ///
    /// # Errors
    /// [`ForkError`].
    pub fn check(proof: &v1::ForkProof, roster: &History) -> Result<Self, ForkError> {
        let left = proof.left.clone().and_then(|left| Unverified::parse(left).ok());
        let origin = left.ok_or(ForkError::Incomplete)?.header().origin;
        let proven = fork::verify(proof, roster.current(), roster.epochs(origin))?;
        let fork = Fork { at: proven.at, prev: proven.prev };
        // What is kept for ever must not keep a record that may be erased one day.
        let [left, right] = proven.entries.each_ref().map(|entry| Some(entry.to_wire_without_payload()));
        Ok(Self { origin: proven.member.origin, fork, proof: v1::ForkProof { left, right } })
    }
}

impl ForkEvidence {
    /// The log it freezes.
    #[must_use]
    pub fn key(&self) -> LogKey {
        (self.origin, self.fork.at.epoch)
    }

    /// Whether it counts instead of `known`, which is of the same epoch.
    #[must_use]
    pub fn ranks_before(&self, known: &Self) -> bool {
        let rank = |evidence: &Self| {
            let header =
                |entry: &Option<v1::Entry>| entry.clone().map(|entry| (entry.header, entry.signature));
            (evidence.fork.at, header(&evidence.proof.left), header(&evidence.proof.right))
        };
        rank(self) < rank(known)
    }

    /// The epochs that its entries open, when it is of two openings.
    #[must_use]
    pub fn openings(&self, roster: &History) -> Vec<Epoch> {
        let sides = [&self.proof.left, &self.proof.right].into_iter().flatten();
        let parsed = sides.filter_map(|entry| Unverified::parse(entry.clone()).ok());
        parsed.filter_map(|entry| roster.judge(entry).ok()).collect()
    }
}

/// Which log of which epoch a received proof is of, by what it says.
#[must_use]
pub fn claimed(proof: &v1::ForkProof) -> Option<LogKey> {
    let left = Unverified::parse(proof.left.clone()?).ok()?;
    Some((left.header().origin, left.header().at.epoch))
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
