//! Why a query is refused: the place, what was expected there, and what the reader may have meant.

use thiserror::Error;
use wego_catalogue::{kind, vocabulary, word};

use super::{CLAUSES_MAX, Filter, QUERY_CHARS_MAX};

/// Why a query was refused. The reader mends it at the place named.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("at character {}: {problem}", at + 1)]
pub struct QueryError {
    /// Characters before the place.
    pub at: usize,
    /// What is wrong there.
    pub problem: QueryProblem,
}

/// What is wrong with a query.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum QueryProblem {
    /// More than [`QUERY_CHARS_MAX`].
    #[error("expected the end: a query has at most {QUERY_CHARS_MAX} characters")]
    TooLong,
    /// More than [`CLAUSES_MAX`].
    #[error("expected the end: a query has at most {CLAUSES_MAX} words, phrases and filters")]
    TooManyClauses,
    /// A quotation mark that no other one answers.
    #[error("this phrase is not finished: expected a closing quotation mark")]
    UnfinishedPhrase,
    /// A word before a colon that is no filter.
    #[error(
        "unknown filter {name}: expected one of {}; to search for the text itself, put it in quotation marks",
        known_filters()
    )]
    UnknownFilter {
        /// As typed.
        name: String,
    },
    /// A filter without a value.
    #[error("expected a value right after {}:", filter.name())]
    NoValue {
        /// Which filter.
        filter: Filter,
    },
    /// A topic that neither the vocabulary nor any record has.
    #[error("unknown topic {value}: {}", near_topics(near))]
    UnknownTopic {
        /// As typed.
        value: String,
        /// Topics that it may mean.
        near: Vec<(&'static str, &'static str)>,
    },
    /// A value that no record can have.
    #[error("unknown {} {value}: expected {}", filter.name(), expected(*filter))]
    UnknownValue {
        /// Which filter.
        filter: Filter,
        /// As typed.
        value: String,
    },
}

impl QueryProblem {
    pub(super) fn unknown(filter: Filter, value: &str) -> Self {
        let near = || vocabulary::concepts_near(value);
        match filter {
            Filter::Topic => Self::UnknownTopic { value: value.to_owned(), near: near() },
            _ => Self::UnknownValue { filter, value: value.to_owned() },
        }
    }
}

fn near_topics(near: &[(&str, &str)]) -> String {
    if near.is_empty() {
        return "expected a code; a search without filters counts the topics that there are".to_owned();
    }
    let named = near.iter().map(|(scheme, code)| {
        let label = vocabulary::label(scheme, code, "en").unwrap_or_default();
        format!("topic:{code} ({label})")
    });
    format!("near ones are {}", named.collect::<Vec<_>>().join(", "))
}

/// The words for stages of every kind of record.
pub(super) fn stages() -> impl Iterator<Item = &'static str> {
    let practices = word::STAGES.iter().map(|(_, word)| *word);
    let adoptions = word::ADOPTION_STAGES.iter().map(|(_, word)| *word);
    let datasets = word::PUBLICATION_STATES.iter().map(|(_, word)| *word);
    practices.chain(adoptions).chain(datasets)
}

fn known_filters() -> String {
    Filter::ALL.map(|filter| format!("{}:", filter.name())).join(" ")
}

fn expected(filter: Filter) -> String {
    match filter {
        Filter::City => "a member's handle or place code".to_owned(),
        Filter::Kind => kind::KINDS.map(|(_, word)| word).join(", "),
        Filter::Stage => {
            let mut known: Vec<&str> = Vec::new();
            stages().for_each(|stage| {
                if !known.contains(&stage) {
                    known.push(stage)
                }
            });
            known.join(", ")
        }
        Filter::Lang => "a language code such as ko or pt-BR".to_owned(),
        Filter::Country => "a country code of two letters".to_owned(),
        Filter::Topic | Filter::Licence => "a value".to_owned(),
    }
}
