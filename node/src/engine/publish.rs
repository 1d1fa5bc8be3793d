//! What readers are shown of the engine's state, a moment at a time.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use wego_ledger::{roster::History, session::ConnId};
use wego_proto::{id::Origin, key::PublicKey};

use super::{
    view::{SessionView, View},
    worker::Worker,
};
use crate::{
    clock::now_ms,
    store::{EntryStore, space::Writes},
};

impl Worker {
    pub(super) fn publish_view(&mut self) {
        if !self.dirty {
            return;
        }
        self.dirty = false;
        self.view_at = Instant::now();
        let now = now_ms();
        let space = self.space.check().ok();
        // Of the epochs that count the last one has the newest entry.
        let heads = self.state.board().iter().map(|((origin, _), head)| (origin, head)).collect();
        let members = self.state.roster().current().members().keys();
        let seen = members.filter_map(|origin| Some((*origin, self.state.seen_ms(*origin, now)?))).collect();
        self.view.store(Arc::new(View {
            me: self.me,
            log_key: self.state.log_key().1,
            key_no: self.state.log_key().0,
            store_id: self.store.store_id(),
            roster: self.roster.clone(),
            heads,
            seen_ms: seen,
            sessions: self.session_views(),
            receipts: self.state.receipts(),
            standings: self.state.standings().clone(),
            not_writable: self.state.not_writable(),
            refused: self.refused.clone(),
            cursor: self.store.cursor(),
            disk: space.map_or((0, 0), |space| (space.free_bytes, space.reserve_bytes)),
            disk_full: space.is_some_and(|space| space.writes == Writes::Refused),
            broken: self.broken,
            at_ms: now,
            started_ms: self.started_ms,
            roster_conflicts: self.roster_conflicts,
            governance: self.governance.view.clone(),
        }));
    }

    fn session_views(&self) -> BTreeMap<Origin, SessionView> {
        let view = |(_, open): (ConnId, &wego_ledger::session::Open)| {
            let (since_ms, skew_ms) = self.session_since.get(&open.member).copied().unwrap_or_default();
            let view = SessionView {
                dialled: open.side == wego_ledger::session::Side::Dialled,
                software: open.software.clone(),
                lag_entries: self.state.lag(open),
                skew_ms,
                since_ms,
            };
            (open.member, view)
        };
        self.state.sessions().map(view).collect()
    }
}

pub(super) fn empty_view(
    me: Origin,
    log_key: PublicKey,
    store: &dyn EntryStore,
    roster: Arc<History>,
    started_ms: u64,
) -> View {
    View {
        me,
        log_key,
        key_no: 0,
        store_id: store.store_id(),
        roster,
        heads: BTreeMap::new(),
        seen_ms: BTreeMap::new(),
        sessions: BTreeMap::new(),
        receipts: Arc::default(),
        standings: BTreeMap::new(),
        not_writable: None,
        refused: BTreeMap::new(),
        cursor: store.cursor(),
        disk: (0, 0),
        disk_full: false,
        broken: None,
        at_ms: started_ms,
        started_ms,
        roster_conflicts: 0,
        governance: Arc::default(),
    }
}
