//! One process at a time in a folder.
//!
//! It must never be held by accident: closing a locked file is not enough, since a child process that is just
//! being started still has it open for a moment, so the lock is released explicitly.

use std::{
    fs::{File, TryLockError},
    path::Path,
};

use crate::store::StoreError;

/// Name of the file whose lock says that a process works in the folder.
const LOCK: &str = "LOCK";

/// The lock of a folder, released when dropped.
#[derive(Debug)]
pub(super) struct FolderLock(File);

impl FolderLock {
    /// Takes the lock of `dir`, which must exist.
    pub(super) fn take(dir: &Path) -> Result<Self, StoreError> {
        let file = File::options().write(true).create(true).truncate(false).open(dir.join(LOCK));
        let file = file.map_err(StoreError::io("opening the folder's lock file"))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(StoreError::Locked { path: dir.to_owned() }),
            Err(TryLockError::Error(error)) => Err(StoreError::io("locking the folder")(error)),
        }
    }
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}
