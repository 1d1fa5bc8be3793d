//! Fetching a backup from a node into a file.
//!
//! The file gets its name only when it is whole, checked and durable; whatever goes wrong before, nothing is there
//! under that name.

use std::{
    fs::{self, File, OpenOptions},
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use wego_proto::v1;

use super::{Against, Checked, check};
use crate::{client::Node, context::Context, error::Failure};

/// Fetches a backup into `path`, which must not exist.
pub(crate) async fn fetch(path: &Path, node: &Node, cx: &Context) -> Result<Checked, Failure> {
    if path.exists() {
        return Err(exists(path));
    }
    let mut unfinished = Unfinished::create(path)?;
    receive(&mut unfinished, node, cx).await?;
    // What is on the disk is checked, not what came over the network.
    let checked = check(&unfinished.path, Against::default(), cx.progress("checking")).await?;
    unfinished.finish(path)?;
    Ok(checked)
}

async fn receive(unfinished: &mut Unfinished, node: &Node, cx: &Context) -> Result<(), Failure> {
    let doing = "make a backup";
    let mut client = node.backups();
    let mut pieces = node.ask(doing, client.create(v1::CreateBackupRequest {})).await?;
    let bar = cx.progress("receiving");
    while let Some(piece) = node.next(doing, &mut pieces).await? {
        unfinished.write(&piece.data)?;
        bar.set_length(piece.entries_total);
        bar.set_position(piece.entries_done);
    }
    bar.finish_and_clear();
    unfinished.sync()
}

/// A file that has not got its name yet; removed when it does not get it.
struct Unfinished {
    path: PathBuf,
    file: File,
}

impl Unfinished {
    fn create(path: &Path) -> Result<Self, Failure> {
        let folder = folder_of(path);
        fs::create_dir_all(folder).map_err(|error| Failure::of_file("make", folder, error))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let beside = folder.join(format!(".{name}.{}.unfinished", std::process::id()));
        let mut options = OpenOptions::new();
        // It holds all that the node holds, also what is not public yet at the portal.
        let file = options.write(true).create_new(true).mode(0o600).open(&beside);
        let file = file.map_err(|error| Failure::of_file("write", &beside, error))?;
        Ok(Self { path: beside, file })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.file.write_all(bytes).map_err(|error| Failure::of_file("write", &self.path, error))
    }

    fn sync(&self) -> Result<(), Failure> {
        self.file.sync_all().map_err(|error| Failure::of_file("write", &self.path, error))
    }

    /// Gives the file its name, durably.
    fn finish(&self, path: &Path) -> Result<(), Failure> {
        if path.exists() {
            return Err(exists(path));
        }
        let named = fs::rename(&self.path, path);
        let durable = named.and_then(|()| File::open(folder_of(path))?.sync_all());
        durable.map_err(|error| Failure::of_file("write", path, error))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Gone already when it got its name.
        let _ = fs::remove_file(&self.path);
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn exists(path: &Path) -> Failure {
    Failure::conflict(
        format!("{} exists already", path.display()),
        "choose another name: a backup is never overwritten",
    )
}
