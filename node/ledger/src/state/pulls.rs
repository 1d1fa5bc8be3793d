//! Fetching what peers have more of: one source for a log at a time, many logs at once.

use wego_proto::{
    id::{Origin, Position},
    v1::{self, session_message::Body},
};

use super::{Event, NotWritable, Output, State, sources::Delay};
use crate::{
    heads::{self, LogKey},
    limits::{
        ENTRIES_PER_MESSAGE_MAX, OWN_PULL_MS, PULL_ENTRIES, PULL_STALL_MS, PULLS_MAX, PULLS_PER_PEER_MAX,
    },
    log::Run,
    reject::Reject,
    session::ConnId,
};

/// A request under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pull {
    pub(super) conn: ConnId,
    request: u32,
    pub(super) next: u64,
    until: u64,
    pub(super) since_ms: u64,
    pub(super) heard_ms: u64,
    pub(super) gained: u64,
    purpose: Purpose,
}

/// Why entries were asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To have them.
    Extend,
    /// To compare them with those held.
    Compare,
    /// To see whether there is more of the own log than this node has.
    Own,
}

impl Pull {
    /// When it counts as stalled, in ms.
    pub(super) fn stalls_at_ms(&self) -> u64 {
        let silent = self.heard_ms + PULL_STALL_MS;
        if self.purpose == Purpose::Own { silent.min(self.since_ms + OWN_PULL_MS) } else { silent }
    }
}

impl State {
    /// Looks at what a peer just named of one log.
    pub(super) fn compare_with(&mut self, now_ms: u64, conn: ConnId, key: LogKey) {
        let Some(known) = self.sessions.get(&conn).and_then(|open| open.theirs.heads.get(&key)).copied()
        else {
            return;
        };
        if self.waits_for_lower_epoch(conn, key) {
            return;
        }
        let head = self.logs.get(&key).and_then(|chain| chain.accepted.agreed_head());
        let seq = head.map_or(0, |head| head.at.seq);
        if self.lacks(key, known.seq) {
            if key.0 == self.me.origin {
                self.ask_for_own(now_ms, conn, key, seq, known.seq);
                return;
            }
            self.behind.insert(key);
            self.schedule(now_ms, key);
            return;
        }
        let differs = known.seq == seq && head.is_some_and(|head| heads::hash8(&head.hash) != known.hash8);
        if differs {
            self.probe(now_ms, conn, key, seq + 1);
        }
    }

    /// Openings are asked for one after the other: a later one can be judged only when its base's epoch is known.
    fn waits_for_lower_epoch(&self, conn: ConnId, key: LogKey) -> bool {
        let tip = self.roster.epochs(key.0).tip();
        if key.0 == self.me.origin {
            // The lock takes the own log in its order alone: first all that anybody has of the epochs before.
            return self.sessions.values().any(|open| {
                if !self.is_waited_for(open.member) {
                    return false;
                }
                let lower = open.theirs.of(key.0).into_iter().filter(|other| other.1 < key.1);
                lower.into_iter().any(|other| self.lacks(other, open.theirs.seq(other)))
            });
        }
        let Some(open) = self.sessions.get(&conn).filter(|_| key.1 > tip) else { return false };
        open.theirs.of(key.0).into_iter().any(|other| other.1 > tip && other.1 < key.1)
    }

    pub(super) fn schedule_all(&mut self, now_ms: u64) {
        for key in self.behind.iter().copied().collect::<Vec<_>>() {
            self.schedule(now_ms, key);
        }
    }

    /// Asks the least busy peer that has more of this log, unless somebody is being asked.
    fn schedule(&mut self, now_ms: u64, key: LogKey) {
        if self.pulls.len() >= PULLS_MAX || now_ms < self.intake_at_ms {
            return;
        }
        if key.0 == self.me.origin {
            // The own log is written here; a start asks whoever has more of it.
            self.behind.remove(&key);
            self.compare_own_with_all(now_ms);
            return;
        }
        let Some(next) = self.next_wanted(key) else {
            self.behind.remove(&key);
            return;
        };
        // In an epoch that was written twice, only who names the end that counts is asked.
        let contested = self.forks.contains_key(&key) && self.bound(key).last != u64::MAX;
        let frozen = self.frozen_at(key.0).is_some_and(|fork| fork.at.epoch == key.1);
        let choosy = contested && !frozen;
        let holders = self.sessions.iter().filter(|(conn, open)| {
            open.theirs.seq(key) >= next && (!choosy || self.shows_what_counts(**conn, key))
        });
        let mut candidates: Vec<_> = holders.map(|(conn, open)| (*conn, open.theirs.seq(key))).collect();
        if candidates.is_empty() {
            self.behind.remove(&key);
            return;
        }
        candidates.retain(|(conn, _)| self.pulls_of(*conn) < PULLS_PER_PEER_MAX);
        let rank = |(conn, _): &(ConnId, u64)| (self.stalls_of(*conn), self.pulls_of(*conn), *conn);
        let Some((conn, seq)) = candidates.into_iter().min_by_key(rank) else { return };
        // Who let requests stall does not keep a log to itself when somebody better has it as well.
        if self.pulls.get(&key).is_some_and(|pull| self.stalls_of(pull.conn) <= self.stalls_of(conn)) {
            return;
        }
        let until = seq.min(next.saturating_add(PULL_ENTRIES - 1)).min(self.last_wanted(key));
        self.ask(now_ms, conn, key, next, until, Purpose::Extend);
    }

    fn stalls_of(&self, conn: ConnId) -> u32 {
        self.sessions.get(&conn).map_or(0, |open| open.stalls)
    }

    pub(super) fn pulls_of(&self, conn: ConnId) -> usize {
        self.pulls.values().filter(|pull| pull.conn == conn).count()
    }

    /// The first sequence number that is lacking and may be accepted.
    fn next_wanted(&mut self, key: LogKey) -> Option<u64> {
        let last = self.last_wanted(key);
        let next = match self.chain(key) {
            Some(chain) => chain.accepted.next()?.seq,
            None => 1,
        };
        (next <= last).then_some(next)
    }

    /// The last sequence number that may be accepted: up to the bound, and of an unknown epoch its opening alone.
    pub(super) fn last_wanted(&self, key: LogKey) -> u64 {
        if key.1 > self.roster.epochs(key.0).tip() { 1 } else { self.bound(key).last }
    }

    pub(super) fn ask(
        &mut self,
        now_ms: u64,
        conn: ConnId,
        key: LogKey,
        from: u64,
        until: u64,
        purpose: Purpose,
    ) {
        let Some(open) = self.sessions.get_mut(&conn) else { return };
        let request = open.next_request;
        open.next_request = open.next_request.wrapping_add(1).max(1);
        let (since_ms, heard_ms, gained) = (now_ms, now_ms, 0);
        self.pulls
            .insert(key, Pull { conn, request, next: from, until, since_ms, heard_ms, gained, purpose });
        let pull = v1::Pull {
            request,
            origin: key.0.0,
            epoch: key.1,
            from,
            until,
            // A start takes over what it is shown of the own log.
            headers_only: purpose == Purpose::Compare || (purpose == Purpose::Own && self.recovery.is_none()),
        };
        self.send(conn, Body::Pull(pull));
    }

    /// Asks for the entries before `below`, to find where two histories part.
    pub(super) fn probe(&mut self, now_ms: u64, conn: ConnId, key: LogKey, below: u64) {
        let until = below.saturating_sub(1);
        if until == 0 || self.pulls.contains_key(&key) || self.pulls_of(conn) >= PULLS_PER_PEER_MAX {
            return;
        }
        let from = below.saturating_sub(ENTRIES_PER_MESSAGE_MAX as u64).max(1);
        self.ask(now_ms, conn, key, from, until, Purpose::Compare);
    }

    pub(super) fn entries(&mut self, now_ms: u64, conn: ConnId, request: u32, run: Option<Run>, done: bool) {
        let found = self.pulls.iter_mut().find(|(_, pull)| pull.conn == conn && pull.request == request);
        let Some((key, pull)) = found else {
            // Late, after the pull went to another source; or never asked for.
            if self.sessions.get(&conn).is_some_and(|open| request == 0 || request >= open.next_request) {
                self.refuse(conn, Reject::OutOfOrder("an answer that nobody asked for"));
            }
            return;
        };
        let key = *key;
        if let Err(reject) = pull.take(key, run.as_ref(), done) {
            self.refuse(conn, reject);
            return;
        }
        if let Some(run) = &run {
            self.look_for_second_openings(key.0, run.openings());
        }
        let Some(pull) = self.pulls.get(&key) else { return };
        let (purpose, gave_nothing) = (pull.purpose, done && pull.gained == 0);
        // Requests are answered one after the other, so whoever delivers anything is not stalling on the rest.
        for pull in self.pulls.values_mut().filter(|pull| pull.conn == conn && run.is_some()) {
            pull.heard_ms = now_ms;
        }
        if done {
            self.pulls.remove(&key);
        }
        if gave_nothing && let Some(open) = self.sessions.get_mut(&conn) {
            // It does not have what it named: ask it no more until it names something new.
            open.theirs.heads.remove(&key);
            let member = open.member;
            if purpose == Purpose::Own {
                self.held_up_by(member, Delay::Empty);
            }
        }
        match (run, purpose) {
            (Some(run), Purpose::Extend) => self.place(now_ms, conn, key, run),
            (Some(run), Purpose::Compare) => self.outputs.push(Output::Compare(conn, run)),
            (Some(run), Purpose::Own) => self.own_shown(now_ms, conn, key, run),
            (None, _) => {}
        }
        if done {
            self.schedule_all(now_ms);
            if purpose == Purpose::Own {
                self.compare_own_with_all(now_ms);
                self.hear_all_of_own_log(now_ms);
            }
        }
    }

    /// Notes that what an author said at `hlc_ms`, by its own clock, is held.
    pub(super) fn seen(&mut self, now_ms: u64, origin: Origin, hlc_ms: u64) {
        let seen = self.seen_ms.entry(origin).or_default();
        *seen = (*seen).max(hlc_ms.min(now_ms));
    }

    /// When fetching may go on after the store refused, in ms.
    pub(super) fn intake_deadline_ms(&self) -> Option<u64> {
        (self.intake_at_ms > 0).then_some(self.intake_at_ms)
    }

    pub(super) fn resume_intake(&mut self, now_ms: u64) {
        if now_ms >= self.intake_at_ms {
            self.intake_at_ms = 0;
        }
    }

    pub(super) fn move_stalled(&mut self, now_ms: u64) {
        let stalled: Vec<_> = self
            .pulls
            .iter()
            .filter(|(_, pull)| now_ms >= pull.stalls_at_ms())
            .map(|(key, pull)| (*key, pull.clone()))
            .collect();
        for (key, pull) in stalled {
            if pull.purpose == Purpose::Own && self.delivers(now_ms, key, &pull) {
                continue;
            }
            self.pulls.remove(&key);
            self.behind.insert(key);
            if let Some(open) = self.sessions.get_mut(&pull.conn) {
                open.theirs.heads.remove(&key);
                open.theirs.version = 0;
                open.stalls = open.stalls.saturating_add(1);
            }
        }
    }

    pub(super) fn drop_pulls_of(&mut self, conn: ConnId) {
        let dropped: Vec<_> =
            self.pulls.iter().filter(|(_, pull)| pull.conn == conn).map(|(key, _)| *key).collect();
        for key in dropped {
            self.pulls.remove(&key);
            self.behind.insert(key);
        }
    }

    pub(super) fn stop_writing(&mut self, why: NotWritable) {
        // The first reason stands; that of every start gives way to any other.
        if matches!(self.not_writable, None | Some(NotWritable::Recovering { .. })) {
            self.not_writable = Some(why);
            self.notify(Event::WritingStopped(why));
        }
    }
}

impl Pull {
    /// Checks that a run is the next part of the answer. An empty part only ends an answer: otherwise a peer could
    /// keep a log to itself by saying nothing again and again.
    fn take(&mut self, key: LogKey, run: Option<&Run>, done: bool) -> Result<(), Reject> {
        let Some(run) = run else {
            return if done { Ok(()) } else { Err(Reject::OutOfOrder("an empty part of an answer")) };
        };
        let expected = Position { epoch: key.1, seq: self.next };
        let last = run.last().header().at.seq;
        if run.origin() != key.0 || run.first_at() != expected || last > self.until {
            return Err(Reject::OutOfOrder("entries other than those asked for"));
        }
        self.gained += run.len() as u64;
        self.next = last + 1;
        Ok(())
    }
}
