//! Executes what the ledger asks for, in order.

use std::collections::{BTreeMap, VecDeque};

use wego_ledger::{
    heads::LogKey,
    limits::ENDPOINT_CHANGES_MAX,
    log::{Head, Run},
    session::ConnId,
    state::{Difference, Input, Output, Urgency, compare},
};
use wego_proto::{
    entry::{Header, Unverified},
    id::{Hash, Origin, Position},
    v1,
};

use super::{Outgoing, view::Broken, worker::Worker};
use crate::{
    clock::now_ms,
    store::{StoreError, entry_hash, erasure},
};

impl Worker {
    /// Hands an input to the ledger, executes the outputs, and goes on until nothing is left to do.
    pub(super) fn feed(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            for output in self.state.handle(now_ms(), input) {
                inputs.extend(self.perform(output));
            }
        }
    }

    fn perform(&mut self, output: Output) -> Option<Input> {
        match output {
            Output::Lock(run) => Some(self.lock_run(run)),
            Output::Store(run) => Some(self.store_run(run)),
            Output::Send(conn, body) => self.outgoing(conn, Outgoing::Message(body)),
            Output::Serve(conn, pull, below) => self.outgoing(conn, Outgoing::Serve(pull, below)),
            Output::Disconnect(conn, reject) => self.hang_up(conn, Some(reject.to_wire())),
            Output::Close(conn) => self.hang_up(conn, None),
            Output::Compare(conn, run) => Some(self.compare(conn, &run)),
            Output::Recover(run) => Some(self.recover_run(run)),
            Output::Anchor => {
                self.set_anchor();
                None
            }
            Output::LookUp { key, seq } => self.look_up(key, seq),
            Output::LookUpEndpoints { origin, within } => self.look_up_endpoints(origin, &within),
            Output::LookUpPresentation { origin, within } => self.look_up_presentation(origin, &within),
            Output::Rewind { key, after } => {
                let rewound = self.store.rewind(key.0, key.1, after);
                if let Err(error) = &rewound {
                    self.note_failure(error, Broken::Store);
                }
                let head = self.report(rewound)?;
                let head = head.map(|(seq, hash)| Head { at: Position { epoch: key.1, seq }, hash });
                self.bell.ring(self.store.cursor());
                Some(Input::Rewound { key, head })
            }
            Output::KeepFork(evidence) => {
                let kept = self.store.put_fork(evidence.origin, evidence.fork.at.epoch, &evidence.proof);
                self.report(kept)?;
                Some(Input::ForkKept { evidence })
            }
            Output::KeepRoster(versions) => self.keep_roster(&versions),
            Output::KeepReceipts(receipts) => self.keep_receipts(&receipts),
            Output::SwitchRoster(versions) => {
                let kept = self.rosters.switch(&versions);
                self.report(kept).map(|()| Input::RosterKept)
            }
            Output::KeepProposal(proposal) => {
                let kept = self.governance.files.keep_proposal(&proposal);
                self.report(kept).map(|()| Input::ProposalKept(proposal))
            }
            Output::DropProposals(hashes) => self.drop_proposals(&hashes),
            Output::KeepConflict(versions) => {
                let kept = versions.iter().try_for_each(|one| self.governance.files.keep_conflict(one));
                self.report(kept).map(|()| Input::ConflictKept(versions))
            }
            Output::Notify(event) => {
                self.observe(&event);
                None
            }
        }
    }

    fn look_up(&mut self, key: LogKey, seq: u64) -> Option<Input> {
        let held = self.store.entry(key.0, Position { epoch: key.1, seq });
        if let Err(error) = &held {
            self.note_failure(error, Broken::Store);
        }
        Some(Input::LookedUp { key, seq, hash: entry_hash(&self.report(held)??) })
    }

    fn look_up_endpoints(&mut self, origin: Origin, within: &[(u32, u64)]) -> Option<Input> {
        let headers = self.endpoint_changes(origin, within);
        if let Err(error) = &headers {
            self.note_failure(error, Broken::Store);
        }
        Some(Input::Endpoints { origin, headers: self.report(headers)? })
    }

    fn look_up_presentation(&mut self, origin: Origin, within: &[(u32, u64)]) -> Option<Input> {
        let newest_first = within.iter().rev();
        let mut found = newest_first.map(|(epoch, last)| self.store.presentation(origin, *epoch, *last));
        let found = found.find_map(Result::transpose).transpose();
        if let Err(error) = &found {
            self.note_failure(error, Broken::Store);
        }
        let said = self.report(found)?.and_then(|entry| Unverified::parse(entry).ok());
        Some(Input::Presentation { origin, header: said.map(|entry| Box::new(entry.header().clone())) })
    }

    fn keep_roster(&self, versions: &[v1::SignedRoster]) -> Option<Input> {
        for version in versions {
            let kept = self.rosters.append(version);
            self.report(kept)?;
        }
        Some(Input::RosterKept)
    }

    fn drop_proposals(&self, hashes: &[Hash]) -> Option<Input> {
        for hash in hashes {
            let dropped = self.governance.files.drop_proposal(hash);
            self.report(dropped);
        }
        None
    }

    fn endpoint_changes(&self, origin: Origin, within: &[(u32, u64)]) -> Result<Vec<Header>, StoreError> {
        let mut headers = Vec::new();
        for (epoch, last) in within {
            let room = ENDPOINT_CHANGES_MAX.saturating_sub(headers.len());
            let entries = self.store.endpoint_changes(origin, *epoch, *last, room)?;
            let entries = entries.into_iter().filter_map(|entry| Unverified::parse(entry).ok());
            headers.extend(entries.map(|entry| entry.header().clone()));
        }
        Ok(headers)
    }

    /// A receipt that is lost is made or sent again, so nothing waits for it.
    fn keep_receipts(&self, receipts: &[(Origin, v1::SignedReceipt)]) -> Option<Input> {
        let kept = self.store.put_receipts(receipts);
        self.report(kept)?;
        None
    }

    fn lock_run(&mut self, run: Run) -> Input {
        if self.broken.is_some() {
            let source = std::io::ErrorKind::BrokenPipe.into();
            self.commit = Err(StoreError::Io { what: "using the journal after something broke", source });
            return Input::LockFailed;
        }
        let positions = run.iter().map(|entry| (entry.header().at, entry.hash())).collect();
        match self.lock.replace(self.locked.as_ref(), &run.into_entries()) {
            Ok(head) => {
                self.locked = Some(head);
                self.commit = Ok(positions);
                Input::Locked
            }
            Err(error) => {
                self.note_failure(&error, Broken::Journal);
                self.commit = Err(error);
                Input::LockFailed
            }
        }
    }

    /// Own entries that peers had: into the lock first, as if they were written here.
    fn recover_run(&mut self, run: Run) -> Input {
        let key = (run.origin(), run.first_at().epoch);
        match self.lock.replace(self.locked.as_ref(), &run.clone().into_entries()) {
            Ok(head) => {
                tracing::warn!(entries = run.len(), until = %head.at, "own entries came back from a peer");
                self.locked = Some(head);
                self.store_run(run)
            }
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "own entries that a peer has cannot be kept"
                );
                self.note_failure(&error, Broken::Journal);
                Input::StoreFailed { key }
            }
        }
    }

    /// Without it the next start could take a copy of this folder for the original, so nothing is signed then.
    fn set_anchor(&mut self) {
        if let Err(error) = self.anchor.set(&self.start, now_ms()) {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "where the own log is written cannot be noted"
            );
            self.broken = Some(Broken::Journal);
        }
    }

    fn store_run(&mut self, run: Run) -> Input {
        let (key, last) = ((run.origin(), run.first_at().epoch), run.last());
        let origin = key.0;
        let head = Head { at: last.header().at, hash: last.hash() };
        let hlc_ms = last.header().hlc_ms;
        let orders = run.iter().any(|entry| erasure::ordered_by(entry.header()).is_some());
        let endpoints = run.iter().any(|entry| entry.header().endpoint_change.is_some());
        let presentation = run.iter().any(|entry| entry.header().presentation.is_some());
        let put = self.store.put(&run.into_entries(), now_ms());
        match put {
            Ok(cursor) => {
                self.bell.ring(cursor);
                if orders {
                    self.watch.urgency = Urgency::Now;
                }
                Input::Stored { origin, head, hlc_ms, endpoints, presentation }
            }
            Err(error) => {
                if origin == self.state_origin() {
                    self.store_behind = true;
                }
                tracing::warn!(
                    origin = origin.0,
                    error = &error as &dyn std::error::Error,
                    "entries not stored"
                );
                self.note_failure(&error, Broken::Store);
                Input::StoreFailed { key }
            }
        }
    }

    /// What cannot be written any more before it is opened anew ends the process: a node that acknowledges nothing
    /// and looks healthy helps nobody.
    fn note_failure(&mut self, error: &StoreError, broken: Broken) {
        let passing =
            matches!(error, StoreError::Full { .. } | StoreError::Conflict | StoreError::Malformed { .. });
        let theirs = matches!(error, StoreError::Fork { .. } | StoreError::Gap { .. });
        if !passing && !theirs {
            self.broken = Some(broken);
        }
    }

    /// Says what could not be made durable, and that it therefore does not count.
    fn report<T, E: std::error::Error + 'static>(&self, kept: Result<T, E>) -> Option<T> {
        kept.inspect_err(|error| {
            tracing::error!(
                error = error as &dyn std::error::Error,
                "not made durable, so it does not count"
            );
        })
        .ok()
    }

    /// Puts into a connection's outbox; one that does not read loses the connection, not this node its memory.
    fn outgoing(&mut self, conn: ConnId, outgoing: Outgoing) -> Option<Input> {
        let outbox = self.conns.get(&conn)?;
        if outbox.put(outgoing) {
            return None;
        }
        self.conns.remove(&conn);
        Some(Input::Closed { conn })
    }

    fn hang_up(&mut self, conn: ConnId, reject: Option<v1::Reject>) -> Option<Input> {
        if let Some(outbox) = self.conns.remove(&conn) {
            // When it is full the connection ends all the same, because its outbox is dropped.
            outbox.put(Outgoing::Close(reject));
        }
        Some(Input::Closed { conn })
    }

    fn compare(&mut self, conn: ConnId, run: &Run) -> Input {
        let key = (run.origin(), run.first_at().epoch);
        let difference = match self.held_at(run) {
            Ok(held) => compare(run, &held, self.state.roster()),
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "own copy could not be read for comparison"
                );
                Difference::None
            }
        };
        Input::Compared { conn, key, difference }
    }

    /// The entries held at a run's positions, as the store gives them: the comparison checks what it uses.
    fn held_at(&self, run: &Run) -> Result<BTreeMap<u64, Unverified>, StoreError> {
        let (from, until) = (run.first_at(), run.last().header().at);
        let mut held = BTreeMap::new();
        let mut next = from.seq;
        while next <= until.seq {
            let entries = self.store.range(run.origin(), from.epoch, next, until.seq, READ_BYTES)?;
            if entries.is_empty() {
                break;
            }
            next += entries.len() as u64;
            for entry in entries {
                let entry = Unverified::parse(entry).map_err(|_| StoreError::Corrupt { what: "entry" })?;
                held.insert(entry.header().at.seq, entry);
            }
        }
        Ok(held)
    }

    pub(super) fn state_origin(&self) -> Origin {
        self.state.me()
    }
}

/// Bytes read at once for a comparison.
const READ_BYTES: usize = 1_024 * 1_024;
