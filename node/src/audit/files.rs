//! The files of an audit log: their names, the end of the newest, and the head that is kept beside.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use wego_proto::{
    audit::{LINE_BYTES_MAX, Line, NO_EVENT, hash_of},
    id::Hash,
};

/// Name of the file with the newest event's number and hash.
const HEAD: &str = "head";
/// Bytes read at the end of a file to find its last line, which may follow the rest of an interrupted write.
const TAIL_BYTES: u64 = 4 * LINE_BYTES_MAX as u64;

/// The newest event of a log, or 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) n: u64,
    pub(super) hash: Hash,
}

impl Head {
    pub(super) const NONE: Self = Self { n: 0, hash: NO_EVENT };
}

/// A file of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    /// Number of its first event, as its name says.
    pub(super) first: u64,
    pub(super) path: PathBuf,
}

impl Segment {
    pub(super) fn named(dir: &Path, first: u64) -> Self {
        Self { first, path: dir.join(format!("audit-{first:012}.jsonl")) }
    }

    pub(super) fn create(&self) -> io::Result<File> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&self.path)?;
        let dir = self.path.parent().unwrap_or(Path::new("."));
        File::open(dir)?.sync_all()?;
        Ok(file)
    }

    pub(super) fn open(&self) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).open(&self.path)
    }
}

/// All files, oldest first.
pub(super) fn segments(dir: &Path) -> io::Result<Vec<Segment>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix("audit-")?.strip_suffix(".jsonl"));
        if let Some(first) = number.and_then(|number| number.parse().ok()) {
            found.push(Segment { first, path: dir.join(&name) });
        }
    }
    found.sort_by_key(|segment| segment.first);
    Ok(found)
}

/// Where a log ends on disk.
#[derive(Debug)]
pub(super) struct End {
    /// The newest file; none in an empty folder.
    pub(super) segment: Option<Segment>,
    /// Its bytes up to the end of its last whole line.
    pub(super) bytes: u64,
    /// Bytes after that: the rest of an interrupted write.
    pub(super) torn_bytes: u64,
    /// The last whole line of all files.
    pub(super) head: Head,
}

impl End {
    pub(super) fn find(dir: &Path) -> io::Result<Self> {
        let mut segments = segments(dir)?;
        let Some(newest) = segments.pop() else {
            return Ok(Self { segment: None, bytes: 0, torn_bytes: 0, head: Head::NONE });
        };
        let (bytes, torn_bytes, line) = last_line(&newest.path)?;
        let mut before = newest.first.saturating_sub(1);
        let mut line = line;
        // A file made just before a crash is empty: the last line is in the one before.
        while line.is_none() {
            let Some(older) = segments.pop() else { break };
            before = older.first.saturating_sub(1);
            line = last_line(&older.path)?.2;
        }
        let head = line.map_or(Head::NONE, |line| Head {
            // A damaged line has no number; what `verify` says of it does not depend on what follows.
            n: Line::parse(&line).map_or(before.saturating_add(1), |line| line.n()),
            hash: hash_of(&line),
        });
        Ok(Self { segment: Some(newest), bytes, torn_bytes, head })
    }
}

/// Bytes up to the end of the last whole line, bytes after it, and the line.
fn last_line(path: &Path) -> io::Result<(u64, u64, Option<String>)> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let from = length.saturating_sub(TAIL_BYTES);
    let mut tail = vec![0; usize::try_from(length - from).unwrap_or(0)];
    file.read_exact_at(&mut tail, from)?;
    let Some(end) = tail.iter().rposition(|byte| *byte == b'\n') else {
        return Ok((from, length - from, None));
    };
    let begin = tail[..end].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let line = String::from_utf8_lossy(&tail[begin..end]).into_owned();
    let whole = from + end as u64 + 1;
    Ok((whole, length - whole, Some(line)))
}

/// The head kept beside; none when there is none that can be read.
pub(super) fn kept_head(dir: &Path) -> Option<Head> {
    let text = fs::read_to_string(dir.join(HEAD)).ok()?;
    let (n, hash) = text.trim_end().split_once(' ')?;
    Some(Head { n: n.parse().ok()?, hash: hash.parse().ok()? })
}

/// Keeps `head` beside. Not flushed: after a power cut an older one only knows less.
pub(super) fn keep_head(dir: &Path, head: Head) -> io::Result<()> {
    let file =
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(dir.join(HEAD))?;
    // Always of one length, so that it is replaced as a whole.
    file.write_all_at(format!("{:020} {}\n", head.n, head.hash).as_bytes(), 0)
}
