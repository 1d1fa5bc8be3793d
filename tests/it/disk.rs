//! A disk that fills up: writes are refused aloud, everything else goes on, and nothing acknowledged is lost.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use tonic::{Code, Status};
use wego_proto::{
    id::Origin,
    v1::{self, Health, record::Kind},
};
use wego_tests::{
    Cluster, DEADLINE,
    client::Client,
    records::{english, practice, publish},
    until,
};

/// Room for the reserve, its margin and a few hundred records.
const SMALL: &str = "size=96m";
/// After an operator has made space.
const LARGER: &str = "remount,size=512m";
/// Records that the disk cannot possibly hold.
const TOO_MANY: usize = 2_000;

/// A file system of its own in a folder, until dropped.
struct Mounted(PathBuf);

impl Mounted {
    /// Mounts one, or prints why the test is skipped.
    fn at(folder: &Path) -> Option<Self> {
        fs::create_dir_all(folder).unwrap();
        if !succeeds(Command::new("mount").args(["-t", "tmpfs", "-o", SMALL, "none"]).arg(folder)) {
            println!("skipped: mounting a small file system is not permitted here");
            return None;
        }
        Some(Self(folder.to_owned()))
    }

    /// Takes all the space that is left.
    fn fill(&self) {
        let mut filler = File::create(self.0.join("filler")).unwrap();
        for block in [1_024 * 1_024, 4_096, 1] {
            while filler.write_all(&vec![0; block]).is_ok() {}
        }
    }

    fn make_space(&self) {
        fs::remove_file(self.0.join("filler")).unwrap();
        assert!(succeeds(Command::new("mount").args(["-o", LARGER]).arg(&self.0)));
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        succeeds(Command::new("umount").arg("-l").arg(&self.0));
    }
}

fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

/// A practice of some two hundred thousand bytes.
fn large(title: &str) -> v1::PublishRequest {
    let mut record = practice(title);
    let Some(Kind::Practice(practice)) = &mut record.kind else { panic!("a practice") };
    let text = english(&title.chars().cycle().take(60_000).collect::<String>());
    practice.problem.clone_from(&text);
    practice.approach.clone_from(&text);
    practice.results = text;
    publish(record)
}

type Acknowledged = BTreeMap<Vec<u8>, Vec<u8>>;

/// Publishes until the disk is full and returns how that was told.
async fn publish_until_full(client: &Client, acknowledged: &mut Acknowledged) -> Status {
    for n in 0..TOO_MANY {
        match client.catalogue().publish(large(&format!("Practice {n} "))).await {
            Ok(reply) => {
                let reply = reply.into_inner();
                acknowledged.insert(reply.record_id, reply.entry_hash);
            }
            Err(status) => return status,
        }
    }
    panic!("the disk never filled");
}

async fn all_there(client: &Client, acknowledged: &Acknowledged) {
    for (record_id, entry_hash) in acknowledged {
        let read = v1::ReadRequest { record_id: record_id.clone() };
        let view = client.catalogue().read(read).await.unwrap().into_inner();
        assert_eq!(view.provenance.unwrap().entry_hash, *entry_hash);
        assert!(view.record.is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_writes_keeps_reading_and_loses_nothing() {
    let mut cluster = Cluster::found(3).await;
    let Some(disk) = Mounted::at(&cluster.seats[0].config.node.data_dir) else { return };
    for n in 0..3 {
        cluster.up(n).await;
    }
    cluster.connected(0, 2).await;
    let full = Client::of_profile(&cluster.seats[0].created.profile_dir).await;
    let mut acknowledged = Acknowledged::new();
    let refused = publish_until_full(&full, &mut acknowledged).await;
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
    assert!(refused.message().contains("hint: make space"), "{}", refused.message());
    assert!(acknowledged.len() > 20, "{} records", acknowledged.len());
    // What was written is readable before somebody else takes even the reserve.
    cluster.node(0).reader().catch_up(DEADLINE).await;
    cluster.node(0).reader().catch_up_search(DEADLINE).await;
    disk.fill();

    let view = || cluster.node(0).reader().view();
    let sessions = |view: &wego_node::engine::view::View| -> Vec<_> {
        view.sessions.iter().map(|(origin, session)| (*origin, session.since_ms)).collect()
    };
    let before = sessions(&view());
    until("the status shows it", || view().disk_full).await;
    let status = full.admin().status(v1::StatusRequest {}).await.unwrap().into_inner();
    assert_eq!((status.health(), status.writable), (Health::Failed, false));
    assert!(status.problems[0].what.contains("disk") && !status.problems[0].hint.is_empty());
    let because = &status.not_writable_because;
    assert!(because.contains("disk reserve") && because.contains("hint: make space"), "{because:?}");
    all_there(&full, &acknowledged).await;
    let found = v1::SearchRequest { query: "practice".to_owned(), ..Default::default() };
    let found = full.search().search(found).await.unwrap().into_inner();
    assert!(found.total > 0 && found.total + found.behind >= acknowledged.len() as u64, "{found:?}");

    // What others publish passes this node by, and no session ends for it.
    let other = Client::of_profile(&cluster.seats[1].created.profile_dir).await;
    for n in 0..5 {
        let reply = other.catalogue().publish(large(&format!("Elsewhere {n} "))).await.unwrap().into_inner();
        acknowledged.insert(reply.record_id, reply.entry_hash);
    }
    let seq = |n: usize| {
        let view = cluster.node(n).reader().view();
        view.heads.get(&Origin(2)).map_or(0, |head| head.at.seq)
    };
    until("the third node has them", || seq(2) == 5).await;
    until("this node knows what it lacks", || view().sessions[&Origin(2)].lag_entries == 5).await;
    assert_eq!(seq(0), 0);
    let again = full.catalogue().publish(large("Once more ")).await.unwrap_err();
    assert_eq!(again.code(), Code::ResourceExhausted);
    assert_eq!(sessions(&view()), before, "all sessions are those from before");

    disk.make_space();
    until("what was missed is fetched", || seq(0) == 5).await;
    let reply = full.catalogue().publish(large("After ")).await.unwrap().into_inner();
    acknowledged.insert(reply.record_id, reply.entry_hash);
    cluster.converge(0).await;
    let status = full.admin().status(v1::StatusRequest {}).await.unwrap().into_inner();
    assert_eq!((status.health(), status.writable), (Health::Ok, true), "{:?}", status.problems);
    cluster.down(0).await;
    cluster.up(0).await;
    cluster.converge(0).await;
    let full = Client::of_profile(&cluster.seats[0].created.profile_dir).await;
    all_there(&full, &acknowledged).await;
    assert!(cluster.running().all(|node| node.reader().view().forks().is_empty()));
    cluster.stop().await;
    drop(disk);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_somebody_else_takes_all_space_in_the_middle_nothing_acknowledged_is_lost() {
    let mut cluster = Cluster::found(1).await;
    let Some(disk) = Mounted::at(&cluster.seats[0].config.node.data_dir) else { return };
    cluster.up(0).await;
    let client = Client::of_profile(&cluster.seats[0].created.profile_dir).await;
    let mut acknowledged = Acknowledged::new();
    for n in 0..30 {
        let reply = client.catalogue().publish(large(&format!("Before {n} "))).await.unwrap().into_inner();
        acknowledged.insert(reply.record_id, reply.entry_hash);
    }
    // Nothing of it need be indexed by now.
    let refused = std::thread::scope(|scope| {
        scope.spawn(|| disk.fill());
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(publish_until_full(&client, &mut acknowledged))
        })
    });
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
    disk.make_space();
    let reply = client.catalogue().publish(large("After ")).await.unwrap().into_inner();
    acknowledged.insert(reply.record_id, reply.entry_hash);
    for _ in 0..2 {
        let client = Client::of_profile(&cluster.seats[0].created.profile_dir).await;
        until("all of it is read and found", || {
            let status = cluster.node(0).reader().status();
            // One more: an empty disk does not say that the key has never signed, so its log begins with a new epoch.
            status.entries == acknowledged.len() as u64 + 1 && status.indexed_behind == 0
        })
        .await;
        all_there(&client, &acknowledged).await;
        let found = client.search().search(v1::SearchRequest::default()).await.unwrap().into_inner();
        assert_eq!(found.total, acknowledged.len() as u64);
        assert_eq!(cluster.node(0).reader().status().health(), Health::Ok);
        cluster.down(0).await;
        cluster.up(0).await;
    }
    cluster.stop().await;
    drop(disk);
}
