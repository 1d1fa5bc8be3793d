//! The peers an operator asked for, in a small file that survives a restart.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::store::{StoreError, set_aside};

/// Pinned peers at most: each is a session.
pub(super) const PINS_MAX: usize = 32;

/// Why pins cannot be read or changed.
#[derive(Debug, Error)]
pub enum PinsError {
    /// The file cannot be read or written.
    #[error("{path}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A damaged file cannot be set aside.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The list cannot be written down.
    #[error("the list of peers cannot be written down")]
    Encode(#[from] toml::ser::Error),
    /// Too many.
    #[error("{PINS_MAX} peers are pinned already")]
    TooMany,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Handle to `host:port`; empty means the roster's endpoint.
    #[serde(default)]
    peers: BTreeMap<String, String>,
}

/// The pinned peers.
#[derive(Debug)]
pub struct Pins {
    path: PathBuf,
    file: File,
}

impl Pins {
    /// Reads them; a file that does not exist holds none, and one that is damaged is set aside.
    ///
    /// # Errors
    /// [`PinsError::Io`] or [`PinsError::Store`].
    pub fn open(path: &Path) -> Result<Self, PinsError> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(source) => return Err(PinsError::Io { path: path.to_owned(), source }),
        };
        let file = match toml::from_slice(&bytes) {
            Ok(file) => file,
            Err(error) => {
                set_aside(path, &error)?;
                File::default()
            }
        };
        Ok(Self { path: path.to_owned(), file })
    }

    /// The handles.
    pub fn handles(&self) -> impl Iterator<Item = &str> {
        self.file.peers.keys().map(String::as_str)
    }

    /// Where an operator said this member is.
    #[must_use]
    pub fn endpoint(&self, handle: &str) -> Option<String> {
        self.file.peers.get(handle).filter(|endpoint| !endpoint.is_empty()).cloned()
    }

    pub(super) fn add(&mut self, handle: &str, endpoint: &str) -> Result<(), PinsError> {
        if self.file.peers.len() >= PINS_MAX && !self.file.peers.contains_key(handle) {
            return Err(PinsError::TooMany);
        }
        let before = self.file.peers.insert(handle.to_owned(), endpoint.to_owned());
        if let Err(error) = self.write() {
            match before {
                Some(before) => self.file.peers.insert(handle.to_owned(), before),
                None => self.file.peers.remove(handle),
            };
            return Err(error);
        }
        Ok(())
    }

    pub(super) fn remove(&mut self, handle: &str) -> Result<bool, PinsError> {
        let Some(before) = self.file.peers.remove(handle) else { return Ok(false) };
        if let Err(error) = self.write() {
            self.file.peers.insert(handle.to_owned(), before);
            return Err(error);
        }
        Ok(true)
    }

    /// Whole or not at all: a new file takes the old one's place.
    fn write(&self) -> Result<(), PinsError> {
        let text = toml::to_string(&self.file)?;
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let replace = || -> io::Result<()> {
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(text.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(&self.path)?;
            fs::File::open(folder)?.sync_all()
        };
        replace().map_err(|source| PinsError::Io { path: self.path.clone(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_survive_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("peers.toml");
        let mut pins = Pins::open(&path).unwrap();
        pins.add("sn-dakar", "").unwrap();
        pins.add("kr-seoul", "seoul.example:7400").unwrap();
        assert!(pins.remove("sn-dakar").unwrap());
        assert!(!pins.remove("sn-dakar").unwrap());
        let again = Pins::open(&path).unwrap();
        assert_eq!(again.handles().collect::<Vec<_>>(), ["kr-seoul"]);
        assert_eq!(again.endpoint("kr-seoul").as_deref(), Some("seoul.example:7400"));
    }

    #[test]
    fn a_list_that_is_none_is_set_aside_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("peers.toml");
        for (n, damage) in [&b"peers = 3"[..], b"[peers]\n\"sn-dakar\xff\" = \"\"\n"].into_iter().enumerate()
        {
            fs::write(&path, damage).unwrap();
            let mut pins = Pins::open(&path).unwrap();
            assert_eq!(pins.handles().count(), 0);
            assert_eq!(fs::read(dir.path().join(format!("peers.toml.broken-{}", n + 1))).unwrap(), damage);
            pins.add("sn-dakar", "").unwrap();
        }
    }

    #[test]
    fn one_pin_too_many_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let mut pins = Pins::open(&dir.path().join("peers.toml")).unwrap();
        for n in 0..PINS_MAX {
            pins.add(&format!("city-{n}"), "").unwrap();
        }
        assert!(matches!(pins.add("one-more", ""), Err(PinsError::TooMany)));
        assert!(pins.add("city-0", "moved:1").is_ok());
    }
}
