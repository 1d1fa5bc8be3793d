//! Claims about the roster folder.

use prost::Message as _;
use wego_proto::{
    key::SecretKey,
    roster::add_signature,
    v1::{self, MemberStatus},
};
use zeroize::Zeroizing;

use super::*;

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&Zeroizing::new([seed; 32]))
}

fn version_after(last: Option<&Roster>, name: &str) -> SignedRoster {
    let member = v1::Member {
        idx: 1,
        city_id: vec![1; 32],
        handle: "kr-seoul".to_owned(),
        names: vec![v1::MemberName { lang: "en".to_owned(), text: "Seoul".to_owned() }],
        transport_keys: vec![key(101).public().as_bytes().to_vec()],
        status: MemberStatus::Active as i32,
        ..Default::default()
    };
    let content = v1::Roster {
        format: 1,
        version: last.map_or(1, |last| last.version() + 1),
        prev_hash: last.map_or_else(Vec::new, |last| last.hash().as_bytes().to_vec()),
        federation_id: last.map_or_else(Vec::new, |last| last.federation().as_bytes().to_vec()),
        federation_name: name.to_owned(),
        governance: Some(v1::Governance {
            keys: vec![key(1).public().as_bytes().to_vec()],
            threshold: 1,
            ..Default::default()
        }),
        members: vec![member],
        ..Default::default()
    };
    let mut signed = SignedRoster { roster: content.encode_to_vec(), signatures: vec![] };
    add_signature(&mut signed, &key(1));
    signed
}

fn chain(versions: usize) -> Vec<SignedRoster> {
    let mut chain = Vec::new();
    let mut last = None;
    for _ in 0..versions {
        let signed = version_after(last.as_ref(), "Federation");
        last = Some(Roster::open(signed.clone()).expect("a signed version"));
        chain.push(signed);
    }
    chain
}

fn folder_with(chain: &[SignedRoster]) -> (tempfile::TempDir, RosterFiles) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let files = RosterFiles::open(dir.path()).expect("a folder");
    for signed in chain {
        files.append(signed).expect("the next version");
    }
    (dir, files)
}

fn corrupt_file(files: &RosterFiles) -> String {
    match files.load() {
        Err(StoreError::CorruptFile { path, .. }) => {
            path.file_name().expect("a name").to_string_lossy().into_owned()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_chain_is_loaded_as_it_was_appended() {
    let chain = chain(3);
    let (dir, files) = folder_with(&chain);
    assert_eq!(files.load().expect("a chain"), chain);
    files.append(&chain[1]).expect("a version already kept");
    assert!(dir.path().join("00000003.pem").exists());
    let (_dir, empty) = folder_with(&[]);
    assert_eq!(empty.load().expect("no chain"), []);
}

#[test]
fn a_version_out_of_turn_or_another_one_is_refused() {
    let chain = chain(3);
    let (_dir, files) = folder_with(&chain[..1]);
    let error = files.append(&chain[2]).expect_err("one is missing");
    assert!(matches!(error, RosterFilesError::NotNext { known: 1, found: 3 }));
    let other = version_after(None, "Other");
    let error = files.append(&other).expect_err("two histories");
    assert!(matches!(error, RosterFilesError::Occupied { version: 1 }));
    assert_eq!(files.load().expect("a chain"), chain[..1]);
}

#[test]
fn a_missing_version_is_named() {
    let (dir, files) = folder_with(&chain(3));
    std::fs::remove_file(dir.path().join("00000002.pem")).expect("a file");
    assert_eq!(corrupt_file(&files), "00000002.pem");
}

#[test]
fn a_damaged_version_is_named_wherever_it_is_damaged() {
    let (dir, files) = folder_with(&chain(2));
    let path = dir.path().join("00000002.pem");
    let good = std::fs::read_to_string(&path).expect("a file");
    let begin = good.find("-----BEGIN").expect("armour");
    for at in (begin..good.len() - 1).filter(|at| good.as_bytes()[*at].is_ascii_alphanumeric()) {
        let mut bad = good.clone().into_bytes();
        bad[at] = if bad[at] == b'x' { b'y' } else { b'x' };
        std::fs::write(&path, bad).expect("a file");
        assert_eq!(corrupt_file(&files), "00000002.pem", "byte {at}");
    }
}

#[test]
fn an_interrupted_append_is_no_version() {
    let chain = chain(2);
    let (dir, files) = folder_with(&chain[..1]);
    std::fs::write(dir.path().join("00000002.pem.unfinished"), "-----BEGIN").expect("a file");
    assert_eq!(files.load().expect("a chain"), chain[..1]);
    files.append(&chain[1]).expect("the next version");
    assert_eq!(files.load().expect("a chain"), chain);
}

fn opened(signed: &SignedRoster) -> Roster {
    Roster::open(signed.clone()).expect("a signed version")
}

/// Versions that follow the first one of `chain` on another branch, up to the number `last`.
fn branch(chain: &[SignedRoster], last: u64) -> Vec<SignedRoster> {
    let mut before = opened(&chain[0]);
    let mut branch = Vec::new();
    while before.version() < last {
        let next = version_after(Some(&before), "The other side");
        before = opened(&next);
        branch.push(next);
    }
    branch
}

/// The first version of one chain with another branch.
fn joined(chain: &[SignedRoster], branch: &[SignedRoster]) -> Vec<SignedRoster> {
    [&chain[..1], branch].concat()
}

fn names(dir: &Path) -> Vec<String> {
    let files = std::fs::read_dir(dir).expect("a folder");
    let mut names: Vec<_> =
        files.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| name != COPIES_DIR);
    names.sort();
    names
}

#[test]
fn versions_that_give_way_are_replaced_whole_and_version_1_never_is() {
    let chain = chain(3);
    let (dir, files) = folder_with(&chain);
    let other = branch(&chain, 4);
    files.switch(&other).expect("follows version 1");
    let switched = joined(&chain, &other);
    assert_eq!(files.load().expect("a chain"), switched);
    assert_eq!(names(dir.path()), [1, 2, 3, 4].map(|version| format!("{version:08}.pem")));
    let genesis = version_after(None, "Another federation");
    let gap = branch(&chain, 6).split_off(4);
    let elsewhere = chain[2..].to_vec();
    for wrong in [vec![genesis], gap, elsewhere, vec![other[0].clone(), other[2].clone()], vec![]] {
        assert!(matches!(files.switch(&wrong), Err(RosterFilesError::NotNext { known: 4, .. })));
        assert_eq!(files.load().expect("a chain"), switched);
    }
}

#[test]
fn a_switch_may_go_on_where_the_chain_ends() {
    let chain = chain(3);
    let (_dir, files) = folder_with(&chain[..1]);
    files.switch(&chain[1..]).expect("follows version 1, which is the newest");
    assert_eq!(files.load().expect("a chain"), chain);
}

#[test]
fn wherever_a_switch_is_cut_short_the_folder_opens_with_one_chain_or_the_other() {
    // More versions than before, as many, and fewer, which leaves some to be removed.
    for last in [6, 4, 3] {
        let chain = chain(4);
        let other = branch(&chain, last);
        let surplus = 4_u64.saturating_sub(last);
        for step in 0.. {
            let (dir, files) = folder_with(&chain);
            if step == 0 {
                std::fs::write(dir.path().join("switch.unfinished"), "-----BEGIN").expect("a file");
                let reopened = RosterFiles::open(dir.path()).expect("a folder");
                assert_eq!(reopened.load().expect("nothing was decided yet"), chain);
                continue;
            }
            files.plan_switch(&other).expect("written down");
            let written = (step - 1).min(other.len() as u64);
            for signed in &other[..written as usize] {
                files.put(number(signed), signed).expect("written");
            }
            if let Some(next) = other.get(written as usize) {
                let half = dir.path().join(format!("{:08}.pem.unfinished", number(next)));
                std::fs::write(half, "-----BEGIN").expect("half a file");
            }
            let removed = (step - 1 - written).min(surplus);
            for version in (0..removed).map(|nth| 4 - nth) {
                std::fs::remove_file(files.path(version)).expect("there");
            }
            let reopened = RosterFiles::open(dir.path()).expect("a folder");
            assert_eq!(reopened.load().expect("a chain"), joined(&chain, &other), "{last}, step {step}");
            assert!(!names(dir.path()).contains(&SWITCH_FILE.to_owned()), "it is done once");
            if written == other.len() as u64 && removed == surplus {
                break;
            }
        }
    }
}

#[test]
fn a_switch_that_could_not_be_finished_is_finished_before_anything_else_is_written() {
    let chain = chain(3);
    let (_dir, files) = folder_with(&chain);
    let other = branch(&chain, 4);
    files.plan_switch(&other).expect("written down");
    let next = version_after(Some(&opened(&other[2])), "After it");
    files.append(&next).expect("follows the switch");
    let mut all = joined(&chain, &other);
    all.push(next);
    assert_eq!(files.load().expect("a chain"), all);
}

#[test]
fn a_damaged_switch_is_set_aside_and_changes_nothing() {
    let chain = chain(2);
    let (dir, files) = folder_with(&chain);
    std::fs::write(dir.path().join(SWITCH_FILE), "-----BEGIN").expect("a file");
    let files = RosterFiles::open(files.dir()).expect("a folder");
    assert!(dir.path().join("switch.broken-1").exists());
    assert_eq!(files.load().expect("a chain"), chain);
}

#[test]
fn a_version_that_is_damaged_or_missing_comes_back_from_its_copy_or_from_elsewhere() {
    let chain = chain(3);
    type Damage = fn(&Path);
    let damages: [Damage; 3] = [
        |path| std::fs::write(path, "-----BEGIN").expect("a file"),
        |path| std::fs::write(path, [0xff; 99]).expect("a file"),
        |path| std::fs::remove_file(path).expect("a file"),
    ];
    for version in 1..=3_u64 {
        for damage in damages {
            let (_dir, files) = folder_with(&chain);
            // The file, its copy, and both of them: then there is another chain.
            damage(&files.path(version));
            files.mend(&[]).expect("its copy");
            assert_eq!(files.load().expect("a chain"), chain, "{version}");
            damage(&files.copy(version));
            files.mend(&[]).expect("the version itself");
            assert_eq!(read(&files.copy(version)).expect("a copy"), chain[version as usize - 1]);
            damage(&files.path(version));
            damage(&files.copy(version));
            files.mend(&chain).expect("another chain");
            assert_eq!(files.load().expect("a chain"), chain, "{version}");
        }
    }
}

#[test]
fn what_cannot_be_had_again_ends_the_chain_and_nothing_is_deleted() {
    let whole = chain(3);
    let (dir, files) = folder_with(&whole);
    // Of another federation, as a file in the wrong place would be.
    let other = [version_after(None, "Another federation")];
    for path in [files.path(1), files.copy(1)] {
        std::fs::write(path, "damaged").expect("a file");
    }
    files.mend(&other).expect("nothing");
    assert_eq!(files.load().expect("no chain"), []);
    let aside = [1, 2, 3].map(|version| format!("{version:08}.pem.broken-1"));
    assert_eq!(names(dir.path()), aside);
    files.mend(&whole).expect("the right one");
    assert_eq!(files.load().expect("a chain"), whole);
}

#[test]
fn a_flipped_bit_in_any_file_of_the_folder_costs_no_version() {
    let chain = chain(2);
    let (dir, files) = folder_with(&chain);
    for path in [files.path(1), files.path(2), files.copy(1), files.copy(2)] {
        let good = std::fs::read(&path).expect("a file");
        for bit in (0..good.len() * 8).step_by(11) {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&path, bad).expect("a file");
            files.mend(&[]).expect("mended");
            assert_eq!(files.load().expect("a chain"), chain, "{}, bit {bit}", path.display());
            for aside in crate::store::aside::found(dir.path()) {
                std::fs::remove_file(aside).expect("a file");
            }
        }
    }
}
