//! The fence: the mark of a data folder that came from a backup.
//!
//! The problem: a backup is older than the log it is of. A node that goes on from there signs positions that its
//! peers hold already, which is a fork, and nobody can take it back. The rule: a restore writes the fence before
//! anything else, and leaves it. **While there is a fence, the node must not write**: it takes its own log for
//! behind whatever the journal says, asks its peers for it, and continues in a new epoch; only then is the fence taken
//! down, by [`Anchor::set`](super::anchor::Anchor::set). A fence whose restore was not finished makes the whole folder
//! worthless: nothing may be opened in it but a new restore.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use wego_proto::id::{Hash, Position};

use crate::store::{LockedHead, StoreError};

/// Name of the fence in the data folder.
pub const FENCE_FILE: &str = "fence";

/// Says what it is to whoever opens the file.
const PREAMBLE: &str = "\
# This data folder came from a backup: the log in it may be older than what the other nodes hold.
# The node writes nothing while this file is here, and removes it itself. Never remove it by hand.
";

/// The mark of a data folder that came from a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fence {
    /// How far the restore came.
    pub stage: Stage,
    /// When it began, ms since 1970.
    pub restored_at_ms: u64,
    /// Which backup, by its digest.
    pub backup: Hash,
    /// When that was taken, ms since 1970, by the clock of the node it is of.
    pub taken_at_ms: u64,
    /// The own log's head in it, none when nothing had been written.
    pub own_head: Option<LockedHead>,
}

/// How far a restore came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Not to its end: the folder is worthless.
    Begun,
    /// To its end: the folder is whole, and behind.
    Done,
}

impl Stage {
    /// The line of the fence that says it.
    fn line(self) -> &'static str {
        match self {
            Self::Begun => "restore = \"begun\"",
            Self::Done => "restore = \"done\"",
        }
    }
}

/// As it stands in the file.
#[derive(Debug, Serialize, Deserialize)]
struct Text {
    restore: Stage,
    restored_at_ms: u64,
    backup: String,
    taken_at_ms: u64,
    own_head: Option<HeadText>,
}

#[derive(Debug, Serialize, Deserialize)]
struct HeadText {
    epoch: u32,
    seq: u64,
    hash: String,
}

impl Fence {
    /// The fence of a data folder, if it has one.
    ///
    /// # Errors
    /// [`StoreError::CorruptFile`] for one that cannot be read: the folder must be restored again.
    pub fn read(data_dir: &Path) -> Result<Option<Self>, StoreError> {
        let path = data_dir.join(FENCE_FILE);
        let text = match fs::read(&path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::io("reading the fence")(error)),
        };
        let corrupt = || StoreError::CorruptFile { path: path.clone(), what: "it is no fence" };
        let text: Text = toml::from_str(&text).map_err(|_| corrupt())?;
        Self::of(&text).ok_or_else(corrupt).map(Some)
    }

    /// How far the restore of a data folder came, if it came from a backup. What else the fence says may be damaged.
    ///
    /// # Errors
    /// [`StoreError::CorruptFile`] when not even that can be read: the folder must be restored again.
    pub fn stage(data_dir: &Path) -> Result<Option<Stage>, StoreError> {
        let error = match Self::read(data_dir) {
            Ok(fence) => return Ok(fence.map(|fence| fence.stage)),
            Err(error) => error,
        };
        let bytes = fs::read(data_dir.join(FENCE_FILE)).map_err(StoreError::io("reading the fence"))?;
        let text = String::from_utf8_lossy(&bytes);
        let says = |stage: &Stage| text.lines().any(|line| line == stage.line());
        let stage = [Stage::Begun, Stage::Done].into_iter().find(says).ok_or(error)?;
        tracing::error!(path = %data_dir.join(FENCE_FILE).display(), ?stage, "the fence is damaged; its stage is not");
        Ok(Some(stage))
    }

    /// Puts the fence up, or another one in its place; whole or not at all, durable on return.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn write(&self, data_dir: &Path) -> Result<(), StoreError> {
        let head = |head: LockedHead| HeadText {
            epoch: head.at.epoch,
            seq: head.at.seq,
            hash: head.hash.to_string(),
        };
        let text = Text {
            restore: self.stage,
            restored_at_ms: self.restored_at_ms,
            backup: self.backup.to_string(),
            taken_at_ms: self.taken_at_ms,
            own_head: self.own_head.map(head),
        };
        let failed = StoreError::io("writing the fence");
        let text = match toml::to_string(&text) {
            Ok(text) => PREAMBLE.to_owned() + &text,
            Err(error) => return Err(failed(io::Error::other(error))),
        };
        replace(&data_dir.join(FENCE_FILE), &text, data_dir).map_err(failed)
    }

    fn of(text: &Text) -> Option<Self> {
        let own_head = match &text.own_head {
            None => None,
            Some(head) => Some(LockedHead {
                at: Position { epoch: head.epoch, seq: head.seq },
                hash: head.hash.parse().ok()?,
            }),
        };
        Some(Self {
            stage: text.restore,
            restored_at_ms: text.restored_at_ms,
            backup: text.backup.parse().ok()?,
            taken_at_ms: text.taken_at_ms,
            own_head,
        })
    }
}

/// Under a temporary name first: a fence is there whole or not at all.
fn replace(path: &PathBuf, text: &str, folder: &Path) -> io::Result<()> {
    let unfinished = path.with_extension("unfinished");
    let mut file = File::create(&unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fence(own_head: Option<LockedHead>) -> Fence {
        let backup = Hash::new([3; 32]);
        Fence { stage: Stage::Begun, restored_at_ms: 2, backup, taken_at_ms: 1, own_head }
    }

    #[test]
    fn a_fence_is_read_as_it_was_written() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Fence::read(dir.path()).unwrap(), None);
        let head = LockedHead { at: Position { epoch: 2, seq: 7 }, hash: Hash::new([4; 32]) };
        for fence in [fence(None), fence(Some(head)), Fence { stage: Stage::Done, ..fence(Some(head)) }] {
            fence.write(dir.path()).unwrap();
            assert_eq!(Fence::read(dir.path()).unwrap(), Some(fence));
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing stays beside it");
    }

    #[test]
    fn a_flipped_bit_in_a_fence_never_makes_an_unfinished_restore_a_finished_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FENCE_FILE);
        for stage in [Stage::Begun, Stage::Done] {
            Fence { stage, ..fence(None) }.write(dir.path()).unwrap();
            let good = fs::read(&path).unwrap();
            let mut known = 0;
            for bit in 0..good.len() * 8 {
                let mut bad = good.clone();
                bad[bit / 8] ^= 1 << (bit % 8);
                fs::write(&path, bad).unwrap();
                match Fence::stage(dir.path()) {
                    Ok(found) => {
                        assert_eq!(found, Some(stage), "bit {bit}");
                        known += 1;
                    }
                    Err(error) => assert!(error.is_corrupt(), "bit {bit}: {error}"),
                }
            }
            assert!(known * 10 > good.len() * 8 * 9, "{known} of {} flips leave the stage", good.len() * 8);
        }
    }

    #[test]
    fn a_fence_that_cannot_be_read_is_still_one() {
        let dir = tempfile::tempdir().unwrap();
        for text in ["", "restore = \"done\"", "restore = 3\n", "\u{0}\u{0}\u{0}"] {
            fs::write(dir.path().join(FENCE_FILE), text).unwrap();
            let read = Fence::read(dir.path());
            assert!(matches!(read, Err(StoreError::CorruptFile { .. })), "{text:?}: {read:?}");
        }
    }
}
