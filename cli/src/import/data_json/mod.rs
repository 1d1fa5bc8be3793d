//! `data.json`: Project Open Data 1.1, DCAT-US 3, and their relatives as real portals publish them.
//!
//! A bad record is reported with its place and skipped; only a file that is no catalogue stops the import, and
//! then nothing was done.

mod clean;
mod contact;
mod dataset;
mod distribution;
pub(crate) mod encoding;
mod field;
mod lang;
mod mark;
mod markup;
mod person;
mod repair;
mod texts;
mod theme;
mod url;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Finding, Reading, Settings};
use crate::error::Failure;

/// Name and version of this importer, in each record's provenance.
pub(crate) const IMPORTER: &str = "data-json/2";
/// Largest file in bytes: four hundred times a real city's catalogue.
pub(crate) const SOURCE_BYTES_MAX: u64 = 256 * 1_024 * 1_024;
/// Fields of a catalogue that are read, or say nothing of its datasets.
const READ: [&str; 14] = [
    "@type",
    "@id",
    "@context",
    "title",
    "description",
    "publisher",
    "contactPoint",
    "language",
    "conformsTo",
    "describedBy",
    "homepage",
    "dataset",
    "catalog",
    "modified",
];

/// The catalogue around the records, where it says something about all of them.
#[derive(Debug, Default)]
struct Catalogue {
    publisher: Option<String>,
    languages: lang::Declared,
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
    let json = parse(&encoding::text(bytes, settings.encoding)?)?;
    let mut walk = Walk { settings, reading: &mut reading };
    match json {
        Value::Array(records) => {
            let message = "the catalogue around the list of datasets is missing";
            walk.reading.findings.warnings.push(Finding::new("catalogue", message));
            walk.records("", records, &Catalogue::default());
        }
        Value::Object(object) if object.contains_key("dataset") || object.contains_key("catalog") => {
            walk.outermost(object)?;
        }
        Value::Object(_) => return Err(no_catalogue("there is no \"dataset\" in it")),
        _ => return Err(no_catalogue("it is neither an object nor a list")),
    }
    report_repeated(&mut reading);
    Ok(reading)
}

/// Strictly, and where that fails, with single values mended.
fn parse(text: &str) -> Result<Value, Failure> {
    let strict = serde_json::from_str(text);
    let parsed = match strict {
        Err(_) if text.trim_start().starts_with(['{', '[']) => serde_json::from_str(&repair::repaired(text)),
        other => other,
    };
    parsed.map_err(|error| {
        Failure::failed(
            format!("the file is not JSON: line {}, column {}", error.line(), error.column()),
            "nothing was written; download it again, or ask the portal that made it",
        )
        .because(error)
    })
}

fn no_catalogue(what: &str) -> Failure {
    Failure::failed(
        format!("the file is no data.json catalogue: {what}"),
        "nothing was written; it must be an object with a list called \"dataset\"",
    )
}

struct Walk<'a> {
    settings: &'a Settings,
    reading: &'a mut Reading,
}

impl Walk<'_> {
    fn outermost(&mut self, mut object: Map<String, Value>) -> Result<(), Failure> {
        let records = match object.remove("dataset") {
            Some(Value::Array(records)) => records,
            Some(Value::Null) | None if object.contains_key("catalog") => Vec::new(),
            Some(record @ Value::Object(_)) if record.get("title").is_some() => vec![record],
            _ => return Err(no_catalogue("\"dataset\" is no list")),
        };
        let standard = standard(&object, &records);
        let around = Catalogue { standard, ..Catalogue::default() };
        self.catalogue("", object, records, &around);
        Ok(())
    }

    /// A catalogue and those in it. The parser bounds how deep they nest.
    fn catalogue(
        &mut self,
        path: &str,
        mut object: Map<String, Value>,
        records: Vec<Value>,
        around: &Catalogue,
    ) {
        let inner = object.remove("catalog");
        self.count_left_out(path, &object);
        let catalogue = Catalogue::of(Value::Object(object), around);
        self.records(path, records, &catalogue);
        let inner = match inner {
            Some(Value::Array(catalogues)) => catalogues,
            Some(value) if field::says_something(&value) => vec![value],
            _ => Vec::new(),
        };
        for (index, value) in inner.into_iter().enumerate() {
            self.nested(&format!("{path}catalog[{index}]"), value, &catalogue);
        }
    }

    fn nested(&mut self, path: &str, value: Value, around: &Catalogue) {
        let Value::Object(mut object) = value else {
            // An address: what is in it is not in this file.
            return self.reading.left_out("catalog (by its address only)", path);
        };
        let records = match object.remove("dataset") {
            Some(Value::Array(records)) => records,
            Some(record @ Value::Object(_)) => vec![record],
            Some(value) if field::says_something(&value) => {
                self.reading.unknown += 1;
                let message = "its datasets are no list";
                return self.reading.findings.errors.push(Finding::new(path, message));
            }
            _ => Vec::new(),
        };
        self.catalogue(&format!("{path}."), object, records, around);
    }

    fn records(&mut self, path: &str, records: Vec<Value>, catalogue: &Catalogue) {
        self.reading.listed += records.len();
        for (index, record) in records.into_iter().enumerate() {
            dataset::take(&format!("{path}dataset[{index}]"), record, catalogue, self.settings, self.reading);
        }
    }

    fn count_left_out(&mut self, path: &str, object: &Map<String, Value>) {
        for (key, value) in object {
            let things = value.as_array().map_or(1, Vec::len);
            if READ.contains(&key.as_str()) || !field::says_something(value) {
                continue;
            }
            for index in 0..things {
                self.reading.left_out(&format!("catalog.{key}"), &format!("{path}{key}[{index}]"));
            }
        }
    }
}

impl Catalogue {
    /// What a catalogue says, else the one around it.
    fn of(object: Value, around: &Self) -> Self {
        let own = lang::declared(&object);
        let says = !own.tags.is_empty() || own.unknown.is_some();
        Self {
            publisher: field::text(&object, "publisher").map(|found| found.text).or(around.publisher.clone()),
            languages: if says { own } else { around.languages.clone() },
            standard: around.standard,
        }
    }
}

fn standard(object: &Map<String, Value>, records: &[Value]) -> Standard {
    let conforms = object.get("conformsTo").map(Value::to_string).unwrap_or_default().to_lowercase();
    if conforms.contains("dcat-us") && conforms.contains('3') {
        Standard::DcatUs3
    } else if records.iter().any(|record| record.get("superTheme").is_some()) {
        Standard::Argentina
    } else {
        Standard::Pod
    }
}

/// Two records of one title are legal, and mostly a mistake; two of one identifier always are one.
fn report_repeated(reading: &mut Reading) {
    let mut titles: BTreeMap<String, &str> = BTreeMap::new();
    let mut identifiers: BTreeMap<&str, usize> = BTreeMap::new();
    let mut notices = Vec::new();
    for item in &reading.items {
        *identifiers.entry(&item.identifier).or_default() += 1;
        let title = item.titles.first().map(|title| title.to_lowercase()).unwrap_or_default();
        match titles.get(&title) {
            Some(earlier) => {
                notices.push(Finding::new(&item.place, format!("has the same title as {earlier}")))
            }
            None => drop(titles.insert(title, &item.at)),
        }
    }
    let message =
        "bears the identifier of another dataset: it is told apart by where it is served, or its title";
    let repeated = reading.items.iter().filter(|item| identifiers[item.identifier.as_str()] > 1);
    let warnings: Vec<Finding> = repeated.map(|item| Finding::new(&item.place, message)).collect();
    reading.findings.notices.extend(notices);
    reading.findings.warnings.extend(warnings);
}

#[cfg(test)]
mod tests;
