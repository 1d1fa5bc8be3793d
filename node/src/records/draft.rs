//! Changes to rows that become visible all at once: reads see them over the database, nobody else does before
//! they are committed.

use std::collections::BTreeMap;

use super::failed;
use crate::store::StoreError;

/// A row: key and value.
pub(super) type Row = (Vec<u8>, Vec<u8>);

/// The database as it will be.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    rows: &'a sled::Tree,
    /// `None` where the row is removed.
    changes: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    bytes: u64,
}

impl<'a> Draft<'a> {
    pub(super) fn new(rows: &'a sled::Tree) -> Self {
        Self { rows, changes: BTreeMap::new(), bytes: 0 }
    }

    pub(super) fn row(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        if let Some(change) = self.changes.get(key) {
            return Ok(change.clone());
        }
        Ok(self.rows.get(key).map_err(failed)?.map(|value| value.to_vec()))
    }

    pub(super) fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.bytes += (key.len() + value.len()) as u64;
        self.changes.insert(key, Some(value));
    }

    pub(super) fn remove(&mut self, key: Vec<u8>) {
        self.bytes += key.len() as u64;
        self.changes.insert(key, None);
    }

    /// Bytes of all changes, a row changed twice counted twice.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// At most `max` rows from `from` on and before `end`, in order.
    pub(super) fn range(&self, from: &[u8], end: &[u8], max: usize) -> Result<Vec<Row>, StoreError> {
        let mut changed = self.changes.range(from.to_vec()..end.to_vec()).peekable();
        let mut found = Vec::new();
        for row in self.rows.range(from..end) {
            let (key, value) = row.map_err(failed)?;
            while let Some((new, change)) = changed.next_if(|(new, _)| new.as_slice() < key.as_ref()) {
                found.extend(change.clone().map(|value| (new.clone(), value)));
            }
            let change = changed.next_if(|(new, _)| new.as_slice() == key.as_ref());
            match change {
                Some((_, change)) => found.extend(change.clone().map(|value| (key.to_vec(), value))),
                None => found.push((key.to_vec(), value.to_vec())),
            }
            if found.len() >= max {
                break;
            }
        }
        if found.len() < max {
            found.extend(changed.filter_map(|(key, change)| Some((key.clone(), change.clone()?))));
        }
        found.truncate(max);
        Ok(found)
    }

    /// All rows whose key begins with `prefix`.
    pub(super) fn under(&self, prefix: &[u8]) -> Result<Vec<Row>, StoreError> {
        self.range(prefix, &after(prefix), usize::MAX)
    }

    pub(super) fn into_batch(self) -> sled::Batch {
        let mut batch = sled::Batch::default();
        for (key, change) in self.changes {
            match change {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        batch
    }
}

/// The first key after all that begin with `prefix`.
pub(super) fn after(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            break;
        }
    }
    end
}
