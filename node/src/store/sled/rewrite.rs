//! Writing a database anew, so that nothing is left of what was erased from it.
//!
//! The problem: sled appends, and what a row held before stays in its files until their space is used again, which may
//! be never. The rule: a database from which something was erased says so in a row, and is copied row by row into a
//! fresh one when it is opened next; the old files are removed. The copy stands whole and durable before it takes the
//! old one's name, so that a crash at any step leaves one of the two. It must never be done while somebody else has the
//! database open.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use crate::store::{
    StoreError,
    sled::{STEP_BYTES, WRITE_FACTOR, contained::Contained},
    space::Space,
};

/// Ends the name of a copy that is not whole.
const FRESH: &str = "fresh";
/// Ends the name of what a whole copy takes the place of.
const STALE: &str = "stale";

/// A row: key and value.
type Row = (::sled::IVec, ::sled::IVec);

/// Finishes what a crash has left of a rewrite. To be called before the database is opened.
///
/// # Errors
/// [`StoreError::Io`].
pub(crate) fn finish_rewrite(dir: &Path) -> Result<(), StoreError> {
    let (fresh, stale) = (beside(dir, FRESH), beside(dir, STALE));
    // The old one gives up its name only to a copy that is whole.
    let outcome = if stale.exists() && !dir.exists() { fs::rename(&fresh, dir) } else { removed(&fresh) };
    outcome
        .and_then(|()| sync_parent(dir))
        .and_then(|()| removed(&stale))
        .map_err(StoreError::io("finishing the rewrite of a database"))
}

/// Copies the database in `dir`, which nobody has open, into a fresh one in its place; all rows but the one with the
/// key `mark`. Returns whether there was room to do it.
///
/// # Errors
/// [`StoreError`] of either database; the old one is unchanged.
pub(crate) fn rewrite(
    dir: &Path,
    cache_bytes: u64,
    mark: &[u8],
    space: &dyn Space,
) -> Result<bool, StoreError> {
    let bytes = size_of(dir).map_err(StoreError::io("measuring a database"))? * WRITE_FACTOR;
    match space.admit(bytes) {
        Err(StoreError::Full { .. }) => {
            tracing::warn!(dir = %dir.display(), bytes, "no room to write a database anew; erased bytes stay in it");
            return Ok(false);
        }
        other => other?,
    }
    tracing::info!(dir = %dir.display(), "writing a database anew, without what was erased");
    let outcome = copy(dir, &beside(dir, FRESH), cache_bytes, mark);
    space.settle(bytes);
    outcome?;
    let (fresh, stale) = (beside(dir, FRESH), beside(dir, STALE));
    fs::rename(dir, &stale)
        .and_then(|()| fs::rename(&fresh, dir))
        .and_then(|()| sync_parent(dir))
        .and_then(|()| removed(&stale))
        .map_err(StoreError::io("putting a rewritten database in place"))?;
    Ok(true)
}

fn copy(from: &Path, to: &Path, cache_bytes: u64, mark: &[u8]) -> Result<(), StoreError> {
    let old = Contained::open(from, cache_bytes)?;
    let new = Contained::open(to, cache_bytes)?;
    let mut after: Option<::sled::IVec> = None;
    loop {
        let rows = old.run(|tree| Ok(step(tree, after.as_deref())?))?;
        let Some((last, _)) = rows.last() else { break };
        after = Some(last.clone());
        let mut batch = ::sled::Batch::default();
        for (key, value) in rows.into_iter().filter(|(key, _)| **key != *mark) {
            batch.insert(key, value);
        }
        new.write(|tree| {
            tree.apply_batch(batch)?;
            tree.flush()?;
            Ok(())
        })?;
    }
    drop(new);
    // What was flushed may still be in the kernel's cache only.
    let flushed = File::open(to.join("db")).and_then(|file| file.sync_all());
    flushed.and_then(|()| File::open(to)?.sync_all()).map_err(StoreError::io("flushing a rewritten database"))
}

/// The next rows after a key, as many as one step may hold.
fn step(tree: &::sled::Tree, after: Option<&[u8]>) -> ::sled::Result<Vec<Row>> {
    let mut rows = Vec::new();
    let mut bytes = 0;
    let from = after.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
    for row in tree.range::<&[u8], _>((from, std::ops::Bound::Unbounded)) {
        let (key, value) = row?;
        bytes += (key.len() + value.len()) as u64;
        if bytes > STEP_BYTES && !rows.is_empty() {
            break;
        }
        rows.push((key, value));
    }
    Ok(rows)
}

fn beside(dir: &Path, suffix: &str) -> PathBuf {
    let mut name = dir.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}

fn removed(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn sync_parent(dir: &Path) -> io::Result<()> {
    dir.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())
}

/// Bytes of all files in a folder and its folders.
fn size_of(dir: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for file in fs::read_dir(dir)? {
        let file = file?;
        let found = file.metadata()?;
        bytes += if found.is_dir() { size_of(&file.path())? } else { found.len() };
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{
        EntryStore as _, NoGuard, SledStore,
        conformance::{Author, SEEN_MS},
        sled::rows::UNPURGED_KEY,
    };

    const CACHE: u64 = 8 * 1_024 * 1_024;

    fn open(dir: &Path) -> SledStore {
        SledStore::open(dir, CACHE, std::sync::Arc::new(NoGuard)).expect("a store")
    }

    /// Whether 32 bytes that only this payload holds are in any file of the folder.
    fn holds(dir: &Path, content: &[u8]) -> bool {
        let files = fs::read_dir(dir).expect("a folder").map(|file| file.expect("a file").path());
        files.into_iter().any(|path| {
            if path.is_dir() {
                return holds(&path, content);
            }
            let bytes = fs::read(path).expect("a file");
            bytes.windows(32).any(|window| window == &content[..32])
        })
    }

    #[test]
    fn after_the_next_opening_nothing_is_left_of_what_was_erased_and_all_else_is_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let dir = folder.path().join("store");
        let entries = Author::new(1).batch(600, 2_000);
        let contents: Vec<_> =
            entries.iter().map(|entry| entry.payload().expect("a payload").content.clone()).collect();
        let store = open(&dir);
        let id = store.store_id();
        store.put(&entries, SEEN_MS).expect("a put");
        store.erase(&[(entries[7].header().origin, entries[7].header().at)]).expect("an erasure");
        store.set_erased_through(crate::store::Cursor(600)).expect("a mark");
        drop(store);
        assert!(holds(&dir, &contents[7]), "sled keeps what a row held: that is why this is done");
        let store = open(&dir);
        assert!(!holds(&dir, &contents[7]), "nothing is left");
        assert!(holds(&dir, &contents[8]), "and the search would find it");
        assert_eq!(store.store_id(), id, "it is the same incarnation");
        assert_eq!(store.erased_through().expect("a mark"), crate::store::Cursor(600));
        let found = store.range(entries[0].header().origin, 1, 1, 600, usize::MAX).expect("entries");
        for (found, entry) in found.iter().zip(&entries) {
            let erased = entry.header().at.seq == 8;
            let expected = if erased { entry.to_wire_without_payload() } else { entry.to_wire() };
            assert_eq!(*found, expected);
        }
        assert_eq!(found.len(), 600);
    }

    #[test]
    fn a_crash_between_any_two_steps_leaves_one_whole_database() {
        let folder = tempfile::tempdir().expect("a folder");
        let dir = folder.path().join("store");
        let entries = Author::new(1).batch(5, 100);
        open(&dir).put(&entries, SEEN_MS).expect("a put");
        let is_whole = || open(&dir).cursor() == crate::store::Cursor(5) && !beside(&dir, STALE).exists();
        // Killed while it copied.
        fs::create_dir(beside(&dir, FRESH)).expect("a folder");
        assert!(is_whole() && !beside(&dir, FRESH).exists());
        // Killed between the two renames.
        copy(&dir, &beside(&dir, FRESH), CACHE, UNPURGED_KEY).expect("a copy");
        fs::rename(&dir, beside(&dir, STALE)).expect("a rename");
        assert!(is_whole());
        // Killed before the old one was removed.
        copy(&dir, &beside(&dir, STALE), CACHE, UNPURGED_KEY).expect("a copy");
        assert!(is_whole());
    }
}
