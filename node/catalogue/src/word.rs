//! The words for stages and states, in filters, commands and pages. Labels for readers are not made here.

use wego_proto::record::v1::{AdoptionStage, PublicationState, Stage};

/// Stages of a practice, in their order.
pub const STAGES: [(Stage, &str); 5] = [
    (Stage::Idea, "idea"),
    (Stage::Pilot, "pilot"),
    (Stage::Live, "live"),
    (Stage::Scaled, "scaled"),
    (Stage::Ended, "ended"),
];

/// Stages of an adoption, in their order.
pub const ADOPTION_STAGES: [(AdoptionStage, &str); 5] = [
    (AdoptionStage::Considering, "considering"),
    (AdoptionStage::Planned, "planned"),
    (AdoptionStage::Pilot, "pilot"),
    (AdoptionStage::Live, "live"),
    (AdoptionStage::Withdrawn, "withdrawn"),
];

/// States of a dataset, in their order.
pub const PUBLICATION_STATES: [(PublicationState, &str); 4] = [
    (PublicationState::Inventoried, "inventoried"),
    (PublicationState::Planned, "planned"),
    (PublicationState::Published, "published"),
    (PublicationState::Withdrawn, "withdrawn"),
];

/// The word for a practice's stage; `None` when unspecified.
#[must_use]
pub fn stage(stage: Stage) -> Option<&'static str> {
    of(&STAGES, stage)
}

/// The word for an adoption's stage; `None` when unspecified.
#[must_use]
pub fn adoption_stage(stage: AdoptionStage) -> Option<&'static str> {
    of(&ADOPTION_STAGES, stage)
}

/// The word for a dataset's state; `None` when unspecified.
#[must_use]
pub fn publication_state(state: PublicationState) -> Option<&'static str> {
    of(&PUBLICATION_STATES, state)
}

fn of<T: PartialEq>(table: &[(T, &'static str)], value: T) -> Option<&'static str> {
    table.iter().find(|(known, _)| *known == value).map(|(_, word)| *word)
}
