//! Why the demonstration ended before its end. Whatever it is, the nodes were stopped.

use std::{io, path::PathBuf, time::Duration};

use thiserror::Error;
use wego_proto::{pin::PinError, proof::ProofError, roster::RosterError};

use super::founding::FoundingError;

/// Why the demonstration ended before its end.
#[derive(Debug, Error)]
pub enum DemoError {
    /// The folder cannot be made.
    #[error("making the folder {}", .dir.display())]
    Folder {
        /// Which.
        dir: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// There is something in the folder already; nothing was touched.
    #[error("{} is not empty", .0.display())]
    NotEmpty(PathBuf),
    /// The runtime, a signal handler or randomness.
    #[error("the system")]
    System(#[source] io::Error),
    /// The narration cannot be written: whoever reads it has gone.
    #[error("the narration cannot be written")]
    Narration(#[source] io::Error),
    /// A city's folder, the roster or a node's start.
    #[error("founding the federation")]
    Founding(#[from] FoundingError),
    /// A profile that was made a moment ago cannot be used.
    #[error("the profile in {}", .dir.display())]
    Profile {
        /// Which.
        dir: PathBuf,
        /// Why.
        #[source]
        source: ProfileError,
    },
    /// A node cannot be reached.
    #[error("connecting to the node of {handle}")]
    Connect {
        /// Whose.
        handle: &'static str,
        /// Why.
        #[source]
        source: PinError,
    },
    /// A node refused.
    #[error("the node of {handle} refused to {doing}: {}", .source.message())]
    Refused {
        /// Whose.
        handle: &'static str,
        /// What.
        doing: &'static str,
        /// Why.
        #[source]
        source: Box<tonic::Status>,
    },
    /// Something did not happen in time.
    #[error("not within {} s: {what}", .within.as_secs())]
    Late {
        /// What.
        what: &'static str,
        /// How long it was waited for.
        within: Duration,
    },
    /// The roster does not hold.
    #[error("the signed roster")]
    Roster(#[from] RosterError),
    /// A proof does not hold.
    #[error("a proof that the node of {handle} exported")]
    Proof {
        /// Whose.
        handle: &'static str,
        /// Why.
        #[source]
        source: Box<ProofError>,
    },
    /// What was about to be told is not so.
    #[error("a check failed at {at}: it is not so that {claim}")]
    Untrue {
        /// Where it was looked.
        at: &'static str,
        /// What should have been so.
        claim: &'static str,
    },
    /// A web page cannot be read.
    #[error("reading the portal of {handle}")]
    Portal {
        /// Whose.
        handle: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Ctrl-C or SIGTERM before the end.
    #[error("stopped before its end")]
    Interrupted,
}

/// Why a profile cannot be used.
#[derive(Debug, Error)]
pub enum ProfileError {
    /// A file of it.
    #[error("reading {name}")]
    Read {
        /// Which.
        name: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Its description.
    #[error("profile.toml cannot be understood")]
    Toml(#[from] toml::de::Error),
    /// The pinned key.
    #[error("server_key is no key")]
    ServerKey,
    /// Certificate or key.
    #[error("certificate and key")]
    Identity(#[from] PinError),
}

impl DemoError {
    /// What the reader can do.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Folder { .. } => "name a folder in a place where you may write, with --dir",
            Self::NotEmpty(_) => "name a folder that does not exist yet; nothing is ever overwritten",
            Self::System(_) => "see the system's log",
            Self::Narration(_) => "let whoever reads the output read it to its end",
            Self::Founding(_) => {
                "nine nodes need some disk, open files and ports on loopback: see `ulimit -n`"
            }
            Self::Late { .. } | Self::Connect { .. } => {
                "the machine may be very busy: try again, as a release build"
            }
            Self::Interrupted => "everything was stopped; start it again at any time",
            Self::Profile { .. }
            | Self::Refused { .. }
            | Self::Roster(_)
            | Self::Proof { .. }
            | Self::Untrue { .. }
            | Self::Portal { .. } => {
                "this is a defect: run it again with --dir to keep the folders, and report both"
            }
        }
    }
}
