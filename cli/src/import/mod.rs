//! Bringing in what a city publishes elsewhere: read completely, compare, then publish, revise and withdraw.
//!
//! An import is repeatable: a source's name and a record's own identifier give the same record every time, so
//! running it twice changes nothing. No person is ever taken over, and nothing is withdrawn unless the whole
//! source was read.

pub(crate) mod data_json;
mod identity;
pub(crate) mod plan;
pub(crate) mod report;
pub(crate) mod send;
pub(crate) mod settings;
pub(crate) mod tally;

use std::collections::BTreeMap;

use serde::Serialize;
use tally::Tally;
use wego_proto::record::v1::Dataset;

pub(crate) use settings::{Lang, Settings};

/// Fields that are counted by name; what a file has beyond is counted together.
const FIELDS_MAX: usize = 200;
/// Characters of such a name.
const FIELD_CHARS_MAX: usize = 60;

/// A source, read to its end.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// Records the source lists, the bad ones included.
    pub(crate) listed: usize,
    pub(crate) items: Vec<Item>,
    /// Records that say the same as an earlier one.
    pub(crate) identical: usize,
    /// Place of each record, by its identifier and content.
    places: BTreeMap<(String, String), String>,
    /// Identifiers of records that are in the source but too bad to import: they are not withdrawn.
    pub(crate) skipped: Vec<String>,
    /// Records too bad to tell which they are: with one of them, nothing is known to have vanished.
    pub(crate) unknown: usize,
    pub(crate) findings: Findings,
    pub(crate) dropped: Dropped,
    /// Fields that have no place in a record.
    pub(crate) left_out: BTreeMap<String, Tally>,
    /// Languages that are not known, each with why.
    pub(crate) guesses: BTreeMap<(String, String), Tally>,
}

impl Reading {
    /// Adds a record, unless an earlier one says the same.
    fn add(&mut self, item: Item) {
        let key = (item.identifier.clone(), item.source_hash.clone());
        match self.places.get(&key) {
            Some(earlier) => {
                self.identical += 1;
                let message = format!("says the same as {earlier}: it is taken once");
                self.findings.notices.push(Finding::new(&item.place, message));
            }
            None => {
                self.places.insert(key, item.at.clone());
                self.items.push(item);
            }
        }
    }

    /// Counts a field that is not taken over.
    fn left_out(&mut self, field: &str, at: &str) {
        let plain = |c: char| if c.is_control() { ' ' } else { c };
        let name: String = field.chars().take(FIELD_CHARS_MAX).map(plain).collect();
        let known = self.left_out.contains_key(&name) || self.left_out.len() < FIELDS_MAX;
        self.left_out.entry(if known { name } else { "other fields".to_owned() }).or_default().note(at);
    }

    /// Counts a record whose language is taken to be `lang`.
    fn guess(&mut self, lang: &str, why: &str, at: &str) {
        let key = (lang.to_owned(), why.to_owned());
        let known = self.guesses.contains_key(&key) || self.guesses.len() < FIELDS_MAX;
        let why = if known { why } else { "another reason" };
        self.guesses.entry((lang.to_owned(), why.to_owned())).or_default().note(at);
    }
}

/// A record ready to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// Where it stands in the source, with its title.
    pub(crate) place: String,
    /// The same without.
    pub(crate) at: String,
    pub(crate) identifier: String,
    /// What tells it from others of its identifier, the most general first.
    pub(crate) marks: Vec<String>,
    pub(crate) titles: Vec<String>,
    /// Identifier of the dataset it is a part of.
    pub(crate) part_of: Option<String>,
    pub(crate) source_hash: String,
    pub(crate) dataset: Dataset,
}

/// What was noticed, with its place.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Findings {
    /// The record was not imported.
    pub(crate) errors: Vec<Finding>,
    /// Something mandatory is missing or wrong, at the source.
    pub(crate) warnings: Vec<Finding>,
    /// Something else worth a look.
    pub(crate) notices: Vec<Finding>,
    /// The record spoke of a person.
    pub(crate) persons: Vec<Finding>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    pub(crate) place: String,
    pub(crate) message: String,
}

impl Finding {
    pub(crate) fn new(place: &str, message: impl Into<String>) -> Self {
        Self { place: place.to_owned(), message: message.into() }
    }
}

/// Persons that were not taken over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Dropped {
    pub(crate) contact_names: usize,
    pub(crate) contact_emails: usize,
    /// Inside texts, each replaced by a mark.
    pub(crate) emails_in_texts: usize,
    pub(crate) phones_in_texts: usize,
    pub(crate) names_in_texts: usize,
    /// Publishers that are persons.
    pub(crate) publishers: usize,
}

#[cfg(test)]
mod tests;
