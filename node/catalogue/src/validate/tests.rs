//! Claims about what is accepted, what is refused, and how it is said.

use proptest::prelude::*;
use wego_proto::record::v1::{Adoption, AdoptionStage, Core, Dataset, Distribution, Money, Practice, Stage};

use super::*;
use crate::limits;

mod sample;

use sample::{adoption, dataset, of_adoption, of_dataset, of_practice, practice, text, topic};

type Alter<T> = fn(&mut T);

#[test]
fn a_complete_record_of_each_kind_passes() {
    for record in [of_practice(practice()), of_adoption(adoption()), of_dataset(dataset())] {
        let checked = Checked::parse(record.clone()).unwrap();
        assert_eq!(checked.record(), &record);
        assert_eq!(Some(checked.kind()), kind_of(&record));
        assert_eq!(crate::decode(&checked.encode()), crate::Decoded::Known(record));
    }
}

#[test]
fn all_problems_are_reported_at_once_each_with_its_path() {
    let mut bad = practice();
    let core = bad.core.as_mut().unwrap();
    core.title[0].lang = String::new();
    core.jurisdiction.as_mut().unwrap().country = "UK".to_owned();
    core.licence = "free for all".to_owned();
    bad.approach.clear();
    bad.started_year = 0;
    assert_eq!(
        paths(of_practice(bad)),
        ["core.title[0].lang", "core.jurisdiction.country", "core.licence", "approach", "started_year"]
    );
}

#[test]
fn a_problem_says_what_is_wrong_and_what_to_do() {
    let mut bad = practice();
    bad.core.as_mut().unwrap().title[0].text = "\u{202e}gnp.exe".to_owned();
    let problems = Checked::parse(of_practice(bad)).unwrap_err();
    assert_eq!(
        problems[0].to_string(),
        "core.title[0].text contains the control character U+202E as character 1: remove it"
    );
    let problems = Checked::parse(v1::Record { kind: None }).unwrap_err();
    assert_eq!(problems[0].to_string(), "record is missing: give a practice, an adoption or a dataset");
}

#[test]
fn from_live_on_a_practice_says_what_failed_and_on_which_conditions_it_works() {
    for (stage, needed) in [
        (Stage::Idea, vec![]),
        (Stage::Pilot, vec![]),
        (Stage::Live, vec!["what_failed", "conditions"]),
        (Stage::Scaled, vec!["what_failed", "conditions"]),
        (Stage::Ended, vec!["what_failed", "conditions"]),
    ] {
        let mut practice = practice();
        practice.stage = stage.into();
        practice.what_failed.clear();
        practice.conditions.clear();
        assert_eq!(paths(of_practice(practice)), needed, "{stage:?}");
    }
}

#[test]
fn every_mandatory_field_of_a_practice_is_demanded() {
    let alterations: [(&str, Alter<Practice>); 14] = [
        ("core", |p| p.core = None),
        ("core.title", |p| core(p).title.clear()),
        ("core.summary", |p| core(p).summary.clear()),
        ("core.topics", |p| core(p).topics.clear()),
        ("core.jurisdiction", |p| core(p).jurisdiction = None),
        ("core.jurisdiction.level", |p| core(p).jurisdiction.as_mut().unwrap().level = 0),
        ("core.licence", |p| core(p).licence.clear()),
        ("problem", |p| p.problem.clear()),
        ("approach", |p| p.approach.clear()),
        ("results", |p| p.results.clear()),
        ("owner_organisation", |p| p.owner_organisation = "  ".to_owned()),
        ("stage", |p| p.stage = 99),
        ("started_year", |p| p.started_year = 0),
        ("core.title[0].text", |p| core(p).title[0].text = " ".to_owned()),
    ];
    refused_at(&alterations, practice, of_practice);
}

#[test]
fn every_shared_field_is_checked() {
    let alterations: [(&str, Alter<Practice>); 24] = [
        ("core.title[1].lang", |p| core(p).title = vec![text("ko", "가"), text("KO", "나")]),
        ("core.title[0].text", |p| core(p).title[0].text = "two\nlines".to_owned()),
        ("core.title[0].text", |p| core(p).title[0].text = "e\u{301}".to_owned()),
        ("core.title[0].source_lang", |p| core(p).title[0].source_lang = "Korean".to_owned()),
        ("core.topics[0].scheme", |p| core(p).topics[0].scheme = "my-topics".to_owned()),
        ("core.topics[0].uri", |p| core(p).topics[0].uri = "OPEN-DATA".to_owned()),
        ("core.jurisdiction.place", |p| core(p).jurisdiction.as_mut().unwrap().place = "Seoul".to_owned()),
        ("core.dates.assured_on", |p| core(p).dates.as_mut().unwrap().assured_on = "2023-02-29".to_owned()),
        ("core.contacts[0].role", |p| core(p).contacts[0].role.clear()),
        ("core.contacts[0].public_url", |p| core(p).contacts[0].public_url = "https://x.org/@me".to_owned()),
        ("core.contacts[0].label[0].text", |p| core(p).contacts[0].label[0].text = "ask @me".to_owned()),
        ("core.links[0].url", |p| core(p).links[0].url = "javascript:alert(1)".to_owned()),
        ("core.links[0].media_type", |p| core(p).links[0].media_type = "pdf".to_owned()),
        ("core.links[0].lang", |p| core(p).links[0].lang = "english".to_owned()),
        ("core.relations[0].type", |p| core(p).relations[0].r#type = "Based on".to_owned()),
        ("core.relations[0].target", |p| core(p).relations[0].target = "12".to_owned()),
        ("core.alt_ids[0].value", |p| core(p).alt_ids[0].value.clear()),
        ("core.provenance.source_hash", |p| {
            core(p).provenance.as_mut().unwrap().source_hash = "ab".to_owned()
        }),
        ("core.provenance.source_id", |p| core(p).provenance.as_mut().unwrap().source_id.clear()),
        ("core.keywords[0]", |p| core(p).keywords = vec![String::new()]),
        ("cost_total.currency", |p| p.cost_total.as_mut().unwrap().currency = "WON".to_owned()),
        ("cost_total.amount", |p| p.cost_total.as_mut().unwrap().amount = "1,000".to_owned()),
        ("fte", |p| p.fte = "two".to_owned()),
        ("headline[0].value", |p| p.headline[0].value = "many".to_owned()),
    ];
    refused_at(&alterations, practice, of_practice);
}

#[test]
fn persons_addresses_are_refused_wherever_text_is() {
    let mail = || "write to kim@example.org".to_owned();
    let alterations: [(&str, Alter<Practice>); 6] = [
        ("core.summary[0].text", |p| core(p).summary[0].text = "write to kim@example.org".to_owned()),
        ("problem[0].text", |p| p.problem[0].text = "kim%40example.org".to_owned()),
        ("owner_organisation", |p| p.owner_organisation = "kim@example.org".to_owned()),
        ("core.keywords[0]", |p| core(p).keywords = vec!["kim＠example.org".to_owned()]),
        ("core.links[0].url", |p| core(p).links[0].url = "https://x.org/?to=kim@example.org".to_owned()),
        ("headline[0].unit", |p| p.headline[0].unit = "kim@example.org".to_owned()),
    ];
    refused_at(&alterations, practice, of_practice);
    let mut published = dataset();
    published.distributions[0].description = mail();
    published.identifier = mail();
    assert_eq!(paths(of_dataset(published)), ["identifier", "distributions[0].description"]);
    let mut contact = practice();
    contact.core.as_mut().unwrap().contacts[0].public_phone = mail();
    assert!(paths(of_practice(contact)).contains(&"core.contacts[0].public_phone".to_owned()));
}

#[test]
fn every_bound_is_held_and_reached() {
    let long = |chars: usize| "가".repeat(chars);
    let mut at_bounds = practice();
    let core = at_bounds.core.as_mut().unwrap();
    core.title[0].text = long(limits::TITLE_CHARS_MAX);
    core.summary[0].text = long(limits::SUMMARY_CHARS_MAX);
    core.keywords = vec![long(limits::KEYWORD_CHARS_MAX); limits::KEYWORDS_MAX];
    core.topics = vec![topic(); limits::TOPICS_MAX];
    at_bounds.started_year = *limits::YEARS.end();
    at_bounds.months_to_live = limits::MONTHS_MAX;
    at_bounds.population_served = limits::POPULATION_MAX;
    at_bounds.org_ids = vec![long(limits::LINE_CHARS_MAX); limits::ITEMS_MAX];
    Checked::parse(of_practice(at_bounds.clone())).unwrap();

    let core = at_bounds.core.as_mut().unwrap();
    core.title[0].text.push('가');
    core.summary[0].text.push('가');
    core.keywords.push("a".to_owned());
    core.keywords[0].push('가');
    core.topics.push(topic());
    at_bounds.started_year += 1;
    at_bounds.months_to_live += 1;
    at_bounds.population_served += 1;
    at_bounds.org_ids.push("a".to_owned());
    at_bounds.org_ids[3].push('가');
    let over = [
        "core.title[0].text",
        "core.summary[0].text",
        "core.topics",
        "core.keywords",
        "core.keywords[0]",
        "started_year",
        "months_to_live",
        "population_served",
        "org_ids",
        "org_ids[3]",
    ];
    assert_eq!(paths(of_practice(at_bounds)), over);
}

#[test]
fn a_dataset_has_as_many_files_and_as_much_text_as_fits_and_no_more() {
    let mut large = dataset();
    large.distributions = vec![Distribution::default(); limits::DISTRIBUTIONS_MAX];
    large.spatial = "x".repeat(limits::PUBLISHED_CHARS_MAX);
    large.core.as_mut().unwrap().body = vec![text("en", &"x".repeat(limits::TEXT_CHARS_MAX))];
    let checked = Checked::parse(of_dataset(large.clone())).unwrap();
    assert_eq!(checked.warnings().len(), limits::PROBLEMS_MAX);

    large.distributions.push(Distribution::default());
    large.spatial.push('x');
    large.landing_page = format!("https://x.org/{}", "x".repeat(limits::URL_CHARS_MAX));
    large.core.as_mut().unwrap().body[0].text.push('x');
    assert_eq!(paths(of_dataset(large)), ["core.body[0].text", "spatial", "landing_page", "distributions"]);

    let mut huge = dataset();
    let body = |lang: &str| text(lang, &"x".repeat(limits::TEXT_CHARS_MAX));
    huge.core.as_mut().unwrap().body = ["en", "ko", "fr", "de"].map(body).to_vec();
    assert_eq!(paths(of_dataset(huge)), ["record"]);
}

#[test]
fn one_text_has_so_many_languages_and_one_answer_so_many_problems() {
    let mut many = practice();
    let langs = |count: usize| (0..count).map(|at| text(&format!("en-x-{at}"), "same")).collect::<Vec<_>>();
    many.lessons = langs(limits::LANGS_MAX);
    Checked::parse(of_practice(many.clone())).unwrap();
    many.lessons = langs(limits::LANGS_MAX + 1);
    assert_eq!(paths(of_practice(many)), ["lessons"]);

    let mut wrong = dataset();
    let nowhere = Distribution { access_url: "nowhere".to_owned(), ..Default::default() };
    wrong.distributions = vec![nowhere; limits::DISTRIBUTIONS_MAX];
    assert_eq!(paths(of_dataset(wrong)).len(), limits::PROBLEMS_MAX);
}

#[test]
fn a_withdrawn_adoption_says_why_and_an_adoption_says_of_what_since_when_and_where() {
    let alterations: [(&str, Alter<Adoption>); 8] = [
        ("target_id", |a| a.target_id = "zz".repeat(16)),
        ("target_id", |a| a.target_id.clear()),
        ("since", |a| a.since = "2024-05-17T10:00:00Z".to_owned()),
        ("jurisdiction", |a| a.jurisdiction = None),
        ("reason_withdrawn", |a| a.stage = AdoptionStage::Withdrawn.into()),
        ("stage", |a| a.stage = 0),
        ("recommend", |a| a.recommend = 6),
        ("cost.amount", |a| {
            a.cost = Some(Money { currency: "EUR".to_owned(), amount: "-1".to_owned(), price_year: 0 })
        }),
    ];
    refused_at(&alterations, adoption, of_adoption);
}

#[test]
fn what_real_catalogues_leave_out_is_a_warning_and_not_a_refusal() {
    let mut lean = dataset();
    lean.modified.clear();
    lean.distributions.clear();
    let core = lean.core.as_mut().unwrap();
    core.summary.clear();
    core.body.clear();
    core.topics.clear();
    let checked = Checked::parse(of_dataset(lean)).unwrap();
    let warnings: Vec<String> = checked.warnings().iter().map(Warning::to_string).collect();
    for start in [
        "modified is missing",
        "distributions is missing",
        "core.summary is missing",
        "core.topics is missing",
    ] {
        assert!(warnings.iter().any(|warning| warning.starts_with(start)), "{start} in {warnings:#?}");
    }
    let mut malformed = dataset();
    malformed.modified = "last spring".to_owned();
    let checked = Checked::parse(of_dataset(malformed)).unwrap();
    assert!(checked.warnings().iter().any(|warning| warning.path == "modified"));
}

#[test]
fn every_mandatory_field_of_a_dataset_is_demanded() {
    let alterations: [(&str, Alter<Dataset>); 7] = [
        ("core", |d| d.core = None),
        ("core.title", |d| d.core.as_mut().unwrap().title.clear()),
        ("identifier", |d| d.identifier.clear()),
        ("publisher", |d| d.publisher.clear()),
        ("state", |d| d.state = 0),
        ("languages[0]", |d| d.languages = vec!["English".to_owned()]),
        ("distributions[0].download_url", |d| d.distributions[0].download_url = "hhttps://x.org".to_owned()),
    ];
    refused_at(&alterations, dataset, of_dataset);
}

#[test]
fn a_practice_without_what_readers_ask_for_is_warned_about() {
    let mut bare = practice();
    bare.cost_total = None;
    bare.headline.clear();
    let core = bare.core.as_mut().unwrap();
    core.contacts.clear();
    core.summary[0].text = "x".repeat(limits::SUMMARY_CHARS_ADVISED + 1);
    let checked = Checked::parse(of_practice(bare)).unwrap();
    let paths: Vec<&str> = checked.warnings().iter().map(|warning| warning.path.as_str()).collect();
    let expected = [
        "core.summary",
        "core.title",
        "core.contacts",
        "cost_total",
        "fte",
        "population_served",
        "evidence",
        "headline",
    ];
    assert_eq!(paths, expected);
}

proptest! {
    #[test]
    fn no_bytes_that_are_a_record_break_the_check(bytes in prop::collection::vec(any::<u8>(), 0..200), tag in 1_u8..4) {
        let mut framed = vec![tag << 3 | 2, u8::try_from(bytes.len().min(127)).unwrap()];
        framed.extend(bytes.iter().take(127));
        for content in [bytes, framed] {
            if let crate::Decoded::Known(record) = crate::decode(&content) {
                crate::Searchable::of(&record).unwrap();
                let _ = Checked::parse(record);
            }
        }
    }
}

/// Each alteration alone makes the record refused, at its path and nowhere else.
fn refused_at<T>(alterations: &[(&str, Alter<T>)], good: fn() -> T, wrap: fn(T) -> v1::Record) {
    for (path, alter) in alterations {
        let mut altered = good();
        alter(&mut altered);
        let mut found = paths(wrap(altered));
        found.dedup();
        assert_eq!(found, [*path]);
    }
}

fn paths(record: v1::Record) -> Vec<String> {
    match Checked::parse(record) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.into_iter().map(|problem| problem.path).collect(),
    }
}

fn core(practice: &mut Practice) -> &mut Core {
    practice.core.as_mut().unwrap()
}
