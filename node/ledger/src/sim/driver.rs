//! Executes what a simulated node's state asks for, and watches what it signs.

use std::collections::VecDeque;

use wego_proto::{entry::Verified, v1::session_message::Body};

use super::Sim;
use crate::{
    log::{Head, Run},
    session::ConnId,
    state::{Event, Input, Output, compare, verify_entries},
};

impl Sim {
    pub(super) fn deliver(&mut self, conn: ConnId, to: usize, body: Body) {
        let Some(state) = self.nodes[to].state.as_ref() else { return };
        let input = match body {
            Body::Entries(entries) => match verify_entries(entries.entries, entries.epochs, state.roster()) {
                Ok(run) => Input::Entries { conn, request: entries.request, run, done: entries.done },
                Err(reject) if reject.is_early() => {
                    Input::Entries { conn, request: entries.request, run: None, done: true }
                }
                Err(reject) => Input::Refused { conn, reject },
            },
            body => Input::Received { conn, body },
        };
        self.input(to, input);
    }

    /// Hands an input to a node and executes the outputs, in order, until nothing is left to do.
    pub(super) fn input(&mut self, node: usize, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let now_ms = self.clock.now_ms();
            let Some(state) = self.nodes[node].state.as_mut() else { return };
            for output in state.handle(now_ms, input) {
                inputs.extend(self.execute(node, output));
            }
        }
        self.plan_tick(node);
    }

    fn execute(&mut self, node: usize, output: Output) -> Option<Input> {
        match output {
            Output::Lock(run) => {
                for entry in run.iter() {
                    self.witness(entry);
                    // An opening says nothing to anybody; a later one may make it void.
                    if entry.header().epoch_start.is_none() {
                        self.acknowledged.insert((run.origin(), entry.header().at), entry.hash());
                    }
                }
                self.nodes[node].disk.locked.extend(run.into_entries());
                Some(Input::Locked)
            }
            Output::Recover(run) => {
                self.nodes[node].disk.locked.extend(run.iter().cloned());
                *self.counts.entry("own entries recovered").or_default() += 1;
                Some(self.store(node, run))
            }
            Output::Store(run) => Some(self.store(node, run)),
            Output::Anchor => {
                self.nodes[node].disk.anchored = true;
                None
            }
            Output::LookUp { key, seq } => self.nodes[node].disk.looked_up(key, seq),
            Output::LookUpEndpoints { origin, within } => {
                Some(self.nodes[node].disk.endpoints_said(origin, &within))
            }
            Output::LookUpPresentation { origin, within } => {
                Some(self.nodes[node].disk.presentation_said(origin, &within))
            }
            Output::Rewind { key, after } => {
                *self.counts.entry("rewinds").or_default() += 1;
                let head = self.nodes[node].disk.rewind(key, after);
                Some(Input::Rewound { key, head })
            }
            Output::Send(conn, body) => self.send(node, conn, body),
            Output::Serve(conn, pull, epochs) => {
                for body in self.nodes[node].disk.answer(&pull, &epochs) {
                    self.send(node, conn, body);
                }
                Some(Input::Served { conn })
            }
            Output::Disconnect(conn, reject) => {
                *self.counts.entry(reject.word()).or_default() += 1;
                let other = self.conns.get(&conn).map(|link| link.other(node));
                other.into_iter().for_each(|other| self.deliver(conn, other, Body::Reject(reject.to_wire())));
                self.hang_up(node, conn)
            }
            Output::Close(conn) => self.hang_up(node, conn),
            Output::Compare(conn, run) => {
                let key = (run.origin(), run.first_at().epoch);
                let held = self.nodes[node].disk.held_unverified(key);
                let roster = self.nodes[node].state.as_ref()?.roster();
                Some(Input::Compared { conn, key, difference: compare(&run, &held, roster) })
            }
            Output::KeepFork(evidence) => {
                self.nodes[node].disk.forks.insert(evidence.key(), evidence.proof.clone());
                Some(Input::ForkKept { evidence })
            }
            Output::KeepRoster(_) | Output::SwitchRoster(_) => Some(Input::RosterKept),
            Output::KeepProposal(proposal) => Some(Input::ProposalKept(proposal)),
            Output::KeepConflict(versions) => Some(Input::ConflictKept(versions)),
            Output::DropProposals(_) | Output::KeepReceipts(_) => None,
            Output::Notify(event) => {
                self.observe(&event);
                None
            }
        }
    }

    fn store(&mut self, node: usize, run: Run) -> Input {
        let (origin, last) = (run.origin(), run.last().clone());
        let endpoints = run.iter().any(|entry| entry.header().endpoint_change.is_some());
        let presentation = run.iter().any(|entry| entry.header().presentation.is_some());
        self.nodes[node].disk.arrived.extend(run.into_entries());
        let head = Head { at: last.header().at, hash: last.hash() };
        Input::Stored { origin, head, hlc_ms: last.header().hlc_ms, endpoints, presentation }
    }

    /// A member that signs another entry for a position it has signed before has forked itself.
    fn witness(&mut self, entry: &Verified) {
        let key = (entry.header().origin, entry.header().at);
        if let Some(before) = self.signed.insert(key, entry.hash())
            && before != entry.hash()
            && !self.clones.contains(&key.0)
        {
            self.violations.push(format!("member {} signed two entries at {}", key.0, key.1));
        }
    }

    fn observe(&mut self, event: &Event) {
        let word = match event {
            Event::ForkProved(_) => "fork proofs",
            Event::WritingStopped(_) => "writing stopped",
            _ => return,
        };
        *self.counts.entry(word).or_default() += 1;
    }

    pub(super) fn sync_sometimes(&mut self, node: usize) {
        if self.random.below(2) == 0 {
            let disk = &mut self.nodes[node].disk;
            disk.synced = disk.arrived.len();
        }
    }
}
