//! Claims about damaged rows and damaged files: reported or harmless to a caller that verifies, never a panic.

use super::*;

/// A store of one log of ten entries, after `damage` was done to its tree and it was closed.
fn reopened_after(damage: impl FnOnce(&::sled::Tree)) -> Result<SledStore, StoreError> {
    let mut folders = Folders::new();
    let store = folders.create()?;
    store.put(&Author::new(1).batch(10, 10))?;
    store.sync()?;
    store.db.run(|tree| {
        damage(tree);
        Ok(())
    })?;
    folders.reopen(store)
}

fn key(seq: u64) -> [u8; 17] {
    rows::entry_key(Origin(1), 1, seq)
}

#[test]
fn rows_that_do_not_fit_together_are_found_when_it_is_opened() {
    type Damage = fn(&::sled::Tree);
    let damages: [(&str, Damage); 9] = [
        ("last entry lost", |tree| drop(tree.remove(key(10)))),
        ("first entry lost", |tree| drop(tree.remove(key(1)))),
        ("last entry is another one", |tree| {
            let ninth = tree.get(key(9)).expect("a read").expect("an entry");
            drop(tree.insert(key(10), ninth));
        }),
        ("last entry is no entry", |tree| drop(tree.insert(key(10), &[255, 255]))),
        ("head lost", |tree| drop(tree.remove(rows::log_key(rows::HEAD, Origin(1), 1)))),
        ("head of a wrong shape", |tree| {
            drop(tree.insert(rows::log_key(rows::HEAD, Origin(1), 1), &[1, 2, 3]));
        }),
        ("cursor behind", |tree| drop(tree.insert(rows::CURSOR_KEY, &9_u64.to_be_bytes()))),
        ("arrival run lost", |tree| drop(tree.remove(rows::run_key(0)))),
        ("schema lost", |tree| drop(tree.remove(rows::SCHEMA_KEY))),
    ];
    for (what, damage) in damages {
        let error = reopened_after(damage).expect_err(what);
        assert!(error.is_corrupt(), "{what}: {error:?}");
    }
}

#[test]
fn a_hole_in_the_middle_is_reported_by_whoever_reads_over_it() {
    let store = reopened_after(|tree| drop(tree.remove(key(5)))).expect("the ends fit together");
    let range = store.range(Origin(1), 1, 1, 10, usize::MAX);
    assert!(range.is_err_and(|error| error.is_corrupt()));
    assert!(store.tail(Cursor(0), 10).is_err_and(|error| error.is_corrupt()));
    let before = store.range(Origin(1), 1, 1, 4, usize::MAX).expect("what is whole is read");
    assert_eq!(before.len(), 4);
}

#[test]
fn a_damaged_entry_is_not_called_a_fork() {
    let damaged = |tree: &::sled::Tree| {
        let mut bytes = tree.get(key(5)).expect("a read").expect("an entry").to_vec();
        bytes[20] ^= 1;
        drop(tree.insert(key(5), bytes));
    };
    let store = reopened_after(damaged).expect("the ends fit together");
    let mut ada = Author::new(1);
    let signed = ada.batch(10, 10);
    assert_eq!(store.put(&signed).expect("the entries that are held"), Cursor(10));
    let refused = store.put(&[ada.fork_of(&signed[4])]);
    assert!(refused.is_err_and(|error| error.is_corrupt()), "it cannot be told");
    let refused = store.put(&[ada.fork_of(&signed[6])]);
    assert!(matches!(refused, Err(StoreError::Fork { .. })));
}

#[test]
fn a_panic_inside_ends_as_corrupt_and_nothing_reaches_the_database_any_more() {
    let mut folders = Folders::new();
    let store = folders.create().expect("a store");
    let mut ada = Author::new(1);
    store.put(&ada.batch(2, 10)).expect("a put");
    let panicked: Result<(), _> = store.db.run(|_| panic!("as sled does with damaged bytes"));
    assert!(panicked.is_err_and(|error| error.is_corrupt()));
    assert!(matches!(store.put(&ada.batch(1, 10)), Err(StoreError::Io { .. })));
    assert!(store.sync().is_err() && store.forks().is_err() && store.tail(Cursor(0), 1).is_err());
    assert!(store.heads().is_ok(), "what it holds in memory is still known");
}

#[test]
fn a_flipped_bit_in_a_file_is_reported_or_seen_by_whoever_verifies() {
    let pristine = Folders::new();
    let mut signed = Vec::new();
    {
        let store = open(&pristine.dir()).expect("a store");
        let mut authors = [Author::new(1), Author::new(2)];
        for _ in 0..20 {
            for author in &mut authors {
                let batch = author.batch(10, 700);
                store.put(&batch).expect("a put");
                signed.extend(batch);
            }
        }
        store.sync().expect("a sync");
    }
    let file = pristine.dir().join("db");
    let good = fs::read(&file).expect("the database");
    let last = good.iter().rposition(|byte| *byte != 0).expect("something was written");
    let (mut reported, mut harmless) = (0, 0);
    for flip in 0..30_usize {
        let damaged = Folders::new();
        copy(&pristine.dir(), &damaged.dir());
        let mut bad = good.clone();
        bad[flip * 7_919 * 41 % last] ^= 1 << (flip % 8);
        fs::write(damaged.dir().join("db"), bad).expect("the database");
        match open(&damaged.dir()).and_then(|store| read_and_verify(&store, &signed)) {
            Ok(()) => harmless += 1,
            Err(_) => reported += 1,
        }
    }
    println!("{reported} flips reported, {harmless} harmless");
    assert!(reported > 0, "some flips must hit something");
}

/// Reads everything as a caller does; what does not verify is that caller's to refuse.
fn read_and_verify(store: &SledStore, signed: &[Verified]) -> Result<(), StoreError> {
    let (federation, key) = (Author::new(1).federation(), Author::new(1).public_key());
    for (origin, epoch) in store.heads()?.keys() {
        for entry in store.range(*origin, *epoch, 1, u64::MAX, usize::MAX)? {
            let Ok(entry) = Unverified::parse(entry) else { continue };
            let hash = entry.hash();
            if *origin == Origin(1) && entry.verify(&federation, &key).is_ok() {
                assert!(signed.iter().any(|one| one.hash() == hash), "a verified entry is one that was put");
            }
        }
    }
    whole_tail(store).map(drop)
}
