//! What every record carries: the rules of `wego/record/v1/core.proto`.

use wego_proto::{
    form as shape,
    record::v1::{
        Concept, ContactRef, Core, Dates, ExternalId, Jurisdiction, Level, Link, Provenance, Relation,
    },
};

use super::{
    Fault,
    check::Check,
    rule::{
        Form, advised, date_or_time, form, given, language, line, needed, optional, record_id, required,
        texts, url,
    },
};
use crate::{
    limits::{
        ITEMS_MAX, KEYWORD_CHARS_MAX, KEYWORDS_MAX, LINE_CHARS_MAX, PUBLISHED_CHARS_MAX,
        SUMMARY_CHARS_ADVISED, SUMMARY_CHARS_MAX, TEXT_CHARS_MAX, TITLE_CHARS_MAX, TOPICS_MAX, URL_CHARS_MAX,
    },
    vocabulary,
};

/// Checks what every kind with a core requires. Summary and topics are the kind's to demand.
pub(super) fn check(check: &mut Check, core: Option<&Core>) {
    check.field("core", |check| {
        let Some(core) = core else {
            return check.fault(Fault::Missing { remedy: "give title, topics, jurisdiction and licence" });
        };
        wording(check, core);
        check.each("topics", &core.topics, TOPICS_MAX, topic);
        jurisdiction(check, core.jurisdiction.as_ref());
        dates(check, core.dates.as_ref());
        check.text(
            "licence",
            &core.licence,
            required("give the licence of the text, such as CC-BY-4.0", licence),
        );
        check.each("contacts", &core.contacts, ITEMS_MAX, contact);
        check.each("links", &core.links, ITEMS_MAX, link);
        check.each("relations", &core.relations, ITEMS_MAX, relation);
        check.each("alt_ids", &core.alt_ids, ITEMS_MAX, alt_id);
        provenance(check, core.provenance.as_ref());
        let keyword = required("remove the empty keyword", line(KEYWORD_CHARS_MAX));
        check.each("keywords", &core.keywords, KEYWORDS_MAX, |check, text| keyword(check, text));
    });
}

fn wording(check: &mut Check, core: &Core) {
    needed(check, "title", &core.title, "give one in at least one language");
    texts(check, "title", &core.title, Form::Line(TITLE_CHARS_MAX));
    texts(check, "summary", &core.summary, Form::Paragraphs(SUMMARY_CHARS_MAX));
    texts(check, "body", &core.body, Form::Paragraphs(TEXT_CHARS_MAX));
    if core.summary.iter().any(|text| text.text.chars().count() > SUMMARY_CHARS_ADVISED) {
        check.field("summary", |check| check.warn("is longer than 150 characters: lists cut it off"));
    }
    let second = (core.title.len() != 1).then_some(());
    advised(check, "title", second, "is in one language only: a second one lets more cities find the record");
}

fn topic(check: &mut Check, topic: &Concept) {
    if vocabulary::concepts(&topic.scheme).is_empty() {
        check.field("scheme", |check| check.fault(Fault::UnknownScheme));
    } else if !vocabulary::exists(&topic.scheme, &topic.uri) {
        check.field("uri", |check| check.fault(Fault::UnknownCode));
    }
}

/// Which place a record speaks for; every kind requires it.
pub(super) fn jurisdiction(check: &mut Check, jurisdiction: Option<&Jurisdiction>) {
    check.field("jurisdiction", |check| {
        let Some(jurisdiction) = jurisdiction else {
            return check.fault(Fault::Missing { remedy: "give level and country" });
        };
        if jurisdiction.level() == Level::Unspecified {
            let remedy = "say city, county, state, country or supranational";
            check.field("level", |check| check.fault(Fault::Missing { remedy }));
        }
        let known = form(shape::is_country, "an ISO 3166-1 alpha-2 code in capitals such as KR");
        check.text(
            "country",
            &jurisdiction.country,
            required("give an ISO 3166-1 alpha-2 code such as KR", known),
        );
        check.text("place", &jurisdiction.place, optional(place));
        let ancestor = required("remove the empty ancestor", line(LINE_CHARS_MAX));
        check.each("ancestors", &jurisdiction.ancestors, ITEMS_MAX, |check, text| ancestor(check, text));
        check.text("geocoding_uri", &jurisdiction.geocoding_uri, optional(url));
    });
}

fn place(check: &mut Check, text: &str) {
    let known = |text: &str| {
        shape::is_place_code(text)
            || (text.len() <= URL_CHARS_MAX && shape::is_web_url(text) && !shape::has_email(text))
    };
    form(known, "a UN/LOCODE without space (KRSEL), an ISO 3166-2 code (DE-HE) or a GeoNames URI")(
        check, text,
    );
}

fn dates(check: &mut Check, dates: Option<&Dates>) {
    let none = Dates::default();
    let dates = dates.unwrap_or(&none);
    check.field("dates", |check| {
        let named = [
            ("created", &dates.created),
            ("modified", &dates.modified),
            ("valid_from", &dates.valid_from),
            ("valid_to", &dates.valid_to),
            ("assured_on", &dates.assured_on),
        ];
        for (name, date) in named {
            check.text(name, date, optional(date_or_time));
        }
    });
}

/// An SPDX expression or the URI of a licence.
fn licence(check: &mut Check, text: &str) {
    line(PUBLISHED_CHARS_MAX)(check, text);
    let known = |text: &str| shape::is_spdx(text) || shape::is_web_url(text);
    form(known, "an SPDX expression such as CC-BY-4.0, or the URI of a licence")(check, text);
}

fn contact(check: &mut Check, contact: &ContactRef) {
    let remedy = "name the role, such as open data office, never a person";
    check.text("role", &contact.role, required(remedy, contact_line));
    texts(check, "label", &contact.label, Form::Line(TITLE_CHARS_MAX));
    check.each("label", &contact.label, usize::MAX, |check, label| {
        check.text("text", &label.text, no_at_sign)
    });
    check.text("relay_handle", &contact.relay_handle, optional(contact_line));
    check.text("public_url", &contact.public_url, optional(url));
    check.text("public_url", &contact.public_url, no_at_sign);
    let phone = form(is_phone, "digits, spaces and + ( ) - . / only: the number of a switchboard");
    check.text("public_phone", &contact.public_phone, optional(phone));
    check.text("public_phone", &contact.public_phone, no_at_sign);
}

fn contact_line(check: &mut Check, text: &str) {
    line(LINE_CHARS_MAX)(check, text);
    no_at_sign(check, text);
}

/// Where addresses are usually put, even what only resembles one is refused.
fn no_at_sign(check: &mut Check, text: &str) {
    if text.contains(['@', '\u{ff20}', '\u{fe6b}']) || text.contains("%40") {
        check.fault(Fault::AtSign);
    }
}

/// ITU E.164 has fifteen digits; the rest is spacing and an extension.
fn is_phone(text: &str) -> bool {
    text.len() <= 40
        && text.bytes().any(|byte| byte.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_digit() || b" +()-./*#".contains(&byte))
}

fn link(check: &mut Check, link: &Link) {
    check.text("rel", &link.rel, optional(line(LINE_CHARS_MAX)));
    check.text("url", &link.url, required("give an http or https URL or remove the link", url));
    let media_type = form(shape::is_media_type, "a media type such as text/html");
    check.text("media_type", &link.media_type, optional(media_type));
    check.text("lang", &link.lang, optional(language));
}

fn relation(check: &mut Check, relation: &Relation) {
    let word =
        |text: &str| text.len() <= 50 && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let word = form(word, "a word such as based_on, replaces, part_of, answers_need or evidence_for");
    check.text("type", &relation.r#type, required("say how the records relate, such as based_on", word));
    check.text("target", &relation.target, required("give the id of the other record", record_id));
}

fn alt_id(check: &mut Check, id: &ExternalId) {
    check.text("scheme", &id.scheme, required("name the scheme of the identifier", line(LINE_CHARS_MAX)));
    check.text("value", &id.value, required("give the identifier", line(PUBLISHED_CHARS_MAX)));
}

fn provenance(check: &mut Check, provenance: Option<&Provenance>) {
    let Some(provenance) = provenance else { return };
    check.field("provenance", |check| {
        check.text("imported_from", &provenance.imported_from, optional(line(URL_CHARS_MAX)));
        check.text("importer", &provenance.importer, optional(line(LINE_CHARS_MAX)));
        let hash = form(|text| shape::is_hex(text, 64), "a SHA-256 in 64 hexadecimal digits");
        check.text("source_hash", &provenance.source_hash, optional(hash));
        let time = form(shape::is_timestamp, "an RFC 3339 time such as 2024-05-17T10:00:00Z");
        check.text("fetched_at", &provenance.fetched_at, optional(time));
        check.text("original_publisher", &provenance.original_publisher, optional(line(LINE_CHARS_MAX)));
        let remedy = "name the source, so that its records can be updated together";
        check.text("source_id", &provenance.source_id, required(remedy, line(LINE_CHARS_MAX)));
    });
}

/// Recommended for what people wrote here, not for what was imported.
pub(super) fn advise(check: &mut Check, core: Option<&Core>) {
    let Some(core) = core else { return };
    check.field("core", |check| {
        advised(check, "contacts", given(&core.contacts), "is missing: other cities cannot ask");
        let assured = core.dates.as_ref().filter(|dates| !dates.assured_on.is_empty()).map(|_| ());
        check.field("dates", |check| {
            advised(check, "assured_on", assured, "is missing: readers cannot tell whether this is still so");
        });
    });
}
