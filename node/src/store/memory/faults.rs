//! Making a durable step fail, before or after it took effect.
//!
//! Whoever survives both at every step treats "failed" as "unknown", as it must. Nothing fails that was not armed.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, PoisonError},
};

use crate::store::StoreError;

/// A step that changes what survives a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// [`crate::store::EntryStore::put`]
    Put,
    /// [`crate::store::EntryStore::sync`], also the one within `tail`
    Sync,
    /// [`crate::store::EntryStore::put_fork`]
    PutFork,
    /// [`crate::store::EntryStore::rewind`]
    Rewind,
    /// [`crate::store::HeadLock::replace`]
    Replace,
    /// [`crate::store::EntryStore::erase`] and [`crate::store::HeadLock::erase`]
    Erase,
}

impl Step {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Put, Self::Sync, Self::PutFork, Self::Rewind, Self::Replace, Self::Erase];
}

/// When a step fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Nothing happened.
    BeforeEffect,
    /// It happened, and was reported as failed.
    AfterEffect,
    /// There is no space; nothing happened, and the next try may succeed.
    DiskFull,
}

/// Which steps fail next. A clone is another handle on the same list.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<BTreeMap<Step, Armed>>>);

#[derive(Debug, Clone, Copy)]
struct Armed {
    moment: Moment,
    /// Steps that still succeed before.
    after: usize,
}

impl Faults {
    /// Makes `step` fail once at `moment`, when it has succeeded `after` more times.
    pub fn arm(&self, step: Step, moment: Moment, after: usize) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(step, Armed { moment, after });
    }

    pub(super) fn around(
        &self,
        step: Step,
        effect: impl FnOnce() -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        match self.due(step) {
            None => effect(),
            Some(Moment::BeforeEffect) => Err(injected()),
            Some(Moment::AfterEffect) => effect().and(Err(injected())),
            Some(Moment::DiskFull) => Err(StoreError::Full { free_bytes: 0, reserve_bytes: 0 }),
        }
    }

    fn due(&self, step: Step) -> Option<Moment> {
        let mut armed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = armed.get_mut(&step)?;
        if let Some(fewer) = found.after.checked_sub(1) {
            found.after = fewer;
            return None;
        }
        armed.remove(&step).map(|armed| armed.moment)
    }
}

fn injected() -> StoreError {
    StoreError::Io { what: "a step that was made to fail", source: io::ErrorKind::Other.into() }
}
