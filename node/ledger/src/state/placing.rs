//! What becomes of entries that came: they are placed, stored, and only then known.

use wego_proto::{entry::Header, id::Origin};

use super::{Chain, Event, NotWritable, Output, State};
use crate::{
    heads::LogKey,
    limits::INTAKE_PAUSE_MS,
    log::{Bound, Head, Placement, Run},
    session::ConnId,
};

impl State {
    pub(super) fn place(&mut self, now_ms: u64, conn: ConnId, key: LogKey, run: Run) {
        if key.1 > self.roster.epochs(key.0).tip() && !self.place_opening(key, &run) {
            return;
        }
        let own = key.0 == self.me.origin;
        let Some(chain) = self.chain(key) else { return };
        match chain.accepted.place(run) {
            Placement::Extends(run) => {
                chain.accepted.advance(Head { at: run.last().header().at, hash: run.last().hash() });
                self.outputs.push(if own { Output::Recover(run) } else { Output::Store(run) });
            }
            Placement::Held => {}
            Placement::Gap(_) => {
                // The log went back to what is stored after the store refused; it is fetched again from there.
                self.pulls.remove(&key);
            }
            Placement::Parts => {
                let below = chain.accepted.head().map_or(1, |head| head.at.seq + 1);
                self.pulls.remove(&key);
                self.probe(now_ms, conn, key, below);
            }
            Placement::Differs(run) => self.outputs.push(Output::Compare(conn, run)),
        }
    }

    /// Makes room for an epoch that begins with this run. Returns whether it opens one.
    fn place_opening(&mut self, key: LogKey, run: &Run) -> bool {
        let Some(opening) = run.iter().next().filter(|first| first.header().at.seq == 1) else {
            return false;
        };
        let Ok(epoch) = self.roster.opened(opening) else { return false };
        if key.0 == self.me.origin && self.own_base().0 > epoch.base {
            // What was acknowledged here would be void: whoever opened it did not know of it, or did not want it. It
            // is not taken over: what this node wrote is what its operator heals the log with.
            self.stop_writing(NotWritable::Contradicted { epoch: epoch.number });
            return false;
        }
        self.logs.entry(key).or_insert_with(|| Chain::new(epoch.base_hash, key.1, Bound::OPEN));
        self.openings.insert(key, epoch);
        true
    }

    pub(super) fn stored(&mut self, now_ms: u64, origin: Origin, head: Head, endpoints: bool) {
        let key = (origin, head.at.epoch);
        let Some(chain) = self.chain(key) else { return };
        chain.stored.advance(head);
        if let Some(epoch) = self.openings.remove(&key) {
            self.opened(now_ms, origin, epoch);
            if origin == self.me.origin {
                self.own_epoch_opened(now_ms, key.1);
            }
        }
        self.refresh_board(key);
        if endpoints {
            self.look_up_endpoints(origin);
        }
        self.announce(key);
    }

    /// Asks for everything that counts of what a member's log says of its endpoints: each change stands on the one before,
    /// and an opening or a fork can make any of them void.
    pub(super) fn look_up_endpoints(&mut self, origin: Origin) {
        let Some(standing) = self.standings.get(&origin) else { return };
        let within = standing.epochs().map(|epoch| (epoch, standing.bound(epoch).last)).collect();
        self.outputs.push(Output::LookUpEndpoints { origin, within });
    }

    pub(super) fn hear_endpoints(&mut self, origin: Origin, headers: &[Header]) {
        if self.roster.hear(origin, headers) {
            self.notify(Event::EndpointsChanged(origin));
            self.drop_unknown_speakers();
        }
    }

    pub(super) fn store_failed(&mut self, now_ms: u64, key: LogKey) {
        self.intake_at_ms = now_ms + INTAKE_PAUSE_MS;
        if key.0 == self.me.origin && (self.recovery.is_none() || self.opening_here == Some(key.1)) {
            // The lock holds them; the driver puts them again.
            return;
        }
        if self.openings.remove(&key).is_some() {
            self.logs.remove(&key);
        } else if let Some(chain) = self.logs.get_mut(&key) {
            chain.accepted = chain.stored.clone();
        }
        self.pulls.retain(|other, _| *other != key);
        self.behind.insert(key);
    }
}
