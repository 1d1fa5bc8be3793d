//! `data.json`: Project Open Data 1.1, DCAT-US 3, and their relatives as real portals publish them.
//!
//! A bad record is reported with its place and skipped; only a file that is no catalogue stops the import, and
//! then nothing was done.

mod clean;
mod dataset;
mod field;
mod lang;
mod theme;
mod url;

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Finding, Reading, Settings};
use crate::error::Failure;

/// Name and version of this importer, in each record's provenance.
pub(crate) const IMPORTER: &str = "data-json/1";
/// Largest file in bytes: four hundred times a real city's catalogue.
pub(crate) const SOURCE_BYTES_MAX: u64 = 256 * 1_024 * 1_024;

/// The catalogue around the records, where it says something about all of them.
#[derive(Debug, Default)]
struct Catalogue {
    publisher: Option<String>,
    languages: Vec<String>,
    standard: Standard,
}

/// Which fields are mandatory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Standard {
    #[default]
    Pod,
    DcatUs3,
    /// Argentina's profile, known by its `superTheme`.
    Argentina,
}

/// Reads a whole file.
pub(crate) fn read(bytes: &[u8], settings: &Settings) -> Result<Reading, Failure> {
    let mut reading = Reading::default();
    let json: Value = serde_json::from_slice(without_mark(bytes)).map_err(|error| {
        Failure::failed(
            format!("the file is not JSON: line {}, column {}", error.line(), error.column()),
            "nothing was written; download it again, or ask the portal that made it",
        )
        .because(error)
    })?;
    let (catalogue, records) = unwrap(json, &mut reading)?;
    reading.listed = records.len();
    for (index, record) in records.into_iter().enumerate() {
        dataset::take(index, &record, &catalogue, settings, &mut reading);
    }
    report_repeated_titles(&mut reading);
    Ok(reading)
}

/// The catalogue and its records.
fn unwrap(json: Value, reading: &mut Reading) -> Result<(Catalogue, Vec<Value>), Failure> {
    let no_catalogue = |what: &str| {
        Failure::failed(
            format!("the file is no data.json catalogue: {what}"),
            "nothing was written; it must be an object with a list called \"dataset\"",
        )
    };
    match json {
        Value::Array(records) => {
            let message = "the catalogue around the list of datasets is missing";
            reading.findings.warnings.push(Finding::new("catalogue", message));
            Ok((Catalogue::default(), records))
        }
        Value::Object(mut object) => match object.remove("dataset") {
            Some(Value::Array(records)) => Ok((catalogue(&Value::Object(object), &records), records)),
            Some(_) => Err(no_catalogue("\"dataset\" is no list")),
            None => Err(no_catalogue("there is no \"dataset\" in it")),
        },
        _ => Err(no_catalogue("it is neither an object nor a list")),
    }
}

fn catalogue(object: &Value, records: &[Value]) -> Catalogue {
    let conforms = object.get("conformsTo").map(Value::to_string).unwrap_or_default().to_lowercase();
    let standard = if conforms.contains("dcat-us") && conforms.contains('3') {
        Standard::DcatUs3
    } else if records.iter().any(|record| record.get("superTheme").is_some()) {
        Standard::Argentina
    } else {
        Standard::Pod
    };
    Catalogue {
        publisher: field::text(object, "publisher").map(|found| found.text),
        languages: lang::tags(object),
        standard,
    }
}

/// Two records of one title are legal, and mostly a mistake.
fn report_repeated_titles(reading: &mut Reading) {
    let mut first: BTreeMap<String, String> = BTreeMap::new();
    for item in &reading.items {
        let title = item.dataset.core.as_ref().and_then(|core| core.title.first());
        let title = title.map(|title| title.text.to_lowercase()).unwrap_or_default();
        if let Some(earlier) = first.get(&title) {
            let message = format!("has the same title as {earlier}");
            reading.findings.notices.push(Finding::new(&item.place, message));
        } else {
            let index = item.place.split(' ').next().unwrap_or_default();
            first.insert(title, index.to_owned());
        }
    }
}

/// Without the byte order mark that some portals begin with.
fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

#[cfg(test)]
mod tests;
