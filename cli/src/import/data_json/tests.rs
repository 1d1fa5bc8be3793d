//! Claims about reading catalogues, on real ones where they are at hand.

use std::{fs, path::PathBuf};

use prost::Message as _;
use serde_json::json;
use wego_proto::{entry::PAYLOAD_BYTES_MAX, form::has_email};

use super::{super::Lang, *};

mod faults;
mod whole;

fn settings() -> Settings {
    Settings {
        source: "phila".to_owned(),
        imported_from: "phila.json".to_owned(),
        jurisdiction: None,
        lang: Lang::Declared { or: "en".to_owned() },
        text_licence: "CC0-1.0".to_owned(),
        publisher: Some("City".to_owned()),
        encoding: None,
    }
}

fn read_value(value: &Value) -> Reading {
    read(value.to_string().as_bytes(), &settings()).expect("a catalogue")
}

/// A real file, or none with a line saying so.
fn real(name: &str) -> Option<Vec<u8>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/datajson").join(name);
    let bytes = fs::read(&path).ok();
    if bytes.is_none() {
        println!("skipped: {} is not here", path.display());
    }
    bytes
}

fn messages(findings: &[Finding], part: &str) -> usize {
    findings.iter().filter(|finding| finding.message.contains(part)).count()
}

#[test]
fn philadelphia_gives_402_datasets_391_warnings_and_no_person() {
    let Some(bytes) = real("philadelphia.json") else { return };
    let reading = read(&bytes, &settings()).expect("a catalogue");
    assert_eq!((reading.listed, reading.items.len(), reading.findings.errors.len()), (402, 402, 0));
    assert_eq!(reading.findings.warnings.len(), 391);
    assert_eq!(messages(&reading.findings.warnings, "modified is missing"), 391);
    assert_eq!(
        reading.findings.warnings[0].place,
        "dataset[0] \"2009-2012 Police Advisory Commission Complaints\""
    );
    let notices = &reading.findings.notices;
    let counts = (
        messages(notices, "no distribution"),
        messages(notices, "same title"),
        messages(notices, "no usable web"),
        messages(notices, "without a link that can be used: 1"),
    );
    assert_eq!((counts, notices.len()), ((2, 1, 1, 1), 5));
    // The source declares no language: one guess, counted, and not a warning for each.
    let guesses: Vec<_> = reading.guesses.values().map(|guess| guess.count).collect();
    assert_eq!((guesses, reading.left_out["bureauCode"].count), (vec![402], 1));
    let dropped = reading.dropped;
    assert_eq!((dropped.contact_names, dropped.contact_emails, dropped.emails_in_texts), (402, 402, 1));
    for item in &reading.items {
        let dataset = item.dataset.encode_to_vec();
        assert!(!has_email(&String::from_utf8_lossy(&dataset)), "{}", item.place);
        assert!(dataset.len() < PAYLOAD_BYTES_MAX);
    }
}

#[test]
fn every_broken_catalogue_is_read_as_far_as_it_goes() {
    // File, records taken, records refused, a word that must be among what is reported.
    let table = [
        ("ar-full_data.json", 2, 0, ""),
        ("ar-malformed_datetime.json", 1, 0, ""),
        ("ar-malformed_uri.json", 1, 0, ""),
        ("ar-missing_dataset_title.json", 0, 1, "title is missing"),
        ("ar-null_dataset_theme.json", 1, 0, ""),
        ("ckanext-datajson-large-spatial.data.json", 1, 0, "spatial is longer"),
        ("ckanext-datajson-many-resources.data.json", 1, 0, ""),
        ("ckanext-datajson-missing-catalog.data.json", 1, 1, "title is missing"),
        ("ckanext-datajson-numerical-title.data.json", 1, 0, "title is a number"),
        ("gsa-dcatus3_0.json", 4, 0, "no distribution"),
        ("gsa-dcatus_bad_license_uri.json", 1, 0, ""),
        ("gsa-dcatus_long_description.json", 1, 0, ""),
        ("gsa-dcatus_multiple_invalid.json", 1, 0, "no usable web address"),
        ("gsa-dcatus_no_identifier.json", 1, 0, "identifier is missing"),
        ("gsa-dcatus_same_title.json", 2, 0, "same title"),
        ("gsa-dcatus_same_title_step_2.json", 2, 0, ""),
        ("gsa-missing_title.json", 0, 1, "title is missing"),
    ];
    for (name, taken, refused, reported) in table {
        let Some(bytes) = real(name) else { return };
        let reading = read(&bytes, &settings()).expect(name);
        assert_eq!((reading.items.len(), reading.findings.errors.len()), (taken, refused), "{name}");
        let findings = &reading.findings;
        let all = [&findings.errors, &findings.warnings, &findings.notices];
        assert!(
            reported.is_empty() || all.iter().any(|some| messages(some, reported) > 0),
            "{name}: {findings:?}"
        );
        for item in &reading.items {
            assert!(item.dataset.encoded_len() < PAYLOAD_BYTES_MAX, "{name}");
            let core = item.dataset.core.as_ref().expect("core");
            assert!(!core.title.is_empty() && !core.topics.is_empty(), "{name}");
            let bounded = |texts: &[wego_proto::record::v1::LangText], max| {
                texts.iter().all(|text| text.text.chars().count() <= max && !text.text.contains("<span"))
            };
            assert!(bounded(&core.summary, 1_000) && bounded(&core.body, 65_536), "{name}");
            assert!(
                name.starts_with("ar-") != (core.title[0].lang != "es"),
                "{name}: {}",
                core.title[0].lang
            );
        }
    }
}

#[test]
fn a_list_without_its_catalogue_is_taken_with_a_warning() {
    let dataset = json!({"title": "Trees", "identifier": "t", "publisher": {"name": "Parks"}});
    let reading = read_value(&json!([dataset]));
    assert_eq!(reading.items.len(), 1);
    assert_eq!(reading.findings.warnings[0].message, "the catalogue around the list of datasets is missing");
}

#[test]
fn a_file_that_is_no_catalogue_is_refused_with_its_place() {
    let failure = read(b"{\"dataset\": [\n{]}", &settings()).expect_err("broken");
    assert_eq!(failure.what, "the file is not JSON: line 2, column 2");
    assert_eq!(failure.code.code(), 1);
    for not in ["{}", "3", "{\"dataset\": {}}"] {
        assert!(read(not.as_bytes(), &settings()).is_err(), "{not}");
    }
    assert!(read(b"\xef\xbb\xbf{\"dataset\": []}", &settings()).is_ok());
}

#[test]
fn a_bad_record_is_named_and_the_others_are_taken() {
    let reading = read_value(&json!({"dataset": [
        {"title": "One", "identifier": "1", "publisher": "P"},
        {"identifier": "2"},
        7,
    ]}));
    assert_eq!(reading.items.len(), 1);
    let errors: Vec<String> =
        reading.findings.errors.iter().map(|error| format!("{}: {}", error.place, error.message)).collect();
    assert_eq!(errors, ["dataset[1]: title is missing", "dataset[2]: is no object"]);
    assert_eq!((reading.skipped, reading.unknown), (vec!["2".to_owned()], 1));
}

#[test]
fn a_new_contact_is_no_new_version_and_a_new_word_is_one() {
    let dataset = |person: &str, title: &str| {
        let record = json!({"title": title, "identifier": "1", "publisher": {"name": "P", "mbox": person},
            "contactPoint": {"fn": person, "hasEmail": person}});
        read_value(&json!({"dataset": [record]})).items.remove(0)
    };
    let (one, other) = (dataset("a@x.org", "T"), dataset("b@x.org", "T"));
    assert_eq!(one.source_hash, other.source_hash);
    assert_eq!(one.dataset, other.dataset);
    assert_ne!(one.source_hash, dataset("a@x.org", "U").source_hash);
}

#[test]
fn what_is_over_a_bound_is_cut_and_said() {
    let long = "word ".repeat(60_000);
    let words: Vec<String> = (0..60).map(|at| format!("k{at}")).collect();
    let files: Vec<Value> =
        (0..600).map(|at| json!({"accessURL": format!("https://a.example/{at}")})).collect();
    let reading = read_value(&json!({"dataset": [{"title": long, "identifier": "1", "publisher": "P",
        "description": long, "keyword": words, "distribution": files, "spatial": long}]}));
    let dataset = &reading.items[0].dataset;
    let core = dataset.core.as_ref().expect("core");
    assert!(core.title[0].text.chars().count() <= 300 && core.body[0].text.chars().count() <= 65_536);
    assert_eq!((core.keywords.len(), dataset.distributions.len(), dataset.spatial.as_str()), (50, 500, ""));
    assert_eq!(reading.findings.notices.len(), 5, "{:?}", reading.findings.notices);
}

#[test]
fn a_record_that_does_not_fit_a_payload_is_cut_until_it_does() {
    let wide = "語".repeat(65_000);
    let files: Vec<Value> = (0..500)
        .map(|at| json!({"accessURL": format!("https://a.example/{at}/{}", "x".repeat(3_000))}))
        .collect();
    let reading = read_value(&json!({"dataset": [{"title": "T", "identifier": "1", "publisher": "P",
        "description": wide, "distribution": files}]}));
    assert!(reading.items[0].dataset.encoded_len() <= PAYLOAD_BYTES_MAX - 4_096);
}
