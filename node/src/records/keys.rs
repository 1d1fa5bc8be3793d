//! The keys of the rows: one byte for the table, then fixed-length parts in big-endian order, so that the order
//! of the bytes is the order of the things. Nothing of a record's content stands in a key but as a hash.

use wego_proto::id::{Hash, Origin, Position, RecordId};
use wego_proto::record::v1::RecordKind;

/// Schema, store and cursor.
pub(super) const META: &[u8] = b"m";

/// There when contents were dropped whose bytes may still lie in the database's files.
pub(super) const UNPURGED: &[u8] = b"u";

/// Table: the latest time an origin's log has claimed in an epoch.
const TIMES: u8 = b't';
/// Table: where an epoch continues from.
const BASES: u8 = b'b';
/// Prefix of all rows that say where an epoch continues from.
pub(super) const ALL_BASES: &[u8] = &[BASES];
/// Table: when this node first saw the entry at a place. The only rows in which two replicas differ.
pub(super) const SEEN: u8 = b's';
/// Table: a version of a record, by its place in a log.
const VERSIONS: u8 = b'v';
/// Table: all rows of one record, side by side: its id is random, and so a version touches one leaf of the tree.
const RECORDS: u8 = b'r';
/// Table: records in the order of lists.
const LISTS: u8 = b'l';
/// Table: current adoptions of a record.
const ADOPTIONS: u8 = b'a';
/// Table: current records of a member and kind.
const COUNTS: u8 = b'n';

/// Of a record: what it is now, by its owner's claim.
const NOW: u8 = b'n';
/// Of a record: what one member's versions come to.
const CLAIMS: u8 = b'c';
/// Of a record: the places of its versions.
const PLACES: u8 = b'p';

/// Bytes of the key of a list row after its scope: time and id.
pub(super) const LIST_PLACE_BYTES: usize = 24;

pub(super) fn time(origin: Origin, epoch: u32) -> Vec<u8> {
    [&[TIMES][..], &origin.0.to_be_bytes(), &epoch.to_be_bytes()].concat()
}

pub(super) fn base(origin: Origin, epoch: u32) -> Vec<u8> {
    [&[BASES][..], &origin.0.to_be_bytes(), &epoch.to_be_bytes()].concat()
}

pub(super) fn version(origin: Origin, at: Position) -> Vec<u8> {
    [&[VERSIONS][..], &origin.0.to_be_bytes(), &place(at)].concat()
}

pub(super) fn seen(origin: Origin, at: Position) -> Vec<u8> {
    [&[SEEN][..], &origin.0.to_be_bytes(), &place(at)].concat()
}

/// All places of one member's versions of a record.
pub(super) fn places(record: &RecordId, origin: Origin) -> Vec<u8> {
    [&of_record(record, PLACES)[..], &origin.0.to_be_bytes()].concat()
}

pub(super) fn placed(record: &RecordId, origin: Origin, at: Position) -> Vec<u8> {
    [&places(record, origin)[..], &place(at)].concat()
}

/// All claims to a record.
pub(super) fn claims(record: &RecordId) -> Vec<u8> {
    of_record(record, CLAIMS)
}

pub(super) fn claim(record: &RecordId, origin: Origin) -> Vec<u8> {
    [&claims(record)[..], &origin.0.to_be_bytes()].concat()
}

pub(super) fn record(record: &RecordId) -> Vec<u8> {
    of_record(record, NOW)
}

/// All current adoptions of a record.
pub(super) fn adoptions(target: &RecordId) -> Vec<u8> {
    [&[ADOPTIONS][..], target.as_bytes()].concat()
}

pub(super) fn adoption(target: &RecordId, record: &RecordId) -> Vec<u8> {
    [&adoptions(target)[..], record.as_bytes()].concat()
}

/// All counts.
pub(super) const ALL_COUNTS: &[u8] = &[COUNTS];

pub(super) fn count(origin: Origin, kind: RecordKind) -> Vec<u8> {
    [ALL_COUNTS, &origin.0.to_be_bytes(), &(kind as u32).to_be_bytes()].concat()
}

/// Which records a list is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    All,
    Kind(RecordKind),
    Origin(Origin),
    Source(Origin, [u8; 16]),
}

/// All rows of a list.
pub(super) fn list(scope: Scope) -> Vec<u8> {
    match scope {
        Scope::All => vec![LISTS, 0],
        Scope::Kind(kind) => [&[LISTS, 1][..], &(kind as u32).to_be_bytes()].concat(),
        Scope::Origin(origin) => [&[LISTS, 2][..], &origin.0.to_be_bytes()].concat(),
        Scope::Source(origin, source) => [&[LISTS, 3][..], &origin.0.to_be_bytes(), &source].concat(),
    }
}

/// A row of a list: newest first, then by id.
pub(super) fn listed(scope: Scope, dated_ms: u64, record: &RecordId) -> Vec<u8> {
    [&list(scope)[..], &(!dated_ms).to_be_bytes(), record.as_bytes()].concat()
}

/// A source's name in keys: names have no fixed length, and are others' to choose.
pub(super) fn source(source_id: &str) -> [u8; 16] {
    let mut short = [0; 16];
    short.copy_from_slice(&Hash::of(&[b"wego-source", source_id.as_bytes()]).as_bytes()[..16]);
    short
}

/// The origin and position at the end of a key of [`version`] or [`placed`].
pub(super) fn ends_in_place(key: &[u8]) -> Option<(Origin, Position)> {
    let (_, end) = key.split_last_chunk::<16>()?;
    let (origin, end) = end.split_first_chunk::<4>()?;
    let (epoch, seq) = end.split_first_chunk::<4>()?;
    let at = Position { epoch: u32::from_be_bytes(*epoch), seq: u64::from_be_bytes(seq.try_into().ok()?) };
    Some((Origin(u32::from_be_bytes(*origin)), at))
}

/// The origin at the end of a key of [`claim`].
pub(super) fn ends_in_origin(key: &[u8]) -> Option<Origin> {
    key.last_chunk().map(|origin| Origin(u32::from_be_bytes(*origin)))
}

/// The record at the end of a key of [`listed`] or [`adoption`].
pub(super) fn ends_in_record(key: &[u8]) -> Option<RecordId> {
    key.last_chunk().map(|id| RecordId::new(*id))
}

fn of_record(record: &RecordId, what: u8) -> Vec<u8> {
    [&[RECORDS][..], record.as_bytes(), &[what]].concat()
}

fn place(at: Position) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes[..4].copy_from_slice(&at.epoch.to_be_bytes());
    bytes[4..].copy_from_slice(&at.seq.to_be_bytes());
    bytes
}
