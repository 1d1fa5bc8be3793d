//! Where the own log was written last, as far as a folder can tell: what shows that it is a copy, or was put back.
//!
//! The problem: a copied folder looks like the original. The rule: the folder remembers which folder it is (device and
//! inode), since which start of the machine it was written, and when the file that says so was. That goes for what was
//! signed here and for the note that the key has never signed: two copies of a new folder would both believe it. Where it
//! does not fit any more, or a restore left a fence, the own log's copy is not trusted. It must never say that a copy is
//! sound because nothing speaks against it.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::store::{StoreError, aside::set_aside, fence::FENCE_FILE as FENCE};

/// File of the last anchor in the data folder.
const ANCHOR: &str = "anchor.toml";
/// Says that this folder's key has never signed; made with the key, removed before the first entry.
const UNSIGNED: &str = "unsigned";
/// Begins it.
const UNSIGNED_TEXT: &str =
    "# The log key of this folder has never signed anything. The node removes this file.\n";
/// Says that the operator wants to go on without asking anybody; removed when it was done.
const ALONE: &str = "alone";
/// Says that the own log's journal was damaged; removed when the log goes on in a new epoch.
const INCOMPLETE: &str = "incomplete";
const INCOMPLETE_TEXT: &str = "\
The own log's journal was damaged, so its newest entries may be missing here. Until the node has opened a new epoch it
signs nothing, and it removes this file then. Never remove it by hand.
";

/// The anchor's file is changed last when it is written: within this time, in ms, also on a slow disk.
const WRITTEN_WITHIN_MS: u64 = 10_000;

/// The anchor of a data folder.
#[derive(Debug, Clone)]
pub struct Anchor {
    dir: PathBuf,
}

/// What a folder says of the own log's copy in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Copy {
    /// It is where it was written last. With the start of the process that wrote it.
    Sound(Option<LastStart>),
    /// It may be old, a copy, or incomplete. Why, for the node's log.
    Unsure(&'static str),
    /// The operator wants to go on without asking anybody.
    Alone,
}

/// A start of the process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastStart {
    /// Its id, hexadecimal.
    pub run: String,
    /// When, by the member's clock, ms since 1970.
    pub started_ms: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Written {
    last: LastStart,
    #[serde(flatten)]
    place: Place,
}

/// Where and when a file of the folder was written.
#[derive(Debug, Serialize, Deserialize)]
struct Place {
    boot: String,
    device: u64,
    inode: u64,
    written_ms: u64,
}

impl Place {
    fn of(dir: &Path, written_ms: u64) -> io::Result<Self> {
        let meta = fs::metadata(dir)?;
        Ok(Self { boot: boot_id(), device: meta.dev(), inode: meta.ino(), written_ms })
    }

    /// What shows that the file, which says this of itself, was not written where it is.
    fn doubt(&self, file: &Path) -> io::Result<Option<&'static str>> {
        let dir = file.parent().unwrap_or(Path::new("."));
        let here = Self::of(dir, changed_ms(file)?)?;
        Ok(if (self.device, self.inode) != (here.device, here.inode) {
            Some("its folder is another one than the one it was written in")
        } else if self.written_ms.abs_diff(here.written_ms) > WRITTEN_WITHIN_MS {
            // The time of a file's last change is the system's own, so a copy cannot have that of the original.
            Some("its files were put there later than they were written")
        } else if self.boot != here.boot {
            Some("the machine was started anew since it was written")
        } else {
            None
        })
    }
}

impl Anchor {
    /// The anchor in this data folder.
    #[must_use]
    pub fn of(data_dir: &Path) -> Self {
        Self { dir: data_dir.to_owned() }
    }

    /// Notes that the key of a new member has never signed, in this folder, which may be renamed. Durable on return.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn mark_unsigned(&self) -> io::Result<()> {
        // Written first without a place, which fits nowhere: the file system says when that was, by its own clock.
        self.write(UNSIGNED, UNSIGNED_TEXT)?;
        let place = Place::of(&self.dir, changed_ms(&self.dir.join(UNSIGNED))?)?;
        let place = toml::to_string(&place).map_err(io::Error::other)?;
        self.write(UNSIGNED, &format!("{UNSIGNED_TEXT}{place}"))
    }

    /// Notes that the operator wants to go on without asking anybody. Durable on return.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn mark_alone(&self, why: &str) -> io::Result<()> {
        self.write(ALONE, why)
    }

    /// Notes that the own log may be incomplete here, before anything of it is set aside. Durable on return.
    ///
    /// # Errors
    /// Those of the file system; nothing may be set aside then.
    pub fn mark_incomplete(&self) -> io::Result<()> {
        self.write(INCOMPLETE, INCOMPLETE_TEXT)
    }

    /// Whether the own log may be incomplete here because its journal was damaged.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        self.exists(INCOMPLETE)
    }

    /// Sets aside what of it is damaged. Without it the copy is unsure.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn mend(&self) -> Result<(), StoreError> {
        let text = |name| read(&self.dir.join(name)).map_err(StoreError::io("reading the anchor"));
        let anchor = text(ANCHOR)?.and_then(|text| toml::from_str::<Written>(&text).err());
        // One that was never finished says nothing of a place.
        let unsigned = text(UNSIGNED)?.filter(|text| text != UNSIGNED_TEXT);
        let unsigned = unsigned.and_then(|text| toml::from_str::<Place>(&text).err());
        for (name, damage) in [(ANCHOR, anchor), (UNSIGNED, unsigned)] {
            if let Some(error) = damage {
                set_aside(&self.dir.join(name), &error)?;
            }
        }
        Ok(())
    }

    /// Judges the copy. `empty` says whether it holds no own entries.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn judge(&self, empty: bool) -> Result<Copy, StoreError> {
        let failed = StoreError::io("reading the anchor");
        if self.exists(ALONE) {
            return Ok(Copy::Alone);
        }
        if self.exists(FENCE) {
            return Ok(Copy::Unsure("it came from a backup"));
        }
        if self.exists(INCOMPLETE) {
            return Ok(Copy::Unsure("its journal was damaged"));
        }
        if self.exists(UNSIGNED) {
            return self.judge_unsigned(empty).map_err(failed);
        }
        let path = self.dir.join(ANCHOR);
        let text = match read(&path) {
            Ok(Some(text)) => text,
            Ok(None) => return Ok(Copy::Unsure("nothing says where it was written last")),
            Err(error) => return Err(failed(error)),
        };
        let Ok(written) = toml::from_str::<Written>(&text) else {
            return Ok(Copy::Unsure("what says where it was written last is damaged"));
        };
        let doubt = written.place.doubt(&path).map_err(failed)?;
        Ok(doubt.map_or(Copy::Sound(Some(written.last)), Copy::Unsure))
    }

    fn judge_unsigned(&self, empty: bool) -> io::Result<Copy> {
        if !empty {
            return Ok(Copy::Unsure("its key has signed, and the folder says that it has not"));
        }
        let path = self.dir.join(UNSIGNED);
        let Ok(place) = toml::from_str::<Place>(&read(&path)?.unwrap_or_default()) else {
            return Ok(Copy::Unsure("what says that its key has never signed is damaged"));
        };
        Ok(place.doubt(&path)?.map_or(Copy::Sound(None), Copy::Unsure))
    }

    /// The last start that the folder knows of, whether it is sound or not.
    #[must_use]
    pub fn last_start(&self) -> Option<LastStart> {
        let text = read(&self.dir.join(ANCHOR)).ok()??;
        toml::from_str::<Written>(&text).ok().map(|written| written.last)
    }

    /// Notes that the own log is written here from now on, by this start, and takes back what spoke against it. Durable
    /// on return.
    ///
    /// # Errors
    /// Those of the file system; nothing may be signed then.
    pub fn set(&self, last: &LastStart, now_ms: u64) -> io::Result<()> {
        let written = Written { last: last.clone(), place: Place::of(&self.dir, now_ms)? };
        self.write(ANCHOR, &toml::to_string(&written).map_err(io::Error::other)?)?;
        for mark in [UNSIGNED, ALONE, FENCE, INCOMPLETE] {
            match fs::remove_file(self.dir.join(mark)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        File::open(&self.dir)?.sync_all()
    }

    fn exists(&self, name: &str) -> bool {
        self.dir.join(name).exists()
    }

    fn write(&self, name: &str, text: &str) -> io::Result<()> {
        fs::create_dir_all(&self.dir)?;
        let (path, unfinished) = (self.dir.join(name), self.dir.join(format!("{name}.unfinished")));
        let mut options = File::options();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&unfinished, &path)?;
        File::open(&self.dir)?.sync_all()
    }
}

/// A file's text; none when there is no file. A byte that is no text is damage like any other.
fn read(path: &Path) -> io::Result<Option<String>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// When the system says that a file was changed last, ms since 1970.
fn changed_ms(path: &Path) -> io::Result<u64> {
    let meta = fs::metadata(path)?;
    Ok(u64::try_from(meta.ctime()).unwrap_or(0) * 1_000
        + u64::try_from(meta.ctime_nsec()).unwrap_or(0) / 1_000_000)
}

/// Names this start of the machine; empty where the system does not tell.
fn boot_id() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now_ms() -> u64 {
        crate::clock::now_ms()
    }

    fn last(started_ms: u64) -> LastStart {
        LastStart { run: "aa".repeat(16), started_ms }
    }

    #[test]
    fn a_folder_is_sound_where_it_was_written_and_a_copy_of_it_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (original, copy) = (folder.path().join("data"), folder.path().join("copy"));
        let anchor = Anchor::of(&original);
        anchor.mark_unsigned().unwrap();
        assert_eq!(anchor.judge(true).unwrap(), Copy::Sound(None));
        assert!(matches!(anchor.judge(false).unwrap(), Copy::Unsure(_)), "there are entries");
        anchor.set(&last(7), now_ms()).unwrap();
        assert_eq!(anchor.judge(true).unwrap(), Copy::Sound(Some(last(7))));
        fs::create_dir(&copy).unwrap();
        fs::copy(original.join(ANCHOR), copy.join(ANCHOR)).unwrap();
        let copied = Anchor::of(&copy);
        assert!(matches!(copied.judge(false).unwrap(), Copy::Unsure(_)));
        assert_eq!(copied.last_start(), Some(last(7)));
    }

    #[test]
    fn a_new_folder_is_sound_where_it_was_made_and_a_copy_of_it_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (beside, place) = (folder.path().join("beside"), folder.path().join("place"));
        Anchor::of(&beside.join("data")).mark_unsigned().unwrap();
        fs::rename(&beside, &place).unwrap();
        let original = place.join("data");
        assert_eq!(Anchor::of(&original).judge(true).unwrap(), Copy::Sound(None), "renamed as a whole");
        let copy = folder.path().join("copy");
        fs::create_dir(&copy).unwrap();
        fs::copy(original.join(UNSIGNED), copy.join(UNSIGNED)).unwrap();
        assert!(matches!(Anchor::of(&copy).judge(true).unwrap(), Copy::Unsure(_)));
        let here = || Place::of(&original, now_ms()).unwrap();
        let elsewhere = [
            Place { boot: "another".to_owned(), ..here() },
            Place { written_ms: now_ms() - 3_600_000, ..here() },
            Place { inode: here().inode + 1, ..here() },
        ];
        for place in elsewhere {
            fs::write(original.join(UNSIGNED), toml::to_string(&place).unwrap()).unwrap();
            assert!(matches!(Anchor::of(&original).judge(true).unwrap(), Copy::Unsure(_)), "{place:?}");
        }
        fs::write(original.join(UNSIGNED), UNSIGNED_TEXT).unwrap();
        assert!(matches!(Anchor::of(&original).judge(true).unwrap(), Copy::Unsure(_)), "it names no place");
    }

    #[test]
    fn files_put_there_later_than_they_were_written_are_not_sound() {
        let folder = tempfile::tempdir().unwrap();
        let anchor = Anchor::of(folder.path());
        anchor.set(&last(1), now_ms() - 3_600_000).unwrap();
        assert!(matches!(anchor.judge(false).unwrap(), Copy::Unsure(_)));
    }

    #[test]
    fn nothing_and_damage_are_not_taken_for_sound() {
        let folder = tempfile::tempdir().unwrap();
        let anchor = Anchor::of(folder.path());
        assert!(matches!(anchor.judge(true).unwrap(), Copy::Unsure(_)));
        fs::write(folder.path().join(ANCHOR), "boot = 3").unwrap();
        assert!(matches!(anchor.judge(true).unwrap(), Copy::Unsure(_)));
    }

    #[test]
    fn a_fence_and_the_operators_word_hold_until_the_log_is_anchored() {
        let folder = tempfile::tempdir().unwrap();
        let anchor = Anchor::of(folder.path());
        anchor.set(&last(1), now_ms()).unwrap();
        fs::write(folder.path().join(FENCE), "").unwrap();
        assert!(matches!(anchor.judge(false).unwrap(), Copy::Unsure(_)));
        anchor.mark_alone("disk lost, nobody reachable").unwrap();
        assert_eq!(anchor.judge(false).unwrap(), Copy::Alone);
        anchor.set(&last(2), now_ms()).unwrap();
        assert_eq!(anchor.judge(false).unwrap(), Copy::Sound(Some(last(2))));
    }
}
