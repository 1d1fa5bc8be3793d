//! The own log: giving drafts their place, and when that is not allowed.

use wego_proto::{
    entry::{Header, Verified},
    epochs::{Rank, next_number},
    id::{Hash, Position},
    key::{PublicKey, SecretKey},
    v1::MemberStatus,
};

use super::{Draft, NotWritable, Output, State};
use crate::{
    heads::LogKey,
    log::{Head, Run},
};

impl State {
    /// The epoch of the own log that is being written.
    pub(super) fn own_key(&self) -> LogKey {
        (self.me.origin, self.roster.epochs(self.me.origin).tip())
    }

    /// Signs drafts one after the other and asks for the lock. Drafts that find no place (the node may not write,
    /// or a batch is being locked) are dropped without an output; the driver asks [`State::not_writable`] first.
    pub(super) fn append(&mut self, now_ms: u64, drafts: Vec<Draft>) {
        if self.not_writable.is_some() || self.locking.is_some() {
            return;
        }
        let own = self.own_key();
        let Some(before) = self.chain(own).map(|chain| chain.accepted.clone()) else { return };
        let mut log = before.clone();
        let mut entries: Vec<Verified> = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let Some(at) = log.next() else { break };
            if self.roster.log_key(self.me.origin, self.key_no, at) != Some(self.key.public()) {
                // The roster has ended this key: what it signs now nobody would accept.
                self.stop_writing(NotWritable::NotActive);
                break;
            }
            let Some(prev) = log.tip() else { break };
            let entry = self.sign(now_ms, at, prev, draft);
            log.advance(Head { at, hash: entry.hash() });
            entries.push(entry);
        }
        if entries.is_empty() {
            return;
        }
        let first = entries.remove(0);
        let run = Run::own(first, entries);
        if let Some(chain) = self.chain(own) {
            chain.accepted = log;
        }
        self.locking = Some((run.clone(), before));
        self.outputs.push(Output::Lock(run));
    }

    fn sign(&mut self, now_ms: u64, at: Position, prev: Hash, draft: Draft) -> Verified {
        let header = Header {
            at,
            prev,
            record_id: draft.record_id,
            base: draft.base,
            record_kind: draft.record_kind,
            request_id: Some(draft.request_id),
            endpoint_change: draft.endpoint_change,
            presentation: draft.presentation,
            erase: draft.erase,
            ..self.header(now_ms, draft.kind)
        };
        Verified::sign(header, draft.payload, &self.me.federation, &self.key)
    }

    /// What every own header says, to be given its place.
    pub(super) fn header(&mut self, now_ms: u64, kind: i32) -> Header {
        self.last_hlc_ms = now_ms.max(self.last_hlc_ms + 1);
        Header {
            origin: self.me.origin,
            at: Position::FIRST,
            prev: Hash::new([0; 32]),
            key_no: self.key_no,
            roster_version: self.roster.current().version(),
            hlc_ms: self.last_hlc_ms,
            kind,
            record_id: None,
            base: None,
            payload: None,
            record_kind: 0,
            request_id: None,
            epoch_start: None,
            recovery_key: None,
            endpoint_change: None,
            presentation: None,
            erase: None,
        }
    }

    /// The header of an opening by which an operator changes the own log key, to be signed by the key that its rank
    /// asks for: the next log key for a rotation, the recovery key for a recovery. `base` is the last entry that stays
    /// valid, the last one that this node wrote when it is not given.
    ///
    /// `None` when the rank's numbers are used up, or it is a rank that has no such opening.
    #[must_use]
    pub fn opening(
        &mut self,
        now_ms: u64,
        rank: Rank,
        keys: NewKeys,
        base: Option<(Position, Hash)>,
    ) -> Option<Header> {
        let base = base.unwrap_or_else(|| self.own_written());
        let tip = self.roster.epochs(self.me.origin).tip();
        let number = next_number(rank, base.0.epoch, tip, self.jitter.draw() as u32)?;
        let mut header = self.opening_header(now_ms, number, Some(base))?;
        match rank {
            Rank::Rotation => header.key_no += 1,
            Rank::Recovery => {
                header.key_no = 0;
                header.recovery_key = Some(keys.recovery?);
            }
            Rank::Continuation | Rank::Reinception => return None,
        }
        let start = header.epoch_start.as_mut()?;
        start.log_key = Some(keys.log);
        start.next_digest = Some(keys.next_digest);
        Some(header)
    }

    /// An operator opens an own epoch. A proved fork and a recovery are no hindrance: they are what it is for.
    pub(super) fn open_epoch(&mut self, opening: Verified, key: SecretKey) {
        let Ok(epoch) = self.roster.opened(&opening) else { return };
        // Who stole the log key can pose as a later start for ever; only the recovery key ends that.
        let hindered = match self.not_writable {
            Some(NotWritable::NotActive) => true,
            Some(NotWritable::Twin) => epoch.rank != Rank::Recovery,
            _ => self.locking.is_some(),
        };
        let fits = epoch.key == key.public();
        if !hindered && fits && self.lock_opening(opening) {
            self.next_key = Some(key);
        }
    }

    pub(super) fn locked(&mut self) {
        if let Some((run, _)) = self.locking.take() {
            self.outputs.push(Output::Store(run));
        }
    }

    pub(super) fn lock_failed(&mut self, now_ms: u64) {
        let Some((run, before)) = self.locking.take() else { return };
        self.next_key = None;
        let key = (self.me.origin, run.first_at().epoch);
        if self.openings.remove(&key).is_some() {
            self.opening_here = None;
            self.logs.remove(&key);
            self.opening_failed(now_ms);
        } else if let Some(chain) = self.logs.get_mut(&key) {
            chain.accepted = before;
        }
    }

    /// The own log goes on from what the lock has, also when the store lacks the end of it.
    pub(super) fn take_locked(&mut self, head: Head) {
        let key = (self.me.origin, head.at.epoch);
        if let Some(chain) = self.chain(key)
            && chain.accepted.head().is_none_or(|known| known.at < head.at)
        {
            chain.accepted.advance(head);
        }
    }

    /// Takes the key of the newest own epoch into use, where this node has it.
    pub(super) fn review_key(&mut self) {
        if let Some(key) = self.next_key.take() {
            self.key = key;
        }
        let at = self.own_base().0;
        let tip = self.own_key().1;
        let at = if at.epoch == tip { at } else { Position { epoch: tip, seq: 0 } };
        let member = self.roster.member(self.me.origin);
        let in_force = member.and_then(|member| self.roster.epochs(self.me.origin).key_after(member, at));
        self.key_no = match in_force {
            Some((key_no, key)) if key == self.key.public() => key_no,
            _ => 0,
        };
    }

    /// Looks again whether this node may write, after the roster, an epoch or a fork changed.
    pub(super) fn review_writing(&mut self) {
        let me = self.roster.member(self.me.origin);
        let active = me.is_some_and(|member| member.status == MemberStatus::Active);
        self.review_key();
        let lasting = matches!(
            self.not_writable,
            Some(NotWritable::OwnLogAhead { .. } | NotWritable::Twin | NotWritable::Contradicted { .. })
        );
        if lasting {
            return;
        }
        let why = if !active {
            Some(NotWritable::NotActive)
        } else if self.frozen_at(self.me.origin).is_some() {
            Some(NotWritable::Forked)
        } else if self.recovery.is_some() {
            // The epoch in which its key is in force may still be on its way.
            self.recovering()
        } else if self.key_no == 0 {
            Some(self.key_not_in_force())
        } else {
            None
        };
        if why == self.not_writable {
            return;
        }
        self.not_writable = None;
        match why {
            // Every start passes through it: nothing has stopped.
            Some(NotWritable::Recovering { .. }) => self.not_writable = why,
            Some(why) => self.stop_writing(why),
            None => {}
        }
    }

    fn key_not_in_force(&self) -> NotWritable {
        let changed = self.own_key().1 > crate::log::FIRST_EPOCH;
        if changed { NotWritable::KeyReplaced } else { NotWritable::NotActive }
    }
}

/// The keys that an opening commits to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewKeys {
    /// The log key of the new epoch.
    pub log: PublicKey,
    /// Digest of the one after it.
    pub next_digest: Hash,
    /// The recovery key that will sign; for a recovery only.
    pub recovery: Option<PublicKey>,
}
