//! Forks: found by comparing, proved by two signatures, kept before they count, spread to everybody.

use wego_proto::v1::{self, session_message::Body};

use super::{Difference, Event, Output, State};
use crate::{
    fork::{self, ForkEvidence},
    heads::{LogKey, hash8},
    limits::{EARLY_FORKS_MAX, FORK_PROOFS_PER_MESSAGE_MAX},
    log::FIRST_EPOCH,
    reject::Reject,
    session::ConnId,
};

impl State {
    pub(super) fn compared(&mut self, now_ms: u64, conn: ConnId, key: LogKey, difference: Difference) {
        match difference {
            Difference::Fork(evidence) => {
                let seq = evidence.fork.at.seq;
                self.consider(*evidence);
                if self.shows_what_counts(conn, key) && key.0 != self.me.origin {
                    self.outputs.push(Output::Rewind { key, after: seq - 1 });
                }
            }
            Difference::Before(seq) => {
                self.pulls.remove(&key);
                self.probe(now_ms, conn, key, seq);
            }
            Difference::None => {
                // It names another head than it has.
                if let Some(open) = self.sessions.get_mut(&conn) {
                    open.theirs.heads.remove(&key);
                }
            }
        }
    }

    /// Whether a peer names the very entry that a later epoch or the roster pins, so that its history is the one that
    /// counts, or it lies and is found out at the pin.
    pub(super) fn shows_what_counts(&self, conn: ConnId, key: LogKey) -> bool {
        let bound = self.bound(key);
        let pinned = bound.hash.filter(|_| self.frozen_at(key.0).is_none_or(|fork| fork.at.epoch != key.1));
        let known = self.sessions.get(&conn).and_then(|open| open.theirs.heads.get(&key));
        let (Some(pinned), Some(known)) = (pinned, known) else { return false };
        (known.seq, known.hash8) == (bound.last, hash8(&pinned))
    }

    pub(super) fn fork_proofs(&mut self, proofs: v1::ForkProofs) -> Result<(), Reject> {
        for proof in proofs.proofs {
            // Everybody tells of a fork, so most proofs are known already and cost no signature.
            if self.forks.values().any(|known| known.proof == proof) {
                continue;
            }
            if let Some(key) = fork::claimed(&proof).filter(|key| self.is_early(*key)) {
                if self.early_forks.len() < EARLY_FORKS_MAX {
                    self.early_forks.insert(key, proof);
                }
                continue;
            }
            let evidence = ForkEvidence::check(&proof, &self.roster).map_err(Reject::BadForkProof)?;
            self.consider(evidence);
        }
        Ok(())
    }

    /// Whether an epoch is one whose opening has not come yet.
    fn is_early(&self, (origin, epoch): LogKey) -> bool {
        let epochs = self.roster.epochs(origin);
        epoch > FIRST_EPOCH && epochs.get(epoch).is_none() && self.roster.member(origin).is_some()
    }

    /// Checks proofs that came before the openings of their epochs.
    pub(super) fn look_at_early_forks(&mut self) {
        let due: Vec<_> = self.early_forks.keys().copied().filter(|key| !self.is_early(*key)).collect();
        for key in due {
            let proof = self.early_forks.remove(&key);
            // Who sent a false one is not known any more.
            if let Some(Ok(evidence)) = proof.map(|proof| ForkEvidence::check(&proof, &self.roster)) {
                self.consider(evidence);
            }
        }
    }

    /// Has new evidence made durable; it counts only then. The lowest fork of an epoch counts, so that every order of
    /// arrival ends alike; of two at one position the proof that sorts first.
    fn consider(&mut self, evidence: ForkEvidence) {
        let known = self.forks.get(&evidence.key());
        if known.is_none_or(|known| evidence.ranks_before(known)) {
            self.outputs.push(Output::KeepFork(evidence));
        }
    }

    pub(super) fn fork_kept(&mut self, now_ms: u64, evidence: ForkEvidence) {
        let (origin, proof) = (evidence.origin, evidence.proof.clone());
        if !self.take_fork(evidence) {
            return;
        }
        self.notify(Event::ForkProved(origin));
        for conn in self.sessions.keys().copied().collect::<Vec<_>>() {
            self.send(conn, Body::ForkProofs(v1::ForkProofs { proofs: vec![proof.clone()] }));
        }
        self.restand(now_ms, origin);
        self.review_writing();
    }

    /// Takes in kept evidence, and of two openings of one epoch both. Returns whether anything changed.
    pub(super) fn take_fork(&mut self, evidence: ForkEvidence) -> bool {
        if self.forks.get(&evidence.key()).is_some_and(|known| !evidence.ranks_before(known)) {
            return false;
        }
        for epoch in evidence.openings(&self.roster) {
            self.roster.admit(evidence.origin, epoch);
        }
        self.forks.insert(evidence.key(), evidence);
        true
    }

    pub(super) fn share_forks(&mut self, conn: ConnId) {
        let proofs: Vec<_> = self.forks.values().map(|evidence| evidence.proof.clone()).collect();
        for some in proofs.chunks(FORK_PROOFS_PER_MESSAGE_MAX) {
            self.send(conn, Body::ForkProofs(v1::ForkProofs { proofs: some.to_vec() }));
        }
    }
}
