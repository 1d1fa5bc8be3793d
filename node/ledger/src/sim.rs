//! Many nodes in one thread under virtual time, from one seed: latency, loss of links, crash and restart.
//!
//! The driver here does what the daemon does, on a disk that forgets what was not synced. It watches the
//! invariants while it runs and never helps the nodes to keep them.

use std::collections::{BTreeMap, BTreeSet};

use wego_proto::{
    entry::{Payload, Verified},
    id::{Hash, Origin, RequestId},
    v1::{self, EntryKind, session_message::Body},
};

use crate::{
    gossip::wanted_peers,
    limits::{DEGREE, ENTRIES_PER_MESSAGE},
    log::{ForkEvidence, Head},
    roster::History,
    session::{ConnId, Me, Side},
    state::{Draft, Event, Input, Output, Start, State, compare, verify_entries},
};

mod world;

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
struct Node {
    origin: Origin,
    state: Option<State>,
    boots: u64,
    disk: Disk,
    tick_at_ms: Option<u64>,
}

/// What survives: the lock always, the store up to a random point after the last sync.
#[derive(Debug, Default)]
struct Disk {
    locked: Vec<Verified>,
    arrived: Vec<Verified>,
    synced: usize,
    forks: BTreeMap<Origin, v1::ForkProof>,
}

#[derive(Debug)]
struct Conn {
    ends: [usize; 2],
    /// When the last message of each end arrives: streams keep their order.
    busy_until_ms: [u64; 2],
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
        self.nodes[node].recover_own();
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
                let held = self.nodes[node].disk.held(run.origin());
                let roster = &self.federation.roster;
                Some(Input::Compared { conn, origin: run.origin(), difference: compare(&run, &held, roster) })
            }
            Output::KeepFork(evidence) => {
                self.nodes[node].disk.forks.insert(evidence.origin, evidence.proof.clone());
                Some(Input::ForkKept(evidence))
            }
            Output::KeepRoster(_) => Some(Input::RosterKept),
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

    fn send(&mut self, from: usize, conn: ConnId, body: Body) -> Option<Input> {
        let link = self.conns.get_mut(&conn)?;
        let side = usize::from(link.ends[1] == from);
        let to = link.ends[1 - side];
        let (least, most) = self.weather.latency_ms;
        let arrives = self.clock.now_ms() + least + self.random.below(most - least + 1);
        let arrives = arrives.max(link.busy_until_ms[side]);
        link.busy_until_ms[side] = arrives;
        let boot = self.nodes[to].boots;
        self.clock.at(arrives, Happening::Deliver { conn, to, boot, body: Box::new(body) });
        None
    }

    fn hang_up(&mut self, node: usize, conn: ConnId) -> Option<Input> {
        if let Some(link) = self.conns.remove(&conn) {
            let other = if link.ends[0] == node { link.ends[1] } else { link.ends[0] };
            self.input(other, Input::Closed { conn });
        }
        Some(Input::Closed { conn })
    }

    fn cut_conns(&mut self, which: impl Fn(&Conn) -> bool) {
        let cut: Vec<_> = self.conns.iter().filter(|(_, conn)| which(conn)).map(|(id, _)| *id).collect();
        for id in cut {
            let Some(conn) = self.conns.remove(&id) else { continue };
            for node in conn.ends {
                self.input(node, Input::Closed { conn: id });
            }
        }
    }

    fn dial(&mut self, node: usize) {
        let boot = self.nodes[node].boots;
        let origin = self.nodes[node].origin;
        let wanted = wanted_peers(origin, &BTreeSet::new(), &self.federation.roster, DEGREE);
        for other in 0..self.nodes.len() {
            let link = (node.min(other), node.max(other));
            let reachable = self.nodes[other].state.is_some() && !self.down.contains(&link);
            let lacks = !self.conns.values().any(|conn| conn.joins(node, other));
            if other != node && reachable && lacks && wanted.contains(&self.nodes[other].origin) {
                self.connect(node, other);
            }
        }
        let next = self.clock.now_ms() + DIAL_EVERY_MS / 2 + self.random.below(DIAL_EVERY_MS);
        self.clock.at(next, Happening::Dial { node, boot });
    }

    fn connect(&mut self, from: usize, to: usize) {
        let conn = ConnId(self.next_conn);
        self.next_conn += 1;
        self.conns.insert(conn, Conn { ends: [from, to], busy_until_ms: [0, 0] });
        let (dialler, listener) = (self.nodes[from].origin, self.nodes[to].origin);
        self.input(from, Input::Connected { conn, member: listener, side: Side::Dialled });
        self.input(to, Input::Connected { conn, member: dialler, side: Side::Accepted });
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

    fn plan_trouble(&mut self) {
        for (every_ms, what) in [
            (self.weather.link_failure_ms, Happening::LinkFails),
            (self.weather.crash_ms, Happening::NodeCrashes),
        ] {
            if every_ms > 0 {
                let at = self.clock.now_ms() + 1 + self.random.below(every_ms * 2);
                self.clock.at(at, what);
            }
        }
    }

    fn fail_link(&mut self) {
        let nodes = self.nodes.len() as u64;
        let (one, other) = (self.random.below(nodes) as usize, self.random.below(nodes) as usize);
        if self.healing {
            return;
        }
        if one != other {
            *self.counts.entry("link failures").or_default() += 1;
            self.set_link(one, other, Link::Down);
            let up = self.clock.now_ms() + self.outage();
            self.clock.at(up, Happening::LinkHeals(one, other));
        }
        let next = self.clock.now_ms() + 1 + self.random.below(self.weather.link_failure_ms * 2);
        self.clock.at(next, Happening::LinkFails);
    }

    fn fail_node(&mut self) {
        let node = self.random.below(self.nodes.len() as u64) as usize;
        if self.healing {
            return;
        }
        self.crash(node);
        let up = self.clock.now_ms() + self.outage();
        self.clock.at(up, Happening::NodeStarts(node));
        let next = self.clock.now_ms() + 1 + self.random.below(self.weather.crash_ms * 2);
        self.clock.at(next, Happening::NodeCrashes);
    }

    fn outage(&mut self) -> u64 {
        let (least, most) = self.weather.outage_ms;
        least + self.random.below(most - least + 1)
    }
}

/// Whether a link carries messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// It does.
    Up,
    /// It does not, and what was under way is lost.
    Down,
}

impl Conn {
    fn joins(&self, one: usize, other: usize) -> bool {
        self.ends.contains(&one) && self.ends.contains(&other)
    }
}

impl Node {
    fn new(origin: Origin) -> Self {
        Self { origin, state: None, boots: 0, disk: Disk::default(), tick_at_ms: None }
    }

    fn boot(&mut self, federation: &Federation, now_ms: u64, seed: u64) -> State {
        self.boots += 1;
        self.tick_at_ms = None;
        let mut heads = BTreeMap::new();
        for entry in &self.disk.arrived {
            heads.insert(entry.header().origin, Head { at: entry.header().at, hash: entry.hash() });
        }
        let roster: History = federation.roster.clone();
        State::new(Start {
            me: Me {
                origin: self.origin,
                federation: roster.federation(),
                // A crash keeps the database; only its un-synced end is lost.
                store: wego_proto::id::StoreId::new([self.origin.0 as u8; 16]),
                node_id: [0; 32],
                software: "sim".to_owned(),
            },
            key: federation.log_key(self.origin),
            roster,
            heads: heads.into_iter().collect(),
            forks: self.disk.forks.values().cloned().collect(),
            now_ms,
            seed,
        })
    }

    /// Puts again what the store lost of the own log; nothing is signed anew.
    fn recover_own(&mut self) {
        let Some(state) = self.state.as_mut() else { return };
        let stored = self.disk.arrived.iter().filter(|entry| entry.header().origin == self.origin).count();
        for entry in self.disk.locked.iter().skip(stored) {
            self.disk.arrived.push(entry.clone());
        }
        if let Some(last) = self.disk.locked.last() {
            state.restore_own(Head { at: last.header().at, hash: last.hash() });
        }
    }

    fn forked(&self) -> BTreeMap<Origin, ForkEvidence> {
        self.state.as_ref().map(|state| state.forks().clone()).unwrap_or_default()
    }
}

impl Disk {
    fn held(&self, origin: Origin) -> BTreeMap<u64, Verified> {
        let own = self.arrived.iter().filter(|entry| entry.header().origin == origin);
        own.map(|entry| (entry.header().at.seq, entry.clone())).collect()
    }

    fn answer(&self, pull: &v1::Pull) -> Vec<Body> {
        let held = self.held(Origin(pull.origin));
        let wire: Vec<_> = held
            .range(pull.from..=pull.until.max(pull.from))
            .map(
                |(_, entry)| {
                    if pull.headers_only { entry.to_wire_without_payload() } else { entry.to_wire() }
                },
            )
            .collect();
        let mut chunks: Vec<_> = wire.chunks(ENTRIES_PER_MESSAGE).map(<[_]>::to_vec).collect();
        if chunks.is_empty() {
            chunks.push(Vec::new());
        }
        let last = chunks.len() - 1;
        let message =
            |(n, entries)| Body::Entries(v1::Entries { request: pull.request, entries, done: n == last });
        chunks.into_iter().enumerate().map(message).collect()
    }

    /// S2 and S3: positions without gaps, each entry naming the one before.
    fn check_chains(&self, node: usize, found: &mut Vec<String>) {
        let mut tips: BTreeMap<Origin, (u64, Hash)> = BTreeMap::new();
        for entry in &self.arrived {
            let header = entry.header();
            let tip = tips.get(&header.origin);
            let expected = tip.map_or(1, |(seq, _)| seq + 1);
            let follows = tip.is_none_or(|(_, hash)| header.prev == *hash);
            if header.at.seq != expected || !follows {
                found.push(format!("node {node} stored {} {} out of chain", header.origin, header.at));
            }
            tips.insert(header.origin, (header.at.seq, entry.hash()));
        }
    }

    /// S5 and S6: every acknowledged entry of an author that did not fork is here, and no other in its place.
    fn check_acknowledged(
        &self,
        node: usize,
        acknowledged: &BTreeMap<(Origin, u64), Hash>,
        forked: BTreeMap<Origin, ForkEvidence>,
        found: &mut Vec<String>,
    ) {
        let held: BTreeMap<_, _> = self
            .arrived
            .iter()
            .map(|entry| ((entry.header().origin, entry.header().at.seq), entry.hash()))
            .collect();
        for ((origin, seq), hash) in acknowledged {
            let excused = forked.get(origin).is_some_and(|evidence| *seq >= evidence.fork.at.seq);
            if !excused && held.get(&(*origin, *seq)) != Some(hash) {
                found.push(format!("node {node} lacks the acknowledged entry {origin} {seq}"));
            }
        }
    }
}
