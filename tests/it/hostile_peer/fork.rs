//! A member that writes two histories: proved everywhere, and what came before stays.

use wego_ledger::fork::ForkEvidence;
use wego_proto::{
    entry::Verified,
    id::Position,
    v1::{self, Health, session_message::Body},
};
use wego_tests::{Cluster, byzantine::Byzantine, client::Client, until};

use super::SEAT;

/// Gives one node one history, and waits until it is there.
async fn tell(cluster: &Cluster, liar: &Byzantine, node: usize, log: &[Verified]) {
    let mut line = liar.greet(&cluster.seats[node]).await;
    line.announce(log).await;
    let pull = line.asked().await;
    line.serve(&pull, log).await;
    let head = log.last().unwrap();
    until("the history is stored", || {
        let view = cluster.node(node).reader().view();
        view.heads.get(&liar.origin).is_some_and(|held| held.hash == head.hash())
    })
    .await;
}

async fn reads(cluster: &Cluster, node: usize, entry: &Verified) -> bool {
    let record_id = entry.header().record_id.unwrap().as_bytes().to_vec();
    let client = Client::of_profile(&cluster.seats[node].created.profile_dir).await;
    client.catalogue().read(v1::ReadRequest { record_id }).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_histories_are_proved_at_every_node_and_what_came_before_stays_readable() {
    let mut cluster = Cluster::found(4).await;
    cluster.seats[SEAT].release();
    let liar = Byzantine::holding(&cluster.seats[SEAT]);
    let before = liar.story(&[], &["Before"]);
    let one = liar.story(&before, &["One", "And on"]);
    let other = liar.story(&before, &["Other"]);
    // Each hears its history alone, so that neither can warn the other.
    cluster.up(0).await;
    tell(&cluster, &liar, 0, &one).await;
    cluster.down(0).await;
    cluster.up(1).await;
    tell(&cluster, &liar, 1, &other).await;
    assert!(reads(&cluster, 1, &other[1]).await, "nobody knows of a fork");
    for node in [0, 2] {
        cluster.up(node).await;
    }
    let fork = Position { epoch: 1, seq: 2 };
    until("all have the proof", || {
        cluster.running().all(|node| node.reader().view().forks().get(&liar.origin) == Some(&fork))
    })
    .await;
    cluster.converge(0).await;
    for node in 0..3 {
        let view = cluster.node(node).reader().view();
        assert_eq!(view.heads[&liar.origin].hash, before[0].hash(), "all agree on the head before it");
        assert!(reads(&cluster, node, &before[0]).await, "node {node}: before the fork");
        for entry in one[1..].iter().chain(&other[1..]) {
            assert!(!reads(&cluster, node, entry).await, "node {node}: {:?}", entry.header().at);
        }
        let status = cluster.node(node).reader().status();
        assert_eq!(status.health(), Health::Degraded);
        let handle = &cluster.seats[SEAT].city.handle;
        assert!(
            status.problems.iter().any(|problem| problem.what.starts_with(handle)),
            "{:?}",
            status.problems
        );
        let member = cluster.node(node).reader().member(handle).unwrap();
        assert_eq!((member.forked, member.fork_at), (true, Some(fork.into())));
    }
    // It is remembered, and more of either history is not taken in.
    cluster.down(0).await;
    cluster.up(0).await;
    assert_eq!(cluster.node(0).reader().view().forks().get(&liar.origin), Some(&fork));
    let line = liar.greet(&cluster.seats[0]).await;
    line.announce(&liar.story(&one, &["More"])).await;
    cluster.connected(0, 3).await;
    assert_eq!(cluster.node(0).reader().view().heads[&liar.origin].at.seq, 1);
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lowest_fork_counts_also_after_a_restart() {
    let mut cluster = Cluster::found(2).await;
    cluster.seats[1].release();
    let liar = Byzantine::holding(&cluster.seats[1]);
    let log = liar.story(&[], &["One", "Two", "Three"]);
    let proof = |at: usize| {
        let other = liar.story(&log[..at - 1], &["Other"]);
        ForkEvidence::of(&log[at - 1], &other[at - 1], &liar.roster).unwrap().proof
    };
    cluster.up(0).await;
    let line = liar.greet(&cluster.seats[0]).await;
    for seq in [3, 2] {
        line.send(Body::ForkProofs(v1::ForkProofs { proofs: vec![proof(seq as usize)] })).await;
        let fork = Position { epoch: 1, seq };
        until("it is proved", || cluster.node(0).reader().view().forks().get(&liar.origin) == Some(&fork))
            .await;
    }
    drop(line);
    cluster.down(0).await;
    cluster.up(0).await;
    let forks = cluster.node(0).reader().view().forks();
    assert_eq!(forks.get(&liar.origin), Some(&Position { epoch: 1, seq: 2 }));
    cluster.stop().await;
}
