//! Fork proofs: two signed entries with one predecessor. Made here, checked here, believed from nobody unchecked.

use std::collections::BTreeMap;

use wego_proto::{
    entry::{Unverified, Verified},
    fork::{self, ForkError},
    id::Origin,
    v1,
};

use crate::{
    log::{Fork, Run},
    roster::History,
};

/// A checked fork proof: two entries of one author at one position with one predecessor, both signed.
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
    /// signed by the author's own key. An honest author never makes such a pair, so nobody can make one for it.
    ///
    /// # Errors
    /// [`ForkError`].
    pub fn check(proof: &v1::ForkProof, roster: &History) -> Result<Self, ForkError> {
        let proven = fork::verify(proof, roster.current())?;
        let fork = Fork { at: proven.at, prev: proven.prev };
        // What is kept for ever must not keep a record that may be erased one day.
        let [left, right] = proven.entries.each_ref().map(|entry| Some(entry.to_wire_without_payload()));
        Ok(Self { origin: proven.member.origin, fork, proof: v1::ForkProof { left, right } })
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
