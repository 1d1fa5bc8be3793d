//! Claims about damaged rows and damaged files: reported or harmless to a caller that verifies, never a panic.

use super::*;

/// A store of one log of ten entries, after `damage` was done to its tree and it was closed.
fn reopened_after(damage: impl FnOnce(&::sled::Tree)) -> Result<SledStore, StoreError> {
    let mut folders = Folders::new();
    let store = folders.create()?;
    store.put(&Author::new(1).batch(10, 10), SEEN_MS)?;
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
fn an_erasure_reads_no_entry_but_the_versions_of_its_record() {
    let mut folders = Folders::new();
    let store = folders.create().expect("a store");
    let (mut ada, record) = (Author::new(1), RecordId::new([5; 16]));
    let log = [ada.next(10), ada.put(record, 10), ada.next(10), ada.erase(RecordId::new([6; 16]))];
    store.put(&log, SEEN_MS).expect("a put");
    for seq in [1, 3] {
        store.db.run(|tree| Ok(tree.insert(key(seq), &[255, 255])?)).expect("a damaged row");
    }
    let before = |seq| [(record, Position { epoch: 1, seq })].into();
    let unknown = [(RecordId::new([6; 16]), Position { epoch: 1, seq: 4 })].into();
    store.erase_records(Origin(1), &unknown).expect("an order about nothing");
    store.erase_records(Origin(1), &before(9)).expect("an order");
    let at = Position { epoch: 1, seq: 2 };
    let found = store.entry(Origin(1), at).expect("readable").expect("an entry");
    assert_eq!(found, log[1].to_wire_without_payload());
    let rows = store.db.run(|tree| Ok(tree.scan_prefix([rows::VERSION]).count())).expect("a count");
    assert_eq!(rows, 0, "what is erased is not looked for again");
}

#[test]
fn a_damaged_entry_is_not_called_a_fork() {
    let damaged = |tree: &::sled::Tree| {
        let bytes = tree.get(key(5)).expect("a read").expect("an entry");
        let mut entry = chain::decode(&bytes).expect("an entry");
        entry.signature[0] ^= 1;
        drop(tree.insert(key(5), entry.encode_to_vec()));
    };
    let store = reopened_after(damaged).expect("the ends fit together");
    let mut ada = Author::new(1);
    let signed = ada.batch(10, 10);
    assert_eq!(store.put(&signed, SEEN_MS).expect("the entries that are held"), Cursor(10));
    let refused = store.put(&[ada.fork_of(&signed[4])], SEEN_MS);
    assert!(refused.is_err_and(|error| error.is_corrupt()), "it cannot be told");
    let refused = store.put(&[ada.fork_of(&signed[6])], SEEN_MS);
    assert!(matches!(refused, Err(StoreError::Fork { .. })));
}

#[test]
fn a_panic_inside_ends_as_corrupt_and_nothing_reaches_the_database_any_more() {
    let mut folders = Folders::new();
    let store = folders.create().expect("a store");
    let mut ada = Author::new(1);
    store.put(&ada.batch(2, 10), SEEN_MS).expect("a put");
    let panicked: Result<(), _> = store.db.run(|_| panic!("as sled does with damaged bytes"));
    assert!(panicked.is_err_and(|error| error.is_corrupt()));
    assert!(matches!(store.put(&ada.batch(1, 10), SEEN_MS), Err(StoreError::Io { .. })));
    assert!(store.sync().is_err() && store.forks().is_err() && store.tail(Cursor(0), 1).is_err());
    assert!(store.heads().is_ok(), "what it holds in memory is still known");
}

#[test]
fn a_database_that_lost_what_was_durable_is_reported() {
    let mut folders = Folders::new();
    let store = folders.create().expect("a store");
    let mut ada = Author::new(1);
    store.put(&ada.batch(5, 10), SEEN_MS).expect("a put");
    store.sync().expect("a sync");
    let earlier = folders.root.path().join("earlier");
    copy(&folders.dir(), &earlier);
    store.put(&ada.batch(5, 10), SEEN_MS).expect("a put");
    store.sync().expect("a sync");
    drop(store);
    fs::copy(folders.dir().join("synced"), earlier.join("synced")).expect("the later mark");
    assert!(open(&earlier).is_err_and(|error| error.is_corrupt()), "five of ten are gone");
    fs::write(earlier.join("synced"), [7; 28]).expect("a damaged mark");
    assert_eq!(open(&earlier).expect("nothing is concluded from it").cursor(), Cursor(5));
    fs::remove_dir_all(folders.dir()).expect("the database");
    fs::create_dir(folders.dir()).expect("a folder");
    fs::copy(earlier.join("synced"), folders.dir().join("synced")).expect("the mark");
    assert!(open(&folders.dir()).is_err_and(|error| error.is_corrupt()), "all are gone");
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
                store.put(&batch, SEEN_MS).expect("a put");
                signed.extend(batch);
            }
        }
        store.sync().expect("a sync");
    }
    let file = pristine.dir().join("db");
    let good = fs::read(&file).expect("the database");
    let last = good.iter().rposition(|byte| *byte != 0).expect("something was written");
    let untouched = Folders::new();
    copy(&pristine.dir(), &untouched.dir());
    let control = open(&untouched.dir()).and_then(|store| read_and_verify(&store, &signed));
    assert!(matches!(control, Ok(Outcome::Harmless)), "{control:?}");
    let mut outcomes = BTreeMap::<_, usize>::new();
    for flip in 0..30_usize {
        let damaged = Folders::new();
        copy(&pristine.dir(), &damaged.dir());
        let mut bad = good.clone();
        // Spread over the whole file.
        bad[(flip * last) / 30 + flip * 131] ^= 1 << (flip % 8);
        fs::write(damaged.dir().join("db"), bad).expect("the database");
        let outcome = open(&damaged.dir()).and_then(|store| read_and_verify(&store, &signed));
        let outcome = outcome.unwrap_or_else(|error| {
            assert!(error.is_corrupt(), "{error:?}");
            Outcome::Reported
        });
        *outcomes.entry(outcome).or_default() += 1;
    }
    println!("{outcomes:?}");
    assert!(outcomes.keys().any(|outcome| *outcome != Outcome::Harmless), "some flips must hit something");
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Harmless,
    Reported,
    /// Something reads back that does not verify: the caller refuses it.
    SeenByCaller,
}

/// Reads everything as a caller does.
fn read_and_verify(store: &SledStore, signed: &[Verified]) -> Result<Outcome, StoreError> {
    let known: BTreeMap<Hash, v1::Entry> =
        signed.iter().map(|entry| (entry.hash(), entry.to_wire())).collect();
    let mut verified = 0;
    for (origin, epoch) in store.heads()?.keys() {
        let author = Author::new(origin.0);
        for entry in store.range(*origin, *epoch, 1, u64::MAX, usize::MAX)? {
            let Ok(read) = Unverified::parse(entry.clone()) else { return Ok(Outcome::SeenByCaller) };
            let Ok(read) = read.verify(&author.federation(), &author.public_key()) else {
                return Ok(Outcome::SeenByCaller);
            };
            assert_eq!(known.get(&read.hash()), Some(&entry), "what verifies is what was put");
            verified += 1;
        }
    }
    assert_eq!(verified, signed.len(), "nothing that was durable is lost without a word");
    assert_eq!(whole_tail(store)?.len(), verified, "the tail and the ranges agree");
    Ok(Outcome::Harmless)
}
