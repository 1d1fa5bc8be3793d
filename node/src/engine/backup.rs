//! Writing a backup while the node runs.
//!
//! The problem: a backup must be of one moment, and the engine must not stand still for it. The rule: the engine is
//! asked once for the heads of that moment, which costs it nothing, and logs only grow, so every entry up to these
//! heads can be read afterwards. Own entries come from the lock, a few at a time, because the store may lack some;
//! all others from the store. Everything is checked on its way: a backup must never hold what a reader would refuse.

use std::{collections::VecDeque, sync::Arc};

use prost::Message as _;
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};
use wego_ledger::roster::History;
use wego_proto::{
    backup::{FORMAT, WriteError, Writer},
    id::{Origin, Position, StoreId},
    key::SecretKey,
    v1,
};

use super::{Engine, worker::Worker};
use crate::store::{EntryStore, Heads, LockedHead, StoreError};

/// Own entries asked for at once: they come to 16 MiB at most, and the engine serves others in between.
const OWN_TOGETHER: usize = 64;
/// Bytes of other members' entries read at once.
const OTHERS_BYTES: usize = 512 * 1_024;
/// Largest piece in bytes.
pub const PIECE_BYTES: usize = 64 * 1_024;

/// What was so at one moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// This node's member.
    pub me: Origin,
    /// This incarnation of the store.
    pub store_id: StoreId,
    /// The roster versions.
    pub roster: Arc<History>,
    /// The newest entry of each origin and epoch; of the own log as it is locked.
    pub heads: Heads,
    /// Proved forks.
    pub forks: Vec<v1::ForkProof>,
}

/// What is asked of the engine for a backup.
#[derive(Debug)]
pub(super) enum Question {
    /// What is so now.
    Snapshot(oneshot::Sender<Result<Snapshot, StoreError>>),
    /// At most so many own entries after a position.
    OwnLog(Position, usize, oneshot::Sender<Result<Vec<v1::Entry>, StoreError>>),
}

/// Questions that may wait: one backup is written at a time, and asks one question at a time.
pub(super) const QUESTIONS_MAX: usize = 4;

/// Why a backup was not finished. Nothing in the node was changed.
#[derive(Debug, Error)]
pub enum BackupError {
    /// The node stops. Ask again when it runs.
    #[error("the node is stopping")]
    Stopping,
    /// The store or the journal cannot be read.
    #[error("what is stored cannot be read")]
    Store(#[from] StoreError),
    /// An entry below a head is not there: the store is behind the journal, or a log was cut meanwhile. Try again.
    #[error("entry {origin} {at} is not in the store")]
    Missing {
        /// Author.
        origin: Origin,
        /// Position.
        at: Position,
    },
    /// What was read does not hold, and is not what this node once checked. Rebuild the store.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl Worker {
    /// Answers; who asked and went away does not want it.
    pub(super) fn answer(&mut self, question: Question) {
        match question {
            Question::Snapshot(reply) => drop(reply.send(self.snapshot())),
            Question::OwnLog(after, max, reply) => drop(reply.send(self.lock.since(Some(after), max))),
        }
    }

    fn snapshot(&mut self) -> Result<Snapshot, StoreError> {
        let me = self.state_origin();
        let mut heads = self.store.heads()?;
        if let Some(LockedHead { at, hash }) = self.lock.load()? {
            heads.insert((me, at.epoch), (at.seq, hash));
        }
        Ok(Snapshot {
            me,
            store_id: self.store.store_id(),
            roster: Arc::new(self.state.roster().clone()),
            heads,
            forks: self.store.forks()?.into_values().collect(),
        })
    }
}

/// Asks the engine and waits for the answer; never from an async thread.
fn ask<T>(
    questions: &mpsc::Sender<Question>,
    question: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Question,
) -> Result<T, BackupError> {
    let (reply, answer) = oneshot::channel();
    questions.blocking_send(question(reply)).map_err(|_| BackupError::Stopping)?;
    Ok(answer.blocking_recv().map_err(|_| BackupError::Stopping)??)
}

/// A backup being written, piece by piece, by whoever wants the next one.
#[derive(Debug)]
pub struct BackupPieces {
    log: LogReader,
    writer: Writer<Vec<u8>>,
    /// What is still to be put before and after the entries.
    rosters: VecDeque<v1::SignedRoster>,
    forks: VecDeque<v1::ForkProof>,
    files: VecDeque<v1::BackupFile>,
    finished: bool,
    entries_total: u64,
}

impl BackupPieces {
    /// Begins a backup of this moment, to be signed with the log key. Blocks.
    ///
    /// # Errors
    /// [`BackupError`].
    pub fn begin(
        engine: &Engine,
        store: Arc<dyn EntryStore>,
        key: SecretKey,
        files: Vec<v1::BackupFile>,
        now_ms: u64,
    ) -> Result<Self, BackupError> {
        let questions = engine.questions.clone();
        let snapshot = ask(&questions, Question::Snapshot)?;
        let manifest = manifest(&snapshot, &key, now_ms);
        let Snapshot { me, heads, roster, forks, .. } = snapshot;
        Ok(Self {
            entries_total: manifest.entries,
            writer: Writer::begin(Vec::new(), &manifest, key)?,
            log: LogReader::new(questions, store, me, heads),
            rosters: roster.since(0, usize::MAX).into(),
            forks: forks.into(),
            files: files.into(),
            finished: false,
        })
    }

    /// The next bytes of the file; `None` after the last. Blocks.
    ///
    /// # Errors
    /// [`BackupError`]; what came before is no backup.
    pub fn next_piece(&mut self) -> Result<Option<v1::BackupPiece>, BackupError> {
        while self.writer.out_mut().len() < PIECE_BYTES && !self.finished {
            self.step()?;
        }
        let waiting = self.writer.out_mut();
        let rest = waiting.split_off(waiting.len().min(PIECE_BYTES));
        let data = std::mem::replace(waiting, rest);
        let (entries_done, entries_total) = (self.log.given, self.entries_total);
        Ok((!data.is_empty()).then_some(v1::BackupPiece { data, entries_done, entries_total }))
    }

    /// Puts the next frame.
    fn step(&mut self) -> Result<(), BackupError> {
        if let Some(version) = self.rosters.pop_front() {
            return Ok(self.writer.roster(&version)?);
        }
        if let Some(proof) = self.forks.pop_front() {
            return Ok(self.writer.fork(&proof)?);
        }
        if let Some(entry) = self.log.next_entry()? {
            return Ok(self.writer.entry(&entry)?);
        }
        if let Some(file) = self.files.pop_front() {
            return Ok(self.writer.file(&file)?);
        }
        self.finished = true;
        Ok(self.writer.finish()?)
    }
}

fn manifest(snapshot: &Snapshot, key: &SecretKey, now_ms: u64) -> v1::BackupManifest {
    let roster = snapshot.roster.current();
    let head = |(&(origin, epoch), &(seq, hash)): (&(Origin, u32), &(u64, wego_proto::id::Hash))| v1::Head {
        origin: origin.0,
        epoch,
        seq,
        hash: hash.as_bytes().to_vec(),
    };
    v1::BackupManifest {
        format: FORMAT,
        federation_id: roster.federation().as_bytes().to_vec(),
        federation_name: roster.content().federation_name.clone(),
        origin: snapshot.me.0,
        handle: snapshot.roster.member(snapshot.me).map(|member| member.handle.clone()).unwrap_or_default(),
        log_key: key.public().as_bytes().to_vec(),
        taken_at_ms: now_ms,
        software: format!("wego-node/{}", env!("CARGO_PKG_VERSION")),
        roster_version: roster.version(),
        store_id: snapshot.store_id.as_bytes().to_vec(),
        heads: snapshot.heads.iter().map(head).collect(),
        entries: snapshot.heads.values().map(|(seq, _)| seq).sum(),
        forks: u32::try_from(snapshot.forks.len()).unwrap_or(u32::MAX),
        secrets: false,
    }
}

/// Reads every log up to its head of the moment, own entries from the lock.
struct LogReader {
    questions: mpsc::Sender<Question>,
    store: Arc<dyn EntryStore>,
    me: Origin,
    /// Logs not read to their end: origin, epoch, last seq.
    left: VecDeque<(Origin, u32, u64)>,
    /// The next seq of the first of them.
    next: u64,
    read: VecDeque<v1::Entry>,
    given: u64,
}

impl LogReader {
    fn new(questions: mpsc::Sender<Question>, store: Arc<dyn EntryStore>, me: Origin, heads: Heads) -> Self {
        let left = heads.into_iter().map(|((origin, epoch), (seq, _))| (origin, epoch, seq)).collect();
        Self { questions, store, me, left, next: 1, read: VecDeque::new(), given: 0 }
    }

    fn next_entry(&mut self) -> Result<Option<v1::Entry>, BackupError> {
        if self.read.is_empty() {
            self.read_on()?;
        }
        let entry = self.read.pop_front();
        self.given += u64::from(entry.is_some());
        Ok(entry)
    }

    fn read_on(&mut self) -> Result<(), BackupError> {
        let Some(&(origin, epoch, last)) = self.left.front() else { return Ok(()) };
        let mut entries = if origin == self.me { self.own(epoch, last)? } else { Vec::new() };
        if entries.is_empty() {
            entries = self.store.range(origin, epoch, self.next, last, OTHERS_BYTES)?;
        }
        if entries.is_empty() {
            return Err(BackupError::Missing { origin, at: Position { epoch, seq: self.next } });
        }
        self.next += entries.len() as u64;
        self.read = entries.into();
        if self.next > last {
            self.left.pop_front();
            self.next = 1;
        }
        Ok(())
    }

    /// What the lock has from the next seq on, of this epoch; it need not have an epoch that was recovered.
    fn own(&self, epoch: u32, last: u64) -> Result<Vec<v1::Entry>, BackupError> {
        let after = Position { epoch, seq: self.next - 1 };
        let mut entries = ask(&self.questions, |reply| Question::OwnLog(after, OWN_TOGETHER, reply))?;
        let due =
            (self.next..=last).zip(&entries).take_while(|(seq, entry)| at(entry) == Some((epoch, *seq)));
        let due = due.count();
        entries.truncate(due);
        Ok(entries)
    }
}

fn at(entry: &v1::Entry) -> Option<(u32, u64)> {
    let header = v1::EntryHeader::decode(entry.header.as_slice()).ok()?;
    Some((header.epoch, header.seq))
}

impl std::fmt::Debug for LogReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogReader").field("left", &self.left.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
