//! Forks: found by comparing, proved by two signatures, kept before they count, spread to everybody.

use wego_proto::{
    epochs::Epoch,
    fork,
    id::Origin,
    prost::Message as _,
    v1::{self, session_message::Body},
};

use super::{Difference, Event, Output, State};
use crate::{
    fork::ForkEvidence,
    heads::{LogKey, hash8},
    limits::{FORK_PROOF_BYTES_MAX, FORK_PROOFS_BYTES, FORK_PROOFS_PER_MESSAGE_MAX},
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
            if proof.encoded_len() > FORK_PROOF_BYTES_MAX {
                return Err(Reject::TooLarge { what: "bytes of a fork proof", max: FORK_PROOF_BYTES_MAX });
            }
            let evidence = ForkEvidence::check(&proof, &self.roster).map_err(Reject::BadForkProof)?;
            self.look_for_second_openings(evidence.origin, &evidence.openings);
            self.consider(evidence);
        }
        Ok(())
    }

    /// Proves of openings that came that an epoch was opened twice, where another opening of it is known.
    pub(super) fn look_for_second_openings(&mut self, origin: Origin, openings: &[Epoch]) {
        let known = self.roster.epochs(origin);
        let contradictions = known.contradictions(openings);
        if contradictions.is_empty() {
            return;
        }
        let mut all = known.clone();
        all.include(openings.iter().cloned());
        for [one, other] in contradictions {
            let proof = fork::of(&one.opening, &other.opening, &all, None);
            if let Ok(evidence) = ForkEvidence::check(&proof, &self.roster) {
                self.consider(evidence);
            }
        }
    }

    /// Has new evidence made durable; it counts only then. The lowest fork of an epoch counts, so that every order of
    /// arrival ends alike; of two at one position the proof that sorts first.
    fn consider(&mut self, evidence: ForkEvidence) {
        let known = self.forks.get(&evidence.key());
        // One that nobody could be told of does not count here either.
        let tellable = evidence.proof.encoded_len() <= FORK_PROOF_BYTES_MAX;
        if tellable && known.is_none_or(|known| evidence.ranks_before(known)) {
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

    /// Takes in kept evidence, and the openings that it shows. Returns whether anything changed.
    pub(super) fn take_fork(&mut self, evidence: ForkEvidence) -> bool {
        if self.forks.get(&evidence.key()).is_some_and(|known| !evidence.ranks_before(known)) {
            return false;
        }
        self.roster.admit(evidence.origin, evidence.openings.clone());
        self.forks.insert(evidence.key(), evidence);
        true
    }

    pub(super) fn share_forks(&mut self, conn: ConnId) {
        let mut messages: Vec<(usize, Vec<v1::ForkProof>)> = Vec::new();
        for evidence in self.forks.values() {
            let (proof, bytes) = (evidence.proof.clone(), evidence.proof.encoded_len());
            match messages.last_mut() {
                Some((sum, proofs))
                    if *sum + bytes <= FORK_PROOFS_BYTES && proofs.len() < FORK_PROOFS_PER_MESSAGE_MAX =>
                {
                    *sum += bytes;
                    proofs.push(proof);
                }
                _ => messages.push((bytes, vec![proof])),
            }
        }
        for (_, proofs) in messages {
            self.send(conn, Body::ForkProofs(v1::ForkProofs { proofs }));
        }
    }
}
