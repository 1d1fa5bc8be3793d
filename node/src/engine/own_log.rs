//! The own log in its two places, the lock and the store: what one has lost comes from the other, or from what can
//! still be read of a lock that was damaged.

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

use crate::clock::now_ms;
use crate::store::{EntryStore, HeadLock, LockedHead, StoreError, entry_hash, extends};

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
            store.put(&run.into_entries(), now_ms())?;
        }
    }
}

/// Puts into the store what follows the own log there, of `entries` that were read in a damaged lock: the lock has them
/// from there at the next step of the start. Returns how many.
///
/// # Errors
/// [`StoreError`]; what was put stays.
pub fn salvage_own(
    lock: &mut dyn HeadLock,
    store: &dyn EntryStore,
    me: Origin,
    roster: &History,
    entries: impl IntoIterator<Item = v1::Entry>,
) -> Result<u64, StoreError> {
    match restore_own(lock, store, me, roster) {
        Ok(_) => {}
        // There is a later start, when there is space.
        Err(StoreError::Full { .. }) => return Ok(0),
        Err(error) => return Err(error),
    }
    let mut salvage = Salvage { store, me, roster: roster.clone(), head: None, batch: Vec::new(), put: 0 };
    learn_epochs(&mut salvage.roster, store, me)?;
    salvage.head = newest_head(store, me)?;
    let taken = entries.into_iter().try_for_each(|entry| salvage.take(entry)).and_then(|()| salvage.put());
    match taken {
        // Good checksums, and not what was written: what comes after it cannot follow either.
        Err(error) if error.is_corrupt() => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "not all of the journal could be salvaged"
            );
        }
        Ok(()) | Err(StoreError::Full { .. }) => {}
        Err(error) => return Err(error),
    }
    Ok(salvage.put)
}

/// Puts own entries into the store, one after the other, as far as each follows what is there.
struct Salvage<'store> {
    store: &'store dyn EntryStore,
    me: Origin,
    roster: History,
    /// Of the store and the batch.
    head: Option<LockedHead>,
    batch: Vec<v1::Entry>,
    put: u64,
}

impl Salvage<'_> {
    fn take(&mut self, entry: v1::Entry) -> Result<(), StoreError> {
        let Ok(parsed) = Unverified::parse(entry.clone()) else { return Ok(()) };
        if parsed.header().epoch_start.is_some() {
            // What it continues from is asked of the store.
            self.put()?;
        }
        if self.follows(&parsed)? {
            self.head = Some(LockedHead { at: parsed.header().at, hash: parsed.hash() });
            self.batch.push(entry);
        }
        if self.batch.len() >= REPUT_MAX { self.put() } else { Ok(()) }
    }

    /// Whether an entry may stand after the head, and an opening has what it continues from before it.
    fn follows(&self, entry: &Unverified) -> Result<bool, StoreError> {
        let header = entry.header();
        if !extends(self.me, self.head.as_ref(), header) {
            return Ok(false);
        }
        let Some(start) = header.epoch_start.as_ref().filter(|start| start.base.seq > 0) else {
            return Ok(true);
        };
        let base = self.store.entry(self.me, start.base)?;
        Ok(base.is_some_and(|base| entry_hash(&base) == start.base_hash))
    }

    fn put(&mut self) -> Result<(), StoreError> {
        for run in own_runs(std::mem::take(&mut self.batch), &mut self.roster, "salvaged entry")? {
            let entries = run.into_entries();
            self.store.put(&entries, now_ms())?;
            self.put += entries.len() as u64;
        }
        Ok(())
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
    // What is missing may begin in the middle of an epoch.
    learn_epochs(&mut roster, store, me)?;
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
    Ok(newest_head(store, me)?.map(|head| head.at))
}

fn newest_head(store: &dyn EntryStore, me: Origin) -> Result<Option<LockedHead>, StoreError> {
    let heads = store.heads()?.into_iter().filter(|((origin, _), _)| *origin == me);
    let heads = heads.map(|((_, epoch), (seq, hash))| LockedHead { at: Position { epoch, seq }, hash });
    Ok(heads.max_by_key(|head| head.at))
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
