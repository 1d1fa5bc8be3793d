//! The public keys that this folder's keys took over from: how a node knows its member in a roster older than its keys.
//!
//! A hint, and nobody's proof: what a key may do is said by roster and log. Without it a node whose log and transport
//! keys have both changed, and which lost its disk, would take itself for a stranger.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use wego_proto::key::PublicKey;

use super::{KeysError, sync_dir};

/// One key a line, in hexadecimal digits.
const FORMER_KEYS: &str = "former-keys";

/// Adds a key that is about to give way. Durable on return.
pub(super) fn remember(dir: &Path, key: &PublicKey) -> Result<(), KeysError> {
    if recall(dir).contains(key) {
        return Ok(());
    }
    let path = dir.join(FORMER_KEYS);
    let append = || -> io::Result<()> {
        let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path)?;
        writeln!(file, "{key}")?;
        file.sync_all()?;
        sync_dir(dir)
    };
    append().map_err(|source| KeysError::Write { path: path.clone(), source })
}

/// The keys remembered in this folder; what is no key is passed over.
#[must_use]
pub fn recall(dir: &Path) -> Vec<PublicKey> {
    let text = fs::read_to_string(dir.join(FORMER_KEYS)).unwrap_or_default();
    let key = |line: &str| PublicKey::from_bytes(&data_encoding::HEXLOWER.decode(line.as_bytes()).ok()?).ok();
    text.lines().filter_map(key).collect()
}
