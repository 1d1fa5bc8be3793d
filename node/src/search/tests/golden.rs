//! Queries and what they must find, in eight languages.

use super::corpus::{Indexed, Log, SEOUL, corpus, titled};
use crate::search::Topic;

/// Asserts that each query finds all of these records.
fn finds(cases: &[(&str, &[u8])]) {
    let indexed = Indexed::with(&corpus());
    for (query, expected) in cases {
        let ids = indexed.ids(query);
        for id in *expected {
            assert!(ids.contains(id), "{query} finds {ids:?}, expected {id}");
        }
    }
}

/// Asserts that each query finds these records and no other, in any order.
fn finds_only(cases: &[(&str, &[u8])]) {
    let indexed = Indexed::with(&corpus());
    for (query, expected) in cases {
        let mut ids = indexed.ids(query);
        ids.sort_unstable();
        assert_eq!(ids, *expected, "{query}");
    }
}

#[test]
fn korean_words_are_found_under_their_particles_and_in_compounds() {
    finds_only(&[
        ("전자정부", &[10]),
        ("서울", &[10]),
        ("우수사례", &[10]),
        ("물", &[11]),
        ("전자 정부", &[10]),
        ("자전", &[]),
    ]);
}

#[test]
fn chinese_is_found_in_both_scripts() {
    finds_only(&[
        ("电子政务", &[20]),
        ("最佳实践", &[20]),
        ("電子政務", &[20]),
        ("最佳實踐", &[20]),
        ("城市規劃", &[20]),
        ("政子", &[]),
    ]);
}

#[test]
fn accents_do_not_matter() {
    finds_only(&[
        ("sao paulo", &[50]),
        ("SÃO PAULO", &[50]),
        ("participacao", &[50]),
        ("participacion", &[42]),
        ("ＥＤＭＯＮＴＯＮ", &[61, 63]),
    ]);
}

#[test]
fn german_umlauts_meet_in_every_spelling() {
    finds_only(&[
        ("muenchen", &[30]),
        ("munchen", &[30]),
        ("München", &[30]),
        ("strasse", &[31]),
        ("STRASSE", &[31]),
        ("straße", &[31]),
        ("buerger", &[31]),
    ]);
    let indexed = Indexed::with(&[Log::of(SEOUL).put(1, &titled(&[("de", "Muenchen")]).practice())]);
    assert_eq!(indexed.ids("münchen"), [1], "written without umlauts");
}

#[test]
fn elided_articles_do_not_hide_the_noun() {
    finds_only(&[
        ("habitatge", &[40]),
        ("ajuntament", &[40]),
        ("l'habitatge", &[40]),
        ("d’ajuntament", &[40]),
        ("collaboracio", &[40]),
        ("col·laboració", &[40]),
    ]);
}

#[test]
fn a_misspelt_word_is_tried_with_letters_wrong_and_the_answer_says_so() {
    let indexed = Indexed::with(&corpus());
    for (query, expected, instead) in [("goverment", 61, "government"), ("edmnton", 61, "edmonton")] {
        let found = indexed.found(query);
        assert!(found.hits.iter().any(|hit| hit.record_id.as_bytes()[0] == expected), "{query}");
        assert_eq!(found.corrected.len(), 1);
        assert_eq!(found.corrected[0].to_string(), format!("{query} → {instead}"));
    }
    assert!(indexed.found("government").corrected.is_empty());
}

#[test]
fn short_words_codes_phrases_and_unspaced_scripts_are_not_corrected() {
    let indexed = Indexed::with(&corpus());
    for query in ["portl", "opne", "\"goverment\"", "99012012001001", "OA15489", "电子政物", "전자정불"]
    {
        let found = indexed.found(query);
        if query != "portl" {
            assert_eq!((found.total, found.corrected.len()), (0, 0), "{query}");
        }
    }
    assert_eq!(indexed.found("portl").corrected.len(), 1, "five letters may have one wrong");
    assert_eq!(indexed.found("prtl").corrected.len(), 0, "four letters may not");
}

#[test]
fn a_topics_label_in_one_language_finds_records_in_all() {
    let indexed = Indexed::with(&corpus());
    for query in [
        "datos abiertos",
        "열린데이터",
        "열린 데이터",
        "开放数据",
        "開放數據",
        "dades obertes",
        "offene daten",
        "données ouvertes",
    ] {
        let found = indexed.found(query);
        let ids = indexed.ids(query);
        for id in [12, 41, 51, 60] {
            assert!(ids.contains(&id), "{query}: {ids:?}");
        }
        assert_eq!(found.also_searched, [Topic { scheme: "wego-topic", code: "open-data" }], "{query}");
        assert!(found.corrected.is_empty(), "{query}");
    }
}

#[test]
fn phrases_exclusions_and_filters_narrow() {
    finds_only(&[
        ("\"open data\" -portal", &[60, 62]),
        ("\"data open\"", &[]),
        ("open data kind:dataset", &[12, 41, 51]),
        ("city:DEMUC kind:dataset lang:de", &[30]),
        ("city:DEMUC lang:en", &[31]),
        ("country:kr -kind:practice", &[11, 12]),
        ("stage:live", &[10, 31, 50, 61]),
        ("stage:live -country:BR -lang:ko", &[31, 61]),
        ("kind:dataset licence:mit", &[12]),
        ("topic:open-data country:es", &[41]),
        ("topic:wego-topic:open-data country:es country:br", &[41, 51]),
        ("lang:pt", &[50, 51]),
        ("lang:pt-br", &[50, 51]),
        ("-lang:en -lang:de -lang:ko -lang:pt", &[20, 40, 41, 42]),
    ]);
}

#[test]
fn identifiers_are_found_whole_and_first() {
    let mut entries = corpus();
    let mentions = titled(&[("en", "Mentions 99012012001000 and OA-15488 in the title")]).practice();
    entries.push(Log::of(crate::search::tests::corpus::SHENZHEN).put(1, &mentions));
    let indexed = Indexed::with(&entries);
    for (query, first) in [
        ("99012012001000", 30),
        ("OA-15488", 11),
        ("oa-15488", 11),
        ("https://data.seoul.go.kr/dataList/OA-12", 12),
        ("DEMUC", 30),
        ("3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d", 61),
    ] {
        assert_eq!(indexed.ids(query).first(), Some(&first), "{query}");
    }
    finds(&[("https://data.edmonton.ca/d/ab12-cd34", &[63]), ("open@edmonton.ca", &[63])]);
}

#[test]
fn a_hyphen_is_no_obstacle() {
    finds_only(&[("e-government", &[62]), ("egovernment", &[62]), ("\"e government\"", &[62])]);
}

#[test]
fn an_exact_title_comes_first_then_title_then_summary_then_text() {
    let indexed = Indexed::with(&corpus());
    assert_eq!(indexed.ids("open data -topic:open-data"), [31, 62, 63], "the shorter summary is nearer");
    let ids = indexed.ids("open data");
    assert_eq!(ids.first(), Some(&60));
    let place = |id| ids.iter().position(|found| *found == id).unwrap();
    assert!(place(62) < place(63) && place(31) < place(63));
    let scores: Vec<f32> = indexed.found("open data").hits.iter().map(|hit| hit.score).collect();
    assert!(scores.is_sorted_by(|left, right| left >= right), "{scores:?}");
}

#[test]
fn everything_is_found_by_an_empty_query_and_nothing_by_signs_alone() {
    let indexed = Indexed::with(&corpus());
    assert_eq!(indexed.found("").total, corpus().len() as u64);
    assert_eq!(indexed.found("?! …").total, 0);
    assert_eq!(indexed.found("open & data").total, indexed.found("open data").total);
}
