//! Judging the writes that end a record: withdrawals and erasures. What ended stays ended: the same wish again writes
//! nothing.

use wego_proto::v1::{EntryKind, Outcome};

use super::{
    Write, WriteError, Written,
    write::{Judged, Newest, Standing, sign_or_judge},
};

pub(super) fn judge_retract(
    write: &Write,
    newest: Option<Newest>,
    content: &[u8],
) -> Result<Judged, WriteError> {
    let newest = newest.ok_or(WriteError::NotFound(write.record_id))?;
    if newest.standing != Standing::Current {
        return Ok(unchanged(write, newest));
    }
    let write = Write { record_kind: newest.record_kind, ..write.clone() };
    sign_or_judge(&write, EntryKind::Retract, Some(newest), Some(content), Outcome::Retracted)
}

pub(super) fn judge_erase(write: &Write, newest: Option<Newest>) -> Result<Judged, WriteError> {
    let newest = newest.ok_or(WriteError::NotFound(write.record_id))?;
    if newest.standing == Standing::Erased {
        return Ok(unchanged(write, newest));
    }
    let write = Write { record_kind: newest.record_kind, ..write.clone() };
    sign_or_judge(&write, EntryKind::Erase, Some(newest), None, Outcome::Erased)
}

pub(super) fn unchanged(write: &Write, newest: Newest) -> Judged {
    let entry = Some((newest.at, newest.hash));
    Judged::Answer(Written { record_id: write.record_id, outcome: Outcome::Unchanged, entry })
}
