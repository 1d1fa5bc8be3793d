//! The results of a search: what was found, how it was read, how to narrow it, and how old each city's copy is.
//!
//! The age of the data stands on every page of results, because an answer from an old copy must say so.

use maud::{Markup, html};
use wego_proto::v1;

use super::{
    filters::{self, Filter},
    provenance, search_box,
};
use crate::portal::{
    frame::{Here, Page},
    labels, limits,
    refusal::Refusal,
    text::{self, Foreign, tamed},
    visit::Visit,
    ways::{Way, Ways},
    words::filled,
};

/// The page for `query`.
///
/// # Errors
/// [`Refusal`] when there is no such page, or the library cannot read the query.
pub(super) fn results(visit: &Visit<'_>, query: &str) -> Result<Page, Refusal> {
    let words = visit.words();
    let page = page_number(visit.reader.parameter("page"))?;
    let reply = visit.library.search(v1::SearchRequest {
        query: query.to_owned(),
        limit: limits::RESULTS_PER_PAGE,
        offset: (page - 1) * limits::RESULTS_PER_PAGE,
        facets: true,
        reader_lang: visit.reader.wanted[0].clone(),
    })?;
    let title = filled(words.results_for, &[("query", &tamed(query))]);
    let ways = visit.reader.ways_on(query);
    let body = html! {
        div.search-top {
            h1.quiet-title { (words.results) }
            (search_box(visit.reader, query))
            (active_filters(visit, &ways, query))
            (ways.form())
        }
        div.results {
            section.found aria-labelledby="found" {
                h2 #found.found-count { (words.results) ": " (visit.number(reply.total)) }
                (coverage(visit, &reply))
                (reading(visit, &reply))
                @if reply.hits.is_empty() {
                    div.empty { p { strong { (words.none_found) } } p { (words.none_found_hint) } }
                } @else {
                    ol.hits start=((page - 1) * limits::RESULTS_PER_PAGE + 1) {
                        @for hit in &reply.hits { li { (found(visit, hit)) } }
                    }
                }
                (pagination(visit, &ways, query, page, reply.total))
            }
            (narrowing(visit, &ways, query, &reply.facets))
        }
    };
    Ok(Page::new(title, body).at(Here::Elsewhere))
}

fn page_number(parameter: Option<&str>) -> Result<u32, Refusal> {
    let last = limits::OFFSET_MAX / limits::RESULTS_PER_PAGE + 1;
    let page = parameter.map_or(Ok(1), str::parse).map_err(|_| Refusal::NoSuchPage)?;
    if (1..=last).contains(&page) { Ok(page) } else { Err(Refusal::NoSuchPage) }
}

fn active_filters(visit: &Visit<'_>, ways: &Ways, query: &str) -> Markup {
    let words = visit.words();
    let active = filters::filters(query);
    let way = Way { class: "chip on", title: Some(words.remove_filter), ..Way::default() };
    let label = |filter: Filter<'_>| {
        html! {
            span.chip-field { (labels::facet(words, filter.field)) } " " (text::plain(&filter_label(visit, filter)))
            " " span.cross aria-hidden="true" { "×" }
        }
    };
    html! {
        @if !active.is_empty() {
            ul.chips.active aria-label=(words.filters) {
                @for filter in active {
                    @let rest = || visit.search_page(&filters::without(query, filter.written));
                    li { (ways.on(rest, ("without", filter.written), &way, &label(filter))) }
                }
            }
        }
    }
}

fn filter_label(visit: &Visit<'_>, filter: Filter<'_>) -> String {
    if filter.field == "city" {
        return visit.city(filter.value).text;
    }
    labels::filter_value(visit.words(), filter.field, filter.value, "")
}

/// How the query was read beyond its letters: topics it named, words with a letter changed, what cannot be found yet.
fn reading(visit: &Visit<'_>, reply: &v1::SearchReply) -> Markup {
    let words = visit.words();
    html! {
        @if !reply.also_searched.is_empty() {
            p.reading { (words.also_searched) " " (listed(&reply.also_searched)) }
        }
        @if !reply.corrected.is_empty() {
            p.reading { (words.corrected) " " (listed(&reply.corrected)) }
        }
        @if reply.behind > 0 {
            p.reading { (filled(words.behind, &[("n", &visit.number(reply.behind))])) }
        }
    }
}

fn listed(items: &[String]) -> Markup {
    html! { @for (at, item) in items.iter().enumerate() { @if at > 0 { ", " } em { (text::plain(item)) } } }
}

fn found(visit: &Visit<'_>, hit: &v1::Hit) -> Markup {
    let words = visit.words();
    let provenance = hit.provenance.as_ref();
    let handle = provenance.map(|provenance| provenance.handle.as_str()).unwrap_or_default();
    let seen_ms = provenance.map_or(0, |provenance| provenance.origin_seen_ms);
    let title = hit.title.as_ref();
    let kind = if hit.erased_by.is_some() { words.erased_title } else { labels::kind(words, hit.kind()) };
    html! {
        article.hit {
            p.eyebrow {
                span class={ "kind kind-" (wego_catalogue::kind::word(hit.kind())) } { (kind) }
                " · " (visit.city_link(handle))
                @if let Some(title) = title { " " (text::tag(visit, &title.lang)) }
            }
            h3 lang=[title.map(|title| text::attribute(&title.lang))] {
                a href=(visit.record_page(&hit.record_id)) {
                    @match title {
                        Some(title) => (Foreign(&title.text)),
                        None => { (kind) ": " (text::isolated(&visit.city(handle))) },
                    }
                }
            }
            @if let Some(by) = &hit.erased_by {
                p.summary { (provenance::erased_by(visit, by)) " " (provenance::erase_reason(visit, by)) }
            }
            @if let Some(summary) = hit.summary.as_ref().filter(|summary| !summary.text.is_empty()) {
                p.summary lang=(text::attribute(&summary.lang)) { (Foreign(&summary.text)) }
            }
            p.note {
                @if provenance.is_none_or(|provenance| !provenance.verified) {
                    strong.bad { (words.unverified) } " · "
                }
                @if handle == visit.own_handle { (words.reach_self) }
                @else { (words.data_age) " " (visit.age(seen_ms)) }
            }
        }
    }
}

fn pagination(visit: &Visit<'_>, ways: &Ways, query: &str, page: u32, total: u64) -> Markup {
    let words = visit.words();
    let reachable = total.min(u64::from(limits::OFFSET_MAX + limits::RESULTS_PER_PAGE));
    let last = u32::try_from(reachable.div_ceil(u64::from(limits::RESULTS_PER_PAGE))).unwrap_or(1).max(1);
    let way = |page: u32, rel: &'static str, label: &str| {
        let page = page.to_string();
        let link = || visit.reader.link("/", &[("q", query), ("page", &page)]);
        let way = Way { class: "button", rel: Some(rel), ..Way::default() };
        ways.on(link, ("page", &page), &way, &html! { (label) })
    };
    let place =
        filled(words.page_of, &[("n", &visit.number(page.into())), ("all", &visit.number(last.into()))]);
    html! {
        @if last > 1 || page > 1 {
            nav.pages aria-label=(words.pages) {
                @if page > 1 { (way((page - 1).min(last), "prev", words.previous)) }
                span { (place) }
                @if page < last { (way(page + 1, "next", words.next)) }
            }
        }
    }
}

/// "7 of 9 cities fresh within 1 h; Dakar 3 days ago": members that have left are not waited for.
fn coverage(visit: &Visit<'_>, reply: &v1::SearchReply) -> Markup {
    let words = visit.words();
    let expected = |handle: &str| {
        let status = visit.member(handle).and_then(|view| view.member.as_ref()).map(v1::Member::status);
        !matches!(status, Some(v1::MemberStatus::Left | v1::MemberStatus::Expelled))
    };
    let copies: Vec<&v1::Coverage> = reply.coverage.iter().filter(|copy| expected(&copy.handle)).collect();
    let mut stale: Vec<&v1::Coverage> =
        copies.iter().copied().filter(|copy| !visit.is_fresh(&copy.handle, copy.seen_ms)).collect();
    // Never reached is 0 and comes first, then the oldest.
    stale.sort_by_key(|copy| copy.seen_ms);
    let number = |count: usize| visit.number(count as u64);
    let left_out = stale.len().saturating_sub(limits::STALE_MEMBERS_NAMED);
    html! {
        p.coverage {
            (filled(words.coverage, &[("fresh", &number(copies.len() - stale.len())), ("all", &number(copies.len()))]))
            @for copy in stale.iter().take(limits::STALE_MEMBERS_NAMED) {
                "; " (visit.city_link(&copy.handle)) " " (visit.age(copy.seen_ms))
            }
            @if left_out > 0 {
                "; " a href=(visit.reader.link("/federation", &[])) { (filled(words.and_more, &[("n", &number(left_out))])) }
            }
        }
    }
}

fn narrowing(visit: &Visit<'_>, ways: &Ways, query: &str, facets: &[v1::Facet]) -> Markup {
    let words = visit.words();
    let active = filters::filters(query);
    let is_active = |field: &str, value: &str| {
        active.iter().any(|filter| filter.field == field && filter.value.eq_ignore_ascii_case(value))
    };
    let value = |field: &str, value: &v1::FacetValue| {
        let label = facet_label(visit, field, value);
        let link = || visit.search_page(&filters::with(query, field, &value.value));
        let filter = filters::written(field, &value.value);
        html! {
            @if is_active(field, &value.value) { strong { (label) } }
            @else { (ways.on(link, ("narrow", &filter), &Way::default(), &label)) }
            " " span.count { (visit.number(value.count)) }
        }
    };
    let offered = labels::FACETS.iter().filter_map(|field| facets.iter().find(|facet| facet.field == *field));
    let offered: Vec<&v1::Facet> = offered.filter(|facet| !facet.values.is_empty()).collect();
    html! {
        @if !offered.is_empty() {
            aside.narrow aria-labelledby="narrow" {
                h2 #narrow { (words.narrow) }
                @for facet in offered {
                    h3 { (labels::facet(words, &facet.field)) }
                    ul {
                        @for one in facet.values.iter().take(limits::FACET_VALUES_SHOWN) {
                            li { (value(&facet.field, one)) }
                        }
                    }
                }
            }
        }
    }
}

fn facet_label(visit: &Visit<'_>, field: &str, value: &v1::FacetValue) -> Markup {
    if field == "city" && visit.member(&value.value).is_some() {
        return text::isolated(&visit.city(&value.value));
    }
    text::plain(&labels::filter_value(visit.words(), field, &value.value, &value.label))
}
