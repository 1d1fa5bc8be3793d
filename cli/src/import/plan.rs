//! What an import will do: the source compared with what is published from it. Nothing is sent here.

use std::collections::BTreeMap;

use wego_proto::{
    id::{CityId, RecordId},
    v1::RecordSummary,
};

use super::{Item, Reading};

/// Why a record was withdrawn by an import; what a person withdrew stays withdrawn.
pub(crate) const GONE: &str = "no longer in the source";

/// What to do with records whose source did not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unchanged {
    Leave,
    /// Send them too: the settings of the import changed.
    Send,
}

/// An import's steps.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) add: Vec<Step>,
    pub(crate) change: Vec<Step>,
    /// In the source, but withdrawn here: by an earlier import, or by a person.
    pub(crate) withdrawn: Vec<Step>,
    pub(crate) unchanged: usize,
    /// Published, and gone from the source.
    pub(crate) withdraw: Vec<Gone>,
    /// Published from this source before the import.
    pub(crate) published: usize,
}

/// A record to publish.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) record_id: RecordId,
    pub(crate) item: Item,
}

/// A record to withdraw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gone {
    pub(crate) record_id: RecordId,
    pub(crate) identifier: String,
}

impl Plan {
    /// Compares `reading` with the records listed from `source` of `owner`.
    pub(crate) fn new(
        reading: &mut Reading,
        listed: &[RecordSummary],
        owner: &CityId,
        source: &str,
        unchanged: Unchanged,
    ) -> Self {
        let mut known: BTreeMap<RecordId, &RecordSummary> = listed
            .iter()
            .filter_map(|record| Some((RecordId::try_from(record.record_id.as_slice()).ok()?, record)))
            .collect();
        let published = known.values().filter(|record| !record.retracted).count();
        let mut plan = Self { published, ..Default::default() };
        for item in std::mem::take(&mut reading.items) {
            let record_id = RecordId::imported(owner, source, &item.identifier);
            let before = known.remove(&record_id);
            let same = before.is_some_and(|record| record.source_hash == item.source_hash);
            let step = Step { record_id, item };
            match before {
                None => plan.add.push(step),
                Some(record) if record.retracted => plan.withdrawn.push(step),
                Some(_) if same && unchanged == Unchanged::Leave => plan.unchanged += 1,
                Some(_) => plan.change.push(step),
            }
        }
        for identifier in &reading.skipped {
            known.remove(&RecordId::imported(owner, source, identifier));
        }
        if reading.unknown == 0 {
            let gone = known.into_iter().filter(|(_, record)| !record.retracted);
            plan.withdraw = gone
                .map(|(record_id, record)| Gone { record_id, identifier: record.identifier.clone() })
                .collect();
        }
        plan
    }

    /// Whether more than `percent` of what is published would be withdrawn.
    pub(crate) fn withdraws_over(&self, percent: u32) -> bool {
        self.withdraw.len() * 100 > self.published * percent as usize
    }
}
