//! What goes into a state and what comes out of it.

use wego_proto::{
    entry::{EndpointChange, Payload, Verified},
    epochs::Rank,
    id::{Hash, Origin, RecordId, RequestId},
    key::{PublicKey, SecretKey},
    presence::Presentation,
    v1::{self, session_message::Body},
};

use super::Applied;
#[cfg(doc)]
use super::State;
use crate::{
    fork::ForkEvidence,
    heads::LogKey,
    log::{Head, Run},
    receipt::Receipt,
    reject::Reject,
    session::{ConnId, Side},
};

/// What happened.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "lives for one turn; most are the large one, entries that came"
)]
pub enum Input {
    /// A connection stands whose other end's transport key speaks for `member`.
    Connected {
        /// The connection.
        conn: ConnId,
        /// The member.
        member: Origin,
        /// That key.
        speaker: PublicKey,
        /// Who opened it.
        side: Side,
    },
    /// A message came. Entries come as [`Input::Entries`] instead, their run verified.
    Received {
        /// From where.
        conn: ConnId,
        /// What.
        body: Body,
    },
    /// Entries came, and were verified with [`Run::verify`].
    Entries {
        /// From where.
        conn: ConnId,
        /// The pull they answer.
        request: u32,
        /// The entries; none when the peer had none.
        run: Option<Run>,
        /// Whether it was the last of the answer.
        done: bool,
    },
    /// A message came that is refused before it reaches the state: malformed, or entries that do not verify.
    Refused {
        /// From where.
        conn: ConnId,
        /// Why.
        reject: Reject,
    },
    /// The connection is gone.
    Closed {
        /// Which.
        conn: ConnId,
    },
    /// The answer to [`Output::Serve`] has been sent.
    Served {
        /// To where.
        conn: ConnId,
    },
    /// The operator wants to write: one group commit.
    Append(Vec<Draft>),
    /// The operator opens an own epoch: the opening, and the log key that signs in it.
    Open {
        /// Made of [`State::opening`], signed by the key that its rank asks for.
        opening: Box<Verified>,
        /// The log key from here on.
        key: SecretKey,
    },
    /// The machine's time has moved without this process: it may have been put back to an earlier state.
    TimeJumped,
    /// The run of [`Output::Lock`] is durable.
    Locked,
    /// The run of [`Output::Lock`] was refused; nothing of it exists.
    LockFailed,
    /// The run of [`Output::Store`] is in the store.
    Stored {
        /// The author.
        origin: Origin,
        /// The last entry.
        head: Head,
        /// The author's clock in it.
        hlc_ms: u64,
        /// Whether the run says something of its author's endpoints.
        endpoints: bool,
        /// Whether it says something of its author's names or portal.
        presentation: bool,
    },
    /// The run of [`Output::Store`] or [`Output::Recover`] was refused.
    StoreFailed {
        /// Which log.
        key: LogKey,
    },
    /// What [`Output::Compare`] found.
    Compared {
        /// The peer that sent the other history.
        conn: ConnId,
        /// Which log.
        key: LogKey,
        /// The finding.
        difference: Difference,
    },
    /// What [`Output::LookUpEndpoints`] found, oldest first.
    Endpoints {
        /// Whose log.
        origin: Origin,
        /// The headers that change its endpoints.
        headers: Vec<wego_proto::entry::Header>,
    },
    /// What [`Output::LookUpPresentation`] found.
    Presentation {
        /// Whose log.
        origin: Origin,
        /// The header, if there is one.
        header: Option<Box<wego_proto::entry::Header>>,
    },
    /// What [`Output::LookUp`] found.
    LookedUp {
        /// Which log.
        key: LogKey,
        /// Which position.
        seq: u64,
        /// The hash of the entry held there.
        hash: Hash,
    },
    /// [`Output::Rewind`] is durable.
    Rewound {
        /// Which log.
        key: LogKey,
        /// Its last entry.
        head: Option<Head>,
    },
    /// The proof of [`Output::KeepFork`] is durable.
    ForkKept {
        /// The proof.
        evidence: ForkEvidence,
    },
    /// The versions of [`Output::KeepRoster`] or [`Output::SwitchRoster`] are durable.
    RosterKept,
    /// Entries are durable in the store, and every erasure among them has been carried out in all that is kept.
    Applied(Applied),
    /// Receipts came, and were verified with [`super::verify_receipts`].
    Receipts {
        /// From where.
        conn: ConnId,
        /// What.
        receipts: Vec<Receipt>,
    },
    /// The operator hands in roster versions; see [`State::judge_rosters`].
    Submitted(Vec<v1::SignedRoster>),
    /// The proposal of [`Output::KeepProposal`] is durable.
    ProposalKept(v1::SignedRoster),
    /// The versions of [`Output::KeepConflict`] are durable.
    ConflictKept(Vec<v1::SignedRoster>),
    /// Time has passed: see [`State::next_deadline_ms`].
    Tick,
}

/// What an operator wants to say; the core gives it its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Number of a [`v1::EntryKind`].
    pub kind: i32,
    /// The record it concerns.
    pub record_id: Option<RecordId>,
    /// The entry it supersedes.
    pub base: Option<Hash>,
    /// Number of the record's kind.
    pub record_kind: u32,
    /// The client's name for the write.
    pub request_id: RequestId,
    /// The record's bytes, with a nonce the caller drew.
    pub payload: Option<Payload>,
    /// Of an erasure, why: the number of a [`v1::EraseReason`].
    pub erase: Option<u32>,
    /// With [`v1::EntryKind::Endpoint`]: where and as whom this member is reached from here on.
    pub endpoint_change: Option<EndpointChange>,
    /// With [`v1::EntryKind::Presentation`]: how this member is called from here on.
    pub presentation: Option<Presentation>,
}

/// Where a received history parts from the one held.
#[derive(Debug)]
pub enum Difference {
    /// Here: two signed entries with one predecessor.
    Fork(Box<ForkEvidence>),
    /// Before this sequence number: entries further back are needed.
    Before(u64),
    /// Nowhere.
    None,
}

/// What the driver must do, in order.
#[derive(Debug)]
pub enum Output {
    /// Make own entries durable in the head lock; answer [`Input::Locked`] or [`Input::LockFailed`].
    Lock(Run),
    /// Put own entries that peers had into the lock and the store; answer [`Input::Stored`] or [`Input::StoreFailed`].
    Recover(Run),
    /// Make durable that the own log may be written here, before anything is signed.
    Anchor,
    /// Find the hash of the entry held at a position; answer [`Input::LookedUp`], if there is one.
    LookUp {
        /// Which log.
        key: LogKey,
        /// Which position.
        seq: u64,
    },
    /// Find the first [`crate::limits::ENDPOINT_CHANGES_MAX`] entries of these epochs, up to the sequence numbers beside
    /// them, that change their author's endpoints; answer [`Input::Endpoints`].
    LookUpEndpoints {
        /// Whose log.
        origin: Origin,
        /// The epochs that count, oldest first, each with the last sequence number that does.
        within: Vec<(u32, u64)>,
    },
    /// Find the last entry of these epochs, up to the sequence numbers beside them, that says what its author is called;
    /// answer [`Input::Presentation`].
    LookUpPresentation {
        /// Whose log.
        origin: Origin,
        /// As in [`Output::LookUpEndpoints`].
        within: Vec<(u32, u64)>,
    },
    /// Set aside what is held of a log after a position: another history counts. Answer [`Input::Rewound`].
    Rewind {
        /// Which log.
        key: LogKey,
        /// Last position to keep; 0 for none.
        after: u64,
    },
    /// Put entries into the store; answer [`Input::Stored`] or [`Input::StoreFailed`].
    Store(Run),
    /// Send a message.
    Send(ConnId, Body),
    /// Answer a pull from the store, the first part with these openings beside it; answer [`Input::Served`] when sent.
    Serve(ConnId, v1::Pull, Vec<v1::Entry>),
    /// Send the reject, then close.
    Disconnect(ConnId, Reject),
    /// Close without a word.
    Close(ConnId),
    /// Compare a run with the entries held at its positions; answer [`Input::Compared`].
    Compare(ConnId, Run),
    /// Make a fork proof durable; answer [`Input::ForkKept`].
    KeepFork(ForkEvidence),
    /// Keep receipts, each in place of the member's earlier one. Nothing waits for it: a lost one is made or sent again.
    KeepReceipts(Vec<(Origin, v1::SignedReceipt)>),
    /// Make roster versions durable; answer [`Input::RosterKept`].
    KeepRoster(Vec<v1::SignedRoster>),
    /// Make these versions durable instead of those from the first one's number on, which [`Output::KeepConflict`] has
    /// kept; answer [`Input::RosterKept`].
    SwitchRoster(Vec<v1::SignedRoster>),
    /// Make a proposal durable, instead of an earlier copy of it; answer [`Input::ProposalKept`].
    KeepProposal(v1::SignedRoster),
    /// Forget proposals. Should one come back after a restart, it is dropped again.
    DropProposals(Vec<Hash>),
    /// Make versions of a conflict durable; answer [`Input::ConflictKept`].
    KeepConflict(Vec<v1::SignedRoster>),
    /// Tell whoever watches.
    Notify(Event),
}

/// Something an operator may want to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A session with a member is open.
    SessionOpened(Origin),
    /// The session with a member ended.
    SessionClosed(Origin),
    /// Two histories of one member are proved.
    ForkProved(Origin),
    /// A new epoch of a member's log is open.
    EpochOpened {
        /// Whose.
        origin: Origin,
        /// Its number.
        number: u32,
        /// Who opened it.
        rank: Rank,
    },
    /// Entries of a member were set aside, because another history of its log counts.
    HistorySetAside(Origin),
    /// A member says something new of its endpoints or transport keys.
    EndpointsChanged(Origin),
    /// A member is called otherwise, or has its pages elsewhere.
    PresentationChanged(Origin),
    /// This node may write its log.
    Anchored,
    /// A new roster version is in force.
    RosterAdopted(u64),
    /// This node may no longer write.
    WritingStopped(NotWritable),
    /// An input was refused.
    Refused(Reject),
    /// A peer has another roster under the number of the one in force here.
    RosterConflict(Origin),
    /// Two versions are fully signed under this number: no roster is adopted before one settles it.
    GovernanceConflict(u64),
    /// A version collects signatures, or got one more.
    RosterProposed(u64),
    /// A peer refused what this node sent.
    RefusedByPeer(Origin, v1::Reject),
}

/// Why this node may not write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotWritable {
    /// This start has not heard yet from enough members what they hold of the own log.
    Recovering {
        /// Members that hold nothing this node lacks.
        confirmed: usize,
        /// How many are needed.
        needed: usize,
        /// Since when they are asked, ms since 1970.
        since_ms: u64,
    },
    /// Its member is not active in the roster, or its log key is not in force.
    NotActive,
    /// The own log goes on with another log key than the one this node has.
    KeyReplaced,
    /// A peer holds entries of this member that this node lacks: it was restored from an old copy, or somebody else
    /// has its key.
    OwnLogAhead {
        /// The newest position seen.
        seen_seq: u64,
    },
    /// An epoch that this node did not open makes void what it wrote.
    Contradicted {
        /// The epoch.
        epoch: u32,
    },
    /// A later start of this member speaks.
    Twin,
    /// The own log has a proved fork that nothing has healed.
    Forked,
}
