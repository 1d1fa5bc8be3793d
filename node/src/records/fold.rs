//! How one entry changes what records are.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message as _;
use wego_proto::{
    dated::dated,
    entry::Unverified,
    epochs,
    id::{Origin, Position, RecordId},
    record::v1::RecordKind,
    v1::{self, EntryKind},
};

use super::{
    corrupt,
    draft::{Draft, Row, after},
    keys::{self, Scope},
    rows::{ClaimRow, RecordRow, VersionRow, decode},
};
use crate::store::{Arrived, StoreError};

/// Versions looked at together when an epoch makes them void: bounds the memory, not the number.
const VOID_TOGETHER: usize = 1_000;

/// Takes one entry in. What says nothing about a record is skipped.
///
/// # Errors
/// [`StoreError::Conflict`] when an opening makes something count that was left out as void: the projection must be
/// built anew, with the bases that the draft holds by then.
pub(super) fn apply(draft: &mut Draft<'_>, entry: &Arrived) -> Result<(), StoreError> {
    let (origin, at) = (entry.header().origin, entry.header().at);
    if let Some(start) = &entry.header().epoch_start {
        start_epoch(draft, origin, at.epoch, start.base)?;
    }
    if is_void(draft, origin, at)? {
        return Ok(());
    }
    let claimed_ms = claimed_time(draft, entry)?;
    let Some((record, mut row)) = VersionRow::of(entry, claimed_ms) else { return Ok(()) };
    let claim = draft.row(&keys::claim(&record, origin))?;
    // Without a claim this is the member's first version of the record, and there is nothing to look for.
    if claim.is_some() {
        if draft.row(&keys::version(origin, at))?.is_some() {
            return Ok(());
        }
        if row.entry_kind() == EntryKind::Erase {
            forget_before(draft, &record, origin, at)?;
        }
        if is_erased_after(draft, &record, origin, at)? {
            row.content = None;
        }
    }
    draft.put(keys::version(origin, at), row.encode_to_vec());
    draft.put(keys::seen(origin, at), entry.seen_ms.to_be_bytes().to_vec());
    draft.put(keys::placed(&record, origin, at), Vec::new());
    extend_claim(draft, &record, claim, (origin, at), &row)?;
    settle(draft, &record)
}

/// Drops what was kept of the content of an entry that was taken down, if it was taken in.
pub(super) fn forget(draft: &mut Draft<'_>, entry: &Unverified) -> Result<(), StoreError> {
    let header = entry.header();
    let Some(record) = header.record_id else { return Ok(()) };
    let key = keys::version(header.origin, header.at);
    let Some(row) = draft.row(&key)? else { return Ok(()) };
    let row = VersionRow { content: None, ..decode(&row)? };
    draft.put(key, row.encode_to_vec());
    draft.put(keys::UNPURGED.to_vec(), Vec::new());
    settle(draft, &record)
}

/// Whether a later epoch of this origin made the entry there void.
fn is_void(draft: &Draft<'_>, origin: Origin, at: Position) -> Result<bool, StoreError> {
    let bases = bases(draft, origin)?;
    Ok(!bases.is_empty() && !epochs::counts(&epochs::counting(&bases), at))
}

/// Where the epochs above the first continue from.
fn bases(draft: &Draft<'_>, origin: Origin) -> Result<BTreeMap<u32, Position>, StoreError> {
    let mut bases = BTreeMap::new();
    let (from, end) = (keys::base(origin, 0), after(&keys::base(origin, u32::MAX)));
    for (key, base) in draft.range(&from, &end, usize::MAX)? {
        let number = key.last_chunk::<4>().ok_or_else(corrupt)?;
        let base: v1::Position = decode(&base)?;
        bases.insert(u32::from_be_bytes(*number), Position { epoch: base.epoch, seq: base.seq });
    }
    Ok(bases)
}

/// The latest time that the log has claimed up to this entry in its epoch.
fn claimed_time(draft: &mut Draft<'_>, entry: &Unverified) -> Result<u64, StoreError> {
    let key = keys::time(entry.header().origin, entry.header().at.epoch);
    let before = draft.row(&key)?.map(|time| number(&time)).transpose()?.unwrap_or(0);
    let claimed_ms = before.max(entry.header().hlc_ms);
    if claimed_ms > before {
        draft.put(key, claimed_ms.to_be_bytes().to_vec());
    }
    Ok(claimed_ms)
}

/// Notes where an epoch continues from, and drops what became void by it.
fn start_epoch(draft: &mut Draft<'_>, origin: Origin, epoch: u32, base: Position) -> Result<(), StoreError> {
    let before = bases(draft, origin)?;
    draft.put(keys::base(origin, epoch), v1::Position::from(base).encode_to_vec());
    let after = bases(draft, origin)?;
    let (before, counting) = (epochs::counting(&before), epochs::counting(&after));
    if epochs::brings_back(&before, &counting, epoch) {
        // Left out when it came, and now nowhere but in the store.
        return Err(StoreError::Conflict);
    }
    if !epochs::counts(&counting, Position { epoch, seq: 1 }) {
        return Ok(());
    }
    let mut from = keys::version(origin, Position { epoch: base.epoch, seq: base.seq.saturating_add(1) });
    let end = keys::version(origin, Position { epoch, seq: 0 });
    while from < end {
        let void = draft.range(&from, &end, VOID_TOGETHER)?;
        let Some((last, _)) = void.last() else { break };
        from = [last.as_slice(), &[0]].concat();
        let mut records = BTreeSet::new();
        for (key, row) in void {
            let (_, at) = keys::ends_in_place(&key).ok_or_else(corrupt)?;
            let record = decode::<VersionRow>(&row)?.record_id()?;
            draft.remove(keys::placed(&record, origin, at));
            draft.remove(keys::seen(origin, at));
            draft.remove(key);
            records.insert(record);
        }
        for record in &records {
            claim_anew(draft, record, origin)?;
            settle(draft, record)?;
        }
    }
    Ok(())
}

/// Drops what was kept of the contents of a member's versions of a record up to `at`.
fn forget_before(
    draft: &mut Draft<'_>,
    record: &RecordId,
    origin: Origin,
    at: Position,
) -> Result<(), StoreError> {
    let (from, end) = (keys::places(record, origin), keys::placed(record, origin, at));
    for (key, _) in draft.range(&from, &end, usize::MAX)? {
        let (_, at) = keys::ends_in_place(&key).ok_or_else(corrupt)?;
        let mut version = version(draft, origin, at)?;
        if version.content.take().is_none() {
            continue;
        }
        draft.put(keys::version(origin, at), version.encode_to_vec());
        draft.put(keys::UNPURGED.to_vec(), Vec::new());
    }
    Ok(())
}

/// Whether the author erased the record at a later place. Only an entry of an earlier epoch can come that late.
fn is_erased_after(
    draft: &Draft<'_>,
    record: &RecordId,
    origin: Origin,
    at: Position,
) -> Result<bool, StoreError> {
    let end = after(&keys::places(record, origin));
    for (key, _) in draft.range(&keys::placed(record, origin, at), &end, usize::MAX)? {
        let (_, at) = keys::ends_in_place(&key).ok_or_else(corrupt)?;
        if version(draft, origin, at)?.entry_kind() == EntryKind::Erase {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Takes a new version into its author's claim to the record.
fn extend_claim(
    draft: &mut Draft<'_>,
    record: &RecordId,
    claim: Option<Vec<u8>>,
    (origin, at): (Origin, Position),
    row: &VersionRow,
) -> Result<(), StoreError> {
    let mut claim: ClaimRow = claim.map(|claim| decode(&claim)).transpose()?.unwrap_or_default();
    // Only an entry of an earlier epoch can come late.
    if claim.newest.is_some() && claim.newest()? > at {
        return claim_anew(draft, record, origin);
    }
    claim.take(at, row);
    draft.put(keys::claim(record, origin), claim.encode_to_vec());
    Ok(())
}

/// Makes a member's claim to a record from all its versions.
fn claim_anew(draft: &mut Draft<'_>, record: &RecordId, origin: Origin) -> Result<(), StoreError> {
    let mut claim = ClaimRow::default();
    let places = draft.under(&keys::places(record, origin))?;
    for (key, _) in &places {
        let (_, at) = keys::ends_in_place(key).ok_or_else(corrupt)?;
        claim.take(at, &version(draft, origin, at)?);
    }
    if places.is_empty() {
        draft.remove(keys::claim(record, origin));
    } else {
        draft.put(keys::claim(record, origin), claim.encode_to_vec());
    }
    Ok(())
}

/// Makes a record what its owner's claim says, and lists and counts it accordingly.
fn settle(draft: &mut Draft<'_>, record: &RecordId) -> Result<(), StoreError> {
    let key = keys::record(record);
    let before = draft.row(&key)?.map(|row| decode::<RecordRow>(&row)).transpose()?;
    let now = owners_claim(draft, record)?.map(|(owner, claim)| of_claim(draft, owner, claim)).transpose()?;
    if let Some(before) = &before {
        for (key, _) in index(record, before)? {
            draft.remove(key);
        }
        recount(draft, before, |count| count.saturating_sub(1))?;
    }
    match now {
        None => draft.remove(key),
        Some(now) => {
            for (key, value) in index(record, &now)? {
                draft.put(key, value);
            }
            recount(draft, &now, |count| count.saturating_add(1))?;
            draft.put(key, now.encode_to_vec());
        }
    }
    Ok(())
}

/// The claim with content whose first version has the smallest (claimed time, origin).
fn owners_claim(draft: &Draft<'_>, record: &RecordId) -> Result<Option<(Origin, ClaimRow)>, StoreError> {
    let mut owner: Option<(Origin, ClaimRow)> = None;
    for (key, row) in draft.under(&keys::claims(record))? {
        let origin = keys::ends_in_origin(&key).ok_or_else(corrupt)?;
        let claim = decode::<ClaimRow>(&row)?;
        let earlier =
            owner.as_ref().is_none_or(|(held, first)| (claim.first_ms, origin) < (first.first_ms, *held));
        if claim.content.is_some() && earlier {
            owner = Some((origin, claim));
        }
    }
    Ok(owner)
}

fn of_claim(draft: &Draft<'_>, owner: Origin, claim: ClaimRow) -> Result<RecordRow, StoreError> {
    let newest = version(draft, owner, claim.newest()?)?;
    let seen_ms = draft.row(&keys::seen(owner, claim.newest()?))?.map_or(Ok(0), |seen| number(&seen))?;
    let shown = version(draft, owner, claim.content()?)?;
    let content = shown.content.unwrap_or_default();
    let target = content.adoption.and_then(|adoption| adoption.target_id.parse::<RecordId>().ok());
    Ok(RecordRow {
        owner: owner.0,
        claim: Some(claim),
        dated_ms: dated(newest.hlc_ms, seen_ms).ms,
        kind: shown.record_kind,
        source_id: content.source_id,
        target: target.map(|target| target.as_bytes().to_vec()).unwrap_or_default(),
    })
}

/// The rows by which a record is found in lists, and beside what it adopts.
fn index(record: &RecordId, row: &RecordRow) -> Result<Vec<Row>, StoreError> {
    let owner = Origin(row.owner);
    let mut scopes = vec![Scope::All, Scope::Kind(row.kind()), Scope::Origin(owner)];
    if !row.source_id.is_empty() {
        scopes.push(Scope::Source(owner, keys::source(&row.source_id)));
    }
    let value = [&[u8::from(row.stands())][..], &(row.kind() as u32).to_be_bytes()].concat();
    let listed = |scope| (keys::listed(scope, row.dated_ms, record), value.clone());
    let mut rows: Vec<_> = scopes.into_iter().map(listed).collect();
    if row.stands() && !row.target.is_empty() {
        let target = RecordId::try_from(row.target.as_slice()).map_err(|_| corrupt())?;
        rows.push((keys::adoption(&target, record), Vec::new()));
    }
    Ok(rows)
}

fn recount(draft: &mut Draft<'_>, row: &RecordRow, change: fn(u64) -> u64) -> Result<(), StoreError> {
    if !row.stands() || row.kind() == RecordKind::Unspecified {
        return Ok(());
    }
    let key = keys::count(Origin(row.owner), row.kind());
    let before = draft.row(&key)?.map(|count| number(&count)).transpose()?.unwrap_or(0);
    match change(before) {
        0 => draft.remove(key),
        count => draft.put(key, count.to_be_bytes().to_vec()),
    }
    Ok(())
}

fn version(draft: &Draft<'_>, origin: Origin, at: Position) -> Result<VersionRow, StoreError> {
    decode(&draft.row(&keys::version(origin, at))?.ok_or_else(corrupt)?)
}

/// Reads a row that is one number.
pub(super) fn number(row: &[u8]) -> Result<u64, StoreError> {
    row.try_into().map(u64::from_be_bytes).map_err(|_| corrupt())
}
