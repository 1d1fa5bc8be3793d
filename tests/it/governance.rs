//! The roster is changed by a committee that never meets: versions collect signatures at real nodes, and every node
//! adopts them by itself.

use std::time::Duration;

use wego_node::keys;
use wego_proto::{
    id::Hash,
    key::SecretKey,
    prost::Message as _,
    roster::add_signature,
    v1::{self, MemberRole, MemberStatus, SubmitOutcome, audit_client::AuditClient, session_message::Body},
};
use wego_tests::{Cluster, byzantine::Byzantine, client::Client, until};

/// A governance key out of a seat's folder.
fn governance_key(cluster: &Cluster, n: usize) -> SecretKey {
    let path = cluster.seats[n].config.node.keys_dir.join("governance.pem");
    keys::read_secret_key(&path).unwrap()
}

fn in_force(cluster: &Cluster, n: usize) -> (u64, Hash) {
    let view = cluster.node(n).reader().view();
    (view.roster.current().version(), view.roster.current().hash())
}

/// What follows the version in force at node 0, changed and signed by some.
pub(super) fn next(
    cluster: &Cluster,
    signers: &[usize],
    change: impl Fn(&mut v1::Roster),
) -> v1::SignedRoster {
    let view = cluster.node(0).reader().view();
    let current = view.roster.current();
    let mut next = v1::Roster {
        version: current.version() + 1,
        prev_hash: current.hash().as_bytes().to_vec(),
        federation_id: current.federation().as_bytes().to_vec(),
        resolves: vec![],
        ..current.content().clone()
    };
    change(&mut next);
    let mut signed = v1::SignedRoster { roster: next.encode_to_vec(), signatures: vec![] };
    for n in signers {
        add_signature(&mut signed, &governance_key(cluster, *n));
    }
    signed
}

pub(super) async fn submit(
    cluster: &Cluster,
    n: usize,
    version: &v1::SignedRoster,
) -> Result<SubmitOutcome, tonic::Status> {
    let client = Client::of_profile(&cluster.seats[n].created.profile_dir).await;
    let chain = Some(v1::RosterChain { versions: vec![version.clone()] });
    let reply = client.governance().submit(v1::SubmitRequest { chain, dry_run: false }).await?;
    Ok(reply.into_inner().outcome())
}

pub(super) fn preside(handle: &'static str) -> impl Fn(&mut v1::Roster) {
    move |next| {
        let member = next.members.iter_mut().find(|member| member.handle == handle).unwrap();
        member.role = MemberRole::President as i32;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_log_says_which_version_was_submitted_and_what_became_of_it() {
    let cluster = Cluster::start(3).await;
    let proposed = next(&cluster, &[0], preside("city-2"));
    let decided = next(&cluster, &[0, 1], preside("city-2"));
    for version in [&proposed, &decided] {
        submit(&cluster, 0, version).await.unwrap();
    }
    let late = next(&cluster, &[0], preside("city-3"));
    submit(&cluster, 0, &v1::SignedRoster { signatures: vec![], ..late.clone() }).await.unwrap_err();
    let client = Client::of_profile(&cluster.seats[0].created.profile_dir).await;
    let request = v1::ListAuditRequest { page_size: 9, ..Default::default() };
    let events = AuditClient::new(client.channel()).list(request).await.unwrap().into_inner().events;
    let targets: Vec<_> = events.iter().rev().map(|event| event.target.clone()).collect();
    let named = |number, version: &v1::SignedRoster| {
        format!("roster version {number} {}", &Hash::of(&[&version.roster]).to_string()[..12])
    };
    let (two, three) = (named(2, &proposed), named(3, &late));
    assert_eq!(targets, [format!("{two}: proposed"), format!("{two}: adopted"), three]);
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signatures_given_at_different_nodes_make_one_version_and_a_stopped_node_learns_of_it() {
    let mut cluster = Cluster::start(4).await;
    cluster.connected(0, 3).await;
    // Three of four keys decide.
    let [by_one, by_two, by_three] = [0, 1, 2].map(|n| next(&cluster, &[n], preside("city-2")));
    cluster.down(3).await;
    assert_eq!(submit(&cluster, 0, &by_one).await.unwrap(), SubmitOutcome::Proposed);
    until("the others know of it", || {
        cluster.running().all(|node| node.reader().view().governance.proposals.len() == 1)
    })
    .await;
    // A proposal survives the node that has it.
    cluster.down(1).await;
    cluster.up(1).await;
    assert_eq!(cluster.node(1).reader().view().governance.proposals.len(), 1);
    submit(&cluster, 1, &by_two).await.unwrap();
    submit(&cluster, 2, &by_three).await.unwrap();
    until("all adopt it", || {
        cluster.running().all(|node| node.reader().view().roster.current().version() == 2)
    })
    .await;
    cluster.up(3).await;
    until("who was away adopts it", || in_force(&cluster, 3).0 == 2).await;
    for n in 0..4 {
        assert_eq!(in_force(&cluster, n), in_force(&cluster, 0));
    }
    until("what was adopted is no proposal any more", || {
        cluster.running().all(|node| node.reader().view().governance.proposals.is_empty())
    })
    .await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_a_promise_or_nobody_signed_is_refused_at_the_door() {
    let cluster = Cluster::start(3).await;
    let code = |outcome: Result<SubmitOutcome, tonic::Status>| outcome.unwrap_err().code();
    let unsigned = next(&cluster, &[], preside("city-1"));
    assert_eq!(code(submit(&cluster, 0, &unsigned).await), tonic::Code::FailedPrecondition);
    let leaves_out = next(&cluster, &[0, 1, 2], |next| drop(next.members.remove(2)));
    assert_eq!(code(submit(&cluster, 0, &leaves_out).await), tonic::Code::InvalidArgument);
    let without_cut =
        next(&cluster, &[0, 1, 2], |next| next.members[2].status = MemberStatus::Expelled as i32);
    assert_eq!(code(submit(&cluster, 0, &without_cut).await), tonic::Code::InvalidArgument);
    let skips = next(&cluster, &[0, 1, 2], |next| next.version = 7);
    assert_eq!(code(submit(&cluster, 0, &skips).await), tonic::Code::FailedPrecondition);
    for n in 0..3 {
        assert_eq!(in_force(&cluster, n).0, 1);
    }
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn past_its_expiry_a_roster_serves_its_members_and_admits_nobody_before_it_is_renewed() {
    let cluster = Cluster::start(3).await;
    cluster.connected(0, 2).await;
    let past = next(&cluster, &[0, 1], |next| next.soft_expires_at_ms = 1);
    submit(&cluster, 0, &past).await.unwrap();
    let all_have = |version: u64| {
        let cluster = &cluster;
        until("all have the version", move || {
            cluster.running().all(|node| node.reader().view().roster.current().version() == version)
        })
    };
    all_have(2).await;
    let status = cluster.node(1).reader().status();
    assert!(status.roster_expired && status.writable, "{status:?}");
    let admit = |next: &mut v1::Roster| {
        let mut member = next.members[0].clone();
        (member.idx, member.city_id, member.handle) = (4, vec![9; 32], "gh-accra".to_owned());
        (member.transport_keys, member.log_keys) = (vec![], vec![]);
        next.members.push(member);
    };
    let error = submit(&cluster, 0, &next(&cluster, &[0, 1], admit)).await.unwrap_err();
    assert_eq!(error.code(), tonic::Code::FailedPrecondition);
    assert!(error.message().contains("renew the roster first"), "{}", error.message());
    let renewed = next(&cluster, &[1, 2], |next| next.soft_expires_at_ms = u64::MAX >> 1);
    assert_eq!(submit(&cluster, 2, &renewed).await.unwrap(), SubmitOutcome::Adopted);
    all_have(3).await;
    assert_eq!(submit(&cluster, 1, &next(&cluster, &[0, 1], admit)).await.unwrap(), SubmitOutcome::Adopted);
    all_have(4).await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_member_can_neither_propose_alone_nor_make_memory_grow() {
    let mut cluster = Cluster::start(3).await;
    cluster.connected(0, 2).await;
    let liar = Byzantine::holding(&cluster.seats[2]);
    cluster.down(2).await;
    let before = in_force(&cluster, 0);
    let line = liar.greet(&cluster.seats[0]).await;
    let propose = |version| Body::RosterProposal(v1::RosterProposal { roster: Some(version) });
    // A committee member's own key: its proposals are taken, and no more than two.
    for n in 1..=6 {
        let version = next(&cluster, &[2], |next| next.soft_expires_at_ms = n);
        line.send(propose(version)).await;
    }
    until("two are kept", || cluster.node(0).reader().view().governance.proposals.len() == 2).await;
    // A conflict of versions that nobody signed, and a proposal that nobody signed: the line is cut.
    let unsigned = next(&cluster, &[], preside("city-3"));
    line.send(propose(unsigned)).await;
    until("the session ends", || {
        cluster.node(0).reader().view().refused.get("bad_roster").is_some_and(|count| *count > 0)
    })
    .await;
    let line = liar.greet(&cluster.seats[0]).await;
    let [one, other] = ["city-1", "city-2"].map(|handle| next(&cluster, &[2], preside(handle)));
    line.send(Body::RosterConflict(v1::RosterConflict { versions: vec![one, other] })).await;
    until("the session ends", || {
        cluster.node(0).reader().view().refused.get("bad_roster").is_some_and(|count| *count > 1)
    })
    .await;
    let view = cluster.node(0).reader().view();
    assert_eq!((view.governance.open_conflict, view.governance.proposals.len()), (None, 2));
    assert_eq!(in_force(&cluster, 0), before);
    tokio::time::timeout(Duration::from_secs(30), cluster.stop()).await.unwrap();
}
