//! Fork proofs: two signed entries with one predecessor. Made here, checked here, believed from nobody unchecked.

use std::collections::BTreeMap;

use thiserror::Error;
use wego_proto::{
    entry::{Unverified, Verified},
    id::Origin,
    v1,
};

use crate::{
    log::{Fork, Run, RunError, verify_signed},
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
    pub fn of(one: &Verified, other: &Verified, roster: &History) -> Result<Self, NoFork> {
        let (left, right) = if one.hash() < other.hash() { (one, other) } else { (other, one) };
        let proof = v1::ForkProof {
            left: Some(left.to_wire_without_payload()),
            right: Some(right.to_wire_without_payload()),
        };
        Self::check(proof, roster)
    }

    /// Checks a received proof: two different entries, one author, one position, one predecessor, and each
    /// signed by the author's own key. An honest author never makes such a pair, so nobody can make one for it.
    ///
    /// # Errors
    /// [`NoFork`].
    pub fn check(proof: v1::ForkProof, roster: &History) -> Result<Self, NoFork> {
        let side = |entry: &Option<v1::Entry>| {
            let entry = entry.clone().ok_or(NoFork::Incomplete)?;
            let entry = Unverified::parse(entry).map_err(|_| NoFork::Incomplete)?;
            verify_signed(entry, roster).map_err(NoFork::Unsigned)
        };
        let (left, right) = (side(&proof.left)?, side(&proof.right)?);
        let (one, other) = (left.header(), right.header());
        let same_place = one.origin == other.origin && one.at == other.at && one.prev == other.prev;
        if !same_place || left.hash() >= right.hash() {
            return Err(NoFork::NoContradiction);
        }
        Ok(Self { origin: one.origin, fork: Fork { at: one.at, prev: one.prev }, proof })
    }
}

/// Why a fork proof proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoFork {
    /// One of the entries is missing or malformed.
    #[error("an entry of the proof is missing or malformed")]
    Incomplete,
    /// One of the entries is not signed by its author.
    #[error("an entry of the proof does not verify")]
    Unsigned(#[source] RunError),
    /// They do not contradict each other, or stand in the wrong order.
    #[error("the entries of the proof do not contradict each other")]
    NoContradiction,
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
