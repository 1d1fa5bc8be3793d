//! Why a folder was not made. In every case nothing is left of it.

use std::{io, path::PathBuf};

use thiserror::Error;
use wego_proto::{card::CardError, pin::PinError};

use crate::{config::ConfigError, keys::certificate::CertificateError, operators::OperatorsError};

/// Why a folder was not made. The operator acts; nothing is left half-made.
#[derive(Debug, Error)]
pub enum InitError {
    /// Something about the member is not as it must be.
    #[error("--{what} {value:?} is not {expected}")]
    Answer {
        /// Which option.
        what: &'static str,
        /// What was given.
        value: String,
        /// What it must be.
        expected: &'static str,
    },
    /// The member card would be refused.
    #[error("member card would be refused")]
    Card(#[from] CardError),
    /// There is something there.
    #[error("{} exists and is not empty", dir.display())]
    NotEmpty {
        /// The folder.
        dir: PathBuf,
    },
    /// A file or folder cannot be made.
    #[error("{} cannot be made", path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A certificate cannot be made.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// A certificate that was made cannot be used.
    #[error("certificate cannot be used")]
    Identity(#[source] PinError),
    /// A profile cannot be written as TOML.
    #[error("profile cannot be made")]
    Profile(#[source] toml::ser::Error),
    /// The configuration would be refused.
    #[error("configuration would be refused")]
    Config(#[from] ConfigError),
    /// The first operator would be refused.
    #[error("operators file would be refused")]
    Operators(#[from] OperatorsError),
}

impl InitError {
    /// What the operator can do, as one sentence.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::NotEmpty { .. } => {
                "keys are never overwritten: choose another folder, or move this one away".to_owned()
            }
            Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                "make the folder above it first".to_owned()
            }
            Self::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                "run this as the node's user, as in `runuser -u wego-node -- wego-node init ...`".to_owned()
            }
            Self::Config(error) => error.hint(),
            _ => "`wego-node init --help` explains every option".to_owned(),
        }
    }
}
