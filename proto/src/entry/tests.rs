//! Claims about what is signed.

use prost::Message as _;
use zeroize::Zeroizing;

use super::*;
use crate::{
    id::{Origin, Position, RecordId, RequestId},
    presence::{NAMES_MAX, PORTAL_URL_BYTES_MAX, Presentation},
    v1::{self, EntryKind},
};

const FEDERATION: FederationId = FederationId::new([3; 32]);

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&Zeroizing::new([seed; 32]))
}

fn header(seq: u64, prev: Hash) -> Header {
    Header {
        origin: Origin(4),
        at: Position { epoch: 1, seq },
        prev,
        key_no: 1,
        roster_version: 1,
        hlc_ms: 1_284_000_000_000,
        kind: EntryKind::RecordPut as i32,
        record_id: Some(RecordId::new([5; 16])),
        base: None,
        payload: None,
        record_kind: 1,
        request_id: Some(RequestId::new([6; 16])),
        epoch_start: None,
        erase: None,
        recovery_key: None,
        endpoint_change: None,
        presentation: None,
    }
}

fn signed(seq: u64, prev: Hash) -> Verified {
    let payload = Payload { nonce: [8; 16], content: b"open data".to_vec() };
    Verified::sign(header(seq, prev), Some(payload), &FEDERATION, &key(1))
}

#[test]
fn an_entry_read_back_is_the_entry_signed() {
    let entry = signed(1, Hash::new([0; 32]));
    let read = Unverified::parse(entry.to_wire()).expect("well-formed");
    assert_eq!(read.hash(), entry.hash());
    assert_eq!(read.verify(&FEDERATION, &key(1).public()), Ok(entry));
}

#[test]
fn every_flipped_bit_is_refused() {
    let wire = signed(1, Hash::new([0; 32])).to_wire();
    for at in 0..wire.header.len() * 8 {
        let mut flipped = wire.clone();
        flipped.header[at / 8] ^= 1 << (at % 8);
        let accepted =
            Unverified::parse(flipped).and_then(|entry| entry.verify(&FEDERATION, &key(1).public()));
        assert!(accepted.is_err(), "bit {at} of the header");
    }
    for at in 0..64 * 8 {
        let mut flipped = wire.clone();
        flipped.signature[at / 8] ^= 1 << (at % 8);
        let accepted =
            Unverified::parse(flipped).and_then(|entry| entry.verify(&FEDERATION, &key(1).public()));
        assert!(accepted.is_err(), "bit {at} of the signature");
    }
    let mut flipped = wire.clone();
    flipped.payload.as_mut().expect("payload").content[0] ^= 1;
    assert_eq!(Unverified::parse(flipped), Err(EntryError::PayloadMismatch));
    let mut flipped = wire;
    flipped.payload.as_mut().expect("payload").nonce[0] ^= 1;
    assert_eq!(Unverified::parse(flipped), Err(EntryError::PayloadMismatch));
}

#[test]
fn another_federation_and_another_key_are_refused() {
    let entry = || Unverified::parse(signed(1, Hash::new([0; 32])).to_wire()).expect("well-formed");
    let elsewhere = FederationId::new([4; 32]);
    assert!(entry().verify(&elsewhere, &key(1).public()).is_err());
    assert!(entry().verify(&FEDERATION, &key(2).public()).is_err());
}

#[test]
fn an_unknown_field_passes_byte_for_byte() {
    let mut raw = v1::EntryHeader::decode(signed(1, Hash::new([0; 32])).to_wire().header.as_slice())
        .expect("own header")
        .encode_to_vec();
    // Field 500, length-delimited, of a later version.
    raw.extend_from_slice(&[0xA2, 0x1F, 0x03, b'n', b'e', b'w']);
    let signature = key(1).sign(Purpose::Entry, &[FEDERATION.as_bytes(), &raw]);
    let wire = v1::Entry { header: raw.clone(), signature: signature.as_bytes().to_vec(), payload: None };
    let entry = Unverified::parse(wire).expect("well-formed").verify(&FEDERATION, &key(1).public());
    assert_eq!(entry.expect("verifies").to_wire().header, raw);
}

#[test]
fn an_unknown_critical_extension_is_refused() {
    let mut raw =
        v1::EntryHeader::decode(signed(1, Hash::new([0; 32])).to_wire().header.as_slice()).expect("own");
    raw.extensions.push(v1::Extension { id: 9, critical: true, value: vec![] });
    let wire = v1::Entry { header: raw.encode_to_vec(), signature: vec![0; 64], payload: None };
    let error = Unverified::parse(wire).expect_err("critical and unknown");
    assert_eq!(error.to_string(), "header.extensions: must not be given here");
}

#[test]
fn a_predecessor_is_verified_by_its_hash_alone() {
    let first = signed(1, Hash::new([0; 32]));
    let second = signed(2, first.hash());
    let unsigned =
        Unverified::parse(v1::Entry { signature: vec![9; 64], ..first.to_wire() }).expect("well-formed");
    assert_eq!(second.ancestor(unsigned), Err(EntryError::NotThePredecessor));
    let honest = Unverified::parse(first.to_wire()).expect("well-formed");
    assert_eq!(second.ancestor(honest), Ok(first));
}

#[test]
fn the_limits_hold_to_the_byte() {
    let long = v1::Entry { header: vec![0; HEADER_BYTES_MAX + 1], ..signed(1, Hash::new([0; 32])).to_wire() };
    assert!(Unverified::parse(long).expect_err("too long").to_string().contains("1024"));
    let fits = Payload { nonce: [0; 16], content: vec![1; PAYLOAD_BYTES_MAX] };
    let entry = Verified::sign(header(1, Hash::new([0; 32])), Some(fits), &FEDERATION, &key(1));
    assert!(Unverified::parse(entry.to_wire()).is_ok());
    let over = Payload { nonce: [0; 16], content: vec![1; PAYLOAD_BYTES_MAX + 1] };
    let entry = Verified::sign(header(1, Hash::new([0; 32])), Some(over), &FEDERATION, &key(1));
    assert!(Unverified::parse(entry.to_wire()).is_err());
}

#[test]
fn positions_that_overflow_are_refused() {
    for (epoch, seq) in [(0, 1), (1, 0), (1, u64::MAX), (1, 1 << 53)] {
        let mut raw =
            v1::EntryHeader::decode(signed(1, Hash::new([0; 32])).to_wire().header.as_slice()).expect("own");
        raw.epoch = epoch;
        raw.seq = seq;
        let wire = v1::Entry { header: raw.encode_to_vec(), signature: vec![0; 64], payload: None };
        assert!(Unverified::parse(wire).is_err(), "{epoch}.{seq}");
    }
}

fn change(number: u32, keys: &[u8]) -> EndpointChange {
    let transport_keys = keys.iter().map(|seed| key(*seed).public()).collect();
    EndpointChange {
        endpoints: vec!["seoul.example:7400".to_owned()],
        transport_keys,
        number,
        proofs: Vec::new(),
    }
}

fn ground(origin: u32) -> Ground {
    Ground { federation: FEDERATION, origin: Origin(origin), roster_version: 1 }
}

fn follows(change: &EndpointChange, number: u32, valid: &[u8]) -> bool {
    let valid: Vec<_> = valid.iter().map(|seed| key(*seed).public()).collect();
    change.follows(&ground(4), number, &valid)
}

#[test]
fn a_transport_key_takes_over_in_two_steps() {
    let [old, new] = [key(20), key(21)];
    let both = change(1, &[20, 21]).proved_by(&ground(4), &[&old, &new]);
    assert!(follows(&both, 0, &[20]));
    let alone = change(2, &[21]).proved_by(&ground(4), &[&new]);
    assert!(follows(&alone, 1, &[20, 21]));
    assert!(!follows(&both, 2, &[21]), "what was said before cannot be said again");
    let later = Ground { roster_version: 2, ..ground(4) };
    assert!(!both.follows(&later, 0, &[old.public()]), "nor after the roster has said something else");
}

#[test]
fn a_thief_of_the_log_key_can_name_no_key() {
    let thief = key(30);
    assert!(!follows(&change(1, &[30]), 0, &[20]), "nobody proves it");
    let alone = change(1, &[30]).proved_by(&ground(4), &[&thief]);
    assert!(!follows(&alone, 0, &[20]), "no key that was valid agrees");
    let both = change(1, &[20, 21]).proved_by(&ground(4), &[&key(20), &key(21)]);
    let borrowed = EndpointChange { proofs: [alone.proofs, both.proofs].concat(), ..change(1, &[30]) };
    assert!(!follows(&borrowed, 0, &[20]), "a proof is of one change only");
}

#[test]
fn a_member_cannot_name_the_key_of_another() {
    let own = key(20);
    let posing = change(1, &[20, 40]).proved_by(&ground(4), &[&own]);
    assert!(!follows(&posing, 0, &[20]), "the other has not agreed");
    let of_other = change(1, &[20, 40]).proved_by(&ground(5), &[&own, &key(40)]);
    assert!(!follows(&of_other, 0, &[20]), "it agreed for another member");
}

#[test]
fn a_presentation_is_read_back_and_one_that_breaks_a_limit_is_passed_over() {
    let name = |n: usize| v1::MemberName {
        lang: format!("a{}", char::from(b'a' + n as u8)),
        text: "서".repeat(24),
    };
    let names: Vec<_> = (0..NAMES_MAX).map(name).collect();
    let portal_url = Some(format!("https://{}", "x".repeat(PORTAL_URL_BYTES_MAX - 8)));
    let widest = Header {
        origin: Origin(u32::MAX),
        at: Position { epoch: u32::MAX, seq: (1 << 53) - 1 },
        key_no: u32::MAX,
        roster_version: u64::MAX,
        hlc_ms: u64::MAX,
        kind: EntryKind::Presentation as i32,
        record_id: None,
        record_kind: 0,
        presentation: Some(Presentation { names, portal_url }),
        ..header(1, Hash::new([7; 32]))
    };
    let read = |header: Header| {
        let entry = Verified::sign(header, None, &FEDERATION, &key(1));
        Unverified::parse(entry.to_wire()).expect("it is taken all the same")
    };
    assert_eq!(read(widest.clone()).header(), &widest);
    let turned = v1::MemberName { lang: "en".to_owned(), text: "Se\u{202e}oul".to_owned() };
    let said = Presentation { names: vec![turned], portal_url: None };
    let entry = read(Header { presentation: Some(said), ..widest });
    assert_eq!(
        (entry.header().presentation.as_ref(), entry.header().kind),
        (None, EntryKind::Presentation as i32)
    );
}

#[test]
fn a_header_with_the_longest_change_is_read_back() {
    let keys = [key(20), key(21), key(22)];
    let endpoints = vec!["x".repeat(ENDPOINT_BYTES_MAX); ENDPOINTS_MAX];
    let change = EndpointChange { endpoints, ..change(u32::MAX, &[20, 21, 22]) };
    let change = change.proved_by(&ground(u32::MAX), &[&keys[0], &keys[1], &keys[2]]);
    let widest = Header {
        origin: Origin(u32::MAX),
        at: Position { epoch: u32::MAX, seq: (1 << 53) - 1 },
        key_no: u32::MAX,
        roster_version: u64::MAX,
        hlc_ms: u64::MAX,
        kind: EntryKind::Endpoint as i32,
        record_id: None,
        record_kind: 0,
        endpoint_change: Some(change),
        presentation: None,
        ..header(1, Hash::new([7; 32]))
    };
    let entry = Verified::sign(widest, None, &FEDERATION, &key(1));
    let read = Unverified::parse(entry.to_wire()).expect("within the limit");
    assert_eq!(read.header(), entry.header());
}
