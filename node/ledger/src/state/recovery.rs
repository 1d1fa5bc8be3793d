//! Never self-fork: what a start has to find out before it signs anything.
//!
//! The problem: a node cannot tell by itself whether it runs on its newest state. A backup, a copied folder and a
//! machine put back to a snapshot look like an honest restart, and whatever such a node signs contradicts what it
//! signed before. The rule: no start signs before enough members have shown that they hold nothing of the own log that
//! this node lacks. What they do hold is fetched and kept first. Where anything was lost, or may have been, or another
//! start of this member may be alive, the log goes on in a new epoch after the best known entry, so that a position
//! is never signed twice, whatever the members that could not be asked may hold.
//!
//! Nothing else may write meanwhile: [`super::NotWritable::Recovering`] stands until this is over.

use std::collections::{BTreeMap, BTreeSet};

use wego_proto::{
    entry::{EpochStart, Header, Verified},
    epochs::{Epoch, FIRST_EPOCH, Rank, next_number},
    id::{Hash, Origin, Position},
    v1::EntryKind,
};

use super::{Event, NotWritable, Output, State, sources::Delay};
use crate::{
    heads::LogKey,
    limits::{INTAKE_PAUSE_MS, RECOVERY_GRACE_MS, RECOVERY_QUORUM_MAX, TWIN_SETTLE_MS},
    log::{Root, Run},
    session::ConnId,
};

/// What the driver knows of the own log's copy at a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Footing {
    /// It is where it was written last, or its key has never signed.
    Sound,
    /// It may be old, a copy, or incomplete.
    Unsure,
    /// As [`Footing::Unsure`], and the operator says that nobody need be asked.
    Alone,
}

/// A start that may not sign yet.
#[derive(Debug)]
pub(super) struct Recovery {
    /// Whether the log must go on in a new epoch.
    anew: bool,
    needed: usize,
    others: usize,
    confirmed: BTreeSet<Origin>,
    since_ms: u64,
    /// Until then another start of this member has time to hear of this one and to stop.
    quiet_until_ms: u64,
    opening: bool,
    /// How often a member has named what it did not show, and how often it was slow.
    delays: BTreeMap<Origin, (u32, u32)>,
}

impl Recovery {
    pub(super) fn delays(&self, member: Origin) -> (u32, u32) {
        self.delays.get(&member).copied().unwrap_or_default()
    }

    pub(super) fn note_delay(&mut self, member: Origin, delay: Delay) {
        let (empty, slow) = self.delays.entry(member).or_default();
        let count = if delay == Delay::Empty { empty } else { slow };
        *count = count.saturating_add(1);
    }
}

impl State {
    pub(super) fn begin_recovery(&mut self, now_ms: u64, footing: Footing) {
        let members = self.roster.current().members().values();
        let others = members.filter(|member| member.is_active() && member.origin != self.me.origin).count();
        let quorum = others.div_ceil(2).min(RECOVERY_QUORUM_MAX);
        let needed =
            if footing == Footing::Alone { 0 } else { self.settings.quorum.unwrap_or(quorum).min(others) };
        let anew = footing != Footing::Sound || self.given_epoch().is_some();
        self.recovery = Some(Recovery {
            anew,
            needed,
            others,
            confirmed: BTreeSet::new(),
            since_ms: now_ms,
            quiet_until_ms: 0,
            opening: false,
            delays: BTreeMap::new(),
        });
        self.review_writing();
        self.try_anchor(now_ms);
    }

    /// As far as a start is, for whoever asks why it does not write.
    pub(super) fn recovering(&self) -> Option<NotWritable> {
        let recovery = self.recovery.as_ref()?;
        let Recovery { needed, since_ms, .. } = *recovery;
        Some(NotWritable::Recovering { confirmed: recovery.confirmed.len(), needed, since_ms })
    }

    /// Something shows that the log must not simply go on.
    pub(super) fn go_on_anew(&mut self) {
        if let Some(recovery) = &mut self.recovery {
            recovery.anew = true;
        }
    }

    /// A member has a session with another start of this one.
    pub(super) fn other_start_alive(&mut self, now_ms: u64) {
        if let Some(recovery) = &mut self.recovery {
            recovery.anew = true;
            // Once: whoever says so again and again must not keep this node from writing.
            if recovery.quiet_until_ms == 0 {
                recovery.quiet_until_ms = now_ms + TWIN_SETTLE_MS;
            }
        }
    }

    /// The machine's time has jumped: its state may have been put back while the process ran.
    pub(super) fn time_jumped(&mut self, now_ms: u64) {
        if self.recovery.is_none() && self.not_writable.is_none() {
            // Sessions may be those of before; what they say is not what a start hears.
            for conn in self.sessions.keys().copied().collect::<Vec<_>>() {
                self.outputs.push(Output::Close(conn));
                self.closed(now_ms, conn);
            }
            self.begin_recovery(now_ms, Footing::Unsure);
        }
    }

    /// Notes what a peer has shown of the own log, once its heads are known.
    pub(super) fn hear_of_own_log(&mut self, now_ms: u64, conn: ConnId) {
        let Some(open) = self.sessions.get(&conn).filter(|open| open.told_own) else { return };
        let member = open.member;
        let ahead =
            open.theirs.of(self.me.origin).into_iter().any(|key| self.lacks(key, open.theirs.seq(key)));
        if let Some(recovery) = &mut self.recovery
            && !ahead
        {
            recovery.confirmed.insert(member);
            self.review_writing();
            self.try_anchor(now_ms);
        }
    }

    /// As [`State::hear_of_own_log`] of all peers: what one of them gave is what others were ahead by.
    pub(super) fn hear_all_of_own_log(&mut self, now_ms: u64) {
        for conn in self.sessions.keys().copied().collect::<Vec<_>>() {
            self.hear_of_own_log(now_ms, conn);
        }
    }

    /// Whether an entry that counts, or an unknown epoch, may stand at or before a position that a peer named.
    pub(super) fn lacks(&self, key: LogKey, named: u64) -> bool {
        let held = self.logs.get(&key).and_then(|chain| chain.accepted.head()).map_or(0, |head| head.at.seq);
        key.1 > self.roster.epochs(key.0).tip() || named.min(self.bound(key).last) > held
    }

    /// When nothing is waited for but time.
    pub(super) fn recovery_deadline_ms(&self) -> Option<u64> {
        let recovery =
            self.recovery.as_ref().filter(|recovery| recovery.confirmed.len() >= recovery.needed)?;
        let due = recovery.quiet_until_ms.max(recovery.since_ms + RECOVERY_GRACE_MS);
        (!self.recovery_is_held_up()).then_some(due)
    }

    fn recovery_is_held_up(&self) -> bool {
        let own = |key: &LogKey| key.0 == self.me.origin;
        let fetching = self.pulls.keys().any(own) || self.openings.keys().any(own) || self.locking.is_some();
        let other_reason = !matches!(self.not_writable, None | Some(NotWritable::Recovering { .. }));
        fetching || other_reason || self.recovery.as_ref().is_none_or(|recovery| recovery.opening)
    }

    /// Ends the recovery when nothing is open any more.
    pub(super) fn try_anchor(&mut self, now_ms: u64) {
        let held_up = self.recovery_is_held_up();
        let Some(recovery) = &mut self.recovery else { return };
        let (confirmed, needed) = (recovery.confirmed.len(), recovery.needed);
        // Those who answer a moment later may hold more.
        let all =
            needed == 0 || confirmed >= recovery.others || now_ms >= recovery.since_ms + RECOVERY_GRACE_MS;
        let enough = confirmed >= needed && all && now_ms >= recovery.quiet_until_ms;
        if !enough || held_up {
            return;
        }
        if !recovery.anew {
            self.anchor();
            return;
        }
        recovery.opening = true;
        let header = match self.given_epoch() {
            Some((number, key_no)) => {
                let header = self.opening_header(now_ms, number, None);
                header.map(|header| Header { key_no, ..header })
            }
            None => {
                let number = self.next_own_epoch(Rank::Continuation).filter(|_| self.may_continue());
                number.and_then(|number| self.opening_header(now_ms, number, None))
            }
        };
        let signed = header.map(|header| Verified::sign(header, None, &self.me.federation, &self.key));
        if signed.is_none_or(|opening| !self.lock_opening(opening)) {
            self.stop_writing(NotWritable::KeyReplaced);
        }
    }

    /// The own log may be written from here on.
    pub(super) fn anchor(&mut self) {
        self.recovery = None;
        // Executed before anything that is signed from here on.
        self.outputs.push(Output::Anchor);
        self.notify(Event::Anchored);
        self.review_writing();
    }

    /// Whether this node's key is the one that goes on. With another one, peers would refuse what the lock already holds.
    fn may_continue(&self) -> bool {
        let origin = self.me.origin;
        let member = self.roster.member(origin);
        let in_force =
            member.and_then(|member| self.roster.epochs(origin).key_after(member, self.own_base().0));
        in_force.is_some_and(|(_, key)| key == self.key.public())
    }

    /// The opening of a start could not be locked: it is tried again after a while.
    pub(super) fn opening_failed(&mut self, now_ms: u64) {
        if let Some(recovery) = &mut self.recovery {
            recovery.opening = false;
            recovery.quiet_until_ms = recovery.quiet_until_ms.max(now_ms + INTAKE_PAUSE_MS);
        }
    }

    /// The epoch that the roster gives to this node's log key, and the key's number there, while nobody has opened it: a
    /// member that lost everything begins anew.
    fn given_epoch(&self) -> Option<(u32, u32)> {
        let member = self.roster.member(self.me.origin)?;
        let given = member.log_keys.iter().find(|given| given.key == self.key.public())?;
        let unopened = given.from.epoch > self.roster.epochs(self.me.origin).tip();
        (unopened && given.from.seq == 1).then_some((given.from.epoch, given.key_no))
    }

    /// A number for the next own epoch of this rank.
    #[must_use]
    pub(super) fn next_own_epoch(&mut self, rank: Rank) -> Option<u32> {
        let tip = self.roster.epochs(self.me.origin).tip();
        let base = self.own_base().0.epoch;
        next_number(rank, base, tip, self.jitter.draw() as u32)
    }

    /// The last own entry that counts: what a new epoch continues from.
    pub(super) fn own_base(&self) -> (Position, Hash) {
        let origin = self.me.origin;
        let nothing = self.roster.member(origin).map_or(Hash::new([0; 32]), |member| member.log_root());
        let path = self.roster.epochs(origin).path();
        let heads = path.iter().rev().filter_map(|segment| {
            let head = self.logs.get(&(origin, segment.epoch))?.accepted.agreed_head()?;
            Some((head.at, head.hash))
        });
        let fallback = (Position { epoch: FIRST_EPOCH, seq: 0 }, nothing);
        heads.into_iter().next().unwrap_or(fallback)
    }

    /// The last own entry that this node has: what it wrote, whoever contests it.
    pub(super) fn own_written(&self) -> (Position, Hash) {
        let own = self.logs.range((self.me.origin, 0)..=(self.me.origin, u32::MAX));
        let mut heads = own.rev().filter_map(|(_, chain)| chain.accepted.head());
        heads.next().map_or_else(|| self.own_base(), |head| (head.at, head.hash))
    }

    /// An opening of the own epoch `number` after `base`, or after the last own entry that counts; to be signed.
    pub(super) fn opening_header(
        &mut self,
        now_ms: u64,
        number: u32,
        base: Option<(Position, Hash)>,
    ) -> Option<Header> {
        let (base, base_hash) = base.unwrap_or_else(|| self.own_base());
        let member = self.roster.member(self.me.origin)?;
        let epochs = self.roster.epochs(self.me.origin);
        // What this node wrote stands behind the opening that it holds, whichever one counts elsewhere.
        let branch = epochs.held(base.epoch).or_else(|| epochs.get(base.epoch));
        // The key before may have been closed: whoever opens by another key says its number.
        let key_no = Epoch::key_after(branch, member, base).map_or(0, |(key_no, _)| key_no);
        let start = EpochStart {
            base,
            base_hash,
            proof_hash: None,
            store: Some(self.me.store),
            log_key: None,
            next_digest: None,
            base_opening: branch.map(|epoch| epoch.opening.hash()),
        };
        Some(Header {
            at: Position { epoch: number, seq: 1 },
            prev: base_hash,
            key_no,
            epoch_start: Some(start),
            ..self.header(now_ms, EntryKind::EpochStart as i32)
        })
    }

    /// Has an own opening locked and stored, if it opens what it says. Returns whether it does.
    pub(super) fn lock_opening(&mut self, opening: Verified) -> bool {
        if self.locking.is_some() {
            return false;
        }
        let Ok(epoch) = self.roster.opened(&opening) else { return false };
        let key = (self.me.origin, epoch.number);
        let root = Root::Opening(opening.hash());
        let mut chain = super::Chain::new(root, epoch.number, crate::log::Bound::OPEN);
        let before = chain.accepted.clone();
        chain.accepted.advance(crate::log::Head { at: opening.header().at, hash: opening.hash() });
        self.logs.insert(key, chain);
        self.openings.insert(key, vec![epoch]);
        self.opening_here = Some(key.1);
        let run = Run::own(opening, Vec::new());
        self.locking = Some((run.clone(), before));
        self.outputs.push(Output::Lock(run));
        true
    }

    /// An own opening is stored.
    pub(super) fn own_epoch_opened(&mut self, now_ms: u64, number: u32) {
        if self.opening_here.take_if(|here| *here == number).is_none() {
            // Fetched by a start: there may be more in it, and after it, that was not fetched yet.
            self.review_writing();
            self.hear_all_of_own_log(now_ms);
            return;
        }
        // An operator's opening answers what a start asks, and heals what stood against writing; only another start
        // of this member still does, unless the recovery key took its key away.
        let rank = self.roster.epochs(self.me.origin).get(number).map(|epoch| epoch.rank);
        if self.not_writable != Some(NotWritable::Twin) || rank == Some(Rank::Recovery) {
            self.not_writable = None;
        }
        if self.recovery.is_some() {
            self.anchor();
        }
        self.review_writing();
    }
}

#[cfg(test)]
pub(crate) mod tests;
