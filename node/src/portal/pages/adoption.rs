//! An adoption: one city says, and signs, that it uses another's practice.

use maud::html;
use wego_proto::record::v1::Adoption;

use super::{core, facts::Facts, practice::section, record::Content};
use crate::portal::{
    format, labels,
    text::{self, Form},
    visit::Visit,
};

/// What is shown of an adoption.
pub(super) fn content<'a>(visit: &Visit<'_>, adoption: &'a Adoption) -> Content<'a> {
    let words = visit.words();
    let main = html! {
        p.adopts { (words.adopts) ": " strong { (core::record_reference(visit, &adoption.target_id)) } }
        (section(visit, words.changed, &adoption.changed, Form::Plain))
        (section(visit, words.reused, &adoption.reused, Form::Plain))
        (section(visit, words.reason_withdrawn, &adoption.reason_withdrawn, Form::Plain))
    };
    Content {
        titles: &[],
        badge: labels::adoption_stage(words, adoption.stage()),
        summary: &[],
        topics: &[],
        main,
        facts: facts(visit, adoption),
        imported: None,
    }
}

fn facts(visit: &Visit<'_>, adoption: &Adoption) -> Facts {
    let words = visit.words();
    let mut facts = Facts::default();
    facts.word(words.stage, labels::adoption_stage(words, adoption.stage()));
    facts.text(words.since, &adoption.since);
    facts.number(words.target_version, adoption.target_version, |version| version.to_string());
    facts.word(words.cost, format::money(words, adoption.cost.as_ref()));
    facts.text(words.staff, &format::decimal(words, &adoption.fte));
    facts.number(words.recommends, adoption.recommend.into(), |_| {
        labels::out_of_five(words, adoption.recommend)
    });
    core::jurisdiction(visit, &mut facts, adoption.jurisdiction.as_ref());
    if facts.is_empty() {
        facts.add(words.adopts, text::plain(&adoption.target_id));
    }
    facts
}
