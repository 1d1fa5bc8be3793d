//! Bits flipped in every kind of file of the data folder that can be had again: the node comes up with all its records,
//! writes, signs no second history, and says what it set aside.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use wego_proto::v1::{self, Health};
use wego_tests::{Cluster, client::Client, enrol, seeded::Seeded, until};

use super::{all_there, data, files, publish_more, published};
use crate::governance::{next, preside, submit};

/// Flips in each kind of file.
const FLIPS: u64 = 3;

/// A kind of file: a name, and which files of the data folder are of it.
struct Kind {
    name: &'static str,
    is_of: fn(&Path) -> bool,
    flips: u64,
    /// Whether any bit of it that is not the one written is noticed; of others some are text for people.
    noticed: bool,
}

const fn kind(name: &'static str, flips: u64, noticed: bool, is_of: fn(&Path) -> bool) -> Kind {
    Kind { name, is_of, flips, noticed }
}

fn ends(path: &Path, end: &str) -> bool {
    path.extension().is_some_and(|found| found == end)
}

const KINDS: [Kind; 10] = [
    kind("journal", 2 * FLIPS, true, |path| path.starts_with("journal") && ends(path, "journal")),
    kind("roster version", FLIPS, false, |path| {
        path.parent() == Some(Path::new("roster")) && ends(path, "pem")
    }),
    kind("copy of a roster version", FLIPS, false, |path| path.starts_with("roster/copies")),
    kind("roster proposal", FLIPS, false, |path| path.starts_with("roster/proposals") && ends(path, "pem")),
    kind("anchor", FLIPS, false, |path| path == Path::new("anchor.toml")),
    kind("pinned peers", FLIPS, false, |path| path == Path::new("peers.toml")),
    kind("invite", FLIPS, false, |path| path.starts_with("invites") && ends(path, "toml")),
    kind("store", FLIPS, false, |path| path == Path::new("store/db")),
    kind("records", FLIPS, false, |path| path == Path::new("records/db")),
    kind("search", FLIPS, false, |path| {
        path.starts_with("search") && !path.ends_with(".tantivy-writer.lock")
    }),
];

/// Something of every kind is on the first node's disk.
async fn furnish(cluster: &Cluster) {
    let client = Client::of_profile(&cluster.seats[0].created.profile_dir).await;
    let add = v1::AddPeerRequest { handle: "city-2".to_owned(), endpoint: String::new() };
    client.admin().add_peer(add).await.unwrap();
    enrol::invite(&cluster.seats[0]).await;
    let adopted = next(cluster, &[0, 1], preside("city-2"));
    submit(cluster, 0, &adopted).await.unwrap();
    submit(cluster, 0, &next(cluster, &[0], |next| next.federation_name.push('!'))).await.unwrap();
}

/// Flips a bit in a file of this kind, not in zeros that nobody reads. Returns the file and what is in it then.
fn flip(data: &Path, kind: &Kind, random: &mut Seeded) -> (PathBuf, Vec<u8>) {
    let of_kind = |path: &PathBuf| (kind.is_of)(path.strip_prefix(data).unwrap());
    let mut all: Vec<_> =
        files(data).into_iter().filter(|(path, bytes)| of_kind(path) && !bytes.is_empty()).collect();
    assert!(!all.is_empty(), "no {}", kind.name);
    let (path, mut bytes) = all.swap_remove(random.below(all.len() as u64) as usize);
    let written = bytes.iter().rposition(|byte| *byte != 0).map_or(1, |last| last + 1);
    let bit = random.below(written as u64 * 8) as usize;
    bytes[bit / 8] ^= 1 << (bit % 8);
    println!("{}: bit {bit} of {}", kind.name, path.display());
    fs::write(&path, &bytes).unwrap();
    (path, bytes)
}

/// What was set aside, and the contents of the files in it.
fn aside(data: &Path) -> BTreeMap<PathBuf, Vec<Vec<u8>>> {
    let is_kept =
        |path: &&Path| path.file_name().is_some_and(|name| name.to_string_lossy().contains(".broken-"));
    let mut kept: BTreeMap<PathBuf, Vec<Vec<u8>>> = BTreeMap::new();
    for (path, bytes) in files(data) {
        if let Some(top) = path.ancestors().filter(is_kept).last() {
            kept.entry(top.to_owned()).or_default().push(bytes);
        }
    }
    kept
}

/// What was set aside is said, with what to do about it.
fn is_said(cluster: &Cluster, path: &Path) {
    let problems = cluster.node(0).reader().status().problems;
    let said = problems.iter().find(|problem| problem.what.contains(&path.display().to_string()));
    let said = said.unwrap_or_else(|| panic!("nothing says {}: {problems:?}", path.display()));
    assert_eq!(said.health(), Health::Degraded);
    assert!(said.hint.contains("look at the disk"), "{said:?}");
}

/// An operator has looked.
fn remove(path: &Path) {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    removed.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_in_any_file_that_can_be_had_again_costs_no_record_and_is_said() {
    let mut random = Seeded::drawn();
    let (mut cluster, mut acknowledged) = published().await;
    furnish(&cluster).await;
    for kind in &KINDS {
        let mut noticed = 0;
        for _ in 0..kind.flips {
            cluster.down(0).await;
            let epoch = own_epoch_on_disk(&cluster);
            let (path, bad) = flip(&data(&cluster), kind, &mut random);
            cluster.up(0).await;
            cluster.writable().await;
            all_there(&cluster, kind.name, &acknowledged).await;
            publish_more(&cluster, &mut acknowledged).await;
            all_there(&cluster, "on top of it", &acknowledged).await;
            assert!(cluster.running().all(|node| node.reader().view().forks().is_empty()), "{}", kind.name);
            let kept = aside(&data(&cluster));
            for path in kept.keys() {
                is_said(&cluster, path);
            }
            let found = kept.values().flatten().any(|kept| *kept == bad);
            assert!(found || !kind.noticed, "{} is not kept", path.display());
            if kind.name == "journal" {
                let own = &cluster.node(0).reader().view();
                assert!(own.heads[&own.me].at.epoch > epoch, "it went on in a new epoch");
            }
            noticed += u64::from(found);
            kept.keys().for_each(|path| remove(path));
            assert!(
                !cluster.node(0).reader().status().problems.iter().any(|it| it.what.contains("set aside"))
            );
            if kind.name == "invite" || kind.name == "pinned peers" {
                furnish_again(&cluster).await;
            }
        }
        println!("{}: {} flips, {noticed} set aside, all healed", kind.name, kind.flips);
    }
    cluster.stop().await;
}

async fn furnish_again(cluster: &Cluster) {
    let client = Client::of_profile(&cluster.seats[0].created.profile_dir).await;
    let add = v1::AddPeerRequest { handle: "city-2".to_owned(), endpoint: String::new() };
    client.admin().add_peer(add).await.unwrap();
    enrol::invite(&cluster.seats[0]).await;
}

/// The newest epoch that the journal of the stopped first node has a segment or an entry of.
fn own_epoch_on_disk(cluster: &Cluster) -> u32 {
    let others = cluster.node(1).reader().view();
    let member = others.roster.current().member_by_handle("city-1").unwrap().origin;
    others.heads.get(&member).map_or(0, |head| head.at.epoch)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_audit_file_is_said_by_the_status_and_the_node_goes_on() {
    let (mut cluster, mut acknowledged) = published().await;
    cluster.down(0).await;
    let path = files(&data(&cluster).join("audit")).into_keys().find(|path| ends(path, "jsonl")).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, &bytes).unwrap();
    cluster.up(0).await;
    cluster.writable().await;
    let client = Client::of_profile(&cluster.seats[0].created.profile_dir).await;
    let mut said = None;
    for _ in 0..200 {
        let status = client.admin().status(v1::StatusRequest {}).await.unwrap().into_inner();
        assert!(status.writable);
        said = status.problems.into_iter().find(|problem| problem.what.contains("audit"));
        if said.is_some() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let said = said.expect("the status says it");
    assert!(said.what.contains("damaged") && said.hint.contains("wego audit verify"), "{said:?}");
    publish_more(&cluster, &mut acknowledged).await;
    all_there(&cluster, "with a damaged audit file", &acknowledged).await;
    assert!(fs::read(&path).unwrap().starts_with(&bytes), "it is left as it is, and appended to");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_roster_file_of_the_operator_stops_nothing_and_is_said() {
    let (mut cluster, acknowledged) = published().await;
    cluster.down(0).await;
    let given = cluster.seats[0].config.node.roster.clone();
    let good = fs::read(&given).unwrap();
    let mut random = Seeded::drawn();
    for _ in 0..6 {
        let mut bad = good.clone();
        let bit = random.below(bad.len() as u64 * 8) as usize;
        bad[bit / 8] ^= 1 << (bit % 8);
        fs::write(&given, &bad).unwrap();
        cluster.up(0).await;
        until("it may write", || cluster.node(0).reader().view().not_writable.is_none()).await;
        all_there(&cluster, &format!("bit {bit}"), &acknowledged).await;
        assert_eq!(fs::read(&given).unwrap(), bad, "it is the operator's");
        cluster.down(0).await;
    }
    fs::write(&given, &good[..good.len() / 2]).unwrap();
    cluster.up(0).await;
    let problems = cluster.node(0).reader().status().problems;
    assert!(
        problems.iter().any(|problem| problem.what.contains(&given.display().to_string())),
        "{problems:?}"
    );
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_roster_version_that_is_damaged_with_its_copy_comes_back_from_the_peers() {
    let (mut cluster, mut acknowledged) = published().await;
    furnish(&cluster).await;
    let version = |cluster: &Cluster, n: usize| cluster.node(n).reader().view().roster.current().version();
    until("all have the version", || (0..3).all(|n| version(&cluster, n) == 2)).await;
    for damaged in [&[2][..], &[1, 2]] {
        cluster.down(0).await;
        for number in damaged {
            for folder in ["roster", "roster/copies"] {
                fs::write(data(&cluster).join(format!("{folder}/{number:08}.pem")), "damaged").unwrap();
            }
        }
        cluster.up(0).await;
        until("it came back", || version(&cluster, 0) == 2).await;
        cluster.writable().await;
        publish_more(&cluster, &mut acknowledged).await;
        all_there(&cluster, "with the roster of the peers", &acknowledged).await;
        let kept = aside(&data(&cluster));
        assert!(kept.len() > damaged.len(), "{kept:?}");
        kept.keys().for_each(|path| {
            is_said(&cluster, path);
            remove(path);
        });
    }
    cluster.stop().await;
}
