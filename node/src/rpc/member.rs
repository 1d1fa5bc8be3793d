//! `wego.v1.Members`: the federation as this node knows it, and what this member says of itself.

use tonic::{Request, Response, Status};
use wego_proto::{
    convert::FieldError,
    presence::{self, Presentation},
    v1::{self, members_server::Members},
};

use super::{Deed, Doors, blocking, change::mode, status};
use crate::engine::{Mode, orders::OrderError, view::View};

#[tonic::async_trait]
impl Members for Doors {
    async fn list(
        &self,
        _: Request<v1::ListMembersRequest>,
    ) -> Result<Response<v1::ListMembersReply>, Status> {
        let reader = self.reader.clone();
        blocking(move || reader.members().map_err(|error| status::read(&error))).await.map(Response::new)
    }

    async fn show(
        &self,
        request: Request<v1::ShowMemberRequest>,
    ) -> Result<Response<v1::MemberView>, Status> {
        let handle = request.into_inner().handle;
        let reader = self.reader.clone();
        blocking(move || reader.member(&handle).map_err(|error| status::read(&error)))
            .await
            .map(Response::new)
    }

    async fn roster(&self, _: Request<v1::RosterRequest>) -> Result<Response<v1::RosterChain>, Status> {
        Ok(Response::new(self.reader.roster_chain()))
    }

    async fn forks(&self, request: Request<v1::ForksRequest>) -> Result<Response<v1::ForksReply>, Status> {
        let handle = request.into_inner().handle;
        let reader = self.reader.clone();
        blocking(move || reader.forks(&handle).map_err(|error| status::read(&error))).await.map(Response::new)
    }

    async fn set(
        &self,
        request: Request<v1::SetMemberRequest>,
    ) -> Result<Response<v1::SetMemberReply>, Status> {
        Deed::perform(request, async |message, deed| self.set_member(message, &deed).await).await
    }
}

impl Doors {
    async fn set_member(
        &self,
        request: v1::SetMemberRequest,
        deed: &Deed,
    ) -> Result<v1::SetMemberReply, Status> {
        let mode = mode(request.dry_run);
        let _one = self.key_change.lock().await;
        let view = self.reader.view();
        deed.about("member", view.handle(view.me));
        let change = Change::of(request, &view)?;
        let changes = change.endpoints.is_some() || change.presentation.is_some();
        if let Some(why) = view.not_writable.filter(|_| changes) {
            return Err(status::order(&OrderError::Refused(Some(why))));
        }
        let mut written = Vec::new();
        if let Some(endpoints) = change.endpoints {
            let at = self.transport.move_to(endpoints, mode).await;
            written.extend(at.map_err(|error| status::transport(&error))?);
        }
        if let (Some(presentation), Mode::Commit) = (change.presentation, mode) {
            written.push(self.engine.present(presentation).await.map_err(|error| status::order(&error))?);
        }
        let reader = self.reader.clone();
        let handle = change.member.handle.clone();
        let shown = blocking(move || reader.member(&handle).map_err(|error| status::read(&error))).await?;
        let member = if mode == Mode::DryRun { Some(change.member) } else { shown.member.clone() };
        Ok(v1::SetMemberReply {
            member: Some(v1::MemberView { member, ..shown }),
            written: written.into_iter().map(Into::into).collect(),
            changes,
        })
    }
}

/// What is new of a request, and the member as it will be.
struct Change {
    endpoints: Option<Vec<String>>,
    presentation: Option<Presentation>,
    member: v1::Member,
}

impl Change {
    fn of(request: v1::SetMemberRequest, view: &View) -> Result<Self, Status> {
        let now = view.member_now(view.me);
        let now = now.ok_or_else(|| Status::internal("this member is in no roster"))?;
        let mut member = now.clone();
        if let Some(v1::Endpoints { endpoints }) = request.endpoints {
            presence::check_endpoints(&endpoints).map_err(|error| refused(&error))?;
            member.endpoints = endpoints;
        }
        for name in request.names {
            call(&mut member.names, name);
        }
        if let Some(url) = request.portal_url {
            member.portal_url = url;
        }
        if member.names.is_empty() {
            return Err(Status::invalid_argument("names: none would be left; hint: give another name first"));
        }
        // What was never said stays the roster's to say.
        let mut said = view.roster.presentation(view.me).cloned().unwrap_or_default();
        if member.names != now.names {
            said.names = member.names.clone();
        }
        if member.portal_url != now.portal_url {
            said.portal_url = Some(member.portal_url.clone());
        }
        let presents = member.names != now.names || member.portal_url != now.portal_url;
        let presentation = presents.then(|| Presentation::parse(said.to_wire())).transpose();
        Ok(Self {
            endpoints: (member.endpoints != now.endpoints).then(|| member.endpoints.clone()),
            presentation: presentation.map_err(|error| refused(&error))?,
            member,
        })
    }
}

/// A name takes the place of the one in its language; one without text only takes it away.
fn call(names: &mut Vec<v1::MemberName>, name: v1::MemberName) {
    let at = names.iter().position(|known| known.lang.eq_ignore_ascii_case(&name.lang));
    match at {
        Some(at) if name.text.is_empty() => drop(names.remove(at)),
        Some(at) => names[at] = name,
        None if name.text.is_empty() => {}
        None => names.push(name),
    }
}

fn refused(error: &FieldError) -> Status {
    Status::invalid_argument(format!(
        "{error}; hint: wego member set --help shows what a member may say of itself"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_takes_the_place_of_the_one_in_its_language() {
        let name = |lang: &str, text: &str| v1::MemberName { lang: lang.to_owned(), text: text.to_owned() };
        let mut names = vec![name("en", "Seoul"), name("ko", "서울")];
        call(&mut names, name("EN", "Seoul City"));
        call(&mut names, name("fr", "Séoul"));
        call(&mut names, name("ko", ""));
        call(&mut names, name("de", ""));
        assert_eq!(names, [name("EN", "Seoul City"), name("fr", "Séoul")]);
    }
}
