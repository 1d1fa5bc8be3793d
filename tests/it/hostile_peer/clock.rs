//! A member whose clock is fifty years ahead: what it publishes stands first in no list, at no member, for longer than
//! anything else does.

use wego_proto::{dated::CLOCK_AHEAD_MAX_MS, entry::Header};

use super::{Client, HONEST, Scene, practice, publish, until, v1};

const YEARS_50_MS: u64 = 50 * 365 * 24 * 3_600 * 1_000;

fn listed(scene: &Scene, node: usize) -> Vec<v1::RecordSummary> {
    scene.cluster.node(node).reader().list(&v1::ListRequest::default()).expect("a list").records
}

fn titles(records: &[v1::RecordSummary]) -> Vec<&str> {
    records.iter().map(|record| record.title[0].text.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_dated_in_the_future_is_as_old_as_its_arrival_at_every_member() {
    let mut scene = Scene::set().await;
    let header = scene.liar.header(None);
    let header = Header { hlc_ms: header.hlc_ms + YEARS_50_MS, ..header };
    let log = [scene.liar.sign(header, "Ahead")];
    let mut line = scene.greet().await;
    line.announce(&log).await;
    let pull = line.asked().await;
    line.serve(&pull, &log).await;
    for node in 0..HONEST {
        until("it is listed", || titles(&listed(&scene, node)) == ["Ahead"]).await;
    }
    let client = Client::of_profile(&scene.cluster.seats[1].created.profile_dir).await;
    client.catalogue().publish(publish(practice("Honest"))).await.unwrap();
    for node in 0..HONEST {
        until("the newer one stands first", || titles(&listed(&scene, node)) == ["Honest", "Ahead"]).await;
    }
    let before = listed(&scene, 0);
    assert!(before[1].dated().ahead && !before[0].dated().ahead);
    assert!(before[1].received_at_ms + CLOCK_AHEAD_MAX_MS < before[1].signed_at_ms);
    drop((line, client));

    scene.cluster.down(0).await;
    std::fs::remove_dir_all(scene.cluster.seats[0].config.node.data_dir.join("records")).unwrap();
    scene.cluster.up(0).await;
    until("a projection that is built anew agrees", || listed(&scene, 0) == before).await;
    scene.cluster.stop().await;
}
