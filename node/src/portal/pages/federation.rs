//! The federation: its members, how current each one's copy is, and the roster that says who they are.

use maud::{Markup, html};
use wego_proto::{
    prost::Message as _,
    v1::{self, MemberStatus},
};

use super::{facts::Facts, member::reach};
use crate::portal::{
    downloads::ROSTER_NAME,
    format,
    frame::{Here, Page},
    labels,
    refusal::Refusal,
    text,
    visit::Visit,
    words::filled,
};

/// The page.
///
/// # Errors
/// [`Refusal::Failed`] when the newest roster cannot be decoded, which the node checked before it kept it.
pub(in crate::portal) fn federation(visit: &Visit<'_>) -> Result<Page, Refusal> {
    let words = visit.words();
    let chain = visit.library.roster_chain();
    let newest = chain.versions.last().map(|signed| v1::Roster::decode(signed.roster.as_slice()));
    let roster = newest.transpose().map_err(|error| {
        tracing::error!(%error, "the newest roster cannot be decoded");
        Refusal::Failed
    })?;
    let name = &visit.federation.federation_name;
    let body = html! {
        article.federation {
            header.record-top {
                p.eyebrow { (words.federation) }
                h1 { (text::plain(name)) }
            }
            @if let Some(roster) = &roster { (expiry_warning(visit, roster)) }
            section {
                h2 { (words.members) " " span.count { (visit.number(visit.federation.members.len() as u64)) } }
                (members(visit))
            }
            section.box.roster aria-labelledby="roster" {
                h2 #roster { (words.roster) }
                (roster_facts(visit, roster.as_ref()).list())
                p { a.button href="/roster.pem" download=(ROSTER_NAME) { (words.roster_file) } }
            }
        }
    };
    Ok(Page::new(words.federation, body).at(Here::Federation))
}

fn expiry_warning(visit: &Visit<'_>, roster: &v1::Roster) -> Markup {
    let words = visit.words();
    let expired = roster.soft_expires_at_ms != 0 && visit.now_ms > roster.soft_expires_at_ms;
    let date = format::day(words, roster.soft_expires_at_ms);
    html! { @if expired { div.banner.warning role="note" { p { (filled(words.soft_expired, &[("date", &date)])) } } } }
}

fn roster_facts(visit: &Visit<'_>, roster: Option<&v1::Roster>) -> Facts {
    let words = visit.words();
    let mut facts = Facts::default();
    facts.word(words.roster_version, Some(visit.number(visit.federation.roster_version)));
    if let Some(roster) = roster {
        facts.add(words.issued_at, format::moment(words, roster.issued_at_ms));
        if roster.soft_expires_at_ms != 0 {
            facts.add(words.soft_expiry, format::moment(words, roster.soft_expires_at_ms));
        }
        if let Some(governance) = &roster.governance {
            let gaps = [("n", governance.threshold.to_string()), ("all", governance.keys.len().to_string())];
            let gaps = gaps.each_ref().map(|(name, value)| (*name, value.as_str()));
            facts.word(words.governance, Some(filled(words.of_keys, &gaps)));
        }
    }
    facts.add(words.federation_id, html! { span.hash { (format::hex(&visit.federation.federation_id)) } });
    facts
}

fn members(visit: &Visit<'_>) -> Markup {
    let words = visit.words();
    html! {
        table.stacked.members {
            thead {
                tr {
                    @for name in [words.members, words.role, words.status, words.data_age, words.records, words.reach] {
                        th scope="col" { (name) }
                    }
                }
            }
            tbody { @for view in &visit.federation.members { (row(visit, view)) } }
        }
    }
}

fn row(visit: &Visit<'_>, view: &v1::MemberView) -> Markup {
    let words = visit.words();
    let member = view.member.clone().unwrap_or_default();
    let active = member.status() == MemberStatus::Active;
    let fresh = visit.is_fresh(&member.handle, view.seen_ms);
    html! {
        tr {
            th scope="row" {
                (visit.city_link(&member.handle)) " " span.note { (text::plain(&member.country)) }
            }
            td data-label=(words.role) { (labels::role(words, member.role())) }
            td data-label=(words.status) {
                @if active { (labels::status(words, member.status())) }
                @else { strong.bad { (labels::status(words, member.status())) } }
                @if view.forked { " " strong.bad { (words.fork_short) } }
            }
            td data-label=(words.data_age) class=[(!fresh).then_some("old")] {
                @if view.self_ { (words.now) } @else { (visit.age(view.seen_ms)) }
            }
            td.number data-label=(words.records) { (visit.number(view.records)) }
            td data-label=(words.reach) { (reach(visit, view)) }
        }
    }
}
