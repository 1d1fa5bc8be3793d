//! The roster's changes: versions taken, kept, shared. What becomes of a version is decided in
//! [`crate::governance`]; here nothing counts before it is durable.

use std::collections::BTreeMap;

use wego_proto::{
    id::Hash,
    prost::Message as _,
    roster::{Draft, Roster, RosterError},
    v1::{self, session_message::Body},
};

use super::{Event, Output, State};
use crate::{
    governance::{Governance, Refusal, Verdict},
    limits::{ENTRIES_BYTES, ROSTER_STEPS_MAX},
    reject::Reject,
    roster::History,
    session::ConnId,
};

impl State {
    /// The proposals and conflicts.
    #[must_use]
    pub fn governance(&self) -> &Governance {
        &self.governance
    }

    /// What becomes of the last of some versions that follow one another, if [`super::Input::Submitted`] hands them in.
    ///
    /// # Errors
    /// [`Refusal`], of the first that is refused.
    pub fn judge_rosters(&self, versions: &[v1::SignedRoster]) -> Result<Verdict, Refusal> {
        let Foreseen { verdicts, refused, .. } = self.foresee(versions);
        refused.map(|()| verdicts.into_iter().next_back().unwrap_or(Verdict::Known))
    }

    /// Takes up what was durable when the node stopped; what no longer fits is passed over.
    pub fn recall_governance(
        &mut self,
        mut contested: Vec<v1::SignedRoster>,
        proposals: Vec<v1::SignedRoster>,
    ) {
        // A contested version may follow one.
        contested.sort_by_key(|signed| Draft::parse(&signed.roster).map_or(0, |draft| draft.content.version));
        let number =
            |signed: &v1::SignedRoster| Draft::parse(&signed.roster).map_or(0, |draft| draft.content.version);
        for of_one_number in contested.chunk_by(|one, other| number(one) == number(other)) {
            if let Ok(news) = self.governance.contest(&self.roster, of_one_number) {
                self.governance.keep_conflict(news);
            }
        }
        for proposal in proposals {
            if let Ok(Verdict::Propose { version, .. }) = self.governance.judge(&self.roster, &proposal) {
                self.governance.propose(version);
            }
        }
    }

    /// Takes versions that follow one another. Stops at the first that is refused; those before it count.
    pub(super) fn take_versions(&mut self, versions: &[v1::SignedRoster]) -> Result<(), Refusal> {
        let seen = self.foresee(versions);
        self.take(seen)
    }

    fn take(&mut self, seen: Foreseen) -> Result<(), Refusal> {
        let Foreseen { verdicts, ahead, refused } = seen;
        let mut adopted: BTreeMap<u64, v1::SignedRoster> = BTreeMap::new();
        for verdict in verdicts {
            match verdict {
                Verdict::Known => {}
                Verdict::Propose { version, instead_of } => {
                    self.drop_proposals(instead_of);
                    self.outputs.push(Output::KeepProposal(version));
                }
                Verdict::Adopt(branch) => {
                    let first = branch.first().map_or(0, Roster::version);
                    adopted.retain(|number, _| *number < first);
                    adopted.extend(branch.iter().map(|next| (next.version(), next.signed().clone())));
                }
                Verdict::Conflict(news) => self.outputs.push(Output::KeepConflict(news)),
            }
        }
        if let Some((_, roster)) = ahead.filter(|_| !adopted.is_empty()) {
            self.keep_versions(adopted, roster);
        }
        refused
    }

    /// Judges each version as if those before it were durable. Nothing of it counts until they are.
    fn foresee(&self, versions: &[v1::SignedRoster]) -> Foreseen {
        let mut seen = Foreseen { verdicts: Vec::new(), ahead: None, refused: Ok(()) };
        for signed in versions {
            let (governance, roster) = match &seen.ahead {
                Some((governance, roster)) => (governance, roster),
                None => (&self.governance, &self.roster),
            };
            let verdict = match governance.judge(roster, signed) {
                Ok(verdict) => verdict,
                Err(refusal) => {
                    seen.refused = Err(refusal);
                    break;
                }
            };
            if matches!(verdict, Verdict::Adopt(_) | Verdict::Conflict(_)) {
                let ahead = seen.ahead.get_or_insert_with(|| (self.governance.clone(), self.roster.clone()));
                match verdict.clone() {
                    Verdict::Adopt(branch) => ahead.1.replace(branch),
                    Verdict::Conflict(news) => ahead.0.keep_conflict(news),
                    Verdict::Known | Verdict::Propose { .. } => {}
                }
            }
            seen.verdicts.push(verdict);
        }
        seen
    }

    fn keep_versions(&mut self, adopted: BTreeMap<u64, v1::SignedRoster>, roster: History) {
        let in_force = self.roster.current().version();
        let follows = adopted.keys().next().is_some_and(|first| *first > in_force);
        let versions = adopted.into_values().collect();
        self.pending_roster = Some(roster);
        self.outputs.push(if follows {
            Output::KeepRoster(versions)
        } else {
            Output::SwitchRoster(versions)
        });
    }

    pub(super) fn roster_chain(&mut self, conn: ConnId, chain: v1::RosterChain) -> Result<(), Reject> {
        let seen = self.foresee(&chain.versions);
        let (governance, roster) = match &seen.ahead {
            Some((governance, roster)) => (governance, roster),
            None => (&self.governance, &self.roster),
        };
        // A peer sends what it has adopted; what still collects signatures comes as a proposal.
        let lacks = |verdict: &Verdict| match verdict {
            Verdict::Propose { version, .. } => governance.lacks(roster, version),
            _ => None,
        };
        if let Some(error) = seen.verdicts.iter().find_map(lacks) {
            return Err(Reject::BadRoster(error));
        }
        match self.take(seen) {
            Err(Refusal::NotNext { known, found }) if found > known => {
                Err(Reject::BadRoster(RosterError::NotNext { known, found }))
            }
            outcome => self.heard(conn, outcome),
        }
    }

    pub(super) fn roster_proposal(
        &mut self,
        conn: ConnId,
        proposal: v1::RosterProposal,
    ) -> Result<(), Reject> {
        let Some(signed) = proposal.roster else { return Ok(()) };
        let outcome = self.take_versions(&[signed]);
        self.heard(conn, outcome)
    }

    pub(super) fn roster_conflict(
        &mut self,
        conn: ConnId,
        conflict: &v1::RosterConflict,
    ) -> Result<(), Reject> {
        match self.governance.contest(&self.roster, &conflict.versions) {
            Ok(news) if !news.is_empty() => {
                self.outputs.push(Output::KeepConflict(news));
                Ok(())
            }
            // One version alone, of which nothing else is known here, is simply the next one.
            Ok(_) => {
                let outcome = self.take_versions(&conflict.versions);
                self.heard(conn, outcome)
            }
            Err(refusal) => self.heard(conn, Err(refusal)),
        }
    }

    /// Tells mistakes of a peer from differences between honest nodes.
    fn heard(&mut self, conn: ConnId, outcome: Result<(), Refusal>) -> Result<(), Reject> {
        match outcome {
            Err(Refusal::Bad(RosterError::OtherFederation { .. })) => Err(Reject::DifferentFederation),
            Err(Refusal::Bad(RosterError::Field(error))) => Err(error.into()),
            Err(Refusal::Bad(error) | Refusal::Forged(error)) => Err(Reject::BadRoster(error)),
            Err(Refusal::Unsigned) => {
                let error = RosterError::TooFewSignatures { have: 0, need: 1, whose: "the predecessor's" };
                Err(Reject::BadRoster(error))
            }
            Err(Refusal::Decided { .. }) => {
                if let Some(member) = self.sessions.get(&conn).map(|open| open.member) {
                    self.notify(Event::RosterConflict(member));
                }
                Ok(())
            }
            Err(Refusal::OtherBranch { found }) => {
                self.show_branch(conn, found);
                Ok(())
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Shows a peer that follows another version which one is followed here.
    fn show_branch(&mut self, conn: ConnId, found: u64) {
        if let Some(ours) = self.roster.at(found.saturating_sub(1)).map(|version| version.signed().clone()) {
            self.show_version(conn, ours);
        }
    }

    pub(super) fn roster_kept(&mut self, now_ms: u64) {
        let Some(roster) = self.pending_roster.take() else { return };
        self.roster.become_versions_of(roster);
        let version = self.roster.current().version();
        self.notify(Event::RosterAdopted(version));
        self.drop_proposals(self.governance.superseded(&self.roster));
        self.drop_unknown_speakers();
        let open: Vec<_> = self.sessions.iter().map(|(conn, open)| (*conn, open.roster_version)).collect();
        for (conn, known) in open.into_iter().filter(|(_, known)| *known < version) {
            self.share_roster(conn, known, &[]);
        }
        for origin in self.roster.current().members().keys().copied().collect::<Vec<_>>() {
            self.restand(now_ms, origin);
        }
        self.review_writing();
        self.review_receipts();
    }

    pub(super) fn proposal_kept(&mut self, proposal: v1::SignedRoster) {
        let version = Draft::parse(&proposal.roster).map_or(0, |draft| draft.content.version);
        self.governance.propose(proposal.clone());
        self.notify(Event::RosterProposed(version));
        for conn in self.sessions.keys().copied().collect::<Vec<_>>() {
            self.send(conn, Body::RosterProposal(v1::RosterProposal { roster: Some(proposal.clone()) }));
        }
    }

    pub(super) fn conflict_kept(&mut self, versions: Vec<v1::SignedRoster>) {
        self.governance.keep_conflict(versions);
        let Some(number) = self.governance.open_conflict(&self.roster) else { return };
        self.notify(Event::GovernanceConflict(number));
        self.drop_proposals(self.governance.superseded(&self.roster));
        let Some(versions) = self.governance.contested(number) else { return };
        for conn in self.sessions.keys().copied().collect::<Vec<_>>() {
            self.send_conflict(conn, versions.clone());
        }
    }

    fn drop_proposals(&mut self, hashes: Vec<Hash>) {
        if !hashes.is_empty() {
            self.governance.drop_proposals(&hashes);
            self.outputs.push(Output::DropProposals(hashes));
        }
    }

    pub(super) fn share_proposals(&mut self, conn: ConnId) {
        let proposals: Vec<_> = self.governance.proposals().cloned().collect();
        for proposal in proposals {
            self.send(conn, Body::RosterProposal(v1::RosterProposal { roster: Some(proposal) }));
        }
    }

    /// Sends the versions after `known`, each conflict before what follows it. A peer that has another version under
    /// its number is shown the one that is here.
    pub(super) fn share_roster(&mut self, conn: ConnId, known: u64, hash: &[u8]) {
        let ours = self.roster.at(known).filter(|ours| !hash.is_empty() && ours.hash().as_bytes() != hash);
        if let Some(ours) = ours.map(|ours| ours.signed().clone()) {
            self.show_version(conn, ours);
        }
        let newest = self.roster.current().version();
        let mut piece = Vec::new();
        for number in known..=newest + 1 {
            if let Some(versions) = self.governance.contested(number) {
                self.send_versions(conn, std::mem::take(&mut piece));
                self.send_conflict(conn, versions);
            }
            if piece.len() < ROSTER_STEPS_MAX && number > known {
                piece.extend(self.roster.at(number).map(|version| version.signed().clone()));
            }
        }
        self.send_versions(conn, piece);
        if let Some(open) = self.sessions.get_mut(&conn).filter(|_| known < newest) {
            open.roster_version = newest;
        }
    }

    fn show_version(&mut self, conn: ConnId, ours: v1::SignedRoster) {
        if let Some(member) = self.sessions.get(&conn).map(|open| open.member) {
            self.notify(Event::RosterConflict(member));
            self.send_conflict(conn, vec![ours]);
        }
    }

    fn send_versions(&mut self, conn: ConnId, versions: Vec<v1::SignedRoster>) {
        for versions in in_messages(versions) {
            self.send(conn, Body::RosterChain(v1::RosterChain { versions }));
        }
    }

    fn send_conflict(&mut self, conn: ConnId, versions: Vec<v1::SignedRoster>) {
        for versions in in_messages(versions) {
            self.send(conn, Body::RosterConflict(v1::RosterConflict { versions }));
        }
    }
}

/// What some versions lead to.
struct Foreseen {
    verdicts: Vec<Verdict>,
    /// What is known then, if it is more than now.
    ahead: Option<(Governance, History)>,
    refused: Result<(), Refusal>,
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
