//! The public web pages: what this node's verified copy of the federation says, for anyone with a browser.
//!
//! Read-only by construction: it answers GET and HEAD, holds a [`Library`] that cannot write, sends no script and
//! sets no cookie. It must never let a text written elsewhere become markup, and never show a record without
//! saying who signed it and how old the copy is.

use std::sync::Arc;

use axum::{Router, middleware::from_fn, routing::get};
use thiserror::Error;
use wego_proto::{id::RecordId, v1};

pub use serve::serve;

mod assets;
mod doors;
mod downloads;
mod format;
mod frame;
mod guard;
mod labels;
mod language;
mod library;
mod limits;
mod markdown;
mod pages;
mod reader;
mod refusal;
mod serve;
#[cfg(test)]
mod tests;
mod text;
mod visit;
mod ways;
mod words;

/// What the portal reads. Everything it shows comes from this node's verified copy.
///
/// Calls may block: they are made on threads kept for that, a bounded number at a time.
pub trait Library: Send + Sync + 'static {
    /// Finds records.
    ///
    /// # Errors
    /// [`LibraryError::BadQuery`] when the reader has to write the query differently.
    fn search(&self, request: v1::SearchRequest) -> Result<v1::SearchReply, LibraryError>;

    /// The newest version of a record, `None` when none is held; withdrawn ones are marked.
    ///
    /// # Errors
    /// [`LibraryError::Unavailable`].
    fn record(&self, id: &RecordId) -> Result<Option<v1::RecordView>, LibraryError>;

    /// All versions of a record, oldest first.
    ///
    /// # Errors
    /// [`LibraryError::Unavailable`].
    fn history(&self, id: &RecordId) -> Result<Option<v1::HistoryReply>, LibraryError>;

    /// Records by kind and owner, newest first.
    ///
    /// # Errors
    /// [`LibraryError::BadQuery`] for a page token of another list.
    fn list(&self, request: v1::ListRequest) -> Result<v1::ListReply, LibraryError>;

    /// The proof of a record, `None` when it is not held or its payload was erased.
    ///
    /// # Errors
    /// [`LibraryError::Unavailable`].
    fn export(&self, id: &RecordId) -> Result<Option<v1::RecordProof>, LibraryError>;

    /// The federation: its name, id, roster version, and all members by handle.
    fn members(&self) -> v1::ListMembersReply;

    /// The roster versions from 1 on, as signed.
    fn roster_chain(&self) -> v1::RosterChain;

    /// This node's clock: milliseconds since 1970.
    fn now_ms(&self) -> u64;

    /// Handle of the member that runs this node.
    fn own_handle(&self) -> String;
}

/// A text as a page shows it.
#[cfg(feature = "test-support")]
#[must_use]
pub fn render_markdown(text: &str) -> maud::Markup {
    markdown::render(text)
}

/// Why the library gave no answer. Reading changes nothing, so asking again is always safe.
#[derive(Debug, Error)]
pub enum LibraryError {
    /// The reader's to mend: the cause is shown to them, so it says where and what to write instead.
    #[error("the query cannot be read")]
    BadQuery(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The node's: it is starting, stopping or rebuilding an index. The reader is asked to come back.
    #[error("the library is not available")]
    Unavailable,
}

/// The pages as a service, with every limit but those that need a connection (see [`serve`]).
pub fn router(library: Arc<dyn Library>) -> Router {
    Router::new()
        .route("/", get(doors::start_or_results))
        .route("/record/{id}", get(doors::record))
        .route("/record/{id}/proof.pem", get(doors::proof))
        .route("/member/{handle}", get(doors::member))
        .route("/federation", get(doors::federation))
        .route("/roster.pem", get(doors::roster))
        .route("/about", get(doors::about))
        .route("/assets/style.css", get(assets::style))
        .route("/assets/icon.svg", get(assets::icon))
        .route("/favicon.ico", get(assets::icon))
        .route("/robots.txt", get(assets::robots))
        .fallback(doors::nowhere)
        .layer(from_fn(guard::guard))
        .with_state(doors::Portal::new(library))
}
