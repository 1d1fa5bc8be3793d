//! The tokenizer's claims; it never looks at an index.

use super::*;

fn tokens(text: &str) -> Vec<(usize, String)> {
    let mut tokenizer = TextTokenizer;
    let mut stream = tokenizer.token_stream(text);
    let mut tokens = Vec::new();
    while stream.advance() {
        tokens.push((stream.token().position, stream.token().text.clone()));
    }
    tokens
}

fn words(text: &str) -> Vec<String> {
    tokens(text).into_iter().map(|(_, text)| text).collect()
}

#[test]
fn elided_articles_and_genitives_leave_the_noun() {
    assert_eq!(words("l'habitatge"), ["habitatge"]);
    assert_eq!(words("L’Ajuntament d'Olot"), ["ajuntament", "olot"]);
    assert_eq!(words("the city's data"), ["the", "city", "data"]);
    assert_eq!(words("O'Brien"), ["o", "brien"]);
}

#[test]
fn a_geminated_l_does_not_divide() {
    assert_eq!(words("col·laboració coŀlaboració"), ["collaboracio", "collaboracio"]);
    assert_eq!(words("Köln·Bonn 서울·부산").len(), 3 + 6);
}

#[test]
fn unspaced_scripts_give_characters_and_pairs_at_their_positions() {
    let expected = [(0, "电"), (0, "电子"), (1, "子"), (1, "子政"), (2, "政"), (2, "政务"), (3, "务")];
    let expected: Vec<(usize, String)> = expected.map(|(at, text)| (at, text.to_owned())).into();
    assert_eq!(tokens("电子政务"), expected);
    assert_eq!(tokens("電子政務"), expected);
}

#[test]
fn decomposed_hangul_equals_composed() {
    assert_eq!(tokens("\u{1112}\u{1161}\u{11ab}"), tokens("한"));
}

#[test]
fn mixed_scripts_divide_where_the_script_changes() {
    let found = tokens("AI서비스 2024");
    assert_eq!(found.first(), Some(&(0, "ai".to_owned())));
    assert_eq!(found.last(), Some(&(4, "2024".to_owned())));
}

#[test]
fn a_hyphenated_word_is_also_found_in_one() {
    assert_eq!(words("e-government"), ["e", "egovernment", "government"]);
    assert_eq!(words("- a -- b -"), ["a", "b"]);
}

#[test]
fn an_umlaut_stands_in_both_spellings_at_one_position() {
    assert_eq!(
        tokens("Straße München"),
        [(0, "strasse".to_owned()), (1, "munchen".to_owned()), (1, "muenchen".to_owned())]
    );
    assert_eq!(whole(&parts("Stadt  MÜNCHEN!")), ["stadt munchen", "stadt muenchen"]);
    assert_eq!(whole(&parts("열린 데이터 AI 도시")), ["열린데이터 ai 도시"]);
}

#[test]
fn codes_and_numbers_are_no_plain_language() {
    let plain = |text| match parts(text).first() {
        Some(Part::Word(word)) => word.is_plain_language(),
        _ => false,
    };
    assert!(plain("government"));
    assert!(!plain("DE2024"));
    assert!(!plain("政务"));
}
