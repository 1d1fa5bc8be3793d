//! A federation whose committee does nothing for a year goes on as before.

use wego_ledger::sim::Sim;

use crate::{calm, settle};

const WEEK_MS: u64 = 7 * 24 * 60 * 60 * 1_000;

#[test]
fn a_year_without_governance_changes_nothing_for_reading_writing_and_exchange() {
    let mut sim = Sim::new(11, 5, calm());
    for week in 0..52 {
        sim.skip(WEEK_MS);
        // Sessions end and nodes start anew, as they do in a year: nothing asks how old the roster is.
        sim.crash(week % 5);
        sim.start(week % 5);
        sim.run_for(60_000);
        for node in 0..5 {
            assert!(sim.publish(node), "week {week}: node {node} may not write");
        }
        assert!(settle(&mut sim, 300_000), "week {week}: not converged");
        assert_eq!(sim.roster_expired(week % 5), week >= 4, "week {week}");
    }
    assert_eq!(sim.acknowledged(), 52 * 5);
    assert_eq!(sim.violations(), Vec::<String>::new());
}
