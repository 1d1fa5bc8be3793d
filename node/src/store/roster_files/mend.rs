//! Mending the roster folder at a start: what is damaged is set aside, and comes back from its copy or from the
//! operator's file.
//!
//! A chain that ends before a damaged version is that of a node which was away since: its peers give it the rest. It
//! must never put in place of a version what does not follow the one before, or what the next one does not name.

use std::path::Path;

use wego_proto::{
    roster::{Draft, Roster},
    v1::SignedRoster,
};

use super::{RosterFiles, following, read, read_after};
use crate::store::{StoreError, aside::rename_aside, set_aside};

impl RosterFiles {
    /// Makes a whole chain of the files, as far as it can be had here; `elsewhere` is another chain, from version 1 on.
    /// Copies that are missing or damaged are made again.
    ///
    /// # Errors
    /// [`StoreError::Io`]; [`StoreError::CorruptFile`] for a file whose name is no version.
    pub fn mend(&self, elsewhere: &[SignedRoster]) -> Result<(), StoreError> {
        let newest = self.newest()?;
        for copy in (1..=newest).map(|version| self.copy(version)).filter(|copy| copy.exists()) {
            if let Err(error) = read(&copy) {
                set_aside_corrupt(&copy, error)?;
            }
        }
        let mut last: Option<Roster> = None;
        for version in 1.. {
            let next = match read_after(last.as_ref(), &self.path(version)) {
                Ok(next) => next,
                Err(error) => {
                    set_aside_corrupt(&self.path(version), error)?;
                    let Some(found) = self.found(last.as_ref(), version, elsewhere) else { break };
                    self.put_at(&self.path(version), version, found.signed())?;
                    tracing::warn!(version, "a roster version came back");
                    found
                }
            };
            self.mend_copy(version, next.signed())?;
            last = Some(next);
        }
        let held = last.map_or(0, |last| last.version());
        for version in (held + 1..=newest).rev().filter(|version| self.path(*version).exists()) {
            let kept = rename_aside(&self.path(version))?;
            tracing::error!(version, kept = %kept.display(), "a roster version without the one before, set aside");
        }
        Ok(())
    }

    /// A version after `last`, from its copy or from elsewhere. The one after it here, if it can be read, must name it.
    fn found(&self, last: Option<&Roster>, version: u64, elsewhere: &[SignedRoster]) -> Option<Roster> {
        let copy = read(&self.copy(version)).ok();
        let other = usize::try_from(version - 1).ok().and_then(|index| elsewhere.get(index)).cloned();
        let after = read(&self.path(version + 1)).ok();
        let named = after.and_then(|after| Some(Draft::parse(&after.roster).ok()?.content.prev_hash));
        let fits = |found: &Roster| named.as_ref().is_none_or(|named| named == found.hash().as_bytes());
        copy.into_iter().chain(other).filter_map(|signed| following(last, signed)).find(fits)
    }

    fn mend_copy(&self, version: u64, signed: &SignedRoster) -> Result<(), StoreError> {
        let path = self.copy(version);
        let error = match read(&path) {
            Ok(copy) if copy == *signed => return Ok(()),
            Ok(_) => StoreError::CorruptFile { path: path.clone(), what: "it is no copy of its version" },
            Err(error) => error,
        };
        set_aside_corrupt(&path, error)?;
        self.put_at(&path, version, signed)
    }
}

/// Sets a file aside, if it is there, because it is damaged and not because it could not be read.
fn set_aside_corrupt(path: &Path, error: StoreError) -> Result<(), StoreError> {
    match error {
        error if !error.is_corrupt() => Err(error),
        error if path.exists() => set_aside(path, &error).map(drop),
        _ => Ok(()),
    }
}
