//! The own log in its two places, the lock and the store: what one has lost comes from the other.

use wego_ledger::{
    limits::ENTRIES_PER_MESSAGE_MAX,
    log::{Head, Run},
    roster::History,
};
use wego_proto::{
    entry::Unverified,
    id::{Origin, Position},
    key::PublicKey,
    v1,
};

use crate::store::{EntryStore, HeadLock, LockedHead, StoreError};

/// Own entries put back at once.
const REPUT_MAX: usize = 256;

/// Puts the own entries that the lock has and the store lacks. Returns the heads of the epochs of which something was
/// lacking, each with its author's clock, oldest first.
///
/// # Errors
/// [`StoreError`]; what was put stays.
pub fn restore_own(
    lock: &mut dyn HeadLock,
    store: &dyn EntryStore,
    me: Origin,
    roster: &History,
) -> Result<Vec<(Head, u64)>, StoreError> {
    let mut roster = roster.clone();
    learn_epochs(&mut roster, store, me)?;
    let mut after = newest(store, me)?;
    let mut restored: Vec<(Head, u64)> = Vec::new();
    loop {
        let entries = lock.since(after, REPUT_MAX)?;
        if entries.is_empty() {
            return Ok(restored);
        }
        for run in own_runs(entries, &mut roster, "own-log journal")? {
            let last = run.last();
            let head = Head { at: last.header().at, hash: last.hash() };
            after = Some(head.at);
            restored.retain(|(known, _)| known.at.epoch != head.at.epoch);
            restored.push((head, last.header().hlc_ms));
            store.put(&run.into_entries())?;
        }
    }
}

/// Puts own entries back into the lock that only the store has: a disk that took a flush and lost it cut them off
/// there. Without this the node would sign on top of them and no lock would take it.
///
/// Returns the lock's head, and whether it had lost anything.
///
/// # Errors
/// [`StoreError`]; what was put back stays.
pub(super) fn restore_lock(
    lock: &mut dyn HeadLock,
    store: &dyn EntryStore,
    me: Origin,
    roster: &History,
) -> Result<(Option<LockedHead>, bool), StoreError> {
    let mut roster = roster.clone();
    let mut lost = false;
    let epochs: Vec<_> =
        store.heads()?.keys().filter(|(origin, _)| *origin == me).map(|(_, epoch)| *epoch).collect();
    for epoch in epochs {
        loop {
            let locked = lock.load()?;
            let next = match locked {
                Some(head) if head.at.epoch > epoch => break,
                Some(head) if head.at.epoch == epoch => head.at.seq.saturating_add(1),
                _ => 1,
            };
            let last = next.saturating_add(REPUT_MAX as u64 - 1);
            let entries = store.range(me, epoch, next, last, usize::MAX)?;
            if entries.is_empty() {
                break;
            }
            lost = true;
            for run in own_runs(entries, &mut roster, "own entry")? {
                let locked = lock.load()?;
                tracing::warn!(
                    entries = run.len(),
                    "own entries were missing in the journal; put back from the store"
                );
                lock.replace(locked.as_ref(), &run.into_entries())?;
            }
        }
    }
    Ok((lock.load()?, lost))
}

/// The log key that the own log goes on with, as far as lock and store know.
///
/// # Errors
/// [`StoreError`].
pub fn key_in_force(
    lock: &mut dyn HeadLock,
    store: &dyn EntryStore,
    me: Origin,
    roster: &History,
) -> Result<Option<PublicKey>, StoreError> {
    match restore_own(lock, store, me, roster) {
        Ok(_) | Err(StoreError::Full { .. }) => {}
        Err(error) => return Err(error),
    }
    let mut roster = roster.clone();
    learn_epochs(&mut roster, store, me)?;
    let tip = roster.epochs(me).tip();
    let at = newest(store, me)?.filter(|at| at.epoch == tip).unwrap_or(Position { epoch: tip, seq: 0 });
    let member = roster.member(me);
    Ok(member.and_then(|member| roster.epochs(me).key_after(member, at)).map(|(_, key)| key))
}

/// The position of the newest own entry in the store.
fn newest(store: &dyn EntryStore, me: Origin) -> Result<Option<Position>, StoreError> {
    let heads = store.heads()?;
    let own = heads.into_iter().filter(|((origin, _), _)| *origin == me);
    Ok(own.map(|((_, epoch), (seq, _))| Position { epoch, seq }).max())
}

/// Takes in the own epochs that the store knows.
fn learn_epochs(roster: &mut History, store: &dyn EntryStore, me: Origin) -> Result<(), StoreError> {
    for (origin, epoch) in store.heads()?.into_keys().filter(|(origin, _)| *origin == me) {
        if let Some(opening) = store.entry(origin, Position { epoch, seq: 1 })? {
            admit(roster, opening);
        }
    }
    Ok(())
}

fn admit(roster: &mut History, opening: v1::Entry) {
    let Ok(opening) = Unverified::parse(opening) else { return };
    let origin = opening.header().origin;
    if let Ok(epoch) = roster.judge(opening) {
        roster.hold(origin, epoch);
    }
}

/// Verifies own entries, one run for each epoch; an epoch's opening is a run of its own, so that its key is known
/// before it is asked for.
fn own_runs(
    entries: Vec<v1::Entry>,
    roster: &mut History,
    what: &'static str,
) -> Result<Vec<Run>, StoreError> {
    let corrupt = || StoreError::Corrupt { what };
    let mut groups: Vec<Vec<Unverified>> = Vec::new();
    for entry in entries {
        let entry = Unverified::parse(entry).map_err(|_| corrupt())?;
        let starts = |last: &Unverified| {
            let same = last.header().at.epoch == entry.header().at.epoch;
            !same || last.header().epoch_start.is_some()
        };
        let fits = groups.last().is_some_and(|group| {
            group.len() < ENTRIES_PER_MESSAGE_MAX && group.last().is_some_and(|last| !starts(last))
        });
        match groups.last_mut().filter(|_| fits) {
            Some(group) => group.push(entry),
            None => groups.push(vec![entry]),
        }
    }
    let mut runs = Vec::new();
    for group in groups {
        if let [opening] = group.as_slice()
            && opening.header().epoch_start.is_some()
        {
            let epoch = roster.judge(opening.clone()).map_err(|_| corrupt())?;
            roster.hold(opening.header().origin, epoch);
        }
        runs.push(Run::verify(group, roster).map_err(|_| corrupt())?);
    }
    Ok(runs)
}
