//! What queries mean, and how they are refused.

use proptest::prelude::*;

use super::*;

struct Known;

impl Names for Known {
    fn city(&self, name: &str) -> Option<Origin> {
        (name.eq_ignore_ascii_case("kr-seoul") || name == "KRSEL").then_some(Origin(7))
    }

    fn has_topic(&self, value: &str) -> bool {
        value == "tran"
    }
}

fn parse(text: &str) -> Result<Query, QueryError> {
    Query::parse(text, &Known)
}

fn refused(text: &str) -> (usize, String) {
    let error = parse(text).expect_err("must be refused");
    (error.at, error.to_string())
}

fn texts(query: &Query) -> Vec<(&str, bool)> {
    query.texts.iter().map(|text| (text.text.as_str(), text.quoted)).collect()
}

#[test]
fn words_phrases_exclusions_and_filters_are_told_apart() {
    let query = parse("smart “open data” -portal -\"old news\" kind:Dataset city:KR-Seoul lang:de").unwrap();
    assert_eq!(texts(&query), [("smart", false), ("open data", true)]);
    let excluded: Vec<&str> = query.excluded.iter().map(|text| text.text.as_str()).collect();
    assert_eq!(excluded, ["portal", "old news"]);
    assert_eq!(query.filters[&Filter::Kind], ["kind:dataset"]);
    assert_eq!(query.filters[&Filter::City], ["city:7"]);
    assert_eq!(query.filters[&Filter::Lang], ["lang:de"]);
}

#[test]
fn values_of_one_filter_are_alternatives_and_may_be_quoted_or_excluded() {
    let query = parse("licence:\"CC BY 4.0\" license:MIT -stage:idea city:KRSEL").unwrap();
    assert_eq!(query.filters[&Filter::Licence], ["licence:cc by 4.0", "licence:mit"]);
    assert_eq!(query.excluded_filters, ["stage:idea"]);
    assert_eq!(query.filters[&Filter::City], ["city:7"]);
}

#[test]
fn addresses_titles_and_dashes_are_text() {
    let query =
        parse("https://x.eu/a?b=c urn:nbn:de:1 Note: e-government - the  way 12:30 주제:교통").unwrap();
    let texts: Vec<&str> = texts(&query).into_iter().map(|(text, _)| text).collect();
    let expected =
        ["https://x.eu/a?b=c", "urn:nbn:de:1", "Note:", "e-government", "the", "way", "12:30", "주제:교통"];
    assert_eq!(texts, expected);
}

#[test]
fn an_unknown_filter_is_refused_where_it_stands_and_the_known_ones_are_named() {
    let (at, message) = refused("오픈 colour:red");
    assert_eq!(at, 3);
    assert!(message.starts_with("at character 4: unknown filter colour"), "{message}");
    for filter in Filter::ALL {
        assert!(message.contains(filter.name()), "{message}");
    }
}

#[test]
fn an_unfinished_phrase_is_refused_at_its_opening_mark() {
    assert_eq!(refused("data \"open").0, 5);
    assert_eq!(refused("city:\"kr").0, 5);
}

#[test]
fn values_that_cannot_be_are_refused_with_what_can() {
    assert!(refused("kind:wish").1.contains("practice, adoption, dataset"));
    assert!(refused("stage:dreaming").1.contains("inventoried"));
    assert_eq!(
        refused("city:atlantis"),
        (5, "at character 6: unknown city atlantis: expected a member's handle or place code".to_owned())
    );
    assert!(parse("country:korea").is_err());
    assert!(parse("lang:1").is_err());
    assert_eq!(refused("topic: x").0, 6);
}

#[test]
fn a_topic_that_is_none_is_refused_with_those_that_are_near() {
    assert!(parse("topic:TRAN").is_ok());
    let (at, message) = refused("topic:transport");
    assert_eq!(at, 6);
    for near in ["topic:TRAN (Transport)", "topic:ucity-transport (Transport and traffic)"] {
        assert!(message.contains(near), "{message}");
    }
    assert!(refused("topic:opendata").1.contains("topic:open-data"), "written in one");
    assert!(refused("topic:Vekehr").1.contains("topic:TRAN"), "misspelt, in another language");
    assert!(refused("-topic:zzzzzz").1.contains("counts the topics"), "nothing is near");
}

#[test]
fn a_query_beyond_its_limits_is_refused() {
    assert!(parse(&"가".repeat(QUERY_CHARS_MAX)).is_ok());
    assert_eq!(refused(&"가".repeat(QUERY_CHARS_MAX + 1)).0, QUERY_CHARS_MAX);
    assert!(parse(&"a ".repeat(CLAUSES_MAX)).is_ok());
    assert_eq!(refused(&"a ".repeat(CLAUSES_MAX + 1)).0, CLAUSES_MAX * 2);
}

#[test]
fn a_page_beyond_its_limits_is_refused() {
    assert!(Page::new(LIMIT_MAX, OFFSET_MAX).is_ok());
    assert_eq!(Page::new(LIMIT_MAX + 1, 0).unwrap_err().field, "limit");
    assert_eq!(Page::new(0, OFFSET_MAX + 1).unwrap_err().field, "offset");
    assert_eq!(Page::new(0, 0), Ok(Page::default()));
}

proptest! {
    #[test]
    fn any_text_is_understood_or_refused_at_a_place_within_it(text in "\\PC{0,80}|[-\": a-z“가]{0,40}") {
        if let Err(error) = parse(&text) {
            prop_assert!(error.at <= text.chars().count());
        }
    }
}
