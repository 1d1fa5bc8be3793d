//! Claims about entry stores.
//!
//! Every claim starts from an empty store and must never look behind the trait.

use prost::Message as _;
use wego_proto::{
    entry::Verified,
    id::{Origin, Position},
    v1,
};

use crate::store::{
    Cursor, EntryStore, StoreError, chain,
    conformance::{Author, Claimed, SEEN_MS, StoreBed, holds},
};

type Claim<B> = fn(&mut B) -> Claimed;

pub(super) fn claims<B: StoreBed>() -> Vec<Claim<B>> {
    vec![
        what_is_put_is_read_back,
        putting_twice_changes_nothing,
        an_entry_keeps_the_moment_when_it_was_first_seen,
        a_gap_is_refused_with_nothing_written,
        a_fork_is_refused_with_nothing_written,
        a_range_keeps_its_limits,
        the_tail_is_gap_free_over_interleaved_origins,
        epochs_are_logs_of_their_own,
        another_opening_takes_the_place_of_one_that_is_set_aside,
        the_last_fork_proof_put_stays,
        what_is_set_aside_makes_room_for_another_history,
        synced_puts_survive_a_crash_and_the_rest_as_a_prefix,
        what_the_tail_hands_out_survives_a_crash,
        changes_of_endpoints_are_found_in_their_order,
        the_last_word_on_a_name_is_found,
        everything_survives_closing,
    ]
}

fn wire(entries: &[Verified]) -> Vec<v1::Entry> {
    entries.iter().map(Verified::to_wire).collect()
}

fn origin_of(entry: &v1::Entry) -> u32 {
    v1::EntryHeader::decode(entry.header.as_slice()).map_or(0, |header| header.origin)
}

fn whole_range(store: &impl EntryStore, origin: Origin, epoch: u32) -> Result<Vec<v1::Entry>, StoreError> {
    store.range(origin, epoch, 1, u64::MAX, usize::MAX)
}

fn whole_tail(store: &impl EntryStore) -> Result<Vec<v1::Entry>, StoreError> {
    let (mut found, mut from) = (Vec::new(), Cursor(0));
    loop {
        let (part, next) = store.tail(from, 3)?;
        if part.is_empty() {
            return Ok(found);
        }
        found.extend(part.into_iter().map(|arrival| arrival.entry));
        from = next;
    }
}

fn what_is_put_is_read_back<B: StoreBed>(bed: &mut B) -> Claimed {
    let store = bed.create()?;
    holds(store.cursor() == Cursor(0) && store.heads()?.is_empty(), "a new store is empty")?;
    let mut ada = Author::new(1);
    let entries = ada.batch(5, 100);
    holds(store.put(&entries, SEEN_MS)? == Cursor(5), "a put returns the cursor after it")?;
    holds(whole_range(&store, ada.origin(), 1)? == wire(&entries), "a range gives what was put")?;
    let second = store.entry(ada.origin(), Position { epoch: 1, seq: 2 })?;
    holds(second == Some(entries[1].to_wire()), "one entry is found by its position")?;
    let beyond = store.entry(ada.origin(), Position { epoch: 1, seq: 6 })?;
    holds(beyond.is_none(), "nothing is found beyond the head")?;
    let head = store.heads()?.get(&(ada.origin(), 1)).copied();
    holds(head == Some((5, entries[4].hash())), "the head is the last entry")
}

fn an_entry_keeps_the_moment_when_it_was_first_seen<B: StoreBed>(bed: &mut B) -> Claimed {
    let store = bed.create()?;
    let mut ada = Author::new(1);
    let entries = ada.batch(4, 10);
    store.put(&entries[..2], SEEN_MS)?;
    store.put(&entries, SEEN_MS + 9)?;
    store.sync()?;
    let store = bed.crash(store)?;
    store.put(&entries, SEEN_MS + 20)?;
    let seen: Vec<_> = store.tail(Cursor(0), 9)?.0.iter().map(|one| one.seen_ms).collect();
    let (first, later) = (Some(SEEN_MS), Some(SEEN_MS + 9));
    holds(seen == [first, first, later, later], "over a crash, and whoever sends it again")
}

fn putting_twice_changes_nothing<B: StoreBed>(bed: &mut B) -> Claimed {
    let store = bed.create()?;
    let mut ada = Author::new(1);
    let first = ada.batch(4, 10);
    store.put(&first, SEEN_MS)?;
    holds(store.put(&first, SEEN_MS)? == Cursor(4), "the same batch again is skipped")?;
    let overlapping: Vec<_> = first[2..].iter().cloned().chain(ada.batch(2, 10)).collect();
    holds(store.put(&overlapping, SEEN_MS)? == Cursor(6), "of an overlapping batch only the rest is added")?;
    holds(store.put(&[], SEEN_MS)? == Cursor(6), "an empty batch is nothing")?;
    holds(whole_tail(&store)?.len() == 6, "no entry arrives twice")
}

fn a_gap_is_refused_with_nothing_written<B: StoreBed>(bed: &mut B) -> Claimed {
    let store = bed.create()?;
    let (mut ada, mut ben) = (Author::new(1), Author::new(2));
    let entries = ada.batch(4, 10);
    store.put(&entries[..1], SEEN_MS)?;
    let batch = [ben.next(10), entries[2].clone()];
    let refused = store.put(&batch, SEEN_MS);
    let expected = Position { epoch: 1, seq: 3 };
    holds(matches!(refused, Err(StoreError::Gap { at, .. }) if at == expected), "a gap is refused")?;
    let never_seen = Author::new(3).batch(2, 10);
    let refused = store.put(&never_seen[1..], SEEN_MS);
    holds(matches!(refused, Err(StoreError::Gap { .. })), "a log begins with its first entry")?;
    holds(store.cursor() == Cursor(1) && store.heads()?.len() == 1, "nothing of the batch is written")
}

fn a_fork_is_refused_with_nothing_written<B: StoreBed>(bed: &mut B) -> Claimed {
    let store = bed.create()?;
    let (mut ada, mut ben) = (Author::new(1), Author::new(2));
    let entries = ada.batch(4, 10);
    store.put(&entries, SEEN_MS)?;
    for held in &entries {
        let fork = ada.fork_of(held);
        let refused = store.put(&[ben.fork_of(&Author::new(2).next(10)), fork], SEEN_MS);
        let at = held.header().at;
        holds(
            matches!(refused, Err(StoreError::Fork { at: found, .. }) if found == at),
            "a fork is refused",
        )?;
    }
    let other_past = ada.fork_of(&entries[3]);
    ada.go_on_from(&other_past);
    let refused = store.put(&[ada.next(10)], SEEN_MS);
    let at = entries[3].header().at;
    let named = matches!(refused, Err(StoreError::Fork { at: found, .. }) if found == at);
    holds(named, "an entry after another head names the fork at the head")?;
    let first = ben.next(10);
    let refused = store.put(&[first.clone(), ben.fork_of(&first)], SEEN_MS);
    holds(matches!(refused, Err(StoreError::Fork { .. })), "a batch must not fork within itself")?;
    holds(store.cursor() == Cursor(4) && store.heads()?.len() == 1, "nothing of a batch is written")?;
    holds(whole_range(&store, ada.origin(), 1)? == wire(&entries), "what was held is unchanged")
}

fn a_range_keeps_its_limits<B: StoreBed>(bed: &mut B) -> Claimed {
    let store = bed.create()?;
    let mut ada = Author::new(1);
    let entries = ada.batch(10, 1_000);
    store.put(&entries, SEEN_MS)?;
    let three: usize = entries[..3].iter().map(|entry| entry.to_wire().encoded_len()).sum();
    let found = store.range(ada.origin(), 1, 1, 10, three)?;
    holds(found == wire(&entries[..3]), "as many as fit are given")?;
    let found = store.range(ada.origin(), 1, 1, 10, three - 1)?;
    holds(found == wire(&entries[..2]), "one byte too few gives one entry fewer")?;
    let found = store.range(ada.origin(), 1, 4, 10, 0)?;
    holds(found == wire(&entries[3..4]), "at least one is given")?;
    let found = store.range(ada.origin(), 1, 4, 5, usize::MAX)?;
    holds(found == wire(&entries[3..5]), "both ends are inclusive")?;
    let none = [(11, 20), (5, 4)];
    for (from, until) in none {
        let found = store.range(ada.origin(), 1, from, until, usize::MAX)?;
        holds(found.is_empty(), "nothing is given where nothing is")?;
    }
    holds(whole_range(&store, Origin(99), 1)?.is_empty(), "an unknown origin has no entries")
}

fn the_tail_is_gap_free_over_interleaved_origins<B: StoreBed>(bed: &mut B) -> Claimed {
    let store = bed.create()?;
    let mut authors = [Author::new(1), Author::new(2), Author::new(3)];
    let mut arrived = Vec::new();
    for round in 0..12_usize {
        let mut batch = Vec::new();
        for turn in 0..=round % 4 {
            batch.extend(authors[(round + turn) % 3].batch(1 + turn, 10));
        }
        store.put(&batch, SEEN_MS)?;
        arrived.extend(wire(&batch));
    }
    holds(store.cursor() == Cursor(arrived.len() as u64), "the cursor counts what was put")?;
    holds(whole_tail(&store)? == arrived, "the tail gives everything in order of arrival")?;
    for (from, expected) in arrived.iter().enumerate() {
        let (found, next) = store.tail(Cursor(from as u64), 1)?;
        holds(found.iter().map(|one| &one.entry).eq([expected]), "the tail begins at any cursor")?;
        holds(next == Cursor(from as u64 + 1), "and goes on after what it gave")?;
    }
    let end = store.cursor();
    holds(store.tail(end, 5)? == (Vec::new(), end), "at the end there is nothing")?;
    for author in &authors {
        let origin = author.origin().0;
        let expected: Vec<_> = arrived.iter().filter(|entry| origin_of(entry) == origin).cloned().collect();
        holds(whole_range(&store, author.origin(), 1)? == expected, "the tail and the ranges agree")?;
    }
    Ok(())
}

fn epochs_are_logs_of_their_own<B: StoreBed>(bed: &mut B) -> Claimed {
    let store = bed.create()?;
    let mut ada = Author::new(1);
    let first = ada.batch(3, 10);
    store.put(&first, SEEN_MS)?;
    let mut second = vec![ada.open_epoch(2, first[1].header().at, first[1].hash())];
    second.extend(ada.batch(2, 10));
    store.put(&second, SEEN_MS)?;
    holds(whole_range(&store, ada.origin(), 1)? == wire(&first), "the first epoch stays")?;
    holds(whole_range(&store, ada.origin(), 2)? == wire(&second), "the second has its own entries")?;
    let heads = store.heads()?;
    let ends: Vec<_> = heads.iter().map(|((_, epoch), (seq, _))| (*epoch, *seq)).collect();
    holds(ends == [(1, 3), (2, 3)], "each epoch has its head")
}

fn another_opening_takes_the_place_of_one_that_is_set_aside<B: StoreBed>(bed: &mut B) -> Claimed {
    let store = bed.create()?;
    let (mut ada, mut thief) = (Author::new(1), Author::new(1));
    let first = ada.batch(3, 10);
    store.put(&first, SEEN_MS)?;
    let theirs = [thief.open_epoch(5, first[0].header().at, first[0].hash()), thief.next(10)];
    store.put(&theirs, SEEN_MS)?;
    let owners = ada.open_epoch(5, first[2].header().at, first[2].hash());
    holds(
        store.put(std::slice::from_ref(&owners), SEEN_MS).is_err(),
        "two openings of one epoch are never held together",
    )?;
    holds(store.rewind(ada.origin(), 5, 0)?.is_none(), "the first one goes with all that follows it")?;
    store.put(std::slice::from_ref(&owners), SEEN_MS)?;
    let later = ada.open_epoch(9, owners.header().at, owners.hash());
    store.put(std::slice::from_ref(&later), SEEN_MS)?;
    store.sync()?;
    let store = bed.crash(store)?;
    for opening in [&owners, &later] {
        let held = store.entry(ada.origin(), opening.header().at)?;
        holds(held == Some(opening.to_wire()), "each start reads the openings that were put last")?;
    }
    holds(store.entry(ada.origin(), theirs[1].header().at)?.is_none(), "and nothing behind the other one")
}

fn the_last_fork_proof_put_stays<B: StoreBed>(bed: &mut B) -> Claimed {
    let store = bed.create()?;
    let mut ada = Author::new(1);
    let entries = ada.batch(2, 10);
    let proof = |entry: &Verified| v1::ForkProof {
        epochs: Vec::new(),
        left: Some(entry.to_wire_without_payload()),
        right: Some(ada.fork_of(entry).to_wire_without_payload()),
    };
    let (lower, higher) = (proof(&entries[0]), proof(&entries[1]));
    store.put_fork(ada.origin(), 1, &higher)?;
    store.put_fork(ada.origin(), 1, &lower)?;
    store.put_fork(ada.origin(), 2, &higher)?;
    let store = bed.crash(store)?;
    let kept = store.forks()?;
    holds(kept.get(&(ada.origin(), 1)) == Some(&lower), "the last proof put stays, over a crash")?;
    holds(kept.get(&(ada.origin(), 2)) == Some(&higher), "each epoch has its own")?;
    holds(kept.len() == 2, "nothing else is kept")
}

fn synced_puts_survive_a_crash_and_the_rest_as_a_prefix<B: StoreBed>(bed: &mut B) -> Claimed {
    let mut store = bed.create()?;
    let mut authors = [Author::new(1), Author::new(2)];
    let mut arrived: Vec<v1::Entry> = Vec::new();
    for round in 0..10 {
        let mut synced = 0;
        for put in 0..4 {
            let batch: Vec<_> = authors.iter_mut().flat_map(|author| author.batch(2, 300)).collect();
            store.put(&batch, SEEN_MS)?;
            arrived.extend(wire(&batch));
            if put == round % 4 {
                store.sync()?;
                synced = arrived.len();
            }
        }
        store = bed.crash(store)?;
        let found = whole_tail(&store)?;
        holds(found.len() >= synced, "what was synced is there")?;
        holds(arrived.starts_with(&found), "what is there is a prefix of what was put")?;
        holds(store.cursor() == Cursor(found.len() as u64), "the cursor is that of the prefix")?;
        let held: u64 = store.heads()?.values().map(|(seq, _)| seq).sum();
        holds(held == found.len() as u64, "the heads are those of the prefix")?;
        rewind(&mut authors, &found);
        arrived = found;
    }
    Ok(())
}

/// Makes the authors sign again what was lost: they are deterministic, so the same entries come again.
fn rewind(authors: &mut [Author; 2], held: &[v1::Entry]) {
    *authors = [Author::new(1), Author::new(2)];
    for author in authors {
        let origin = author.origin().0;
        let of_author = held.iter().filter(|entry| origin_of(entry) == origin);
        for _ in of_author {
            let _signed_before = author.next(300);
        }
    }
}

fn what_the_tail_hands_out_survives_a_crash<B: StoreBed>(bed: &mut B) -> Claimed {
    let store = bed.create()?;
    let mut ada = Author::new(1);
    let entries = ada.batch(6, 10);
    store.put(&entries, SEEN_MS)?;
    let (seen, next) = store.tail(Cursor(0), 4)?;
    holds(!seen.is_empty(), "the tail hands out what was put, synced or not")?;
    let store = bed.crash(store)?;
    holds(store.cursor() >= next, "a cursor that was handed out is never given again")?;
    let (again, _) = store.tail(Cursor(0), seen.len())?;
    holds(again == seen, "and stands for the same entries")
}

fn changes_of_endpoints_are_found_in_their_order<B: StoreBed>(bed: &mut B) -> Claimed {
    let store = bed.create()?;
    let (mut ada, mut ben) = (Author::new(1), Author::new(2));
    let mut entries = ada.batch(2, 50);
    let moves: Vec<_> = ["a:1", "a:2", "a:3"].map(|endpoint| ada.move_to(endpoint)).into();
    entries.extend(moves.clone());
    entries.extend(ada.batch(1, 50));
    entries.push(ben.move_to("b:1"));
    store.put(&entries, SEEN_MS)?;
    store.sync()?;
    let store = bed.crash(store)?;
    let found = |last, max| store.endpoint_changes(ada.origin(), 1, last, max);
    holds(found(u64::MAX, 9)? == wire(&moves), "all of one author, oldest first")?;
    holds(found(4, 9)? == wire(&moves[..2]), "up to a position")?;
    holds(found(u64::MAX, 1)? == wire(&moves[..1]), "no more than asked for")?;
    holds(store.endpoint_changes(ada.origin(), 2, 9, 9)?.is_empty(), "of one epoch")?;
    store.rewind(ada.origin(), 1, 3)?;
    holds(found(u64::MAX, 9)? == wire(&moves[..1]), "none that was set aside")
}

fn the_last_word_on_a_name_is_found<B: StoreBed>(bed: &mut B) -> Claimed {
    let store = bed.create()?;
    let (mut ada, mut ben) = (Author::new(1), Author::new(2));
    let mut entries = ada.batch(2, 50);
    let said: Vec<_> = ["Ada", "Lovelace"].map(|name| ada.call(name)).into();
    entries.extend(said.clone());
    entries.push(ada.move_to("a:1"));
    entries.push(ben.call("Ben"));
    store.put(&entries, SEEN_MS)?;
    store.sync()?;
    let store = bed.crash(store)?;
    let found = |last| store.presentation(ada.origin(), 1, last);
    holds(found(u64::MAX)? == Some(said[1].to_wire()), "the last one of its author")?;
    holds(found(3)? == Some(said[0].to_wire()), "up to a position")?;
    holds(found(2)?.is_none() && store.presentation(ada.origin(), 2, 9)?.is_none(), "of one epoch")?;
    store.rewind(ada.origin(), 1, 3)?;
    holds(found(u64::MAX)? == Some(said[0].to_wire()), "none that was set aside")
}

fn everything_survives_closing<B: StoreBed>(bed: &mut B) -> Claimed {
    let store = bed.create()?;
    let id = store.store_id();
    let entries = Author::new(1).batch(20, 200);
    store.put(&entries, SEEN_MS)?;
    store.sync()?;
    let store = bed.reopen(store)?;
    holds(store.store_id() == id, "it is the same incarnation")?;
    holds(whole_tail(&store)? == wire(&entries), "everything is there")?;
    let hashes: Vec<_> = whole_tail(&store)?.iter().map(chain::entry_hash).collect();
    let signed: Vec<_> = entries.iter().map(Verified::hash).collect();
    holds(hashes == signed, "byte for byte")
}

fn what_is_set_aside_makes_room_for_another_history<B: StoreBed>(bed: &mut B) -> Claimed {
    let store = bed.create()?;
    let (mut ada, mut bob) = (Author::new(1), Author::new(2));
    let trunk = ada.batch(2, 100);
    let mut other = Author::new(1);
    other.go_on_from(&trunk[1]);
    let (theirs, ours) = (ada.batch(700, 100), other.batch(3, 101));
    store.put(&trunk, SEEN_MS)?;
    store.put(&theirs, SEEN_MS)?;
    let bobs = bob.batch(2, 50);
    store.put(&bobs, SEEN_MS)?;
    let left = store.rewind(ada.origin(), 1, 2)?;
    holds(left == Some((2, trunk[1].hash())), "the last entry that is left is the new head")?;
    holds(store.set_aside() == 700, "what was set aside is counted")?;
    holds(whole_range(&store, ada.origin(), 1)? == wire(&trunk), "nothing beyond the head is read")?;
    let kept: Vec<_> = trunk.iter().chain(&bobs).cloned().collect();
    holds(whole_tail(&store)? == wire(&kept), "nor handed out in order of arrival")?;
    holds(store.rewind(ada.origin(), 1, 2)? == left && store.set_aside() == 700, "once is enough")?;
    store.put(&ours, SEEN_MS)?;
    let now: Vec<_> = trunk.iter().chain(&ours).cloned().collect();
    holds(whole_range(&store, ada.origin(), 1)? == wire(&now), "another history takes the place")?;
    let store = bed.reopen(store)?;
    holds(whole_range(&store, ada.origin(), 1)? == wire(&now), "and is there after closing")?;
    holds(store.set_aside() == 700 && store.rewind(ada.origin(), 1, 0)?.is_none(), "down to nothing")?;
    holds(!store.heads()?.contains_key(&(ada.origin(), 1)), "a log without entries has no head")
}
