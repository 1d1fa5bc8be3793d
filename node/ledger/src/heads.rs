//! The heads a node has, and what has changed of them since a peer last asked.
//!
//! Two nodes compare 32 bytes. Only when those differ do heads travel, and then only the ones changed since the
//! version the peer remembers. What a peer remembers is bound to the incarnation of the database that said it,
//! and the digest is compared again afterwards, so that a wrong memory costs one full exchange and never an entry.

use std::collections::BTreeMap;

use wego_proto::{
    id::{Hash, Origin},
    v1,
};

use crate::log::Head;

/// Which log of which epoch.
pub type LogKey = (Origin, u32);

/// This node's heads, each with the version at which it last changed.
#[derive(Debug, Clone)]
pub struct Board {
    heads: BTreeMap<LogKey, (Head, u64)>,
    /// Versions of an earlier run of the process lie below this.
    oldest: u64,
    version: u64,
    digest: Hash,
}

impl Board {
    /// An empty board. `boot_ms` sets its versions apart from those of earlier runs of the process.
    #[must_use]
    pub fn new(boot_ms: u64) -> Self {
        let oldest = boot_ms.saturating_mul(1 << 20).max(1);
        Self { heads: BTreeMap::new(), oldest, version: oldest, digest: digest_of([].into_iter()) }
    }

    /// Takes over a head, or the absence of one after a fork at the first position.
    pub fn set(&mut self, origin: Origin, epoch: u32, head: Option<Head>) {
        self.version += 1;
        match head {
            Some(head) => self.heads.insert((origin, epoch), (head, self.version)),
            None => self.heads.remove(&(origin, epoch)),
        };
        self.digest = digest_of(self.heads.iter().map(|(key, (head, _))| (*key, *head)));
    }

    /// SHA-256 over all heads, sorted.
    #[must_use]
    pub fn digest(&self) -> Hash {
        self.digest
    }

    /// The head of one log.
    #[must_use]
    pub fn head(&self, key: LogKey) -> Option<Head> {
        self.heads.get(&key).map(|(head, _)| *head)
    }

    /// All heads.
    pub fn iter(&self) -> impl Iterator<Item = (LogKey, Head)> + '_ {
        self.heads.iter().map(|(key, (head, _))| (*key, *head))
    }

    /// Answers a request: the heads changed since `version`, or all when that version is not of this run. With
    /// `buckets`, only the origins in these of 128 buckets.
    #[must_use]
    pub fn answer(&self, request: &v1::HeadsRequest, max: usize) -> v1::HeadsAnswer {
        let complete = request.since < self.oldest || request.since > self.version;
        let since = if complete { 0 } else { request.since };
        let wanted = |origin: Origin| {
            request.buckets.is_empty()
                || request.buckets.contains(&(origin.0 % crate::limits::HEAD_BUCKETS as u32))
        };
        let changed = self.heads.iter().filter(|((origin, _), (_, at))| *at > since && wanted(*origin));
        let heads: Vec<_> = changed.take(max).map(|(key, (head, _))| to_wire(*key, *head)).collect();
        // A truncated answer must not be remembered as complete knowledge.
        let version = if heads.len() < max && request.buckets.is_empty() { self.version } else { 0 };
        v1::HeadsAnswer {
            version,
            complete: complete && request.buckets.is_empty(),
            heads,
            bucket_digests: vec![],
        }
    }
}

fn to_wire((origin, epoch): LogKey, head: Head) -> v1::Head {
    v1::Head { origin: origin.0, epoch, seq: head.at.seq, hash: head.hash.as_bytes().to_vec() }
}

fn digest_of(heads: impl Iterator<Item = (LogKey, Head)>) -> Hash {
    let mut rows = Vec::new();
    for ((origin, epoch), head) in heads {
        rows.extend_from_slice(&origin.0.to_be_bytes());
        rows.extend_from_slice(&epoch.to_be_bytes());
        rows.extend_from_slice(&head.at.seq.to_be_bytes());
        rows.extend_from_slice(head.hash.as_bytes());
    }
    Hash::of(&[&rows])
}

/// What a peer is known to have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PeerHeads {
    /// The peer's heads version to ask from next time; 0 asks for all.
    pub version: u64,
    /// The newest position it named, by log.
    pub heads: BTreeMap<LogKey, Known>,
}

/// The newest entry a peer named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Its sequence number.
    pub seq: u64,
    /// First eight bytes of its hash.
    pub hash8: [u8; 8],
}

impl PeerHeads {
    /// Takes over an answer. The caller has left out logs that no roster knows, so that a peer cannot make this
    /// grow.
    pub fn learn(&mut self, answer: &v1::HeadsAnswer) {
        if answer.complete {
            self.heads.clear();
        }
        for head in &answer.heads {
            self.set((Origin(head.origin), head.epoch), head.seq, head.hash.get(..8).unwrap_or_default());
        }
        self.version = answer.version;
    }

    /// Takes over one head; the caller has checked that the roster knows its log.
    pub fn set(&mut self, key: LogKey, seq: u64, hash8: &[u8]) {
        if let Ok(hash8) = <[u8; 8]>::try_from(hash8) {
            self.heads.insert(key, Known { seq, hash8 });
        }
    }

    /// The logs of one origin that it named, lowest epoch first.
    #[must_use]
    pub fn of(&self, origin: Origin) -> Vec<LogKey> {
        self.heads.range((origin, 0)..=(origin, u32::MAX)).map(|(key, _)| *key).collect()
    }

    /// Takes over that the peer has what this node has.
    pub fn equals(&mut self, board: &Board) {
        self.heads = board
            .iter()
            .map(|(key, head)| (key, Known { seq: head.at.seq, hash8: hash8(&head.hash) }))
            .collect();
    }

    /// Whether, as far as known, the peer has what this node has.
    #[must_use]
    pub fn is_equal_to(&self, board: &Board) -> bool {
        board.heads.len() == self.heads.len()
            && board.iter().all(|(key, head)| {
                self.heads.get(&key) == Some(&Known { seq: head.at.seq, hash8: hash8(&head.hash) })
            })
    }

    /// The newest sequence number it named.
    #[must_use]
    pub fn seq(&self, key: LogKey) -> u64 {
        self.heads.get(&key).map_or(0, |known| known.seq)
    }
}

/// The first eight bytes of a hash, as notes carry them.
#[must_use]
pub fn hash8(hash: &Hash) -> [u8; 8] {
    let mut short = [0; 8];
    short.copy_from_slice(&hash.as_bytes()[..8]);
    short
}

/// A note of one's own head.
#[must_use]
pub fn note_of((origin, epoch): LogKey, head: Head) -> v1::Note {
    v1::Note {
        origin: origin.0,
        epoch,
        seq: head.at.seq,
        hash8: hash8(&head.hash).to_vec(),
        want: v1::note::Want::Lazy as i32,
    }
}

#[cfg(test)]
mod tests {
    use wego_proto::id::Position;

    use super::*;

    fn head(seq: u64, byte: u8) -> Option<Head> {
        Some(Head { at: Position { epoch: 1, seq }, hash: Hash::new([byte; 32]) })
    }

    fn since(version: u64) -> v1::HeadsRequest {
        v1::HeadsRequest { since: version, buckets: vec![] }
    }

    #[test]
    fn equal_heads_have_equal_digests_whatever_the_order() {
        let (mut one, mut other) = (Board::new(1), Board::new(99));
        one.set(Origin(1), 1, head(4, 1));
        one.set(Origin(2), 1, head(5, 2));
        other.set(Origin(2), 1, head(3, 9));
        other.set(Origin(2), 1, head(5, 2));
        assert_ne!(one.digest(), other.digest());
        other.set(Origin(1), 1, head(4, 1));
        assert_eq!(one.digest(), other.digest());
    }

    #[test]
    fn a_peer_that_remembers_gets_only_what_changed() {
        let mut board = Board::new(1);
        for origin in 1..=100 {
            board.set(Origin(origin), 1, head(1, 1));
        }
        let all = board.answer(&since(0), 10_000);
        assert!(all.complete && all.heads.len() == 100);
        board.set(Origin(7), 1, head(2, 3));
        let news = board.answer(&since(all.version), 10_000);
        assert!(!news.complete);
        assert_eq!(news.heads.iter().map(|head| head.origin).collect::<Vec<_>>(), [7]);
    }

    #[test]
    fn a_version_of_an_earlier_run_is_answered_in_full() {
        let mut before = Board::new(1_000);
        before.set(Origin(1), 1, head(9, 1));
        let remembered = before.answer(&since(0), 10).version;
        let mut after = Board::new(2_000);
        after.set(Origin(1), 1, head(8, 1));
        assert!(after.answer(&since(remembered), 10).complete);
    }

    #[test]
    fn a_truncated_answer_is_not_remembered_as_complete() {
        let mut board = Board::new(1);
        for origin in 1..=5 {
            board.set(Origin(origin), 1, head(1, 1));
        }
        assert_eq!(board.answer(&since(0), 3).version, 0);
    }
}
