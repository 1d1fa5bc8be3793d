//! A dataset: what it holds, under which terms, and where its files are.

use maud::{Markup, html};
use wego_proto::record::v1::{Dataset, Distribution};

use super::{
    core,
    facts::{Facts, stacked},
    practice::section,
    record::Content,
};
use crate::portal::{
    format, labels, language,
    text::{self, Foreign, Form},
    visit::Visit,
};

/// From this length on an area is geometry rather than a name, and is folded away.
const AREA_CHARS_INLINE: usize = 120;

/// What is shown of a dataset.
pub(super) fn content<'a>(visit: &Visit<'_>, dataset: &'a Dataset) -> Content<'a> {
    let words = visit.words();
    let core = dataset.core.as_ref();
    let main = html! {
        @if let Some(core) = core { (section(visit, words.details, &core.body, Form::Markdown)) }
        (distributions(visit, &dataset.distributions))
        (area(visit, &dataset.spatial))
    };
    Content {
        titles: core.map(|core| core.title.as_slice()).unwrap_or_default(),
        badge: labels::publication_state(words, dataset.state()),
        summary: core.map(|core| core.summary.as_slice()).unwrap_or_default(),
        topics: core.map(|core| core.topics.as_slice()).unwrap_or_default(),
        main,
        facts: facts(visit, dataset),
        imported: core.and_then(|core| core.provenance.as_ref()),
    }
}

fn facts(visit: &Visit<'_>, dataset: &Dataset) -> Facts {
    let words = visit.words();
    let mut facts = Facts::default();
    facts.word(words.publication_state, labels::publication_state(words, dataset.state()));
    let publisher = std::iter::once(&dataset.publisher).chain(&dataset.publisher_within);
    facts.text(words.publisher, &publisher.map(String::as_str).collect::<Vec<_>>().join(" · "));
    facts.add(words.dataset_licence, core::licence(&dataset.dataset_licence));
    facts.text(words.rights, &dataset.rights);
    facts.text(words.access_level, &dataset.access_level);
    facts.text(words.frequency, &dataset.frequency);
    facts.text(words.modified, &dataset.modified);
    facts.text(words.issued, &dataset.issued);
    if let Some(period) = &dataset.temporal {
        let ends = [period.start.as_str(), period.end.as_str()];
        if ends.iter().any(|end| !end.is_empty()) {
            facts.text(words.temporal, &ends.join(" – "));
        }
    }
    if !is_geometry(&dataset.spatial) {
        facts.text(words.spatial, &dataset.spatial);
    }
    let languages: Vec<&str> = dataset.languages.iter().map(|tag| language::endonym(tag)).collect();
    facts.text(words.languages, &languages.join(", "));
    facts.address(words.landing_page, &dataset.landing_page);
    facts.address(words.described_by, &dataset.described_by);
    facts.add(
        words.themes,
        stacked(dataset.themes.iter().map(|theme| text::outward(theme, text::plain(theme)))),
    );
    facts.text(words.identifier, &dataset.identifier);
    if let Some(core) = &dataset.core {
        core::jurisdiction(visit, &mut facts, core.jurisdiction.as_ref());
        core::rest(visit, &mut facts, core);
    }
    facts
}

fn is_geometry(spatial: &str) -> bool {
    spatial.chars().count() > AREA_CHARS_INLINE || spatial.trim_start().starts_with('{')
}

fn area(visit: &Visit<'_>, spatial: &str) -> Markup {
    html! {
        @if is_geometry(spatial) {
            details.translation {
                summary { (visit.words().spatial) }
                pre { code { (Foreign(spatial)) } }
            }
        }
    }
}

fn distributions(visit: &Visit<'_>, distributions: &[Distribution]) -> Markup {
    let words = visit.words();
    html! {
        @if !distributions.is_empty() {
            section {
                h2 { (words.distributions) " " span.count { (visit.number(distributions.len() as u64)) } }
                ul.files { @for distribution in distributions { li { (one(visit, distribution)) } } }
            }
        }
    }
}

fn one(visit: &Visit<'_>, file: &Distribution) -> Markup {
    let words = visit.words();
    let format = if file.format.is_empty() { &file.media_type } else { &file.format };
    html! {
        p.file-title {
            @if file.title.is_empty() { (words.untitled) } @else { (text::plain(&file.title)) }
            @if !format.is_empty() { " " span.badge { (text::plain(format)) } }
            @if file.byte_size != 0 { " " span.note { (format::bytes(words, file.byte_size)) } }
        }
        @if !file.description.is_empty() { div.prose { (text::paragraphs(&file.description)) } }
        p.file-links {
            (address(words.download, &file.download_url))
            @if file.access_url != file.download_url { (address(words.access, &file.access_url)) }
        }
        @if !file.conforms_to.is_empty() {
            p.note { (words.conforms_to) " " (text::outward(&file.conforms_to, text::plain(&file.conforms_to))) }
        }
        @if !file.licence.is_empty() { p.note { (words.dataset_licence) ": " (core::licence(&file.licence)) } }
        @if !file.rights.is_empty() { p.note { (words.rights) ": " (text::plain(&file.rights)) } }
        @if !file.described_by.is_empty() {
            p.note { (words.described_by) ": " (text::outward(&file.described_by, text::plain(&file.described_by))) }
        }
    }
}

/// A link by what it does, with the address beside it: the reader sees where it leads before going there.
fn address(action: &str, url: &str) -> Markup {
    html! {
        @if !url.is_empty() {
            span.file-link {
                @if text::is_web_address(url) { (text::outward(url, html! { (action) })) " " }
                span.url { (text::plain(url)) }
            }
        }
    }
}
