//! All invites of this node, one small file each, written before anybody is told.
//!
//! It holds what checks a secret and never the secret. What is in memory is what is on the disk.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use thiserror::Error;
use wego_proto::{
    id::InviteId,
    key::PublicKey,
    roster::Roster,
    v1::InviteState::{Admitted, Open, Used},
};

use super::kept::{File, Kept, Spent};
use crate::store::{StoreError, set_aside};

/// Invites that are open, or used and wait for the committee: more than a committee can look at in a month.
pub const INVITES_WAITING_MAX: usize = 64;
/// Invites kept in all. The oldest that are over are forgotten for new ones; the roster says who is a member.
pub const INVITES_KEPT_MAX: usize = 256;
/// Largest file in bytes: the largest card in hexadecimal, and as much again for all else.
const FILE_BYTES_MAX: u64 = 32 * 1_024;

/// Why the book cannot be read or changed. Nothing changed.
#[derive(Debug, Error)]
pub enum BookError {
    /// The folder or a file in it cannot be read or written.
    #[error("{}", path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A damaged file cannot be set aside.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Too many wait.
    #[error("{INVITES_WAITING_MAX} invites are open or wait for the committee")]
    TooMany,
}

/// The invites.
#[derive(Debug)]
pub struct Book {
    dir: PathBuf,
    invites: BTreeMap<InviteId, (Kept, PublicKey)>,
}

impl Book {
    /// Reads the folder; makes it when there is none. A file that is no invite is set aside: that invite is void.
    ///
    /// # Errors
    /// [`BookError`].
    pub fn open(dir: &Path) -> Result<Self, BookError> {
        let failed = |source| BookError::Io { path: dir.to_owned(), source };
        fs::create_dir_all(dir).map_err(failed)?;
        let mut invites = BTreeMap::new();
        for entry in fs::read_dir(dir).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            // What is left of a write that did not finish has another name.
            if path.extension().is_some_and(|extension| extension == "toml") {
                match read(&path).map_err(failed)? {
                    Some((kept, proof_key)) => drop(invites.insert(kept.id, (kept, proof_key))),
                    None => {
                        let what = "it is not an invite that this program wrote";
                        set_aside(&path, &StoreError::CorruptFile { path: path.clone(), what })?;
                    }
                }
            }
        }
        Ok(Self { dir: dir.to_owned(), invites })
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Kept> {
        self.invites.values().map(|(kept, _)| kept)
    }

    pub(super) fn get(&self, id: &InviteId) -> Option<&Kept> {
        self.invites.get(id).map(|(kept, _)| kept)
    }

    /// What checks the secret of an invite.
    pub(super) fn proof_key(&self, id: &InviteId) -> Option<&PublicKey> {
        self.invites.get(id).map(|(_, proof_key)| proof_key)
    }

    /// Whether one more may be made.
    ///
    /// # Errors
    /// [`BookError::TooMany`].
    pub(super) fn room(&self, roster: &Roster, now_ms: u64) -> Result<(), BookError> {
        let waits = |kept: &&Kept| matches!(kept.state(roster, now_ms), Open | Used);
        if self.all().filter(waits).count() < INVITES_WAITING_MAX { Ok(()) } else { Err(BookError::TooMany) }
    }

    /// Adds an invite. Durable on return.
    ///
    /// # Errors
    /// [`BookError`].
    pub(super) fn add(
        &mut self,
        kept: Kept,
        proof_key: PublicKey,
        roster: &Roster,
        now_ms: u64,
    ) -> Result<(), BookError> {
        self.room(roster, now_ms)?;
        while self.invites.len() >= INVITES_KEPT_MAX {
            self.forget_one(roster, now_ms)?;
        }
        self.put(kept, proof_key)
    }

    /// Takes an invite back; the first time counts. Durable on return.
    ///
    /// # Errors
    /// [`BookError`].
    pub(super) fn revoke(&mut self, id: &InviteId, now_ms: u64) -> Result<(), BookError> {
        self.change(id, |kept| kept.revoked_ms = if kept.revoked_ms == 0 { now_ms } else { kept.revoked_ms })
    }

    /// Spends an invite. Durable on return. A repetition over the same connection writes nothing: it could be endless.
    ///
    /// # Errors
    /// [`BookError`].
    pub(super) fn spend(&mut self, id: &InviteId, spent: Spent) -> Result<(), BookError> {
        if self.get(id).is_some_and(|kept| kept.spent.as_ref() == Some(&spent)) {
            return Ok(());
        }
        self.change(id, |kept| kept.spent = Some(spent))
    }

    fn change(&mut self, id: &InviteId, change: impl FnOnce(&mut Kept)) -> Result<(), BookError> {
        let Some((mut kept, proof_key)) = self.invites.get(id).cloned() else { return Ok(()) };
        change(&mut kept);
        self.put(kept, proof_key)
    }

    fn put(&mut self, kept: Kept, proof_key: PublicKey) -> Result<(), BookError> {
        let path = self.path(&kept.id);
        let text = toml::to_string(&File::of(&kept, &proof_key));
        let text =
            text.map_err(|error| BookError::Io { path: path.clone(), source: io::Error::other(error) })?;
        self.write(&path, &text).map_err(|source| BookError::Io { path, source })?;
        self.invites.insert(kept.id, (kept, proof_key));
        Ok(())
    }

    /// Whole or not at all: a new file takes the old one's place.
    fn write(&self, path: &Path, text: &str) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(&self.dir)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        fs::File::open(&self.dir)?.sync_all()
    }

    /// Makes room: the oldest of those that are over goes. There is one, as fewer wait than are kept.
    fn forget_one(&mut self, roster: &Roster, now_ms: u64) -> Result<(), BookError> {
        let waits = |kept: &Kept| matches!(kept.state(roster, now_ms), Open | Used);
        let over = self.all().filter(|kept| !waits(kept));
        // Members last: their card explains a line of the roster.
        let oldest = over.min_by_key(|kept| (kept.state(roster, now_ms) == Admitted, kept.created_ms));
        let id = oldest.map(|kept| kept.id).ok_or(BookError::TooMany)?;
        let path = self.path(&id);
        fs::remove_file(&path).map_err(|source| BookError::Io { path, source })?;
        self.invites.remove(&id);
        Ok(())
    }

    fn path(&self, id: &InviteId) -> PathBuf {
        self.dir.join(format!("{id}.toml"))
    }
}

/// `None` when something in the file is not what was written.
fn read(path: &Path) -> io::Result<Option<(Kept, PublicKey)>> {
    if fs::metadata(path)?.len() > FILE_BYTES_MAX {
        return Ok(None);
    }
    let read = toml::from_slice::<File>(&fs::read(path)?).ok().and_then(File::read);
    let named = |kept: &Kept| path.file_stem().is_some_and(|name| name == kept.id.to_string().as_str());
    Ok(read.filter(|(kept, _)| named(kept)))
}
