//! Nodes that publish, gossip over mutual TLS, and query one another.

use wego_proto::v1;
use wego_tests::{
    Cluster,
    client::Client,
    records::{practice, publish},
};

#[tokio::test(flavor = "multi_thread")]
async fn what_one_city_publishes_every_city_can_read_find_and_prove() {
    let cluster = Cluster::start(3).await;
    let mut seoul = Client::of_profile(&cluster.seats[0].created.profile_dir).await.catalogue();
    let reply = seoul.publish(publish(practice("One number for everything"))).await.unwrap().into_inner();
    assert_eq!(reply.outcome(), v1::Outcome::Created);
    cluster.converge(0).await;

    let other = Client::of_profile(&cluster.seats[2].created.profile_dir).await;
    let read = v1::ReadRequest { record_id: reply.record_id.clone() };
    let view = other.catalogue().read(read.clone()).await.unwrap().into_inner();
    let provenance = view.provenance.unwrap();
    assert_eq!((provenance.handle.as_str(), provenance.verified), ("city-1", true));
    assert_eq!(provenance.entry_hash, reply.entry_hash);

    let found =
        v1::SearchRequest { query: "everything number".to_owned(), facets: true, ..Default::default() };
    let found = other.search().search(found).await.unwrap().into_inner();
    assert_eq!(found.hits.iter().map(|hit| hit.record_id.clone()).collect::<Vec<_>>(), [reply.record_id]);
    assert_eq!(found.coverage.len(), 3);

    let proof = other.catalogue().export(read).await.unwrap().into_inner();
    let chain = other.members().roster(v1::RosterRequest {}).await.unwrap().into_inner();
    let roster = wego_proto::roster::Roster::open_chain(chain).unwrap().pop().unwrap();
    let proven = wego_proto::proof::verify(&proof, &roster).unwrap();
    assert_eq!(proven.member.handle, "city-1");
    cluster.stop().await;
}

/// Folders that were made on one machine and moved to another before their first start are such.
#[tokio::test(flavor = "multi_thread")]
async fn members_that_cannot_show_that_they_never_signed_found_a_federation_all_the_same() {
    let mut cluster = Cluster::found(3).await;
    for n in 0..3 {
        let data = &cluster.seats[n].config.node.data_dir;
        let moved = data.with_extension("moved");
        std::fs::create_dir(&moved).unwrap();
        std::fs::copy(data.join("unsigned"), moved.join("unsigned")).unwrap();
        std::fs::remove_dir_all(data).unwrap();
        std::fs::rename(&moved, data).unwrap();
        cluster.up(n).await;
    }
    cluster.writable().await;
    let mut seoul = Client::of_profile(&cluster.seats[0].created.profile_dir).await.catalogue();
    let reply = seoul.publish(publish(practice("One number for everything"))).await.unwrap().into_inner();
    assert_eq!(reply.outcome(), v1::Outcome::Created);
    assert!(reply.at.unwrap().epoch > 1, "a copy may have signed in the first epoch");
    cluster.converge(0).await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_was_away_catches_up() {
    let mut cluster = Cluster::start(3).await;
    cluster.down(2).await;
    let mut seoul = Client::of_profile(&cluster.seats[0].created.profile_dir).await.catalogue();
    for n in 0..700 {
        seoul.publish(publish(practice(&format!("Practice {n}")))).await.unwrap();
    }
    cluster.up(2).await;
    cluster.converge(0).await;
    assert_eq!(cluster.node(2).reader().view().cursor.0, 700);
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_right_after_a_restart_knows_what_was_written_before() {
    let mut cluster = Cluster::start(1).await;
    let profile = cluster.seats[0].created.profile_dir.clone();
    let mut seoul = Client::of_profile(&profile).await.catalogue();
    let mut last = v1::PublishReply::default();
    for n in 0..1_000 {
        last = seoul.publish(publish(practice(&format!("Practice {n}")))).await.unwrap().into_inner();
    }
    cluster.down(0).await;
    // It is built anew while the node already takes writes.
    std::fs::remove_dir_all(cluster.seats[0].config.node.data_dir.join("records")).unwrap();
    cluster.up(0).await;
    let mut seoul = Client::of_profile(&profile).await.catalogue();
    let revised = v1::PublishRequest {
        record_id: last.record_id,
        expected_base: last.entry_hash,
        must_exist: true,
        ..publish(practice("Another title"))
    };
    let reply = seoul.publish(revised).await.unwrap().into_inner();
    assert_eq!(reply.outcome(), v1::Outcome::Revised);
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_is_gone_is_a_problem_named_with_its_address_until_it_is_back() {
    let mut cluster = Cluster::start(3).await;
    cluster.connected(0, 2).await;
    let client = Client::of_profile(&cluster.seats[0].created.profile_dir).await;
    let status = async || client.admin().status(v1::StatusRequest {}).await.unwrap().into_inner();
    let well = status().await;
    assert_eq!((well.health(), well.peers.len()), (v1::Health::Ok, 2), "{:?}", well.problems);

    cluster.down(2).await;
    let address = cluster.seats[2].config.listen.peers.to_string();
    let told = loop {
        let now = status().await;
        if now.peers.iter().any(|peer| peer.last_error.contains("refused")) {
            break now;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(told.health(), v1::Health::Degraded);
    assert_eq!(told.problems.len(), 1, "{:?}", told.problems);
    let what = &told.problems[0].what;
    assert!(what.starts_with(&format!("city-3 is not reached at {address}: ")), "{what}");
    let order: Vec<_> = told.peers.iter().map(|peer| peer.handle.as_str()).collect();
    assert_eq!(order, ["city-3", "city-2"], "what is wrong comes first");
    assert!(told.peers.iter().all(|peer| peer.seen_ms > 0), "each with the age of its data");

    cluster.up(2).await;
    while status().await.health() != v1::Health::Ok {
        tokio::task::yield_now().await;
    }
    cluster.stop().await;
}
