//! What the projection answers about records.

use std::collections::BTreeMap;

use wego_catalogue::adoption::{Graph, Standing, Statement};
use wego_proto::{
    id::{Hash, Origin, Position, RecordId},
    record::v1::{AdoptionStage, LangText, RecordKind},
    v1::EntryKind,
};

use super::{Records, corrupt, failed, fold::number, keys, rows};
use crate::store::StoreError;

/// Times a record is read again when a batch changed it between two reads. One is nearly always enough.
const READ_TRIES: u32 = 8;

/// What a record is now.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordRow {
    /// Its id.
    pub record_id: RecordId,
    /// Its kind.
    pub kind: RecordKind,
    /// The member whose record it is.
    pub owner: Origin,
    /// Where its newest entry stands in the owner's log: a version, or the entry that ended it.
    pub at: Position,
    /// Hash of that entry: what a revision builds on.
    pub hash: Hash,
    /// Key that signed that entry.
    pub key_no: u32,
    /// Author's clock of that entry, ms since 1970: for display.
    pub hlc_ms: u64,
    /// When this node first saw that entry, ms since 1970; 0 unknown.
    pub seen_ms: u64,
    /// Where its newest version with content stands; the payload is read from the store there.
    pub content_at: Position,
    /// Titles of that version, cut to bounds. None for adoptions, and where the payload is not held.
    pub titles: Vec<LangText>,
    /// Stable name of the source it was imported from, or empty.
    pub source_id: String,
    /// Hash of the source record, or empty.
    pub source_hash: String,
    /// The publisher's identifier of a dataset, or empty.
    pub identifier: String,
    /// Entries of its owner about it.
    pub versions: u32,
    /// Whether it stands.
    pub state: State,
}

/// Whether a record stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It does.
    Current,
    /// Its owner took it back.
    Retracted {
        /// Why, if the owner said so.
        reason: String,
    },
    /// Its owner had its contents erased everywhere.
    Erased {
        /// Number of the reason that the owner gave.
        reason: u32,
    },
    /// It stands, but its content is not kept: it was taken down.
    TakenDown,
}

/// One entry about a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Author: the record's owner.
    pub origin: Origin,
    /// Place in the author's log.
    pub at: Position,
    /// Its hash.
    pub hash: Hash,
    /// Version, retraction or erasure.
    pub kind: EntryKind,
    /// Author's clock, ms since 1970: for display.
    pub hlc_ms: u64,
    /// Bytes of the payload, whether or not it is held.
    pub payload_len: u32,
    /// Key that signed it.
    pub key_no: u32,
}

/// How one member stands to a practice, in its own words.
#[derive(Debug, Clone, PartialEq)]
pub struct AdoptionRow {
    /// The adoption record.
    pub record_id: RecordId,
    /// The member that adopts.
    pub adopter: Origin,
    /// Where that record's newest version stands.
    pub at: Position,
    /// Stage.
    pub stage: AdoptionStage,
    /// ISO 8601 day, month or year, as the adopter wrote it.
    pub since: String,
    /// Why it ended, if it did.
    pub reason_withdrawn: Vec<LangText>,
}

impl Records {
    /// What a record is now; `None` when no version of it is held.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn record(&self, id: &RecordId) -> Result<Option<RecordRow>, StoreError> {
        for _ in 0..READ_TRIES {
            let Some(row) = self.row(id)? else { return Ok(None) };
            let (owner, claim) = (Origin(row.owner), row.claim()?);
            let newest = self.version(owner, claim.newest()?)?;
            let shown = self.version(owner, claim.content()?)?;
            if let (Some(newest), Some(shown)) = (newest, shown) {
                let seen_ms = self.seen_ms(owner, claim.newest()?)?;
                return Ok(Some(RecordRow::of(*id, &row, (&newest, seen_ms), shown)?));
            }
        }
        Err(corrupt())
    }

    /// All entries of a record's owner about it, oldest first; none when no version of it is held.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn versions(&self, id: &RecordId) -> Result<Vec<Version>, StoreError> {
        let Some(row) = self.row(id)? else { return Ok(Vec::new()) };
        let mut versions = Vec::new();
        for key in self.rows.scan_prefix(keys::places(id, Origin(row.owner))).keys() {
            let (origin, at) = keys::ends_in_place(&key.map_err(failed)?).ok_or_else(corrupt)?;
            // One that became void meanwhile is left out.
            let Some(row) = self.version(origin, at)? else { continue };
            versions.push(Version {
                origin,
                at,
                hash: row.hash()?,
                kind: row.entry_kind(),
                hlc_ms: row.hlc_ms,
                payload_len: row.payload_len,
                key_no: row.key_no,
            });
        }
        Ok(versions)
    }

    /// How each member stands to a practice, by origin. Retracted adoptions are left out, withdrawn ones are not.
    /// The practice itself need not be held.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn adoptions(&self, practice: &RecordId) -> Result<Vec<AdoptionRow>, StoreError> {
        let mut statements = Vec::new();
        for key in self.rows.scan_prefix(keys::adoptions(practice)).keys() {
            let record_id = keys::ends_in_record(&key.map_err(failed)?).ok_or_else(corrupt)?;
            statements.extend(self.statement(record_id)?);
        }
        let graph = Graph::of(statements);
        let row = |(adopter, standing): (Origin, &Standing)| AdoptionRow {
            record_id: standing.record_id,
            adopter,
            at: standing.at,
            stage: standing.adoption.stage(),
            since: standing.adoption.since.clone(),
            reason_withdrawn: standing.adoption.reason_withdrawn.clone(),
        };
        Ok(graph.adopters(practice).map(row).collect())
    }

    /// How many records of each member and kind stand.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn counts(&self) -> Result<BTreeMap<(Origin, RecordKind), u64>, StoreError> {
        let mut counts = BTreeMap::new();
        for row in self.rows.scan_prefix(keys::ALL_COUNTS) {
            let (key, count) = row.map_err(failed)?;
            let (head, kind) = key.split_last_chunk::<4>().ok_or_else(corrupt)?;
            let origin = keys::ends_in_origin(head).ok_or_else(corrupt)?;
            let kind = wego_catalogue::kind::from_number(u32::from_be_bytes(*kind)).ok_or_else(corrupt)?;
            counts.insert((origin, kind), number(&count)?);
        }
        Ok(counts)
    }

    /// When this node first saw an entry about a record, ms since 1970; 0 unknown.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn seen_ms(&self, origin: Origin, at: Position) -> Result<u64, StoreError> {
        let seen = self.rows.get(keys::seen(origin, at)).map_err(failed)?;
        seen.map_or(Ok(0), |seen| number(&seen))
    }

    fn statement(&self, record_id: RecordId) -> Result<Option<Statement>, StoreError> {
        let Some(row) = self.row(&record_id)? else { return Ok(None) };
        let (adopter, at) = (Origin(row.owner), row.claim()?.content()?);
        let content = self.version(adopter, at)?.and_then(|version| version.content);
        let said = content.and_then(|content| content.adoption).filter(|_| row.stands());
        Ok(Some(Statement { adopter, at, record_id, said }))
    }

    fn row(&self, id: &RecordId) -> Result<Option<rows::RecordRow>, StoreError> {
        self.rows.get(keys::record(id)).map_err(failed)?.map(|row| rows::decode(&row)).transpose()
    }

    fn version(&self, origin: Origin, at: Position) -> Result<Option<rows::VersionRow>, StoreError> {
        self.rows.get(keys::version(origin, at)).map_err(failed)?.map(|row| rows::decode(&row)).transpose()
    }
}

impl RecordRow {
    fn of(
        record_id: RecordId,
        row: &rows::RecordRow,
        (newest, seen_ms): (&rows::VersionRow, u64),
        shown: rows::VersionRow,
    ) -> Result<Self, StoreError> {
        let claim = row.claim()?;
        let content = shown.content.unwrap_or_default();
        Ok(Self {
            record_id,
            kind: row.kind(),
            owner: Origin(row.owner),
            at: claim.newest()?,
            hash: newest.hash()?,
            key_no: newest.key_no,
            hlc_ms: newest.hlc_ms,
            seen_ms,
            content_at: claim.content()?,
            titles: content.titles,
            source_id: content.source_id,
            source_hash: content.source_hash,
            identifier: content.identifier,
            versions: claim.versions,
            state: State::of(newest),
        })
    }
}

impl State {
    fn of(newest: &rows::VersionRow) -> Self {
        match newest.entry_kind() {
            EntryKind::Retract => {
                Self::Retracted { reason: newest.content.clone().unwrap_or_default().reason }
            }
            EntryKind::Erase => Self::Erased { reason: newest.erase_reason },
            _ if newest.content.is_none() => Self::TakenDown,
            _ => Self::Current,
        }
    }
}
