//! The rules of a dataset: as strict as readers need, and as lenient as real catalogues are. What is marked "as
//! published" in `dataset.proto` is kept as it is, within bounds; its defects become warnings.

use wego_proto::{
    form as shape,
    record::v1::{Dataset, Distribution, PublicationState},
};

use super::{
    Fault,
    check::Check,
    core,
    rule::{advised, given, language, line, optional, paragraphs, required, url},
};
use crate::limits::{DISTRIBUTIONS_MAX, ITEMS_MAX, LINE_CHARS_MAX, PUBLISHED_CHARS_MAX, TEXT_CHARS_MAX};

/// Checks a dataset.
pub(super) fn check(check: &mut Check, dataset: &Dataset) {
    core::check(check, dataset.core.as_ref());
    if let Some(core) = &dataset.core {
        check.field("core", |check| {
            advised(check, "summary", given(&core.summary).or(given(&core.body)), NO_SUMMARY);
            advised(
                check,
                "topics",
                given(&core.topics),
                "is missing: the dataset is found by its words only",
            );
        });
    }
    let published = || line(PUBLISHED_CHARS_MAX);
    check.text(
        "identifier",
        &dataset.identifier,
        required("give the publisher's own identifier", published()),
    );
    check.text("publisher", &dataset.publisher, required("name the organisation", line(LINE_CHARS_MAX)));
    check.text("frequency", &dataset.frequency, optional(published()));
    check.text("access_level", &dataset.access_level, optional(line(LINE_CHARS_MAX)));
    if dataset.state() == PublicationState::Unspecified {
        let remedy = "say inventoried, planned, published or withdrawn";
        check.field("state", |check| check.fault(Fault::Missing { remedy }));
    }
    check.text("spatial", &dataset.spatial, optional(paragraphs(PUBLISHED_CHARS_MAX)));
    check.each("languages", &dataset.languages, ITEMS_MAX, |check, text| language(check, text));
    check.text("landing_page", &dataset.landing_page, optional(url));
    check.text("dataset_licence", &dataset.dataset_licence, optional(published()));
    let theme = required("remove the empty theme", line(LINE_CHARS_MAX));
    check.each("themes", &dataset.themes, ITEMS_MAX, |check, text| theme(check, text));
    check.text("described_by", &dataset.described_by, optional(url));
    check.text("rights", &dataset.rights, optional(paragraphs(PUBLISHED_CHARS_MAX)));
    let above = required("remove the empty organisation", line(LINE_CHARS_MAX));
    check.each("publisher_within", &dataset.publisher_within, ITEMS_MAX, |check, text| above(check, text));
    times(check, dataset);
    advise(check, dataset);
    // Last, so that the warnings about hundreds of files do not displace those about the dataset.
    check.each("distributions", &dataset.distributions, DISTRIBUTIONS_MAX, distribution);
}

const NO_SUMMARY: &str = "is missing: readers cannot tell what the data is about";

fn times(check: &mut Check, dataset: &Dataset) {
    let known = |text: &str| text.is_empty() || shape::is_date(text) || shape::is_timestamp(text);
    let mut published = |name: &str, text: &str| {
        check.text(name, text, optional(line(LINE_CHARS_MAX)));
        let good = known(text).then_some(());
        advised(check, name, good, "is no ISO 8601 date: its age cannot be computed");
    };
    published("modified", &dataset.modified);
    published("issued", &dataset.issued);
    if let Some(period) = &dataset.temporal {
        published("temporal.start", &period.start);
        published("temporal.end", &period.end);
    }
    let modified = (!dataset.modified.is_empty()).then_some(());
    advised(check, "modified", modified, "is missing: readers cannot tell how old the data is");
}

fn distribution(check: &mut Check, file: &Distribution) {
    check.text("access_url", &file.access_url, optional(url));
    check.text("download_url", &file.download_url, optional(url));
    check.text("media_type", &file.media_type, optional(line(LINE_CHARS_MAX)));
    check.text("format", &file.format, optional(line(LINE_CHARS_MAX)));
    check.text("title", &file.title, optional(line(LINE_CHARS_MAX)));
    check.text("description", &file.description, optional(paragraphs(TEXT_CHARS_MAX)));
    check.text("conforms_to", &file.conforms_to, optional(line(PUBLISHED_CHARS_MAX)));
    check.text("licence", &file.licence, optional(line(PUBLISHED_CHARS_MAX)));
    check.text("rights", &file.rights, optional(paragraphs(PUBLISHED_CHARS_MAX)));
    check.text("described_by", &file.described_by, optional(url));
    let reachable = (!file.access_url.is_empty() || !file.download_url.is_empty()).then_some(());
    advised(check, "access_url", reachable, "is missing: nobody can get this file");
}

fn advise(check: &mut Check, dataset: &Dataset) {
    if dataset.state() == PublicationState::Published {
        let advice = "is missing: a published dataset has at least one file or service";
        advised(check, "distributions", given(&dataset.distributions), advice);
        let licence = crate::text::data_licence(dataset).map(|_| ());
        advised(check, "dataset_licence", licence, "is missing: nobody knows whether the data may be used");
    }
}
