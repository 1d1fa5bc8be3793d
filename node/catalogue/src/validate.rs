//! What each kind of record requires: from a record as somebody wrote it to one that may be signed.
//!
//! Parse, don't validate: whoever holds a [`Checked`] need not ask again. Only records of this member pass here,
//! before they are signed; the records of others are shown as their authors signed them. All problems are
//! reported at once, because an editor who mends one at a time gives up.

use std::fmt;

use thiserror::Error;
use wego_proto::{
    entry::PAYLOAD_BYTES_MAX,
    prost::Message as _,
    record::v1::RecordKind,
    v1::{self, record},
};

use crate::kind_of;

mod adoption;
mod check;
mod core;
mod dataset;
mod practice;
mod rule;

/// A record that meets the requirements of its kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    record: v1::Record,
    kind: RecordKind,
    warnings: Vec<Warning>,
}

impl Checked {
    /// Checks a record against everything its kind requires.
    ///
    /// # Errors
    /// All problems, at most [`PROBLEMS_MAX`](crate::limits::PROBLEMS_MAX), in the order of the fields. The editor mends them and sends again.
    pub fn parse(record: v1::Record) -> Result<Self, Vec<FieldProblem>> {
        let mut check = check::Check::default();
        let Some(kind) = kind_of(&record) else {
            check.fault(Fault::Missing { remedy: "give a practice, an adoption or a dataset" });
            return Err(check.problems);
        };
        match &record.kind {
            Some(record::Kind::Practice(practice)) => practice::check(&mut check, practice),
            Some(record::Kind::Adoption(adoption)) => adoption::check(&mut check, adoption),
            Some(record::Kind::Dataset(dataset)) => dataset::check(&mut check, dataset),
            None => {}
        }
        if record.encoded_len() > PAYLOAD_BYTES_MAX {
            check.fault(Fault::TooLarge { bytes: record.encoded_len() });
        }
        if !check.problems.is_empty() {
            return Err(check.problems);
        }
        Ok(Self { record, kind, warnings: check.warnings })
    }

    /// The record.
    #[must_use]
    pub fn record(&self) -> &v1::Record {
        &self.record
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> RecordKind {
        self.kind
    }

    /// What a reader will miss in it, at most [`PROBLEMS_MAX`](crate::limits::PROBLEMS_MAX).
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The payload content to sign.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        crate::encode(&self.record)
    }
}

/// A field that keeps a record from being published. Prints as `core.title[0].lang is missing: ...`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{path} {fault}")]
pub struct FieldProblem {
    /// Where: `core.title[0].lang`; `record` for the whole.
    pub path: String,
    /// What is wrong with it, and what to do.
    pub fault: Fault,
}

/// What can be wrong with a field. Each text ends in what to do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    /// Nothing where something must be.
    #[error("is missing: {remedy}")]
    Missing {
        /// What to give.
        remedy: &'static str,
    },
    /// A text over its bound.
    #[error("has {chars} characters: shorten it to at most {max}")]
    TooLong {
        /// Characters it has.
        chars: usize,
        /// Characters it may have.
        max: usize,
    },
    /// A list over its bound.
    #[error("has {count} items: keep at most {max}")]
    TooMany {
        /// Items it has.
        count: usize,
        /// Items it may have.
        max: usize,
    },
    /// The record does not fit an entry.
    #[error("takes {bytes} bytes: shorten its texts until it takes at most {PAYLOAD_BYTES_MAX}")]
    TooLarge {
        /// Bytes of the encoded record.
        bytes: usize,
    },
    /// A character that is invisible, moves the cursor or turns the reading direction.
    #[error("contains the control character U+{code:04X} as character {at}: remove it")]
    Control {
        /// The character.
        code: u32,
        /// Which one, from 1.
        at: usize,
    },
    /// A line break where one line is shown.
    #[error("contains a line break or tab: write it in one line")]
    LineBreak,
    /// Two encodings of one text would be two texts.
    #[error("is not in Unicode normal form C: normalise it (NFC)")]
    NotNormal,
    /// A person's address; also a role's cannot be told apart.
    #[error(
        "contains an e-mail address: name the role and give a public page instead, as addresses are never replicated"
    )]
    EmailAddress,
    /// An `@` in a contact.
    #[error("contains '@': give a page, a switchboard or a role, never an address")]
    AtSign,
    /// One language twice in one text.
    #[error("gives the language {lang} a second time: keep one text for each language")]
    RepeatedLanguage {
        /// As written the second time.
        lang: String,
    },
    /// Not of the form or in the list that is required.
    #[error("must be {expected}")]
    NotA {
        /// What it must be.
        expected: &'static str,
    },
    /// A topic of a scheme that is not bundled.
    #[error("is not a known scheme: use one of eu-data-theme, wego-topic")]
    UnknownScheme,
    /// A topic that its scheme does not have.
    #[error("is no code of its scheme: `wego practice template` lists the topics")]
    UnknownCode,
}

/// A recommended field that is missing, or that readers will find weak. Prints as `modified is missing: ...`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Where.
    pub path: String,
    /// What, and whom it hurts.
    pub advice: &'static str,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.path, self.advice)
    }
}

#[cfg(test)]
mod tests;
