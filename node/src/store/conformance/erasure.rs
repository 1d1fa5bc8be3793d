//! Claims about erasing: what is gone stays gone, in any order of arrival, and nothing else goes.
//!
//! Every claim starts from an empty store or lock and must never look behind the trait.

use wego_proto::{
    entry::Verified,
    id::{Origin, Position, RecordId},
    v1,
};

use crate::store::{
    Cursor, EntryStore, HeadLock, StoreError,
    conformance::{Author, Claimed, LockBed, SEEN_MS, StoreBed, holds},
    erasure::{Place, Records},
};

const RECORD: RecordId = RecordId::new([5; 16]);
const OTHER: RecordId = RecordId::new([6; 16]);

pub(super) fn store_claims<B: StoreBed>() -> Vec<fn(&mut B) -> Claimed> {
    vec![
        an_erased_payload_is_gone_and_its_header_stays,
        what_arrives_after_the_order_is_stored_without_its_payload,
        an_order_holds_within_its_own_batch,
        an_order_covers_its_author_record_and_past_only,
        a_position_taken_down_before_it_arrives_is_stored_without_its_payload,
        the_versions_of_a_record_are_erased_up_to_a_place,
        what_was_set_aside_is_erased_and_its_place_is_free,
        a_takedown_reaches_what_was_set_aside_before_it,
        a_place_taken_down_stays_so_when_its_entry_is_set_aside,
        the_last_order_of_a_record_is_listed,
        how_far_erasures_are_carried_out_starts_at_nothing_and_stays,
        the_last_receipt_of_a_member_stays,
    ]
}

pub(super) fn lock_claims<B: LockBed>() -> Vec<fn(&mut B) -> Claimed> {
    vec![an_erased_lock_keeps_its_head_its_requests_and_all_other_payloads]
}

fn bare(entry: &Verified) -> v1::Entry {
    entry.to_wire_without_payload()
}

fn held(store: &impl EntryStore, entry: &Verified) -> Result<Option<v1::Entry>, StoreError> {
    store.entry(entry.header().origin, entry.header().at)
}

fn place(entry: &Verified) -> Place {
    (entry.header().origin, entry.header().at)
}

fn an_erased_payload_is_gone_and_its_header_stays<B: StoreBed>(bed: &mut B) -> Claimed {
    let store = bed.create()?;
    let mut ada = Author::new(1);
    let entries = ada.batch(4, 500);
    store.put(&entries, SEEN_MS)?;
    store.erase(&[place(&entries[1]), place(&entries[3])])?;
    let left = [entries[0].to_wire(), bare(&entries[1]), entries[2].to_wire(), bare(&entries[3])];
    for again in [false, true] {
        let found = store.range(ada.origin(), 1, 1, 4, usize::MAX)?;
        holds(found == left, "the payloads named are gone, and nothing else")?;
        holds(store.tail(Cursor(0), 9)?.0.iter().map(|one| &one.entry).eq(&left), "also from the tail")?;
        if !again {
            store.put(&entries, SEEN_MS)?;
            store.erase(&[place(&entries[1])])?;
        }
    }
    let store = bed.crash(store)?;
    holds(store.range(ada.origin(), 1, 1, 4, usize::MAX)? == left, "it is durable on return")?;
    store.put(&[ada.next(10)], SEEN_MS)?;
    holds(store.cursor() == Cursor(5), "and the log goes on")
}

fn what_arrives_after_the_order_is_stored_without_its_payload<B: StoreBed>(bed: &mut B) -> Claimed {
    let store = bed.create()?;
    let mut ada = Author::new(1);
    let early = ada.put(RECORD, 100);
    let mut later = Author::new(1);
    later.go_on_from(&early);
    let opened = later.open_epoch(2, early.header().at, early.hash());
    let order = later.erase(RECORD);
    let late = ada.put(RECORD, 100);
    store.put(&[opened, order.clone()], SEEN_MS)?;
    store.put(&[early.clone(), late.clone()], SEEN_MS)?;
    holds(held(&store, &early)? == Some(bare(&early)), "an earlier version comes without its payload")?;
    holds(held(&store, &late)? == Some(bare(&late)), "so does every other")?;
    let again = later.put(RECORD, 100);
    store.put(std::slice::from_ref(&again), SEEN_MS)?;
    holds(held(&store, &again)? == Some(again.to_wire()), "a version after the order is kept")
}

fn an_order_holds_within_its_own_batch<B: StoreBed>(bed: &mut B) -> Claimed {
    let store = bed.create()?;
    let mut ben = Author::new(2);
    let batch = [ben.put(RECORD, 100), ben.erase(RECORD), ben.put(RECORD, 50)];
    store.put(&batch, SEEN_MS)?;
    holds(held(&store, &batch[0])? == Some(bare(&batch[0])), "within one batch as well")?;
    holds(held(&store, &batch[2])? == Some(batch[2].to_wire()), "and no further")
}

fn an_order_covers_its_author_record_and_past_only<B: StoreBed>(bed: &mut B) -> Claimed {
    let store = bed.create()?;
    let (mut ada, mut ben) = (Author::new(1), Author::new(2));
    let kept = [ada.put(OTHER, 10), ada.next(10), ada.erase(RECORD), ada.put(RECORD, 10)];
    store.put(&kept, SEEN_MS)?;
    let foreign = ben.put(RECORD, 10);
    store.put(std::slice::from_ref(&foreign), SEEN_MS)?;
    for entry in kept.iter().chain([&foreign]) {
        holds(held(&store, entry)? == Some(entry.to_wire()), "what the order does not name is kept")?;
    }
    Ok(())
}

fn a_position_taken_down_before_it_arrives_is_stored_without_its_payload<B: StoreBed>(
    bed: &mut B,
) -> Claimed {
    let store = bed.create()?;
    let entries = Author::new(1).batch(2, 100);
    store.erase(&[place(&entries[1])])?;
    let store = bed.crash(store)?;
    store.put(&entries, SEEN_MS)?;
    holds(held(&store, &entries[0])? == Some(entries[0].to_wire()), "the other is kept")?;
    holds(held(&store, &entries[1])? == Some(bare(&entries[1])), "its payload is not taken")
}

fn orders_before(seq: u64) -> Records {
    [(RECORD, Position { epoch: 1, seq })].into()
}

fn the_versions_of_a_record_are_erased_up_to_a_place<B: StoreBed>(bed: &mut B) -> Claimed {
    let store = bed.create()?;
    let (mut ada, mut ben) = (Author::new(1), Author::new(2));
    let log = [ada.put(RECORD, 90), ada.put(OTHER, 90), ada.put(RECORD, 90), ada.put(RECORD, 90)];
    store.put(&log, SEEN_MS)?;
    let foreign = ben.put(RECORD, 90);
    store.put(std::slice::from_ref(&foreign), SEEN_MS)?;
    store.erase_records(ada.origin(), &orders_before(4))?;
    let left = [bare(&log[0]), log[1].to_wire(), bare(&log[2]), log[3].to_wire()];
    holds(store.range(ada.origin(), 1, 1, 4, usize::MAX)? == left, "these versions, and nothing else")?;
    let store = bed.crash(store)?;
    store.erase_records(ada.origin(), &orders_before(4))?;
    holds(store.range(ada.origin(), 1, 1, 4, usize::MAX)? == left, "durable, and once is enough")?;
    store.erase_records(ada.origin(), &orders_before(5))?;
    holds(held(&store, &log[3])? == Some(bare(&log[3])), "a later order finds what came later")?;
    holds(held(&store, &foreign)? == Some(foreign.to_wire()), "nobody else's versions")
}

fn what_was_set_aside_is_erased_and_its_place_is_free<B: StoreBed>(bed: &mut B) -> Claimed {
    let store = bed.create()?;
    let mut ada = Author::new(1);
    let log = [ada.next(10), ada.put(RECORD, 100), ada.put(OTHER, 100)];
    store.put(&log, SEEN_MS)?;
    store.rewind(ada.origin(), 1, 1)?;
    let store = bed.crash(store)?;
    ada.go_on_from(&log[0]);
    let instead = [ada.next(60), ada.next(60)];
    store.put(&instead, SEEN_MS)?;
    store.erase_records(ada.origin(), &orders_before(9))?;
    let left = B::quarantine(&store)?;
    holds(left == [bare(&log[1]), log[2].to_wire()], "the version that was set aside, and nothing else")?;
    let found = store.range(ada.origin(), 1, 2, 3, usize::MAX)?;
    holds(found == instead.each_ref().map(Verified::to_wire), "what comes in its place keeps its payload")
}

/// Two histories of the second position that end in quarantine, and the entry before them.
fn set_aside_twice(store: &impl EntryStore, ada: &mut Author) -> Result<[Verified; 3], StoreError> {
    let first = ada.next(10);
    let one = ada.next(100);
    store.put(&[first.clone(), one.clone()], SEEN_MS)?;
    store.rewind(ada.origin(), 1, 1)?;
    let another = ada.fork_of(&one);
    store.put(std::slice::from_ref(&another), SEEN_MS)?;
    store.rewind(ada.origin(), 1, 1)?;
    Ok([first, one, another])
}

fn a_takedown_reaches_what_was_set_aside_before_it<B: StoreBed>(bed: &mut B) -> Claimed {
    let store = bed.create()?;
    let mut ada = Author::new(1);
    let [first, one, another] = set_aside_twice(&store, &mut ada)?;
    let full = B::quarantine(&store)?.iter().filter(|entry| entry.payload.is_some()).count();
    holds(full == 2, "two histories of the place were set aside")?;
    store.erase(&[place(&one)])?;
    let store = bed.crash(store)?;
    let left = B::quarantine(&store)?;
    let bare = [bare(&one), bare(&another)];
    holds(left.len() == 2 && bare.iter().all(|one| left.contains(one)), "both keep their headers only")?;
    holds(held(&store, &first)? == Some(first.to_wire()), "what stands before is kept")
}

fn a_place_taken_down_stays_so_when_its_entry_is_set_aside<B: StoreBed>(bed: &mut B) -> Claimed {
    let store = bed.create()?;
    let mut ada = Author::new(1);
    let [first, one] = [ada.next(10), ada.next(100)];
    store.put(&[first.clone(), one.clone()], SEEN_MS)?;
    store.erase(&[place(&one)])?;
    store.rewind(ada.origin(), 1, 1)?;
    let store = bed.crash(store)?;
    holds(B::quarantine(&store)? == [bare(&one)], "it went without its payload")?;
    let another = ada.fork_of(&one);
    store.put(std::slice::from_ref(&another), SEEN_MS)?;
    holds(held(&store, &another)? == Some(bare(&another)), "what comes in its place has none either")?;
    holds(held(&store, &first)? == Some(first.to_wire()), "what stands before is kept")
}

fn the_last_order_of_a_record_is_listed<B: StoreBed>(bed: &mut B) -> Claimed {
    let store = bed.create()?;
    let mut ada = Author::new(1);
    let batch = [ada.put(RECORD, 1), ada.erase(RECORD), ada.erase(OTHER), ada.erase(RECORD)];
    for entry in &batch {
        store.put(std::slice::from_ref(entry), SEEN_MS)?;
    }
    store.sync()?;
    let store = bed.reopen(store)?;
    let orders: Vec<_> = store.erasures(ada.origin(), 9)?.into_iter().collect();
    let expected = [(RECORD, batch[3].header().at), (OTHER, batch[2].header().at)];
    holds(orders == expected, "each record with the last place")?;
    holds(store.erasures(ada.origin(), 1)?.len() == 1, "no more than asked for")?;
    holds(store.erasures(Origin(2), 9)?.is_empty(), "nobody else ordered any")
}

fn how_far_erasures_are_carried_out_starts_at_nothing_and_stays<B: StoreBed>(bed: &mut B) -> Claimed {
    let store = bed.create()?;
    holds(store.erased_through()? == Cursor(0), "a new store has carried out none")?;
    store.put(&Author::new(1).batch(3, 10), SEEN_MS)?;
    store.set_erased_through(Cursor(3))?;
    store.sync()?;
    let store = bed.reopen(store)?;
    holds(store.erased_through()? == Cursor(3), "it is remembered")
}

fn the_last_receipt_of_a_member_stays<B: StoreBed>(bed: &mut B) -> Claimed {
    let store = bed.create()?;
    let receipt = |byte| v1::SignedReceipt { receipt: vec![byte; 40], signature: vec![byte; 64] };
    store.put_receipts(&[(Origin(1), receipt(1)), (Origin(2), receipt(2))])?;
    store.put_receipts(&[(Origin(1), receipt(3))])?;
    store.sync()?;
    let store = bed.reopen(store)?;
    let kept: Vec<_> = store.receipts()?.into_iter().collect();
    holds(kept == [(Origin(1), receipt(3)), (Origin(2), receipt(2))], "one of each member, the last")
}

fn an_erased_lock_keeps_its_head_its_requests_and_all_other_payloads<B: LockBed>(bed: &mut B) -> Claimed {
    let mut lock = bed.create()?;
    let mut ada = Author::new(1);
    let (mut head, mut signed) = (None, Vec::new());
    for _ in 0..10 {
        let batch = ada.batch(8, 60);
        head = Some(lock.replace(head.as_ref(), &batch)?);
        signed.extend(batch);
    }
    let targets: Vec<_> = signed.iter().step_by(7).map(|entry| entry.header().at).collect();
    let beyond = Position { epoch: 1, seq: 999 };
    lock.erase(&[targets.as_slice(), &[beyond]].concat())?;
    let wire = |entry: &Verified| {
        if targets.contains(&entry.header().at) { bare(entry) } else { entry.to_wire() }
    };
    let mut left: Vec<_> = signed.iter().map(wire).collect();
    holds(lock.since(None, 999)? == left, "the payloads named are gone, and nothing else")?;
    holds(lock.load()? == head, "the head stays")?;
    lock.erase(&targets)?;
    let more = ada.batch(3, 60);
    head = Some(lock.replace(head.as_ref(), &more)?);
    left.extend(more.iter().map(Verified::to_wire));
    let mut lock = bed.crash(lock)?;
    holds(lock.load()? == head && lock.since(None, 999)? == left, "it is durable, and the log goes on")?;
    for entry in signed.iter().chain(&more) {
        let at = entry.header().at;
        holds(lock.position_of(&Author::request_id(at)) == Some(at), "requests are remembered")?;
        let before = (at.seq > 1).then(|| Position { epoch: 1, seq: at.seq - 1 });
        let found = lock.since(before, 1)?;
        holds(found.len() == 1 && found[0] == left[at.seq as usize - 1], "each entry is found at its place")?;
    }
    Ok(())
}
