//! The index follows the store: what crashes, withdrawals, new epochs and damage leave behind.

use std::fs;

use wego_proto::{
    entry::Unverified,
    id::{Position, StoreId},
};

use super::corpus::{
    EDMONTON, Indexed, Log, MEMORY_BYTES, SEOUL, STORE, arrived, corpus, feed, found, ids, record_id, titled,
};
use crate::{
    search::{Search, writing::UNCOMMITTED_DOCS_MAX},
    store::{Cursor, Projection as _, StoreError},
};

fn titles(log: &mut Log, versions: &[(u8, &str)]) -> Vec<Unverified> {
    versions.iter().map(|(id, title)| log.put(*id, &titled(&[("en", title)]).practice())).collect()
}

#[test]
fn a_new_version_replaces_the_one_before() {
    let entries = titles(&mut Log::of(SEOUL), &[(1, "first"), (1, "second"), (2, "first")]);
    for batch in [1, 3] {
        let indexed = Indexed::empty();
        feed(&indexed.search, &entries, batch);
        assert_eq!(indexed.ids("first"), [2]);
        let hit = indexed.found("second").hits[0];
        assert_eq!((hit.record_id, hit.origin, hit.at), (record_id(1), SEOUL, Position { epoch: 1, seq: 2 }));
    }
}

#[test]
fn an_older_version_never_comes_back() {
    let entries = titles(&mut Log::of(SEOUL), &[(1, "first"), (1, "second")]);
    let indexed = Indexed::with(&entries);
    indexed.search.apply(&arrived(&entries[..1]), Cursor(3)).unwrap();
    indexed.search.settle().unwrap();
    assert_eq!(indexed.ids("first"), [0_u8; 0]);
    assert_eq!(indexed.ids("second"), [1]);
}

#[test]
fn another_members_record_of_the_same_id_is_its_own() {
    let mut entries = titles(&mut Log::of(SEOUL), &[(1, "ours")]);
    let mut other = Log::of(EDMONTON);
    entries.extend(titles(&mut other, &[(1, "theirs")]));
    entries.push(other.retract(1));
    let indexed = Indexed::with(&entries[..2]);
    assert_eq!(indexed.ids("ours"), [1]);
    assert_eq!(indexed.ids("theirs"), [1]);
    feed(&indexed.search, &entries, 1);
    assert_eq!(indexed.ids("theirs"), [0_u8; 0]);
    assert_eq!(indexed.found("").hits[0].origin, SEOUL);
}

#[test]
fn withdrawn_erased_and_unreadable_records_are_not_found() {
    let mut log = Log::of(SEOUL);
    let mut entries = titles(&mut log, &[(1, "gone"), (2, "gone"), (3, "gone"), (4, "stays")]);
    entries.extend([log.retract(1), log.put_erased(2), log.put_bytes(3, vec![0xff; 9]), log.ack()]);
    for batch in [1, 100] {
        let indexed = Indexed::empty();
        feed(&indexed.search, &entries, batch);
        assert_eq!(indexed.found("gone").total, 0);
        assert_eq!(indexed.ids(""), [4]);
        assert_eq!(indexed.found("").facets["kind"], [("practice".to_owned(), 1)]);
    }
}

#[test]
fn a_withdrawn_record_may_be_published_again() {
    let mut log = Log::of(SEOUL);
    let mut entries = titles(&mut log, &[(1, "first")]);
    entries.push(log.retract(1));
    entries.extend(titles(&mut log, &[(1, "again")]));
    assert_eq!(Indexed::with(&entries).ids(""), [1]);
}

#[test]
fn queries_see_what_was_settled_and_the_cursor_says_so() {
    let entries = corpus();
    let indexed = Indexed::empty();
    let end = Cursor(entries.len() as u64);
    indexed.search.apply(&arrived(&entries), end).unwrap();
    assert_eq!(indexed.search.next_cursor().unwrap(), end);
    assert_eq!(indexed.search.cursor().unwrap(), Cursor(0));
    assert_eq!(indexed.found("").total, 0);
    indexed.search.settle().unwrap();
    assert_eq!(indexed.search.cursor().unwrap(), end);
    assert_eq!(indexed.found("").total, end.0);
}

#[test]
fn a_large_batch_is_committed_unasked() {
    let mut log = Log::of(SEOUL);
    let record = titled(&[("en", "many")]).practice();
    let entries: Vec<Unverified> =
        (0..=UNCOMMITTED_DOCS_MAX).map(|n| log.put((n % 251) as u8, &record)).collect();
    let indexed = Indexed::empty();
    let (most, last) = entries.split_at(UNCOMMITTED_DOCS_MAX);
    indexed.search.apply(&arrived(most), Cursor(most.len() as u64)).unwrap();
    assert_eq!(indexed.search.cursor().unwrap().0, most.len() as u64);
    indexed.search.apply(&arrived(last), Cursor(entries.len() as u64)).unwrap();
    assert_eq!(indexed.search.cursor().unwrap().0, most.len() as u64);
    assert_eq!(indexed.found("many").total, 251);
}

#[test]
fn after_a_crash_it_continues_from_the_last_commit_without_loss_or_duplicate() {
    let entries = corpus();
    let Indexed { dir, search } = Indexed::empty();
    let path = dir.path().join("search");
    let (settled, lost) = entries.split_at(5);
    search.apply(&arrived(settled), Cursor(5)).unwrap();
    search.settle().unwrap();
    search.apply(&arrived(&lost[..3]), Cursor(8)).unwrap();
    drop(search);

    let search = Search::open(&path, STORE, MEMORY_BYTES).unwrap();
    assert_eq!(search.cursor().unwrap(), Cursor(5));
    assert_eq!(search.next_cursor().unwrap(), Cursor(5));
    assert_eq!(found(&search, "").total, 5);
    feed(&search, &entries, 2);
    let whole = Indexed::with(&entries);
    assert_eq!(ids(&search, ""), whole.ids(""));
    assert_eq!(found(&search, "open data"), whole.found("open data"));
}

#[test]
fn an_index_of_another_store_is_built_anew() {
    let Indexed { dir, search } = Indexed::with(&corpus());
    drop(search);
    let search = Search::open(&dir.path().join("search"), StoreId::new([1; 16]), MEMORY_BYTES).unwrap();
    assert_eq!(search.cursor().unwrap(), Cursor(0));
    assert_eq!(found(&search, "").total, 0);
}

#[test]
fn a_damaged_index_is_built_anew_whatever_byte_is_wrong() {
    let entries = corpus();
    for broken in ["meta.json", "idx", "fast", "pos", "term", "fieldnorm"] {
        let Indexed { dir, search } = Indexed::with(&entries);
        drop(search);
        let path = dir.path().join("search");
        let file = fs::read_dir(&path).unwrap().map(|file| file.unwrap().path());
        let file = file.into_iter().find(|file| file.to_string_lossy().ends_with(broken)).unwrap();
        let mut bytes = fs::read(&file).unwrap();
        let middle = bytes.len() / 3;
        bytes[middle] ^= 0x20;
        fs::write(&file, bytes).unwrap();

        let search = Search::open(&path, STORE, MEMORY_BYTES).unwrap();
        assert_eq!(search.cursor().unwrap(), Cursor(0), "{broken}");
        feed(&search, &entries, 64);
        assert_eq!(found(&search, "").total, entries.len() as u64, "{broken}");
    }
}

#[test]
fn files_that_are_no_index_survive_in_its_directory() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("log")).unwrap();
    for name in ["log/1", "node.key", "meta.json.old"] {
        fs::write(dir.path().join(name), "precious").unwrap();
    }
    let search = Search::open(dir.path(), STORE, MEMORY_BYTES).unwrap();
    feed(&search, &corpus(), 64);
    search.wipe().unwrap();
    for name in ["log/1", "node.key", "meta.json.old"] {
        assert_eq!(fs::read_to_string(dir.path().join(name)).unwrap(), "precious");
    }
    let segments = fs::read_dir(dir.path()).unwrap().filter(|file| {
        file.as_ref().is_ok_and(|file| file.path().extension().is_some_and(|extension| extension == "idx"))
    });
    assert_eq!(segments.count(), 0);
}

#[test]
fn an_index_that_another_process_writes_is_left_alone() {
    let indexed = Indexed::empty();
    indexed.search.apply(&arrived(&corpus()), Cursor(corpus().len() as u64)).unwrap();
    let refused = Search::open(&indexed.dir.path().join("search"), STORE, MEMORY_BYTES);
    assert!(matches!(refused, Err(StoreError::Io { .. })));
    indexed.search.settle().unwrap();
    assert_eq!(indexed.found("").total, corpus().len() as u64);
}

#[test]
fn a_rebuilt_index_answers_as_the_one_that_grew() {
    let mut entries = corpus();
    let mut log = Log::of(EDMONTON);
    entries.extend(titles(
        &mut log,
        &[(60, "too old to count"), (70, "Parking"), (71, "Parking"), (70, "Parks")],
    ));
    entries.push(log.retract(71));
    let indexed = Indexed::empty();
    feed(&indexed.search, &entries, 1);
    let queries = ["", "open data", "parks", "city:DEMUC", "pariking", "전자정부"];
    let before: Vec<_> = queries.iter().map(|query| indexed.found(query)).collect();
    indexed.search.wipe().unwrap();
    assert_eq!(indexed.search.cursor().unwrap(), Cursor(0));
    assert_eq!(indexed.found("").total, 0);
    feed(&indexed.search, &entries, 64);
    let after: Vec<_> = queries.iter().map(|query| indexed.found(query)).collect();
    assert_eq!(before, after);
}

#[test]
fn what_a_new_epoch_makes_void_is_forgotten_and_what_was_before_comes_back() {
    let mut log = Log::of(SEOUL);
    let mut entries = titles(&mut log, &[(1, "valid"), (1, "void"), (2, "void"), (3, "void")]);
    entries.push(log.begin_epoch(Position::FIRST));
    entries.extend(titles(&mut log, &[(3, "valid")]));
    for batch in [1, 2, 64] {
        let indexed = Indexed::empty();
        feed(&indexed.search, &entries, batch);
        assert_eq!(indexed.found("void").total, 0);
        assert_eq!(indexed.ids("valid"), [1, 3]);
    }
}

#[test]
fn a_node_that_got_void_entries_late_answers_the_same() {
    let mut log = Log::of(SEOUL);
    let first = titles(&mut log, &[(1, "valid")]);
    let void = titles(&mut log, &[(1, "void"), (2, "void")]);
    let mut epoch = vec![log.begin_epoch(Position::FIRST)];
    epoch.extend(titles(&mut log, &[(4, "valid")]));
    let in_order = Indexed::with(&[first.clone(), void.clone(), epoch.clone()].concat());
    let late = Indexed::with(&[first, epoch, void].concat());
    assert_eq!(in_order.found(""), late.found(""));
}

#[test]
fn whoever_goes_on_after_the_index_moved_back_is_told() {
    let mut log = Log::of(SEOUL);
    let mut entries = titles(&mut log, &[(1, "valid"), (1, "void")]);
    entries.push(log.begin_epoch(Position::FIRST));
    entries.extend(titles(&mut log, &[(2, "valid")]));
    let indexed = Indexed::empty();
    indexed.search.apply(&arrived(&entries[..3]), Cursor(3)).unwrap();
    assert!(matches!(indexed.search.apply(&arrived(&entries[3..]), Cursor(4)), Err(StoreError::Conflict)));
    feed(&indexed.search, &entries, 2);
    assert_eq!(indexed.ids("valid"), [1, 2]);
}
