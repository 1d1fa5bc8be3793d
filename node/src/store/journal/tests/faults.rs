//! Claims about steps that fail, before or after they took effect, and about being killed between them.

use std::{
    io,
    sync::atomic::{AtomicUsize, Ordering},
};

use super::*;
use crate::store::journal::disk::Disk;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// The step fails and nothing happened.
    Before(io::ErrorKind),
    /// The step fails although it happened.
    After(io::ErrorKind),
    /// Half of a write happens; this and every later step fails.
    Killed,
}

/// The real file system, with one fault at one step.
#[derive(Debug)]
struct Faulty {
    fault: Fault,
    at_step: usize,
    steps: Arc<AtomicUsize>,
}

impl Faulty {
    fn step<T>(&self, effect: impl FnOnce() -> io::Result<T>, half: impl FnOnce()) -> io::Result<T> {
        let step = self.steps.fetch_add(1, Ordering::Relaxed);
        match self.fault {
            Fault::Before(kind) if step == self.at_step => Err(kind.into()),
            Fault::After(kind) if step == self.at_step => effect().and(Err(kind.into())),
            Fault::Killed if step >= self.at_step => {
                if step == self.at_step {
                    half();
                }
                Err(io::ErrorKind::Other.into())
            }
            _ => effect(),
        }
    }
}

impl Disk for Faulty {
    fn create(&mut self, path: &Path) -> io::Result<File> {
        self.step(|| FileSystem.create(path), || ())
    }

    fn write(&mut self, file: &File, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let half = || FileSystem.write(file, offset, &bytes[..bytes.len() / 2]).expect("half a write");
        self.step(|| FileSystem.write(file, offset, bytes), half)
    }

    fn sync(&mut self, file: &File) -> io::Result<()> {
        self.step(|| FileSystem.sync(file), || ())
    }

    fn truncate(&mut self, file: &File, bytes: u64) -> io::Result<()> {
        self.step(|| FileSystem.truncate(file, bytes), || ())
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.step(|| FileSystem.rename(from, to), || ())
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.step(|| FileSystem.remove(path), || ())
    }

    fn sync_folder(&mut self, dir: &Path) -> io::Result<()> {
        self.step(|| FileSystem.sync_folder(dir), || ())
    }
}

const BATCHES: usize = 7;

fn batch(number: usize) -> Vec<Verified> {
    Author::new(1).batch((number + 1) * 2, 60).split_off(number * 2)
}

/// Appends until a step fails; how many batches were acknowledged, and the error.
fn append_all(journal: &mut Journal) -> (usize, Option<StoreError>) {
    for number in 0..BATCHES {
        let head = journal.load().expect("sound so far");
        if let Err(error) = journal.replace(head.as_ref(), &batch(number)) {
            assert!(
                journal.load().map_or(true, |unchanged| unchanged == head),
                "a failed append does not move the head"
            );
            return (number, Some(error));
        }
    }
    (BATCHES, None)
}

fn faulty(dir: &Path, fault: Fault, at_step: usize) -> (Result<Journal, StoreError>, Arc<AtomicUsize>) {
    let steps = Arc::new(AtomicUsize::new(0));
    let disk = Box::new(Faulty { fault, at_step, steps: Arc::clone(&steps) });
    (Journal::open_on(dir, origin(), Arc::new(NoGuard), disk, SMALL_SEGMENT_BYTES), steps)
}

/// Opens the folder as the next process does and checks what is there.
fn assert_acknowledged(dir: &Path, acknowledged: usize, what: &str) {
    let mut journal = open_small(dir).unwrap_or_else(|error| panic!("{what}: {error:?}"));
    let found = everything(&mut journal);
    assert!(found.len() >= acknowledged * 2, "{what}: acknowledged entries are there");
    let all = Author::new(1).batch(BATCHES * 2, 60);
    assert_eq!(found, wire(&all[..found.len()]), "{what}: and nothing else");
    let head = journal.load().expect("a head");
    if found.len() < all.len() {
        journal.replace(head.as_ref(), &all[found.len()..]).expect("it goes on");
    }
    assert_eq!(everything(&mut journal), wire(&all), "{what}");
}

fn each_step(fault: Fault, mut check: impl FnMut(&Path, Journal, usize)) {
    for at_step in 0.. {
        let dir = folder();
        let (journal, steps) = faulty(dir.path(), fault, at_step);
        check(dir.path(), journal.expect("an empty folder needs no step"), at_step);
        if steps.load(Ordering::Relaxed) <= at_step {
            assert!(at_step > BATCHES, "there were steps to fail");
            return;
        }
    }
}

#[test]
fn killed_at_any_step_the_journal_keeps_what_it_acknowledged() {
    each_step(Fault::Killed, |dir, mut journal, at_step| {
        let (acknowledged, _) = append_all(&mut journal);
        drop(journal);
        assert_acknowledged(dir, acknowledged, &format!("killed at step {at_step}"));
    });
}

#[test]
fn after_a_failed_step_the_journal_must_be_opened_anew() {
    for fault in [Fault::Before(io::ErrorKind::Other), Fault::After(io::ErrorKind::Other)] {
        each_step(fault, |dir, mut journal, at_step| {
            let (acknowledged, error) = append_all(&mut journal);
            let Some(error) = error else { return };
            assert!(matches!(error, StoreError::Io { .. }), "{error:?}");
            assert!(matches!(journal.load(), Err(StoreError::Io { .. })), "it is unusable");
            assert!(journal.since(None, 1).is_err() && journal.replace(None, &batch(0)).is_err());
            drop(journal);
            assert_acknowledged(dir, acknowledged, &format!("{fault:?} at step {at_step}"));
        });
    }
}

#[test]
fn a_full_disk_is_survived_without_opening_anew_unless_a_flush_failed() {
    let (mut went_on, mut reopened) = (0, 0);
    for fault in [Fault::Before(io::ErrorKind::StorageFull), Fault::After(io::ErrorKind::StorageFull)] {
        each_step(fault, |dir, mut journal, at_step| {
            let (acknowledged, error) = append_all(&mut journal);
            match error {
                None => {}
                Some(StoreError::Full { .. }) => {
                    let head = journal.load().expect("still usable");
                    journal.replace(head.as_ref(), &batch(acknowledged)).expect("there is space again");
                    drop(journal);
                    assert_acknowledged(dir, acknowledged + 1, &format!("{fault:?} at step {at_step}"));
                    went_on += 1;
                }
                Some(error) => {
                    assert!(matches!(error, StoreError::Io { .. }), "{error:?}");
                    assert!(journal.load().is_err());
                    drop(journal);
                    assert_acknowledged(dir, acknowledged, &format!("{fault:?} at step {at_step}"));
                    reopened += 1;
                }
            }
        });
    }
    assert!(went_on > 0 && reopened > 0);
}

#[test]
fn killed_at_any_step_of_an_erasure_each_segment_is_the_old_or_the_new_one() {
    let signed = Author::new(1).batch(BATCHES * 2, 60);
    let targets: Vec<_> = [1, 4, 9, 13].map(|n: usize| signed[n].header().at).into();
    let without = |erased: &[Position]| -> Vec<_> {
        let bare = |entry: &Verified| erased.contains(&entry.header().at);
        let left =
            |entry: &Verified| if bare(entry) { entry.to_wire_without_payload() } else { entry.to_wire() };
        signed.iter().map(left).collect()
    };
    for fault in [Fault::Killed, Fault::Before(io::ErrorKind::Other), Fault::After(io::ErrorKind::Other)] {
        for at_step in 0.. {
            let dir = folder();
            assert_eq!(append_all(&mut open_small(dir.path()).expect("a journal")).0, BATCHES);
            let opening = 1;
            let (journal, steps) = faulty(dir.path(), fault, at_step + opening);
            let mut journal = journal.expect("opening succeeds");
            let outcome = journal.erase(&targets);
            assert_eq!(outcome.is_err(), steps.load(Ordering::Relaxed) > at_step + opening, "{outcome:?}");
            drop(journal);
            let mut journal = open_small(dir.path()).expect("what is found is whole");
            let found = everything(&mut journal);
            for (n, entry) in found.iter().enumerate() {
                let at = signed[n].header().at;
                let expected = [&without(&[])[n], &without(&targets)[n]];
                assert!(expected.contains(&entry), "{fault:?} at step {at_step}: {at}");
            }
            journal.erase(&targets).expect("the next process finishes");
            let head = journal.load().expect("a head");
            assert_eq!(everything(&mut journal), without(&targets));
            let mut ada = Author::new(1);
            let next = ada.batch(BATCHES * 2 + 1, 60).split_off(BATCHES * 2);
            journal.replace(head.as_ref(), &next).expect("and goes on");
            assert!(!dir.path().read_dir().expect("a folder").any(|file| {
                file.expect("a file").path().extension().is_some_and(|extension| extension == "new")
            }));
            if outcome.is_ok() {
                assert!(at_step > 10, "there were steps to fail");
                break;
            }
        }
    }
}

#[test]
fn an_append_costs_one_write_and_one_flush() {
    let dir = folder();
    let (journal, steps) = faulty(dir.path(), Fault::Killed, usize::MAX);
    let mut journal = journal.expect("a journal");
    let mut ada = Author::new(1);
    let head = journal.replace(None, &ada.batch(2, 10)).expect("an append");
    let before = steps.load(Ordering::Relaxed);
    journal.replace(Some(&head), &ada.batch(2, 10)).expect("an append");
    assert_eq!(steps.load(Ordering::Relaxed) - before, 2);
}
