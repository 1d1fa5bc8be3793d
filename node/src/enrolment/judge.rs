//! Whether an invite may be spent: a function of the request, the connection, the invite, the roster and the time.
//!
//! The order matters. What anybody may know is said first; then comes the invite's id, and only who knows it makes
//! this node check a signature; what became of the invite is told only to who holds its secret.

use thiserror::Error;
use wego_proto::{
    WIRE_VERSIONS,
    card::{CardError, MemberCard},
    id::InviteId,
    invite::{self, Binding},
    key::{PublicKey, Signature},
    roster::Roster,
    spoken,
    v1::{self, InviteState, MemberStatus, join_refusal::Reason},
};

use super::{
    kept::{Kept, Spent},
    standing::{CardKeys, standing},
};

/// Largest card in bytes, its signature included: sixteen names and endpoints of the longest kind are half of it.
pub(super) const CARD_BYTES_MAX: usize = 8 * 1_024;
/// Clocks may differ by so much, ms: times that people see stay true to the minutes, and no clock that is kept is so far off.
pub(super) const SKEW_MAX_MS: u64 = 5 * 60 * 1_000;

/// Why an invite is not spent. Nothing changed; the city acts, or asks the inviter to.
#[derive(Debug, Error)]
pub(super) enum Refused {
    #[error("no such invite, or the proof does not hold")]
    Unknown,
    #[error("the invite has expired")]
    Expired,
    #[error("the invite was used by another key")]
    Used,
    #[error("the invite was revoked")]
    Revoked,
    #[error("this node belongs to another federation")]
    WrongFederation,
    #[error("the clocks differ by {by_ms} ms")]
    ClockSkew { by_ms: u64 },
    #[error("the federation needs wire version {min} or later")]
    VersionTooOld { min: u32, max: u32 },
    #[error("the federation speaks wire versions up to {max}")]
    VersionTooNew { min: u32, max: u32 },
    #[error("the handle is taken")]
    HandleTaken,
    #[error("the invite is for the handle {0}")]
    HandleOther(String),
    #[error("the card is not acceptable")]
    Card(#[source] Option<CardError>),
    #[error("the roster has the city, and not as an active member")]
    NotActive,
}

impl Refused {
    /// Whether whoever knows nothing can bring it about: no line of the log for each.
    pub(super) const fn is_cheap(&self) -> bool {
        matches!(
            self,
            Self::Unknown
                | Self::WrongFederation
                | Self::ClockSkew { .. }
                | Self::VersionTooOld { .. }
                | Self::VersionTooNew { .. }
        )
    }

    /// As it is sent, with this node's clock.
    pub(super) fn to_wire(&self, now_ms: u64) -> v1::JoinRefusal {
        let mut wire =
            v1::JoinRefusal { text: self.to_string(), clock_ms: now_ms, ..v1::JoinRefusal::default() };
        let reason = match self {
            Self::Unknown => Reason::Unknown,
            Self::Expired => Reason::Expired,
            Self::Used => Reason::Used,
            Self::Revoked => Reason::Revoked,
            Self::WrongFederation => Reason::WrongFederation,
            Self::ClockSkew { .. } => Reason::ClockSkew,
            Self::VersionTooOld { min, max } => {
                (wire.wire_min, wire.wire_max) = (*min, *max);
                Reason::VersionTooOld
            }
            Self::VersionTooNew { min, max } => {
                (wire.wire_min, wire.wire_max) = (*min, *max);
                Reason::VersionTooNew
            }
            Self::HandleTaken => Reason::Handle,
            Self::HandleOther(handle) => {
                wire.handle.clone_from(handle);
                Reason::Handle
            }
            Self::Card(_) => Reason::Card,
            Self::NotActive => Reason::NotActive,
        };
        wire.reason = reason as i32;
        wire
    }
}

/// Who asks, on which connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caller<'a> {
    pub(super) key: &'a PublicKey,
    pub(super) binding: &'a Binding,
}

/// What can be said without knowing the invite.
pub(super) fn fits(request: &v1::JoinRequest, roster: &Roster, now_ms: u64) -> Result<InviteId, Refused> {
    if request.federation_prefix != invite::prefix_of(&roster.federation()) {
        return Err(Refused::WrongFederation);
    }
    let content = roster.content();
    let (min, max) = (content.wire_min.max(*WIRE_VERSIONS.start()), content.wire_max);
    if request.wire_max < min {
        return Err(Refused::VersionTooOld { min, max });
    }
    if request.wire_min > max {
        return Err(Refused::VersionTooNew { min, max });
    }
    let by_ms = request.clock_ms.abs_diff(now_ms);
    if by_ms > SKEW_MAX_MS {
        return Err(Refused::ClockSkew { by_ms });
    }
    InviteId::try_from(request.invite_id.as_slice()).map_err(|_| Refused::Unknown)
}

/// What the invite is spent on, if it may be.
pub(super) fn spends(
    request: &v1::JoinRequest,
    caller: Caller<'_>,
    (kept, proof_key): (&Kept, &PublicKey),
    roster: &Roster,
    now_ms: u64,
) -> Result<Spent, Refused> {
    let signed = request.card.as_ref().ok_or(Refused::Card(None))?;
    if signed.card.len() + signed.signature.len() > CARD_BYTES_MAX {
        return Err(Refused::Card(None));
    }
    let proof = Signature::try_from(request.proof.as_slice()).map_err(|_| Refused::Unknown)?;
    invite::check_proof(proof_key, &kept.id, caller.binding, signed, &proof).map_err(|_| Refused::Unknown)?;
    let card = MemberCard::open(signed).map_err(|error| Refused::Card(Some(error)))?;
    // The connection's key is then proved to be the card's.
    if card.transport_key != *caller.key {
        return Err(Refused::Card(None));
    }
    let keys = CardKeys::of(&card);
    open_to(kept, &keys, roster, now_ms)?;
    may_take(&keys, kept, roster)?;
    let words = spoken::words(&kept.inviter, caller.key, &kept.id, caller.binding);
    let at_ms = kept.spent.as_ref().map_or(now_ms, |spent| spent.at_ms);
    Ok(Spent { at_ms, card: signed.clone(), keys, words })
}

fn open_to(kept: &Kept, keys: &CardKeys, roster: &Roster, now_ms: u64) -> Result<(), Refused> {
    let by_another = kept.spent.as_ref().is_some_and(|spent| spent.keys.transport_key != keys.transport_key);
    match kept.state(roster, now_ms) {
        InviteState::Revoked => Err(Refused::Revoked),
        InviteState::Expired => Err(Refused::Expired),
        _ if by_another => Err(Refused::Used),
        _ => Ok(()),
    }
}

fn may_take(keys: &CardKeys, kept: &Kept, roster: &Roster) -> Result<(), Refused> {
    if !kept.handle.is_empty() && kept.handle != keys.handle {
        return Err(Refused::HandleOther(kept.handle.clone()));
    }
    match standing(roster, &[], keys).member {
        Some(MemberStatus::Active) => Ok(()),
        Some(_) => Err(Refused::NotActive),
        None if roster.member_by_handle(&keys.handle).is_some() => Err(Refused::HandleTaken),
        None => Ok(()),
    }
}

/// The invite that was spent on the caller's key.
pub(super) fn own<'a>(kept: Option<&'a Kept>, key: &PublicKey) -> Result<&'a Spent, Refused> {
    let kept = kept.ok_or(Refused::Unknown)?;
    let spent = kept.spent.as_ref().filter(|spent| spent.keys.transport_key == *key);
    spent.ok_or(Refused::Unknown)
}
