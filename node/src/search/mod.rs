//! Search over everything this node holds of every member: a projection that answers queries.
//!
//! Local, so that it works while every peer is away; and the same records give the same answer in the same order
//! at every node. It must never hold the only copy of anything: it can be deleted and is then built again.
//!
//! | file | question |
//! |---|---|
//! | `query` | what did the reader mean |
//! | `tokenizer` | what is a word |
//! | `plan`, `concepts`, `spelling`, `stems` | what is looked up for it |
//! | `score`, `collect` | what comes first, and how many are there |
//! | `schema` | how does a record lie in the index |
//! | `index`, `writing`, `held`, `files`, `mark` | how do records get there, and what if not |

use std::collections::BTreeMap;

use wego_proto::{
    id::{Origin, Position, RecordId},
    record::v1::RecordKind,
};

mod collect;
mod concepts;
mod directory;
mod files;
mod held;
mod index;
mod mark;
mod plan;
mod query;
mod schema;
mod score;
mod spelling;
mod stems;
pub mod tokenizer;
mod writing;

pub use self::{
    concepts::Topic,
    index::Search,
    query::{
        CLAUSES_MAX, Filter, LIMIT_DEFAULT, LIMIT_MAX, Names, OFFSET_MAX, Page, PageError, QUERY_CHARS_MAX,
        Query, QueryError, QueryProblem,
    },
    spelling::Corrected,
};

/// Whether facets are counted: that costs about as much as the search itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Facets {
    /// Count them.
    Count,
    /// Leave them out.
    Skip,
}

/// The answer to a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The page asked for, best first.
    pub hits: Vec<FoundHit>,
    /// Hits on all pages.
    pub total: u64,
    /// By the name of the [`Filter`], the most frequent values and their counts over all pages. Cities are by the
    /// number of their [`Origin`], topics as `scheme:code`; every value is good in a filter but a city's number.
    pub facets: BTreeMap<&'static str, Vec<(String, u64)>>,
    /// Topics that the query named and that were searched for too.
    pub also_searched: Vec<Topic>,
    /// Words that few records have or none, with what was tried beside them.
    pub corrected: Vec<Corrected>,
}

/// One record found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FoundHit {
    /// Which record.
    pub record_id: RecordId,
    /// Whose.
    pub origin: Origin,
    /// Which version of it.
    pub at: Position,
    /// Its kind.
    pub kind: RecordKind,
    /// Points; a whole number.
    pub score: f32,
}

#[cfg(test)]
mod tests;
