//! Changing the log key on disk, so that a crash at any step leaves the key that the log goes on with.
//!
//! The new keys are made in a folder of their own, `pending/`, before the epoch that puts them in force is opened, and
//! take their places after it is durable. A start finishes what a crash interrupted: the log says which key is in
//! force, and pending keys that are in force are put in their places before others are prepared. A key that is in force
//! must never be removed before another one is.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use wego_proto::key::{PublicKey, SecretKey};
use zeroize::Zeroizing;

use super::{KeysError, LOG_KEY, NEXT_LOG_KEY, create_private, former, read_secret_key, sync_dir};

/// Folder of keys that are not in force yet.
const PENDING: &str = "pending";

/// The keys folder, as far as the log key is concerned.
#[derive(Debug, Clone)]
pub struct LogKeys {
    dir: PathBuf,
}

/// Keys made for the next epoch.
#[derive(Debug)]
pub struct Pending {
    /// Signs in it.
    pub log: SecretKey,
    /// Takes over after it.
    pub next: PublicKey,
}

impl LogKeys {
    /// Of this keys folder.
    #[must_use]
    pub fn of(keys_dir: &Path) -> Self {
        Self { dir: keys_dir.to_owned() }
    }

    /// Whether the next log key is here and is `committed`.
    #[must_use]
    pub fn holds_next(&self, committed: &wego_proto::id::Hash) -> bool {
        read_secret_key(&self.dir.join(NEXT_LOG_KEY)).is_ok_and(|key| key.public().digest() == *committed)
    }

    /// Prepares a rotation: the next log key is to take over, and one after it is made of `seed`.
    ///
    /// # Errors
    /// [`KeysError`]; nothing is in force that was not before.
    pub fn prepare_rotation(
        &self,
        in_force: &PublicKey,
        seed: &Zeroizing<[u8; 32]>,
    ) -> Result<Pending, KeysError> {
        self.settle(in_force)?;
        let log = read_secret_key(&self.dir.join(NEXT_LOG_KEY))?;
        self.write_pending(log, &SecretKey::from_seed(seed))
    }

    /// Prepares a recovery: a new log key, and one after it.
    ///
    /// # Errors
    /// [`KeysError`]; nothing is in force that was not before.
    pub fn prepare_recovery(
        &self,
        in_force: &PublicKey,
        seeds: &[Zeroizing<[u8; 32]>; 2],
    ) -> Result<Pending, KeysError> {
        self.settle(in_force)?;
        self.write_pending(SecretKey::from_seed(&seeds[0]), &SecretKey::from_seed(&seeds[1]))
    }

    /// The keys that were prepared last.
    ///
    /// # Errors
    /// [`KeysError::Read`] when nothing was.
    pub fn pending(&self) -> Result<Pending, KeysError> {
        let folder = self.dir.join(PENDING);
        let log = read_secret_key(&folder.join(LOG_KEY))?;
        Ok(Pending { log, next: read_secret_key(&folder.join(NEXT_LOG_KEY))?.public() })
    }

    /// Puts prepared keys in their places when the log says that they are in force. Also for a start, after a crash.
    /// Returns whether it did.
    ///
    /// # Errors
    /// [`KeysError`]; try again.
    pub fn settle(&self, in_force: &PublicKey) -> Result<bool, KeysError> {
        let folder = self.dir.join(PENDING);
        let prepared = match read_secret_key(&folder.join(LOG_KEY)) {
            Ok(key) => key.public() == *in_force,
            // The log key has its place already, and the one after it may not.
            Err(_) => {
                let placed =
                    read_secret_key(&self.dir.join(LOG_KEY)).is_ok_and(|key| key.public() == *in_force);
                placed && folder.join(NEXT_LOG_KEY).exists()
            }
        };
        if !prepared {
            return Ok(false);
        }
        let before = read_secret_key(&self.dir.join(LOG_KEY))?.public();
        if before != *in_force {
            former::remember(&self.dir, &before)?;
        }
        for name in [LOG_KEY, NEXT_LOG_KEY] {
            let from = folder.join(name);
            if from.exists() {
                let moved = fs::rename(&from, self.dir.join(name)).and_then(|()| sync_dir(&self.dir));
                moved.map_err(|source| KeysError::Write { path: from, source })?;
            }
        }
        // An empty folder harms nothing.
        let _ = fs::remove_dir(&folder);
        Ok(true)
    }

    fn write_pending(&self, log: SecretKey, next: &SecretKey) -> Result<Pending, KeysError> {
        let folder = self.dir.join(PENDING);
        let failed = |source: io::Error| KeysError::Write { path: folder.clone(), source };
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        fs::create_dir(&folder).map_err(failed)?;
        for (name, key) in [(LOG_KEY, &log), (NEXT_LOG_KEY, next)] {
            create_private(&folder.join(name), key.to_pem().as_bytes()).map_err(failed)?;
        }
        sync_dir(&folder).and_then(|()| sync_dir(&self.dir)).map_err(failed)?;
        Ok(Pending { log, next: next.public() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seed(byte: u8) -> Zeroizing<[u8; 32]> {
        Zeroizing::new([byte; 32])
    }

    fn folder() -> (tempfile::TempDir, LogKeys) {
        let folder = tempfile::tempdir().unwrap();
        for (name, byte) in [(LOG_KEY, 1), (NEXT_LOG_KEY, 2)] {
            let pem = SecretKey::from_seed(&seed(byte)).to_pem();
            create_private(&folder.path().join(name), pem.as_bytes()).unwrap();
        }
        let keys = LogKeys::of(folder.path());
        (folder, keys)
    }

    fn public(byte: u8) -> PublicKey {
        SecretKey::from_seed(&seed(byte)).public()
    }

    fn held(folder: &tempfile::TempDir) -> [PublicKey; 2] {
        [LOG_KEY, NEXT_LOG_KEY].map(|name| read_secret_key(&folder.path().join(name)).unwrap().public())
    }

    #[test]
    fn nothing_changes_before_the_log_says_so() {
        let (folder, keys) = folder();
        keys.prepare_rotation(&public(1), &seed(3)).unwrap();
        assert!(!keys.settle(&public(1)).unwrap());
        assert_eq!(held(&folder), [public(1), public(2)]);
        assert!(keys.settle(&public(2)).unwrap());
        assert_eq!(held(&folder), [public(2), public(3)]);
        assert!(!keys.settle(&public(2)).unwrap(), "once is enough");
    }

    #[test]
    fn a_crash_between_the_two_moves_is_made_good() {
        let (folder, keys) = folder();
        keys.prepare_recovery(&public(1), &[seed(4), seed(5)]).unwrap();
        fs::rename(folder.path().join(PENDING).join(LOG_KEY), folder.path().join(LOG_KEY)).unwrap();
        assert!(keys.settle(&public(4)).unwrap());
        assert_eq!(held(&folder), [public(4), public(5)]);
    }

    #[test]
    fn preparing_again_forgets_what_was_prepared() {
        let (_folder, keys) = folder();
        keys.prepare_recovery(&public(1), &[seed(4), seed(5)]).unwrap();
        keys.prepare_recovery(&public(1), &[seed(6), seed(7)]).unwrap();
        assert_eq!(keys.pending().unwrap().log.public(), public(6));
    }
}
