//! Every acknowledged entry reaches everybody, whatever crashes and breaks on the way.

use wego_ledger::sim::Sim;

use crate::{calm, settle, stormy};

const SEEDS: u64 = 20;

#[test]
fn fifty_nodes_in_a_storm_lose_nothing_and_agree_in_the_end() {
    let mut crashes_unsynced = 0;
    for seed in 0..SEEDS {
        let mut sim = Sim::new(seed, 50, stormy());
        let mut acknowledged = 0;
        for round in 0..60 {
            let node = ((seed * 31 + round * 7) % 50) as usize;
            acknowledged += usize::from(sim.publish(node));
            sim.run_for(250);
        }
        assert!(acknowledged >= 30, "seed {seed}: only {acknowledged} acknowledged, the run means nothing");
        sim.heal();
        assert!(settle(&mut sim, 300_000), "seed {seed}: not converged after 300 s");
        assert_eq!(sim.violations(), Vec::<String>::new(), "seed {seed}");
        assert_eq!(
            sim.count("bad_entry") + sim.count("out_of_order") + sim.count("malformed"),
            0,
            "seed {seed}: honest nodes refused each other"
        );
        assert!(sim.count("crashes") > 0 && sim.count("link failures") > 0, "seed {seed}: no trouble");
        crashes_unsynced += sim.count("crashes with un-synced writes");
    }
    assert!(crashes_unsynced > 0, "no crash ever lost an un-synced write: the runs mean nothing");
}

#[test]
fn in_calm_weather_an_entry_reaches_fifty_nodes_within_a_few_round_trips() {
    let mut sim = Sim::new(1, 50, calm());
    sim.run_for(20_000);
    assert!(sim.publish(7));
    sim.run_for(2_000);
    assert!(sim.converged(), "virtual time: two hops of note, pull and entries take less than 2 s");
    assert_eq!(sim.violations(), Vec::<String>::new());
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = |seed| {
        let mut sim = Sim::new(seed, 12, stormy());
        for node in 0..12 {
            sim.publish(node);
            sim.run_for(1_000);
        }
        (sim.acknowledged(), sim.count("crashes"), sim.count("link failures"), sim.now_ms(), sim.converged())
    };
    assert_eq!(run(5), run(5));
}
