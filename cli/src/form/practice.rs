//! The form of a practice: one struct for the file, the flags and the JSON output.

use serde::{Deserialize, Serialize};
use wego_proto::record::v1 as record;

use super::{
    FormError, FormProblem, Texts,
    core::{
        ContactForm, DEFAULT_LICENCE, DatesForm, ExternalIdForm, JurisdictionForm, LinkForm, MetricForm,
        MoneyForm, ProvenanceForm, RelationForm, all, every, topic, topic_word,
    },
    is_zero, lang_texts, texts_of, word, word_of,
};

/// An example that is a valid practice as it stands.
pub(crate) const TEMPLATE: &str = include_str!("practice.yaml");

/// Evidence levels there are.
const EVIDENCE_MAX: u32 = 5;

/// A practice, its keys in reading order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PracticeForm {
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) title: Texts,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) summary: Texts,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) problem: Texts,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) approach: Texts,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) results: Texts,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) what_failed: Texts,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) conditions: Texts,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) lessons: Texts,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) body: Texts,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) topics: Vec<String>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) keywords: Vec<String>,
    /// idea, pilot, live, scaled or ended
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) stage: String,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) started_year: i32,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) owner_organisation: String,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) licence: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) jurisdiction: Option<JurisdictionForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cost_total: Option<MoneyForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cost_per_year: Option<MoneyForm>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) fte: String,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) months_to_live: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) population_served: u64,
    /// 1 to 5
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) evidence: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) headline: Vec<MetricForm>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) solution_ids: Vec<String>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) org_ids: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) dates: Option<DatesForm>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) contacts: Vec<ContactForm>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) links: Vec<LinkForm>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) relations: Vec<RelationForm>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) alt_ids: Vec<ExternalIdForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) provenance: Option<ProvenanceForm>,
}

impl TryFrom<PracticeForm> for record::Practice {
    type Error = FormError;
    fn try_from(form: PracticeForm) -> Result<Self, FormError> {
        let missing = |field| FormError { field, problem: FormProblem::Missing };
        if form.stage.is_empty() {
            return Err(missing("stage"));
        }
        let stage = word::<record::Stage>("stage", &form.stage)?;
        let jurisdiction = form.jurisdiction.ok_or_else(|| missing("jurisdiction"))?;
        let licence = if form.licence.is_empty() { DEFAULT_LICENCE.to_owned() } else { form.licence };
        let core = record::Core {
            title: lang_texts("title", form.title)?,
            summary: lang_texts("summary", form.summary)?,
            body: lang_texts("body", form.body)?,
            topics: form.topics.iter().map(|text| topic(text)).collect::<Result<_, _>>()?,
            jurisdiction: Some(jurisdiction.try_into()?),
            dates: form.dates.map(record::Dates::from),
            licence,
            contacts: all(form.contacts)?,
            links: every(form.links),
            relations: every(form.relations),
            alt_ids: every(form.alt_ids),
            provenance: form.provenance.map(record::Provenance::from),
            keywords: form.keywords,
        };
        Ok(Self {
            core: Some(core),
            problem: lang_texts("problem", form.problem)?,
            approach: lang_texts("approach", form.approach)?,
            results: lang_texts("results", form.results)?,
            what_failed: lang_texts("what_failed", form.what_failed)?,
            conditions: lang_texts("conditions", form.conditions)?,
            lessons: lang_texts("lessons", form.lessons)?,
            stage: stage as i32,
            started_year: form.started_year,
            cost_total: form.cost_total.map(record::Money::from),
            cost_per_year: form.cost_per_year.map(record::Money::from),
            fte: form.fte,
            months_to_live: form.months_to_live,
            population_served: form.population_served,
            evidence: evidence(form.evidence)? as i32,
            solution_ids: form.solution_ids,
            org_ids: form.org_ids,
            headline: all(form.headline)?,
            owner_organisation: form.owner_organisation,
        })
    }
}

fn evidence(level: u32) -> Result<record::EvidenceLevel, FormError> {
    let known = i32::try_from(level).ok().filter(|_| level <= EVIDENCE_MAX);
    known.and_then(|level| record::EvidenceLevel::try_from(level).ok()).ok_or_else(|| FormError {
        field: "evidence",
        problem: FormProblem::NotA {
            found: level.to_string(),
            expected: "1 to 5 (Nesta's standards of evidence)",
        },
    })
}

impl From<record::Practice> for PracticeForm {
    fn from(practice: record::Practice) -> Self {
        let stage = word_of(practice.stage()).unwrap_or_default();
        let evidence = practice.evidence() as i32;
        let core = practice.core.unwrap_or_default();
        Self {
            title: texts_of(core.title),
            summary: texts_of(core.summary),
            body: texts_of(core.body),
            topics: core.topics.iter().map(topic_word).collect(),
            keywords: core.keywords,
            jurisdiction: core.jurisdiction.map(JurisdictionForm::from),
            dates: core.dates.map(DatesForm::from),
            licence: core.licence,
            contacts: every(core.contacts),
            links: every(core.links),
            relations: every(core.relations),
            alt_ids: every(core.alt_ids),
            provenance: core.provenance.map(ProvenanceForm::from),
            problem: texts_of(practice.problem),
            approach: texts_of(practice.approach),
            results: texts_of(practice.results),
            what_failed: texts_of(practice.what_failed),
            conditions: texts_of(practice.conditions),
            lessons: texts_of(practice.lessons),
            stage,
            started_year: practice.started_year,
            owner_organisation: practice.owner_organisation,
            cost_total: practice.cost_total.map(MoneyForm::from),
            cost_per_year: practice.cost_per_year.map(MoneyForm::from),
            fte: practice.fte,
            months_to_live: practice.months_to_live,
            population_served: practice.population_served,
            evidence: u32::try_from(evidence).unwrap_or_default(),
            headline: every(practice.headline),
            solution_ids: practice.solution_ids,
            org_ids: practice.org_ids,
        }
    }
}
