//! When everything stored up to some moment is applied, so that a receipt may say so.
//!
//! A moment is: the store's cursor, and the heads then. It has come when the eraser and every projection have passed
//! that cursor; what they were given is durable. Only then is the ledger told; never before, and never of heads that
//! moved meanwhile.

use std::sync::Arc;

use wego_ledger::state::{Applied, Input, Urgency};

use super::{erasure::Done, follow::Progress, worker::Worker};
use crate::store::{Cursor, Projection};

/// What the engine waits for before it reports something as applied.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) projections: Vec<Progress>,
    pub(super) erased: Arc<Done>,
    /// An erasure was stored that no moment covers yet.
    pub(super) urgency: Urgency,
    moment: Option<Moment>,
    reported: (Cursor, u64),
}

#[derive(Debug)]
struct Moment {
    cursor: Cursor,
    applied: Applied,
}

impl Watch {
    pub(super) fn new(projections: &[(Arc<dyn Projection>, Progress)], erased: Arc<Done>) -> Self {
        let projections = projections.iter().map(|(_, progress)| progress.clone()).collect();
        let reported = (Cursor(0), 0);
        Self { projections, erased, urgency: Urgency::InTurn, moment: None, reported }
    }

    /// Whether something stored waits to be applied: it is looked at again soon.
    pub(super) fn is_waiting(&self) -> bool {
        self.moment.is_some()
    }

    fn has_come(&self, moment: &Moment) -> bool {
        self.erased.through() >= moment.cursor
            && self.erased.roster_version() >= moment.applied.roster_version
            && self.projections.iter().all(|progress| progress.cursor() >= moment.cursor)
    }
}

impl Worker {
    /// Reports the moment it waits for once it has come, and begins to wait for the next.
    pub(super) fn watch_applied(&mut self) {
        let now = (self.store.cursor(), self.state.roster().current().version());
        if self.watch.moment.is_none() && now != self.watch.reported {
            let logs = self.state.board().iter().map(|(log, head)| (log, head.at.seq)).collect();
            let urgency = std::mem::replace(&mut self.watch.urgency, Urgency::InTurn);
            let applied = Applied { logs, roster_version: now.1, urgency };
            self.watch.moment = Some(Moment { cursor: now.0, applied });
        }
        let Some(moment) = self.watch.moment.take() else { return };
        if !self.watch.has_come(&moment) {
            self.watch.moment = Some(moment);
            return;
        }
        self.watch.reported = (moment.cursor, moment.applied.roster_version);
        self.feed(Input::Applied(moment.applied));
    }
}
