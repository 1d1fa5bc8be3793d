//! Signed things as text files: PEM (RFC 7468) around protobuf, with a readable preamble.
//!
//! The preamble is for people and is never believed; only what is inside the armour counts.

use pem_rfc7468::LineEnding;
use prost::Message;
use thiserror::Error;

/// What is inside an armoured file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// [`crate::v1::SignedMemberCard`]
    MemberCard,
    /// [`crate::v1::RosterChain`]: one or more versions, oldest first.
    Roster,
    /// [`crate::v1::RecordProof`]
    RecordProof,
    /// [`crate::v1::ForkProofFile`]
    ForkProof,
}

impl Label {
    const fn text(self) -> &'static str {
        match self {
            Self::MemberCard => "WEGO MEMBER CARD",
            Self::Roster => "WEGO ROSTER",
            Self::RecordProof => "WEGO RECORD PROOF",
            Self::ForkProof => "WEGO FORK PROOF",
        }
    }
}

/// Why a file is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ArmourError {
    /// No `-----BEGIN …-----` block, or a damaged one.
    #[error("no undamaged {expected} in it (a block from -----BEGIN to -----END)")]
    NotArmoured {
        /// Label that was looked for.
        expected: &'static str,
    },
    /// Another kind of file.
    #[error("it is a {found}, not a {expected}")]
    WrongLabel {
        /// Label of the block.
        found: String,
        /// Label that was looked for.
        expected: &'static str,
    },
    /// The block decodes to bytes of no such message.
    #[error("the {expected} in it is damaged")]
    Damaged {
        /// Label of the block.
        expected: &'static str,
    },
}

/// Writes `message` with a preamble, a line of text each.
#[must_use]
#[expect(clippy::expect_used, reason = "the label is one of ours and the buffer grows")]
pub fn write(label: Label, preamble: &[String], message: &impl Message) -> String {
    let block = pem_rfc7468::encode_string(label.text(), LineEnding::LF, &message.encode_to_vec())
        .expect("a fixed label and a growing buffer");
    let mut text = String::new();
    for line in preamble {
        // A line that looked like armour would end the preamble.
        text.push_str(&line.replace("-----", ""));
        text.push('\n');
    }
    if !preamble.is_empty() {
        text.push('\n');
    }
    text + &block
}

/// Reads the block out of `text`.
///
/// # Errors
/// [`ArmourError`] says what the text is instead.
pub fn read<M: Message + Default>(label: Label, text: &str) -> Result<M, ArmourError> {
    let expected = label.text();
    let begin = text.find("-----BEGIN ").ok_or(ArmourError::NotArmoured { expected })?;
    let (found, bytes) = pem_rfc7468::decode_vec(&text.as_bytes()[begin..])
        .map_err(|_| ArmourError::NotArmoured { expected })?;
    if found != expected {
        return Err(ArmourError::WrongLabel { found: found.to_owned(), expected });
    }
    M::decode(bytes.as_slice()).map_err(|_| ArmourError::Damaged { expected })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1::{RosterChain, SignedRoster};

    #[test]
    fn what_is_written_is_read_whatever_the_preamble_says() {
        let chain = RosterChain { versions: vec![SignedRoster { roster: vec![1, 2], signatures: vec![] }] };
        let text = write(Label::Roster, &["-----BEGIN EVIL-----".to_owned(), "서울".to_owned()], &chain);
        assert_eq!(read::<RosterChain>(Label::Roster, &text), Ok(chain));
    }

    #[test]
    fn another_kind_of_file_is_named() {
        let chain = RosterChain { versions: vec![SignedRoster { roster: vec![1], signatures: vec![] }] };
        let text = write(Label::MemberCard, &[], &chain);
        let error = read::<RosterChain>(Label::Roster, &text).expect_err("a card is no roster");
        assert_eq!(error.to_string(), "it is a WEGO MEMBER CARD, not a WEGO ROSTER");
        assert!(read::<RosterChain>(Label::Roster, "hello").is_err());
    }
}
