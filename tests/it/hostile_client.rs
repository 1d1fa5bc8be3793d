//! Clients that send too much, the wrong thing, or nothing at all.

use tonic::{Code, Status};
use wego_proto::v1::{self, record::Kind};
use wego_tests::{
    Cluster,
    client::Client,
    records::{practice, publish},
};

mod publishing;
mod silent;

async fn one_node() -> (Cluster, Client) {
    let cluster = Cluster::start(1).await;
    let client = Client::of_profile(&cluster.seats[0].created.profile_dir).await;
    (cluster, client)
}

/// Entries that the node holds.
fn entries(cluster: &Cluster) -> u64 {
    cluster.node(0).reader().view().cursor.0
}

/// Asserts what is refused and that its message names `part`.
fn refused<T: std::fmt::Debug>(what: &str, answer: Result<T, Status>, code: Code, part: &str) {
    let status = answer.expect_err(what);
    assert_eq!(status.code(), code, "{what}: {status}");
    assert!(status.message().contains(part), "{what}: {part:?} in {:?}", status.message());
}

fn altered(alter: impl FnOnce(&mut wego_proto::record::v1::Practice)) -> v1::PublishRequest {
    let mut record = practice("A practice");
    let Some(Kind::Practice(practice)) = &mut record.kind else { panic!("a practice") };
    alter(practice);
    publish(record)
}
