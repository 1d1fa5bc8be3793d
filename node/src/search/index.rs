//! The search projection: follows the store, answers queries.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use arc_swap::ArcSwap;
use tantivy::{IndexReader, TantivyError, error::DataCorruption};
use wego_catalogue::kind;
use wego_proto::{
    entry::Unverified,
    id::{Origin, Position, RecordId, StoreId},
    record::v1::RecordKind,
};

use super::{
    Facets, Found, FoundHit,
    collect::{BestFirst, Ranked, most_frequent},
    files::{self, Files},
    mark::Epochs,
    plan::Plan,
    query::{Filter, Page, Query},
    schema::Fields,
    score, spelling,
    writing::{Applied, Writing},
};
use crate::store::{Arrived, Cursor, Projection, StoreError};

const WHAT: &str = "search index";

/// An index of the newest version of every record held.
///
/// Whoever feeds it continues from [`Projection::next_cursor`] before every batch: it moves back to an earlier
/// place after an error, and to the beginning when an owner's new epoch makes indexed versions void. It calls
/// [`Projection::settle`] whenever nothing new came for a moment, and at least once a second.
pub struct Search {
    dir: PathBuf,
    store_id: StoreId,
    memory_bytes: usize,
    fields: Fields,
    /// `None` only after the index could neither be opened nor started anew.
    writing: Mutex<Option<Writing>>,
    reader: ArcSwap<IndexReader>,
    settled: AtomicU64,
}

impl fmt::Debug for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Search({}, through {})", self.dir.display(), self.settled.load(Ordering::Acquire))
    }
}

impl Search {
    /// Opens the index in `dir`, with at most `memory_bytes` for writing. One that was built from another store or
    /// by other rules, or is damaged, is deleted; [`Search::cursor`](Projection::cursor) is then 0.
    ///
    /// # Errors
    /// [`StoreError::Io`] when the directory cannot be used, or another process writes there.
    pub fn open(dir: &Path, store_id: StoreId, memory_bytes: usize) -> Result<Self, StoreError> {
        let opened = match files::open(dir, store_id) {
            Ok(Some(opened)) => opened,
            Ok(None) => files::start_anew(dir, store_id, Epochs::default()).map_err(failed)?,
            Err(error @ TantivyError::LockFailure(..)) => return Err(failed(error)),
            Err(error) => {
                tracing::warn!(%error, "search index cannot be opened and is built anew");
                files::start_anew(dir, store_id, Epochs::default()).map_err(failed)?
            }
        };
        let (_, fields) = Fields::schema();
        let reader = ArcSwap::from_pointee(opened.reader.clone());
        let settled = AtomicU64::new(opened.mark.cursor);
        let mut writing = writing(fields, store_id, memory_bytes, opened);
        writing.purge().map_err(failed)?;
        let writing = Mutex::new(Some(writing));
        Ok(Self { dir: dir.to_owned(), store_id, memory_bytes, fields, writing, reader, settled })
    }

    /// Finds records.
    ///
    /// # Errors
    /// [`StoreError::Io`] or [`StoreError::Corrupt`] when the index cannot be read.
    pub fn find(&self, query: &Query, page: Page, facets: Facets) -> Result<Found, StoreError> {
        let searcher = self.reader.load().searcher();
        let plan = Plan::of(query, &self.fields, &searcher).map_err(failed)?;
        let collector = BestFirst { keep: page.offset() + page.limit(), facets };
        let gathered = searcher.search(&plan.lookup, &collector).map_err(failed)?;
        Ok(Found {
            hits: gathered.best.iter().skip(page.offset()).map(hit).collect(),
            total: gathered.total,
            facets: most_frequent(gathered.counts),
            also_searched: plan.also_searched,
            corrected: plan.corrected,
        })
    }

    /// Whether some record passes a filter with this value.
    ///
    /// # Errors
    /// As [`Search::find`].
    pub fn has(&self, filter: Filter, value: &str) -> Result<bool, StoreError> {
        let term = filter.term(value);
        let finds = spelling::finds(
            &[self.fields.filter],
            [term.as_str()].into_iter(),
            &self.reader.load().searcher(),
        );
        finds.map(|finds| finds > 0).map_err(failed)
    }

    fn write<T>(&self, work: impl FnOnce(&mut Writing) -> tantivy::Result<T>) -> Result<T, StoreError> {
        let mut guard = self.lock();
        let writing = guard.as_mut().ok_or(LOST)?;
        let done = work(writing);
        if done.is_err() {
            writing.roll_back();
        }
        self.settled.store(writing.settled(), Ordering::Release);
        done.map_err(failed)
    }

    fn start_anew(&self, epochs: Epochs) -> Result<(), StoreError> {
        let mut guard = self.lock();
        if let Some(old) = guard.take() {
            old.close();
        }
        let opened = files::start_anew(&self.dir, self.store_id, epochs).map_err(failed)?;
        self.reader.store(opened.reader.clone().into());
        self.settled.store(0, Ordering::Release);
        *guard = Some(writing(self.fields, self.store_id, self.memory_bytes, opened));
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Writing>> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Projection for Search {
    fn name(&self) -> &'static str {
        "search"
    }

    /// Up to where queries see everything.
    fn cursor(&self) -> Result<Cursor, StoreError> {
        Ok(Cursor(self.settled.load(Ordering::Acquire)))
    }

    /// Takes entries in; queries see them after [`Projection::settle`], or when many have come.
    ///
    /// # Errors
    /// Besides those of the index, [`StoreError::Conflict`] when [`Projection::next_cursor`] had moved back and the
    /// entries begin after it; nothing was applied.
    fn apply(&self, entries: &[Arrived], next: Cursor) -> Result<(), StoreError> {
        match self.write(|writing| writing.apply(entries, next.0))? {
            Applied::Through => Ok(()),
            Applied::TooFar => Err(StoreError::Conflict),
            Applied::Void => {
                let epochs = self.lock().as_ref().map(|writing| writing.epochs().clone());
                tracing::info!("an owner's new epoch makes indexed versions void; search is built anew");
                self.start_anew(epochs.unwrap_or_default())?;
                self.write(|writing| {
                    writing.expect_all();
                    Ok(())
                })
            }
        }
    }

    fn settle(&self) -> Result<(), StoreError> {
        self.write(|writing| writing.settle())
    }

    fn forget(&self, entries: &[Unverified]) -> Result<(), StoreError> {
        self.write(|writing| writing.forget(entries))
    }

    fn next_cursor(&self) -> Result<Cursor, StoreError> {
        self.lock().as_ref().map(|writing| Cursor(writing.applied())).ok_or(LOST)
    }

    fn wipe(&self) -> Result<(), StoreError> {
        self.start_anew(Epochs::default())
    }
}

const LOST: StoreError = StoreError::Corrupt { what: WHAT };

fn writing(fields: Fields, store_id: StoreId, memory_bytes: usize, opened: Files) -> Writing {
    Writing::new(fields, store_id, memory_bytes, opened.index, opened.reader, opened.mark)
}

fn hit(ranked: &Ranked) -> FoundHit {
    let number = |value: u64| u32::try_from(value).unwrap_or_default();
    FoundHit {
        record_id: RecordId::new(ranked.id.to_be_bytes()),
        origin: Origin(number(ranked.origin)),
        at: Position { epoch: number(ranked.epoch), seq: ranked.seq },
        kind: kind::from_number(number(ranked.kind)).unwrap_or(RecordKind::Unspecified),
        score: score::score(ranked.points()),
    }
}

fn failed(error: TantivyError) -> StoreError {
    match error {
        TantivyError::DataCorruption(DataCorruption { .. }) | TantivyError::IncompatibleIndex(_) => LOST,
        TantivyError::IoError(source) => {
            StoreError::Io { what: WHAT, source: io::Error::new(source.kind(), source) }
        }
        other => StoreError::Io { what: WHAT, source: io::Error::other(other) },
    }
}
