//! Opening a journal that is damaged: what stands before the damage is kept, the rest is set aside.
//!
//! The problem: the journal locks the own log's head, so a journal that lost its end would let this member sign twice
//! for one position. The rule: before anything is moved, whoever opens it makes durable that the own log may be
//! incomplete; from then on no start signs in the old epoch, whatever crashes. It must never delete a segment, never
//! keep a record that does not follow the one before, and never take for damage what an interrupted write has left.

use std::{
    fs::File,
    io::{self, Read as _, Write as _},
    path::Path,
    sync::Arc,
};

use wego_proto::id::Origin;

use crate::store::{
    Space, StoreError,
    aside::rename_aside,
    folder_lock::FolderLock,
    journal::{
        Journal, SEGMENT_BYTES,
        disk::{Disk, FileSystem},
        format::HEADER_BYTES,
        rewrite::beside,
        scan::{Scan, segment_paths},
    },
    set_aside,
};

impl Journal {
    /// As [`Journal::open`]. Damage does not stop it: `doubt` notes durably that the own log may be incomplete, and then
    /// the damaged segment and those after it are set aside, all but the records that stand before the damage.
    ///
    /// # Errors
    /// As [`Journal::open`], but [`StoreError::CorruptFile`] only where the damage changes while it is looked at; those
    /// of `doubt`, after which nothing was moved.
    pub fn open_mended(
        dir: &Path,
        origin: Origin,
        space: Arc<dyn Space>,
        doubt: &mut dyn FnMut() -> io::Result<()>,
    ) -> Result<Self, StoreError> {
        Self::open_mended_on(dir, origin, space, Box::new(FileSystem), SEGMENT_BYTES, doubt)
    }

    pub(super) fn open_mended_on(
        dir: &Path,
        origin: Origin,
        space: Arc<dyn Space>,
        mut disk: Box<dyn Disk>,
        segment_bytes: u64,
        doubt: &mut dyn FnMut() -> io::Result<()>,
    ) -> Result<Self, StoreError> {
        std::fs::create_dir_all(dir).map_err(StoreError::io("creating the journal folder"))?;
        // Held all the time: another process must not take for damage what this one does.
        let lock = FolderLock::take(dir)?;
        let mut scan = Scan::new(origin);
        if let Err(error) = scan.read(dir, disk.as_mut()) {
            let StoreError::CorruptFile { path, .. } = &error else { return Err(error) };
            doubt().map_err(StoreError::io("noting that the own log may be incomplete"))?;
            mend(dir, path, scan.good_bytes, &error, disk.as_mut())?;
            scan = Scan::of_folder(dir, origin, disk.as_mut())?;
        }
        Self::begin(dir, scan, lock, space, disk, segment_bytes)
    }
}

/// Sets a segment aside in which `good` bytes are good, and those after it; the good bytes take its place.
fn mend(
    dir: &Path,
    damaged: &Path,
    good: u64,
    why: &StoreError,
    disk: &mut dyn Disk,
) -> Result<(), StoreError> {
    let beside = beside(damaged);
    let has_records = good > HEADER_BYTES as u64;
    if has_records {
        copy_good(damaged, &beside, good, disk)
            .map_err(StoreError::io("keeping the good part of a segment"))?;
    }
    // From the end: what is left after a crash is the beginning of the log, with its damage.
    for later in segment_paths(dir)?.into_iter().rev().filter(|path| path.as_path() > damaged) {
        let kept = rename_aside(&later)?;
        tracing::error!(path = %later.display(), kept = %kept.display(), "follows what is damaged, and set aside");
    }
    set_aside(damaged, why)?;
    if has_records {
        let named = disk.rename(&beside, damaged).and_then(|()| disk.sync_folder(dir));
        named.map_err(StoreError::io("keeping the good part of a segment"))?;
    }
    Ok(())
}

fn copy_good(from: &Path, to: &Path, bytes: u64, disk: &mut dyn Disk) -> io::Result<()> {
    disk.remove(to)?;
    let mut copy = disk.create(to)?;
    let copied = io::copy(&mut File::open(from)?.take(bytes), &mut copy)?;
    if copied != bytes {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    copy.flush()?;
    disk.sync(&copy)
}
