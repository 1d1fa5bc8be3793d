//! Damage to what can be made again: the store, the list of records, the search index.

use std::{fs, path::Path};

use wego_node::commands::Exit;

use super::{EACH, all_there, data, files, published, set_aside, wego_node};

type Damage = fn(&Path);

/// Changes bytes all over every file.
fn flip(folder: &Path) {
    for (path, mut bytes) in files(folder) {
        let step = (bytes.len() / 64).max(1);
        bytes.iter_mut().step_by(step).for_each(|byte| *byte ^= 0x55);
        fs::write(path, bytes).unwrap();
    }
}

fn halve(folder: &Path) {
    for (path, bytes) in files(folder) {
        fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
    }
}

fn empty(folder: &Path) {
    for path in files(folder).into_keys() {
        fs::write(path, []).unwrap();
    }
}

fn fill_with_garbage(folder: &Path) {
    for (path, bytes) in files(folder) {
        fs::write(path, vec![0xa5; bytes.len()]).unwrap();
    }
}

fn delete_files(folder: &Path) {
    for path in files(folder).into_keys() {
        fs::remove_file(path).unwrap();
    }
}

fn delete(folder: &Path) {
    fs::remove_dir_all(folder).unwrap();
}

const DAMAGES: [(&str, Damage); 6] = [
    ("flipped", flip),
    ("halved", halve),
    ("emptied", empty),
    ("garbage", fill_with_garbage),
    ("files deleted", delete_files),
    ("deleted", delete),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_store_is_set_aside_and_everything_acknowledged_comes_back() {
    let (mut cluster, acknowledged) = published().await;
    let mut kept = 0;
    for (what, damage) in DAMAGES {
        cluster.down(0).await;
        let store = data(&cluster).join("store");
        damage(&store);
        let damaged = store.exists().then(|| files(&store));
        cluster.up(0).await;
        all_there(&cluster, what, &acknowledged).await;
        let aside = set_aside(&cluster);
        if ["flipped", "halved", "garbage"].contains(&what) {
            kept += 1;
            let path = data(&cluster).join(format!("store.broken-{kept}"));
            let there: Vec<_> = files(&path).into_values().map(|bytes| bytes.len()).collect();
            let was: Vec<_> = damaged.unwrap().into_values().map(|bytes| bytes.len()).collect();
            assert_eq!(there.iter().max(), was.iter().max(), "{what}: kept as it was");
        }
        assert!(aside.len() >= kept, "{what}: {aside:?}");
        kept = aside.len();
        assert!(cluster.node(0).reader().view().not_writable.is_none(), "{what}");
    }
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn single_bytes_that_changed_in_the_store_cost_no_acknowledged_entry() {
    let (mut cluster, acknowledged) = published().await;
    for flip in 0..12_usize {
        cluster.down(0).await;
        let path = data(&cluster).join("store/db");
        let mut bytes = fs::read(&path).unwrap();
        let last = bytes.iter().rposition(|byte| *byte != 0).unwrap();
        let at = last * (flip + 1) / 13;
        bytes[at] ^= 1 << (flip % 8);
        fs::write(&path, bytes).unwrap();
        cluster.up(0).await;
        all_there(&cluster, &format!("byte {at} of {last}"), &acknowledged).await;
    }
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_projections_are_built_anew() {
    let (mut cluster, acknowledged) = published().await;
    for folder in ["records", "search"] {
        for (what, damage) in DAMAGES {
            cluster.down(0).await;
            damage(&data(&cluster).join(folder));
            cluster.up(0).await;
            all_there(&cluster, &format!("{folder} {what}"), &acknowledged).await;
        }
    }
    assert_eq!(set_aside(&cluster), Vec::<String>::new(), "the store itself was whole");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_repair_commands_are_refused_while_the_node_runs_and_lose_nothing_when_it_does_not() {
    let (mut cluster, acknowledged) = published().await;
    for command in ["rebuild-store", "reindex"] {
        let before = cluster.node(0).reader().view().store_id;
        let done = wego_node(&cluster, command).await;
        assert_eq!(done.exit, Exit::Conflict, "{command}: {}", done.err);
        assert!(done.out.is_empty() && done.err.contains("hint: stop the other node"), "{}", done.err);
        assert_eq!(cluster.node(0).reader().view().store_id, before, "{command} touched nothing");
        all_there(&cluster, command, &acknowledged).await;

        cluster.down(0).await;
        let done = wego_node(&cluster, command).await;
        assert_eq!(done.exit, Exit::Done, "{command}: {}", done.err);
        let entries = if command == "reindex" { 2 * EACH } else { EACH };
        assert!(done.out.contains(&entries.to_string()), "{command}: {}", done.out);
        cluster.up(0).await;
        all_there(&cluster, command, &acknowledged).await;
    }
    assert_eq!(set_aside(&cluster), ["store.replaced-1"]);
    cluster.stop().await;
}
