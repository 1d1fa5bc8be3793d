//! Nodes of a federation of three that two of three keys govern, each with a disk, meeting one another.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{LazyLock, Mutex},
};

use wego_proto::{
    id::{Hash, StoreId},
    key::SecretKey,
    prost::Message as _,
    roster::{Draft, Roster, add_signature},
    v1::{self, session_message::Body},
};

use crate::{
    roster::History,
    session::{self, ConnId, Me, Side},
    sim::Federation,
    state::{Footing, Input, Output, Settings, Start, State},
};

pub(super) const NOW: u64 = 1_000_000;
const CONN: ConnId = ConnId(1);

/// Made once: keys cost more than everything else here.
static FEDERATION: LazyLock<Federation> = LazyLock::new(|| Federation::new(3));

pub(super) fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed; 32].into())
}

pub(super) fn genesis() -> v1::SignedRoster {
    let content = v1::Roster {
        governance: Some(v1::Governance {
            keys: (1..=3).map(|seed| key(seed).public().as_bytes().to_vec()).collect(),
            threshold: 2,
            ..Default::default()
        }),
        ..FEDERATION.roster.current().content().clone()
    };
    signed(&content, &[1, 2])
}

pub(super) fn signed(content: &v1::Roster, signers: &[u8]) -> v1::SignedRoster {
    let mut signed = v1::SignedRoster { roster: content.encode_to_vec(), signatures: vec![] };
    for seed in signers {
        add_signature(&mut signed, &key(*seed));
    }
    signed
}

/// What follows `before`, told apart by the federation's name.
pub(super) fn after(before: &v1::SignedRoster, name: &str) -> v1::Roster {
    let draft = Draft::parse(&before.roster).expect("a roster");
    v1::Roster {
        version: draft.content.version + 1,
        prev_hash: draft.hash.as_bytes().to_vec(),
        federation_id: draft.federation.as_bytes().to_vec(),
        federation_name: name.to_owned(),
        resolves: vec![],
        ..draft.content
    }
}

/// What settles a conflict of two versions in favour of the first.
pub(super) fn settling(holds: &v1::SignedRoster, other: &v1::SignedRoster) -> v1::Roster {
    let mut resolves = [holds, other].map(|version| hash(version).as_bytes().to_vec());
    resolves.sort();
    v1::Roster { resolves: resolves.into(), ..after(holds, "settled") }
}

pub(super) fn hash(signed: &v1::SignedRoster) -> Hash {
    Hash::of(&[&signed.roster])
}

pub(super) fn history(chain: &[v1::SignedRoster]) -> History {
    History::open(v1::RosterChain { versions: chain.to_vec() }).expect("a chain")
}

/// What survives a crash of one node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Disk {
    pub(super) chain: Vec<Vec<u8>>,
    pub(super) proposals: BTreeMap<Hash, Vec<u8>>,
    pub(super) contested: BTreeMap<(u64, Hash), Vec<u8>>,
}

fn bytes(signed: &v1::SignedRoster) -> Vec<u8> {
    signed.encode_to_vec()
}

fn read(bytes: &[u8]) -> v1::SignedRoster {
    v1::SignedRoster::decode(bytes).expect("written here")
}

impl Disk {
    pub(super) fn new() -> Self {
        Self { chain: vec![bytes(&genesis())], proposals: BTreeMap::new(), contested: BTreeMap::new() }
    }

    /// Opened once for each chain that there is: most worlds have the same ones.
    fn history(&self) -> History {
        static OPENED: Mutex<BTreeMap<Vec<Vec<u8>>, History>> = Mutex::new(BTreeMap::new());
        let mut opened = OPENED.lock().expect("no test fails while it holds the lock");
        let open = || history(&self.chain.iter().map(|version| read(version)).collect::<Vec<_>>());
        opened.entry(self.chain.clone()).or_insert_with(open).clone()
    }

    pub(super) fn roster(&self) -> Roster {
        self.history().current().clone()
    }

    pub(super) fn boot(&self, node: usize) -> State {
        let roster = self.history();
        let origin = FEDERATION.origin(node);
        let mut state = State::new(Start {
            me: Me {
                origin,
                federation: roster.federation(),
                store: StoreId::new([node as u8; 16]),
                node_id: [0; 32],
                software: "test".to_owned(),
                run: session::Start::sign(
                    origin,
                    [node as u8; 16],
                    NOW,
                    &roster.federation(),
                    &FEDERATION.log_key(origin),
                ),
            },
            key: FEDERATION.log_key(origin),
            roster,
            heads: vec![],
            locked: None,
            forks: vec![],
            receipts: Vec::new(),
            footing: Footing::Sound,
            previous_run: None,
            now_ms: NOW,
            seed: 7,
            settings: Settings::default(),
        });
        let versions = |kept: Vec<&Vec<u8>>| kept.into_iter().map(|version| read(version)).collect();
        state.recall_governance(
            versions(self.contested.values().collect()),
            versions(self.proposals.values().collect()),
        );
        state
    }

    /// Does what the state asks for; returns what it says.
    pub(super) fn drive(&mut self, state: &mut State, input: Input) -> Vec<Body> {
        let mut said = Vec::new();
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            for output in state.handle(NOW, input) {
                inputs.extend(self.perform(output, &mut said));
            }
        }
        said
    }

    fn perform(&mut self, output: Output, said: &mut Vec<Body>) -> Option<Input> {
        match output {
            Output::Send(_, body) => said.push(body),
            Output::Disconnect(_, reject) => panic!("honest nodes refuse each other: {reject:?}"),
            Output::KeepRoster(versions) => {
                self.chain.extend(versions.iter().map(bytes));
                return Some(Input::RosterKept);
            }
            Output::SwitchRoster(versions) => {
                let first = Draft::parse(&versions[0].roster).expect("a roster").content.version;
                let given_up = self.chain.split_off(first as usize - 1);
                assert!(
                    given_up.iter().any(|old| self.contested.values().any(|kept| kept == old)),
                    "what gives way was kept as proof before"
                );
                self.chain.extend(versions.iter().map(bytes));
                return Some(Input::RosterKept);
            }
            Output::KeepProposal(proposal) => {
                self.proposals.insert(hash(&proposal), bytes(&proposal));
                return Some(Input::ProposalKept(proposal));
            }
            Output::DropProposals(hashes) => hashes.iter().for_each(|hash| drop(self.proposals.remove(hash))),
            Output::KeepConflict(versions) => {
                for version in &versions {
                    let number = Draft::parse(&version.roster).expect("a roster").content.version;
                    self.contested.insert((number, hash(version)), bytes(version));
                }
                return Some(Input::ConflictKept(versions));
            }
            _ => {}
        }
        None
    }
}

/// Hands a version to a node that is alone.
pub(super) fn submit(disks: &mut [Disk], node: usize, version: &v1::SignedRoster) {
    let mut state = disks[node].boot(node);
    disks[node].drive(&mut state, Input::Submitted(vec![version.clone()]));
}

/// Two nodes start, talk until there is nothing more to say or the connection breaks after so many messages, and stop.
pub(super) fn meet(disks: &mut [Disk], [one, other]: [usize; 2], messages: usize) {
    let mut talk = Talk::open(disks, [one, other]);
    talk.listen(disks, messages);
}

/// Two nodes that are connected while something happens to the first.
pub(super) fn submit_while_connected(disks: &mut [Disk], pair: [usize; 2], version: &v1::SignedRoster) {
    let mut talk = Talk::open(disks, pair);
    talk.listen(disks, usize::MAX);
    let said = disks[pair[0]].drive(&mut talk.states[0], Input::Submitted(vec![version.clone()]));
    talk.way.extend(said.into_iter().map(|body| (1, body)));
    talk.listen(disks, usize::MAX);
}

/// What the second of two nodes that are connected does when the first says something that it should not; nothing of it
/// is done.
pub(super) fn hears(disks: &mut [Disk], body: Body) -> Vec<Output> {
    let mut talk = Talk::open(disks, [0, 1]);
    talk.listen(disks, usize::MAX);
    talk.states[1].handle(NOW, Input::Received { conn: CONN, body })
}

struct Talk {
    nodes: [usize; 2],
    states: [State; 2],
    way: VecDeque<(usize, Body)>,
}

impl Talk {
    fn open(disks: &mut [Disk], nodes: [usize; 2]) -> Self {
        let mut states = nodes.map(|node| disks[node].boot(node));
        let mut way = VecDeque::new();
        for (at, side) in [(0, Side::Dialled), (1, Side::Accepted)] {
            let member = states[1 - at].me();
            let speaker = FEDERATION.transport_key(member).public();
            let connected = Input::Connected { conn: CONN, member, speaker, side };
            let said = disks[nodes[at]].drive(&mut states[at], connected);
            way.extend(said.into_iter().map(|body| (1 - at, body)));
        }
        Self { nodes, states, way }
    }

    fn listen(&mut self, disks: &mut [Disk], messages: usize) {
        for _ in 0..messages {
            let Some((to, body)) = self.way.pop_front() else { return };
            let said =
                disks[self.nodes[to]].drive(&mut self.states[to], Input::Received { conn: CONN, body });
            self.way.extend(said.into_iter().map(|body| (1 - to, body)));
        }
    }
}
