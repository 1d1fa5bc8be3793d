//! The best hits and the counts of facets, over all segments of the index.
//!
//! Hits with equal points are ordered by record id, then owner: never by where they lie in the index.

use std::{
    collections::{BTreeMap, BinaryHeap},
    sync::Arc,
};

use tantivy::{
    DocId, Score, SegmentOrdinal, SegmentReader,
    collector::{Collector, SegmentCollector},
    columnar::{ColumnValues, StrColumn},
};
use wego_catalogue::kind;

use super::{
    Facets,
    query::Filter,
    schema::{TEXT_FACETS, column},
};

/// Values of a facet that are told, most frequent first.
pub(super) const FACET_VALUES_MAX: usize = 50;

/// One hit; the greater is the worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ranked {
    points: std::cmp::Reverse<u32>,
    pub(super) id: u128,
    pub(super) origin: u64,
    pub(super) epoch: u64,
    pub(super) seq: u64,
    pub(super) kind: u64,
}

impl Ranked {
    pub(super) const fn points(&self) -> u32 {
        self.points.0
    }
}

type Counts = BTreeMap<&'static str, BTreeMap<String, u64>>;

/// All that one search gathers.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// The best hits, best first.
    pub(super) best: Vec<Ranked>,
    /// How many there are.
    pub(super) total: u64,
    /// How often each value of each facet occurs among them.
    pub(super) counts: Counts,
}

/// Keeps the best `keep` hits, and counts facets if asked to.
#[derive(Debug, Clone, Copy)]
pub(super) struct BestFirst {
    pub(super) keep: usize,
    pub(super) facets: Facets,
}

impl Collector for BestFirst {
    type Fruit = Gathered;
    type Child = InSegment;

    fn for_segment(&self, _: SegmentOrdinal, segment: &SegmentReader) -> tantivy::Result<InSegment> {
        let columns = segment.fast_fields();
        let number = |name| columns.column_first_or_default::<u64>(name);
        let tally = match self.facets {
            Facets::Skip => None,
            Facets::Count => Some(Tally::new(segment)?),
        };
        Ok(InSegment {
            keep: self.keep,
            heap: BinaryHeap::new(),
            total: 0,
            id_high: number(column::ID_HIGH)?,
            id_low: number(column::ID_LOW)?,
            origin: number(column::ORIGIN)?,
            epoch: number(column::EPOCH)?,
            seq: number(column::SEQ)?,
            kind: number(column::KIND)?,
            tally,
        })
    }

    fn requires_scoring(&self) -> bool {
        true
    }

    fn merge_fruits(&self, segments: Vec<tantivy::Result<Gathered>>) -> tantivy::Result<Gathered> {
        let mut all = Gathered::default();
        for segment in segments {
            let segment = segment?;
            all.best.extend(segment.best);
            all.total += segment.total;
            for (facet, counts) in segment.counts {
                let facet = all.counts.entry(facet).or_default();
                for (value, count) in counts {
                    *facet.entry(value).or_default() += count;
                }
            }
        }
        all.best.sort_unstable();
        all.best.truncate(self.keep);
        Ok(all)
    }
}

type Numbers = Arc<dyn ColumnValues<u64>>;

/// What is gathered in one segment.
pub(super) struct InSegment {
    keep: usize,
    heap: BinaryHeap<Ranked>,
    total: u64,
    id_high: Numbers,
    id_low: Numbers,
    origin: Numbers,
    epoch: Numbers,
    seq: Numbers,
    kind: Numbers,
    tally: Option<Tally>,
}

impl InSegment {
    fn ranked(&self, doc: DocId, points: u32) -> Ranked {
        let (high, low) = (self.id_high.get_val(doc), self.id_low.get_val(doc));
        Ranked {
            points: std::cmp::Reverse(points),
            id: (u128::from(high) << 64) | u128::from(low),
            origin: self.origin.get_val(doc),
            epoch: self.epoch.get_val(doc),
            seq: self.seq.get_val(doc),
            kind: self.kind.get_val(doc),
        }
    }
}

impl SegmentCollector for InSegment {
    type Fruit = tantivy::Result<Gathered>;

    fn collect(&mut self, doc: DocId, score: Score) {
        self.total += 1;
        if let Some(tally) = &mut self.tally {
            tally.count(doc, self.kind.get_val(doc), self.origin.get_val(doc));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "points are whole and small"
        )]
        let points = score as u32;
        if self.heap.len() < self.keep {
            self.heap.push(self.ranked(doc, points));
        } else if self.heap.peek().is_some_and(|worst| points >= worst.points()) {
            self.heap.push(self.ranked(doc, points));
            self.heap.pop();
        }
    }

    fn harvest(self) -> tantivy::Result<Gathered> {
        let counts = self.tally.map(Tally::counts).transpose()?.unwrap_or_default();
        Ok(Gathered { best: self.heap.into_vec(), total: self.total, counts })
    }
}

/// Counts of one segment, by numbers for as long as it is counted.
struct Tally {
    kinds: BTreeMap<u64, u64>,
    origins: BTreeMap<u64, u64>,
    texts: Vec<(Filter, StrColumn, Vec<u64>)>,
}

impl Tally {
    fn new(segment: &SegmentReader) -> tantivy::Result<Self> {
        let mut texts = Vec::new();
        for facet in TEXT_FACETS {
            if let Some(values) = segment.fast_fields().str(facet.name())? {
                let counts = vec![0; values.num_terms()];
                texts.push((facet, values, counts));
            }
        }
        Ok(Self { kinds: BTreeMap::new(), origins: BTreeMap::new(), texts })
    }

    fn count(&mut self, doc: DocId, kind: u64, origin: u64) {
        // What was erased has none.
        if kind != 0 {
            *self.kinds.entry(kind).or_default() += 1;
        }
        *self.origins.entry(origin).or_default() += 1;
        for (_, values, counts) in &mut self.texts {
            for ordinal in values.term_ords(doc) {
                if let Some(count) = usize::try_from(ordinal).ok().and_then(|at| counts.get_mut(at)) {
                    *count += 1;
                }
            }
        }
    }

    fn counts(self) -> tantivy::Result<Counts> {
        let kinds = self.kinds.into_iter().map(|(number, count)| (kind_word(number), count));
        let origins = self.origins.into_iter().map(|(origin, count)| (origin.to_string(), count));
        let mut counts =
            Counts::from([(Filter::Kind.name(), kinds.collect()), (Filter::City.name(), origins.collect())]);
        for (facet, values, ordinals) in self.texts {
            let found = counts.entry(facet.name()).or_default();
            for (ordinal, count) in (0..).zip(ordinals).filter(|(_, count)| *count > 0) {
                let mut value = String::new();
                values.ord_to_str(ordinal, &mut value)?;
                found.insert(value, count);
            }
        }
        Ok(counts)
    }
}

fn kind_word(number: u64) -> String {
    let known = u32::try_from(number).ok().and_then(kind::from_number);
    known.map_or("", kind::word).to_owned()
}

/// The most frequent values of each facet, equal counts by value.
pub(super) fn most_frequent(counts: Counts) -> BTreeMap<&'static str, Vec<(String, u64)>> {
    let sorted = counts.into_iter().map(|(facet, counts)| {
        let mut values: Vec<(String, u64)> = counts.into_iter().collect();
        values.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        values.truncate(FACET_VALUES_MAX);
        (facet, values)
    });
    sorted.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_most_frequent_values_of_a_facet_are_told() {
        let values = (0..=FACET_VALUES_MAX as u64).map(|n| (format!("{n:03}"), n));
        let told = most_frequent(Counts::from([("topic", values.collect())]));
        assert_eq!(told["topic"].len(), FACET_VALUES_MAX);
        assert_eq!(told["topic"][0], (format!("{FACET_VALUES_MAX:03}"), FACET_VALUES_MAX as u64));
        assert!(!told["topic"].iter().any(|(_, count)| *count == 0));
    }
}
