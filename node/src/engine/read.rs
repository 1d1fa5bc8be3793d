//! Reading: everything operators and citizens see, with no way to write.
//!
//! The stores are not trusted: every record shown was read from the store at this moment, its payload matches its
//! header and its signature verifies under the roster, or it is not shown. Every answer says how old each
//! member's data is.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use thiserror::Error;
use wego_catalogue::Decoded;
use wego_ledger::{
    limits::{ENTRIES_PER_MESSAGE_MAX, MESSAGE_BYTES_MAX},
    state::verify_entries,
};
use wego_proto::{
    entry::{Unverified, Verified},
    id::{Origin, Position, RecordId},
    record::v1::{LangText, RecordKind},
    v1::{self, EntryKind},
};

use super::{follow::Progress, view::View};
use crate::{
    clock::now_ms,
    records::{self, RecordRow, Records},
    search::{PageError, QueryError, Search},
    store::{EntryStore, StoreError},
    tls::TlsCounters,
};

mod adoptions;
mod delivery;
mod erased;
mod federation;
mod found;
mod noticed;
mod problems;

pub use delivery::Sought;
pub use noticed::Noticed;

/// Records of a page when the reader does not say.
const PAGE_DEFAULT: usize = 100;

/// Reads of everything held. Cheap to clone.
#[derive(Clone)]
pub struct ReadHandle {
    inner: Arc<Sources>,
}

impl std::fmt::Debug for ReadHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ReadHandle")
    }
}

/// What a read handle reads.
pub struct Sources {
    /// What the engine knows.
    pub view: Arc<ArcSwap<View>>,
    /// All entries.
    pub store: Arc<dyn EntryStore>,
    /// What each record is.
    pub records: Arc<Records>,
    /// The index.
    pub search: Arc<Search>,
    /// How far the records are.
    pub records_progress: Progress,
    /// How far the index is.
    pub search_progress: Progress,
    /// What became of connections at the doors.
    pub doors: Vec<Arc<TlsCounters>>,
    /// What the start noticed in the data folder.
    pub noticed: Vec<Noticed>,
}

impl std::fmt::Debug for Sources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sources")
    }
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The query cannot be read. The reader mends it at the place named.
    #[error("{0}")]
    Query(#[source] QueryProblem),
    /// The page token is of another list.
    #[error("page token does not belong to this list")]
    PageToken,
    /// The content was erased.
    #[error("the record's content was erased")]
    Erased,
    /// No member has this handle.
    #[error("no member has the handle {0:?}")]
    UnknownMember(String),
    /// What the store gave does not verify.
    #[error("the stored entry {origin} {at} does not verify")]
    Corrupt {
        /// Author.
        origin: Origin,
        /// Position.
        at: Position,
    },
    /// The store failed.
    #[error("the store cannot be read")]
    Store(#[from] StoreError),
}

/// What is wrong with a query.
#[derive(Debug, Error)]
pub enum QueryProblem {
    /// The text.
    #[error(transparent)]
    Text(#[from] QueryError),
    /// The page.
    #[error(transparent)]
    Page(#[from] PageError),
    /// A source without its owner.
    #[error("a source is listed with its owner: give the handle as well")]
    SourceWithoutOwner,
}

impl ReadHandle {
    /// Reads from `sources`.
    #[must_use]
    pub fn new(sources: Sources) -> Self {
        Self { inner: Arc::new(sources) }
    }

    /// What the engine knows, as of a moment ago.
    #[must_use]
    pub fn view(&self) -> Arc<View> {
        self.inner.view.load_full()
    }

    /// Waits until what is stored now can be read, at most `patience`: whoever writes and then reads sees it.
    pub async fn catch_up(&self, patience: Duration) {
        let cursor = self.inner.store.cursor();
        self.inner.records_progress.reach(cursor, patience).await;
    }

    /// As [`ReadHandle::catch_up`], for searches. Returns whether it has.
    pub async fn catch_up_search(&self, patience: Duration) -> bool {
        let cursor = self.inner.store.cursor();
        self.inner.search_progress.reach(cursor, patience).await
    }

    /// Entries held that searches do not find.
    #[must_use]
    pub fn search_behind(&self) -> u64 {
        self.inner.store.cursor().0.saturating_sub(self.inner.search_progress.cursor().0)
    }

    /// The newest version of a record.
    ///
    /// # Errors
    /// [`ReadError::Corrupt`] or [`ReadError::Store`].
    pub fn record(&self, id: &RecordId) -> Result<Option<v1::RecordView>, ReadError> {
        let view = self.view();
        let Some(row) = self.current(&view, id)? else { return Ok(None) };
        let newest = self.verified(&view, row.owner, row.at)?;
        let erased_by = erased::erased_by(&view, &row);
        // Ordered is enough: what is about to be dropped is not shown any more.
        let content = if erased_by.is_some() { None } else { self.content(&view, &row)? };
        let (retracted, reason) = match &row.state {
            records::State::Current | records::State::TakenDown => (false, String::new()),
            records::State::Retracted { reason } => (true, reason.clone()),
            records::State::Erased { .. } => (true, "erased by its owner".to_owned()),
        };
        Ok(Some(v1::RecordView {
            record_id: id.as_bytes().to_vec(),
            record: content,
            provenance: Some(self.provenance(&view, &newest)),
            versions: row.versions,
            retracted,
            retract_reason: reason,
            erased: erased_by.is_some() || (!retracted && is_erased(&newest)),
            erased_by,
            adoptions: self.adoptions(&view, id)?,
        }))
    }

    /// All versions of a record, oldest first, each verified.
    ///
    /// # Errors
    /// [`ReadError::Corrupt`] or [`ReadError::Store`].
    pub fn history(&self, id: &RecordId) -> Result<Option<v1::HistoryReply>, ReadError> {
        let view = self.view();
        let mut versions = Vec::new();
        for version in self.inner.records.versions(id)? {
            if !view.counts(version.origin, version.at) {
                continue;
            }
            let entry = self.verified(&view, version.origin, version.at)?;
            if entry.hash() != version.hash {
                // The projection has not seen yet that another history counts.
                continue;
            }
            versions.push(v1::Version {
                kind: version.kind as i32,
                payload_bytes: version.payload_len,
                payload_held: entry.payload().is_some(),
                provenance: Some(self.provenance(&view, &entry)),
            });
        }
        Ok((!versions.is_empty()).then_some(v1::HistoryReply { versions }))
    }

    /// A page of records, newest first.
    ///
    /// # Errors
    /// [`ReadError::UnknownMember`], [`ReadError::PageToken`], [`ReadError::Query`] or [`ReadError::Store`].
    pub fn list(&self, request: &v1::ListRequest) -> Result<v1::ListReply, ReadError> {
        let view = self.view();
        let filter = records::Filter {
            kind: Some(request.kind()).filter(|kind| *kind != RecordKind::Unspecified),
            owner: self.member_named(&view, &request.handle)?,
            source_id: Some(request.source_id.clone()).filter(|source| !source.is_empty()),
            withdrawn: if request.retracted { records::Withdrawn::Shown } else { records::Withdrawn::Hidden },
        };
        let size = if request.page_size == 0 { PAGE_DEFAULT } else { request.page_size as usize };
        let token = Some(request.page_token.as_str()).filter(|token| !token.is_empty());
        let page =
            self.inner.records.list(&filter, size.min(records::LIST_PAGE_MAX), token).map_err(list_error)?;
        let shown = page.records.into_iter().filter(|row| view.counts(row.owner, row.at));
        Ok(v1::ListReply {
            records: shown.map(|row| Self::summary(&view, row)).collect(),
            next_page_token: page.next.unwrap_or_default(),
        })
    }

    /// The proof of a record's newest version.
    ///
    /// # Errors
    /// [`ReadError::Erased`], [`ReadError::Corrupt`] or [`ReadError::Store`].
    pub fn export(&self, id: &RecordId) -> Result<Option<v1::RecordProof>, ReadError> {
        let view = self.view();
        let Some(row) = self.current(&view, id)? else { return Ok(None) };
        let entry = self.verified(&view, row.owner, row.at)?;
        // What was erased, or whose order to erase it is all that is left, proves nothing of what it said.
        if is_erased(&entry) || entry.header().known_kind() == Some(EntryKind::Erase) {
            return Err(ReadError::Erased);
        }
        Ok(Some(v1::RecordProof {
            entry: Some(entry.to_wire()),
            federation_id: view.roster.federation().as_bytes().to_vec(),
            origin_handle: view.handle(row.owner).to_owned(),
            epochs: view.openings(row.owner),
        }))
    }

    /// The record as it stands, or as it stood in the part of its owner's log that counts.
    fn current(&self, view: &View, id: &RecordId) -> Result<Option<RecordRow>, ReadError> {
        let Some(mut row) = self.inner.records.record(id)? else { return Ok(None) };
        if view.counts(row.owner, row.at) {
            return Ok(Some(row));
        }
        let before = self
            .inner
            .records
            .versions(id)?
            .into_iter()
            .filter(|version| version.origin == row.owner && view.counts(version.origin, version.at));
        let Some(last) = before.max_by_key(|version| version.at) else { return Ok(None) };
        (row.at, row.content_at, row.hash) = (last.at, last.at, last.hash);
        Ok(Some(row))
    }

    fn content(&self, view: &View, row: &RecordRow) -> Result<Option<v1::Record>, ReadError> {
        let entry = self.verified(view, row.owner, row.content_at)?;
        if entry.header().known_kind() != Some(EntryKind::RecordPut) {
            return Ok(None);
        }
        let decoded = entry.payload().map(|payload| wego_catalogue::decode(&payload.content));
        Ok(match decoded {
            Some(Decoded::Known(record)) => Some(record),
            Some(Decoded::Unknown | Decoded::Damaged) | None => None,
        })
    }

    /// An entry from the store, believed as it was when it was accepted: by its own signature, or by that of an
    /// entry after it that names it.
    fn verified(&self, view: &View, origin: Origin, at: Position) -> Result<Verified, ReadError> {
        let corrupt = || ReadError::Corrupt { origin, at };
        let entry = self.inner.store.entry(origin, at)?.ok_or_else(corrupt)?;
        let parsed = Unverified::parse(entry.clone()).map_err(|_| corrupt())?;
        let header = parsed.header();
        if (header.origin, header.at) != (origin, at) {
            return Err(corrupt());
        }
        let key = view.roster.log_key(origin, header.key_no, at).ok_or_else(corrupt)?;
        match parsed.verify(&view.roster.federation(), &key) {
            Ok(entry) => Ok(entry),
            Err(_) => self.verified_by_successors(view, entry, at).ok_or_else(corrupt),
        }
    }

    /// Rare: an author that left out a signature. What vouches for the entry stands within one message after it.
    fn verified_by_successors(&self, view: &View, entry: v1::Entry, at: Position) -> Option<Verified> {
        let origin = Unverified::parse(entry.clone()).ok()?.header().origin;
        let until = at.seq + ENTRIES_PER_MESSAGE_MAX as u64 - 1;
        let after = self.inner.store.range(origin, at.epoch, at.seq + 1, until, MESSAGE_BYTES_MAX).ok()?;
        let entries: Vec<_> = std::iter::once(entry).chain(after).collect();
        (2..=entries.len()).find_map(|end| {
            let run = verify_entries(entries[..end].to_vec(), Vec::new(), &view.roster).ok()??;
            run.into_entries().into_iter().next()
        })
    }

    fn provenance(&self, view: &View, entry: &Verified) -> v1::Provenance {
        let header = entry.header();
        let key = view.roster.log_key(header.origin, header.key_no, header.at);
        v1::Provenance {
            origin: header.origin.0,
            handle: view.handle(header.origin).to_owned(),
            city: view.roster.names(header.origin).iter().map(lang_text).collect(),
            at: Some(header.at.into()),
            entry_hash: entry.hash().as_bytes().to_vec(),
            key_no: header.key_no,
            key: key.map(|key| key.as_bytes().to_vec()).unwrap_or_default(),
            signed_at_ms: header.hlc_ms,
            received_at_ms: self.received_ms(header.origin, header.at),
            origin_seen_ms: view.seen_ms(header.origin, now_ms()),
            verified: true,
        }
    }

    fn summary(view: &View, row: RecordRow) -> v1::RecordSummary {
        let erased_by = erased::erased_by(view, &row);
        let retracted = row.state != records::State::Current;
        let retract_reason = match row.state {
            records::State::Retracted { reason } => reason,
            _ => String::new(),
        };
        v1::RecordSummary {
            erased_by,
            retract_reason,
            record_id: row.record_id.as_bytes().to_vec(),
            kind: row.kind as i32,
            title: row.titles,
            handle: view.handle(row.owner).to_owned(),
            at: Some(row.at.into()),
            entry_hash: row.hash.as_bytes().to_vec(),
            signed_at_ms: row.hlc_ms,
            received_at_ms: row.seen_ms,
            retracted,
            source_id: row.source_id,
            source_hash: row.source_hash,
            identifier: row.identifier,
        }
    }

    /// A moment that cannot be read is as good as one that was never noted.
    fn received_ms(&self, origin: Origin, at: Position) -> u64 {
        self.inner.records.seen_ms(origin, at).unwrap_or_default()
    }

    fn member_named(&self, view: &View, handle: &str) -> Result<Option<Origin>, ReadError> {
        if handle.is_empty() {
            return Ok(None);
        }
        let member = view.roster.current().member_by_handle(handle);
        member.map(|member| Some(member.origin)).ok_or_else(|| ReadError::UnknownMember(handle.to_owned()))
    }
}

/// Whether an entry had a payload that is not kept.
fn is_erased(entry: &Verified) -> bool {
    entry.header().payload.is_some() && entry.payload().is_none()
}

fn list_error(error: records::ListError) -> ReadError {
    match error {
        records::ListError::PageToken => ReadError::PageToken,
        records::ListError::SourceWithoutOwner => ReadError::Query(QueryProblem::SourceWithoutOwner),
        records::ListError::Store(error) => ReadError::Store(error),
    }
}

fn lang_text(name: &v1::MemberName) -> LangText {
    LangText { lang: name.lang.clone(), text: name.text.clone(), ..Default::default() }
}
