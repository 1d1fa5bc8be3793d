//! Whole logs, in the form in which nodes export them: chains, keys, and epochs of every rank.

use wego_proto::{
    id::{FederationId, Hash},
    key::Purpose,
    prost::Message as _,
    v1::{self, EntryKind},
};

use super::{
    Vector,
    cast::{
        DAKAR, GOVERNANCE, PARIS, RECOVERED, REINCEPTED, ROTATED, SEOUL, after, at, behind, expel,
        federation, first, hash, header, key, log_key, new_key, next_key, opening, public, recovering,
        recovery_key, reincept, rotating, sign, sign_as, signed_by, with_record,
    },
};

/// Rosters, logs by origin and epoch, and fork proofs.
struct Contents {
    rosters: Vec<v1::SignedRoster>,
    logs: Vec<Vec<v1::Entry>>,
    forks: Vec<v1::ForkProof>,
}

type Case = (&'static str, bool, &'static str, Vec<u8>);

pub(super) fn all() -> Vec<Vector> {
    let cases = [holding(), chains(), keys(), epochs(), manifests(), files()].into_iter().flatten();
    cases
        .map(|(name, holds, why, bytes)| Vector { name, kind: "backup", roster: None, holds, why, bytes })
        .collect()
}

/// A member's first epoch.
pub(super) fn records(origin: u32, titles: &[&str]) -> Vec<v1::Entry> {
    let mut log = Vec::new();
    let mut prev = vec![origin as u8; 32];
    for (seq, title) in (1..).zip(titles) {
        let entry = with_record(header(origin, at(1, seq), &prev), title, log_key(origin));
        prev = hash(&entry);
        log.push(entry);
    }
    log
}

pub(super) fn seouls() -> Vec<v1::Entry> {
    records(SEOUL, &["Bus times", "Air quality", "Budget"])
}

/// An entry after another in its epoch, signed with this key.
pub(super) fn next(before: &v1::Entry, key_no: u32, seed: u8) -> v1::Entry {
    let before_header = v1::EntryHeader::decode(before.header.as_slice()).unwrap();
    let place = at(before_header.epoch, before_header.seq + 1);
    sign(&v1::EntryHeader { key_no, ..header(before_header.origin, place, &hash(before)) }, seed)
}

/// Epochs of all four ranks, behind some of whose bases something is void; the rosters that they need.
pub(super) fn all_ranks() -> (Vec<v1::SignedRoster>, Vec<Vec<v1::Entry>>) {
    let one = seouls();
    let lost = sign(&opening(SEOUL, 7, at(1, 2), &hash(&one[1])), log_key(SEOUL));
    let lost = vec![lost.clone(), next(&lost, 1, log_key(SEOUL))];
    let rotated = behind(opening(SEOUL, ROTATED, at(7, 2), &hash(&lost[1])), &lost[0]);
    let rotated = sign(&rotating(rotated, next_key(SEOUL), 16), next_key(SEOUL));
    let rotated = vec![rotated.clone(), next(&rotated, 2, next_key(SEOUL))];
    let healed = behind(opening(SEOUL, RECOVERED, at(ROTATED, 1), &hash(&rotated[0])), &rotated[0]);
    let healed = sign(&recovering(healed, recovery_key(SEOUL), 17, 18), recovery_key(SEOUL));
    let healed = vec![healed.clone(), next(&healed, 3, 17)];
    let again = behind(opening(SEOUL, REINCEPTED, at(RECOVERED, 2), &hash(&healed[1])), &healed[0]);
    let again = sign(&v1::EntryHeader { key_no: 4, roster_version: 2, ..again }, new_key(SEOUL));
    let again = vec![again.clone(), next(&again, 4, new_key(SEOUL))];
    let second = signed_by(&GOVERNANCE, &after(&first(), reincept));
    (vec![first(), second], vec![one, lost, rotated, healed, again])
}

fn of(logs: impl IntoIterator<Item = Vec<v1::Entry>>) -> Contents {
    Contents { rosters: vec![first()], logs: logs.into_iter().collect(), forks: Vec::new() }
}

/// Seoul's first epoch and the one that this opens.
fn opened(opening: v1::Entry) -> Vec<u8> {
    of([seouls(), vec![opening]]).file()
}

fn with_roster(
    change: impl FnOnce(&mut v1::Roster),
    logs: impl IntoIterator<Item = Vec<v1::Entry>>,
) -> Vec<u8> {
    let second = signed_by(&GOVERNANCE, &after(&first(), change));
    Contents { rosters: vec![first(), second], ..of(logs) }.file()
}

fn holding() -> Vec<Case> {
    let (rosters, logs) = all_ranks();
    let mut erased = seouls();
    erased[0].payload = None;
    let dakars = records(DAKAR, &["One", "Two", "Three"]);
    let cut = hash(&dakars[1]);
    let left = next(&seouls()[2], 1, log_key(SEOUL));
    let mut right = header(SEOUL, at(1, 4), &hash(&seouls()[2]));
    right.record_id = vec![99; 16];
    let mut sides = [left, sign(&right, log_key(SEOUL))];
    sides.sort_by_key(hash);
    let [left, right] = sides;
    let forked = v1::ForkProof { left: Some(left), right: Some(right), ..Default::default() };
    let at_root = opening(SEOUL, 2, at(1, 0), &[SEOUL as u8; 32]);
    vec![
        (
            "backup-one-epoch",
            true,
            "two members with one epoch each",
            of([seouls(), records(PARIS, &["Trees"])]).file(),
        ),
        (
            "backup-all-ranks",
            true,
            "a continuation, a rotation, a recovery and a reinception, with void entries behind some bases",
            Contents { rosters, ..of(logs) }.file(),
        ),
        (
            "backup-from-nothing",
            true,
            "an epoch that continues from the log's root",
            opened(sign(&at_root, 11)),
        ),
        ("backup-erased", true, "a payload is not in it, its header is", of([erased]).file()),
        (
            "backup-vouched",
            true,
            "an entry with a bad signature, which the next one names by its hash",
            vouched(),
        ),
        (
            "backup-unknown-field",
            true,
            "a header has a field of a later version",
            of([unknown_field()]).file(),
        ),
        (
            "backup-beyond-cut",
            true,
            "an expelled member's entry after its cut is kept, and does not count",
            with_roster(|roster| expel(roster, DAKAR, at(1, 2), &cut), [seouls(), dakars]),
        ),
        (
            "backup-fork",
            true,
            "a fork proof comes with it",
            Contents { forks: vec![forked], ..of([seouls()]) }.file(),
        ),
    ]
}

fn vouched() -> Vec<u8> {
    let mut log = seouls()[..2].to_vec();
    log[1].signature = vec![1; 64];
    let vouching = next(&log[1], 1, log_key(SEOUL));
    log.push(vouching);
    of([log]).file()
}

/// Field 500, length-delimited.
fn unknown_field() -> Vec<v1::Entry> {
    let mut log = seouls();
    let mut raw = header(SEOUL, at(1, 4), &hash(&log[2])).encode_to_vec();
    raw.extend_from_slice(&[0xA2, 0x1F, 0x03, b'n', b'e', b'w']);
    log.push(sign_as(Purpose::Entry, &federation(), raw, log_key(SEOUL)));
    log
}

fn changed(change: impl FnOnce(&mut Vec<v1::Entry>)) -> Vec<u8> {
    let mut log = seouls();
    change(&mut log);
    of([log]).file()
}

/// One more record of Seoul's, and something about its header.
fn more(change: impl FnOnce(&mut v1::EntryHeader)) -> Vec<u8> {
    let mut log = seouls();
    let mut header = header(SEOUL, at(1, 4), &hash(&log[2]));
    change(&mut header);
    log.push(sign(&header, log_key(SEOUL)));
    of([log]).file()
}

fn chains() -> Vec<Case> {
    let critical = v1::Extension { id: 9, critical: true, value: Vec::new() };
    let start = v1::EpochStart { base: Some(at(1, 3)), base_hash: vec![1; 32], ..Default::default() };
    vec![
        (
            "backup-flipped-header",
            false,
            "one bit of a header in the middle is another",
            changed(|log| log[1].header[20] ^= 1),
        ),
        (
            "backup-flipped-signature",
            false,
            "one bit of a signature in the middle is another",
            changed(|log| log[1].signature[9] ^= 1),
        ),
        (
            "backup-flipped-payload",
            false,
            "one bit of a payload is another",
            changed(|log| log[1].payload.as_mut().unwrap().content[3] ^= 1),
        ),
        (
            "backup-flipped-nonce",
            false,
            "one bit of a nonce is another",
            changed(|log| log[1].payload.as_mut().unwrap().nonce[3] ^= 1),
        ),
        ("backup-skipped-entry", false, "an entry is left out", changed(|log| drop(log.remove(1)))),
        ("backup-swapped-entries", false, "two entries have changed places", changed(|log| log.swap(1, 2))),
        ("backup-not-from-root", false, "the first entry does not name the city id", {
            of([vec![sign(&header(SEOUL, at(1, 1), &[0; 32]), log_key(SEOUL))]]).file()
        }),
        (
            "backup-other-prev",
            false,
            "an entry names another one before it",
            more(|header| header.prev = vec![5; 32]),
        ),
        (
            "backup-critical-extension",
            false,
            "a critical extension that is not known",
            more(|header| header.extensions.push(critical)),
        ),
        ("backup-other-format", false, "an entry of another format", more(|header| header.format = 2)),
        (
            "backup-payload-unhashed",
            false,
            "a payload's length without its hash",
            more(|header| header.payload_len = 5),
        ),
        (
            "backup-payload-huge",
            false,
            "a payload over the limit",
            more(|header| {
                header.payload_len = 262_145;
                header.payload_hash = vec![5; 32];
            }),
        ),
        (
            "backup-header-long",
            false,
            "a header of more than 1,024 bytes",
            more(|header| {
                header.extensions.push(v1::Extension { id: 9, critical: false, value: vec![0; 1_024] });
            }),
        ),
        (
            "backup-extension",
            true,
            "an extension that is not known and not critical",
            more(|header| {
                header.extensions.push(v1::Extension { id: 9, critical: false, value: vec![0; 100] });
            }),
        ),
        (
            "backup-nine-attachments",
            false,
            "more than eight attachments",
            more(|header| {
                header.attachments = vec![v1::Attachment::default(); 9];
            }),
        ),
        (
            "backup-short-record-id",
            false,
            "a record id of 15 bytes",
            more(|header| header.record_id = vec![1; 15]),
        ),
        (
            "backup-no-transport-key",
            false,
            "endpoints that nobody speaks at",
            more(|header| {
                header.endpoint_change = Some(v1::EndpointChange::default());
            }),
        ),
        (
            "backup-endpoint-not-ascii",
            false,
            "an endpoint that is no plain text",
            more(|header| {
                header.endpoint_change = Some(moved("서울.example:7400"));
            }),
        ),
        (
            "backup-endpoint",
            true,
            "the member is reached elsewhere from here on",
            more(|header| {
                header.endpoint_change = Some(moved("seoul.example:7401"));
            }),
        ),
        (
            "backup-endpoint-without-number",
            false,
            "a change of endpoints that has no place among others",
            more(|header| {
                header.endpoint_change =
                    Some(v1::EndpointChange { number: 0, ..moved("seoul.example:7401") });
            }),
        ),
        (
            "backup-four-transport-keys",
            false,
            "more than three transport keys",
            more(|header| {
                let transport_keys = (15..19).map(public).collect();
                header.endpoint_change =
                    Some(v1::EndpointChange { transport_keys, ..moved("seoul.example:7401") });
            }),
        ),
        (
            "backup-short-transport-proof",
            false,
            "a transport key's proof of 63 bytes",
            more(|header| {
                let proofs = vec![v1::TransportProof { key: public(15), signature: vec![1; 63] }];
                header.endpoint_change = Some(v1::EndpointChange { proofs, ..moved("seoul.example:7401") });
            }),
        ),
        (
            "backup-opening-inside",
            false,
            "an opening that is not the first of its epoch",
            more(|header| header.epoch_start = Some(start)),
        ),
        (
            "backup-no-opening",
            false,
            "an epoch that begins without an opening",
            opened(sign(&header(SEOUL, at(2, 1), &hash(&seouls()[2])), 11)),
        ),
    ]
}

fn moved(endpoint: &str) -> v1::EndpointChange {
    let (endpoints, transport_keys) = (vec![endpoint.to_owned()], vec![public(15)]);
    v1::EndpointChange { endpoints, transport_keys, number: 1, proofs: Vec::new() }
}

fn keys() -> Vec<Case> {
    let head = |header: &v1::EntryHeader, purpose, federation: &FederationId, seed| {
        let mut log = seouls();
        log.push(sign_as(purpose, federation, header.encode_to_vec(), seed));
        of([log]).file()
    };
    let fourth = header(SEOUL, at(1, 4), &hash(&seouls()[2]));
    let here = federation();
    let elsewhere = FederationId::new([4; 32]);
    let second_key = v1::EntryHeader { key_no: 2, ..fourth.clone() };
    let closed = |roster: &mut v1::Roster| roster.members[0].log_keys[0].until = Some(at(1, 3));
    vec![
        (
            "backup-wrong-key",
            false,
            "the last entry is signed with another member's key",
            head(&fourth, Purpose::Entry, &here, log_key(PARIS)),
        ),
        (
            "backup-unknown-key-no",
            false,
            "the last entry names a key that its author has not",
            head(&second_key, Purpose::Entry, &here, log_key(SEOUL)),
        ),
        (
            "backup-signed-as-roster",
            false,
            "the last signature was made for a roster",
            head(&fourth, Purpose::Roster, &here, log_key(SEOUL)),
        ),
        (
            "backup-signed-elsewhere",
            false,
            "the last signature was made for another federation",
            head(&fourth, Purpose::Entry, &elsewhere, log_key(SEOUL)),
        ),
        (
            "backup-key-closed",
            false,
            "the last entry stands where its key no longer signs",
            with_roster(closed, [seouls()]),
        ),
        (
            "backup-unknown-member",
            false,
            "an entry of somebody who is in no roster",
            of([seouls(), records(8, &["Who"])]).file(),
        ),
    ]
}

fn epochs() -> Vec<Case> {
    let third = hash(&seouls()[2]);
    let from = |number| opening(SEOUL, number, at(1, 3), &third);
    let log = log_key(SEOUL);
    let (next_seed, recovery) = (next_key(SEOUL), recovery_key(SEOUL));
    let other_base = v1::EntryHeader { prev: vec![6; 32], ..from(2) };
    let reinception = v1::EntryHeader { key_no: 4, ..from(REINCEPTED) };
    let later = |number| v1::EntryHeader { key_no: 4, roster_version: 2, ..from(number) };
    let with_key = v1::EntryHeader { key_no: 1, ..rotating(from(2), 99, 98) };
    let keyless = v1::EntryHeader { key_no: 0, recovery_key: public(recovery), ..from(RECOVERED) };
    let one = seouls();
    let [seventh, other_seventh] =
        [3, 2].map(|seq: u64| sign(&opening(SEOUL, 7, at(1, seq), &hash(&one[seq as usize - 1])), log));
    let continued =
        |header: v1::EntryHeader| of([one.clone(), vec![seventh.clone()], vec![sign(&header, log)]]).file();
    let mut short = behind(opening(SEOUL, 9, at(7, 1), &hash(&seventh)), &seventh);
    short.epoch_start.as_mut().unwrap().base_opening.pop();
    vec![
        ("epoch-continuation", true, "the log key goes on", opened(sign(&from(2), log))),
        (
            "epoch-rotation",
            true,
            "the next log key, committed to before",
            opened(sign(&rotating(from(ROTATED), next_seed, 16), next_seed)),
        ),
        (
            "epoch-recovery",
            true,
            "the recovery key",
            opened(sign(&recovering(from(RECOVERED), recovery, 17, 18), recovery)),
        ),
        (
            "epoch-reinception",
            true,
            "a later roster gives the key",
            with_roster(reincept, [seouls(), vec![sign(&later(REINCEPTED), new_key(SEOUL))]]),
        ),
        (
            "epoch-continuation-as-rotation",
            false,
            "the log key opens an epoch with a rotation's number",
            opened(sign(&from(ROTATED), log)),
        ),
        (
            "epoch-continuation-as-recovery",
            false,
            "the log key opens an epoch with a recovery's number",
            opened(sign(&from(RECOVERED), log)),
        ),
        (
            "epoch-continuation-as-reinception",
            false,
            "the log key opens an epoch with a reinception's number",
            opened(sign(&from(REINCEPTED), log)),
        ),
        (
            "epoch-wrong-number",
            false,
            "the number raises its own part and one below",
            opened(sign(&recovering(from(RECOVERED + ROTATED), recovery, 17, 18), recovery)),
        ),
        (
            "epoch-rotation-then-some",
            true,
            "the continuation's part of a rotation's number is free",
            opened(sign(&rotating(from(ROTATED + 5), next_seed, 16), next_seed)),
        ),
        (
            "epoch-rotation-uncommitted",
            false,
            "a rotation to a key that was not committed to",
            opened(sign(&rotating(from(ROTATED), 99, 16), 99)),
        ),
        (
            "epoch-rotation-by-old-key",
            false,
            "a rotation that the old key has signed",
            opened(sign(&rotating(from(ROTATED), next_seed, 16), log)),
        ),
        (
            "epoch-recovery-by-log-key",
            false,
            "a recovery that the log key has signed",
            opened(sign(&recovering(from(RECOVERED), recovery, 17, 18), log)),
        ),
        (
            "epoch-recovery-by-stranger",
            false,
            "a recovery by a key that is not the roster's",
            opened(sign(&recovering(from(RECOVERED), 99, 17, 18), 99)),
        ),
        (
            "epoch-recovery-without-key",
            false,
            "a recovery that gives no log key",
            opened(sign(&keyless, recovery)),
        ),
        (
            "epoch-reinception-not-in-roster",
            false,
            "a reinception that no roster gives",
            opened(sign(&reinception, new_key(SEOUL))),
        ),
        (
            "epoch-continuation-with-key",
            false,
            "a continuation that gives another log key",
            opened(sign(&with_key, log)),
        ),
        (
            "epoch-wrong-key-no",
            false,
            "a continuation that names another key than the one that signed",
            opened(sign(&v1::EntryHeader { key_no: 2, ..from(2) }, log)),
        ),
        (
            "epoch-key-closed",
            false,
            "a continuation from a place where no key signs",
            with_roster(
                |roster| roster.members[0].log_keys[0].until = Some(at(1, 4)),
                [seouls(), vec![sign(&from(2), log)]],
            ),
        ),
        (
            "epoch-reinception-wrong-number",
            false,
            "a roster gives a key from an epoch on whose number raises two parts",
            with_roster(
                |roster| {
                    reincept(roster);
                    roster.members[0].log_keys[1].from = Some(at(REINCEPTED + ROTATED, 1));
                },
                [seouls(), vec![sign(&later(REINCEPTED + ROTATED), new_key(SEOUL))]],
            ),
        ),
        ("epoch-wrong-base", false, "its predecessor is not its base", opened(sign(&other_base, log))),
        (
            "epoch-not-from-root",
            false,
            "it continues from nothing, and not from the log's root",
            opened(sign(&opening(SEOUL, 2, at(1, 0), &third), log)),
        ),
        (
            "epoch-unknown-base",
            false,
            "it continues from an epoch that is not there",
            opened(sign(&behind(opening(SEOUL, 9, at(5, 1), &third), &one[0]), log)),
        ),
        (
            "epoch-without-base-opening",
            false,
            "it does not say which opening of its base's epoch it continues",
            continued(opening(SEOUL, 9, at(7, 1), &hash(&seventh))),
        ),
        (
            "epoch-other-base-opening",
            false,
            "it continues another opening of its base's epoch than is there",
            continued(behind(opening(SEOUL, 9, at(7, 1), &hash(&seventh)), &other_seventh)),
        ),
        (
            "epoch-base-opening-short",
            false,
            "the hash of the opening that it continues is cut short",
            continued(short),
        ),
        (
            "epoch-base-opening-of-the-first",
            false,
            "it names an opening of the first epoch, which has none",
            opened(sign(&behind(from(2), &one[0]), log)),
        ),
        (
            "epoch-base-opening",
            true,
            "it continues the opening of its base's epoch",
            continued(behind(opening(SEOUL, 9, at(7, 1), &hash(&seventh)), &seventh)),
        ),
        ("epoch-old-key-goes-on", false, "after a rotation the old key signs", {
            let rotated = sign(&rotating(from(ROTATED), next_seed, 16), next_seed);
            let after = next(&rotated, 1, log);
            of([seouls(), vec![rotated, after]]).file()
        }),
    ]
}

/// Manifests that are signed and say something else than what is there.
fn manifests() -> Vec<Case> {
    let says = |change: fn(&mut v1::BackupManifest)| {
        of([seouls(), records(PARIS, &["Trees"])]).signed(log_key(SEOUL), change)
    };
    vec![
        (
            "manifest-other-federation",
            false,
            "it names another federation",
            says(|it| it.federation_id = vec![4; 32]),
        ),
        (
            "manifest-other-version",
            false,
            "it names another roster version",
            says(|it| it.roster_version = 2),
        ),
        (
            "manifest-other-handle",
            false,
            "it gives its member another handle",
            says(|it| it.handle = "fr-paris".to_owned()),
        ),
        ("manifest-other-count", false, "it counts one entry more", says(|it| it.entries += 1)),
        ("manifest-more-forks", false, "it counts a fork proof that is not there", says(|it| it.forks = 1)),
        ("manifest-unsorted", false, "its heads are not sorted", says(|it| it.heads.reverse())),
        (
            "manifest-other-head",
            false,
            "the hash of a head is another",
            says(|it| it.heads[0].hash = vec![5; 32]),
        ),
        (
            "manifest-fewer-logs",
            false,
            "it leaves out a log that is there",
            says(|it| {
                it.heads.pop();
                it.entries -= 1;
            }),
        ),
        ("manifest-secrets", false, "it says that private keys are inside", says(|it| it.secrets = true)),
        ("manifest-other-format", false, "another format", says(|it| it.format = 2)),
    ]
}

fn files() -> Vec<Case> {
    let whole = || of([seouls()]);
    let says = |change: fn(&mut v1::BackupManifest)| whole().signed(log_key(SEOUL), change);
    let mut peers = whole().file();
    let name = peers.windows(10).position(|bytes| bytes == b"peers.toml").unwrap();
    peers[name] ^= 1;
    let mut cut = whole().file();
    cut.truncate(cut.len() - 20);
    let mut trailing = whole().file();
    trailing.push(0);
    let mut flipped = whole().file();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    let [one, other] = [0, 1].map(|at: usize| Some(seouls()[at].clone()));
    let no_fork = v1::ForkProof { left: one, right: other, ..Default::default() };
    vec![
        ("backup-cut-short", false, "the end is not there", cut),
        ("backup-flipped-file", false, "one bit of a small file is another", peers),
        ("backup-trailing", false, "something follows the end", trailing),
        ("backup-flipped-bit", false, "one bit of the file is another", flipped),
        (
            "backup-strangers-key",
            false,
            "a key that is not the member's has signed it",
            whole().signed(99, |_| {}),
        ),
        (
            "backup-head-moved",
            false,
            "the manifest names one entry more than there is",
            says(|manifest| {
                manifest.heads[0].seq += 1;
                manifest.entries += 1;
            }),
        ),
        ("backup-no-fork", false, "a fork proof with entries at two positions", {
            let bare = |entry: Option<v1::Entry>| entry.map(|entry| v1::Entry { payload: None, ..entry });
            let no_fork = v1::ForkProof { left: bare(no_fork.left), right: bare(no_fork.right), ..no_fork };
            Contents { forks: vec![no_fork], ..whole() }.file()
        }),
    ]
}

impl Contents {
    fn file(&self) -> Vec<u8> {
        self.signed(log_key(SEOUL), |_| {})
    }

    /// As a node would write it that says this of it.
    fn signed(&self, seed: u8, change: impl FnOnce(&mut v1::BackupManifest)) -> Vec<u8> {
        let federation = federation();
        let sign = |part: &[u8], bytes: &[u8]| {
            key(seed).sign(Purpose::Backup, &[part, federation.as_bytes(), bytes]).as_bytes().to_vec()
        };
        let mut frames = Frames::new();
        let mut manifest = self.manifest(seed);
        change(&mut manifest);
        let manifest = manifest.encode_to_vec();
        let signature = sign(&[1], &manifest);
        frames.put(1, &v1::SignedBackupManifest { manifest, signature }.encode_to_vec());
        self.rosters.iter().for_each(|roster| frames.put(2, &roster.encode_to_vec()));
        self.forks.iter().for_each(|proof| frames.put(3, &proof.encode_to_vec()));
        self.logs.iter().flatten().for_each(|entry| frames.put(4, &entry.encode_to_vec()));
        frames.put(5, &v1::BackupFile { name: "peers.toml".to_owned(), content: Vec::new() }.encode_to_vec());
        let trailer = v1::BackupTrailer {
            frames: frames.count,
            bytes: frames.bytes.len() as u64,
            link: frames.link.as_bytes().to_vec(),
        };
        let trailer = trailer.encode_to_vec();
        let signature = sign(&[2], &trailer);
        frames.put(6, &v1::SignedBackupTrailer { trailer, signature }.encode_to_vec());
        frames.bytes
    }

    fn manifest(&self, seed: u8) -> v1::BackupManifest {
        let heads: Vec<_> = self.logs.iter().map(|log| head(log)).collect();
        let newest = v1::Roster::decode(self.rosters.last().unwrap().roster.as_slice()).unwrap();
        v1::BackupManifest {
            format: 1,
            federation_id: federation().as_bytes().to_vec(),
            federation_name: newest.federation_name,
            origin: SEOUL,
            handle: "kr-seoul".to_owned(),
            log_key: public(seed),
            taken_at_ms: 1_284_000_100_000,
            software: "vectors/1".to_owned(),
            roster_version: newest.version,
            store_id: vec![7; 16],
            entries: heads.iter().map(|head| head.seq).sum(),
            heads,
            forks: self.forks.len() as u32,
            secrets: false,
        }
    }
}

fn head(log: &[v1::Entry]) -> v1::Head {
    let last = log.last().unwrap();
    let header = v1::EntryHeader::decode(last.header.as_slice()).unwrap();
    v1::Head { origin: header.origin, epoch: header.epoch, seq: header.seq, hash: hash(last) }
}

/// Frames, as `backup.proto` says.
struct Frames {
    bytes: Vec<u8>,
    link: Hash,
    count: u64,
}

impl Frames {
    fn new() -> Self {
        Self { bytes: b"WEGOBKP1".to_vec(), link: Hash::of(&[b"WEGOBKP1"]), count: 0 }
    }

    fn put(&mut self, kind: u8, content: &[u8]) {
        let start = [&[kind][..], &(content.len() as u32).to_be_bytes()].concat();
        self.link = Hash::of(&[self.link.as_bytes(), &start, content]);
        self.count += 1;
        for part in [&start[..], content, &self.link.as_bytes()[..8]] {
            self.bytes.extend_from_slice(part);
        }
    }
}

/// A withdrawal, for proofs.
pub(super) fn withdrawal(before: &v1::Entry) -> v1::Entry {
    let mut header = header(SEOUL, at(1, 4), &hash(before));
    (header.kind, header.record_kind) = (EntryKind::Retract as i32, 0);
    sign(&header, log_key(SEOUL))
}
