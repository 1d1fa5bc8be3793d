//! Why a node does not start, and what the operator can do.

use std::{net::SocketAddr, path::PathBuf};

use thiserror::Error;
use wego_proto::pin::PinError;

use super::RosterFileError;
use crate::{
    audit::AuditError, enrolment::BookError, keys::KeysError, operators::OperatorsError, peers::PinsError,
    store::StoreError,
};

/// Why a node does not start. Nothing was written but what is said here.
#[derive(Debug, Error)]
pub enum StartError {
    /// A key.
    #[error("keys")]
    Keys(#[from] KeysError),
    /// The operators file.
    #[error("{}", path.display())]
    Operators {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: OperatorsError,
    },
    /// The roster.
    #[error("roster")]
    Roster(#[from] RosterFileError),
    /// The member is not in the roster, or with another log key.
    #[error("member {handle} with this node's log key is not in roster version {version}")]
    NotAMember {
        /// As configured.
        handle: String,
        /// Newest version known.
        version: u64,
    },
    /// A restore was not finished: nothing in the data folder counts.
    #[error("the restore into {} was not finished", .0.display())]
    RestoreInterrupted(PathBuf),
    /// Whether the restore was finished cannot be read.
    #[error("whether the restore into {} was finished is not known", .0.display())]
    Fence(PathBuf, #[source] StoreError),
    /// The stores.
    #[error("data folder")]
    Store(#[from] StoreError),
    /// The list of pinned peers.
    #[error("pinned peers")]
    Pins(#[from] PinsError),
    /// The invites.
    #[error("invites")]
    Invites(#[from] BookError),
    /// The audit log.
    #[error("audit log")]
    Audit(#[from] AuditError),
    /// Certificate or key.
    #[error("transport identity")]
    Identity(#[from] PinError),
    /// A socket.
    #[error("listening on {at}")]
    Listen {
        /// Which address.
        at: SocketAddr,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// Randomness.
    #[error("the system gives no randomness")]
    Randomness(#[from] getrandom::Error),
}

impl StartError {
    /// What the operator can do.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Keys(error) => error.hint(),
            Self::Operators { .. } => {
                "mend the file, or put back your copy of it; removed, it is begun by wego-node operator add".to_owned()
            }
            Self::Roster(error) => error.hint().to_owned(),
            Self::NotAMember { .. } => {
                "compare the roster with wego roster show; was it made from this node's card? Where newer versions were \
                 lost or set aside in data/roster, put at node.roster what another member has: wego roster show --out FILE"
                    .to_owned()
            }
            Self::RestoreInterrupted(_) => "run the same wego-node restore again: it begins anew".to_owned(),
            Self::Fence(path, _) => format!(
                "set the folder aside (mv {0} {0}.aside) and run wego-node restore again: see the runbook \
                 (deploy/README.md, 7)",
                path.display()
            ),
            Self::Store(StoreError::OtherOrigin { .. }) => {
                "node.data_dir or node.handle is of another member: correct it in wego-node.toml".to_owned()
            }
            Self::Store(StoreError::NewerFormat { .. }) => "start the newer wego-node again".to_owned(),
            Self::Store(StoreError::Locked { .. }) => {
                "stop the other node that works in this folder".to_owned()
            }
            Self::Store(error) if error.is_corrupt() => {
                "start the node: it sets aside what is damaged, and takes it from store and peers; see the runbook \
                 (deploy/README.md, 11)"
                    .to_owned()
            }
            Self::Store(_) => "look at the data folder's file system and its permissions".to_owned(),
            Self::Pins(_) | Self::Invites(_) => {
                "the node's user must be able to read and write what it names".to_owned()
            }
            Self::Audit(error) => error.hint().to_owned(),
            Self::Identity(_) => "certificate and key in the keys folder must belong together".to_owned(),
            Self::Listen { .. } => "another process may use the address; change it under [listen]".to_owned(),
            Self::Randomness(_) => "see the system's log".to_owned(),
        }
    }
}
