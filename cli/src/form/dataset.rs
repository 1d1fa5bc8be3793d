//! The form of a dataset, for JSON output; datasets come from imports.

use serde::Serialize;
use wego_proto::record::v1 as record;

use super::{
    Texts,
    core::{
        ContactForm, DatesForm, ExternalIdForm, JurisdictionForm, LinkForm, ProvenanceForm, RelationForm,
        every, topic_word,
    },
    is_zero, texts_of, word_of,
};

/// A dataset, its keys in reading order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct DatasetForm {
    pub(crate) title: Texts,
    #[serde(skip_serializing_if = "is_zero")]
    summary: Texts,
    #[serde(skip_serializing_if = "is_zero")]
    body: Texts,
    pub(crate) identifier: String,
    pub(crate) publisher: String,
    #[serde(skip_serializing_if = "is_zero")]
    publisher_within: Vec<String>,
    topics: Vec<String>,
    #[serde(skip_serializing_if = "is_zero")]
    keywords: Vec<String>,
    #[serde(skip_serializing_if = "is_zero")]
    themes: Vec<String>,
    state: String,
    #[serde(skip_serializing_if = "is_zero")]
    access_level: String,
    #[serde(skip_serializing_if = "is_zero")]
    dataset_licence: String,
    #[serde(skip_serializing_if = "is_zero")]
    rights: String,
    licence: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    jurisdiction: Option<JurisdictionForm>,
    #[serde(skip_serializing_if = "is_zero")]
    frequency: String,
    #[serde(skip_serializing_if = "is_zero")]
    issued: String,
    #[serde(skip_serializing_if = "is_zero")]
    modified: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    temporal: Option<PeriodForm>,
    #[serde(skip_serializing_if = "is_zero")]
    spatial: String,
    #[serde(skip_serializing_if = "is_zero")]
    languages: Vec<String>,
    #[serde(skip_serializing_if = "is_zero")]
    landing_page: String,
    #[serde(skip_serializing_if = "is_zero")]
    described_by: String,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) distributions: Vec<DistributionForm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dates: Option<DatesForm>,
    #[serde(skip_serializing_if = "is_zero")]
    contacts: Vec<ContactForm>,
    #[serde(skip_serializing_if = "is_zero")]
    links: Vec<LinkForm>,
    #[serde(skip_serializing_if = "is_zero")]
    relations: Vec<RelationForm>,
    #[serde(skip_serializing_if = "is_zero")]
    alt_ids: Vec<ExternalIdForm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provenance: Option<ProvenanceForm>,
}

/// From when to when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct PeriodForm {
    start: String,
    end: String,
}

/// A way to get the data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct DistributionForm {
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) title: String,
    #[serde(skip_serializing_if = "is_zero")]
    description: String,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) access_url: String,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) download_url: String,
    #[serde(skip_serializing_if = "is_zero")]
    media_type: String,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) format: String,
    #[serde(skip_serializing_if = "is_zero")]
    byte_size: u64,
    #[serde(skip_serializing_if = "is_zero")]
    conforms_to: String,
    #[serde(skip_serializing_if = "is_zero")]
    licence: String,
    #[serde(skip_serializing_if = "is_zero")]
    rights: String,
    #[serde(skip_serializing_if = "is_zero")]
    described_by: String,
}

impl From<record::Dataset> for DatasetForm {
    fn from(dataset: record::Dataset) -> Self {
        let state = word_of(dataset.state()).unwrap_or_default();
        let core = dataset.core.unwrap_or_default();
        Self {
            title: texts_of(core.title),
            summary: texts_of(core.summary),
            body: texts_of(core.body),
            identifier: dataset.identifier,
            publisher: dataset.publisher,
            publisher_within: dataset.publisher_within,
            topics: core.topics.iter().map(topic_word).collect(),
            keywords: core.keywords,
            themes: dataset.themes,
            state,
            access_level: dataset.access_level,
            dataset_licence: dataset.dataset_licence,
            rights: dataset.rights,
            licence: core.licence,
            jurisdiction: core.jurisdiction.map(JurisdictionForm::from),
            frequency: dataset.frequency,
            issued: dataset.issued,
            modified: dataset.modified,
            temporal: dataset.temporal.map(|period| PeriodForm { start: period.start, end: period.end }),
            spatial: dataset.spatial,
            languages: dataset.languages,
            landing_page: dataset.landing_page,
            described_by: dataset.described_by,
            distributions: every(dataset.distributions),
            dates: core.dates.map(DatesForm::from),
            contacts: every(core.contacts),
            links: every(core.links),
            relations: every(core.relations),
            alt_ids: every(core.alt_ids),
            provenance: core.provenance.map(ProvenanceForm::from),
        }
    }
}

impl From<record::Distribution> for DistributionForm {
    fn from(distribution: record::Distribution) -> Self {
        Self {
            title: distribution.title,
            description: distribution.description,
            access_url: distribution.access_url,
            download_url: distribution.download_url,
            media_type: distribution.media_type,
            format: distribution.format,
            byte_size: distribution.byte_size,
            conforms_to: distribution.conforms_to,
            licence: distribution.licence,
            rights: distribution.rights,
            described_by: distribution.described_by,
        }
    }
}
