//! What an import will do: the source compared with what is published from it. Nothing is sent here.

use std::collections::{BTreeMap, BTreeSet};

use wego_proto::{
    id::{CityId, RecordId},
    record::v1::Relation,
    v1::RecordSummary,
};

use super::{
    Item, Reading,
    identity::{Finder, Known},
};

/// Why a record was withdrawn by an import; what a person withdrew stays withdrawn.
const GONE: &str = "no longer in the source";
/// How a part names its whole.
const PART_OF: &str = "part_of";

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
    /// In the source, but removed here by a person.
    pub(crate) held: Vec<Held>,
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

/// A record that stays away.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) step: Step,
    /// How it was removed.
    pub(crate) why: &'static str,
    /// The record it becomes when it is restored and another has become that one.
    spare: RecordId,
}

/// A record to withdraw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gone {
    pub(crate) record_id: RecordId,
    pub(crate) identifier: String,
}

impl Plan {
    /// Compares `reading` with all datasets of `owner`, withdrawn and erased ones included: an erased one no longer
    /// says which source it came from.
    pub(crate) fn new(
        reading: &mut Reading,
        listed: &[RecordSummary],
        owner: &CityId,
        source: &str,
        unchanged: Unchanged,
    ) -> Self {
        let known: Known<'_> = listed
            .iter()
            .filter_map(|record| Some((RecordId::try_from(record.record_id.as_slice()).ok()?, record)))
            .collect();
        let mut found = Finder::new(owner, source, &known).find(std::mem::take(&mut reading.items));
        relate(&mut found, reading);
        let ours = |record: &RecordSummary| {
            record.source_id == source && !record.retracted && record.erased_by.is_none()
        };
        let mut standing: BTreeMap<RecordId, &RecordSummary> =
            known.iter().filter(|(_, record)| ours(record)).map(|(id, record)| (*id, *record)).collect();
        let mut plan = Self { published: standing.len(), ..Default::default() };
        for (record_id, item) in found {
            standing.remove(&record_id);
            let before = known.get(&record_id);
            let same = before.is_some_and(|record| record.source_hash == item.source_hash);
            let step = Step { record_id, item };
            match before {
                None => plan.add.push(step),
                Some(record) if is_removed(record, source) => {
                    let spare = format!("{}\u{1f}{}", step.item.identifier, step.item.source_hash);
                    let spare = RecordId::imported(owner, source, &spare);
                    let why = if record.erased_by.is_some() { "erased" } else { "withdrawn by hand" };
                    plan.held.push(Held { step, why, spare });
                }
                Some(record) if !record.retracted && same && unchanged == Unchanged::Leave => {
                    plan.unchanged += 1
                }
                Some(_) => plan.change.push(step),
            }
        }
        if reading.unknown == 0 {
            let skipped: BTreeSet<&str> = reading.skipped.iter().map(String::as_str).collect();
            let ids: BTreeSet<RecordId> =
                skipped.iter().map(|name| RecordId::imported(owner, source, name)).collect();
            let gone = standing
                .into_iter()
                .filter(|(id, record)| !ids.contains(id) && !skipped.contains(record.identifier.as_str()));
            plan.withdraw = gone
                .map(|(record_id, record)| Gone { record_id, identifier: record.identifier.clone() })
                .collect();
        }
        plan
    }

    /// Brings back what a person removed.
    pub(crate) fn restore(&mut self) {
        let mut restored = BTreeSet::new();
        for held in std::mem::take(&mut self.held) {
            let first = restored.insert(held.step.record_id);
            let record_id = if first { held.step.record_id } else { held.spare };
            self.change.push(Step { record_id, ..held.step });
        }
    }

    /// Whether more than `percent` of what is published would be withdrawn.
    pub(crate) fn withdraws_over(&self, percent: u32) -> bool {
        self.withdraw.len() * 100 > self.published * percent as usize
    }
}

/// The reason an import gives for withdrawing what is gone from `source`.
pub(crate) fn gone_from(source: &str) -> String {
    format!("{GONE} {source}")
}

/// Whether a person, or the federation, removed a record: only `--restore` brings it back.
pub(super) fn is_removed(record: &RecordSummary, source: &str) -> bool {
    record.erased_by.is_some() || (record.retracted && record.retract_reason != gone_from(source))
}

/// Turns the name of a whole into its record, where the file has exactly one of that name.
fn relate(found: &mut [(RecordId, Item)], reading: &mut Reading) {
    let mut by_name: BTreeMap<String, Option<RecordId>> = BTreeMap::new();
    for (id, item) in found.iter() {
        by_name.entry(item.identifier.clone()).and_modify(|known| *known = None).or_insert(Some(*id));
    }
    for (id, item) in found {
        let Some(whole) = item.part_of.take() else { continue };
        match by_name.get(&whole).copied().flatten().filter(|whole| whole != id) {
            Some(whole) => {
                let relation = Relation { r#type: PART_OF.to_owned(), target: whole.to_string() };
                item.dataset.core.get_or_insert_default().relations.push(relation);
            }
            None => reading.left_out("isPartOf (no single dataset of this file)", &item.at),
        }
    }
}
