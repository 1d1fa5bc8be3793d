//! How other members stand to a record.
//!
//! It must never leave out what a member signed: what counts for nothing is answered too, with the reason.

use wego_catalogue::counting;
use wego_proto::{
    id::{Origin, RecordId},
    v1,
};

use super::{ReadError, ReadHandle};
use crate::{engine::view::View, records::AdoptionRow};

impl ReadHandle {
    /// Whose a record is; `None` when it is not here.
    ///
    /// # Errors
    /// [`ReadError::Store`].
    pub fn owner(&self, id: &RecordId) -> Result<Option<Origin>, ReadError> {
        Ok(self.inner.records.record(id)?.map(|row| row.owner))
    }

    pub(super) fn adoptions(
        &self,
        view: &View,
        practice: &RecordId,
    ) -> Result<Vec<v1::AdoptionView>, ReadError> {
        let rows = self.inner.records.adoptions(practice)?;
        let owner = self.owner(practice)?;
        let shown = rows.into_iter().filter(|row| view.counts(row.adopter, row.at));
        let mut adoptions: Vec<_> = shown.map(|row| adoption(view, row, owner)).collect();
        adoptions.sort_by_key(|adoption| adoption.uncounted() != v1::Uncounted::Unspecified);
        Ok(adoptions)
    }
}

fn adoption(view: &View, row: AdoptionRow, owner: Option<Origin>) -> v1::AdoptionView {
    let status =
        view.roster.member(row.adopter).map_or(v1::MemberStatus::Unspecified, |member| member.status);
    v1::AdoptionView {
        record_id: row.record_id.as_bytes().to_vec(),
        handle: view.handle(row.adopter).to_owned(),
        stage: row.stage as i32,
        since: row.since,
        reason_withdrawn: row.reason_withdrawn,
        uncounted: counting::uncounted(row.adopter, status, owner) as i32,
        member_status: status as i32,
    }
}
