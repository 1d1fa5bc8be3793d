//! What a reader typed, understood: words, phrases, exclusions and filters.
//!
//! A query that cannot mean what it says is refused with the place and what was expected there; it is never
//! silently changed. What is found for it is decided elsewhere.

use std::collections::BTreeMap;

use thiserror::Error;
use wego_catalogue::{kind, word};
use wego_proto::id::Origin;

/// Longest query in characters: a pasted paragraph, not a document.
pub const QUERY_CHARS_MAX: usize = 1_000;
/// Words, phrases and filters of one query; more would make one query as costly as many.
pub const CLAUSES_MAX: usize = 32;
/// Hits of one answer.
pub const LIMIT_MAX: u32 = 100;
/// Hits of one answer when the reader names no number.
pub const LIMIT_DEFAULT: u32 = 20;
/// Deepest hit a reader can page to: whoever wants more wants a list, not a search.
pub const OFFSET_MAX: u32 = 10_000;

/// A filter's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Filter {
    /// Owner.
    City,
    /// Kind of record.
    Kind,
    /// Code of a topic, with or without its scheme.
    Topic,
    /// Language of a text or of data.
    Lang,
    /// ISO 3166-1 alpha-2.
    Country,
    /// SPDX expression or URI.
    Licence,
    /// Stage or publication state.
    Stage,
}

impl Filter {
    /// All filters, in the order in which they are told.
    pub const ALL: [Self; 7] =
        [Self::Kind, Self::City, Self::Country, Self::Topic, Self::Lang, Self::Licence, Self::Stage];

    /// As it is written before the colon, and as facets are called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::City => "city",
            Self::Kind => "kind",
            Self::Topic => "topic",
            Self::Lang => "lang",
            Self::Country => "country",
            Self::Licence => "licence",
            Self::Stage => "stage",
        }
    }

    fn named(name: &str) -> Option<Self> {
        let name = match name {
            "license" => "licence",
            "language" => "lang",
            other => other,
        };
        Self::ALL.into_iter().find(|filter| filter.name() == name)
    }

    /// The term that records which pass the filter are indexed with.
    pub(super) fn term(self, value: &str) -> String {
        format!("{}:{}", self.name(), value.trim().to_lowercase())
    }
}

/// A word or phrase, as typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) text: String,
    pub(super) quoted: bool,
}

/// A query that was understood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// All must be found.
    pub(super) texts: Vec<Text>,
    /// None may be found.
    pub(super) excluded: Vec<Text>,
    /// Of each filter, any of the terms.
    pub(super) filters: BTreeMap<Filter, Vec<String>>,
    /// None of these terms.
    pub(super) excluded_filters: Vec<String>,
}

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
    /// A value that no record can have.
    #[error("unknown {} {value}: expected {}", filter.name(), expected(*filter))]
    UnknownValue {
        /// Which filter.
        filter: Filter,
        /// As typed.
        value: String,
    },
}

/// Which hits of an answer are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    limit: u32,
    offset: u32,
}

/// A page that is too long or too deep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{field} must be at most {max}")]
pub struct PageError {
    /// limit or offset.
    pub field: &'static str,
    /// The most there can be.
    pub max: u32,
}

impl Page {
    /// `limit` hits (0 is [`LIMIT_DEFAULT`]) after the best `offset`.
    ///
    /// # Errors
    /// [`PageError`] above [`LIMIT_MAX`] or [`OFFSET_MAX`].
    pub const fn new(limit: u32, offset: u32) -> Result<Self, PageError> {
        if limit > LIMIT_MAX {
            return Err(PageError { field: "limit", max: LIMIT_MAX });
        }
        if offset > OFFSET_MAX {
            return Err(PageError { field: "offset", max: OFFSET_MAX });
        }
        let limit = if limit == 0 { LIMIT_DEFAULT } else { limit };
        Ok(Self { limit, offset })
    }

    pub(super) const fn limit(self) -> usize {
        self.limit as usize
    }

    pub(super) const fn offset(self) -> usize {
        self.offset as usize
    }
}

impl Default for Page {
    fn default() -> Self {
        Self { limit: LIMIT_DEFAULT, offset: 0 }
    }
}

impl Query {
    /// Reads what was typed. `city` maps a handle or place code to its member.
    ///
    /// # Errors
    /// [`QueryError`] with the place and what was expected there.
    pub fn parse(text: &str, city: &dyn Fn(&str) -> Option<Origin>) -> Result<Self, QueryError> {
        let chars: Vec<char> = text.chars().collect();
        if chars.len() > QUERY_CHARS_MAX {
            return Err(QueryError { at: QUERY_CHARS_MAX, problem: QueryProblem::TooLong });
        }
        let mut reader = Reader { chars: &chars, at: 0, city };
        let mut query = Self::default();
        let mut clauses = 0;
        while let Some(start) = reader.next_clause() {
            clauses += 1;
            if clauses > CLAUSES_MAX {
                return Err(QueryError { at: start, problem: QueryProblem::TooManyClauses });
            }
            query.add(reader.clause()?);
        }
        Ok(query)
    }

    fn add(&mut self, clause: Clause) {
        match (clause.wanted, clause.what) {
            (Wanted::Present, What::Text(text)) => self.texts.push(text),
            (Wanted::Absent, What::Text(text)) => self.excluded.push(text),
            (Wanted::Present, What::Filter(filter, term)) => {
                self.filters.entry(filter).or_default().push(term);
            }
            (Wanted::Absent, What::Filter(_, term)) => self.excluded_filters.push(term),
        }
    }
}

enum Wanted {
    Present,
    Absent,
}

enum What {
    Text(Text),
    Filter(Filter, String),
}

struct Clause {
    wanted: Wanted,
    what: What,
}

struct Reader<'a> {
    chars: &'a [char],
    at: usize,
    city: &'a dyn Fn(&str) -> Option<Origin>,
}

impl Reader<'_> {
    /// Where the next clause begins. A dash that stands alone divides words and says nothing.
    fn next_clause(&mut self) -> Option<usize> {
        loop {
            match self.peek(0)? {
                c if c.is_whitespace() => self.at += 1,
                '-' if self.peek(1).is_none_or(|next| next == '-' || next.is_whitespace()) => self.at += 1,
                _ => return Some(self.at),
            }
        }
    }

    fn clause(&mut self) -> Result<Clause, QueryError> {
        let wanted = if self.peek(0) == Some('-') {
            self.at += 1;
            Wanted::Absent
        } else {
            Wanted::Present
        };
        Ok(Clause { wanted, what: self.what()? })
    }

    fn what(&mut self) -> Result<What, QueryError> {
        if self.peek(0).is_some_and(is_quote) {
            let text = self.quoted()?;
            return Ok(What::Text(Text { text, quoted: true }));
        }
        if let Some(name) = self.filter_name() {
            return self.filter(&name);
        }
        Ok(What::Text(Text { text: self.bare(), quoted: false }))
    }

    /// The name before a colon, where what follows is no address and no end of a sentence.
    fn filter_name(&self) -> Option<String> {
        let rest = &self.chars[self.at..];
        let colon = rest.iter().position(|c| !c.is_ascii_alphabetic())?;
        if colon == 0 || rest[colon] != ':' {
            return None;
        }
        let name = rest[..colon].iter().collect::<String>().to_ascii_lowercase();
        if Filter::named(&name).is_some() {
            return Some(name);
        }
        let ends = rest.get(colon + 1).is_none_or(|next| next.is_whitespace() || *next == '/');
        let is_text = ends || URI_SCHEMES.contains(&name.as_str());
        (!is_text).then_some(name)
    }

    fn filter(&mut self, name: &str) -> Result<What, QueryError> {
        let start = self.at;
        let Some(filter) = Filter::named(name) else {
            let problem = QueryProblem::UnknownFilter { name: name.to_owned() };
            return Err(QueryError { at: start, problem });
        };
        self.at += name.len() + 1;
        let at = self.at;
        let value = if self.peek(0).is_some_and(is_quote) { self.quoted()? } else { self.bare() };
        if value.trim().is_empty() {
            return Err(QueryError { at, problem: QueryProblem::NoValue { filter } });
        }
        let Some(value) = self.known_value(filter, value.trim()) else {
            return Err(QueryError { at, problem: QueryProblem::UnknownValue { filter, value } });
        };
        Ok(What::Filter(filter, filter.term(&value)))
    }

    fn known_value(&self, filter: Filter, value: &str) -> Option<String> {
        let lower = value.to_lowercase();
        let known = match filter {
            Filter::City => return (self.city)(value).map(|origin| origin.to_string()),
            Filter::Kind => kind::from_word(value).is_some(),
            Filter::Stage => stages().any(|stage| stage == lower),
            Filter::Lang => lower.split('-').next().is_some_and(|primary| is_letters(primary, 2..=8)),
            Filter::Country => is_letters(&lower, 2..=2),
            Filter::Topic | Filter::Licence => true,
        };
        known.then_some(lower)
    }

    fn quoted(&mut self) -> Result<String, QueryError> {
        let open = self.at;
        let rest = &self.chars[open + 1..];
        let Some(len) = rest.iter().position(|c| is_quote(*c)) else {
            return Err(QueryError { at: open, problem: QueryProblem::UnfinishedPhrase });
        };
        self.at = open + len + 2;
        Ok(rest[..len].iter().collect())
    }

    fn bare(&mut self) -> String {
        let rest = &self.chars[self.at..];
        let len = rest.iter().position(|c| c.is_whitespace() || is_quote(*c)).unwrap_or(rest.len());
        self.at += len;
        rest[..len].iter().collect()
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }
}

/// What may stand before a colon in an identifier that readers paste.
const URI_SCHEMES: [&str; 14] = [
    "http", "https", "ftp", "urn", "mailto", "doi", "tel", "geo", "info", "ark", "hdl", "isbn", "issn",
    "uuid",
];

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '“' | '”' | '„' | '＂')
}

fn is_letters(text: &str, len: std::ops::RangeInclusive<usize>) -> bool {
    len.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase())
}

fn stages() -> impl Iterator<Item = &'static str> {
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

#[cfg(test)]
mod tests;
