//! Claims about what a log accepts.

use std::collections::BTreeMap;

use wego_proto::{
    entry::{Header, Payload},
    epochs::Epochs,
    fork::ForkError,
    id::Hash,
    v1::{self, EntryKind},
};

use super::*;
use crate::{fork::ForkEvidence, sim::Federation, standing::Standing};

const AUTHOR: Origin = Origin(1);

fn header(origin: Origin, seq: u64, prev: Hash) -> Header {
    Header {
        origin,
        at: Position { epoch: 1, seq },
        prev,
        key_no: 1,
        roster_version: 1,
        hlc_ms: seq,
        kind: EntryKind::RecordPut as i32,
        record_id: None,
        base: None,
        payload: None,
        record_kind: 1,
        request_id: None,
        epoch_start: None,
        erase: None,
        recovery_key: None,
        endpoint_change: None,
        presentation: None,
    }
}

fn sign(federation: &Federation, header: Header, text: &str) -> Verified {
    let payload = Payload { nonce: [1; 16], content: text.as_bytes().to_vec() };
    let key = federation.log_key(header.origin);
    Verified::sign(header, Some(payload), &federation.roster.federation(), &key)
}

/// `length` entries of the author, on top of `before`, telling one story.
fn story(federation: &Federation, before: &[Verified], length: u64, text: &str) -> Vec<Verified> {
    let root = federation.roster.member(AUTHOR).unwrap().log_root();
    let mut entries = before.to_vec();
    for _ in 0..length {
        let prev = entries.last().map_or(root, Verified::hash);
        entries.push(sign(federation, header(AUTHOR, entries.len() as u64 + 1, prev), text));
    }
    entries
}

fn received(entries: &[Verified]) -> Vec<Unverified> {
    entries.iter().map(|entry| Unverified::parse(entry.to_wire()).unwrap()).collect()
}

fn run(federation: &Federation, entries: &[Verified]) -> Run {
    Run::verify(received(entries), &federation.roster).unwrap()
}

fn log_of(federation: &Federation, entries: &[Verified]) -> Log {
    let mut log = Log::new(Root::Before(federation.roster.member(AUTHOR).unwrap().log_root()), FIRST_EPOCH);
    if let Some(last) = entries.last() {
        assert!(matches!(log.place(run(federation, entries)), Placement::Extends(_)));
        log.advance(Head { at: last.header().at, hash: last.hash() });
    }
    log
}

#[test]
fn a_run_is_believed_by_its_last_signature_and_its_chain() {
    let federation = Federation::new(2);
    let entries = story(&federation, &[], 5, "a");
    assert_eq!(run(&federation, &entries).len(), 5);

    let mut unsigned_end = received(&entries);
    let mut wire = entries[4].to_wire();
    wire.signature[0] ^= 1;
    unsigned_end[4] = Unverified::parse(wire).unwrap();
    assert!(matches!(Run::verify(unsigned_end, &federation.roster), Err(RunError::Entry { .. })));

    let mut swapped = received(&entries);
    let other = story(&federation, &entries[..1], 1, "b");
    swapped[1] = Unverified::parse(other[1].to_wire()).unwrap();
    assert!(
        matches!(Run::verify(swapped, &federation.roster), Err(RunError::Entry { .. })),
        "another history inside"
    );
}

#[test]
fn what_is_sent_ends_at_a_signature_and_before_what_does_not_fit() {
    let federation = Federation::new(2);
    let entries = story(&federation, &[], 5, "a");
    let start = |received| Run::verify_start(received, &federation.roster).map(|run| run.len());
    assert_eq!(start(received(&entries)), Some(5));
    assert_eq!(start(Vec::new()), None);

    let unsigned = |at: usize| {
        let mut wire = entries[at].to_wire();
        wire.signature[0] ^= 1;
        Unverified::parse(wire).unwrap()
    };
    let mut unsigned_end = received(&entries);
    unsigned_end[4] = unsigned(4);
    assert_eq!(start(unsigned_end), Some(4));

    let mut damaged = received(&entries);
    damaged[2] = unsigned(2);
    assert_eq!(start(damaged), Some(2), "the next entry names another predecessor");
    assert_eq!(start(vec![unsigned(0)]), None);
}

#[test]
fn holes_repetitions_and_reordering_are_refused() {
    let federation = Federation::new(2);
    let entries = story(&federation, &[], 4, "a");
    for wrong in [
        vec![entries[0].clone(), entries[2].clone()],
        vec![entries[1].clone(), entries[1].clone()],
        vec![entries[2].clone(), entries[1].clone()],
    ] {
        let refused = Run::verify(received(&wrong), &federation.roster);
        assert!(matches!(refused, Err(RunError::NotConsecutive { .. })), "{refused:?}");
    }
    assert_eq!(Run::verify(vec![], &federation.roster), Err(RunError::Empty));
}

#[test]
fn strangers_unknown_keys_and_foreign_roots_are_refused() {
    let federation = Federation::new(2);
    let larger = Federation::new(9);
    let stranger =
        sign(&larger, header(Origin(9), 1, larger.roster.member(Origin(9)).unwrap().log_root()), "a");
    assert!(matches!(
        Run::verify(received(&[stranger]), &federation.roster),
        Err(RunError::UnknownMember(Origin(9)))
    ));
    let mut second_key = header(AUTHOR, 1, federation.roster.member(AUTHOR).unwrap().log_root());
    second_key.key_no = 2;
    let second_key = sign(&federation, second_key, "a");
    assert!(matches!(
        Run::verify(received(&[second_key]), &federation.roster),
        Err(RunError::UnknownKey { key_no: 2, .. })
    ));
    let elsewhere = sign(&federation, header(AUTHOR, 1, Hash::new([9; 32])), "a");
    assert!(matches!(
        Run::verify(received(&[elsewhere]), &federation.roster),
        Err(RunError::WrongRoot { origin: AUTHOR })
    ));
}

#[test]
fn one_entry_too_many_is_refused() {
    let federation = Federation::new(1);
    let entries = story(&federation, &[], ENTRIES_PER_MESSAGE_MAX as u64 + 1, "a");
    assert_eq!(run(&federation, &entries[1..]).len(), ENTRIES_PER_MESSAGE_MAX);
    let refused = Run::verify(received(&entries), &federation.roster);
    assert_eq!(refused, Err(RunError::TooMany { max: ENTRIES_PER_MESSAGE_MAX }));
}

#[test]
fn a_log_grows_at_its_head_only() {
    let federation = Federation::new(1);
    let entries = story(&federation, &[], 6, "a");
    let log = log_of(&federation, &entries[..3]);
    assert!(matches!(log.place(run(&federation, &entries[3..5])), Placement::Extends(run) if run.len() == 2));
    assert!(matches!(log.place(run(&federation, &entries[1..6])), Placement::Extends(run) if run.len() == 3));
    assert_eq!(log.place(run(&federation, &entries[1..3])), Placement::Held);
    assert_eq!(log.place(run(&federation, &entries[4..6])), Placement::Gap(Position { epoch: 1, seq: 4 }));
    assert_eq!(log.head().unwrap().at.seq, 3, "placing changes nothing");
}

#[test]
fn another_history_is_noticed_wherever_it_begins() {
    let federation = Federation::new(1);
    let ours = story(&federation, &[], 4, "ours");
    let theirs = story(&federation, &ours[..2], 4, "theirs");
    let log = log_of(&federation, &ours);
    assert_eq!(log.place(run(&federation, &theirs[4..6])), Placement::Parts, "beyond our head");
    assert!(matches!(log.place(run(&federation, &theirs[2..6])), Placement::Differs(_)), "over our head");
}

#[test]
fn a_fork_is_proved_once_however_it_is_met_and_freezes_the_log_before_it() {
    let federation = Federation::new(1);
    let ours = story(&federation, &[], 4, "ours");
    let theirs = story(&federation, &ours[..2], 2, "theirs");
    let one = ForkEvidence::of(&ours[2], &theirs[2], &federation.roster).unwrap();
    let other = ForkEvidence::of(&theirs[2], &ours[2], &federation.roster).unwrap();
    assert_eq!(one, other);
    assert_eq!(ForkEvidence::check(&one.proof, &federation.roster).unwrap(), one);

    let mut log = log_of(&federation, &ours);
    let frozen = Standing::of(&Epochs::NONE, &BTreeMap::from([(1, one.fork)]), None);
    assert!(log.limit(frozen.bound(1)), "what is held before the fork is asked for");
    log.found_at(2, ours[1].hash());
    assert_eq!(log.agreed_head(), Some(Head { at: ours[1].header().at, hash: ours[1].hash() }));
    assert_eq!(log.place(run(&federation, &theirs[2..4])), Placement::Held, "behind the fork");
}

#[test]
fn a_log_that_parts_from_its_bound_says_so_and_goes_back() {
    let federation = Federation::new(1);
    let ours = story(&federation, &[], 5, "ours");
    let theirs = story(&federation, &ours[..2], 3, "theirs");
    let mut log = log_of(&federation, &ours);
    log.limit(Bound { last: 4, hash: Some(theirs[3].hash()) });
    log.found_at(4, ours[3].hash());
    assert!(log.parts_from_bound());
    log.rewind(Some(Head { at: ours[1].header().at, hash: ours[1].hash() }));
    assert!(!log.parts_from_bound());
    let Placement::Extends(rest) = log.place(run(&federation, &theirs[2..5])) else { panic!("it follows") };
    assert_eq!(rest.len(), 2, "up to the bound");
}

#[test]
fn a_later_epoch_begins_with_its_opening_and_no_other() {
    let federation = Federation::new(1);
    let entries = story(&federation, &[], 2, "a");
    let begun = run(&federation, &entries);
    let of = |root| Log::new(root, FIRST_EPOCH);
    assert!(matches!(of(Root::Opening(entries[0].hash())).place(begun.clone()), Placement::Extends(_)));
    assert_eq!(of(Root::Opening(entries[1].hash())).place(begun.clone()), Placement::Parts);
    assert_eq!(of(Root::Before(entries[0].hash())).place(begun), Placement::Parts);
}

#[test]
fn no_false_proof_can_be_made_of_honest_entries() {
    let federation = Federation::new(2);
    let entries = story(&federation, &[], 3, "a");
    let wire = |entry: &Verified| Some(entry.to_wire_without_payload());
    let accuse = |left: &Verified, right: &Verified| {
        let proof = v1::ForkProof { left: wire(left), right: wire(right), ..Default::default() };
        ForkEvidence::check(&proof, &federation.roster)
    };
    assert_eq!(accuse(&entries[0], &entries[0]), Err(ForkError::NoContradiction), "one entry twice");
    assert_eq!(accuse(&entries[0], &entries[1]), Err(ForkError::NoContradiction), "two positions");
    let by_another = {
        let mut header = header(AUTHOR, 2, entries[0].hash());
        header.hlc_ms = 99;
        let key = federation.log_key(Origin(2));
        Verified::sign(header, None, &federation.roster.federation(), &key)
    };
    assert!(
        matches!(accuse(&entries[1], &by_another), Err(ForkError::Unsigned(_))),
        "signed by somebody else"
    );
    let empty = ForkEvidence::check(&v1::ForkProof::default(), &federation.roster);
    assert_eq!(empty, Err(ForkError::Incomplete));
}
