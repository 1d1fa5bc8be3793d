//! Claims about which versions are believed.

use zeroize::Zeroizing;

use prost::Message as _;

use super::{member::member_from, *};
use crate::{id::Position, v1::MemberStatus};

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&Zeroizing::new([seed; 32]))
}

fn member(idx: u32, handle: &str) -> v1::Member {
    v1::Member {
        idx,
        city_id: vec![idx as u8; 32],
        handle: handle.to_owned(),
        names: vec![v1::MemberName { lang: "en".to_owned(), text: handle.to_owned() }],
        transport_keys: vec![key(100 + idx as u8).public().as_bytes().to_vec()],
        status: MemberStatus::Active as i32,
        ..Default::default()
    }
}

fn content(governance: &[u8], threshold: u32) -> v1::Roster {
    v1::Roster {
        format: 1,
        version: 1,
        governance: Some(v1::Governance {
            keys: governance.iter().map(|seed| key(*seed).public().as_bytes().to_vec()).collect(),
            threshold,
            ..Default::default()
        }),
        members: vec![member(1, "kr-seoul"), member(2, "sn-dakar")],
        ..Default::default()
    }
}

fn signed(content: &v1::Roster, signers: &[u8]) -> v1::SignedRoster {
    let mut signed = v1::SignedRoster { roster: content.encode_to_vec(), signatures: vec![] };
    for seed in signers {
        add_signature(&mut signed, &key(*seed));
    }
    signed
}

fn next_of(roster: &Roster, governance: &[u8], threshold: u32) -> v1::Roster {
    v1::Roster {
        version: roster.version() + 1,
        prev_hash: roster.hash().as_bytes().to_vec(),
        federation_id: roster.federation().as_bytes().to_vec(),
        ..content(governance, threshold)
    }
}

#[test]
fn a_genesis_needs_its_threshold_of_distinct_keys() {
    let content = content(&[1, 2, 3], 2);
    assert!(Roster::open_genesis(signed(&content, &[1, 3])).is_ok());
    let mut twice = signed(&content, &[1]);
    twice.signatures.push(twice.signatures[0].clone());
    let error = Roster::open_genesis(twice).expect_err("one key, twice");
    assert_eq!(error, RosterError::TooFewSignatures { have: 1, need: 2, whose: "its own" });
    assert!(
        Roster::open_genesis(signed(&content, &[1, 9])).is_err(),
        "a stranger's signature counts nothing"
    );
}

#[test]
fn only_the_first_signature_of_a_key_is_looked_at() {
    let content = content(&[1, 2, 3], 2);
    let honest = signed(&content, &[1, 2]);
    let forged = v1::RosterSignature { signature: vec![7; 64], ..honest.signatures[0].clone() };
    let mut before = honest.clone();
    before.signatures.insert(0, forged.clone());
    let error = Roster::open_genesis(before.clone()).expect_err("the first of 1 does not hold");
    assert_eq!(error, RosterError::TooFewSignatures { have: 1, need: 2, whose: "its own" });
    let mut behind = honest.clone();
    behind.signatures.push(forged);
    let opened = Roster::open_genesis(behind.clone()).expect("the first of 1 holds");
    let keys = [opened.governance()];
    assert_eq!(join_signatures(&before, &before, &keys).signatures.len(), 1);
    assert_eq!(join_signatures(&before, &honest, &keys).signatures.len(), 2, "the other copy has a good one");
    assert!(has_forged(&before, &join_signatures(&before, &before, &keys), &keys));
    assert!(!has_forged(&behind, &join_signatures(&behind, &behind, &keys), &keys));
    let mut late = signed(&content, &[1]);
    late.signatures.splice(0..0, vec![v1::RosterSignature::default(); SIGNATURES_MAX]);
    assert_eq!(opened.governance().count_signatures(&late), 0, "nobody looks so far");
}

#[test]
fn the_federation_is_named_after_the_genesis_bytes() {
    let first = content(&[1], 1);
    let roster = Roster::open_genesis(signed(&first, &[1])).expect("signed");
    assert_eq!(roster.federation().as_bytes(), Hash::of(&[&first.encode_to_vec()]).as_bytes());
}

#[test]
fn a_successor_needs_both_thresholds() {
    let genesis = Roster::open_genesis(signed(&content(&[1, 2, 3], 2), &[1, 2])).expect("signed");
    let next = next_of(&genesis, &[4, 5, 6], 2);
    assert!(genesis.succeeded_by(signed(&next, &[1, 2, 4, 5])).is_ok());
    let error = genesis.succeeded_by(signed(&next, &[1, 4, 5, 6])).expect_err("one old key");
    assert_eq!(error, RosterError::TooFewSignatures { have: 1, need: 2, whose: "the predecessor's" });
    let error = genesis.succeeded_by(signed(&next, &[1, 2, 3, 4])).expect_err("one new key");
    assert_eq!(error, RosterError::TooFewSignatures { have: 1, need: 2, whose: "its own" });
}

#[test]
fn a_version_that_skips_or_follows_another_is_refused() {
    let genesis = Roster::open_genesis(signed(&content(&[1], 1), &[1])).expect("signed");
    let skips = v1::Roster { version: 3, ..next_of(&genesis, &[1], 1) };
    assert_eq!(
        genesis.succeeded_by(signed(&skips, &[1])).expect_err("skips"),
        RosterError::NotNext { known: 1, found: 3 }
    );
    let other = v1::Roster { prev_hash: vec![7; 32], ..next_of(&genesis, &[1], 1) };
    assert_eq!(
        genesis.succeeded_by(signed(&other, &[1])).expect_err("other predecessor"),
        RosterError::OtherPredecessor { version: 2 }
    );
    let foreign = v1::Roster { federation_id: vec![7; 32], ..next_of(&genesis, &[1], 1) };
    assert!(matches!(genesis.succeeded_by(signed(&foreign, &[1])), Err(RosterError::OtherFederation { .. })));
}

#[test]
fn a_minority_may_never_decide() {
    assert!(Draft::parse(&content(&[1, 2, 3, 4], 2).encode_to_vec()).is_err(), "half is not more than half");
    assert!(Draft::parse(&content(&[1, 2, 3], 0).encode_to_vec()).is_err());
    assert!(Draft::parse(&content(&[1, 2], 3).encode_to_vec()).is_err());
}

#[test]
fn two_members_may_not_share_an_idx_a_handle_or_a_key() {
    for second in [
        v1::Member { idx: 1, ..member(2, "sn-dakar") },
        v1::Member { handle: "kr-seoul".to_owned(), ..member(2, "sn-dakar") },
        v1::Member { transport_keys: member(1, "kr-seoul").transport_keys, ..member(2, "sn-dakar") },
    ] {
        let content = v1::Roster { members: vec![member(1, "kr-seoul"), second], ..content(&[1], 1) };
        assert_eq!(Draft::parse(&content.encode_to_vec()).expect_err("shared").field, "roster.members");
    }
}

#[test]
fn a_log_key_signs_only_in_its_range() {
    let until = Position { epoch: 1, seq: 10 };
    let log_key = LogKey {
        key_no: 1,
        key: key(1).public(),
        from: Position::FIRST,
        until: Some(until),
        committed: Committed::default(),
    };
    let raw = member(1, "kr-seoul");
    let member = Member { log_keys: vec![log_key], ..member_from(&raw).expect("well-formed") };
    assert!(member.log_key(1, Position { epoch: 1, seq: 9 }).is_some());
    assert!(member.log_key(1, until).is_none());
    assert!(member.log_key(2, Position::FIRST).is_none());
}
