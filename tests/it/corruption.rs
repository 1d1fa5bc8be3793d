//! What a node does with a folder that was damaged while it was down: set aside what is damaged, take it from elsewhere,
//! refuse what nobody else has, and never make it worse.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use wego_node::commands::Exit;
use wego_proto::v1;
use wego_tests::{
    Cluster,
    client::Client,
    records::{practice, publish},
};

mod flips;
mod folders;
mod journal;
mod refused;

/// Records of each of the two cities that publish.
const EACH: usize = 20;

/// Three nodes, of which the first and second have published and the third has heard it all.
async fn published() -> (Cluster, BTreeMap<Vec<u8>, Vec<u8>>) {
    let cluster = Cluster::start(3).await;
    let mut acknowledged = BTreeMap::new();
    for n in 0..2 {
        let mut catalogue = Client::of_profile(&cluster.seats[n].created.profile_dir).await.catalogue();
        for at in 0..EACH {
            let reply = catalogue.publish(publish(practice(&format!("Practice {at} of {n}")))).await.unwrap();
            let reply = reply.into_inner();
            acknowledged.insert(reply.record_id, reply.entry_hash);
        }
        cluster.converge(n).await;
    }
    (cluster, acknowledged)
}

/// A few records more of the first node.
async fn publish_more(cluster: &Cluster, acknowledged: &mut BTreeMap<Vec<u8>, Vec<u8>>) {
    let mut catalogue = Client::of_profile(&cluster.seats[0].created.profile_dir).await.catalogue();
    for _ in 0..3 {
        let title = format!("Practice after {}", acknowledged.len());
        let reply = catalogue.publish(publish(practice(&title))).await.unwrap().into_inner();
        acknowledged.insert(reply.record_id, reply.entry_hash);
    }
}

/// Every acknowledged record is read, listed and found at the first node, as the entry that was acknowledged.
async fn all_there(cluster: &Cluster, what: &str, acknowledged: &BTreeMap<Vec<u8>, Vec<u8>>) {
    cluster.converge(cluster.seats.len().min(2) - 1).await;
    let client = Client::of_profile(&cluster.seats[0].created.profile_dir).await;
    for (record_id, entry_hash) in acknowledged {
        let request = v1::ReadRequest { record_id: record_id.clone() };
        let view = client.catalogue().read(request).await.unwrap_or_else(|status| panic!("{what}: {status}"));
        let provenance = view.into_inner().provenance.unwrap();
        assert_eq!((&provenance.entry_hash, provenance.verified), (entry_hash, true), "{what}");
    }
    let list = v1::ListRequest { page_size: 1_000, ..Default::default() };
    let list = client.catalogue().list(list).await.unwrap().into_inner();
    assert_eq!(list.records.len(), acknowledged.len(), "{what}");
    let found = client.search().search(v1::SearchRequest::default()).await.unwrap().into_inner();
    assert_eq!((found.total, found.behind), (acknowledged.len() as u64, 0), "{what}");
}

fn data(cluster: &Cluster) -> PathBuf {
    cluster.seats[0].config.node.data_dir.clone()
}

/// All files of a folder, by path.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    all
}

/// The names of the folders that were set aside.
fn set_aside(cluster: &Cluster) -> Vec<String> {
    let names = fs::read_dir(data(cluster)).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    names.retain(|name| name.starts_with("store.broken-") || name.starts_with("store.replaced-"));
    names
}

struct Done {
    exit: Exit,
    out: String,
    err: String,
}

/// Runs a command of the node's program on the first seat, in this process.
async fn wego_node(cluster: &Cluster, command: &'static str) -> Done {
    let config = cluster.seats[0].created.config.clone();
    let run = move || {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let args = ["wego-node".into(), command.into(), "--config".into(), config.into_os_string()];
        let exit = wego_node::commands::run(args, &mut out, &mut err);
        Done { exit, out: String::from_utf8(out).unwrap(), err: String::from_utf8(err).unwrap() }
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}
