//! Setting aside: what is damaged gets another name, so that what takes its place can be had again from elsewhere.
//!
//! It must never delete anything, and never give one thing the name of another.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use crate::store::StoreError;

/// Between the old name and a number.
const MARK: &str = ".broken-";
/// The same for what was whole, and an operator had replaced: no status speaks of it.
const REPLACED: &str = ".replaced-";
/// Things set aside that are found: an operator who does not look for long must not make a status grow.
pub const FOUND_MAX: usize = 32;

/// Renames a damaged file or folder to `NAME.broken-<n>`, durably, and says so in the log. Returns its new name.
///
/// # Errors
/// [`StoreError::Io`].
pub fn set_aside(path: &Path, why: &(dyn std::error::Error + 'static)) -> Result<PathBuf, StoreError> {
    let kept = rename_aside(path)?;
    tracing::error!(error = why, path = %path.display(), kept = %kept.display(), "damaged, and set aside");
    Ok(kept)
}

/// As [`set_aside`], for somebody who knows why.
///
/// # Errors
/// [`StoreError::Io`].
pub fn rename_aside(path: &Path) -> Result<PathBuf, StoreError> {
    rename_with(path, MARK)
}

/// Renames to `NAME.replaced-<n>`, durably, what an operator wants to have anew.
///
/// # Errors
/// [`StoreError::Io`].
pub fn replace(path: &Path) -> Result<PathBuf, StoreError> {
    rename_with(path, REPLACED)
}

fn rename_with(path: &Path, mark: &str) -> Result<PathBuf, StoreError> {
    let kept = free_name(path, mark);
    let folder = kept.parent().unwrap_or(Path::new("."));
    fs::rename(path, &kept)
        .and_then(|()| File::open(folder)?.sync_all())
        .map_err(StoreError::io("setting aside what is damaged"))?;
    Ok(kept)
}

fn free_name(path: &Path, mark: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default();
    let candidates = (1_u64..).map(|number| {
        let mut candidate = name.to_owned();
        candidate.push(format!("{mark}{number}"));
        path.with_file_name(candidate)
    });
    candidates.into_iter().find(|candidate| !candidate.exists()).unwrap_or_else(|| path.to_owned())
}

/// What a name was before it was set aside; none when it was not.
#[must_use]
pub fn name_before(path: &Path) -> Option<PathBuf> {
    let (before, number) = path.file_name()?.to_str()?.rsplit_once(MARK)?;
    let numbered = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    numbered.then(|| path.with_file_name(before))
}

/// What was set aside in a data folder and its folders, by name, at most [`FOUND_MAX`]. What cannot be read is passed
/// over: whoever needs it says so.
#[must_use]
pub fn found(data_dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![(data_dir.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if name_before(&path).is_some() {
                found.push(path);
            } else if depth < DEPTH_MAX && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push((path, depth + 1));
            }
        }
    }
    found.sort();
    found.truncate(FOUND_MAX);
    found
}

/// Folders below the data folder in which something is set aside: `roster/proposals` is the deepest.
const DEPTH_MAX: u32 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_aside_is_kept_and_found_and_nothing_takes_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("roster/proposals");
        fs::create_dir_all(&deep).unwrap();
        let path = deep.join("x.pem");
        let mut kept = Vec::new();
        for text in ["one", "two"] {
            fs::write(&path, text).unwrap();
            let aside = set_aside(&path, &std::io::Error::other("a test")).unwrap();
            assert_eq!((fs::read_to_string(&aside).unwrap().as_str(), path.exists()), (text, false));
            assert_eq!(name_before(&aside), Some(path.clone()));
            kept.push(aside);
        }
        fs::write(deep.join("x.broken-"), "no number").unwrap();
        assert_eq!(found(dir.path()), kept);
    }

    #[test]
    fn a_thousand_things_set_aside_are_not_all_listed() {
        let dir = tempfile::tempdir().unwrap();
        (0..1_000).for_each(|n| fs::write(dir.path().join(format!("x.broken-{n}")), "").unwrap());
        assert_eq!(found(dir.path()).len(), FOUND_MAX);
    }
}
