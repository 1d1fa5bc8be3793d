//! Requests that get no answer, and the page that says so.
//!
//! A refusal never repeats what was asked, except a query in the box where it can be mended.

use axum::http::StatusCode;
use maud::{Markup, html};

use super::{
    LibraryError,
    frame::Page,
    pages::search_box,
    reader::Reader,
    text::Foreign,
    words::{Words, filled},
};

/// Why a request gets no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Nothing at this address.
    NotFound,
    /// What was at this address was erased.
    Gone,
    /// The library could not read the query, and says why.
    Query {
        /// For the reader.
        reason: String,
    },
    /// The query has too many characters.
    QueryTooLong,
    /// No such page of results.
    NoSuchPage,
    /// Another method than GET and HEAD.
    Method,
    /// The request has a body.
    Body,
    /// The request target has too many bytes.
    TargetTooLong,
    /// The node cannot answer at the moment.
    Unavailable,
    /// Our own mistake.
    Failed,
}

impl From<LibraryError> for Refusal {
    fn from(error: LibraryError) -> Self {
        match error {
            LibraryError::BadQuery(source) => Self::Query { reason: source.to_string() },
            LibraryError::Unavailable => Self::Unavailable,
        }
    }
}

impl Refusal {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Gone => StatusCode::GONE,
            Self::Query { .. } | Self::QueryTooLong | Self::NoSuchPage => StatusCode::BAD_REQUEST,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Body => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TargetTooLong => StatusCode::URI_TOO_LONG,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The page that says so.
    pub(super) fn page(&self, reader: &Reader) -> Page {
        let words = reader.words;
        let (title, explanation) = self.told(words);
        let body = html! {
            div.refusal {
                p.refusal-code { (self.status().as_u16()) }
                h1 { (title) }
                (explanation)
                @if self.is_about_the_query() { (search_box(reader, reader.parameter("q").unwrap_or_default())) }
                @else { p { a.button href=(reader.link("/", &[])) { (words.to_start) } } }
            }
        };
        Page::new(title, body)
    }

    fn is_about_the_query(&self) -> bool {
        matches!(self, Self::Query { .. } | Self::QueryTooLong)
    }

    fn told(&self, words: &'static Words) -> (&'static str, Markup) {
        let plain = |title, text: &str| (title, html! { p { (text) } });
        let query =
            |reason: &str| html! { p { (words.bad_query_text) } p.reason dir="auto" { (Foreign(reason)) } };
        match self {
            Self::NotFound => plain(words.not_found, words.not_found_text),
            Self::Gone => plain(words.erased_title, words.erased),
            Self::Query { reason } => (words.bad_request, query(reason)),
            Self::QueryTooLong => {
                let max = super::limits::QUERY_CHARS_MAX.to_string();
                (words.bad_request, query(&filled(words.query_too_long, &[("n", &max)])))
            }
            Self::NoSuchPage => (words.bad_request, query(words.bad_page)),
            Self::Method | Self::Body => plain(words.not_allowed, words.not_allowed_text),
            Self::TargetTooLong => plain(words.too_long, words.too_long_text),
            Self::Unavailable => plain(words.unavailable, words.unavailable_text),
            Self::Failed => plain(words.failed, words.failed_text),
        }
    }
}
