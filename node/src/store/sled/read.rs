//! Reading entries out of the tree, by position and in order of arrival.
//!
//! A missing or misplaced row must never be skipped: it is corrupt, for callers take an answer to be gap-free.

use ::sled::Tree;
use wego_proto::{id::Origin, v1};

use crate::store::{
    Arrival, Heads, StoreError, chain,
    sled::{contained::Failure, rows},
};

/// Entries of one log, both ends inclusive; none when `from` is above `until`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) origin: Origin,
    pub(super) epoch: u32,
    pub(super) from: u64,
    pub(super) until: u64,
}

/// As many of the wanted entries as fit into `max_bytes`, but at least one if one is wanted.
pub(super) fn range(tree: &Tree, wanted: Wanted, max_bytes: usize) -> Result<Vec<v1::Entry>, Failure> {
    let mut bytes = 0_usize;
    let mut found = Vec::new();
    each(tree, wanted, |row| {
        bytes = bytes.saturating_add(row.len());
        if bytes > max_bytes && !found.is_empty() {
            return Ok(Next::Stop);
        }
        found.push(chain::decode(row)?);
        Ok(Next::GoOn)
    })?;
    Ok(found)
}

/// At most `max` entries in order of arrival, from cursor `from` to before `until`, and the cursor after them. What was
/// set aside has arrived and is no more; none found means that there is nothing before `until`.
pub(super) fn arrivals(
    tree: &Tree,
    heads: &Heads,
    from: u64,
    until: u64,
    max: usize,
) -> Result<(Vec<Arrival>, u64), Failure> {
    let mut found = Vec::new();
    if from >= until || max == 0 {
        return Ok((found, from));
    }
    let first = tree.range(rows::run_key(0)..=rows::run_key(from)).next_back().transpose()?;
    let (first_key, _) = first.ok_or(StoreError::Corrupt { what: "arrival run" })?;
    let mut next = from;
    let first = rows::read_run_key(&first_key)?;
    for row in tree.range(rows::run_key(first)..rows::run_key(until)) {
        let (key, row) = row?;
        let (cursor, run) = (rows::read_run_key(&key)?, rows::read_run(&row)?);
        let skipped = next.checked_sub(cursor).filter(|skipped| *skipped < run.entries);
        let skipped = skipped.ok_or(StoreError::Corrupt { what: "arrival run" })?;
        let entries = (run.entries - skipped).min(until - next);
        let first_seq = run.first_seq.saturating_add(skipped);
        let head = heads.get(&(run.origin, run.epoch)).map_or(0, |(seq, _)| *seq);
        let held = entries.min((head + 1).saturating_sub(first_seq));
        let taken = held.min((max - found.len()) as u64);
        let last_seq = first_seq.saturating_add(taken).saturating_sub(1);
        let wanted = Wanted { origin: run.origin, epoch: run.epoch, from: first_seq, until: last_seq };
        each(tree, wanted, |row| {
            found.push(Arrival { entry: chain::decode(row)?, seen_ms: run.seen_ms });
            Ok(Next::GoOn)
        })?;
        if taken < held {
            return Ok((found, next + taken));
        }
        next += entries;
    }
    if next != until {
        return Err(StoreError::Corrupt { what: "arrival run" }.into());
    }
    Ok((found, next))
}

enum Next {
    GoOn,
    Stop,
}

/// Gives every wanted row to `take`, in order.
fn each(
    tree: &Tree,
    wanted: Wanted,
    mut take: impl FnMut(&[u8]) -> Result<Next, StoreError>,
) -> Result<(), Failure> {
    let Wanted { origin, epoch, from, until } = wanted;
    let missing = || StoreError::Corrupt { what: "entry" };
    if from > until {
        return Ok(());
    }
    let mut seq = from;
    for row in tree.range(rows::entry_key(origin, epoch, from)..=rows::entry_key(origin, epoch, until)) {
        let (key, row) = row?;
        if *key != rows::entry_key(origin, epoch, seq) {
            return Err(missing().into());
        }
        if matches!(take(&row)?, Next::Stop) {
            return Ok(());
        }
        seq += 1;
    }
    if seq != until + 1 {
        return Err(missing().into());
    }
    Ok(())
}
