//! Who says so: signature, position, key, versions, and how to check all of it without this node.
//!
//! Verified is said only where the library says so; the page never infers it.

use maud::{Markup, html};
use wego_proto::{
    id::RecordId,
    record::v1::Provenance as Imported,
    v1::{EntryKind, ErasedBy, HistoryReply, Provenance, Version},
};

use super::facts::Facts;
use crate::portal::{
    downloads::{ROSTER_NAME, proof_name, verify_command},
    format, labels, limits,
    text::{self, Foreign},
    visit::Visit,
    words::filled,
};

/// The box beside the record.
pub(super) fn provenance(visit: &Visit<'_>, id: &RecordId, provenance: &Provenance) -> Markup {
    let words = visit.words();
    let mut facts = Facts::default();
    facts.add(words.signed_by, visit.city_link(&provenance.handle));
    let ahead = html! { @if provenance.dated().ahead { " (" (words.clock_ahead) ")" } };
    facts.add(words.signed_at, html! { (format::moment(words, provenance.signed_at_ms)) (ahead) });
    if provenance.received_at_ms != 0 {
        facts.add(words.received_at, format::moment(words, provenance.received_at_ms));
    }
    let age = if provenance.handle == visit.own_handle {
        words.reach_self.to_owned()
    } else {
        visit.age(provenance.origin_seen_ms)
    };
    facts.add(words.data_age, html! { (age) });
    facts.text(words.position, &format::position(provenance.at.as_ref()));
    facts.add(
        words.fingerprint,
        html! { span.hash { (format::key(&provenance.key)) } " (" (words.key) " " (provenance.key_no) ")" },
    );
    facts.add(words.entry_hash, html! { span.hash { (format::hex(&provenance.entry_hash)) } });
    facts.add(words.record_id, html! { span.hash { (id) } });
    html! {
        section class={ "box " @if provenance.verified { "good" } @else { "wrong" } } aria-labelledby="provenance" {
            h2 #provenance { (words.provenance) }
            @if provenance.verified {
                p.verdict { span aria-hidden="true" { "✓" } " " (words.verified) }
            } @else {
                p.verdict { span aria-hidden="true" { "✗" } " " (words.not_verified) }
            }
            (facts.list())
        }
    }
}

/// The same in a line, for the top of the page.
pub(super) fn verdict(visit: &Visit<'_>, provenance: &Provenance) -> Markup {
    let words = visit.words();
    html! {
        p.signed {
            @if provenance.verified { span.seal aria-hidden="true" { "✓" } } @else { span.seal.bad aria-hidden="true" { "✗" } }
            " " (words.signed_by) " " (visit.city_link(&provenance.handle))
            " · " (moment(visit, provenance))
            " · " a href="#provenance" { @if provenance.verified { (words.verified_short) } @else { (words.unverified) } }
        }
    }
}

/// How to check the record oneself.
pub(super) fn check(visit: &Visit<'_>, id: &RecordId) -> Markup {
    let words = visit.words();
    html! {
        section.box aria-labelledby="check" {
            h2 #check { (words.check) }
            p { (words.check_how) }
            ul.plain {
                li { a href={ "/record/" (id) "/proof.pem" } download=(proof_name(id)) { (words.proof) } }
                li { a href="/roster.pem" download=(ROSTER_NAME) { (words.roster_file) } }
            }
            pre tabindex="0" { code { (verify_command(id)) } }
            p.note { (words.check_roster) }
            p.hash { (format::hex(&visit.federation.federation_id)) }
        }
    }
}

/// Where an imported record was read.
pub(super) fn imported(visit: &Visit<'_>, from: &Imported) -> Markup {
    let words = visit.words();
    let mut facts = Facts::default();
    facts.address(words.imported_from, &from.imported_from);
    facts.text(words.original_publisher, &from.original_publisher);
    facts.text(words.fetched_at, &from.fetched_at);
    facts.text(words.importer, &from.importer);
    if !from.source_hash.is_empty() {
        facts.add(words.source_hash, html! { span.hash { (Foreign(&from.source_hash)) } });
    }
    facts.text(words.identifier, &from.source_id);
    html! {
        @if !facts.is_empty() {
            section.box aria-labelledby="imported" { h2 #imported { (words.imported) } (facts.list()) }
        }
    }
}

/// The versions, newest first, each with an address of its own.
pub(super) fn history(visit: &Visit<'_>, id: &RecordId, history: &HistoryReply) -> Markup {
    let words = visit.words();
    let left_out = history.versions.len().saturating_sub(limits::VERSIONS_SHOWN);
    html! {
        section.history aria-labelledby="history" {
            h2 #history { (words.history) " " span.count { (visit.number(history.versions.len() as u64)) } }
            table.stacked {
                thead {
                    tr {
                        th scope="col" { (words.version) }
                        th scope="col" { (words.status) }
                        th scope="col" { (words.signed_at) }
                        th scope="col" { (words.size) }
                        th scope="col" { (words.entry_hash) }
                    }
                }
                tbody {
                    @for (at, version) in history.versions.iter().rev().take(limits::VERSIONS_SHOWN).enumerate() {
                        (one_version(visit, id, version, if at == 0 { Rank::Newest } else { Rank::Older }))
                    }
                }
            }
            @if left_out > 0 { p.note { (filled(words.older_left_out, &[("n", &visit.number(left_out as u64))])) } }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Rank {
    Newest,
    Older,
}

fn one_version(visit: &Visit<'_>, id: &RecordId, version: &Version, rank: Rank) -> Markup {
    let words = visit.words();
    let provenance = version.provenance.clone().unwrap_or_default();
    let position = format::position(provenance.at.as_ref());
    let anchor = format!("v{position}");
    html! {
        tr id=(anchor) {
            th scope="row" {
                a href={ "#" (anchor) } { (position) }
                @if rank == Rank::Newest { " " span.badge { (words.newest_version) } }
            }
            td data-label=(words.status) {
                (labels::entry_kind(words, version.kind()))
                @if !provenance.verified { " " strong.bad { (words.unverified) } }
            }
            td data-label=(words.signed_at) { (moment(visit, &provenance)) }
            td data-label=(words.size) {
                @if version.payload_bytes > 0 && version.payload_held {
                    (format::bytes(words, version.payload_bytes.into()))
                } @else if version.kind() == EntryKind::RecordPut {
                    (words.contents_gone)
                } @else {
                    "–"
                }
            }
            td data-label=(words.entry_hash) {
                span.hash title=(format::hex(&provenance.entry_hash)) { (short(&provenance.entry_hash)) }
                @if rank == Rank::Newest && version.payload_held {
                    " " a href={ "/record/" (id) "/proof.pem" } download=(proof_name(id)) { (words.proof) }
                }
            }
        }
    }
}

/// Enough of a hash to tell versions apart; the whole stands in the title and the proof.
fn short(hash: &[u8]) -> String {
    let end = hash.len().min(8);
    format!("{}…", format::hex(&hash[..end]))
}

/// Who erased the contents, when and why; at the least that they are gone.
pub(super) fn erasure(visit: &Visit<'_>, by: Option<&ErasedBy>) -> Markup {
    html! {
        div.banner.warning role="note" {
            @if let Some(by) = by { p { strong { (erased_by(visit, by)) } } p { (erase_reason(visit, by)) } }
            p { (visit.words().erased) }
        }
    }
}

/// By whom and when, in a sentence.
pub(super) fn erased_by(visit: &Visit<'_>, by: &ErasedBy) -> String {
    let words = visit.words();
    let day = format::day(words, by.ordered_at_ms);
    match by.handle.as_str() {
        "" => filled(words.taken_down, &[("day", &day)]),
        handle => filled(words.erased_by, &[("day", &day), ("city", &text::tamed(&visit.city(handle).text))]),
    }
}

/// Why, in a line.
pub(super) fn erase_reason(visit: &Visit<'_>, by: &ErasedBy) -> String {
    let words = visit.words();
    format!("{} {}", words.erase_reason, labels::erase_reason(words, by.reason))
}

/// When an entry was signed; or when it came, where its author's clock was ahead of that.
pub(super) fn moment(visit: &Visit<'_>, provenance: &Provenance) -> Markup {
    let dated = provenance.dated();
    html! {
        (format::moment(visit.words(), dated.ms))
        @if dated.ahead { " " span.badge { (visit.words().clock_ahead) } }
    }
}

/// What a withdrawal says, above everything else.
pub(super) fn withdrawal(visit: &Visit<'_>, handle: &str, reason: &str) -> Markup {
    let words = visit.words();
    html! {
        div.banner.warning role="note" {
            p { strong { (filled(words.withdrawn, &[("city", &text::tamed(&visit.city(handle).text))])) } }
            @if reason.trim().is_empty() {
                p { (words.withdrawn_no_reason) }
            } @else {
                p { (words.withdrawn_reason) " " }
                div.prose dir="auto" { (text::paragraphs(reason)) }
            }
        }
    }
}
