//! From intended writes to entries: each is judged against the record's newest version, in order, on one thread,
//! so that two editors can never both believe they were first.

use std::{collections::BTreeSet, sync::Arc};

use tokio::sync::oneshot;
use wego_ledger::state::{Draft, Input};
use wego_proto::{
    entry::{HEADER_BYTES_MAX, NONCE_BYTES, Payload, Unverified},
    id::{Hash, Position, RecordId, RequestId},
    v1::{EntryKind, Outcome},
};

use super::{
    Act, Existence, Mode, Write, WriteError, Written,
    ending::{judge_erase, judge_retract, unchanged},
    unprojected::Unprojected,
    worker::{Waiting, Worker},
};
use crate::{
    records::State,
    store::{Projection as _, StoreError},
};

/// Room asked for, in copies of an entry: one for the journal, four that the store promises itself, and as much
/// again for what the projections make of it.
const COPIES: u64 = 10;

/// The newest version of an own record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Newest {
    pub(super) at: Position,
    pub(super) hash: Hash,
    pub(super) record_kind: u32,
    pub(super) standing: Standing,
}

/// What became of a record by its newest version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Current,
    Retracted,
    Erased,
}

/// A judged write: done without an entry, or to be signed.
pub(super) enum Judged {
    Answer(Written),
    Sign(Draft, Outcome),
}

/// What the writer of a draft will be told, and the writer.
struct Pending {
    record_id: RecordId,
    record_kind: u32,
    outcome: Outcome,
    before: Option<Box<dyn FnOnce() + Send>>,
    reply: oneshot::Sender<Result<Written, WriteError>>,
}

/// Drafts to be committed together, each with who waits for it.
#[derive(Default)]
struct Group {
    drafts: Vec<Draft>,
    pending: Vec<Pending>,
}

impl Worker {
    /// Judges and commits writes, all in one group unless one concerns what another of the group changes.
    pub(super) fn write_all(&mut self, writes: Vec<Waiting>) {
        let mut group = Group::default();
        let mut touched: BTreeSet<RecordId> = BTreeSet::new();
        let mut requests: BTreeSet<RequestId> = BTreeSet::new();
        for Waiting { write, before, reply } in writes {
            if touched.contains(&write.record_id) || requests.contains(&write.request_id) {
                self.commit(std::mem::take(&mut group));
                touched.clear();
                requests.clear();
            }
            match self.judge(&write) {
                Ok(Judged::Answer(written)) => answer(reply, Ok(written)),
                Ok(Judged::Sign(draft, outcome)) => {
                    touched.insert(write.record_id);
                    requests.insert(write.request_id);
                    let (record_id, record_kind) = (write.record_id, draft.record_kind);
                    let before = Some(before);
                    group.pending.push(Pending { record_id, record_kind, outcome, before, reply });
                    group.drafts.push(draft);
                }
                Err(error) => answer(reply, Err(error)),
            }
        }
        self.commit(group);
    }

    fn commit(&mut self, Group { drafts, mut pending }: Group) {
        if drafts.is_empty() {
            return;
        }
        if let Err(error) = self.room_for(&drafts) {
            refuse_all(pending, error);
            return;
        }
        pending.iter_mut().filter_map(|one| one.before.take()).for_each(|before| before());
        self.commit = Ok(Vec::new());
        self.feed(Input::Append(drafts));
        match std::mem::replace(&mut self.commit, Ok(Vec::new())) {
            Ok(positions) => self.acknowledge(pending, positions),
            Err(error) => refuse_all(pending, error),
        }
    }

    /// Whether lock and store both have room, asked before either takes anything: what was acknowledged is to be
    /// readable at once.
    pub(super) fn room_for(&self, drafts: &[Draft]) -> Result<(), StoreError> {
        let content = |draft: &Draft| draft.payload.as_ref().map_or(0, |payload| payload.content.len());
        let bytes: usize = drafts.iter().map(|draft| content(draft) + HEADER_BYTES_MAX).sum();
        let bytes = bytes as u64 * COPIES;
        self.space.admit(bytes)?;
        self.space.settle(bytes);
        Ok(())
    }

    fn acknowledge(&mut self, pending: Vec<Pending>, positions: Vec<(Position, Hash)>) {
        let cursor = self.store.cursor();
        let mut positions = positions.into_iter();
        for Pending { record_id, record_kind, outcome, reply, .. } in pending {
            let Some((at, hash)) = positions.next() else {
                // The log has no position left, or may not be written since the write was judged.
                let why = self.state.not_writable().unwrap_or(wego_ledger::state::NotWritable::NotActive);
                answer(reply, Err(WriteError::NotWritable(why)));
                continue;
            };
            let standing = match outcome {
                Outcome::Retracted => Standing::Retracted,
                Outcome::Erased => Standing::Erased,
                _ => Standing::Current,
            };
            self.unprojected.add(record_id, cursor, Newest { at, hash, record_kind, standing });
            answer(reply, Ok(Written { record_id, outcome, entry: Some((at, hash)) }));
        }
        if self.unprojected.is_crowded() {
            self.bell.want(cursor);
        }
    }

    fn judge(&mut self, write: &Write) -> Result<Judged, WriteError> {
        if let Some(at) = self.lock.position_of(&write.request_id) {
            return self.repeat(write, at).map(Judged::Answer);
        }
        if let Some(why) = self.state.not_writable() {
            return Err(WriteError::NotWritable(why));
        }
        if self.store_behind {
            self.catch_store_up();
        }
        if self.store_behind {
            // Until the store has what was locked, nobody could tell which version is the newest.
            return Err(refused(self.full()));
        }
        let newest = self.newest(write)?;
        match &write.act {
            Act::Put { content, expected_base, existence } => {
                self.judge_put(write, newest, content, *expected_base, *existence)
            }
            Act::Retract { content } => judge_retract(write, newest, content),
            Act::Erase { .. } => judge_erase(write, newest),
        }
    }

    /// The same request again: the same answer, from the entry it yielded.
    fn repeat(&mut self, write: &Write, at: Position) -> Result<Written, WriteError> {
        let entry = self.own_entry(at)?;
        let header = entry.header();
        let outcome = match (header.known_kind(), header.base) {
            (Some(EntryKind::Retract), _) => Outcome::Retracted,
            (Some(EntryKind::Erase), _) => Outcome::Erased,
            (_, None) => Outcome::Created,
            (_, Some(_)) => Outcome::Revised,
        };
        let record_id = header.record_id.unwrap_or(write.record_id);
        Ok(Written { record_id, outcome, entry: Some((at, entry.hash())) })
    }

    /// The newest version of the record, of this member's log.
    fn newest(&mut self, write: &Write) -> Result<Option<Newest>, WriteError> {
        let projected = self.records.cursor().map_err(refused)?;
        if projected < self.projected {
            // It is built anew, so that what it knew is known from the log again.
            let me = self.state_origin();
            self.unprojected = Unprojected::read(self.store.as_ref(), me, projected).map_err(refused)?;
        }
        self.projected = projected;
        self.unprojected.forget(projected);
        if let Some(newest) = self.unprojected.newest(&write.record_id) {
            return same_kind(write, Some(newest));
        }
        let Some(row) = self.records.record(&write.record_id).map_err(refused)? else {
            return Ok(None);
        };
        if row.owner != self.state_origin() {
            return Err(WriteError::NotOwner { record: write.record_id, owner: row.owner });
        }
        let newest = Newest {
            at: row.at,
            hash: row.hash,
            record_kind: row.kind as u32,
            standing: match row.state {
                State::Current | State::TakenDown => Standing::Current,
                State::Retracted { .. } => Standing::Retracted,
                State::Erased { .. } => Standing::Erased,
            },
        };
        same_kind(write, Some(newest))
    }

    fn judge_put(
        &mut self,
        write: &Write,
        newest: Option<Newest>,
        content: &[u8],
        expected_base: Option<Hash>,
        existence: Existence,
    ) -> Result<Judged, WriteError> {
        let outcome = if newest.is_some() { Outcome::Revised } else { Outcome::Created };
        match (newest, expected_base) {
            (None, _) if existence == Existence::Required => {
                return Err(WriteError::NotFound(write.record_id));
            }
            (Some(newest), Some(expected)) if newest.hash != expected => {
                return Err(WriteError::Stale { expected, newest: newest.hash });
            }
            _ => {}
        }
        if let Some(newest) = newest.filter(|newest| newest.standing == Standing::Current)
            && self.content_at(newest.at)?.as_deref() == Some(content)
        {
            return Ok(unchanged(write, newest));
        }
        sign_or_judge(write, EntryKind::RecordPut, newest, Some(content), outcome)
    }

    fn full(&self) -> StoreError {
        let space = self.space.check().ok();
        StoreError::Full {
            free_bytes: space.map_or(0, |space| space.free_bytes),
            reserve_bytes: space.map_or(0, |space| space.reserve_bytes),
        }
    }

    fn content_at(&mut self, at: Position) -> Result<Option<Vec<u8>>, WriteError> {
        Ok(self.own_entry(at)?.payload().map(|payload| payload.content.clone()))
    }

    /// An own entry, from the store or, when it is not there yet, from the lock.
    fn own_entry(&mut self, at: Position) -> Result<Unverified, WriteError> {
        let stored = self.store.entry(self.state_origin(), at).map_err(refused)?;
        let entry = match stored {
            Some(entry) => Some(entry),
            None => {
                let before = (at.seq > 1).then(|| Position { epoch: at.epoch, seq: at.seq - 1 });
                self.lock.since(before, 1).map_err(refused)?.pop()
            }
        };
        let corrupt = || refused(StoreError::Corrupt { what: "own entry" });
        Unverified::parse(entry.ok_or_else(corrupt)?).map_err(|_| corrupt())
    }
}

fn same_kind(write: &Write, newest: Option<Newest>) -> Result<Option<Newest>, WriteError> {
    // A withdrawal concerns whatever the record is.
    let concerns_kind = matches!(write.act, Act::Put { .. });
    if concerns_kind && newest.is_some_and(|newest| newest.record_kind != write.record_kind) {
        return Err(WriteError::OtherKind(write.record_id));
    }
    Ok(newest)
}

pub(super) fn sign_or_judge(
    write: &Write,
    kind: EntryKind,
    newest: Option<Newest>,
    content: Option<&[u8]>,
    outcome: Outcome,
) -> Result<Judged, WriteError> {
    if write.mode == Mode::DryRun {
        return Ok(Judged::Answer(Written { record_id: write.record_id, outcome, entry: None }));
    }
    let payload = |content: &[u8]| Ok(Payload { nonce: nonce()?, content: content.to_vec() });
    let erase = match write.act {
        Act::Erase { reason } => Some(reason),
        Act::Put { .. } | Act::Retract { .. } => None,
    };
    let draft = Draft {
        kind: kind as i32,
        record_id: Some(write.record_id),
        base: newest.map(|newest| newest.hash),
        record_kind: write.record_kind,
        request_id: write.request_id,
        payload: content.map(payload).transpose()?,
        erase,
        endpoint_change: None,
        presentation: None,
    };
    Ok(Judged::Sign(draft, outcome))
}

fn nonce() -> Result<[u8; NONCE_BYTES], WriteError> {
    let mut nonce = [0; NONCE_BYTES];
    getrandom::fill(&mut nonce).map_err(|error| {
        let source = std::io::Error::other(error);
        refused(StoreError::Io { what: "drawing a nonce", source })
    })?;
    Ok(nonce)
}

fn answer(reply: oneshot::Sender<Result<Written, WriteError>>, result: Result<Written, WriteError>) {
    // A client that has gone away finds the entry by its request id.
    let _ = reply.send(result);
}

fn refuse_all(pending: Vec<Pending>, error: StoreError) {
    let error = Arc::new(error);
    for Pending { reply, .. } in pending {
        answer(reply, Err(WriteError::Store(error.clone())));
    }
}

fn refused(error: StoreError) -> WriteError {
    WriteError::Store(Arc::new(error))
}
