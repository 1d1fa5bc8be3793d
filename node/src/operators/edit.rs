//! Changes to the text of an operators file that leave people's comments where they are.
//!
//! Every result was parsed again before it is given back: an edit can fail, never damage.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::{MetadataExt as _, fchown},
    path::{Path, PathBuf},
};

use super::{Operator, Operators, OperatorsError, Role};

const BLOCK: &str = "[[operator]]";

/// `text` with `operator` at its end.
///
/// # Errors
/// [`OperatorsError::Twice`] when its name or key is there already, and whatever [`Operators::parse`] refuses.
pub fn added(text: &str, operator: &Operator) -> Result<String, OperatorsError> {
    let Operator { name, key, role } = operator;
    let gap = if text.is_empty() || text.ends_with("\n\n") { "" } else { "\n" };
    let name = toml::Value::String(name.clone());
    let text = format!("{text}{gap}{BLOCK}\nname = {name}\nkey = \"{key}\"\nrole = \"{role}\"\n");
    Operators::parse(&text)?;
    Ok(text)
}

/// `text` without the operator called `name`.
///
/// # Errors
/// [`OperatorsError::Unknown`], [`OperatorsError::LastAdmin`], [`OperatorsError::Layout`].
pub fn removed(text: &str, name: &str) -> Result<String, OperatorsError> {
    let before = Operators::parse(text)?;
    if !before.iter().any(|operator| operator.name == name) {
        return Err(OperatorsError::Unknown { name: name.to_owned() });
    }
    let block = blocks(text).into_iter().find(|block| {
        Operators::parse(&text[block.clone()]).is_ok_and(|one| one.iter().any(|o| o.name == name))
    });
    let block = block.ok_or(OperatorsError::Layout)?;
    let text = format!("{}{}", &text[..block.start], text[block.end..].trim_start_matches('\n'));
    let after = Operators::parse(&text)?;
    if after.len() + 1 != before.len() {
        return Err(OperatorsError::Layout);
    }
    if !after.iter().any(|operator| operator.role == Role::Admin) {
        return Err(OperatorsError::LastAdmin { name: name.to_owned() });
    }
    Ok(text)
}

/// The file at a path while nobody else changes it: what was read is what is replaced, so that no change is undone by
/// another that began before it.
#[derive(Debug)]
pub struct Editing {
    path: PathBuf,
    text: String,
    /// Locked. The folder, because the file itself is another one after each change.
    folder: File,
}

impl Editing {
    /// Waits until nobody else changes the file, and reads it.
    ///
    /// # Errors
    /// [`OperatorsError::Read`].
    pub fn begin(path: &Path) -> Result<Self, OperatorsError> {
        let begin = || {
            let folder = File::open(folder_of(path))?;
            folder.lock()?;
            Ok(Self { path: path.to_owned(), text: fs::read_to_string(path)?, folder })
        };
        begin().map_err(|source| OperatorsError::Read { path: path.to_owned(), source })
    }

    /// What stands in it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Puts `text` in its place: all of it or nothing, durable on return.
    ///
    /// # Errors
    /// [`OperatorsError::Write`]; the file is as it was.
    pub fn replace(self, text: &str) -> Result<(), OperatorsError> {
        let write = || {
            let mut file = tempfile::NamedTempFile::new_in(folder_of(&self.path))?;
            file.write_all(text.as_bytes())?;
            keep_owner(&self.path, file.as_file())?;
            file.as_file().sync_all()?;
            file.persist(&self.path)?;
            self.folder.sync_all()
        };
        write().map_err(|source| OperatorsError::Write { path: self.path.clone(), source })
    }
}

impl Drop for Editing {
    fn drop(&mut self) {
        // A child that is just being started may have it open still: closing would not be enough.
        let _ = self.folder.unlock();
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Edited by root, the file must still be readable by the node's user.
fn keep_owner(path: &Path, file: &File) -> io::Result<()> {
    let before = match fs::metadata(path) {
        Ok(before) => before,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if before.uid() == file.metadata()?.uid() {
        return Ok(());
    }
    fchown(file, Some(before.uid()), Some(before.gid()))
}

/// Where each block is: from its header to its last line that is neither blank nor a comment.
fn blocks(text: &str) -> Vec<std::ops::Range<usize>> {
    let mut blocks: Vec<std::ops::Range<usize>> = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let end = at + line.len();
        let content = line.trim();
        if content == BLOCK {
            blocks.push(at..end);
        } else if let Some(block) = blocks.last_mut()
            && !content.is_empty()
            && !content.starts_with('#')
        {
            block.end = end;
        }
        at = end;
    }
    blocks
}
