//! Claims about what no committee can sign away.

use prost::Message as _;
use zeroize::Zeroizing;

use super::*;
use crate::{
    key::SecretKey,
    roster::{RosterError, add_signature},
};

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&Zeroizing::new([seed; 32]))
}

fn bytes(seed: u8) -> Vec<u8> {
    key(seed).public().as_bytes().to_vec()
}

fn at(epoch: u32, seq: u64) -> Option<v1::Position> {
    Some(v1::Position { epoch, seq })
}

fn log_key(key_no: u32, seed: u8, epoch: u32) -> v1::LogKey {
    v1::LogKey { key_no, key: bytes(seed), from: at(epoch, 1), ..Default::default() }
}

fn member(idx: u8, handle: &str) -> v1::Member {
    v1::Member {
        idx: idx.into(),
        city_id: vec![idx; 32],
        handle: handle.to_owned(),
        names: vec![v1::MemberName { lang: "en".to_owned(), text: handle.to_owned() }],
        log_keys: vec![log_key(1, 50 + idx, 1)],
        status: MemberStatus::Active as i32,
        role: MemberRole::Member as i32,
        ..Default::default()
    }
}

fn cut(seq: u64) -> Option<v1::Cut> {
    Some(v1::Cut { at: at(1, seq), hash: vec![7; 32] })
}

/// Three members: one active, one suspended at 1.5, one active; one takedown.
fn first() -> v1::Roster {
    let suspended =
        v1::Member { status: MemberStatus::Suspended as i32, cut: cut(5), ..member(2, "sn-dakar") };
    v1::Roster {
        format: 1,
        version: 1,
        governance: Some(v1::Governance { keys: vec![bytes(1)], threshold: 1, ..Default::default() }),
        members: vec![member(1, "kr-seoul"), suspended, member(4, "fr-paris")],
        takedowns: vec![v1::Takedown { origin: 1, at: at(1, 3), reason: 2 }],
        ..Default::default()
    }
}

fn signed(content: &v1::Roster) -> v1::SignedRoster {
    let mut signed = v1::SignedRoster { roster: content.encode_to_vec(), signatures: vec![] };
    add_signature(&mut signed, &key(1));
    signed
}

/// What becomes of a second version, made from the first by `change` and signed by everybody.
fn outcome(change: impl FnOnce(&mut v1::Roster)) -> Result<(), RosterError> {
    let first = Roster::open_genesis(signed(&first())).expect("signed");
    let mut next = v1::Roster {
        version: 2,
        prev_hash: first.hash().as_bytes().to_vec(),
        federation_id: first.federation().as_bytes().to_vec(),
        ..first.content().clone()
    };
    change(&mut next);
    first.succeeded_by(signed(&next)).map(drop)
}

fn breach(change: impl FnOnce(&mut v1::Roster)) -> Breach {
    match outcome(change) {
        Err(RosterError::Breaks { version: 2, breach }) => breach,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_member_stays_who_it_is_for_ever() {
    let gone = || "kr-seoul".to_owned();
    assert_eq!(breach(|next| drop(next.members.remove(0))), Breach::MemberGone(gone()));
    assert_eq!(breach(|next| next.members[0].idx = 9), Breach::MemberGone(gone()));
    assert_eq!(breach(|next| next.members[0].handle = "kr-busan".into()), Breach::OtherIdentity(gone()));
    assert_eq!(breach(|next| next.members[0].city_id = vec![9; 32]), Breach::OtherIdentity(gone()));
    assert_eq!(
        breach(|next| next.members.push(member(3, "gh-accra"))),
        Breach::IdxNotNew("gh-accra".into()),
        "3 was skipped, so nobody gets it any more"
    );
    assert_eq!(outcome(|next| next.members.push(member(5, "gh-accra"))), Ok(()));
    assert!(
        outcome(|next| next.members.push(v1::Member { city_id: vec![1; 32], ..member(5, "gh-accra") }))
            .is_err(),
        "a city is a member once"
    );
}

#[test]
fn log_keys_are_appended_or_closed_and_nothing_else() {
    let keys =
        |change: fn(&mut Vec<v1::LogKey>)| outcome(move |next| change(&mut next.members[0].log_keys)).is_ok();
    assert!(keys(|keys| keys[0].until = at(2, 1)));
    assert!(keys(|keys| {
        keys[0].until = at(2, 1);
        keys.push(log_key(2, 90, 2));
    }));
    assert!(!keys(|keys| keys.clear()), "taken away");
    assert!(!keys(|keys| keys[0].key = bytes(90)), "another key");
    assert!(!keys(|keys| keys[0].from = at(1, 2)), "another beginning");
    assert!(!keys(|keys| keys.insert(0, log_key(1, 90, 1))), "in front");
    assert!(!keys(|keys| keys.push(log_key(1, 90, 2))), "the same number");
    assert!(!keys(|keys| keys.push(log_key(2, 90, 1))), "the same beginning");
    assert!(!keys(|keys| {
        keys[0].until = at(2, 1);
        keys.push(v1::LogKey { until: at(1, 1), ..log_key(2, 90, 2) });
    }));
}

#[test]
fn what_a_member_committed_to_stays_with_the_key_that_it_had() {
    let seoul = |change: fn(&mut v1::Member)| outcome(move |next| change(&mut next.members[0]));
    let lost = Breach::Commitments("kr-seoul".into());
    let lost = Err(RosterError::Breaks { version: 2, breach: lost });
    assert_eq!(seoul(|member| member.recovery_digest = vec![3; 32]), lost);
    assert_eq!(seoul(|member| member.log_keys[0].recovery_digest = vec![3; 32]), lost);
    let reinception = |member: &mut v1::Member| {
        member.log_keys[0].until = at(2, 1);
        member.log_keys[0].recovery_digest = std::mem::replace(&mut member.recovery_digest, vec![3; 32]);
        member.log_keys.push(log_key(2, 90, 2));
    };
    assert_eq!(seoul(reinception), Ok(()));
    let another = |member: &mut v1::Member| {
        member.log_keys[0].recovery_digest = vec![4; 32];
        member.log_keys.push(log_key(2, 90, 2));
    };
    assert_eq!(seoul(another), lost);
}

#[test]
fn a_removal_needs_a_cut_that_stays_until_the_member_is_reinstated() {
    let dakar = || "sn-dakar".to_owned();
    let status = |next: &mut v1::Roster, at: usize, status: MemberStatus, cut: Option<v1::Cut>| {
        next.members[at].status = status as i32;
        next.members[at].cut = cut;
    };
    use MemberStatus::{Active, Expelled, Suspended};
    assert_eq!(breach(|next| status(next, 0, Expelled, None)), Breach::NoCut("kr-seoul".into()));
    assert_eq!(outcome(|next| status(next, 0, Expelled, cut(9))), Ok(()));
    assert_eq!(outcome(|next| status(next, 1, Expelled, cut(5))), Ok(()), "the cut stays");
    assert_eq!(breach(|next| status(next, 1, Expelled, cut(4))), Breach::CutMoved(dakar()));
    assert_eq!(breach(|next| status(next, 1, Suspended, cut(6))), Breach::CutMoved(dakar()));
    assert_eq!(breach(|next| status(next, 1, Suspended, None)), Breach::NoCut(dakar()));
    assert_eq!(breach(|next| status(next, 1, Active, cut(5))), Breach::CutOfActive(dakar()));
    assert_eq!(outcome(|next| status(next, 1, Active, None)), Ok(()));
    let before_all = v1::Cut { at: at(1, 0), hash: vec![1; 32] };
    assert_eq!(outcome(|next| status(next, 0, Expelled, Some(before_all))), Ok(()), "it never wrote");
    assert!(outcome(|next| status(next, 0, Expelled, cut(0))).is_err(), "1.0 is the log's root");
}

#[test]
fn offices_terms_and_takedowns_hold_together() {
    let president = MemberRole::President as i32;
    assert_eq!(
        breach(|next| {
            next.members[0].role = president;
            next.members[2].role = president;
        }),
        Breach::TwoPresidents
    );
    let one_suspended = outcome(|next| {
        next.members[0].role = president;
        next.members[1].role = president;
    });
    assert_eq!(one_suspended, Ok(()), "who is suspended does not preside");
    assert_eq!(
        breach(|next| (next.members[0].term_from_ms, next.members[0].term_until_ms) = (9, 8)),
        Breach::Term("kr-seoul".into())
    );
    assert_eq!(breach(|next| next.takedowns.clear()), Breach::TakedownGone);
    let suspended =
        v1::Member { status: MemberStatus::Suspended as i32, cut: cut(1), ..member(5, "gh-accra") };
    assert_eq!(breach(|next| next.members.push(suspended)), Breach::AdmittedInactive("gh-accra".into()));
    assert_eq!(breach(|next| next.resolves = vec![vec![1; 32], vec![2; 32]]), Breach::Resolves);
    assert_eq!(breach(|next| next.resolves = vec![next.prev_hash.clone()]), Breach::Resolves);
    let other = |next: &mut v1::Roster| {
        next.resolves = vec![next.prev_hash.clone(), vec![9; 32]];
        next.resolves.sort();
    };
    assert_eq!(outcome(other), Ok(()));
}
