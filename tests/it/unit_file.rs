//! Claims about the systemd unit, judged by systemd itself where it is installed. Starts no service.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use wego_node::config::{Config, EXAMPLE, Environment, RawConfig};

/// Exposure in tenths, from 0 (safe) to 100: what systemd calls OK and better begins at 20.
const EXPOSURE_MAX: &str = "20";

fn unit() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/wego-node.service")
}

/// `None`, and a line that says so, where systemd is not installed.
fn analyze(args: &[&str], file: &Path) -> Option<Output> {
    match Command::new("systemd-analyze").args(args).arg(file).output() {
        Ok(output) => Some(output),
        Err(_) => {
            println!("skipped: systemd-analyze is not installed");
            None
        }
    }
}

/// The unit with a program that exists, and in a folder of its own: systemd judges the name too.
fn unit_that_can_start(folder: &Path) -> PathBuf {
    let text = std::fs::read_to_string(unit()).unwrap();
    let path = folder.join("wego-node.service");
    std::fs::write(&path, text.replace("/usr/local/bin/wego-node", "/bin/true")).unwrap();
    path
}

#[test]
fn the_unit_exposes_little() {
    let args = ["security", "--offline=true", "--no-pager", "--threshold", EXPOSURE_MAX];
    let Some(output) = analyze(&args, &unit()) else { return };
    let judged = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{judged}{}", String::from_utf8_lossy(&output.stderr));
    assert!(judged.contains("Overall exposure level"), "{judged}");
}

#[test]
fn an_open_unit_is_judged_too_exposed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wego-node.service");
    std::fs::write(&path, "[Service]\nExecStart=/bin/true\n").unwrap();
    let args = ["security", "--offline=true", "--no-pager", "--threshold", EXPOSURE_MAX];
    let Some(output) = analyze(&args, &path) else { return };
    assert!(!output.status.success());
}

#[test]
fn every_line_of_the_unit_means_something_to_systemd() {
    let folder = tempfile::tempdir().unwrap();
    let Some(output) = analyze(&["verify"], &unit_that_can_start(folder.path())) else { return };
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(!complaints.contains("Unknown") && !complaints.contains("wego-node.service:"), "{complaints}");
}

#[test]
fn the_unit_waits_longer_than_the_node_drains() {
    let text = std::fs::read_to_string(unit()).unwrap();
    let stop = text.lines().find_map(|line| line.strip_prefix("TimeoutStopSec=")).unwrap();
    let raw = RawConfig::parse(EXAMPLE, Path::new("example"), &Environment::new()).unwrap();
    let drain = Config::check(raw, Path::new("example")).unwrap().limits.drain;
    assert!(stop.parse::<u64>().unwrap() >= drain.as_secs() + 10, "{stop} s for {drain:?} and what follows");
}
