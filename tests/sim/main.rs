//! The rules of replication under trouble: many nodes, virtual time, one seed a run.

use wego_ledger::sim::{Link, Sim, Weather};

mod convergence;
mod expiry;
mod forks;
mod opened_twice;
mod orders;
mod recovery;

/// Latencies of a wide-area network, and trouble every few seconds.
fn stormy() -> Weather {
    Weather { latency_ms: (5, 150), link_failure_ms: 400, crash_ms: 900, outage_ms: (200, 8_000) }
}

fn calm() -> Weather {
    Weather { latency_ms: (5, 150), link_failure_ms: 0, crash_ms: 0, outage_ms: (0, 0) }
}

/// Runs until every node holds the same, at most `limit_ms` of virtual time.
fn settle(sim: &mut Sim, limit_ms: u64) -> bool {
    let end = sim.now_ms() + limit_ms;
    while !sim.converged() && sim.now_ms() < end {
        sim.run_for(500);
    }
    sim.converged()
}

fn part(sim: &mut Sim, one: &[usize], other: &[usize], link: Link) {
    for a in one {
        for b in other {
            sim.set_link(*a, *b, link);
        }
    }
}
