//! What a start noticed on its disk, for as long as it is so: damage that healed still deserves a look at the disk.
//!
//! It must never be a reason for not serving.

use std::path::PathBuf;

use wego_proto::v1::{Health, Problem};

use super::ReadHandle;

/// Something noticed at the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noticed {
    /// What.
    pub what: String,
    /// What to do about it.
    pub hint: String,
    /// It is over when this is no longer there; none: at the next start.
    pub path: Option<PathBuf>,
}

impl ReadHandle {
    pub(super) fn of_the_start(&self) -> Vec<Problem> {
        let there = |noticed: &&Noticed| noticed.path.as_ref().is_none_or(|path| path.exists());
        let problem = |noticed: &Noticed| Problem {
            health: Health::Degraded as i32,
            what: noticed.what.clone(),
            hint: noticed.hint.clone(),
        };
        self.inner.noticed.iter().filter(there).map(problem).collect()
    }
}
