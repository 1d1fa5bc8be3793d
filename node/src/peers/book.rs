//! What became of each dial: a circuit breaker for each member, with back-off and full jitter.
//!
//! Full jitter (a uniform wait up to the bound) keeps nodes that lost a peer together from returning together
//! (Brooker, "Exponential Backoff And Jitter", 2015).

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use wego_proto::{id::Origin, v1::PeerState};

use crate::clock::now_ms;

/// First bound of the wait between two dials, ms.
const BACKOFF_FIRST_MS: u64 = 1_000;
/// A session that lasted so long was a good one, ms.
const SETTLED_MS: u64 = 10_000;
/// Last bound, ms: a node that was away for days is back within five minutes.
const BACKOFF_LAST_MS: u64 = 5 * 60_000;

/// How things stand with one member's node.
#[derive(Debug, Clone)]
pub struct PeerStatus {
    /// In use or tried last.
    pub endpoint: String,
    /// What this node is doing about it.
    pub state: PeerState,
    /// Whether an operator asked for it.
    pub pinned: bool,
    /// Whether this node opened the session.
    pub dialled: bool,
    /// Since when, ms since 1970.
    pub since_ms: u64,
    /// Last time a session was open, ms since 1970; 0 never.
    pub last_contact_ms: u64,
    /// Entries it named that this node lacks.
    pub lag_entries: u64,
    /// Bytes of messages sent since the start.
    pub sent_bytes: u64,
    /// Bytes of messages received since the start.
    pub received_bytes: u64,
    /// Why the last dial or session ended.
    pub last_error: String,
    /// When it is dialled next, ms since 1970; 0 unknown.
    pub next_try_ms: u64,
    failures: u32,
}

impl Default for PeerStatus {
    fn default() -> Self {
        Self {
            endpoint: String::new(),
            state: PeerState::Idle,
            pinned: false,
            dialled: false,
            since_ms: 0,
            last_contact_ms: 0,
            lag_entries: 0,
            sent_bytes: 0,
            received_bytes: 0,
            last_error: String::new(),
            next_try_ms: 0,
            failures: 0,
        }
    }
}

/// The standing of every member's node; bounded by the roster.
#[derive(Debug, Default)]
pub(crate) struct Book(Mutex<BTreeMap<Origin, PeerStatus>>);

impl Book {
    pub(crate) fn status(&self, origin: Origin) -> PeerStatus {
        self.open().get(&origin).cloned().unwrap_or_default()
    }

    /// Starts a dial when one is due, and says where to.
    pub(crate) fn begin(&self, origin: Origin, endpoints: &[String], dials_max: usize) -> Option<String> {
        let mut book = self.open();
        let dialling = book.values().filter(|status| status.state == PeerState::Connecting).count();
        let now = now_ms();
        let status = book.entry(origin).or_default();
        if !status.endpoint.is_empty() && !endpoints.contains(&status.endpoint) {
            // The member has moved: how it went at the old address says nothing of the new one.
            (status.failures, status.next_try_ms) = (0, 0);
        }
        let busy = matches!(status.state, PeerState::Connecting | PeerState::Connected);
        if endpoints.is_empty() || busy || now < status.next_try_ms || dialling >= dials_max {
            return None;
        }
        let endpoint = endpoints[status.failures as usize % endpoints.len()].clone();
        status.endpoint.clone_from(&endpoint);
        status.state = PeerState::Connecting;
        status.since_ms = now;
        Some(endpoint)
    }

    pub(crate) fn connected(&self, origin: Origin) {
        let mut book = self.open();
        let status = book.entry(origin).or_default();
        status.state = PeerState::Connected;
        status.since_ms = now_ms();
    }

    /// A message came. After a while of that the breaker closes: a peer that greets and then refuses, or is refused,
    /// goes on being left alone.
    pub(crate) fn heard(&self, origin: Origin, received_bytes: usize) {
        let mut book = self.open();
        let now = now_ms();
        let status = book.entry(origin).or_default();
        if status.state == PeerState::Connected && now.saturating_sub(status.since_ms) >= SETTLED_MS {
            status.failures = 0;
        }
        status.last_contact_ms = now;
        status.received_bytes += received_bytes as u64;
    }

    pub(crate) fn said(&self, origin: Origin, sent_bytes: usize) {
        self.open().entry(origin).or_default().sent_bytes += sent_bytes as u64;
    }

    /// A dial or session ended; the next dial waits.
    pub(crate) fn ended(&self, origin: Origin, why: String, retry_after_ms: Option<u64>) {
        let mut book = self.open();
        let status = book.entry(origin).or_default();
        let bound = BACKOFF_FIRST_MS.saturating_mul(1 << status.failures.min(16)).min(BACKOFF_LAST_MS);
        let wait = retry_after_ms.unwrap_or(0).min(BACKOFF_LAST_MS) + uniform(bound);
        status.failures = status.failures.saturating_add(1);
        status.state = PeerState::Waiting;
        status.since_ms = now_ms();
        status.next_try_ms = now_ms() + wait;
        status.last_error = why;
    }

    /// Forgets the wait.
    pub(crate) fn retry_now(&self, origin: Origin) {
        let mut book = self.open();
        let status = book.entry(origin).or_default();
        status.failures = 0;
        status.next_try_ms = 0;
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<Origin, PeerStatus>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A number from 0 to `bound`; the middle when there is no randomness.
fn uniform(bound: u64) -> u64 {
    getrandom::u64().map_or(bound / 2, |random| random % (bound + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_fails_is_left_alone_and_one_that_answers_is_not() {
        let book = Book::default();
        let endpoints = ["a:1".to_owned(), "b:2".to_owned()];
        assert_eq!(book.begin(Origin(2), &endpoints, 4).as_deref(), Some("a:1"));
        assert_eq!(book.begin(Origin(2), &endpoints, 4), None, "a dial is under way");
        book.ended(Origin(2), "refused".to_owned(), Some(60_000));
        assert_eq!(book.begin(Origin(2), &endpoints, 4), None, "it asked for a minute");
        book.retry_now(Origin(2));
        assert!(book.begin(Origin(2), &endpoints, 4).is_some());
    }

    #[test]
    fn a_peer_that_has_moved_is_dialled_at_once() {
        let book = Book::default();
        assert!(book.begin(Origin(2), &["a:1".to_owned()], 4).is_some());
        book.ended(Origin(2), "refused".to_owned(), Some(60_000));
        assert_eq!(book.begin(Origin(2), &["a:1".to_owned()], 4), None);
        assert_eq!(book.begin(Origin(2), &["b:2".to_owned()], 4).as_deref(), Some("b:2"));
    }

    #[test]
    fn only_so_many_dials_are_under_way() {
        let book = Book::default();
        for origin in 0..3 {
            assert!(book.begin(Origin(origin), &["a:1".to_owned()], 3).is_some());
        }
        assert_eq!(book.begin(Origin(9), &["a:1".to_owned()], 3), None);
    }

    #[test]
    fn the_wait_never_passes_five_minutes() {
        let book = Book::default();
        for _ in 0..40 {
            book.ended(Origin(1), String::new(), None);
        }
        assert!(book.status(Origin(1)).next_try_ms <= now_ms() + BACKOFF_LAST_MS);
    }
}
