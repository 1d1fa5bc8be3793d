//! The reference implementations: in memory, with writes that a crash can lose and steps that can be made to fail.
//!
//! They are what the simulation runs on and what the durable implementations are compared with. They must lose
//! exactly what a power cut may lose: the last puts that were not synced, and nothing that was acknowledged as
//! durable.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use wego_proto::{
    entry::{Header, Verified},
    id::{Hash, Origin, Position, RecordId, StoreId},
    v1,
};

use crate::store::{Arrival, Cursor, EntryStore, Heads, StoreError, chain, erasure};

mod faults;
mod lock;
#[cfg(test)]
mod tests;

pub use faults::{Faults, Moment, Step};
pub use lock::MemoryLock;

/// An entry store in memory. A clone is another handle on the same store.
#[derive(Debug, Clone)]
pub struct MemoryStore {
    store_id: StoreId,
    state: Arc<Mutex<State>>,
    faults: Faults,
}

#[derive(Debug, Clone, Default)]
struct State {
    entries: BTreeMap<(Origin, u32, u64), Verified>,
    /// With the moment at which each was first seen.
    arrivals: Vec<(Origin, Position, u64)>,
    heads: Heads,
    forks: BTreeMap<(Origin, u32), v1::ForkProof>,
    orders: erasure::Orders,
    /// Positions whose payload is not taken, whether or not something is held there.
    refused: BTreeSet<(Origin, Position)>,
    erased_through: Cursor,
    receipts: BTreeMap<Origin, v1::SignedReceipt>,
    set_aside: Vec<Verified>,
    /// How many arrivals a power cut leaves.
    durable: usize,
    /// Where each put since the last sync ended.
    unsynced_puts: Vec<usize>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new(store_id: StoreId) -> Self {
        Self { store_id, state: Arc::default(), faults: Faults::default() }
    }

    /// What makes its steps fail.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Puts since the last sync.
    #[must_use]
    pub fn unsynced_puts(&self) -> usize {
        self.state().unsynced_puts.len()
    }

    /// The store as it is found after a power cut that `surviving_puts` of the puts since the last sync have
    /// survived. This handle and its clones keep what they see.
    #[must_use]
    pub fn crash(&self, surviving_puts: usize) -> Self {
        let mut state = self.state().clone();
        let surviving = surviving_puts.min(state.unsynced_puts.len());
        let end = surviving.checked_sub(1).map_or(state.durable, |last| state.unsynced_puts[last]);
        for (origin, at, _) in state.arrivals.drain(end..) {
            state.entries.remove(&(origin, at.epoch, at.seq));
        }
        state.heads = Heads::new();
        for (&(origin, epoch, seq), entry) in &state.entries {
            state.heads.insert((origin, epoch), (seq, entry.hash()));
        }
        state.orders = erasure::orders_of(state.entries.values());
        state.mark_durable();
        Self { store_id: self.store_id, state: Arc::new(Mutex::new(state)), faults: Faults::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn add(&mut self, batch: &[Verified], now_ms: u64) -> Result<(), StoreError> {
        let held = |origin: Origin, at: Position| {
            let entry = self.entries.get(&(origin, at.epoch, at.seq));
            entry.map(Verified::hash).ok_or(StoreError::Corrupt { what: "entry" })
        };
        let found = chain::additions(batch, &self.heads, held)?;
        if found.fresh.is_empty() {
            return Ok(());
        }
        self.heads.extend(found.heads);
        for ((origin, record), at) in erasure::orders_of(found.fresh.iter().copied()) {
            erasure::remember(&mut self.orders, origin, record, at);
        }
        for entry in found.fresh {
            let (origin, at) = (entry.header().origin, entry.header().at);
            let erased =
                erasure::covers(&self.orders, entry.header()) || self.refused.contains(&(origin, at));
            let entry = if erased { entry.clone().without_payload() } else { entry.clone() };
            self.entries.insert((origin, at.epoch, at.seq), entry);
            self.arrivals.push((origin, at, now_ms));
        }
        self.unsynced_puts.push(self.arrivals.len());
        Ok(())
    }

    /// Drops the payloads of what stands in the log and of what was set aside.
    fn drop_payloads(&mut self, goes: impl Fn(&Header) -> bool) {
        for entry in self.entries.values_mut().chain(&mut self.set_aside) {
            if goes(entry.header()) {
                *entry = entry.clone().without_payload();
            }
        }
        self.mark_durable();
    }

    fn mark_durable(&mut self) {
        self.durable = self.arrivals.len();
        self.unsynced_puts.clear();
    }
}

impl EntryStore for MemoryStore {
    fn store_id(&self) -> StoreId {
        self.store_id
    }

    fn put(&self, batch: &[Verified], now_ms: u64) -> Result<Cursor, StoreError> {
        let mut state = self.state();
        self.faults.around(Step::Put, || state.add(batch, now_ms))?;
        Ok(Cursor(state.arrivals.len() as u64))
    }

    fn range(
        &self,
        origin: Origin,
        epoch: u32,
        from: u64,
        until: u64,
        max_bytes: usize,
    ) -> Result<Vec<v1::Entry>, StoreError> {
        let mut found = Vec::new();
        let mut bytes = 0;
        if from > until {
            return Ok(found);
        }
        for (_, entry) in self.state().entries.range((origin, epoch, from)..=(origin, epoch, until)) {
            let entry = entry.to_wire();
            bytes += prost::Message::encoded_len(&entry);
            if bytes > max_bytes && !found.is_empty() {
                break;
            }
            found.push(entry);
        }
        Ok(found)
    }

    fn entry(&self, origin: Origin, at: Position) -> Result<Option<v1::Entry>, StoreError> {
        Ok(self.state().entries.get(&(origin, at.epoch, at.seq)).map(Verified::to_wire))
    }

    fn tail(&self, from: Cursor, max: usize) -> Result<(Vec<Arrival>, Cursor), StoreError> {
        let start = usize::try_from(from.0).unwrap_or(usize::MAX);
        let mut state = self.state();
        if start >= state.durable && start < state.arrivals.len() {
            self.faults.around(Step::Sync, || {
                state.mark_durable();
                Ok(())
            })?;
        }
        let mut found = Vec::new();
        let mut next = from.0;
        for (origin, at, seen_ms) in state.arrivals[..state.durable].iter().skip(start) {
            if found.len() == max {
                break;
            }
            next += 1;
            // One that was set aside arrived, and is no more.
            let entry = state.entries.get(&(*origin, at.epoch, at.seq)).map(Verified::to_wire);
            found.extend(entry.map(|entry| Arrival { entry, seen_ms: Some(*seen_ms) }));
        }
        Ok((found, Cursor(next)))
    }

    fn cursor(&self) -> Cursor {
        Cursor(self.state().arrivals.len() as u64)
    }

    fn heads(&self) -> Result<Heads, StoreError> {
        Ok(self.state().heads.clone())
    }

    fn rewind(&self, origin: Origin, epoch: u32, after: u64) -> Result<Option<(u64, Hash)>, StoreError> {
        let mut state = self.state();
        let mut left = None;
        self.faults.around(Step::Rewind, || {
            let goes = |key: &(Origin, u32, u64)| (key.0, key.1) == (origin, epoch) && key.2 > after;
            let gone: Vec<_> = state.entries.keys().copied().filter(goes).collect();
            let gone: Vec<_> = gone.iter().filter_map(|key| state.entries.remove(key)).collect();
            state.set_aside.extend(gone);
            let last = state.entries.range((origin, epoch, 0)..=(origin, epoch, after)).next_back();
            left = last.map(|(key, entry)| (key.2, entry.hash()));
            match left {
                Some(head) => state.heads.insert((origin, epoch), head),
                None => state.heads.remove(&(origin, epoch)),
            };
            state.mark_durable();
            Ok(())
        })?;
        Ok(left)
    }

    fn endpoint_changes(
        &self,
        origin: Origin,
        epoch: u32,
        last: u64,
        max: usize,
    ) -> Result<Vec<v1::Entry>, StoreError> {
        let state = self.state();
        let of_epoch = state.entries.range((origin, epoch, 0)..=(origin, epoch, last));
        let changes = of_epoch.filter(|(_, entry)| entry.header().endpoint_change.is_some());
        Ok(changes.take(max).map(|(_, entry)| entry.to_wire()).collect())
    }

    fn presentation(&self, origin: Origin, epoch: u32, last: u64) -> Result<Option<v1::Entry>, StoreError> {
        let state = self.state();
        let mut of_epoch = state.entries.range((origin, epoch, 0)..=(origin, epoch, last)).rev();
        let said = of_epoch.find(|(_, entry)| entry.header().presentation.is_some());
        Ok(said.map(|(_, entry)| entry.to_wire()))
    }

    fn set_aside(&self) -> u64 {
        self.state().set_aside.len() as u64
    }

    fn put_fork(&self, origin: Origin, epoch: u32, proof: &v1::ForkProof) -> Result<(), StoreError> {
        let mut state = self.state();
        self.faults.around(Step::PutFork, || {
            state.forks.insert((origin, epoch), proof.clone());
            state.mark_durable();
            Ok(())
        })
    }

    fn forks(&self) -> Result<BTreeMap<(Origin, u32), v1::ForkProof>, StoreError> {
        Ok(self.state().forks.clone())
    }

    fn erase(&self, places: &[erasure::Place]) -> Result<(), StoreError> {
        let places: BTreeSet<_> = places.iter().copied().collect();
        let mut state = self.state();
        self.faults.around(Step::Erase, || {
            state.drop_payloads(|header| places.contains(&(header.origin, header.at)));
            state.refused.extend(places);
            Ok(())
        })
    }

    fn erase_records(&self, origin: Origin, records: &erasure::Records) -> Result<(), StoreError> {
        let orders = records.iter().map(|(record, at)| ((origin, *record), *at)).collect();
        let mut state = self.state();
        self.faults.around(Step::Erase, || {
            state.drop_payloads(|header| erasure::covers(&orders, header));
            Ok(())
        })
    }

    fn erasures(&self, origin: Origin, max: usize) -> Result<BTreeMap<RecordId, Position>, StoreError> {
        let state = self.state();
        let own = state.orders.iter().filter(|((author, _), _)| *author == origin);
        Ok(own.take(max).map(|((_, record), at)| (*record, *at)).collect())
    }

    fn erased_through(&self) -> Result<Cursor, StoreError> {
        Ok(self.state().erased_through)
    }

    fn set_erased_through(&self, cursor: Cursor) -> Result<(), StoreError> {
        self.state().erased_through = cursor;
        Ok(())
    }

    fn put_receipts(&self, receipts: &[(Origin, v1::SignedReceipt)]) -> Result<(), StoreError> {
        self.state().receipts.extend(receipts.iter().cloned());
        Ok(())
    }

    fn receipts(&self) -> Result<BTreeMap<Origin, v1::SignedReceipt>, StoreError> {
        Ok(self.state().receipts.clone())
    }

    fn sync(&self) -> Result<(), StoreError> {
        let mut state = self.state();
        self.faults.around(Step::Sync, || {
            state.mark_durable();
            Ok(())
        })
    }
}
