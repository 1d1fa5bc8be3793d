//! Which payloads must not be kept: the rule by which every implementation stores an entry with or without its own.
//!
//! The problem: contents that had to go come back. They arrive again from a peer that still has them, stand in a
//! backup, or arrive after the order to erase them. The rule: an order is remembered with the entry that gives it, in
//! the same step, and what it names is stored without its payload from then on, in any order of arrival. What was
//! stored before is dropped by `engine::erasure`. A header must never be dropped: the chain stands on it.

use std::collections::BTreeMap;

use wego_proto::{
    entry::{Header, Verified},
    id::{Origin, Position, RecordId},
    v1::EntryKind,
};

/// The last place where an author ordered the erasure of a record.
pub type Orders = BTreeMap<(Origin, RecordId), Position>;

/// Records with the last place where one author ordered their erasure.
pub type Records = BTreeMap<RecordId, Position>;

/// A position in a member's log, whatever stands there.
pub type Place = (Origin, Position);

/// The record whose earlier payloads an entry with this header orders to erase.
#[must_use]
pub fn ordered_by(header: &Header) -> Option<RecordId> {
    header.record_id.filter(|_| header.known_kind() == Some(EntryKind::Erase))
}

/// The orders that entries give.
pub(super) fn orders_of<'batch>(entries: impl IntoIterator<Item = &'batch Verified>) -> Orders {
    let mut orders = Orders::new();
    for header in entries.into_iter().map(Verified::header) {
        if let Some(record) = ordered_by(header) {
            remember(&mut orders, header.origin, record, header.at);
        }
    }
    orders
}

/// Takes in an order: the later one of two holds.
pub fn remember(orders: &mut Orders, origin: Origin, record: RecordId, at: Position) {
    let last = orders.entry((origin, record)).or_insert(at);
    *last = at.max(*last);
}

/// Whether an order covers an entry with this header.
#[must_use]
pub fn covers(orders: &Orders, header: &Header) -> bool {
    let order = header.record_id.and_then(|record| orders.get(&(header.origin, record)));
    order.is_some_and(|at| header.at < *at)
}
