//! The form of an adoption, for JSON output; it is written with flags, being short.

use serde::Serialize;
use wego_proto::record::v1 as record;

use super::{
    Texts,
    core::{JurisdictionForm, MoneyForm},
    is_zero, texts_of, word_of,
};

/// A city's statement that it uses another's practice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct AdoptionForm {
    pub(crate) target_id: String,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) target_version: u64,
    pub(crate) stage: String,
    pub(crate) since: String,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) changed: Texts,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) reused: Texts,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) reason_withdrawn: Texts,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cost: Option<MoneyForm>,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) fte: String,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) recommend: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) jurisdiction: Option<JurisdictionForm>,
}

impl From<record::Adoption> for AdoptionForm {
    fn from(adoption: record::Adoption) -> Self {
        Self {
            stage: word_of(adoption.stage()).unwrap_or_default(),
            target_id: adoption.target_id,
            target_version: adoption.target_version,
            since: adoption.since,
            changed: texts_of(adoption.changed),
            reused: texts_of(adoption.reused),
            reason_withdrawn: texts_of(adoption.reason_withdrawn),
            cost: adoption.cost.map(MoneyForm::from),
            fte: adoption.fte,
            recommend: adoption.recommend,
            jurisdiction: adoption.jurisdiction.map(JurisdictionForm::from),
        }
    }
}
