//! Tells the followers that something was stored, and when to give way.
//!
//! The problem: on a small machine an index takes more of the processor than receiving and storing do, and a node
//! that catches up would crawl. The rule: while entries arrive in a rush, followers rest between batches, unless
//! somebody waits for what they have not applied yet.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::store::Cursor;

/// So many entries within [`RUSH_WINDOW`] are a rush: more than operators write, less than a peer sends.
const RUSH_ENTRIES: u64 = 512;
/// A rush is counted over this time, and lasts so long after its last entry.
const RUSH_WINDOW: Duration = Duration::from_millis(100);

/// Rung by the engine, heard by the followers.
#[derive(Debug, Default)]
pub struct Bell {
    state: Mutex<Rung>,
    changed: Condvar,
}

#[derive(Debug, Clone, Copy, Default)]
struct Rung {
    cursor: Cursor,
    wanted: Cursor,
    stopped: bool,
    /// When counting began, and the cursor then.
    counted: Option<(Instant, Cursor)>,
    rush_until: Option<Instant>,
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
        let mut state = self.state();
        state.count(cursor, Instant::now());
        drop(state);
        self.changed.notify_all();
    }

    /// Says that somebody waits for everything before `cursor` to be applied.
    pub fn want(&self, cursor: Cursor) {
        let mut state = self.state();
        if cursor > state.wanted {
            state.wanted = cursor;
            drop(state);
            self.changed.notify_all();
        }
    }

    /// Tells everybody to stop.
    pub fn stop(&self) {
        self.state().stopped = true;
        self.changed.notify_all();
    }

    /// Whether entries arrive in a rush and nobody wants what lies beyond `at`.
    #[must_use]
    pub fn lets_rest(&self, at: Cursor) -> bool {
        let now = Instant::now();
        self.state().rest(at, now, now + RUSH_WINDOW).is_some()
    }

    /// Waits until entries no longer arrive in a rush or somebody wants what lies beyond `at`, at most `patience`.
    pub fn rest(&self, at: Cursor, patience: Duration) {
        let deadline = Instant::now() + patience;
        let mut state = self.state();
        while let Some(rest) = state.rest(at, Instant::now(), deadline) {
            (state, _) = self.changed.wait_timeout(state, rest).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits until something lies beyond `after`, at most `patience`.
    #[must_use]
    pub fn wait(&self, after: Cursor, patience: Duration) -> Heard {
        let state = self.state();
        let idle = |state: &mut Rung| !state.stopped && state.cursor <= after;
        let (state, _) =
            self.changed.wait_timeout_while(state, patience, idle).unwrap_or_else(PoisonError::into_inner);
        match *state {
            Rung { stopped: true, .. } => Heard::Stop,
            Rung { cursor, .. } if cursor > after => Heard::News,
            Rung { .. } => Heard::Quiet,
        }
    }

    fn state(&self) -> MutexGuard<'_, Rung> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rung {
    fn count(&mut self, cursor: Cursor, now: Instant) {
        let (begun, before) = *self.counted.get_or_insert((now, self.cursor));
        self.cursor = self.cursor.max(cursor);
        if self.cursor.0 - before.0 >= RUSH_ENTRIES {
            self.rush_until = Some(now + RUSH_WINDOW);
            self.counted = None;
        } else if now.duration_since(begun) >= RUSH_WINDOW {
            self.counted = None;
        }
    }

    /// How long a follower at `at` may rest.
    fn rest(&self, at: Cursor, now: Instant, deadline: Instant) -> Option<Duration> {
        if self.stopped || at < self.wanted {
            return None;
        }
        let until = self.rush_until?.min(deadline);
        until.checked_duration_since(now).filter(|rest| !rest.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(3_600);

    fn rushing(now: Instant) -> Rung {
        let mut rung = Rung::default();
        rung.count(Cursor(RUSH_ENTRIES), now);
        rung
    }

    #[test]
    fn a_follower_rests_while_entries_rush_in_and_no_longer() {
        let now = Instant::now();
        let rung = rushing(now);
        assert_eq!(rung.rest(Cursor(0), now, now + LONG), Some(RUSH_WINDOW));
        assert_eq!(
            rung.rest(Cursor(0), now, now + RUSH_WINDOW / 2),
            Some(RUSH_WINDOW / 2),
            "its patience ends"
        );
        assert_eq!(rung.rest(Cursor(0), now + RUSH_WINDOW, now + LONG), None, "the rush is over");
    }

    #[test]
    fn a_trickle_is_no_rush_however_long_it_lasts() {
        let start = Instant::now();
        let mut rung = Rung::default();
        for n in 1..=10 * RUSH_ENTRIES {
            let now = start + RUSH_WINDOW / 100 * u32::try_from(n).expect("few");
            rung.count(Cursor(n), now);
            assert_eq!(rung.rest(Cursor(0), now, now + LONG), None, "after {n} entries");
        }
    }

    #[test]
    fn who_waits_for_entries_is_not_kept_waiting() {
        let now = Instant::now();
        let mut rung = rushing(now);
        rung.wanted = Cursor(10);
        assert_eq!(rung.rest(Cursor(9), now, now + LONG), None);
        assert!(rung.rest(Cursor(10), now, now + LONG).is_some(), "what was wanted is applied");
    }

    #[test]
    fn stopping_ends_every_rest() {
        let now = Instant::now();
        let rung = Rung { stopped: true, ..rushing(now) };
        assert_eq!(rung.rest(Cursor(0), now, now + LONG), None);
    }
}
