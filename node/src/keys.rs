//! Private keys on disk: read only when nobody else can read them, written so that nobody else ever could.
//!
//! A log key that another account can copy makes somebody else able to speak for the city, and nothing would
//! show it. So a wider mode stops the node instead of warning. Never prints, copies or caches a secret.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use thiserror::Error;
use wego_proto::{
    key::{KeyError, PublicKey, SecretKey},
    pin::{Identity, PinError},
};
use zeroize::Zeroizing;

pub mod certificate;
mod change;
mod former;
mod transport;

pub use change::LogKeys;
pub use former::recall as former_keys;
pub use transport::TransportKeys;

/// Signs entries. Online.
pub const LOG_KEY: &str = "log.pem";
/// Takes the log key's place at the next rotation. To be kept offline.
pub const NEXT_LOG_KEY: &str = "next-log.pem";
/// Opens a new epoch after a loss or a theft. To be kept offline.
pub const RECOVERY_KEY: &str = "recovery.pem";
/// Signs rosters, for a member of the committee. To be kept offline.
pub const GOVERNANCE_KEY: &str = "governance.pem";
/// Speaks for the node in TLS. Online.
pub const TRANSPORT_KEY: &str = "transport.pem";
/// Certificate of the transport key.
pub const TRANSPORT_CERTIFICATE: &str = "transport.crt";

/// Largest key or certificate file read, in bytes: a PEM certificate is below 2 KiB.
pub const KEY_FILE_BYTES_MAX: u64 = 64 * 1_024;

/// The keys a running node needs.
#[derive(Debug)]
pub struct NodeKeys {
    /// Signs entries.
    pub log: SecretKey,
    /// Certificate and key shown in TLS.
    pub transport: Identity,
    /// The key in that certificate.
    pub transport_key: PublicKey,
    /// What these keys took over from.
    pub former: Vec<PublicKey>,
}

impl NodeKeys {
    /// Reads `log.pem`, `transport.pem` and `transport.crt` in `dir`.
    ///
    /// # Errors
    /// [`KeysError`]; the node does not start.
    pub fn load(dir: &Path) -> Result<Self, KeysError> {
        let (transport, transport_key) = load_transport(dir)?;
        let log = read_secret_key(&dir.join(LOG_KEY))?;
        Ok(Self { log, transport, transport_key, former: former_keys(dir) })
    }
}

/// Reads certificate and key for TLS in `dir`, and the public key in them. Also for a reload.
///
/// # Errors
/// [`KeysError`].
pub fn load_transport(dir: &Path) -> Result<(Identity, PublicKey), KeysError> {
    // A crash may have come between the two moves of a change.
    let between = |error| certified(dir, transport::NEXT_CERTIFICATE).map_err(|_| error);
    certified(dir, TRANSPORT_CERTIFICATE).or_else(between)
}

/// The transport key with the certificate in this file, if that is of it.
fn certified(dir: &Path, certificate: &str) -> Result<(Identity, PublicKey), KeysError> {
    let (key, certificate) = (dir.join(TRANSPORT_KEY), dir.join(certificate));
    let pem = read_private(&key)?;
    let public = SecretKey::from_pem(&pem)
        .map_err(|source| KeysError::NotAKey { path: key.clone(), source })?
        .public();
    let text = read_bounded(&certificate, open(&certificate)?)?;
    let refused = |source| KeysError::Certificate { path: certificate.clone(), source };
    let identity = Identity::from_pem(&text, &pem).map_err(refused)?;
    let shown = identity.public_key().map_err(refused)?;
    if shown != public {
        return Err(KeysError::Mismatch { certificate, key });
    }
    Ok((identity, shown))
}

/// Reads one PKCS #8 PEM private key.
///
/// # Errors
/// [`KeysError`].
pub fn read_secret_key(path: &Path) -> Result<SecretKey, KeysError> {
    let text = read_private(path)?;
    SecretKey::from_pem(&text).map_err(|source| KeysError::NotAKey { path: path.to_owned(), source })
}

/// Writes a file that only this user can read, durable on return. The folder's entry is not: call [`sync_dir`].
///
/// # Errors
/// [`io::Error`]; also when `path` exists.
pub fn create_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Makes the entries of a folder durable.
///
/// # Errors
/// [`io::Error`].
pub fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Why a key cannot be used. The operator acts; nothing was changed.
#[derive(Debug, Error)]
pub enum KeysError {
    /// The file cannot be read.
    #[error("{} cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file or folder cannot be written.
    #[error("{} cannot be written", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Other accounts can read the file.
    #[error("{} has mode {mode:04o}: other accounts can read the key", path.display())]
    Mode {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file belongs to another account, which can read it.
    #[error("{} belongs to user id {owner}, the node runs as {us}", path.display())]
    Owner {
        /// The file.
        path: PathBuf,
        /// Its owner.
        owner: u32,
        /// The user id of this process.
        us: u32,
    },
    /// Not a PEM private key.
    #[error("{} cannot be used", path.display())]
    NotAKey {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: KeyError,
    },
    /// Not a PEM certificate with an Ed25519 key.
    #[error("{} cannot be used", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: PinError,
    },
    /// The certificate is of another key.
    #[error("{} is not the certificate of {}", certificate.display(), key.display())]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
}

impl KeysError {
    /// What the operator can do, as one sentence.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Read { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                "run this as the node's user, as in `runuser -u wego-node -- wego-node ...`".to_owned()
            }
            Self::Read { source, .. } if source.kind() == io::ErrorKind::InvalidData => {
                "it is damaged: put back your copy of it; without one see deploy/README.md, 15".to_owned()
            }
            Self::Read { .. } => {
                "`wego-node init` makes the keys; node.keys_dir says where they are".to_owned()
            }
            Self::Write { .. } => {
                "the node's user must be able to write its keys folder to change keys".to_owned()
            }
            Self::Mode { path, .. } => {
                format!("chmod 600 {}; if others may have read it, rotate the key", path.display())
            }
            Self::Owner { path, us, .. } => format!("chown {us} {}", path.display()),
            Self::NotAKey { .. } => {
                "it must be an Ed25519 private key as PKCS #8 PEM: put back your copy of it; without one see \
                 deploy/README.md, 15"
                    .to_owned()
            }
            Self::Certificate { .. } | Self::Mismatch { .. } => {
                "put back your copy of transport.pem and transport.crt, which belong together; one of your own authority is \
                 X.509 version 3 (deploy/README.md, 15)"
                    .to_owned()
            }
        }
    }
}

fn read_private(path: &Path) -> Result<Zeroizing<String>, KeysError> {
    let file = open(path)?;
    // Of the open file: a path could be changed between the check and the read.
    let meta = file.metadata().map_err(|source| KeysError::Read { path: path.to_owned(), source })?;
    let us = rustix::process::geteuid().as_raw();
    if meta.uid() != us {
        return Err(KeysError::Owner { path: path.to_owned(), owner: meta.uid(), us });
    }
    let mode = meta.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeysError::Mode { path: path.to_owned(), mode });
    }
    read_bounded(path, file)
}

fn open(path: &Path) -> Result<File, KeysError> {
    File::open(path).map_err(|source| KeysError::Read { path: path.to_owned(), source })
}

fn read_bounded(path: &Path, file: File) -> Result<Zeroizing<String>, KeysError> {
    // All of the capacity at once: a growing buffer would leave copies of the key behind.
    let mut text = Zeroizing::new(String::with_capacity(KEY_FILE_BYTES_MAX as usize + 1));
    let read = file.take(KEY_FILE_BYTES_MAX + 1).read_to_string(&mut text);
    let too_large = || io::Error::new(io::ErrorKind::FileTooLarge, "larger than any key");
    read.and_then(|bytes| if bytes as u64 > KEY_FILE_BYTES_MAX { Err(too_large()) } else { Ok(()) })
        .map_err(|source| KeysError::Read { path: path.to_owned(), source })?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    fn folder_with_key() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(LOG_KEY);
        let key = SecretKey::from_seed(&Zeroizing::new([3; 32]));
        create_private(&path, key.to_pem().as_bytes()).unwrap();
        (folder, path)
    }

    #[test]
    fn a_private_key_is_read_back() {
        let (_folder, path) = folder_with_key();
        let expected = SecretKey::from_seed(&Zeroizing::new([3; 32])).public();
        assert_eq!(read_secret_key(&path).unwrap().public(), expected);
    }

    #[test]
    fn a_key_that_others_can_read_is_refused_with_the_command_to_run() {
        let (_folder, path) = folder_with_key();
        for mode in [0o640, 0o604, 0o660, 0o601] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = read_secret_key(&path).unwrap_err();
            assert!(error.to_string().contains(&format!("{mode:04o}")), "{error}");
            assert!(error.hint().starts_with(&format!("chmod 600 {}", path.display())), "{}", error.hint());
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        read_secret_key(&path).unwrap();
    }

    #[test]
    fn a_key_of_another_account_is_refused() {
        let (_folder, path) = folder_with_key();
        if std::os::unix::fs::chown(&path, Some(65_534), None).is_err() {
            println!("skipped: only root can give a file away");
            return;
        }
        assert!(matches!(read_secret_key(&path).unwrap_err(), KeysError::Owner { owner: 65_534, .. }));
    }

    #[test]
    fn an_existing_key_is_never_overwritten() {
        let (_folder, path) = folder_with_key();
        assert_eq!(create_private(&path, b"new").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    }

    #[test]
    fn a_file_larger_than_any_key_is_refused() {
        let (_folder, path) = folder_with_key();
        fs::write(&path, "x".repeat(KEY_FILE_BYTES_MAX as usize + 1)).unwrap();
        assert!(matches!(read_secret_key(&path).unwrap_err(), KeysError::Read { .. }));
    }

    #[test]
    fn what_is_no_key_is_named() {
        let (_folder, path) = folder_with_key();
        fs::write(&path, "hello").unwrap();
        let error = read_secret_key(&path).unwrap_err();
        assert!(matches!(error, KeysError::NotAKey { .. }));
        assert!(!format!("{error:?}").contains("hello"), "a key file's content shows in an error");
    }
}
