//! The own-log journal: append-only files that hold the whole own log and lock its head.
//!
//! The problem: an entry acknowledged and then lost makes this member sign twice for one position. The rule: a
//! batch is one write and one `fdatasync`, and is acknowledged only after it; what cannot be proved to be the
//! rest of an interrupted write is corruption and is never cut off. It must never go on after a failed flush:
//! the kernel may have dropped the bytes and would report success the second time.

use std::{
    fs::File,
    io::{BufReader, Seek as _, SeekFrom},
    path::{Path, PathBuf},
    sync::Arc,
};

use wego_proto::{
    entry::Verified,
    id::{Origin, Position, RequestId},
    v1,
};

use crate::store::{
    HeadLock, LockedHead, StoreError, chain,
    folder_lock::FolderLock,
    journal::{
        disk::{Disk, FileSystem},
        format::{Mark, RecordReader, Segment, encode_header, encode_record, segment_name},
        scan::Scan,
    },
    requests::Requests,
    space::{Space, is_full},
};

mod disk;
mod format;
mod mend;
mod rewrite;
mod salvage;
mod scan;
#[cfg(test)]
mod tests;

pub use salvage::Salvage;

/// A segment file that has reached this many bytes is not appended to: small enough to rewrite for an erasure,
/// large enough that a million entries need sixteen files.
pub const SEGMENT_BYTES: u64 = 64 * 1_024 * 1_024;

/// The journal of one member's own log, open in one process.
#[derive(Debug)]
pub struct Journal {
    dir: PathBuf,
    origin: Origin,
    space: Arc<dyn Space>,
    disk: Box<dyn Disk>,
    segment_bytes: u64,
    segments: Vec<Segment>,
    /// The last segment's file.
    tail: Option<File>,
    head: Option<LockedHead>,
    requests: Requests,
    condition: Condition,
    _lock: FolderLock,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Condition {
    Sound,
    /// A flush failed, or a failed write could not be undone.
    MustBeReopened,
}

/// A write that did not succeed, and whether what it left behind was removed.
#[derive(Debug)]
struct Failed {
    error: std::io::Error,
    condition: Condition,
}

impl Journal {
    /// Opens the journal in `dir`, creating it when there is none, and reads all of it.
    ///
    /// The rest of an interrupted write at the very end is cut off, with a warning.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process has it open, [`StoreError::CorruptFile`],
    /// [`StoreError::NewerFormat`], [`StoreError::Io`].
    pub fn open(dir: &Path, origin: Origin, space: Arc<dyn Space>) -> Result<Self, StoreError> {
        Self::open_on(dir, origin, space, Box::new(FileSystem), SEGMENT_BYTES)
    }

    fn open_on(
        dir: &Path,
        origin: Origin,
        space: Arc<dyn Space>,
        mut disk: Box<dyn Disk>,
        segment_bytes: u64,
    ) -> Result<Self, StoreError> {
        std::fs::create_dir_all(dir).map_err(StoreError::io("creating the journal folder"))?;
        let lock = FolderLock::take(dir)?;
        let scan = Scan::of_folder(dir, origin, disk.as_mut())?;
        Self::begin(dir, scan, lock, space, disk, segment_bytes)
    }

    /// Goes on after what was read.
    fn begin(
        dir: &Path,
        scan: Scan,
        lock: FolderLock,
        space: Arc<dyn Space>,
        mut disk: Box<dyn Disk>,
        segment_bytes: u64,
    ) -> Result<Self, StoreError> {
        let Scan { segments, head, requests, origin, .. } = scan;
        let tail = segments.last().map(|last| File::options().read(true).write(true).open(&last.path));
        let tail = tail.transpose().map_err(StoreError::io("opening the journal"))?;
        if let Some(tail) = &tail {
            // Complete records that were never acknowledged must be durable before anything stands on them.
            disk.sync(tail).map_err(StoreError::io("flushing the journal"))?;
        }
        Ok(Self {
            dir: dir.to_owned(),
            origin,
            space,
            disk,
            segment_bytes,
            segments,
            tail,
            head,
            requests,
            condition: Condition::Sound,
            _lock: lock,
        })
    }

    fn sound(&self) -> Result<(), StoreError> {
        match self.condition {
            Condition::Sound => Ok(()),
            Condition::MustBeReopened => Err(StoreError::Io {
                what: "using the journal after a failed write; it must be opened anew",
                source: std::io::ErrorKind::BrokenPipe.into(),
            }),
        }
    }

    fn append(&mut self, batch: &[Verified]) -> Result<(), Failed> {
        let first = batch[0].header().at;
        let new_segment = self.segments.last().is_none_or(|last| last.bytes >= self.segment_bytes);
        let mut bytes = if new_segment { encode_header(self.origin, first) } else { Vec::new() };
        let base = if new_segment { 0 } else { self.segments.last().map_or(0, |last| last.bytes) };
        let mut marks = Vec::new();
        for entry in batch {
            marks.push(Mark { at: entry.header().at, offset: base + bytes.len() as u64 });
            encode_record(&mut bytes, &entry.to_wire());
        }
        if new_segment {
            self.create_segment(first, &bytes)?;
        } else {
            self.extend_segment(base, &bytes)?;
        }
        if let Some(last) = self.segments.last_mut() {
            last.bytes = base + bytes.len() as u64;
            marks.into_iter().for_each(|mark| last.mark(mark));
        }
        Ok(())
    }

    fn create_segment(&mut self, first: Position, bytes: &[u8]) -> Result<(), Failed> {
        let path = self.dir.join(segment_name(first));
        let file = match self.write_new(&path, bytes) {
            Ok(file) => file,
            Err(error) => {
                let undone = self.disk.remove(&path).and_then(|()| self.disk.sync_folder(&self.dir));
                return Err(Failed { error, condition: condition_after(undone) });
            }
        };
        let durable = self.disk.sync(&file).and_then(|()| self.disk.sync_folder(&self.dir));
        if let Err(error) = durable {
            // Best effort: nothing is acknowledged, and opening anew sorts out whatever stays.
            let _ = self.disk.remove(&path).and_then(|()| self.disk.sync_folder(&self.dir));
            return Err(Failed { error, condition: Condition::MustBeReopened });
        }
        self.segments.push(Segment::new(path));
        self.tail = Some(file);
        Ok(())
    }

    fn write_new(&mut self, path: &Path, bytes: &[u8]) -> std::io::Result<File> {
        let file = self.disk.create(path)?;
        self.disk.write(&file, 0, bytes)?;
        Ok(file)
    }

    fn extend_segment(&mut self, base: u64, bytes: &[u8]) -> Result<(), Failed> {
        let Some(tail) = &self.tail else {
            let error = std::io::ErrorKind::NotFound.into();
            return Err(Failed { error, condition: Condition::MustBeReopened });
        };
        if let Err(error) = self.disk.write(tail, base, bytes) {
            let undone = self.disk.truncate(tail, base).and_then(|()| self.disk.sync(tail));
            return Err(Failed { error, condition: condition_after(undone) });
        }
        if let Err(error) = self.disk.sync(tail) {
            // Bytes in the kernel's cache that are not on disk must not be found when it is opened anew.
            let _ = self.disk.truncate(tail, base).and_then(|()| self.disk.sync(tail));
            return Err(Failed { error, condition: Condition::MustBeReopened });
        }
        Ok(())
    }

    fn refuse(&mut self, failed: Failed) -> StoreError {
        let Failed { error, condition } = failed;
        if condition == Condition::Sound
            && is_full(&error)
            && let Ok(report) = self.space.check()
        {
            let (free_bytes, reserve_bytes) = (report.free_bytes, report.reserve_bytes);
            return StoreError::Full { free_bytes, reserve_bytes };
        }
        self.condition = Condition::MustBeReopened;
        StoreError::Io { what: "writing the journal", source: error }
    }
}

impl HeadLock for Journal {
    fn load(&mut self) -> Result<Option<LockedHead>, StoreError> {
        self.sound()?;
        Ok(self.head)
    }

    fn replace(&mut self, old: Option<&LockedHead>, batch: &[Verified]) -> Result<LockedHead, StoreError> {
        self.sound()?;
        if old != self.head.as_ref() {
            return Err(StoreError::Conflict);
        }
        let head = chain::extended(self.origin, self.head, batch)?;
        if batch.is_empty() {
            return Ok(head);
        }
        chain::readable(batch)?;
        let bytes = batch.iter().map(format::record_bytes_max).sum();
        self.space.admit(bytes)?;
        let outcome = self.append(batch);
        self.space.settle(bytes);
        outcome.map_err(|failed| self.refuse(failed))?;
        self.head = Some(head);
        batch.iter().for_each(|entry| self.requests.remember(entry.header()));
        Ok(head)
    }

    fn since(&mut self, after: Option<Position>, max: usize) -> Result<Vec<v1::Entry>, StoreError> {
        self.sound()?;
        let after = after.unwrap_or(Position { epoch: 0, seq: 0 });
        let mut found = Vec::new();
        let begin = self.segments.partition_point(|segment| segment.first() <= Some(after));
        for segment in &self.segments[begin.saturating_sub(1)..] {
            read_after(segment, after, max, &mut found)?;
            if found.len() >= max {
                break;
            }
        }
        Ok(found)
    }

    fn position_of(&self, request: &RequestId) -> Option<Position> {
        self.requests.position_of(request)
    }

    fn erase(&mut self, targets: &[Position]) -> Result<(), StoreError> {
        self.sound()?;
        self.drop_payloads(targets)
    }
}

fn condition_after(undone: std::io::Result<()>) -> Condition {
    undone.map_or(Condition::MustBeReopened, |()| Condition::Sound)
}

fn read_after(
    segment: &Segment,
    after: Position,
    max: usize,
    found: &mut Vec<v1::Entry>,
) -> Result<(), StoreError> {
    let Some(start) = segment.mark_before(after) else { return Ok(()) };
    let mut file = File::open(&segment.path).map_err(StoreError::io("opening a journal segment"))?;
    file.seek(SeekFrom::Start(start.offset)).map_err(StoreError::io("reading a journal segment"))?;
    let mut reader = RecordReader::new(BufReader::new(file), segment.bytes - start.offset);
    while found.len() < max {
        let record = reader.next_record().map_err(|damage| damage.in_file(&segment.path))?;
        let Some((entry, at)) = record else { break };
        if at > after {
            found.push(entry);
        }
    }
    Ok(())
}
