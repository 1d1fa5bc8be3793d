//! The rules of a practice. From stage live on it must say what failed and under which conditions it works: that
//! is what the next city needs most, and what nobody writes unasked.

use wego_proto::record::v1::{EvidenceLevel, Practice, Stage};

use super::{
    Fault,
    check::Check,
    core,
    rule::{
        Form, advised, amount, at_most, given, line, metric, money, needed, optional, required, texts, year,
    },
};
use crate::limits::{ITEMS_MAX, LINE_CHARS_MAX, MONTHS_MAX, POPULATION_MAX, TEXT_CHARS_MAX};

/// Checks a practice.
pub(super) fn check(check: &mut Check, practice: &Practice) {
    core::check(check, practice.core.as_ref());
    if let Some(core) = &practice.core {
        check.field("core", |check| {
            needed(check, "summary", &core.summary, "say in one sentence what the practice is");
            needed(check, "topics", &core.topics, "give at least one, so that others find it");
        });
    }
    story(check, practice);
    stage(check, practice);
    figures(check, practice);
    advise(check, practice);
}

fn story(check: &mut Check, practice: &Practice) {
    let parts = [
        ("problem", &practice.problem, Some("say what the city wanted to solve")),
        ("approach", &practice.approach, Some("say what was done")),
        ("results", &practice.results, Some("say what came of it, or what is expected and when")),
        ("what_failed", &practice.what_failed, None),
        ("conditions", &practice.conditions, None),
        ("lessons", &practice.lessons, None),
    ];
    for (name, part, remedy) in parts {
        if let Some(remedy) = remedy {
            needed(check, name, part, remedy);
        }
        texts(check, name, part, Form::Paragraphs(TEXT_CHARS_MAX));
    }
    let remedy = "name the office responsible, never a person";
    check.text("owner_organisation", &practice.owner_organisation, required(remedy, line(LINE_CHARS_MAX)));
}

fn stage(check: &mut Check, practice: &Practice) {
    match practice.stage() {
        Stage::Unspecified => check.field("stage", |check| {
            check.fault(Fault::Missing { remedy: "say idea, pilot, live, scaled or ended" });
        }),
        Stage::Idea | Stage::Pilot => {}
        Stage::Live | Stage::Scaled | Stage::Ended => {
            needed(check, "what_failed", &practice.what_failed, "from stage live on, say what did not work");
            needed(
                check,
                "conditions",
                &practice.conditions,
                "from stage live on, say what it takes to succeed",
            );
        }
    }
    match practice.started_year {
        0 => check
            .field("started_year", |check| check.fault(Fault::Missing { remedy: "give the year it began" })),
        given => year(check, "started_year", given),
    }
}

fn figures(check: &mut Check, practice: &Practice) {
    money(check, "cost_total", practice.cost_total.as_ref());
    money(check, "cost_per_year", practice.cost_per_year.as_ref());
    check.text("fte", &practice.fte, optional(amount));
    let months = u64::from(practice.months_to_live);
    at_most(check, "months_to_live", months, u64::from(MONTHS_MAX), "at most 1,200 months");
    let served = practice.population_served;
    at_most(check, "population_served", served, POPULATION_MAX, "at most 10,000,000,000 persons");
    let id = required("remove the empty item", line(LINE_CHARS_MAX));
    check.each("solution_ids", &practice.solution_ids, ITEMS_MAX, |check, text| id(check, text));
    check.each("org_ids", &practice.org_ids, ITEMS_MAX, |check, text| id(check, text));
    check.each("headline", &practice.headline, ITEMS_MAX, metric);
}

fn advise(check: &mut Check, practice: &Practice) {
    core::advise(check, practice.core.as_ref());
    let cost = practice.cost_total.as_ref().or(practice.cost_per_year.as_ref()).map(|_| ());
    advised(check, "cost_total", cost, "is missing: other cities cannot judge whether they can afford it");
    let fte = (!practice.fte.is_empty()).then_some(());
    advised(check, "fte", fte, "is missing: other cities cannot judge how many people it takes");
    let served = (practice.population_served > 0).then_some(());
    advised(check, "population_served", served, "is missing: cities of another size cannot compare");
    let evidence = (practice.evidence() != EvidenceLevel::Unspecified).then_some(());
    advised(check, "evidence", evidence, "is missing: readers cannot tell how sure the results are");
    advised(check, "headline", given(&practice.headline), "is missing: a figure is what readers remember");
}
