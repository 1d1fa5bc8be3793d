//! Claims about opening a damaged journal: it is noted first, kept, and what is left is the beginning of the log.

use std::cell::Cell;

use super::*;
use crate::store::aside::found;

/// Opens it, and says how often the own log was doubted.
fn mended(dir: &Path) -> (Journal, u32) {
    let doubted = Cell::new(0);
    let mut doubt = || {
        doubted.set(doubted.get() + 1);
        Ok(())
    };
    let (space, disk) = (Arc::new(NoGuard), Box::new(FileSystem));
    let journal = Journal::open_mended_on(dir, origin(), space, disk, SMALL_SEGMENT_BYTES, &mut doubt);
    (journal.expect("damage is set aside"), doubted.get())
}

/// What the journal holds, and then what follows it of what can be read in what was set aside.
fn held_and_salvaged(dir: &Path, journal: &mut Journal) -> (usize, Vec<v1::Entry>) {
    let held = everything(journal);
    let (count, mut all) = (held.len(), held);
    for entry in Salvage::of(dir).expect("a folder") {
        if !all.contains(&entry) {
            all.push(entry);
        }
    }
    (count, all)
}

/// Restores `good`, and nothing beside it.
fn restore(dir: &Path, good: &[(PathBuf, Vec<u8>)]) {
    fs::read_dir(dir).expect("a folder").for_each(|file| {
        let path = file.expect("a file").path();
        if path.file_name().is_some_and(|name| name != "LOCK") {
            fs::remove_file(path).expect("a file");
        }
    });
    good.iter().for_each(|(path, bytes)| fs::write(path, bytes).expect("a segment"));
}

fn snapshot(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    segment_files(dir).into_iter().map(|path| (path.clone(), fs::read(&path).expect("a segment"))).collect()
}

#[test]
fn a_flipped_bit_anywhere_costs_at_most_the_entry_that_it_is_in() {
    let dir = folder();
    let signed = wire(&written(dir.path(), 8));
    let good = snapshot(dir.path());
    for (path, bytes) in &good {
        for bit in (0..bytes.len() * 8).step_by(13) {
            restore(dir.path(), &good);
            let mut bad = bytes.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            fs::write(path, &bad).expect("a segment");
            let what = format!("{}, bit {bit}", path.display());
            let (mut journal, doubted) = mended(dir.path());
            assert_eq!(doubted, 1, "{what}");
            let (held, all) = held_and_salvaged(dir.path(), &mut journal);
            assert_eq!(all[..held], signed[..held], "{what}: the beginning of the log");
            let lost = signed.iter().filter(|entry| !all.contains(entry)).count();
            assert!(lost <= 1, "{what}: {lost} lost");
            let kept = fs::read(&found(dir.path())[0]).expect("kept");
            assert!(
                found(dir.path()).iter().any(|kept| fs::read(kept).expect("kept") == bad),
                "{what}: {kept:?}"
            );
            // It can be written, and opens as any other.
            let head = journal.load().expect("a head");
            drop(journal);
            let mut again = open_small(dir.path()).expect("a sound journal");
            assert_eq!(again.load().expect("a head"), head, "{what}");
        }
    }
}

#[test]
fn what_an_interrupted_write_left_is_no_damage() {
    let dir = folder();
    let signed = written(dir.path(), 3);
    let path = segment_files(dir.path()).pop().expect("a segment");
    let whole = fs::read(&path).expect("a segment");
    for cut in 1..60 {
        fs::write(&path, &whole[..whole.len() - cut]).expect("a segment");
        let (mut journal, doubted) = mended(dir.path());
        assert_eq!((doubted, found(dir.path()).len()), (0, 0), "{cut} bytes");
        let held = everything(&mut journal);
        assert_eq!(held, wire(&signed[..held.len()]));
        drop(journal);
        fs::write(&path, &whole).expect("a segment");
    }
}

#[test]
fn nothing_is_moved_before_the_doubt_is_noted() {
    let dir = folder();
    written(dir.path(), 3);
    let path = segment_files(dir.path()).remove(0);
    let mut bytes = fs::read(&path).expect("a segment");
    bytes[40] ^= 1;
    fs::write(&path, bytes).expect("a segment");
    let before = snapshot(dir.path());
    let mut refuse = || Err(std::io::ErrorKind::StorageFull.into());
    let opened = Journal::open_mended(dir.path(), origin(), Arc::new(NoGuard), &mut refuse);
    assert!(matches!(opened, Err(StoreError::Io { .. })), "{opened:?}");
    assert_eq!(snapshot(dir.path()), before);
}

#[test]
fn the_journal_of_another_member_is_refused_and_left() {
    let dir = folder();
    written(dir.path(), 3);
    let before = snapshot(dir.path());
    let mut doubt = || panic!("it is not damaged");
    let opened = Journal::open_mended(dir.path(), Author::new(2).origin(), Arc::new(NoGuard), &mut doubt);
    assert!(matches!(opened, Err(StoreError::OtherOrigin { .. })), "{opened:?}");
    assert_eq!(snapshot(dir.path()), before);
}

#[test]
fn a_crash_between_the_steps_of_mending_leaves_a_journal_that_opens() {
    let dir = folder();
    let signed = wire(&written(dir.path(), 9));
    let files = segment_files(dir.path());
    let mut bytes = fs::read(&files[1]).expect("a segment");
    let last = bytes.len() - 20;
    bytes[last] ^= 1;
    fs::write(&files[1], bytes).expect("a segment");
    let good = snapshot(dir.path());
    // After some of the later segments, and after the damaged one, with its good part beside it.
    for step in 0..files.len() {
        restore(dir.path(), &good);
        for path in files[1..].iter().rev().take(step) {
            let mut kept = path.clone().into_os_string();
            kept.push(".broken-1");
            fs::rename(path, kept).expect("set aside");
        }
        let mut beside = files[1].clone().into_os_string();
        beside.push(".new");
        fs::write(beside, "half a file").expect("a file");
        let (mut journal, doubted) = mended(dir.path());
        assert_eq!(doubted, u32::from(step + 1 < files.len()), "step {step}");
        let (held, all) = held_and_salvaged(dir.path(), &mut journal);
        assert_eq!(all[..held], signed[..held], "step {step}");
        assert!(signed.iter().filter(|entry| !all.contains(entry)).count() <= 1, "step {step}");
    }
}
