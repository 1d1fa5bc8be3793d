//! Claims about where a backup's entries come from.

use wego_proto::{entry::Verified, id::Hash};

use super::*;
use crate::store::{
    HeadLock as _, MemoryLock, MemoryStore,
    conformance::{Author, SEEN_MS},
};

/// Answers like an engine whose lock holds the own log; counts what was asked for.
fn answering(mut lock: MemoryLock) -> (mpsc::Sender<Question>, std::thread::JoinHandle<Vec<usize>>) {
    let (questions, mut asked) = mpsc::channel(QUESTIONS_MAX);
    let thread = std::thread::spawn(move || {
        let mut given = Vec::new();
        while let Some(question) = asked.blocking_recv() {
            let Question::OwnLog(after, max, reply) = question else { panic!("{question:?}") };
            let entries = lock.since(Some(after), max).unwrap();
            given.push(entries.len());
            reply.send(Ok(entries)).unwrap();
        }
        given
    });
    (questions, thread)
}

fn store_with(entries: &[Verified]) -> Arc<MemoryStore> {
    let store = MemoryStore::new(StoreId::new([1; 16]));
    store.put(entries, SEEN_MS).unwrap();
    Arc::new(store)
}

fn head(log: &[Verified]) -> ((Origin, u32), (u64, Hash)) {
    let last = log.last().unwrap();
    let header = last.header();
    ((header.origin, header.at.epoch), (header.at.seq, last.hash()))
}

fn wire(logs: &[&[Verified]]) -> Vec<v1::Entry> {
    logs.iter().flat_map(|log| log.iter().map(Verified::to_wire)).collect()
}

/// Reads everything up to `heads` and returns it with what the lock was asked for.
fn read(
    lock: MemoryLock,
    store: Arc<MemoryStore>,
    me: Origin,
    heads: Heads,
) -> (Result<Vec<v1::Entry>, BackupError>, Vec<usize>) {
    let (questions, thread) = answering(lock);
    let mut reader = LogReader::new(questions, store, me, heads);
    let entries = std::iter::from_fn(|| reader.next_entry().transpose()).collect();
    drop(reader);
    (entries, thread.join().unwrap())
}

fn locked(log: &[Verified], me: Origin) -> MemoryLock {
    let mut lock = MemoryLock::new(me);
    lock.replace(None, log).unwrap();
    lock
}

#[test]
fn own_entries_that_the_store_lacks_come_from_the_lock_a_few_at_a_time() {
    let (mut ada, mut bo) = (Author::new(1), Author::new(2));
    let (own, others) = (ada.batch(150, 5), bo.batch(3, 5));
    let store = store_with(&[&own[..10], &others[..]].concat());
    let heads = Heads::from([head(&own), head(&others)]);
    let (entries, asked) = read(locked(&own, ada.origin()), store, ada.origin(), heads);
    assert_eq!(entries.unwrap(), wire(&[&own, &others]));
    assert_eq!(asked, [OWN_TOGETHER, OWN_TOGETHER, 150 - 2 * OWN_TOGETHER]);
}

#[test]
fn what_was_written_after_the_moment_is_left_out() {
    let (mut ada, mut bo) = (Author::new(1), Author::new(2));
    let (own, others) = (ada.batch(70, 5), bo.batch(7, 5));
    let heads = Heads::from([head(&own[..65]), head(&others[..4])]);
    let store = store_with(&[&own[..], &others[..]].concat());
    let (entries, _) = read(locked(&own, ada.origin()), store, ada.origin(), heads);
    assert_eq!(entries.unwrap(), wire(&[&own[..65], &others[..4]]));
}

#[test]
fn an_epoch_that_only_the_store_has_comes_from_there() {
    let mut ada = Author::new(1);
    let first = ada.batch(5, 5);
    let mut second = vec![ada.open_epoch(2, first[3].header().at, first[3].hash())];
    second.extend(ada.batch(2, 5));
    let store = store_with(&[&first[..], &second[..]].concat());
    let heads = Heads::from([head(&first), head(&second)]);
    // After a recovery the lock may begin with the epoch that was opened then.
    let (entries, _) = read(locked(&second, ada.origin()), store, ada.origin(), heads);
    assert_eq!(entries.unwrap(), wire(&[&first, &second]));
}

#[test]
fn an_entry_that_nobody_has_ends_the_backup() {
    let (mut ada, mut bo) = (Author::new(1), Author::new(2));
    let (own, others) = (ada.batch(2, 5), bo.batch(7, 5));
    let heads = Heads::from([head(&own), head(&others)]);
    let store = store_with(&[&own[..], &others[..4]].concat());
    let (entries, _) = read(locked(&own, ada.origin()), store, ada.origin(), heads);
    let missing = Position { epoch: 1, seq: 5 };
    assert!(matches!(entries, Err(BackupError::Missing { origin: Origin(2), at }) if at == missing));
}
