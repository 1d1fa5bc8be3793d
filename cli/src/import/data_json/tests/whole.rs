//! Claims that nothing a catalogue says is lost in silence: kept, or told with a count.

use super::{
    faults::{read_one, record},
    *,
};

fn core(dataset: &wego_proto::record::v1::Dataset) -> wego_proto::record::v1::Core {
    dataset.core.clone().expect("core")
}

fn texts(texts: &[wego_proto::record::v1::LangText]) -> Vec<(&str, &str)> {
    texts.iter().map(|text| (text.lang.as_str(), text.text.as_str())).collect()
}

#[test]
fn catalogues_in_catalogues_are_read_and_what_moves_into_one_stays() {
    let inner = |id: &str| record(json!({"identifier": id, "title": id}));
    let nested = json!({"conformsTo": {"title": "DCAT-US 3.0"}, "dataset": [inner("1")], "service": [{"title": "API"}],
        "catalog": [{"language": "fr", "dataset": [inner("2")], "catalog": {"dataset": [inner("3")]}},
            "https://elsewhere.example/data.json", {"dataset": "none"}]});
    let reading = read_value(&nested);
    let places: Vec<_> = reading.items.iter().map(|item| item.at.as_str()).collect();
    assert_eq!(places, ["dataset[0]", "catalog[0].dataset[0]", "catalog[0].catalog[0].dataset[0]"]);
    assert_eq!((reading.listed, reading.unknown), (3, 1));
    assert_eq!(reading.findings.errors[0].place, "catalog[2]");
    assert_eq!(reading.left_out["catalog.service"].count, 1);
    assert_eq!(reading.left_out["catalog (by its address only)"].count, 1);
    assert_eq!(read_value(&json!({"catalog": [{"dataset": [inner("2")]}]})).items.len(), 1);
}

#[test]
fn fields_that_are_objects_keep_their_content() {
    let (reading, dataset) = read_one(json!({
        "license": {"@type": "LicenseDocument", "@id": "https://spdx.org/licenses/CC-BY-4.0", "title": "CC BY"},
        "rights": [{"@type": "RightsStatement", "label": "Name the city."}, "No warranty."],
        "temporal": [{"@type": "PeriodOfTime", "startDate": "2020-01-01", "endDate": "2021"}],
        "spatial": {"@type": "Location", "prefLabel": "Old town"},
        "describedBy": {"@type": "Distribution", "title": "Columns", "downloadURL": "https://a.example/columns"},
        "landingPage": {"@type": "Document", "title": "Page", "@id": "https://a.example/page"},
        "accrualPeriodicity": {"@id": "http://a.example/daily", "prefLabel": "daily"},
        "theme": [{"@type": "Concept", "prefLabel": "Parks", "notation": "P1"}],
        "otherIdentifier": [{"@type": "Identifier", "@id": "https://doi.org/10.1/x", "schemaAgency": "DOI"}],
    }));
    assert_eq!(dataset.dataset_licence, "https://spdx.org/licenses/CC-BY-4.0");
    assert_eq!(dataset.rights, "Name the city.\nNo warranty.");
    let period = dataset.temporal.clone().expect("a period");
    assert_eq!((period.start.as_str(), period.end.as_str()), ("2020-01-01", "2021"));
    assert_eq!((dataset.spatial.as_str(), dataset.frequency.as_str()), ("Old town", "daily"));
    assert_eq!(dataset.described_by, "https://a.example/columns");
    assert_eq!(
        (dataset.landing_page.as_str(), dataset.themes.as_slice()),
        ("https://a.example/page", &["Parks".to_owned()][..])
    );
    let id = core(&dataset).alt_ids.remove(0);
    assert_eq!((id.scheme.as_str(), id.value.as_str()), ("DOI", "https://doi.org/10.1/x"));
    assert_eq!(reading.left_out["theme.notation"].count, 1);
}

#[test]
fn what_has_a_place_is_kept_and_what_has_none_is_counted() {
    let (reading, dataset) = read_one(json!({
        "references": ["https://a.example/manual", "the blue book"], "conformsTo": "https://a.example/profile",
        "publisher": {"name": "Parks", "subOrganizationOf": {"name": "City", "subOrganizationOf": {"name": "State"}}},
        "bureauCode": ["1:2"], "programCode": null, "dataQuality": true,
        "distribution": [
            {"downloadURL": "https://a.example/x.csv", "license": "https://cc.example/by", "rights": "r",
             "describedBy": "https://a.example/x-schema", "issued": "2024-01-01", "description": "d ".repeat(2_000)},
            {"title": "Esri Rest API", "format": "Esri REST"}, {"downloadURL": "ftp://a.example/x.zip"}, {}, null],
        "accessURL": "https://a.example/old.csv", "format": "text/csv", "webService": "https://a.example/api",
    }));
    let links: Vec<_> = core(&dataset).links.into_iter().map(|link| (link.rel, link.url)).collect();
    let expected = [("related", "https://a.example/manual"), ("profile", "https://a.example/profile")];
    assert_eq!(links, expected.map(|(rel, url)| (rel.to_owned(), url.to_owned())));
    assert_eq!(
        (dataset.publisher.as_str(), dataset.publisher_within.join(" < ")),
        ("Parks", "City < State".to_owned())
    );
    let files = &dataset.distributions;
    assert_eq!(
        (files.len(), files[0].licence.as_str(), files[0].rights.as_str()),
        (5, "https://cc.example/by", "r")
    );
    assert_eq!(
        (files[0].described_by.as_str(), files[0].description.len()),
        ("https://a.example/x-schema", 3_999)
    );
    assert_eq!(
        (files[1].title.as_str(), files[3].access_url.as_str()),
        ("Esri Rest API", "https://a.example/old.csv")
    );
    assert_eq!((files[4].access_url.as_str(), files[4].format.as_str()), ("https://a.example/api", "API"));
    let notices = &reading.findings.notices;
    for part in [
        "1 entries of references are no usable web addresses",
        "distributions that say nothing: 2",
        "without a link that can be used: 2",
        "downloadURL is no usable web address",
    ] {
        assert_eq!(messages(notices, part), 1, "{part}: {notices:?}");
    }
    let left: Vec<_> = reading.left_out.iter().map(|(field, tally)| (field.as_str(), tally.count)).collect();
    assert_eq!(left, [("bureauCode", 1), ("dataQuality", 1), ("distribution.issued", 1)]);
}

#[test]
fn what_is_too_long_is_cut_with_a_word() {
    let long = "x".repeat(5_000);
    let (reading, dataset) = read_one(json!({"license": long, "rights": long, "publisher": {"name": long},
        "distribution": [{"accessURL": "https://a.example/", "license": long, "title": long}]}));
    assert!(dataset.dataset_licence.chars().count() <= 4_000 && dataset.rights.chars().count() <= 4_000);
    for (part, count) in [
        ("license is longer", 2),
        ("rights is longer", 1),
        ("publisher is longer", 1),
        ("title is longer", 1),
    ] {
        assert_eq!(messages(&reading.findings.notices, part), count, "{part}");
    }
}

#[test]
fn no_licence_is_no_licence() {
    for nothing in [
        Value::Null,
        json!(""),
        json!("  "),
        json!({}),
        json!({"@id": null}),
        json!("N/A"),
        json!("notspecified"),
    ] {
        assert_eq!(read_one(json!({"license": nothing})).1.dataset_licence, "", "{nothing}");
    }
    assert_eq!(read_one(json!({})).1.dataset_licence, "");
}

#[test]
fn every_language_is_kept_under_its_shortest_tag() {
    let (reading, dataset) = read_one(json!({"language": null,
        "title": {"eng": "Racks", "fr": "Supports", "ca@valencia": "Aparcabicis"},
        "description": [{"@language": "nl", "@value": "Alle."}, {"@language": "fre", "@value": "Tous."}],
        "keyword": {"en": ["bike", "rack"], "fr": ["vélo"]}}));
    let core = core(&dataset);
    assert_eq!(texts(&core.title), [("en", "Racks"), ("fr", "Supports"), ("ca-valencia", "Aparcabicis")]);
    assert_eq!(texts(&core.summary), [("nl", "Alle."), ("fr", "Tous.")]);
    assert_eq!(core.keywords, ["bike", "rack", "vélo"]);
    assert!(reading.guesses.is_empty(), "each text says its language");
}

#[test]
fn a_language_that_is_not_said_is_told_as_a_guess() {
    let table = [
        (json!(null), "en", Some("no language is declared")),
        (json!("Klingon"), "en", Some("\"Klingon\" is no language known")),
        (json!(["es", "en"]), "es", Some("several languages are declared")),
        (json!("French"), "fr", None),
        (json!(["pol"]), "pl", None),
        (json!("ca@valencia"), "ca-valencia", None),
    ];
    for (declared, lang, why) in table {
        let (reading, dataset) = read_one(json!({"language": declared}));
        assert_eq!(texts(&core(&dataset).title), [(lang, "Trees")], "{declared}");
        let guessed: Vec<_> = reading.guesses.keys().map(|(_, why)| why.as_str()).collect();
        assert_eq!(guessed, why.into_iter().collect::<Vec<_>>(), "{declared}");
    }
}

#[test]
fn markup_is_read_by_its_rules() {
    let (_, dataset) = read_one(json!({"title": "Air &amp; Water <b>quality</b>", "description":
        "<p>AT&amp;T &eacute;cole, S&atilde;o Paulo, 5 &euro;</p><a href=\"https://x.example/doc.pdf\">the manual</a>\
         <table><tr><td>a</td><td>b</td></tr></table>"}));
    let core = core(&dataset);
    assert_eq!(core.title[0].text, "Air & Water quality");
    assert_eq!(
        core.summary[0].text,
        "AT&T école, São Paulo, 5 €\nthe manual (https://x.example/doc.pdf)\n\na | b"
    );
}

#[test]
fn only_what_says_the_same_is_taken_once() {
    let layer = |title: &str| record(json!({"identifier": "hub", "title": title}));
    let reading =
        read_value(&json!({"dataset": [layer("Lakes"), layer("Rivers"), layer("Lakes"), layer("Roads")]}));
    assert_eq!((reading.items.len(), reading.identical, reading.findings.errors.len()), (3, 1, 0));
    assert_eq!(messages(&reading.findings.notices, "says the same as dataset[0]"), 1);
    assert_eq!(messages(&reading.findings.warnings, "bears the identifier of another dataset"), 3);
}
