//! With whom a node keeps sessions: the overlay.
//!
//! Up to [`DEGREE`] + 1 members everybody talks to everybody. Above that each node picks
//! the members with the lowest rendezvous hash of the pair, besides those its operator pinned. The hash is the
//! same from both ends, so most links are wanted by both; and no node's list depends on anybody's advice, so a
//! hostile peer cannot surround another.

use std::collections::BTreeSet;

use wego_proto::id::{Hash, Origin};

#[cfg(doc)]
use crate::limits::DEGREE;
use crate::roster::History;

/// The members this node should have a session with.
#[must_use]
pub fn wanted_peers(
    me: Origin,
    pinned: &BTreeSet<Origin>,
    roster: &History,
    degree: usize,
) -> BTreeSet<Origin> {
    let others =
        roster.current().members().values().filter(|member| member.is_active() && member.origin != me);
    let mut ranked: Vec<(Hash, Origin)> =
        others.map(|member| (rendezvous(roster, me, member.origin), member.origin)).collect();
    ranked.sort_unstable();
    let pinned = pinned.iter().copied().filter(|origin| ranked.iter().any(|(_, known)| known == origin));
    let mut wanted: BTreeSet<Origin> = pinned.collect();
    wanted.extend(ranked.iter().map(|(_, origin)| *origin).take(degree));
    wanted
}

fn rendezvous(roster: &History, one: Origin, other: Origin) -> Hash {
    let (low, high) = if one < other { (one, other) } else { (other, one) };
    Hash::of(&[
        b"wego-overlay-v1",
        roster.federation().as_bytes(),
        &low.0.to_be_bytes(),
        &high.0.to_be_bytes(),
    ])
}
