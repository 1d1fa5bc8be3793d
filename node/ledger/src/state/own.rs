//! The own log: giving drafts their place, and when that is not allowed.

use wego_proto::{
    entry::{Header, Verified},
    id::Position,
    v1::MemberStatus,
};

use super::{Draft, NotWritable, Output, State};
use crate::log::{Head, Log, Run};

impl State {
    /// Signs drafts one after the other and asks for the lock. Drafts that find no place (the node may not write,
    /// or a batch is being locked) are dropped without an output; the driver asks [`State::not_writable`] first.
    pub(super) fn append(&mut self, now_ms: u64, drafts: Vec<Draft>) {
        if self.not_writable.is_some() || self.locking.is_some() {
            return;
        }
        let Some(before) = self.chain(self.me.origin).map(|chain| chain.accepted.clone()) else { return };
        let mut log = before.clone();
        let mut entries: Vec<Verified> = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let Some(at) = log.next() else { break };
            if self.roster.log_key(self.me.origin, self.key_no, at) != Some(&self.key.public()) {
                // The roster has ended this key: what it signs now nobody would accept.
                self.stop_writing(NotWritable::NotActive);
                break;
            }
            let entry = self.sign(now_ms, at, &log, draft);
            log.advance(Head { at, hash: entry.hash() });
            entries.push(entry);
        }
        if entries.is_empty() {
            return;
        }
        let first = entries.remove(0);
        let run = Run::own(first, entries);
        if let Some(chain) = self.chain(self.me.origin) {
            chain.accepted = log;
        }
        self.locking = Some((run.clone(), before));
        self.outputs.push(Output::Lock(run));
    }

    fn sign(&mut self, now_ms: u64, at: Position, log: &Log, draft: Draft) -> Verified {
        self.last_hlc_ms = now_ms.max(self.last_hlc_ms + 1);
        let header = Header {
            origin: self.me.origin,
            at,
            prev: log.tip(),
            key_no: self.key_no,
            roster_version: self.roster.current().version(),
            hlc_ms: self.last_hlc_ms,
            kind: draft.kind,
            record_id: draft.record_id,
            base: draft.base,
            payload: None,
            record_kind: draft.record_kind,
            request_id: Some(draft.request_id),
            epoch_start: None,
            erase: draft.erase,
        };
        Verified::sign(header, draft.payload, &self.me.federation, &self.key)
    }

    pub(super) fn locked(&mut self) {
        if let Some((run, _)) = self.locking.take() {
            self.outputs.push(Output::Store(run));
        }
    }

    pub(super) fn lock_failed(&mut self) {
        let Some((_, before)) = self.locking.take() else { return };
        if let Some(chain) = self.logs.get_mut(&self.me.origin) {
            chain.accepted = before;
        }
    }

    /// The own log goes on from what the lock has, also when the store lacks the end of it.
    pub(super) fn take_locked(&mut self, head: Head) {
        let origin = self.me.origin;
        if let Some(chain) = self.chain(origin)
            && chain.accepted.head().is_none_or(|known| known.at < head.at)
        {
            chain.accepted.advance(head);
        }
    }

    /// Looks again whether this node may write, after the roster or a fork changed.
    pub(super) fn review_writing(&mut self) {
        let me = self.roster.member(self.me.origin);
        let active = me.is_some_and(|member| member.status == MemberStatus::Active);
        let lasting = matches!(self.not_writable, Some(NotWritable::OwnLogAhead { .. } | NotWritable::Twin));
        if lasting {
            return;
        }
        self.not_writable = None;
        if !active || self.key_no == 0 {
            self.stop_writing(NotWritable::NotActive);
        } else if self.forks.contains_key(&self.me.origin) {
            self.stop_writing(NotWritable::Forked);
        }
    }
}
