//! The disk guard: asked before every write, so that the database never meets a full disk.
//!
//! The problem: a full disk destroys the embedded database's folder, and other software fills disks too. The
//! rule: a ballast file holds the reserve; what a write can come to on disk is promised before it is accepted;
//! with too little free, writes are refused while reads go on; when others take even the space that was
//! promised, the ballast is given away so that what was accepted can be finished. It must never accept a write
//! while the ballast is gone.

use std::{
    fmt,
    fs::{File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use rustix::{
    fs::{FallocateFlags, fallocate, statvfs},
    io::Errno,
};

use crate::store::StoreError;

#[cfg(test)]
pub(in crate::store) mod small_disk;
#[cfg(test)]
mod tests;

/// Bytes that stay free beyond everything promised: each of the two databases may have begun some four segments of
/// 2 MiB that are not full, and write a snapshot, and file systems take blocks for themselves.
pub const MARGIN_BYTES: u64 = 24 * 1_024 * 1_024;

/// Name of the file that holds the reserve.
const BALLAST: &str = "ballast";
/// Bytes written at a time where the file system cannot allocate without writing.
const ZEROS: usize = 1_024 * 1_024;

/// Asked by everything that writes into the data folder.
pub trait Space: Send + Sync + fmt::Debug {
    /// Promises `bytes` to the caller until it settles them.
    ///
    /// # Errors
    /// [`StoreError::Full`]: nothing is promised; [`StoreError::Io`] when the file system does not answer.
    fn admit(&self, bytes: u64) -> Result<(), StoreError>;

    /// Says that `bytes` promised before are on disk or will not be written.
    fn settle(&self, bytes: u64);

    /// Called before finishing what was promised, and now and then: gives the ballast away when what was
    /// promised no longer fits beside it, and takes it back when there is space again.
    ///
    /// # Errors
    /// [`StoreError::Io`] when the file system does not answer.
    fn check(&self) -> Result<SpaceReport, StoreError>;
}

/// How much space there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpaceReport {
    /// Free for this process, without the ballast.
    pub free_bytes: u64,
    /// What the ballast holds when it is whole.
    pub reserve_bytes: u64,
    /// Promised and not yet settled.
    pub promised_bytes: u64,
    /// Whether writes are accepted.
    pub writes: Writes,
}

/// Whether writes are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writes {
    /// There is space.
    Accepted,
    /// There is too little; reads go on.
    Refused,
}

/// The guard of a real file system.
#[derive(Debug)]
pub struct DiskGuard {
    dir: PathBuf,
    reserve_bytes: u64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    ballast: Ballast,
    promised_bytes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ballast {
    Held,
    GivenAway,
}

impl DiskGuard {
    /// Guards the file system of `dir` with a ballast of `reserve_bytes` in it. Too little space is no error
    /// here: reads must go on, so writes are refused.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn open(dir: &Path, reserve_bytes: u64) -> Result<Self, StoreError> {
        let ballast = match std::fs::metadata(dir.join(BALLAST)) {
            // A sparse file of the right length holds nothing.
            Ok(found) if found.len() == reserve_bytes && found.blocks() * 512 >= reserve_bytes => {
                Ballast::Held
            }
            _ => Ballast::GivenAway,
        };
        let state = Mutex::new(State { ballast, promised_bytes: 0 });
        let guard = Self { dir: dir.to_owned(), reserve_bytes, state };
        if ballast == Ballast::GivenAway {
            guard.give_away()?;
        }
        guard.check()?;
        Ok(guard)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn free_bytes(&self) -> Result<u64, StoreError> {
        let found = statvfs(&self.dir).map_err(|errno| StoreError::io("reading free space")(errno.into()))?;
        Ok(found.f_bavail.saturating_mul(found.f_frsize))
    }

    /// Looks at the file system and decides about the ballast, before `wanted` more bytes are promised.
    fn look(&self, state: &mut State, wanted: u64) -> Result<SpaceReport, StoreError> {
        let needed = MARGIN_BYTES.saturating_add(state.promised_bytes).saturating_add(wanted);
        let mut free_bytes = self.free_bytes()?;
        match state.ballast {
            Ballast::GivenAway if free_bytes >= needed.saturating_add(self.reserve_bytes) => {
                if self.take_back()? == Ballast::Held {
                    state.ballast = Ballast::Held;
                    tracing::info!(reserve_bytes = self.reserve_bytes, "disk reserve is held");
                }
                free_bytes = self.free_bytes()?;
            }
            // Half the margin is spent: what was promised is in danger.
            Ballast::Held if free_bytes < state.promised_bytes.saturating_add(MARGIN_BYTES / 2) => {
                self.give_away()?;
                state.ballast = Ballast::GivenAway;
                tracing::warn!(free_bytes, "disk is full: reserve given away, writes refused");
                free_bytes = self.free_bytes()?;
            }
            Ballast::Held | Ballast::GivenAway => {}
        }
        let accepts = state.ballast == Ballast::Held && free_bytes >= needed;
        Ok(SpaceReport {
            free_bytes,
            reserve_bytes: self.reserve_bytes,
            promised_bytes: state.promised_bytes,
            writes: if accepts { Writes::Accepted } else { Writes::Refused },
        })
    }

    fn take_back(&self) -> Result<Ballast, StoreError> {
        let outcome = allocate(&self.dir.join(BALLAST), self.reserve_bytes);
        match outcome {
            Ok(()) => Ok(Ballast::Held),
            Err(error) if is_full(&error) => self.give_away().map(|()| Ballast::GivenAway),
            Err(error) => Err(StoreError::io("allocating the disk reserve")(error)),
        }
    }

    fn give_away(&self) -> Result<(), StoreError> {
        match std::fs::remove_file(self.dir.join(BALLAST)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(StoreError::io("releasing the disk reserve")(error))
            }
            _ => Ok(()),
        }
    }
}

impl Space for DiskGuard {
    fn admit(&self, bytes: u64) -> Result<(), StoreError> {
        let mut state = self.state();
        let report = self.look(&mut state, bytes)?;
        if report.writes == Writes::Refused {
            let SpaceReport { free_bytes, reserve_bytes, .. } = report;
            return Err(StoreError::Full { free_bytes, reserve_bytes });
        }
        state.promised_bytes += bytes;
        Ok(())
    }

    fn settle(&self, bytes: u64) {
        let mut state = self.state();
        state.promised_bytes = state.promised_bytes.saturating_sub(bytes);
    }

    fn check(&self) -> Result<SpaceReport, StoreError> {
        self.look(&mut self.state(), 0)
    }
}

/// Whether the error says that there is no space.
pub(super) fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

fn allocate(path: &Path, bytes: u64) -> io::Result<()> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
    if bytes == 0 {
        return Ok(());
    }
    match fallocate(&file, FallocateFlags::empty(), 0, bytes) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => write_zeros(&file, bytes),
        other => other.map_err(io::Error::from),
    }
}

fn write_zeros(mut file: &File, bytes: u64) -> io::Result<()> {
    let zeros = vec![0; ZEROS];
    let mut left = bytes;
    while left > 0 {
        let now = left.min(ZEROS as u64);
        file.write_all(&zeros[..usize::try_from(now).unwrap_or(ZEROS)])?;
        left -= now;
    }
    file.sync_all()
}

/// Accepts everything: for stores that are not on a disk, and for tests of other things.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoGuard;

impl Space for NoGuard {
    fn admit(&self, _bytes: u64) -> Result<(), StoreError> {
        Ok(())
    }

    fn settle(&self, _bytes: u64) {}

    fn check(&self) -> Result<SpaceReport, StoreError> {
        let writes = Writes::Accepted;
        Ok(SpaceReport { free_bytes: u64::MAX, reserve_bytes: 0, promised_bytes: 0, writes })
    }
}
