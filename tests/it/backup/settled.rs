//! A backup of after a conflict of rosters, where the operator's roster file is of the side that was given up.

use std::fs;

use wego_node::keys;
use wego_proto::{
    armour::{self, Label},
    id::Hash,
    prost::Message as _,
    roster::add_signature,
    v1::{self, SubmitOutcome},
};
use wego_tests::{Cluster, client::Client, until};

use super::{backup, lose, restore, wego};

/// What follows `before`, under another name of the federation, signed by some seats.
fn after(
    cluster: &Cluster,
    before: &v1::SignedRoster,
    name: &str,
    resolves: &[&v1::SignedRoster],
    signers: [usize; 2],
) -> v1::SignedRoster {
    let content = v1::Roster::decode(before.roster.as_slice()).unwrap();
    let hash = |version: &v1::SignedRoster| Hash::of(&[&version.roster]).as_bytes().to_vec();
    let mut resolves: Vec<_> = resolves.iter().map(|version| hash(version)).collect();
    resolves.sort();
    let next = v1::Roster {
        version: content.version + 1,
        prev_hash: hash(before),
        federation_id: cluster.node(0).reader().view().roster.federation().as_bytes().to_vec(),
        federation_name: name.to_owned(),
        resolves,
        ..content
    };
    let mut signed = v1::SignedRoster { roster: next.encode_to_vec(), signatures: vec![] };
    for n in signers {
        let path = cluster.seats[n].config.node.keys_dir.join("governance.pem");
        add_signature(&mut signed, &keys::read_secret_key(&path).unwrap());
    }
    signed
}

async fn submit(cluster: &Cluster, version: &v1::SignedRoster) -> SubmitOutcome {
    let client = Client::of_profile(&cluster.seats[0].created.profile_dir).await;
    let chain = Some(v1::RosterChain { versions: vec![version.clone()] });
    let reply = client.governance().submit(v1::SubmitRequest { chain, dry_run: false }).await.unwrap();
    reply.into_inner().outcome()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_roster_file_of_the_side_that_was_given_up_keeps_no_backup_from_its_node() {
    let mut cluster = Cluster::found(3).await;
    cluster.up(0).await;
    let first = cluster.node(0).reader().view().roster.at(1).unwrap().signed().clone();
    let holds = after(&cluster, &first, "This side", &[], [0, 1]);
    let given_up = after(&cluster, &first, "The other side", &[], [1, 2]);
    assert_eq!(submit(&cluster, &holds).await, SubmitOutcome::Adopted);
    assert_eq!(submit(&cluster, &given_up).await, SubmitOutcome::Conflict);
    let settled = after(&cluster, &holds, "Settled", &[&holds, &given_up], [0, 2]);
    assert_eq!(submit(&cluster, &settled).await, SubmitOutcome::Adopted);
    let third = after(&cluster, &first, "Nobody has heard of it", &[], [0, 2]);
    let file = backup(&cluster, "settled.wego").await;
    cluster.down(0).await;
    lose(&cluster.seats[0]);

    let path = cluster.seats[0].config.node.roster.clone();
    let give = |newest: &v1::SignedRoster| {
        let chain = v1::RosterChain { versions: vec![first.clone(), newest.clone()] };
        fs::write(&path, armour::write(Label::Roster, &[], &chain)).unwrap();
    };
    let verify = ["backup", "verify", file.to_str().unwrap(), "--roster", path.to_str().unwrap()];
    give(&third);
    let refused = restore(&cluster.seats[0], &file);
    assert!(refused.code == 7 && refused.err.contains("another roster version 2"), "{}", refused.err);
    assert_eq!(wego(&cluster.seats[0], &verify).await.code, 7);
    give(&given_up);
    let verified = wego(&cluster.seats[0], &verify).await;
    assert_eq!(verified.code, 0, "{}", verified.err);
    let done = restore(&cluster.seats[0], &file);
    assert_eq!(done.code, 0, "{}", done.err);
    cluster.up(0).await;
    until("it starts with what was settled", || {
        let view = cluster.node(0).reader().view();
        view.roster.current().signed().roster == settled.roster
    })
    .await;
    cluster.stop().await;
}
