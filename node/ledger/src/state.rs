//! The node as a value: an input and the time in, outputs out. Composition, nothing else.
//!
//! Whoever drives it must execute the outputs in order. Nothing is announced before it was stored: a note of an
//! entry exists only in answer to [`Input::Stored`], and an own entry is stored only after [`Input::Locked`].

use std::collections::{BTreeMap, BTreeSet};

use wego_proto::{
    entry::{Payload, Unverified, Verified},
    id::{Hash, Origin, RecordId, RequestId, StoreId},
    key::SecretKey,
    v1::{self, session_message::Body},
};

use crate::{
    heads::{Board, LogKey, PeerHeads},
    log::{ForkEvidence, Head, Log, Run},
    reject::Reject,
    roster::History,
    session::{ConnId, Greeting, Me, Open, Side},
};

mod forks;
mod own;
mod pulls;
mod sessions;

pub use pulls::Pull;

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// A connection stands whose other end's transport key speaks for `member`.
    Connected {
        /// The connection.
        conn: ConnId,
        /// The member.
        member: Origin,
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
    },
    /// The run of [`Output::Store`] was refused.
    StoreFailed {
        /// The author.
        origin: Origin,
    },
    /// What [`Output::Compare`] found.
    Compared {
        /// The peer that sent the other history.
        conn: ConnId,
        /// The author.
        origin: Origin,
        /// The finding.
        difference: Difference,
    },
    /// The proof of [`Output::KeepFork`] is durable.
    ForkKept(ForkEvidence),
    /// The versions of [`Output::KeepRoster`] are durable.
    RosterKept,
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
    /// Put entries into the store; answer [`Input::Stored`] or [`Input::StoreFailed`].
    Store(Run),
    /// Send a message.
    Send(ConnId, Body),
    /// Answer a pull from the store; answer [`Input::Served`] when sent.
    Serve(ConnId, v1::Pull),
    /// Send the reject, then close.
    Disconnect(ConnId, Reject),
    /// Close without a word.
    Close(ConnId),
    /// Compare a run with the entries held at its positions; answer [`Input::Compared`].
    Compare(ConnId, Run),
    /// Make a fork proof durable; answer [`Input::ForkKept`].
    KeepFork(ForkEvidence),
    /// Make roster versions durable; answer [`Input::RosterKept`].
    KeepRoster(Vec<v1::SignedRoster>),
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
    /// A new roster version is in force.
    RosterAdopted(u64),
    /// This node may no longer write.
    WritingStopped(NotWritable),
    /// An input was refused.
    Refused(Reject),
    /// A peer has another roster under the number of the one in force here.
    RosterConflict(Origin),
    /// A peer refused what this node sent.
    RefusedByPeer(Origin, v1::Reject),
}

/// Why this node may not write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotWritable {
    /// Its member is not active in the roster.
    NotActive,
    /// A peer holds entries of this member that this node lacks: it was restored from an old copy, or a twin runs.
    OwnLogAhead {
        /// The newest position seen.
        seen_seq: u64,
    },
    /// Another node speaks as this member.
    Twin,
    /// The own log has a proved fork.
    Forked,
}

/// A node's rules and what it knows, without its disk, clock and network.
#[derive(Debug)]
pub struct State {
    me: Me,
    key: SecretKey,
    key_no: u32,
    roster: History,
    pending_roster: Option<History>,
    logs: BTreeMap<Origin, Chain>,
    board: Board,
    greetings: BTreeMap<ConnId, Greeting>,
    sessions: BTreeMap<ConnId, Open>,
    memory: BTreeMap<Origin, (StoreId, PeerHeads)>,
    pulls: BTreeMap<LogKey, Pull>,
    /// Logs that some peer has more of.
    behind: BTreeSet<LogKey>,
    /// The own run being locked, and the own log before it.
    locking: Option<(Run, Log)>,
    intake_at_ms: u64,
    forks: BTreeMap<Origin, ForkEvidence>,
    not_writable: Option<NotWritable>,
    last_hlc_ms: u64,
    seen_ms: BTreeMap<Origin, u64>,
    jitter: Jitter,
    outputs: Vec<Output>,
}

/// A log as stored, and as accepted but perhaps not stored yet.
#[derive(Debug, Clone)]
struct Chain {
    stored: Log,
    accepted: Log,
}

/// What a state starts from.
#[derive(Debug)]
pub struct Start {
    /// Who this node is.
    pub me: Me,
    /// Its log key.
    pub key: SecretKey,
    /// The roster.
    pub roster: History,
    /// The heads in the store.
    pub heads: Vec<(Origin, Head)>,
    /// The fork proofs in the store.
    pub forks: Vec<v1::ForkProof>,
    /// Time of start, ms since 1970.
    pub now_ms: u64,
    /// For jitter only.
    pub seed: u64,
}

impl State {
    /// Builds the state from what is durable.
    #[must_use]
    pub fn new(start: Start) -> Self {
        let Start { me, key, roster, heads, forks, now_ms, seed } = start;
        let mut state = Self {
            key_no: own_key_no(&roster, me.origin, &key),
            board: Board::new(now_ms),
            logs: BTreeMap::new(),
            pending_roster: None,
            greetings: BTreeMap::new(),
            sessions: BTreeMap::new(),
            memory: BTreeMap::new(),
            pulls: BTreeMap::new(),
            behind: BTreeSet::new(),
            locking: None,
            intake_at_ms: 0,
            forks: BTreeMap::new(),
            not_writable: None,
            last_hlc_ms: 0,
            seen_ms: BTreeMap::new(),
            jitter: Jitter(seed),
            outputs: Vec::new(),
            me,
            key,
            roster,
        };
        for (origin, head) in heads {
            if let Some(chain) = state.chain(origin) {
                chain.stored.advance(head);
                chain.accepted.advance(head);
            }
            state.refresh_board(origin, head.at.epoch);
        }
        for proof in forks {
            if let Ok(evidence) = ForkEvidence::check(proof, &state.roster) {
                state.freeze(evidence);
            }
        }
        state.review_writing();
        state
    }

    /// Handles one input at `now_ms` (ms since 1970) and returns what to do.
    pub fn handle(&mut self, now_ms: u64, input: Input) -> Vec<Output> {
        match input {
            Input::Connected { conn, member, side } => self.connected(now_ms, conn, member, side),
            Input::Received { conn, body } => self.received(now_ms, conn, body),
            Input::Entries { conn, request, run, done } => self.entries(now_ms, conn, request, run, done),
            Input::Refused { conn, reject } => self.refuse(conn, reject),
            Input::Closed { conn } => self.closed(now_ms, conn),
            Input::Served { conn } => self.served(conn),
            Input::Append(drafts) => self.append(now_ms, drafts),
            Input::Locked => self.locked(),
            Input::LockFailed => self.lock_failed(),
            Input::Stored { origin, head, hlc_ms } => self.stored(now_ms, origin, head, hlc_ms),
            Input::StoreFailed { origin } => self.store_failed(now_ms, origin),
            Input::Compared { conn, origin, difference } => self.compared(now_ms, conn, origin, difference),
            Input::ForkKept(evidence) => self.fork_kept(evidence),
            Input::RosterKept => self.roster_kept(),
            Input::Tick => self.tick(now_ms),
        }
        self.flush_notes(now_ms);
        std::mem::take(&mut self.outputs)
    }

    /// When [`Input::Tick`] is due next, in ms.
    #[must_use]
    pub fn next_deadline_ms(&self) -> Option<u64> {
        let greetings = self.greetings.values().map(|greeting| greeting.since_ms + crate::limits::HELLO_MS);
        let compares = self.sessions.values().map(|open| open.compare_at_ms);
        let notes =
            self.sessions.values().filter(|open| !open.notes_due.is_empty()).map(|open| open.notes_at_ms);
        let stalls = self.pulls.values().map(Pull::stalls_at_ms);
        greetings.chain(compares).chain(notes).chain(stalls).chain(self.intake_deadline_ms()).min()
    }

    /// This node's member.
    #[must_use]
    pub fn me(&self) -> Origin {
        self.me.origin
    }

    /// The roster versions known.
    #[must_use]
    pub fn roster(&self) -> &History {
        &self.roster
    }

    /// The heads held, as compared with peers.
    #[must_use]
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// The open sessions.
    pub fn sessions(&self) -> impl Iterator<Item = (ConnId, &Open)> {
        self.sessions.iter().map(|(conn, open)| (*conn, open))
    }

    /// The proved forks.
    #[must_use]
    pub fn forks(&self) -> &BTreeMap<Origin, ForkEvidence> {
        &self.forks
    }

    /// Why this node may not write, if it may not.
    #[must_use]
    pub fn not_writable(&self) -> Option<NotWritable> {
        self.not_writable
    }

    /// When a member's data was last confirmed current by the member itself, ms since 1970.
    #[must_use]
    pub fn seen_ms(&self, origin: Origin, now_ms: u64) -> Option<u64> {
        let live = self.sessions.values().find(|open| open.member == origin).is_some_and(|open| {
            let key = (origin, crate::log::FIRST_EPOCH);
            open.asked_heads_ms.is_none()
                && open.theirs.seq(key) <= self.board.head(key).map_or(0, |head| head.at.seq)
        });
        if live { Some(now_ms) } else { self.seen_ms.get(&origin).copied() }
    }

    /// Entries that a peer named and this node lacks.
    #[must_use]
    pub fn lag(&self, open: &Open) -> u64 {
        let behind = |(key, known): (&LogKey, &crate::heads::Known)| {
            known.seq.saturating_sub(self.board.head(*key).map_or(0, |head| head.at.seq))
        };
        open.theirs.heads.iter().map(behind).sum()
    }

    /// The log of a member, made when it is first needed; `None` for an origin that the roster does not know.
    fn chain(&mut self, origin: Origin) -> Option<&mut Chain> {
        let root = self.roster.member(origin)?.log_root();
        Some(
            self.logs
                .entry(origin)
                .or_insert_with(|| Chain { stored: Log::new(root), accepted: Log::new(root) }),
        )
    }

    fn refresh_board(&mut self, origin: Origin, epoch: u32) {
        let head = self.logs.get(&origin).and_then(|chain| chain.stored.agreed_head());
        self.board.set(origin, epoch, head);
    }

    fn send(&mut self, conn: ConnId, body: Body) {
        self.outputs.push(Output::Send(conn, body));
    }

    fn notify(&mut self, event: Event) {
        self.outputs.push(Output::Notify(event));
    }
}

/// Parses and verifies the entries of a message. Costs no state, so it can run on any thread.
///
/// # Errors
/// [`Reject`] for [`Input::Refused`].
pub fn verify_entries(entries: Vec<v1::Entry>, roster: &History) -> Result<Option<Run>, Reject> {
    let max = crate::limits::ENTRIES_PER_MESSAGE_MAX;
    if entries.len() > max {
        return Err(Reject::TooLarge { what: "entries of a message", max });
    }
    if entries.is_empty() {
        return Ok(None);
    }
    let parsed: Result<Vec<_>, _> = entries.into_iter().map(Unverified::parse).collect();
    let parsed = parsed.map_err(|error| match error {
        wego_proto::entry::EntryError::Field(error) => Reject::Malformed(error),
        other => Reject::BadEntry(crate::log::RunError::Unreadable(other)),
    })?;
    Ok(Some(Run::verify(parsed, roster)?))
}

/// Compares a run with what is held at its positions.
#[must_use]
pub fn compare(run: &Run, held: &BTreeMap<u64, Verified>, roster: &History) -> Difference {
    let Some((theirs, ours)) = crate::log::first_difference(run, held) else { return Difference::None };
    if theirs.header().prev != ours.header().prev {
        return Difference::Before(theirs.header().at.seq);
    }
    match ForkEvidence::of(theirs, &ours, roster) {
        Ok(evidence) => Difference::Fork(Box::new(evidence)),
        Err(_) => Difference::None,
    }
}

fn own_key_no(roster: &History, origin: Origin, key: &SecretKey) -> u32 {
    let public = key.public();
    let keys = roster.member(origin).map(|member| member.log_keys.as_slice()).unwrap_or_default();
    keys.iter().rev().find(|known| known.key == public).map_or(0, |known| known.key_no)
}

/// Spreads timers, so that nodes started together do not act together. Not for secrets.
#[derive(Debug, Clone)]
struct Jitter(u64);

impl Jitter {
    /// `base` changed by up to a quarter (SplitMix64, Steele et al. 2014).
    fn around(&mut self, base: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        base - base / 4 + mixed % (base / 2 + 1)
    }
}
