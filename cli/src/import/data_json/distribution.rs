//! The ways to get the data: files, services, and what older catalogues say of them in the dataset itself.
//!
//! It must never leave one out in silence.

use serde_json::{Map, Value, json};
use wego_proto::record::v1::Distribution;

use super::{
    clean::cut,
    dataset::{DESCRIPTION_CHARS_MAX, LINE_CHARS_MAX, PUBLISHED_CHARS_MAX, Reader},
    field,
};

/// Files of a dataset.
const DISTRIBUTIONS_MAX: usize = 500;
/// Fields of a distribution that are kept, or say nothing of the data.
const KEPT: [&str; 14] = [
    "@type",
    "@id",
    "accessURL",
    "downloadURL",
    "mediaType",
    "format",
    "title",
    "name",
    "description",
    "byteSize",
    "conformsTo",
    "license",
    "rights",
    "describedBy",
];

impl Reader<'_> {
    pub(super) fn distributions(&mut self) -> Vec<Distribution> {
        let record = self.record;
        let listed = record.get("distribution");
        let mut raw: Vec<Value> = match listed {
            Some(Value::Array(values)) => values.clone(),
            Some(value @ Value::Object(_)) => vec![value.clone()],
            _ => Vec::new(),
        };
        let given = raw.len();
        raw.retain(|value| value.as_object().is_some_and(says_what_it_is));
        if raw.len() < given {
            self.notice(format!("leaves out distributions that say nothing: {}", given - raw.len()));
        }
        raw.extend(of_dataset(record));
        if raw.is_empty() {
            self.notice("has no distribution: nobody can get the data");
        }
        if raw.len() > DISTRIBUTIONS_MAX {
            self.notice(format!("has {} distributions: the first {DISTRIBUTIONS_MAX} are taken", raw.len()));
        }
        let taken: Vec<Distribution> =
            raw.iter().take(DISTRIBUTIONS_MAX).map(|raw| self.distribution(raw)).collect();
        let unlinked =
            taken.iter().filter(|one| one.access_url.is_empty() && one.download_url.is_empty()).count();
        if unlinked > 0 {
            self.notice(format!("distributions without a link that can be used: {unlinked}"));
        }
        taken
    }

    fn distribution(&mut self, raw: &Value) -> Distribution {
        if let Value::Object(fields) = raw {
            self.leave_out(fields, &KEPT, "distribution.");
        }
        let size = raw.get("byteSize").and_then(|size| match size {
            Value::String(text) => text.trim().parse().ok(),
            number => number.as_u64(),
        });
        let text = |key: &str| field::text(raw, key).map(|found| found.text).unwrap_or_default();
        let title = if raw.get("title").is_some() { text("title") } else { text("name") };
        let description = self.cleaner.paragraphs(&text("description"));
        if description.chars().count() > DESCRIPTION_CHARS_MAX {
            self.notice(format!(
                "a distribution's description is longer than {DESCRIPTION_CHARS_MAX} characters: it was cut"
            ));
        }
        let address = |key: &str| field::address_or_name(raw, key).unwrap_or_default();
        Distribution {
            access_url: self.url("accessURL", raw),
            download_url: self.url("downloadURL", raw),
            media_type: self.cleaner.code(&text("mediaType"), LINE_CHARS_MAX),
            format: self.cleaner.code(&text("format"), LINE_CHARS_MAX),
            title: self.bounded_line("a distribution's title", &title, LINE_CHARS_MAX),
            description: cut(&description, DESCRIPTION_CHARS_MAX),
            byte_size: size.unwrap_or_default(),
            conforms_to: self.cleaner.code(&address("conformsTo"), PUBLISHED_CHARS_MAX),
            licence: self.licence(raw),
            rights: self.rights(raw),
            described_by: self.url("describedBy", raw),
        }
    }
}

/// Whether there is more in it than its type.
fn says_what_it_is(fields: &Map<String, Value>) -> bool {
    fields.iter().any(|(key, value)| !key.starts_with('@') && field::says_something(value))
}

/// Project Open Data 1.0 had the links in the dataset itself.
fn of_dataset(record: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    let given = |key: &str| record.get(key).filter(|value| field::says_something(value));
    if given("accessURL").or(given("downloadURL")).is_some() {
        let keys = ["accessURL", "downloadURL", "format", "mediaType"];
        let fields = keys.iter().filter_map(|key| Some(((*key).to_owned(), given(key)?.clone())));
        found.push(Value::Object(fields.collect()));
    }
    if let Some(service) = given("webService") {
        found.push(json!({"accessURL": service, "format": "API"}));
    }
    found
}
