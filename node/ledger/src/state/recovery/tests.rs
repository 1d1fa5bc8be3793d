//! Claims about starts whose key gave way, and whose opening or key meets a hindrance.

use super::*;
use crate::{
    log::Head,
    sim::Federation,
    state::{Input, NewKeys, Settings, Start, tests::start_of},
};

const NOW: u64 = 1_000_000;

/// What the recovery key of a member opens, and the log key of it.
pub(crate) fn reign(federation: &Federation, member: usize) -> (Verified, Epoch) {
    let recovery = federation.recovery_key(federation.origin(member));
    opening(federation, member, Rank::Recovery, &recovery)
}

fn opening(
    federation: &Federation,
    member: usize,
    rank: Rank,
    signer: &wego_proto::key::SecretKey,
) -> (Verified, Epoch) {
    let recovery = Some(signer.public()).filter(|_| rank == Rank::Recovery);
    let log = federation.next_log_key(federation.origin(member)).public();
    let new = NewKeys { log, next_digest: Hash::new([3; 32]), recovery };
    let header = State::new(start_of(federation, member)).opening(NOW, rank, new, None);
    let header = header.expect("there is room for it");
    let opening = Verified::sign(header, None, &federation.roster.federation(), signer);
    let epoch = federation.roster.opened(&opening).expect("it opens an epoch");
    (opening, epoch)
}

fn locked(outputs: &[Output]) -> Option<Run> {
    outputs.iter().find_map(|output| match output {
        Output::Lock(run) => Some(run.clone()),
        _ => None,
    })
}

/// Lets what was locked become durable, in both places.
fn keep(state: &mut State, run: &Run) {
    state.handle(NOW, Input::Locked);
    let head = Head { at: run.last().header().at, hash: run.last().hash() };
    let origin = run.origin();
    state.handle(NOW, Input::Stored { origin, head, hlc_ms: NOW, endpoints: false, presentation: false });
}

/// A start that does not trust its copy, and asks nobody.
fn unsure(federation: &Federation) -> Start {
    let settings = Settings { quorum: Some(0), ..Settings::default() };
    Start { footing: Footing::Unsure, settings, ..start_of(federation, 0) }
}

#[test]
fn a_start_whose_key_gave_way_opens_nothing() {
    let federation = Federation::new(2);
    let (opening, epoch) = reign(&federation, 0);
    let mut start = unsure(&federation);
    start.roster.hold(Origin(1), epoch);
    start.heads = vec![(Origin(1), Head { at: opening.header().at, hash: opening.hash() }, NOW)];
    let mut state = State::new(start);
    let outputs = state.handle(NOW, Input::Tick);
    assert!(locked(&outputs).is_none(), "peers would refuse what the lock then holds: {outputs:?}");
    assert_eq!(state.not_writable(), Some(NotWritable::KeyReplaced));
}

#[test]
fn an_opening_that_was_not_locked_is_tried_again() {
    let federation = Federation::new(2);
    let mut state = State::new(unsure(&federation));
    let first = locked(&state.handle(NOW, Input::Tick)).expect("an opening");
    assert_eq!(first.first_at().seq, 1);
    state.handle(NOW, Input::LockFailed);
    assert!(locked(&state.handle(NOW + 1, Input::Tick)).is_none(), "not at once: the disk may be full");
    assert!(matches!(state.not_writable(), Some(NotWritable::Recovering { .. })));
    let again = locked(&state.handle(NOW + INTAKE_PAUSE_MS, Input::Tick)).expect("another one");
    keep(&mut state, &again);
    assert_eq!(state.not_writable(), None);
}

#[test]
fn the_recovery_key_outranks_who_poses_as_a_later_start_and_the_next_key_does_not() {
    let federation = Federation::new(2);
    let next = federation.next_log_key(Origin(1));
    let recovery = federation.recovery_key(Origin(1));
    for (rank, signer, opens) in [(Rank::Rotation, &next, false), (Rank::Recovery, &recovery, true)] {
        let (opening, _) = opening(&federation, 0, rank, signer);
        let mut state = State::new(start_of(&federation, 0));
        state.handle(NOW, Input::Tick);
        state.stop_writing(NotWritable::Twin);
        let open = Input::Open { opening: Box::new(opening), key: federation.next_log_key(Origin(1)) };
        let run = locked(&state.handle(NOW, open));
        assert_eq!(run.is_some(), opens, "{rank:?}");
        if let Some(run) = run {
            keep(&mut state, &run);
        }
        assert_eq!(state.not_writable().is_none(), opens, "{rank:?}");
    }
}
