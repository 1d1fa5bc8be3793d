//! Many nodes in one thread under virtual time, from one seed: latency, loss of links, crash and restart.
//!
//! The driver here does what the daemon does, on a disk that forgets what was not synced. It watches the
//! invariants while it runs and never helps the nodes to keep them.

use std::collections::{BTreeMap, BTreeSet};

use wego_proto::{
    entry::{Payload, Verified},
    id::{Hash, Origin, RequestId},
    v1::{EntryKind, session_message::Body},
};

use crate::{
    log::Head,
    session::ConnId,
    state::{Draft, Event, Input, Output, State, compare, verify_entries},
};

mod net;
mod node;
mod trouble;
mod world;

use net::Conn;
pub use net::Link;
use node::Node;
pub use world::{Clock, Federation, Random};

/// How the network behaves.
#[derive(Debug, Clone)]
pub struct Weather {
    /// One-way latency, ms, least and most.
    pub latency_ms: (u64, u64),
    /// Mean time between two failures of a random link, ms; 0 is never.
    pub link_failure_ms: u64,
    /// Mean time between two crashes of a random node, ms; 0 is never.
    pub crash_ms: u64,
    /// How long a link or node stays down, ms, least and most.
    pub outage_ms: (u64, u64),
}

/// A run of the federation.
#[derive(Debug)]
pub struct Sim {
    clock: Clock<Happening>,
    random: Random,
    federation: Federation,
    weather: Weather,
    nodes: Vec<Node>,
    conns: BTreeMap<ConnId, Conn>,
    next_conn: u64,
    down: BTreeSet<(usize, usize)>,
    healing: bool,
    /// Every own entry ever handed to a lock: what a self-fork would contradict.
    signed: BTreeMap<(usize, u64), Hash>,
    /// Every acknowledged entry.
    acknowledged: BTreeMap<(Origin, u64), Hash>,
    violations: Vec<String>,
    counts: BTreeMap<&'static str, u64>,
}

#[derive(Debug)]
enum Happening {
    Tick { node: usize, boot: u64 },
    Deliver { conn: ConnId, to: usize, boot: u64, body: Box<Body> },
    Dial { node: usize, boot: u64 },
    LinkFails,
    LinkHeals(usize, usize),
    NodeCrashes,
    NodeStarts(usize),
}

/// Every node looks so often for peers it lacks, ms.
const DIAL_EVERY_MS: u64 = 2_000;

impl Sim {
    /// A federation of `nodes` members, all started, not connected yet.
    #[must_use]
    pub fn new(seed: u64, nodes: usize, weather: Weather) -> Self {
        let federation = Federation::new(nodes);
        let mut sim = Self {
            clock: Clock::new(1_000_000),
            random: Random::new(seed),
            weather,
            nodes: (0..nodes).map(|n| Node::new(federation.origin(n))).collect(),
            federation,
            conns: BTreeMap::new(),
            next_conn: 1,
            down: BTreeSet::new(),
            healing: false,
            signed: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
            violations: Vec::new(),
            counts: BTreeMap::new(),
        };
        for node in 0..nodes {
            sim.start(node);
        }
        sim.plan_trouble();
        sim
    }

    /// Adds a second node that runs with the key of `of`: a cloned machine. Returns its number.
    pub fn add_twin(&mut self, of: usize) -> usize {
        let origin = self.nodes[of].origin;
        self.nodes.push(Node::new(origin));
        let twin = self.nodes.len() - 1;
        self.start(twin);
        twin
    }

    /// Takes the link between two nodes down, or up again.
    pub fn set_link(&mut self, one: usize, other: usize, up: Link) {
        let link = (one.min(other), one.max(other));
        match up {
            Link::Up => {
                self.down.remove(&link);
            }
            Link::Down => {
                self.down.insert(link);
                self.cut_conns(|conn| conn.joins(one, other));
            }
        }
    }

    /// Lets a node publish one entry. Returns whether it was acknowledged.
    pub fn publish(&mut self, node: usize) -> bool {
        let draft = Draft {
            kind: EntryKind::RecordPut as i32,
            record_id: None,
            base: None,
            record_kind: 1,
            request_id: RequestId::new(self.random.bytes()),
            payload: Some(Payload {
                nonce: self.random.bytes(),
                content: self.random.bytes::<48>().to_vec(),
            }),
            erase: None,
        };
        let before = self.nodes[node].disk.locked.len();
        self.input(node, Input::Append(vec![draft]));
        self.nodes[node].disk.locked.len() > before
    }

    /// Stops a node at once; it loses what its store had not synced.
    pub fn crash(&mut self, node: usize) {
        if self.nodes[node].state.take().is_none() {
            return;
        }
        *self.counts.entry("crashes").or_default() += 1;
        let (synced, arrived) = (self.nodes[node].disk.synced, self.nodes[node].disk.arrived.len());
        let survives = synced + self.random.below((arrived - synced + 1) as u64) as usize;
        if survives < arrived {
            *self.counts.entry("crashes with un-synced writes").or_default() += 1;
        }
        self.nodes[node].disk.arrived.truncate(survives);
        self.cut_conns(|conn| conn.ends.contains(&node));
    }

    /// Starts a node from its disk.
    pub fn start(&mut self, node: usize) {
        if self.nodes[node].state.is_some() {
            return;
        }
        let now_ms = self.clock.now_ms();
        let seed = self.random.draw();
        let state = self.nodes[node].boot(&self.federation, now_ms, seed);
        self.nodes[node].state = Some(state);
        let boot = self.nodes[node].boots;
        let dial = now_ms + self.random.below(DIAL_EVERY_MS);
        self.clock.at(dial, Happening::Dial { node, boot });
        self.plan_tick(node);
    }

    /// Runs for `ms` of virtual time.
    pub fn run_for(&mut self, ms: u64) {
        let end = self.clock.now_ms() + ms;
        while let Some(happening) = self.clock.next_before(end) {
            self.happen(happening);
        }
    }

    /// Ends all trouble: links and nodes come up and stay up.
    pub fn heal(&mut self) {
        self.healing = true;
        self.down.clear();
        for node in 0..self.nodes.len() {
            self.start(node);
        }
    }

    /// Whether every running node holds the same heads.
    #[must_use]
    pub fn converged(&self) -> bool {
        let mut digests =
            self.nodes.iter().filter_map(|node| node.state.as_ref()).map(|state| state.board().digest());
        let Some(first) = digests.next() else { return true };
        digests.all(|digest| digest == first)
    }

    /// Checks everything the invariants of this level promise, and returns what is broken.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        let mut found = self.violations.clone();
        for (number, node) in self.nodes.iter().enumerate() {
            node.disk.check_chains(number, &mut found);
            if self.converged() {
                node.disk.check_acknowledged(number, &self.acknowledged, node.forked(), &mut found);
            }
        }
        found
    }

    /// How often something happened that a run must see to mean anything.
    #[must_use]
    pub fn count(&self, what: &str) -> u64 {
        self.counts.get(what).copied().unwrap_or_default()
    }

    /// Entries acknowledged so far.
    #[must_use]
    pub fn acknowledged(&self) -> usize {
        self.acknowledged.len()
    }

    /// The members whose log a node knows to be forked, and where.
    #[must_use]
    pub fn forks_known(&self, node: usize) -> Vec<(Origin, u64)> {
        let state = self.nodes[node].state.as_ref();
        state.map_or_else(Vec::new, |state| state.forks().iter().map(|(o, e)| (*o, e.fork.at.seq)).collect())
    }

    /// Why a node may not write, as its state says.
    #[must_use]
    pub fn may_write(&self, node: usize) -> bool {
        self.nodes[node].state.as_ref().is_some_and(|state| state.not_writable().is_none())
    }

    /// Virtual time, ms.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Tick { node, boot } if self.runs(node, boot) => {
                self.nodes[node].tick_at_ms = None;
                self.input(node, Input::Tick);
                self.sync_sometimes(node);
            }
            Happening::Deliver { conn, to, boot, body }
                if self.runs(to, boot) && self.conns.contains_key(&conn) =>
            {
                self.deliver(conn, to, *body);
            }
            Happening::Dial { node, boot } if self.runs(node, boot) => self.dial(node),
            Happening::LinkFails => self.fail_link(),
            Happening::LinkHeals(one, other) => self.set_link(one, other, Link::Up),
            Happening::NodeCrashes => self.fail_node(),
            Happening::NodeStarts(node) => self.start(node),
            Happening::Tick { .. } | Happening::Deliver { .. } | Happening::Dial { .. } => {}
        }
    }

    fn runs(&self, node: usize, boot: u64) -> bool {
        self.nodes[node].state.is_some() && self.nodes[node].boots == boot
    }

    fn deliver(&mut self, conn: ConnId, to: usize, body: Body) {
        let Some(state) = self.nodes[to].state.as_ref() else { return };
        let input = match body {
            Body::Entries(entries) => match verify_entries(entries.entries, state.roster()) {
                Ok(run) => Input::Entries { conn, request: entries.request, run, done: entries.done },
                Err(reject) => Input::Refused { conn, reject },
            },
            body => Input::Received { conn, body },
        };
        self.input(to, input);
    }

    /// Hands an input to a node and executes the outputs, in order, until nothing is left to do.
    fn input(&mut self, node: usize, input: Input) {
        let mut inputs = std::collections::VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let now_ms = self.clock.now_ms();
            let Some(state) = self.nodes[node].state.as_mut() else { return };
            for output in state.handle(now_ms, input) {
                inputs.extend(self.execute(node, output));
            }
        }
        self.plan_tick(node);
    }

    fn execute(&mut self, node: usize, output: Output) -> Option<Input> {
        match output {
            Output::Lock(run) => {
                for entry in run.iter() {
                    self.witness(node, entry);
                    self.acknowledged.insert((run.origin(), entry.header().at.seq), entry.hash());
                }
                self.nodes[node].disk.locked.extend(run.into_entries());
                Some(Input::Locked)
            }
            Output::Store(run) => {
                let (origin, last) = (run.origin(), run.last().clone());
                self.nodes[node].disk.arrived.extend(run.into_entries());
                let head = Head { at: last.header().at, hash: last.hash() };
                Some(Input::Stored { origin, head, hlc_ms: last.header().hlc_ms })
            }
            Output::Send(conn, body) => self.send(node, conn, body),
            Output::Serve(conn, pull) => {
                for body in self.nodes[node].disk.answer(&pull) {
                    self.send(node, conn, body);
                }
                Some(Input::Served { conn })
            }
            Output::Disconnect(conn, reject) => {
                *self.counts.entry(reject.word()).or_default() += 1;
                self.hang_up(node, conn)
            }
            Output::Close(conn) => self.hang_up(node, conn),
            Output::Compare(conn, run) => {
                let held = self.nodes[node].disk.held_unverified(run.origin());
                let roster = &self.federation.roster;
                Some(Input::Compared { conn, origin: run.origin(), difference: compare(&run, &held, roster) })
            }
            Output::KeepFork(evidence) => {
                let disk = &mut self.nodes[node].disk;
                disk.forks.insert(evidence.origin, evidence.proof.clone());
                let held_before = disk.hash_before(evidence.origin, evidence.fork.at.seq);
                Some(Input::ForkKept { evidence, held_before })
            }
            Output::KeepRoster(_) => Some(Input::RosterKept),
            Output::KeepReceipts(_) => None,
            Output::Notify(event) => {
                self.observe(&event);
                None
            }
        }
    }

    /// A node that signs another entry for a position it has signed before has forked itself.
    fn witness(&mut self, node: usize, entry: &Verified) {
        let key = (node, entry.header().at.seq);
        if let Some(before) = self.signed.insert(key, entry.hash())
            && before != entry.hash()
        {
            self.violations.push(format!("node {node} signed two entries at {}", entry.header().at));
        }
    }

    fn observe(&mut self, event: &Event) {
        let word = match event {
            Event::ForkProved(_) => "fork proofs",
            Event::WritingStopped(_) => "writing stopped",
            _ => return,
        };
        *self.counts.entry(word).or_default() += 1;
    }

    fn plan_tick(&mut self, node: usize) {
        let Some(due) = self.nodes[node].state.as_ref().and_then(State::next_deadline_ms) else { return };
        let due = due.max(self.clock.now_ms() + 1);
        if self.nodes[node].tick_at_ms.is_some_and(|planned| planned <= due) {
            return;
        }
        self.nodes[node].tick_at_ms = Some(due);
        let boot = self.nodes[node].boots;
        self.clock.at(due, Happening::Tick { node, boot });
    }

    fn sync_sometimes(&mut self, node: usize) {
        if self.random.below(2) == 0 {
            let disk = &mut self.nodes[node].disk;
            disk.synced = disk.arrived.len();
        }
    }
}
