//! Assembly: configuration, keys and listeners in; a running node out; and the way back.
//!
//! Order of the start: keys, roster, stores, audit log, followers, engine, peers, doors. Order of the stop: peers,
//! doors, engine, followers, audit log. Nothing is decided here.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use wego_ledger::{
    roster::History,
    session::{self, Me},
    state::{Settings, Start},
};
use wego_proto::{id::Origin, key::PublicKey};

use crate::{
    audit::{self, AUDIT_DIR},
    clock::now_ms,
    config::Config,
    engine::{
        self, Engine, Parts, Running,
        bell::Bell,
        follow::Follower,
        read::{Noticed, ReadHandle, Sources},
    },
    enrolment::{Book, Enrolment},
    keys::{LogKeys, NodeKeys, TransportKeys},
    operators::{Operators, OperatorsError},
    peers::{Peers, PeersConfig, Pins},
    rpc::BackupDoor,
    store::{StoreError, anchor::Anchor},
    tls::{Face, Shown},
    transport::{Transport, TransportError},
};

mod aside;
mod audit_log;
mod doors;
mod followed;
mod footing;
pub mod restore;
mod rosters;
pub mod run;
mod start_error;
pub mod stores;

pub use rosters::RosterFileError;
pub use start_error::StartError;

/// Name of the file of pinned peers in the data folder.
const PINS_FILE: &str = "peers.toml";
/// Name of the folder of invites in the data folder.
const INVITES_DIR: &str = "invites";
/// TCP, TLS and HTTP/2 of a dial must stand within this time.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The sockets a node listens on, bound by the caller.
#[derive(Debug)]
pub struct Listeners {
    /// For other nodes.
    pub peers: TcpListener,
    /// For operators.
    pub clients: TcpListener,
    /// For web pages.
    pub portal: Option<TcpListener>,
}

/// A running node.
#[derive(Debug)]
pub struct Node {
    engine: Engine,
    running: Running,
    reader: ReadHandle,
    peers: Peers,
    transport: Transport,
    operators: Arc<ArcSwap<Operators>>,
    bell: Arc<Bell>,
    followers: Vec<Follower>,
    audit: audit::Writer,
    doors: Vec<JoinHandle<()>>,
    closing: CancellationToken,
    drain: Duration,
    addresses: Addresses,
    operators_path: PathBuf,
}

/// Where a node listens.
#[derive(Debug, Clone, Copy)]
pub struct Addresses {
    /// For other nodes.
    pub peers: SocketAddr,
    /// For operators.
    pub clients: SocketAddr,
    /// For web pages.
    pub portal: Option<SocketAddr>,
}

impl Node {
    /// Starts a node on bound sockets.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(config: &Config, listeners: Listeners) -> Result<Self, StartError> {
        let config = config.clone();
        let opened =
            tokio::task::spawn_blocking(move || Opened::open(&config).map(|opened| (opened, config)));
        let (opened, config) = opened.await.map_err(|error| {
            let source = std::io::Error::other(error);
            StartError::Store(StoreError::Io { what: "opening the stores", source })
        })??;
        Self::assemble(&config, opened, listeners)
    }

    fn assemble(config: &Config, opened: Opened, listeners: Listeners) -> Result<Self, StartError> {
        let stores::Stores { lock, store, rosters, records, search, space } = opened.stores;
        let parts = Parts {
            start: opened.start,
            lock,
            store: store.clone(),
            rosters,
            anchor: opened.anchor,
            records: records.clone(),
            bell: opened.bell.clone(),
            space,
            writes_max: config.limits.publish_queue_max,
            projections: Vec::new(),
        };
        let (running, followers) = followed::run(parts, search.clone())?;
        let engine = running.engine.clone();
        let counters = doors::DoorCounters::default();
        let reader = ReadHandle::new(Sources {
            view: engine.view_cell(),
            store: store.clone(),
            records,
            search,
            records_progress: followers[0].progress(),
            search_progress: followers[1].progress(),
            doors: vec![counters.peers.clone(), counters.clients.clone()],
            noticed: opened.noticed.into_iter().chain(aside::noticed(&config.node.data_dir)).collect(),
        });
        let (keys_dir, data_dir) = (config.node.keys_dir.clone(), config.node.data_dir.clone());
        let backups = BackupDoor::new(engine.clone(), store.clone(), keys_dir, data_dir);
        let peers = Peers::start(engine.clone(), store, peers_config(config, &opened.shown), opened.pins);
        let enrolment = Enrolment::new(opened.invites, engine.view_cell(), opened.shown.clone());
        let operators = Arc::new(ArcSwap::from_pointee(opened.operators));
        let audit = audit::Writer::start(&config.node.data_dir.join(AUDIT_DIR), opened.audit_log, now_ms)?;
        let closing = CancellationToken::new();
        let transport = transport(config, &engine, &opened.shown, audit.audit());
        let front = doors::Front {
            config,
            shown: &opened.shown,
            transport: &transport,
            engine: &engine,
            reader: &reader,
            peers: &peers,
            enrolment: &enrolment,
            backups: &backups,
            operators: &operators,
            audit: &audit.audit(),
            closing: &closing,
            counters: &counters,
        };
        let (mut doors, addresses) = front.open(listeners)?;
        doors.push(audit_log::check(audit.audit(), reader.view().own_log_keys()));
        doors.push(tokio::spawn(transport.clone().look_after(closing.clone())));
        tracing::info!(member = opened.me.0, peers = %addresses.peers, clients = %addresses.clients, "node up");
        Ok(Self {
            engine,
            running,
            reader,
            peers,
            transport,
            operators,
            bell: opened.bell,
            followers,
            audit,
            doors,
            closing,
            drain: config.limits.drain,
            addresses,
            operators_path: config.node.operators.clone(),
        })
    }

    /// Writes and peers' input.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Reads.
    #[must_use]
    pub fn reader(&self) -> &ReadHandle {
        &self.reader
    }

    /// Where it listens.
    #[must_use]
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// Reads the operators file again; on an error the old list stays.
    ///
    /// # Errors
    /// [`OperatorsError`].
    pub fn reload_operators(&self) -> Result<(), OperatorsError> {
        let read = Operators::load(&self.operators_path);
        self.audit.audit().note(audit_log::reloaded(&read));
        self.operators.store(Arc::new(read?));
        Ok(())
    }

    /// Reads transport key and certificate again; on an error what was shown is shown on.
    ///
    /// # Errors
    /// [`TransportError`].
    pub async fn reload_transport(&self) -> Result<(), TransportError> {
        self.transport.read_again().await
    }

    /// Stops within the drain time: no new work, open calls end, everything is flushed.
    pub async fn stop(self) {
        self.closing.cancel();
        self.peers.stop().await;
        for mut door in self.doors {
            // A call that does not end is cut; its client finds the outcome by its request id.
            if tokio::time::timeout(self.drain, &mut door).await.is_err() {
                door.abort();
            }
        }
        self.running.stop().await;
        self.bell.stop();
        let (followers, audit) = (self.followers, self.audit);
        let joined = tokio::task::spawn_blocking(move || {
            followers.into_iter().for_each(Follower::join);
            audit.stop();
        })
        .await;
        if joined.is_err() {
            tracing::error!("a projection could not be joined");
        }
    }
}

fn peers_config(config: &Config, shown: &Arc<Shown>) -> PeersConfig {
    let (shown, degree) = (shown.clone(), config.peers.degree);
    PeersConfig { shown, degree, connect_timeout: CONNECT_TIMEOUT }
}

fn transport(config: &Config, engine: &Engine, shown: &Arc<Shown>, audit: audit::Audit) -> Transport {
    let keys = TransportKeys::of(&config.node.keys_dir, &config.node.handle);
    Transport::new(engine.clone(), keys, shown.clone(), audit, config.peers.transport_overlap)
}

/// Everything a node needs from its disk.
struct Opened {
    shown: Arc<Shown>,
    operators: Operators,
    start: Start,
    me: Origin,
    stores: stores::Stores,
    anchor: Anchor,
    pins: Pins,
    invites: Book,
    bell: Arc<Bell>,
    audit_log: audit::Log,
    noticed: Vec<Noticed>,
}

impl Opened {
    fn open(config: &Config) -> Result<Self, StartError> {
        restore::is_finished(config)?;
        let mut keys = NodeKeys::load(&config.node.keys_dir)?;
        let path = &config.node.operators;
        let operators =
            Operators::load(path).map_err(|source| StartError::Operators { path: path.clone(), source })?;
        let rosters = rosters::open(config)?;
        let roster = rosters::history(&rosters)?;
        let me = own_member(config, &keys, &roster)?;
        let mut stores = stores::Stores::open(config, me, rosters)?;
        stores.salvage(config, me, &roster)?;
        // A crash may have come between an epoch and its key.
        let in_force = engine::key_in_force(stores.lock.as_mut(), stores.store.as_ref(), me, &roster)?;
        if let Some(in_force) = in_force.filter(|in_force| *in_force != keys.log.public())
            && LogKeys::of(&config.node.keys_dir).settle(&in_force)?
        {
            keys = NodeKeys::load(&config.node.keys_dir)?;
        }
        let pins = Pins::open(&config.node.data_dir.join(PINS_FILE))?;
        let invites = Book::open(&config.node.data_dir.join(INVITES_DIR))?;
        let noticed = rosters::unread(config).into_iter().collect();
        let audit_log = audit_log::open(config, stores.space.clone())?;
        let anchor = Anchor::of(&config.node.data_dir);
        let (footing, previous_run) = footing::of(&anchor, stores.lock.load()?.is_none())?;
        let now_ms = now_ms();
        let last = anchor.last_start().map_or(0, |last| last.started_ms);
        let mut id = [0; 16];
        getrandom::fill(&mut id)?;
        let start = Start {
            me: Me {
                origin: me,
                federation: roster.federation(),
                store: stores.store.store_id(),
                node_id: *keys.transport_key.as_bytes(),
                software: format!("wego-node/{}", env!("CARGO_PKG_VERSION")),
                // Later than the last one, whatever the clock says: the later of two starts goes on.
                run: session::Start::sign(me, id, now_ms.max(last + 1), &roster.federation(), &keys.log),
            },
            key: keys.log,
            roster,
            heads: Vec::new(),
            locked: None,
            forks: Vec::new(),
            receipts: Vec::new(),
            footing,
            previous_run,
            now_ms,
            seed: getrandom::u64()?,
            settings: Settings {
                sessions_max: config.peers.sessions_max,
                anti_entropy_ms: config.peers.anti_entropy.as_millis() as u64,
                receipts_ms: config.peers.receipts.as_millis() as u64,
                quorum: config.peers.recovery_quorum,
            },
        };
        Ok(Self {
            shown: Shown::new(Face { identity: keys.transport, key: keys.transport_key }),
            operators,
            start,
            me,
            stores,
            anchor,
            pins,
            invites,
            bell: Arc::new(Bell::default()),
            audit_log,
            noticed,
        })
    }
}

/// The member this node speaks for: named in the configuration, with this node's keys in the roster, or keys that they
/// took over from. What took over since is known to the log alone, which may still have to come from the peers.
fn own_member(config: &Config, keys: &NodeKeys, roster: &History) -> Result<Origin, StartError> {
    let current = roster.current();
    let member = current.member_by_handle(&config.node.handle);
    let member = member.filter(|member| {
        let given = |key: &PublicKey| {
            member.log_keys.iter().any(|given| given.key == *key) || member.transport_keys.contains(key)
        };
        given(&keys.log.public()) || given(&keys.transport_key) || keys.former.iter().any(given)
    });
    member.map(|member| member.origin).ok_or_else(|| StartError::NotAMember {
        handle: config.node.handle.clone(),
        version: current.version(),
    })
}
