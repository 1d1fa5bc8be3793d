//! Many nodes in one thread under virtual time, from one seed: latency, loss of links, crash and restart.
//!
//! The driver here does what the daemon does, on a disk that forgets what was not synced. It watches the
//! invariants while it runs and never helps the nodes to keep them.

use std::collections::{BTreeMap, BTreeSet};

use wego_proto::{
    entry::{EndpointChange, Payload},
    id::{Hash, Origin, Position, RequestId},
    presence::Presentation,
    v1::{self, EntryKind, session_message::Body},
};

use crate::{
    log::FIRST_EPOCH,
    session::ConnId,
    state::{Draft, Input, Settings, State},
};

mod disks;
mod driver;
mod net;
mod node;
mod trouble;
mod world;

pub use disks::{Noticed, Snapshot};
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
    settings: Settings,
    nodes: Vec<Node>,
    conns: BTreeMap<ConnId, Conn>,
    next_conn: u64,
    down: BTreeSet<(usize, usize)>,
    healing: bool,
    /// Every own entry ever signed, of members whose keys are not stolen: what a self-fork would contradict.
    signed: BTreeMap<(Origin, Position), Hash>,
    /// Members that run twice on purpose, without hearing of each other.
    clones: BTreeSet<Origin>,
    /// Every acknowledged entry.
    acknowledged: BTreeMap<(Origin, Position), Hash>,
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
        Self::with(seed, nodes, weather, Settings::default())
    }

    /// As [`Sim::new`], with other settings than the usual ones.
    #[must_use]
    pub fn with(seed: u64, nodes: usize, weather: Weather, settings: Settings) -> Self {
        let federation = Federation::new(nodes);
        let mut sim = Self {
            clock: Clock::new(1_000_000),
            random: Random::new(seed),
            weather,
            settings,
            clones: BTreeSet::new(),
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
        let nonce = self.random.bytes();
        let content = self.random.bytes::<48>().to_vec();
        let payload = Some(Payload { nonce, content });
        let draft = self.draft(EntryKind::RecordPut);
        self.append(node, Draft { payload, record_kind: 1, ..draft })
    }

    /// Lets a node say that it is reached at `endpoint`, as its member's change with this number. Its transport key
    /// stays. Returns whether it was acknowledged.
    pub fn move_to(&mut self, node: usize, number: u32, endpoint: &str) -> bool {
        let origin = self.nodes[node].origin;
        let key = self.federation.transport_key(origin);
        let change = EndpointChange {
            endpoints: vec![endpoint.to_owned()],
            transport_keys: vec![key.public()],
            number,
            proofs: Vec::new(),
        };
        let change = change.proved_by(&self.federation.roster.ground(origin), &[&key]);
        let draft = self.draft(EntryKind::Endpoint);
        self.append(node, Draft { endpoint_change: Some(change), ..draft })
    }

    /// Lets a node say that its member is called `name`. Returns whether it was acknowledged.
    pub fn call(&mut self, node: usize, name: &str) -> bool {
        let names = vec![v1::MemberName { lang: "en".to_owned(), text: name.to_owned() }];
        let presentation = Some(Presentation { names, portal_url: None });
        let draft = self.draft(EntryKind::Presentation);
        self.append(node, Draft { presentation, ..draft })
    }

    fn draft(&mut self, kind: EntryKind) -> Draft {
        Draft {
            kind: kind as i32,
            record_id: None,
            base: None,
            record_kind: 0,
            request_id: RequestId::new(self.random.bytes()),
            payload: None,
            erase: None,
            endpoint_change: None,
            presentation: None,
        }
    }

    fn append(&mut self, node: usize, draft: Draft) -> bool {
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
        let chance = (self.random.draw(), self.random.bytes());
        let state = self.nodes[node].boot(&self.federation, now_ms, chance, self.settings);
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

    /// Lets `ms` of virtual time pass in which nothing happens anywhere.
    pub fn skip(&mut self, ms: u64) {
        self.clock.skip(ms);
    }

    /// Whether the roster of a running node is past its expiry.
    #[must_use]
    pub fn roster_expired(&self, node: usize) -> bool {
        let state = self.nodes[node].state.as_ref();
        state.is_some_and(|state| state.roster().current().is_soft_expired(self.clock.now_ms()))
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
                let counts = |origin, at| node.state.as_ref().is_some_and(|state| counts(state, origin, at));
                node.disk.check_acknowledged(number, &self.acknowledged, counts, &mut found);
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
        let forks = |state: &State| state.forks().iter().map(|(key, e)| (key.0, e.fork.at.seq)).collect();
        state.map_or_else(Vec::new, forks)
    }

    /// The acknowledged entries of a member that a node's copy does not count: lost, if nobody contests the log.
    #[must_use]
    pub fn uncounted(&self, node: usize, of: usize) -> Vec<Position> {
        let Some(state) = self.nodes[node].state.as_ref() else { return Vec::new() };
        let of = self.nodes[of].origin;
        let own = self.acknowledged.keys().filter(|(origin, _)| *origin == of);
        own.map(|(_, at)| *at).filter(|at| !counts(state, of, *at)).collect()
    }

    /// The epochs of a member's log that count, as a node knows them.
    #[must_use]
    pub fn epochs(&self, node: usize, of: usize) -> Vec<u32> {
        let state = self.nodes[node].state.as_ref();
        let path = |state: &State| state.roster().epochs(self.nodes[of].origin).path();
        state.map(path).into_iter().flatten().map(|segment| segment.epoch).collect()
    }

    /// The hashes of the entries that a node holds of an epoch of a member's log, by sequence number.
    #[must_use]
    pub fn held(&self, node: usize, of: usize, epoch: u32) -> BTreeMap<u64, Hash> {
        let held = self.nodes[node].disk.held((self.nodes[of].origin, epoch));
        held.into_iter().map(|(seq, entry)| (seq, entry.hash())).collect()
    }

    /// What a running node goes by: its roster's version, its heads, where members are reached, and how far each log counts.
    #[must_use]
    pub fn what_counts(&self, node: usize) -> String {
        let Some(state) = self.nodes[node].state.as_ref() else { return String::new() };
        let (version, digest) = (state.roster().current().version(), state.board().digest());
        let members = state.roster().current().members().keys();
        let said = |origin: &Origin| {
            let name = state.roster().names(*origin).first().map(|name| name.text.as_str());
            [name.unwrap_or_default(), &state.roster().endpoints(*origin).join(" ")].join(" at ")
        };
        let said: Vec<_> = members.map(said).collect();
        format!("roster {version}, heads {digest}, members {said:?}, {:?}", state.standings())
    }

    /// Has the running node's state opened to whoever scripts a run.
    pub fn with_state<T>(&mut self, node: usize, ask: impl FnOnce(&mut State, u64) -> T) -> Option<T> {
        let now_ms = self.clock.now_ms();
        self.nodes[node].state.as_mut().map(|state| ask(state, now_ms))
    }

    /// Gives a running node an input as its operator would.
    pub fn operate(&mut self, node: usize, input: Input) {
        self.input(node, input);
    }

    /// The keys and the roster.
    #[must_use]
    pub fn federation(&self) -> &Federation {
        &self.federation
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
}

fn counts(state: &State, origin: Origin, at: Position) -> bool {
    state.standings().get(&origin).map_or(at.epoch == FIRST_EPOCH, |standing| standing.counts(at))
}
