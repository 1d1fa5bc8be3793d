//! Claims about values that a strict reader would refuse, and about persons.

use super::{messages, read_value, settings, *};

/// A record with all that is mandatory, and `more`.
pub(super) fn record(more: Value) -> Value {
    let mut record = json!({"title": "Trees", "identifier": "t", "description": "All.", "keyword": ["k"],
        "modified": "2024-03-05", "accessLevel": "public", "publisher": {"name": "City office"}, "language": "en",
        "contactPoint": {"fn": "Jane Roe", "hasEmail": "mailto:jane.roe@city.example"},
        "distribution": [{"downloadURL": "https://data.city.example/t.csv"}]});
    let (Value::Object(fields), Value::Object(more)) = (&mut record, more) else { panic!("no objects") };
    fields.extend(more);
    record
}

pub(super) fn read_one(more: Value) -> (Reading, wego_proto::record::v1::Dataset) {
    let reading = read_value(&json!({"dataset": [record(more)]}));
    assert_eq!(reading.items.len(), 1, "{:?}", reading.findings);
    let dataset = reading.items[0].dataset.clone();
    (reading, dataset)
}

#[test]
fn a_value_that_cannot_be_read_is_the_fault_of_its_record() {
    let good = record(json!({"identifier": "good", "title": "Good"})).to_string();
    for bad in [
        r#""description": "Parks \ud83d of the city""#,
        r#""description": "one
            two	three""#,
        r#""byteSize": NaN, "description": "\x41""#,
        r#""description": "The "best" trees", "note": 1e999"#,
    ] {
        let text = format!(
            r#"{{"dataset": [{good}, {{"title": "Bad", "identifier": "b", "publisher": "P", {bad}}}]}}"#
        );
        let reading = read(text.as_bytes(), &settings()).expect(bad);
        assert_eq!((reading.items.len(), reading.findings.errors.len()), (2, 0), "{bad}");
    }
    let text = format!(r#"{{"dataset": [{good}, {{"title": "\ud83d", "identifier": "b"}}]}}"#);
    let reading = read(text.as_bytes(), &settings()).expect("a catalogue");
    assert_eq!((reading.items.len(), messages(&reading.findings.errors, "title is missing")), (1, 1));
    assert_eq!(
        messages(&reading.findings.warnings, "cannot be read in part and was replaced there: title"),
        1
    );
    assert_eq!(reading.skipped, ["b"]);
}

#[test]
fn another_encoding_is_named_and_taken_when_the_operator_names_it() {
    let text = json!({"dataset": [record(json!({"title": "Straßenbäume, Größe und Höhe der Grünflächen"}))]})
        .to_string();
    let (latin, ..) = encoding_rs::WINDOWS_1252.encode(&text);
    let failure = read(&latin, &settings()).expect_err("not UTF-8");
    assert!(failure.what.contains("windows-1252") && failure.hint.contains("--encoding"), "{failure:?}");
    let named = Settings { encoding: Some(encoding_rs::WINDOWS_1252), ..settings() };
    let reading = read(&latin, &named).expect("a catalogue");
    assert_eq!(reading.items[0].titles, ["Straßenbäume, Größe und Höhe der Grünflächen"]);
}

#[test]
fn persons_leave_the_texts_and_a_notice_names_each_record() {
    let (reading, dataset) = read_one(json!({"description":
        "Depth. Data Steward Name: John Q. Doe, e-mail j [at] city [dot] example. Phone 555-0142. Ask Jane Roe."}));
    let text = &dataset.core.as_ref().expect("core").summary[0].text;
    assert_eq!(
        text,
        "Depth. Data Steward Name: [name removed], e-mail [e-mail removed]. Phone [telephone removed]. Ask [name removed]."
    );
    let persons = &reading.findings.persons;
    assert_eq!((persons.len(), persons[0].place.as_str()), (1, "dataset[0] \"Trees\""));
    assert_eq!(
        persons[0].message,
        "removed from its texts: 1 e-mail address, 1 telephone number, 2 names of persons"
    );
    let dropped = reading.dropped;
    assert_eq!((dropped.emails_in_texts, dropped.phones_in_texts, dropped.names_in_texts), (1, 1, 2));
}

#[test]
fn a_publisher_who_is_the_contact_is_dropped_and_an_office_stays() {
    for (publisher, contact) in [("Jane Roe", "Roe, Jane"), ("Person 7", "Person 7"), ("이순신", "이순신")]
    {
        let more = json!({"publisher": {"name": publisher}, "contactPoint": {"fn": contact}});
        let (reading, dataset) = read_one(more);
        assert_eq!((dataset.publisher.as_str(), reading.dropped.publishers), ("City", 1), "{publisher}");
        assert_eq!(messages(&reading.findings.persons, "its publisher is its contact person"), 1);
        assert!(!format!("{dataset:?}").contains(publisher), "{publisher}");
    }
    for office in ["City office", "Open Data Program", "SEPTA"] {
        let (reading, dataset) =
            read_one(json!({"publisher": {"name": office}, "contactPoint": {"fn": office}}));
        assert_eq!((dataset.publisher.as_str(), reading.dropped.publishers), (office, 0));
    }
    let (_, dataset) = read_one(json!({"publisher": {"@type": "foaf:Person", "name": "Ada Doe"}}));
    assert_eq!(dataset.publisher, "City");
}
