//! Each reason why a city cannot join yet, by its own name, in its own words, with its own hint and exit code.

use std::path::{Path, PathBuf};

use wego_node::{clock::now_ms, join::Refusal};
use wego_proto::{
    id::InviteId,
    invite::Invite,
    v1::{self, InviteState, join_refusal::Reason},
};
use wego_tests::{
    Cluster, DEADLINE,
    client::Client,
    enrol::{Stranger, invite, invite_with, invites},
};

use super::{Done, join, leiden, state};

/// One node, and where a city's folder would be.
async fn node() -> (Cluster, PathBuf) {
    let cluster = Cluster::start(1).await;
    let dir = cluster.dir.path().join("leiden");
    (cluster, dir)
}

async fn first(string: &str, dir: &Path) -> Done {
    let says = leiden();
    join(string, dir, &says.iter().map(String::as_str).collect::<Vec<_>>()).await
}

fn ends(done: &Done, code: u8, said: &str, hint: &str) {
    assert_eq!(done.code, code, "{}", done.err);
    assert!(done.err.contains(&format!("error: {said}")), "{said}: {}", done.err);
    assert!(done.err.contains(&format!("\n\nhint: {hint}")), "{hint}: {}", done.err);
    assert_eq!(done.out, "", "no data");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invite_that_expired_says_so() {
    let (cluster, dir) = node().await;
    let request = v1::CreateInviteRequest { city: "Leiden".to_owned(), ttl_s: 1, ..Default::default() };
    let string = invite_with(&cluster.seats[0], request).await;
    let expires = async { while state(&cluster.seats[0]).await == InviteState::Open {} };
    tokio::time::timeout(DEADLINE, expires).await.expect("it expires");
    assert_eq!(state(&cluster.seats[0]).await, InviteState::Expired);
    ends(&first(&string, &dir).await, 6, "the invite has expired", "ask the inviter for a new one");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invite_that_another_key_used_says_so() {
    let (cluster, dir) = node().await;
    let string = invite(&cluster.seats[0]).await;
    Stranger::new("nl-delft").join(&Invite::parse(&string).unwrap()).await.unwrap();
    let done = first(&string, &dir).await;
    ends(&done, 6, "the invite was used already, by another key", "if it was not you");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invite_that_was_revoked_says_so_before_it_was_used_and_after() {
    let (cluster, dir) = node().await;
    let mut client = Client::of_profile(&cluster.seats[0].created.profile_dir).await.invites();
    let string = invite(&cluster.seats[0]).await;
    let used = first(&string, &dir).await;
    assert!(used.err.contains("not a member yet: 0 of 1 signatures; nobody has proposed"), "{}", used.err);
    let id = invites(&cluster.seats[0]).await[0].id.clone();
    let view = client.revoke(v1::RevokeInviteRequest { id }).await.unwrap().into_inner();
    assert_eq!(view.state(), InviteState::Revoked);
    ends(&join(&string, &dir, &[]).await, 6, "the inviter has revoked the invite", "call the inviter");

    let string = invite(&cluster.seats[0]).await;
    let id = Invite::parse(&string).unwrap().id.as_bytes().to_vec();
    client.revoke(v1::RevokeInviteRequest { id }).await.unwrap();
    assert_eq!(Stranger::new("nl-delft").refused(&Invite::parse(&string).unwrap()).await, Reason::Revoked);
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_string_of_something_else_says_of_what() {
    let (cluster, dir) = node().await;
    let string = invite(&cluster.seats[0]).await;
    let altered = |alter: fn(&mut Invite)| {
        let mut invite = Invite::parse(&string).unwrap();
        alter(&mut invite);
        invite.encode().to_string()
    };
    let unknown = altered(|invite| invite.id = InviteId::new([7; 8]));
    ends(&first(&unknown, &dir).await, 6, "the inviter's node does not know this invite", "ask the inviter");
    let elsewhere = altered(|invite| invite.federation = [7; 8]);
    let said = "the invite is for another federation than the inviter's node belongs to";
    ends(&first(&elsewhere, &dir).await, 6, said, "ask the inviter");
    let misprint = format!("{}A", &string[..string.len() - 1]);
    let done = join(if misprint == string { "wego1-AAAA" } else { &misprint }, &dir, &[]).await;
    ends(&done, 2, "the invite is damaged", "copy the whole string again");
    ends(&join("hello", &dir, &[]).await, 2, "it is no invite", "copy the whole string again");
    assert_eq!(state(&cluster.seats[0]).await, InviteState::Open);
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_another_key_is_told_nothing_and_makes_nothing() {
    let (cluster, dir) = node().await;
    let mut invite = Invite::parse(&invite(&cluster.seats[0]).await).unwrap();
    invite.inviter = [7; 16];
    let done = first(&invite.encode(), &dir).await;
    ends(&done, 7, &format!("the node at {} does not have the key", invite.endpoint), "stop here");
    assert!(!dir.exists(), "the inviter is authenticated before anything is made");
    invite.endpoint = wego_tests::process::free_address().to_string();
    let done = first(&invite.encode(), &dir).await;
    ends(&done, 5, &format!("the inviter's node at {} was not reached", invite.endpoint), "run the same");
    assert!(!dir.exists());
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_clock_and_a_wrong_version_are_told_with_their_amount() {
    let (cluster, _) = node().await;
    let invite = Invite::parse(&invite(&cluster.seats[0]).await).unwrap();
    let stranger = Stranger::new("nl-leiden");
    let ours = now_ms() - 2 * 60 * 60 * 1_000 - 90_000;
    let refused = stranger.join_with(&invite, |request| request.clock_ms = ours).await.unwrap_err();
    assert_eq!(refused.reason(), Reason::ClockSkew);
    let said = Refusal::read(&refused, ours).to_string();
    assert!(said.starts_with("this machine's clock is 2 h 1 min behind the inviter's"), "{said}");

    let old = |request: &mut v1::JoinRequest| (request.wire_min, request.wire_max) = (0, 0);
    let refused = stranger.join_with(&invite, old).await.unwrap_err();
    assert_eq!((refused.reason(), refused.wire_min), (Reason::VersionTooOld, 1));
    let new = |request: &mut v1::JoinRequest| (request.wire_min, request.wire_max) = (9, 9);
    let refused = stranger.join_with(&invite, new).await.unwrap_err();
    assert_eq!((refused.reason(), refused.wire_max), (Reason::VersionTooNew, 1));
    stranger.join(&invite).await.expect("nothing of it spent the invite");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handle_that_is_taken_or_was_not_meant_is_refused() {
    let (cluster, dir) = node().await;
    let request = v1::CreateInviteRequest {
        city: "Leiden".to_owned(),
        handle: "nl-leiden-2".to_owned(),
        ..Default::default()
    };
    let string = invite_with(&cluster.seats[0], request).await;
    ends(&first(&string, &dir).await, 6, "the invite is for the handle nl-leiden-2", "make a new folder");
    let free = Invite::parse(&invite(&cluster.seats[0]).await).unwrap();
    let refused = Stranger::new("city-1").join(&free).await.unwrap_err();
    assert_eq!((refused.reason(), refused.handle.as_str()), (Reason::Handle, ""));
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_another_federation_is_not_used() {
    let (cluster, _) = node().await;
    let other = Cluster::found(1).await;
    let string = invite(&cluster.seats[0]).await;
    let done = join(&string, &other.seats[0].created.dir, &[]).await;
    ends(&done, 6, "the folder has the roster of another federation", "one node belongs to one federation");
    assert_eq!(state(&cluster.seats[0]).await, InviteState::Open);
    cluster.stop().await;
}
