//! Damage to the journal: what is left of it, the store and the peers make the own log again, in a new epoch.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use wego_node::{app::StartError, demo::founding::FoundingError, store::StoreError};
use wego_tests::{
    Cluster,
    client::Client,
    process::copy,
    records::{practice, publish},
    until,
};

use super::{all_there, data, files, publish_more, published};

fn newest_segment(cluster: &Cluster) -> PathBuf {
    let segments = files(&data(cluster).join("journal")).into_keys();
    segments.filter(|path| path.extension().is_some_and(|end| end == "journal")).max().unwrap()
}

fn segment(cluster: &Cluster) -> PathBuf {
    let mut segments: Vec<_> = files(&data(cluster).join("journal")).into_iter().collect();
    segments.retain(|(_, bytes)| !bytes.is_empty());
    assert_eq!(segments.len(), 1, "{:?}", segments.iter().map(|(path, _)| path).collect::<Vec<_>>());
    segments.remove(0).0
}

/// Flips a bit of a file, at so many thirds of it.
fn flip(path: &Path, thirds: usize) {
    let mut bytes = fs::read(path).unwrap();
    let at = (bytes.len() * thirds / 3).min(bytes.len() - 2);
    bytes[at] ^= 4;
    fs::write(path, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_journal_and_an_old_store_go_on_from_what_the_peers_hold() {
    let (mut cluster, acknowledged) = published().await;
    cluster.down(0).await;
    let old = tempfile::tempdir().unwrap();
    copy(&data(&cluster).join("store"), &old.path().join("store"));
    cluster.up(0).await;
    cluster.writable().await;
    let mut acknowledged = acknowledged;
    publish_more(&cluster, &mut acknowledged).await;
    cluster.converge(0).await;
    cluster.down(0).await;
    copy(&old.path().join("store"), &data(&cluster).join("store"));
    let path = newest_segment(&cluster);
    flip(&path, 3);
    cluster.up(0).await;
    cluster.writable().await;
    all_there(&cluster, "from the peers", &acknowledged).await;
    publish_more(&cluster, &mut acknowledged).await;
    all_there(&cluster, "on top of it", &acknowledged).await;
    assert!(cluster.running().all(|node| node.reader().view().forks().is_empty()));
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_the_damaged_journal_has_is_read_out_of_it() {
    let mut cluster = Cluster::start(1).await;
    let mut acknowledged = BTreeMap::new();
    publish_more(&cluster, &mut acknowledged).await;
    cluster.down(0).await;
    let old = tempfile::tempdir().unwrap();
    copy(&data(&cluster).join("store"), &old.path().join("store"));
    cluster.up(0).await;
    cluster.writable().await;
    publish_more(&cluster, &mut acknowledged).await;
    cluster.down(0).await;
    // The store is as a power cut leaves it, without the newest entries, and nobody else has anything.
    copy(&old.path().join("store"), &data(&cluster).join("store"));
    let path = newest_segment(&cluster);
    flip(&path, 1);
    cluster.up(0).await;
    cluster.writable().await;
    all_there(&cluster, "read out of what was set aside", &acknowledged).await;
    let own = cluster.node(0).reader().view().heads[&cluster.node(0).reader().view().me].at;
    assert!(own.epoch > 1, "{own}");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_journal_of_another_member_is_refused_and_left() {
    let (mut cluster, _) = published().await;
    cluster.down(0).await;
    cluster.down(1).await;
    let own = data(&cluster).join("journal");
    let other = cluster.seats[1].config.node.data_dir.join("journal");
    fs::remove_dir_all(&own).unwrap();
    copy(&other, &own);
    let before = files(&data(&cluster));
    let Err(FoundingError::Start { source, .. }) = cluster.seats[0].start().await else {
        panic!("it started with another member's journal");
    };
    assert!(matches!(&*source, StartError::Store(StoreError::OtherOrigin { .. })), "{source:?}");
    assert!(source.hint().contains("node.data_dir"), "{}", source.hint());
    assert_eq!(files(&data(&cluster)), before);
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
