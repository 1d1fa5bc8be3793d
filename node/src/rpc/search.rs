//! `wego.v1.Search`: over everything this node holds.

use std::time::Duration;

use tonic::{Request, Response, Status};
use wego_proto::v1::{self, search_server::Search};

use super::{Doors, blocking, status};

/// Entries not indexed that a search waits for, because they are within a moment; a node that has more to index
/// answers from what it has.
const WORTH_WAITING: u64 = 1_000;
/// A search waits at most so long for the index to reach what was stored when it came.
const SEARCH_PATIENCE: Duration = Duration::from_secs(1);

#[tonic::async_trait]
impl Search for Doors {
    async fn search(&self, request: Request<v1::SearchRequest>) -> Result<Response<v1::SearchReply>, Status> {
        let request = request.into_inner();
        if self.reader.search_behind() <= WORTH_WAITING {
            self.reader.catch_up_search(SEARCH_PATIENCE).await;
        }
        let reader = self.reader.clone();
        blocking(move || reader.search(&request).map_err(|error| status::read(&error)))
            .await
            .map(Response::new)
    }
}
