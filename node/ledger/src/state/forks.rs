//! Forks: found by comparing, proved by two signatures, kept before they count, spread to everybody.

use wego_proto::{
    id::{Hash, Origin},
    v1::{self, session_message::Body},
};

use super::{Difference, Event, Output, State};
use crate::{fork::ForkEvidence, limits::FORK_PROOFS_PER_MESSAGE_MAX, reject::Reject, session::ConnId};

impl State {
    pub(super) fn compared(&mut self, now_ms: u64, conn: ConnId, origin: Origin, difference: Difference) {
        let key = (origin, crate::log::FIRST_EPOCH);
        match difference {
            Difference::Fork(evidence) => self.consider(*evidence),
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

    pub(super) fn fork_proofs(&mut self, proofs: v1::ForkProofs) -> Result<(), Reject> {
        for proof in proofs.proofs {
            // Everybody tells of a fork, so most proofs are known already and cost no signature.
            if self.forks.values().any(|known| known.proof == proof) {
                continue;
            }
            let evidence = ForkEvidence::check(&proof, &self.roster).map_err(Reject::BadForkProof)?;
            self.consider(evidence);
        }
        Ok(())
    }

    /// Has new evidence made durable; it counts only then.
    fn consider(&mut self, evidence: ForkEvidence) {
        let known = self.forks.get(&evidence.origin);
        if known.is_none_or(|known| evidence.fork.at < known.fork.at) {
            self.outputs.push(Output::KeepFork(evidence));
        }
    }

    pub(super) fn fork_kept(&mut self, evidence: ForkEvidence, held_before: Option<Hash>) {
        let origin = evidence.origin;
        let proof = evidence.proof.clone();
        if !self.freeze(evidence, held_before) {
            return;
        }
        self.notify(Event::ForkProved(origin));
        for conn in self.sessions.keys().copied().collect::<Vec<_>>() {
            self.send(conn, Body::ForkProofs(v1::ForkProofs { proofs: vec![proof.clone()] }));
        }
        self.review_writing();
    }

    /// Freezes a log at proved evidence. Returns whether anything changed.
    pub(super) fn freeze(&mut self, evidence: ForkEvidence, held_before: Option<Hash>) -> bool {
        let (origin, fork) = (evidence.origin, evidence.fork);
        let Some(chain) = self.chain(origin) else { return false };
        let changed = chain.stored.freeze(fork, held_before);
        chain.accepted.freeze(fork, held_before);
        if changed {
            self.pulls.retain(|key, _| key.0 != origin);
            self.forks.insert(origin, evidence);
            self.refresh_board(origin, fork.at.epoch);
        }
        changed
    }

    pub(super) fn share_forks(&mut self, conn: ConnId) {
        let proofs: Vec<_> = self.forks.values().map(|evidence| evidence.proof.clone()).collect();
        for some in proofs.chunks(FORK_PROOFS_PER_MESSAGE_MAX) {
            self.send(conn, Body::ForkProofs(v1::ForkProofs { proofs: some.to_vec() }));
        }
    }
}
