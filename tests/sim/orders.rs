//! Every order of arrival gives the same state: entries of two histories, the proof that there are two, the epoch that
//! heals it, and the roster version that cuts the member off afterwards.

use std::collections::BTreeMap;

use wego_ledger::{
    sim::{Link, Noticed, Sim},
    state::{Input, NewKeys, Settings},
};
use wego_proto::{
    entry::Verified,
    epochs::Rank,
    id::Origin,
    v1::{self, MemberStatus},
};

use crate::{calm, part};

/// Whose log is contested.
const AUTHOR: usize = 0;
/// Holds the beginning of the log only.
const EARLY: usize = 1;
/// Holds the author's history.
const HONEST: usize = 2;
/// Holds the thief's history.
const DECEIVED: usize = 3;
/// Has met both, and holds the proof.
const PROVED: usize = 4;
/// Holds the author's history and the epoch that heals it.
const HEALED: usize = 5;
/// Knows that the author was expelled, and after which entry of that epoch.
const RULED: usize = 6;
/// Meets them all, in some order.
const OBSERVER: usize = 7;
const NODES: usize = 8;

/// Long enough for a dial, a greeting and whatever is fetched.
const MEETING_MS: u64 = 9_000;

/// What everybody but the observer knows before it meets anybody.
fn scene() -> Sim {
    // Whoever steals a key asks nobody before writing.
    let trusting = Settings { quorum: Some(0), ..Settings::default() };
    let mut sim = Sim::with(11, NODES, calm(), trusting);
    let everybody: Vec<_> = (0..NODES).collect();
    part(&mut sim, &everybody, &everybody, Link::Down);
    sim.run_for(3_000);
    assert!(sim.publish(AUTHOR));
    meet(&mut sim, AUTHOR, EARLY);
    let beginning = sim.snapshot(AUTHOR);
    let thief = sim.add_twin(AUTHOR);
    part(&mut sim, &[thief], &everybody, Link::Down);
    sim.crash(thief);
    sim.restore(thief, beginning, Noticed::No);
    sim.start(thief);
    sim.run_for(1_000);
    assert!(sim.publish(AUTHOR) && sim.move_to(AUTHOR, 1, "author.example:7400"));
    assert!(sim.call(AUTHOR, "Author"));
    // He has the transport key too: what he says of it holds for whoever has not heard of the author.
    assert!(sim.publish(thief) && sim.publish(thief) && sim.move_to(thief, 7, "thief.example:7400"));
    assert!(sim.call(thief, "Thief"));
    meet(&mut sim, AUTHOR, HONEST);
    meet(&mut sim, thief, DECEIVED);
    meet(&mut sim, HONEST, PROVED);
    meet(&mut sim, DECEIVED, PROVED);
    assert_eq!(sim.forks_known(PROVED), [(Origin(1), 2)]);
    heal(&mut sim);
    for _ in 0..2 {
        assert!(sim.publish(AUTHOR));
    }
    meet(&mut sim, AUTHOR, HEALED);
    let expelled = expelled(&mut sim);
    sim.operate(RULED, Input::Submitted(vec![expelled]));
    sim
}

/// The author opens an epoch with its recovery key, after the last entry it wrote.
pub(crate) fn heal(sim: &mut Sim) {
    let author = Origin(1);
    let (recovery, log) = (sim.federation().recovery_key(author), sim.federation().next_log_key(author));
    let new = NewKeys {
        log: log.public(),
        next_digest: recovery.public().digest(),
        recovery: Some(recovery.public()),
    };
    let federation = sim.federation().roster.federation();
    let header = sim.with_state(AUTHOR, |state, now_ms| state.opening(now_ms, Rank::Recovery, new, None));
    let Some(header) = header.flatten() else { panic!("there is room for a recovery") };
    let opening = Box::new(Verified::sign(header, None, &federation, &recovery));
    sim.operate(AUTHOR, Input::Open { opening, key: log });
    assert!(sim.may_write(AUTHOR));
}

/// A roster version that expels the author after the second entry of its newest epoch.
fn expelled(sim: &mut Sim) -> v1::SignedRoster {
    let Some(&epoch) = sim.epochs(HEALED, AUTHOR).last() else { panic!("the author has an epoch") };
    let at = v1::Position { epoch, seq: 2 };
    let hash = sim.held(HEALED, AUTHOR, epoch)[&2];
    sim.federation().next_version(|roster| {
        let author = &mut roster.members[0];
        author.status = MemberStatus::Expelled as i32;
        author.cut = Some(v1::Cut { at: Some(at), hash: hash.as_bytes().to_vec() });
    })
}

pub(crate) fn meet(sim: &mut Sim, one: usize, other: usize) {
    sim.set_link(one, other, Link::Up);
    sim.run_for(MEETING_MS);
    sim.set_link(one, other, Link::Down);
}

/// All orders of some things (Heap's algorithm).
pub(crate) fn orders<T: Clone>(things: &mut Vec<T>, k: usize, found: &mut Vec<Vec<T>>) {
    if k <= 1 {
        found.push(things.clone());
        return;
    }
    for i in 0..k {
        orders(things, k - 1, found);
        let swapped = if k.is_multiple_of(2) { i } else { 0 };
        things.swap(swapped, k - 1);
    }
}

#[test]
fn every_order_of_arrival_gives_the_same_state() {
    let mut found = Vec::new();
    let mut witnesses = vec![EARLY, HONEST, DECEIVED, PROVED, HEALED, RULED];
    let count = witnesses.len();
    orders(&mut witnesses, count, &mut found);
    assert_eq!(found.len(), 720);
    let mut ends: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut rewinds = 0;
    for order in found {
        let mut sim = scene();
        let before = sim.count("rewinds");
        for witness in &order {
            meet(&mut sim, OBSERVER, *witness);
        }
        // Whoever held back what it could not judge yet is met once more.
        for witness in &order {
            meet(&mut sim, OBSERVER, *witness);
        }
        rewinds += sim.count("rewinds") - before;
        assert_eq!(sim.violations(), Vec::<String>::new(), "{order:?}");
        ends.insert(sim.what_counts(OBSERVER), order);
    }
    assert_eq!(ends.len(), 1, "orders that end differently: {ends:#?}");
    let end = ends.keys().next().expect("one end");
    assert!(end.contains("roster 2"), "{end}");
    assert!(end.contains("author.example") && !end.contains("thief.example"), "{end}");
    assert!(rewinds > 0, "the thief's history never came first: the test means nothing");
}
