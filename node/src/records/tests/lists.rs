//! Claims about lists and their pages.

use super::sample::{Draft as Entry, Sample, adoption, dataset, id, origin, practice};
use crate::{
    records::{Filter, LIST_PAGE_MAX, LIST_SCAN_MAX, ListError, Page, State, Withdrawn},
    store::{Arrived, Cursor, Projection as _},
};
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
fn a_clock_that_is_ahead_tops_no_list_and_a_rebuilt_projection_agrees() {
    const YEARS_50: u64 = 50 * 365 * 24 * 3_600 * 1_000;
    let put = |seq, id, signed_ms, seen_ms| Arrived {
        entry: Entry::put(u32::from(id), seq, id, &practice("p")).hlc(signed_ms).entry(),
        seen_ms,
    };
    let now = 1_000_000;
    let entries = [
        put(1, 1, now, now + 5),
        put(1, 2, now + YEARS_50, now + 10),
        put(1, 3, now + 20, now + 25),
        // Stored by an earlier version, which did not remember: seen when it was upgraded at the latest.
        put(1, 4, now - 10, now + 99),
    ];
    let (sample, rebuilt) = (Sample::new(), Sample::new());
    sample.records.apply(&entries, Cursor(4)).unwrap();
    for one in 0..4 {
        rebuilt.records.apply(&entries[one..=one], Cursor(one as u64 + 1)).unwrap();
    }
    for filter in [Filter::default(), Filter { kind: Some(RecordKind::Practice), ..Filter::default() }] {
        let page = sample.records.list(&filter, 9, None).unwrap();
        assert_eq!(ids(&page), [id(3), id(2), id(1), id(4)]);
        assert_eq!((page.records[1].hlc_ms, page.records[1].seen_ms), (now + YEARS_50, now + 10));
    }
    assert_eq!(sample.records.digest().unwrap(), rebuilt.records.digest().unwrap());
    let at = wego_proto::id::Position::FIRST;
    assert_eq!(sample.records.seen_ms(origin(2), at).unwrap(), now + 10);
}

#[test]
fn an_erased_record_is_listed_with_the_reason_and_one_taken_down_says_so() {
    let down = Entry::put(2, 1, 2, &practice("down")).entry();
    let sample =
        Sample::of(&[Entry::put(1, 1, 1, &practice("gone")).entry(), Entry::erase(1, 2, 1, 3).entry()]);
    sample.apply(std::slice::from_ref(&down));
    sample.records.forget(&[down]).unwrap();
    let page =
        sample.records.list(&Filter { withdrawn: Withdrawn::Shown, ..Filter::default() }, 9, None).unwrap();
    let states: Vec<_> = page.records.iter().map(|record| record.state.clone()).collect();
    assert_eq!(states, [State::Erased { reason: 3 }, State::TakenDown]);
    assert_eq!(sample.records.list(&Filter::default(), 9, None).unwrap().records, []);
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
