//! One invite as this node keeps it: everything but the secret. A file of a few hundred bytes, and of the card when it
//! was spent.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use wego_proto::{
    card::MemberCard,
    id::{Hash, InviteId},
    invite::KeyHash,
    key::PublicKey,
    prost::Message as _,
    roster::Roster,
    v1::{self, InviteState, MemberStatus},
};

use super::standing::{CardKeys, standing};

/// An invite.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// Its name.
    pub id: InviteId,
    /// For people.
    pub city: String,
    /// The handle the city must take; empty: its own choice.
    pub handle: String,
    /// Where the city was told to come.
    pub endpoint: String,
    /// The key that the city was told to expect.
    pub inviter: KeyHash,
    /// ms since 1970.
    pub created_ms: u64,
    /// Not good any more after this, ms since 1970.
    pub expires_ms: u64,
    /// When it was taken back, ms since 1970; 0: it was not.
    pub revoked_ms: u64,
    /// On what it was spent.
    pub spent: Option<Spent>,
}

/// On what an invite was spent.
#[derive(Debug, Clone, PartialEq)]
pub struct Spent {
    /// ms since 1970.
    pub at_ms: u64,
    /// As the city signed it.
    pub card: v1::SignedMemberCard,
    /// Its keys.
    pub keys: CardKeys,
    /// To compare by telephone.
    pub words: String,
}

impl Kept {
    /// What has become of it.
    #[must_use]
    pub fn state(&self, roster: &Roster, now_ms: u64) -> InviteState {
        if let Some(spent) = &self.spent {
            if standing(roster, &[], &spent.keys).member == Some(MemberStatus::Active) {
                return InviteState::Admitted;
            }
            return if self.revoked_ms == 0 { InviteState::Used } else { InviteState::Revoked };
        }
        match (self.revoked_ms, now_ms > self.expires_ms) {
            (0, false) => InviteState::Open,
            (0, true) => InviteState::Expired,
            _ => InviteState::Revoked,
        }
    }
}

/// As it stands in its file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    id: String,
    city: String,
    handle: String,
    endpoint: String,
    inviter: String,
    /// Checks the secret; the secret cannot be made from it.
    proof_key: String,
    created_ms: u64,
    expires_ms: u64,
    revoked_ms: u64,
    spent: Option<SpentFile>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SpentFile {
    at_ms: u64,
    card: String,
    words: String,
}

impl File {
    pub(super) fn of(kept: &Kept, proof_key: &PublicKey) -> Self {
        let spent = |spent: &Spent| SpentFile {
            at_ms: spent.at_ms,
            card: HEXLOWER.encode(&spent.card.encode_to_vec()),
            words: spent.words.clone(),
        };
        Self {
            id: kept.id.to_string(),
            city: kept.city.clone(),
            handle: kept.handle.clone(),
            endpoint: kept.endpoint.clone(),
            inviter: HEXLOWER.encode(&kept.inviter),
            proof_key: proof_key.to_string(),
            created_ms: kept.created_ms,
            expires_ms: kept.expires_ms,
            revoked_ms: kept.revoked_ms,
            spent: kept.spent.as_ref().map(spent),
        }
    }

    /// `None` when something in it is not what was written.
    pub(super) fn read(self) -> Option<(Kept, PublicKey)> {
        let proof_key: Hash = self.proof_key.parse().ok()?;
        let inviter = HEXLOWER.decode(self.inviter.as_bytes()).ok()?;
        let spent = match self.spent {
            Some(spent) => Some(spent.read()?),
            None => None,
        };
        let kept = Kept {
            id: self.id.parse().ok()?,
            city: self.city,
            handle: self.handle,
            endpoint: self.endpoint,
            inviter: inviter.try_into().ok()?,
            created_ms: self.created_ms,
            expires_ms: self.expires_ms,
            revoked_ms: self.revoked_ms,
            spent,
        };
        Some((kept, PublicKey::from_bytes(proof_key.as_bytes()).ok()?))
    }
}

impl SpentFile {
    fn read(self) -> Option<Spent> {
        let card = HEXLOWER.decode(self.card.as_bytes()).ok()?;
        let card = v1::SignedMemberCard::decode(card.as_slice()).ok()?;
        let keys = CardKeys::of(&MemberCard::open(&card).ok()?);
        Some(Spent { at_ms: self.at_ms, card, keys, words: self.words })
    }
}
