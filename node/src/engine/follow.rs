//! Drives a projection along the store's cursor on a thread of its own.
//!
//! The problem: one entry that an index cannot take must not stop replication, nor the index. The rule: a batch
//! that fails is tried entry by entry; an entry that fails twice is left out, counted and logged; a projection
//! that cannot be read is wiped and built again. A panic counts as a failure.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use tokio::sync::watch;

use super::bell::{Bell, Heard};
use crate::{
    clock::now_ms,
    store::{Arrived, Cursor, EntryStore, Projection, StoreError},
};

/// Entries applied at once.
const BATCH: usize = 512;
/// Without news for so long, a projection settles what it holds back.
const QUIET: Duration = Duration::from_millis(50);
/// With news all the time, it settles so often.
const BUSY_SETTLE: Duration = Duration::from_secs(1);
/// While entries arrive in a rush, a batch is applied so often.
const RUSH_REST: Duration = Duration::from_secs(5);
/// A quiet follower wakes so often.
const IDLE: Duration = Duration::from_secs(5);

/// A thread that waits for a projection looks so often.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Added to the niceness of a projection that gives way: it then has a tenth of what a busy processor gives others.
const NICENESS: i32 = 10;

/// What a projection gets of a busy processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// As much as everything else.
    Equal,
    /// What replication, writes and readers leave. For one that is dear to build and may lag.
    Rest,
}

/// A projection being driven; to be joined after the bell said stop.
#[derive(Debug)]
pub struct Follower {
    thread: thread::JoinHandle<()>,
    progress: Progress,
}

/// How far a projection is.
#[derive(Debug, Clone)]
pub struct Progress {
    applied: watch::Receiver<Cursor>,
    skipped: Arc<AtomicU64>,
    bell: Arc<Bell>,
}

impl Progress {
    /// Up to where it can be read.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        *self.applied.borrow()
    }

    /// Entries left out because they failed twice.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.skipped.load(Ordering::Relaxed)
    }

    /// Waits until it can be read up to `cursor`, at most `patience`. Returns whether it can.
    pub async fn reach(&self, cursor: Cursor, patience: Duration) -> bool {
        self.bell.want(cursor);
        let mut applied = self.applied.clone();
        let reached = tokio::time::timeout(patience, applied.wait_for(|at| *at >= cursor)).await;
        matches!(reached, Ok(Ok(_)))
    }

    /// As [`Progress::reach`], for a thread that may block.
    pub(super) fn reach_blocking(&self, cursor: Cursor, patience: Duration) -> bool {
        self.bell.want(cursor);
        let deadline = Instant::now() + patience;
        while self.cursor() < cursor && Instant::now() < deadline {
            thread::park_timeout(LOOK_AGAIN);
        }
        self.cursor() >= cursor
    }
}

impl Follower {
    /// Starts the thread.
    ///
    /// # Errors
    /// [`StoreError::Io`] when there can be no thread.
    pub fn start(
        projection: Arc<dyn Projection>,
        store: Arc<dyn EntryStore>,
        bell: Arc<Bell>,
        share: Share,
    ) -> Result<Self, StoreError> {
        let (publish, applied) = watch::channel(Cursor::default());
        let skipped = Arc::new(AtomicU64::new(0));
        let progress = Progress { applied, skipped: skipped.clone(), bell: bell.clone() };
        let set_aside = store.set_aside();
        let work = Work {
            projection,
            store,
            bell,
            publish,
            skipped,
            set_aside,
            dirty: false,
            settled: Instant::now(),
        };
        let thread = thread::Builder::new()
            .name("projection".to_owned())
            .spawn(move || {
                share.claim();
                work.run();
            })
            .map_err(|source| StoreError::Io { what: "starting a projection's thread", source })?;
        Ok(Self { thread, progress })
    }

    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Waits for the thread, after [`Bell::stop`].
    pub fn join(self) {
        if self.thread.join().is_err() {
            tracing::error!("a projection's thread ended by a panic");
        }
    }
}

impl Share {
    /// Holds for this thread and those that it starts from now on.
    fn claim(self) {
        // Elsewhere it would hold for the whole process.
        if cfg!(target_os = "linux")
            && self == Self::Rest
            && let Err(error) = rustix::process::nice(NICENESS)
        {
            tracing::debug!(error = &error as &dyn std::error::Error, "a projection's niceness stays");
        }
    }
}

struct Work {
    projection: Arc<dyn Projection>,
    store: Arc<dyn EntryStore>,
    bell: Arc<Bell>,
    publish: watch::Sender<Cursor>,
    skipped: Arc<AtomicU64>,
    /// Entries that the store had set aside when this projection began: with more of them it may hold what is no more.
    set_aside: u64,
    dirty: bool,
    settled: Instant,
}

impl Work {
    fn run(mut self) {
        let mut at = self.start_cursor();
        self.publish_cursor();
        loop {
            let patience = if self.dirty { QUIET } else { IDLE };
            match self.bell.wait(at, patience) {
                Heard::Stop => break,
                Heard::Quiet => self.settle(),
                Heard::News => {
                    self.give_way();
                    self.advance(at);
                    if self.settled.elapsed() >= BUSY_SETTLE {
                        self.settle();
                    }
                }
            }
            // It may have gone back, after a failure or to build itself again.
            at = self.contained(|| self.projection.next_cursor()).unwrap_or(at);
            self.publish_cursor();
        }
        self.settle();
    }

    /// Rests during a rush, unless somebody waits for what cannot be read yet. What was applied is settled first.
    fn give_way(&mut self) {
        if self.bell.lets_rest(self.readable()) {
            self.settle();
            self.publish_cursor();
            self.bell.rest(self.readable(), RUSH_REST);
        }
    }

    fn readable(&self) -> Cursor {
        *self.publish.borrow()
    }

    /// Where it stands; one that cannot say is wiped.
    fn start_cursor(&self) -> Cursor {
        match self.contained(|| self.projection.next_cursor()) {
            Ok(cursor) => cursor,
            Err(error) => {
                tracing::warn!(
                    projection = self.projection.name(),
                    error = &error as &dyn std::error::Error,
                    "rebuilding"
                );
                let _ = self.contained(|| self.projection.wipe());
                Cursor::default()
            }
        }
    }

    /// Builds the projection anew after entries that it may hold were set aside. Returns whether it did.
    fn begin_anew(&mut self) -> bool {
        let set_aside = self.store.set_aside();
        if set_aside == self.set_aside {
            return false;
        }
        tracing::warn!(projection = self.projection.name(), "entries were set aside; rebuilding");
        if self.contained(|| self.projection.wipe()).is_ok() {
            self.set_aside = set_aside;
        }
        true
    }

    fn advance(&mut self, at: Cursor) {
        let tail = self.store.tail(at, BATCH);
        // Asked after reading: what was read before is then known to hold nothing that was set aside.
        if self.begin_anew() {
            return;
        }
        let (entries, next) = match tail {
            Ok(tail) => tail,
            Err(error) => {
                tracing::error!(
                    projection = self.projection.name(),
                    error = &error as &dyn std::error::Error,
                    "the store cannot be followed"
                );
                // Wait for the next bell instead of asking again and again.
                let _ = self.bell.wait(Cursor(u64::MAX), BUSY_SETTLE);
                return;
            }
        };
        let entries = Arrived::read(entries, now_ms());
        self.dirty = true;
        match self.contained(|| self.projection.apply(&entries, next)) {
            // It had moved back: the next round continues from where it stands.
            Ok(()) | Err(StoreError::Conflict) => {}
            Err(_) => self.apply_singly(&entries, next),
        }
    }

    fn apply_singly(&self, entries: &[Arrived], next: Cursor) {
        for entry in entries {
            let one = std::slice::from_ref(entry);
            // The cursor moves with the last of them only: a crash in between repeats the batch.
            let at = self.contained(|| self.projection.next_cursor()).unwrap_or_default();
            if self.contained(|| self.projection.apply(one, at)).is_err()
                && let Err(error) = self.contained(|| self.projection.apply(one, at))
            {
                self.skipped.fetch_add(1, Ordering::Relaxed);
                let header = entry.header();
                tracing::error!(
                    projection = self.projection.name(),
                    origin = header.origin.0,
                    at = %header.at,
                    error = &error as &dyn std::error::Error,
                    "an entry was left out"
                );
            }
        }
        if let Err(error) = self.contained(|| self.projection.apply(&[], next)) {
            tracing::error!(
                projection = self.projection.name(),
                error = &error as &dyn std::error::Error,
                "cursor not kept"
            );
        }
    }

    fn settle(&mut self) {
        if !self.dirty {
            return;
        }
        self.settled = Instant::now();
        match self.contained(|| self.projection.settle()) {
            Ok(()) => self.dirty = false,
            Err(error) => {
                tracing::error!(
                    projection = self.projection.name(),
                    error = &error as &dyn std::error::Error,
                    "not settled"
                );
            }
        }
    }

    fn publish_cursor(&self) {
        if let Ok(cursor) = self.contained(|| self.projection.cursor()) {
            self.publish.send_if_modified(|at| std::mem::replace(at, cursor) != cursor);
        }
    }

    fn contained<T>(&self, work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(StoreError::Corrupt { what: "projection" }))
    }
}
