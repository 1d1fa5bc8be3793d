//! Which record a dataset of the source is, where several may bear one identifier.
//!
//! The problem: portals give one identifier to many datasets, in another order every month, and some months only one
//! of them is there. The rule: a dataset is the record that said the same, else that bears its title, else that has
//! its mark; a new one gets the most general name that none of the others has. Neither the order of the file nor what
//! came and went meanwhile changes that. What was erased has no title any more and is known by its marks alone, so
//! what may be an erased dataset stays away.

use std::collections::{BTreeMap, BTreeSet};

use wego_proto::{
    id::{CityId, RecordId},
    v1::RecordSummary,
};

use super::{Item, plan::is_removed};

/// Records of the owner, by id.
pub(super) type Known<'a> = BTreeMap<RecordId, &'a RecordSummary>;

/// Finds the records of datasets.
pub(super) struct Finder<'a> {
    owner: &'a CityId,
    source: &'a str,
    known: &'a Known<'a>,
    /// The source's records that stand or were withdrawn, by the identifier they show.
    shown: BTreeMap<&'a str, Vec<RecordId>>,
    taken: BTreeSet<RecordId>,
}

/// One dataset, on the way to its record.
struct Candidate {
    item: Item,
    /// Names it may have, the most general first.
    names: Vec<RecordId>,
    record: Option<RecordId>,
}

impl<'a> Finder<'a> {
    pub(super) fn new(owner: &'a CityId, source: &'a str, known: &'a Known<'a>) -> Self {
        let mut shown: BTreeMap<&str, Vec<RecordId>> = BTreeMap::new();
        for (id, record) in
            known.iter().filter(|(_, record)| record.source_id == source && record.erased_by.is_none())
        {
            shown.entry(record.identifier.as_str()).or_default().push(*id);
        }
        Self { owner, source, known, shown, taken: BTreeSet::new() }
    }

    /// The record of each, in the order of the file.
    pub(super) fn find(mut self, items: Vec<Item>) -> Vec<(RecordId, Item)> {
        let mut groups: BTreeMap<String, Vec<(usize, Candidate)>> = BTreeMap::new();
        for (at, item) in items.into_iter().enumerate() {
            let names = self.names(&item);
            let candidate = Candidate { item, names, record: None };
            groups.entry(candidate.item.identifier.clone()).or_default().push((at, candidate));
        }
        let mut found: Vec<(usize, RecordId, Item)> = Vec::new();
        for (_, group) in groups {
            let (places, mut group): (Vec<usize>, Vec<Candidate>) = group.into_iter().unzip();
            self.settle(&mut group);
            for (at, candidate) in places.into_iter().zip(group) {
                let id = candidate.record.unwrap_or_else(|| self.new_name(&candidate.item));
                found.push((at, id, candidate.item));
            }
        }
        found.sort_by_key(|(at, ..)| *at);
        found.into_iter().map(|(_, id, item)| (id, item)).collect()
    }

    /// Names a dataset may have, the most general first.
    fn names(&self, item: &Item) -> Vec<RecordId> {
        let marked = |mark: &String| {
            let name = format!("{}\u{1f}{mark}", item.identifier);
            RecordId::imported(self.owner, self.source, &name)
        };
        let plain = RecordId::imported(self.owner, self.source, &item.identifier);
        std::iter::once(plain).chain(item.marks.iter().map(marked)).collect()
    }

    fn settle(&mut self, group: &mut [Candidate]) {
        let shown = group.first().map(|first| first.item.dataset.identifier.clone()).unwrap_or_default();
        let shown = self.shown.get(shown.as_str()).cloned().unwrap_or_default();
        let hash = |item: &Item| vec![item.source_hash.clone()];
        self.match_by(group, &shown, hash, |record| vec![record.source_hash.as_str()]);
        let titles =
            |record: &'a RecordSummary| record.title.iter().map(|title| title.text.as_str()).collect();
        self.match_by(group, &shown, |item| item.titles.clone(), titles);
        self.match_by_name(group);
        self.name_new(group);
    }

    /// Gives a record to a candidate where each is the only one with a key.
    fn match_by(
        &mut self,
        group: &mut [Candidate],
        shown: &[RecordId],
        of_item: impl Fn(&Item) -> Vec<String>,
        of_record: impl Fn(&'a RecordSummary) -> Vec<&'a str>,
    ) {
        let mut records: BTreeMap<&str, Vec<RecordId>> = BTreeMap::new();
        for id in shown.iter().filter(|id| !self.taken.contains(*id)) {
            for key in self.known.get(id).map(|record| of_record(record)).unwrap_or_default() {
                records.entry(key).or_default().push(*id);
            }
        }
        let mut items: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, candidate) in group.iter().enumerate().filter(|(_, candidate)| candidate.record.is_none()) {
            for key in of_item(&candidate.item) {
                items.entry(key).or_default().push(at);
            }
        }
        for (key, at) in items {
            if let ([at], Some([id])) = (at.as_slice(), records.get(key.as_str()).map(Vec::as_slice))
                && group[*at].record.is_none()
                && !self.taken.contains(id)
            {
                self.take(&mut group[*at], *id);
            }
        }
    }

    /// By the most special name that is known. Among several, the plain identifier belongs to none of them.
    fn match_by_name(&mut self, group: &mut [Candidate]) {
        let deepest = group.iter().map(|candidate| candidate.names.len()).max().unwrap_or_default();
        let alone = group.len() == 1;
        for level in (0..deepest).rev() {
            let name = |candidate: &Candidate| candidate.names.get(level).copied();
            let mut wanted: BTreeMap<RecordId, Vec<usize>> = BTreeMap::new();
            for (at, candidate) in
                group.iter().enumerate().filter(|(_, candidate)| candidate.record.is_none())
            {
                wanted.entry(name(candidate).unwrap_or(candidate.names[0])).or_default().push(at);
            }
            for (id, wanting) in wanted {
                let Some(record) = self.known.get(&id).filter(|_| !self.taken.contains(&id)) else {
                    continue;
                };
                match wanting.as_slice() {
                    // Whichever of them it was.
                    wanting if is_removed(record, self.source) => {
                        wanting.iter().for_each(|at| group[*at].record = Some(id));
                        self.taken.insert(id);
                    }
                    [at] if level > 0 || alone => self.take(&mut group[*at], id),
                    _ => {}
                }
            }
        }
    }

    /// New ones get the most general name that no other of the group has.
    fn name_new(&mut self, group: &mut [Candidate]) {
        let mut bearers: BTreeMap<RecordId, usize> = BTreeMap::new();
        for name in group.iter().flat_map(|candidate| &candidate.names) {
            *bearers.entry(*name).or_default() += 1;
        }
        for candidate in group.iter_mut().filter(|candidate| candidate.record.is_none()) {
            let free = |id: &&RecordId| {
                bearers.get(*id) == Some(&1) && !self.taken.contains(*id) && !self.known.contains_key(*id)
            };
            if let Some(id) = candidate.names.iter().find(free).copied() {
                self.take(candidate, id);
            }
        }
    }

    fn take(&mut self, candidate: &mut Candidate, id: RecordId) {
        candidate.record = Some(id);
        self.taken.insert(id);
    }

    /// Where every name is another's: only a file made for it gets here.
    fn new_name(&mut self, item: &Item) -> RecordId {
        let mut name = format!("{}\u{1f}{}", item.identifier, item.source_hash);
        loop {
            let id = RecordId::imported(self.owner, self.source, &name);
            if self.taken.insert(id) {
                return id;
            }
            name.push('\u{1f}');
        }
    }
}
