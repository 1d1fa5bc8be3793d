//! How far each epoch of a log counts: a function of what is known, never of what was heard first.
//!
//! Three facts bound a log: openings of epochs pin what stays valid of earlier ones, a proved fork ends what its key can
//! be believed for, and the roster cuts off a member that no longer takes part. A fork is healed by the opening of a
//! later epoch with another key; a continuation has the same key, so it is frozen with it. What the healing opening pins, it
//! pins with all epochs below. Every node that knows the same facts has the same bounds.

use std::collections::BTreeMap;

use wego_proto::{
    epochs::{Epochs, OpeningId, Rank, Segment},
    id::{Hash, Position},
    roster::Cut,
};

use crate::log::{Bound, Fork};

/// The bounds of one member's log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    bounds: BTreeMap<u32, Bound>,
    /// Hashes of the openings behind which the epochs above the first count.
    openings: BTreeMap<u32, Hash>,
    fork: Option<Fork>,
}

impl Standing {
    /// The bounds that follow from a log's epochs, the lowest fork known of each epoch, and a cut.
    #[must_use]
    pub fn of(epochs: &Epochs, forks: &BTreeMap<u32, Fork>, cut: Option<Cut>) -> Self {
        let mut standing = Self::default();
        let path = agreed_path(epochs, forks);
        for (n, segment) in path.iter().enumerate() {
            let mut bound = pinned(segment);
            let fork = unhealed(&path[n..], forks);
            if let Some(fork) = fork {
                bound = Bound { last: fork.at.seq - 1, hash: Some(fork.prev) };
                standing.fork = Some(*fork);
            }
            let cut_before = cut.is_some_and(|cut| cut.at.epoch < segment.epoch);
            let cut_here = cut.filter(|cut| cut.at.epoch == segment.epoch);
            if let Some(cut) = cut_here.filter(|cut| cut.at.seq < bound.last) {
                bound = Bound { last: cut.at.seq, hash: Some(cut.hash) };
            }
            if bound.last > 0 && !cut_before {
                standing.bounds.insert(segment.epoch, bound);
                standing.openings.extend(segment.opening.map(|opening| (segment.epoch, opening)));
            }
            if fork.is_some() || cut_before || cut_here.is_some() {
                break;
            }
        }
        standing
    }

    /// How far an epoch counts; nothing of it when it does not.
    #[must_use]
    pub fn bound(&self, epoch: u32) -> Bound {
        self.bounds.get(&epoch).copied().unwrap_or(Bound::NOTHING)
    }

    /// Hash of the opening behind which an epoch above the first counts, if it does.
    #[must_use]
    pub fn opening(&self, epoch: u32) -> Option<Hash> {
        self.openings.get(&epoch).copied()
    }

    /// The newest opening that counts, if there is one.
    #[must_use]
    pub fn newest_opening(&self) -> Option<OpeningId> {
        self.openings.last_key_value().map(|(number, hash)| (*number, *hash))
    }

    /// Whether the entry at a position counts.
    #[must_use]
    pub fn counts(&self, at: Position) -> bool {
        at.seq <= self.bound(at.epoch).last
    }

    /// The fork at which the log is frozen: proved, and not healed.
    #[must_use]
    pub fn fork(&self) -> Option<Fork> {
        self.fork
    }

    /// The epochs that count, oldest first.
    pub fn epochs(&self) -> impl DoubleEndedIterator<Item = u32> + '_ {
        self.bounds.keys().copied()
    }

    /// Position and hash of the last entry that a bound pins: what a log has to be held up to, whoever wrote on.
    #[must_use]
    pub fn pinned(&self) -> Option<(Position, Hash)> {
        let (epoch, bound) = self.bounds.last_key_value()?;
        Some((Position { epoch: *epoch, seq: bound.last }, bound.hash?))
    }
}

/// The path of a log on which every node agrees that knows these forks. Where an epoch was opened twice, what continues one
/// of the openings with the same key counts no more than the key does, so it does not say either which of the two stands.
fn agreed_path(epochs: &Epochs, forks: &BTreeMap<u32, Fork>) -> Vec<Segment> {
    let mut path = epochs.path();
    loop {
        let opened_twice =
            (0..path.len()).find(|n| unhealed(&path[*n..], forks).is_some_and(|fork| fork.at.seq == 1));
        let Some(segment) = opened_twice.map(|n| path[n]) else { return path };
        let stands = epochs.least(segment.epoch).map(|epoch| epoch.opening.hash());
        if segment.opening == stands {
            return path;
        }
        path = epochs.path_to(segment.epoch);
    }
}

/// The fork of the first of these segments, unless a later opening with another key has healed it.
fn unhealed<'a>(from: &[Segment], forks: &'a BTreeMap<u32, Fork>) -> Option<&'a Fork> {
    let segment = from.first()?;
    let healed = from.iter().filter_map(|segment| segment.ended_by).any(|rank| rank != Rank::Continuation);
    let fork = forks.get(&segment.epoch).filter(|fork| !healed && fork.at.seq <= pinned(segment).last);
    // What was written twice behind another opening is not of this log.
    fork.filter(|fork| fork.at.seq == 1 || fork.branch == segment.opening)
}

fn pinned(segment: &Segment) -> Bound {
    segment.last.map_or(Bound::OPEN, |(at, hash)| Bound { last: at.seq, hash: Some(hash) })
}

#[cfg(test)]
mod tests;
