//! A member: who it is, with which keys it signs, how current its copy here is, and what it published.

use maud::{Markup, html};
use wego_proto::{
    record::v1::RecordKind,
    roster::last_signed,
    v1::{self, MemberStatus},
};

use super::facts::{Facts, stacked};
use crate::portal::{
    format,
    frame::Page,
    labels, limits,
    refusal::Refusal,
    text::{self, Foreign},
    visit::{Visit, names},
    words::filled,
};

/// The kinds in the order in which they are listed.
const KINDS: [RecordKind; 3] = [RecordKind::Practice, RecordKind::Adoption, RecordKind::Dataset];

/// The page of the member `handle`: some of its records of each kind, or all of one.
///
/// # Errors
/// [`Refusal::NotFound`] when the roster has no such member or the kind is none; [`Refusal::Unavailable`].
pub(in crate::portal) fn member(visit: &Visit<'_>, handle: &str) -> Result<Page, Refusal> {
    let view = visit.member(handle).ok_or(Refusal::NotFound)?;
    let member = view.member.as_ref().ok_or(Refusal::NotFound)?;
    let records = match visit.reader.parameter("kind") {
        None => overview(visit, handle)?,
        Some(word) => {
            let kind = wego_catalogue::kind::from_word(word).ok_or(Refusal::NotFound)?;
            one_kind(visit, handle, kind)?
        }
    };
    let name = visit.city(handle);
    let body = html! {
        article.member {
            header.record-top {
                p.eyebrow {
                    (labels::role(visit.words(), member.role())) " · " (text::plain(&member.country))
                    " " span.badge { (labels::status(visit.words(), member.status())) }
                }
                h1 lang=(text::attribute(&name.lang)) { (Foreign(&name.text)) }
                (other_names(visit, member, &name.lang))
            }
            (warnings(visit, member, view))
            div.columns {
                div.main-column { (records) }
                aside.side-column aria-label=(visit.words().facts) {
                    section.box aria-labelledby="facts" { h2 #facts { (visit.words().facts) } (facts(visit, member, view).list()) }
                    section.box aria-labelledby="keys" { h2 #keys { (visit.words().fingerprint) } (keys(visit, member).list()) }
                }
            }
        }
    };
    Ok(Page::new(name.text, body))
}

fn other_names(visit: &Visit<'_>, member: &v1::Member, shown: &str) -> Markup {
    let names = names(member);
    let others: Vec<_> = names.iter().filter(|name| name.lang != shown).collect();
    html! {
        @if !others.is_empty() {
            ul.other-titles.inline {
                @for name in others { li { (text::isolated(name)) " " (text::tag(visit, &name.lang)) } }
            }
        }
    }
}

fn warnings(visit: &Visit<'_>, member: &v1::Member, view: &v1::MemberView) -> Markup {
    let words = visit.words();
    let at = format::position(view.fork_at.as_ref());
    let status = labels::status(words, member.status());
    html! {
        @if view.forked {
            div.banner.error role="note" { p { (filled(words.fork_warning, &[("at", &at)])) } }
        }
        @if !matches!(member.status(), MemberStatus::Active | MemberStatus::Unspecified) {
            div.banner.warning role="note" { p { (filled(words.inactive_warning, &[("status", status)])) } }
        }
    }
}

fn facts(visit: &Visit<'_>, member: &v1::Member, view: &v1::MemberView) -> Facts {
    let words = visit.words();
    let mut facts = Facts::default();
    facts.text(words.identifier, &member.handle);
    facts.text(words.place, &member.place);
    facts.word(words.role, Some(labels::role(words, member.role())));
    if member.term_from_ms != 0 || member.term_until_ms != 0 {
        let end = |ms| if ms == 0 { String::new() } else { format::day(words, ms) };
        facts.text(words.term, &format!("{} – {}", end(member.term_from_ms), end(member.term_until_ms)));
    }
    let age = if view.self_ { words.reach_self.to_owned() } else { visit.age(view.seen_ms) };
    facts.word(words.data_age, Some(age));
    facts.word(words.reach, Some(reach(visit, view)));
    facts.word(words.records, Some(visit.number(view.records)));
    facts.add(
        words.head,
        match &view.head {
            Some(head) => html! { (head.epoch) "." (head.seq) " " span.hash { (format::hex(&head.hash)) } },
            None => html! { (words.no_head) },
        },
    );
    facts.address(words.website, &member.portal_url);
    facts.add(words.city_id, html! { span.hash { (format::hex(&member.city_id)) } });
    facts
}

/// Whether a session with the member is open.
pub(super) fn reach(visit: &Visit<'_>, view: &v1::MemberView) -> &'static str {
    let words = visit.words();
    match (view.self_, view.connected) {
        (true, _) => words.reach_self,
        (false, true) => words.reach_connected,
        (false, false) => words.reach_away,
    }
}

fn keys(visit: &Visit<'_>, member: &v1::Member) -> Facts {
    let words = visit.words();
    let log_key = |key: &v1::LogKey| {
        html! {
            span.hash { (format::key(&key.key)) }
            " " span.note {
                (words.key) " " (key.key_no) ", " (words.key_from) " " (format::position(key.from.as_ref()))
                @if let Some(last) = last_signed(key) { " " (words.key_until) " " (format::position(Some(&last))) }
            }
        }
    };
    let mut facts = Facts::default();
    facts.add(words.log_keys, stacked(member.log_keys.iter().map(log_key)));
    let transport = member.transport_keys.iter().map(|key| html! { span.hash { (format::key(key)) } });
    facts.add(words.transport_keys, stacked(transport));
    facts
}

fn overview(visit: &Visit<'_>, handle: &str) -> Result<Markup, Refusal> {
    let words = visit.words();
    let mut sections = Vec::new();
    for kind in KINDS {
        let reply = list(visit, handle, kind, limits::MEMBER_RECORDS_SHOWN, "")?;
        if !reply.records.is_empty() {
            sections.push((kind, reply));
        }
    }
    Ok(html! {
        @if sections.is_empty() { p.quiet { (words.no_records) } }
        @for (kind, reply) in &sections {
            section {
                h2 { (labels::kind_plural(words, *kind)) }
                (records(visit, &reply.records))
                @if !reply.next_page_token.is_empty() {
                    p { a.more href=(kind_page(visit, handle, *kind, None)) { (words.show_all) } }
                }
            }
        }
    })
}

fn one_kind(visit: &Visit<'_>, handle: &str, kind: RecordKind) -> Result<Markup, Refusal> {
    let words = visit.words();
    let after = visit.reader.parameter("after").unwrap_or_default();
    let reply = list(visit, handle, kind, limits::MEMBER_RECORDS_PER_PAGE, after)?;
    Ok(html! {
        section {
            h2 { (labels::kind_plural(words, kind)) }
            @if reply.records.is_empty() { p.quiet { (words.no_records) } }
            (records(visit, &reply.records))
            nav.pages aria-label=(words.pages) {
                a.button href=(visit.member_page(handle)) { (words.records) }
                @if !reply.next_page_token.is_empty() {
                    a.button rel="next" href=(kind_page(visit, handle, kind, Some(&reply.next_page_token))) { (words.next) }
                }
            }
        }
    })
}

fn list(
    visit: &Visit<'_>,
    handle: &str,
    kind: RecordKind,
    page_size: u32,
    after: &str,
) -> Result<v1::ListReply, Refusal> {
    Ok(visit.library.list(v1::ListRequest {
        kind: kind.into(),
        handle: handle.to_owned(),
        page_size,
        page_token: after.to_owned(),
        ..v1::ListRequest::default()
    })?)
}

fn kind_page(visit: &Visit<'_>, handle: &str, kind: RecordKind, after: Option<&str>) -> String {
    let mut parameters = vec![("kind", wego_catalogue::kind::word(kind))];
    parameters.extend(after.map(|after| ("after", after)));
    visit.reader.link(&format!("/member/{}", crate::portal::reader::encoded(handle)), &parameters)
}

fn records(visit: &Visit<'_>, records: &[v1::RecordSummary]) -> Markup {
    let words = visit.words();
    html! {
        ul.records {
            @for record in records {
                @let title = visit.chosen(&record.title);
                li {
                    a href=(visit.record_page(&record.record_id)) lang=[title.map(|title| text::attribute(&title.lang))] {
                        @if title.is_some() { (text::plain(&visit.title(&record.title))) }
                        @else { (labels::kind(words, record.kind())) ": " (text::isolated(&visit.city(&record.handle))) }
                    }
                    @if let Some(title) = title { " " (text::tag(visit, &title.lang)) }
                    @let dated = record.dated();
                    " " span.note {
                        (format::day(words, dated.ms))
                        @if dated.ahead { " · " (words.clock_ahead) }
                    }
                }
            }
        }
    }
}
