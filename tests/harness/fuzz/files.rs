//! Signed files and what they hold. What verifies must be what was given, byte for byte.

use std::sync::LazyLock;

use wego_proto::{
    armour::{self, Label},
    audit::{Chain, Line},
    backup::{Item, Reading},
    card::MemberCard,
    entry::Unverified,
    fork,
    key::SecretKey,
    proof,
    prost::Message as _,
    roster::Roster,
    v1,
};

/// A roster whose keys sign the vectors.
const ROSTER: &str = include_str!("../../../proto/vectors/proof-roster.pem");

pub(super) static VERSIONS: LazyLock<v1::RosterChain> =
    LazyLock::new(|| armour::read(Label::Roster, ROSTER).expect("the vector is whole"));

static KNOWN: LazyLock<Roster> = LazyLock::new(|| {
    Roster::open_chain(VERSIONS.clone()).expect("the vector holds").pop().expect("it has a version")
});

pub(super) fn entry(bytes: &[u8]) {
    let Ok(wire) = v1::Entry::decode(bytes) else { return };
    let Ok(entry) = Unverified::parse(wire.clone()) else { return };
    let Some(member) = KNOWN.members().get(&entry.header().origin) else { return };
    for key in &member.log_keys {
        if let Ok(verified) = entry.clone().verify(&KNOWN.federation(), &key.key) {
            assert_eq!(verified.to_wire().header, wire.header, "what was signed is relayed as it came");
        }
    }
}

pub(super) fn roster(bytes: &[u8]) {
    let chain = match std::str::from_utf8(bytes) {
        Ok(text) if text.contains("-----BEGIN") => armour::read(Label::Roster, text).ok(),
        _ => v1::RosterChain::decode(bytes).ok(),
    };
    let Some(chain) = chain else { return };
    let Ok(versions) = Roster::open_chain(chain.clone()) else { return };
    assert_eq!(versions.len(), chain.versions.len(), "no version is passed over");
}

pub(super) fn card(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let signed = armour::read(Label::MemberCard, &text).ok();
    let Some(signed) = signed.or_else(|| v1::SignedMemberCard::decode(bytes).ok()) else { return };
    if let Ok(card) = MemberCard::open(&signed) {
        let _ = card.fingerprints();
    }
}

pub(super) fn record_proof(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let read = armour::read(Label::RecordProof, &text).ok();
    let Some(proof) = read.or_else(|| v1::RecordProof::decode(bytes).ok()) else { return };
    let _ = proof::verify(&proof, &KNOWN);
}

pub(super) fn fork_proof(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let read = armour::read::<v1::ForkProofFile>(Label::ForkProof, &text).ok().and_then(|file| file.proof);
    let Some(proof) = read.or_else(|| v1::ForkProof::decode(bytes).ok()) else { return };
    if let Ok(proven) = fork::verify(&proof, &KNOWN) {
        assert_ne!(proven.entries[0].hash(), proven.entries[1].hash(), "two entries, not one");
    }
}

pub(super) fn backup(bytes: &[u8]) {
    let Ok(mut reading) = Reading::begin(bytes) else { return };
    let mut ended = false;
    while let Ok(Some(item)) = reading.next_item() {
        assert!(!ended, "nothing follows the end");
        ended = matches!(item, Item::End(_));
    }
}

pub(super) fn audit_log(bytes: &[u8]) {
    let keys = [SecretKey::from_seed(&zeroize::Zeroizing::new([1; 32])).public()];
    let text = String::from_utf8_lossy(bytes);
    let mut chain = Chain::new(&keys, None);
    for line in text.lines() {
        let held = chain.step(line).is_ok();
        let signed = Line::parse(line).is_some_and(|line| line.is_signed_by(&keys));
        assert!(!held || signed, "no line holds without its signature");
    }
}

pub(super) fn secret_key(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(key) = SecretKey::from_pem(text) {
        let again = SecretKey::from_pem(&key.to_pem()).expect("what is written can be read");
        assert_eq!(again.public(), key.public());
    }
}
