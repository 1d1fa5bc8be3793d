//! Pages, facets, and queries that nobody would type.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::corpus::{Indexed, Log, SEOUL, corpus, parse, titled};
use crate::search::{
    Facets, Page,
    schema::{FACET_VALUE_CHARS_MAX, IDENTIFIER_CHARS_MAX},
};

fn facet<'a>(found: &'a crate::search::Found, name: &str) -> Vec<(&'a str, u64)> {
    found.facets[name].iter().map(|(value, count)| (value.as_str(), *count)).collect()
}

#[test]
fn facets_count_all_hits_and_not_only_the_page() {
    let indexed = Indexed::with(&corpus());
    let page = Page::new(1, 0).unwrap();
    let found = indexed.search.find(&parse("-country:CA").unwrap(), page, Facets::Count).unwrap();
    assert_eq!((found.hits.len(), found.total), (1, 11));
    assert_eq!(facet(&found, "kind"), [("practice", 6), ("dataset", 5)]);
    assert_eq!(facet(&found, "country"), [("ES", 3), ("KR", 3), ("BR", 2), ("DE", 2), ("CN", 1)]);
    assert_eq!(facet(&found, "city"), [("1", 3), ("4", 3), ("3", 2), ("5", 2), ("2", 1)]);
    assert_eq!(facet(&found, "topic"), [("wego-topic:open-data", 3)]);
    assert_eq!(facet(&found, "licence"), [("CC-BY-4.0", 2), ("MIT", 1)]);
    assert_eq!(facet(&found, "stage")[0], ("published", 5));
    assert!(facet(&found, "lang").contains(&("pt", 2)) && facet(&found, "lang").contains(&("pt-br", 2)));
}

#[test]
fn facets_are_left_out_where_nobody_asks() {
    let indexed = Indexed::with(&corpus());
    let found = indexed.search.find(&parse("").unwrap(), Page::default(), Facets::Skip).unwrap();
    assert!(found.facets.is_empty());
}

#[test]
fn every_facet_value_but_a_citys_number_is_a_filter_that_finds_its_count() {
    let indexed = Indexed::with(&corpus());
    for (name, values) in indexed.found("").facets.iter().filter(|(name, _)| **name != "city") {
        for (value, count) in values {
            assert_eq!(indexed.found(&format!("{name}:\"{value}\"")).total, *count, "{name}:{value}");
        }
    }
}

#[test]
fn pages_join_without_gap_or_overlap() {
    let indexed = Indexed::with(&corpus());
    let whole = indexed.ids("");
    let query = parse("").unwrap();
    let pages = (0..8).flat_map(|page| {
        let found = indexed.search.find(&query, Page::new(2, page * 2).unwrap(), Facets::Skip).unwrap();
        found.hits.into_iter().map(|hit| hit.record_id.as_bytes()[0])
    });
    assert_eq!(pages.collect::<Vec<_>>(), whole);
}

#[test]
fn values_and_identifiers_beyond_their_limits_do_not_become_facets_or_keys() {
    let long = |chars: usize| "9".repeat(chars);
    let record = |licence: usize, identifier: usize| {
        titled(&[("en", "long")]).licence(&long(licence)).dataset(&long(identifier))
    };
    let mut log = Log::of(SEOUL);
    let indexed = Indexed::with(&[
        log.put(1, &record(FACET_VALUE_CHARS_MAX, IDENTIFIER_CHARS_MAX)),
        log.put(2, &record(FACET_VALUE_CHARS_MAX + 1, IDENTIFIER_CHARS_MAX + 1)),
        log.put(3, &record(100_000, 100_000)),
    ]);
    assert_eq!(indexed.found("long").facets["licence"], [(long(FACET_VALUE_CHARS_MAX), 1)]);
    let scores: Vec<f32> =
        indexed.found(&long(IDENTIFIER_CHARS_MAX)).hits.iter().map(|hit| hit.score).collect();
    assert_eq!(scores.iter().filter(|score| **score >= 10_000.0).count(), 1, "{scores:?}");
}

#[test]
fn a_very_long_word_is_found_by_itself() {
    let word = "x".repeat(70_000);
    let indexed = Indexed::with(&[Log::of(SEOUL).put(1, &titled(&[("en", word.as_str())]).practice())]);
    assert_eq!(indexed.ids(&"x".repeat(900)), [1]);
}

static CORPUS: LazyLock<Indexed> = LazyLock::new(|| Indexed::with(&corpus()));

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_bytes_make_a_query_panic(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        if let Ok(query) = parse(&String::from_utf8_lossy(&bytes)) {
            CORPUS.search.find(&query, Page::default(), Facets::Count).unwrap();
        }
    }

    #[test]
    fn no_text_makes_a_query_panic(text in "\\PC{0,60}|([a-z가电물ü'·-]{1,7}[ \":-]){0,9}") {
        if let Ok(query) = parse(&text) {
            CORPUS.search.find(&query, Page::default(), Facets::Count).unwrap();
        }
    }
}
