//! The keys by which a profile knows its node, kept up while the node changes its key.
//!
//! The problem: a node's key changes from time to time, and a program that pins it would then take its own node for a
//! stranger. The rule: the node names the next key over a connection that is pinned, and the profile accepts both until
//! it sees the next one. A key that comes in any other way is never believed.

use std::{
    path::PathBuf,
    sync::{Mutex, OnceLock, PoisonError},
};

use wego_proto::key::PublicKey;

use super::{RawProfile, server_key};
use crate::{commands::replace_file, error::Failure};

/// Metadata by which a node says which key is to take over: see keys.proto.
const NEXT_KEY: &str = "wego-next-key";

/// The keys that may be at the other end.
#[derive(Debug)]
pub(crate) struct Pinned {
    path: PathBuf,
    raw: RawProfile,
    key: PublicKey,
    next: Mutex<Option<PublicKey>>,
    shown: OnceLock<PublicKey>,
}

impl Pinned {
    pub(super) fn read(path: PathBuf, raw: RawProfile) -> Result<Self, Failure> {
        let key = server_key(&raw.server_key, &path)?;
        let next = raw.next_server_key.as_deref().map(|next| server_key(next, &path)).transpose()?;
        Ok(Self { path, raw, key, next: Mutex::new(next), shown: OnceLock::new() })
    }

    /// Whether this key may be there; remembers the one that was.
    pub(crate) fn admits(&self, key: &PublicKey) -> bool {
        let known = *key == self.key || self.next() == Some(*key);
        if known {
            let _ = self.shown.set(*key);
        }
        known
    }

    /// Called when a connection stands: a next key that was shown is the node's key from then on.
    pub(crate) fn connected(&self) {
        if let Some(shown) = self.shown.get().filter(|shown| **shown != self.key) {
            // A profile that cannot be written knows both keys, and goes on with them.
            let _ = self.write(shown, None);
        }
    }

    /// Takes in what an answer says.
    pub(crate) fn hear(&self, metadata: &tonic::metadata::MetadataMap) {
        let named = metadata.get(NEXT_KEY).and_then(|named| named.to_str().ok());
        let Some(named) = named.and_then(|named| server_key(named, &self.path).ok()) else { return };
        let shown = self.shown.get().copied().unwrap_or(self.key);
        if named == shown || self.next() == Some(named) {
            return;
        }
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = Some(named);
        // Where it cannot be written now, the next call tries again.
        let _ = self.write(&shown, Some(&named));
    }

    fn next(&self) -> Option<PublicKey> {
        *self.next.lock().unwrap_or_else(PoisonError::into_inner)
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
