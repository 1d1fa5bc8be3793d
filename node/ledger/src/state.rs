//! The node as a value: an input and the time in, outputs out. Composition, nothing else.
//!
//! Whoever drives it must execute the outputs in order. Nothing is announced before it was stored: a note of an
//! entry exists only in answer to [`Input::Stored`], and an own entry is stored only after [`Input::Locked`].

use std::collections::{BTreeMap, BTreeSet};

use wego_proto::{
    epochs::Epoch,
    id::{Origin, StoreId},
    key::{PublicKey, SecretKey},
    v1::{self, session_message::Body},
};

use crate::{
    fork::ForkEvidence,
    governance::Governance,
    heads::{Board, LogKey, PeerHeads},
    log::{Head, Log, Run},
    roster::History,
    session::{ConnId, Greeting, Me, Open},
    standing::Standing,
};

use recovery::Recovery;

mod checks;
mod exchange;
mod forks;
mod governance;
mod greetings;
mod own;
mod placing;
mod pulls;
mod receipts;
pub(crate) mod recovery;
mod sessions;
mod settings;
mod sources;
mod standings;

pub use checks::{compare, verify_entries, verify_start};
pub use exchange::{Difference, Draft, Event, Input, NotWritable, Output};
pub use own::NewKeys;
pub use pulls::Pull;
pub use receipts::{Applied, Kept, Urgency, verify_receipts};
pub use recovery::Footing;
pub use sessions::check_counts;
pub use settings::Settings;

/// A node's rules and what it knows, without its disk, clock and network.
#[derive(Debug)]
pub struct State {
    me: Me,
    key: SecretKey,
    /// Number of the log key in the own log's newest epoch; 0 while it is not in force there.
    key_no: u32,
    /// The log key of the own epoch that is being opened.
    next_key: Option<SecretKey>,
    /// The own epoch that is being opened here, and not only fetched.
    opening_here: Option<u32>,
    roster: History,
    logs: BTreeMap<LogKey, Chain>,
    standings: BTreeMap<Origin, Standing>,
    /// Epochs whose opening is placed and not stored yet, after those that it continues from.
    openings: BTreeMap<LogKey, Vec<Epoch>>,
    /// Logs in the store whose opening is not believed, for want of another one.
    unbelieved: BTreeSet<LogKey>,
    recovery: Option<Recovery>,
    /// The start before this one, in the same place: it has ended.
    previous_run: Option<Vec<u8>>,
    pending_roster: Option<History>,
    governance: Governance,
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
    forks: BTreeMap<LogKey, ForkEvidence>,
    not_writable: Option<NotWritable>,
    last_hlc_ms: u64,
    seen_ms: BTreeMap<Origin, u64>,
    receipts: receipts::Receipts,
    settings: Settings,
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
    /// The roster, with the epochs whose openings are in the store.
    pub roster: History,
    /// The heads in the store, each with its author's clock when it was signed, ms since 1970.
    pub heads: Vec<(Origin, Head, u64)>,
    /// The own log's head in the lock; the store may lack the last entries.
    pub locked: Option<Head>,
    /// The fork proofs in the store.
    pub forks: Vec<v1::ForkProof>,
    /// The receipts in the store.
    pub receipts: Vec<v1::SignedReceipt>,
    /// What is known of the own log's copy.
    pub footing: Footing,
    /// Id of the start before this one in the same place, if it is known to have ended.
    pub previous_run: Option<Vec<u8>>,
    /// Time of start, ms since 1970.
    pub now_ms: u64,
    /// For jitter only.
    pub seed: u64,
    /// What the operator may choose.
    pub settings: Settings,
}

impl State {
    /// Builds the state from what is durable. The first input brings the outputs of the start with it.
    #[must_use]
    pub fn new(start: Start) -> Self {
        let Start {
            me,
            key,
            roster,
            heads,
            locked,
            forks,
            receipts,
            footing,
            previous_run,
            now_ms,
            seed,
            settings,
        } = start;
        let mut state = Self {
            key_no: 0,
            next_key: None,
            opening_here: None,
            board: Board::new(now_ms),
            logs: BTreeMap::new(),
            standings: BTreeMap::new(),
            openings: BTreeMap::new(),
            recovery: None,
            previous_run,
            pending_roster: None,
            governance: Governance::default(),
            greetings: BTreeMap::new(),
            sessions: BTreeMap::new(),
            memory: BTreeMap::new(),
            pulls: BTreeMap::new(),
            behind: BTreeSet::new(),
            locking: None,
            intake_at_ms: 0,
            forks: BTreeMap::new(),
            unbelieved: BTreeSet::new(),
            not_writable: None,
            last_hlc_ms: 0,
            seen_ms: BTreeMap::new(),
            receipts: receipts::Receipts::of(receipts, &roster, me.origin),
            settings,
            jitter: Jitter(seed),
            outputs: Vec::new(),
            me,
            key,
            roster,
        };
        for (origin, head, hlc_ms) in heads {
            state.seen(now_ms, origin, hlc_ms);
            state.take_stored(origin, head);
        }
        if let Some(head) = locked {
            state.take_locked(head);
        }
        for proof in forks {
            if let Ok(evidence) = ForkEvidence::check(&proof, &state.roster) {
                state.take_fork(evidence);
            }
        }
        for origin in state.roster.current().members().keys().copied().collect::<Vec<_>>() {
            state.work_out(origin);
        }
        state.begin_recovery(now_ms, footing);
        state
    }

    /// Handles one input at `now_ms` (ms since 1970) and returns what to do.
    pub fn handle(&mut self, now_ms: u64, input: Input) -> Vec<Output> {
        match input {
            Input::Connected { conn, member, speaker, side } => {
                self.connected(now_ms, conn, (member, speaker), side);
            }
            Input::Received { conn, body } => match check_counts(&body) {
                Ok(()) => self.received(now_ms, conn, body),
                Err(reject) => self.refuse(conn, reject),
            },
            Input::Entries { conn, request, run, done } => self.entries(now_ms, conn, request, run, done),
            Input::Refused { conn, reject } => self.refuse(conn, reject),
            Input::Closed { conn } => self.closed(now_ms, conn),
            Input::Served { conn } => self.served(conn),
            Input::Append(drafts) => self.append(now_ms, drafts),
            Input::Open { opening, key } => self.open_epoch(*opening, key),
            Input::TimeJumped => self.time_jumped(now_ms),
            Input::Locked => self.locked(),
            Input::LockFailed => self.lock_failed(now_ms),
            Input::Stored { origin, head, hlc_ms, endpoints, presentation } => {
                self.seen(now_ms, origin, hlc_ms);
                self.stored(now_ms, origin, head, endpoints);
                if presentation {
                    self.look_up_presentation(origin);
                }
            }
            Input::StoreFailed { key } => self.store_failed(now_ms, key),
            Input::Compared { conn, key, difference } => self.compared(now_ms, conn, key, difference),
            Input::Endpoints { origin, headers } => self.hear_endpoints(origin, &headers),
            Input::Presentation { origin, header } => self.hear_presentation(origin, header.as_deref()),
            Input::LookedUp { key, seq, hash } => self.looked_up(key, seq, hash),
            Input::Rewound { key, head } => self.rewound(now_ms, key, head),
            Input::ForkKept { evidence } => self.fork_kept(now_ms, evidence),
            Input::RosterKept => self.roster_kept(now_ms),
            Input::Applied(applied) => self.applied(now_ms, applied),
            Input::Receipts { conn, receipts } => self.receipts_heard(conn, receipts),
            Input::Submitted(versions) => drop(self.take_versions(&versions)),
            Input::ProposalKept(proposal) => self.proposal_kept(proposal),
            Input::ConflictKept(versions) => self.conflict_kept(versions),
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
        let starts = self.intake_deadline_ms().into_iter().chain(self.recovery_deadline_ms());
        let starts = starts.chain(self.receipts.deadline_ms());
        greetings.chain(compares).chain(notes).chain(stalls).chain(starts).min()
    }

    /// This node's member.
    #[must_use]
    pub fn me(&self) -> Origin {
        self.me.origin
    }

    /// This node's log key, and its number where it is in force; 0 where it is not.
    #[must_use]
    pub fn log_key(&self) -> (u32, PublicKey) {
        (self.key_no, self.key.public())
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
    pub fn forks(&self) -> &BTreeMap<LogKey, ForkEvidence> {
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
            let named = open.theirs.of(origin);
            !open.awaits_heads && named.into_iter().all(|key| !self.lacks(key, open.theirs.seq(key)))
        });
        if live { Some(now_ms) } else { self.seen_ms.get(&origin).copied() }
    }

    /// Entries that a peer named and this node lacks.
    #[must_use]
    pub fn lag(&self, open: &Open) -> u64 {
        let behind = |(key, known): (&LogKey, &crate::heads::Known)| {
            // Of an epoch that nobody has opened nothing is known to be lacking.
            let opened = key.1 <= self.roster.epochs(key.0).tip();
            let wanted = if opened && self.lacks(*key, known.seq) { known.seq } else { 0 };
            wanted.saturating_sub(self.board.head(*key).map_or(0, |head| head.at.seq))
        };
        // What a peer names is a claim: the largest numbers must not overflow.
        open.theirs.heads.iter().map(behind).fold(0, u64::saturating_add)
    }

    fn send(&mut self, conn: ConnId, body: Body) {
        self.outputs.push(Output::Send(conn, body));
    }

    fn notify(&mut self, event: Event) {
        self.outputs.push(Output::Notify(event));
    }
}

/// Spreads timers, so that nodes started together do not act together. Not for secrets.
#[derive(Debug, Clone)]
struct Jitter(u64);

impl Jitter {
    /// `base` changed by up to a quarter (SplitMix64, Steele et al. 2014).
    fn around(&mut self, base: u64) -> u64 {
        base - base / 4 + self.draw() % (base / 2 + 1)
    }

    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests;
