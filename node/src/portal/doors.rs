//! The doors of the portal: one function for each address, and the one place where the library is asked.
//!
//! The library blocks, so it is asked on threads kept for that, a bounded number at a time; a question that
//! panics is answered with our apology and logged, and takes nothing else down.

use std::{future::Future, sync::Arc};

use axum::{
    extract::{Path, State, rejection::PathRejection},
    response::Response,
};
use tokio::{sync::Semaphore, task::spawn_blocking};

use super::{
    Library, downloads, frame::Page, guard, limits, pages, reader::Reader, refusal::Refusal, visit::Visit,
};

/// What every door has: the library, and turns at asking it.
#[derive(Clone)]
pub(super) struct Portal {
    library: Arc<dyn Library>,
    turns: Arc<Semaphore>,
}

impl Portal {
    pub(super) fn new(library: Arc<dyn Library>) -> Self {
        Self { library, turns: Arc::new(Semaphore::new(limits::ANSWERS_AT_ONCE)) }
    }

    /// Asks `question` on a blocking thread. The turn ends with the question, also when nobody waits for the
    /// answer any more.
    async fn ask<T: Send + 'static>(
        self,
        question: impl FnOnce(&dyn Library) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let turn = self.turns.acquire_owned().await.map_err(|_| Refusal::Unavailable)?;
        let answer = spawn_blocking(move || {
            let answer = question(&*self.library);
            drop(turn);
            answer
        });
        answer.await.map_err(|error| {
            tracing::error!(%error, "a portal page could not be made");
            Refusal::Failed
        })
    }

    async fn page(
        self,
        reader: Reader,
        page: impl FnOnce(&mut Visit<'_>) -> Result<Page, Refusal> + Send + 'static,
    ) -> Response {
        let visitor = reader.clone();
        let answer = self.ask(move |library| {
            let (federation, own_handle) = (library.members(), library.own_handle());
            let mut visit = Visit::new(&visitor, library, &federation, &own_handle);
            match page(&mut visit) {
                Ok(page) => guard::shown(&visitor, &page, &visit),
                Err(refusal) => guard::refused(&visitor, &refusal, Some(&visit)),
            }
        });
        answer.await.unwrap_or_else(|refusal| guard::refused(&reader, &refusal, None))
    }

    async fn download(
        self,
        reader: Reader,
        file: impl FnOnce(&dyn Library) -> Result<downloads::File, Refusal> + Send + 'static,
    ) -> Response {
        let answer = self.ask(file).await.and_then(|file| file);
        answer.map_or_else(|refusal| guard::refused(&reader, &refusal, None), downloads::File::into_response)
    }
}

type Segment = Result<Path<String>, PathRejection>;

/// A path segment; one that is not even UTF-8 names nothing.
fn segment(segment: Segment) -> String {
    segment.map(|path| path.0).unwrap_or_default()
}

pub(super) fn start_or_results(
    State(portal): State<Portal>,
    reader: Reader,
) -> impl Future<Output = Response> {
    portal.page(reader, |visit| pages::start_or_results(visit))
}

pub(super) fn record(
    State(portal): State<Portal>,
    reader: Reader,
    id: Segment,
) -> impl Future<Output = Response> {
    portal.page(reader, |visit| pages::record(visit, &segment(id)))
}

pub(super) fn proof(
    State(portal): State<Portal>,
    reader: Reader,
    id: Segment,
) -> impl Future<Output = Response> {
    portal.download(reader, |library| downloads::proof(library, &segment(id)))
}

pub(super) fn member(
    State(portal): State<Portal>,
    reader: Reader,
    handle: Segment,
) -> impl Future<Output = Response> {
    portal.page(reader, |visit| pages::member(visit, &segment(handle)))
}

pub(super) fn federation(State(portal): State<Portal>, reader: Reader) -> impl Future<Output = Response> {
    portal.page(reader, |visit| pages::federation(visit))
}

pub(super) fn roster(State(portal): State<Portal>, reader: Reader) -> impl Future<Output = Response> {
    portal.download(reader, |library| Ok(downloads::roster(library)))
}

pub(super) fn about(State(portal): State<Portal>, reader: Reader) -> impl Future<Output = Response> {
    portal.page(reader, |visit| Ok(pages::about(visit)))
}

pub(super) fn nowhere(State(portal): State<Portal>, reader: Reader) -> impl Future<Output = Response> {
    portal.page(reader, |_| Err(Refusal::NotFound))
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering},
    };

    use futures_util::future::join_all;

    use super::*;
    use crate::portal::tests::nine_cities;

    #[tokio::test]
    async fn so_many_questions_are_asked_at_once_and_no_more() {
        let portal = Portal::new(Arc::new(nine_cities()));
        let (inside, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let full = Arc::new(Barrier::new(limits::ANSWERS_AT_ONCE));
        let questions = (0..limits::ANSWERS_AT_ONCE * 3).map(|_| {
            let (inside, most, full) = (Arc::clone(&inside), Arc::clone(&most), Arc::clone(&full));
            portal.clone().ask(move |_| {
                most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                full.wait();
                inside.fetch_sub(1, Ordering::SeqCst);
            })
        });
        assert!(join_all(questions).await.iter().all(Result::is_ok));
        assert_eq!(most.load(Ordering::SeqCst), limits::ANSWERS_AT_ONCE);
    }
}
