//! A header as this version reads and writes it. Reading never goes back into bytes: what was received is kept beside it.

use prost::Message as _;

use super::{ATTACHMENTS_MAX, EndpointChange, FORMAT, HEADER_BYTES_MAX, PAYLOAD_BYTES_MAX};
use crate::{
    convert::{FieldError, InField as _, Problem, at_most, optional},
    epochs::FIRST_EPOCH,
    id::{Hash, Origin, Position, RecordId, RequestId, StoreId},
    key::{KeyError, PublicKey},
    presence::Presentation,
    v1::{self, EntryKind},
};

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
    /// How the member is called from here on. One that breaks a limit is passed over, as if it were not there: a
    /// node that does not know this field takes the entry too, and all must hold the same log.
    pub presentation: Option<Presentation>,
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
    /// Hash of the opening of the base's epoch; none when that is the first one.
    pub base_opening: Option<Hash>,
}

impl Header {
    /// The kind, when this version knows it.
    #[must_use]
    pub fn known_kind(&self) -> Option<EntryKind> {
        EntryKind::try_from(self.kind).ok().filter(|kind| *kind != EntryKind::Unspecified)
    }

    pub(super) fn parse(bytes: &[u8]) -> Result<Self, FieldError> {
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
            endpoint_change: raw.endpoint_change.map(EndpointChange::parse).transpose()?,
            presentation: raw.presentation.and_then(|said| Presentation::parse(said).ok()),
        })
    }

    pub(super) fn encode(&self) -> Vec<u8> {
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
                base_opening: bytes(start.base_opening.as_ref().map(|hash| hash.as_bytes().as_slice())),
            }),
            recovery_key: bytes(self.recovery_key.as_ref().map(|key| key.as_bytes().as_slice())),
            extensions: Vec::new(),
            endpoint_change: self.endpoint_change.as_ref().map(EndpointChange::to_wire),
            erase: self.erase.map(|reason| v1::Erase { reason }),
            presentation: self.presentation.as_ref().map(Presentation::to_wire),
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
    let base_opening = optional(&raw.base_opening).in_field("header.epoch_start.base_opening")?;
    if base_opening.is_some() != (base.epoch > FIRST_EPOCH) {
        let problem = if base_opening.is_some() { Problem::Unexpected } else { Problem::Missing };
        return Err(FieldError { field: "header.epoch_start.base_opening", problem });
    }
    Ok(EpochStart {
        base,
        base_hash: Hash::try_from(raw.base_hash.as_slice()).in_field("header.epoch_start.base_hash")?,
        proof_hash: optional(&raw.proof_hash).in_field("header.epoch_start.proof_hash")?,
        store: optional(&raw.store_id).in_field("header.epoch_start.store_id")?,
        log_key: optional_key(&raw.log_key).in_field("header.epoch_start.log_key")?,
        next_digest: optional(&raw.next_log_key_digest).in_field("header.epoch_start.next_log_key_digest")?,
        base_opening,
    })
}

fn optional_key(bytes: &[u8]) -> Result<Option<PublicKey>, KeyError> {
    if bytes.is_empty() { Ok(None) } else { PublicKey::from_bytes(bytes).map(Some) }
}
