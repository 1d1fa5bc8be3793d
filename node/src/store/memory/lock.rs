//! The reference head lock: keeps what it has acknowledged over every crash.
//!
//! It must never answer two holders: opening it anew fences whoever held it before.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wego_proto::{
    entry::Verified,
    id::{Origin, Position, RequestId},
    v1,
};

use crate::store::{
    HeadLock, LockedHead, StoreError, chain,
    memory::{Faults, Step},
    requests::Requests,
};

/// A head lock in memory. A clone is another handle of the same holder.
#[derive(Debug, Clone)]
pub struct MemoryLock {
    state: Arc<Mutex<State>>,
    holder: u64,
    faults: Faults,
}

#[derive(Debug)]
struct State {
    origin: Origin,
    log: Vec<Verified>,
    requests: Requests,
    holder: u64,
    failed: bool,
}

impl MemoryLock {
    /// An empty one for the log of `origin`.
    #[must_use]
    pub fn new(origin: Origin) -> Self {
        let state =
            State { origin, log: Vec::new(), requests: Requests::default(), holder: 0, failed: false };
        Self { state: Arc::new(Mutex::new(state)), holder: 0, faults: Faults::default() }
    }

    /// What makes its steps fail.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Opens it anew, as after a crash or from another process: every earlier handle is fenced.
    #[must_use]
    pub fn reopen(&self) -> Self {
        let mut state = self.state();
        state.holder += 1;
        state.failed = false;
        Self { state: Arc::clone(&self.state), holder: state.holder, faults: Faults::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn held(&self) -> Result<MutexGuard<'_, State>, StoreError> {
        let state = self.state();
        if state.holder != self.holder {
            return Err(StoreError::Fenced);
        }
        if state.failed {
            let source = std::io::ErrorKind::BrokenPipe.into();
            return Err(StoreError::Io { what: "using the head lock after a failed write", source });
        }
        Ok(state)
    }
}

impl State {
    fn head(&self) -> Option<LockedHead> {
        self.log.last().map(|last| LockedHead { at: last.header().at, hash: last.hash() })
    }

    fn append(&mut self, batch: &[Verified]) -> Result<(), StoreError> {
        batch.iter().for_each(|entry| self.requests.remember(entry.header()));
        self.log.extend_from_slice(batch);
        Ok(())
    }
}

impl HeadLock for MemoryLock {
    fn load(&mut self) -> Result<Option<LockedHead>, StoreError> {
        Ok(self.held()?.head())
    }

    fn replace(&mut self, old: Option<&LockedHead>, batch: &[Verified]) -> Result<LockedHead, StoreError> {
        let mut state = self.held()?;
        if old != state.head().as_ref() {
            return Err(StoreError::Conflict);
        }
        let head = chain::extended(state.origin, state.head(), batch)?;
        chain::readable(batch)?;
        let outcome = self.faults.around(Step::Replace, || state.append(batch));
        state.failed = matches!(outcome, Err(StoreError::Io { .. }));
        outcome.map(|()| head)
    }

    fn since(&mut self, after: Option<Position>, max: usize) -> Result<Vec<v1::Entry>, StoreError> {
        let state = self.held()?;
        let later = state.log.iter().filter(|entry| after.is_none_or(|after| entry.header().at > after));
        Ok(later.take(max).map(Verified::to_wire).collect())
    }

    fn position_of(&self, request: &RequestId) -> Option<Position> {
        self.state().requests.position_of(request)
    }

    fn erase(&mut self, targets: &[Position]) -> Result<(), StoreError> {
        let mut state = self.held()?;
        self.faults.around(Step::Erase, || {
            for entry in state.log.iter_mut().filter(|entry| targets.contains(&entry.header().at)) {
                *entry = entry.clone().without_payload();
            }
            Ok(())
        })
    }
}
