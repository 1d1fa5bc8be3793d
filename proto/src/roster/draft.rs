//! Reading a roster's bytes. What is read is well-formed; whether it is signed is asked in [`super`].

use std::collections::{BTreeMap, BTreeSet};

use prost::Message as _;

use super::{GOVERNANCE_KEYS_MAX, Governance, MEMBERS_MAX, Member, ROSTER_BYTES_MAX, member::member_from};
use crate::{
    convert::{FieldError, InField as _, Problem, at_most},
    id::{FederationId, Hash, Origin},
    key::PublicKey,
    v1,
};

/// A well-formed roster version that need not be signed yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// As it stands in the bytes.
    pub content: v1::Roster,
    /// SHA-256 of its bytes.
    pub hash: Hash,
    /// The federation it belongs to; of version 1, its own hash.
    pub federation: FederationId,
    /// The keys that must sign.
    pub governance: Governance,
    /// All members by origin.
    pub members: BTreeMap<Origin, Member>,
}

impl Draft {
    /// Reads a roster's bytes.
    ///
    /// # Errors
    /// [`FieldError`] names the field.
    pub fn parse(bytes: &[u8]) -> Result<Self, FieldError> {
        at_most("roster", bytes.len(), ROSTER_BYTES_MAX)?;
        let content = v1::Roster::decode(bytes).map_err(|_| Problem::Undecodable).in_field("roster")?;
        if content.format != 1 || content.version == 0 {
            let problem = Problem::OutOfRange { expected: "format 1 and a version from 1" };
            return Err(FieldError { field: "roster.format", problem });
        }
        at_most("roster.members", content.members.len(), MEMBERS_MAX)?;
        let hash = Hash::of(&[bytes]);
        let federation = if content.version == 1 {
            FederationId::new(*hash.as_bytes())
        } else {
            let _: Hash = content.prev_hash.as_slice().try_into().in_field("roster.prev_hash")?;
            content.federation_id.as_slice().try_into().in_field("roster.federation_id")?
        };
        let governance = governance(content.governance.as_ref().in_field("roster.governance")?)?;
        let members = members(&content.members)?;
        Ok(Self { content, hash, federation, governance, members })
    }
}

fn governance(raw: &v1::Governance) -> Result<Governance, FieldError> {
    at_most("roster.governance.keys", raw.keys.len(), GOVERNANCE_KEYS_MAX)?;
    let keys: Result<BTreeSet<_>, _> = raw.keys.iter().map(|key| PublicKey::from_bytes(key)).collect();
    let keys = keys.in_field("roster.governance.keys")?;
    if keys.len() != raw.keys.len() {
        let problem = Problem::OutOfRange { expected: "without repetition" };
        return Err(FieldError { field: "roster.governance.keys", problem });
    }
    let threshold = raw.threshold as usize;
    if threshold > keys.len() || threshold * 2 <= keys.len() {
        let problem =
            Problem::OutOfRange { expected: "more than half of the keys, and not more than there are" };
        return Err(FieldError { field: "roster.governance.threshold", problem });
    }
    Ok(Governance { keys, threshold })
}

fn members(raw: &[v1::Member]) -> Result<BTreeMap<Origin, Member>, FieldError> {
    let mut members = BTreeMap::new();
    let mut handles = BTreeSet::new();
    let mut city_ids = BTreeSet::new();
    let mut transport_keys = BTreeSet::new();
    for member in raw {
        let member = member_from(member)?;
        let fresh = handles.insert(member.handle.clone())
            && city_ids.insert(member.city_id)
            && member.transport_keys.iter().all(|key| transport_keys.insert(*key));
        if !fresh || members.insert(member.origin, member).is_some() {
            let problem = Problem::OutOfRange {
                expected: "without two members of one idx, city id, handle or transport key",
            };
            return Err(FieldError { field: "roster.members", problem });
        }
    }
    Ok(members)
}
