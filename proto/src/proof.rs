//! Checking a record's proof offline, with nothing but the roster.

use prost::Message as _;
use thiserror::Error;

use crate::{
    entry::{EntryError, Header, Unverified, Verified},
    epochs::{EpochError, Epochs},
    id::{FederationId, Origin},
    key::PublicKey,
    roster::{Member, Roster},
    v1::{self, EntryKind},
};

/// Why a proof proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProofError {
    /// No entry, or no payload in it.
    #[error("the proof holds no {0}")]
    Incomplete(&'static str),
    /// The proof is of another federation than the roster.
    #[error("the proof is of federation {found}, the roster of {expected}")]
    OtherFederation {
        /// Federation of the proof.
        found: String,
        /// Federation of the roster.
        expected: FederationId,
    },
    /// The entry is malformed, or its signature does not verify.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// The author is in no version of the roster.
    #[error("the roster has no member {0}")]
    UnknownMember(u32),
    /// The author had no such key at that position.
    #[error("{handle} had no log key {key_no} at position {at}")]
    UnknownKey {
        /// Author.
        handle: String,
        /// Key named in the header.
        key_no: u32,
        /// Position.
        at: crate::id::Position,
    },
    /// The position lies beyond the member's cut.
    #[error("{handle} was cut off before position {at}")]
    BeyondCut {
        /// Author.
        handle: String,
        /// Position.
        at: crate::id::Position,
    },
    /// One of the epochs' openings that come with the proof opens none.
    #[error("an epoch's opening in the proof")]
    Epochs(#[source] EpochError),
    /// More openings come with the proof than any log has.
    #[error("more than {EPOCHS_MAX} epochs come with the proof")]
    TooManyEpochs,
    /// The position lies behind the base of a later epoch that comes with the proof.
    #[error("a later epoch of {handle} has made position {at} void")]
    Void {
        /// Author.
        handle: String,
        /// Position.
        at: crate::id::Position,
    },
    /// The payload is no record this version can read.
    #[error("the payload cannot be decoded")]
    Payload,
}

/// What a proof proves.
#[derive(Debug, Clone)]
pub struct Proven {
    /// The entry, its own signature checked.
    pub entry: Verified,
    /// Who signed it.
    pub member: Member,
    /// With which key.
    pub key: PublicKey,
    /// What it says; absent for a withdrawal.
    pub record: Option<v1::Record>,
}

/// Checks that `proof` was signed by the member it names, under a version of the roster.
///
/// # Errors
/// [`ProofError`].
pub fn verify(proof: &v1::RecordProof, roster: &Roster) -> Result<Proven, ProofError> {
    if proof.federation_id != roster.federation().as_bytes() {
        let found = data_encoding::HEXLOWER.encode(&proof.federation_id);
        return Err(ProofError::OtherFederation { found, expected: roster.federation() });
    }
    let entry = Unverified::parse(proof.entry.clone().ok_or(ProofError::Incomplete("entry"))?)?;
    let epochs = epochs(entry.header().origin, &proof.epochs, roster)?;
    let (entry, key) = signed(entry, roster, &epochs)?;
    let header = entry.header();
    let member = member_of(header, roster)?;
    let segment = epochs.path().into_iter().find(|segment| segment.epoch == header.at.epoch);
    if segment.is_none_or(|segment| segment.last.is_some_and(|(last, _)| header.at > last)) {
        return Err(ProofError::Void { handle: member.handle.clone(), at: header.at });
    }
    let record = match header.known_kind() {
        Some(EntryKind::RecordPut) => {
            let payload = entry.payload().ok_or(ProofError::Incomplete("payload"))?;
            Some(v1::Record::decode(payload.content.as_slice()).map_err(|_| ProofError::Payload)?)
        }
        _ => None,
    };
    Ok(Proven { member: member.clone(), entry, key, record })
}

/// Openings that may come with a proof: a member that loses its disk every month needs fifty years for so many.
pub const EPOCHS_MAX: usize = 1_024;

/// Reads the openings that come with a proof, lowest number first: they say which keys the author had where.
///
/// # Errors
/// [`ProofError`].
pub fn epochs(origin: Origin, openings: &[v1::Entry], roster: &Roster) -> Result<Epochs, ProofError> {
    if openings.len() > EPOCHS_MAX {
        return Err(ProofError::TooManyEpochs);
    }
    let mut epochs = Epochs::default();
    for opening in openings {
        let opening = Unverified::parse(opening.clone())?;
        let member = member_of(opening.header(), roster)?;
        if member.origin != origin {
            return Err(ProofError::Epochs(EpochError::NoOpening));
        }
        let judged = epochs.judge(member, &roster.federation(), opening).map_err(ProofError::Epochs)?;
        epochs.include([judged.0]);
    }
    Ok(epochs)
}

/// Checks the entry's own signature under the key that its author had at its position.
pub(crate) fn signed(
    entry: Unverified,
    roster: &Roster,
    epochs: &Epochs,
) -> Result<(Verified, PublicKey), ProofError> {
    let header = entry.header();
    let member = member_of(header, roster)?;
    if member.cut.is_some_and(|cut| header.at > cut.at) {
        return Err(ProofError::BeyondCut { handle: member.handle.clone(), at: header.at });
    }
    if header.epoch_start.is_some() {
        let judged = epochs.judge(member, &roster.federation(), entry);
        let (epoch, verified) = judged.map_err(ProofError::Epochs)?;
        return Ok((verified, epoch.key));
    }
    let key = epochs.log_key(member, header.key_no, header.at).ok_or_else(|| ProofError::UnknownKey {
        handle: member.handle.clone(),
        key_no: header.key_no,
        at: header.at,
    })?;
    Ok((entry.verify(&roster.federation(), &key)?, key))
}

fn member_of<'a>(header: &Header, roster: &'a Roster) -> Result<&'a Member, ProofError> {
    roster.members().get(&header.origin).ok_or(ProofError::UnknownMember(header.origin.0))
}
