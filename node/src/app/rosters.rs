//! The roster a node starts from: the chain it has adopted, and the file its operator gives it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use thiserror::Error;
use wego_ledger::roster::History;
use wego_proto::{
    armour::{self, ArmourError, Label},
    causes::with_causes,
    prost::Message as _,
    roster::{CHAIN_BYTES_MAX, Roster, RosterError},
    v1,
};

use crate::{
    config::Config,
    engine::read::Noticed,
    store::{GovernanceFiles, RosterFiles, RosterFilesError, StoreError},
};

/// Folder of the adopted versions in the data folder.
const ROSTER_DIR: &str = "roster";

/// Said when the operator's file cannot be used.
const UNREAD: &str = "the roster file cannot be used, and the node goes on with the versions that it adopted";

/// Why there is no roster to start from.
#[derive(Debug, Error)]
pub enum RosterFileError {
    /// No version was adopted and there is no file, or it cannot be read.
    #[error("{path}")]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
        /// Why it cannot be read.
        #[source]
        source: io::Error,
    },
    /// The file is larger than any roster.
    #[error("{path} is larger than any roster")]
    TooLarge {
        /// Which file.
        path: PathBuf,
    },
    /// The file is no roster.
    #[error("{path}")]
    Armour {
        /// Which file.
        path: PathBuf,
        /// What it is instead.
        #[source]
        source: ArmourError,
    },
    /// The roster does not verify.
    #[error("{path}")]
    Unverified {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: RosterError,
    },
    /// The file is of another federation than the versions adopted.
    #[error("{path} is of another federation than the data folder")]
    OtherFederation {
        /// Which file.
        path: PathBuf,
    },
    /// The file follows another version than the one adopted: two committees, or two decisions.
    #[error("{path} has another version {version} than the data folder")]
    OtherBranch {
        /// Which file.
        path: PathBuf,
        /// First version that differs.
        version: u64,
    },
    /// The adopted versions cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The adopted versions cannot be extended.
    #[error(transparent)]
    Files(#[from] RosterFilesError),
}

impl RosterFileError {
    /// Whether the file is damaged or not there, and not just another one than it should be.
    fn is_damage(&self) -> bool {
        match self {
            Self::Missing { source, .. } => {
                matches!(source.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidData)
            }
            Self::Armour { source, .. } => !matches!(source, ArmourError::WrongLabel { .. }),
            // A flipped bit makes every signature a wrong one; so whoever waits for signatures is told by the status.
            Self::Unverified { .. } | Self::TooLarge { .. } => true,
            Self::OtherFederation { .. } | Self::OtherBranch { .. } | Self::Store(_) | Self::Files(_) => {
                false
            }
        }
    }

    /// What the operator can do.
    pub(super) fn hint(&self) -> &'static str {
        match self {
            Self::Missing { .. } => {
                "put the signed roster there; the founder makes it with wego roster found"
            }
            Self::Unverified { source: RosterError::TooFewSignatures { .. }, .. } => {
                "let the committee sign it: wego roster sign"
            }
            Self::OtherFederation { .. } => "one node belongs to one federation: use another folder",
            _ => "ask another member for the roster: wego roster show --out FILE",
        }
    }
}

/// Opens the adopted versions, extended by what the operator's file has beyond them.
pub(super) fn open(config: &Config) -> Result<RosterFiles, RosterFileError> {
    let files = folder(config)?;
    let path = &config.node.roster;
    let given = read_given(path);
    let elsewhere = given.as_ref().map_or_else(|_| Vec::new(), |given| given.since(0, usize::MAX));
    files.mend(&elsewhere)?;
    let known = files.load()?;
    let given = match given {
        Ok(given) => given,
        // Once adopted, the file is no longer needed.
        Err(error) if error.is_damage() && !known.is_empty() => {
            if path.exists() {
                tracing::warn!(error = &error as &dyn std::error::Error, "{UNREAD}");
            }
            return Ok(files);
        }
        Err(error) => return Err(error),
    };
    let contested = GovernanceFiles::open(files.dir())?.conflicts()?;
    for (version, (ours, theirs)) in (1..).zip(known.iter().zip(given.since(0, usize::MAX))) {
        if ours.roster != theirs.roster {
            if contested.iter().any(|kept| kept.roster == theirs.roster) || is_given_up(&files, &given)? {
                tracing::warn!(version, path = %path.display(), "the roster file is of the other side of a conflict");
                return Ok(files);
            }
            return Err(match version {
                1 => RosterFileError::OtherFederation { path: path.clone() },
                version => RosterFileError::OtherBranch { path: path.clone(), version },
            });
        }
    }
    for version in given.since(known.len() as u64, usize::MAX) {
        files.append(&version)?;
    }
    Ok(files)
}

fn read_given(path: &PathBuf) -> Result<History, RosterFileError> {
    let unverified = |source| RosterFileError::Unverified { path: path.clone(), source };
    History::open(chain_in(path, &read(path)?)?).map_err(unverified)
}

/// What is wrong with the operator's file, when the node has started without it.
pub(super) fn unread(config: &Config) -> Option<Noticed> {
    let path = &config.node.roster;
    let error = read_given(path).err().filter(|_| path.exists())?;
    Some(Noticed {
        what: format!("{UNREAD}: {}", with_causes(&error)),
        hint: error.hint().to_owned(),
        path: None,
    })
}

/// Whether a version that was adopted settles a conflict against the branch that is given: a folder that came from a
/// backup does not have the other half.
fn is_given_up(files: &RosterFiles, given: &History) -> Result<bool, RosterFileError> {
    let newest = given.current();
    let adopted = history(files)?;
    Ok(adopted.at(newest.version() + 1).is_some_and(|after| after.gives_up(&newest.hash())))
}

/// The folder of the adopted versions.
pub(super) fn folder(config: &Config) -> Result<RosterFiles, StoreError> {
    RosterFiles::open(&config.node.data_dir.join(ROSTER_DIR))
}

/// The versions in the operator's file; none when there is no file.
pub(super) fn given(config: &Config) -> Result<Vec<Roster>, RosterFileError> {
    let path = &config.node.roster;
    let text = match read(path) {
        Err(RosterFileError::Missing { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            return Ok(Vec::new());
        }
        text => text?,
    };
    Roster::open_chain(chain_in(path, &text)?)
        .map_err(|source| RosterFileError::Unverified { path: path.clone(), source })
}

fn chain_in(path: &Path, text: &str) -> Result<v1::RosterChain, RosterFileError> {
    let unarmoured = |source| RosterFileError::Armour { path: path.to_owned(), source };
    let chain: v1::RosterChain = armour::read(Label::Roster, text).map_err(unarmoured)?;
    if chain.encoded_len() > CHAIN_BYTES_MAX {
        return Err(RosterFileError::TooLarge { path: path.to_owned() });
    }
    Ok(chain)
}

/// The versions adopted.
pub(super) fn history(files: &RosterFiles) -> Result<History, RosterFileError> {
    let chain = v1::RosterChain { versions: files.load()? };
    History::open(chain)
        .map_err(|source| RosterFileError::Unverified { path: PathBuf::from(ROSTER_DIR), source })
}

fn read(path: &PathBuf) -> Result<String, RosterFileError> {
    let missing = |source| RosterFileError::Missing { path: path.clone(), source };
    if fs::metadata(path).map_err(missing)?.len() > armour::text_bytes_max(CHAIN_BYTES_MAX) {
        return Err(RosterFileError::TooLarge { path: path.clone() });
    }
    fs::read_to_string(path).map_err(missing)
}
