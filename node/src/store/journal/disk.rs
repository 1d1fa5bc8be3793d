//! The few steps by which the journal changes the disk, so that a test can fail each of them.
//!
//! It must never decide anything: what a failed step means is the journal's business.

use std::{
    fmt,
    fs::{File, OpenOptions},
    io,
    os::unix::fs::FileExt as _,
    path::Path,
};

/// A place where files are made durable.
pub(super) trait Disk: Send + fmt::Debug {
    /// Creates a file that must not exist.
    fn create(&mut self, path: &Path) -> io::Result<File>;
    /// Writes all of `bytes` at `offset`.
    fn write(&mut self, file: &File, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Makes the file's content and length durable.
    fn sync(&mut self, file: &File) -> io::Result<()>;
    /// Cuts the file off.
    fn truncate(&mut self, file: &File, bytes: u64) -> io::Result<()>;
    /// Gives a file the name of another, in its place.
    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file, if there is one.
    fn remove(&mut self, path: &Path) -> io::Result<()>;
    /// Makes the names in a folder durable.
    fn sync_folder(&mut self, dir: &Path) -> io::Result<()>;
}

/// The operating system's.
#[derive(Debug, Clone, Copy)]
pub(super) struct FileSystem;

impl Disk for FileSystem {
    fn create(&mut self, path: &Path) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).create_new(true).open(path)
    }

    fn write(&mut self, file: &File, offset: u64, bytes: &[u8]) -> io::Result<()> {
        file.write_all_at(bytes, offset)
    }

    fn sync(&mut self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    fn truncate(&mut self, file: &File, bytes: u64) -> io::Result<()> {
        file.set_len(bytes)
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    fn sync_folder(&mut self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }
}
