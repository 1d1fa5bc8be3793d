//! How peers are shown, and which of them need a look.
//!
//! It must never call a member wrong that this node does not want to exchange with.

use wego_proto::{
    id::Origin,
    v1::{self, Health, PeerState},
};

use super::Doors;
use crate::{clock::now_ms, engine::view::View, peers::PeerStatus};

impl Doors {
    /// The nodes this one exchanges with or tries to: those that need a look first, then by handle.
    pub(super) fn peer_views(&self) -> Vec<v1::PeerView> {
        let view = self.reader.view();
        let listed = self.peers.list().into_iter();
        let mut peers: Vec<_> = listed.map(|(origin, status)| peer_view(&view, origin, status)).collect();
        peers.sort_by(|one, other| (!is_lost(one), &one.handle).cmp(&(!is_lost(other), &other.handle)));
        peers
    }
}

/// One peer as it is sent.
pub(super) fn peer_view(view: &View, origin: Origin, status: PeerStatus) -> v1::PeerView {
    v1::PeerView {
        handle: view.handle(origin).to_owned(),
        endpoint: status.endpoint,
        state: status.state as i32,
        pinned: status.pinned,
        dialled: status.dialled,
        since_ms: status.since_ms,
        last_contact_ms: status.last_contact_ms,
        lag_entries: status.lag_entries,
        sent_bytes: status.sent_bytes,
        received_bytes: status.received_bytes,
        last_error: status.last_error,
        next_try_ms: status.next_try_ms,
        seen_ms: view.seen_ms(origin, now_ms()),
    }
}

/// One problem for each peer that is wanted and not reached.
pub(super) fn problems(peers: &[v1::PeerView]) -> impl Iterator<Item = v1::Problem> {
    peers.iter().filter(|peer| is_lost(peer)).map(|peer| v1::Problem {
        health: Health::Degraded as i32,
        what: format!("{} is not reached at {}: {}", peer.handle, peer.endpoint, peer.last_error),
        hint: format!(
            "its records are shown as they were; `wego peer ping {}` says at which step it fails",
            peer.handle
        ),
    })
}

/// Whether the last try failed and no session is open.
fn is_lost(peer: &v1::PeerView) -> bool {
    matches!(peer.state(), PeerState::Waiting | PeerState::Connecting) && !peer.last_error.is_empty()
}
