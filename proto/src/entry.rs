//! Which bytes of an entry are hashed and signed. The only place that says so.
//!
//! The problem: a protobuf message has many encodings, and a reader of version N drops the fields of version
//! N+1. Whoever decodes a header, re-encodes it and checks the signature of the result refuses honest entries
//! or splits the federation. The rule: the received header bytes are kept, and only they are hashed, signed and
//! relayed; the decoded [`Header`] is a reading of them, never their source.
//!
//! An entry arrives as [`Unverified`]: well-formed, its payload fitting its header. It becomes [`Verified`] in
//! one of two ways: its own signature verifies under a key its author may use there, or a verified entry names
//! it as predecessor. Nothing else makes one, so a function that takes `Verified` need not check again.

use thiserror::Error;

use crate::{
    convert::{FieldError, InField as _, Problem, at_most},
    id::{FederationId, Hash},
    key::{KeyError, PublicKey, Purpose, SecretKey, Signature},
    v1,
};

mod endpoints;
mod header;

pub use endpoints::{EndpointChange, Ground, TransportProof};
pub use header::{EpochStart, Header, PayloadDigest};

/// The only entry format there is.
pub const FORMAT: u32 = 1;
/// Largest encoded header in bytes: room for the fields, eight attachments and small extensions.
pub const HEADER_BYTES_MAX: usize = 1_024;
/// Largest payload in bytes. More belongs into an attachment.
pub const PAYLOAD_BYTES_MAX: usize = 256 * 1_024;
/// Attachments and extensions of one entry.
pub const ATTACHMENTS_MAX: usize = 8;
/// Endpoints that one entry may name: with all of them, and all keys, a header stays within its limit.
pub const ENDPOINTS_MAX: usize = 4;
/// Transport keys that one entry may name, and proofs it may carry.
pub const TRANSPORT_KEYS_MAX: usize = 3;
/// Bytes of one endpoint.
pub const ENDPOINT_BYTES_MAX: usize = 100;
/// Bytes of the nonce that salts a payload's hash.
pub const NONCE_BYTES: usize = 16;

/// A record's bytes with the nonce that salts their hash.
#[derive(Clone, PartialEq, Eq)]
pub struct Payload {
    /// 16 random bytes.
    pub nonce: [u8; NONCE_BYTES],
    /// The bytes.
    pub content: Vec<u8>,
}

impl Payload {
    /// What a header must say of it.
    #[must_use]
    pub fn digest(&self) -> PayloadDigest {
        let len = u32::try_from(self.content.len()).unwrap_or(u32::MAX);
        PayloadDigest { len, hash: Hash::of(&[&self.nonce, &self.content]) }
    }
}

impl std::fmt::Debug for Payload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Payload({} bytes)", self.content.len())
    }
}

/// Why an entry is refused whatever the state of the log. Nothing is stored.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EntryError {
    /// A field is missing, wrong or over its limit. The author or relayer must mend its software.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The payload's bytes are not those the header was signed for.
    #[error("payload does not match the header's length and hash")]
    PayloadMismatch,
    /// The signature does not verify under the given key.
    #[error("entry signature")]
    Signature(#[source] KeyError),
    /// It is not the entry that the next one names as predecessor.
    #[error("hash is not the one that the next entry names")]
    NotThePredecessor,
}

/// Header, signature and payload as received, and what was read from them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Parts {
    header: Header,
    header_bytes: Vec<u8>,
    signature: Signature,
    payload: Option<Payload>,
    hash: Hash,
}

/// A well-formed entry of unknown authorship.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unverified(Parts);

/// An entry whose author is known: by its own signature, or as ancestor of one that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified(Parts);

impl Unverified {
    /// Reads a received entry and checks that its payload, when present, is the one its header names.
    ///
    /// # Errors
    /// [`EntryError::Field`] or [`EntryError::PayloadMismatch`].
    pub fn parse(entry: v1::Entry) -> Result<Self, EntryError> {
        let header = Header::parse(&entry.header)?;
        let signature = Signature::try_from(entry.signature.as_slice()).in_field("entry.signature")?;
        let payload = entry.payload.map(parse_payload).transpose()?;
        if payload.as_ref().is_some_and(|payload| Some(payload.digest()) != header.payload) {
            return Err(EntryError::PayloadMismatch);
        }
        let hash = Hash::of(&[&[0], &entry.header, signature.as_bytes()]);
        Ok(Self(Parts { header, header_bytes: entry.header, signature, payload, hash }))
    }

    /// Checks the entry's own signature.
    ///
    /// # Errors
    /// [`EntryError::Signature`].
    pub fn verify(self, federation: &FederationId, key: &PublicKey) -> Result<Verified, EntryError> {
        key.verify(Purpose::Entry, &[federation.as_bytes(), &self.0.header_bytes], &self.0.signature)
            .map_err(EntryError::Signature)?;
        Ok(Verified(self.0))
    }

    /// What the header says.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.0.header
    }

    /// SHA-256(0x00 || header || signature).
    #[must_use]
    pub fn hash(&self) -> Hash {
        self.0.hash
    }

    /// The record's bytes, unless erased or left out. They match the header; who wrote both is unknown.
    #[must_use]
    pub fn payload(&self) -> Option<&Payload> {
        self.0.payload.as_ref()
    }
}

fn parse_payload(raw: v1::Payload) -> Result<Payload, FieldError> {
    at_most("payload.content", raw.content.len(), PAYLOAD_BYTES_MAX)?;
    let nonce = raw.nonce.as_slice().try_into();
    let nonce = nonce.map_err(|_| Problem::OutOfRange { expected: "16 bytes" }).in_field("payload.nonce")?;
    Ok(Payload { nonce, content: raw.content })
}

impl Verified {
    /// Signs a new entry.
    ///
    /// # Panics
    /// Never for a header and payload within the limits, which [`Unverified::parse`] checks at every reader.
    #[must_use]
    pub fn sign(
        mut header: Header,
        payload: Option<Payload>,
        federation: &FederationId,
        key: &SecretKey,
    ) -> Self {
        header.payload = payload.as_ref().map(Payload::digest);
        let header_bytes = header.encode();
        let signature = key.sign(Purpose::Entry, &[federation.as_bytes(), &header_bytes]);
        let hash = Hash::of(&[&[0], &header_bytes, signature.as_bytes()]);
        Self(Parts { header, header_bytes, signature, payload, hash })
    }

    /// The bytes of a header that somebody else will sign, with [`Purpose::Entry`] and the federation's id before them:
    /// the recovery key never comes to the node.
    #[must_use]
    pub fn to_be_signed(header: &Header) -> Vec<u8> {
        header.encode()
    }

    /// Verifies the entry before this one by its hash: whoever signed this one signed that history.
    ///
    /// # Errors
    /// [`EntryError::NotThePredecessor`].
    pub fn ancestor(&self, entry: Unverified) -> Result<Self, EntryError> {
        if entry.0.hash != self.0.header.prev || entry.0.header.origin != self.0.header.origin {
            return Err(EntryError::NotThePredecessor);
        }
        Ok(Self(entry.0))
    }

    /// What the header says.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.0.header
    }

    /// SHA-256(0x00 || header || signature).
    #[must_use]
    pub fn hash(&self) -> Hash {
        self.0.hash
    }

    /// The record's bytes, unless erased or left out.
    #[must_use]
    pub fn payload(&self) -> Option<&Payload> {
        self.0.payload.as_ref()
    }

    /// The entry without its payload, as it stays after an erasure.
    #[must_use]
    pub fn without_payload(mut self) -> Self {
        self.0.payload = None;
        self
    }

    /// Bytes it takes on the wire, without framing.
    #[must_use]
    pub fn size(&self) -> usize {
        let payload = self.0.payload.as_ref().map_or(0, |payload| payload.content.len() + NONCE_BYTES);
        self.0.header_bytes.len() + 64 + payload
    }

    /// As it is stored and sent: the received bytes.
    #[must_use]
    pub fn to_wire(&self) -> v1::Entry {
        self.clone().into_wire()
    }

    /// As [`Verified::to_wire`], without copying the header and the record.
    #[must_use]
    pub fn into_wire(self) -> v1::Entry {
        let Parts { header_bytes, signature, payload, .. } = self.0;
        v1::Entry {
            header: header_bytes,
            signature: signature.as_bytes().to_vec(),
            payload: payload
                .map(|payload| v1::Payload { nonce: payload.nonce.to_vec(), content: payload.content }),
        }
    }

    /// As [`Verified::to_wire`], without the payload: for proofs and for holders over quota.
    #[must_use]
    pub fn to_wire_without_payload(&self) -> v1::Entry {
        v1::Entry {
            header: self.0.header_bytes.clone(),
            signature: self.0.signature.as_bytes().to_vec(),
            payload: None,
        }
    }
}

#[cfg(test)]
mod tests;
