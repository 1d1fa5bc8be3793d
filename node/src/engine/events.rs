//! What the ledger says has happened: written to the node's log, counted, and shown to readers.
//!
//! It must never decide anything.

use wego_ledger::{reject::Reject, state::Event};
use wego_proto::id::Origin;

use super::worker::Worker;
use crate::clock::now_ms;

impl Worker {
    pub(super) fn observe(&mut self, event: &Event) {
        let handle =
            |origin: Origin| self.state.roster().member(origin).map_or("", |member| member.handle.as_str());
        match event {
            Event::SessionOpened(origin) => {
                let clock = self
                    .state
                    .sessions()
                    .find(|(_, open)| open.member == *origin)
                    .map(|(_, open)| open.clock_ms);
                let skew = clock.map_or(0, |clock| clock as i64 - now_ms() as i64);
                tracing::info!(peer = handle(*origin), skew_ms = skew, "session open");
                self.session_since.insert(*origin, (now_ms(), skew));
            }
            Event::SessionClosed(origin) => tracing::info!(peer = handle(*origin), "session closed"),
            Event::ForkProved(_)
            | Event::EpochOpened { .. }
            | Event::HistorySetAside(_)
            | Event::EndpointsChanged(_)
            | Event::PresentationChanged(_) => self.observe_member(event),
            Event::Anchored => tracing::info!("this node may write its log"),
            Event::RosterAdopted(_) | Event::RosterProposed(_) | Event::GovernanceConflict(_) => {
                self.observe_roster(event);
            }
            Event::WritingStopped(why) => tracing::error!(?why, "this node may not write any more"),
            Event::RosterConflict(origin) => {
                tracing::warn!(
                    peer = handle(*origin),
                    "peer has another roster under a number that was decided here"
                );
                self.roster_conflicts += 1;
            }
            Event::Refused(reject) => self.count_refused(reject),
            Event::RefusedByPeer(origin, reject) => {
                tracing::info!(
                    peer = handle(*origin),
                    reason = reject.reason().as_str_name(),
                    "refused by peer"
                );
            }
        }
    }

    /// What became of a member's log.
    fn observe_member(&mut self, event: &Event) {
        let handle =
            |origin: Origin| self.state.roster().member(origin).map_or("", |member| member.handle.as_str());
        match event {
            Event::ForkProved(origin) => {
                tracing::warn!(
                    member = handle(*origin),
                    "two histories of a member are proved; its log is frozen"
                );
                // The proof brings openings of epochs with it.
                self.roster_changed();
            }
            Event::EpochOpened { origin, number, rank } => {
                tracing::warn!(
                    member = handle(*origin),
                    epoch = number,
                    ?rank,
                    "a member opened a new epoch"
                );
                self.roster_changed();
            }
            Event::HistorySetAside(origin) => {
                tracing::warn!(
                    member = handle(*origin),
                    "entries were set aside: another history of this member's log counts"
                );
            }
            Event::EndpointsChanged(origin) | Event::PresentationChanged(origin) => {
                tracing::info!(member = handle(*origin), ?event, "a member says something new of itself");
                self.roster_changed();
            }
            _ => {}
        }
    }

    fn count_refused(&mut self, reject: &Reject) {
        *self.refused.entry(reject.word()).or_default() += 1;
        if reject.blame() == wego_ledger::reject::Blame::Circumstance {
            tracing::debug!(reason = reject.word(), "session refused");
        } else {
            tracing::warn!(reason = reject.word(), error = reject as &dyn std::error::Error, "input refused");
        }
    }
}
