//! Starts the engine with the projections that follow it, in the order that lets every try come further.

use std::sync::Arc;

use crate::{
    engine::{
        Parts, Running,
        follow::{Follower, Share},
    },
    search::Search,
    store::StoreError,
};

/// Starts the engine and what follows it. The followers start first, so that what must be read before the node is
/// ready becomes less with every try; when the engine cannot start, they end as well.
pub(super) fn run(mut parts: Parts, search: Arc<Search>) -> Result<(Running, Vec<Follower>), StoreError> {
    let (store, bell) = (parts.store.clone(), parts.bell.clone());
    let follower = |projection, share| Follower::start(projection, store.clone(), bell.clone(), share);
    // The records follow as fast as anything else; the index is dear, and says how far behind it is.
    let followers =
        vec![follower(parts.records.clone(), Share::Equal)?, follower(search.clone(), Share::Rest)?];
    parts.projections =
        vec![(parts.records.clone(), followers[0].progress()), (search, followers[1].progress())];
    bell.ring(store.cursor());
    match Running::start(parts) {
        Ok(running) => Ok((running, followers)),
        Err(error) => {
            bell.stop();
            followers.into_iter().for_each(Follower::join);
            Err(error)
        }
    }
}
