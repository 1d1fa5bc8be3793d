//! Never self-fork: whatever is lost, put back, torn or cloned, no member signs two entries at one position, and nothing
//! acknowledged that anybody still holds is lost or replaced.

use wego_ledger::sim::{Noticed, Random, Sim, Snapshot, Weather};

use crate::settle;

/// Trials of every kind together.
const TRIALS: u64 = 10_000;
const NODES: usize = 3;

/// A federation on one continent: a trial is about disks, not about the network.
fn near() -> Weather {
    Weather { latency_ms: (1, 40), link_failure_ms: 0, crash_ms: 0, outage_ms: (0, 0) }
}

/// What a trial does to node 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blow {
    /// Killed at a random moment; the store loses what was not synced.
    Killed,
    /// Put back to a copy of any age.
    PutBack(Noticed),
    /// Its disk is lost, its keys are kept.
    Lost,
    /// A copy of its machine is started beside it.
    Cloned,
}

const BLOWS: [Blow; 5] =
    [Blow::Killed, Blow::PutBack(Noticed::Yes), Blow::PutBack(Noticed::No), Blow::Lost, Blow::Cloned];

/// What came of a trial.
#[derive(Debug, Default)]
struct Seen {
    new_epochs: u64,
    recovered: u64,
    twins_stopped: u64,
}

fn trial(seed: u64) -> Seen {
    let blow = BLOWS[(seed % BLOWS.len() as u64) as usize];
    let mut chance = Random::new(seed);
    let mut sim = Sim::new(seed, NODES, near());
    sim.run_for(4_000 + chance.below(2_000));
    let mut snapshots: Vec<Snapshot> = vec![sim.snapshot(0)];
    for _ in 0..1 + chance.below(6) {
        sim.publish(0);
        sim.publish(1);
        sim.run_for(chance.below(400));
        snapshots.push(sim.snapshot(0));
    }
    let mut twin = None;
    // A kill may come before what was acknowledged has reached anybody; a lost disk takes that with it.
    let before = chance.below(3) * 100;
    match blow {
        Blow::Killed => sim.crash(0),
        Blow::PutBack(noticed) => {
            sim.run_for(1_000 + before);
            sim.crash(0);
            let age = chance.below(snapshots.len() as u64) as usize;
            sim.restore(0, snapshots.swap_remove(age), noticed);
        }
        Blow::Lost => {
            sim.run_for(1_000 + before);
            sim.crash(0);
            sim.lose_disk(0);
        }
        Blow::Cloned => twin = Some(sim.add_copy(0)),
    }
    for _ in 0..4 {
        sim.run_for(chance.below(1_500));
        sim.start(0);
        // Every attempt to write, at the worst moments too.
        for node in (0..NODES).chain(twin) {
            sim.publish(node);
        }
    }
    sim.run_for(20_000);
    if let Some(twin) = twin {
        // The operator stops the one that stopped writing.
        let stopped = if sim.may_write(twin) { 0 } else { twin };
        sim.crash(stopped);
    }
    let wrote = sim.publish(0) || twin.is_some_and(|twin| sim.publish(twin));
    assert!(wrote, "seed {seed}, {blow:?}: nobody can write for the member any more");
    assert!(settle(&mut sim, 200_000), "seed {seed}, {blow:?}: not converged");
    assert_eq!(sim.violations(), Vec::<String>::new(), "seed {seed}, {blow:?}");
    assert_eq!(sim.count("fork proofs"), 0, "seed {seed}, {blow:?}: a member forked itself");
    if blow != Blow::Cloned {
        assert_eq!(sim.uncounted(1, 0), [], "seed {seed}, {blow:?}: acknowledged and gone");
    }
    Seen {
        new_epochs: u64::from(sim.epochs(1, 0).len() > 1),
        recovered: sim.count("own entries recovered"),
        twins_stopped: u64::from(sim.count("later_start") > 0),
    }
}

fn trials(share: std::ops::Range<u64>) -> Seen {
    share.map(trial).fold(Seen::default(), |sum, seen| Seen {
        new_epochs: sum.new_epochs + seen.new_epochs,
        recovered: sum.recovered + seen.recovered,
        twins_stopped: sum.twins_stopped + seen.twins_stopped,
    })
}

/// Split in two, so that two processors share them.
fn half(share: std::ops::Range<u64>) {
    let seen = trials(share);
    assert!(seen.new_epochs > 1_000, "hardly any trial lost something: they mean nothing");
    assert!(seen.recovered > 500, "hardly any own entry came back from peers");
    assert!(seen.twins_stopped > 300, "hardly any twin was met");
}

#[test]
fn half_of_ten_thousand_trials_fork_nobody_and_lose_nothing() {
    half(0..TRIALS / 2);
}

#[test]
fn the_other_half_of_ten_thousand_trials_fork_nobody_and_lose_nothing() {
    half(TRIALS / 2..TRIALS);
}

#[test]
fn disks_that_are_lost_again_and_again_lose_nothing_of_any_epoch() {
    for seed in 0..60 {
        let mut sim = Sim::new(seed, NODES, near());
        sim.run_for(6_000);
        // More logs, each of more epochs, than a peer is asked for at once.
        for loss in 0..9 {
            let member = loss % NODES;
            for _ in 0..3 {
                for node in 0..NODES {
                    assert!(sim.publish(node), "seed {seed}, loss {loss}: {node} may write");
                    sim.run_for(100);
                }
            }
            sim.run_for(2_000);
            sim.crash(member);
            sim.lose_disk(member);
            sim.start(member);
            // Every attempt to write, at the worst moments too.
            for _ in 0..60 {
                sim.publish(member);
                sim.run_for(100);
            }
        }
        assert!(settle(&mut sim, 200_000), "seed {seed}: not converged");
        assert_eq!(sim.violations(), Vec::<String>::new(), "seed {seed}");
        assert_eq!(sim.count("fork proofs"), 0, "seed {seed}: a member forked itself");
        for member in 0..NODES {
            assert_eq!(sim.uncounted((member + 1) % NODES, member), [], "seed {seed}: acknowledged and gone");
            assert!(sim.epochs(0, member).len() > 3, "seed {seed}: each loss ends an epoch");
        }
    }
}
