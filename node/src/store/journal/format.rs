//! How a journal segment looks on disk. The only place that says so.
//!
//! ```text
//! segment = "WEGOJRNL" | version u32 | origin u32 | epoch u32 | seq u64 | crc32 of these u32 | record*
//! record  = length u32 | crc32 of the content u32 | crc32 of these eight bytes u32 | content | 0xE5
//! content = encoded wego.v1.Entry, payload and nonce included
//! ```
//! Numbers are big-endian; epoch and seq are those of the first record, and stand in the file's name too. The
//! length has a checksum of its own, and a record ends in a byte that is not zero, so that no single damaged byte
//! of a complete record looks like the rest of an interrupted write. A reader must never trust a length before
//! its checksum.

use std::{
    io::{self, Read},
    path::{Path, PathBuf},
};

use prost::Message as _;
use wego_proto::{
    entry::{HEADER_BYTES_MAX, NONCE_BYTES, PAYLOAD_BYTES_MAX, Verified},
    id::{Origin, Position},
    v1,
};

use crate::store::StoreError;

/// The only format there is.
pub(super) const VERSION: u32 = 1;
const MAGIC: &[u8; 8] = b"WEGOJRNL";
/// Bytes of a segment's header.
pub(super) const HEADER_BYTES: usize = 32;
/// Bytes of a record before its content.
pub(super) const RECORD_HEADER_BYTES: usize = 12;
const RECORD_END: u8 = 0xE5;
/// Signature, tags and lengths of an encoded entry, generously.
const FRAMING_BYTES_MAX: usize = 128;
/// Largest content of a record in bytes: the largest entry there can be.
pub(super) const CONTENT_BYTES_MAX: usize =
    HEADER_BYTES_MAX + PAYLOAD_BYTES_MAX + NONCE_BYTES + FRAMING_BYTES_MAX;
/// A place is remembered for every so many records: a million entries cost 380 KiB, and a read skips at most
/// so many records.
const MARK_EVERY: usize = 64;

/// One segment file, as it was acknowledged.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
    marks: Vec<Mark>,
    records: usize,
}

/// Where a record begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) at: Position,
    pub(super) offset: u64,
}

impl Segment {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, bytes: 0, marks: Vec::new(), records: 0 }
    }

    pub(super) fn mark(&mut self, mark: Mark) {
        if self.records.is_multiple_of(MARK_EVERY) {
            self.marks.push(mark);
        }
        self.records += 1;
    }

    pub(super) fn first(&self) -> Option<Position> {
        self.marks.first().map(|mark| mark.at)
    }

    pub(super) fn records(&self) -> usize {
        self.records
    }

    /// The last remembered record at or before `at`, or else the first one.
    pub(super) fn mark_before(&self, at: Position) -> Option<Mark> {
        let after = self.marks.partition_point(|mark| mark.at <= at);
        self.marks.get(after.saturating_sub(1)).copied()
    }
}

/// What is wrong with stored bytes.
#[derive(Debug)]
pub(super) enum Damage {
    /// The file could not be read.
    Io(io::Error),
    /// The file ends before the record does.
    Short,
    /// A record's length is not what was written.
    Length,
    /// A record's content is not what was written.
    Content,
}

impl Damage {
    pub(super) fn in_file(self, path: &Path) -> StoreError {
        let what = match self {
            Self::Io(source) => return StoreError::Io { what: "reading the journal", source },
            Self::Short => "the file ends within a record",
            Self::Length => "the length of a record is damaged",
            Self::Content => "the content of a record is damaged",
        };
        StoreError::CorruptFile { path: path.to_owned(), what }
    }
}

/// The name of the segment that begins with `first`: names sort as positions do.
pub(super) fn segment_name(first: Position) -> String {
    format!("{:010}-{:016}.journal", first.epoch, first.seq)
}

pub(super) fn encode_header(origin: Origin, first: Position) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend(VERSION.to_be_bytes());
    bytes.extend(origin.0.to_be_bytes());
    bytes.extend(first.epoch.to_be_bytes());
    bytes.extend(first.seq.to_be_bytes());
    let crc = crc32fast::hash(&bytes);
    bytes.extend(crc.to_be_bytes());
    bytes
}

/// What a segment's header says: format version, origin, first position. `None` when it is damaged.
pub(super) fn decode_header(bytes: &[u8; HEADER_BYTES]) -> Option<(u32, Origin, Position)> {
    let number = |from: usize| u32_at(bytes, from);
    let whole = bytes.starts_with(MAGIC) && crc32fast::hash(&bytes[..28]) == number(28);
    let seq = (u64::from(number(20)) << 32) | u64::from(number(24));
    whole.then(|| (number(8), Origin(number(12)), Position { epoch: number(16), seq }))
}

pub(super) fn encode_record(bytes: &mut Vec<u8>, entry: &v1::Entry) {
    let start = bytes.len();
    bytes.resize(start + RECORD_HEADER_BYTES, 0);
    let content_start = bytes.len();
    bytes.extend(entry.encode_to_vec());
    let content = &bytes[content_start..];
    let len = u32::try_from(content.len()).unwrap_or(u32::MAX).to_be_bytes();
    let crc = crc32fast::hash(content).to_be_bytes();
    let header_crc = crc32fast::hash(&[len, crc].concat()).to_be_bytes();
    bytes[start..content_start].copy_from_slice(&[len, crc, header_crc].concat());
    bytes.push(RECORD_END);
}

/// An upper bound of what `entry` takes in a segment, a new segment's header included.
pub(super) fn record_bytes_max(entry: &Verified) -> u64 {
    (HEADER_BYTES + RECORD_HEADER_BYTES + entry.size() + FRAMING_BYTES_MAX) as u64
}

/// Reads records one after the other, up to an acknowledged length.
#[derive(Debug)]
pub(super) struct RecordReader<R> {
    source: R,
    left: u64,
}

impl<R: Read> RecordReader<R> {
    pub(super) fn new(source: R, bytes: u64) -> Self {
        Self { source, left: bytes }
    }

    /// Bytes not read.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// The next entry and its position, `None` at the end. Well-formed, by nobody known.
    pub(super) fn next_record(&mut self) -> Result<Option<(v1::Entry, Position)>, Damage> {
        let Some(content) = self.next_content()? else { return Ok(None) };
        let entry = v1::Entry::decode(content.as_slice()).map_err(|_| Damage::Content)?;
        let header = v1::EntryHeader::decode(entry.header.as_slice()).map_err(|_| Damage::Content)?;
        let at = v1::Position { epoch: header.epoch, seq: header.seq };
        let at = Position::try_from(at).map_err(|_| Damage::Content)?;
        Ok(Some((entry, at)))
    }

    /// The next record's content, its checksum good.
    pub(super) fn next_content(&mut self) -> Result<Option<Vec<u8>>, Damage> {
        if self.left == 0 {
            return Ok(None);
        }
        let mut header = [0; RECORD_HEADER_BYTES];
        self.fill(&mut header)?;
        let (len, content_crc) = declared_content(&header).ok_or(Damage::Length)?;
        let mut content = vec![0; len + 1];
        self.fill(&mut content)?;
        if content.pop() != Some(RECORD_END) || crc32fast::hash(&content) != content_crc {
            return Err(Damage::Content);
        }
        Ok(Some(content))
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Damage> {
        let wanted = bytes.len() as u64;
        self.left = self.left.checked_sub(wanted).ok_or(Damage::Short)?;
        self.source.read_exact(bytes).map_err(Damage::Io)
    }
}

/// Length and checksum of the content, when the checksum of both is good.
pub(super) fn declared_content(record: &[u8]) -> Option<(usize, u32)> {
    let len = u32_at(record, 0) as usize;
    let whole = crc32fast::hash(&record[..8]) == u32_at(record, 8) && len <= CONTENT_BYTES_MAX;
    whole.then(|| (len, u32_at(record, 4)))
}

fn u32_at(bytes: &[u8], from: usize) -> u32 {
    bytes[from..from + 4].iter().fold(0, |number, byte| (number << 8) | u32::from(*byte))
}
