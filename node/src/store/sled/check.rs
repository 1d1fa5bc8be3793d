//! The light check when the database is opened: do heads, entries and cursor fit together.
//!
//! It costs a few reads for each log, and finds rows that were lost or garbled at the ends, where losses are.
//! It must never repair: a store that does not fit together is set aside and built again.

use ::sled::Tree;
use wego_proto::id::{Hash, StoreId};

use crate::store::{
    Heads, StoreError, chain,
    sled::{contained::Failure, rows},
};

/// What is kept in memory of an open database.
#[derive(Debug)]
pub(super) struct Index {
    pub(super) store_id: StoreId,
    pub(super) heads: Heads,
    pub(super) cursor: u64,
    /// Entries that arrived and were set aside.
    pub(super) set_aside: u64,
}

impl Index {
    /// Reads the heads and checks them; `new_id` becomes the id of an empty database.
    pub(super) fn read(tree: &Tree, new_id: StoreId) -> Result<Self, Failure> {
        let store_id = match tree.get(rows::SCHEMA_KEY)? {
            Some(schema) => {
                supported(&schema)?;
                let id = tree.get(rows::STORE_ID_KEY)?.ok_or(corrupt("store id"))?;
                StoreId::try_from(&*id).map_err(|_| corrupt("store id"))?
            }
            None if tree.is_empty() => create(tree, new_id)?,
            None => return Err(corrupt("schema version").into()),
        };
        let mut heads = Heads::new();
        for row in tree.scan_prefix([rows::HEAD]) {
            let (key, row) = row?;
            heads.insert(rows::read_log_key(&key)?, rows::read_head(&row)?);
        }
        let cursor = tree.get(rows::CURSOR_KEY)?.ok_or(corrupt("cursor"))?;
        let set_aside = tree.get(rows::SET_ASIDE_KEY)?.map_or(Ok(0), |row| rows::read_cursor(&row))?;
        let index = Self { store_id, heads, cursor: rows::read_cursor(&cursor)?, set_aside };
        index.check(tree)?;
        Ok(index)
    }

    /// Whether heads, last entries, arrivals and cursor say the same.
    pub(super) fn check(&self, tree: &Tree) -> Result<(), Failure> {
        self.check_entries(tree)?;
        // Sequences have no gaps, so the heads tell how many entries have arrived and are still there.
        let entries = self.heads.values().map(|(seq, _)| seq).sum::<u64>() + self.set_aside;
        let last_run = tree.range(rows::run_key(0)..=rows::run_key(u64::MAX)).next_back().transpose()?;
        let arrived = match last_run {
            None => 0,
            Some((key, row)) => rows::read_run_key(&key)?.saturating_add(rows::read_run(&row)?.entries),
        };
        if entries != self.cursor || arrived != self.cursor {
            return Err(corrupt("cursor").into());
        }
        Ok(())
    }

    fn check_entries(&self, tree: &Tree) -> Result<(), Failure> {
        let mut first_key = tree.get_gt([rows::ENTRY])?.map(|(key, _)| key);
        for (&(origin, epoch), &(seq, hash)) in &self.heads {
            if first_key.as_deref() != Some(&rows::entry_key(origin, epoch, 1)) {
                return Err(corrupt("first entry of a log").into());
            }
            let last = rows::entry_key(origin, epoch, seq);
            let entry = tree.get(last)?.ok_or(corrupt("last entry of a log"))?;
            if hash_of(&entry)? != hash {
                return Err(corrupt("last entry of a log").into());
            }
            first_key = tree.get_gt(last)?.map(|(key, _)| key);
        }
        match first_key {
            Some(key) if key.first() == Some(&rows::ENTRY) => Err(corrupt("head of a log").into()),
            _ => Ok(()),
        }
    }
}

/// The hash of stored bytes.
pub(super) fn hash_of(bytes: &[u8]) -> Result<Hash, StoreError> {
    chain::decode(bytes).map(|entry| chain::entry_hash(&entry))
}

fn supported(schema: &[u8]) -> Result<(), StoreError> {
    let found = rows::read_schema(schema)?;
    if found > rows::SCHEMA {
        return Err(StoreError::NewerFormat { what: "the entry store", found, known: rows::SCHEMA });
    }
    if found != rows::SCHEMA {
        return Err(corrupt("schema version"));
    }
    Ok(())
}

fn create(tree: &Tree, store_id: StoreId) -> Result<StoreId, Failure> {
    let mut batch = ::sled::Batch::default();
    batch.insert(rows::SCHEMA_KEY, &rows::SCHEMA.to_be_bytes());
    batch.insert(rows::STORE_ID_KEY, store_id.as_bytes());
    batch.insert(rows::CURSOR_KEY, &0_u64.to_be_bytes());
    tree.apply_batch(batch)?;
    tree.flush()?;
    Ok(store_id)
}

fn corrupt(what: &'static str) -> StoreError {
    StoreError::Corrupt { what }
}
