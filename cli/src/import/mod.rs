//! Bringing in what a city publishes elsewhere: read completely, compare, then publish, revise and withdraw.
//!
//! An import is repeatable: a source's name and a record's own identifier give the same record every time, so
//! running it twice changes nothing. No person is ever taken over, and nothing is withdrawn unless the whole
//! source was read.

pub(crate) mod data_json;
pub(crate) mod plan;
pub(crate) mod report;
pub(crate) mod send;

use std::collections::BTreeMap;

use serde::Serialize;
use wego_proto::record::v1::{Dataset, Jurisdiction};

/// What the reader of a source must be told.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Stable name of the source.
    pub(crate) source: String,
    /// Where the source was read.
    pub(crate) imported_from: String,
    /// Where the records hold; unknown when reading without a node.
    pub(crate) jurisdiction: Option<Jurisdiction>,
    /// Language of the texts where the source does not say.
    pub(crate) lang: Lang,
    /// Licence of the texts.
    pub(crate) text_licence: String,
    /// Publisher where neither record nor catalogue names one.
    pub(crate) publisher: Option<String>,
}

/// Which language texts are in.
#[derive(Debug, Clone)]
pub(crate) enum Lang {
    /// This one, whatever the source says.
    Fixed(String),
    /// The record's own, the catalogue's, or this one.
    Declared { or: String },
}

/// A source, read to its end.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// Records the source lists, the bad ones included.
    pub(crate) listed: usize,
    pub(crate) items: Vec<Item>,
    /// Place of each identifier met.
    pub(crate) places: BTreeMap<String, String>,
    /// Identifiers of records that are in the source but too bad to import: they are not withdrawn.
    pub(crate) skipped: Vec<String>,
    /// Records too bad to tell which they are: with one of them, nothing is known to have vanished.
    pub(crate) unknown: usize,
    pub(crate) findings: Findings,
    pub(crate) dropped: Dropped,
}

/// A record ready to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) place: String,
    pub(crate) identifier: String,
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
    /// Addresses inside texts, replaced by a mark.
    pub(crate) emails_in_texts: usize,
}

#[cfg(test)]
mod tests;
