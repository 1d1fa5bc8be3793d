//! A simulated node: its state, and the disk that survives it.

use std::collections::BTreeMap;

use wego_proto::{
    entry::{Unverified, Verified},
    id::{Hash, Origin},
    v1::{self, session_message::Body},
};

use super::Federation;
use crate::{
    fork::ForkEvidence,
    limits::ENTRIES_PER_MESSAGE,
    log::Head,
    roster::History,
    session::Me,
    state::{Start, State},
};

#[derive(Debug)]
pub(super) struct Node {
    pub(super) origin: Origin,
    pub(super) state: Option<State>,
    pub(super) boots: u64,
    pub(super) disk: Disk,
    pub(super) tick_at_ms: Option<u64>,
}

/// What survives: the lock always, the store up to a random point after the last sync.
#[derive(Debug, Default)]
pub(super) struct Disk {
    pub(super) locked: Vec<Verified>,
    pub(super) arrived: Vec<Verified>,
    pub(super) synced: usize,
    pub(super) forks: BTreeMap<Origin, v1::ForkProof>,
}

impl Node {
    pub(super) fn new(origin: Origin) -> Self {
        Self { origin, state: None, boots: 0, disk: Disk::default(), tick_at_ms: None }
    }

    pub(super) fn boot(&mut self, federation: &Federation, now_ms: u64, seed: u64) -> State {
        self.boots += 1;
        self.tick_at_ms = None;
        self.recover_own();
        let mut heads = BTreeMap::new();
        for entry in &self.disk.arrived {
            let head = Head { at: entry.header().at, hash: entry.hash() };
            heads.insert(entry.header().origin, (head, entry.header().hlc_ms));
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
            heads: heads.into_iter().map(|(origin, (head, hlc_ms))| (origin, head, hlc_ms)).collect(),
            locked: self.disk.locked.last().map(|last| Head { at: last.header().at, hash: last.hash() }),
            forks: self.disk.known_forks(),
            receipts: Vec::new(),
            now_ms,
            seed,
            settings: crate::state::Settings::default(),
        })
    }

    /// Puts again what the store lost of the own log; nothing is signed anew.
    fn recover_own(&mut self) {
        let stored = self.disk.arrived.iter().filter(|entry| entry.header().origin == self.origin).count();
        for entry in self.disk.locked.iter().skip(stored) {
            self.disk.arrived.push(entry.clone());
        }
    }

    pub(super) fn forked(&self) -> BTreeMap<Origin, ForkEvidence> {
        self.state.as_ref().map(|state| state.forks().clone()).unwrap_or_default()
    }
}

impl Disk {
    pub(super) fn held_unverified(&self, origin: Origin) -> BTreeMap<u64, Unverified> {
        let read = |(seq, entry): (u64, Verified)| Some((seq, Unverified::parse(entry.to_wire()).ok()?));
        self.held(origin).into_iter().filter_map(read).collect()
    }

    pub(super) fn hash_before(&self, origin: Origin, seq: u64) -> Option<Hash> {
        self.held(origin).get(&(seq - 1)).map(Verified::hash)
    }

    fn known_forks(&self) -> Vec<(v1::ForkProof, Option<Hash>)> {
        let before = |proof: &v1::ForkProof, origin: Origin| {
            let left = Unverified::parse(proof.left.clone()?).ok()?;
            self.hash_before(origin, left.header().at.seq)
        };
        self.forks.iter().map(|(origin, proof)| (proof.clone(), before(proof, *origin))).collect()
    }

    pub(super) fn held(&self, origin: Origin) -> BTreeMap<u64, Verified> {
        let own = self.arrived.iter().filter(|entry| entry.header().origin == origin);
        own.map(|entry| (entry.header().at.seq, entry.clone())).collect()
    }

    pub(super) fn answer(&self, pull: &v1::Pull) -> Vec<Body> {
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
    pub(super) fn check_chains(&self, node: usize, found: &mut Vec<String>) {
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
    pub(super) fn check_acknowledged(
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
