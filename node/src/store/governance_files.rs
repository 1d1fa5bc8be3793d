//! What is known of the roster beside the versions in force, as files that a person can read: `roster/proposals/` and
//! `roster/conflicts/`, one version each.
//!
//! What cannot be read there is set aside, for peers give it again. It must never decide which versions are in force;
//! see [`super::roster_files`].

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use wego_proto::{
    armour::{self, Label},
    id::Hash,
    roster::Draft,
    v1::{RosterChain, SignedRoster},
};

use crate::store::{StoreError, set_aside};

const PROPOSALS: &str = "proposals";
const CONFLICTS: &str = "conflicts";

/// The two folders.
#[derive(Debug)]
pub struct GovernanceFiles {
    proposals: PathBuf,
    conflicts: PathBuf,
}

impl GovernanceFiles {
    /// Opens the folders in the roster folder, creating them when there are none.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn open(roster_dir: &Path) -> Result<Self, StoreError> {
        let [proposals, conflicts] = [PROPOSALS, CONFLICTS].map(|name| roster_dir.join(name));
        for dir in [&proposals, &conflicts] {
            fs::create_dir_all(dir).map_err(StoreError::io("creating a folder in the roster folder"))?;
        }
        Ok(Self { proposals, conflicts })
    }

    /// The proposals kept.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn proposals(&self) -> Result<Vec<SignedRoster>, StoreError> {
        read_all(&self.proposals)
    }

    /// The contested versions kept.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn conflicts(&self) -> Result<Vec<SignedRoster>, StoreError> {
        read_all(&self.conflicts)
    }

    /// Keeps a proposal instead of an earlier copy of it; durable on return.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn keep_proposal(&self, version: &SignedRoster) -> Result<(), StoreError> {
        let path = self.proposals.join(name(&Hash::of(&[&version.roster])));
        let said = "collects signatures; `wego roster status` shows how many it has";
        write(&path, version, said).map_err(StoreError::io("writing a roster proposal"))
    }

    /// Forgets a proposal.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn drop_proposal(&self, hash: &Hash) -> Result<(), StoreError> {
        match fs::remove_file(self.proposals.join(name(hash))) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(StoreError::io("removing a roster proposal")(error))
            }
            _ => Ok(()),
        }
    }

    /// Keeps a contested version; durable on return.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn keep_conflict(&self, version: &SignedRoster) -> Result<(), StoreError> {
        let path = self.conflicts.join(name(&Hash::of(&[&version.roster])));
        let said = "is contested: another one is fully signed under its number";
        write(&path, version, said).map_err(StoreError::io("writing a contested roster version"))
    }
}

fn name(hash: &Hash) -> String {
    format!("{hash}.pem")
}

/// Under a temporary name first: a version is there whole or not at all.
fn write(path: &Path, version: &SignedRoster, said: &str) -> io::Result<()> {
    let number = Draft::parse(&version.roster).map_or(0, |draft| draft.content.version);
    let chain = RosterChain { versions: vec![version.clone()] };
    let text = armour::write(Label::Roster, &[format!("Roster version {number}, which {said}.")], &chain);
    let unfinished = path.with_extension("pem.unfinished");
    let mut file = fs::File::create(&unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    match path.parent() {
        Some(dir) => fs::File::open(dir)?.sync_all(),
        None => Ok(()),
    }
}

fn read_all(dir: &Path) -> Result<Vec<SignedRoster>, StoreError> {
    let failed = || StoreError::io("reading a folder in the roster folder");
    let mut versions = Vec::new();
    for file in fs::read_dir(dir).map_err(failed())? {
        let path = file.map_err(failed())?.path();
        if path.extension().is_none_or(|extension| extension != "pem") {
            continue;
        }
        let text = fs::read(&path).map_err(failed())?;
        match armour::read::<RosterChain>(Label::Roster, &String::from_utf8_lossy(&text)) {
            Ok(chain) if is_named(&path, &chain.versions) => versions.extend(chain.versions),
            Ok(_) => {
                let what = "it is not the one roster version that its name says";
                set_aside(&path, &StoreError::CorruptFile { path: path.clone(), what })?;
            }
            Err(error) => {
                set_aside(&path, &error)?;
            }
        }
    }
    Ok(versions)
}

/// Whether a file holds the version that its name says.
fn is_named(path: &Path, versions: &[SignedRoster]) -> bool {
    let named = |version: &SignedRoster| {
        path.file_name().is_some_and(|file| file == name(&Hash::of(&[&version.roster])).as_str())
    };
    versions.len() == 1 && versions.iter().all(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(byte: u8) -> SignedRoster {
        SignedRoster { roster: vec![byte; 3], signatures: vec![] }
    }

    #[test]
    fn what_is_kept_is_read_again_and_what_is_damaged_is_set_aside() {
        let dir = tempfile::tempdir().expect("a folder");
        let files = GovernanceFiles::open(dir.path()).expect("folders");
        files.keep_proposal(&version(1)).expect("kept");
        files.keep_proposal(&version(2)).expect("kept");
        files.keep_conflict(&version(3)).expect("kept");
        files.drop_proposal(&Hash::of(&[&version(2).roster])).expect("dropped");
        files.drop_proposal(&Hash::of(&[&version(9).roster])).expect("was not there");
        let damaged = dir.path().join(PROPOSALS).join("00.pem");
        fs::write(&damaged, "half a fi").expect("a file");
        let renamed = dir.path().join(CONFLICTS).join("01.pem");
        fs::copy(dir.path().join(PROPOSALS).join(name(&Hash::of(&[&version(1).roster]))), &renamed)
            .expect("a file");
        let files = GovernanceFiles::open(dir.path()).expect("folders");
        assert_eq!(files.proposals().expect("read"), [version(1)]);
        assert_eq!(files.conflicts().expect("read"), [version(3)]);
        assert!(!damaged.exists() && !renamed.exists());
        assert_eq!(crate::store::aside::found(dir.path()).len(), 2);
    }
}
