//! The roster chain as files that a person can read: `roster/00000001.pem`, one version each.
//!
//! A version once written is never changed, and a chain with a gap or a damaged version must never be taken for
//! a shorter one: forgetting a version would let a removed member back in. Only a version that settles a conflict puts
//! others in the place of some, which are kept as proof before. What such a switch puts there is written down before any
//! file is touched, and whoever opens the folder finishes it: so wherever it is cut short, the folder is opened with
//! all of the old chain or all of the new one. Of each version there is a copy, from which one that is damaged comes
//! back: see `roster_files/mend.rs`.

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

use crate::store::{StoreError, set_aside};

mod mend;
#[cfg(test)]
mod tests;

/// The versions of a switch, until it is carried out.
const SWITCH_FILE: &str = "switch";
/// Folder of the copies.
const COPIES_DIR: &str = "copies";

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
    /// Opens the folder, creating it when there is none, and finishes a switch that was cut short. One whose plan is
    /// damaged ends there: peers give its versions again.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        std::fs::create_dir_all(dir.join(COPIES_DIR))
            .map_err(StoreError::io("creating the roster folder"))?;
        let files = Self { dir: dir.to_owned() };
        files.finish_switch()?;
        Ok(files)
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
            let next = read_after(last.as_ref(), &self.path(version))?;
            chain.push(next.signed().clone());
            last = Some(next);
        }
        Ok(chain)
    }

    /// Adds the next version; durable on return. A version already kept is left as it is.
    ///
    /// # Errors
    /// [`RosterFilesError`]; nothing was written.
    pub fn append(&self, signed: &SignedRoster) -> Result<(), RosterFilesError> {
        self.finish_switch()?;
        let (known, found) = (self.newest()?, number(signed));
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
        self.put(found, signed)?;
        Ok(())
    }

    /// Puts `versions` in the place of those from the first one's number on; durable on return. They must follow one
    /// another and the version before the first.
    ///
    /// # Errors
    /// [`RosterFilesError`]. When it says that the folder cannot be written, the switch may be finished by whoever opens
    /// the folder or writes to it next.
    pub fn switch(&self, versions: &[SignedRoster]) -> Result<(), RosterFilesError> {
        self.finish_switch()?;
        let mut chain = self.load()?;
        let (known, first) = (chain.len() as u64, versions.first().map_or(0, number));
        if first < 2 || first > known + 1 {
            return Err(RosterFilesError::NotNext { known, found: first });
        }
        chain.truncate((first - 1) as usize);
        chain.extend_from_slice(versions);
        let follows = Roster::open_chain(RosterChain { versions: chain });
        follows.map_err(|_| RosterFilesError::NotNext { known, found: first })?;
        self.plan_switch(versions)?;
        self.finish_switch()?;
        Ok(())
    }

    /// Writes a switch down. From then on it is carried out, whatever happens.
    fn plan_switch(&self, versions: &[SignedRoster]) -> Result<(), StoreError> {
        let preamble = ["Versions that settle a conflict, on their way to their files.".to_owned()];
        let chain = RosterChain { versions: versions.to_vec() };
        let text = armour::write(Label::Roster, &preamble, &chain);
        self.write(&self.dir.join(SWITCH_FILE), &text).map_err(StoreError::io("writing a switch of rosters"))
    }

    /// Carries out a switch that was written down, from its first step: each can be done twice.
    fn finish_switch(&self) -> Result<(), StoreError> {
        let plan = self.dir.join(SWITCH_FILE);
        if !plan.exists() {
            return Ok(());
        }
        let versions = match read_chain(&plan) {
            Err(error) if error.is_corrupt() => return set_aside(&plan, &error).map(drop),
            versions => versions?,
        };
        for signed in &versions {
            self.put(number(signed), signed)?;
        }
        let last = versions.last().map_or(u64::MAX, number);
        for surplus in (last.saturating_add(1)..=self.newest()?).rev() {
            self.remove(&self.copy(surplus))?;
            self.remove(&self.path(surplus))?;
        }
        self.remove(&plan)
    }

    fn remove(&self, path: &Path) -> Result<(), StoreError> {
        let removed = match std::fs::remove_file(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        };
        removed
            .and_then(|()| File::open(&self.dir)?.sync_all())
            .map_err(StoreError::io("removing a roster file that gives way"))
    }

    /// Writes a version to its file, over another one that is there, and to its copy.
    fn put(&self, version: u64, signed: &SignedRoster) -> Result<(), StoreError> {
        self.put_at(&self.path(version), version, signed)?;
        self.put_at(&self.copy(version), version, signed)
    }

    fn put_at(&self, path: &Path, version: u64, signed: &SignedRoster) -> Result<(), StoreError> {
        let preamble = [format!("Roster version {version}. A copy for every node; it holds no secret.")];
        let chain = RosterChain { versions: vec![signed.clone()] };
        let text = armour::write(Label::Roster, &preamble, &chain);
        self.write(path, &text).map_err(StoreError::io("writing a roster version"))
    }

    /// The folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Under a temporary name first: a file is there whole or not at all.
    fn write(&self, path: &Path, text: &str) -> std::io::Result<()> {
        let mut unfinished = path.as_os_str().to_owned();
        unfinished.push(".unfinished");
        let mut file = File::create(&unfinished)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&unfinished, path)?;
        File::open(path.parent().unwrap_or(&self.dir))?.sync_all()
    }

    fn path(&self, version: u64) -> PathBuf {
        self.dir.join(format!("{version:08}.pem"))
    }

    fn copy(&self, version: u64) -> PathBuf {
        self.dir.join(COPIES_DIR).join(format!("{version:08}.pem"))
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

/// The version in this file, which follows `last`.
fn read_after(last: Option<&Roster>, path: &Path) -> Result<Roster, StoreError> {
    let what = "it is not the roster version that its name says, or does not follow the one before";
    following(last, read(path)?).ok_or_else(|| StoreError::CorruptFile { path: path.to_owned(), what })
}

fn following(last: Option<&Roster>, signed: SignedRoster) -> Option<Roster> {
    match last {
        None => Roster::open_genesis(signed).ok(),
        Some(last) => last.succeeded_by(signed).ok(),
    }
}

/// A version's number; 0 when it cannot be read.
fn number(signed: &SignedRoster) -> u64 {
    Draft::parse(&signed.roster).map_or(0, |draft| draft.content.version)
}

fn read(path: &Path) -> Result<SignedRoster, StoreError> {
    let what = "there is not exactly one roster version in it";
    let [signed] = <[SignedRoster; 1]>::try_from(read_chain(path)?)
        .map_err(|_| StoreError::CorruptFile { path: path.to_owned(), what })?;
    Ok(signed)
}

fn read_chain(path: &Path) -> Result<Vec<SignedRoster>, StoreError> {
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
    Ok(chain.versions)
}
