//! Who appears in the vectors: three cities, their keys from fixed seeds, and the means to write what no node would.

use wego_proto::{
    id::{FederationId, Hash},
    key::{Purpose, SecretKey},
    prost::Message as _,
    v1::{self, EntryKind, MemberRole, MemberStatus},
};
use zeroize::Zeroizing;

/// Governance keys have the seeds 1, 2 and 3; two must sign.
pub(super) const GOVERNANCE: [u8; 2] = [1, 2];
pub(super) const SEOUL: u32 = 1;
pub(super) const PARIS: u32 = 2;
pub(super) const DAKAR: u32 = 3;

pub(super) const ROTATED: u32 = 1 << 16;
pub(super) const RECOVERED: u32 = 1 << 24;
pub(super) const REINCEPTED: u32 = 1 << 29;

pub(super) fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&Zeroizing::new([seed; 32]))
}

pub(super) fn public(seed: u8) -> Vec<u8> {
    key(seed).public().as_bytes().to_vec()
}

pub(super) fn digest(seed: u8) -> Vec<u8> {
    key(seed).public().digest().as_bytes().to_vec()
}

/// Seeds of a member's keys.
pub(super) const fn log_key(origin: u32) -> u8 {
    origin as u8 * 10 + 1
}

pub(super) const fn next_key(origin: u32) -> u8 {
    origin as u8 * 10 + 2
}

pub(super) const fn recovery_key(origin: u32) -> u8 {
    origin as u8 * 10 + 3
}

/// Of an epoch that the recovery key or the roster opens.
pub(super) const fn new_key(origin: u32) -> u8 {
    origin as u8 * 10 + 4
}

pub(super) fn at(epoch: u32, seq: u64) -> v1::Position {
    v1::Position { epoch, seq }
}

pub(super) fn member(idx: u32, handle: &str) -> v1::Member {
    v1::Member {
        idx,
        city_id: vec![idx as u8; 32],
        handle: handle.to_owned(),
        names: vec![v1::MemberName { lang: "en".to_owned(), text: handle.to_owned() }],
        country: handle[..2].to_uppercase(),
        endpoints: vec![format!("{handle}.example:7400")],
        transport_keys: vec![public(idx as u8 * 10 + 5)],
        log_keys: vec![v1::LogKey {
            key_no: 1,
            key: public(log_key(idx)),
            from: Some(at(1, 1)),
            ..Default::default()
        }],
        next_log_key_digest: digest(next_key(idx)),
        recovery_digest: digest(recovery_key(idx)),
        status: MemberStatus::Active as i32,
        role: MemberRole::Member as i32,
        ..Default::default()
    }
}

pub(super) fn genesis() -> v1::Roster {
    v1::Roster {
        format: 1,
        version: 1,
        federation_name: "Vectors".to_owned(),
        issued_at_ms: 1_284_000_000_000,
        governance: Some(v1::Governance {
            keys: vec![public(1), public(2), public(3)],
            threshold: 2,
            ..Default::default()
        }),
        wire_min: 1,
        wire_max: 1,
        entry_format: 1,
        members: vec![member(SEOUL, "kr-seoul"), member(PARIS, "fr-paris"), member(DAKAR, "sn-dakar")],
        ..Default::default()
    }
}

pub(super) fn signed_by(seeds: &[u8], roster: &v1::Roster) -> v1::SignedRoster {
    let roster = roster.encode_to_vec();
    let sign = |seed: &u8| v1::RosterSignature {
        key: public(*seed),
        signature: key(*seed).sign(Purpose::Roster, &[&roster]).as_bytes().to_vec(),
    };
    let signatures = seeds.iter().map(sign).collect();
    v1::SignedRoster { roster, signatures }
}

/// The version after `before`, not signed yet.
pub(super) fn after(before: &v1::SignedRoster, change: impl FnOnce(&mut v1::Roster)) -> v1::Roster {
    let mut roster = v1::Roster::decode(before.roster.as_slice()).unwrap();
    roster.version += 1;
    roster.prev_hash = Hash::of(&[&before.roster]).as_bytes().to_vec();
    roster.federation_id = federation().as_bytes().to_vec();
    roster.issued_at_ms += 1_000;
    change(&mut roster);
    roster
}

pub(super) fn first() -> v1::SignedRoster {
    signed_by(&GOVERNANCE, &genesis())
}

pub(super) fn chain(versions: impl IntoIterator<Item = v1::SignedRoster>) -> v1::RosterChain {
    v1::RosterChain { versions: versions.into_iter().collect() }
}

/// `first()` and one more version, signed as it must be.
pub(super) fn then(change: impl FnOnce(&mut v1::Roster)) -> v1::RosterChain {
    chain([first(), signed_by(&GOVERNANCE, &after(&first(), change))])
}

/// Removes a member, with this last entry.
pub(super) fn expel(roster: &mut v1::Roster, origin: u32, at: v1::Position, hash: &[u8]) {
    let member = &mut roster.members[origin as usize - 1];
    member.status = MemberStatus::Expelled as i32;
    member.cut = Some(v1::Cut { at: Some(at), hash: hash.to_vec() });
}

/// Gives Seoul a new log key, from the first entry of the next reign on.
pub(super) fn reincept(roster: &mut v1::Roster) {
    let member = &mut roster.members[SEOUL as usize - 1];
    let (next, recovery) = (member.next_log_key_digest.clone(), member.recovery_digest.clone());
    let last = member.log_keys.last_mut().unwrap();
    (last.next_log_key_digest, last.recovery_digest) = (next, recovery);
    member.log_keys.push(v1::LogKey {
        key_no: 4,
        key: public(new_key(SEOUL)),
        from: Some(at(REINCEPTED, 1)),
        ..Default::default()
    });
    (member.next_log_key_digest, member.recovery_digest) = (digest(18), digest(19));
}

pub(super) fn federation() -> FederationId {
    FederationId::new(*Hash::of(&[&genesis().encode_to_vec()]).as_bytes())
}

/// The header of a member's entry, after the entry with this hash.
pub(super) fn header(origin: u32, at: v1::Position, prev: &[u8]) -> v1::EntryHeader {
    v1::EntryHeader {
        format: 1,
        origin,
        epoch: at.epoch,
        seq: at.seq,
        prev: prev.to_vec(),
        key_no: 1,
        roster_version: 1,
        hlc_ms: 1_284_000_000_000 + at.seq,
        kind: EntryKind::RecordPut as i32,
        record_id: vec![at.seq as u8; 16],
        record_kind: 1,
        request_id: vec![at.seq as u8; 16],
        ..Default::default()
    }
}

/// Signs a header as it stands, whatever it says.
pub(super) fn sign(header: &v1::EntryHeader, seed: u8) -> v1::Entry {
    sign_as(Purpose::Entry, &federation(), header.encode_to_vec(), seed)
}

pub(super) fn sign_as(purpose: Purpose, federation: &FederationId, header: Vec<u8>, seed: u8) -> v1::Entry {
    let signature = key(seed).sign(purpose, &[federation.as_bytes(), &header]).as_bytes().to_vec();
    v1::Entry { header, signature, payload: None }
}

/// A record as payload of an entry still to be signed.
pub(super) fn with_record(mut header: v1::EntryHeader, title: &str, seed: u8) -> v1::Entry {
    let content = wego_tests::records::practice(title).encode_to_vec();
    let nonce = vec![8; 16];
    header.payload_len = content.len() as u32;
    header.payload_hash = Hash::of(&[&nonce, &content]).as_bytes().to_vec();
    v1::Entry { payload: Some(v1::Payload { nonce, content }), ..sign(&header, seed) }
}

pub(super) fn hash(entry: &v1::Entry) -> Vec<u8> {
    Hash::of(&[&[0], &entry.header, &entry.signature]).as_bytes().to_vec()
}

/// An opening of epoch `number` after the entry at `base`, which is not signed yet. It has no new key.
pub(super) fn opening(origin: u32, number: u32, base: v1::Position, base_hash: &[u8]) -> v1::EntryHeader {
    let start = v1::EpochStart {
        base: Some(base),
        base_hash: base_hash.to_vec(),
        store_id: vec![7; 16],
        ..Default::default()
    };
    v1::EntryHeader {
        kind: EntryKind::EpochStart as i32,
        record_id: Vec::new(),
        record_kind: 0,
        epoch_start: Some(start),
        ..header(origin, at(number, 1), base_hash)
    }
}

/// The same opening, after an entry of the epoch that `below` opens.
pub(super) fn behind(mut opening: v1::EntryHeader, below: &v1::Entry) -> v1::EntryHeader {
    opening.epoch_start.as_mut().unwrap().base_opening = hash(below);
    opening
}

/// An opening with a log key of its own, and what it commits to for the one after.
pub(super) fn rotating(mut opening: v1::EntryHeader, seed: u8, next: u8) -> v1::EntryHeader {
    let start = opening.epoch_start.as_mut().unwrap();
    (start.log_key, start.next_log_key_digest) = (public(seed), digest(next));
    opening.key_no = 2;
    opening
}

/// An opening by the recovery key.
pub(super) fn recovering(opening: v1::EntryHeader, recovery: u8, seed: u8, next: u8) -> v1::EntryHeader {
    v1::EntryHeader { key_no: 0, recovery_key: public(recovery), ..rotating(opening, seed, next) }
}
