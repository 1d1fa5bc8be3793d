//! What is not taken for a backup, and where nothing is restored: nothing is written then.

use std::{fs, path::Path};

use wego_node::{
    audit::Filter,
    commands::Exit,
    config::{Config, Environment, RawConfig},
    store::{Fence, fence::Stage},
};
use wego_proto::causes::with_causes;
use wego_tests::Cluster;

use super::{backup, contents, data, frames, lose, published, restore, wego, wego_node};

const INTEGRITY: u8 = 7;
const CONFLICT: u8 = 6;

/// Changes of a file that keep a reader from being sure of anything in it.
fn tampered(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let frames = frames(bytes);
    let end = |n: usize| frames.get(n + 1).map_or(bytes.len(), |next| next.2);
    let mut all = Vec::new();
    for at in (0..bytes.len()).step_by(bytes.len() / 23) {
        let mut flipped = bytes.to_vec();
        flipped[at] ^= 1;
        all.push((format!("byte {at} flipped"), flipped));
        all.push((format!("cut at {at}"), bytes[..at].to_vec()));
    }
    for n in [0, 1, 2, 3, frames.len() / 2, frames.len() - 2, frames.len() - 1] {
        let (begin, end) = (frames[n].2, end(n));
        all.push((format!("frame {n} dropped"), [&bytes[..begin], &bytes[end..]].concat()));
        all.push((format!("frame {n} doubled"), [&bytes[..end], &bytes[begin..]].concat()));
        if n > 0 {
            let before = frames[n - 1].2;
            let moved = [&bytes[..before], &bytes[begin..end], &bytes[before..begin], &bytes[end..]].concat();
            all.push((format!("frame {n} moved"), moved));
        }
    }
    all.push(("lengthened".to_owned(), [bytes, b"more"].concat()));
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tampered_backup_is_refused_with_nothing_written() {
    let mut cluster = published().await;
    let file = backup(&cluster, "one.wego").await;
    cluster.down(0).await;
    lose(&cluster.seats[0]);
    let bytes = fs::read(&file).unwrap();
    let tampered_file = cluster.dir.path().join("tampered.wego");
    let cases = tampered(&bytes);
    assert!(cases.len() > 60, "{}", cases.len());
    for (what, changed) in cases {
        fs::write(&tampered_file, changed).unwrap();
        let path = tampered_file.to_str().unwrap();
        let verified = wego(&cluster.seats[0], &["backup", "verify", path]).await;
        assert_eq!((verified.code, verified.out.as_str()), (INTEGRITY, ""), "{what}: {}", verified.err);
        let says_where = verified.err.contains("at byte") || verified.err.contains("is no backup");
        assert!(says_where, "{what}: {}", verified.err);
        let restored = restore(&cluster.seats[0], &tampered_file);
        assert_eq!(restored.code, INTEGRITY, "{what}: {}", restored.err);
        assert!(!data(&cluster.seats[0]).exists(), "{what}: something was written");
    }
    assert_eq!(restore(&cluster.seats[0], &file).code, 0, "the backup itself");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_another_member_or_federation_is_refused() {
    let mut cluster = published().await;
    let file = backup(&cluster, "one.wego").await;
    cluster.down(0).await;
    cluster.down(1).await;
    lose(&cluster.seats[1]);
    let other_member = restore(&cluster.seats[1], &file);
    assert_eq!(other_member.code, INTEGRITY, "{}", other_member.err);
    assert!(
        other_member.err.contains("the backup is of city-1, this node is city-2"),
        "{}",
        other_member.err
    );
    assert!(!data(&cluster.seats[1]).exists());

    // The right name with somebody else's key.
    lose(&cluster.seats[0]);
    let [mine, theirs] = [0, 1].map(|n| cluster.seats[n].created.keys_dir.join("log.pem"));
    let kept = fs::read(&mine).unwrap();
    fs::copy(theirs, &mine).unwrap();
    let other_key = restore(&cluster.seats[0], &file);
    assert_eq!(other_key.code, INTEGRITY, "{}", other_key.err);
    assert!(!data(&cluster.seats[0]).exists());
    fs::write(&mine, kept).unwrap();

    let elsewhere = Cluster::found(3).await;
    lose(&elsewhere.seats[0]);
    let other_federation = restore(&elsewhere.seats[0], &file);
    assert_eq!(other_federation.code, INTEGRITY, "{}", other_federation.err);
    assert!(other_federation.err.contains("the backup is of federation"), "{}", other_federation.err);
    assert!(!data(&elsewhere.seats[0]).exists());
    let roster = elsewhere.seats[0].config.node.roster.clone();
    let args = ["backup", "verify", file.to_str().unwrap(), "--roster", roster.to_str().unwrap()];
    let verified = wego(&cluster.seats[0], &args).await;
    assert_eq!(verified.code, INTEGRITY, "{}", verified.err);

    let own = cluster.seats[0].config.node.roster.clone();
    let args = ["backup", "verify", file.to_str().unwrap(), "--roster", own.to_str().unwrap()];
    assert_eq!(wego(&cluster.seats[0], &args).await.code, 0);
    elsewhere.stop().await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_not_empty_is_left_as_it_is() {
    let mut cluster = published().await;
    let file = backup(&cluster, "one.wego").await;
    let running = restore(&cluster.seats[0], &file);
    assert_eq!(running.code, CONFLICT, "under a running node: {}", running.err);
    cluster.down(0).await;
    let before = contents(&cluster.seats[0]);
    let refused = restore(&cluster.seats[0], &file);
    assert_eq!(refused.code, CONFLICT, "{}", refused.err);
    assert!(refused.err.contains("hint: stop the node and set the folder aside"), "{}", refused.err);
    assert_eq!(contents(&cluster.seats[0]), before);
    assert_eq!(Fence::read(&data(&cluster.seats[0])).unwrap(), None);

    lose(&cluster.seats[0]);
    assert_eq!(restore(&cluster.seats[0], &file).code, 0);
    let twice = restore(&cluster.seats[0], &file);
    assert_eq!(twice.code, CONFLICT, "a finished restore is a folder like any other: {}", twice.err);
    cluster.stop().await;
}

/// A configuration whose reserve is more than any disk has.
fn without_space(config: &Path) -> Config {
    let mut raw = RawConfig::load(config, &Environment::new()).unwrap();
    raw.store.reserve_mib = 1_048_576;
    Config::check(raw, config).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_restore_is_a_worthless_folder_until_it_is_restored_again() {
    let mut cluster = published().await;
    let file = backup(&cluster, "one.wego").await;
    cluster.down(0).await;
    let before = contents(&cluster.seats[0]);
    lose(&cluster.seats[0]);
    let seat = &mut cluster.seats[0];
    let config = without_space(&seat.created.config);
    let plan = wego_node::app::restore::plan(&config, &file).unwrap();
    let begun = wego_node::app::restore::begin(&plan, 1).unwrap();
    let stopped = begun.finish(&config, &mut |_| {}).unwrap_err();
    assert!(with_causes(&stopped).contains("disk reserve reached"), "{}", with_causes(&stopped));
    assert_eq!(Fence::read(&data(seat)).unwrap().map(|fence| fence.stage), Some(Stage::Begun));
    for command in ["reindex", "rebuild-store"] {
        let refused = wego_node(seat, &[command]);
        assert_eq!(refused.code, Exit::Integrity.code(), "{command}: {}", refused.err);
        assert!(refused.err.contains("was not finished"), "{command}: {}", refused.err);
        assert!(refused.err.contains("hint: run the same wego-node restore again"), "{}", refused.err);
    }
    let refused = with_causes(&seat.start().await.unwrap_err());
    assert!(refused.contains("was not finished"), "{refused}");
    let again = restore(seat, &file);
    assert_eq!(again.code, 0, "{}", again.err);
    assert!(again.err.contains("an interrupted restore, which is removed"), "{}", again.err);
    assert_eq!(contents(seat), before);
    let page = wego_node::audit::list(&data(seat).join("audit"), &Filter::default(), None, 9).unwrap();
    let written: Vec<_> =
        page.events.iter().map(|event| (event.action.as_str(), event.result.as_str())).collect();
    assert_eq!(written, [("restore", "ok"), ("restore", "begun")], "newest first, and not only afterwards");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_never_written_over_another_file() {
    let cluster = published().await;
    let file = backup(&cluster, "one.wego").await;
    let before = fs::read(&file).unwrap();
    let again = wego(&cluster.seats[0], &["backup", "create", "--out", file.to_str().unwrap()]).await;
    assert_eq!(again.code, CONFLICT, "{}", again.err);
    assert_eq!(fs::read(&file).unwrap(), before);
    cluster.stop().await;
}
