//! Claims about lists and their pages.

use super::sample::{Draft as Entry, Sample, adoption, dataset, id, origin, practice};
use crate::records::{Filter, LIST_PAGE_MAX, LIST_SCAN_MAX, ListError, Page, Withdrawn};
use wego_proto::{
    entry::Unverified,
    id::RecordId,
    record::v1::{AdoptionStage, RecordKind},
};

fn ids(page: &Page) -> Vec<RecordId> {
    page.records.iter().map(|record| record.record_id).collect()
}

fn mixed() -> Sample {
    Sample::of(&[
        Entry::put(1, 1, 1, &practice("practice")).entry(),
        Entry::put(1, 2, 2, &dataset("a", "portal")).entry(),
        Entry::put(1, 3, 3, &dataset("b", "other")).entry(),
        Entry::put(2, 4, 4, &dataset("c", "portal")).entry(),
        Entry::put(2, 5, 5, &adoption(1, AdoptionStage::Live)).entry(),
        Entry::put(2, 6, 6, &practice("gone")).entry(),
        Entry::retract(2, 7, 6, "ended").entry(),
    ])
}

#[test]
fn lists_are_newest_first_and_hold_what_the_filter_asks_for() {
    let records = mixed().records;
    let (kind, owner) = (Some(RecordKind::Dataset), Some(origin(1)));
    let source_id = Some("portal".to_owned());
    let all = Filter::default();
    for (filter, expected) in [
        (all.clone(), vec![5, 4, 3, 2, 1]),
        (Filter { withdrawn: Withdrawn::Shown, ..all.clone() }, vec![6, 5, 4, 3, 2, 1]),
        (Filter { kind, ..all.clone() }, vec![4, 3, 2]),
        (Filter { owner, ..all.clone() }, vec![3, 2, 1]),
        (Filter { kind, owner, ..all.clone() }, vec![3, 2]),
        (Filter { owner, source_id: source_id.clone(), ..all.clone() }, vec![2]),
        (Filter { owner: Some(origin(9)), ..all.clone() }, vec![]),
    ] {
        let page = records.list(&filter, 100, None).unwrap();
        assert_eq!(ids(&page), expected.into_iter().map(id).collect::<Vec<_>>(), "{filter:?}");
        assert_eq!(page.next, None);
    }
    let unowned = records.list(&Filter { source_id, ..all }, 100, None);
    assert!(matches!(unowned, Err(ListError::SourceWithoutOwner)));
}

#[test]
fn pages_continue_where_they_ended_while_records_arrive_and_are_revised() {
    let sample = mixed();
    let filter = Filter::default();
    let first = sample.records.list(&filter, 2, None).unwrap();
    assert_eq!(ids(&first), [id(5), id(4)]);
    sample.apply(&[
        Entry::put(3, 1, 9, &practice("new")).hlc(1_000).entry(),
        Entry::put(2, 8, 4, &dataset("revised", "portal")).entry(),
    ]);
    let second = sample.records.list(&filter, 2, first.next.as_deref()).unwrap();
    assert_eq!(ids(&second), [id(3), id(2)]);
    let third = sample.records.list(&filter, 2, second.next.as_deref()).unwrap();
    assert_eq!((ids(&third), third.next), (vec![id(1)], None));
    assert_eq!(ids(&sample.records.list(&filter, 2, None).unwrap()), [id(9), id(4)]);
}

#[test]
fn a_token_of_another_list_or_of_nobody_is_refused() {
    let records = mixed().records;
    let token = records.list(&Filter::default(), 1, None).unwrap().next.unwrap();
    let other = Filter { owner: Some(origin(1)), ..Filter::default() };
    for (filter, token) in
        [(&other, token.as_str()), (&Filter::default(), "AAAA"), (&Filter::default(), "\u{0}ä"), (&other, "")]
    {
        assert!(matches!(records.list(filter, 1, Some(token)), Err(ListError::PageToken)), "{token:?}");
    }
}

#[test]
fn a_page_has_at_most_so_many_records_and_at_least_one() {
    let record = practice("same");
    let put = |number: usize| numbered(1, number, &record);
    let sample = Sample::of(&(1..=LIST_PAGE_MAX + 1).map(put).collect::<Vec<_>>());
    let page = sample.records.list(&Filter::default(), usize::MAX, None).unwrap();
    assert_eq!(page.records.len(), LIST_PAGE_MAX);
    let rest = sample.records.list(&Filter::default(), 0, page.next.as_deref()).unwrap();
    assert_eq!((rest.records.len(), rest.next), (1, None));
}

#[test]
fn a_filter_that_hits_nearly_nothing_answers_a_short_page_and_goes_on() {
    let practice = practice("one");
    let dataset = dataset("one of many", "portal");
    let mut entries = vec![numbered(1, 1, &practice)];
    entries.extend((2..=LIST_SCAN_MAX + 1).map(|number| numbered(1, number, &dataset)));
    let sample = Sample::of(&entries);
    let filter = Filter { kind: Some(RecordKind::Practice), owner: Some(origin(1)), ..Filter::default() };
    let page = sample.records.list(&filter, 10, None).unwrap();
    assert_eq!(page.records.len(), 0);
    let page = sample.records.list(&filter, 10, Some(&page.next.unwrap())).unwrap();
    assert_eq!((page.records.len(), page.next), (1, None));
}

/// A record of its own for every number.
fn numbered(origin: u32, number: usize, record: &wego_proto::v1::Record) -> Unverified {
    Entry::put(origin, number as u64, 0, record).record_id(&(number as u128).to_be_bytes()).entry()
}
