//! Our own business with other nodes: dial, accept, and perform what the ledger asked.
//!
//! Everything a peer says is decoded and its entries verified here, on the task of its connection, so that a
//! hostile peer spends its own share of the processor; what counts is decided by the ledger.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio_util::{sync::CancellationToken, task::TaskTracker};
use wego_ledger::{gossip::wanted_peers, session::ConnId};
use wego_proto::{id::Origin, key::PublicKey, v1::PeerState};

use crate::{
    clock::now_ms,
    engine::{Engine, view::View},
    store::EntryStore,
    tls::Shown,
};

pub mod accept;
mod book;
mod dial;
mod pins;
mod session;

pub use book::PeerStatus;
pub use dial::{PingError, Pong};
pub use pins::{Pins, PinsError};

use book::Book;

/// How often the list of wanted peers is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// The member with the higher index leaves the first dial to the other for so long, so that two nodes that start
/// together do not open two sessions.
const YIELD_MS: u64 = 2_000;
/// Above the overlay's degree, one member outside it is met so often, so that parts of the federation that lost
/// each other always meet again; the session lasts as long.
const BRIDGE_EVERY: Duration = Duration::from_secs(60);
/// Dials under way at once: a node with thousands of members must not open thousands of sockets.
const DIALS_MAX: usize = 16;

/// What this node needs to speak with others.
#[derive(Debug, Clone)]
pub struct PeersConfig {
    /// Shown to the other end.
    pub shown: Arc<Shown>,
    /// Sessions wanted, besides the pinned ones.
    pub degree: usize,
    /// TCP, TLS and HTTP/2 must stand within this time.
    pub connect_timeout: Duration,
}

/// Our business with other nodes. Cheap to clone.
#[derive(Clone)]
pub struct Peers {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) engine: Engine,
    pub(crate) store: Arc<dyn EntryStore>,
    pub(crate) config: PeersConfig,
    pub(crate) book: Book,
    pub(crate) pins: Mutex<Pins>,
    next_conn: AtomicU64,
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
}

impl std::fmt::Debug for Peers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Peers").field("config", &self.shared.config).finish_non_exhaustive()
    }
}

impl Peers {
    /// Starts to look for peers.
    #[must_use]
    pub fn start(engine: Engine, store: Arc<dyn EntryStore>, config: PeersConfig, pins: Pins) -> Self {
        let shared = Arc::new(Shared {
            engine,
            store,
            config,
            book: Book::default(),
            pins: Mutex::new(pins),
            next_conn: AtomicU64::new(1),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        });
        let looking = shared.clone();
        shared.tasks.spawn(async move { looking.look().await });
        Self { shared }
    }

    /// Ends all sessions and waits for their tasks.
    pub async fn stop(&self) {
        self.shared.stop.cancel();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
    }

    /// Always keep a session with this member. Durable on return.
    ///
    /// # Errors
    /// [`PinsError`]; nothing changed.
    pub fn pin(&self, member: Origin, handle: &str, endpoint: &str) -> Result<(), PinsError> {
        self.shared.pins().add(handle, endpoint)?;
        self.shared.book.retry_now(member);
        Ok(())
    }

    /// Takes [`Peers::pin`] back. Returns whether it was pinned. Durable on return.
    ///
    /// # Errors
    /// [`PinsError`]; nothing changed.
    pub fn unpin(&self, handle: &str) -> Result<bool, PinsError> {
        self.shared.pins().remove(handle)
    }

    /// Everybody this node exchanges with, wants to, or has tried.
    #[must_use]
    pub fn list(&self) -> BTreeMap<Origin, PeerStatus> {
        let view = self.shared.engine.view();
        let wanted = self.shared.wanted(&view);
        let pinned = self.shared.pinned(&view);
        let mut list: BTreeMap<Origin, PeerStatus> = BTreeMap::new();
        for origin in wanted.iter().chain(view.sessions.keys()) {
            let mut status = self.shared.book.status(*origin);
            if let Some(session) = view.sessions.get(origin) {
                status.state = PeerState::Connected;
                status.dialled = session.dialled;
                status.since_ms = session.since_ms;
                status.lag_entries = session.lag_entries;
                status.last_contact_ms = now_ms();
                status.last_error = String::new();
            } else if status.state == PeerState::Connected {
                status.state = PeerState::Idle;
            }
            if status.endpoint.is_empty() {
                status.endpoint =
                    self.shared.endpoints(&view, *origin).into_iter().next().unwrap_or_default();
            }
            status.pinned = pinned.contains(origin);
            list.insert(*origin, status);
        }
        list
    }
}

impl Shared {
    pub(crate) fn next_conn(&self) -> ConnId {
        ConnId(self.next_conn.fetch_add(1, Ordering::Relaxed))
    }

    fn pins(&self) -> std::sync::MutexGuard<'_, Pins> {
        self.pins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pinned(&self, view: &View) -> BTreeSet<Origin> {
        let pins = self.pins();
        let member =
            |handle: &str| view.roster.current().member_by_handle(handle).map(|member| member.origin);
        pins.handles().filter_map(member).collect()
    }

    fn wanted(&self, view: &View) -> BTreeSet<Origin> {
        wanted_peers(view.me, &self.pinned(view), &view.roster, self.config.degree)
    }

    /// Where a member may be reached: what an operator said first, then what its log or the roster says.
    fn endpoints(&self, view: &View, origin: Origin) -> Vec<String> {
        let Some(member) = view.roster.member(origin) else { return Vec::new() };
        let said = self.pins().endpoint(&member.handle);
        said.into_iter().chain(view.roster.endpoints(origin).iter().cloned()).collect()
    }

    /// The keys that speak for a member, under the roster of this moment.
    fn keys(view: &View, origin: Origin) -> Vec<PublicKey> {
        view.roster.transport_keys(origin).to_vec()
    }

    /// Dials who is wanted and not there, until stopped.
    async fn look(self: Arc<Self>) {
        let started_ms = now_ms();
        let mut bridged = Instant::now();
        loop {
            let view = self.engine.view();
            let wanted = self.wanted(&view);
            for origin in &wanted {
                let yields = view.me > *origin && now_ms() < started_ms + YIELD_MS;
                if !view.sessions.contains_key(origin) && !yields {
                    self.clone().dial_if_due(&view, *origin, None);
                }
            }
            if bridged.elapsed() >= BRIDGE_EVERY {
                bridged = Instant::now();
                self.clone().bridge(&view, &wanted);
            }
            tokio::select! {
                // Stopping first: nothing else matters then.
                biased;
                () = self.stop.cancelled() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// Meets a random member outside the overlay for a while.
    fn bridge(self: Arc<Self>, view: &View, wanted: &BTreeSet<Origin>) {
        let others = view.roster.current().members().values().filter(|member| {
            let known = member.origin == view.me || wanted.contains(&member.origin);
            member.is_active() && !known && !view.sessions.contains_key(&member.origin)
        });
        let others: Vec<_> = others.map(|member| member.origin).collect();
        let chosen = getrandom::u64().map_or(0, |random| random as usize).checked_rem(others.len());
        if let Some(chosen) = chosen {
            self.dial_if_due(view, others[chosen], Some(BRIDGE_EVERY));
        }
    }

    fn dial_if_due(self: Arc<Self>, view: &View, origin: Origin, lifetime: Option<Duration>) {
        let endpoints = self.endpoints(view, origin);
        let Some(endpoint) = self.book.begin(origin, &endpoints, DIALS_MAX) else { return };
        let keys = Self::keys(view, origin);
        let shared = self.clone();
        self.tasks.spawn(async move { shared.dial(origin, endpoint, keys, lifetime).await });
    }
}
