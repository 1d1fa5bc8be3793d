//! A simulated node: its state, and the disk that survives it.

use std::collections::{BTreeMap, BTreeSet};

use wego_proto::{
    entry::{Unverified, Verified},
    id::{Hash, Origin, Position},
    v1::{self, session_message::Body},
};

use super::Federation;
use crate::{
    heads::LogKey,
    limits::{ENDPOINT_CHANGES_MAX, ENTRIES_PER_MESSAGE},
    log::Head,
    roster::History,
    session::{self, Me},
    state::{Footing, Input, Settings, Start, State},
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
#[derive(Debug, Clone, Default)]
pub(super) struct Disk {
    pub(super) locked: Vec<Verified>,
    pub(super) arrived: Vec<Verified>,
    pub(super) synced: usize,
    pub(super) forks: BTreeMap<LogKey, v1::ForkProof>,
    /// Whether the own log was written here last, as far as the disk can tell.
    pub(super) anchored: bool,
    /// Start of the process that anchored it.
    pub(super) last_start_ms: u64,
    pub(super) last_run: Option<Vec<u8>>,
}

impl Node {
    pub(super) fn new(origin: Origin) -> Self {
        // A key that was just made has never signed.
        let disk = Disk { anchored: true, ..Disk::default() };
        Self { origin, state: None, boots: 0, disk, tick_at_ms: None }
    }

    pub(super) fn boot(
        &mut self,
        federation: &Federation,
        now_ms: u64,
        (seed, run): (u64, [u8; 16]),
        settings: Settings,
    ) -> State {
        self.boots += 1;
        self.tick_at_ms = None;
        self.recover_own();
        let mut heads = BTreeMap::new();
        let mut roster: History = federation.roster.clone();
        for entry in &self.disk.arrived {
            let head = Head { at: entry.header().at, hash: entry.hash() };
            let key = (entry.header().origin, entry.header().at.epoch);
            heads.insert(key, (head, entry.header().hlc_ms));
            if let Ok(epoch) = roster.opened(entry) {
                roster.hold(key.0, epoch);
            }
        }
        let key = federation.log_key(self.origin);
        let started_ms = now_ms.max(self.disk.last_start_ms + 1);
        let run = session::Start::sign(self.origin, run, started_ms, &roster.federation(), &key);
        let footing = if self.disk.anchored { Footing::Sound } else { Footing::Unsure };
        let previous_run = self.disk.last_run.clone().filter(|_| self.disk.anchored);
        self.disk.last_start_ms = started_ms;
        self.disk.last_run = Some(run.id.clone());
        State::new(Start {
            me: Me {
                origin: self.origin,
                federation: roster.federation(),
                // A crash keeps the database; only its un-synced end is lost.
                store: wego_proto::id::StoreId::new([self.origin.0 as u8; 16]),
                node_id: *federation.transport_key(self.origin).public().as_bytes(),
                software: "sim".to_owned(),
                run,
            },
            key,
            roster,
            heads: heads.into_iter().map(|(key, (head, hlc_ms))| (key.0, head, hlc_ms)).collect(),
            locked: self.disk.locked.last().map(|last| Head { at: last.header().at, hash: last.hash() }),
            forks: self.disk.forks.values().cloned().collect(),
            receipts: Vec::new(),
            footing,
            previous_run,
            now_ms,
            seed,
            settings,
        })
    }

    /// Puts again what the store lost of the own log; nothing is signed anew.
    fn recover_own(&mut self) {
        let own = self.disk.arrived.iter().filter(|entry| entry.header().origin == self.origin);
        let stored: BTreeSet<_> = own.map(Verified::hash).collect();
        for entry in self.disk.locked.iter().filter(|entry| !stored.contains(&entry.hash())) {
            self.disk.arrived.push(entry.clone());
        }
    }
}

impl Disk {
    pub(super) fn held_unverified(&self, key: LogKey) -> BTreeMap<u64, Unverified> {
        let read = |(seq, entry): (u64, Verified)| Some((seq, Unverified::parse(entry.to_wire()).ok()?));
        self.held(key).into_iter().filter_map(read).collect()
    }

    pub(super) fn held(&self, key: LogKey) -> BTreeMap<u64, Verified> {
        let of_log = |entry: &&Verified| (entry.header().origin, entry.header().at.epoch) == key;
        self.arrived.iter().filter(of_log).map(|entry| (entry.header().at.seq, entry.clone())).collect()
    }

    pub(super) fn looked_up(&self, key: LogKey, seq: u64) -> Option<Input> {
        let hash = self.held(key).get(&seq).map(Verified::hash)?;
        Some(Input::LookedUp { key, seq, hash })
    }

    pub(super) fn endpoints_said(&self, origin: Origin, within: &[(u32, u64)]) -> Input {
        let of_epoch = |(epoch, last): &(u32, u64)| {
            let headers: Vec<_> = self
                .held((origin, *epoch))
                .range(..=*last)
                .map(|(_, entry)| entry.header().clone())
                .collect();
            headers.into_iter().filter(|header| header.endpoint_change.is_some())
        };
        let headers = within.iter().flat_map(of_epoch).take(ENDPOINT_CHANGES_MAX).collect();
        Input::Endpoints { origin, headers }
    }

    pub(super) fn presentation_said(&self, origin: Origin, within: &[(u32, u64)]) -> Input {
        let header = within.iter().rev().find_map(|(epoch, last)| {
            let held = self.held((origin, *epoch));
            let said = held.range(..=*last).rev().find(|(_, entry)| entry.header().presentation.is_some());
            said.map(|(_, entry)| Box::new(entry.header().clone()))
        });
        Input::Presentation { origin, header }
    }

    /// Sets aside what is held of a log after a position. Returns the head that is left.
    pub(super) fn rewind(&mut self, key: LogKey, after: u64) -> Option<Head> {
        let goes = |entry: &Verified| {
            (entry.header().origin, entry.header().at.epoch) == key && entry.header().at.seq > after
        };
        self.arrived.retain(|entry| !goes(entry));
        self.synced = self.arrived.len();
        self.held(key).get(&after).map(|last| Head { at: last.header().at, hash: last.hash() })
    }

    pub(super) fn answer(&self, pull: &v1::Pull, epochs: &[v1::Entry]) -> Vec<Body> {
        let held = self.held((Origin(pull.origin), pull.epoch));
        let wire: Vec<_> = held
            .range(pull.from..)
            .take_while(|(seq, _)| **seq <= pull.until)
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
        let message = |(n, entries)| {
            let epochs = if n == 0 { epochs.to_vec() } else { Vec::new() };
            Body::Entries(v1::Entries { request: pull.request, entries, done: n == last, epochs })
        };
        chunks.into_iter().enumerate().map(message).collect()
    }

    /// S2 and S3: positions without gaps, each entry naming the one before.
    pub(super) fn check_chains(&self, node: usize, found: &mut Vec<String>) {
        let mut tips: BTreeMap<LogKey, (u64, Hash)> = BTreeMap::new();
        for entry in &self.arrived {
            let header = entry.header();
            let key = (header.origin, header.at.epoch);
            let tip = tips.get(&key);
            let expected = tip.map_or(1, |(seq, _)| seq + 1);
            let follows = tip.is_none_or(|(_, hash)| header.prev == *hash);
            if header.at.seq != expected || !follows {
                found.push(format!("node {node} stored {} {} out of chain", header.origin, header.at));
            }
            tips.insert(key, (header.at.seq, entry.hash()));
        }
    }

    /// S5 and S6: every acknowledged entry that counts is here, and no other in its place. Which ones count is asked
    /// of the node: those before a fork, and before the base of a later epoch.
    pub(super) fn check_acknowledged(
        &self,
        node: usize,
        acknowledged: &BTreeMap<(Origin, Position), Hash>,
        counts: impl Fn(Origin, Position) -> bool,
        found: &mut Vec<String>,
    ) {
        let held: BTreeMap<_, _> = self
            .arrived
            .iter()
            .map(|entry| ((entry.header().origin, entry.header().at), entry.hash()))
            .collect();
        for ((origin, at), hash) in acknowledged {
            if counts(*origin, *at) && held.get(&(*origin, *at)) != Some(hash) {
                found.push(format!("node {node} lacks the acknowledged entry {origin} {at}"));
            }
        }
    }
}
