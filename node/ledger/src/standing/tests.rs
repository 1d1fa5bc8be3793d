//! Claims about how far a log counts.

use wego_proto::{
    entry::{EpochStart, Header, Verified},
    epochs::{Epoch, next_number},
    id::Origin,
    key::SecretKey,
    v1::EntryKind,
};

use super::*;
use crate::{roster::History, sim::Federation};

const AUTHOR: Origin = Origin(1);

fn at(epoch: u32, seq: u64) -> Position {
    Position { epoch, seq }
}

fn hash(byte: u8) -> Hash {
    Hash::new([byte; 32])
}

fn fork(epoch: u32, seq: u64) -> (u32, Fork) {
    (epoch, Fork { at: at(epoch, seq), prev: hash(seq as u8 - 1), branch: None })
}

/// Opens an epoch of `rank` after `base`.
fn open(roster: &mut History, federation: &Federation, rank: Rank, base: Position) -> u32 {
    let number = next_number(rank, base.epoch, roster.epochs(AUTHOR).tip(), 0).expect("room");
    let below = roster.epochs(AUTHOR).get(base.epoch).map(|epoch| epoch.opening.hash());
    let epoch = opened(roster, federation, (rank, number), base, below);
    roster.admit(AUTHOR, vec![epoch]);
    number
}

/// An epoch of this rank and number after `base`, behind the opening `below`.
fn opened(
    roster: &History,
    federation: &Federation,
    (rank, number): (Rank, u32),
    base: Position,
    below: Option<Hash>,
) -> Epoch {
    let (log, next, recovery) =
        (federation.log_key(AUTHOR), federation.next_log_key(AUTHOR), federation.recovery_key(AUTHOR));
    let carries = rank != Rank::Continuation;
    let signer: &SecretKey = match rank {
        Rank::Continuation => &log,
        Rank::Rotation => &next,
        _ => &recovery,
    };
    let start = EpochStart {
        base,
        base_hash: hash(base.seq as u8),
        proof_hash: None,
        store: None,
        log_key: carries.then(|| next.public()),
        next_digest: carries.then(|| recovery.public().digest()),
        base_opening: below,
    };
    let header = Header {
        origin: AUTHOR,
        at: at(number, 1),
        prev: hash(base.seq as u8),
        key_no: match rank {
            Rank::Continuation => 1,
            Rank::Rotation => 2,
            _ => 0,
        },
        roster_version: 1,
        hlc_ms: 1,
        kind: EntryKind::EpochStart as i32,
        record_id: None,
        base: None,
        payload: None,
        record_kind: 0,
        request_id: None,
        epoch_start: Some(start),
        recovery_key: (rank == Rank::Recovery).then(|| signer.public()),
        endpoint_change: None,
        presentation: None,
        erase: None,
    };
    let opening = Verified::sign(header, None, &roster.federation(), signer);
    roster.opened(&opening).expect("a good opening")
}

#[test]
fn a_fork_freezes_until_another_key_heals_it() {
    let federation = Federation::new(1);
    let mut roster = federation.roster.clone();
    let forks = BTreeMap::from([fork(1, 5)]);
    let frozen = Standing::of(roster.epochs(AUTHOR), &forks, None);
    assert_eq!((frozen.bound(1).last, frozen.fork().map(|fork| fork.at)), (4, Some(at(1, 5))));
    // The same key goes on: it is not believed after the fork.
    let continued = open(&mut roster, &federation, Rank::Continuation, at(1, 7));
    let same = Standing::of(roster.epochs(AUTHOR), &forks, None);
    assert!(!same.counts(at(continued, 1)) && !same.counts(at(1, 5)) && same.counts(at(1, 4)));
    let healed = open(&mut roster, &federation, Rank::Recovery, at(1, 9));
    let whole = Standing::of(roster.epochs(AUTHOR), &forks, None);
    assert_eq!(whole.fork(), None);
    assert!(whole.counts(at(1, 9)) && whole.counts(at(healed, 3)));
    assert!(!whole.counts(at(1, 10)) && !whole.counts(at(continued, 1)));
}

#[test]
fn a_fork_beyond_the_base_harms_nothing() {
    let federation = Federation::new(1);
    let mut roster = federation.roster.clone();
    let next = open(&mut roster, &federation, Rank::Continuation, at(1, 7));
    let standing = Standing::of(roster.epochs(AUTHOR), &BTreeMap::from([fork(1, 8)]), None);
    assert_eq!(standing.fork(), None);
    assert!(standing.counts(at(next, 100)) && !standing.counts(at(1, 8)));
}

#[test]
fn a_cut_ends_a_log_wherever_it_stands() {
    let federation = Federation::new(1);
    let mut roster = federation.roster.clone();
    let next = open(&mut roster, &federation, Rank::Rotation, at(1, 7));
    let cut = |at, byte| Some(Cut { at, hash: hash(byte) });
    let none = BTreeMap::new();
    let within = Standing::of(roster.epochs(AUTHOR), &none, cut(at(next, 3), 33));
    assert_eq!(within.bound(next), Bound { last: 3, hash: Some(hash(33)) });
    assert_eq!(within.pinned(), Some((at(next, 3), hash(33))));
    let before = Standing::of(roster.epochs(AUTHOR), &none, cut(at(1, 5), 55));
    assert_eq!(before.bound(1), Bound { last: 5, hash: Some(hash(55)) });
    assert!(!before.counts(at(next, 1)), "an epoch opened after the cut is nothing");
}

#[test]
fn what_a_new_key_pins_heals_the_epochs_below_its_base_too() {
    let federation = Federation::new(1);
    let mut roster = federation.roster.clone();
    let forks = BTreeMap::from([fork(1, 5)]);
    let continued = open(&mut roster, &federation, Rank::Continuation, at(1, 9));
    let frozen = Standing::of(roster.epochs(AUTHOR), &forks, None);
    assert!(frozen.fork().is_some() && !frozen.counts(at(continued, 1)));
    let healed = open(&mut roster, &federation, Rank::Recovery, at(continued, 3));
    let standing = Standing::of(roster.epochs(AUTHOR), &forks, None);
    assert_eq!(standing.fork(), None);
    assert!([at(1, 9), at(continued, 3), at(healed, 1)].into_iter().all(|at| standing.counts(at)));
    assert!(![at(1, 10), at(continued, 4)].into_iter().any(|at| standing.counts(at)));
}

/// A roster that knows two openings of epoch 2, the one that stands and the other one.
fn opened_twice(federation: &Federation) -> (History, [Epoch; 2]) {
    let mut roster = federation.roster.clone();
    let mut both =
        [at(1, 3), at(1, 8)].map(|base| opened(&roster, federation, (Rank::Continuation, 2), base, None));
    both.sort_by_key(|epoch| epoch.opening.hash());
    // The other one is held, so that it stays known.
    roster.hold(AUTHOR, both[1].clone());
    roster.admit(AUTHOR, vec![both[0].clone()]);
    (roster, both)
}

#[test]
fn of_two_openings_none_counts_until_another_key_continues_one() {
    let federation = Federation::new(1);
    let (mut roster, [stands, other]) = opened_twice(&federation);
    let forks = BTreeMap::from([fork(2, 1)]);
    let frozen = Standing::of(roster.epochs(AUTHOR), &forks, None);
    assert_eq!(frozen.bound(1).last, stands.base.seq);
    assert!(!frozen.counts(at(2, 1)) && frozen.fork().is_some());
    // The same key continues the other one: whoever does not hear of it must have the same bounds.
    let pinned = Some(other.opening.hash());
    let continued = opened(&roster, &federation, (Rank::Continuation, 9), at(2, 4), pinned);
    roster.admit(AUTHOR, vec![continued]);
    assert_eq!(Standing::of(roster.epochs(AUTHOR), &forks, None), frozen);
    let healed = opened(&roster, &federation, (Rank::Recovery, 1 << 24), at(2, 4), pinned);
    roster.admit(AUTHOR, vec![healed]);
    let whole = Standing::of(roster.epochs(AUTHOR), &forks, None);
    assert_eq!((whole.bound(1).last, whole.bound(2).last, whole.fork()), (other.base.seq, 4, None));
    assert_eq!(whole.opening(2), pinned);
}

#[test]
fn a_fork_behind_another_opening_is_not_of_this_log() {
    let federation = Federation::new(1);
    let (roster, [stands, other]) = opened_twice(&federation);
    let behind = |epoch: &Epoch| {
        let (number, fork) = fork(2, 5);
        BTreeMap::from([(number, Fork { branch: Some(epoch.opening.hash()), ..fork })])
    };
    let standing = |forks| Standing::of(roster.epochs(AUTHOR), &forks, None);
    assert_eq!(standing(behind(&other)).fork(), None);
    assert_eq!(standing(behind(&stands)).bound(2).last, 4);
}
