//! Writing a batch in steps that sled survives.
//!
//! The problem: a large batch is more than sled survives at once (`unflushed.rs`). The rule: it is written in steps.
//! Each step must leave entries, heads, arrivals and cursor consistent, for a crash may come after it.

use prost::Message as _;
use wego_proto::id::Origin;

use crate::store::{
    Heads,
    sled::{erased::Fresh, rows, unflushed::STEP_BYTES},
};

/// Consecutive entries of one origin and epoch, in order of arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) origin: Origin,
    pub(super) epoch: u32,
    pub(super) first_seq: u64,
    pub(super) entries: u64,
    /// When they were first seen, ms since 1970; `None` in a store of an earlier version.
    pub(super) seen_ms: Option<u64>,
}

/// What one step writes.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    batch: ::sled::Batch,
    heads: Heads,
    run: Option<(u64, Run)>,
    cursor: u64,
    now_ms: u64,
    /// Encoded bytes, rows included.
    pub(super) bytes: u64,
}

/// Cuts new entries into steps; the first one arrives at cursor `start`, all of them at `now_ms`.
pub(super) fn chunks(fresh: &[Fresh<'_>], start: u64, now_ms: u64) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let mut chunk = Chunk { cursor: start, now_ms, ..Chunk::default() };
    for entry in fresh {
        let encoded = entry.to_store().encode_to_vec();
        let bytes = encoded.len() as u64 + rows::ROW_BYTES_MAX;
        if chunk.bytes > 0 && chunk.bytes + bytes > STEP_BYTES {
            let next = Chunk { cursor: chunk.cursor, now_ms, ..Chunk::default() };
            chunks.push(std::mem::replace(&mut chunk, next));
        }
        chunk.add(entry, encoded);
        chunk.bytes += bytes;
    }
    chunks.push(chunk);
    chunks
}

impl Chunk {
    fn add(&mut self, fresh: &Fresh<'_>, encoded: Vec<u8>) {
        let entry = fresh.entry;
        let (origin, at) = (entry.header().origin, entry.header().at);
        if let Some((record, until)) = fresh.orders {
            self.batch.insert(&rows::order_key(origin, &record), rows::order_row(until));
        }
        if let Some(record) = entry.header().record_id.filter(|_| fresh.has_payload()) {
            self.batch.insert(rows::version_key(origin, &record, at).as_slice(), &[]);
        }
        self.batch.insert(&rows::entry_key(origin, at.epoch, at.seq), encoded);
        self.heads.insert((origin, at.epoch), (at.seq, entry.hash()));
        if entry.header().endpoint_change.is_some() {
            self.batch.insert(&rows::notice_key(rows::NOTICE, origin, at.epoch, at.seq), &[]);
        }
        if entry.header().presentation.is_some() {
            self.batch.insert(&rows::notice_key(rows::PRESENTATION, origin, at.epoch, at.seq), &[]);
        }
        let follows =
            |run: &Run| (run.origin, run.epoch, run.first_seq + run.entries) == (origin, at.epoch, at.seq);
        match &mut self.run {
            Some((_, run)) if follows(run) => run.entries += 1,
            _ => {
                self.end_run();
                let seen_ms = Some(self.now_ms);
                let run = Run { origin, epoch: at.epoch, first_seq: at.seq, entries: 1, seen_ms };
                self.run = Some((self.cursor, run));
            }
        }
        self.cursor += 1;
    }

    fn end_run(&mut self) {
        if let Some((cursor, run)) = self.run.take() {
            self.batch.insert(&rows::run_key(cursor), rows::run_row(&run));
        }
    }

    /// All rows of the step, to be applied at once.
    pub(super) fn into_batch(mut self) -> ::sled::Batch {
        self.end_run();
        for ((origin, epoch), (seq, hash)) in self.heads {
            self.batch.insert(&rows::log_key(rows::HEAD, origin, epoch), rows::head_row(seq, &hash));
        }
        self.batch.insert(rows::CURSOR_KEY, &self.cursor.to_be_bytes());
        self.batch
    }
}
