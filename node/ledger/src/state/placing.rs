//! What becomes of entries that came: they are placed, stored, and only then known.

use wego_proto::{entry::Header, epochs::Epoch, id::Origin};

use super::{Chain, Event, NotWritable, Output, State};
use crate::{
    heads::LogKey,
    limits::INTAKE_PAUSE_MS,
    log::{Bound, Head, Placement, Root, Run},
    session::ConnId,
};

impl State {
    pub(super) fn place(&mut self, now_ms: u64, conn: ConnId, key: LogKey, run: Run) {
        if key.1 > self.roster.epochs(key.0).tip() && !self.place_openings(key, run.openings()) {
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

    /// Makes room for an epoch that begins with the last of these openings. The others, which it continues from, are
    /// stored before it, in place of other openings of their epochs: without them no later start could judge it. Returns
    /// whether there is one.
    fn place_openings(&mut self, key: LogKey, openings: &[Epoch]) -> bool {
        let Some((top, below)) = openings.split_last() else { return false };
        let own = key.0 == self.me.origin;
        if own && !self.continues_own_log(top, below) {
            return false;
        }
        for epoch in below.iter().filter(|_| !own) {
            let lower = (key.0, epoch.number);
            let held = self.roster.epochs(key.0).held(epoch.number).map(Epoch::id);
            if held == Some(epoch.id()) {
                continue;
            }
            self.make_room(lower, epoch);
            let head = Head { at: epoch.opening.header().at, hash: epoch.opening.hash() };
            if let Some(chain) = self.logs.get_mut(&lower) {
                chain.accepted.advance(head);
            }
            self.outputs.push(Output::Store(Run::own(epoch.opening.clone(), Vec::new())));
        }
        self.make_room(key, top);
        self.openings.insert(key, openings.to_vec());
        true
    }

    fn make_room(&mut self, key: LogKey, epoch: &Epoch) {
        let held = self.logs.get(&key).is_some_and(|chain| chain.accepted.head().is_some());
        if held || self.unbelieved.remove(&key) {
            self.outputs.push(Output::Rewind { key, after: 0 });
        }
        let root = Root::Opening(epoch.opening.hash());
        self.logs.insert(key, Chain::new(root, key.1, Bound::OPEN));
    }

    /// Whether a new epoch of the own log leaves what this node wrote as it is. Otherwise whoever opened it did not know
    /// of that, or did not want it: it is not taken over, for what this node wrote is what its operator heals the log
    /// with.
    fn continues_own_log(&mut self, top: &Epoch, below: &[Epoch]) -> bool {
        let epochs = self.roster.epochs(self.me.origin);
        let held = |epoch: &Epoch| epochs.held(epoch.number).map(Epoch::id);
        let others = below.iter().any(|epoch| held(epoch).is_some_and(|held| held != epoch.id()));
        if others || self.own_base().0 > top.base {
            self.stop_writing(NotWritable::Contradicted { epoch: top.number });
            return false;
        }
        // The lock takes the own log in its order alone: what it continues from comes first.
        below.iter().all(|epoch| held(epoch).is_some())
    }

    /// Takes up a log that was stored before this start.
    pub(super) fn take_stored(&mut self, origin: Origin, head: Head) {
        let key = (origin, head.at.epoch);
        match self.chain(key) {
            Some(chain) => chain.advance(head),
            None => {
                self.unbelieved.insert(key);
            }
        }
    }

    pub(super) fn stored(&mut self, now_ms: u64, origin: Origin, head: Head, endpoints: bool) {
        let key = (origin, head.at.epoch);
        let Some(chain) = self.chain(key) else { return };
        chain.stored.advance(head);
        // Something may have been set aside in between, to make room for it.
        if chain.accepted.head().is_none_or(|accepted| accepted.at < head.at) {
            chain.accepted.advance(head);
        }
        let root = chain.stored.root();
        if let Some(openings) = self.openings.remove(&key) {
            self.opened(now_ms, origin, openings);
            if origin == self.me.origin {
                self.own_epoch_opened(now_ms, key.1);
            }
        } else if let Root::Opening(hash) = root
            && let Some(epoch) = self.roster.epochs(origin).find((key.1, hash)).cloned()
        {
            self.roster.hold(origin, epoch);
        }
        self.refresh_board(key);
        if endpoints && self.roster.has_room_for_a_change(origin) {
            self.look_up_endpoints(origin);
        }
        self.announce(key);
    }

    /// Asks for everything that counts of what a member's log says of its endpoints: each change stands on the one before,
    /// and an opening or a fork can make any of them void.
    pub(super) fn look_up_endpoints(&mut self, origin: Origin) {
        if let Some(within) = self.counting(origin) {
            self.outputs.push(Output::LookUpEndpoints { origin, within });
        }
    }

    /// Asks for the last word that counts of a member's log on its names and portal.
    pub(super) fn look_up_presentation(&mut self, origin: Origin) {
        if let Some(within) = self.counting(origin) {
            self.outputs.push(Output::LookUpPresentation { origin, within });
        }
    }

    /// The epochs of a log that count, oldest first, each with the last sequence number that does.
    fn counting(&self, origin: Origin) -> Option<Vec<(u32, u64)>> {
        let standing = self.standings.get(&origin)?;
        Some(standing.epochs().map(|epoch| (epoch, standing.bound(epoch).last)).collect())
    }

    pub(super) fn hear_endpoints(&mut self, origin: Origin, headers: &[Header]) {
        if self.roster.hear(origin, headers) {
            self.notify(Event::EndpointsChanged(origin));
            self.drop_unknown_speakers();
        }
    }

    pub(super) fn hear_presentation(&mut self, origin: Origin, header: Option<&Header>) {
        if self.roster.hear_presentation(origin, header) {
            self.notify(Event::PresentationChanged(origin));
        }
    }

    pub(super) fn store_failed(&mut self, now_ms: u64, key: LogKey) {
        self.intake_at_ms = now_ms + INTAKE_PAUSE_MS;
        if key.0 == self.me.origin && (self.recovery.is_none() || self.opening_here == Some(key.1)) {
            // The lock holds them; the driver puts them again.
            return;
        }
        let continues = |openings: &[Epoch]| openings.iter().any(|epoch| epoch.number == key.1);
        let pending = self.openings.iter().find(|(top, openings)| top.0 == key.0 && continues(openings));
        if let Some(top) = pending.map(|(top, _)| *top) {
            self.openings.remove(&top);
            self.logs.remove(&top);
            self.work_out(key.0);
        }
        if let Some(chain) = self.logs.get_mut(&key) {
            chain.accepted = chain.stored.clone();
        }
        self.pulls.retain(|other, _| *other != key);
        self.behind.insert(key);
    }
}
