//! How far each log counts, kept up with what becomes known: openings, forks, roster versions.

use std::collections::BTreeMap;

use wego_proto::{
    epochs::Epoch,
    id::{Hash, Origin},
};

use super::{Chain, Event, Output, State};
use crate::{
    heads::LogKey,
    log::{Bound, FIRST_EPOCH, Fork, Head, Log, Root},
    standing::Standing,
};

impl State {
    /// The log of an epoch, made when it is first needed; `None` when neither the roster nor an opening tells of it.
    pub(super) fn chain(&mut self, key: LogKey) -> Option<&mut Chain> {
        let root = match self.opening_of(key) {
            Some(epoch) => Root::Opening(epoch.opening.hash()),
            None if key.1 == FIRST_EPOCH => Root::Before(self.roster.member(key.0)?.log_root()),
            None => return self.logs.get_mut(&key),
        };
        let bound = self.bound(key);
        Some(self.logs.entry(key).or_insert_with(|| Chain::new(root, key.1, bound)))
    }

    /// An epoch above the first, as it counts if it does.
    pub(super) fn opening_of(&self, (origin, epoch): LogKey) -> Option<&Epoch> {
        let epochs = self.roster.epochs(origin);
        let counts = self.standings.get(&origin).and_then(|standing| standing.opening(epoch));
        counts.and_then(|hash| epochs.find((epoch, hash))).or_else(|| epochs.get(epoch))
    }

    /// How far an epoch counts, as far as it is known.
    pub(super) fn bound(&self, (origin, epoch): LogKey) -> Bound {
        match self.standings.get(&origin) {
            Some(standing) => standing.bound(epoch),
            None if epoch == FIRST_EPOCH => Bound::OPEN,
            None => Bound::NOTHING,
        }
    }

    /// Where the log of a member is frozen by a fork that nothing has healed.
    #[must_use]
    pub fn frozen_at(&self, origin: Origin) -> Option<Fork> {
        self.standings.get(&origin)?.fork()
    }

    /// The bounds of every log that has more than one epoch, or a bound.
    #[must_use]
    pub fn standings(&self) -> &BTreeMap<Origin, Standing> {
        &self.standings
    }

    /// Takes in an epoch whose opening is stored, after those it continues from.
    pub(super) fn opened(&mut self, now_ms: u64, origin: Origin, openings: Vec<Epoch>) {
        for epoch in openings {
            let (number, rank) = (epoch.number, epoch.rank);
            if self.roster.hold(origin, epoch) {
                // Whoever verifies entries must know the epoch's key before any are asked for.
                self.notify(Event::EpochOpened { origin, number, rank });
            }
        }
        self.restand(now_ms, origin);
    }

    /// Works out anew how far a member's log counts, and looks for what is lacking of it.
    pub(super) fn restand(&mut self, now_ms: u64, origin: Origin) {
        self.work_out(origin);
        self.review_receipts();
        self.pulls.retain(|key, _| key.0 != origin);
        let named: Vec<_> =
            self.sessions.iter().map(|(conn, open)| (*conn, open.theirs.of(origin))).collect();
        for (conn, keys) in named {
            for key in keys {
                self.compare_with(now_ms, conn, key);
            }
        }
    }

    /// As [`State::restand`], while nobody is connected.
    pub(super) fn work_out(&mut self, origin: Origin) {
        let forks = self.forks.range((origin, 0)..=(origin, u32::MAX));
        let forks = forks.map(|(key, evidence)| (key.1, evidence.fork)).collect();
        let Some(member) = self.roster.member(origin) else { return };
        let standing = Standing::of(self.roster.epochs(origin), &forks, member.cut);
        let counting: Vec<_> = standing.epochs().collect();
        let before = self.standings.insert(origin, standing);
        for epoch in counting {
            self.follow_opening((origin, epoch));
            self.chain((origin, epoch));
        }
        let mut touched: Vec<_> = before.iter().flat_map(Standing::epochs).collect();
        for (key, chain) in self.logs.range_mut((origin, 0)..=(origin, u32::MAX)) {
            let bound = self.standings.get(&origin).map_or(Bound::OPEN, |standing| standing.bound(key.1));
            chain.accepted.limit(bound);
            if chain.stored.limit(bound) {
                self.outputs.push(Output::LookUp { key: *key, seq: bound.last });
            }
            touched.push(key.1);
        }
        touched.sort_unstable();
        touched.dedup();
        for epoch in touched {
            self.refresh_board((origin, epoch));
        }
        self.look_up_endpoints(origin);
        self.look_up_presentation(origin);
    }

    /// Sets aside what is held of an epoch that counts behind another of its openings: not even its first entry is of
    /// this log. Of the own log nothing is set aside: it is what the operator goes on from.
    fn follow_opening(&mut self, key: LogKey) {
        let being_placed = self.openings.keys().any(|pending| pending.0 == key.0);
        if key.0 == self.me.origin || being_placed {
            return;
        }
        let Some(root) = self.opening_of(key).map(|epoch| Root::Opening(epoch.opening.hash())) else {
            return;
        };
        let bound = self.bound(key);
        if let Some(chain) = self.logs.get_mut(&key).filter(|chain| chain.stored.root() != root) {
            let held = chain.accepted.head().is_some();
            *chain = Chain::new(root, key.1, bound);
            if held {
                self.outputs.push(Output::Rewind { key, after: 0 });
            }
        }
    }

    pub(super) fn looked_up(&mut self, key: LogKey, seq: u64, hash: Hash) {
        if let Some(chain) = self.logs.get_mut(&key) {
            chain.stored.found_at(seq, hash);
            chain.accepted.found_at(seq, hash);
            self.refresh_board(key);
        }
    }

    pub(super) fn rewound(&mut self, now_ms: u64, key: LogKey, head: Option<Head>) {
        if let Some(chain) = self.logs.get_mut(&key) {
            chain.stored.rewind(head);
            chain.accepted.rewind(head);
        }
        if head.is_none() {
            self.roster.release(key.0, key.1);
        }
        self.notify(Event::HistorySetAside(key.0));
        self.restand(now_ms, key.0);
    }

    pub(super) fn refresh_board(&mut self, key: LogKey) {
        let head = self.logs.get(&key).and_then(|chain| chain.stored.agreed_head());
        if self.board.head(key) != head {
            self.board.set(key.0, key.1, head);
        }
    }
}

impl Chain {
    pub(super) fn new(root: Root, epoch: u32, bound: Bound) -> Self {
        let mut log = Log::new(root, epoch);
        log.limit(bound);
        Self { stored: log.clone(), accepted: log }
    }

    pub(super) fn advance(&mut self, head: Head) {
        self.stored.advance(head);
        self.accepted.advance(head);
    }
}
