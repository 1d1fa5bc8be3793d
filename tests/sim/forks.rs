//! A member that writes two histories is found out by everybody, and nothing before the fork is lost.

use wego_ledger::{
    sim::{Link, Sim},
    state::Settings,
};

use crate::{calm, part, settle};

/// Nodes that ask nobody before they write: as if a thief had his own software.
const TRUSTING: Settings =
    Settings { sessions_max: 64, anti_entropy_ms: 60_000, receipts_ms: 60_000, quorum: Some(0) };

#[test]
fn a_cloned_node_is_proved_everywhere_at_the_first_difference() {
    for seed in 0..10 {
        let mut sim = Sim::with(seed, 8, calm(), TRUSTING);
        // Member 0 writes three entries; everybody has them, the clone (started from nothing) gets none.
        let twin = sim.add_twin(0);
        let (left, right) = ([0, 1, 2, 3], [twin, 4, 5, 6, 7]);
        part(&mut sim, &left, &right, Link::Down);
        for _ in 0..3 {
            assert!(sim.publish(0));
        }
        for _ in 0..(2 + seed % 4) {
            assert!(sim.publish(twin));
        }
        sim.run_for(30_000);
        part(&mut sim, &left[1..], &right[1..], Link::Up);
        sim.run_for(200_000);
        for node in 1..8 {
            let known = sim.forks_known(node);
            assert_eq!(known.len(), 1, "seed {seed}: node {node} knows {known:?}");
            assert_eq!(known[0].1, 1, "seed {seed}: the first difference is at position 1");
        }
        // Honest members go on writing, and agree.
        assert!(sim.publish(5));
        sim.crash(0);
        sim.crash(twin);
        assert!(settle(&mut sim, 120_000), "seed {seed}: the others agree");
        assert!(sim.may_write(1) && sim.may_write(5), "seed {seed}");
    }
}

#[test]
fn of_a_node_and_its_twin_one_stops_writing() {
    let mut sim = Sim::with(3, 4, calm(), TRUSTING);
    let twin = sim.add_twin(0);
    part(&mut sim, &[0], &[twin], Link::Down);
    assert!(sim.publish(twin));
    sim.run_for(60_000);
    let writers: Vec<_> = [0, twin].into_iter().filter(|node| sim.may_write(*node)).collect();
    assert!(writers.len() < 2, "two that speak for one member do not both go on");
    assert!(!(sim.publish(0) && sim.publish(twin)), "so there is no second history");
}
