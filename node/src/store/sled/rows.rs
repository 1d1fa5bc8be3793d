//! How the database's rows look. The only place that says so.
//!
//! One tree, so that one batch is atomic over everything; the first byte of a key says what the row is. Numbers
//! are big-endian, so that keys sort as positions and cursors do. A row that does not have its shape must never
//! be read as something else: it is corrupt.
//!
//! | key | row |
//! |---|---|
//! | `a` origin | encoded `wego.v1.SignedReceipt`: what that member has applied |
//! | `c` | next cursor u64 |
//! | `e` origin u32, epoch u32, seq u64 | encoded `wego.v1.Entry` |
//! | `f` origin, epoch | encoded `wego.v1.ForkProof` |
//! | `h` origin, epoch | seq u64, hash |
//! | `m` `erased` | cursor u64 up to which erasures were carried out |
//! | `k` origin, epoch, seq | nothing: an entry that says something of its author's endpoints |
//! | `p` origin, epoch, seq | nothing: an entry that says what its author is called |
//! | `m` `schema` | u32 |
//! | `m` `unpurged` | nothing: payloads were dropped, and their bytes may still lie in the files |
//! | `m` `store_id` | 16 bytes |
//! | `q` origin, epoch, seq, hash | encoded `wego.v1.Entry`: one that was set aside |
//! | `r` | entries ever set aside u64; none when there is no such row |
//! | `t` first cursor u64 | origin, epoch, first seq u64, entries u64: a run in order of arrival; and, unless an earlier version wrote it, when it was first seen, ms u64 |
//! | `v` origin, record id, epoch, seq | nothing: a version of the record came to stand there with its payload |
//! | `x` origin, record id | epoch u32, seq u64: payloads before this place are not kept |
//! | `y` origin, epoch, seq | nothing: the payload at this position is not kept |

use wego_proto::id::{Hash, Origin, Position, RecordId};

use crate::store::{StoreError, sled::write::Run};

/// The only schema there is. The first one did not say where versions of a record stand, so that not all of them could be
/// erased: a store that has it is begun anew.
pub(super) const SCHEMA: u32 = 2;
pub(super) const CURSOR_KEY: &[u8] = b"c";
pub(super) const SET_ASIDE_KEY: &[u8] = b"r";
pub(super) const SCHEMA_KEY: &[u8] = b"mschema";
pub(super) const STORE_ID_KEY: &[u8] = b"mstore_id";
pub(super) const ERASED_KEY: &[u8] = b"merased";
pub(super) const UNPURGED_KEY: &[u8] = b"munpurged";
pub(super) const ENTRY: u8 = b'e';
pub(super) const FORK: u8 = b'f';
pub(super) const HEAD: u8 = b'h';
/// An entry that was set aside.
pub(super) const QUARANTINE: u8 = b'q';
pub(super) const RECEIPT: u8 = b'a';
/// An order to erase a record.
pub(super) const ORDER: u8 = b'x';
/// A position whose payload is refused.
pub(super) const REFUSED: u8 = b'y';
pub(super) const NOTICE: u8 = b'k';
pub(super) const PRESENTATION: u8 = b'p';
/// Where a version of a record stands.
pub(super) const VERSION: u8 = b'v';

/// Bytes that rows and keys of one entry take beside the entry itself, at most: its key, a head, a run, an
/// order to erase or a version, and two notices.
pub(super) const ROW_BYTES_MAX: u64 = 224;

pub(super) fn entry_key(origin: Origin, epoch: u32, seq: u64) -> [u8; 17] {
    let mut key = [ENTRY; 17];
    key[1..5].copy_from_slice(&origin.0.to_be_bytes());
    key[5..9].copy_from_slice(&epoch.to_be_bytes());
    key[9..].copy_from_slice(&seq.to_be_bytes());
    key
}

/// Where an entry says something of its author.
pub(super) fn notice_key(of: u8, origin: Origin, epoch: u32, seq: u64) -> [u8; 17] {
    let mut key = entry_key(origin, epoch, seq);
    key[0] = of;
    key
}

pub(super) fn read_notice_key(key: &[u8]) -> Result<(Origin, Position), StoreError> {
    let mut fields = Fields { what: "notice", rest: key.get(1..).unwrap_or_default() };
    let notice = (Origin(fields.u32()?), Position { epoch: fields.u32()?, seq: fields.u64()? });
    fields.end(notice)
}

/// Begins the keys of all that was set aside from a position.
pub(super) fn quarantine_prefix(origin: Origin, at: Position) -> [u8; 17] {
    let mut key = entry_key(origin, at.epoch, at.seq);
    key[0] = QUARANTINE;
    key
}

/// Where an entry stands in quarantine: more than one history of a position may end there.
pub(super) fn quarantine_key(origin: Origin, epoch: u32, seq: u64, hash: &Hash) -> Vec<u8> {
    let mut key = quarantine_prefix(origin, Position { epoch, seq }).to_vec();
    key.extend_from_slice(hash.as_bytes());
    key
}

pub(super) fn log_key(prefix: u8, origin: Origin, epoch: u32) -> [u8; 9] {
    let mut key = [prefix; 9];
    key[1..5].copy_from_slice(&origin.0.to_be_bytes());
    key[5..].copy_from_slice(&epoch.to_be_bytes());
    key
}

pub(super) fn run_key(cursor: u64) -> [u8; 9] {
    let mut key = [b't'; 9];
    key[1..].copy_from_slice(&cursor.to_be_bytes());
    key
}

pub(super) fn read_log_key(key: &[u8]) -> Result<(Origin, u32), StoreError> {
    let mut fields = Fields { what: "log key", rest: key.get(1..).unwrap_or_default() };
    let log = (Origin(fields.u32()?), fields.u32()?);
    fields.end(log)
}

/// All receipts, or all orders of one author.
pub(super) fn of_origin(prefix: u8, origin: Origin) -> [u8; 5] {
    let mut key = [prefix; 5];
    key[1..].copy_from_slice(&origin.0.to_be_bytes());
    key
}

pub(super) fn order_key(origin: Origin, record: &RecordId) -> [u8; 21] {
    let mut key = [ORDER; 21];
    key[1..5].copy_from_slice(&origin.0.to_be_bytes());
    key[5..].copy_from_slice(record.as_bytes());
    key
}

pub(super) fn read_order_key(key: &[u8]) -> Result<RecordId, StoreError> {
    let mut fields = Fields { what: "erasure", rest: key.get(5..).unwrap_or_default() };
    let record = RecordId::new(fields.take()?);
    fields.end(record)
}

/// Where a version of a record stands. It stays when the entry is set aside, for its payload does.
pub(super) fn version_key(origin: Origin, record: &RecordId, at: Position) -> [u8; 33] {
    let mut key = [VERSION; 33];
    key[1..5].copy_from_slice(&origin.0.to_be_bytes());
    key[5..21].copy_from_slice(record.as_bytes());
    key[21..25].copy_from_slice(&at.epoch.to_be_bytes());
    key[25..].copy_from_slice(&at.seq.to_be_bytes());
    key
}

pub(super) fn read_version_key(key: &[u8]) -> Result<Position, StoreError> {
    let mut fields = Fields { what: "version", rest: key.get(21..).unwrap_or_default() };
    let at = Position { epoch: fields.u32()?, seq: fields.u64()? };
    fields.end(at)
}

pub(super) fn order_row(at: Position) -> Vec<u8> {
    [at.epoch.to_be_bytes().as_slice(), &at.seq.to_be_bytes()].concat()
}

pub(super) fn read_order(row: &[u8]) -> Result<Position, StoreError> {
    let mut fields = Fields { what: "erasure", rest: row };
    let at = Position { epoch: fields.u32()?, seq: fields.u64()? };
    fields.end(at)
}

pub(super) fn refused_key(origin: Origin, at: Position) -> [u8; 17] {
    let mut key = entry_key(origin, at.epoch, at.seq);
    key[0] = REFUSED;
    key
}

pub(super) fn read_origin_key(key: &[u8]) -> Result<Origin, StoreError> {
    let mut fields = Fields { what: "receipt", rest: key.get(1..).unwrap_or_default() };
    let origin = Origin(fields.u32()?);
    fields.end(origin)
}

pub(super) fn read_run_key(key: &[u8]) -> Result<u64, StoreError> {
    let mut fields = Fields { what: "cursor", rest: key.get(1..).unwrap_or_default() };
    let cursor = fields.u64()?;
    fields.end(cursor)
}

pub(super) fn head_row(seq: u64, hash: &Hash) -> Vec<u8> {
    [seq.to_be_bytes().as_slice(), hash.as_bytes()].concat()
}

pub(super) fn read_head(row: &[u8]) -> Result<(u64, Hash), StoreError> {
    let mut fields = Fields { what: "head", rest: row };
    let head = (fields.u64()?, Hash::new(fields.take()?));
    fields.end(head)
}

pub(super) fn run_row(run: &Run) -> Vec<u8> {
    let Run { origin, epoch, first_seq, entries, seen_ms } = run;
    let (first_seq, entries) = (first_seq.to_be_bytes(), entries.to_be_bytes());
    let mut row = [origin.0.to_be_bytes().as_slice(), &epoch.to_be_bytes(), &first_seq, &entries].concat();
    row.extend(seen_ms.iter().flat_map(|ms| ms.to_be_bytes()));
    row
}

pub(super) fn read_run(row: &[u8]) -> Result<Run, StoreError> {
    let mut fields = Fields { what: "arrival run", rest: row };
    let (origin, epoch) = (Origin(fields.u32()?), fields.u32()?);
    let (first_seq, entries) = (fields.u64()?, fields.u64()?);
    let seen_ms = if fields.rest.is_empty() { None } else { Some(fields.u64()?) };
    let run = Run { origin, epoch, first_seq, entries, seen_ms };
    fields.end(run)
}

pub(super) fn read_cursor(row: &[u8]) -> Result<u64, StoreError> {
    let mut fields = Fields { what: "cursor", rest: row };
    let cursor = fields.u64()?;
    fields.end(cursor)
}

pub(super) fn read_schema(row: &[u8]) -> Result<u32, StoreError> {
    let mut fields = Fields { what: "schema version", rest: row };
    let schema = fields.u32()?;
    fields.end(schema)
}

/// Takes fixed fields off a row, in order.
struct Fields<'row> {
    what: &'static str,
    rest: &'row [u8],
}

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        let (field, rest) = self.rest.split_first_chunk().ok_or(StoreError::Corrupt { what: self.what })?;
        self.rest = rest;
        Ok(*field)
    }

    fn u32(&mut self) -> Result<u32, StoreError> {
        self.take().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Result<u64, StoreError> {
        self.take().map(u64::from_be_bytes)
    }

    fn end<T>(self, value: T) -> Result<T, StoreError> {
        if self.rest.is_empty() { Ok(value) } else { Err(StoreError::Corrupt { what: self.what }) }
    }
}
