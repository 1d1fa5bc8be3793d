//! Sessions: messages by kind, comparison of heads, time.

use wego_proto::{
    entry::Verified,
    id::{Hash, Origin},
    roster::CONFLICT_VERSIONS_MAX,
    v1::{self, session_message::Body},
};

use super::{Event, Output, State};
use crate::{
    heads::{self, LogKey},
    limits::{
        FORK_PROOFS_PER_MESSAGE_MAX, HEAD_BUCKETS, HEADS_PER_MESSAGE_MAX, HEADS_REQUEST_MS, HELLO_MS,
        NOTES_WINDOW_MS, OPENINGS_BYTES, ROSTER_STEPS_MAX, SERVED_PER_PEER_MAX, UNKNOWN_EPOCHS_MAX,
    },
    reject::Reject,
    session::ConnId,
};

impl State {
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

    fn exchanged(&mut self, now_ms: u64, conn: ConnId, body: Body) -> Result<(), Reject> {
        match body {
            Body::Hello(_) => Err(Reject::OutOfOrder("a second hello")),
            Body::Reject(reject) => self.rejected(now_ms, conn, reject),
            Body::RosterChain(chain) => self.roster_chain(conn, chain),
            Body::RosterProposal(proposal) => self.roster_proposal(conn, proposal),
            Body::RosterConflict(conflict) => self.roster_conflict(conn, &conflict),
            Body::ForkProofs(proofs) => self.fork_proofs(proofs),
            Body::HeadsDigest(digest) => self.heads_digest(now_ms, conn, &digest.digest),
            Body::HeadsRequest(request) => self.heads_request(now_ms, conn, &request),
            Body::Heads(answer) => self.heads_answer(now_ms, conn, answer),
            Body::Notes(notes) => self.notes(now_ms, conn, notes),
            Body::Pull(pull) => self.serve(conn, pull),
            Body::Receipts(receipts) => self.receipts_message(conn, receipts),
            Body::PayloadRequest(_) | Body::HashRequest(_) => {
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
        self.told_of_twin(&reject);
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

    /// Ends the sessions of members that no longer take part, or whose transport key no longer speaks for them.
    pub(super) fn drop_unknown_speakers(&mut self) {
        let gone = |(conn, open): (&ConnId, &crate::session::Open)| {
            let speaks = self.roster.transport_keys(open.member).contains(&open.speaker);
            let active = self.roster.member(open.member).is_some_and(wego_proto::roster::Member::is_active);
            (!active || !speaks).then_some((*conn, open.member))
        };
        for (conn, member) in self.sessions.iter().filter_map(gone).collect::<Vec<_>>() {
            self.refuse(conn, Reject::UnknownMember(member));
        }
    }

    pub(super) fn heads_digest(&mut self, now_ms: u64, conn: ConnId, digest: &[u8]) -> Result<(), Reject> {
        let digest = Hash::try_from(digest).map_err(|error| {
            Reject::Malformed(wego_proto::convert::FieldError {
                field: "heads_digest",
                problem: error.into(),
            })
        })?;
        let Some(open) = self.sessions.get_mut(&conn) else { return Ok(()) };
        if digest == self.board.digest() {
            open.theirs.equals(&self.board);
            open.told_own = true;
            self.hear_of_own_log(now_ms, conn);
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
        // Sorted by origin: an answer cut short may have ended before this node's own.
        let own_told = answer.version != 0 || answer.heads.iter().any(|head| head.origin > self.me.origin.0);
        answer.heads.retain(|head| self.knows(conn, (Origin(head.origin), head.epoch)));
        let Some(open) = self.sessions.get_mut(&conn) else { return Ok(()) };
        if !std::mem::take(&mut open.awaits_heads) {
            return Err(Reject::OutOfOrder("an answer that nobody asked for"));
        }
        open.theirs.learn(&answer);
        open.told_own |= own_told;
        if own_told {
            self.hear_of_own_log(now_ms, conn);
        }
        for head in answer.heads {
            self.compare_with(now_ms, conn, (Origin(head.origin), head.epoch));
        }
        Ok(())
    }

    fn notes(&mut self, now_ms: u64, conn: ConnId, notes: v1::Notes) -> Result<(), Reject> {
        for note in notes.notes {
            let key = (Origin(note.origin), note.epoch);
            if !self.knows(conn, key) {
                continue;
            }
            if let Some(open) = self.sessions.get_mut(&conn) {
                open.theirs.set(key, note.seq, &note.hash8);
            }
            self.compare_with(now_ms, conn, key);
        }
        Ok(())
    }

    /// Only logs of the roster's members are remembered, and few epochs that do not count here, so that a peer cannot make
    /// memory grow. They may count once a later one is known that continues from them.
    fn knows(&self, conn: ConnId, key: LogKey) -> bool {
        let counts = |key: &LogKey| self.bound(*key).last > 0;
        if self.roster.member(key.0).is_none() || counts(&key) {
            return self.roster.member(key.0).is_some();
        }
        let Some(open) = self.sessions.get(&conn) else { return false };
        let others = open.theirs.of(key.0).into_iter().filter(|other| *other != key && !counts(other));
        others.count() < UNKNOWN_EPOCHS_MAX
    }

    fn serve(&mut self, conn: ConnId, pull: v1::Pull) -> Result<(), Reject> {
        let Some(open) = self.sessions.get_mut(&conn) else { return Ok(()) };
        if open.serving >= SERVED_PER_PEER_MAX {
            return Err(Reject::TooLarge { what: "pulls at once", max: SERVED_PER_PEER_MAX });
        }
        open.serving += 1;
        // What does not count is not passed on: a member that was removed does not come back that way.
        let last = self.bound((Origin(pull.origin), pull.epoch)).last;
        let below = if pull.from <= 1 { self.openings_below(&pull) } else { Vec::new() };
        self.outputs.push(Output::Serve(conn, v1::Pull { until: pull.until.min(last), ..pull }, below));
        Ok(())
    }

    /// The openings that the one of an epoch continues from, lowest first, as many of the highest as are sent at once.
    fn openings_below(&self, pull: &v1::Pull) -> Vec<v1::Entry> {
        let key = (Origin(pull.origin), pull.epoch);
        let Some(epoch) = self.opening_of(key) else { return Vec::new() };
        let mut bytes = 0;
        let below =
            self.roster.epochs(key.0).chain(epoch.id()).into_iter().rev().skip(1).map(|epoch| &epoch.opening);
        let sent = below.take_while(|opening| {
            bytes += opening.size();
            bytes <= OPENINGS_BYTES
        });
        let mut sent: Vec<_> = sent.map(Verified::to_wire_without_payload).collect();
        sent.reverse();
        sent
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
        self.try_anchor(now_ms);
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

/// Refuses lists that are too long. Costs nothing, so it is done where a message comes in, before it waits anywhere.
///
/// # Errors
/// [`Reject::TooLarge`].
pub fn check_counts(body: &Body) -> Result<(), Reject> {
    let (what, len, max) = match body {
        Body::RosterChain(chain) => ("roster versions", chain.versions.len(), ROSTER_STEPS_MAX),
        Body::RosterConflict(conflict) => {
            ("contested roster versions", conflict.versions.len(), CONFLICT_VERSIONS_MAX)
        }
        Body::ForkProofs(proofs) => ("fork proofs", proofs.proofs.len(), FORK_PROOFS_PER_MESSAGE_MAX),
        Body::HeadsRequest(request) => ("buckets", request.buckets.len(), HEAD_BUCKETS),
        Body::Heads(answer) => ("heads", answer.heads.len(), HEADS_PER_MESSAGE_MAX),
        Body::Notes(notes) => ("notes", notes.notes.len(), HEADS_PER_MESSAGE_MAX),
        Body::Receipts(message) => super::receipts::counts(message),
        _ => return Ok(()),
    };
    if len > max { Err(Reject::TooLarge { what, max }) } else { Ok(()) }
}
