//! What an index says of itself in each commit: which store it was built from, by which rules, and how far.
//!
//! It travels in the payload of the commit, so that it can never be ahead of or behind the documents.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wego_proto::{
    epochs,
    id::{Origin, Position, StoreId},
};

use super::schema::SCHEMA_VERSION;

/// The payload of a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    schema: u32,
    store_id: String,
    /// Up to where the store was indexed.
    pub(super) cursor: u64,
    /// Epochs that began elsewhere than at the end of the one before.
    pub(super) epochs: Epochs,
    /// Documents that were erased may still lie in segments, marked as deleted.
    #[serde(default)]
    pub(super) unpurged: bool,
}

impl Mark {
    pub(super) fn new(store_id: StoreId, cursor: u64, epochs: Epochs) -> Self {
        Self { schema: SCHEMA_VERSION, store_id: store_id.to_string(), cursor, epochs, unpurged: false }
    }

    /// Reads a payload; `None` when it is of other rules or another store.
    pub(super) fn read(payload: &str, store_id: StoreId) -> Option<Self> {
        let mark: Self = serde_json::from_str(payload).ok()?;
        let ours = mark.schema == SCHEMA_VERSION && mark.store_id == store_id.to_string();
        ours.then_some(mark)
    }

    pub(super) fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Where later epochs of each owner began. What the owner wrote after that place in an earlier epoch is void.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Epochs(BTreeMap<u32, BTreeMap<u32, (u32, u64)>>);

impl Epochs {
    /// Remembers that `origin` began `epoch` after `base`.
    pub(super) fn begin(&mut self, origin: Origin, epoch: u32, base: Position) -> Begun {
        let before = self.counting(origin);
        let place = (base.epoch, base.seq);
        if self.0.entry(origin.0).or_default().insert(epoch, place) == Some(place) {
            return Begun::Known;
        }
        let after = self.counting(origin);
        if epochs::brings_back(&before, &after, epoch) { Begun::BringsBack } else { Begun::News }
    }

    /// Whether a later epoch made the entry there void.
    pub(super) fn is_void(&self, origin: Origin, at: Position) -> bool {
        self.0.contains_key(&origin.0) && !epochs::counts(&self.counting(origin), at)
    }

    fn counting(&self, origin: Origin) -> BTreeMap<u32, u64> {
        let bases = self.0.get(&origin.0).into_iter().flatten();
        epochs::counting(
            &bases.map(|(number, (epoch, seq))| (*number, Position { epoch: *epoch, seq: *seq })).collect(),
        )
    }
}

/// What an opening says that was not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begun {
    /// Nothing.
    Known,
    /// An epoch; it may make something void.
    News,
    /// Something that was void counts again.
    BringsBack,
}

#[cfg(test)]
mod tests {
    use super::*;

    const CITY: Origin = Origin(3);

    fn at(epoch: u32, seq: u64) -> Position {
        Position { epoch, seq }
    }

    #[test]
    fn a_mark_of_another_store_or_schema_is_not_ours() {
        let store = StoreId::new([1; 16]);
        let mark = Mark::new(store, 7, Epochs::default());
        assert_eq!(Mark::read(&mark.write(), store), Some(mark.clone()));
        assert_eq!(Mark::read(&mark.write(), StoreId::new([2; 16])), None);
        let other = Mark { schema: SCHEMA_VERSION + 1, ..mark };
        assert_eq!(Mark::read(&other.write(), store), None);
        assert_eq!(Mark::read("", store), None);
    }

    #[test]
    fn entries_between_an_epochs_base_and_its_beginning_are_void() {
        let mut epochs = Epochs::default();
        assert_eq!(epochs.begin(CITY, 2, at(1, 5)), Begun::News);
        assert_eq!(epochs.begin(CITY, 2, at(1, 5)), Begun::Known);
        assert!(!epochs.is_void(CITY, at(1, 5)));
        assert!(epochs.is_void(CITY, at(1, 6)));
        assert!(!epochs.is_void(CITY, at(2, 1)));
        assert!(!epochs.is_void(Origin(4), at(1, 6)));
        assert_eq!(epochs.begin(CITY, 3, at(1, 4)), Begun::News);
        assert!(epochs.is_void(CITY, at(1, 5)) && epochs.is_void(CITY, at(2, 1)));
        assert_eq!(epochs.begin(CITY, 4, at(1, 9)), Begun::BringsBack);
        assert!(!epochs.is_void(CITY, at(1, 9)) && epochs.is_void(CITY, at(3, 1)));
    }
}
