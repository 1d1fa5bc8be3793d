//! Checking offline that a member wrote two histories, with nothing but the roster.
//!
//! An honest author never signs two entries at one position, so nobody can make such a proof against it. A key that
//! the author's log has replaced proves nothing at later positions: whoever steals it then cannot make its owner a liar.
//! What follows from a proof is decided in `wego-ledger`.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::{
    entry::{Unverified, Verified},
    epochs::Epochs,
    id::{Hash, Position},
    proof::{self, ProofError},
    roster::{Member, Roster},
    v1,
};

/// What a fork proof proves.
#[derive(Debug, Clone, PartialEq)]
pub struct ProvenFork {
    /// Who signed both.
    pub member: Member,
    /// The first position of the two histories.
    pub at: Position,
    /// Hash of what both name as predecessor; of two openings of an epoch, what the left one names.
    pub prev: Hash,
    /// The opening of the epoch in which both stand; none in the first epoch, and of two openings.
    pub branch: Option<Hash>,
    /// The entry with the smaller hash, and the other one. Which came first cannot be told.
    pub entries: [Verified; 2],
    /// The epochs that the two show to have been opened.
    pub epochs: Epochs,
}

/// Why a fork proof proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ForkError {
    /// One of the entries is missing or malformed.
    #[error("an entry of the proof is missing or malformed")]
    Incomplete,
    /// One of the entries is not signed by its author.
    #[error("an entry of the proof does not verify")]
    Unsigned(#[source] ProofError),
    /// They do not contradict each other, or stand in the wrong order.
    #[error("the entries of the proof do not contradict each other")]
    NoContradiction,
}

/// Puts a proof together of two entries, with all that is needed to check it: what two openings continue from, or the
/// opening `branch` of the epoch in which both stand. The one with the smaller hash stands left, so that every node makes
/// the same proof of the same two entries.
#[must_use]
pub fn of(one: &Verified, other: &Verified, epochs: &Epochs, branch: Option<Hash>) -> v1::ForkProof {
    let (left, right) = if one.hash() < other.hash() { (one, other) } else { (other, one) };
    let below = |side: &Verified| {
        let header = side.header();
        match &header.epoch_start {
            Some(start) => Some((start.base.epoch, start.base_opening?)),
            None => Some((header.at.epoch, branch?)),
        }
    };
    let ids = [left, right].into_iter().filter_map(below);
    let needed: BTreeMap<_, _> =
        ids.flat_map(|id| epochs.chain(id)).map(|epoch| (epoch.id(), &epoch.opening)).collect();
    v1::ForkProof {
        left: Some(left.to_wire_without_payload()),
        right: Some(right.to_wire_without_payload()),
        epochs: needed.into_values().map(Verified::to_wire_without_payload).collect(),
    }
}

/// Checks a proof: two different entries, one author, one position, one predecessor, and each signed by a key that
/// the author had there, under the newest version of a roster and by the openings that come with the proof. Two openings
/// of one epoch contradict each other whatever they follow.
///
/// # Errors
/// [`ForkError`].
pub fn verify(proof: &v1::ForkProof, roster: &Roster) -> Result<ProvenFork, ForkError> {
    let parsed = |entry: &Option<v1::Entry>| {
        let entry = entry.clone().ok_or(ForkError::Incomplete)?;
        Unverified::parse(entry).map_err(|_| ForkError::Incomplete)
    };
    let sides = [parsed(&proof.left)?, parsed(&proof.right)?];
    let origin = sides[0].header().origin;
    let mut epochs = proof::epochs(origin, &proof.epochs, roster).map_err(ForkError::Unsigned)?;
    let [left, right] = sides.map(|side| {
        proof::signed(side, roster, &epochs).map(|(entry, _)| entry).map_err(ForkError::Unsigned)
    });
    let entries = [left?, right?];
    let [one, other] = entries.each_ref().map(Verified::header);
    let openings = one.epoch_start.is_some() && other.epoch_start.is_some();
    let same_place = one.origin == other.origin && one.at == other.at && (one.prev == other.prev || openings);
    if !same_place || entries[0].hash() >= entries[1].hash() {
        return Err(ForkError::NoContradiction);
    }
    let (at, prev) = (one.at, one.prev);
    let unknown = || ForkError::Unsigned(ProofError::UnknownMember(origin.0));
    let member = roster.members().get(&origin).ok_or_else(unknown)?.clone();
    let branch = epochs.get(at.epoch).filter(|_| !openings).map(|epoch| epoch.opening.hash());
    if openings {
        let opened = entries.each_ref().map(|entry| epochs.opened(&member, entry));
        epochs.include(opened.into_iter().flatten());
    }
    Ok(ProvenFork { member, at, prev, branch, entries, epochs })
}
