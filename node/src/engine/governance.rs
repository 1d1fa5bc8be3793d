//! Roster versions that an operator hands in: judged, made durable, told to the peers.
//!
//! The one rule that looks at the clock is here: past its expiry a roster admits nobody. Adoption must not depend on it,
//! or nodes would part; so only handing in is refused.

use std::sync::Arc;

use thiserror::Error;
use tokio::sync::{mpsc, oneshot};
use wego_ledger::{
    governance::{Governance, Refusal, Verdict},
    roster::History,
    state::Input,
};
use wego_proto::{
    id::Hash,
    roster::{Draft, Roster},
    v1::{self, SubmitOutcome},
};

use super::{Engine, Mode, worker::Worker};
use crate::clock::now_ms;

/// Submissions that may wait; people make them one by one.
pub(super) const SUBMITS_MAX: usize = 16;

/// What waits for its outcome.
pub(super) type Submission =
    (Vec<v1::SignedRoster>, Mode, oneshot::Sender<Result<v1::SubmitReply, SubmitError>>);

/// Why versions were not taken. The version in force stays.
#[derive(Debug, Error)]
pub enum SubmitError {
    /// They are wrong, or not for this node as it is now.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The roster is past its expiry, and the version admits a member.
    #[error("the roster is past its expiry, and version {version} admits {handle}")]
    Expired {
        /// Version offered.
        version: u64,
        /// Who would be admitted.
        handle: String,
    },
    /// There is no version in it.
    #[error("there is no roster version in it")]
    Empty,
    /// It could not be made durable, so it does not count.
    #[error("it could not be made durable")]
    NotKept,
    /// The node is stopping.
    #[error("the node is stopping")]
    Stopping,
    /// Too many submissions wait.
    #[error("too many submissions wait")]
    Busy,
}

/// The proposals and conflicts as readers see them.
#[derive(Debug, Clone, Default)]
pub struct GovernanceView {
    /// Those with most signatures first.
    pub proposals: Vec<v1::SignedRoster>,
    /// By number, also those settled.
    pub conflicts: Vec<(u64, Vec<v1::SignedRoster>)>,
    /// The number in conflict, if one is.
    pub open_conflict: Option<u64>,
}

impl GovernanceView {
    pub(super) fn of(governance: &Governance, history: &History) -> Arc<Self> {
        Arc::new(Self {
            proposals: governance.proposals().cloned().collect(),
            conflicts: governance.conflicts().collect(),
            open_conflict: governance.open_conflict(history),
        })
    }
}

impl Engine {
    /// Hands in roster versions that follow one another, and answers when what became of them is durable.
    ///
    /// # Errors
    /// [`SubmitError`].
    pub async fn submit(
        &self,
        versions: Vec<v1::SignedRoster>,
        mode: Mode,
    ) -> Result<v1::SubmitReply, SubmitError> {
        let (reply, answer) = oneshot::channel();
        self.submits.try_send((versions, mode, reply)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => SubmitError::Busy,
            mpsc::error::TrySendError::Closed(_) => SubmitError::Stopping,
        })?;
        answer.await.unwrap_or(Err(SubmitError::Stopping))
    }
}

impl Worker {
    pub(super) fn take_submission(&mut self, (versions, mode, reply): Submission) {
        let outcome = self.submit(versions, mode);
        // Whoever asked may have gone; what was decided stands.
        let _ = reply.send(outcome);
    }

    fn submit(
        &mut self,
        versions: Vec<v1::SignedRoster>,
        mode: Mode,
    ) -> Result<v1::SubmitReply, SubmitError> {
        let last = versions.last().cloned().ok_or(SubmitError::Empty)?;
        refuse_admissions(self.state.roster(), &versions, now_ms())?;
        let verdict = self.state.judge_rosters(&versions)?;
        if verdict == Verdict::Known || mode == Mode::DryRun {
            let outcome = match &verdict {
                Verdict::Known => SubmitOutcome::Known,
                Verdict::Propose { .. } => SubmitOutcome::Proposed,
                Verdict::Adopt(_) => SubmitOutcome::Adopted,
                Verdict::Conflict(_) => SubmitOutcome::Conflict,
            };
            return Ok(reply(outcome, joined(verdict, &last)));
        }
        self.feed(Input::Submitted(versions));
        let hash = Hash::of(&[&last.roster]);
        let history = self.state.roster();
        let in_force = (1..=history.current().version()).rev().filter_map(|number| history.at(number));
        if let Some(adopted) = in_force.into_iter().find(|version| version.hash() == hash) {
            return Ok(reply(SubmitOutcome::Adopted, adopted.signed().clone()));
        }
        let governance = self.state.governance();
        if let Some(proposal) = governance.proposals().find(|proposal| proposal.roster == last.roster) {
            return Ok(reply(SubmitOutcome::Proposed, proposal.clone()));
        }
        let contested = governance.conflicts().flat_map(|(_, versions)| versions);
        match contested.into_iter().find(|version| version.roster == last.roster) {
            Some(version) => Ok(reply(SubmitOutcome::Conflict, version)),
            None => Err(SubmitError::NotKept),
        }
    }

    pub(super) fn governance_changed(&mut self) {
        self.governance = GovernanceView::of(self.state.governance(), self.state.roster());
    }
}

fn reply(outcome: SubmitOutcome, version: v1::SignedRoster) -> v1::SubmitReply {
    v1::SubmitReply { outcome: outcome as i32, version: Some(version) }
}

/// The version with all signatures that are known.
fn joined(verdict: Verdict, handed_in: &v1::SignedRoster) -> v1::SignedRoster {
    match verdict {
        Verdict::Propose { version, .. } => version,
        Verdict::Adopt(mut branch) => {
            branch.pop().map_or_else(|| handed_in.clone(), |last| last.signed().clone())
        }
        Verdict::Known | Verdict::Conflict(_) => handed_in.clone(),
    }
}

/// Past its expiry a roster admits nobody; a version that moves the expiry comes first.
fn refuse_admissions(
    history: &History,
    versions: &[v1::SignedRoster],
    now_ms: u64,
) -> Result<(), SubmitError> {
    let mut before: Roster = history.current().clone();
    for signed in versions {
        let Ok(draft) = Draft::parse(&signed.roster) else { continue };
        if draft.content.version <= before.version() {
            continue;
        }
        if before.is_soft_expired(now_ms)
            && let Some(member) = before.admitted_by(&draft).next()
        {
            let handle = member.handle.clone();
            return Err(SubmitError::Expired { version: draft.content.version, handle });
        }
        if let Ok(next) = before.succeeded_by(signed.clone()) {
            before = next;
        }
    }
    Ok(())
}
