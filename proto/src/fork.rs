//! Checking offline that a member wrote two histories, with nothing but the roster.
//!
//! An honest author never signs two entries at one position, so nobody can make such a proof against it. A key that
//! the author's log has replaced proves nothing at later positions: whoever steals it then cannot make its owner a liar.
//! What follows from a proof is decided in `wego-ledger`.

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
    /// The entry with the smaller hash, and the other one. Which came first cannot be told.
    pub entries: [Verified; 2],
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

/// Checks a proof file: the epochs in it, then the proof.
///
/// # Errors
/// [`ForkError`].
pub fn verify_file(file: &v1::ForkProofFile, roster: &Roster) -> Result<ProvenFork, ForkError> {
    let proof = file.proof.as_ref().ok_or(ForkError::Incomplete)?;
    let left = proof.left.clone().ok_or(ForkError::Incomplete)?;
    let left = Unverified::parse(left).map_err(|_| ForkError::Incomplete)?;
    let epochs = proof::epochs(left.header().origin, &file.epochs, roster).map_err(ForkError::Unsigned)?;
    verify(proof, roster, &epochs)
}

/// Checks a proof: two different entries, one author, one position, one predecessor, and each signed by a key that
/// the author had there, under the newest version of a roster. Two openings of one epoch contradict each other
/// whatever they follow.
///
/// # Errors
/// [`ForkError`].
pub fn verify(proof: &v1::ForkProof, roster: &Roster, epochs: &Epochs) -> Result<ProvenFork, ForkError> {
    let side = |entry: &Option<v1::Entry>| {
        let entry = entry.clone().ok_or(ForkError::Incomplete)?;
        let entry = Unverified::parse(entry).map_err(|_| ForkError::Incomplete)?;
        proof::signed(entry, roster, epochs).map(|(entry, _)| entry).map_err(ForkError::Unsigned)
    };
    let entries = [side(&proof.left)?, side(&proof.right)?];
    let [one, other] = entries.each_ref().map(Verified::header);
    let openings = one.epoch_start.is_some() && other.epoch_start.is_some();
    let same_place = one.origin == other.origin && one.at == other.at && (one.prev == other.prev || openings);
    if !same_place || entries[0].hash() >= entries[1].hash() {
        return Err(ForkError::NoContradiction);
    }
    let unknown = || ForkError::Unsigned(ProofError::UnknownMember(one.origin.0));
    let member = roster.members().get(&one.origin).ok_or_else(unknown)?.clone();
    Ok(ProvenFork { member, at: one.at, prev: one.prev, entries })
}
