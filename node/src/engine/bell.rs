//! Tells the followers that something was stored. It carries the newest cursor and nothing else.

use std::{
    sync::{Condvar, Mutex, PoisonError},
    time::Duration,
};

use crate::store::Cursor;

/// Rung by the engine, heard by the followers.
#[derive(Debug, Default)]
pub struct Bell {
    state: Mutex<Rung>,
    changed: Condvar,
}

#[derive(Debug, Clone, Copy, Default)]
struct Rung {
    cursor: Cursor,
    stopped: bool,
}

/// What a follower hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// Something lies beyond the cursor asked for.
    News,
    /// Nothing for the time asked for.
    Quiet,
    /// The node stops.
    Stop,
}

impl Bell {
    /// Announces the store's cursor.
    pub fn ring(&self, cursor: Cursor) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.cursor = state.cursor.max(cursor);
        drop(state);
        self.changed.notify_all();
    }

    /// Tells everybody to stop.
    pub fn stop(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).stopped = true;
        self.changed.notify_all();
    }

    /// Waits until something lies beyond `after`, at most `patience`.
    #[must_use]
    pub fn wait(&self, after: Cursor, patience: Duration) -> Heard {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = |state: &mut Rung| !state.stopped && state.cursor <= after;
        let (state, _) =
            self.changed.wait_timeout_while(state, patience, idle).unwrap_or_else(PoisonError::into_inner);
        match *state {
            Rung { stopped: true, .. } => Heard::Stop,
            Rung { cursor, .. } if cursor > after => Heard::News,
            Rung { .. } => Heard::Quiet,
        }
    }
}
