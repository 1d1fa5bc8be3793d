//! Claims about what a reader takes for a backup.

use prost::Message as _;
use zeroize::Zeroizing;

use super::{
    frame::{FrameReader, FrameWriter},
    *,
};
use crate::{
    entry::{EpochStart, Header, Payload, Unverified},
    epochs::{FIRST_EPOCH, Rank, next_number},
    roster::add_signature,
    v1::{EntryKind, MemberStatus},
};

/// From here on member 1 signs with its second key.
const NEW_KEY_FROM: u64 = 50;
const ENTRIES: u64 = 150;

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&Zeroizing::new([seed; 32]))
}

/// A federation of two members, and what its first member's node holds.
struct Fixture {
    roster: v1::SignedRoster,
    federation: FederationId,
    own: Vec<Verified>,
    other: Vec<Verified>,
    /// The log key that signs the backup.
    signer: u8,
}

fn log_key(key_no: u32, seed: u8, from: u64, until: Option<u64>) -> v1::LogKey {
    let at = |seq| v1::Position { epoch: 1, seq };
    let key = key(seed).public().as_bytes().to_vec();
    v1::LogKey { key_no, key, from: Some(at(from)), until: until.map(at), ..Default::default() }
}

fn member(idx: u32, log_keys: Vec<v1::LogKey>) -> v1::Member {
    v1::Member {
        idx,
        city_id: vec![idx as u8; 32],
        handle: format!("city-{idx}"),
        names: vec![v1::MemberName { lang: "en".to_owned(), text: format!("City {idx}") }],
        transport_keys: vec![key(100 + idx as u8).public().as_bytes().to_vec()],
        log_keys,
        status: MemberStatus::Active as i32,
        ..Default::default()
    }
}

fn roster(name: &str) -> v1::SignedRoster {
    let own = vec![log_key(1, 1, 1, Some(NEW_KEY_FROM)), log_key(2, 2, NEW_KEY_FROM, None)];
    let next_log_key_digest = key(4).public().digest().as_bytes().to_vec();
    let own = v1::Member { next_log_key_digest, ..member(1, own) };
    let content = v1::Roster {
        format: 1,
        version: 1,
        federation_name: name.to_owned(),
        governance: Some(v1::Governance {
            keys: vec![key(9).public().as_bytes().to_vec()],
            threshold: 1,
            ..Default::default()
        }),
        members: vec![own, member(2, vec![log_key(1, 3, 1, None)])],
        ..Default::default()
    };
    let mut signed = v1::SignedRoster { roster: content.encode_to_vec(), signatures: vec![] };
    add_signature(&mut signed, &key(9));
    signed
}

fn log(
    origin: u32,
    entries: u64,
    federation: &FederationId,
    key_of: impl Fn(u64) -> (u32, u8),
) -> Vec<Verified> {
    let mut prev = Hash::new([origin as u8; 32]);
    let mut log = Vec::new();
    for seq in 1..=entries {
        let (key_no, seed) = key_of(seq);
        let header = Header {
            origin: Origin(origin),
            at: Position { epoch: 1, seq },
            prev,
            key_no,
            roster_version: 1,
            hlc_ms: 1_284_000_000_000 + seq,
            kind: EntryKind::RecordPut as i32,
            record_id: None,
            base: None,
            payload: None,
            record_kind: 1,
            request_id: None,
            epoch_start: None,
            recovery_key: None,
            endpoint_change: None,
            presentation: None,
            erase: None,
        };
        let payload = Payload { nonce: [8; 16], content: vec![seq as u8; 40] };
        let entry = Verified::sign(header, Some(payload), federation, &key(seed));
        prev = entry.hash();
        log.push(entry);
    }
    log
}

impl Fixture {
    fn new(name: &str) -> Self {
        let roster = roster(name);
        let federation = Roster::open_genesis(roster.clone()).unwrap().federation();
        let own = log(1, ENTRIES, &federation, |seq| if seq < NEW_KEY_FROM { (1, 1) } else { (2, 2) });
        let other = log(2, 3, &federation, |_| (1, 3));
        Self { roster, federation, own, other, signer: 2 }
    }

    fn manifest(&self) -> v1::BackupManifest {
        let head = |log: &[Verified]| {
            let last = log.last().unwrap();
            let Header { origin, at, .. } = *last.header();
            let hash = last.hash().as_bytes().to_vec();
            v1::Head { origin: origin.0, epoch: at.epoch, seq: at.seq, hash }
        };
        v1::BackupManifest {
            format: FORMAT,
            federation_id: self.federation.as_bytes().to_vec(),
            origin: 1,
            handle: "city-1".to_owned(),
            log_key: key(self.signer).public().as_bytes().to_vec(),
            taken_at_ms: 1_284_076_800_000,
            roster_version: 1,
            store_id: vec![7; 16],
            heads: vec![head(&self.own), head(&self.other)],
            entries: (self.own.len() + self.other.len()) as u64,
            ..Default::default()
        }
    }

    fn entries(&self) -> impl Iterator<Item = &Verified> {
        self.own.iter().chain(&self.other)
    }

    fn write(&self, manifest: &v1::BackupManifest) -> Result<Vec<u8>, WriteError> {
        let mut writer = Writer::begin(Vec::new(), manifest, key(self.signer))?;
        writer.roster(&self.roster)?;
        for entry in self.entries() {
            writer.entry(&entry.to_wire())?;
        }
        writer.file(&v1::BackupFile { name: PEERS_FILE.to_owned(), content: b"[peers]\n".to_vec() })?;
        writer.finish()?;
        Ok(std::mem::take(writer.out_mut()))
    }

    fn bytes(&self) -> Vec<u8> {
        self.write(&self.manifest()).unwrap()
    }
}

fn read(bytes: &[u8]) -> Result<Vec<Item>, Fault> {
    let mut reading = Reading::begin(bytes)?;
    let mut items = Vec::new();
    while let Some(item) = reading.next_item()? {
        items.push(item);
    }
    Ok(items)
}

/// Kind and content of every frame, and the same as a file whose checks are good.
fn frames(bytes: &[u8]) -> Vec<(Kind, Vec<u8>)> {
    let mut reader = FrameReader::begin(bytes).unwrap();
    std::iter::from_fn(|| reader.next_frame().unwrap()).collect()
}

fn relinked(frames: &[(Kind, Vec<u8>)]) -> Vec<u8> {
    let mut writer = FrameWriter::begin(Vec::new()).unwrap();
    for (kind, content) in frames {
        writer.put(*kind, content).unwrap();
    }
    std::mem::take(writer.out_mut())
}

fn refused(what: &str, bytes: &[u8]) -> Fault {
    match read(bytes) {
        Ok(_) => panic!("accepted: {what}"),
        Err(fault) => fault,
    }
}

#[test]
fn what_is_read_is_what_was_written() {
    let fixture = Fixture::new("Test");
    let bytes = fixture.bytes();
    let items = read(&bytes).unwrap();
    let entries: Vec<_> = items
        .iter()
        .filter_map(|item| if let Item::Entries(run) = item { Some(run.clone()) } else { None })
        .flatten()
        .collect();
    assert_eq!(entries, fixture.entries().cloned().collect::<Vec<_>>());
    let Some(Item::Manifest(manifest)) = items.first() else { panic!("{:?}", items.first()) };
    assert_eq!(
        manifest.own_head(),
        Some((Position { epoch: 1, seq: ENTRIES }, fixture.own.last().unwrap().hash()))
    );
    let Some(Item::End(whole)) = items.last() else { panic!("{:?}", items.last()) };
    assert_eq!(whole.bytes, bytes.len() as u64);
    assert!(items.iter().any(|item| matches!(item, Item::File(file) if file.name == PEERS_FILE)));
}

#[test]
fn a_reader_never_holds_more_than_a_run() {
    let runs = read(&Fixture::new("Test").bytes()).unwrap();
    for item in runs {
        if let Item::Entries(run) = item {
            assert!(run.len() <= 64, "{}", run.len());
        }
    }
}

#[test]
fn every_changed_byte_is_found_where_it_is_or_right_behind() {
    let bytes = Fixture::new("Test").bytes();
    for at in 0..bytes.len() {
        // All of the beginning, then here and there.
        if at > 2_000 && at % 37 != 0 {
            continue;
        }
        let mut changed = bytes.clone();
        changed[at] ^= 0x20;
        let fault = refused(&format!("byte {at}"), &changed);
        assert!(fault.offset <= at as u64, "byte {at}: {fault:?}");
    }
}

#[test]
fn a_file_that_was_cut_short_or_lengthened_is_no_backup() {
    let bytes = Fixture::new("Test").bytes();
    for len in (0..bytes.len()).step_by(61).chain([bytes.len() - 1]) {
        refused(&format!("{len} bytes"), &bytes[..len]);
    }
    assert!(matches!(refused("one byte more", &[&bytes[..], &[0]].concat()).problem, Problem::Trailing));
    let fault = refused("twice", &[&bytes[..], &bytes[..]].concat());
    assert!(matches!(fault.problem, Problem::Trailing), "{fault:?}");
}

#[test]
fn frames_that_were_moved_left_out_or_doubled_are_found_although_their_checks_are_good() {
    let whole = frames(&Fixture::new("Test").bytes());
    for at in 0..whole.len() {
        let mut dropped = whole.clone();
        dropped.remove(at);
        refused(&format!("without frame {at}"), &relinked(&dropped));
        let mut doubled = whole.clone();
        doubled.insert(at, whole[at].clone());
        refused(&format!("frame {at} twice"), &relinked(&doubled));
        if at > 0 && whole[at - 1] != whole[at] {
            let mut moved = whole.clone();
            moved.swap(at - 1, at);
            refused(&format!("frame {at} before its predecessor"), &relinked(&moved));
        }
    }
    assert!(read(&relinked(&whole)).is_ok(), "the frames as they are");
}

#[test]
fn a_backup_signed_by_somebody_else_is_refused() {
    for seed in [1, 3, 9, 77] {
        let mut fixture = Fixture::new("Test");
        fixture.signer = seed;
        let written = fixture.write(&fixture.manifest());
        // The first log key of the member is still its own.
        assert_eq!(written.is_ok(), seed == 1, "key {seed}");
    }
    let fixture = Fixture::new("Test");
    let mut swapped = frames(&fixture.bytes());
    let manifest = fixture.manifest().encode_to_vec();
    let signature = Part::Manifest.sign(&fixture.federation, &manifest, &key(3));
    swapped[0].1 = v1::SignedBackupManifest { manifest, signature }.encode_to_vec();
    let fault = refused("a manifest under another key", &relinked(&swapped));
    assert!(matches!(fault.problem, Problem::Signature(_)), "{fault:?}");
}

#[test]
fn the_signature_of_one_part_is_worthless_for_the_other() {
    let fixture = Fixture::new("Test");
    let manifest = fixture.manifest().encode_to_vec();
    let signature = Part::Trailer.sign(&fixture.federation, &manifest, &key(fixture.signer));
    let swapped = v1::SignedBackupManifest { manifest, signature };
    assert!(matches!(Manifest::open(&swapped), Err(Problem::Signature(_))));
}

#[test]
fn parts_of_another_federation_are_refused() {
    let [one, other] = ["Test", "Another"].map(Fixture::new);
    let [mine, theirs] = [&one, &other].map(|fixture| frames(&fixture.bytes()));
    for at in 0..mine.len() {
        if mine[at] == theirs[at] {
            continue;
        }
        let mut mixed = mine.clone();
        mixed[at] = theirs[at].clone();
        refused(&format!("frame {at} of another federation"), &relinked(&mixed));
    }
}

#[test]
fn who_writes_cannot_announce_another_head_or_number_than_there_is() {
    let fixture = Fixture::new("Test");
    let wrong = |change: fn(&mut v1::BackupManifest)| {
        let mut manifest = fixture.manifest();
        change(&mut manifest);
        fixture.write(&manifest).expect_err("written")
    };
    let hash = wrong(|manifest| manifest.heads[1].hash = vec![0; 32]);
    assert!(matches!(hash, WriteError::Fault(Fault { problem: Problem::OtherHead { .. }, .. })), "{hash:?}");
    for change in [
        |manifest: &mut v1::BackupManifest| manifest.entries += 1,
        |manifest: &mut v1::BackupManifest| {
            manifest.heads[1].seq += 1;
            manifest.entries += 1;
        },
        |manifest: &mut v1::BackupManifest| {
            manifest.heads[0].seq -= 1;
            manifest.entries -= 1;
        },
        |manifest: &mut v1::BackupManifest| manifest.heads.reverse(),
        |manifest: &mut v1::BackupManifest| manifest.forks = 1,
        |manifest: &mut v1::BackupManifest| manifest.roster_version = 2,
        |manifest: &mut v1::BackupManifest| manifest.handle = "city-2".to_owned(),
        |manifest: &mut v1::BackupManifest| manifest.origin = 3,
        |manifest: &mut v1::BackupManifest| manifest.secrets = true,
    ] {
        let error = wrong(change);
        assert!(matches!(error, WriteError::Fault(_)), "{error:?}");
    }
}

#[test]
fn an_unsigned_entry_counts_only_as_the_ancestor_of_a_signed_one() {
    let mut fixture = Fixture::new("Test");
    let broken = |entry: &Verified, prev: Option<Hash>| {
        let mut wire = entry.to_wire();
        wire.signature = vec![1; 64];
        if let Some(prev) = prev {
            let mut header = v1::EntryHeader::decode(wire.header.as_slice()).unwrap();
            header.prev = prev.as_bytes().to_vec();
            wire.header = header.encode_to_vec();
        }
        Unverified::parse(wire).unwrap()
    };
    // The author's mistake in the middle of a log, which every node has accepted: its successor names it.
    let middle = broken(&fixture.other[1], None);
    let last = Header { prev: middle.hash(), ..fixture.other[2].header().clone() };
    let last = Verified::sign(last, fixture.other[2].payload().cloned(), &fixture.federation, &key(3));
    fixture.other[1] = last.ancestor(middle).unwrap();
    fixture.other[2] = last;
    let bytes = fixture.bytes();
    assert!(read(&bytes).is_ok());
    // At the end there is nobody to vouch for it.
    let end = fixture.other.len() - 1;
    let unsigned = broken(&fixture.other[end], None);
    let mut manifest = fixture.manifest();
    manifest.heads[1].hash = unsigned.hash().as_bytes().to_vec();
    let mut writer = Writer::begin(Vec::new(), &manifest, key(fixture.signer)).unwrap();
    writer.roster(&fixture.roster).unwrap();
    for entry in fixture.entries().take(fixture.own.len() + end) {
        writer.entry(&entry.to_wire()).unwrap();
    }
    let mut wire = fixture.other[end].to_wire();
    wire.signature = vec![1; 64];
    let error = writer.entry(&wire).unwrap_err();
    assert!(matches!(error, WriteError::Fault(Fault { problem: Problem::Entry { .. }, .. })), "{error:?}");
}

/// An own log that was rotated to key 4 after entry 70, with one entry under it; the key had been committed to.
fn rotated(prev: Option<Hash>, opener: u8) -> Fixture {
    let mut fixture = Fixture::new("Test");
    let base = &fixture.own[70];
    let number = next_number(Rank::Rotation, FIRST_EPOCH, FIRST_EPOCH, 0).unwrap();
    let start = EpochStart {
        base: base.header().at,
        base_hash: base.hash(),
        proof_hash: None,
        store: None,
        log_key: Some(key(4).public()),
        next_digest: Some(key(5).public().digest()),
        base_opening: None,
    };
    let opening = Header {
        at: Position { epoch: number, seq: 1 },
        prev: prev.unwrap_or(base.hash()),
        key_no: 3,
        kind: EntryKind::EpochStart as i32,
        epoch_start: Some(start),
        ..base.header().clone()
    };
    let opening = Verified::sign(opening, None, &fixture.federation, &key(opener));
    let after = Header {
        at: Position { epoch: number, seq: 2 },
        prev: opening.hash(),
        key_no: 3,
        ..fixture.own[70].header().clone()
    };
    let after = Verified::sign(after, fixture.own[70].payload().cloned(), &fixture.federation, &key(4));
    fixture.own.extend([opening, after]);
    fixture
}

/// The manifest of a fixture whose own log has a second epoch.
fn manifest_of_two_epochs(fixture: &Fixture) -> v1::BackupManifest {
    let mut manifest = fixture.manifest();
    let last = &fixture.own[ENTRIES as usize - 1];
    let hash = last.hash().as_bytes().to_vec();
    manifest.heads.insert(0, v1::Head { origin: 1, epoch: FIRST_EPOCH, seq: ENTRIES, hash });
    manifest.entries = ENTRIES + 2 + fixture.other.len() as u64;
    manifest
}

#[test]
fn a_later_epoch_is_opened_and_signed_by_whoever_may() {
    let fixture = rotated(None, 4);
    let manifest = manifest_of_two_epochs(&fixture);
    let items = read(&fixture.write(&manifest).unwrap()).unwrap();
    let Some(Item::Manifest(read)) = items.first() else { panic!("{:?}", items.first()) };
    assert_eq!(read.own_head().unwrap().0, fixture.own.last().unwrap().header().at);
    let Some(Item::End(whole)) = items.last() else { panic!("{:?}", items.last()) };
    assert_eq!(whole.next_log_key, Some(key(5).public().digest()));

    for (what, wrong) in
        [("another base", rotated(Some(Hash::new([9; 32])), 4)), ("another key", rotated(None, 2))]
    {
        let error = wrong.write(&manifest_of_two_epochs(&wrong)).unwrap_err();
        assert!(
            matches!(error, WriteError::Fault(Fault { problem: Problem::Opening { .. }, .. })),
            "{what}: {error:?}"
        );
    }
}

#[test]
fn a_key_that_the_log_has_changed_to_may_sign_a_backup() {
    let mut fixture = rotated(None, 4);
    fixture.signer = 4;
    let manifest = manifest_of_two_epochs(&fixture);
    assert!(read(&fixture.write(&manifest).unwrap()).is_ok());
    // The one after it is only committed to.
    fixture.signer = 5;
    let manifest = manifest_of_two_epochs(&fixture);
    assert!(fixture.write(&manifest).is_err());
}

fn compared(known: &[Roster], backup: &[&Roster]) -> Result<(), Disagreement> {
    let mut known = KnownVersions::of(known);
    backup.iter().try_for_each(|version| known.compare(version))?;
    known.agree()
}

#[test]
fn versions_known_from_elsewhere_must_agree() {
    let [one, other] = ["Test", "Another"].map(|name| Roster::open_genesis(roster(name)).unwrap());
    assert_eq!(compared(std::slice::from_ref(&one), &[&one]), Ok(()));
    let found = other.federation();
    let refused = compared(std::slice::from_ref(&one), &[&other]);
    assert_eq!(refused, Err(Disagreement::OtherFederation { found }));
    assert_eq!(compared(&[], &[&other]), Ok(()));
}

#[test]
fn a_side_that_was_given_up_is_no_other_branch() {
    let first = Roster::open_genesis(roster("Test")).unwrap();
    let after = |before: &Roster, name: &str, resolves: &[&Roster]| {
        let mut resolves: Vec<_> = resolves.iter().map(|one| one.hash().as_bytes().to_vec()).collect();
        resolves.sort();
        let content = v1::Roster {
            version: before.version() + 1,
            prev_hash: before.hash().as_bytes().to_vec(),
            federation_id: before.federation().as_bytes().to_vec(),
            federation_name: name.to_owned(),
            resolves,
            ..before.content().clone()
        };
        let mut signed = v1::SignedRoster { roster: content.encode_to_vec(), signatures: vec![] };
        add_signature(&mut signed, &key(9));
        before.succeeded_by(signed).unwrap()
    };
    let [one, other, third] = ["one", "other", "third"].map(|name| after(&first, name, &[]));
    let settled = after(&one, "settled", &[&one, &other]);
    let backup = [&first, &one, &settled];
    let known = |newest: &[&Roster]| {
        [&first].iter().chain(newest).map(|version| (**version).clone()).collect::<Vec<_>>()
    };
    let other_branch = Err(Disagreement::OtherBranch { version: 2 });
    assert_eq!(compared(&known(&[&other]), &backup), Ok(()));
    assert_eq!(compared(&known(&[&one]), &backup), Ok(()));
    assert_eq!(compared(&known(&[&third]), &backup), other_branch, "nobody gave that up");
    assert_eq!(compared(&known(&[&other]), &backup[..2]), other_branch, "nothing settles it");
    let went_on = after(&other, "went on", &[]);
    assert_eq!(compared(&known(&[&other, &went_on]), &backup), other_branch, "that was decided too");
}

#[test]
fn a_length_that_no_frame_may_have_is_refused_before_memory_is_taken_for_it() {
    let mut bytes = Fixture::new("Test").bytes();
    bytes[9..13].copy_from_slice(&u32::MAX.to_be_bytes());
    assert!(matches!(refused("4 GiB", &bytes).problem, Problem::TooLarge { .. }));
}
