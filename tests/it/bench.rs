//! The benchmark still measures everything it says; how fast things are is no claim of a test.

use std::{collections::BTreeMap, process::Command};

const ROWS: [&str; 22] = [
    "publish-engine-1",
    "publish-engine-16",
    "publish-engine-64",
    "publish-engine-gain",
    "publish-grpc-1",
    "publish-grpc-16",
    "publish-grpc-64",
    "publish-grpc-gain",
    "catch-up-store",
    "catch-up-wire",
    "catch-up-search",
    "propagate-2-p50",
    "propagate-2-p99",
    "propagate-4-p50",
    "propagate-4-p99",
    "search-p50",
    "search-p99",
    "search-facets-p50",
    "search-facets-p99",
    "start-up-time",
    "start-up-rss-ready",
    "start-up-rss-asked",
];

fn bench() -> Command {
    Command::new(env!("CARGO_BIN_EXE_bench"))
}

#[test]
fn every_row_appears_with_a_limit_beside_it() {
    let ran = bench().args(["--quick", "--json"]).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let lines = String::from_utf8(ran.stdout).unwrap();
    let rows: BTreeMap<String, serde_json::Value> = lines
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|row| (row["name"].as_str().unwrap().to_owned(), row))
        .collect();
    for name in ROWS.into_iter().chain(["idle-session", "start-up-rss-peak"]) {
        let row = rows.get(name).unwrap_or_else(|| panic!("{name} is missing"));
        for figure in ["value", "limit_value", "ratio"] {
            // What is not finite is null in JSON.
            assert!(row[figure].is_number(), "{name}: {figure}: {row}");
        }
        assert!(row["unit"].is_string() && row["limit"].is_string(), "{name}: {row}");
    }
    assert_eq!(rows.len(), ROWS.len() + 2);
}

#[test]
fn a_name_that_is_none_is_refused_with_the_ones_there_are() {
    let ran = bench().arg("serch").output().unwrap();
    assert_eq!(ran.status.code(), Some(2));
    let told = String::from_utf8(ran.stderr).unwrap();
    assert!(told.contains("'search'") && told.contains("possible values"), "{told}");
}
