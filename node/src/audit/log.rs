//! The files of one log, appended to. Blocking: the daemon writes through its own thread, a local command directly.
//!
//! Two processes may append to one folder, a node and a command beside it: a lock is held for each group, and whoever
//! takes it looks first at what the other one wrote. It must never go on after a failed flush, and never shorten what
//! was whole.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt as _, FileExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{FallocateFlags, fallocate},
    io::Errno,
};
use wego_proto::{
    audit::{hash_of, seal},
    key::{PublicKey, SecretKey},
};

use super::{
    AuditError, Room, SEGMENT_BYTES, SPARE_BYTES, STEP_BYTES,
    event::{Actor, Event, Outcome},
    files::{End, Head, Segment, keep_head, kept_head},
};

const LOCK: &str = "LOCK";
/// Bytes of a block in what the file system says of a file.
const BLOCK_BYTES: u64 = 512;

/// An audit log, open for writing.
pub struct Log {
    dir: PathBuf,
    key: SecretKey,
    room: Room,
    lock: File,
    segment_bytes: u64,
    head: Head,
    tail: Option<Tail>,
    /// What was not as it was left; the next event is preceded by it.
    found: Vec<String>,
    /// A flush failed.
    broken: bool,
}

/// The file that is appended to.
struct Tail {
    file: File,
    bytes: u64,
    /// Bytes it has on disk, the empty ones after its end included.
    taken: u64,
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log").field("dir", &self.dir).field("head", &self.head).finish_non_exhaustive()
    }
}

impl Log {
    /// Opens the log in `dir`, creating the folder when there is none. `key` is the member's log key; `room` is asked
    /// before more space is taken.
    ///
    /// # Errors
    /// [`AuditError::Io`].
    pub fn open(dir: &Path, key: SecretKey, room: Room) -> Result<Self, AuditError> {
        Self::open_with(dir, key, room, SEGMENT_BYTES)
    }

    pub(super) fn open_with(
        dir: &Path,
        key: SecretKey,
        room: Room,
        segment_bytes: u64,
    ) -> Result<Self, AuditError> {
        let opening = |error| AuditError::io("opening", dir)(error);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(opening)?;
        let lock =
            OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(dir.join(LOCK));
        let lock = lock.map_err(opening)?;
        let (dir, head) = (dir.to_owned(), Head::NONE);
        let (tail, found) = (None, Vec::new());
        let mut log = Self { dir, key, room, lock, segment_bytes, head, tail, found, broken: false };
        match log.reserve() {
            // Reading goes on without space.
            Ok(()) | Err(AuditError::Full { .. }) => Ok(log),
            Err(error) => Err(error),
        }
    }

    /// The key that signs.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.key.public()
    }

    /// The newest event's number and hash; 0 in an empty log.
    pub(super) const fn head(&self) -> Head {
        self.head
    }

    /// Appends events, all or none, durable on return.
    ///
    /// # Errors
    /// [`AuditError`]; nothing was appended, or it is not known what was.
    pub fn append(&mut self, events: &[Event]) -> Result<(), AuditError> {
        self.locked(|log| {
            let now_ms = events.first().map_or(0, |event| event.at_ms);
            let found: Vec<_> = log.found.iter().map(|what| of_the_node(now_ms, what)).collect();
            let (mut text, mut head) = (String::new(), log.head);
            for event in found.iter().chain(events) {
                let line = seal(&log.key, head.n + 1, &event.members(), &head.hash);
                head = Head { n: head.n + 1, hash: hash_of(&line) };
                text.push_str(&line);
                text.push('\n');
            }
            log.make_room(text.len() as u64)?;
            log.write(text.as_bytes())?;
            log.head = head;
            log.found.clear();
            if let Err(error) = keep_head(&log.dir, head) {
                // The events are durable; only a missing end would be noticed later than it could.
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the head of the audit log was not kept"
                );
            }
            Ok(())
        })
    }

    /// Takes space for later events. Succeeds also when there is only enough for some.
    ///
    /// # Errors
    /// [`AuditError::Full`] when there is none at all; [`AuditError::Io`].
    pub fn reserve(&mut self) -> Result<(), AuditError> {
        self.locked(|log| log.make_room(0))
    }

    /// Whether there is space for everything that a command may come to.
    #[must_use]
    pub fn has_spare(&self) -> bool {
        self.tail.as_ref().is_some_and(|tail| tail.taken.saturating_sub(tail.bytes) >= SPARE_BYTES)
    }

    /// Runs `work` while no other process appends, at the true end of the log.
    fn locked(&mut self, work: impl FnOnce(&mut Self) -> Result<(), AuditError>) -> Result<(), AuditError> {
        if self.broken {
            return Err(AuditError::MustBeReopened);
        }
        self.lock.lock().map_err(AuditError::io("locking", &self.dir))?;
        let done = self.look().and_then(|()| work(self));
        self.lock.unlock().map_err(AuditError::io("unlocking", &self.dir))?;
        done
    }

    /// Takes note of what another process appended. What is missing stays missing: numbers go on after what was
    /// written last, so that the gap shows for ever.
    fn look(&mut self) -> Result<(), AuditError> {
        let failed = |error| AuditError::io("reading", &self.dir)(error);
        let kept = kept_head(&self.dir).unwrap_or(Head::NONE);
        if let Some(tail) = &self.tail
            && kept == self.head
            && tail.file.metadata().map_err(failed)?.len() == tail.bytes
        {
            return Ok(());
        }
        let end = End::find(&self.dir).map_err(failed)?;
        let mut found = Vec::new();
        if end.torn_bytes > 0 {
            found.push(format!("{} bytes of an interrupted write were cut off", end.torn_bytes));
        }
        let known = if kept.n > self.head.n { kept } else { self.head };
        let missing = end.head.n < known.n || (end.head.n == known.n && end.head.hash != known.hash);
        if missing {
            found.push(format!("events up to {} were written, the files end at {}", known.n, end.head.n));
        }
        for what in &found {
            tracing::error!(what, "the audit log is not as it was left");
        }
        self.head = if missing { known } else { end.head };
        self.tail = end.segment.map(|segment| Tail::open(&segment, end.bytes)).transpose().map_err(failed)?;
        self.found.extend(found);
        Ok(())
    }

    /// Sees that `bytes` can be written, in a new file when this one is full, and takes space ahead.
    fn make_room(&mut self, bytes: u64) -> Result<(), AuditError> {
        let full =
            self.tail.as_ref().is_some_and(|tail| tail.bytes + bytes > self.segment_bytes && tail.bytes > 0);
        if full || self.tail.is_none() {
            let segment = Segment::named(&self.dir, self.head.n + 1);
            let file = segment.create().map_err(|error| self.of_writing(error))?;
            if let Some(tail) = self.tail.replace(Tail { file, bytes: 0, taken: 0 }) {
                // Gives back what was taken ahead in vain.
                let _ = tail.file.set_len(tail.bytes);
            }
        }
        let Some(tail) = &mut self.tail else { return Err(AuditError::MustBeReopened) };
        let wanted = tail.bytes + bytes + SPARE_BYTES;
        if wanted <= tail.taken {
            return Ok(());
        }
        let taken = wanted.next_multiple_of(STEP_BYTES);
        let allowed = (self.room)(taken - tail.taken);
        match if allowed { tail.take(taken) } else { Err(io::ErrorKind::StorageFull.into()) } {
            // What was taken before is for this.
            Err(_) if tail.bytes + bytes <= tail.taken => Ok(()),
            Err(error) => Err(self.of_writing(error)),
            Ok(()) => Ok(()),
        }
    }

    fn write(&mut self, text: &[u8]) -> Result<(), AuditError> {
        let Some(tail) = &mut self.tail else { return Err(AuditError::MustBeReopened) };
        if let Err(error) = tail.file.write_all_at(text, tail.bytes) {
            // Half a group would look like tampering.
            self.broken = tail.file.set_len(tail.bytes).is_err();
            return Err(self.of_writing(error));
        }
        if let Err(error) = tail.file.sync_data() {
            self.broken = true;
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the audit log could not be made durable"
            );
            return Err(AuditError::MustBeReopened);
        }
        tail.bytes += text.len() as u64;
        Ok(())
    }

    fn of_writing(&self, error: io::Error) -> AuditError {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        match error.kind() {
            StorageFull | QuotaExceeded | FileTooLarge => AuditError::Full { dir: self.dir.clone() },
            _ => AuditError::io("writing in", &self.dir)(error),
        }
    }
}

impl Tail {
    /// Cuts off what is after `bytes`.
    fn open(segment: &Segment, bytes: u64) -> io::Result<Self> {
        let file = segment.open()?;
        let found = file.metadata()?;
        if found.len() > bytes {
            file.set_len(bytes)?;
            file.sync_all()?;
        }
        Ok(Self { bytes, taken: (found.blocks() * BLOCK_BYTES).max(bytes), file })
    }

    fn take(&mut self, bytes: u64) -> io::Result<()> {
        match fallocate(&self.file, FallocateFlags::KEEP_SIZE, 0, bytes) {
            // A file system that cannot take space ahead tells of a full disk when it is written to.
            Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS) => {
                self.taken = bytes;
                Ok(())
            }
            Err(errno) => Err(errno.into()),
        }
    }
}

/// What the log says about itself.
fn of_the_node(at_ms: u64, what: &str) -> Event {
    let mut event = Event::new(at_ms, Actor::node(), "wego-node", "audit-log", Outcome::Done);
    event.target = "audit log".to_owned();
    what.clone_into(&mut event.reason);
    event
}
