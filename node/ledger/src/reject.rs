//! Why an input was refused, sorted by who must act. In every case the state is unchanged.

use thiserror::Error;
use wego_proto::{
    causes::with_causes,
    convert::{FieldError, Problem},
    fork::ForkError,
    id::Origin,
    roster::RosterError,
    v1::{self, reject::Reason},
};

use crate::{limits::REJECT_TEXT_MAX, log::RunError, session::Start};

/// Who must act before the same input can be accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Blame {
    /// The sender: its software or its intent is wrong.
    Peer,
    /// Nobody: it will pass.
    Circumstance,
    /// The operators of both sides.
    Operators,
}

/// A refused input. The sender is told; nothing was stored.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Reject {
    /// The other side belongs to another federation.
    #[error("the other side belongs to another federation")]
    DifferentFederation,
    /// The speaker is not an active member of the newest roster known here.
    #[error("member {0} is not active in the roster")]
    UnknownMember(Origin),
    /// It says it is a member that its transport key does not speak for.
    #[error("the connection's key does not speak for member {0}")]
    WrongMember(u32),
    /// No wire version in common.
    #[error("wire versions {min} to {max} are not spoken here")]
    VersionUnsupported {
        /// Lowest the other side speaks.
        min: u32,
        /// Highest the other side speaks.
        max: u32,
    },
    /// A message that cannot be read.
    #[error("malformed message")]
    Malformed(#[source] FieldError),
    /// A message that may not come at this point.
    #[error("{0} may not come at this point")]
    OutOfOrder(&'static str),
    /// More than a limit allows.
    #[error("{what} is over the limit of {max}")]
    TooLarge {
        /// What.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// An entry that does not verify.
    #[error("entries do not verify")]
    BadEntry(#[source] RunError),
    /// A roster version that is not signed or does not follow.
    #[error("roster does not verify")]
    BadRoster(#[source] RosterError),
    /// A fork proof that proves nothing.
    #[error("fork proof")]
    BadForkProof(#[source] ForkError),
    /// Too many sessions or requests.
    #[error("too many sessions")]
    Busy {
        /// When to try again.
        retry_after_ms: u32,
    },
    /// This node is stopping.
    #[error("the node is stopping")]
    Stopping,
    /// A session with this member is open already.
    #[error("a session with this member is open already")]
    AlreadyConnected,
    /// Nothing came in time.
    #[error("no {0} in time")]
    Silent(&'static str),
    /// A later start of the peer's own member speaks here.
    #[error("a later start of this member speaks: this one must stop")]
    LaterStart(Box<Start>),
    /// Somebody else speaks as this very member.
    #[error("another node speaks as this member: stop one of them")]
    TwinDetected,
}

impl Reject {
    /// Who must act.
    #[must_use]
    pub fn blame(&self) -> Blame {
        match self {
            Self::Busy { .. } | Self::Stopping | Self::AlreadyConnected | Self::Silent(_) => {
                Blame::Circumstance
            }
            Self::TwinDetected | Self::LaterStart(_) | Self::DifferentFederation | Self::UnknownMember(_) => {
                Blame::Operators
            }
            _ => Blame::Peer,
        }
    }

    /// Whether it is of an epoch whose opening has not come yet: nothing is wrong with it.
    #[must_use]
    pub fn is_early(&self) -> bool {
        matches!(self, Self::BadEntry(RunError::UnknownEpoch { .. }))
    }

    /// A word for counters: one for each reason, never anything a peer chose.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::DifferentFederation => "different_federation",
            Self::UnknownMember(_) => "unknown_member",
            Self::WrongMember(_) => "wrong_member",
            Self::VersionUnsupported { .. } => "version_unsupported",
            Self::Malformed(_) => "malformed",
            Self::OutOfOrder(_) => "out_of_order",
            Self::TooLarge { .. } => "too_large",
            Self::BadEntry(_) => "bad_entry",
            Self::BadRoster(_) => "bad_roster",
            Self::BadForkProof(_) => "bad_fork_proof",
            Self::Busy { .. } => "busy",
            Self::Stopping => "stopping",
            Self::AlreadyConnected => "already_connected",
            Self::Silent(_) => "silent",
            Self::TwinDetected => "twin_detected",
            Self::LaterStart(_) => "later_start",
        }
    }

    /// As it is told to the other side.
    #[must_use]
    pub fn to_wire(&self) -> v1::Reject {
        let (reason, retry_after_ms) = match self {
            Self::DifferentFederation => (Reason::DifferentFederation, 0),
            Self::UnknownMember(_) | Self::WrongMember(_) => (Reason::UnknownMember, 0),
            Self::VersionUnsupported { .. } => (Reason::VersionUnsupported, 0),
            Self::Malformed(_) => (Reason::Malformed, 0),
            Self::OutOfOrder(_) | Self::Silent(_) => (Reason::OutOfOrder, 0),
            Self::TooLarge { .. } => (Reason::TooLarge, 0),
            Self::BadEntry(_) | Self::BadForkProof(_) => (Reason::BadEntry, 0),
            Self::BadRoster(_) => (Reason::BadRoster, 0),
            Self::Busy { retry_after_ms } => (Reason::Busy, *retry_after_ms),
            Self::Stopping => (Reason::Stopping, 0),
            Self::AlreadyConnected => (Reason::AlreadyConnected, 0),
            Self::TwinDetected | Self::LaterStart(_) => (Reason::TwinDetected, 0),
        };
        let run = match self {
            Self::LaterStart(start) => Some(start.signed.clone()),
            _ => None,
        };
        v1::Reject {
            reason: reason as i32,
            text: with_causes(self).chars().take(REJECT_TEXT_MAX).collect(),
            retry_after_ms,
            detail_max: *wego_proto::WIRE_VERSIONS.end(),
            run,
        }
    }
}

impl From<FieldError> for Reject {
    fn from(error: FieldError) -> Self {
        match error.problem {
            Problem::TooLarge { max } => Self::TooLarge { what: error.field, max: max as usize },
            _ => Self::Malformed(error),
        }
    }
}

impl From<RunError> for Reject {
    fn from(error: RunError) -> Self {
        Self::BadEntry(error)
    }
}
