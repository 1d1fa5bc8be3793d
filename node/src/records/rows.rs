//! What the rows hold, and what of a record's content is kept in them.
//!
//! Only what lists and histories show, cut to bounds: a member's record may hold anything its author signed.

use prost::Message;
use wego_catalogue::{
    Decoded, Source,
    limits::{LANGS_MAX, LINE_CHARS_MAX, PUBLISHED_CHARS_MAX, SUMMARY_CHARS_MAX, TITLE_CHARS_MAX},
};
use wego_proto::{
    entry::Unverified,
    id::{Hash, Position, RecordId},
    record::v1::{Adoption, LangText, RecordKind},
    v1::{self, EntryKind, record},
};

use super::corrupt;
use crate::store::StoreError;

/// An entry that concerns a record.
#[derive(Clone, PartialEq, Message)]
pub(super) struct VersionRow {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) record_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) hash: Vec<u8>,
    #[prost(uint64, tag = "3")]
    pub(super) hlc_ms: u64,
    /// The latest time the author's log had claimed by then.
    #[prost(uint64, tag = "4")]
    pub(super) claimed_ms: u64,
    #[prost(enumeration = "EntryKind", tag = "5")]
    pub(super) entry_kind: i32,
    #[prost(uint32, tag = "6")]
    pub(super) payload_len: u32,
    #[prost(uint32, tag = "7")]
    pub(super) key_no: u32,
    #[prost(enumeration = "RecordKind", tag = "8")]
    pub(super) record_kind: i32,
    #[prost(message, optional, tag = "9")]
    pub(super) content: Option<Content>,
    /// Of an erasure.
    #[prost(uint32, tag = "10")]
    pub(super) erase_reason: u32,
}

/// What lists show of a payload.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Content {
    #[prost(message, repeated, tag = "1")]
    pub(super) titles: Vec<LangText>,
    #[prost(string, tag = "2")]
    pub(super) source_id: String,
    #[prost(string, tag = "3")]
    pub(super) source_hash: String,
    #[prost(string, tag = "4")]
    pub(super) identifier: String,
    #[prost(message, optional, tag = "5")]
    pub(super) adoption: Option<Adoption>,
    /// Of a retraction.
    #[prost(string, tag = "6")]
    pub(super) reason: String,
}

/// What one member's versions of a record come to.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ClaimRow {
    /// Claimed time of the first version with content.
    #[prost(uint64, tag = "1")]
    pub(super) first_ms: u64,
    #[prost(message, optional, tag = "2")]
    pub(super) newest: Option<v1::Position>,
    /// The newest version with content. A member without one cannot own the record.
    #[prost(message, optional, tag = "3")]
    pub(super) content: Option<v1::Position>,
    #[prost(uint32, tag = "4")]
    pub(super) versions: u32,
    /// Kind of the newest entry: says whether the record still stands.
    #[prost(enumeration = "EntryKind", tag = "5")]
    pub(super) state: i32,
}

/// What a record is now. It repeats what its list rows were made from, so that they can be found again.
#[derive(Clone, PartialEq, Message)]
pub(super) struct RecordRow {
    #[prost(uint32, tag = "1")]
    pub(super) owner: u32,
    #[prost(message, optional, tag = "2")]
    pub(super) claim: Option<ClaimRow>,
    /// Its place in lists: what is dated after its arrival would stand first for as long as that lies ahead.
    #[prost(uint64, tag = "3")]
    pub(super) dated_ms: u64,
    #[prost(enumeration = "RecordKind", tag = "4")]
    pub(super) kind: i32,
    /// Empty for a record that was not imported.
    #[prost(string, tag = "5")]
    pub(super) source_id: String,
    /// Of an adoption, the record it names.
    #[prost(bytes = "vec", tag = "6")]
    pub(super) target: Vec<u8>,
}

impl VersionRow {
    /// The row of an entry; `None` when it says nothing about a record of a kind known here.
    pub(super) fn of(entry: &Unverified, claimed_ms: u64) -> Option<(RecordId, Self)> {
        let header = entry.header();
        let record_id = header.record_id?;
        let record_kind = wego_catalogue::kind::from_number(header.record_kind);
        let payload = entry.payload().map(|payload| payload.content.as_slice());
        let (record_kind, content) = match header.known_kind()? {
            EntryKind::RecordPut => {
                let kind = record_kind?;
                (kind, payload.map(|payload| Content::of_put(kind, payload)))
            }
            EntryKind::Retract => (RecordKind::Unspecified, payload.map(Content::of_retraction)),
            EntryKind::Erase => (RecordKind::Unspecified, None),
            _ => return None,
        };
        let row = Self {
            record_id: record_id.as_bytes().to_vec(),
            hash: entry.hash().as_bytes().to_vec(),
            hlc_ms: header.hlc_ms,
            claimed_ms,
            entry_kind: header.kind,
            payload_len: header.payload.map_or(0, |payload| payload.len),
            key_no: header.key_no,
            record_kind: record_kind.into(),
            content,
            erase_reason: header.erase.unwrap_or_default(),
        };
        Some((record_id, row))
    }

    pub(super) fn record_id(&self) -> Result<RecordId, StoreError> {
        RecordId::try_from(self.record_id.as_slice()).map_err(|_| corrupt())
    }

    pub(super) fn hash(&self) -> Result<Hash, StoreError> {
        Hash::try_from(self.hash.as_slice()).map_err(|_| corrupt())
    }
}

impl Content {
    /// Nothing when the payload is no record of `kind`: it is listed, so that its owner notices.
    fn of_put(kind: RecordKind, payload: &[u8]) -> Self {
        let Decoded::Known(record) = wego_catalogue::decode(payload) else { return Self::default() };
        if wego_catalogue::kind_of(&record) != Some(kind) {
            return Self::default();
        }
        let source = Source::of(&record);
        let mut content = Self {
            source_id: source.map(|source| cut(source.id, LINE_CHARS_MAX)).unwrap_or_default(),
            source_hash: source.map(|source| cut(source.hash, LINE_CHARS_MAX)).unwrap_or_default(),
            identifier: cut(wego_catalogue::text::dataset_identifier(&record), PUBLISHED_CHARS_MAX),
            ..Self::default()
        };
        match record.kind {
            Some(record::Kind::Adoption(adoption)) => content.adoption = Some(brief(&adoption)),
            Some(record::Kind::Practice(practice)) => {
                content.titles = titles(practice.core.map(|core| core.title))
            }
            Some(record::Kind::Dataset(dataset)) => {
                content.titles = titles(dataset.core.map(|core| core.title))
            }
            None => {}
        }
        content
    }

    fn of_retraction(payload: &[u8]) -> Self {
        let reason = v1::Retraction::decode(payload).map(|retraction| retraction.reason).unwrap_or_default();
        Self { reason: cut(&reason, SUMMARY_CHARS_MAX), ..Self::default() }
    }
}

/// What is shown of an adoption beside the practice.
fn brief(adoption: &Adoption) -> Adoption {
    Adoption {
        target_id: cut(&adoption.target_id, LINE_CHARS_MAX),
        target_version: adoption.target_version,
        stage: adoption.stage,
        since: cut(&adoption.since, LINE_CHARS_MAX),
        reason_withdrawn: texts(&adoption.reason_withdrawn, SUMMARY_CHARS_MAX),
        ..Adoption::default()
    }
}

fn titles(titles: Option<Vec<LangText>>) -> Vec<LangText> {
    texts(&titles.unwrap_or_default(), TITLE_CHARS_MAX)
}

fn texts(texts: &[LangText], max: usize) -> Vec<LangText> {
    let brief = |text: &LangText| LangText {
        lang: cut(&text.lang, LINE_CHARS_MAX),
        text: cut(&text.text, max),
        origin: text.origin,
        translated_from_version: text.translated_from_version,
        source_lang: cut(&text.source_lang, LINE_CHARS_MAX),
        translator_city: cut(&text.translator_city, LINE_CHARS_MAX),
    };
    texts.iter().take(LANGS_MAX).map(brief).collect()
}

fn cut(text: &str, max: usize) -> String {
    text.chars().take(max).collect()
}

impl ClaimRow {
    /// Takes in a version after all those before.
    pub(super) fn take(&mut self, at: Position, version: &VersionRow) {
        if version.entry_kind() == EntryKind::RecordPut {
            if self.content.is_none() {
                self.first_ms = version.claimed_ms;
            }
            self.content = Some(at.into());
        }
        self.newest = Some(at.into());
        self.versions = self.versions.saturating_add(1);
        self.state = version.entry_kind;
    }

    pub(super) fn newest(&self) -> Result<Position, StoreError> {
        position(self.newest)
    }

    pub(super) fn content(&self) -> Result<Position, StoreError> {
        position(self.content)
    }
}

impl RecordRow {
    pub(super) fn claim(&self) -> Result<&ClaimRow, StoreError> {
        self.claim.as_ref().ok_or_else(corrupt)
    }

    /// Whether the record stands: neither retracted nor erased.
    pub(super) fn stands(&self) -> bool {
        self.claim.as_ref().is_some_and(|claim| claim.state() == EntryKind::RecordPut)
    }
}

fn position(position: Option<v1::Position>) -> Result<Position, StoreError> {
    position.and_then(|position| Position::try_from(position).ok()).ok_or_else(corrupt)
}

/// Reads a row.
pub(super) fn decode<T: Message + Default>(row: &[u8]) -> Result<T, StoreError> {
    T::decode(row).map_err(|_| corrupt())
}
