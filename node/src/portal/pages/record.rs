//! A record: what it says in all its languages, and who says it.
//!
//! Everything of a record is shown. What was withdrawn, erased or not verified is marked before anything else.

use maud::{Markup, html};
use wego_proto::{
    id::RecordId,
    record::v1::{Concept, LangText, Provenance as Imported, RecordKind},
    v1::{Provenance, RecordView, record::Kind},
};

use super::{adoption, core, dataset, facts::Facts, practice, provenance};
use crate::portal::{
    frame::Page,
    labels, language,
    refusal::Refusal,
    text::{self, Foreign, Form},
    visit::Visit,
};

/// What is shown of a record, whatever its kind.
pub(super) struct Content<'a> {
    pub(super) titles: &'a [LangText],
    /// Stage or state.
    pub(super) badge: Option<&'static str>,
    pub(super) summary: &'a [LangText],
    pub(super) topics: &'a [Concept],
    pub(super) main: Markup,
    pub(super) facts: Facts,
    pub(super) imported: Option<&'a Imported>,
}

/// The page of the record `id`.
///
/// # Errors
/// [`Refusal::NotFound`] when no such record is held; [`Refusal::Unavailable`].
pub(in crate::portal) fn record(visit: &mut Visit<'_>, id: &str) -> Result<Page, Refusal> {
    let id: RecordId = id.parse().map_err(|_| Refusal::NotFound)?;
    let view = visit.library.record(&id)?.ok_or(Refusal::NotFound)?;
    let history = visit.library.history(&id)?.unwrap_or_default();
    visit.learn(&history);
    let (kind, content) = content(visit, &view);
    let signed = view.provenance.clone().unwrap_or_default();
    let title = heading(visit, kind, &signed.handle, content.titles);
    let body = html! {
        article.record {
            (top(visit, kind, &content, &title, &signed))
            @if view.erased { (provenance::erasure(visit, view.erased_by.as_ref())) }
            @else if view.retracted { (provenance::withdrawal(visit, &signed.handle, &view.retract_reason)) }
            @else if view.record.is_none() { (provenance::erasure(visit, None)) }
            @if !signed.verified { div.banner.error role="note" { p { (visit.words().not_verified) } } }
            div.columns {
                div.main-column {
                    @if !content.summary.is_empty() {
                        div.lead { (text::in_all_languages(visit, content.summary, Form::Plain)) }
                    }
                    (content.main)
                }
                aside.side-column aria-label=(visit.words().facts) {
                    @if !content.facts.is_empty() {
                        section.box aria-labelledby="facts" { h2 #facts { (visit.words().facts) } (content.facts.list()) }
                    }
                    (provenance::provenance(visit, &id, &signed))
                    @if view.record.is_some() { (provenance::check(visit, &id)) }
                    @if let Some(imported) = content.imported { (provenance::imported(visit, imported)) }
                }
            }
            (provenance::history(visit, &id, &history))
        }
    };
    let page = Page::new(title.text, body);
    Ok(if view.erased { page.gone() } else { page })
}

fn content<'a>(visit: &Visit<'_>, view: &'a RecordView) -> (RecordKind, Content<'a>) {
    match view.record.as_ref().and_then(|record| record.kind.as_ref()) {
        Some(Kind::Practice(found)) => (RecordKind::Practice, practice::content(visit, view, found)),
        Some(Kind::Adoption(found)) => (RecordKind::Adoption, adoption::content(visit, found)),
        Some(Kind::Dataset(found)) => (RecordKind::Dataset, dataset::content(visit, found)),
        None => (RecordKind::Unspecified, nothing()),
    }
}

/// What is left of an erased record.
fn nothing<'a>() -> Content<'a> {
    let (main, facts) = (Markup::default(), Facts::default());
    Content { titles: &[], badge: None, summary: &[], topics: &[], main, facts, imported: None }
}

/// The title to show; of a record without one, what it is and whose.
fn heading(visit: &Visit<'_>, kind: RecordKind, handle: &str, titles: &[LangText]) -> LangText {
    visit.chosen(titles).cloned().unwrap_or_else(|| {
        let words = visit.words();
        let kind =
            if kind == RecordKind::Unspecified { words.erased_title } else { labels::kind(words, kind) };
        let text = format!("{kind}: {}", visit.city(handle).text);
        LangText { lang: words.tag.to_owned(), text, ..LangText::default() }
    })
}

fn top(
    visit: &Visit<'_>,
    kind: RecordKind,
    content: &Content<'_>,
    title: &LangText,
    signed: &Provenance,
) -> Markup {
    let words = visit.words();
    let lang = text::attribute(&title.lang);
    html! {
        header.record-top {
            p.eyebrow {
                @if kind != RecordKind::Unspecified {
                    span class={ "kind kind-" (wego_catalogue::kind::word(kind)) } { (labels::kind(words, kind)) } " "
                }
                @if let Some(badge) = content.badge { span.badge { (badge) } " " }
                (text::tag(visit, &title.lang)) " " (text::machine_note(visit, title))
            }
            h1 lang=(lang) dir=[language::direction(lang)] { (Foreign(&title.text)) }
            (other_titles(visit, content.titles, &title.lang))
            (provenance::verdict(visit, signed))
            (core::topics(visit, content.topics))
        }
    }
}

fn other_titles(visit: &Visit<'_>, titles: &[LangText], shown: &str) -> Markup {
    let others: Vec<&LangText> = titles.iter().filter(|other| other.lang != shown).collect();
    html! {
        @if !others.is_empty() {
            ul.other-titles {
                @for other in others {
                    @let lang = text::attribute(&other.lang);
                    li {
                        span.tag lang=(lang) { (language::endonym(lang)) } " " (text::isolated(other))
                        " " (text::machine_note(visit, other))
                    }
                }
            }
        }
    }
}
