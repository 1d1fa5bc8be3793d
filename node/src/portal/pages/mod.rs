//! The pages, each a function of a visit. None of them knows of HTTP, and none formats a foreign text by itself.

mod about;
mod adoption;
mod core;
mod dataset;
mod facts;
mod federation;
mod filters;
mod member;
mod practice;
mod provenance;
mod record;
mod results;
mod start;

pub(super) use about::about;
pub(super) use federation::federation;
pub(super) use member::member;
pub(super) use record::record;

use super::{frame::Page, limits::QUERY_CHARS_MAX, refusal::Refusal, visit::Visit};

/// The start page without a query, the results with one.
///
/// # Errors
/// [`Refusal`] when the query is too long, cannot be read, or has no such page.
pub(super) fn start_or_results(visit: &Visit<'_>) -> Result<Page, Refusal> {
    let Some(query) = visit.reader.parameter("q") else {
        return start::start(visit);
    };
    if query.chars().count() > QUERY_CHARS_MAX {
        return Err(Refusal::QueryTooLong);
    }
    results::results(visit, query)
}
