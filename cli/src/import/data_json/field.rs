//! Reading fields that are not what the standard says: numbers for texts, objects for names, lists for one.

use serde_json::Value;
use wego_proto::id::Hash;

/// A text, and whether it was one in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) text: String,
    pub(super) is_text: bool,
}

/// Keys under which an object says its name, best first.
const NAMES: [&str; 8] = ["name", "title", "prefLabel", "label", "notation", "@id", "uri", "@value"];

/// The text of a field; empty ones are absent.
pub(super) fn text(record: &Value, key: &str) -> Option<Found> {
    of_value(record.get(key)?)
}

/// All texts of a field that may be a list; one text with commas or semicolons is a list too.
pub(super) fn list(record: &Value, key: &str) -> Vec<String> {
    match record.get(key) {
        Some(Value::Array(values)) => values.iter().filter_map(of_value).map(|found| found.text).collect(),
        Some(Value::String(text)) => {
            text.split([',', ';']).map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned).collect()
        }
        Some(value) => of_value(value).map(|found| found.text).into_iter().collect(),
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
    let found = match value {
        Value::String(text) => Found { text: text.trim().to_owned(), is_text: true },
        Value::Number(number) => Found { text: number.to_string(), is_text: false },
        Value::Object(object) => {
            let name = NAMES.iter().find_map(|key| object.get(*key).and_then(of_value))?;
            Found { text: name.text, is_text: true }
        }
        Value::Array(values) => return values.iter().find_map(of_value),
        Value::Null | Value::Bool(_) => return None,
    };
    (!found.text.is_empty()).then_some(found)
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
