//! Claims about head locks.
//!
//! Every claim starts from an empty lock and must never look behind the trait.

use wego_proto::{
    entry::{PAYLOAD_BYTES_MAX, Verified},
    id::{Position, RequestId},
    v1,
};

use crate::store::{
    HeadLock, LockedHead, StoreError,
    conformance::{Author, Claimed, LockBed, holds},
};

type Claim<B> = fn(&mut B) -> Claimed;

pub(super) fn claims<B: LockBed>() -> Vec<Claim<B>> {
    vec![
        the_head_moves_by_whole_batches,
        a_head_that_has_moved_is_a_conflict,
        a_batch_that_does_not_extend_the_head_is_refused,
        everything_acknowledged_survives_a_crash,
        since_gives_what_comes_after_a_position,
        request_ids_are_remembered_over_a_crash,
        a_later_epoch_goes_on_in_the_same_log,
        the_largest_entry_is_kept,
    ]
}

fn wire(entries: &[Verified]) -> Vec<v1::Entry> {
    entries.iter().map(Verified::to_wire).collect()
}

fn head_of(entry: &Verified) -> LockedHead {
    LockedHead { at: entry.header().at, hash: entry.hash() }
}

fn the_head_moves_by_whole_batches<B: LockBed>(bed: &mut B) -> Claimed {
    let mut lock = bed.create()?;
    holds(lock.load()?.is_none(), "a new lock has no head")?;
    let batch = Author::new(1).batch(3, 50);
    let head = lock.replace(None, &batch)?;
    holds(head == head_of(&batch[2]), "the head is the batch's last entry")?;
    holds(lock.load()? == Some(head), "and is what is loaded")
}

fn a_head_that_has_moved_is_a_conflict<B: LockBed>(bed: &mut B) -> Claimed {
    let mut lock = bed.create()?;
    let mut ada = Author::new(1);
    let (first, second) = (ada.next(10), ada.next(10));
    let old = lock.replace(None, std::slice::from_ref(&first))?;
    let head = lock.replace(Some(&old), &[second])?;
    let late = ada.fork_of(&first);
    for stale in [None, Some(&old)] {
        let refused = lock.replace(stale, std::slice::from_ref(&late));
        holds(matches!(refused, Err(StoreError::Conflict)), "a stale head is refused")?;
    }
    holds(lock.load()? == Some(head), "the head is unchanged")?;
    holds(lock.since(None, 9)?.len() == 2, "nothing was written")
}

fn a_batch_that_does_not_extend_the_head_is_refused<B: LockBed>(bed: &mut B) -> Claimed {
    let mut lock = bed.create()?;
    let mut ada = Author::new(1);
    let entries = ada.batch(4, 10);
    let refused = lock.replace(None, &entries[1..2]);
    holds(matches!(refused, Err(StoreError::Gap { .. })), "a log begins with its first entry")?;
    let head = lock.replace(None, &entries[..2])?;
    let fork = ada.fork_of(&entries[2]);
    ada.go_on_from(&fork);
    let after_fork = ada.next(10);
    let stranger = Author::new(2).next(10);
    let wrong: [&[Verified]; 4] =
        [&entries[3..], &entries[1..3], &[entries[2].clone(), after_fork], &[stranger]];
    for batch in wrong {
        let refused = lock.replace(Some(&head), batch);
        holds(matches!(refused, Err(StoreError::Gap { .. })), "only what follows the head is taken")?;
        holds(lock.load()? == Some(head), "the head is unchanged")?;
    }
    lock.replace(Some(&head), &entries[2..])?;
    holds(lock.since(None, 9)? == wire(&entries), "nothing of a refused batch was written")
}

fn everything_acknowledged_survives_a_crash<B: LockBed>(bed: &mut B) -> Claimed {
    let mut lock = bed.create()?;
    let mut ada = Author::new(1);
    let (mut head, mut signed) = (None, Vec::new());
    for round in 0..8 {
        let batch = ada.batch(1 + round % 3, 100 * round);
        head = Some(lock.replace(head.as_ref(), &batch)?);
        signed.extend(wire(&batch));
        lock = bed.crash(lock)?;
        holds(lock.load()? == head, "the head is there after a crash")?;
        holds(lock.since(None, 99)? == signed, "and everything before it")?;
    }
    Ok(())
}

fn since_gives_what_comes_after_a_position<B: LockBed>(bed: &mut B) -> Claimed {
    let mut lock = bed.create()?;
    // More than the distance of two remembered places of the journal.
    let entries = Author::new(1).batch(150, 10);
    lock.replace(None, &entries)?;
    for after in [0, 1, 63, 64, 65, 149] {
        let position = Position { epoch: 1, seq: after as u64 };
        let position = (after > 0).then_some(position);
        let found = lock.since(position, 20)?;
        let until = (after + 20).min(150);
        holds(found == wire(&entries[after..until]), "the entries after it, as many as asked for")?;
    }
    let end = Position { epoch: 1, seq: 150 };
    holds(lock.since(Some(end), 20)?.is_empty(), "nothing comes after the head")?;
    holds(lock.since(None, 0)?.is_empty(), "none are given when none are asked for")
}

fn request_ids_are_remembered_over_a_crash<B: LockBed>(bed: &mut B) -> Claimed {
    let mut lock = bed.create()?;
    let entries = Author::new(1).batch(5, 10);
    lock.replace(None, &entries)?;
    for again in [false, true] {
        if again {
            lock = bed.crash(lock)?;
        }
        for entry in &entries {
            let at = entry.header().at;
            let found = lock.position_of(&Author::request_id(at));
            holds(found == Some(at), "a request leads to its entry")?;
        }
        let unknown = RequestId::new([0xEE; 16]);
        holds(lock.position_of(&unknown).is_none(), "an unknown request leads nowhere")?;
    }
    Ok(())
}

fn a_later_epoch_goes_on_in_the_same_log<B: LockBed>(bed: &mut B) -> Claimed {
    let mut lock = bed.create()?;
    let mut ada = Author::new(1);
    let first = ada.batch(3, 10);
    let head = lock.replace(None, &first)?;
    let mut second = vec![ada.open_epoch(2, first[1].header().at, first[1].hash())];
    second.extend(ada.batch(2, 10));
    let head = lock.replace(Some(&head), &second)?;
    holds(head.at == Position { epoch: 2, seq: 3 }, "the head is in the later epoch")?;
    let mut lock = bed.crash(lock)?;
    let all: Vec<_> = first.iter().chain(&second).cloned().collect();
    holds(lock.since(None, 9)? == wire(&all), "both epochs are read back")?;
    let after = Some(Position { epoch: 1, seq: 3 });
    holds(lock.since(after, 9)? == wire(&second), "the later one follows the earlier one")
}

fn the_largest_entry_is_kept<B: LockBed>(bed: &mut B) -> Claimed {
    let mut lock = bed.create()?;
    let mut ada = Author::new(1);
    let largest = ada.next(PAYLOAD_BYTES_MAX);
    let head = lock.replace(None, std::slice::from_ref(&largest))?;
    let refused = lock.replace(Some(&head), &[ada.next(PAYLOAD_BYTES_MAX + 1)]);
    holds(matches!(refused, Err(StoreError::Malformed { .. })), "what no reader takes is not written")?;
    let mut lock = bed.crash(lock)?;
    holds(lock.since(None, 9)? == [largest.to_wire()], "the largest entry is read back")
}
