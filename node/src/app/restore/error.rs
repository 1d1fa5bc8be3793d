//! Why a backup is not restored.

use std::{io, path::PathBuf};

use thiserror::Error;
use wego_proto::backup::{Disagreement, Fault};

use crate::{
    app::RosterFileError,
    keys::KeysError,
    store::{RosterFilesError, StoreError},
};

/// Why a backup is not restored. Nothing was written when the plan was refused; otherwise the fence says that the
/// folder is worthless.
#[derive(Debug, Error)]
pub enum RestoreError {
    /// There is something in the data folder.
    #[error("{} is not empty", path.display())]
    NotEmpty {
        /// Which folder.
        path: PathBuf,
    },
    /// Another process restores into the folder.
    #[error("another restore is under way in {}", path.display())]
    UnderWay {
        /// Which folder.
        path: PathBuf,
    },
    /// A file or folder cannot be read or written.
    #[error("{}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The backup is not whole.
    #[error("the backup is not whole")]
    Fault(#[from] Fault),
    /// The backup is not of the federation, or not of the history, that this node has a roster of.
    #[error("the backup does not belong to this node's roster")]
    Disagreement(#[from] Disagreement),
    /// The backup is another member's.
    #[error("the backup is of {found}, this node is {own}")]
    OtherMember {
        /// Whose it is.
        found: String,
        /// As configured.
        own: String,
    },
    /// The keys folder holds another log key.
    #[error("the log key in the keys folder is not one of {handle}")]
    OtherKey {
        /// Whose backup.
        handle: String,
    },
    /// The log key cannot be read.
    #[error("keys")]
    Keys(#[from] KeysError),
    /// The node's roster file cannot be used.
    #[error("roster")]
    Roster(#[from] RosterFileError),
    /// The file is not the one that was checked.
    #[error("{} has changed since it was checked", path.display())]
    Changed {
        /// Which file.
        path: PathBuf,
    },
    /// What was built cannot be written or read.
    #[error("data folder")]
    Store(#[from] StoreError),
    /// A roster version cannot be written.
    #[error("data folder")]
    RosterFiles(#[from] RosterFilesError),
    /// What was built is not what the backup says.
    #[error("the folder that was built is not what the backup says")]
    NotAsInBackup,
}

impl RestoreError {
    /// What the operator can do.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::NotEmpty { path } => format!(
                "stop the node and set the folder aside (mv {0} {0}.aside): a restore never touches what is there",
                path.display()
            ),
            Self::UnderWay { .. } => "wait for it".to_owned(),
            Self::File { .. } => "look at the path, its owner and its file system".to_owned(),
            Self::Fault(_) | Self::Changed { .. } => {
                "take another copy of the backup; `wego backup verify` checks it anywhere".to_owned()
            }
            Self::Disagreement(_) => {
                "ask where this file comes from; node.roster says which roster it was held against".to_owned()
            }
            Self::OtherMember { .. } => {
                "take the backup of this node, or the configuration of that one".to_owned()
            }
            Self::OtherKey { .. } => {
                "put the member's log.pem into the keys folder: it is kept apart from backups".to_owned()
            }
            Self::Keys(error) => error.hint(),
            Self::Roster(error) => error.hint().to_owned(),
            Self::Store(StoreError::CorruptFile { .. }) => {
                "set the data folder aside and restore into an empty one".to_owned()
            }
            Self::Store(_) | Self::RosterFiles(_) | Self::NotAsInBackup => {
                "look at the data folder's file system, then run the same command again".to_owned()
            }
        }
    }
}
