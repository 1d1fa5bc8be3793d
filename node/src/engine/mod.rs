//! The single owner of the ledger's state and the stores, on a thread of its own because a flush blocks.
//!
//! Everything that changes something goes through [`Engine`]: writes of operators, which are committed in groups
//! (one fdatasync serves all that wait), and what peers send. Reading goes past it, through [`read::ReadHandle`],
//! which has no way to write. Nothing is acknowledged before it is durable, nothing announced before it is stored.

use std::sync::Arc;

use arc_swap::ArcSwap;
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::{CancellationToken, DropGuard};
use wego_ledger::{
    log::FIRST_EPOCH,
    session::ConnId,
    state::{Input, NotWritable, Start, State},
};
use wego_proto::{
    entry::Unverified,
    id::{Hash, Origin, Position, RecordId, RequestId},
    key::PublicKey,
    v1,
};

use crate::{
    records::Records,
    store::{
        EntryStore, HeadLock, Projection, StoreError, anchor::Anchor, roster_files::RosterFiles, space::Space,
    },
};

mod applied;
pub mod backup;
pub mod bell;
mod ending;
mod erasure;
mod events;
pub mod follow;
pub mod governance;
pub mod orders;
mod own_log;
mod perform;
mod publish;
pub mod read;
mod running;
mod unprojected;
pub mod view;
pub mod words;
mod worker;
mod write;

pub use own_log::{key_in_force, restore_own, salvage_own};
pub use running::Running;
use view::View;

/// What may wait from peers; above it their connections are read no further.
pub const PEER_QUEUE_MAX: usize = 1_024;

/// One intended change of one record.
#[derive(Debug, Clone)]
pub struct Write {
    /// The client's name for it: the same id yields the same entry.
    pub request_id: RequestId,
    /// The record.
    pub record_id: RecordId,
    /// Number of the record's kind.
    pub record_kind: u32,
    /// What to do with it.
    pub act: Act,
    /// Whether to do it.
    pub mode: Mode,
}

/// What to do with a record.
#[derive(Debug, Clone)]
pub enum Act {
    /// A first or new version.
    Put {
        /// Encoded record.
        content: Vec<u8>,
        /// Hash of the newest version the editor saw.
        expected_base: Option<Hash>,
        /// Whether a record that does not exist may be created.
        existence: Existence,
    },
    /// Withdraw it.
    Retract {
        /// Encoded [`v1::Retraction`].
        content: Vec<u8>,
    },
    /// Have its contents erased everywhere.
    Erase {
        /// Why: the number of a [`v1::EraseReason`].
        reason: u32,
    },
}

/// Whether a record must exist before the write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existence {
    /// Created when it does not.
    Optional,
    /// Refused when it does not.
    Required,
}

/// Whether a write is made or only judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Made.
    Commit,
    /// Judged.
    DryRun,
}

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// The record: of a repeated request, the one it was given then.
    pub record_id: RecordId,
    /// Created, revised, unchanged, retracted or erased.
    pub outcome: v1::Outcome,
    /// The entry; of UNCHANGED the newest one; none after a dry run.
    pub entry: Option<(Position, Hash)>,
}

/// Why a write was refused. Nothing was written.
#[derive(Debug, Error)]
pub enum WriteError {
    /// The node may not write.
    #[error("this node may not write")]
    NotWritable(NotWritable),
    /// The newest version is another than the one the editor saw.
    #[error("the record has changed since version {expected} was read; its newest is {newest}")]
    Stale {
        /// What the editor saw.
        expected: Hash,
        /// What is there.
        newest: Hash,
    },
    /// No such record of this member.
    #[error("no record {0} of this member")]
    NotFound(RecordId),
    /// The record belongs to somebody else.
    #[error("record {record} belongs to member {owner}")]
    NotOwner {
        /// Which.
        record: RecordId,
        /// Whose.
        owner: Origin,
    },
    /// A record keeps its kind.
    #[error("record {0} is of another kind")]
    OtherKind(RecordId),
    /// The store refused; shared by all writes of one group.
    #[error("the entry could not be stored")]
    Store(#[source] Arc<StoreError>),
    /// The node is stopping.
    #[error("the node is stopping")]
    Stopping,
    /// Too many writes wait.
    #[error("too many writes wait")]
    Busy,
}

/// What goes out on a connection, in order.
#[derive(Debug)]
pub enum Outgoing {
    /// A message.
    Message(v1::session_message::Body),
    /// The answer to a pull, read from the store while it is sent.
    Serve(v1::Pull, Vec<v1::Entry>),
    /// Close, after telling why if there is a reason to tell.
    Close(Option<v1::Reject>),
}

/// Where the engine puts what is for one connection. Dropping it tells the connection to end.
#[derive(Debug)]
pub struct Outbox {
    sender: mpsc::Sender<Outgoing>,
    _gone: DropGuard,
}

impl Outbox {
    /// An outbox for `max` messages, what takes them out, and the word that the engine let go of it: a connection
    /// whose peer reads nothing cannot find that in its messages.
    #[must_use]
    pub fn new(max: usize) -> (Self, mpsc::Receiver<Outgoing>, CancellationToken) {
        let (sender, receiver) = mpsc::channel(max);
        let gone = CancellationToken::new();
        (Self { sender, _gone: gone.clone().drop_guard() }, receiver, gone)
    }

    /// Returns whether it was taken.
    fn put(&self, outgoing: Outgoing) -> bool {
        self.sender.try_send(outgoing).is_ok()
    }
}

/// Leave for one message of a connection to wait in the engine's queue.
pub type Credit = tokio::sync::OwnedSemaphorePermit;

/// What comes in on connections.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a queue slot costs less than an allocation for every message")]
pub enum FromPeer {
    /// A connection stands; what is for it goes into `outbox`.
    Connected {
        /// The connection.
        conn: ConnId,
        /// Whose transport key is at the other end.
        member: Origin,
        /// That key.
        speaker: PublicKey,
        /// Who opened it.
        side: wego_ledger::session::Side,
        /// Takes what is for it; when it is full the connection is dropped.
        outbox: Outbox,
    },
    /// Anything else.
    Input(Input),
}

/// What comes to the engine. Operators and peers have queues of their own, so that neither can keep the other out.
#[derive(Debug)]
pub(crate) struct Commands {
    writes: mpsc::Receiver<worker::Waiting>,
    peers: mpsc::Receiver<(FromPeer, Option<Credit>)>,
    questions: mpsc::Receiver<backup::Question>,
    orders: mpsc::Receiver<orders::Order>,
    submits: mpsc::Receiver<governance::Submission>,
    stop: CancellationToken,
}

/// A handle on the engine. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Engine {
    writes: mpsc::Sender<worker::Waiting>,
    peers: mpsc::Sender<(FromPeer, Option<Credit>)>,
    questions: mpsc::Sender<backup::Question>,
    orders: mpsc::Sender<orders::Order>,
    submits: mpsc::Sender<governance::Submission>,
    stop: CancellationToken,
    view: Arc<ArcSwap<View>>,
}

/// What the engine runs on.
pub struct Parts {
    /// What the state starts from; its heads and forks are read from the store.
    pub start: Start,
    /// The own log's head.
    pub lock: Box<dyn HeadLock>,
    /// All entries.
    pub store: Arc<dyn EntryStore>,
    /// The roster's versions.
    pub rosters: RosterFiles,
    /// Where it is noted that the own log is written here.
    pub anchor: Anchor,
    /// What each record is: for the newest version of one being written.
    pub records: Arc<Records>,
    /// What follows the store besides the eraser, each with how far it is.
    pub projections: Vec<(Arc<dyn Projection>, follow::Progress)>,
    /// Rung when something was stored.
    pub bell: Arc<bell::Bell>,
    /// The disk guard, for the view.
    pub space: Arc<dyn Space>,
    /// Writes that may wait; above it writers are told to come back.
    pub writes_max: usize,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").field("start", &self.start).finish_non_exhaustive()
    }
}

impl Engine {
    /// Writes, and answers when the entry is durable.
    ///
    /// # Errors
    /// [`WriteError`]; nothing was written.
    pub async fn write(&self, write: Write) -> Result<Written, WriteError> {
        self.write_after(write, || {}).await
    }

    /// As [`Engine::write`]. `before` runs on the engine's thread when an entry is about to be made durable and nothing
    /// but the disk can prevent it, so that the caller can make something else durable at the same time. It must not
    /// block.
    ///
    /// # Errors
    /// [`WriteError`]; nothing was written.
    pub async fn write_after(
        &self,
        write: Write,
        before: impl FnOnce() + Send + 'static,
    ) -> Result<Written, WriteError> {
        let (reply, answer) = oneshot::channel();
        let waiting = worker::Waiting { write, before: Box::new(before), reply };
        self.writes.try_send(waiting).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => WriteError::Busy,
            mpsc::error::TrySendError::Closed(_) => WriteError::Stopping,
        })?;
        answer.await.unwrap_or(Err(WriteError::Stopping))
    }

    /// Hands in what happened on a connection. Returns whether the engine still runs.
    pub async fn peer(&self, from: FromPeer) -> bool {
        self.peers.send((from, None)).await.is_ok()
    }

    /// Hands in what a peer said, once it is handled giving `credit` back: a connection has few of them, so it is
    /// slowed down before its messages fill the queue that all connections share.
    ///
    /// Returns whether the engine still runs.
    pub async fn peer_says(&self, input: Input, credit: Credit) -> bool {
        self.peers.send((FromPeer::Input(input), Some(credit))).await.is_ok()
    }

    /// What the engine knows, as of a moment ago.
    #[must_use]
    pub fn view(&self) -> Arc<View> {
        self.view.load_full()
    }

    /// The view's cell, for readers.
    #[must_use]
    pub fn view_cell(&self) -> Arc<ArcSwap<View>> {
        self.view.clone()
    }
}

/// The state from what is durable: heads, openings and forks of the store, checked again where something follows from
/// them.
fn state_from(mut start: Start, store: &dyn EntryStore) -> Result<State, StoreError> {
    // Lower epochs first, so that each opening finds the epoch it continues from.
    for ((origin, epoch), (seq, hash)) in store.heads()? {
        let at = Position { epoch, seq };
        // A record that is damaged is met by whoever reads it; it must not keep the node from starting.
        let read = |at| {
            Ok::<_, StoreError>(store.entry(origin, at)?.and_then(|entry| Unverified::parse(entry).ok()))
        };
        if epoch > FIRST_EPOCH
            && let Some(opening) = read(Position { epoch, seq: 1 })?
        {
            match start.roster.judge(opening) {
                Ok(opened) => {
                    start.roster.hold(origin, opened);
                }
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(origin = origin.0, epoch, error, "a stored epoch is not believed");
                }
            }
        }
        let hlc_ms = read(at)?.map_or(0, |last| last.header().hlc_ms);
        start.heads.push((origin, wego_ledger::log::Head { at, hash }, hlc_ms));
    }
    start.forks.extend(store.forks()?.into_values());
    start.receipts = store.receipts()?.into_values().collect();
    Ok(State::new(start))
}
