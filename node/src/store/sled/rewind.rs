//! Setting entries aside, in steps: each leaves heads, entries and counts consistent, for a crash may come after it.
//!
//! It goes from the head downwards, so that what is left is always a log without gaps.

use ::sled::Tree;
use wego_proto::id::{Hash, Origin};

use crate::store::{
    StoreError,
    sled::{check::hash_of, contained::Failure, rows, unflushed::STEP_BYTES},
};

/// What one step writes.
pub(super) struct Step {
    pub(super) batch: ::sled::Batch,
    /// Encoded bytes, rows included.
    pub(super) bytes: u64,
    /// The head that is left.
    pub(super) head: Option<(u64, Hash)>,
    /// Entries it moves.
    pub(super) moved: u64,
}

/// Moves entries from `seq` downwards into quarantine, as many as a step may, none at or below `after`.
pub(super) fn step(
    tree: &Tree,
    (origin, epoch): (Origin, u32),
    mut seq: u64,
    after: u64,
    set_aside: u64,
) -> Result<Step, Failure> {
    let missing = StoreError::Corrupt { what: "entry" };
    let mut step = Step { batch: ::sled::Batch::default(), bytes: 0, head: None, moved: 0 };
    while seq > after && step.bytes < STEP_BYTES / 2 {
        let key = rows::entry_key(origin, epoch, seq);
        let Some(row) = tree.get(key)? else { return Err(missing.into()) };
        let quarantine = rows::quarantine_key(origin, epoch, seq, &hash_of(&row)?);
        step.bytes += row.len() as u64 + rows::ROW_BYTES_MAX;
        step.batch.insert(quarantine, row);
        step.batch.remove(&key);
        step.batch.remove(&rows::notice_key(rows::NOTICE, origin, epoch, seq));
        step.batch.remove(&rows::notice_key(rows::PRESENTATION, origin, epoch, seq));
        step.moved += 1;
        seq -= 1;
    }
    let head_key = rows::log_key(rows::HEAD, origin, epoch);
    if seq > 0 {
        let Some(row) = tree.get(rows::entry_key(origin, epoch, seq))? else { return Err(missing.into()) };
        let hash = hash_of(&row)?;
        step.batch.insert(&head_key, rows::head_row(seq, &hash));
        step.head = Some((seq, hash));
    } else {
        step.batch.remove(&head_key);
    }
    step.batch.insert(rows::SET_ASIDE_KEY, &(set_aside + step.moved).to_be_bytes());
    Ok(step)
}
