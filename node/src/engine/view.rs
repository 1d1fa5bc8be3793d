//! What the engine knows, as an immutable value that readers share.

use std::{collections::BTreeMap, sync::Arc};

use wego_ledger::{log::Head, roster::History, standing::Standing, state::NotWritable};
use wego_proto::{
    id::{Origin, Position, StoreId},
    key::PublicKey,
    v1,
};

use super::governance::GovernanceView;
use crate::store::Cursor;

/// One moment of the engine.
#[derive(Debug, Clone)]
pub struct View {
    /// This node's member.
    pub me: Origin,
    /// This node's log key, and its number where it is in force; 0 where it is not.
    pub log_key: PublicKey,
    /// See there.
    pub key_no: u32,
    /// This incarnation of the store.
    pub store_id: StoreId,
    /// The roster versions.
    pub roster: Arc<History>,
    /// The newest entry held of each member, before its fork if it has one.
    pub heads: BTreeMap<Origin, Head>,
    /// When each member's data was last confirmed current, ms since 1970.
    pub seen_ms: BTreeMap<Origin, u64>,
    /// The open sessions.
    pub sessions: BTreeMap<Origin, SessionView>,
    /// The newest receipt of each active member.
    pub receipts: wego_ledger::state::Kept,
    /// How far each member's log counts, of those that have more than one epoch or a bound.
    pub standings: BTreeMap<Origin, Standing>,
    /// Why this node may not write, if it may not.
    pub not_writable: Option<NotWritable>,
    /// Inputs refused since the start, by reason.
    pub refused: BTreeMap<&'static str, u64>,
    /// Everything stored so far.
    pub cursor: Cursor,
    /// Free on the file system and kept free, bytes.
    pub disk: (u64, u64),
    /// Whether writes are refused for want of space.
    pub disk_full: bool,
    /// What broke, so that the node must stop and be started anew.
    pub broken: Option<Broken>,
    /// When this was so, ms since 1970: an old view means that the engine stands still.
    pub at_ms: u64,
    /// Start of the process, ms since 1970.
    pub started_ms: u64,
    /// Greetings of peers that have another roster under the number of the one in force here.
    pub roster_conflicts: u64,
    /// Roster versions that collect signatures, and conflicts.
    pub governance: Arc<GovernanceView>,
}

/// What cannot be written any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// The store: the next start sets it aside and fills a new one.
    Store,
    /// The journal: the next start opens it anew.
    Journal,
}

/// An open session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionView {
    /// Whether this node opened it.
    pub dialled: bool,
    /// The peer's software, as it says.
    pub software: String,
    /// Entries it named that this node lacks.
    pub lag_entries: u64,
    /// The peer's clock less ours at the start, ms.
    pub skew_ms: i64,
    /// Since when, ms since 1970.
    pub since_ms: u64,
}

impl View {
    /// The handle of a member.
    #[must_use]
    pub fn handle(&self, origin: Origin) -> &str {
        self.roster.member(origin).map_or("", |member| member.handle.as_str())
    }

    /// The log keys of this node's member in the roster and in its own log: any of them may have signed what is kept here.
    #[must_use]
    pub fn own_log_keys(&self) -> Vec<PublicKey> {
        let member = self.roster.member(self.me);
        let given = member.into_iter().flat_map(|member| member.log_keys.iter().map(|key| key.key));
        given.chain(self.roster.epochs(self.me).iter().map(|epoch| epoch.key)).collect()
    }

    /// A member as it is now: the one source of its names, addresses and keys for all that shows them.
    #[must_use]
    pub fn member_now(&self, origin: Origin) -> Option<v1::Member> {
        self.roster.member_now(origin, self.standings.get(&origin))
    }

    /// Whether the entry at a position counts: not behind a fork, a cut or the base of a later epoch.
    #[must_use]
    pub fn counts(&self, origin: Origin, at: Position) -> bool {
        self.standings.get(&origin).is_none_or(|standing| standing.counts(at))
    }

    /// The openings of a member's epochs that count, oldest first: what a proof needs beside the roster.
    #[must_use]
    pub fn openings(&self, origin: Origin) -> Vec<v1::Entry> {
        let newest = self.standings.get(&origin).and_then(Standing::newest_opening);
        let chain = newest.map(|newest| self.roster.epochs(origin).chain(newest)).unwrap_or_default();
        chain.into_iter().map(|epoch| epoch.opening.to_wire_without_payload()).collect()
    }

    /// The members whose log is frozen, and where.
    #[must_use]
    pub fn forks(&self) -> BTreeMap<Origin, Position> {
        self.standings.keys().filter_map(|origin| Some((*origin, self.frozen_at(*origin)?))).collect()
    }

    /// Where a member's log is frozen by a proved fork that nothing has healed.
    #[must_use]
    pub fn frozen_at(&self, origin: Origin) -> Option<Position> {
        self.standings.get(&origin)?.fork().map(|fork| fork.at)
    }

    /// When a member's data was last confirmed current, ms since 1970; 0 never. Its own is current at `now_ms`.
    #[must_use]
    pub fn seen_ms(&self, origin: Origin, now_ms: u64) -> u64 {
        if origin == self.me { now_ms } else { self.seen_ms.get(&origin).copied().unwrap_or(0) }
    }

    /// As it is sent.
    #[must_use]
    pub fn wire_head(&self, origin: Origin) -> Option<v1::Head> {
        let head = self.heads.get(&origin)?;
        Some(v1::Head {
            origin: origin.0,
            epoch: head.at.epoch,
            seq: head.at.seq,
            hash: head.hash.as_bytes().to_vec(),
        })
    }
}
