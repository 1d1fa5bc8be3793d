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

use prost::Message as _;
use thiserror::Error;

use crate::{
    convert::{FieldError, InField as _, Problem, at_most, optional},
    epochs::FIRST_EPOCH,
    id::{FederationId, Hash, Origin, Position, RecordId, RequestId, StoreId},
    key::{KeyError, PublicKey, Purpose, SecretKey, Signature},
    v1::{self, EntryKind},
};

/// The only entry format there is.
pub const FORMAT: u32 = 1;
/// Largest encoded header in bytes: room for the fields, eight attachments and small extensions.
pub const HEADER_BYTES_MAX: usize = 1_024;
/// Largest payload in bytes. More belongs into an attachment.
pub const PAYLOAD_BYTES_MAX: usize = 256 * 1_024;
/// Attachments and extensions of one entry.
pub const ATTACHMENTS_MAX: usize = 8;
/// Endpoints, and transport keys, that one entry may name: with all of them a header stays within its limit.
pub const ENDPOINTS_MAX: usize = 4;
/// Bytes of one endpoint.
pub const ENDPOINT_BYTES_MAX: usize = 100;
/// Bytes of the nonce that salts a payload's hash.
pub const NONCE_BYTES: usize = 16;

/// A header as this version reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Author.
    pub origin: Origin,
    /// Place in the author's log.
    pub at: Position,
    /// Hash of the entry before, or the authority of the epoch's first entry.
    pub prev: Hash,
    /// Which of the author's log keys signed; 0 is the recovery key.
    pub key_no: u32,
    /// Newest roster the author knew.
    pub roster_version: u64,
    /// Author's clock, ms since 1970: for display only.
    pub hlc_ms: u64,
    /// Number of an [`EntryKind`]; unknown ones are kept and relayed.
    pub kind: i32,
    /// The record it concerns, if any.
    pub record_id: Option<RecordId>,
    /// The entry it supersedes, if any.
    pub base: Option<Hash>,
    /// Length and hash of the payload, if it has one.
    pub payload: Option<PayloadDigest>,
    /// Number of the record's kind; unknown ones are kept and relayed.
    pub record_kind: u32,
    /// The client's name for the write.
    pub request_id: Option<RequestId>,
    /// Opens an epoch above 1.
    pub epoch_start: Option<EpochStart>,
    /// Of an erasure, the number of its [`v1::EraseReason`]; unknown ones are kept and obeyed.
    pub erase: Option<u32>,
    /// The recovery key, where it signed.
    pub recovery_key: Option<PublicKey>,
    /// Where and as whom the member is reached from here on.
    pub endpoint_change: Option<EndpointChange>,
}

/// What a header says of its payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayloadDigest {
    /// Bytes.
    pub len: u32,
    /// SHA-256(nonce || payload).
    pub hash: Hash,
}

/// Where a later epoch continues from, and with which key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochStart {
    /// Last position of the earlier epoch that stays valid; seq 0 when there is none.
    pub base: Position,
    /// Hash of the entry there; for seq 0 the author's log root.
    pub base_hash: Hash,
    /// SHA-256 of the fork proof that this heals.
    pub proof_hash: Option<Hash>,
    /// The database incarnation that continues the log.
    pub store: Option<StoreId>,
    /// The epoch's log key, when it is another than the base's epoch has.
    pub log_key: Option<PublicKey>,
    /// With a new log key: digest of the one after it.
    pub next_digest: Option<Hash>,
}

/// Where and as whom a member is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointChange {
    /// host:port of the peer listener; none for a member that only dials.
    pub endpoints: Vec<String>,
    /// Keys that may speak for it in TLS.
    pub transport_keys: Vec<PublicKey>,
}

impl Header {
    /// The kind, when this version knows it.
    #[must_use]
    pub fn known_kind(&self) -> Option<EntryKind> {
        EntryKind::try_from(self.kind).ok().filter(|kind| *kind != EntryKind::Unspecified)
    }

    fn parse(bytes: &[u8]) -> Result<Self, FieldError> {
        at_most("entry.header", bytes.len(), HEADER_BYTES_MAX)?;
        let raw =
            v1::EntryHeader::decode(bytes).map_err(|_| Problem::Undecodable).in_field("entry.header")?;
        if raw.format != FORMAT {
            let problem = Problem::OutOfRange { expected: "1" };
            return Err(FieldError { field: "header.format", problem });
        }
        at_most("header.attachments", raw.attachments.len(), ATTACHMENTS_MAX)?;
        at_most("header.extensions", raw.extensions.len(), ATTACHMENTS_MAX)?;
        if raw.extensions.iter().any(|extension| extension.critical) {
            return Err(FieldError { field: "header.extensions", problem: Problem::Unexpected });
        }
        let at = v1::Position { epoch: raw.epoch, seq: raw.seq };
        let opens_epoch = raw.epoch > 1 && raw.seq == 1;
        if raw.epoch_start.is_some() != opens_epoch {
            let problem = if opens_epoch { Problem::Missing } else { Problem::Unexpected };
            return Err(FieldError { field: "header.epoch_start", problem });
        }
        Ok(Self {
            origin: Origin(raw.origin),
            at: Position::try_from(at).in_field("header.seq")?,
            prev: Hash::try_from(raw.prev.as_slice()).in_field("header.prev")?,
            key_no: raw.key_no,
            roster_version: raw.roster_version,
            hlc_ms: raw.hlc_ms,
            kind: raw.kind,
            record_id: optional(&raw.record_id).in_field("header.record_id")?,
            base: optional(&raw.base).in_field("header.base")?,
            payload: payload_digest(&raw)?,
            record_kind: raw.record_kind,
            request_id: optional(&raw.request_id).in_field("header.request_id")?,
            epoch_start: raw.epoch_start.map(epoch_start).transpose()?,
            erase: raw.erase.map(|erase| erase.reason),
            recovery_key: optional_key(&raw.recovery_key).in_field("header.recovery_key")?,
            endpoint_change: raw.endpoint_change.map(endpoint_change).transpose()?,
        })
    }

    fn encode(&self) -> Vec<u8> {
        let bytes = |id: Option<&[u8]>| id.unwrap_or_default().to_vec();
        v1::EntryHeader {
            format: FORMAT,
            origin: self.origin.0,
            epoch: self.at.epoch,
            seq: self.at.seq,
            prev: self.prev.as_bytes().to_vec(),
            key_no: self.key_no,
            roster_version: self.roster_version,
            hlc_ms: self.hlc_ms,
            kind: self.kind,
            record_id: bytes(self.record_id.as_ref().map(|id| id.as_bytes().as_slice())),
            base: bytes(self.base.as_ref().map(|hash| hash.as_bytes().as_slice())),
            payload_len: self.payload.map_or(0, |payload| payload.len),
            payload_hash: bytes(self.payload.as_ref().map(|payload| payload.hash.as_bytes().as_slice())),
            attachments: Vec::new(),
            record_kind: self.record_kind,
            request_id: bytes(self.request_id.as_ref().map(|id| id.as_bytes().as_slice())),
            epoch_start: self.epoch_start.map(|start| v1::EpochStart {
                base: Some(start.base.into()),
                base_hash: start.base_hash.as_bytes().to_vec(),
                proof_hash: bytes(start.proof_hash.as_ref().map(|hash| hash.as_bytes().as_slice())),
                store_id: bytes(start.store.as_ref().map(|store| store.as_bytes().as_slice())),
                log_key: bytes(start.log_key.as_ref().map(|key| key.as_bytes().as_slice())),
                next_log_key_digest: bytes(start.next_digest.as_ref().map(|hash| hash.as_bytes().as_slice())),
            }),
            recovery_key: bytes(self.recovery_key.as_ref().map(|key| key.as_bytes().as_slice())),
            extensions: Vec::new(),
            endpoint_change: self.endpoint_change.as_ref().map(|change| v1::EndpointChange {
                endpoints: change.endpoints.clone(),
                transport_keys: change.transport_keys.iter().map(|key| key.as_bytes().to_vec()).collect(),
            }),
            erase: self.erase.map(|reason| v1::Erase { reason }),
        }
        .encode_to_vec()
    }
}

fn payload_digest(raw: &v1::EntryHeader) -> Result<Option<PayloadDigest>, FieldError> {
    at_most("header.payload_len", raw.payload_len as usize, PAYLOAD_BYTES_MAX)?;
    let hash = optional(&raw.payload_hash).in_field("header.payload_hash")?;
    match hash {
        Some(hash) => Ok(Some(PayloadDigest { len: raw.payload_len, hash })),
        None if raw.payload_len == 0 => Ok(None),
        None => Err(FieldError { field: "header.payload_hash", problem: Problem::Missing }),
    }
}

fn epoch_start(raw: v1::EpochStart) -> Result<EpochStart, FieldError> {
    let base = raw.base.in_field("header.epoch_start.base")?;
    let base = match (base.epoch, base.seq) {
        // Only the first epoch has a place before its first entry that a log can go back to.
        (FIRST_EPOCH, 0) => Position { epoch: FIRST_EPOCH, seq: 0 },
        _ => Position::try_from(base).in_field("header.epoch_start.base")?,
    };
    Ok(EpochStart {
        base,
        base_hash: Hash::try_from(raw.base_hash.as_slice()).in_field("header.epoch_start.base_hash")?,
        proof_hash: optional(&raw.proof_hash).in_field("header.epoch_start.proof_hash")?,
        store: optional(&raw.store_id).in_field("header.epoch_start.store_id")?,
        log_key: optional_key(&raw.log_key).in_field("header.epoch_start.log_key")?,
        next_digest: optional(&raw.next_log_key_digest).in_field("header.epoch_start.next_log_key_digest")?,
    })
}

fn optional_key(bytes: &[u8]) -> Result<Option<PublicKey>, KeyError> {
    if bytes.is_empty() { Ok(None) } else { PublicKey::from_bytes(bytes).map(Some) }
}

fn endpoint_change(raw: v1::EndpointChange) -> Result<EndpointChange, FieldError> {
    at_most("header.endpoint_change.endpoints", raw.endpoints.len(), ENDPOINTS_MAX)?;
    at_most("header.endpoint_change.transport_keys", raw.transport_keys.len(), ENDPOINTS_MAX)?;
    let plain = |endpoint: &String| (1..=ENDPOINT_BYTES_MAX).contains(&endpoint.len()) && endpoint.is_ascii();
    if raw.transport_keys.is_empty() || !raw.endpoints.iter().all(plain) {
        let problem =
            Problem::OutOfRange { expected: "a transport key, and endpoints of at most 100 characters" };
        return Err(FieldError { field: "header.endpoint_change", problem });
    }
    let keys: Result<Vec<_>, _> = raw.transport_keys.iter().map(|key| PublicKey::from_bytes(key)).collect();
    Ok(EndpointChange {
        endpoints: raw.endpoints,
        transport_keys: keys.in_field("header.endpoint_change.transport_keys")?,
    })
}

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
