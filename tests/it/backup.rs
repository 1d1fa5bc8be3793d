//! Backups and what comes of them: made from a running node, checked without one, restored into an empty folder.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use wego_cli::Stdio;
use wego_ledger::fork::ForkEvidence;
use wego_node::{
    app::stores,
    demo::founding::Seat,
    records::Records,
    store::{
        EntryStore, Fence, HeadLock as _, Heads, Journal, NoGuard, RosterFiles, SledStore, fence::Stage,
    },
};
use wego_proto::{
    id::{Hash, Origin, Position},
    prost::Message as _,
    v1::{self, session_message::Body},
};
use wego_tests::{
    Cluster, DEADLINE,
    byzantine::Byzantine,
    client::Client,
    records::{english, practice, publish},
    until,
};

mod processes;
mod refused;
mod settled;

/// Records that each of two cities publishes: more than a run of entries.
const EACH: usize = 70;
/// The member that signs two histories.
const LIAR: usize = 2;

/// What a program left.
#[derive(Debug)]
struct Done {
    code: u8,
    out: String,
    err: String,
}

/// Runs `wego` with the profile of a seat, in this process.
async fn wego(seat: &Seat, args: &[&str]) -> Done {
    let profile = seat.created.profile_dir.to_str().unwrap();
    let args: Vec<_> =
        ["wego", "--profile", profile].iter().chain(args).map(|arg| OsString::from(*arg)).collect();
    let run = move || {
        let (stdio, out, err) = Stdio::captured("");
        let code = wego_cli::run(args, stdio);
        Done { code, out: out.text(), err: err.text() }
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

/// Runs `wego-node` with the configuration of a seat, in this process.
fn wego_node(seat: &Seat, args: &[&str]) -> Done {
    let config = ["--config", seat.created.config.to_str().unwrap()];
    let args = ["wego-node"].iter().chain(args).chain(&config);
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit = wego_node::commands::run(args.map(OsString::from), &mut out, &mut err);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Done { code: exit.code(), out: text(out), err: text(err) }
}

fn restore(seat: &Seat, from: &Path) -> Done {
    wego_node(seat, &["restore", "--from", from.to_str().unwrap(), "--yes"])
}

/// Three members, of which two publish and one signs two histories.
async fn published() -> Cluster {
    let mut cluster = Cluster::found(3).await;
    for n in 0..2 {
        cluster.up(n).await;
    }
    until("both may write", || cluster.running().all(|node| node.reader().view().not_writable.is_none()))
        .await;
    for n in 0..2 {
        let mut catalogue = Client::of_profile(&cluster.seats[n].created.profile_dir).await.catalogue();
        for at in 0..EACH {
            catalogue.publish(publish(practice(&format!("Practice {at} of {n}")))).await.unwrap();
        }
    }
    let liar = Byzantine::holding(&cluster.seats[LIAR]);
    let before = liar.story(&[], &["Before"]);
    let [one, other] = ["One", "Other"].map(|title| liar.story(&before, &[title]).remove(1));
    let proof = ForkEvidence::of(&one, &other, &liar.roster).unwrap().proof;
    let line = liar.greet(&cluster.seats[0]).await;
    line.send(Body::ForkProofs(v1::ForkProofs { proofs: vec![proof] })).await;
    until("all have the proof", || {
        cluster.running().all(|node| node.reader().view().forks().contains_key(&liar.origin))
    })
    .await;
    until("all have all", || cluster.running().all(|node| node.reader().view().cursor.0 == 2 * EACH as u64))
        .await;
    cluster.converge(0).await;
    cluster
}

/// A backup of the first node, in a file beside the folders of the cities.
async fn backup(cluster: &Cluster, name: &str) -> PathBuf {
    let file = cluster.dir.path().join(name);
    let done = wego(&cluster.seats[0], &["backup", "create", "--out", file.to_str().unwrap()]).await;
    assert_eq!(done.code, 0, "{}", done.err);
    file
}

fn data(seat: &Seat) -> PathBuf {
    seat.config.node.data_dir.clone()
}

/// Moves a stopped node's data folder away and returns where it is.
fn lose(seat: &Seat) -> PathBuf {
    let aside = data(seat).with_extension("lost");
    fs::rename(data(seat), &aside).unwrap();
    aside
}

/// Everything that a backup is to bring back.
#[derive(Debug, PartialEq)]
struct Contents {
    own_log: Vec<v1::Entry>,
    heads: Heads,
    entries: BTreeMap<(Origin, u32), Vec<v1::Entry>>,
    forks: BTreeMap<(Origin, u32), v1::ForkProof>,
    rosters: Vec<v1::SignedRoster>,
    records: Hash,
    peers: Option<String>,
}

/// Reads a stopped node's data folder, its list of records built anew.
fn contents(seat: &Seat) -> Contents {
    let (dir, me) = (data(seat), Origin(1));
    stores::reindex(&seat.config, me, &mut |_, _| {}).unwrap();
    let space = || Arc::new(NoGuard);
    let own_log = Journal::open(&dir.join("journal"), me, space()).unwrap().since(None, usize::MAX).unwrap();
    let store = SledStore::open(&dir.join("store"), 8 << 20, space()).unwrap();
    let heads = store.heads().unwrap();
    let log = |(&(origin, epoch), &(seq, _)): (&(Origin, u32), &(u64, Hash))| {
        ((origin, epoch), store.range(origin, epoch, 1, seq, usize::MAX).unwrap())
    };
    Contents {
        own_log,
        entries: heads.iter().map(log).collect(),
        forks: store.forks().unwrap(),
        rosters: RosterFiles::open(&dir.join("roster")).unwrap().load().unwrap(),
        records: Records::open(&dir.join("records"), store.store_id(), &NoGuard).unwrap().digest().unwrap(),
        peers: fs::read_to_string(dir.join("peers.toml")).ok(),
        heads,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_restored_is_what_was_there() {
    let mut cluster = published().await;
    assert_eq!(wego(&cluster.seats[0], &["peer", "add", "city-2"]).await.code, 0);
    let file = backup(&cluster, "one.wego").await;
    cluster.down(0).await;
    let before = contents(&cluster.seats[0]);
    assert_eq!((before.own_log.len(), before.heads.len(), before.forks.len()), (EACH, 2, 1));
    assert!(before.peers.is_some());
    lose(&cluster.seats[0]);

    let seat = &cluster.seats[0];
    let dry = wego_node(seat, &["restore", "--from", file.to_str().unwrap(), "--dry-run"]);
    assert_eq!(dry.code, 0, "{}", dry.err);
    assert!(!data(seat).exists(), "a dry run changes nothing");
    let done = restore(seat, &file);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.out.contains(&format!("entries {}, logs 2", 2 * EACH)), "{}", done.out);

    let after = contents(seat);
    assert_eq!(after, before);
    let fence = Fence::read(&data(seat)).unwrap().unwrap();
    assert_eq!(fence.stage, Stage::Done);
    let last = after.heads[&(Origin(1), 1)];
    let head = fence.own_head.unwrap();
    assert_eq!((head.at, head.hash), (Position { epoch: 1, seq: last.0 }, last.1));
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_store_is_another_incarnation() {
    let mut cluster = published().await;
    let file = backup(&cluster, "one.wego").await;
    let before = cluster.node(0).reader().view().store_id;
    cluster.down(0).await;
    lose(&cluster.seats[0]);
    assert_eq!(restore(&cluster.seats[0], &file).code, 0);
    let store = data(&cluster.seats[0]).join("store");
    let after = SledStore::open(&store, 8 << 20, Arc::new(NoGuard)).unwrap().store_id();
    assert_ne!(before, after, "peers must see that another database speaks");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_of_the_moment_it_began_while_the_node_goes_on_writing() {
    let cluster = Cluster::start(1).await;
    let seat = &cluster.seats[0];
    let stop = Arc::new(AtomicBool::new(false));
    let writing = {
        let (stop, profile) = (stop.clone(), seat.created.profile_dir.clone());
        tokio::spawn(async move {
            let mut catalogue = Client::of_profile(&profile).await.catalogue();
            let mut written = 0_u64;
            while !stop.load(Ordering::Relaxed) {
                catalogue.publish(publish(practice(&format!("Practice {written}")))).await.unwrap();
                written += 1;
            }
            written
        })
    };
    until("something is written", || cluster.node(0).reader().view().cursor.0 > 10).await;
    let mut heads = Vec::new();
    for n in 0..5 {
        let before = cluster.node(0).reader().view().cursor.0;
        let file = backup(&cluster, &format!("{n}.wego")).await;
        let done = wego(seat, &["backup", "verify", file.to_str().unwrap(), "--json"]).await;
        assert_eq!(done.code, 0, "{}", done.err);
        let told: serde_json::Value = serde_json::from_str(&done.out).unwrap();
        let entries = told["backup"]["entries"].as_u64().unwrap();
        assert!(entries >= before, "what was acknowledged before is in it");
        heads.push(entries);
        until("more is written", || cluster.node(0).reader().view().cursor.0 > entries).await;
    }
    stop.store(true, Ordering::Relaxed);
    let written = writing.await.unwrap();
    assert!(heads.is_sorted() && *heads.last().unwrap() < written, "{heads:?} of {written}");
    cluster.stop().await;
}

/// Bytes of a PEM file's block.
fn pem(path: &Path) -> Vec<u8> {
    let text = fs::read_to_string(path).unwrap();
    let body: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::new());
    for letter in body.bytes().filter(|byte| *byte != b'=') {
        bits = (bits << 6) | alphabet.iter().position(|known| *known == letter).unwrap() as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn no_private_key_is_in_a_backup() {
    let cluster = published().await;
    let bytes = fs::read(backup(&cluster, "one.wego").await).unwrap();
    let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    let public = cluster.seats[0].created.log_key;
    assert!(holds(public.as_bytes()), "the test would find a key");
    let mut keys = 0;
    for entry in fs::read_dir(&cluster.seats[0].created.keys_dir).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "pem") {
            continue;
        }
        keys += 1;
        let der = pem(&path);
        // PKCS #8 of Ed25519: a header of 16 bytes, and the seed.
        let seed = &der[16..48];
        let hex: String = seed.iter().map(|byte| format!("{byte:02x}")).collect();
        let text = fs::read_to_string(&path).unwrap();
        let base64 = text.lines().find(|line| !line.starts_with("-----")).unwrap();
        for (form, needle) in [("seed", seed), ("hex", hex.as_bytes()), ("PEM", base64.as_bytes())] {
            assert!(!holds(needle), "{} is in the backup as {form}", path.display());
        }
    }
    assert!(keys >= 5, "log, next log, recovery, governance, transport: {keys}");
    cluster.stop().await;
}

/// A practice that takes as many bytes as an entry may have, or nearly.
fn large(title: &str) -> v1::Record {
    let mut record = practice(title);
    if let Some(v1::record::Kind::Practice(practice)) = &mut record.kind {
        for text in [&mut practice.problem, &mut practice.approach, &mut practice.results] {
            *text = english(&"x".repeat(60_000));
        }
    }
    record
}

#[tokio::test(flavor = "multi_thread")]
async fn one_backup_at_a_time_is_written() {
    let cluster = Cluster::start(1).await;
    let client = Client::of_profile(&cluster.seats[0].created.profile_dir).await;
    let mut backups = v1::backups_client::BackupsClient::new(client.channel());
    // Nobody takes its pieces, and there are many more than a connection holds on its way.
    for at in 0..30 {
        client.catalogue().publish(publish(large(&format!("Practice {at}")))).await.unwrap();
    }
    let first = backups.create(v1::CreateBackupRequest {}).await.unwrap().into_inner();
    let second = backups.create(v1::CreateBackupRequest {}).await;
    assert_eq!(second.err().map(|status| status.code()), Some(tonic::Code::ResourceExhausted));
    drop(first);
    let begun = Instant::now();
    while let Err(status) = backups.create(v1::CreateBackupRequest {}).await {
        assert_eq!(status.code(), tonic::Code::ResourceExhausted);
        assert!(begun.elapsed() < DEADLINE, "the place is not given back when the client is gone");
    }
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_node_asks_its_peers_and_goes_on_in_a_new_epoch() {
    let mut cluster = published().await;
    let file = backup(&cluster, "old.wego").await;
    let mut catalogue = Client::of_profile(&cluster.seats[0].created.profile_dir).await.catalogue();
    let after = catalogue.publish(publish(practice("After the backup"))).await.unwrap().into_inner();
    cluster.converge(0).await;
    cluster.down(0).await;
    lose(&cluster.seats[0]);
    assert_eq!(restore(&cluster.seats[0], &file).code, 0);

    // Nobody to ask: it reads, and writes nothing.
    cluster.down(1).await;
    cluster.up(0).await;
    let mut catalogue = Client::of_profile(&cluster.seats[0].created.profile_dir).await.catalogue();
    let refused = catalogue.publish(publish(practice("Too early"))).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::FailedPrecondition, "{refused}");
    assert!(Fence::read(&data(&cluster.seats[0])).unwrap().is_some(), "the fence stands");

    cluster.up(1).await;
    until("it may write", || cluster.node(0).reader().view().not_writable.is_none()).await;
    let written = catalogue.publish(publish(practice("After the restore"))).await.unwrap().into_inner();
    assert!(written.at.unwrap().epoch > after.at.unwrap().epoch, "{written:?}");
    assert_eq!(Fence::read(&data(&cluster.seats[0])).unwrap(), None, "the fence is down");
    cluster.converge(0).await;
    for node in 0..2 {
        let client = Client::of_profile(&cluster.seats[node].created.profile_dir).await;
        for reply in [&after, &written] {
            let request = v1::ReadRequest { record_id: reply.record_id.clone() };
            let view = client.catalogue().read(request).await.unwrap().into_inner();
            assert_eq!(view.provenance.unwrap().entry_hash, reply.entry_hash);
        }
        let members = client.members().forks(v1::ForksRequest::default()).await.unwrap().into_inner();
        assert!(members.forks.iter().all(|fork| fork.origin_handle != "city-1"), "it never forks itself");
    }
    // And what came of it is backed up and restored like anything else.
    let file = backup(&cluster, "new.wego").await;
    cluster.down(0).await;
    let before = contents(&cluster.seats[0]);
    fs::rename(data(&cluster.seats[0]), data(&cluster.seats[0]).with_extension("second")).unwrap();
    let done = restore(&cluster.seats[0], &file);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(contents(&cluster.seats[0]), before);
    cluster.stop().await;
}

/// The frames of a backup: kind, content, and where each begins.
fn frames(bytes: &[u8]) -> Vec<(u8, Vec<u8>, usize)> {
    let (mut at, mut frames) = (8, Vec::new());
    while at < bytes.len() {
        let len = u32::from_be_bytes(bytes[at + 1..at + 5].try_into().unwrap()) as usize;
        frames.push((bytes[at], bytes[at + 5..at + 5 + len].to_vec(), at));
        at += 5 + len + 8;
    }
    frames
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_stand_by_author_and_in_order() {
    let cluster = published().await;
    let bytes = fs::read(backup(&cluster, "one.wego").await).unwrap();
    let entries: Vec<_> = frames(&bytes)
        .into_iter()
        .filter(|(kind, ..)| *kind == 4)
        .map(|(_, content, _)| {
            let entry = v1::Entry::decode(content.as_slice()).unwrap();
            let header = v1::EntryHeader::decode(entry.header.as_slice()).unwrap();
            (header.origin, header.epoch, header.seq)
        })
        .collect();
    assert!(entries.is_sorted() && entries.len() == 2 * EACH, "{entries:?}");
    cluster.stop().await;
}
