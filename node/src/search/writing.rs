//! The writing half of the index: one writer, and what it holds that is not committed.
//!
//! After any error it forgets what was not committed, so that the same entries can come again. It must never
//! commit documents without the cursor that they belong to.

use std::collections::BTreeMap;

use tantivy::{
    Index, IndexReader, IndexWriter, TantivyDocument,
    indexer::{IndexWriterOptions, LogMergePolicy, NoMergePolicy},
};
use wego_catalogue::{Decoded, Searchable, decode};
use wego_proto::{
    entry::{Header, Unverified},
    id::{Position, StoreId},
    v1::EntryKind,
};

use super::{
    held::Held,
    mark::{Begun, Epochs, Mark},
    schema::{Fields, Key},
};
use crate::store::Arrived;

/// Documents after which a batch is committed even while more arrive: bounds what a crash costs, and the memory
/// for their positions.
pub(super) const UNCOMMITTED_DOCS_MAX: usize = 10_000;
/// Entries without a document after which the cursor alone is committed: bounds what is read again after a start.
pub(super) const UNCOMMITTED_ENTRIES_MAX: u64 = 10_000;
/// Least memory the writer can work with, in bytes.
const WRITER_BYTES_MIN: usize = 15_000_000;
/// Most memory the writer may be given, in bytes; it gains nothing from more.
const WRITER_BYTES_MAX: usize = 1_000_000_000;
/// Share of withdrawn and replaced versions in a segment after which it is written anew.
const DEAD_SHARE_MAX: f32 = 0.3;

/// Documents below which all segments are alike and merge with one another, so that the trickle of single records
/// is not merged into large segments again and again.
const SMALL_SEGMENT_DOCS: u32 = 1_000;

/// What became of a batch of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Applied {
    /// It is in the index, or will be with the next commit.
    Through,
    /// Nothing: the place to continue from had moved back, and they begin after it.
    TooFar,
    /// An epoch began that makes indexed versions void: only building anew brings back the ones before.
    Void,
}

/// The writer and its state.
pub(super) struct Writing {
    fields: Fields,
    store_id: StoreId,
    memory_bytes: usize,
    index: Index,
    reader: IndexReader,
    writer: Option<IndexWriter>,
    held: Option<Held>,
    fresh: BTreeMap<Key, Position>,
    changes: usize,
    epochs: Epochs,
    committed: u64,
    settled: u64,
    applied: u64,
    moved_back: bool,
    /// Erased documents may still lie in segments, marked as deleted.
    unpurged: bool,
}

impl Writing {
    /// For an opened index whose newest commit is marked with `mark`.
    pub(super) fn new(
        fields: Fields,
        store_id: StoreId,
        memory_bytes: usize,
        index: Index,
        reader: IndexReader,
        mark: Mark,
    ) -> Self {
        Self {
            fields,
            store_id,
            memory_bytes: memory_bytes.clamp(WRITER_BYTES_MIN, WRITER_BYTES_MAX),
            index,
            reader,
            writer: None,
            held: None,
            fresh: BTreeMap::new(),
            changes: 0,
            unpurged: mark.unpurged,
            epochs: mark.epochs,
            committed: mark.cursor,
            settled: mark.cursor,
            applied: mark.cursor,
            moved_back: false,
        }
    }

    /// Up to where entries were taken in.
    pub(super) const fn applied(&self) -> u64 {
        self.applied
    }

    /// Up to where queries see everything.
    pub(super) const fn settled(&self) -> u64 {
        self.settled
    }

    pub(super) const fn epochs(&self) -> &Epochs {
        &self.epochs
    }

    /// Takes entries in, up to `next`. After an error nothing since the last commit was.
    pub(super) fn apply(&mut self, entries: &[Arrived], next: u64) -> tantivy::Result<Applied> {
        let first = next.saturating_sub(entries.len() as u64);
        if self.moved_back && first > self.applied {
            return Ok(Applied::TooFar);
        }
        self.moved_back = false;
        for entry in entries {
            if self.apply_one(entry)? == Applied::Void {
                return Ok(Applied::Void);
            }
        }
        self.applied = next;
        if self.changes >= UNCOMMITTED_DOCS_MAX {
            self.commit()?;
        }
        Ok(Applied::Through)
    }

    /// Makes queries see all that was taken in.
    pub(super) fn settle(&mut self) -> tantivy::Result<()> {
        if self.changes > 0 || self.applied.saturating_sub(self.committed) >= UNCOMMITTED_ENTRIES_MAX {
            return self.commit();
        }
        self.settled = self.applied;
        Ok(())
    }

    /// Forgets what was not committed.
    pub(super) fn roll_back(&mut self) {
        self.writer = None;
        self.held = None;
        self.fresh.clear();
        self.changes = 0;
        self.applied = self.settled;
        self.moved_back = true;
    }

    /// Expects entries from the beginning, for an index that was started anew under whoever feeds it.
    pub(super) fn expect_all(&mut self) {
        self.moved_back = true;
    }

    /// Lets go of the files. Waits for a merge under way.
    pub(super) fn close(mut self) {
        if let Some(Err(error)) = self.writer.take().map(IndexWriter::wait_merging_threads) {
            tracing::debug!(%error, "the search index was not merged to the end");
        }
    }

    fn apply_one(&mut self, entry: &Unverified) -> tantivy::Result<Applied> {
        let header = entry.header();
        match header.known_kind() {
            Some(EntryKind::EpochStart) => self.begin_epoch(header),
            Some(EntryKind::RecordPut) => self.put(header, entry),
            Some(EntryKind::Retract) => self.replace(header, Fields::hidden),
            Some(EntryKind::Erase) => {
                self.unpurged = true;
                self.replace(header, Fields::erased)
            }
            _ => Ok(Applied::Through),
        }
    }

    fn put(&mut self, header: &Header, entry: &Unverified) -> tantivy::Result<Applied> {
        match entry.payload().map(|payload| decode(&payload.content)) {
            None => self.replace(header, Fields::erased),
            Some(Decoded::Known(record)) => match Searchable::of(&record) {
                Some(found) => self.replace(header, |fields, key, at| fields.document(key, at, &found)),
                None => self.replace(header, Fields::hidden),
            },
            // What was there before is not what the owner says now.
            Some(Decoded::Unknown | Decoded::Damaged) => self.replace(header, Fields::hidden),
        }
    }

    fn replace(
        &mut self,
        header: &Header,
        document: impl FnOnce(&Fields, &Key, Position) -> TantivyDocument,
    ) -> tantivy::Result<Applied> {
        let Some(record_id) = header.record_id else { return Ok(Applied::Through) };
        let (key, at) = (Key { record_id, origin: header.origin }, header.at);
        let known = self.position_of(&key)?;
        if self.epochs.is_void(key.origin, at) || known.is_some_and(|known| known >= at) {
            return Ok(Applied::Through);
        }
        let document = document(&self.fields, &key, at);
        self.write(&key, known, document)?;
        self.fresh.insert(key, at);
        self.changes += 1;
        Ok(Applied::Through)
    }

    fn write(&mut self, key: &Key, known: Option<Position>, doc: TantivyDocument) -> tantivy::Result<()> {
        let term = self.fields.key_term(key);
        let writer = self.writer()?;
        if known.is_some() {
            writer.delete_term(term);
        }
        writer.add_document(doc)?;
        Ok(())
    }

    fn begin_epoch(&mut self, header: &Header) -> tantivy::Result<Applied> {
        let Some(start) = header.epoch_start else { return Ok(Applied::Through) };
        match self.epochs.begin(header.origin, header.at.epoch, start.base) {
            Begun::Known => return Ok(Applied::Through),
            // Left out when it came, and now nowhere but in the store.
            Begun::BringsBack => return Ok(Applied::Void),
            Begun::News => {}
        }
        self.changes += 1;
        let held = self.held()?.positions_of(header.origin)?;
        let fresh = self.fresh.iter().filter(|(key, _)| key.origin == header.origin).map(|(_, at)| *at);
        let void = held.into_iter().chain(fresh).any(|at| self.epochs.is_void(header.origin, at));
        Ok(if void { Applied::Void } else { Applied::Through })
    }

    fn position_of(&mut self, key: &Key) -> tantivy::Result<Option<Position>> {
        match self.fresh.get(key) {
            Some(at) => Ok(Some(*at)),
            None => self.held()?.position_of(key),
        }
    }

    fn commit(&mut self) -> tantivy::Result<()> {
        let mut mark = Mark::new(self.store_id, self.applied, self.epochs.clone());
        mark.unpurged = self.unpurged;
        let mut prepared = self.writer()?.prepare_commit()?;
        prepared.set_payload(&mark.write());
        prepared.commit()?;
        self.held = None;
        self.fresh.clear();
        self.changes = 0;
        self.committed = self.applied;
        self.reader.reload()?;
        self.purge()?;
        self.settled = self.applied;
        Ok(())
    }

    /// Writes the segments anew that hold erased documents: a document marked as deleted is still readable on the disk.
    pub(super) fn purge(&mut self) -> tantivy::Result<()> {
        if !self.unpurged {
            return Ok(());
        }
        if let Some(writer) = self.writer.take() {
            // A merge under way would hold on to the segments.
            writer.wait_merging_threads()?;
        }
        let mut writer = open_writer(&self.index, self.memory_bytes)?;
        writer.set_merge_policy(Box::new(NoMergePolicy));
        for segment in self.index.searchable_segment_metas()? {
            if segment.num_deleted_docs() > 0 {
                writer.merge(&[segment.id()]).wait()?;
            }
        }
        self.held = None;
        self.reader.reload()?;
        writer.garbage_collect_files().wait()?;
        writer.wait_merging_threads()?;
        self.unpurged = false;
        Ok(())
    }

    /// Hides the documents of entries that were taken down. Queries see it on return.
    pub(super) fn forget(&mut self, entries: &[Unverified]) -> tantivy::Result<()> {
        for header in entries.iter().map(Unverified::header) {
            let Some(record_id) = header.record_id else { continue };
            let (key, at) = (Key { record_id, origin: header.origin }, header.at);
            let known = self.position_of(&key)?;
            if known != Some(at) {
                continue;
            }
            let document = self.fields.erased(&key, at);
            self.write(&key, known, document)?;
            self.fresh.insert(key, at);
            self.changes += 1;
            self.unpurged = true;
        }
        if self.unpurged { self.commit() } else { Ok(()) }
    }

    fn held(&mut self) -> tantivy::Result<&Held> {
        let held = match self.held.take() {
            Some(held) => held,
            None => {
                self.reader.reload()?;
                Held::of(&self.reader.searcher(), self.fields)?
            }
        };
        Ok(self.held.insert(held))
    }

    fn writer(&mut self) -> tantivy::Result<&mut IndexWriter> {
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => open_writer(&self.index, self.memory_bytes)?,
        };
        Ok(self.writer.insert(writer))
    }
}

/// One thread that indexes and one that merges: replication and readers need the rest of the machine.
pub(super) fn open_writer(index: &Index, memory_bytes: usize) -> tantivy::Result<IndexWriter> {
    let options = IndexWriterOptions::builder()
        .memory_budget_per_thread(memory_bytes)
        .num_worker_threads(1)
        .num_merge_threads(1)
        .build();
    let writer = index.writer_with_options(options)?;
    let mut policy = LogMergePolicy::default();
    policy.set_del_docs_ratio_before_merge(DEAD_SHARE_MAX);
    policy.set_min_layer_size(SMALL_SEGMENT_DOCS);
    writer.set_merge_policy(Box::new(policy));
    Ok(writer)
}
