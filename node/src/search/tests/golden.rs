//! Queries and what they must find, in eight languages.

use super::corpus::{GAVA, Indexed, Log, SEOUL, corpus, titled};
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
fn a_word_finds_its_other_number_in_every_language_and_itself_first() {
    let pairs = [
        ("fr", "vélo", "vélos"),
        ("en", "bicycle", "bicycles"),
        ("en", "library", "libraries"),
        ("de", "Fahrrad", "Fahrräder"),
        ("pt-BR", "localização", "localizações"),
        ("pt", "cidade", "cidades"),
        ("ca", "ajuntament", "ajuntaments"),
        ("es", "estación", "estaciones"),
    ];
    for (lang, one, many) in pairs {
        let text = |word: &str| format!("x {word} y");
        let mut log = Log::of(SEOUL);
        let indexed = Indexed::with(&[
            log.put(1, &titled(&[(lang, text(one).as_str())]).practice()),
            log.put(2, &titled(&[(lang, text(many).as_str())]).practice()),
            log.put(3, &titled(&[("en", "z")]).results(lang, &text(one)).practice()),
            log.put(4, &titled(&[("en", "z")]).summary(lang, &text(many)).practice()),
            log.put(5, &titled(&[("en", "nothing of it")]).practice()),
        ]);
        assert_eq!(indexed.ids(one), [1, 3, 2, 4], "{one}");
        assert_eq!(indexed.ids(many), [2, 4, 1, 3], "{many}");
        assert_eq!(indexed.ids(&format!("\"{one}\"")), [1, 3], "a phrase means itself");
        assert_eq!(indexed.ids(&format!("x -{many}")), [1, 3], "an exclusion too");
        assert!(indexed.found(one).corrected.is_empty(), "{one}");
    }
}

#[test]
fn a_keyword_finds_its_other_number_in_the_languages_of_its_record() {
    let record = titled(&[("ca", "Mobilitat")]).keyword("bicicletes").practice();
    let indexed = Indexed::with(&[Log::of(GAVA).put(1, &record)]);
    assert_eq!(indexed.ids("bicicleta"), [1]);
}

#[test]
fn spaces_in_korean_do_not_matter() {
    let mut log = Log::of(SEOUL);
    let indexed = Indexed::with(&[
        log.put(1, &titled(&[("ko", "버스 도착 시간 안내")]).practice()),
        log.put(2, &titled(&[("ko", "버스도착시간을 알린다")]).practice()),
        log.put(3, &titled(&[("ko", "시간 도착")]).practice()),
        log.put(4, &titled(&[("ko", "행사 장소")]).practice()),
    ]);
    for query in ["도착시간", "버스도착시간", "버스도착 시간", "\"도착 시간\"", "\"도착시간\""]
    {
        let mut ids = indexed.ids(query);
        ids.sort_unstable();
        assert_eq!(ids, [1, 2], "{query}");
    }
    assert_eq!(indexed.ids("사장"), [0_u8; 0], "two syllables of two words are no word");
    assert_eq!(indexed.ids("버스 -도착시간"), [0_u8; 0]);
}

#[test]
fn a_slip_of_the_pen_is_mended_also_where_somebody_published_it() {
    let mut log = Log::of(SEOUL);
    let title = |id: u8| if id == 1 { "Open goverment" } else { "Open government" };
    let entries: Vec<_> = (1..=4).map(|id| log.put(id, &titled(&[("en", title(id))]).practice())).collect();
    let indexed = Indexed::with(&entries);
    assert_eq!(indexed.ids("goverment"), [1, 2, 3, 4], "what was typed comes first");
    assert_eq!(indexed.found("goverment").corrected[0].to_string(), "goverment → government");
    assert!(
        indexed.found("government").corrected.is_empty(),
        "the rare word is no correction of the frequent one"
    );
    assert_eq!(indexed.ids("government"), [2, 3, 4]);
}

#[test]
fn an_erased_record_is_found_by_its_id_and_by_nothing_else() {
    let mut log = Log::of(SEOUL);
    let gone = titled(&[("en", "gone")]).practice();
    let mut entries = vec![log.put(1, &gone), log.put(2, &gone), log.put(3, &gone)];
    entries.extend([log.erase(1), log.put_erased(2), log.retract(3)]);
    let indexed = Indexed::with(&entries);
    let id = |id: u8| crate::search::tests::corpus::record_id(id).to_string();
    assert_eq!(indexed.ids(&id(1)), [1]);
    assert_eq!(indexed.ids(&id(2)), [2]);
    assert_eq!(indexed.ids(&id(3)), [0_u8; 0], "a withdrawn one is not");
    assert_eq!(indexed.found(&id(1)).facets["kind"], []);
    for query in ["", "gone", "-lang:en", "city:kr-seoul", "-portal"] {
        assert_eq!(indexed.found(query).total, 0, "{query}");
    }
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
