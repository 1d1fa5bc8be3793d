//! Reading a whole journal when it is opened, and telling an interrupted write from damage.
//!
//! Only what an interrupted write at the very end can leave is cut off: a record that the file is too short for,
//! or one that ends in zeros which reach to the end of the file. Everything else that does not read back must be
//! reported and never cut, for it may have been acknowledged.

use std::{
    fs::File,
    io::{BufReader, Read, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

use wego_proto::{
    entry::Unverified,
    id::{Origin, Position},
};

use crate::store::{
    LockedHead, StoreError, chain,
    journal::{
        disk::Disk,
        format::{
            Damage, HEADER_BYTES, Mark, RECORD_HEADER_BYTES, RecordReader, Segment, VERSION,
            declared_content, decode_header, segment_name,
        },
    },
    requests::Requests,
};

/// What a journal folder holds.
#[derive(Debug)]
pub(super) struct Scan {
    pub(super) segments: Vec<Segment>,
    pub(super) head: Option<LockedHead>,
    pub(super) requests: Requests,
    pub(super) origin: Origin,
    /// Bytes up to the end of the last good record of the segment that was read last; 0 when none counts.
    pub(super) good_bytes: u64,
}

/// Ends the name of a segment that is being written anew.
pub(super) const REWRITE_SUFFIX: &str = "new";

/// Where in the journal a segment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Inner,
    Last,
}

impl Scan {
    /// Reads every segment of `dir` and cuts off what an interrupted write has left.
    pub(super) fn of_folder(dir: &Path, origin: Origin, disk: &mut dyn Disk) -> Result<Self, StoreError> {
        let mut scan = Self::new(origin);
        scan.read(dir, disk)?;
        Ok(scan)
    }

    pub(super) fn new(origin: Origin) -> Self {
        Self { segments: Vec::new(), head: None, requests: Requests::default(), origin, good_bytes: 0 }
    }

    /// Takes in every segment of `dir`, as far as they are good.
    pub(super) fn read(&mut self, dir: &Path, disk: &mut dyn Disk) -> Result<(), StoreError> {
        drop_rewrites(dir, disk)?;
        let paths = segment_paths(dir)?;
        for (number, path) in paths.iter().enumerate() {
            let place = if number + 1 == paths.len() { Place::Last } else { Place::Inner };
            self.segment(path, place, disk)?;
        }
        Ok(())
    }

    fn segment(&mut self, path: &Path, place: Place, disk: &mut dyn Disk) -> Result<(), StoreError> {
        self.good_bytes = 0;
        let opened = File::options().read(true).write(true).open(path);
        let mut file = opened.map_err(StoreError::io("opening a journal segment"))?;
        let bytes = file.metadata().map_err(StoreError::io("reading a journal segment"))?.len();
        if place == Place::Last && header_is_torn(&mut file).map_err(StoreError::io("reading the journal"))? {
            return drop_segment(path, bytes, disk);
        }
        let first = self.check_header(&mut file, path)?;
        let mut segment = Segment::new(path.to_owned());
        let mut reader = RecordReader::new(BufReader::new(&file), bytes - HEADER_BYTES as u64);
        segment.bytes = HEADER_BYTES as u64;
        let damage = loop {
            match self.record(&mut reader, path) {
                Ok(Some(at)) if segment.records() == 0 && at != first => {
                    return Err(corrupt(path, "its first record is not the one that its name says"));
                }
                Ok(Some(at)) => segment.mark(Mark { at, offset: segment.bytes }),
                Ok(None) => break None,
                Err(Refused::Damage(damage)) => break Some(damage),
                Err(Refused::Store(error)) => return Err(error),
            }
            segment.bytes = bytes - reader.left();
            self.good_bytes = segment.bytes;
        };
        drop(reader);
        if let Some(damage) = damage {
            cut_if_torn(&file, &segment, place, damage, disk)?;
        }
        if segment.records() == 0 && place == Place::Last {
            return drop_segment(path, bytes, disk);
        }
        if segment.first() != Some(first) {
            return Err(corrupt(path, "there is no record in it"));
        }
        self.segments.push(segment);
        Ok(())
    }

    fn check_header(&self, file: &mut File, path: &Path) -> Result<Position, StoreError> {
        let mut bytes = [0; HEADER_BYTES];
        file.read_exact(&mut bytes).map_err(|_| corrupt(path, "the segment header is damaged"))?;
        let (version, origin, first) =
            decode_header(&bytes).ok_or_else(|| corrupt(path, "the segment header is damaged"))?;
        if version > VERSION {
            let what = "the journal";
            return Err(StoreError::NewerFormat { what, found: version, known: VERSION });
        }
        if origin != self.origin {
            return Err(StoreError::OtherOrigin { path: path.to_owned(), found: origin, own: self.origin });
        }
        let name = segment_name(first);
        if path.file_name().is_none_or(|found| found != name.as_str()) {
            return Err(corrupt(path, "its name is not the one that its header says"));
        }
        Ok(first)
    }

    /// Reads one record and checks that it follows the one before.
    fn record<R: Read>(
        &mut self,
        reader: &mut RecordReader<R>,
        path: &Path,
    ) -> Result<Option<Position>, Refused> {
        let Some((entry, _)) = reader.next_record()? else { return Ok(None) };
        let entry =
            Unverified::parse(entry).map_err(|_| corrupt(path, "a record holds no well-formed entry"))?;
        let header = entry.header();
        if !chain::extends(self.origin, self.head.as_ref(), header) {
            return Err(corrupt(path, "a record does not follow the one before").into());
        }
        self.head = Some(LockedHead { at: header.at, hash: entry.hash() });
        self.requests.remember(header);
        Ok(Some(header.at))
    }
}

/// Why a record was not taken.
enum Refused {
    /// Its bytes do not read back; perhaps it was never written to the end.
    Damage(Damage),
    /// It reads back and is wrong.
    Store(StoreError),
}

impl From<Damage> for Refused {
    fn from(damage: Damage) -> Self {
        Self::Damage(damage)
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

fn corrupt(path: &Path, what: &'static str) -> StoreError {
    StoreError::CorruptFile { path: path.to_owned(), what }
}

pub(super) fn segment_paths(dir: &Path) -> Result<Vec<PathBuf>, StoreError> {
    paths_ending(dir, "journal")
}

fn paths_ending(dir: &Path, suffix: &str) -> Result<Vec<PathBuf>, StoreError> {
    let mut paths = Vec::new();
    for file in std::fs::read_dir(dir).map_err(StoreError::io("reading the journal folder"))? {
        let path = file.map_err(StoreError::io("reading the journal folder"))?.path();
        if path.extension().is_some_and(|extension| extension == suffix) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Removes what an interrupted erasure has left: the segment itself is whole, and is written anew when asked again.
fn drop_rewrites(dir: &Path, disk: &mut dyn Disk) -> Result<(), StoreError> {
    for path in paths_ending(dir, REWRITE_SUFFIX)? {
        disk.remove(&path).map_err(StoreError::io("removing an interrupted rewrite"))?;
    }
    Ok(())
}

/// Removes a last segment in which no record is complete: nothing in it was acknowledged.
fn drop_segment(path: &Path, bytes: u64, disk: &mut dyn Disk) -> Result<(), StoreError> {
    tracing::warn!(path = %path.display(), bytes, "removed a journal segment whose first write was interrupted");
    let dir = path.parent().unwrap_or(path);
    disk.remove(path)
        .and_then(|()| disk.sync_folder(dir))
        .map_err(StoreError::io("removing an interrupted journal segment"))
}

/// Cuts off what follows the segment's last good record, when an interrupted write has left it.
fn cut_if_torn(
    file: &File,
    segment: &Segment,
    place: Place,
    damage: Damage,
    disk: &mut dyn Disk,
) -> Result<(), StoreError> {
    if matches!(damage, Damage::Io(_)) || place == Place::Inner {
        return Err(damage.in_file(&segment.path));
    }
    let rest = read_from(file, segment.bytes).map_err(StoreError::io("reading the journal"))?;
    if !record_is_torn(&rest) {
        return Err(damage.in_file(&segment.path));
    }
    tracing::warn!(
        path = %segment.path.display(),
        offset = segment.bytes,
        bytes = rest.len(),
        "cut off an interrupted write at the end of the journal"
    );
    disk.truncate(file, segment.bytes)
        .and_then(|()| disk.sync(file))
        .map_err(StoreError::io("cutting off an interrupted write"))
}

fn read_from(mut file: &File, offset: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(offset))?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether not even the header was written to the end.
fn header_is_torn(file: &mut File) -> std::io::Result<bool> {
    let mut start = Vec::new();
    Read::by_ref(file).take(HEADER_BYTES as u64).read_to_end(&mut start)?;
    let torn = match <&[u8; HEADER_BYTES]>::try_from(start.as_slice()) {
        Ok(header) if decode_header(header).is_some() => false,
        Ok(_) => written_bytes(&read_from(file, 0)?) < HEADER_BYTES - 4,
        Err(_) => true,
    };
    file.seek(SeekFrom::Start(0))?;
    Ok(torn)
}

/// Whether `rest`, which begins with a record that does not read back, is what an interrupted write leaves.
fn record_is_torn(rest: &[u8]) -> bool {
    if rest.len() < RECORD_HEADER_BYTES {
        return true;
    }
    match declared_content(rest) {
        Some((len, _)) => {
            let end = RECORD_HEADER_BYTES + len + 1;
            rest.len() < end || written_bytes(rest) < end
        }
        None => written_bytes(rest) < RECORD_HEADER_BYTES,
    }
}

/// Bytes up to the last one that is not zero.
fn written_bytes(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)
}
