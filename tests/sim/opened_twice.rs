//! A thief of the log key opens an epoch once more that its owner has long written in, from an earlier base. Whoever hears
//! which first: once the owner has recovered, everybody has what the owner wrote, and nothing else.

use std::collections::BTreeMap;

use wego_ledger::{
    sim::{Link, Noticed, Sim},
    state::{Input, Settings},
};
use wego_proto::{
    entry::{EpochStart, Header, Verified},
    id::{Hash, Origin, Position},
    v1::EntryKind,
};

use crate::{
    calm,
    orders::{heal, meet, orders},
    part, settle,
};

/// Whose key is stolen.
const AUTHOR: usize = 0;
/// Holds what the author wrote before and after it lost its disk.
const HONEST: usize = 1;
/// Holds what the thief wrote instead.
const DECEIVED: usize = 2;
/// Has met both.
const PROVED: usize = 3;
/// Was deceived first, and holds the epoch that heals it.
const HEALED: usize = 4;
/// Meets them all, in some order.
const OBSERVER: usize = 5;
const NODES: usize = 6;

/// What the smaller hash says, where nothing else does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Smaller {
    Thiefs,
    Owners,
}

/// What the thief's opening continues from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Base {
    /// The second entry of the first epoch.
    Earlier,
    /// An epoch that the thief has opened below the author's.
    Thiefs,
}

/// Whether the author hears of the thief before it recovers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Author {
    Knows,
    KnowsNothing,
}

type Case = (Smaller, Base, Author);

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for smaller in [Smaller::Thiefs, Smaller::Owners] {
        for base in [Base::Earlier, Base::Thiefs] {
            for author in [Author::Knows, Author::KnowsNothing] {
                cases.push((smaller, base, author));
            }
        }
    }
    cases
}

/// What everybody but the observer knows before it meets anybody.
fn scene((smaller, base, author): Case) -> Sim {
    // Whoever steals a key asks nobody before writing.
    let trusting = Settings { quorum: Some(0), ..Settings::default() };
    let mut sim = Sim::with(11, NODES, calm(), trusting);
    let everybody: Vec<_> = (0..NODES).collect();
    part(&mut sim, &everybody, &everybody, Link::Down);
    sim.run_for(3_000);
    for _ in 0..3 {
        assert!(sim.publish(AUTHOR));
    }
    let beginning = sim.snapshot(AUTHOR);
    for node in 1..NODES {
        meet(&mut sim, AUTHOR, node);
    }
    sim.operate(AUTHOR, Input::TimeJumped);
    sim.run_for(9_000);
    let [1, epoch] = sim.epochs(AUTHOR, AUTHOR)[..] else { panic!("the author goes on in a new epoch") };
    let thief = sim.add_twin(AUTHOR);
    part(&mut sim, &[thief], &everybody, Link::Down);
    sim.crash(thief);
    sim.restore(thief, beginning, Noticed::No);
    sim.start(thief);
    sim.run_for(1_000);
    steal(&mut sim, thief, epoch, (smaller, base));
    for writer in [thief, thief, thief, AUTHOR, AUTHOR, AUTHOR, AUTHOR, AUTHOR] {
        assert!(sim.publish(writer));
    }
    for (one, other) in
        [(AUTHOR, HONEST), (thief, DECEIVED), (thief, HEALED), (HONEST, PROVED), (DECEIVED, PROVED)]
    {
        meet(&mut sim, one, other);
    }
    assert_eq!(sim.forks_known(PROVED), [(Origin(1), 1)], "two first entries of one epoch");
    if author == Author::Knows {
        meet(&mut sim, AUTHOR, PROVED);
        assert!(!sim.may_write(AUTHOR));
    }
    sim.crash(thief);
    heal(&mut sim);
    for _ in 0..2 {
        assert!(sim.publish(AUTHOR));
    }
    meet(&mut sim, AUTHOR, HEALED);
    sim
}

/// Opens the epoch once more.
fn steal(sim: &mut Sim, thief: usize, epoch: u32, (smaller, base): (Smaller, Base)) {
    let owners = sim.held(AUTHOR, AUTHOR, epoch)[&1];
    let mut start = EpochStart {
        base: Position { epoch: 1, seq: 2 },
        base_hash: sim.held(AUTHOR, AUTHOR, 1)[&2],
        proof_hash: None,
        store: None,
        log_key: None,
        next_digest: None,
        base_opening: None,
    };
    if base == Base::Thiefs {
        assert!(epoch > 2, "there is room below the author's epoch");
        let below = open(sim, thief, opening(2, start, 1), |_| true);
        let base = Position { epoch: 2, seq: 1 };
        start = EpochStart { base, base_hash: below, base_opening: Some(below), ..start };
    }
    open(sim, thief, opening(epoch, start, 1), |hash| (hash < owners) == (smaller == Smaller::Thiefs));
}

/// Opens an epoch at the thief's node, at a time that gives it a hash that fits. Returns the hash.
fn open(sim: &mut Sim, thief: usize, header: Header, fits: impl Fn(Hash) -> bool) -> Hash {
    let key = sim.federation().log_key(Origin(1));
    let federation = sim.federation().roster.federation();
    let mut made =
        (1..).map(|hlc_ms| Verified::sign(Header { hlc_ms, ..header.clone() }, None, &federation, &key));
    let Some(opening) = made.find(|opening| fits(opening.hash())) else { panic!("one in a few") };
    let hash = opening.hash();
    sim.operate(thief, Input::Open { opening: Box::new(opening), key });
    hash
}

fn opening(epoch: u32, start: EpochStart, hlc_ms: u64) -> Header {
    Header {
        origin: Origin(1),
        at: Position { epoch, seq: 1 },
        prev: start.base_hash,
        key_no: 1,
        roster_version: 1,
        hlc_ms,
        kind: EntryKind::EpochStart as i32,
        record_id: None,
        base: None,
        payload: None,
        record_kind: 0,
        request_id: None,
        epoch_start: Some(start),
        recovery_key: None,
        endpoint_change: None,
        presentation: None,
        erase: None,
    }
}

#[test]
fn every_order_of_arrival_brings_back_what_the_owner_wrote() {
    let mut found = Vec::new();
    let mut witnesses = vec![HONEST, DECEIVED, PROVED, HEALED];
    let count = witnesses.len();
    orders(&mut witnesses, count, &mut found);
    let mut rewinds = 0;
    for case in cases() {
        let mut ends: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for order in &found {
            let mut sim = scene(case);
            let before = sim.count("rewinds");
            for witness in order {
                meet(&mut sim, OBSERVER, *witness);
            }
            rewinds += sim.count("rewinds") - before;
            assert_eq!(sim.violations(), Vec::<String>::new(), "{case:?}, {order:?}");
            assert_eq!(sim.uncounted(OBSERVER, AUTHOR), [], "{case:?}, {order:?}");
            ends.insert(sim.what_counts(OBSERVER), order.clone());
        }
        assert_eq!(ends.len(), 1, "{case:?}: orders that end differently: {ends:#?}");
    }
    assert!(rewinds > 0, "the thief's history never came first: the test means nothing");
}

#[test]
fn before_the_owner_recovers_all_who_know_both_agree() {
    for (smaller, base, _) in cases() {
        let mut ends = BTreeMap::new();
        for order in [[HONEST, DECEIVED], [DECEIVED, HONEST]] {
            let mut sim = scene((smaller, base, Author::KnowsNothing));
            for witness in order {
                meet(&mut sim, OBSERVER, witness);
            }
            assert_eq!(sim.forks_known(OBSERVER), [(Origin(1), 1)], "{smaller:?}, {base:?}, {order:?}");
            ends.insert(sim.what_counts(OBSERVER), order);
            meet(&mut sim, HONEST, DECEIVED);
            for node in [HONEST, DECEIVED] {
                ends.insert(sim.what_counts(node), order);
            }
        }
        assert_eq!(ends.len(), 1, "{smaller:?}, {base:?}: {ends:#?}");
    }
}

#[test]
fn all_end_with_what_the_owner_wrote_and_begin_with_it_after_a_restart() {
    for case in cases() {
        let mut sim = scene(case);
        let everybody: Vec<_> = (0..NODES).collect();
        part(&mut sim, &everybody, &everybody, Link::Up);
        sim.run_for(120_000);
        assert!(settle(&mut sim, 60_000), "{case:?}: not converged");
        let ends: Vec<_> = everybody.iter().map(|node| sim.what_counts(*node)).collect();
        for node in &everybody {
            assert_eq!(ends[*node], ends[AUTHOR], "{case:?}: node {node}");
            assert_eq!(sim.uncounted(*node, AUTHOR), [], "{case:?}: node {node}");
        }
        assert_eq!(sim.violations(), Vec::<String>::new(), "{case:?}");
        part(&mut sim, &everybody, &everybody, Link::Down);
        for (node, end) in ends.iter().enumerate().skip(1) {
            sim.crash(node);
            sim.start(node);
            assert_eq!(sim.what_counts(node), *end, "{case:?}: node {node} after a restart");
        }
    }
}
