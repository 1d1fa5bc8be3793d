//! Claims about the book of invites, and about how far an admission is.

use std::{collections::BTreeMap, fs};

use wego_proto::{
    card::{self, MemberCard},
    found::Founding,
    key::SecretKey,
    prost::Message as _,
    roster::{Roster, add_signature},
};
use zeroize::Zeroizing;

use super::{
    kept::File,
    standing::{CardKeys, Collecting, standing},
    *,
};

const NOW_MS: u64 = 1_800_000_000_000;

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&Zeroizing::new([seed; 32]))
}

fn card(seed: u8) -> v1::SignedMemberCard {
    let inception = v1::Inception {
        handle: format!("city-{seed}"),
        names: vec![v1::MemberName { lang: "en".to_owned(), text: "City".to_owned() }],
        log_key: key(seed).public().as_bytes().to_vec(),
        transport_key: key(seed + 100).public().as_bytes().to_vec(),
        ..Default::default()
    };
    let governance = Some(key(seed + 50).public());
    card::sign(&inception, vec![], governance, String::new(), NOW_MS, &key(seed))
}

/// Cities 1 to 3, of which two must sign.
fn roster() -> Roster {
    let founding = Founding {
        name: "Test".to_owned(),
        threshold: 2,
        offices: BTreeMap::new(),
        issued_at_ms: NOW_MS,
        soft_expires_at_ms: 0,
    };
    let cards: Vec<_> = (1..=3).map(|seed| MemberCard::open(&card(seed)).unwrap()).collect();
    let mut signed =
        v1::SignedRoster { roster: founding.genesis(&cards).encode_to_vec(), signatures: Vec::new() };
    add_signature(&mut signed, &key(51));
    add_signature(&mut signed, &key(52));
    Roster::open_genesis(signed).unwrap()
}

/// The next version, with city 4, signed by the governance keys of these cities.
fn proposal(roster: &Roster, signers: &[u8]) -> v1::SignedRoster {
    let card = MemberCard::open(&card(4)).unwrap();
    let mut content = roster.content().clone();
    content.members.push(v1::Member {
        idx: 4,
        city_id: card.city_id.as_bytes().to_vec(),
        handle: card.inception.handle.clone(),
        names: card.inception.names.clone(),
        transport_keys: vec![card.transport_key.as_bytes().to_vec()],
        log_keys: vec![v1::LogKey {
            key_no: 1,
            key: card.log_key.as_bytes().to_vec(),
            from: Some(v1::Position { epoch: 1, seq: 1 }),
            until: None,
            ..Default::default()
        }],
        status: v1::MemberStatus::Active.into(),
        role: v1::MemberRole::Member.into(),
        ..Default::default()
    });
    content.version += 1;
    content.prev_hash = roster.hash().as_bytes().to_vec();
    content.federation_id = roster.federation().as_bytes().to_vec();
    let mut signed = v1::SignedRoster { roster: content.encode_to_vec(), signatures: Vec::new() };
    signers.iter().for_each(|seed| add_signature(&mut signed, &key(seed + 50)));
    signed
}

fn invite(number: u16) -> Kept {
    let mut id = [0; 8];
    id[6..].copy_from_slice(&number.to_be_bytes());
    Kept {
        id: InviteId::new(id),
        city: "Leiden".to_owned(),
        handle: String::new(),
        endpoint: "city.example:7400".to_owned(),
        inviter: [1; 16],
        created_ms: NOW_MS + u64::from(number),
        expires_ms: NOW_MS + 1_000_000,
        revoked_ms: 0,
        spent: None,
    }
}

fn spent() -> Spent {
    let card = card(4);
    let keys = CardKeys::of(&MemberCard::open(&card).unwrap());
    Spent { at_ms: NOW_MS, card, keys, words: "apple-apple-apple-apple-apple-apple".to_owned() }
}

#[test]
fn what_was_added_spent_and_revoked_is_there_when_the_book_is_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut book = Book::open(dir.path()).unwrap();
    for number in 1..=3 {
        book.add(invite(number), key(9).public(), &roster(), NOW_MS).unwrap();
    }
    book.spend(&invite(1).id, spent()).unwrap();
    book.revoke(&invite(2).id, NOW_MS + 5).unwrap();
    book.revoke(&invite(2).id, NOW_MS + 9).unwrap();
    // What a power cut leaves of a write.
    fs::write(dir.path().join(".tmpX1"), "id = \"half").unwrap();
    let again = Book::open(dir.path()).unwrap();
    let all: Vec<_> = again.all().cloned().collect();
    let revoked = Kept { revoked_ms: NOW_MS + 5, ..invite(2) };
    assert_eq!(all, [Kept { spent: Some(spent()), ..invite(1) }, revoked, invite(3)]);
    assert_eq!(again.proof_key(&invite(3).id), Some(&key(9).public()));
}

#[test]
fn a_file_that_is_no_invite_is_set_aside_and_kept() {
    let text_of = |number| toml::to_string(&File::of(&invite(number), &key(9).public())).unwrap();
    let good = text_of(1);
    let large = format!("{good}#{}\n", "x".repeat(40_000));
    for text in ["", "id = 3", &good.replace("proof_key = \"", "proof_key = \"zz"), &large] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("0000000000000001.toml");
        fs::write(&path, text).unwrap();
        fs::write(dir.path().join(format!("{}.toml", invite(2).id)), text_of(2)).unwrap();
        let book = Book::open(dir.path()).unwrap();
        assert_eq!(book.all().cloned().collect::<Vec<_>>(), [invite(2)], "the others are there");
        let aside = dir.path().join("0000000000000001.toml.broken-1");
        assert_eq!(fs::read_to_string(aside).unwrap(), *text);
    }
}

#[test]
fn the_oldest_invites_that_are_over_are_forgotten_for_new_ones() {
    let dir = tempfile::tempdir().unwrap();
    let (mut book, roster) = (Book::open(dir.path()).unwrap(), roster());
    for number in 1..=INVITES_KEPT_MAX as u16 {
        book.add(invite(number), key(9).public(), &roster, NOW_MS).unwrap();
        if number > 1 {
            book.revoke(&invite(number).id, NOW_MS).unwrap();
        }
    }
    book.add(invite(999), key(9).public(), &roster, NOW_MS).unwrap();
    assert_eq!(book.all().count(), INVITES_KEPT_MAX);
    assert!(book.get(&invite(1).id).is_some(), "it is open still");
    assert!(book.get(&invite(2).id).is_none(), "it was the oldest of those that are over");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), INVITES_KEPT_MAX);
}

#[test]
fn signatures_are_counted_once_on_the_furthest_roster_that_admits_the_card() {
    let roster = roster();
    let keys = CardKeys::of(&MemberCard::open(&card(4)).unwrap());
    let stands = |proposals: &[v1::SignedRoster]| {
        let standing = standing(&roster, &Collecting::of(&roster, proposals), &keys);
        assert_eq!((standing.member, standing.needed), (None, 2));
        (standing.proposed, standing.signatures)
    };
    assert_eq!(stands(&[]), (false, 0));
    assert_eq!(stands(&[proposal(&roster, &[])]), (true, 0));
    assert_eq!(stands(&[proposal(&roster, &[1]), proposal(&roster, &[])]), (true, 1));
    let mut twice = proposal(&roster, &[1]);
    twice.signatures.push(twice.signatures[0].clone());
    assert_eq!(stands(&[twice]), (true, 1));
    assert_eq!(stands(&[proposal(&roster, &[4])]), (true, 0), "the newcomer's own key decides nothing");
    let damaged = v1::SignedRoster { roster: vec![0xff; 40], signatures: Vec::new() };
    assert_eq!(stands(&[damaged]), (false, 0));
    let next = roster.succeeded_by(proposal(&roster, &[1, 2])).unwrap();
    assert_eq!(standing(&next, &[], &keys).member, Some(v1::MemberStatus::Active));
}

#[test]
fn an_invite_ends_by_time_by_hand_and_by_the_roster() {
    use v1::InviteState::{Admitted, Expired, Open, Revoked, Used};
    let roster = roster();
    let next = roster.succeeded_by(proposal(&roster, &[1, 2])).unwrap();
    let used = Kept { spent: Some(spent()), ..invite(1) };
    let revoked = |kept: &Kept| Kept { revoked_ms: NOW_MS, ..kept.clone() };
    let late = NOW_MS + 1_000_001;
    assert_eq!(invite(1).state(&roster, NOW_MS + 1_000_000), Open);
    assert_eq!(invite(1).state(&roster, late), Expired);
    assert_eq!(revoked(&invite(1)).state(&roster, late), Revoked);
    assert_eq!(used.state(&roster, late), Used, "a committee may take longer than the invite was good");
    assert_eq!(revoked(&used).state(&roster, NOW_MS), Revoked);
    assert_eq!(revoked(&used).state(&next, NOW_MS), Admitted, "the roster decides");
}
