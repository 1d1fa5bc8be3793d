//! Claims about keys and epochs, for one member with four keys.

use zeroize::Zeroizing;

use super::*;
use crate::{
    entry::{EpochStart, Header, Unverified},
    id::{FederationId, Origin},
    key::SecretKey,
    roster::{Draft, Member},
    v1::{self, EntryKind},
};

const FEDERATION: FederationId = FederationId::new([3; 32]);
const LOG: u8 = 1;
const NEXT: u8 = 2;
const RECOVERY: u8 = 3;
const NEW: u8 = 4;
const THIEF: u8 = 5;
/// Numbers of a first rotation and a first recovery.
const ROTATED: u32 = 1 << 16;
const RECOVERED: u32 = 1 << 24;
const REINCEPTED: u32 = 1 << 29;

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&Zeroizing::new([seed; 32]))
}

fn digest(seed: u8) -> Vec<u8> {
    key(seed).public().digest().as_bytes().to_vec()
}

fn member_with(change: impl FnOnce(&mut v1::Member)) -> Member {
    let mut member = v1::Member {
        idx: 4,
        city_id: vec![9; 32],
        handle: "kr-seoul".to_owned(),
        names: vec![v1::MemberName { lang: "en".to_owned(), text: "Seoul".to_owned() }],
        log_keys: vec![v1::LogKey {
            key_no: 1,
            key: key(LOG).public().as_bytes().to_vec(),
            from: Some(Position::FIRST.into()),
            ..Default::default()
        }],
        next_log_key_digest: digest(NEXT),
        recovery_digest: digest(RECOVERY),
        status: v1::MemberStatus::Active as i32,
        ..Default::default()
    };
    change(&mut member);
    let roster = v1::Roster {
        format: 1,
        version: 1,
        governance: Some(v1::Governance {
            keys: vec![key(90).public().as_bytes().to_vec()],
            threshold: 1,
            ..Default::default()
        }),
        members: vec![member],
        ..Default::default()
    };
    let draft = Draft::parse(&prost::Message::encode_to_vec(&roster)).expect("well-formed");
    draft.members.values().next().expect("one member").clone()
}

fn member() -> Member {
    member_with(|_| {})
}

fn hash(byte: u8) -> Hash {
    Hash::new([byte; 32])
}

fn at(epoch: u32, seq: u64) -> Position {
    Position { epoch, seq }
}

/// An opening of `number` after the entry at `base`, by the key that `rank` asks for.
fn opening(number: u32, base: Position, rank: Rank, signer: u8) -> (Header, u8) {
    let carries_key = matches!(rank, Rank::Rotation | Rank::Recovery);
    let log_key = match rank {
        Rank::Rotation => signer,
        _ => NEW,
    };
    let start = EpochStart {
        base,
        base_hash: hash(7),
        proof_hash: None,
        store: None,
        log_key: carries_key.then(|| key(log_key).public()),
        next_digest: carries_key.then(|| key(NEW).public().digest()),
        base_opening: None,
    };
    let header = Header {
        origin: Origin(4),
        at: at(number, 1),
        prev: hash(7),
        key_no: match rank {
            Rank::Continuation => 1,
            Rank::Recovery => 0,
            Rank::Rotation | Rank::Reinception => 2,
        },
        roster_version: 1,
        hlc_ms: 1,
        kind: EntryKind::EpochStart as i32,
        record_id: None,
        base: None,
        payload: None,
        record_kind: 0,
        request_id: None,
        epoch_start: Some(start),
        recovery_key: (rank == Rank::Recovery).then(|| key(signer).public()),
        endpoint_change: None,
        presentation: None,
        erase: None,
    };
    (header, signer)
}

/// The same opening, after an entry of the epoch that `below` opens.
fn on(below: &Epoch, (header, signer): (Header, u8)) -> (Header, u8) {
    let start =
        header.epoch_start.map(|start| EpochStart { base_opening: Some(below.opening.hash()), ..start });
    let key_no = if header.recovery_key.is_some() { 0 } else { header.key_no.max(below.key_no) };
    (Header { epoch_start: start, key_no, ..header }, signer)
}

fn signed((header, signer): (Header, u8)) -> Unverified {
    let entry = Verified::sign(header, None, &FEDERATION, &key(signer));
    Unverified::parse(entry.to_wire()).expect("well-formed")
}

fn judge(epochs: &Epochs, made: (Header, u8)) -> Result<Epoch, EpochError> {
    epochs.judge(&member(), &FEDERATION, signed(made)).map(|(epoch, _)| epoch)
}

fn admitted(made: impl IntoIterator<Item = (Header, u8)>) -> Epochs {
    let mut epochs = Epochs::default();
    for made in made {
        let epoch = judge(&epochs, made).expect("a good opening");
        epochs.admit([epoch]);
    }
    epochs
}

#[test]
fn each_rank_has_its_key_and_no_other() {
    let epochs = Epochs::default();
    for (rank, number, signer) in
        [(Rank::Continuation, 2, LOG), (Rank::Rotation, ROTATED, NEXT), (Rank::Recovery, RECOVERED, RECOVERY)]
    {
        let good = judge(&epochs, opening(number, at(1, 5), rank, signer)).expect("its own key");
        assert_eq!(good.rank, rank);
        for other in [LOG, NEXT, RECOVERY, NEW, THIEF].into_iter().filter(|other| *other != signer) {
            assert!(
                judge(&epochs, opening(number, at(1, 5), rank, other)).is_err(),
                "{rank:?} by key {other}"
            );
        }
    }
}

#[test]
fn a_log_key_cannot_reach_the_numbers_of_a_higher_rank() {
    let epochs = Epochs::default();
    for number in [ROTATED, RECOVERED, REINCEPTED] {
        assert!(judge(&epochs, opening(number, at(1, 5), Rank::Continuation, LOG)).is_err(), "{number}");
    }
    assert!(judge(&epochs, opening(ROTATED - 1, at(1, 5), Rank::Continuation, LOG)).is_ok());
}

#[test]
fn a_rotation_makes_the_old_key_powerless() {
    let epochs = admitted([opening(ROTATED, at(1, 5), Rank::Rotation, NEXT)]);
    assert_eq!(epochs.log_key(&member(), 2, at(ROTATED, 9)), Some(key(NEXT).public()));
    // The thief of the old key opens the highest epoch it can.
    let theft = judge(&epochs, opening(ROTATED - 1, at(1, 2), Rank::Continuation, LOG)).expect("signed");
    let mut after = epochs.clone();
    after.admit([theft]);
    assert_eq!(after.path(), epochs.path());
}

#[test]
fn a_recovery_after_a_theft_brings_back_what_the_thief_hid() {
    let theft = opening(ROTATED - 1, at(1, 2), Rank::Continuation, LOG);
    let epochs = admitted([theft, opening(RECOVERED, at(1, 57), Rank::Recovery, RECOVERY)]);
    let path: Vec<_> =
        epochs.path().iter().map(|part| (part.epoch, part.last.map(|(at, _)| at.seq))).collect();
    assert_eq!(path, [(1, Some(57)), (RECOVERED, None)]);
    assert_eq!(epochs.log_key(&member(), 2, at(RECOVERED, 2)), Some(key(NEW).public()));
}

#[test]
fn every_order_of_arrival_gives_the_same_path() {
    let made = || {
        [
            opening(2, at(1, 5), Rank::Continuation, LOG),
            opening(9, at(1, 7), Rank::Continuation, LOG),
            opening(ROTATED, at(1, 6), Rank::Rotation, NEXT),
            opening(RECOVERED, at(1, 4), Rank::Recovery, RECOVERY),
        ]
    };
    let expected = admitted(made()).path();
    for rotation in 0..4 {
        for reversed in [false, true] {
            let mut order = made();
            order.rotate_left(rotation);
            if reversed {
                order.reverse();
            }
            assert_eq!(admitted(order).path(), expected, "from {rotation}, reversed: {reversed}");
        }
    }
}

#[test]
fn an_opening_waits_for_the_epoch_it_continues_from() {
    let epochs = admitted([opening(ROTATED, at(1, 5), Rank::Rotation, NEXT)]);
    let rotation = epochs.get(ROTATED).expect("just opened");
    let later = on(rotation, opening(ROTATED + 7, at(ROTATED, 3), Rank::Continuation, NEXT));
    assert_eq!(judge(&Epochs::default(), later.clone()), Err(EpochError::UnknownBase(ROTATED)));
    assert!(judge(&epochs, later).is_ok());
}

#[test]
fn of_two_openings_of_one_epoch_the_same_stands_everywhere() {
    let one = judge(&Epochs::default(), opening(2, at(1, 5), Rank::Continuation, LOG)).expect("good");
    let other = judge(&Epochs::default(), opening(2, at(1, 6), Rank::Continuation, LOG)).expect("good");
    let (mut first, mut second) = (Epochs::default(), Epochs::default());
    first.admit([one.clone()]);
    first.admit([other.clone()]);
    second.admit([other.clone()]);
    second.admit([one.clone()]);
    assert_eq!(first, second);
    assert_eq!(first.iter().count(), 1, "the other one is forgotten");
    assert_eq!(
        first.contradictions(&[one.clone(), other.clone()]).len(),
        1,
        "and known again when it comes back"
    );
}

/// Openings of epoch 2 that only the holder of the log key can sign, each after another entry.
fn openings_of_two(count: u64) -> Vec<Epoch> {
    let made = (1..=count).map(|seq| opening(2, at(1, seq), Rank::Continuation, LOG));
    made.map(|made| judge(&Epochs::default(), made).expect("good")).collect()
}

#[test]
fn a_later_epoch_says_which_of_two_openings_it_continues() {
    let mut openings = openings_of_two(9);
    openings.sort_by_key(|epoch| epoch.opening.hash());
    let (thiefs, owners) = (&openings[0], &openings[8]);
    let recovery = on(owners, opening(RECOVERED, at(2, 7), Rank::Recovery, RECOVERY));
    let deceived = admitted_all([thiefs.clone()]);
    assert_eq!(judge(&deceived, recovery.clone()), Err(EpochError::UnknownBase(2)), "it is another one's");
    let recovered = judge(&admitted_all([owners.clone()]), recovery).expect("the recovery key");
    let orders: [[&Epoch; 3]; 3] =
        [[thiefs, owners, &recovered], [owners, &recovered, thiefs], [owners, thiefs, &recovered]];
    let mut ends = Vec::new();
    for order in orders {
        let mut epochs = Epochs::default();
        for epoch in order {
            // A later epoch comes with what it continues from.
            let below = [owners.clone()].into_iter().filter(|_| epoch.number == RECOVERED);
            epochs.admit(below.chain([epoch.clone()]));
        }
        assert_eq!(epochs.get(2), Some(owners), "as the recovery says");
        assert_eq!(epochs.least(2), Some(thiefs), "as if nothing came later");
        let lasts: Vec<_> = epochs.path().iter().map(|part| part.last.map(|(at, _)| at)).collect();
        assert_eq!(lasts, [Some(owners.base), Some(at(2, 7)), None]);
        ends.push(epochs);
    }
    assert!(ends.windows(2).all(|pair| pair[0] == pair[1]));
}

fn admitted_all(epochs: impl IntoIterator<Item = Epoch>) -> Epochs {
    let mut admitted = Epochs::default();
    admitted.admit(epochs);
    admitted
}

#[test]
fn a_thief_makes_nothing_grow_by_opening_an_epoch_again_and_again() {
    let openings = openings_of_two(200);
    let recovery = on(&openings[17], opening(RECOVERED, at(2, 7), Rank::Recovery, RECOVERY));
    let mut epochs = admitted_all([openings[17].clone()]);
    let recovered = judge(&epochs, recovery).expect("good");
    epochs.admit([recovered]);
    epochs.hold(openings[42].clone());
    for opening in openings {
        epochs.admit([opening]);
    }
    assert!(
        epochs.iter().count() <= 4,
        "the least, the one that is continued, the one held, and the recovery"
    );
    assert!(epochs.held(2).is_some());
    epochs.release(2);
    assert!(epochs.iter().count() <= 3);
}

#[test]
fn a_reinception_by_the_roster_outranks_a_stolen_recovery_key() {
    let reincepted = member_with(|member| {
        let old = &mut member.log_keys[0];
        old.until = Some(v1::Position { epoch: 1, seq: 60 });
        old.next_log_key_digest = digest(NEXT);
        old.recovery_digest = digest(RECOVERY);
        member.log_keys.push(v1::LogKey {
            key_no: 2,
            key: key(NEW).public().as_bytes().to_vec(),
            from: Some(v1::Position { epoch: REINCEPTED, seq: 1 }),
            ..Default::default()
        });
        member.next_log_key_digest = digest(91);
        member.recovery_digest = digest(92);
    });
    let judge =
        |epochs: &Epochs, made| epochs.judge(&reincepted, &FEDERATION, signed(made)).map(|(epoch, _)| epoch);
    let mut epochs = Epochs::default();
    let new =
        judge(&epochs, opening(REINCEPTED, at(1, 50), Rank::Reinception, NEW)).expect("the roster's key");
    epochs.admit([new.clone()]);
    let theft =
        judge(&epochs, opening(RECOVERED, at(1, 2), Rank::Recovery, RECOVERY)).expect("the old reign's");
    epochs.admit([theft]);
    assert_eq!(epochs.tip(), REINCEPTED);
    let base = opening(REINCEPTED + RECOVERED, at(REINCEPTED, 3), Rank::Recovery, RECOVERY);
    let base = on(&new, base);
    assert_eq!(judge(&epochs, base), Err(EpochError::WrongKey));
}

#[test]
fn numbers_rise_within_their_rank_until_it_is_used_up() {
    assert_eq!(next_number(Rank::Continuation, 1, 1, 0), Some(2));
    assert_eq!(next_number(Rank::Continuation, 1, 1, 63), Some(65));
    assert_eq!(next_number(Rank::Rotation, 1, 40, 0), Some(ROTATED));
    assert_eq!(next_number(Rank::Recovery, 1, ROTATED + 3, 0), Some(RECOVERED));
    // Opened beside what is known, in a part of its own.
    assert_eq!(next_number(Rank::Recovery, 1, RECOVERED, 0), Some(2 * RECOVERED));
    assert_eq!(next_number(Rank::Continuation, ROTATED - 1, ROTATED - 1, 0), None);
    assert_eq!(next_number(Rank::Rotation, 255 << 16, 255 << 16, 0), None);
    for chance in [0, 1, 63, u32::MAX] {
        for rank in [Rank::Continuation, Rank::Rotation, Rank::Recovery, Rank::Reinception] {
            let number = next_number(rank, ROTATED + 5, ROTATED + 9, chance).expect("room");
            assert_eq!(Rank::between(ROTATED + 5, number), Some(rank), "{number}");
            assert!(number > ROTATED + 9);
        }
    }
}

#[test]
fn a_log_can_begin_anew_from_nothing_but_not_from_somewhere_else() {
    let (mut header, signer) = opening(2, at(1, 0), Rank::Continuation, LOG);
    assert_eq!(judge(&Epochs::default(), (header.clone(), signer)), Err(EpochError::WrongBase));
    header.prev = member().log_root();
    if let Some(start) = &mut header.epoch_start {
        start.base_hash = member().log_root();
    }
    assert!(judge(&Epochs::default(), (header, signer)).is_ok());
}
