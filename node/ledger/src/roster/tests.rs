//! Claims about what a member's log says of its transport keys.

use wego_proto::{id::Hash, key::SecretKey, v1::EntryKind};

use super::*;
use crate::{sim::Federation, state::recovery::tests::reign as recovered};

const SEOUL: Origin = Origin(1);

struct Bench {
    federation: Federation,
    roster: History,
}

impl Bench {
    fn new() -> Self {
        let federation = Federation::new(2);
        Self { roster: federation.roster.clone(), federation }
    }

    fn old(&self) -> SecretKey {
        self.federation.transport_key(SEOUL)
    }

    /// A change with this number, to these keys, proved by those.
    fn says(&self, seq: u64, number: u32, keys: &[&SecretKey], proofs: &[&SecretKey]) -> Header {
        let change = EndpointChange {
            endpoints: vec!["seoul.example:7400".to_owned()],
            transport_keys: keys.iter().map(|key| key.public()).collect(),
            number,
            proofs: Vec::new(),
        };
        let change = change.proved_by(&self.roster.ground(SEOUL), proofs);
        Header {
            origin: SEOUL,
            at: Position { epoch: 1, seq },
            prev: Hash::new([1; 32]),
            key_no: 1,
            roster_version: 1,
            hlc_ms: seq,
            kind: EntryKind::Endpoint as i32,
            record_id: None,
            base: None,
            payload: None,
            record_kind: 0,
            request_id: None,
            epoch_start: None,
            recovery_key: None,
            endpoint_change: Some(change),
            erase: None,
        }
    }

    fn speaks(&self, key: &SecretKey) -> bool {
        self.roster.speaker(&key.public()).is_some_and(|member| member.origin == SEOUL)
    }
}

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed; 32].into())
}

#[test]
fn one_key_takes_over_from_another_in_two_steps() {
    let mut bench = Bench::new();
    let (old, new) = (bench.old(), key(50));
    let both = bench.says(4, 1, &[&old, &new], &[&old, &new]);
    assert!(bench.roster.hear(SEOUL, std::slice::from_ref(&both)));
    assert!(bench.speaks(&old) && bench.speaks(&new));
    let alone = bench.says(5, 2, &[&new], &[&new]);
    assert!(bench.roster.hear(SEOUL, &[both.clone(), alone.clone()]));
    assert!(!bench.speaks(&old) && bench.speaks(&new));
    assert!(!bench.roster.hear(SEOUL, &[both, alone]), "once is enough");
}

#[test]
fn a_thief_of_the_log_key_cannot_take_back_what_was_heard_and_the_recovery_key_can() {
    let mut bench = Bench::new();
    let (old, new, thief) = (bench.old(), key(50), key(60));
    let both = bench.says(4, 1, &[&old, &new], &[&old, &new]);
    let alone = bench.says(5, 2, &[&new], &[&new]);
    bench.roster.hear(SEOUL, &[both, alone]);
    let posing = bench.says(6, 9, &[&thief], &[&thief]);
    assert!(!bench.roster.hear(SEOUL, &[posing]), "nobody who was known agrees");
    // A fork, or an epoch that goes on from before, and nothing counts of it.
    assert!(!bench.roster.hear(SEOUL, &[]));
    assert!(bench.speaks(&new) && !bench.speaks(&old));
    let (_, epoch) = recovered(&bench.federation, 0);
    bench.roster.hold(SEOUL, epoch);
    assert!(bench.roster.hear(SEOUL, &[]));
    assert!(bench.speaks(&old) && !bench.speaks(&new), "whoever recovers says what counts");
}

#[test]
fn of_many_changes_no_more_are_asked_for_than_are_looked_at() {
    let mut bench = Bench::new();
    let old = bench.old();
    let change = |number| bench.says(u64::from(number), number, &[&old], &[&old]);
    let all: Vec<_> = (1..=ENDPOINT_CHANGES_MAX as u32).map(change).collect();
    bench.roster.hear(SEOUL, &all[1..]);
    assert!(bench.roster.has_room_for_a_change(SEOUL));
    bench.roster.hear(SEOUL, &all);
    assert!(!bench.roster.has_room_for_a_change(SEOUL));
}

#[test]
fn nobody_speaks_for_two_members() {
    let mut bench = Bench::new();
    let (old, dakar) = (bench.old(), bench.federation.transport_key(Origin(2)));
    let posing = bench.says(4, 1, &[&old, &dakar], &[&old]);
    assert!(!bench.roster.hear(SEOUL, &[posing]));
    assert!(!bench.speaks(&dakar));
}
