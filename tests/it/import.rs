//! A real city's open data: imported at one node, found at another, repeatable, and without anybody's address.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;
use wego_proto::{prost::Message as _, v1};
use wego_tests::{
    client::Client,
    process::{Done, Federation},
};

mod kept_away;

/// Philadelphia's catalogue: datasets, and those that lack the mandatory date of modification.
const DATASETS: usize = 402;
const WARNINGS: usize = 391;
/// Every dataset names a contact person with an address, and one more address stands in a description.
const PERSONS: usize = 402;

/// A file of the real data sets, where they are.
fn real(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/datajson").join(name);
    if !path.exists() {
        println!("skipped: the data set {name} is not on this machine");
        return None;
    }
    Some(path)
}

fn import(federation: &Federation, file: &Path, source: &str) -> Done {
    let file = file.to_str().unwrap();
    federation.sites[0].wego(&["import", "data-json", file, "--source", source, "--json"])
}

/// Created, revised, unchanged, withdrawn.
fn result(done: &Done) -> [u64; 4] {
    let said = done.json();
    ["created", "revised", "unchanged", "retracted"].map(|key| said["result"][key].as_u64().unwrap())
}

fn entries(federation: &Federation) -> u64 {
    federation.sites[0].wego(&["status", "--json"]).json()["entries"].as_u64().unwrap()
}

#[test]
fn philadelphia_is_imported_once_found_everywhere_and_names_nobody() {
    let Some(source) = real("philadelphia.json") else { return };
    let federation = Federation::start(&["us-philadelphia", "fr-paris", "sn-dakar"]);
    let first = import(&federation, &source, "phila");
    assert_eq!((first.code, result(&first)), (Some(0), [DATASETS as u64, 0, 0, 0]), "{}", first.err);
    let said = first.json();
    assert_eq!(said["warnings"].as_array().unwrap().len(), WARNINGS);
    let dropped =
        ["contact_names", "contact_emails", "emails_in_texts"].map(|key| said["dropped"][key].as_u64());
    assert_eq!(dropped, [Some(PERSONS as u64), Some(PERSONS as u64), Some(1)]);

    let second = import(&federation, &source, "phila");
    assert_eq!((second.code, result(&second)), (Some(0), [0, 0, DATASETS as u64, 0]));
    assert_eq!(entries(&federation), DATASETS as u64, "the second import wrote nothing");

    let (smaller, gone) = without_three(&source, federation.dir.path());
    let third = import(&federation, &smaller, "phila");
    assert_eq!((third.code, result(&third)), (Some(0), [0, 0, DATASETS as u64 - 3, 3]), "{}", third.err);
    assert_eq!(entries(&federation), DATASETS as u64 + 3);
    federation.converge(0);
    for site in &federation.sites {
        let listed = site.wego(&["dataset", "list", "--retracted", "--limit", "0", "--json"]).json();
        let listed = listed["records"].as_array().unwrap();
        let withdrawn = listed.iter().filter(|record| record["retracted"] == true);
        let withdrawn: BTreeSet<_> = withdrawn.map(|record| record["identifier"].as_str().unwrap()).collect();
        assert_eq!(withdrawn, gone.iter().map(String::as_str).collect(), "{}", site.handle);
    }
    is_found_with_facets(&federation);
    names_nobody(&federation, &source);
}

/// A copy of the source without its first, its middle and its last dataset; and their identifiers.
fn without_three(source: &Path, dir: &Path) -> (PathBuf, Vec<String>) {
    let mut catalogue: Value = serde_json::from_slice(&fs::read(source).unwrap()).unwrap();
    let datasets = catalogue["dataset"].as_array_mut().unwrap();
    let gone = [DATASETS - 1, DATASETS / 2, 0].map(|at| datasets.remove(at));
    let gone = gone.iter().map(|dataset| dataset["identifier"].as_str().unwrap().to_owned()).collect();
    let copy = dir.join("smaller.json");
    fs::write(&copy, catalogue.to_string()).unwrap();
    (copy, gone)
}

/// At another node, with the counts of the whole result and not of the page.
fn is_found_with_facets(federation: &Federation) {
    let dakar = &federation.sites[2];
    let all = dakar.wego(&["search", "kind:dataset", "city:us-philadelphia", "--facets", "--json"]).json();
    assert_eq!(all["total"], DATASETS - 3);
    let facets = all["facets"].as_array().unwrap();
    let kind = facets.iter().find(|facet| facet["field"] == "kind").unwrap();
    let value = (&kind["values"][0]["value"], &kind["values"][0]["count"]);
    assert_eq!(value, (&"dataset".into(), &(DATASETS - 3).into()));
    let topics = facets.iter().find(|facet| facet["field"] == "topic").unwrap();
    assert!(topics["values"].as_array().unwrap().len() > 5, "{topics}");

    let police = dakar.wego(&["search", "police", "complaints", "--json"]).json();
    let title = police["hits"][0]["title"]["en"].as_str().unwrap().to_lowercase();
    assert!(title.contains("police") || title.contains("complaint"), "{title}");
    assert_eq!(police["hits"][0]["provenance"]["handle"], "us-philadelphia");
}

/// Neither in what a node gives out, withdrawn records included, nor in its files.
fn names_nobody(federation: &Federation, source: &Path) {
    assert!(address_in(&fs::read(source).unwrap()).is_some(), "the scan finds what is there");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for site in &federation.sites {
        let proofs = runtime.block_on(proofs(&site.profile()));
        assert_eq!(proofs.len(), DATASETS, "{}", site.handle);
        let contents = proofs.iter().filter_map(|proof| proof.entry.as_ref()?.payload.as_ref());
        let held = contents.map(|payload| assert_eq!(address_in(&payload.content), None)).count();
        assert!(held >= DATASETS - 3, "{held} payloads were looked at");
        for proof in &proofs {
            assert_eq!(address_in(&proof.encode_to_vec()), None);
        }
        // The files as they lie on the disk, earlier versions and the index included.
        let mut seen = false;
        let held = files(&site.dir.join("data"));
        for file in held.iter().filter(|file| !file.ends_with("ballast")) {
            let bytes = fs::read(file).unwrap();
            seen |= contains(&bytes, b"Police Advisory Commission");
            for person in [&b"person-"[..], b"@example.org"] {
                assert!(!contains(&bytes, person), "{} names a person", file.display());
            }
        }
        assert!(seen, "the scan of the files sees what is in them");
    }
}

/// The proof of every record that a node lists, withdrawn ones too.
async fn proofs(profile: &Path) -> Vec<v1::RecordProof> {
    let mut catalogue = Client::of_profile(profile).await.catalogue();
    let (mut proofs, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = v1::ListRequest { retracted: true, page_token, ..Default::default() };
        let page = catalogue.list(request).await.unwrap().into_inner();
        for record in page.records {
            let request = v1::ReadRequest { record_id: record.record_id };
            proofs.push(catalogue.export(request).await.unwrap().into_inner());
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return proofs;
        }
    }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        // A running node may remove a file between the listing and the look.
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(files(&entry.path())),
            Ok(_) if entry.path().exists() => found.push(entry.path()),
            _ => {}
        }
    }
    found
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// The first thing that looks like `name@host.domain`.
fn address_in(bytes: &[u8]) -> Option<String> {
    let local = |byte: &u8| byte.is_ascii_alphanumeric() || b"._%+-".contains(byte);
    let host = |byte: &&u8| byte.is_ascii_alphanumeric() || b".-".contains(byte);
    bytes.iter().enumerate().filter(|(_, byte)| **byte == b'@').find_map(|(at, _)| {
        let before = bytes[..at].last().filter(|byte| local(byte))?;
        let after: Vec<u8> = bytes[at + 1..].iter().take_while(host).copied().collect();
        let after = String::from_utf8(after).ok()?;
        let (name, domain) = after.trim_end_matches('.').rsplit_once('.')?;
        let domain_is_one = domain.len() >= 2 && domain.bytes().all(|byte| byte.is_ascii_alphabetic());
        (!name.is_empty() && domain_is_one).then(|| format!("{}@{after}", char::from(*before)))
    })
}

#[test]
fn the_scan_for_addresses_finds_addresses_only() {
    assert_eq!(address_in(b"ask \x01a.b@city.example.org."), Some("b@city.example.org.".to_owned()));
    for none in [&b"@handle"[..], b"50 @ 3.20", b"me@localhost", b"a@b.c", b""] {
        assert_eq!(address_in(none), None, "{}", String::from_utf8_lossy(none));
    }
}

#[test]
fn every_broken_catalogue_has_its_documented_outcome() {
    // File, exit code, datasets published, datasets skipped, a word that must be among what is reported.
    let table = [
        ("ar-full_data.json", 0, 2, 0, ""),
        ("ar-malformed_datetime.json", 0, 1, 0, ""),
        ("ar-malformed_uri.json", 0, 1, 0, ""),
        ("ar-missing_dataset_title.json", 3, 0, 1, "title is missing"),
        ("ar-null_dataset_theme.json", 0, 1, 0, ""),
        ("ckanext-datajson-large-spatial.data.json", 0, 1, 0, "spatial is longer"),
        ("ckanext-datajson-many-resources.data.json", 0, 1, 0, ""),
        ("ckanext-datajson-missing-catalog.data.json", 3, 1, 1, "title is missing"),
        ("ckanext-datajson-numerical-title.data.json", 0, 1, 0, "title is a number"),
        ("gsa-dcatus3_0.json", 0, 4, 0, "no distribution"),
        ("gsa-dcatus_bad_license_uri.json", 0, 1, 0, ""),
        ("gsa-dcatus_long_description.json", 0, 1, 0, ""),
        ("gsa-dcatus_multiple_invalid.json", 0, 1, 0, "no usable web address"),
        ("gsa-dcatus_no_identifier.json", 0, 1, 0, "identifier is missing"),
        ("gsa-dcatus_same_title.json", 0, 2, 0, "same title"),
        ("gsa-dcatus_same_title_step_2.json", 0, 2, 0, ""),
        ("gsa-missing_title.json", 3, 0, 1, "title is missing"),
    ];
    if real(table[0].0).is_none() {
        return;
    }
    let mut federation = Federation::found(&["us-philadelphia"]);
    federation.sites[0].start();
    federation.sites[0].answers();
    for (name, code, published, skipped, reported) in table {
        let Some(file) = real(name) else { return };
        let done = import(&federation, &file, name);
        let said = done.json();
        assert_eq!((done.code, result(&done)), (Some(code), [published, 0, 0, 0]), "{name}: {said}");
        assert_eq!(said["plan"]["errors"], skipped, "{name}");
        assert!(done.out.contains(reported), "{name}: {said}");
        let again = import(&federation, &file, name);
        assert_eq!((again.code, result(&again)), (Some(code), [0, 0, published, 0]), "{name}, a second time");
    }
}

#[test]
fn a_file_that_is_no_catalogue_changes_nothing() {
    let mut federation = Federation::found(&["us-philadelphia"]);
    federation.sites[0].start();
    federation.sites[0].answers();
    let dir = federation.dir.path().to_owned();
    for (name, text) in [
        ("cut.json", "{\"dataset\": [{\"title\": \"A\""),
        ("page.json", "<html>Too many requests</html>"),
        ("empty.json", ""),
        ("other.json", "{\"records\": []}"),
        ("number.json", "3"),
    ] {
        fs::write(dir.join(name), text).unwrap();
        let done = import(&federation, &dir.join(name), "phila");
        assert_eq!((done.code, done.out.as_str()), (Some(1), ""), "{name}: {}", done.err);
        let error: Value = serde_json::from_str(&done.err).unwrap();
        assert!(error["hint"].as_str().unwrap().starts_with("nothing was written"), "{name}: {error}");
    }
    assert_eq!(import(&federation, &dir.join("absent.json"), "phila").code, Some(9));
    assert_eq!(entries(&federation), 0);
}
