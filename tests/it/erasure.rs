//! Erasure as those see it who ordered it: contents gone from everything a member keeps, and who has said so.

use std::{fs, path::Path, time::Duration};

use wego_proto::v1::{self, EraseReason, Outcome};
use wego_tests::{
    Cluster,
    client::Client,
    records::{practice, publish},
    until,
};

mod hostile;
mod killed;

/// Words that stand in no other record, and so neither in an index nor in a database unless they came from this one.
const SECRET: &str = "zanzibarquokka";

/// Three cities whose receipts come often.
async fn cluster() -> Cluster {
    let mut cluster = Cluster::found(3).await;
    for n in 0..3 {
        cluster.seats[n].config.peers.receipts = Duration::from_secs(1);
        cluster.up(n).await;
    }
    cluster.connected(0, 2).await;
    cluster
}

async fn client(cluster: &Cluster, n: usize) -> Client {
    Client::of_profile(&cluster.seats[n].created.profile_dir).await
}

fn request_id() -> Vec<u8> {
    let mut id = vec![0; 16];
    getrandom::fill(&mut id).unwrap();
    id
}

async fn published(client: &Client, title: &str) -> Vec<u8> {
    client.catalogue().publish(publish(practice(title))).await.unwrap().into_inner().record_id
}

async fn erase(client: &Client, record_id: &[u8]) -> v1::PublishReply {
    let request = v1::EraseRequest {
        request_id: request_id(),
        record_id: record_id.to_vec(),
        reason: EraseReason::PersonalData as i32,
        dry_run: false,
    };
    client.catalogue().erase(request).await.unwrap().into_inner()
}

/// Waits until as many members as `done` have carried out the erasure of a record, and tells who has not.
async fn carried_out(client: &Client, record_id: &[u8], done: u32) -> Vec<String> {
    let deadline = std::time::Instant::now() + wego_tests::DEADLINE;
    loop {
        let request = v1::ErasuresRequest { record_id: record_id.to_vec() };
        let reply = client.delivery().erasures(request).await.unwrap().into_inner();
        let delivered = reply.erasures.first().and_then(|erasure| erasure.carried_out.clone());
        let delivered = delivered.unwrap_or_default();
        if delivered.done >= done {
            assert_eq!(delivered.members, 3);
            return delivered.missing.into_iter().map(|one| one.handle).collect();
        }
        assert!(std::time::Instant::now() < deadline, "{delivered:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Files below `folder` that hold the secret.
fn betrayed(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for file in fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
        if file.is_dir() {
            found.extend(betrayed(&file));
        } else if fs::read(&file).is_ok_and(|bytes| holds_secret(&bytes)) {
            found.push(file.display().to_string());
        }
    }
    found
}

fn holds_secret(bytes: &[u8]) -> bool {
    bytes.windows(SECRET.len()).any(|window| window.eq_ignore_ascii_case(SECRET.as_bytes()))
}

fn data(cluster: &Cluster, n: usize) -> std::path::PathBuf {
    cluster.seats[n].config.node.data_dir.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_erased_is_gone_everywhere_and_each_member_says_so_when_it_is() {
    let mut cluster = cluster().await;
    let owner = client(&cluster, 0).await;
    let id = published(&owner, &format!("About {SECRET} one")).await;
    let mut second = publish(practice(&format!("About {SECRET} two")));
    second.record_id.clone_from(&id);
    owner.catalogue().publish(second).await.unwrap();
    let kept = published(&owner, "About something else").await;
    cluster.converge(0).await;
    for n in 0..3 {
        let folders = betrayed(&data(&cluster, n));
        let expected = if n == 0 { ["journal", "store"].as_slice() } else { &["store"] };
        let found = |name: &&str| folders.iter().any(|path| path.contains(&format!("/{name}/")));
        assert!(expected.iter().all(found), "the search finds it where it is: {folders:?}");
    }

    cluster.down(2).await;
    let reply = erase(&owner, &id).await;
    assert_eq!(reply.outcome(), Outcome::Erased);
    assert_eq!(carried_out(&owner, &id, 2).await, ["city-3"], "the one that is away is named");
    assert_eq!(erase(&owner, &id).await.outcome(), Outcome::Unchanged, "there is nothing left to erase");

    cluster.up(2).await;
    assert!(carried_out(&owner, &id, 3).await.is_empty(), "it does so when it is back");
    for n in 0..3 {
        reads_as_erased(&client(&cluster, n).await, &id).await;
        let read = client(&cluster, n).await.catalogue().read(read(&kept)).await.unwrap().into_inner();
        assert!(read.record.is_some() && !read.erased, "the other record is untouched");
    }
    // Parts of the databases' files that are not in use any more are written anew by the next start.
    for n in 0..3 {
        cluster.down(n).await;
        cluster.up(n).await;
        assert_eq!(betrayed(&data(&cluster, n)), Vec::<String>::new());
    }
    reads_as_erased(&client(&cluster, 0).await, &id).await;
    cluster.stop().await;
}

fn read(id: &[u8]) -> v1::ReadRequest {
    v1::ReadRequest { record_id: id.to_vec() }
}

async fn reads_as_erased(client: &Client, id: &[u8]) {
    let view = client.catalogue().read(read(id)).await.unwrap().into_inner();
    assert!(view.erased && view.record.is_none(), "{view:?}");
    let status = client.catalogue().export(read(id)).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::FailedPrecondition, "{status}");
    let history = client.catalogue().history(read(id)).await.unwrap().into_inner();
    let held: Vec<_> = history.versions.iter().map(|version| version.payload_held).collect();
    assert_eq!(held, [false; 3], "headers stay, payloads do not");
    let query = v1::SearchRequest { query: SECRET.to_owned(), ..Default::default() };
    let found = client.search().search(query).await.unwrap().into_inner();
    assert!(found.hits.is_empty(), "{found:?}");
    let list = client.catalogue().list(v1::ListRequest { retracted: true, ..Default::default() }).await;
    let titles = format!("{:?}", list.unwrap().into_inner());
    assert!(!titles.contains(SECRET), "{titles}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_is_said_to_have_a_record_once_it_has_said_so_itself() {
    let mut cluster = cluster().await;
    cluster.down(2).await;
    let owner = client(&cluster, 0).await;
    let id = published(&owner, "Seen by some").await;
    let request = || v1::SeenRequest { record_id: id.clone(), ..Default::default() };
    let ask = async |client: &Client| client.delivery().seen(request()).await.unwrap().into_inner();
    let deadline = std::time::Instant::now() + wego_tests::DEADLINE;
    let seen = loop {
        let seen = ask(&owner).await.seen.unwrap();
        if seen.done == 2 {
            break seen;
        }
        assert!(std::time::Instant::now() < deadline, "{seen:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(seen.missing.iter().map(|one| one.handle.as_str()).collect::<Vec<_>>(), ["city-3"]);
    cluster.up(2).await;
    until("the last one says so, to everybody", || {
        let covers = |node: &wego_node::app::Node| {
            let view = node.reader().view();
            let head = view.heads.get(&view.roster.current().member_by_handle("city-1").unwrap().origin);
            let head = *head.unwrap();
            view.receipts.len() == 3
                && view.receipts.values().all(|receipt| receipt.covers(wego_proto::id::Origin(1), head.at))
        };
        cluster.running().all(covers)
    })
    .await;
    cluster.stop().await;
}
