//! A file system of 64 MiB for tests that fill it.
//!
//! It must never be assumed: where mounting is not permitted a test says that it was skipped.

use std::{
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

/// Which file system.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) enum Kind {
    Tmpfs,
    Ext4,
}

impl Kind {
    pub(in crate::store) const ALL: [Self; 2] = [Self::Tmpfs, Self::Ext4];
}

/// Mounted until dropped.
#[derive(Debug)]
pub(in crate::store) struct SmallDisk {
    root: PathBuf,
    _dir: TempDir,
}

impl SmallDisk {
    const MIB: u64 = 64;

    /// Mounts one, or prints why the test is skipped.
    pub(in crate::store) fn mount(kind: Kind) -> Option<Self> {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let root = dir.path().join("disk");
        std::fs::create_dir(&root).expect("a mount point");
        let mounted = match kind {
            Kind::Tmpfs => {
                succeeds(Command::new("mount").args(["-t", "tmpfs", "-o", "size=64m", "none"]).arg(&root))
            }
            Kind::Ext4 => {
                let image = dir.path().join("image");
                let file = File::create(&image).expect("an image");
                file.set_len(Self::MIB * 1_024 * 1_024).expect("a sparse image");
                succeeds(Command::new("mkfs.ext4").arg("-q").arg(&image))
                    && succeeds(Command::new("mount").args(["-o", "loop"]).arg(&image).arg(&root))
            }
        };
        if !mounted {
            println!("skipped: mounting a small {kind:?} is not permitted here");
            return None;
        }
        Some(Self { root, _dir: dir })
    }

    pub(in crate::store) fn path(&self) -> &Path {
        &self.root
    }

    /// Fills all the space there is with a file and returns its path.
    pub(in crate::store) fn fill(&self, name: &str) -> PathBuf {
        let path = self.root.join(name);
        let mut file = File::create(&path).expect("a filler");
        // Twice: flushing gives blocks back that were set apart for metadata.
        for block in [1_024 * 1_024, 4_096, 4_096] {
            let zeros = vec![0; block];
            while file.write_all(&zeros).is_ok() {}
            let _full = file.sync_data();
        }
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        succeeds(Command::new("umount").arg("-l").arg(&self.root));
    }
}

fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}
