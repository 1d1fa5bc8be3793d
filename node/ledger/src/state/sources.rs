//! From whom this node takes its own log, and how long it waits for them.
//!
//! The problem: a start waits for what members say that they have of the own log, and saying so costs a liar nothing; one
//! that has it can hand it out an entry at a time. The rule: who has nothing to show, again and again, is waited for no
//! more, as if it could not be reached; who is slow gives way to another that has it as well, and to nobody else.

use wego_proto::id::Origin;

use super::{
    NotWritable, Output, State,
    pulls::{Pull, Purpose},
};
use crate::{
    heads::LogKey,
    limits::{ENTRIES_PER_MESSAGE_MAX, OWN_CLAIMS_MAX, PULL_ENTRIES, PULL_STALL_MS, PULLS_PER_PEER_MAX},
    log::Run,
    session::ConnId,
};

/// How a member has held up a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delay {
    /// It named what it did not show.
    Empty,
    /// It was slow, and somebody else has it too.
    Slow,
}

impl State {
    /// Whoever has held up this start least is asked first.
    pub(super) fn compare_own_with_all(&mut self, now_ms: u64) {
        let own = self.me.origin;
        let named = self.sessions.iter().map(|(conn, open)| (self.delays_of(open.member), *conn));
        let mut named: Vec<_> = named.collect();
        named.sort_unstable();
        for (_, conn) in named {
            let keys = self.sessions.get(&conn).map(|open| open.theirs.of(own));
            for key in keys.into_iter().flatten() {
                self.compare_with(now_ms, conn, key);
            }
        }
    }

    /// A peer says that it has more of the own log. Saying it costs a liar nothing, so it must show the entries:
    /// only this member's key can have signed them.
    pub(super) fn ask_for_own(&mut self, now_ms: u64, conn: ConnId, key: LogKey, held: u64, claimed: u64) {
        let starts = matches!(self.not_writable, None | Some(NotWritable::Recovering { .. }));
        let waited_for = self.sessions.get(&conn).is_some_and(|open| self.is_waited_for(open.member));
        if !starts || !waited_for || self.pulls.contains_key(&key) {
            return;
        }
        if self.pulls_of(conn) >= PULLS_PER_PEER_MAX {
            self.behind.insert(key);
            return;
        }
        let most = if self.recovery.is_some() { PULL_ENTRIES } else { ENTRIES_PER_MESSAGE_MAX as u64 };
        let until = claimed.min(held.saturating_add(most)).min(self.last_wanted(key));
        if until <= held {
            // The epoch's opening is being stored: the rest is asked for when it is known.
            return;
        }
        self.ask(now_ms, conn, key, held + 1, until, Purpose::Own);
    }

    /// Own entries that this node lacked when it asked for them: taken over by a start, a reason to stop later on.
    pub(super) fn own_shown(&mut self, now_ms: u64, conn: ConnId, key: LogKey, run: Run) {
        if self.recovery.is_some() {
            self.go_on_anew();
            self.place(now_ms, conn, key, run);
            return;
        }
        let head = self.logs.get(&key).and_then(|chain| chain.accepted.head());
        let (held, seen_seq) = (head.map_or(0, |head| head.at.seq), run.last().header().at.seq);
        if seen_seq > held {
            self.stop_writing(NotWritable::OwnLogAhead { seen_seq });
        }
        // Positions written here since may hold another entry: that would be a fork.
        if run.first_at().seq <= held {
            self.outputs.push(Output::Compare(conn, run));
        }
    }

    /// Whether a start still waits for what this member says that it has.
    pub(super) fn is_waited_for(&self, member: Origin) -> bool {
        let recovery = self.recovery.as_ref();
        recovery.is_none_or(|recovery| recovery.delays(member).0 < OWN_CLAIMS_MAX)
    }

    fn delays_of(&self, member: Origin) -> u32 {
        let recovery = self.recovery.as_ref();
        recovery.map_or(0, |recovery| recovery.delays(member).0 + recovery.delays(member).1)
    }

    pub(super) fn held_up_by(&mut self, member: Origin, delay: Delay) {
        if let Some(recovery) = &mut self.recovery {
            recovery.note_delay(member, delay);
        }
    }

    /// Judges a source of the own log whose time is up. Returns whether it goes on.
    pub(super) fn delivers(&mut self, now_ms: u64, key: LogKey, pull: &Pull) -> bool {
        let Some(member) = self.sessions.get(&pull.conn).map(|open| open.member) else { return false };
        let silent = now_ms >= pull.heard_ms + PULL_STALL_MS;
        let others = self.sessions.iter().any(|(conn, open)| {
            *conn != pull.conn && open.theirs.seq(key) >= pull.next && self.is_waited_for(open.member)
        });
        if !silent && !others {
            if let Some(pull) = self.pulls.get_mut(&key) {
                pull.since_ms = now_ms;
            }
            return true;
        }
        self.held_up_by(member, if pull.gained == 0 { Delay::Empty } else { Delay::Slow });
        if !silent {
            // What it named is true: it is asked again when the other one fails.
            self.pulls.remove(&key);
            self.compare_own_with_all(now_ms);
            return true;
        }
        false
    }
}

#[cfg(test)]
mod tests;
