//! Claims about the file form.

use std::path::Path;

use wego_proto::record::v1 as record;

use super::{RecordForm, parse, practice::PracticeForm, practice::TEMPLATE};
use crate::output;

fn read(text: &str) -> PracticeForm {
    parse(Path::new("bus.yaml"), text).expect("a form")
}

fn template() -> record::Practice {
    read(TEMPLATE).try_into().expect("a practice")
}

#[test]
fn the_template_is_a_complete_practice() {
    let practice = template();
    let core = practice.core.expect("core");
    assert_eq!(core.title.len(), 2);
    assert_eq!(core.topics[0].scheme, "wego-topic");
    assert_eq!(core.topics[2].uri, "TRAN");
    assert_eq!(practice.cost_per_year.expect("cost").amount, "90000.50");
    assert!(core.summary.iter().all(|summary| summary.text.chars().count() <= 150));
    for texts in
        [practice.problem, practice.approach, practice.results, practice.what_failed, practice.conditions]
    {
        assert!(!texts.is_empty());
    }
}

#[test]
fn what_is_shown_can_be_fed_back_as_json_and_as_yaml() {
    let mut practice = template();
    let core = practice.core.as_mut().expect("core");
    core.title[1].origin = record::TextOrigin::Machine as i32;
    core.title[1].translated_from_version = 7;
    core.title[0].text = "a: b # \u{1f3d9} \u{202e}\"yes\"".to_owned();
    practice.lessons[0].text = "123".to_owned();
    practice.approach[0].text = "yes".to_owned();
    let form = RecordForm::Practice(Box::new(practice.clone().into()));
    let RecordForm::Practice(own) = &form else { unreachable!() };
    let json = output::json(own.as_ref()).expect("json");
    let mut value: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    value.as_object_mut().expect("object").remove("apiVersion");
    for text in [value.to_string(), form.yaml().expect("yaml")] {
        let again: record::Practice = read(&text).try_into().expect("a practice");
        assert_eq!(again, practice, "{text}");
    }
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_likely_one() {
    let text = "title: {en: Bus}\nsummry: {en: Short}\n";
    let failure = parse::<PracticeForm>(Path::new("bus.yaml"), text).expect_err("a typing mistake");
    assert_eq!(failure.what, "bus.yaml:2:1: there is no key \"summry\"");
    assert_eq!(failure.hint, "did you mean \"summary\"?");
    let text = "jurisdiction:\n  country: KR\n  plaze: KRSEL\n";
    let failure = parse::<PracticeForm>(Path::new("bus.yaml"), text).expect_err("a nested mistake");
    assert_eq!(
        (failure.what.as_str(), failure.hint.as_str()),
        ("bus.yaml:3:3: there is no key \"plaze\"", "did you mean \"place\"?")
    );
}

#[test]
fn a_wrong_value_is_named_with_what_would_be_right() {
    let convert = |text: &str| record::Practice::try_from(read(text)).expect_err("wrong").to_string();
    let place = "jurisdiction: {country: KR}";
    assert_eq!(
        convert(&format!("stage: liv\n{place}")),
        "stage: must be one of idea, pilot, live, scaled, ended; it is \"liv\""
    );
    assert_eq!(convert("stage: live"), "jurisdiction: is missing");
    assert!(convert(&format!("stage: live\nevidence: 6\n{place}")).starts_with("evidence: must be 1 to 5"));
    assert!(convert(&format!("stage: live\ntopics: [\":x\"]\n{place}")).starts_with("topics: "));
}

#[test]
fn numbers_may_be_written_without_quotes() {
    let form =
        read("stage: live\nfte: 6.5\ncost_total: {amount: 1250000.50, currency: EUR, price_year: 2010}\n");
    assert_eq!(form.fte, "6.5");
    assert_eq!(form.cost_total.expect("cost").amount, "1250000.50");
}
