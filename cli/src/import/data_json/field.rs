//! Reading fields that are not what the standard says: numbers for texts, objects for names, lists for one.

use serde_json::{Map, Value};
use wego_proto::id::Hash;

use super::{lang, repair::MARK};

/// A text, the language it says it is in, and whether it was a text in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) text: String,
    pub(super) lang: Option<String>,
    pub(super) is_text: bool,
}

/// Keys under which an object says its name, best first.
const NAMES: [&str; 10] =
    ["name", "title", "prefLabel", "label", "rdfs:label", "notation", "@id", "uri", "url", "@value"];
/// Keys under which an object says its address, best first.
const ADDRESSES: [&str; 9] =
    ["@id", "url", "uri", "href", "downloadURL", "accessURL", "landingPage", "identifier", "@value"];
/// Keys that say what an object is, not what it holds.
const TYPES: [&str; 3] = ["@type", "@context", "@language"];
/// Keys that may be language codes, and never are.
const NO_LANGUAGES: [&str; 3] = ["uri", "url", "tel"];

/// The text of a field; empty ones are absent.
pub(super) fn text(record: &Value, key: &str) -> Option<Found> {
    of_value(record.get(key)?)
}

/// The text of a field in every language it is given in.
pub(super) fn texts(record: &Value, key: &str) -> Vec<Found> {
    record.get(key).map(texts_of).unwrap_or_default()
}

/// The addresses of a field that may be one text or object, or a list of them.
pub(super) fn addresses(record: &Value, key: &str) -> Vec<String> {
    match record.get(key) {
        Some(Value::Array(values)) => values.iter().filter_map(address).collect(),
        Some(value) => address(value).into_iter().collect(),
        None => Vec::new(),
    }
}

/// The address, else the name, of a field.
pub(super) fn address_or_name(record: &Value, key: &str) -> Option<String> {
    let value = record.get(key)?;
    let all = addresses(record, key);
    let web = all.iter().find(|text| text.contains("://")).or(all.first());
    web.cloned().or_else(|| of_value(value).map(|found| found.text))
}

/// All texts of a field that may be a list; one text with commas or semicolons is a list too.
pub(super) fn list(record: &Value, key: &str) -> Vec<String> {
    match record.get(key) {
        Some(Value::String(text)) => {
            text.split([',', ';']).map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned).collect()
        }
        Some(value) => texts_of(value).into_iter().map(|found| found.text).collect(),
        None => Vec::new(),
    }
}

/// The objects of a field that may be a list or one object.
pub(super) fn objects<'a>(record: &'a Value, key: &str) -> Vec<&'a Value> {
    match record.get(key) {
        Some(Value::Array(values)) => values.iter().filter(|value| value.is_object()).collect(),
        Some(value @ Value::Object(_)) => vec![value],
        _ => Vec::new(),
    }
}

/// The identifier: DCAT-US 3 wraps it into an object.
pub(super) fn identifier(record: &Value) -> Option<String> {
    match record.get("identifier")? {
        object @ Value::Object(_) => {
            let id = text(object, "@id").or_else(|| text(object, "notation"));
            id.map(|found| found.text)
        }
        value => of_value(value).map(|found| found.text),
    }
}

/// Whether there is something in a value.
pub(super) fn says_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(values) => values.iter().any(says_something),
        Value::Object(object) => object.values().any(says_something),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

/// The keys of an object that [`text`] and [`addresses`] pass over.
pub(super) fn passed_over(object: &Map<String, Value>) -> Vec<&str> {
    if is_language_map(object) {
        return Vec::new();
    }
    let first = |keys: &[&'static str]| {
        keys.iter().copied().find(|key| object.get(*key).is_some_and(|value| of_value(value).is_some()))
    };
    let read = [first(&NAMES), first(&ADDRESSES)];
    let passed = |key: &str| !read.contains(&Some(key)) && !TYPES.contains(&key);
    let said = object.iter().filter(|(_, value)| says_something(value));
    said.map(|(key, _)| key.as_str()).filter(|key| passed(key)).collect()
}

/// Takes out values that were not readable at all, and names the fields of `record` in which something was not.
pub(super) fn take_out_unreadable(record: &mut Value) -> Vec<String> {
    let Value::Object(fields) = record else { return Vec::new() };
    fields.iter_mut().filter_map(|(key, value)| mend(value).then(|| key.clone())).collect()
}

/// Counts rather than stops at the first: each one is to be mended.
fn mend(value: &mut Value) -> bool {
    match value {
        Value::String(text) if text.chars().all(|c| c == MARK) && !text.is_empty() => {
            *value = Value::Null;
            true
        }
        Value::String(text) => text.contains(MARK),
        Value::Array(values) => values.iter_mut().filter_map(|value| mend(value).then_some(())).count() > 0,
        Value::Object(object) => {
            object.values_mut().filter_map(|value| mend(value).then_some(())).count() > 0
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// SHA-256 of a source record in one canonical form: keys sorted, no spaces, persons left out, so that a new
/// contact is no new version and no person can be guessed back from the hash.
pub(super) fn canonical_hash(record: &Value) -> String {
    let mut canonical = String::new();
    write_canonical(record, &mut canonical);
    Hash::of(&[canonical.as_bytes()]).to_string()
}

/// Keys that hold persons.
pub(super) const PERSON_KEYS: [&str; 2] = ["contactPoint", "mbox"];

fn of_value(value: &Value) -> Option<Found> {
    let found = |text: String, is_text| Found { text, lang: None, is_text };
    let found = match value {
        Value::String(text) => found(text.trim().to_owned(), true),
        Value::Number(number) => found(number.to_string(), false),
        Value::Object(object) => match NAMES.iter().find_map(|key| object.get(*key).and_then(of_value)) {
            Some(name) => {
                let said =
                    ["@language", "language", "lang"].iter().find_map(|key| object.get(*key)?.as_str());
                Found { lang: name.lang.or_else(|| lang::tag(said?)), is_text: true, ..name }
            }
            None if is_language_map(object) => return texts_of(value).into_iter().next(),
            None => return None,
        },
        Value::Array(values) => return values.iter().find_map(of_value),
        Value::Null | Value::Bool(_) => return None,
    };
    (!found.text.is_empty()).then_some(found)
}

fn texts_of(value: &Value) -> Vec<Found> {
    match value {
        Value::Array(values) => values.iter().flat_map(texts_of).collect(),
        Value::Object(object) if is_language_map(object) => {
            let in_lang = |(key, value): (&String, &Value)| {
                let lang = lang::code(key);
                texts_of(value)
                    .into_iter()
                    .map(move |found| Found { lang: lang.clone(), ..found })
                    .collect::<Vec<_>>()
            };
            object.iter().flat_map(in_lang).collect()
        }
        Value::Object(object) => {
            match NAMES.iter().find_map(|key| object.get(*key).filter(|value| says_something(value))) {
                // A name may itself be in several languages.
                Some(name) if name.is_object() || name.is_array() => texts_of(name),
                _ => of_value(value).into_iter().collect(),
            }
        }
        value => of_value(value).into_iter().collect(),
    }
}

/// Whether an object is one text, by language: `{"en": "Trees", "fr": "Arbres"}`.
fn is_language_map(object: &Map<String, Value>) -> bool {
    let is_lang = |key: &str| key == "@none" || (!NO_LANGUAGES.contains(&key) && lang::code(key).is_some());
    // Alone, `id` is an identifier rather than Indonesian.
    let is_id = object.len() == 1 && object.contains_key("id");
    !object.is_empty() && !is_id && object.keys().all(|key| is_lang(key))
}

fn address(value: &Value) -> Option<String> {
    match value {
        Value::Object(object) => ADDRESSES.iter().find_map(|key| address(object.get(*key)?)),
        Value::Array(values) => values.iter().find_map(address),
        value => of_value(value).map(|found| found.text),
    }
}

fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(object) => {
            let mut keys: Vec<&String> =
                object.keys().filter(|key| !PERSON_KEYS.contains(&key.as_str())).collect();
            keys.sort();
            out.push('{');
            for (at, key) in keys.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write_canonical(&object[key], out);
            }
            out.push('}');
        }
        Value::Array(values) => {
            out.push('[');
            for (at, value) in values.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_canonical(value, out);
            }
            out.push(']');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}
