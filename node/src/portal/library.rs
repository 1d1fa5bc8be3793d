//! The portal's library is the node's read handle: there is no other way for a page to reach a record.

use wego_proto::{id::RecordId, v1};

use super::{Library, LibraryError};
use crate::{
    clock::now_ms,
    engine::read::{ReadError, ReadHandle},
};

impl Library for ReadHandle {
    fn search(&self, request: v1::SearchRequest) -> Result<v1::SearchReply, LibraryError> {
        Self::search(self, &request).map_err(unavailable)
    }

    fn record(&self, id: &RecordId) -> Result<Option<v1::RecordView>, LibraryError> {
        Self::record(self, id).map_err(unavailable)
    }

    fn history(&self, id: &RecordId) -> Result<Option<v1::HistoryReply>, LibraryError> {
        Self::history(self, id).map_err(unavailable)
    }

    fn list(&self, request: v1::ListRequest) -> Result<v1::ListReply, LibraryError> {
        Self::list(self, &request).map_err(unavailable)
    }

    fn export(&self, id: &RecordId) -> Result<Option<v1::RecordProof>, LibraryError> {
        match Self::export(self, id) {
            Err(ReadError::Erased) => Ok(None),
            other => other.map_err(unavailable),
        }
    }

    fn members(&self) -> v1::ListMembersReply {
        Self::members(self).unwrap_or_else(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "members could not be read");
            v1::ListMembersReply::default()
        })
    }

    fn roster_chain(&self) -> v1::RosterChain {
        Self::roster_chain(self)
    }

    fn now_ms(&self) -> u64 {
        now_ms()
    }

    fn own_handle(&self) -> String {
        let view = self.view();
        view.handle(view.me).to_owned()
    }
}

fn unavailable(error: ReadError) -> LibraryError {
    match error {
        ReadError::Query(problem) => LibraryError::BadQuery(Box::new(problem)),
        ReadError::PageToken | ReadError::UnknownMember(_) => LibraryError::BadQuery(Box::new(error)),
        ReadError::Erased | ReadError::Corrupt { .. } | ReadError::Store(_) => {
            tracing::error!(error = &error as &dyn std::error::Error, "a page could not be read");
            LibraryError::Unavailable
        }
    }
}
