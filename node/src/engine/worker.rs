//! The engine's thread: takes commands, feeds the ledger, publishes what is known.
//!
//! Writes that wait together are committed together; everything else is handled one after the other, so that no
//! lock is needed below.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use data_encoding::HEXLOWER;
use tokio::sync::{mpsc, oneshot};
use wego_ledger::{
    limits::APPEND_BATCH_MAX,
    roster::History,
    session::ConnId,
    state::{Footing, Input, State},
};
use wego_proto::id::{Origin, Position};

use super::{
    Commands, Credit, FromPeer, Outbox, Parts, Write, WriteError, Written,
    applied::Watch,
    backup,
    bell::Bell,
    governance::{Kept, Submission},
    orders::Order,
    own_log::{restore_lock, restore_own},
    publish::empty_view,
    state_from,
    unprojected::Unprojected,
    view::{Broken, View},
};
use crate::{
    clock::now_ms,
    records::Records,
    store::{
        Cursor, EntryStore, HeadLock, LockedHead, Projection as _, RosterFiles, Space, StoreError,
        anchor::{Anchor, LastStart},
    },
};

/// Readers see changes at most so late while the engine is busy.
const VIEW_INTERVAL: Duration = Duration::from_millis(20);
/// The timer rests at most so long while something stored waits to be applied.
const APPLIED_TICK: Duration = Duration::from_millis(100);
/// A clock that is set moves less than this, in ms; one that moves more may be that of a machine put back to a snapshot.
const JUMP_MS: u64 = 60_000;
/// The timer rests at most so long.
const TICK_MAX: Duration = Duration::from_secs(5);

/// Everything the thread owns.
pub(super) struct Worker {
    pub(super) state: State,
    pub(super) lock: Box<dyn HeadLock>,
    pub(super) locked: Option<LockedHead>,
    pub(super) store: Arc<dyn EntryStore>,
    pub(super) rosters: RosterFiles,
    pub(super) governance: Kept,
    pub(super) records: Arc<Records>,
    pub(super) bell: Arc<Bell>,
    pub(super) space: Arc<dyn Space>,
    pub(super) anchor: Anchor,
    pub(super) conns: BTreeMap<ConnId, Outbox>,
    pub(super) unprojected: Unprojected,
    /// How far the records projection was when it was asked last: it may go back and be built anew.
    pub(super) projected: Cursor,
    /// A moment by both clocks of the machine.
    clock: (Instant, u64),
    /// Positions and hashes of the batch just locked, or why it was not.
    pub(super) commit: Result<Vec<(Position, wego_proto::id::Hash)>, StoreError>,
    pub(super) refused: BTreeMap<&'static str, u64>,
    pub(super) session_since: BTreeMap<Origin, (u64, i64)>,
    pub(super) roster_conflicts: u64,
    /// Own entries are locked that the store does not have.
    pub(super) store_behind: bool,
    pub(super) broken: Option<Broken>,
    pub(super) watch: Watch,
    /// This start of the process, as it is noted where the own log is written.
    pub(super) start: LastStart,
    pub(super) me: Origin,
    pub(super) started_ms: u64,
    pub(super) roster: Arc<History>,
    pub(super) view: Arc<ArcSwap<View>>,
    pub(super) view_at: Instant,
    pub(super) dirty: bool,
}

impl Worker {
    pub(super) fn new(parts: Parts, watch: Watch) -> Result<Self, StoreError> {
        let Parts { mut start, mut lock, store, rosters, anchor, records, bell, space, .. } = parts;
        let me = start.me.origin;
        // A full disk must not keep the node from answering: the store is filled when there is space.
        let store_behind = match restore_own(lock.as_mut(), store.as_ref(), me, &start.roster) {
            Ok(_) => false,
            Err(StoreError::Full { .. }) => true,
            Err(error) => return Err(error),
        };
        let (unprojected, broken) = match Unprojected::read(store.as_ref(), me, records.cursor()?) {
            Ok(unprojected) => (unprojected, None),
            // As when it is met later: the process ends, and the next one builds the store anew.
            Err(error) if error.is_corrupt() => (Unprojected::default(), Some(Broken::Store)),
            Err(error) => return Err(error),
        };
        // Whoever writes first should not wait until indexes of a large store have been built.
        bell.want(store.cursor());
        let (locked, lost) = restore_lock(lock.as_mut(), store.as_ref(), me, &start.roster)?;
        if lost && start.footing == Footing::Sound {
            start.footing = Footing::Unsure;
        }
        let roster = Arc::new(start.roster.clone());
        let started_ms = start.now_ms;
        let run = &start.me.run;
        let last_start = LastStart { run: HEXLOWER.encode(&run.id), started_ms: run.started_ms };
        start.locked = locked.map(|locked| wego_ledger::log::Head { at: locked.at, hash: locked.hash });
        let mut state = state_from(start, store.as_ref())?;
        let mut worker = Self {
            view: Arc::new(ArcSwap::from_pointee(empty_view(
                me,
                state.log_key().1,
                store.as_ref(),
                roster.clone(),
                started_ms,
            ))),
            view_at: Instant::now(),
            governance: Kept::recall(&mut state, &rosters)?,
            state,
            lock,
            locked,
            store,
            rosters,
            records,
            bell,
            space,
            anchor,
            conns: BTreeMap::new(),
            unprojected,
            projected: Cursor::default(),
            clock: (Instant::now(), started_ms),
            commit: Ok(Vec::new()),
            refused: BTreeMap::new(),
            session_since: BTreeMap::new(),
            roster_conflicts: 0,
            store_behind,
            broken,
            watch,
            start: last_start,
            me,
            started_ms,
            roster,
            dirty: true,
        };
        worker.bell.ring(worker.store.cursor());
        worker.roster_changed();
        // What the start has to do comes with its first input.
        worker.feed(Input::Tick);
        worker.publish_view();
        Ok(worker)
    }

    pub(super) fn view(&self) -> Arc<ArcSwap<View>> {
        self.view.clone()
    }

    pub(super) fn run(mut self, mut commands: Commands) {
        // A runtime of its own gives this thread a timer; blocking in it harms nobody else.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let Ok(runtime) = runtime else {
            tracing::error!("the engine has no timer");
            return;
        };
        loop {
            let next = runtime.block_on(next(&mut commands, self.until_tick()));
            self.watch_clock();
            match next {
                Next::Stop => break,
                Next::Write(first) => self.take_writes(first, &mut commands.writes),
                Next::Peer(from, credit) => {
                    self.take_peer(from);
                    drop(credit);
                }
                Next::Ask(question) => self.answer(question),
                Next::Order(order) => self.take_order(order),
                Next::Submit(submission) => self.take_submission(submission),
                Next::Tick => self.tick(),
            }
            self.dirty = true;
            if self.until_tick().is_zero() {
                self.tick();
            }
            self.watch_applied();
            if commands.peers.is_empty() || self.view_at.elapsed() >= VIEW_INTERVAL {
                self.publish_view();
            }
        }
        self.take_waiting(&mut commands.writes);
        self.finish();
    }

    /// Commits a write together with all that wait behind it.
    fn take_writes(&mut self, first: Waiting, writes: &mut mpsc::Receiver<Waiting>) {
        let mut group = vec![first];
        while group.len() < APPEND_BATCH_MAX {
            let Ok(write) = writes.try_recv() else { break };
            group.push(write);
        }
        self.write_all(group);
    }

    /// Commits what waited when the node was told to stop.
    fn take_waiting(&mut self, writes: &mut mpsc::Receiver<Waiting>) {
        writes.close();
        while let Ok(first) = writes.try_recv() {
            self.take_writes(first, writes);
        }
    }

    fn take_peer(&mut self, from: FromPeer) {
        match from {
            FromPeer::Connected { conn, member, speaker, side, outbox } => {
                self.conns.insert(conn, outbox);
                self.feed(Input::Connected { conn, member, speaker, side });
            }
            FromPeer::Input(Input::Closed { conn }) => {
                self.conns.remove(&conn);
                self.feed(Input::Closed { conn });
            }
            FromPeer::Input(input) => self.feed(input),
        }
    }

    /// Notices before anything is signed that the machine was put back.
    fn watch_clock(&mut self) {
        if self.time_jumped() {
            tracing::warn!(
                "the machine's time has jumped: asking the peers for the own log before it goes on"
            );
            self.feed(Input::TimeJumped);
        }
    }

    fn tick(&mut self) {
        if self.store_behind {
            self.catch_store_up();
        }
        self.feed(Input::Tick);
    }

    /// Puts own entries again that were locked when the store refused.
    pub(super) fn catch_store_up(&mut self) {
        let before = self.store.cursor();
        if let Err(error) = self.restore_own() {
            tracing::debug!(error = &error as &dyn std::error::Error, "own entries wait for the store");
        }
        if self.store.cursor() > before {
            self.bell.ring(self.store.cursor());
        }
    }

    /// Whether the clock has moved without this process: a machine put back to a snapshot goes on where it was.
    fn time_jumped(&mut self) -> bool {
        let (instant, wall_ms) = self.clock;
        let (passed, now) = (instant.elapsed().as_millis() as u64, now_ms());
        self.clock = (Instant::now(), now);
        now.abs_diff(wall_ms.saturating_add(passed)) > JUMP_MS
    }

    fn restore_own(&mut self) -> Result<(), StoreError> {
        for (head, hlc_ms) in restore_own(self.lock.as_mut(), self.store.as_ref(), self.me, &self.roster)? {
            let origin = self.me;
            self.feed(Input::Stored { origin, head, hlc_ms, endpoints: true, presentation: true });
        }
        self.unprojected = Unprojected::read(self.store.as_ref(), self.me, self.records.cursor()?)?;
        self.store_behind = false;
        Ok(())
    }

    fn until_tick(&self) -> Duration {
        let now = now_ms();
        let due = self
            .state
            .next_deadline_ms()
            .map_or(TICK_MAX, |due| Duration::from_millis(due.saturating_sub(now)));
        due.min(if self.watch.is_waiting() { APPLIED_TICK } else { TICK_MAX })
    }

    fn finish(&mut self) {
        self.conns.clear();
        if let Err(error) = self.store.sync() {
            tracing::error!(error = &error as &dyn std::error::Error, "the last flush of the store failed");
        }
    }

    /// Shows a new roster or epoch at once: whoever verifies what is asked for next must know its keys.
    pub(super) fn roster_changed(&mut self) {
        self.roster = Arc::new(self.state.roster().clone());
        self.dirty = true;
        self.publish_view();
    }
}

/// What the engine does next.
#[expect(clippy::large_enum_variant, reason = "lives for one turn of the loop")]
enum Next {
    Stop,
    Write(Waiting),
    Peer(FromPeer, Option<Credit>),
    Ask(backup::Question),
    Order(Order),
    Submit(Submission),
    Tick,
}

/// Waits for whatever comes first. Operators and peers are asked in random order, so that neither starves.
async fn next(commands: &mut Commands, patience: Duration) -> Next {
    let Commands { writes, peers, questions, orders, submits, stop } = commands;
    // Every arm is cancel-safe: a receive that loses takes nothing out of its queue.
    tokio::select! {
        () = stop.cancelled() => Next::Stop,
        Some(first) = writes.recv() => Next::Write(first),
        Some((from, credit)) = peers.recv() => Next::Peer(from, credit),
        Some(question) = questions.recv() => Next::Ask(question),
        Some(order) = orders.recv() => Next::Order(order),
        Some(submission) = submits.recv() => Next::Submit(submission),
        () = tokio::time::sleep(patience) => Next::Tick,
    }
}

/// A write and who waits for its outcome.
pub(crate) struct Waiting {
    pub(super) write: Write,
    /// Runs when its entry is about to be made durable.
    pub(super) before: Box<dyn FnOnce() + Send>,
    pub(super) reply: oneshot::Sender<Result<Written, WriteError>>,
}

impl std::fmt::Debug for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Waiting").field("write", &self.write).finish_non_exhaustive()
    }
}
