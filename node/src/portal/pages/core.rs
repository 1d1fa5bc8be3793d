//! The fields that every practice and dataset has.

use maud::{Markup, html};
use wego_proto::{
    id::RecordId,
    record::v1::{Concept, ContactRef, Core, Jurisdiction, Link, Relation},
};

use super::{
    facts::{Facts, stacked},
    filters,
};
use crate::portal::{labels, language, text, visit::Visit};

/// Topics as links to what else there is on them.
pub(super) fn topics(visit: &Visit<'_>, topics: &[Concept]) -> Markup {
    html! {
        @if !topics.is_empty() {
            ul.chips aria-label=(visit.words().topics) {
                @for topic in topics {
                    li {
                        a.chip href=(visit.search_page(&filters::written("topic", &topic.uri))) {
                            (text::plain(labels::topic(visit.words(), &topic.scheme, &topic.uri)))
                        }
                    }
                }
            }
        }
    }
}

/// Where a record holds: the place, its level, what it lies in.
pub(super) fn jurisdiction(visit: &Visit<'_>, facts: &mut Facts, jurisdiction: Option<&Jurisdiction>) {
    let Some(jurisdiction) = jurisdiction else { return };
    let words = visit.words();
    facts.word(words.jurisdiction, labels::level(words, jurisdiction.level()));
    let place = [jurisdiction.place.as_str(), jurisdiction.country.as_str()];
    let inner = place.into_iter().chain(jurisdiction.ancestors.iter().map(String::as_str));
    let mut parts: Vec<&str> = Vec::new();
    for part in inner.filter(|part| !part.is_empty()) {
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    facts.text(words.place, &parts.join(", "));
    facts.address(words.place, &jurisdiction.geocoding_uri);
}

/// Dates, licence, keywords, contacts, links, relations and other identifiers.
pub(super) fn rest(visit: &Visit<'_>, facts: &mut Facts, core: &Core) {
    let words = visit.words();
    if let Some(dates) = &core.dates {
        facts.text(words.created, &dates.created);
        facts.text(words.modified, &dates.modified);
        facts.text(words.valid_from, &dates.valid_from);
        facts.text(words.valid_to, &dates.valid_to);
        facts.text(words.assured_on, &dates.assured_on);
    }
    facts.add(words.keywords, keywords(&core.keywords));
    facts.add(words.contacts, stacked(core.contacts.iter().map(|contact| one_contact(visit, contact))));
    facts.add(words.links, stacked(core.links.iter().map(one_link)));
    facts.add(words.relations, stacked(core.relations.iter().map(|relation| one_relation(visit, relation))));
    let other_ids =
        core.alt_ids.iter().map(|id| html! { (text::plain(&id.scheme)) ": " (text::plain(&id.value)) });
    facts.add(words.other_ids, stacked(other_ids));
    facts.add(words.licence, licence(&core.licence));
}

/// A licence by its address or its name.
pub(super) fn licence(licence: &str) -> Markup {
    html! { @if !licence.is_empty() { (text::outward(licence, text::plain(licence))) } }
}

pub(super) fn keywords(keywords: &[String]) -> Markup {
    html! { @for (at, keyword) in keywords.iter().enumerate() { @if at > 0 { ", " } (text::plain(keyword)) } }
}

fn one_contact(visit: &Visit<'_>, contact: &ContactRef) -> Markup {
    html! {
        @match visit.chosen(&contact.label) {
            Some(label) => { (text::isolated(label)) @if !contact.role.is_empty() { " (" (text::plain(&contact.role)) ")" } },
            None => (text::plain(&contact.role)),
        }
        @if !contact.public_phone.is_empty() { " · " (text::plain(&contact.public_phone)) }
        @if !contact.public_url.is_empty() { " · " (text::outward(&contact.public_url, text::plain(&contact.public_url))) }
    }
}

fn one_link(link: &Link) -> Markup {
    html! {
        (text::outward(&link.url, text::plain(&link.url)))
        @let notes = [link.rel.as_str(), link.media_type.as_str(), language::endonym(&link.lang)];
        @for note in notes.into_iter().filter(|note| !note.is_empty()) { " · " (text::plain(note)) }
    }
}

fn one_relation(visit: &Visit<'_>, relation: &Relation) -> Markup {
    html! {
        (text::plain(labels::relation(visit.words(), &relation.r#type))) ": "
        (record_reference(visit, &relation.target))
    }
}

/// Another record: by its title where it is held here, as a link where its id is one.
pub(super) fn record_reference(visit: &Visit<'_>, target: &str) -> Markup {
    let Ok(id) = target.parse::<RecordId>() else {
        return text::plain(target);
    };
    // A reference is worth a title, not a failed page.
    let held = visit.library.record(&id).ok().flatten();
    let title = held.as_ref().and_then(title_of).map(|titles| visit.title(titles));
    html! {
        a href=(visit.record_page(id.as_bytes())) {
            @match title {
                Some(title) => (text::plain(&title)),
                None if held.as_ref().is_some_and(|view| view.erased) => (visit.words().erased_title),
                None => span.hash { (id) },
            }
        }
        @if let Some(provenance) = held.as_ref().and_then(|view| view.provenance.as_ref()) {
            " · " (visit.city_link(&provenance.handle))
        }
    }
}

fn title_of(view: &wego_proto::v1::RecordView) -> Option<&[wego_proto::record::v1::LangText]> {
    use wego_proto::v1::record::Kind;
    match view.record.as_ref()?.kind.as_ref()? {
        Kind::Practice(practice) => Some(&practice.core.as_ref()?.title),
        Kind::Dataset(dataset) => Some(&dataset.core.as_ref()?.title),
        Kind::Adoption(_) => None,
    }
}
