//! A member's own word on where, and with which transport keys, it is reached.
//!
//! The problem: who steals a log key could shut the member out by naming other keys, and a member could pose as another
//! by naming its key. The rule: a new key proves itself, and a key that was valid before proves that its holder agrees;
//! both over the whole change, whose number rises, so that nothing can be said again. Without it the owner of a stolen
//! log key could not reach its peers to make the theft void.

use prost::Message as _;

use super::{ENDPOINT_BYTES_MAX, ENDPOINTS_MAX, TRANSPORT_KEYS_MAX};
use crate::{
    convert::{FieldError, InField as _, Problem, at_most},
    id::{FederationId, Origin},
    key::{PublicKey, Purpose, SecretKey, Signature},
    v1,
};

/// Where and as whom a member is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointChange {
    /// host:port of the peer listener; none for a member that only dials.
    pub endpoints: Vec<String>,
    /// Keys that may speak for it in TLS.
    pub transport_keys: Vec<PublicKey>,
    /// Higher than that of the change before.
    pub number: u32,
    /// Signatures of transport keys over the rest.
    pub proofs: Vec<TransportProof>,
}

/// What a change stands on, beside the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ground {
    /// The federation.
    pub federation: FederationId,
    /// The member.
    pub origin: Origin,
    /// The version in which the roster last said something new of the member's endpoints: what was agreed to before it
    /// cannot be said again after it.
    pub roster_version: u64,
}

/// That the holder of a transport key agrees with a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportProof {
    /// The key.
    pub key: PublicKey,
    /// Its signature over the change without its proofs.
    pub signature: Signature,
}

impl EndpointChange {
    /// The same, with the proofs of these keys.
    #[must_use]
    pub fn proved_by(self, ground: &Ground, keys: &[&SecretKey]) -> Self {
        let agreed = self.agreed(ground);
        let prove = |key: &&SecretKey| TransportProof {
            key: key.public(),
            signature: key.sign(Purpose::Transport, &[ground.federation.as_bytes(), &agreed]),
        };
        Self { proofs: keys.iter().map(prove).collect(), ..self }
    }

    /// Whether it stands on top of what was valid before: the number of the last change, 0 for none, and the keys.
    #[must_use]
    pub fn follows(&self, ground: &Ground, number: u32, valid: &[PublicKey]) -> bool {
        let agreed = self.agreed(ground);
        let parts: [&[u8]; 2] = [ground.federation.as_bytes(), &agreed];
        let proved = |key: &PublicKey| {
            let proof = self.proofs.iter().find(|proof| proof.key == *key);
            proof.is_some_and(|proof| key.verify(Purpose::Transport, &parts, &proof.signature).is_ok())
        };
        self.number > number
            && valid.iter().any(proved)
            && self.transport_keys.iter().all(|key| valid.contains(key) || proved(key))
    }

    pub(super) fn parse(raw: v1::EndpointChange) -> Result<Self, FieldError> {
        at_most("header.endpoint_change.endpoints", raw.endpoints.len(), ENDPOINTS_MAX)?;
        at_most("header.endpoint_change.transport_keys", raw.transport_keys.len(), TRANSPORT_KEYS_MAX)?;
        at_most("header.endpoint_change.proofs", raw.proofs.len(), TRANSPORT_KEYS_MAX)?;
        let plain =
            |endpoint: &String| (1..=ENDPOINT_BYTES_MAX).contains(&endpoint.len()) && endpoint.is_ascii();
        if raw.transport_keys.is_empty() || raw.number == 0 || !raw.endpoints.iter().all(plain) {
            let problem = Problem::OutOfRange {
                expected: "a transport key, a number, and endpoints of at most 100 characters",
            };
            return Err(FieldError { field: "header.endpoint_change", problem });
        }
        let keys: Result<Vec<_>, _> =
            raw.transport_keys.iter().map(|key| PublicKey::from_bytes(key)).collect();
        let proofs: Result<Vec<_>, _> = raw.proofs.iter().map(proof).collect();
        Ok(Self {
            endpoints: raw.endpoints,
            transport_keys: keys.in_field("header.endpoint_change.transport_keys")?,
            number: raw.number,
            proofs: proofs?,
        })
    }

    pub(super) fn to_wire(&self) -> v1::EndpointChange {
        let proof = |proof: &TransportProof| v1::TransportProof {
            key: proof.key.as_bytes().to_vec(),
            signature: proof.signature.as_bytes().to_vec(),
        };
        v1::EndpointChange {
            endpoints: self.endpoints.clone(),
            transport_keys: self.transport_keys.iter().map(|key| key.as_bytes().to_vec()).collect(),
            number: self.number,
            proofs: self.proofs.iter().map(proof).collect(),
        }
    }

    /// What is signed of it, beside the federation.
    fn agreed(&self, ground: &Ground) -> Vec<u8> {
        let change = v1::EndpointChange { proofs: Vec::new(), ..self.to_wire() };
        let (origin, version) = (ground.origin.0.to_be_bytes(), ground.roster_version.to_be_bytes());
        [origin.as_slice(), &version, &change.encode_to_vec()].concat()
    }
}

fn proof(raw: &v1::TransportProof) -> Result<TransportProof, FieldError> {
    Ok(TransportProof {
        key: PublicKey::from_bytes(&raw.key).in_field("header.endpoint_change.proofs.key")?,
        signature: Signature::try_from(raw.signature.as_slice())
            .in_field("header.endpoint_change.proofs.signature")?,
    })
}
