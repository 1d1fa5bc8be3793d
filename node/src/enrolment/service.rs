//! `wego.v1.Enrolment`, and the bounds of the way that leads to it. Whoever comes here is a stranger.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use tonic::{Request, Response, Status};
use wego_proto::{
    causes::with_causes,
    id::InviteId,
    invite::Binding,
    key::PublicKey,
    pin::JOIN_ALPN,
    prost::Message as _,
    roster::Roster,
    v1::{
        self, MemberStatus,
        enrolment_server::{Enrolment as Service, EnrolmentServer},
        join_reply::Outcome,
        progress_reply::State,
    },
};

use super::{
    Enrolment, InvitesError,
    book::Book,
    judge::{self, Caller, Refused},
    standing::standing,
};
use crate::{
    clock::now_ms,
    engine::view::View,
    tls::{ConnectInfo, SideEntrance},
};

/// Largest request in bytes: a card of the largest size, and as much for all else.
pub const JOIN_REQUEST_BYTES_MAX: usize = 16 * 1_024;
/// Calls open at once on one connection: one, and one more while it ends.
pub const JOIN_STREAMS_MAX: u32 = 2;
/// Unread bytes that a stranger may have under way in one stream and in all: its largest request, a few times.
pub const JOIN_WINDOW_BYTES: u32 = 64 * 1_024;
/// Cities that ask at once. Each asks for some seconds, every quarter of a minute.
const CONNECTIONS_MAX: usize = 16;
/// Of these from one network: a city behind one address, and its neighbour.
const CONNECTIONS_PER_IP_MAX: usize = 4;
/// Long enough for a slow line and a full roster, short enough that places come back.
const LIFETIME: Duration = Duration::from_secs(30);
/// Bytes of roster versions in one answer, unless a single version has more: what a slow line takes within [`LIFETIME`].
const CHAIN_BYTES_MAX: usize = 2 * 1_024 * 1_024;

/// The way for strangers beside the door of the peer listener.
#[must_use]
pub fn beside(config: Arc<ArcSwap<ServerConfig>>) -> SideEntrance {
    SideEntrance {
        protocol: JOIN_ALPN,
        config,
        connections_max: CONNECTIONS_MAX,
        connections_per_ip_max: CONNECTIONS_PER_IP_MAX,
        lifetime: LIFETIME,
    }
}

impl Enrolment {
    /// The service to put on that way, and on no other.
    #[must_use]
    pub fn service(&self) -> EnrolmentServer<Self> {
        EnrolmentServer::new(self.clone()).max_decoding_message_size(JOIN_REQUEST_BYTES_MAX)
    }

    /// Spends the invite. Touches the disk.
    fn join(
        &self,
        request: &v1::JoinRequest,
        (key, binding): (PublicKey, Binding),
    ) -> Result<Result<v1::JoinAccepted, Refused>, InvitesError> {
        let (view, now_ms) = (self.view.load(), now_ms());
        let roster = view.roster.current();
        let mut book = self.book();
        let caller = Caller { key: &key, binding: &binding };
        let (id, spent) = match judged(request, caller, &book, roster, now_ms) {
            Ok(spends) => spends,
            Err(refused) => return Ok(Err(refused)),
        };
        let handle = spent.keys.handle.clone();
        book.spend(&id, spent)?;
        tracing::info!(invite = %id, handle, "an invite was used");
        Ok(Ok(v1::JoinAccepted {
            federation_id: roster.federation().as_bytes().to_vec(),
            federation_name: roster.content().federation_name.clone(),
        }))
    }

    fn state(&self, request: &v1::ProgressRequest, key: &PublicKey, view: &View) -> Result<State, Refused> {
        let id = InviteId::try_from(request.invite_id.as_slice()).map_err(|_| Refused::Unknown)?;
        let book = self.book();
        let kept = book.get(&id);
        let keys = &judge::own(kept, key)?.keys;
        let roster = view.roster.current();
        let standing = standing(roster, &self.collecting(view), keys);
        let revoked = kept.is_some_and(|kept| kept.revoked_ms != 0);
        match standing.member {
            Some(MemberStatus::Active) => Ok(State::Admitted(admitted(view, request.roster_version))),
            Some(_) => Err(Refused::NotActive),
            None if revoked => Err(Refused::Revoked),
            None => Ok(State::Waiting(v1::JoinWaiting {
                signatures: standing.signatures as u32,
                needed: standing.needed as u32,
                proposed: standing.proposed,
                admissions_stopped: roster.is_soft_expired(now_ms()),
            })),
        }
    }
}

fn judged(
    request: &v1::JoinRequest,
    caller: Caller<'_>,
    book: &Book,
    roster: &Roster,
    now_ms: u64,
) -> Result<(InviteId, super::Spent), Refused> {
    let id = judge::fits(request, roster, now_ms)?;
    let invite = book.get(&id).zip(book.proof_key(&id)).ok_or(Refused::Unknown)?;
    Ok((id, judge::spends(request, caller, invite, roster, now_ms)?))
}

/// The versions after `known`, as many as one answer takes.
fn admitted(view: &View, known: u64) -> v1::JoinAdmitted {
    let versions = page(view.roster.since(known, usize::MAX));
    let chain = Some(v1::RosterChain { versions });
    v1::JoinAdmitted { chain, newest_version: view.roster.current().version() }
}

/// The first versions, as many as fit, but one at least.
fn page(versions: Vec<v1::SignedRoster>) -> Vec<v1::SignedRoster> {
    let mut bytes = 0;
    let fits = |(at, version): &(usize, v1::SignedRoster)| {
        bytes += version.encoded_len();
        *at == 0 || bytes <= CHAIN_BYTES_MAX
    };
    versions.into_iter().enumerate().take_while(fits).map(|(_, version)| version).collect()
}

/// Who is at the other end. Both are there for every connection that comes by this way.
fn caller<T>(request: &Request<T>) -> Result<(PublicKey, Binding), Status> {
    let info = request.extensions().get::<ConnectInfo>();
    info.and_then(|info| Some((info.key, info.binding?)))
        .ok_or_else(|| Status::unauthenticated("the connection did not come to join"))
}

#[tonic::async_trait]
impl Service for Enrolment {
    async fn join(&self, request: Request<v1::JoinRequest>) -> Result<Response<v1::JoinReply>, Status> {
        let caller = caller(&request)?;
        let (enrolment, request) = (self.clone(), request.into_inner());
        let joined = tokio::task::spawn_blocking(move || Self::join(&enrolment, &request, caller)).await;
        let joined = joined.map_err(|_| Status::internal("the call ended abnormally"))?;
        let outcome = match joined {
            Ok(Ok(accepted)) => Outcome::Accepted(accepted),
            Ok(Err(refused)) => {
                let why = with_causes(&refused);
                if refused.is_cheap() {
                    tracing::debug!(why, "a join was refused");
                } else {
                    tracing::warn!(why, "a join was refused");
                }
                Outcome::Refused(refused.to_wire(now_ms()))
            }
            // What is wrong with this node's disk is no stranger's business.
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "an invite was not spent");
                return Err(Status::unavailable("the node cannot keep it now; try again later"));
            }
        };
        Ok(Response::new(v1::JoinReply { outcome: Some(outcome) }))
    }

    async fn progress(
        &self,
        request: Request<v1::ProgressRequest>,
    ) -> Result<Response<v1::ProgressReply>, Status> {
        let (key, _) = caller(&request)?;
        let (enrolment, request) = (self.clone(), request.into_inner());
        // Rosters may have to be read.
        let state = move || enrolment.state(&request, &key, &enrolment.view.load());
        let state = tokio::task::spawn_blocking(state).await;
        let state = state.map_err(|_| Status::internal("the call ended abnormally"))?;
        let state = state.unwrap_or_else(|refused| State::Refused(refused.to_wire(now_ms())));
        Ok(Response::new(v1::ProgressReply { state: Some(state) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_takes_as_many_versions_as_fit_and_one_at_least() {
        let of_bytes = |bytes| v1::SignedRoster { roster: vec![0; bytes], signatures: Vec::new() };
        let lengths = |all: &[usize]| page(all.iter().copied().map(of_bytes).collect()).len();
        assert_eq!(lengths(&[]), 0);
        assert_eq!(lengths(&[100, 200, 300]), 3);
        let half = CHAIN_BYTES_MAX / 2 - 10;
        assert_eq!(lengths(&[half, half, half]), 2);
        assert_eq!(lengths(&[2 * CHAIN_BYTES_MAX, 1]), 1);
    }
}
