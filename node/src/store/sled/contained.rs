//! sled behind a wall: a panic inside it, which damaged bytes cause, ends here as [`StoreError::Corrupt`].
//!
//! After a panic or an error sled's state is unknown, so nothing may reach it any more: every later call is
//! refused until the store is opened anew.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use ::sled::{Db, Mode, Tree};

use crate::store::StoreError;

/// How long sled's own lock is waited for, once the folder's lock is held: sled only closes its file, and a child
/// process that is just being started still has it open for some milliseconds.
const LOCK_WAIT: Duration = Duration::from_secs(2);

/// One of sled's buffers. Four times its default, so that few of them hold all that is under way.
const SEGMENT_BYTES: usize = 2 * 1_024 * 1_024;

/// Held while a database is opened, written, flushed or closed: see `write.rs` for what happens without it.
static WRITING: Mutex<()> = Mutex::new(());

/// An open sled database.
pub(super) struct Contained {
    db: Option<Db>,
    broken: AtomicBool,
}

/// Why work on the tree ended: sled's error, or ours about what it gave us.
pub(super) enum Failure {
    Sled(::sled::Error),
    Store(StoreError),
}

impl Contained {
    /// The caller holds the folder's own lock.
    pub(super) fn open(dir: &Path, cache_bytes: u64) -> Result<Self, StoreError> {
        let opened = {
            let _writing = writing();
            catch_unwind(AssertUnwindSafe(|| open(dir, cache_bytes)))
        };
        match opened.map_err(|_| StoreError::Corrupt { what: "database" })? {
            Ok(db) => Ok(Self { db: Some(db), broken: AtomicBool::new(false) }),
            Err(error) if is_lock(&error) => Err(StoreError::Locked { path: dir.to_owned() }),
            Err(error) => Err(stored(error)),
        }
    }

    /// Does `work` that changes or flushes the tree.
    pub(super) fn write<T>(&self, work: impl FnOnce(&Tree) -> Result<T, Failure>) -> Result<T, StoreError> {
        let _writing = writing();
        self.run(work)
    }

    /// Does `work` that reads the tree.
    pub(super) fn run<T>(&self, work: impl FnOnce(&Tree) -> Result<T, Failure>) -> Result<T, StoreError> {
        let Some(db) = self.db.as_ref().filter(|_| !self.broken.load(Ordering::Acquire)) else {
            let source = std::io::ErrorKind::BrokenPipe.into();
            return Err(StoreError::Io { what: "using the database after it failed", source });
        };
        let error = match catch_unwind(AssertUnwindSafe(|| work(db))) {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(Failure::Store(error))) => return Err(error),
            Ok(Err(Failure::Sled(error))) => stored(error),
            Err(_) => StoreError::Corrupt { what: "database" },
        };
        self.broken.store(true, Ordering::Release);
        Err(error)
    }
}

impl Drop for Contained {
    fn drop(&mut self) {
        let _writing = writing();
        let db = self.db.take();
        if catch_unwind(AssertUnwindSafe(|| drop(db))).is_err() {
            tracing::warn!("the database failed while it was closed");
        }
    }
}

/// Opens a database of the node. The caller holds [`writing`].
pub(crate) fn open(dir: &Path, cache_bytes: u64) -> ::sled::Result<Db> {
    let config = config(dir, cache_bytes);
    let deadline = Instant::now() + LOCK_WAIT;
    loop {
        match config.open() {
            Err(error) if is_lock(&error) && Instant::now() < deadline => std::thread::yield_now(),
            opened => return opened,
        }
    }
}

/// How every database of the node is opened.
fn config(dir: &Path, cache_bytes: u64) -> ::sled::Config {
    ::sled::Config::default()
        .path(dir)
        .cache_capacity(cache_bytes)
        .segment_size(SEGMENT_BYTES)
        // Who writes decides when it is flushed, not a clock.
        .flush_every_ms(None)
        .use_compression(false)
        .mode(Mode::HighThroughput)
}

/// Waits until no other database of this process is opened, written, flushed or closed.
pub(crate) fn writing() -> MutexGuard<'static, ()> {
    WRITING.lock().unwrap_or_else(PoisonError::into_inner)
}

impl From<::sled::Error> for Failure {
    fn from(error: ::sled::Error) -> Self {
        Self::Sled(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

fn stored(error: ::sled::Error) -> StoreError {
    use std::io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    match error {
        // What sled reads where damaged bytes led it.
        ::sled::Error::Io(error) if matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof) => {
            StoreError::Corrupt { what: "database" }
        }
        ::sled::Error::Io(source) => StoreError::Io { what: "reading or writing the database", source },
        _ => StoreError::Corrupt { what: "database" },
    }
}

/// sled says only by its text that another process has the folder open.
fn is_lock(error: &::sled::Error) -> bool {
    matches!(error, ::sled::Error::Io(error) if error.to_string().contains("could not acquire lock"))
}
