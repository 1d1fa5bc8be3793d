//! Carries out erasures: drops the payloads that stored entries and the roster order to erase.
//!
//! The problem: an order that was stored and not carried out is a broken promise, and a crash can come in between. The
//! rule: orders are followed along the store's cursor, and the place is remembered only after journal and store have
//! dropped what was ordered. A node finishes what a crash left before it serves anybody; a store that is built anew,
//! from a backup or from peers, begins at nothing and so erases again. It must never pass over an order: what cannot be
//! carried out is tried again.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use arc_swap::ArcSwap;
use prost::Message as _;
use wego_proto::{
    entry::Unverified,
    id::{Origin, Position, RecordId},
    v1::{self, EntryKind},
};

use super::{
    bell::{Bell, Heard},
    follow::Progress,
    view::View,
};
use crate::store::{
    Arrival, Cursor, EntryStore, HeadLock as _, Projection, SharedLock, StoreError,
    erasure::{Place, Records},
};

/// Entries looked through at once.
const BATCH: usize = 512;
/// Entries of the journal read at once: writers wait meanwhile, and each may have its whole payload.
const LOCK_BATCH: usize = 64;
/// Entries looked through after which the place is written down: it costs a write, and a start looks through so many
/// again.
const MARK_EVERY: u64 = 8_192;
/// How long a takedown may wait to be noticed, and a failed step to be tried again.
const PATIENCE: Duration = Duration::from_secs(1);
/// A projection that reaches nothing for so long is asked again.
const PROJECTION_PATIENCE: Duration = Duration::from_secs(5);
/// While entries arrive in a rush, a batch is looked through so often.
const RUSH_REST: Duration = Duration::from_secs(5);

/// What erasing needs.
pub(super) struct Eraser {
    pub(super) me: Origin,
    pub(super) store: Arc<dyn EntryStore>,
    pub(super) lock: SharedLock,
    pub(super) projections: Vec<(Arc<dyn Projection>, Progress)>,
    pub(super) done: Arc<Done>,
}

/// How far erasures are carried out.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// Up to where those that entries order, a store's cursor.
    through: AtomicU64,
    /// The newest roster version whose takedowns are.
    roster_version: AtomicU64,
}

impl Done {
    pub(super) fn through(&self) -> Cursor {
        Cursor(self.through.load(Ordering::Acquire))
    }

    pub(super) fn roster_version(&self) -> u64 {
        self.roster_version.load(Ordering::Acquire)
    }
}

/// The eraser's thread; to be joined after the bell said stop.
#[derive(Debug)]
pub(super) struct ErasingThread(thread::JoinHandle<()>);

impl ErasingThread {
    pub(super) fn join(self) {
        if self.0.join().is_err() {
            tracing::error!("the eraser's thread ended by a panic");
        }
    }
}

impl Eraser {
    /// Carries out everything ordered so far, before the node serves. What a damaged store or a full disk keeps from it
    /// must not keep the node from answering: it is tried again, and no receipt claims it.
    pub(super) fn begin(&mut self, takedowns: &[v1::Takedown]) -> Result<(), StoreError> {
        match self.catch_up(takedowns) {
            Err(error) if error.is_corrupt() || matches!(error, StoreError::Full { .. }) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "erasures could not be finished before the start");
                Ok(())
            }
            other => other,
        }
    }

    fn catch_up(&mut self, takedowns: &[v1::Takedown]) -> Result<(), StoreError> {
        let targets = targets_of(takedowns);
        self.drop_places(&targets)?;
        self.forget(&targets)?;
        let marked = self.store.erased_through()?;
        self.done.through.store(marked.0, Ordering::Release);
        while self.step()? {}
        let through = self.done.through();
        if through > marked { self.store.set_erased_through(through) } else { Ok(()) }
    }

    pub(super) fn start(
        self,
        bell: Arc<Bell>,
        view: Arc<ArcSwap<View>>,
    ) -> Result<ErasingThread, StoreError> {
        let thread = thread::Builder::new().name("eraser".to_owned()).spawn(move || self.run(&bell, &view));
        thread
            .map(ErasingThread)
            .map_err(|source| StoreError::Io { what: "starting the eraser's thread", source })
    }

    fn run(mut self, bell: &Bell, view: &ArcSwap<View>) {
        let mut failing = false;
        loop {
            let at = self.done.through();
            let after = if failing { Cursor(u64::MAX) } else { at };
            let heard = bell.wait(after, PATIENCE);
            if heard == Heard::Stop {
                break;
            }
            if bell.lets_rest(at) {
                bell.rest(at, RUSH_REST);
            }
            let roster = view.load().roster.clone();
            let current = roster.current();
            let taken_down = self.take_down(current.version(), &current.content().takedowns);
            let done = taken_down.and_then(|()| self.step());
            if let Err(error) = &done
                && !failing
            {
                tracing::error!(
                    error = error as &dyn std::error::Error,
                    "an erasure waits; it is tried again until it is carried out"
                );
            }
            failing = done.is_err();
        }
        if let Err(error) = self.store.set_erased_through(self.done.through()) {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "the next start looks through more entries"
            );
        }
    }

    /// Carries out the orders of the next entries. Returns whether there were any entries.
    fn step(&mut self) -> Result<bool, StoreError> {
        let at = self.done.through();
        let (entries, next) = self.store.tail(at, BATCH)?;
        if entries.is_empty() {
            return Ok(false);
        }
        for (origin, records) in orders_in(&entries)? {
            self.carry_out(origin, &records)?;
            tracing::info!(origin = origin.0, records = records.len(), "erased");
        }
        if next.0 / MARK_EVERY > at.0 / MARK_EVERY {
            self.store.set_erased_through(next)?;
        }
        self.done.through.store(next.0, Ordering::Release);
        Ok(true)
    }

    /// Drops the payloads of a member's entries about these records, each up to its place.
    fn carry_out(&mut self, origin: Origin, records: &Records) -> Result<(), StoreError> {
        if origin == self.me {
            self.drop_from_lock(records)?;
        }
        self.store.erase_records(origin, records)
    }

    /// The journal is asked itself: it may hold what the store got without its payload.
    fn drop_from_lock(&mut self, records: &Records) -> Result<(), StoreError> {
        let mut targets = Vec::new();
        let mut after = None;
        loop {
            let entries = self.lock.since(after, LOCK_BATCH)?;
            for entry in &entries {
                let header = header(entry)?;
                let at = Position { epoch: header.epoch, seq: header.seq };
                after = Some(at);
                if entry.payload.is_some() && is_ordered(&header, at, records)? {
                    targets.push(at);
                }
            }
            if entries.is_empty() {
                break;
            }
        }
        self.lock.erase(&targets)
    }

    /// Drops what stands at these places, in journal and store, and what may come to stand there.
    fn drop_places(&mut self, targets: &[Place]) -> Result<(), StoreError> {
        if targets.is_empty() {
            return Ok(());
        }
        let own: Vec<_> =
            targets.iter().filter(|(origin, _)| *origin == self.me).map(|(_, at)| *at).collect();
        if !own.is_empty() {
            self.lock.erase(&own)?;
        }
        self.store.erase(targets)
    }

    /// Carries out the takedowns of a roster version that is new.
    fn take_down(&mut self, version: u64, takedowns: &[v1::Takedown]) -> Result<(), StoreError> {
        if self.done.roster_version() >= version {
            return Ok(());
        }
        let targets = targets_of(takedowns);
        self.drop_places(&targets)?;
        if !targets.is_empty() {
            // What a projection read before is not in it until it has reached this place.
            let cursor = self.store.cursor();
            let waits = |(_, progress): &(Arc<dyn Projection>, Progress)| {
                progress.reach_blocking(cursor, PROJECTION_PATIENCE)
            };
            if !self.projections.iter().all(waits) {
                return Err(StoreError::Conflict);
            }
            self.forget(&targets)?;
        }
        self.done.roster_version.store(version, Ordering::Release);
        Ok(())
    }

    fn forget(&self, targets: &[Place]) -> Result<(), StoreError> {
        if targets.is_empty() {
            return Ok(());
        }
        let mut entries = Vec::new();
        for (origin, at) in targets {
            // One that is not held comes without its payload.
            let held = self.store.entry(*origin, *at)?.map(Unverified::parse);
            entries.extend(held.transpose().map_err(|_| StoreError::Corrupt { what: "entry" })?);
        }
        self.projections.iter().try_for_each(|(projection, _)| projection.forget(&entries))
    }
}

fn targets_of(takedowns: &[v1::Takedown]) -> Vec<Place> {
    let target = |takedown: &v1::Takedown| {
        let at = takedown.at.and_then(|at| Position::try_from(at).ok())?;
        Some((Origin(takedown.origin), at))
    };
    let targets: BTreeSet<_> = takedowns.iter().filter_map(target).collect();
    targets.into_iter().collect()
}

/// The orders that stored entries give, by author. A header that cannot be read may be one, and is never passed over.
fn orders_in(entries: &[Arrival]) -> Result<BTreeMap<Origin, Records>, StoreError> {
    let mut orders: BTreeMap<Origin, Records> = BTreeMap::new();
    for arrival in entries {
        let header = header(&arrival.entry)?;
        if header.kind() != EntryKind::Erase || header.record_id.is_empty() {
            continue;
        }
        let record = record_id(&header)?;
        let at = Position { epoch: header.epoch, seq: header.seq };
        let last = orders.entry(Origin(header.origin)).or_default().entry(record).or_insert(at);
        *last = at.max(*last);
    }
    Ok(orders)
}

fn is_ordered(header: &v1::EntryHeader, at: Position, records: &Records) -> Result<bool, StoreError> {
    if header.record_id.is_empty() || header.payload_hash.is_empty() {
        return Ok(false);
    }
    Ok(records.get(&record_id(header)?).is_some_and(|until| at < *until))
}

fn header(entry: &v1::Entry) -> Result<v1::EntryHeader, StoreError> {
    v1::EntryHeader::decode(entry.header.as_slice()).map_err(|_| StoreError::Corrupt { what: "entry" })
}

fn record_id(header: &v1::EntryHeader) -> Result<RecordId, StoreError> {
    RecordId::try_from(header.record_id.as_slice()).map_err(|_| StoreError::Corrupt { what: "entry" })
}

#[cfg(test)]
mod tests;
