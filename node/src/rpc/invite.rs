//! `wego.v1.Invites`: one string for one city.

use tonic::{Request, Response, Status};
use wego_proto::{
    id::InviteId,
    invite::InviteSecret,
    v1::{self, invites_server::Invites},
};
use zeroize::Zeroizing;

use super::{Deed, Doors, blocking, status};
use crate::{
    clock::now_ms,
    enrolment::{TTL_DEFAULT_S, Wanted},
};

#[tonic::async_trait]
impl Invites for Doors {
    async fn create(
        &self,
        request: Request<v1::CreateInviteRequest>,
    ) -> Result<Response<v1::CreateInviteReply>, Status> {
        Deed::perform(request, async |message, deed| self.create_invite(message, &deed).await).await
    }

    async fn list(
        &self,
        _: Request<v1::ListInvitesRequest>,
    ) -> Result<Response<v1::ListInvitesReply>, Status> {
        Ok(Response::new(v1::ListInvitesReply { invites: self.enrolment.list(now_ms()) }))
    }

    async fn revoke(
        &self,
        request: Request<v1::RevokeInviteRequest>,
    ) -> Result<Response<v1::InviteView>, Status> {
        Deed::perform(request, async |message, deed| self.revoke_invite(&message, &deed).await).await
    }
}

impl Doors {
    async fn create_invite(
        &self,
        message: v1::CreateInviteRequest,
        deed: &Deed,
    ) -> Result<v1::CreateInviteReply, Status> {
        let v1::CreateInviteRequest { city, handle, ttl_s, endpoint, dry_run } = message;
        let ttl_s = if ttl_s == 0 { TTL_DEFAULT_S } else { ttl_s };
        let now_ms = now_ms();
        let planned = self.enrolment.plan(Wanted { city, handle, ttl_s, endpoint }, new_id()?, now_ms);
        let kept = planned.map_err(|error| status::invites(&error))?;
        let mut view = self.enrolment.shown(&kept, now_ms);
        if dry_run {
            view.id.clear();
            return Ok(v1::CreateInviteReply { invite: String::new(), view: Some(view) });
        }
        let (enrolment, secret) = (self.enrolment.clone(), new_secret()?);
        let city = kept.city.clone();
        let create = move || enrolment.create(kept, secret, now_ms).map_err(|error| status::invites(&error));
        let invite = blocking(create).await?;
        deed.about("invite", &format!("{} for {city}", invite.id));
        tracing::info!(invite = %invite.id, city, "an invite was made");
        let invite = invite.encode().to_string();
        Ok(v1::CreateInviteReply { invite, view: Some(view) })
    }

    async fn revoke_invite(
        &self,
        message: &v1::RevokeInviteRequest,
        deed: &Deed,
    ) -> Result<v1::InviteView, Status> {
        let id = InviteId::try_from(message.id.as_slice()).map_err(|error| {
            Status::invalid_argument(format!("{error}; hint: `wego invite list` shows the ids"))
        })?;
        deed.about("invite", &id.to_string());
        let enrolment = self.enrolment.clone();
        let revoke = move || enrolment.revoke(id, now_ms()).map_err(|error| status::invites(&error));
        let view = blocking(revoke).await?;
        tracing::info!(invite = %id, "an invite was revoked");
        Ok(view)
    }
}

fn new_id() -> Result<InviteId, Status> {
    let mut id = [0; 8];
    getrandom::fill(&mut id).map_err(no_randomness)?;
    Ok(InviteId::new(id))
}

fn new_secret() -> Result<InviteSecret, Status> {
    let mut secret = Zeroizing::new([0; 16]);
    getrandom::fill(secret.as_mut_slice()).map_err(no_randomness)?;
    Ok(InviteSecret::new(secret))
}

fn no_randomness(error: getrandom::Error) -> Status {
    Status::internal(format!("no randomness: {error}; hint: see the system's log"))
}
