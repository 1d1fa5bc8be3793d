//! A practice: what was done, what came of it, what did not work, and who else does it.

use maud::{Markup, html};
use wego_proto::{
    record::v1::{LangText, Metric, Practice},
    v1::{AdoptionView, RecordView, Uncounted},
};

use super::{
    core,
    facts::{Facts, stacked},
    record::Content,
};
use crate::portal::{
    format, labels,
    text::{self, Form},
    visit::Visit,
};

/// What is shown of a practice.
pub(super) fn content<'a>(visit: &Visit<'_>, view: &'a RecordView, practice: &'a Practice) -> Content<'a> {
    let words = visit.words();
    let core = practice.core.as_ref();
    let sections: [(&str, &[LangText]); 6] = [
        (words.problem, &practice.problem),
        (words.approach, &practice.approach),
        (words.practice_results, &practice.results),
        (words.what_failed, &practice.what_failed),
        (words.conditions, &practice.conditions),
        (words.lessons, &practice.lessons),
    ];
    let main = html! {
        (headline(visit, &practice.headline))
        @for (name, texts) in sections { (section(visit, name, texts, Form::Plain)) }
        @if let Some(core) = core { (section(visit, words.details, &core.body, Form::Markdown)) }
        (adoptions(visit, &view.adoptions))
    };
    Content {
        titles: core.map(|core| core.title.as_slice()).unwrap_or_default(),
        badge: labels::stage(words, practice.stage()),
        summary: core.map(|core| core.summary.as_slice()).unwrap_or_default(),
        topics: core.map(|core| core.topics.as_slice()).unwrap_or_default(),
        main,
        facts: facts(visit, practice),
        imported: core.and_then(|core| core.provenance.as_ref()),
    }
}

/// A heading and a text in all its languages; nothing where there is no text.
pub(super) fn section(visit: &Visit<'_>, name: &str, texts: &[LangText], form: Form) -> Markup {
    html! { @if !texts.is_empty() { section { h2 { (name) } (text::in_all_languages(visit, texts, form)) } } }
}

fn facts(visit: &Visit<'_>, practice: &Practice) -> Facts {
    let words = visit.words();
    let number = |value| visit.number(value);
    let mut facts = Facts::default();
    facts.word(words.stage, labels::stage(words, practice.stage()));
    facts.word(
        words.started,
        Some(practice.started_year).filter(|year| *year != 0).map(|year| year.to_string()),
    );
    facts.text(words.owner, &practice.owner_organisation);
    facts.word(words.evidence, labels::evidence(words, practice.evidence()));
    facts.word(words.cost_total, format::money(words, practice.cost_total.as_ref()));
    facts.word(words.cost_per_year, format::money(words, practice.cost_per_year.as_ref()));
    facts.text(words.staff, &format::decimal(words, &practice.fte));
    facts.number(words.months_to_live, practice.months_to_live.into(), number);
    facts.number(words.population_served, practice.population_served, number);
    facts.add(
        words.solutions,
        stacked(practice.solution_ids.iter().map(|id| text::outward(id, text::plain(id)))),
    );
    facts.add(
        words.organisations,
        stacked(practice.org_ids.iter().map(|id| text::outward(id, text::plain(id)))),
    );
    if let Some(core) = &practice.core {
        core::jurisdiction(visit, &mut facts, core.jurisdiction.as_ref());
        core::rest(visit, &mut facts, core);
    }
    facts
}

fn headline(visit: &Visit<'_>, metrics: &[Metric]) -> Markup {
    let words = visit.words();
    html! {
        @if !metrics.is_empty() {
            section {
                h2 { (words.headline) }
                dl.metrics {
                    @for metric in metrics {
                        div {
                            dt {
                                @if let Some(label) = visit.chosen(&metric.label) { (text::isolated(label)) }
                                @if metric.year != 0 { " (" (metric.year) ")" }
                            }
                            dd { b { (format::decimal(words, &metric.value)) } " " (text::plain(&metric.unit)) }
                        }
                    }
                }
            }
        }
    }
}

fn adoptions(visit: &Visit<'_>, adoptions: &[AdoptionView]) -> Markup {
    let words = visit.words();
    let counts = |adoption: &&AdoptionView| adoption.uncounted() == Uncounted::Unspecified;
    let (counted, aside): (Vec<_>, Vec<_>) = adoptions.iter().partition(counts);
    html! {
        section {
            h2 { (words.adopted_by) @if !counted.is_empty() { " " span.count { (visit.number(counted.len() as u64)) } } }
            @if counted.is_empty() {
                p.quiet { (words.adopted_by_none) }
            } @else {
                p.note { (words.adopted_how) }
                ul.adoptions { @for adoption in counted { li { (adopter(visit, adoption)) } } }
            }
            @if !aside.is_empty() {
                h3 { (words.not_counted) }
                ul.adoptions {
                    @for adoption in aside {
                        li { (adopter(visit, adoption)) " " span.note { (why_not_counted(visit, adoption)) } }
                    }
                }
            }
        }
    }
}

fn adopter(visit: &Visit<'_>, adoption: &AdoptionView) -> Markup {
    let words = visit.words();
    html! {
        (visit.city_link(&adoption.handle))
        " " a.badge href=(visit.record_page(&adoption.record_id)) {
            (labels::adoption_stage(words, adoption.stage()).unwrap_or(words.unknown))
        }
        @if !adoption.since.is_empty() {
            " " span.note { (words.since) " " (text::plain(&adoption.since)) }
        }
        (text::in_all_languages(visit, &adoption.reason_withdrawn, Form::Plain))
    }
}

fn why_not_counted(visit: &Visit<'_>, adoption: &AdoptionView) -> &'static str {
    match adoption.uncounted() {
        Uncounted::OwnRecord => visit.words().own_adoption,
        Uncounted::Unspecified | Uncounted::NotActive => {
            labels::status(visit.words(), adoption.member_status())
        }
    }
}
