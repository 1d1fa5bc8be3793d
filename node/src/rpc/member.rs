//! `wego.v1.Members`: the federation as this node knows it.

use tonic::{Request, Response, Status};
use wego_proto::v1::{self, members_server::Members};

use super::{Doors, blocking, status};

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
}
