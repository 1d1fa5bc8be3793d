//! The keys by which a profile knows its node, kept up while the node changes its key.
//!
//! The problem: a node's key changes from time to time, and a program that pins it would then take its own node for a
//! stranger. The rule: the node names the next key over a connection that is pinned, and the profile accepts both until
//! it sees the next one. A key that comes in any other way is never believed.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, OnceLock, PoisonError},
};

use wego_proto::{id, key::PublicKey};

use super::RawProfile;
use crate::{commands::replace_file, error::Failure};

/// Metadata by which a node says which key is to take over: see keys.proto.
const NEXT_KEY: &str = "wego-next-key";

/// The keys that may be at the other end.
#[derive(Debug)]
pub(crate) struct Pinned {
    path: PathBuf,
    raw: RawProfile,
    key: Pin,
    next: Mutex<Option<Pin>>,
    shown: OnceLock<PublicKey>,
}

/// A key as a profile names it: itself, as programs write it, or its fingerprint, as people are told it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Pin {
    Key(PublicKey),
    Fingerprint(String),
}

impl Pin {
    fn read(text: &str, path: &Path) -> Result<Self, Failure> {
        if let Some(fingerprint) = id::read_fingerprint(text) {
            return Ok(Self::Fingerprint(fingerprint));
        }
        let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(text.trim().as_bytes()).ok();
        let key = bytes.and_then(|bytes| PublicKey::from_bytes(&bytes).ok());
        key.map(Self::Key).ok_or_else(|| {
            Failure::usage(
                format!("server_key in {} is no key of a node, or mistyped", path.display()),
                "it is the fingerprint of the transport key, as `wego key show` tells it on the node's machine",
            )
        })
    }

    fn is(&self, key: &PublicKey) -> bool {
        match self {
            Self::Key(pinned) => pinned == key,
            Self::Fingerprint(fingerprint) => *fingerprint == key.fingerprint(),
        }
    }
}

impl Pinned {
    pub(super) fn read(path: PathBuf, raw: RawProfile) -> Result<Self, Failure> {
        let key = Pin::read(&raw.server_key, &path)?;
        let next = raw.next_server_key.as_deref().map(|next| Pin::read(next, &path)).transpose()?;
        Ok(Self { path, raw, key, next: Mutex::new(next), shown: OnceLock::new() })
    }

    /// Whether this key may be there; remembers the one that was.
    pub(crate) fn admits(&self, key: &PublicKey) -> bool {
        let known = self.key.is(key) || self.next().is_some_and(|next| next.is(key));
        if known {
            let _ = self.shown.set(*key);
        }
        known
    }

    /// Called when a connection stands: a next key that was shown is the node's key from then on.
    pub(crate) fn connected(&self) {
        if let Some(shown) = self.shown.get().filter(|shown| !self.key.is(shown)) {
            // A profile that cannot be written knows both keys, and goes on with them.
            let _ = self.write(shown, None);
        }
    }

    /// Takes in what an answer says.
    pub(crate) fn hear(&self, metadata: &tonic::metadata::MetadataMap) {
        let named = metadata.get(NEXT_KEY).and_then(|named| named.to_str().ok());
        let named = named.and_then(|named| Pin::read(named, &self.path).ok());
        let (Some(Pin::Key(named)), Some(shown)) = (named, self.shown.get()) else { return };
        if named == *shown || self.next().is_some_and(|next| next.is(&named)) {
            return;
        }
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = Some(Pin::Key(named));
        // Where it cannot be written now, the next call tries again.
        let _ = self.write(shown, Some(&named));
    }

    fn next(&self) -> Option<Pin> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn write(&self, key: &PublicKey, next: Option<&PublicKey>) -> Result<(), Failure> {
        let raw = RawProfile {
            server_key: key.to_string(),
            next_server_key: next.map(PublicKey::to_string),
            ..self.raw.clone()
        };
        let content = toml::to_string(&raw).map_err(|error| {
            Failure::failed("cannot write the profile", "report this as a bug").because(error)
        })?;
        let text = format!("# How `wego` calls this node. Paths are relative to this file.\n{content}");
        replace_file(&self.path, text.as_bytes())
    }
}
