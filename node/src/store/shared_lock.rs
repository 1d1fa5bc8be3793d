//! One head lock in the hands of several: the engine signs on it, and the eraser drops payloads from it.
//!
//! Each call is whole: nobody signs while a segment is written anew, and nothing is erased in the middle of a write.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wego_proto::{
    entry::Verified,
    id::{Position, RequestId},
    v1,
};

use crate::store::{HeadLock, LockedHead, StoreError};

/// A handle on a shared head lock.
#[derive(Clone)]
pub struct SharedLock(Arc<Mutex<Box<dyn HeadLock>>>);

impl SharedLock {
    /// Shares `lock`.
    #[must_use]
    pub fn new(lock: Box<dyn HeadLock>) -> Self {
        Self(Arc::new(Mutex::new(lock)))
    }

    fn lock(&self) -> MutexGuard<'_, Box<dyn HeadLock>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for SharedLock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SharedLock")
    }
}

impl HeadLock for SharedLock {
    fn load(&mut self) -> Result<Option<LockedHead>, StoreError> {
        self.lock().load()
    }

    fn replace(&mut self, old: Option<&LockedHead>, batch: &[Verified]) -> Result<LockedHead, StoreError> {
        self.lock().replace(old, batch)
    }

    fn since(&mut self, after: Option<Position>, max: usize) -> Result<Vec<v1::Entry>, StoreError> {
        self.lock().since(after, max)
    }

    fn position_of(&self, request: &RequestId) -> Option<Position> {
        self.lock().position_of(request)
    }

    fn erase(&mut self, targets: &[Position]) -> Result<(), StoreError> {
        self.lock().erase(targets)
    }
}
