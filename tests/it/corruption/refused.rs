//! What a node refuses to start with, and how it says so.

use std::{fs, os::unix::fs::PermissionsExt as _};

use wego_node::{app::StartError, commands::Exit, demo::founding::FoundingError};
use wego_proto::causes::with_causes;
use wego_tests::Cluster;

use super::{data, files, wego_node};

async fn refusal(cluster: &mut Cluster) -> StartError {
    match cluster.seats[0].start().await {
        Err(FoundingError::Start { source, .. }) => *source,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it started"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_others_can_read_stops_the_start_and_says_which_and_how_to_mend_it() {
    let mut cluster = Cluster::found(1).await;
    for name in ["log.pem", "transport.pem"] {
        let path = cluster.seats[0].config.node.keys_dir.join(name);
        for mode in [0o644, 0o640, 0o604] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = refusal(&mut cluster).await;
            let text = with_causes(&error);
            assert!(
                text.contains(&path.display().to_string()) && text.contains(&format!("{mode:04o}")),
                "{text}"
            );
            assert!(error.hint().contains("chmod"), "{}", error.hint());
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    cluster.up(0).await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_roster_that_is_damaged_everywhere_stops_the_start_and_names_the_file() {
    let mut cluster = Cluster::start(1).await;
    cluster.down(0).await;
    let given = cluster.seats[0].config.node.roster.clone();
    let good = fs::read(&given).unwrap();
    let half = &good[..good.len() / 2];
    for path in files(&data(&cluster).join("roster")).into_keys().chain([given.clone()]) {
        fs::write(path, half).unwrap();
    }
    let error = refusal(&mut cluster).await;
    let text = with_causes(&error);
    assert!(text.contains(&given.display().to_string()), "{text}");
    assert!(error.hint().contains("wego roster show --out"), "{}", error.hint());
    assert_eq!(fs::read(&given).unwrap(), half, "left as it is");
    fs::write(&given, good).unwrap();
    cluster.up(0).await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_that_nobody_else_has_is_named_with_what_to_do() {
    let mut cluster = Cluster::start(1).await;
    cluster.down(0).await;
    let seat = &cluster.seats[0];
    let keys = seat.config.node.keys_dir.clone();
    let named = [keys.join("log.pem"), keys.join("transport.pem"), keys.join("transport.crt")];
    for path in named.into_iter().chain([seat.config.node.operators.clone()]) {
        let good = fs::read(&path).unwrap();
        let mut bad = good.clone();
        let middle = bad.len() / 2;
        bad[middle] ^= 0x80;
        fs::write(&path, &bad).unwrap();
        let error = refusal(&mut cluster).await;
        let text = with_causes(&error);
        assert!(text.contains(&path.display().to_string()), "{}: {text}", path.display());
        assert!(error.hint().len() > 20, "{}: {}", path.display(), error.hint());
        assert_eq!(fs::read(&path).unwrap(), bad, "left as it is");
        fs::write(&path, good).unwrap();
    }
    cluster.up(0).await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_key_in_the_configuration_is_refused_with_its_line_and_the_nearest_known_one() {
    let cluster = Cluster::found(1).await;
    let path = &cluster.seats[0].created.config;
    let text = fs::read_to_string(path).unwrap();
    fs::write(path, text.replace("[store]", "[store]\ncache_mb = 9")).unwrap();
    for command in ["check-config", "run", "reindex", "rebuild-store"] {
        let done = wego_node(&cluster, command).await;
        assert_eq!(done.exit, Exit::Failed, "{command}");
        for part in [path.display().to_string().as_str(), "store.cache_mb", "store.cache_mib", "hint:"] {
            assert!(done.err.contains(part), "{command}: {part} in {}", done.err);
        }
    }
    assert!(!data(&cluster).join("store").exists(), "nothing was begun");
}
