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

use std::borrow::Cow;

use maud::{Markup, html};

use super::{frame::Page, limits, reader::Reader, refusal::Refusal, text::tamed, visit::Visit};

/// The start page without a query, the results with one.
///
/// # Errors
/// [`Refusal`] when the query is too long, cannot be read, or has no such page.
pub(super) fn start_or_results(visit: &Visit<'_>) -> Result<Page, Refusal> {
    let Some(query) = asked(visit.reader) else {
        return start::start(visit);
    };
    if query.chars().count() > limits::QUERY_CHARS_MAX {
        return Err(Refusal::QueryTooLong);
    }
    results::results(visit, &query)
}

/// The query, with the filter that a button adds or takes away.
fn asked(reader: &Reader) -> Option<Cow<'_, str>> {
    let query = reader.parameter("q").unwrap_or_default();
    let changed = match (reader.parameter("narrow"), reader.parameter("without")) {
        (Some(filter), _) => Cow::Owned(filters::and(query, filter)),
        (None, Some(filter)) => Cow::Owned(filters::without(query, filter)),
        (None, None) => Cow::Borrowed(query),
    };
    (!changed.is_empty()).then_some(changed)
}

/// The search box, as large on every page.
pub(super) fn search_box(reader: &Reader, query: &str) -> Markup {
    let words = reader.words;
    html! {
        form.search role="search" action="/" method="get" {
            label for="q" { (words.search_label) }
            div.search-row {
                input #q type="search" name="q" value=(tamed(query)) placeholder=(words.search_hint)
                    maxlength=(limits::QUERY_CHARS_MAX) autocomplete="off" autocapitalize="off" spellcheck="false" dir="auto";
                button type="submit" { (words.search) }
            }
            @if let Some(lang) = reader.chosen() { input type="hidden" name="lang" value=(lang); }
        }
    }
}
