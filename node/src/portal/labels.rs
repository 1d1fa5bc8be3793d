//! What the numbers of the messages are called in the reader's language.
//!
//! The lists of words follow the numbers of the enumerations, from 1; a number that this version does not know
//! has no label, and is never guessed.

use wego_catalogue::{vocabulary, word};
use wego_proto::{
    record::v1::{AdoptionStage, EvidenceLevel, Level, PublicationState, RecordKind, Stage},
    v1::{EntryKind, MemberRole, MemberStatus},
};

use super::{
    language,
    words::{Words, filled},
};

/// Facets in the order in which they are offered, with their place in [`Words::facets`].
pub(super) const FACETS: [&str; 7] = ["kind", "city", "country", "topic", "lang", "licence", "stage"];

fn numbered<const N: usize>(list: &[&'static str; N], number: i32) -> Option<&'static str> {
    let at = usize::try_from(number).ok()?.checked_sub(1)?;
    list.get(at).copied()
}

pub(super) fn kind(words: &Words, kind: RecordKind) -> &'static str {
    numbered(&words.kinds, kind as i32).unwrap_or(words.unknown)
}

pub(super) fn kind_plural(words: &Words, kind: RecordKind) -> &'static str {
    numbered(&words.kinds_plural, kind as i32).unwrap_or(words.unknown)
}

pub(super) fn stage(words: &Words, stage: Stage) -> Option<&'static str> {
    numbered(&words.stages, stage as i32)
}

pub(super) fn adoption_stage(words: &Words, stage: AdoptionStage) -> Option<&'static str> {
    numbered(&words.adoption_stages, stage as i32)
}

pub(super) fn publication_state(words: &Words, state: PublicationState) -> Option<&'static str> {
    numbered(&words.publication_states, state as i32)
}

pub(super) fn evidence(words: &Words, level: EvidenceLevel) -> Option<&'static str> {
    numbered(&words.evidence_levels, level as i32)
}

pub(super) fn level(words: &Words, level: Level) -> Option<&'static str> {
    numbered(&words.levels, level as i32)
}

pub(super) fn role(words: &Words, role: MemberRole) -> &'static str {
    numbered(&words.roles, role as i32).unwrap_or(words.unknown)
}

pub(super) fn status(words: &Words, status: MemberStatus) -> &'static str {
    numbered(&words.statuses, status as i32).unwrap_or(words.unknown)
}

/// What an entry did to a record.
pub(super) fn entry_kind(words: &Words, kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::RecordPut | EntryKind::Retract | EntryKind::Erase => {
            numbered(&words.entry_kinds, kind as i32).unwrap_or(words.unknown)
        }
        _ => words.unknown,
    }
}

/// Why contents were erased, with the number that the order bears.
pub(super) fn erase_reason(words: &Words, reason: i32) -> String {
    match numbered(&words.erase_reasons, reason) {
        Some(label) => format!("{label} ({reason})"),
        None => format!("{} ({reason})", words.unknown),
    }
}

/// The type of a relation; the word as written where it is none of those that are known.
pub(super) fn relation<'a>(words: &'static Words, kind: &'a str) -> &'a str {
    const KNOWN: [&str; 5] = ["based_on", "replaces", "part_of", "answers_need", "evidence_for"];
    KNOWN.iter().position(|known| *known == kind).map_or(kind, |at| words.relation_types[at])
}

/// A topic's name; its code where it has none.
pub(super) fn topic<'a>(words: &Words, scheme: &str, code: &'a str) -> &'a str {
    vocabulary::label(scheme, code, words.tag).unwrap_or(code)
}

/// What a facet is called.
pub(super) fn facet<'a>(words: &'static Words, field: &'a str) -> &'a str {
    FACETS.iter().position(|known| *known == field).map_or(field, |at| words.facets[at])
}

/// What a value of a filter is called: by our own words where we have them, else by `given`, else as written.
pub(super) fn filter_value(words: &'static Words, field: &str, value: &str, given: &str) -> String {
    let known = match field {
        "kind" => wego_catalogue::kind::from_word(value).map(|known| kind(words, known)),
        "stage" => any_stage(words, value),
        "lang" => Some(language::endonym(value)).filter(|name| *name != value),
        "topic" => topic_in_any_scheme(words, value),
        _ => None,
    };
    known.or(Some(given).filter(|given| !given.is_empty())).unwrap_or(value).to_owned()
}

/// Practices, adoptions and datasets share one filter; the word means the same in each.
fn any_stage(words: &Words, value: &str) -> Option<&'static str> {
    let of_practice =
        word::STAGES.iter().find(|(_, word)| *word == value).and_then(|(found, _)| stage(words, *found));
    let of_adoption = || {
        word::ADOPTION_STAGES
            .iter()
            .find(|(_, word)| *word == value)
            .and_then(|(found, _)| adoption_stage(words, *found))
    };
    let of_dataset = || {
        word::PUBLICATION_STATES
            .iter()
            .find(|(_, word)| *word == value)
            .and_then(|(found, _)| publication_state(words, *found))
    };
    of_practice.or_else(of_adoption).or_else(of_dataset)
}

fn topic_in_any_scheme(words: &Words, value: &str) -> Option<&'static str> {
    let code = value.rsplit_once([':', '/']).map_or(value, |(_, code)| code);
    let concepts = vocabulary::SCHEMES
        .into_iter()
        .flat_map(|scheme| vocabulary::concepts(scheme).iter().map(move |one| (scheme, one)));
    let mut same = concepts.filter(|(_, concept)| concept.code.eq_ignore_ascii_case(code));
    same.next().and_then(|(scheme, concept)| vocabulary::label(scheme, concept.code, words.tag))
}

/// `n of 5`.
pub(super) fn out_of_five(words: &Words, n: u32) -> String {
    filled(words.out_of_five, &[("n", &n.to_string())])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::portal::words::{ALL, for_reader};

    #[test]
    fn every_number_that_is_defined_has_a_label_in_every_language() {
        for words in ALL {
            for n in 1..=5 {
                assert!(stage(words, Stage::try_from(n).unwrap()).is_some());
                assert!(adoption_stage(words, AdoptionStage::try_from(n).unwrap()).is_some());
                assert!(evidence(words, EvidenceLevel::try_from(n).unwrap()).is_some());
                assert!(level(words, Level::try_from(n).unwrap()).is_some());
                assert_ne!(status(words, MemberStatus::try_from(n).unwrap()), words.unknown);
            }
            for n in 1..=6 {
                assert_ne!(role(words, MemberRole::try_from(n).unwrap()), words.unknown);
            }
            assert_eq!(stage(words, Stage::Unspecified), None);
            assert_eq!(kind(words, RecordKind::Unspecified), words.unknown);
        }
        assert!(
            Stage::try_from(6).is_err()
                && MemberRole::try_from(7).is_err()
                && MemberStatus::try_from(6).is_err()
        );
    }

    #[test]
    fn a_filter_value_is_told_in_the_readers_language() {
        let german = for_reader(&["de".to_owned()]);
        assert_eq!(filter_value(german, "kind", "practice", "Practice"), "Praxisbeispiel");
        assert_eq!(filter_value(german, "stage", "considering", ""), "In Erwägung");
        assert_eq!(filter_value(german, "lang", "ko", "Korean"), "한국어");
        assert_eq!(filter_value(german, "country", "KR", "Korea"), "Korea");
        assert_eq!(
            filter_value(german, "topic", "educ", ""),
            vocabulary::label("eu-data-theme", "EDUC", "de").unwrap()
        );
        assert_eq!(filter_value(german, "topic", "nonsense", ""), "nonsense");
    }
}
