//! Texts in their languages, and the fields that hold periods, places, links and other ids.
//!
//! A language that nobody declared is taken as the likeliest and told as a guess, never passed off as known.

use serde_json::Value;
use wego_proto::record::v1::{ExternalId, Link, Period};

use super::{
    Standard,
    dataset::{LINE_CHARS_MAX, PUBLISHED_CHARS_MAX, Reader},
    field, lang, url,
};
use crate::import::Lang;

/// Languages of one text.
const LANGS_MAX: usize = 40;
/// Links, and other ids.
const ITEMS_MAX: usize = 50;
/// Fields that lead elsewhere; the second half of [`RELS`] says how.
pub(super) const LINKS: [&str; 5] = ["references", "relation", "isReferencedBy", "page", "conformsTo"];
const RELS: [&str; 5] = ["related", "related", "related", "related", "profile"];

impl Reader<'_> {
    /// The texts of a field by language, each once; several in one language are joined.
    pub(super) fn tagged(&mut self, key: &str, between: &str) -> Vec<(String, String)> {
        let mut texts: Vec<(String, String)> = Vec::new();
        for found in field::texts(self.record, key) {
            let lang = found.lang.unwrap_or_else(|| self.untagged());
            match texts.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(&lang)) {
                Some((_, text)) if *text == found.text => {}
                Some((_, text)) => *text += &format!("{between}{}", found.text),
                None => texts.push((lang, found.text)),
            }
        }
        if texts.len() > LANGS_MAX {
            self.notice(format!("has {key} in {} languages: the first {LANGS_MAX} are taken", texts.len()));
            texts.truncate(LANGS_MAX);
        }
        texts
    }

    /// The language of texts that do not say theirs.
    fn untagged(&mut self) -> String {
        if let Some(lang) = &self.untagged {
            return lang.clone();
        }
        let lang = self.guess_lang();
        self.untagged = Some(lang.clone());
        lang
    }

    fn guess_lang(&mut self) -> String {
        let or = match &self.settings.lang {
            Lang::Fixed(lang) => return lang.clone(),
            Lang::Declared { or } => or,
        };
        let own = lang::declared(self.record);
        let of = if own.tags.is_empty() && own.unknown.is_none() { &self.catalogue.languages } else { &own };
        let (lang, why) = match (of.tags.as_slice(), &of.unknown) {
            ([one], _) => return one.clone(),
            ([first, ..], _) => (first, "several languages are declared".to_owned()),
            ([], Some(unknown)) => {
                (or, format!("{:?} is no language known", crate::output::cut(unknown, 40)))
            }
            ([], None) => (or, "no language is declared".to_owned()),
        };
        self.reading.guess(lang, &why, self.at);
        lang.clone()
    }

    pub(super) fn modified(&mut self) -> String {
        let modified = self.code("modified", LINE_CHARS_MAX);
        if modified.is_empty() {
            if self.catalogue.standard != Standard::DcatUs3 {
                self.warn("modified is missing");
            }
        } else if !is_time(&modified) {
            self.warn(format!("modified is no date: {modified:?}"));
        }
        modified
    }

    pub(super) fn spatial(&mut self) -> String {
        let named = field::text(self.record, "spatial").map(|found| found.text);
        let text = match self.record.get("spatial") {
            Some(Value::Object(object)) if object.contains_key("type") => self.record["spatial"].to_string(),
            Some(value @ (Value::Object(_) | Value::Array(_))) if field::says_something(value) => {
                // A list of names reads as one; numbers and shapes are kept as they are.
                let names = field::list(self.record, "spatial");
                let words = names.iter().all(|name| name.parse::<f64>().is_err());
                if words && !names.is_empty() { names.join("; ") } else { value.to_string() }
            }
            _ => named.unwrap_or_default(),
        };
        let text = self.cleaner.code(&text, usize::MAX);
        if text.chars().count() > PUBLISHED_CHARS_MAX {
            self.notice(format!("spatial is longer than {PUBLISHED_CHARS_MAX} characters and was left out"));
            return String::new();
        }
        text
    }

    /// `start/end`, or an object that names both; of several the first.
    pub(super) fn temporal(&mut self) -> Option<Period> {
        let value = self.record.get("temporal")?;
        let all: Vec<&Value> = match value {
            Value::Array(values) => values.iter().filter(|value| field::says_something(value)).collect(),
            value => vec![value],
        };
        if all.len() > 1 {
            self.notice(format!("has {} periods in temporal: the first is taken", all.len()));
        }
        let ends = ["startDate", "endDate", "start", "end", "dcat:startDate", "dcat:endDate"];
        let end = |value: &Value, at: usize| {
            ends.iter().skip(at).step_by(2).find_map(|key| field::text(value, key)).map(|found| found.text)
        };
        let (start, end) = match all.first()? {
            object @ Value::Object(_) if end(object, 0).or(end(object, 1)).is_some() => {
                (end(object, 0).unwrap_or_default(), end(object, 1).unwrap_or_default())
            }
            _ => {
                let text = field::text(self.record, "temporal")?.text;
                let (start, end) = text.split_once('/').unwrap_or((&text, ""));
                (start.to_owned(), end.to_owned())
            }
        };
        let mut line = |text: &str| self.cleaner.code(text, LINE_CHARS_MAX);
        Some(Period { start: line(&start), end: line(&end) })
    }

    /// Documents about the dataset.
    pub(super) fn links(&mut self) -> Vec<Link> {
        let mut links: Vec<Link> = Vec::new();
        for (key, rel) in LINKS.iter().zip(RELS) {
            let given = match self.record.get(*key) {
                Some(Value::String(text)) => {
                    text.split([',', ';', ' ']).map(str::trim).map(str::to_owned).collect()
                }
                _ => field::addresses(self.record, key),
            };
            let given: Vec<String> = given.into_iter().filter(|text| !text.is_empty()).collect();
            let good: Vec<String> = given.iter().filter_map(|text| url::usable(text)).collect();
            if good.len() < given.len() {
                let lost = given.len() - good.len();
                self.notice(format!("{lost} entries of {key} are no usable web addresses and were left out"));
            }
            for url in good {
                if !links.iter().any(|link| link.url == url) {
                    links.push(Link { rel: rel.to_owned(), url, ..Default::default() });
                }
            }
        }
        if links.len() > ITEMS_MAX {
            self.notice(format!("has {} links: the first {ITEMS_MAX} are taken", links.len()));
            links.truncate(ITEMS_MAX);
        }
        links
    }

    pub(super) fn other_identifiers(&mut self) -> Vec<ExternalId> {
        let given: Vec<Value> = match self.record.get("otherIdentifier") {
            Some(Value::Array(values)) => values.clone(),
            Some(value) => vec![value.clone()],
            None => Vec::new(),
        };
        let mut ids = Vec::new();
        for value in given.iter().filter(|value| field::says_something(value)) {
            let one = serde_json::json!({ "id": value });
            let Some(id) = field::address_or_name(&one, "id") else { continue };
            let scheme = field::text(value, "schemaAgency").map_or("other".to_owned(), |found| found.text);
            ids.push(ExternalId {
                scheme: self.cleaner.code(&scheme, LINE_CHARS_MAX),
                value: self.cleaner.code(&id, PUBLISHED_CHARS_MAX),
            });
        }
        if ids.len() > ITEMS_MAX {
            self.notice(format!("has {} other identifiers: the first {ITEMS_MAX} are taken", ids.len()));
            ids.truncate(ITEMS_MAX);
        }
        ids
    }
}

/// A date, a time, a month, a year, or a repetition such as `R/P1D`.
fn is_time(text: &str) -> bool {
    let year = |text: &str| text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.starts_with("R/")
        || year(text)
        || (text.len() == 7 && format!("{text}-01").parse::<jiff::civil::Date>().is_ok())
        || text.parse::<jiff::civil::Date>().is_ok()
        || text.parse::<jiff::civil::DateTime>().is_ok()
        || text.parse::<jiff::Timestamp>().is_ok()
}
