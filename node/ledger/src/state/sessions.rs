//! Sessions: greetings, messages by kind, comparison of heads, time.

use wego_proto::{
    id::{Hash, Origin},
    prost::Message as _,
    v1::{self, session_message::Body},
};

use super::{Event, NotWritable, Output, State};
use crate::{
    heads::{self, LogKey},
    limits::{
        ENTRIES_BYTES, FORK_PROOFS_PER_MESSAGE_MAX, HEAD_BUCKETS, HEADS_PER_MESSAGE_MAX, HEADS_REQUEST_MS,
        HELLO_MS, NOTES_WINDOW_MS, ROSTER_STEPS_MAX, SERVED_PER_PEER_MAX,
    },
    log::FIRST_EPOCH,
    reject::Reject,
    session::{ConnId, Greeting, Open, Side},
};

/// How long a peer over the session limit is asked to stay away, in ms.
const BUSY_RETRY_MS: u32 = 30_000;

impl State {
    pub(super) fn connected(&mut self, now_ms: u64, conn: ConnId, member: Origin, side: Side) {
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
        self.greetings.insert(conn, Greeting { member, side, since_ms: now_ms });
        let hello = self.me.hello(&self.roster, self.board.digest(), now_ms, self.forks.len());
        self.send(conn, Body::Hello(hello));
    }

    pub(super) fn received(&mut self, now_ms: u64, conn: ConnId, body: Body) {
        let outcome = match self.greetings.remove(&conn) {
            Some(greeting) => self.greeted(now_ms, conn, greeting, body),
            None if self.sessions.contains_key(&conn) => self.exchanged(now_ms, conn, body),
            // Closed in the meantime.
            None => Ok(()),
        };
        if let Err(reject) = outcome {
            self.refuse(conn, reject);
        }
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

    fn forget(&mut self, now_ms: u64, conn: ConnId) {
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

    fn greeted(&mut self, now_ms: u64, conn: ConnId, greeting: Greeting, body: Body) -> Result<(), Reject> {
        let hello = match body {
            Body::Hello(hello) => hello,
            Body::Reject(reject) => {
                self.notify(Event::RefusedByPeer(greeting.member, reject));
                self.outputs.push(Output::Close(conn));
                return Ok(());
            }
            _ => return Err(Reject::OutOfOrder("anything but a hello")),
        };
        let digest = hello.heads_digest.clone();
        let roster_hash = hello.roster_hash.clone();
        let other_store = hello.store_id != self.me.store.as_bytes();
        let mut open = greeting.open(hello, &self.me, &self.roster).inspect_err(|reject| {
            // The same store is this very node, reached at an address that leads back to it.
            if *reject == Reject::TwinDetected && other_store {
                self.stop_writing(NotWritable::Twin);
            }
        })?;
        if !self.settle_duplicates(conn, &open) {
            return Err(Reject::AlreadyConnected);
        }
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
        self.share_forks(conn);
        self.share_known_receipts(conn);
        self.heads_digest(now_ms, conn, &digest)
    }

    /// Keeps one session a member: of two crossing dials the one of the lower member, of two alike the newer.
    /// Both ends decide alike. Returns whether the new one stays.
    fn settle_duplicates(&mut self, conn: ConnId, new: &Open) -> bool {
        let old = self.sessions.iter().find(|(_, open)| open.member == new.member);
        let Some((old_conn, old)) = old.map(|(conn, open)| (*conn, open)) else { return true };
        let low = self.me.origin < new.member;
        let preferred = if low { Side::Dialled } else { Side::Accepted };
        if old.side != new.side && old.side == preferred {
            return false;
        }
        debug_assert!(old_conn != conn, "a conn greets once");
        self.refuse(old_conn, Reject::AlreadyConnected);
        true
    }

    fn exchanged(&mut self, now_ms: u64, conn: ConnId, body: Body) -> Result<(), Reject> {
        match body {
            Body::Hello(_) => Err(Reject::OutOfOrder("a second hello")),
            Body::Reject(reject) => self.rejected(now_ms, conn, reject),
            Body::RosterChain(chain) => self.roster_chain(chain),
            Body::ForkProofs(proofs) => self.fork_proofs(proofs),
            Body::HeadsDigest(digest) => self.heads_digest(now_ms, conn, &digest.digest),
            Body::HeadsRequest(request) => self.heads_request(now_ms, conn, &request),
            Body::Heads(answer) => self.heads_answer(now_ms, conn, answer),
            Body::Notes(notes) => self.notes(now_ms, conn, notes),
            Body::Pull(pull) => self.serve(conn, pull),
            Body::Receipts(receipts) => self.receipts_message(conn, receipts),
            Body::PayloadRequest(_) | Body::HashRequest(_) | Body::RosterProposal(_) => {
                self.not_supported_yet(conn);
                Ok(())
            }
            Body::Entries(_) | Body::Payloads(_) | Body::HashAnswer(_) => {
                Err(Reject::OutOfOrder("an answer that nobody asked for"))
            }
        }
    }

    fn rejected(&mut self, now_ms: u64, conn: ConnId, reject: v1::Reject) -> Result<(), Reject> {
        let goes_on = reject.reason() == v1::reject::Reason::NotSupportedYet;
        if let Some(open) = self.sessions.get(&conn) {
            let member = open.member;
            self.notify(Event::RefusedByPeer(member, reject));
        }
        if !goes_on {
            self.outputs.push(Output::Close(conn));
            self.forget(now_ms, conn);
        }
        Ok(())
    }

    fn not_supported_yet(&mut self, conn: ConnId) {
        let reject = v1::Reject {
            reason: v1::reject::Reason::NotSupportedYet as i32,
            text: "this version does not answer it; the session goes on".to_owned(),
            ..Default::default()
        };
        self.send(conn, Body::Reject(reject));
    }

    fn share_roster(&mut self, conn: ConnId, known: u64, hash: &[u8]) {
        let current = self.roster.current();
        if known < current.version() {
            let (newest, versions) = (current.version(), self.roster.since(known, ROSTER_STEPS_MAX));
            for versions in in_messages(versions) {
                self.send(conn, Body::RosterChain(v1::RosterChain { versions }));
            }
            if let Some(open) = self.sessions.get_mut(&conn) {
                open.roster_version = newest;
            }
        } else if known == current.version()
            && hash != current.hash().as_bytes()
            && let Some(open) = self.sessions.get(&conn)
        {
            let member = open.member;
            self.notify(Event::RosterConflict(member));
        }
    }

    fn roster_chain(&mut self, chain: v1::RosterChain) -> Result<(), Reject> {
        let mut next = self.roster.clone();
        let mut news = Vec::new();
        for signed in chain.versions {
            let draft = wego_proto::roster::Draft::parse(&signed.roster)?;
            if draft.federation != self.me.federation {
                return Err(Reject::DifferentFederation);
            }
            if draft.content.version <= next.current().version() {
                continue;
            }
            next.adopt(signed.clone()).map_err(Reject::BadRoster)?;
            news.push(signed);
        }
        if !news.is_empty() {
            self.pending_roster = Some(next);
            self.outputs.push(Output::KeepRoster(news));
        }
        Ok(())
    }

    pub(super) fn roster_kept(&mut self) {
        let Some(roster) = self.pending_roster.take() else { return };
        self.roster = roster;
        let version = self.roster.current().version();
        self.notify(Event::RosterAdopted(version));
        let open: Vec<_> =
            self.sessions.iter().map(|(conn, open)| (*conn, open.member, open.roster_version)).collect();
        for (conn, member, known) in open {
            if !self.roster.member(member).is_some_and(wego_proto::roster::Member::is_active) {
                self.refuse(conn, Reject::UnknownMember(member));
            } else if known < version {
                self.share_roster(conn, known, &[]);
            }
        }
        self.review_writing();
        self.review_receipts();
    }

    fn heads_digest(&mut self, now_ms: u64, conn: ConnId, digest: &[u8]) -> Result<(), Reject> {
        let digest = Hash::try_from(digest).map_err(|error| {
            Reject::Malformed(wego_proto::convert::FieldError {
                field: "heads_digest",
                problem: error.into(),
            })
        })?;
        let Some(open) = self.sessions.get_mut(&conn) else { return Ok(()) };
        if digest == self.board.digest() {
            open.theirs.equals(&self.board);
            return Ok(());
        }
        if open.theirs.is_equal_to(&self.board) {
            // What was remembered of the peer is wrong: ask for everything.
            open.theirs.version = 0;
        }
        self.ask_heads(now_ms, conn);
        Ok(())
    }

    fn ask_heads(&mut self, now_ms: u64, conn: ConnId) {
        let Some(open) = self.sessions.get_mut(&conn) else { return };
        if open.awaits_heads || open.asked_heads_ms.is_some_and(|asked| now_ms < asked + HEADS_REQUEST_MS) {
            return;
        }
        open.awaits_heads = true;
        open.asked_heads_ms = Some(now_ms);
        let request = v1::HeadsRequest { since: open.theirs.version, buckets: vec![] };
        self.send(conn, Body::HeadsRequest(request));
    }

    fn heads_request(&mut self, now_ms: u64, conn: ConnId, request: &v1::HeadsRequest) -> Result<(), Reject> {
        let answer = self.board.answer(request, HEADS_PER_MESSAGE_MAX);
        self.send(conn, Body::Heads(answer));
        // Whoever asks has seen a difference, so there may be something to fetch there as well.
        if self.sessions.get(&conn).is_some_and(|open| !open.theirs.is_equal_to(&self.board)) {
            self.ask_heads(now_ms, conn);
        }
        Ok(())
    }

    fn heads_answer(&mut self, now_ms: u64, conn: ConnId, mut answer: v1::HeadsAnswer) -> Result<(), Reject> {
        answer.heads.retain(|head| self.knows((Origin(head.origin), head.epoch)));
        let Some(open) = self.sessions.get_mut(&conn) else { return Ok(()) };
        if !std::mem::take(&mut open.awaits_heads) {
            return Err(Reject::OutOfOrder("an answer that nobody asked for"));
        }
        open.theirs.learn(&answer);
        for head in answer.heads {
            self.compare_with(now_ms, conn, (Origin(head.origin), head.epoch));
        }
        Ok(())
    }

    fn notes(&mut self, now_ms: u64, conn: ConnId, notes: v1::Notes) -> Result<(), Reject> {
        for note in notes.notes {
            let key = (Origin(note.origin), note.epoch);
            if !self.knows(key) {
                continue;
            }
            if let Some(open) = self.sessions.get_mut(&conn) {
                open.theirs.set(key, note.seq, &note.hash8);
            }
            self.compare_with(now_ms, conn, key);
        }
        Ok(())
    }

    /// Only logs of the roster's members are remembered, so that a peer cannot make memory grow.
    fn knows(&self, (origin, epoch): LogKey) -> bool {
        epoch == FIRST_EPOCH && self.roster.member(origin).is_some()
    }

    fn serve(&mut self, conn: ConnId, pull: v1::Pull) -> Result<(), Reject> {
        let Some(open) = self.sessions.get_mut(&conn) else { return Ok(()) };
        if open.serving >= SERVED_PER_PEER_MAX {
            return Err(Reject::TooLarge { what: "pulls at once", max: SERVED_PER_PEER_MAX });
        }
        open.serving += 1;
        self.outputs.push(Output::Serve(conn, pull));
        Ok(())
    }

    pub(super) fn served(&mut self, conn: ConnId) {
        if let Some(open) = self.sessions.get_mut(&conn) {
            open.serving = open.serving.saturating_sub(1);
        }
    }

    pub(super) fn tick(&mut self, now_ms: u64) {
        let silent = self.greetings.iter().filter(|(_, greeting)| now_ms >= greeting.since_ms + HELLO_MS);
        for conn in silent.map(|(conn, _)| *conn).collect::<Vec<_>>() {
            self.refuse(conn, Reject::Silent("hello"));
        }
        let due = self.sessions.iter().filter(|(_, open)| now_ms >= open.compare_at_ms);
        for conn in due.map(|(conn, _)| *conn).collect::<Vec<_>>() {
            let next = now_ms + self.jitter.around(self.settings.anti_entropy_ms);
            if let Some(open) = self.sessions.get_mut(&conn) {
                open.compare_at_ms = next;
            }
            let digest = self.board.digest().as_bytes().to_vec();
            self.send(conn, Body::HeadsDigest(v1::HeadsDigest { digest, known_store: 0 }));
        }
        self.make_receipt(now_ms);
        self.move_stalled(now_ms);
        self.resume_intake(now_ms);
        self.schedule_all(now_ms);
    }

    /// Tells every peer that lacks it of a head that was stored.
    pub(super) fn announce(&mut self, key: LogKey) {
        let Some(head) = self.board.head(key) else { return };
        for open in self.sessions.values_mut() {
            if open.theirs.seq(key) < head.at.seq {
                open.notes_due.insert(key);
            }
        }
    }

    pub(super) fn flush_notes(&mut self, now_ms: u64) {
        for (conn, open) in &mut self.sessions {
            if open.notes_due.is_empty() || now_ms < open.notes_at_ms {
                continue;
            }
            open.notes_at_ms = now_ms + NOTES_WINDOW_MS;
            let due = std::mem::take(&mut open.notes_due);
            let notes =
                due.iter().filter_map(|key| Some(heads::note_of(*key, self.board.head(*key)?))).collect();
            self.outputs.push(Output::Send(*conn, Body::Notes(v1::Notes { notes })));
        }
    }
}

/// Roster versions in messages of bounded size, at least one in each.
fn in_messages(versions: Vec<v1::SignedRoster>) -> Vec<Vec<v1::SignedRoster>> {
    let mut messages: Vec<Vec<v1::SignedRoster>> = Vec::new();
    let mut bytes = 0;
    for version in versions {
        let size = version.encoded_len();
        match messages.last_mut() {
            Some(last) if bytes + size <= ENTRIES_BYTES => last.push(version),
            _ => {
                messages.push(vec![version]);
                bytes = 0;
            }
        }
        bytes += size;
    }
    messages
}

/// Refuses lists that are too long. Costs nothing, so it is done where a message comes in, before it waits anywhere.
///
/// # Errors
/// [`Reject::TooLarge`].
pub fn check_counts(body: &Body) -> Result<(), Reject> {
    let (what, len, max) = match body {
        Body::RosterChain(chain) => ("roster versions", chain.versions.len(), ROSTER_STEPS_MAX),
        Body::ForkProofs(proofs) => ("fork proofs", proofs.proofs.len(), FORK_PROOFS_PER_MESSAGE_MAX),
        Body::HeadsRequest(request) => ("buckets", request.buckets.len(), HEAD_BUCKETS),
        Body::Heads(answer) => ("heads", answer.heads.len(), HEADS_PER_MESSAGE_MAX),
        Body::Notes(notes) => ("notes", notes.notes.len(), HEADS_PER_MESSAGE_MAX),
        Body::Receipts(message) => super::receipts::counts(message),
        _ => return Ok(()),
    };
    if len > max { Err(Reject::TooLarge { what, max }) } else { Ok(()) }
}
