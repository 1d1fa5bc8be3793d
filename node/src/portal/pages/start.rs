//! The start page: an invitation to search, and what is newest.
//!
//! Its figures are counted from what this node holds, never from what a city claims.

use std::collections::BTreeSet;

use maud::{Markup, html};
use wego_proto::{
    record::v1::RecordKind,
    v1::{self, MemberStatus},
};

use super::{filters, search_box};
use crate::portal::{
    frame::{Here, Page},
    labels, limits,
    refusal::Refusal,
    text::{self, Foreign},
    visit::Visit,
};

/// The page.
///
/// # Errors
/// [`Refusal::Unavailable`].
pub(super) fn start(visit: &Visit<'_>) -> Result<Page, Refusal> {
    let words = visit.words();
    let newest = visit.library.list(v1::ListRequest {
        kind: RecordKind::Practice.into(),
        page_size: limits::NEWEST_SHOWN,
        ..v1::ListRequest::default()
    })?;
    let overview = visit.library.search(v1::SearchRequest {
        limit: 1,
        facets: true,
        reader_lang: visit.reader.wanted[0].clone(),
        ..v1::SearchRequest::default()
    })?;
    let body = html! {
        div.hero {
            h1 { (words.hero) }
            p.lead { (words.hero_lead) }
            (search_box(visit.reader, ""))
            (figures(visit, &overview))
        }
        (newest_practices(visit, &newest.records))
        (topics(visit, &overview))
        (cities(visit))
    };
    Ok(Page::new(words.search_label, body).at(Here::Start))
}

fn figures(visit: &Visit<'_>, overview: &v1::SearchReply) -> Markup {
    let words = visit.words();
    let members = present(visit);
    let countries: BTreeSet<&str> = members.iter().map(|(member, _)| member.country.as_str()).collect();
    let kinds = overview.facets.iter().filter(|facet| facet.field == "kind").flat_map(|facet| &facet.values);
    let number = |value: usize| visit.number(value as u64);
    html! {
        ul.figures {
            li { a href=(visit.reader.link("/federation", &[])) { b { (number(members.len())) } " " (words.members) } }
            li { span { b { (number(countries.len())) } " " (words.countries) } }
            @for value in kinds {
                @if let Some(kind) = wego_catalogue::kind::from_word(&value.value) {
                    li {
                        a href=(visit.search_page(&filters::written("kind", &value.value))) {
                            b { (visit.number(value.count)) } " " (labels::kind_plural(words, kind))
                        }
                    }
                }
            }
        }
    }
}

fn newest_practices(visit: &Visit<'_>, newest: &[v1::RecordSummary]) -> Markup {
    let words = visit.words();
    html! {
        section aria-labelledby="newest" {
            h2 #newest { (words.newest) }
            @if newest.is_empty() {
                p.quiet { (words.no_newest) }
            } @else {
                ul.cards { @for record in newest { li { (card(visit, record)) } } }
                p { a.more href=(visit.search_page("kind:practice")) { (words.show_all) } }
            }
        }
    }
}

fn card(visit: &Visit<'_>, record: &v1::RecordSummary) -> Markup {
    let (words, title) = (visit.words(), visit.chosen(&record.title));
    html! {
        article.card {
            p.eyebrow { (text::isolated(&visit.city(&record.handle))) }
            h3 lang=[title.map(|title| text::attribute(&title.lang))] {
                a href=(visit.record_page(&record.record_id)) { (Foreign(&visit.title(&record.title))) }
            }
            p.note {
                @let dated = record.dated();
                (visit.age(dated.ms))
                @if dated.ahead { " " span.badge { (words.clock_ahead) } }
                @if let Some(title) = title { " " (text::tag(visit, &title.lang)) }
            }
        }
    }
}

fn topics(visit: &Visit<'_>, overview: &v1::SearchReply) -> Markup {
    let words = visit.words();
    let values =
        overview.facets.iter().filter(|facet| facet.field == "topic").flat_map(|facet| &facet.values);
    let values: Vec<_> = values.take(limits::TOPICS_SHOWN).collect();
    html! {
        @if !values.is_empty() {
            section aria-labelledby="topics" {
                h2 #topics { (words.browse_topics) }
                ul.chips {
                    @for value in values {
                        li {
                            a.chip href=(visit.search_page(&filters::written("topic", &value.value))) {
                                (text::plain(&labels::filter_value(words, "topic", &value.value, &value.label)))
                                " " span.count { (visit.number(value.count)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn cities(visit: &Visit<'_>) -> Markup {
    let words = visit.words();
    html! {
        section aria-labelledby="cities" {
            h2 #cities { (words.browse_members) }
            ul.chips {
                @for (member, view) in present(visit) {
                    li {
                        a.chip href=(visit.member_page(&member.handle)) {
                            (text::isolated(&visit.city(&member.handle)))
                            " " span.count { (visit.number(view.records)) }
                        }
                    }
                }
            }
            p { a.more href=(visit.reader.link("/federation", &[])) { (words.all_members) } }
        }
    }
}

/// Members that have not left.
fn present<'a>(visit: &Visit<'a>) -> Vec<(&'a v1::Member, &'a v1::MemberView)> {
    let views = visit.federation.members.iter();
    let members = views.filter_map(|view| view.member.as_ref().map(|member| (member, view)));
    members
        .filter(|(member, _)| !matches!(member.status(), MemberStatus::Left | MemberStatus::Expelled))
        .collect()
}
