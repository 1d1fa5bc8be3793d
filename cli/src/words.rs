//! The words people read and type for the numbers of the protocol.
//!
//! One table for each enumeration, used in both directions, so that what is printed can be typed back.

use wego_proto::{
    record::v1::{AdoptionStage, Level, PublicationState, RecordKind, Stage, TextOrigin},
    v1::{
        EntryKind, EpochRank, EraseReason, Health, InviteState, MemberRole, MemberStatus, Outcome, PeerState,
        SubmitOutcome,
    },
};

/// An enumeration with a word for each of its values.
pub(crate) trait Word: Copy + PartialEq + 'static {
    /// Every value that has a word.
    const WORDS: &'static [(Self, &'static str)];

    /// The word; values that this version does not know are "unknown".
    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(value, _)| *value == self).map_or("unknown", |(_, word)| word)
    }

    /// The value of a word.
    fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, known)| *known == word).map(|(value, _)| *value)
    }

    /// All words, for error messages.
    fn all_words() -> String {
        Self::WORDS.iter().map(|(_, word)| *word).collect::<Vec<_>>().join(", ")
    }
}

macro_rules! words {
    ($type:ty: $($value:ident = $word:literal),+ $(,)?) => {
        impl Word for $type {
            const WORDS: &'static [(Self, &'static str)] = &[$((Self::$value, $word)),+];
        }
    };
}

words!(Stage: Idea = "idea", Pilot = "pilot", Live = "live", Scaled = "scaled", Ended = "ended");
words!(AdoptionStage: Considering = "considering", Planned = "planned", Pilot = "pilot", Live = "live",
    Withdrawn = "withdrawn");
words!(Level: City = "city", County = "county", State = "state", Country = "country",
    Supranational = "supranational");
words!(RecordKind: Practice = "practice", Adoption = "adoption", Dataset = "dataset");
words!(PublicationState: Inventoried = "inventoried", Planned = "planned", Published = "published",
    Withdrawn = "withdrawn");
words!(TextOrigin: Original = "original", Human = "human", Machine = "machine");
words!(Health: Ok = "ok", Degraded = "degraded", Failed = "failed");
words!(PeerState: Connected = "connected", Connecting = "connecting", Waiting = "waiting", Idle = "idle");
words!(InviteState: Open = "open", Used = "used", Admitted = "admitted", Expired = "expired", Revoked = "revoked");
words!(MemberStatus: Active = "active", Suspended = "suspended", Left = "left", Expelled = "expelled",
    Forked = "forked");
words!(MemberRole: Member = "member", President = "president", VicePresident = "vice-president",
    ExecutiveCommittee = "executive-committee", Associate = "associate", Candidate = "candidate");
words!(Outcome: Created = "created", Revised = "revised", Unchanged = "unchanged", Retracted = "retracted",
    Erased = "erased");
words!(EraseReason: PersonalData = "personal-data", ConsentWithdrawn = "consent-withdrawn",
    LegalOrder = "legal-order", Rights = "rights", Mistake = "mistake");
words!(EpochRank: Unspecified = "roster", Continuation = "continuation", Rotation = "rotation", Recovery = "recovery",
    Reinception = "reinception");
words!(EntryKind: RecordPut = "published", Retract = "retracted", Erase = "erased", Endpoint = "endpoint changed",
    EpochStart = "epoch started", Maintenance = "maintenance", Ack = "acknowledged",
    Presentation = "presentation changed");
words!(SubmitOutcome: Known = "known", Proposed = "proposed", Adopted = "adopted", Conflict = "in conflict");

/// The known word closest to a mistyped one, when close enough to suggest.
pub(crate) fn closest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (typed.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|word| (edits(typed, word), word))
        .filter(|(edits, _)| *edits <= allowed)
        .min()
        .map(|(_, word)| word)
}

/// Letters to insert, delete or replace to get from `a` to `b`.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_mistake_finds_the_word_that_was_meant() {
        assert_eq!(closest("summry", ["summary", "stage"]), Some("summary"));
        assert_eq!(closest("stge", ["summary", "stage"]), Some("stage"));
        assert_eq!(closest("colour", ["summary", "stage"]), None);
    }
}
