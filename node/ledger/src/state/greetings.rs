//! Greetings: who speaks at the other end, and whether it is who it should be.

use wego_proto::{
    id::{Origin, Position},
    key::PublicKey,
    v1::{self, session_message::Body},
};

use super::{Event, NotWritable, Output, State};
use crate::{
    reject::Reject,
    session::{ConnId, Greeting, Open, Side, Start},
};

/// How long a peer over the session limit is asked to stay away, in ms.
const BUSY_RETRY_MS: u32 = 30_000;

/// How far a peer's clock may be ahead of this node's for its start to be believed, in ms.
const START_AHEAD_MAX_MS: u64 = 10 * 60 * 1_000;

impl State {
    pub(super) fn connected(
        &mut self,
        now_ms: u64,
        conn: ConnId,
        (member, speaker): (Origin, PublicKey),
        side: Side,
    ) {
        let full = self.greetings.len() + self.sessions.len() >= self.settings.sessions_max;
        // What this node dials is bounded by its overlay, and must get through however many come in.
        if full && side == Side::Accepted {
            self.refuse(conn, Reject::Busy { retry_after_ms: BUSY_RETRY_MS });
            return;
        }
        // One greeting a member and direction: nobody fills the places by opening connections and saying nothing.
        let before = self.greetings.iter().find(|(_, other)| other.member == member && other.side == side);
        if let Some(before) = before.map(|(conn, _)| *conn) {
            self.refuse(before, Reject::AlreadyConnected);
        }
        self.greetings.insert(conn, Greeting { member, speaker, side, since_ms: now_ms });
        let other_run =
            self.sessions.values().find(|open| open.member == member).map(|open| open.run.id.clone());
        let mut hello = self.me.hello(&self.roster, self.board.digest(), now_ms, self.forks.len());
        hello.other_run = other_run.unwrap_or_default();
        self.send(conn, Body::Hello(hello));
    }

    /// Tells the peer why, and ends the session; the state keeps nothing of what was refused.
    pub(super) fn refuse(&mut self, conn: ConnId, reject: Reject) {
        self.notify(Event::Refused(reject.clone()));
        self.outputs.push(Output::Disconnect(conn, reject));
        self.forget(0, conn);
    }

    pub(super) fn closed(&mut self, now_ms: u64, conn: ConnId) {
        self.forget(now_ms, conn);
        self.schedule_all(now_ms);
    }

    pub(super) fn forget(&mut self, now_ms: u64, conn: ConnId) {
        self.greetings.remove(&conn);
        let Some(open) = self.sessions.get(&conn) else { return };
        let member = open.member;
        if now_ms > 0 && self.seen_ms(member, now_ms) == Some(now_ms) {
            self.seen_ms.insert(member, now_ms);
        }
        if let Some(open) = self.sessions.remove(&conn) {
            self.memory.insert(member, (open.store, open.theirs));
        }
        self.drop_pulls_of(conn);
        self.notify(Event::SessionClosed(member));
    }

    pub(super) fn greeted(
        &mut self,
        now_ms: u64,
        conn: ConnId,
        greeting: Greeting,
        body: Body,
    ) -> Result<(), Reject> {
        let hello = match body {
            Body::Hello(hello) => hello,
            Body::Reject(reject) => {
                self.told_of_twin(&reject);
                self.notify(Event::RefusedByPeer(greeting.member, reject));
                self.outputs.push(Output::Close(conn));
                return Ok(());
            }
            _ => return Err(Reject::OutOfOrder("anything but a hello")),
        };
        let digest = hello.heads_digest.clone();
        let roster_hash = hello.roster_hash.clone();
        let other_run = hello.other_run.clone();
        let mut open = self.open(now_ms, greeting, hello)?;
        if !other_run.is_empty()
            && other_run != self.me.run.id
            && Some(&other_run) != self.previous_run.as_ref()
        {
            self.other_start_alive(now_ms);
        }
        self.settle_duplicates(conn, &open)?;
        if let Some((store, remembered)) = self.memory.remove(&open.member)
            && store == open.store
        {
            open.theirs = remembered;
        }
        open.compare_at_ms = now_ms + self.jitter.around(self.settings.anti_entropy_ms);
        let (member, known) = (open.member, open.roster_version);
        self.sessions.insert(conn, open);
        self.notify(Event::SessionOpened(member));
        self.share_roster(conn, known, &roster_hash);
        self.share_proposals(conn);
        self.share_forks(conn);
        self.share_known_receipts(conn);
        self.heads_digest(now_ms, conn, &digest)
    }

    /// Opens the session. A caller that shows this member's own transport key is this node, reached at an address that
    /// leads back to it, or another start of it.
    fn open(&mut self, now_ms: u64, greeting: Greeting, hello: v1::Hello) -> Result<Open, Reject> {
        let run = hello.run.clone();
        let mut opened = greeting.open(hello, &self.me, &self.roster);
        if let Ok(open) = &mut opened {
            open.believed = self.believes(now_ms, &open.run);
        }
        if opened == Err(Reject::TwinDetected) {
            let start = run.and_then(|run| Start::read(&run));
            if start.as_ref().is_some_and(|start| start.id != self.me.run.id) {
                self.other_start_alive(now_ms);
            }
            start.into_iter().for_each(|start| self.hear_of_start(&start));
        }
        opened
    }

    /// A peer says that a later start of this member speaks. It must show it: only this member's key can have signed it.
    pub(super) fn told_of_twin(&mut self, reject: &v1::Reject) {
        let start = reject.run.as_ref().and_then(Start::read);
        start.into_iter().for_each(|start| self.hear_of_start(&start));
    }

    /// The later of two starts goes on; the earlier one stops for good, before the later one writes.
    fn hear_of_start(&mut self, start: &Start) {
        let later = start.rank() > self.me.run.rank();
        if later
            && start.member == self.me.origin
            && start.is_signed_by(&self.key.public(), &self.me.federation)
        {
            self.stop_writing(NotWritable::Twin);
        }
    }

    /// Whether a member's newest log key says that this start is its, and of no time to come. A thief of its transport
    /// key could else keep the member itself away by claiming to have started in the year 3000.
    fn believes(&self, now_ms: u64, start: &Start) -> bool {
        let epochs = self.roster.epochs(start.member);
        let head = self.logs.get(&(start.member, epochs.tip())).and_then(|chain| chain.accepted.head());
        let at = head.map_or(Position { epoch: epochs.tip(), seq: 0 }, |head| head.at);
        let member = self.roster.member(start.member);
        let key = member.and_then(|member| epochs.key_after(member, at));
        start.started_ms <= now_ms + START_AHEAD_MAX_MS
            && key.is_some_and(|(_, key)| start.is_signed_by(&key, &self.me.federation))
    }

    /// Keeps one session a member: of two starts of it the later one's; of two crossing dials the one of the lower
    /// member, of two alike the newer. Both ends decide alike.
    ///
    /// # Errors
    /// Why the new one does not stay.
    fn settle_duplicates(&mut self, conn: ConnId, new: &Open) -> Result<(), Reject> {
        let old = self.sessions.iter().find(|(_, open)| open.member == new.member);
        let Some((old_conn, old)) = old.map(|(conn, open)| (*conn, open)) else { return Ok(()) };
        debug_assert!(old_conn != conn, "a conn greets once");
        if old.run.id != new.run.id {
            if (old.believed, old.run.rank()) > (new.believed, new.run.rank()) {
                return Err(Reject::LaterStart(Box::new(old.run.clone())));
            }
            let reject = Reject::LaterStart(Box::new(new.run.clone()));
            self.refuse(old_conn, reject);
            return Ok(());
        }
        let low = self.me.origin < new.member;
        let preferred = if low { Side::Dialled } else { Side::Accepted };
        if old.side != new.side && old.side == preferred {
            return Err(Reject::AlreadyConnected);
        }
        self.refuse(old_conn, Reject::AlreadyConnected);
        Ok(())
    }
}
