//! The real programs, killed in the middle.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use wego_node::store::{Fence, fence::Stage};
use wego_tests::process::{Federation, Signal, call, programs, wait_for};

const CITIES: [&str; 2] = ["kr-seoul", "fr-paris"];
/// Records that make a restore take a while.
const RECORDS: u32 = 400;
/// Kills in time that are enough.
const KILLS: usize = 4;
/// Kills that may come too late before one must have come in time.
const TRIES: usize = 20;

/// A federation whose first node has published.
fn published() -> Federation {
    let federation = Federation::start(&CITIES);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = wego_tests::client::Client::of_profile(&federation.sites[0].profile()).await;
        let mut catalogue = client.catalogue();
        for at in 0..RECORDS {
            let record = wego_tests::records::practice(&format!("Practice {at}"));
            catalogue.publish(wego_tests::records::publish(record)).await.unwrap();
        }
    });
    federation
}

/// Starts a program without waiting for its end.
fn start(dir: &Path, program: &str, args: &[&str]) -> Child {
    let mut command = Command::new(programs().join(program));
    command.args(args).current_dir(dir).env_clear().env("HOME", dir.join("no-home"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    entries.map(|name| name.into_string().unwrap()).collect()
}

fn verifies(federation: &Federation, file: &Path) -> bool {
    let elsewhere = ["backup", "verify", file.to_str().unwrap()];
    call(federation.dir.path(), "wego", &elsewhere).code == Some(0)
}

#[test]
fn a_backup_that_was_killed_leaves_nothing_under_its_name() {
    let federation = published();
    let site = &federation.sites[0];
    let folder = federation.dir.path().join("backups");
    let profile = site.profile();
    let (mut amid, mut late) = (0, 0);
    for n in 0..TRIES {
        let file = folder.join(format!("{n}.wego"));
        let out = file.to_str().unwrap();
        let args = ["--profile", profile.to_str().unwrap(), "backup", "create", "--out", out];
        let mut child = start(federation.dir.path(), "wego", &args);
        let begun =
            || folder.exists() && names(&folder).iter().any(|name| name.contains(&format!("{n}.wego")));
        wait_for("the file is begun", begun);
        child.kill().unwrap();
        child.wait().unwrap();
        if file.exists() {
            assert!(verifies(&federation, &file), "a file under its final name is a backup");
            late += 1;
        } else {
            amid += 1;
        }
        if amid == KILLS {
            break;
        }
    }
    assert!(amid > 0, "no kill came in time: the test claims nothing");
    let whole = folder.join("whole.wego");
    let done = site.wego(&["backup", "create", "--out", whole.to_str().unwrap()]);
    assert_eq!(done.code, Some(0), "{}", done.err);
    let listed = call(federation.dir.path(), "wego", &["backup", "list", "backups", "--verify", "--json"]);
    assert_eq!(listed.code, Some(0), "{}", listed.err);
    let listed = listed.json();
    let listed = listed["backups"].as_array().unwrap();
    assert_eq!(listed.len(), late + 1, "what was left of others is not listed");
    assert!(listed.iter().all(|backup| backup["state"] == "whole"), "{listed:?}");
}

#[test]
fn a_node_that_is_killed_during_a_backup_leaves_nothing_under_its_name() {
    let mut federation = published();
    let file = federation.dir.path().join("one.wego");
    let profile = federation.sites[0].profile();
    let args = ["--profile", profile.to_str().unwrap(), "backup", "create", "--out", file.to_str().unwrap()];
    let mut child = start(federation.dir.path(), "wego", &args);
    wait_for("the file is begun", || {
        names(federation.dir.path()).iter().any(|name| name.contains("one.wego"))
    });
    federation.sites[0].end(Signal::KILL);
    let ended = child.wait().unwrap();
    assert_eq!(ended.success(), file.exists(), "a file if and only if the command said so");
    assert!(!file.exists() || verifies(&federation, &file));
    let left = names(federation.dir.path());
    assert!(!left.iter().any(|name| name.ends_with(".unfinished")), "{left:?}");
}

#[test]
fn a_restore_that_was_killed_is_noticed_and_done_again() {
    let mut federation = published();
    let file = federation.dir.path().join("one.wego");
    let done = federation.sites[0].wego(&["backup", "create", "--out", file.to_str().unwrap()]);
    assert_eq!(done.code, Some(0), "{}", done.err);
    assert!(federation.sites[0].end(Signal::TERM).success());
    let site = &federation.sites[0];
    let data: PathBuf = site.dir.join("data");
    fs::rename(&data, site.dir.join("lost")).unwrap();
    let config = site.config();
    let args = ["restore", "--from", file.to_str().unwrap(), "--config", config.to_str().unwrap(), "--yes"];
    let mut interrupted = false;
    for _ in 0..TRIES {
        let mut child = start(federation.dir.path(), "wego-node", &args);
        wait_for("the fence is up", || Fence::read(&data).unwrap().is_some());
        child.kill().unwrap();
        child.wait().unwrap();
        if Fence::read(&data).unwrap().unwrap().stage == Stage::Begun {
            interrupted = true;
            break;
        }
        fs::remove_dir_all(&data).unwrap();
    }
    assert!(interrupted, "no kill came in time: the test claims nothing");

    let run = call(federation.dir.path(), "wego-node", &["run", "--config", config.to_str().unwrap()]);
    assert_eq!(run.code, Some(7), "{}", run.err);
    assert!(run.err.contains("hint: run the same wego-node restore again"), "{}", run.err);
    let again = call(federation.dir.path(), "wego-node", &args);
    assert_eq!(again.code, Some(0), "{}", again.err);
    let expected = format!("restored kr-seoul: entries {RECORDS}, logs 1, own log up to 1.{RECORDS}");
    assert_eq!(again.out.trim_end(), expected);
    assert_eq!(Fence::read(&data).unwrap().unwrap().stage, Stage::Done);
}
