//! The roster chain as files that a person can read: `roster/00000001.pem`, one version each.
//!
//! A version once written is never changed, and a chain with a gap or a damaged version must never be taken for
//! a shorter one: forgetting a version would let a removed member back in. Only a version that settles a conflict puts
//! others in the place of some, which are kept as proof before.

use std::{
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
};

use thiserror::Error;
use wego_proto::{
    armour::{self, Label},
    roster::{Draft, Roster},
    v1::{RosterChain, SignedRoster},
};

use crate::store::StoreError;

#[cfg(test)]
mod tests;

/// The roster folder of a node.
#[derive(Debug)]
pub struct RosterFiles {
    dir: PathBuf,
}

/// Why a version was not written. The chain on disk is unchanged.
#[derive(Debug, Error)]
pub enum RosterFilesError {
    /// The folder cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The version is not the next one. Append those between first.
    #[error("roster version {found} does not follow version {known}")]
    NotNext {
        /// Newest version on disk, 0 for none.
        known: u64,
        /// Version offered; 0 when it cannot be read.
        found: u64,
    },
    /// Another roster is kept under this version: two histories, which people must settle.
    #[error("another roster is kept as version {version}")]
    Occupied {
        /// The version.
        version: u64,
    },
}

impl RosterFiles {
    /// Opens the folder, creating it when there is none.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        std::fs::create_dir_all(dir).map_err(StoreError::io("creating the roster folder"))?;
        Ok(Self { dir: dir.to_owned() })
    }

    /// The whole chain, oldest first, each version checked against the one before; empty when there is none.
    ///
    /// # Errors
    /// [`StoreError::CorruptFile`] names the file that is missing or damaged; [`StoreError::Io`].
    pub fn load(&self) -> Result<Vec<SignedRoster>, StoreError> {
        let newest = self.newest()?;
        let mut chain = Vec::new();
        let mut last: Option<Roster> = None;
        for version in 1..=newest {
            let path = self.path(version);
            let signed = read(&path)?;
            let opened = match &last {
                None => Roster::open_genesis(signed.clone()),
                Some(last) => last.succeeded_by(signed.clone()),
            };
            let what = "it is not the roster version that its name says, or does not follow the one before";
            last = Some(opened.map_err(|_| StoreError::CorruptFile { path, what })?);
            chain.push(signed);
        }
        Ok(chain)
    }

    /// Adds the next version; durable on return. A version already kept is left as it is.
    ///
    /// # Errors
    /// [`RosterFilesError`]; nothing was written.
    pub fn append(&self, signed: &SignedRoster) -> Result<(), RosterFilesError> {
        let known = self.newest()?;
        let found = Draft::parse(&signed.roster).map_or(0, |draft| draft.content.version);
        if found == 0 || found > known + 1 {
            return Err(RosterFilesError::NotNext { known, found });
        }
        if found <= known {
            let kept = read(&self.path(found))?;
            if kept.roster != signed.roster {
                return Err(RosterFilesError::Occupied { version: found });
            }
            return Ok(());
        }
        let preamble = [format!("Roster version {found}. A copy for every node; it holds no secret.")];
        let chain = RosterChain { versions: vec![signed.clone()] };
        let text = armour::write(Label::Roster, &preamble, &chain);
        self.write(found, &text).map_err(StoreError::io("writing a roster version"))?;
        Ok(())
    }

    /// Puts `versions` in the place of those from the first one's number on. Cut short, it leaves fewer versions, which
    /// peers give again.
    ///
    /// # Errors
    /// [`RosterFilesError`].
    pub fn switch(&self, versions: &[SignedRoster]) -> Result<(), RosterFilesError> {
        let first = versions.first().and_then(|signed| Draft::parse(&signed.roster).ok());
        let first = first.map_or(u64::MAX, |draft| draft.content.version);
        let known = self.newest()?;
        if first < 2 || first > known {
            return Err(RosterFilesError::NotNext { known, found: first });
        }
        for version in (first..=known).rev() {
            let removed = std::fs::remove_file(self.path(version));
            removed.map_err(StoreError::io("removing a roster version that gives way"))?;
        }
        versions.iter().try_for_each(|signed| self.append(signed))
    }

    /// The folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Under a temporary name first: a version is there whole or not at all.
    fn write(&self, version: u64, text: &str) -> std::io::Result<()> {
        let path = self.path(version);
        let unfinished = path.with_extension("pem.unfinished");
        let mut file = File::create(&unfinished)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&unfinished, &path)?;
        File::open(&self.dir)?.sync_all()
    }

    fn path(&self, version: u64) -> PathBuf {
        self.dir.join(format!("{version:08}.pem"))
    }

    /// The highest version that has a file, 0 for none.
    fn newest(&self) -> Result<u64, StoreError> {
        let mut newest = 0;
        for file in std::fs::read_dir(&self.dir).map_err(StoreError::io("reading the roster folder"))? {
            let path = file.map_err(StoreError::io("reading the roster folder"))?.path();
            if path.extension().is_none_or(|extension| extension != "pem") {
                continue;
            }
            let number = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
            match number {
                Some(version) if self.path(version) == path && version > 0 => newest = newest.max(version),
                _ => return Err(StoreError::CorruptFile { path, what: "its name is no roster version" }),
            }
        }
        Ok(newest)
    }
}

fn read(path: &Path) -> Result<SignedRoster, StoreError> {
    let corrupt = |what| StoreError::CorruptFile { path: path.to_owned(), what };
    let text = match std::fs::read(path) {
        Ok(bytes) => String::from_utf8(bytes).map_err(|_| corrupt("it is not text"))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(corrupt("it is missing between other roster versions"));
        }
        Err(error) => return Err(StoreError::io("reading a roster version")(error)),
    };
    let chain: RosterChain =
        armour::read(Label::Roster, &text).map_err(|_| corrupt("there is no undamaged roster in it"))?;
    let [signed] = <[SignedRoster; 1]>::try_from(chain.versions)
        .map_err(|_| corrupt("there is not exactly one roster version in it"))?;
    Ok(signed)
}
