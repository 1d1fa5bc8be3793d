//! Proofs of two histories, and of records, each with the epochs that it needs.

use wego_proto::{armour::Label, prost::Message as _, v1};

use super::{
    Vector,
    backups::{all_ranks, next, records, seouls, withdrawal},
    cast::{
        DAKAR, PARIS, RECOVERED, ROTATED, SEOUL, after, at, behind, chain, expel, federation, first, hash,
        header, log_key, next_key, opening, recovering, recovery_key, rotating, sign, signed_by, with_record,
    },
};

/// The roster of all proofs: Seoul has had a reinception, and Dakar is expelled after its second entry.
const ROSTER: &str = "proof-roster";

pub(super) fn all() -> Vec<Vector> {
    let why = "the roster by which the proofs are judged: a reinception, then an expulsion";
    let roster = Vector::armoured((ROSTER, true, why), "roster", Label::Roster, &roster());
    let forks = forks().into_iter().map(|(name, holds, why, file)| {
        let vector = Vector::armoured((name, holds, why), "fork", Label::ForkProof, &file);
        Vector { roster: Some(ROSTER), ..vector }
    });
    let records = proofs().into_iter().map(|(name, holds, why, proof)| {
        let vector = Vector::armoured((name, holds, why), "record", Label::RecordProof, &proof);
        Vector { roster: Some(ROSTER), ..vector }
    });
    [roster].into_iter().chain(forks).chain(records).collect()
}

fn dakars() -> Vec<v1::Entry> {
    records(DAKAR, &["One", "Two", "Three"])
}

fn roster() -> v1::RosterChain {
    let (mut rosters, _) = all_ranks();
    let cut = hash(&dakars()[1]);
    let third = after(&rosters[1], |roster| expel(roster, DAKAR, at(1, 2), &cut));
    rosters.push(signed_by(&[2, 3], &third));
    chain(rosters)
}

/// A rotation after Seoul's third record.
fn rotation() -> v1::Entry {
    let start = opening(SEOUL, ROTATED, at(1, 3), &hash(&seouls()[2]));
    sign(&rotating(start, next_key(SEOUL), 16), next_key(SEOUL))
}

/// Two openings of epoch 5, the one with the smaller hash first: it keeps two records, and the other one three.
fn opened_twice() -> [v1::Entry; 2] {
    let log = seouls();
    let after = |seq: u64, hlc_ms| {
        let header = opening(SEOUL, 5, at(1, seq), &hash(&log[seq as usize - 1]));
        sign(&v1::EntryHeader { hlc_ms, ..header }, log_key(SEOUL))
    };
    let longer = after(3, 1);
    let shorter = (1..).map(|hlc_ms| after(2, hlc_ms)).find(|shorter| hash(shorter) < hash(&longer));
    [shorter.unwrap(), longer]
}

/// A recovery that continues the epoch that `below` opens.
fn recovery_of(below: &v1::Entry) -> v1::Entry {
    let healed = behind(opening(SEOUL, RECOVERED, at(5, 1), &hash(below)), below);
    sign(&recovering(healed, recovery_key(SEOUL), 17, 18), recovery_key(SEOUL))
}

/// The other side of an entry: the same place, and another record.
fn twin(entry: &v1::Entry, seed: u8) -> v1::Entry {
    let mut header = v1::EntryHeader::decode(entry.header.as_slice()).unwrap();
    header.request_id = vec![0xee; 16];
    sign(&header, seed)
}

fn fork(one: &v1::Entry, other: &v1::Entry, epochs: &[v1::Entry]) -> v1::ForkProofFile {
    let mut sides = [one, other].map(|entry| v1::Entry { payload: None, ..entry.clone() });
    sides.sort_by_key(hash);
    let [left, right] = sides;
    v1::ForkProofFile {
        proof: Some(v1::ForkProof { left: Some(left), right: Some(right), epochs: epochs.to_vec() }),
        federation_id: federation().as_bytes().to_vec(),
        origin_handle: "kr-seoul".to_owned(),
    }
}

fn forks() -> Vec<(&'static str, bool, &'static str, v1::ForkProofFile)> {
    let log = seouls();
    let key = log_key(SEOUL);
    let second = twin(&log[1], key);
    let rotated = rotation();
    let late = next(&rotated, 2, next_key(SEOUL));
    let stolen = [next(&rotated, 1, key), twin(&next(&rotated, 1, key), key)];
    let openings = [at(1, 2), at(1, 3)]
        .map(|base| sign(&opening(SEOUL, 5, base, &hash(&log[base.seq as usize - 1])), key));
    let twice = opened_twice();
    let continuing =
        twice.each_ref().map(|below| sign(&behind(opening(SEOUL, 9, at(5, 1), &hash(below)), below), key));
    let dakars = dakars();
    let mut swapped = fork(&log[1], &second, &[]);
    let proof = swapped.proof.as_mut().unwrap();
    std::mem::swap(&mut proof.left, &mut proof.right);
    let elsewhere = v1::ForkProofFile { federation_id: vec![4; 32], ..fork(&log[1], &second, &[]) };
    let other_prev = sign(&header(SEOUL, at(1, 3), &hash(&second)), key);
    let mut one_sided = fork(&log[1], &second, &[]);
    one_sided.proof.as_mut().unwrap().right = None;
    let paris = records(PARIS, &["One"]);
    let foreign = sign(&opening(PARIS, 2, at(1, 1), &hash(&paris[0])), log_key(PARIS));
    vec![
        ("fork-records", true, "two records at one position", fork(&log[1], &second, &[])),
        (
            "fork-after-rotation",
            true,
            "two entries in a later epoch",
            fork(&late, &twin(&late, next_key(SEOUL)), std::slice::from_ref(&rotated)),
        ),
        (
            "fork-openings",
            true,
            "two openings of one epoch, with different bases",
            fork(&openings[0], &openings[1], &[]),
        ),
        (
            "fork-before-cut",
            true,
            "an expelled member, before its cut",
            fork(&dakars[1], &twin(&dakars[1], log_key(DAKAR)), &[]),
        ),
        (
            "fork-openings-of-a-later-epoch",
            true,
            "two openings of one epoch, each after another opening of the epoch below",
            fork(&continuing[0], &continuing[1], &twice),
        ),
        (
            "fork-openings-without-epochs",
            false,
            "one of the openings that they continue from does not come with them",
            fork(&continuing[0], &continuing[1], &twice[..1]),
        ),
        ("fork-same-entry", false, "the same entry twice", fork(&log[1], &log[1], &[])),
        ("fork-two-positions", false, "entries at two positions", fork(&log[1], &log[2], &[])),
        (
            "fork-two-predecessors",
            false,
            "entries after two different ones: they show no first difference",
            fork(&log[2], &other_prev, &[]),
        ),
        ("fork-wrong-order", false, "the one with the smaller hash is not left", swapped),
        (
            "fork-forged",
            false,
            "one of the entries is signed with another key",
            fork(&log[1], &twin(&log[1], log_key(PARIS)), &[]),
        ),
        (
            "fork-two-members",
            false,
            "entries of two members",
            fork(&records(SEOUL, &["One"])[0], &paris[0], &[]),
        ),
        (
            "fork-beyond-cut",
            false,
            "an expelled member, after its cut",
            fork(&dakars[2], &twin(&dakars[2], log_key(DAKAR)), &[]),
        ),
        (
            "fork-stolen-key",
            false,
            "the key that a rotation has replaced",
            fork(&stolen[0], &stolen[1], &[rotated]),
        ),
        (
            "fork-without-epochs",
            false,
            "the epoch that the entries stand in does not come with it",
            fork(&late, &twin(&late, next_key(SEOUL)), &[]),
        ),
        ("fork-elsewhere", false, "it names another federation", elsewhere),
        (
            "fork-epoch-of-another",
            false,
            "an epoch of another member comes with it",
            fork(&log[1], &second, &[foreign]),
        ),
        (
            "fork-epoch-no-opening",
            false,
            "an entry that opens no epoch comes with it",
            fork(&log[1], &second, &log[..1]),
        ),
        ("fork-one-sided", false, "one of the entries is missing", one_sided),
    ]
}

fn proof(entry: &v1::Entry, epochs: &[v1::Entry]) -> v1::RecordProof {
    v1::RecordProof {
        entry: Some(entry.clone()),
        federation_id: federation().as_bytes().to_vec(),
        origin_handle: "kr-seoul".to_owned(),
        epochs: epochs.to_vec(),
    }
}

fn proofs() -> Vec<(&'static str, bool, &'static str, v1::RecordProof)> {
    let log = seouls();
    let (_, ranks) = all_ranks();
    let openings: Vec<_> = ranks[1..].iter().map(|epoch| epoch[0].clone()).collect();
    let last = header(SEOUL, at(RECOVERED, 3), &hash(&ranks[3][1]));
    let beyond_base = with_record(v1::EntryHeader { key_no: 3, ..last }, "Void", 17);
    let twice = opened_twice();
    let dakars = dakars();
    let mut flipped = log[1].clone();
    flipped.payload.as_mut().unwrap().content[3] ^= 1;
    let mut flipped_signature = log[1].clone();
    flipped_signature.signature[40] ^= 1;
    let bare = v1::Entry { payload: None, ..log[1].clone() };
    let elsewhere = v1::RecordProof { federation_id: vec![4; 32], ..proof(&log[1], &[]) };
    let second_key =
        with_record(v1::EntryHeader { key_no: 2, ..header(SEOUL, at(1, 2), &hash(&log[0])) }, "Key", 11);
    vec![
        ("record-first-epoch", true, "a record in the first epoch", proof(&log[1], &[])),
        ("record-withdrawn", true, "a withdrawal, which has no payload", proof(&withdrawal(&log[2]), &[])),
        ("record-before-base", true, "a record that every later epoch keeps", proof(&log[1], &openings)),
        ("record-before-cut", true, "an expelled member's record before its cut", proof(&dakars[1], &[])),
        ("record-void", false, "a record behind the base of the next epoch", proof(&log[2], &openings)),
        (
            "record-opened-twice",
            false,
            "a record behind the base of one of two openings: the one with the smaller hash, which no later epoch continues",
            proof(&log[2], &twice),
        ),
        (
            "record-continued-opening",
            true,
            "a record before the base of the opening that a later epoch continues, behind that of another one",
            proof(&log[2], &[twice[0].clone(), twice[1].clone(), recovery_of(&twice[1])]),
        ),
        (
            "record-other-opening",
            false,
            "the same, where the later epoch continues the other opening",
            proof(&log[2], &[twice[0].clone(), twice[1].clone(), recovery_of(&twice[0])]),
        ),
        (
            "record-void-later",
            false,
            "a record behind the base of a reinception",
            proof(&beyond_base, &openings),
        ),
        (
            "record-until-known-better",
            true,
            "the same, as long as no later epoch comes with it",
            proof(&beyond_base, &openings[..3]),
        ),
        ("record-beyond-cut", false, "an expelled member's record after its cut", proof(&dakars[2], &[])),
        ("record-flipped-payload", false, "one bit of the payload is another", proof(&flipped, &[])),
        (
            "record-flipped-signature",
            false,
            "one bit of the signature is another",
            proof(&flipped_signature, &[]),
        ),
        ("record-no-payload", false, "the payload is not there", proof(&bare, &[])),
        ("record-elsewhere", false, "it names another federation", elsewhere),
        ("record-unknown-key", false, "its author has no such key", proof(&second_key, &[])),
        (
            "record-epochs-unordered",
            false,
            "an epoch comes before the one that it continues from",
            proof(&log[1], &[openings[1].clone(), openings[0].clone()]),
        ),
        (
            "record-no-entry",
            false,
            "there is no entry in it",
            v1::RecordProof { entry: None, ..proof(&log[1], &[]) },
        ),
    ]
}

#[test]
fn the_roster_of_the_proofs_begins_as_the_others() {
    assert_eq!(roster().versions[0], first());
}
