//! Claims about the journal: acknowledged is never lost, damage is never passed on.

use std::{fs, panic::Location};

use wego_proto::entry::Verified;

use super::*;
use crate::store::{
    conformance::{self, Author, LockBed},
    space::{
        DiskGuard, NoGuard,
        small_disk::{Kind, SmallDisk},
    },
};

mod damage;
mod faults;
mod mend;

/// Rolls after every second or third small batch.
const SMALL_SEGMENT_BYTES: u64 = 700;

fn origin() -> Origin {
    Author::new(1).origin()
}

fn open(dir: &Path) -> Result<Journal, StoreError> {
    Journal::open(dir, origin(), Arc::new(NoGuard))
}

fn open_small(dir: &Path) -> Result<Journal, StoreError> {
    Journal::open_on(dir, origin(), Arc::new(NoGuard), Box::new(FileSystem), SMALL_SEGMENT_BYTES)
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn wire(entries: &[Verified]) -> Vec<v1::Entry> {
    entries.iter().map(Verified::to_wire).collect()
}

fn everything(journal: &mut Journal) -> Vec<v1::Entry> {
    journal.since(None, usize::MAX).expect("a readable journal")
}

fn segment_files(dir: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> =
        fs::read_dir(dir).expect("a folder").map(|file| file.expect("a file").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "journal"));
    paths.sort();
    paths
}

/// Writes so many batches of two entries and closes the journal.
fn written(dir: &Path, batches: usize) -> Vec<Verified> {
    let mut journal = open_small(dir).expect("a journal");
    let mut ada = Author::new(1);
    let mut signed = Vec::new();
    let mut head = None;
    for _ in 0..batches {
        let batch = ada.batch(2, 60);
        head = Some(journal.replace(head.as_ref(), &batch).expect("an append"));
        signed.extend(batch);
    }
    signed
}

#[track_caller]
fn assert_corrupt(dir: &Path) {
    match open_small(dir) {
        Err(StoreError::CorruptFile { .. }) => {}
        other => panic!("{}: {:?}", Location::caller(), other.map(|journal| journal.head)),
    }
}

struct Folder {
    dir: tempfile::TempDir,
    open: fn(&Path) -> Result<Journal, StoreError>,
}

impl LockBed for Folder {
    type Lock = Journal;

    fn create(&mut self) -> Result<Journal, StoreError> {
        (self.open)(self.dir.path())
    }

    fn crash(&mut self, lock: Journal) -> Result<Journal, StoreError> {
        drop(lock);
        (self.open)(self.dir.path())
    }
}

#[test]
fn it_holds_every_claim_about_head_locks() {
    for open in [open, open_small] {
        conformance::head_lock(|| Folder { dir: folder(), open }).expect("every claim");
    }
}

#[test]
fn a_second_process_is_told_that_the_folder_is_in_use() {
    let dir = folder();
    let first = open(dir.path()).expect("a journal");
    assert!(matches!(open(dir.path()), Err(StoreError::Locked { .. })));
    drop(first);
    open(dir.path()).expect("the first has gone");
}

#[test]
fn a_full_segment_is_followed_by_a_new_one_and_reads_cross_them() {
    let dir = folder();
    let signed = written(dir.path(), 12);
    let files = segment_files(dir.path());
    assert!(files.len() > 3, "{files:?}");
    assert_eq!(files[0].file_name().expect("a name"), "0000000001-0000000000000001.journal");
    let mut journal = open_small(dir.path()).expect("a journal");
    for after in 0..signed.len() {
        let position = signed[..after].last().map(|entry| entry.header().at);
        let found = journal.since(position, 5).expect("entries");
        assert_eq!(found, wire(&signed[after..signed.len().min(after + 5)]), "after {after}");
    }
}

#[test]
fn a_segment_rolls_at_its_size_only() {
    let dir = folder();
    let mut journal = open(dir.path()).expect("a journal");
    let mut ada = Author::new(1);
    let mut head = None;
    // 64 MiB in batches of 63 entries of 256 KiB, and one entry more.
    for entries in [63, 63, 63, 63, 8, 1] {
        let batch = ada.batch(entries, 256 * 1_024);
        head = Some(journal.replace(head.as_ref(), &batch).expect("an append"));
    }
    let files = segment_files(dir.path());
    assert_eq!(files.len(), 2);
    assert!(fs::metadata(&files[0]).expect("a file").len() >= SEGMENT_BYTES);
    assert_eq!(files[1].file_name().expect("a name"), "0000000001-0000000000000261.journal");
}

#[test]
fn another_members_journal_is_refused() {
    let dir = folder();
    written(dir.path(), 1);
    let other = Journal::open(dir.path(), Origin(2), Arc::new(NoGuard));
    assert!(matches!(other, Err(StoreError::OtherOrigin { .. })));
}

#[test]
fn a_newer_format_is_named_and_left_alone() {
    let dir = folder();
    written(dir.path(), 1);
    let path = &segment_files(dir.path())[0];
    let mut bytes = fs::read(path).expect("a segment");
    bytes[8..12].copy_from_slice(&9_u32.to_be_bytes());
    let crc = crc32fast::hash(&bytes[..28]).to_be_bytes();
    bytes[28..32].copy_from_slice(&crc);
    fs::write(path, &bytes).expect("a segment");
    let error = open_small(dir.path()).expect_err("a newer format");
    assert_eq!(error.to_string(), "the journal has format 9, and this version knows none above 1");
    assert_eq!(fs::read(path).expect("a segment"), bytes);
}

#[test]
fn a_full_disk_refuses_appends_and_loses_nothing() {
    for kind in Kind::ALL {
        let Some(disk) = SmallDisk::mount(kind) else { return };
        let dir = disk.path().join("journal");
        let mut journal = open(&dir).expect("a journal");
        let mut ada = Author::new(1);
        let first = ada.batch(2, 1_000);
        let head = journal.replace(None, &first).expect("an append");
        let filler = disk.fill("filler");
        let second = ada.batch(4, 200_000);
        let refused = journal.replace(Some(&head), &second);
        assert!(matches!(refused, Err(StoreError::Full { .. })), "{kind:?}: {refused:?}");
        assert_eq!(journal.load().expect("still usable"), Some(head), "{kind:?}");
        assert_eq!(everything(&mut journal), wire(&first), "{kind:?}");
        fs::remove_file(filler).expect("the filler");
        journal.replace(Some(&head), &second).expect("there is space again");
        drop(journal);
        let mut journal = open(&dir).expect("a journal");
        assert_eq!(everything(&mut journal), wire(&[first, second].concat()), "{kind:?}");
    }
}

#[test]
fn the_guard_refuses_before_the_disk_does() {
    let Some(disk) = SmallDisk::mount(Kind::Tmpfs) else { return };
    let guard = Arc::new(DiskGuard::open(disk.path(), 1 << 20).expect("a guard"));
    let mut journal =
        Journal::open(&disk.path().join("journal"), origin(), Arc::clone(&guard) as _).expect("a journal");
    let mut ada = Author::new(1);
    let mut head = None;
    let refused = loop {
        match journal.replace(head.as_ref(), &ada.batch(8, 250_000)) {
            Ok(next) => head = Some(next),
            Err(refused) => break refused,
        }
    };
    let StoreError::Full { free_bytes, .. } = refused else { panic!("{refused:?}") };
    assert!(free_bytes > crate::store::space::MARGIN_BYTES, "{free_bytes}");
    assert_eq!(guard.check().expect("an answer").promised_bytes, 0, "everything is settled");
}
