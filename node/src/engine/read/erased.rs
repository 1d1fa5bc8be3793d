//! By whose order the contents of a record are gone: its owner's, in its log, or the federation's, in the roster.
//!
//! It must never be said of a record whose contents can still be read.

use wego_proto::{
    dated::dated,
    id::{Origin, Position},
    v1,
};

use crate::{
    engine::view::View,
    records::{RecordRow, State},
};

/// Who erased a record; `None` where nobody did, or the order is not known here.
pub(super) fn erased_by(view: &View, row: &RecordRow) -> Option<v1::ErasedBy> {
    match row.state {
        State::Current | State::Retracted { .. } => None,
        State::TakenDown => takedown(view, row.owner, row.content_at),
        State::Erased { reason } => Some(v1::ErasedBy {
            reason: reason.try_into().unwrap_or_default(),
            handle: view.handle(row.owner).to_owned(),
            ordered_at_ms: dated(row.hlc_ms, row.seen_ms).ms,
        }),
    }
}

/// The takedown of the entry at a position, as of the roster version that first has it: later ones repeat it.
fn takedown(view: &View, origin: Origin, at: Position) -> Option<v1::ErasedBy> {
    let is = |takedown: &&v1::Takedown| takedown.origin == origin.0 && takedown.at == Some(at.into());
    let found = (1..=view.roster.current().version()).find_map(|version| {
        let roster = view.roster.at(version)?.content();
        Some((roster.issued_at_ms, roster.takedowns.iter().find(is)?.reason))
    });
    let (ordered_at_ms, reason) = found?;
    Some(v1::ErasedBy { reason: reason.try_into().unwrap_or_default(), handle: String::new(), ordered_at_ms })
}
