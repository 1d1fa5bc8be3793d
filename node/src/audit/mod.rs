//! The audit log: who changed what on this node, through what and why, and who was refused. Signed, chained, local.
//!
//! The problem: whoever administers a node can do harm and say that it was somebody else, or nobody. The rule: a
//! command that changes something is answered only after its event is on disk, and is not even begun while events
//! cannot be written; reading goes on. A full disk is met late: space for the next events is taken ahead, and what
//! is refused then is still written there. Many alike refusals become one event with a count, because a stranger must not
//! fill the disk. Files are never deleted: an operator moves the oldest away (`deploy/README.md`). It must never be a reason for not reading, and never hold a secret.
//!
//! Use: every method of the client listener that `rpc::roles` marks as changing something comes here by itself; its
//! service only says what it is about (`rpc::Deed`). A command that works on the files of a node opens a [`Log`]:
//! `commands::audited` does it. Other parts of the daemon clone [`Audit`] and await [`Audit::record`]; before
//! something that may not survive a crash, record [`Outcome::Begun`] first.
//!
//! What can be found out later: any change, gap, insertion or exchange of lines (`wego audit verify`), by anybody with
//! the files and the roster. A missing end is found by the node itself, which keeps the head in a file beside and in
//! memory and leaves the gap open for ever; against somebody who can also change that file and stop the node, only a
//! head noted elsewhere helps: `wego audit verify` prints it, and the node's own log names it every hour. Somebody
//! with the log key can write a whole log anew, which a noted head shows as well.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use thiserror::Error;

mod event;
mod files;
mod flood;
mod log;
mod read;
mod writer;

#[cfg(test)]
mod tests;

pub use self::{
    event::{Actor, Entry, Event, Outcome, clean},
    log::Log,
    read::{Checked, Filter, Page, list, verify, verify_newest},
    writer::{Audit, Clock, Submitted, Writer},
};

/// Folder of the audit log in the data folder.
pub const AUDIT_DIR: &str = "audit";

/// A file of events that has reached this many bytes is not appended to: about 16,000 events, read in one go.
pub const SEGMENT_BYTES: u64 = 8 * 1_024 * 1_024;

/// Space taken ahead at once, for some 2,000 events.
const STEP_BYTES: u64 = 1_024 * 1_024;

/// With less space ahead, nothing is begun any more; what is left is for what is under way and for refusals. Twice
/// what all calls of one connection can come to.
const SPARE_BYTES: u64 = 256 * 1_024;

/// Asked before more space is taken on the data folder's file system.
pub type Room = Box<dyn Fn(u64) -> bool + Send>;

/// Why an event was not written. Whoever runs the node acts. Of a command that was under way the outcome stands.
#[derive(Debug, Clone, Error)]
pub enum AuditError {
    /// The disk is full, or nearly.
    #[error("there is no space for the audit log in {}", dir.display())]
    Full {
        /// The folder.
        dir: PathBuf,
    },
    /// The file system failed.
    #[error("audit log: {what} {}", path.display())]
    Io {
        /// Doing what.
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: Arc<io::Error>,
    },
    /// A flush failed: what is on disk is not known until the log is opened anew.
    #[error("the audit log could not be made durable and must be opened anew")]
    MustBeReopened,
    /// Too many events wait.
    #[error("too many events wait to be written to the audit log")]
    Busy,
    /// The node stops.
    #[error("the audit log is closed: the node stops")]
    Stopped,
}

impl AuditError {
    /// What the operator can do.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Full { .. } => "make space on the data folder's file system",
            Self::Io { .. } => "look at the audit folder's disk, owner and mode",
            Self::MustBeReopened => "look at the disk, then start the node again",
            Self::Busy | Self::Stopped => "try again with the same request id",
        }
    }

    fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { what, path, source: Arc::new(source) }
    }
}
