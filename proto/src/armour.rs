//! Signed things as text files: PEM (RFC 7468) around protobuf, with a readable preamble.
//!
//! The preamble is for people and is never believed; only what is inside the armour counts.

use pem_rfc7468::LineEnding;
use prost::Message;
use thiserror::Error;

/// Room for the preamble in bytes: the names of all members of the largest roster, each in a line of its own.
const PREAMBLE_BYTES_MAX: usize = 2 * 1_024 * 1_024;
/// `-----BEGIN` and `-----END` with their labels, and a line end after the last letters.
const FRAME_BYTES_MAX: usize = 128;

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

/// Bytes of the largest text that has so many bytes in its block: whoever limits what is in a file may not refuse it for
/// the letters, a third more, and the line ends that they are written with.
#[must_use]
pub const fn text_bytes_max(bytes: usize) -> u64 {
    (block_bytes_max(bytes) + PREAMBLE_BYTES_MAX) as u64
}

const fn block_bytes_max(bytes: usize) -> usize {
    let letters = bytes.div_ceil(3) * 4;
    letters + letters / 64 + FRAME_BYTES_MAX
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
    fn a_text_is_never_longer_than_what_is_said_for_the_bytes_in_it() {
        for length in [0, 1, 2, 3, 47, 48, 49, 1_000, 99_999] {
            let chain =
                RosterChain { versions: vec![SignedRoster { roster: vec![7; length], signatures: vec![] }] };
            let bytes = chain.encoded_len();
            for label in [Label::Roster, Label::MemberCard, Label::RecordProof, Label::ForkProof] {
                let block = write(label, &[], &chain).len();
                assert!(block <= block_bytes_max(bytes), "{block} for {bytes}");
                assert!(block > bytes * 4 / 3, "{block} for {bytes}");
            }
        }
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
