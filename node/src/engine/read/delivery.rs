//! Who has applied what, from the newest receipt of each member.
//!
//! It must never count a member whose receipt does not say so, whatever else is known of it.

use wego_ledger::receipt::Receipt;
use wego_proto::{
    entry::Unverified,
    id::{Origin, Position, RecordId},
    v1::{self, EntryKind},
};

use super::{ReadError, ReadHandle};
use crate::{clock::now_ms, engine::view::View, store::StoreError};

/// Erasures of one answer.
const ERASURES_MAX: usize = 1_000;

/// What is asked for.
#[derive(Debug, Clone)]
pub enum Sought {
    /// The newest entry about a record.
    Record(RecordId),
    /// A position of the log of the member with this handle.
    Entry(String, Position),
}

impl ReadHandle {
    /// The erasures that this member ordered, and the takedowns of the roster.
    ///
    /// # Errors
    /// [`ReadError::Store`].
    pub fn own_erasures(&self) -> Result<v1::ErasuresReply, ReadError> {
        let view = self.view();
        let orders = self.inner.store.erasures(view.me, ERASURES_MAX + 1)?;
        let more = orders.len() > ERASURES_MAX;
        let orders = orders.into_iter().take(ERASURES_MAX);
        let mut erasures: Vec<_> =
            orders.map(|(record, at)| self.erasure(&view, view.me, record, at)).collect::<Result<_, _>>()?;
        erasures.extend(self.takedowns(&view)?);
        Ok(v1::ErasuresReply { erasures, more })
    }

    /// The erasures of one record; `None` when it is not held.
    ///
    /// # Errors
    /// [`ReadError::Store`].
    pub fn erasures_of(&self, id: &RecordId) -> Result<Option<v1::ErasuresReply>, ReadError> {
        let view = self.view();
        let versions = self.inner.records.versions(id)?;
        if versions.is_empty() {
            return Ok(None);
        }
        let last = versions.iter().rfind(|version| version.kind == EntryKind::Erase);
        let ordered = last.map(|last| self.erasure(&view, last.origin, *id, last.at)).transpose()?;
        let mut erasures: Vec<_> = ordered.into_iter().collect();
        let down = self.takedowns(&view)?;
        erasures.extend(down.into_iter().filter(|down| down.record_id == id.as_bytes()));
        Ok(Some(v1::ErasuresReply { erasures, more: false }))
    }

    /// Who has an entry; `None` when it is not held here.
    ///
    /// # Errors
    /// [`ReadError::UnknownMember`] or [`ReadError::Store`].
    pub fn seen(&self, sought: &Sought) -> Result<Option<v1::SeenReply>, ReadError> {
        let view = self.view();
        let found = match sought {
            Sought::Record(id) => self.inner.records.record(id)?.map(|row| (row.owner, row.at)),
            Sought::Entry(handle, at) => {
                let origin = self.member_named(&view, handle)?;
                let origin = origin.ok_or_else(|| ReadError::UnknownMember(handle.clone()))?;
                self.inner.store.entry(origin, *at)?.map(|_| (origin, *at))
            }
        };
        Ok(found.map(|(origin, at)| v1::SeenReply {
            handle: view.handle(origin).to_owned(),
            at: Some(at.into()),
            seen: Some(delivered(&view, |receipt| receipt.covers(origin, at))),
        }))
    }

    fn erasure(
        &self,
        view: &View,
        origin: Origin,
        record: RecordId,
        at: Position,
    ) -> Result<v1::Erasure, ReadError> {
        let order = self.stored(origin, at)?;
        let header = order.as_ref().map(Unverified::header);
        Ok(v1::Erasure {
            record_id: record.as_bytes().to_vec(),
            handle: view.handle(origin).to_owned(),
            at: Some(at.into()),
            reason: header.and_then(|header| header.erase).unwrap_or_default(),
            ordered_ms: header.map_or(0, |header| header.hlc_ms),
            takedown: false,
            carried_out: Some(delivered(view, |receipt| receipt.covers(origin, at))),
        })
    }

    fn takedowns(&self, view: &View) -> Result<Vec<v1::Erasure>, ReadError> {
        let current = view.roster.current();
        let mut found = Vec::new();
        for takedown in &current.content().takedowns {
            let Some(at) = takedown.at.and_then(|at| Position::try_from(at).ok()) else { continue };
            let origin = Origin(takedown.origin);
            let record = self.stored(origin, at)?.and_then(|entry| entry.header().record_id);
            found.push(v1::Erasure {
                record_id: record.map(|record| record.as_bytes().to_vec()).unwrap_or_default(),
                handle: view.handle(origin).to_owned(),
                at: Some(at.into()),
                reason: takedown.reason,
                ordered_ms: current.content().issued_at_ms,
                takedown: true,
                carried_out: Some(delivered(view, |receipt| receipt.roster_version >= current.version())),
            });
        }
        Ok(found)
    }

    fn stored(&self, origin: Origin, at: Position) -> Result<Option<Unverified>, ReadError> {
        let entry = self.inner.store.entry(origin, at)?.map(Unverified::parse).transpose();
        entry.map_err(|_| StoreError::Corrupt { what: "entry" }.into())
    }
}

/// The active members, and which of them have no receipt that says so.
fn delivered(view: &View, says_so: impl Fn(&Receipt) -> bool) -> v1::Delivered {
    let active = view.roster.current().members().values().filter(|member| member.is_active());
    let mut delivered = v1::Delivered::default();
    for member in active {
        delivered.members += 1;
        if view.receipts.get(&member.origin).is_some_and(|receipt| says_so(receipt)) {
            delivered.done += 1;
            continue;
        }
        let seen_ms = view.seen_ms(member.origin, now_ms());
        delivered.missing.push(v1::Missing { handle: member.handle.clone(), seen_ms });
    }
    delivered.missing.sort_by(|one, other| one.handle.cmp(&other.handle));
    delivered
}
