//! What the commands about records share: reading, listing, writing, and how records look.
//!
//! Nothing here knows a command line; the commands hand over what was asked.

pub(crate) mod adopters;
pub(crate) mod erase;
pub(crate) mod list;
pub(crate) mod read;
mod render;
pub(crate) mod seen;
pub(crate) mod twice;
pub(crate) mod write;

use serde::Serialize;
use wego_proto::{
    dated::Dated,
    key::PublicKey,
    record::v1::{LangText, RecordKind},
    v1,
};

use crate::{
    output::{self, one_line},
    words::Word as _,
};

pub(crate) use render::print_record;

/// Where a record comes from, as JSON.
#[derive(Debug, Serialize)]
pub(crate) struct Provenance {
    pub(crate) handle: String,
    pub(crate) city: std::collections::BTreeMap<String, String>,
    pub(crate) at: Option<String>,
    pub(crate) entry_hash: String,
    pub(crate) key_no: u32,
    pub(crate) key_fingerprint: Option<String>,
    pub(crate) signed_at: Option<String>,
    pub(crate) received_at: Option<String>,
    pub(crate) origin_seen_at: Option<String>,
    pub(crate) verified: bool,
}

impl From<&v1::Provenance> for Provenance {
    fn from(from: &v1::Provenance) -> Self {
        let name = |name: &LangText| (name.lang.clone(), name.text.clone());
        Self {
            handle: from.handle.clone(),
            city: from.city.iter().map(name).collect(),
            at: position(from.at),
            entry_hash: hex(&from.entry_hash),
            key_no: from.key_no,
            key_fingerprint: PublicKey::from_bytes(&from.key).ok().map(|key| key.fingerprint()),
            signed_at: output::rfc3339(from.signed_at_ms),
            received_at: output::rfc3339(from.received_at_ms),
            origin_seen_at: output::rfc3339(from.origin_seen_ms),
            verified: from.verified,
        }
    }
}

/// By whose order a record's contents are gone, as JSON.
#[derive(Debug, Serialize)]
pub(crate) struct ErasedBy {
    reason: String,
    /// None for the federation, by a takedown in its roster.
    handle: Option<String>,
    ordered_at: Option<String>,
}

impl From<v1::ErasedBy> for ErasedBy {
    fn from(by: v1::ErasedBy) -> Self {
        Self {
            reason: reason(&by),
            ordered_at: output::rfc3339(by.ordered_at_ms),
            handle: Some(by.handle).filter(|handle| !handle.is_empty()),
        }
    }
}

/// The same in words: by whom, when and why.
pub(crate) fn erased_by(by: &v1::ErasedBy, now_ms: u64) -> String {
    let who = if by.handle.is_empty() { "the federation".into() } else { one_line(&by.handle) };
    format!("by {who} {}, reason {}", output::ago(now_ms, by.ordered_at_ms), reason(by))
}

fn reason(by: &v1::ErasedBy) -> String {
    let known = v1::EraseReason::try_from(by.reason).ok();
    known.map_or_else(|| by.reason.to_string(), |reason| reason.word().to_owned())
}

/// When an entry was signed, in words; or when it came, where its author's clock was ahead of that.
pub(crate) fn signed(now_ms: u64, dated: Dated) -> String {
    let ago = output::ago(now_ms, dated.ms);
    if dated.ahead { format!("{ago} (clock ahead)") } else { ago }
}

/// The kind of a record's content.
pub(crate) fn kind_of(record: &v1::Record) -> RecordKind {
    match record.kind {
        Some(v1::record::Kind::Practice(_)) => RecordKind::Practice,
        Some(v1::record::Kind::Adoption(_)) => RecordKind::Adoption,
        Some(v1::record::Kind::Dataset(_)) => RecordKind::Dataset,
        None => RecordKind::Unspecified,
    }
}

/// The titles of a record; an adoption has none of its own.
pub(crate) fn titles(record: &v1::Record) -> &[LangText] {
    let core = match &record.kind {
        Some(v1::record::Kind::Practice(practice)) => practice.core.as_ref(),
        Some(v1::record::Kind::Dataset(dataset)) => dataset.core.as_ref(),
        Some(v1::record::Kind::Adoption(_)) | None => None,
    };
    core.map(|core| core.title.as_slice()).unwrap_or_default()
}

pub(crate) fn position(at: Option<v1::Position>) -> Option<String> {
    at.map(|at| format!("{}.{}", at.epoch, at.seq))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}
