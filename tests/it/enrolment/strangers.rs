//! What strangers may reach, and what they gain by relaying, stealing and flooding: nothing.

use std::sync::Arc;

use tonic::{Code, transport::Channel};
use wego_proto::{
    WIRE_VERSIONS,
    invite::Invite,
    pin,
    v1::{
        self, InviteState, enrolment_client::EnrolmentClient, join_refusal::Reason, join_reply::Outcome,
        progress_reply::State,
    },
};
use wego_tests::{
    Cluster,
    client::Client,
    enrol::{Stranger, invite, invites},
    identity, raw,
};

use super::state;

/// One node and an invite from it.
async fn inviting() -> (Cluster, Invite) {
    let cluster = Cluster::start(1).await;
    let string = invite(&cluster.seats[0]).await;
    (cluster, Invite::parse(&string).unwrap())
}

async fn code(channel: &Channel, path: &str) -> Code {
    raw::call(channel, path, Vec::new()).await.map_or_else(|status| status.code(), |_| Code::Ok)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_reaches_the_enrolment_and_no_other_method_of_the_node() {
    let (cluster, invite) = inviting().await;
    let stranger = Stranger::new("nl-leiden");
    let channel = stranger.dial(&invite).await.unwrap().channel;
    let methods = wego_node::rpc::roles::METHODS.iter().map(|(path, _)| *path);
    for path in methods.chain(["/wego.v1.Peering/Session", "/wego.v1.Enrolment/Drop", "/", "/metrics"]) {
        assert_eq!(code(&channel, path).await, Code::Unimplemented, "{path}");
    }
    assert_eq!(code(&channel, "/wego.v1.Enrolment/Progress").await, Code::Ok);
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_door_and_no_other_protocol_lets_a_stranger_in() {
    let (cluster, mut invite) = inviting().await;
    let seat = &cluster.seats[0];
    let stranger = Stranger::new("nl-leiden");
    let peers = seat.config.listen.peers.to_string();
    if let Ok(channel) = identity::connect(seat, &peers, stranger.identity.clone()).await {
        for path in ["/wego.v1.Enrolment/Join", "/wego.v1.Peering/Session"] {
            let refused = raw::call(&channel, path, Vec::new()).await.expect_err("as a member");
            assert!(std::error::Error::source(&refused).is_some(), "{path}: the node answered {refused}");
        }
    }
    // The operators' door does not know the protocol.
    invite.endpoint = seat.config.listen.clients.to_string();
    stranger.dial(&invite).await.unwrap_err();
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_comes_to_join_is_a_stranger_like_any_other() {
    let cluster = Cluster::start(2).await;
    let invite = Invite::parse(&invite(&cluster.seats[0]).await).unwrap();
    let server = cluster.seats[0].created.transport_key;
    let member = identity::transport(&cluster.seats[1]);
    let config = pin::join_client_config(member, Arc::new(move |key| *key == server)).unwrap();
    let joined =
        pin::connect_to_join(&invite.endpoint, Arc::new(config), wego_tests::DEADLINE).await.unwrap();
    assert_eq!(code(&joined.channel, "/wego.v1.Peering/Session").await, Code::Unimplemented);
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_that_is_relayed_or_put_on_other_keys_is_worth_nothing() {
    let (cluster, invite) = inviting().await;
    let (honest, thief) = (Stranger::new("nl-leiden"), Stranger::new("nl-delft"));
    let overheard = honest.dial(&invite).await.unwrap();
    let overheard = honest.request(&invite, &overheard);
    // As it was said, over another connection of whoever stood in between; with the own card; on the own key.
    let relayed = thief.join_with(&invite, |request| *request = overheard.clone()).await;
    assert_eq!(relayed.unwrap_err().reason(), Reason::Unknown);
    let swapped = thief.join_with(&invite, |request| request.proof = overheard.proof.clone()).await;
    assert_eq!(swapped.unwrap_err().reason(), Reason::Unknown);
    let own_connection = thief.dial(&invite).await.unwrap();
    let borrowed = Stranger { card: honest.card.clone(), ..Stranger::new("nl-delft") };
    let request = borrowed.request(&invite, &own_connection);
    let reply = EnrolmentClient::new(own_connection.channel).join(request).await.unwrap().into_inner();
    let Some(Outcome::Refused(refused)) = reply.outcome else { panic!("a card of another key was taken") };
    assert_eq!(refused.reason(), Reason::Card, "a card counts on the connection of its own key only");
    assert_eq!(state(&cluster.seats[0]).await, InviteState::Open, "nothing of it spent the invite");
    honest.join(&invite).await.unwrap();
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invite_is_for_one_key_also_when_two_come_at_once() {
    let (cluster, invite) = inviting().await;
    let strangers = [Stranger::new("nl-leiden"), Stranger::new("nl-delft")];
    let (one, other) = tokio::join!(strangers[0].join(&invite), strangers[1].join(&invite));
    let refused: Vec<_> = [&one, &other].into_iter().filter_map(|done| done.as_ref().err()).collect();
    assert_eq!(refused.len(), 1, "{one:?} {other:?}");
    assert_eq!(refused[0].reason(), Reason::Used);
    let (winner, loser) = if one.is_ok() { (0, 1) } else { (1, 0) };
    strangers[winner].join(&invite).await.expect("a repetition by the same key changes nothing");
    assert!(matches!(strangers[winner].progress(&invite).await, State::Waiting(_)));
    let State::Refused(refused) = strangers[loser].progress(&invite).await else { panic!("told of another") };
    assert_eq!(refused.reason(), Reason::Unknown, "what became of it is its own business");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_is_refused_and_the_invite_stays_open() {
    let (cluster, invite) = inviting().await;
    let stranger = Stranger::new("nl-leiden");
    let connection = stranger.dial(&invite).await.unwrap();
    let mut large = stranger.request(&invite, &connection);
    large.software = "x".repeat(wego_node::enrolment::JOIN_REQUEST_BYTES_MAX);
    let status = EnrolmentClient::new(connection.channel).join(large).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange, "{status}");
    let mut fat = Stranger::new("nl-leiden");
    fat.card.card.extend([0x7a].into_iter().chain(std::iter::repeat_n(0, 9_000)));
    assert_eq!(fat.refused(&invite).await, Reason::Card);
    assert_eq!(state(&cluster.seats[0]).await, InviteState::Open);
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_invite_too_many_is_refused_until_one_is_over() {
    let (cluster, _) = inviting().await;
    let mut client = Client::of_profile(&cluster.seats[0].created.profile_dir).await.invites();
    let request = v1::CreateInviteRequest { city: "Leiden".to_owned(), ..Default::default() };
    for _ in 1..wego_node::enrolment::INVITES_WAITING_MAX {
        client.create(request.clone()).await.unwrap();
    }
    let status = client.create(request.clone()).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
    let id = invites(&cluster.seats[0]).await[0].id.clone();
    client.revoke(v1::RevokeInviteRequest { id }).await.unwrap();
    client.create(request).await.unwrap();
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_an_invite_is_refused() {
    let (cluster, _) = inviting().await;
    let mut client = Client::of_profile(&cluster.seats[0].created.profile_dir).await.invites();
    let good = v1::CreateInviteRequest { city: "Leiden".to_owned(), ..Default::default() };
    let alter = |alter: fn(&mut v1::CreateInviteRequest)| {
        let mut request = good.clone();
        alter(&mut request);
        request
    };
    for (request, expected) in [
        (alter(|request| request.city.clear()), Code::InvalidArgument),
        (alter(|request| request.city = "a\u{1b}[2J".to_owned()), Code::InvalidArgument),
        (alter(|request| request.city = "x".repeat(121)), Code::InvalidArgument),
        (alter(|request| request.handle = "NL_Leiden".to_owned()), Code::InvalidArgument),
        (alter(|request| request.handle = "city-1".to_owned()), Code::FailedPrecondition),
        (alter(|request| request.ttl_s = 2_592_001), Code::InvalidArgument),
        (alter(|request| request.ttl_s = u64::MAX), Code::InvalidArgument),
        (alter(|request| request.endpoint = "leiden".to_owned()), Code::InvalidArgument),
    ] {
        let status = client.create(request.clone()).await.unwrap_err();
        assert_eq!(status.code(), expected, "{request:?}: {status}");
        assert!(status.message().contains("hint: "), "{status}");
    }
    let known = client.revoke(v1::RevokeInviteRequest { id: vec![9; 8] }).await.unwrap_err();
    assert_eq!(known.code(), Code::NotFound);
    assert_eq!(*WIRE_VERSIONS.start(), 1, "the stranger of these tests speaks version 1");
    cluster.stop().await;
}
