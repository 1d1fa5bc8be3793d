//! What an operator removed stays away at the next import, and a dry run says what the real one would.

use std::{fs, path::Path};

use serde_json::{Value, json};
use wego_tests::process::{Done, Federation, Site};

use super::{entries, result};

/// A dataset with all that is mandatory.
fn dataset(identifier: &str, title: &str) -> Value {
    json!({"identifier": identifier, "title": title, "description": "All of them.", "keyword": ["k"], "language": "en",
        "modified": "2024-03-05", "accessLevel": "public", "publisher": {"name": "City office"},
        "distribution": [{"accessURL": format!("https://gis.example/rest/services/{title}/0")}]})
}

fn write(federation: &Federation, datasets: &[Value]) -> String {
    let file = federation.dir.path().join("parks.json");
    fs::write(&file, json!({"dataset": datasets}).to_string()).unwrap();
    file.to_str().unwrap().to_owned()
}

fn import(site: &Site, file: &str, more: &[&str]) -> Done {
    site.wego(&[&["import", "data-json", file, "--source", "parks", "--json"], more].concat())
}

/// Titles and ids of what stands at a site.
fn standing(site: &Site) -> Vec<(String, String)> {
    let listed = site.wego(&["dataset", "list", "--json"]).json();
    let row = |record: &Value| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(&record["title"]["en"]), text(&record["record_id"]))
    };
    let mut rows: Vec<_> = listed["records"].as_array().unwrap().iter().map(row).collect();
    rows.sort();
    rows
}

fn titles(site: &Site) -> Vec<String> {
    standing(site).into_iter().map(|(title, _)| title).collect()
}

#[test]
fn what_was_erased_or_withdrawn_by_hand_returns_only_when_it_is_restored() {
    let federation = Federation::start(&["us-philadelphia", "fr-paris", "sn-dakar"]);
    let site = &federation.sites[0];
    let all = [dataset("1", "Erased"), dataset("2", "Stands"), dataset("3", "Withdrawn")];
    let file = write(&federation, &all);
    assert_eq!(result(&import(site, &file, &[])), [3, 0, 0, 0]);
    let ids = standing(site);
    let _ = site.wego(&["record", "erase", &ids[0].1, "--reason", "personal-data", "--yes"]).ok();
    let _ = site.wego(&["dataset", "retract", &ids[2].1, "--reason", "a mistake", "--yes"]).ok();
    federation.converge(0);
    let before = entries(&federation);

    for more in [&[][..], &["--refresh"], &["--dry-run"]] {
        let done = import(site, &file, more);
        let said = done.json();
        assert_eq!(
            (done.code, &said["plan"]["held_back"], &said["plan"]["add"]),
            (Some(0), &2.into(), &0.into())
        );
        assert!(done.out.contains("was erased and stays so (--restore publishes it again)"), "{said}");
        assert!(done.out.contains("was withdrawn by hand and stays so"), "{said}");
    }
    assert_eq!(entries(&federation), before, "nothing was written");
    // Under its identifier another one comes along, and a file without it is read meanwhile.
    for datasets in [&all[1..], &all[..]] {
        let done = import(site, &write(&federation, datasets), &[]);
        assert_eq!((done.code, result(&done)), (Some(0), [0, 0, 1, 0]), "{}", done.err);
    }
    federation.converge(0);
    for site in &federation.sites {
        assert_eq!(titles(site), ["Stands"], "{}", site.handle);
    }

    let file = write(&federation, &all);
    assert_eq!(result(&import(site, &file, &["--restore"])), [0, 2, 1, 0]);
    assert_eq!(standing(site), ids, "each under its own id");
    assert_eq!(result(&import(site, &file, &[])), [0, 0, 3, 0]);
}

#[test]
fn a_dry_run_says_and_exits_what_the_real_one_would() {
    let mut federation = Federation::found(&["us-philadelphia"]);
    federation.sites[0].start();
    federation.sites[0].answers();
    let site = &federation.sites[0];
    let all: Vec<Value> = (0..5).map(|at| dataset(&at.to_string(), &format!("Number {at}"))).collect();
    let file = write(&federation, &all);
    for bad in [
        ["--lang", "no such language"],
        ["--text-licence", "free for all"],
        ["--country", "ZZ"],
        ["--imported-from", "https://data.city.example/data.json?api_key=1"],
        ["--encoding", "klingon"],
    ] {
        let real = import(site, &file, &bad);
        let dry = import(site, &file, &[&bad[..], &["--dry-run"]].concat());
        let alone = without_profile(&federation, &file, &bad);
        assert_eq!((real.code, dry.code, alone.code), (Some(2), Some(2), Some(2)), "{bad:?}: {}", real.err);
        assert_eq!((&dry.err, &alone.err), (&real.err, &real.err));
    }
    // Publishers are missing: the city publishes, whether or not it is known yet.
    let mut bare = dataset("6", "Bare");
    bare.as_object_mut().unwrap().remove("publisher");
    let alone = without_profile(&federation, &write(&federation, &[bare]), &[]);
    assert_eq!((alone.code, &alone.json()["plan"]["add"]), (Some(0), &1.into()), "{}", alone.err);

    let file = write(&federation, &all);
    assert_eq!(import(site, &file, &["--dry-run"]).json()["plan"]["add"], 5);
    assert_eq!(result(&import(site, &file, &[])), [5, 0, 0, 0]);
    let file = write(&federation, &all[..2]);
    let (dry, real) = (import(site, &file, &["--dry-run"]), import(site, &file, &[]));
    assert_eq!((dry.code, real.code), (Some(6), Some(6)), "it withdraws too many: {}", dry.err);
    assert!(
        dry.err.contains("withdraws 3 of the 5") && real.err.contains("withdraws 3 of the 5"),
        "{}",
        dry.err
    );
    assert_eq!(import(site, &file, &["--dry-run", "--yes"]).code, Some(0));
    assert_eq!(entries(&federation), 5);
}

fn without_profile(federation: &Federation, file: &str, more: &[&str]) -> Done {
    let home = federation.dir.path().join("nobody");
    fs::create_dir_all(&home).unwrap();
    let args = ["import", "data-json", file, "--source", "parks", "--json", "--dry-run"];
    call(&home, &[&args[..], more].concat())
}

fn call(home: &Path, args: &[&str]) -> Done {
    wego_tests::process::call(home, "wego", args)
}
