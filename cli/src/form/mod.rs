//! Records as people write and read them: YAML or JSON files with one key for each thing to say.
//!
//! A form is friendlier than the message it stands for, and loses nothing of it: what `show --json` prints
//! under `record` can be handed to `revise --file`. What a record must contain is decided by the node.

pub(crate) mod adoption;
pub(crate) mod core;
pub(crate) mod dataset;
pub(crate) mod practice;
mod text;

use std::path::Path;

use serde::{Serialize, de::DeserializeOwned};
use thiserror::Error;
use wego_proto::v1;

use crate::{
    error::Failure,
    words::{Word, closest},
};

pub(crate) use text::{Text, Texts, lang_texts, pick, texts_of};

/// A key of a form whose value does not fit.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{field}: {problem}")]
pub(crate) struct FormError {
    pub(crate) field: &'static str,
    pub(crate) problem: FormProblem,
}

/// What can be wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum FormProblem {
    /// A mandatory key is not there.
    #[error("is missing")]
    Missing,
    /// A word that is not in the list.
    #[error("must be one of {expected}; it is {found:?}")]
    NotOneOf { found: String, expected: String },
    /// A value outside its range.
    #[error("must be {expected}; it is {found:?}")]
    NotA { found: String, expected: &'static str },
}

impl From<FormError> for Failure {
    fn from(error: FormError) -> Self {
        Self::usage(error.to_string(), "`wego practice template` shows every key with an example")
    }
}

/// Any record as a form, for JSON output.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum RecordForm {
    Practice(Box<practice::PracticeForm>),
    Adoption(Box<adoption::AdoptionForm>),
    Dataset(Box<dataset::DatasetForm>),
}

impl RecordForm {
    /// The form of a record of a kind this version knows.
    pub(crate) fn of(record: v1::Record) -> Option<Self> {
        Some(match record.kind? {
            v1::record::Kind::Practice(practice) => Self::Practice(Box::new(practice.into())),
            v1::record::Kind::Adoption(adoption) => Self::Adoption(Box::new(adoption.into())),
            v1::record::Kind::Dataset(dataset) => Self::Dataset(Box::new(dataset.into())),
        })
    }

    /// As YAML.
    pub(crate) fn yaml(&self) -> Result<String, Failure> {
        serde_saphyr::to_string(self)
            .map_err(|error| Failure::failed("cannot write YAML", "use --json").because(error.to_string()))
    }
}

/// Reads a form from YAML or JSON text. Mistakes are named with their line.
pub(crate) fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, Failure> {
    let at = path.display();
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).map_err(|error| {
            let hint = "`wego practice template` shows every key; correct the file and try again";
            Failure::usage(format!("{at}:{}:{} is wrong", error.line(), error.column()), hint)
                .because(error.to_string())
        });
    }
    serde_saphyr::from_str(text).map_err(|error| yaml_failure(path, &error))
}

fn yaml_failure(path: &Path, error: &serde_saphyr::Error) -> Failure {
    let plain = error.without_snippet();
    let place = match plain.location() {
        Some(at) => format!("{}:{}:{}", path.display(), at.line(), at.column()),
        None => path.display().to_string(),
    };
    if let serde_saphyr::Error::SerdeUnknownField { field, expected, .. } = plain {
        let hint = match closest(field, expected.iter().copied()) {
            Some(word) => format!("did you mean {word:?}?"),
            None => format!("the keys are {}", expected.join(", ")),
        };
        return Failure::usage(format!("{place}: there is no key {field:?}"), hint);
    }
    let said = plain.render_with_options(serde_saphyr::RenderOptions::default());
    let said = said.lines().next().unwrap_or_default().to_owned();
    Failure::usage(
        format!("{place}: this is not what belongs here"),
        "`wego practice template` shows every key with an example",
    )
    .because(said)
}

/// The value of `word`, or an error that lists the words.
fn word<E: Word>(field: &'static str, word: &str) -> Result<E, FormError> {
    E::from_word(word).ok_or_else(|| FormError {
        field,
        problem: FormProblem::NotOneOf { found: word.to_owned(), expected: E::all_words() },
    })
}

/// The word of a set enumeration value; none for the unspecified one.
fn word_of<E: Word>(value: E) -> Option<String> {
    E::WORDS.iter().find(|(known, _)| *known == value).map(|(_, word)| (*word).to_owned())
}

fn is_zero<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests;
