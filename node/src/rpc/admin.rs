//! `wego.v1.Admin`: one node's state and peers.

use tonic::{Request, Response, Status};
use wego_proto::{
    causes::with_causes,
    id::Origin,
    v1::{self, admin_server::Admin},
};

use super::{
    Deed, Doors,
    peers::{self, peer_view},
    status,
};
use crate::engine::{read::ReadError, view::View};

#[tonic::async_trait]
impl Admin for Doors {
    async fn status(&self, _: Request<v1::StatusRequest>) -> Result<Response<v1::StatusReply>, Status> {
        let mut reply = self.reader.status();
        let refused = self.audit.admit().err().map(|error| {
            let what = format!("nothing can be changed: {error}");
            if std::mem::take(&mut reply.writable) {
                reply.not_writable_because = format!("{what}; hint: {}", error.hint());
            }
            (what, error.hint().to_owned())
        });
        let health = v1::Health::Degraded as i32;
        let audit = refused.into_iter().chain(self.audit.damage());
        let audit = audit.map(|(what, hint)| v1::Problem { health, what, hint });
        reply.peers = self.peer_views();
        reply.problems.extend(audit.chain(peers::problems(&reply.peers)));
        // Worst first; what was there before comes first among equals.
        reply.problems.sort_by_key(|problem| std::cmp::Reverse(problem.health));
        reply.health = reply.problems.first().map_or(v1::Health::Ok, v1::Problem::health) as i32;
        Ok(Response::new(reply))
    }

    async fn list_peers(
        &self,
        _: Request<v1::ListPeersRequest>,
    ) -> Result<Response<v1::ListPeersReply>, Status> {
        Ok(Response::new(v1::ListPeersReply { peers: self.peer_views() }))
    }

    async fn add_peer(&self, request: Request<v1::AddPeerRequest>) -> Result<Response<v1::PeerView>, Status> {
        Deed::perform(request, async |message, _| self.pin_peer(&message)).await
    }

    async fn remove_peer(
        &self,
        request: Request<v1::RemovePeerRequest>,
    ) -> Result<Response<v1::RemovePeerReply>, Status> {
        Deed::perform(request, async |message, _| self.unpin_peer(&message.handle)).await
    }

    async fn ping_peer(
        &self,
        request: Request<v1::PingPeerRequest>,
    ) -> Result<Response<v1::PingPeerReply>, Status> {
        let handle = request.into_inner().handle;
        let origin = self.other_member(&self.reader.view(), &handle)?;
        let reply = match self.peers.ping(origin).await {
            Ok(pong) => v1::PingPeerReply {
                reached: true,
                endpoint: pong.endpoint,
                round_trip_us: pong.round_trip.as_micros() as u64,
                handshake_us: pong.handshake.as_micros() as u64,
                software: pong.software,
                error: String::new(),
            },
            Err((endpoint, error)) => {
                v1::PingPeerReply { endpoint, error: with_causes(&error), ..Default::default() }
            }
        };
        Ok(Response::new(reply))
    }
}

impl Doors {
    fn pin_peer(&self, message: &v1::AddPeerRequest) -> Result<v1::PeerView, Status> {
        let v1::AddPeerRequest { handle, endpoint } = message;
        let view = self.reader.view();
        let origin = self.other_member(&view, handle)?;
        let authority = endpoint.parse::<http::uri::Authority>();
        if !endpoint.is_empty() && !authority.is_ok_and(|authority| authority.port_u16().is_some()) {
            return Err(Status::invalid_argument(format!(
                "endpoint {endpoint:?} is not host:port; hint: city.example:7400"
            )));
        }
        self.peers.pin(origin, handle, endpoint).map_err(|error| status::pins(&error))?;
        tracing::info!(peer = handle, "peer added");
        let status = self.peers.list().remove(&origin).unwrap_or_default();
        Ok(peer_view(&view, origin, status))
    }

    fn unpin_peer(&self, handle: &str) -> Result<v1::RemovePeerReply, Status> {
        if !self.peers.unpin(handle).map_err(|error| status::pins(&error))? {
            return Err(Status::not_found(format!(
                "peer {handle:?} was not added; hint: `wego peer list` shows which were"
            )));
        }
        tracing::info!(peer = handle, "peer removed");
        Ok(v1::RemovePeerReply {})
    }

    fn other_member(&self, view: &View, handle: &str) -> Result<Origin, Status> {
        let member = view.roster.current().member_by_handle(handle);
        let origin = member.map(|member| member.origin);
        let origin = origin.ok_or_else(|| status::read(&ReadError::UnknownMember(handle.to_owned())))?;
        if origin == view.me {
            return Err(Status::invalid_argument(format!(
                "{handle} is this node's own member; hint: name another"
            )));
        }
        Ok(origin)
    }
}
