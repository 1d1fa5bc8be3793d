//! `wego.v1.RosterGovernance`: roster versions that collect signatures.

use tonic::{Request, Response, Status};
use wego_ledger::{governance::Refusal, limits::ROSTER_STEPS_MAX};
use wego_proto::{
    causes::with_causes,
    v1::{self, roster_governance_server::RosterGovernance},
};

use super::{
    Deed, Doors,
    change::{mode, version_name},
};
use crate::engine::governance::SubmitError;

#[tonic::async_trait]
impl RosterGovernance for Doors {
    async fn submit(&self, request: Request<v1::SubmitRequest>) -> Result<Response<v1::SubmitReply>, Status> {
        Deed::perform(request, async |message, deed| self.submit_roster(message, &deed).await).await
    }

    async fn proposals(
        &self,
        _: Request<v1::ProposalsRequest>,
    ) -> Result<Response<v1::ProposalsReply>, Status> {
        let view = self.reader.view();
        let conflict =
            |(_, versions): &(u64, Vec<v1::SignedRoster>)| v1::RosterConflict { versions: versions.clone() };
        Ok(Response::new(v1::ProposalsReply {
            proposals: view.governance.proposals.clone(),
            conflicts: view.governance.conflicts.iter().map(conflict).collect(),
            in_conflict: view.governance.open_conflict.is_some(),
        }))
    }
}

impl Doors {
    async fn submit_roster(
        &self,
        request: v1::SubmitRequest,
        deed: &Deed,
    ) -> Result<v1::SubmitReply, Status> {
        let versions = request.chain.unwrap_or_default().versions;
        let named = versions.last().map(version_name).unwrap_or_default();
        if versions.len() > ROSTER_STEPS_MAX {
            return Err(Status::invalid_argument(format!(
                "more than {ROSTER_STEPS_MAX} versions; hint: give the newest ones only"
            )));
        }
        let submitted = self.engine.submit(versions, mode(request.dry_run)).await;
        let reply = submitted.map_err(|error| status(&error))?;
        deed.about("roster version", &format!("{named}: {}", word(reply.outcome())));
        Ok(reply)
    }
}

const fn word(outcome: v1::SubmitOutcome) -> &'static str {
    match outcome {
        v1::SubmitOutcome::Unspecified => "",
        v1::SubmitOutcome::Known => "known",
        v1::SubmitOutcome::Proposed => "proposed",
        v1::SubmitOutcome::Adopted => "adopted",
        v1::SubmitOutcome::Conflict => "in conflict",
    }
}

fn status(error: &SubmitError) -> Status {
    let SubmitError::Refused(refusal) = error else {
        return match error {
            SubmitError::Expired { .. } => Status::failed_precondition(format!(
                "{error}; hint: renew the roster first: wego roster propose --expires DATE"
            )),
            SubmitError::Empty => Status::invalid_argument(format!("{error}; hint: give a roster file")),
            SubmitError::Busy => Status::resource_exhausted(format!("{error}; hint: try again")),
            SubmitError::Stopping => Status::unavailable(format!("{error}; hint: try again")),
            SubmitError::NotKept | SubmitError::Refused(_) => {
                Status::internal(format!("{error}; hint: see the node's log"))
            }
        };
    };
    let text = with_causes(refusal);
    match refusal {
        Refusal::Bad(_) => {
            Status::invalid_argument(format!("{text}; hint: make it anew with wego roster propose"))
        }
        Refusal::Forged(_) => Status::invalid_argument(format!(
            "{text}; hint: join the copies that were signed anew: wego roster combine"
        )),
        Refusal::Unsigned => Status::failed_precondition(format!(
            "{text}; hint: sign it first: wego roster sign FILE --key governance.pem"
        )),
        Refusal::NotNext { .. } | Refusal::Decided { .. } | Refusal::OtherBranch { .. } => {
            Status::failed_precondition(format!(
                "{text}; hint: propose it again from the version in force; signatures of the old proposal do not count for it"
            ))
        }
        Refusal::InConflict { .. } => Status::failed_precondition(format!(
            "{text}; hint: see wego roster status, then wego roster propose --resolve HASH HASH"
        )),
        Refusal::UnknownConflict => Status::failed_precondition(format!(
            "{text}; hint: hand in both versions first, or wait until a peer brings them"
        )),
        Refusal::Crowded => Status::resource_exhausted(format!(
            "{text}; hint: let more keys sign it before you hand it in, or adopt what waits"
        )),
    }
}
