//! What real nodes export, read by the independent verifier.

use std::{ffi::OsString, path::Path};

use serde_json::json;
use wego_cli::Stdio;
use wego_ledger::fork::ForkEvidence;
use wego_node::demo::founding::Seat;
use wego_proto::v1::{self, session_message::Body};
use wego_tests::{
    Cluster,
    byzantine::Byzantine,
    client::Client,
    records::{practice, publish},
    until,
};

use super::{ours, python::Python};

/// The member that signs two histories.
const LIAR: usize = 2;
/// More than nodes check by one signature.
const RECORDS: usize = 70;

async fn wego(seat: &Seat, args: &[&str]) {
    let profile = seat.created.profile_dir.to_str().unwrap();
    let args: Vec<_> =
        ["wego", "--profile", profile].iter().chain(args).map(|arg| OsString::from(*arg)).collect();
    let run = move || {
        let (stdio, _, err) = Stdio::captured("");
        assert_eq!(wego_cli::run(args, stdio), 0, "{}", err.text());
    };
    tokio::task::spawn_blocking(run).await.unwrap();
}

/// Two nodes that hold records of both and the proof that a third member has forked.
async fn federation() -> (Cluster, Vec<u8>) {
    let mut cluster = Cluster::found(3).await;
    for n in 0..2 {
        cluster.up(n).await;
    }
    cluster.writable().await;
    let mut record = Vec::new();
    for (n, records) in [(0, RECORDS), (1, 1)] {
        let mut catalogue = Client::of_profile(&cluster.seats[n].created.profile_dir).await.catalogue();
        for at in 0..records {
            let published = catalogue.publish(publish(practice(&format!("Practice {at} of {n}")))).await;
            record = published.unwrap().into_inner().record_id;
        }
    }
    let liar = Byzantine::holding(&cluster.seats[LIAR]);
    let before = liar.story(&[], &["Before"]);
    let [one, other] = ["One", "Other"].map(|title| liar.story(&before, &[title]).remove(1));
    let proof = ForkEvidence::of(&one, &other, &liar.roster).unwrap().proof;
    let line = liar.greet(&cluster.seats[0]).await;
    line.send(Body::ForkProofs(v1::ForkProofs { proofs: vec![proof] })).await;
    until("the proof is known", || cluster.node(0).reader().view().forks().contains_key(&liar.origin)).await;
    let all = RECORDS as u64 + 1;
    until("all has come", || cluster.running().all(|node| node.reader().view().cursor.0 == all)).await;
    cluster.converge(0).await;
    (cluster, record)
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_node_exports_holds_without_its_code() {
    let Some(python) = Python::find() else { return };
    let (cluster, record) = federation().await;
    let file = |name| path(cluster.dir.path(), name);
    let [roster, backup, fork, proof] = ["roster.pem", "node.wego", "liar.fork", "record.proof"].map(file);
    let seat = &cluster.seats[0];
    let id = data_encoding::HEXLOWER.encode(&record);
    wego(seat, &["roster", "show", "--out", &roster]).await;
    wego(seat, &["backup", "create", "--out", &backup]).await;
    wego(seat, &["fork", "export-proof", "city-3", "--out", &fork]).await;
    wego(seat, &["record", "export", &id, "--out", &proof]).await;

    let federation = json!(Byzantine::holding(seat).roster.federation().to_string());
    for (kind, args) in [
        ("roster", vec![&roster]),
        ("backup", vec![&backup]),
        ("fork", vec![&fork, &roster]),
        ("record", vec![&proof, &roster]),
    ] {
        let (file, roster) = (args[0].clone(), args.get(1).map(|roster| roster.as_str().to_owned()));
        let ours = tokio::task::spawn_blocking(move || ours(kind, &file, roster.as_deref())).await.unwrap();
        assert!(ours.0, "{kind}: {}", ours.1);
        let args: Vec<_> = [kind].into_iter().chain(args.iter().map(|arg| arg.as_str())).collect();
        let (holds, found) = python.run(&args);
        assert!(holds, "{kind}: {found}");
        assert_eq!(found["federation"], federation, "{kind}");
        match kind {
            "backup" => {
                let counts = |at: usize| found["logs"][at]["count"].clone();
                assert_eq!([counts(0), counts(1)], [json!(RECORDS), json!(1)], "{found}");
                assert_eq!(found["forks"], json!([{ "origin": 3, "at": "1.2", "proves": true }]));
            }
            "fork" => assert_eq!([&found["member"], &found["at"]], ["city-3", "1.2"]),
            "record" => assert_eq!([&found["member"], &found["record"]], ["city-2", id.as_str()]),
            _ => assert_eq!(found["members"].as_array().unwrap().len(), 3),
        }
    }
    cluster.stop().await;
}
