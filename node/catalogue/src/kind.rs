//! The one table of record kinds, and how a record becomes a payload and back.
//!
//! A kind this version does not know is never an error here: it is told apart and left alone.

use wego_proto::{
    prost::Message as _,
    record::v1::RecordKind,
    v1::{self, record},
};

/// All kinds this version knows, with their words, in the order of their numbers.
pub const KINDS: [(RecordKind, &str); 3] = [
    (RecordKind::Practice, "practice"),
    (RecordKind::Adoption, "adoption"),
    (RecordKind::Dataset, "dataset"),
];

/// The word for a kind in filters, commands and addresses; empty for [`RecordKind::Unspecified`].
#[must_use]
pub fn word(kind: RecordKind) -> &'static str {
    KINDS.iter().find(|(known, _)| *known == kind).map_or("", |(_, word)| word)
}

/// The kind a word stands for, whatever its case.
#[must_use]
pub fn from_word(word: &str) -> Option<RecordKind> {
    KINDS.iter().find(|(_, known)| known.eq_ignore_ascii_case(word)).map(|(kind, _)| *kind)
}

/// The number of a kind in entry headers.
#[must_use]
pub fn number(kind: RecordKind) -> u32 {
    kind as u32
}

/// The kind with this number, if this version knows it.
#[must_use]
pub fn from_number(number: u32) -> Option<RecordKind> {
    KINDS.iter().find(|(known, _)| *known as u32 == number).map(|(kind, _)| *kind)
}

/// The kind of a record; `None` when it has no content this version knows.
#[must_use]
pub fn kind_of(record: &v1::Record) -> Option<RecordKind> {
    Some(match record.kind.as_ref()? {
        record::Kind::Practice(_) => RecordKind::Practice,
        record::Kind::Adoption(_) => RecordKind::Adoption,
        record::Kind::Dataset(_) => RecordKind::Dataset,
    })
}

/// A payload's content as this version reads it.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "short-lived, and nearly always the large one")]
pub enum Decoded {
    /// A record of a known kind.
    Known(v1::Record),
    /// Well-formed, but of a kind that a later version introduced.
    Unknown,
    /// No record at all.
    Damaged,
}

/// The content of a record's payload.
#[must_use]
pub fn encode(record: &v1::Record) -> Vec<u8> {
    record.encode_to_vec()
}

/// Reads a payload's content. It is as its author wrote it: nothing about it was validated.
#[must_use]
pub fn decode(content: &[u8]) -> Decoded {
    match v1::Record::decode(content) {
        Ok(record) if record.kind.is_some() => Decoded::Known(record),
        Ok(_) => Decoded::Unknown,
        Err(_) => Decoded::Damaged,
    }
}

#[cfg(test)]
mod tests {
    use wego_proto::record::v1::Practice;

    use super::*;

    #[test]
    fn every_kind_is_found_by_its_word_and_its_number() {
        for (kind, name) in KINDS {
            assert_eq!(word(kind), name);
            assert_eq!(from_word(&name.to_uppercase()), Some(kind));
            assert_eq!(from_number(number(kind)), Some(kind));
        }
        assert_eq!(from_number(0), None);
        assert_eq!(from_word(""), None);
    }

    #[test]
    fn a_kind_of_a_later_version_is_unknown_and_not_damaged() {
        let record = v1::Record { kind: Some(record::Kind::Practice(Practice::default())) };
        assert_eq!(decode(&encode(&record)), Decoded::Known(record));
        // Field 900, length-delimited, two bytes.
        assert_eq!(decode(&[0xa2, 0x38, 0x02, 0x08, 0x01]), Decoded::Unknown);
        assert_eq!(decode(&[0xff, 0xff]), Decoded::Damaged);
    }
}
