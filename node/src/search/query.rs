//! What a reader typed, understood: words, phrases, exclusions and filters.
//!
//! A query that cannot mean what it says is refused with the place and what was expected there; it is never
//! silently changed. What is found for it is decided elsewhere.

use std::collections::BTreeMap;

use thiserror::Error;
use wego_catalogue::kind;
use wego_proto::id::Origin;

mod problem;

pub use problem::{QueryError, QueryProblem};

use problem::stages;

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

/// What a reader may call by a name, and only the one who asks can tell.
pub trait Names {
    /// The member with this handle or place code.
    fn city(&self, name: &str) -> Option<Origin>;
    /// Whether a topic is known, by its code with or without its scheme.
    fn has_topic(&self, value: &str) -> bool;
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
    /// Reads what was typed.
    ///
    /// # Errors
    /// [`QueryError`] with the place and what was expected there.
    pub fn parse(text: &str, names: &dyn Names) -> Result<Self, QueryError> {
        let chars: Vec<char> = text.chars().collect();
        if chars.len() > QUERY_CHARS_MAX {
            return Err(QueryError { at: QUERY_CHARS_MAX, problem: QueryProblem::TooLong });
        }
        let mut reader = Reader { chars: &chars, at: 0, names };
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
    names: &'a dyn Names,
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
            return Err(QueryError { at, problem: QueryProblem::unknown(filter, value.trim()) });
        };
        Ok(What::Filter(filter, filter.term(&value)))
    }

    fn known_value(&self, filter: Filter, value: &str) -> Option<String> {
        let lower = value.to_lowercase();
        let known = match filter {
            Filter::City => return self.names.city(value).map(|origin| origin.to_string()),
            Filter::Kind => kind::from_word(value).is_some(),
            Filter::Stage => stages().any(|stage| stage == lower),
            Filter::Lang => lower.split('-').next().is_some_and(|primary| is_letters(primary, 2..=8)),
            Filter::Country => is_letters(&lower, 2..=2),
            Filter::Topic => self.names.has_topic(&lower),
            Filter::Licence => true,
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

#[cfg(test)]
mod tests;
