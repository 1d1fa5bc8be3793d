//! Damage to the journal, the only copy of what this member alone has.

use std::{fs, path::PathBuf};

use wego_node::{app::StartError, demo::founding::FoundingError, store::StoreError};
use wego_tests::{
    Cluster,
    client::Client,
    records::{practice, publish},
    until,
};

use super::{all_there, data, files, published};

fn segment(cluster: &Cluster) -> PathBuf {
    let mut segments: Vec<_> = files(&data(cluster).join("journal")).into_iter().collect();
    segments.retain(|(_, bytes)| !bytes.is_empty());
    assert_eq!(segments.len(), 1, "{:?}", segments.iter().map(|(path, _)| path).collect::<Vec<_>>());
    segments.remove(0).0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_a_damaged_journal_does_not_start_and_changes_nothing() {
    let (mut cluster, acknowledged) = published().await;
    cluster.down(0).await;
    let path = segment(&cluster);
    let good = fs::read(&path).unwrap();
    for at in [0, 9, good.len() / 4, good.len() / 2] {
        let mut bad = good.clone();
        bad[at] ^= 1;
        fs::write(&path, &bad).unwrap();
        let before = files(&data(&cluster));
        let Err(FoundingError::Start { source, .. }) = cluster.seats[0].start().await else {
            panic!("it started with byte {at} changed");
        };
        let StartError::Store(StoreError::CorruptFile { path: named, .. }) = &*source else {
            panic!("{source:?}");
        };
        assert_eq!(named, &path);
        assert!(source.hint().contains("runbook"), "{}", source.hint());
        assert_eq!(files(&data(&cluster)), before, "byte {at}");
    }
    fs::write(&path, good).unwrap();
    cluster.up(0).await;
    all_there(&cluster, "mended by hand", &acknowledged).await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn own_entries_that_the_journal_lost_come_back_from_the_store() {
    let (mut cluster, acknowledged) = published().await;
    for lost in ["the end", "everything"] {
        cluster.down(0).await;
        let path = segment(&cluster);
        if lost == "everything" {
            fs::remove_file(&path).unwrap();
        } else {
            let bytes = fs::read(&path).unwrap();
            fs::write(&path, &bytes[..bytes.len() * 2 / 3]).unwrap();
        }
        cluster.up(0).await;
        all_there(&cluster, lost, &acknowledged).await;
    }
    let own = cluster.node(0).reader().view().heads[&cluster.node(0).reader().view().me].at.seq;
    let mut catalogue = Client::of_profile(&cluster.seats[0].created.profile_dir).await.catalogue();
    let reply = catalogue.publish(publish(practice("After"))).await.unwrap().into_inner();
    assert_eq!(reply.at.unwrap().seq, own + 1, "on top of what was acknowledged");
    cluster.converge(0).await;
    assert!(cluster.running().all(|node| node.reader().view().forks().is_empty()));
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_lost_journal_and_store_goes_on_from_what_its_peers_hold() {
    let (mut cluster, acknowledged) = published().await;
    cluster.down(0).await;
    for folder in ["journal", "store"] {
        fs::remove_dir_all(data(&cluster).join(folder)).unwrap();
    }
    cluster.up(0).await;
    until("it may write", || cluster.node(0).reader().view().not_writable.is_none()).await;
    all_there(&cluster, "fetched from its peers", &acknowledged).await;
    let mut catalogue = Client::of_profile(&cluster.seats[0].created.profile_dir).await.catalogue();
    let reply = catalogue.publish(publish(practice("Over it"))).await.unwrap().into_inner();
    assert!(reply.at.unwrap().epoch > 1, "where something may have been lost, it goes on in a new epoch");
    cluster.converge(0).await;
    assert!(cluster.running().all(|node| node.reader().view().forks().is_empty()));
    cluster.stop().await;
}
