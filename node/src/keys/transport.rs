//! Changing the transport key on disk, so that a crash at any step leaves a pair that the node can show.
//!
//! The next key is made beside the one in use, and waits until peers know it; then it takes the other's place, which is
//! kept until peers have been told that it speaks no more. A key and its certificate are two files: where only one of
//! them has its place yet, the certificate beside is the right one ([`super::load_transport`]).

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use wego_proto::key::{PublicKey, SecretKey};
use zeroize::Zeroizing;

use super::{
    KeysError, TRANSPORT_CERTIFICATE, TRANSPORT_KEY,
    certificate::{Life, self_signed},
    certified, create_private, former, read_secret_key, sync_dir,
};

/// Takes the transport key's place when peers know it.
const NEXT_KEY: &str = "next-transport.pem";
/// Its certificate.
pub(super) const NEXT_CERTIFICATE: &str = "next-transport.crt";
/// Was in use until a moment ago, and peers may still take it for ours.
const LAST_KEY: &str = "last-transport.pem";

/// The keys folder, as far as the transport key is concerned.
#[derive(Debug, Clone)]
pub struct TransportKeys {
    dir: PathBuf,
    /// Common name of its certificates.
    name: String,
}

impl TransportKeys {
    /// Of this keys folder; certificates carry `name`.
    #[must_use]
    pub fn of(keys_dir: &Path, name: &str) -> Self {
        Self { dir: keys_dir.to_owned(), name: name.to_owned() }
    }

    /// The folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The key in use.
    ///
    /// # Errors
    /// [`KeysError`].
    pub fn in_use(&self) -> Result<SecretKey, KeysError> {
        read_secret_key(&self.dir.join(TRANSPORT_KEY))
    }

    /// The key that was made to take over, if there is one.
    ///
    /// # Errors
    /// [`KeysError`]; it is there and cannot be used.
    pub fn next(&self) -> Result<Option<SecretKey>, KeysError> {
        self.optional(NEXT_KEY)
    }

    /// The key that gave way, until peers have been told.
    ///
    /// # Errors
    /// [`KeysError`]; it is there and cannot be used.
    pub fn last(&self) -> Result<Option<PublicKey>, KeysError> {
        Ok(self.optional(LAST_KEY)?.map(|key| key.public()))
    }

    /// Makes the next key of `seed`, in place of one that was made before. Durable on return.
    ///
    /// # Errors
    /// [`KeysError`]; the key in use is as before.
    pub fn prepare(&self, seed: &Zeroizing<[u8; 32]>, now_ms: u64) -> Result<SecretKey, KeysError> {
        let key = SecretKey::from_seed(seed);
        self.remove(NEXT_KEY)?;
        // First, so that a key is never without its certificate.
        self.put_certificate(NEXT_CERTIFICATE, &key, now_ms)?;
        self.put(NEXT_KEY, key.to_pem().as_bytes())?;
        Ok(key)
    }

    /// Puts the next key in use. Nothing happens when there is none.
    ///
    /// # Errors
    /// [`KeysError`]; one of the two is in use, and trying again finishes it.
    pub fn take_over(&self) -> Result<(), KeysError> {
        if let Some(next) = self.next()? {
            let in_use = self.in_use()?.public();
            if in_use != next.public() {
                former::remember(&self.dir, &in_use)?;
                self.remove(LAST_KEY)?;
                let path = self.dir.join(LAST_KEY);
                fs::hard_link(self.dir.join(TRANSPORT_KEY), &path)
                    .map_err(|source| KeysError::Write { path, source })?;
                self.sync()?;
            }
            self.rename(NEXT_KEY, TRANSPORT_KEY)?;
        }
        // Also what a crash left between the two; a certificate of another key is of a step that was not taken.
        match certified(&self.dir, NEXT_CERTIFICATE) {
            Ok(_) => self.rename(NEXT_CERTIFICATE, TRANSPORT_CERTIFICATE),
            Err(KeysError::Mismatch { .. }) => self.remove(NEXT_CERTIFICATE),
            Err(_) => Ok(()),
        }
    }

    /// Puts the key back in use that gave way, and forgets the one that took over.
    ///
    /// # Errors
    /// [`KeysError`]; one of the two is in use, and trying again finishes it.
    pub fn go_back(&self, now_ms: u64) -> Result<(), KeysError> {
        if let Some(last) = self.optional(LAST_KEY)? {
            self.put_certificate(NEXT_CERTIFICATE, &last, now_ms)?;
            self.rename(LAST_KEY, TRANSPORT_KEY)?;
        }
        self.take_over()
    }

    /// Forgets the key that gave way.
    ///
    /// # Errors
    /// [`KeysError::Write`].
    pub fn retire(&self) -> Result<(), KeysError> {
        self.remove(LAST_KEY)
    }

    /// Makes another certificate for the key in use. Durable on return.
    ///
    /// # Errors
    /// [`KeysError`]; the old one stays.
    pub fn renew(&self, now_ms: u64) -> Result<(), KeysError> {
        self.put_certificate(TRANSPORT_CERTIFICATE, &self.in_use()?, now_ms)
    }

    fn put_certificate(&self, name: &str, key: &SecretKey, now_ms: u64) -> Result<(), KeysError> {
        let pem = self_signed(key, &self.name, Life::From(now_ms));
        let pem = pem.map_err(|error| KeysError::Write {
            path: self.dir.join(name),
            source: io::Error::other(error),
        })?;
        self.put(name, pem.as_bytes())
    }

    /// Writes a file whole or not at all.
    fn put(&self, name: &str, content: &[u8]) -> Result<(), KeysError> {
        let (path, beside) = (self.dir.join(name), format!("{name}.new"));
        self.remove(&beside)?;
        create_private(&self.dir.join(&beside), content)
            .and_then(|()| fs::rename(self.dir.join(&beside), &path))
            .and_then(|()| sync_dir(&self.dir))
            .map_err(|source| KeysError::Write { path, source })
    }

    fn optional(&self, name: &str) -> Result<Option<SecretKey>, KeysError> {
        match read_secret_key(&self.dir.join(name)) {
            Ok(key) => Ok(Some(key)),
            Err(KeysError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), KeysError> {
        let path = self.dir.join(to);
        fs::rename(self.dir.join(from), &path)
            .and_then(|()| sync_dir(&self.dir))
            .map_err(|source| KeysError::Write { path, source })
    }

    fn remove(&self, name: &str) -> Result<(), KeysError> {
        let path = self.dir.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(source) => Err(KeysError::Write { path, source }),
            Ok(()) => self.sync(),
        }
    }

    fn sync(&self) -> Result<(), KeysError> {
        sync_dir(&self.dir).map_err(|source| KeysError::Write { path: self.dir.clone(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::{super::load_transport, *};

    /// 2026-11-25.
    const NOW_MS: u64 = 1_795_564_800_000;

    fn public(byte: u8) -> PublicKey {
        SecretKey::from_seed(&[byte; 32].into()).public()
    }

    fn folder() -> (tempfile::TempDir, TransportKeys) {
        let folder = tempfile::tempdir().unwrap();
        let keys = TransportKeys::of(folder.path(), "kr-seoul");
        let key = SecretKey::from_seed(&[1; 32].into());
        create_private(&folder.path().join(TRANSPORT_KEY), key.to_pem().as_bytes()).unwrap();
        keys.renew(NOW_MS).unwrap();
        (folder, keys)
    }

    fn shown(folder: &tempfile::TempDir) -> PublicKey {
        load_transport(folder.path()).unwrap().1
    }

    #[test]
    fn the_next_key_waits_and_then_takes_over_and_the_other_is_kept_until_it_may_go() {
        let (folder, keys) = folder();
        keys.prepare(&[2; 32].into(), NOW_MS).unwrap();
        assert_eq!(shown(&folder), public(1));
        keys.take_over().unwrap();
        assert_eq!(shown(&folder), public(2));
        assert_eq!((keys.last().unwrap(), keys.next().unwrap().is_none()), (Some(public(1)), true));
        keys.take_over().unwrap();
        assert_eq!(keys.last().unwrap(), Some(public(1)), "once is enough");
        keys.retire().unwrap();
        assert_eq!((shown(&folder), keys.last().unwrap()), (public(2), None));
        assert_eq!(former::recall(folder.path()), [public(1)]);
    }

    #[test]
    fn a_crash_between_the_two_files_leaves_a_pair() {
        let (folder, keys) = folder();
        keys.prepare(&[2; 32].into(), NOW_MS).unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::hard_link(path(TRANSPORT_KEY), path(LAST_KEY)).unwrap();
        assert_eq!(shown(&folder), public(1), "before the first move");
        fs::rename(path(NEXT_KEY), path(TRANSPORT_KEY)).unwrap();
        assert_eq!(shown(&folder), public(2), "between the two");
        keys.take_over().unwrap();
        assert_eq!(shown(&folder), public(2));
        assert!(!path(NEXT_CERTIFICATE).exists());
    }

    #[test]
    fn a_key_that_took_over_in_vain_gives_way_again() {
        let (folder, keys) = folder();
        keys.prepare(&[2; 32].into(), NOW_MS).unwrap();
        keys.take_over().unwrap();
        keys.go_back(NOW_MS).unwrap();
        assert_eq!((shown(&folder), keys.last().unwrap()), (public(1), None));
    }

    #[test]
    fn a_crash_on_the_way_back_leaves_a_pair_too() {
        let (folder, keys) = folder();
        keys.prepare(&[2; 32].into(), NOW_MS).unwrap();
        keys.take_over().unwrap();
        let last = keys.optional(LAST_KEY).unwrap().unwrap();
        keys.put_certificate(NEXT_CERTIFICATE, &last, NOW_MS).unwrap();
        // The next start looks whether something was left between the two.
        keys.take_over().unwrap();
        assert_eq!(shown(&folder), public(2));
        keys.go_back(NOW_MS).unwrap();
        assert_eq!(shown(&folder), public(1));
    }

    #[test]
    fn preparing_again_forgets_what_was_prepared() {
        let (_folder, keys) = folder();
        keys.prepare(&[2; 32].into(), NOW_MS).unwrap();
        keys.prepare(&[3; 32].into(), NOW_MS).unwrap();
        assert_eq!(keys.next().unwrap().unwrap().public(), public(3));
    }
}
