//! A folder that appears complete or not at all: written beside its place, made durable, moved there.
//!
//! Every file is readable by this user alone. Never overwrites.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use super::InitError;
use crate::{keys, store::anchor::Anchor};

/// A folder being made. Dropped before [`Whole::finish`] it is gone.
#[derive(Debug)]
pub(super) struct Whole {
    place: PathBuf,
    parent: PathBuf,
    beside: TempDir,
}

impl Whole {
    /// Begins a folder that will be at `place`, which must not exist or be empty.
    pub(super) fn begin(place: &Path) -> Result<Self, InitError> {
        let empty = match fs::read_dir(place) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => true,
            Err(source) => return Err(InitError::Io { path: place.to_owned(), source }),
        };
        if !empty {
            return Err(InitError::NotEmpty { dir: place.to_owned() });
        }
        let parent = match place.parent() {
            Some(parent) if parent.as_os_str().is_empty() => PathBuf::from("."),
            Some(parent) => parent.to_owned(),
            None => return Err(InitError::NotEmpty { dir: place.to_owned() }),
        };
        let private = fs::Permissions::from_mode(0o700);
        let beside =
            tempfile::Builder::new().prefix(".wego-node-init-").permissions(private).tempdir_in(&parent);
        let beside = beside.map_err(|source| InitError::Io { path: parent.clone(), source })?;
        Ok(Self { place: place.to_owned(), parent, beside })
    }

    /// Makes a folder in it.
    pub(super) fn folder(&self, name: &str) -> Result<(), InitError> {
        let made = fs::DirBuilder::new().mode(0o700).create(self.beside.path().join(name));
        made.map_err(|source| self.failed(name, source))
    }

    /// Writes a file in it.
    pub(super) fn file(&self, name: &str, content: &[u8]) -> Result<(), InitError> {
        let written = keys::create_private(&self.beside.path().join(name), content);
        written.map_err(|source| self.failed(name, source))
    }

    /// Notes in a data folder that its key has never signed. The folder stays the same one when it moves to its place.
    pub(super) fn mark_unsigned(&self, folder: &str) -> Result<(), InitError> {
        let marked = Anchor::of(&self.beside.path().join(folder)).mark_unsigned();
        marked.map_err(|source| self.failed(folder, source))
    }

    /// Makes a folder's entries durable.
    pub(super) fn sync(&self, folder: &str) -> Result<(), InitError> {
        keys::sync_dir(&self.beside.path().join(folder)).map_err(|source| self.failed(folder, source))
    }

    /// Moves it to its place; durable on return.
    pub(super) fn finish(self) -> Result<(), InitError> {
        keys::sync_dir(self.beside.path())
            .and_then(|()| fs::rename(self.beside.path(), &self.place))
            .map_err(|source| self.failed("", source))?;
        // What was made is no longer beside: nothing is left to remove.
        let _ = self.beside.keep();
        keys::sync_dir(&self.parent).map_err(|source| InitError::Io { path: self.parent, source })
    }

    fn failed(&self, name: &str, source: io::Error) -> InitError {
        InitError::Io { path: self.place.join(name), source }
    }
}
