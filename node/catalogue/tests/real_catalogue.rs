//! A real city's open data catalogue against the rules: what is refused is refused for a reason, and the rest
//! passes with warnings. Skipped where the catalogue is absent; it is never part of the project.

use std::path::Path;

use serde_json::Value;
use wego_catalogue::{Checked, Searchable};
use wego_proto::{
    record::v1::{Core, Dataset, Distribution, Jurisdiction, LangText, Level, PublicationState},
    v1::{Record, record},
};

#[test]
fn a_real_catalogue_passes_but_for_a_persons_address_and_a_broken_url() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/datajson/philadelphia.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: {} is absent", path.display());
        return;
    };
    let catalogue: Value = serde_json::from_str(&text).unwrap();
    let mut refused = Vec::new();
    let mut undated = 0;
    for published in catalogue["dataset"].as_array().unwrap() {
        match Checked::parse(as_published(published)) {
            Ok(checked) => {
                let found = Searchable::of(checked.record()).unwrap();
                assert_eq!((found.titles.len(), found.country), (1, "US"));
                let dates = checked.warnings().iter().filter(|warning| warning.path == "modified");
                undated += dates.count();
            }
            Err(problems) => refused.extend(problems.iter().map(ToString::to_string)),
        }
    }
    refused.sort();
    assert_eq!(refused.len(), 2, "{refused:#?}");
    assert!(refused[0].starts_with("core.body[0].text contains an e-mail address"), "{refused:#?}");
    assert!(refused[1].contains("must be an http or https URL"), "{refused:#?}");
    assert!(undated >= 389, "{undated} undated of 391, two of which may be refused");
}

/// No more than the naming of fields: an importer would also mend what it can.
fn as_published(published: &Value) -> Record {
    let word = |field: &str| published[field].as_str().unwrap_or_default().to_owned();
    let english = |text: String| vec![LangText { lang: "en".to_owned(), text, ..Default::default() }];
    let keywords = published["keyword"].as_array().into_iter().flatten();
    let files = published["distribution"].as_array().into_iter().flatten();
    let country = "US".to_owned();
    let dataset = Dataset {
        core: Some(Core {
            title: english(word("title")),
            body: english(word("description")),
            jurisdiction: Some(Jurisdiction { level: Level::City.into(), country, ..Default::default() }),
            licence: "CC-BY-4.0".to_owned(),
            keywords: keywords.filter_map(Value::as_str).map(str::to_owned).collect(),
            ..Default::default()
        }),
        identifier: word("identifier"),
        publisher: published["publisher"]["name"].as_str().unwrap_or_default().to_owned(),
        distributions: files.map(file).collect(),
        access_level: word("accessLevel"),
        state: PublicationState::Published.into(),
        spatial: word("spatial"),
        dataset_licence: word("license"),
        modified: word("modified"),
        ..Default::default()
    };
    Record { kind: Some(record::Kind::Dataset(dataset)) }
}

fn file(published: &Value) -> Distribution {
    let word = |field: &str| published[field].as_str().unwrap_or_default().to_owned();
    Distribution {
        access_url: word("accessURL"),
        download_url: word("downloadURL"),
        media_type: word("mediaType"),
        format: word("format"),
        title: word("title"),
        ..Default::default()
    }
}
