//! From a backup to a data folder, on a machine that has the member's keys.
//!
//! The problem: whoever restores has lost something already, and a folder that is half restored, of somebody else,
//! or taken for the newest would make it worse. The rule: the whole file is checked before anything is written; the
//! fence is the first thing written and says of everything beside it that it is behind; and what was built is
//! compared with what the backup says before the folder counts. It must never touch a folder that holds anything but
//! an interrupted restore.

use std::{
    fs::{self, File},
    io::{BufReader, Write as _},
    path::{Path, PathBuf},
};

use wego_proto::{
    backup::{Item, KnownVersions, Manifest, PEERS_FILE, Reading, Whole},
    entry::Verified,
    id::{Origin, Position},
    roster::Roster,
    v1,
};

use super::{StartError, rosters, stores};
use crate::{
    config::Config,
    keys::{self, LOG_KEY, sync_dir},
    store::{
        EntryStore as _, Fence, HeadLock as _, Heads, Journal, LockedHead, RosterFiles, SledStore,
        fence::{FENCE_FILE, Stage},
    },
};

mod error;

pub use error::RestoreError;

/// Read from the disk at once.
const BUFFER_BYTES: usize = 256 * 1_024;
/// What a file system puts into its own root.
const NOT_OURS: &str = "lost+found";

/// What a restore would do. Nothing was written yet.
#[derive(Debug)]
pub struct Plan {
    /// The backup's file.
    pub from: PathBuf,
    /// What it is of.
    pub manifest: Manifest,
    /// Its newest roster version.
    pub roster: Roster,
    /// Its digest and length: it was checked from its first byte to its last.
    pub whole: Whole,
    /// Where to.
    pub data_dir: PathBuf,
    /// What is there.
    pub target: Target,
}

/// What is in the data folder before a restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Nothing, or no folder.
    Empty,
    /// A restore that was not finished: everything beside its fence is removed.
    Interrupted,
}

/// Refuses a data folder whose restore was not finished. One that was is left to the recovery of the own log.
///
/// # Errors
/// [`StartError::RestoreInterrupted`]: nothing in the folder may be opened.
pub(super) fn is_finished(config: &Config) -> Result<(), StartError> {
    let data_dir = &config.node.data_dir;
    match Fence::stage(data_dir) {
        Ok(Some(Stage::Begun)) => Err(StartError::RestoreInterrupted(data_dir.clone())),
        Err(error) if error.is_corrupt() => Err(StartError::Fence(data_dir.clone(), error)),
        Err(error) => Err(error.into()),
        Ok(_) => Ok(()),
    }
}

/// Checks the whole backup, whether it is this member's, and the data folder. Writes nothing.
///
/// # Errors
/// [`RestoreError`].
pub fn plan(config: &Config, from: &Path) -> Result<Plan, RestoreError> {
    let data_dir = config.node.data_dir.clone();
    let target = target(&data_dir)?;
    let given = rosters::given(config)?;
    let mut known = KnownVersions::of(&given);
    let (mut manifest, mut roster, mut whole) = (None, None, None);
    let mut reading = open(from)?;
    while let Some(item) = reading.next_item()? {
        match item {
            Item::Manifest(found) => manifest = Some(found),
            Item::Roster(version) => {
                known.compare(&version)?;
                roster = Some(version);
            }
            Item::End(end) => whole = Some(end),
            Item::Fork(..) | Item::Entries(_) | Item::File(_) => {}
        }
    }
    known.agree()?;
    let (Some(manifest), Some(roster), Some(whole)) = (manifest, roster, whole) else {
        return Err(RestoreError::Changed { path: from.to_owned() });
    };
    let newest = given.last().filter(|given| given.version() > roster.version()).unwrap_or(&roster);
    is_own(config, &manifest, &whole, newest)?;
    Ok(Plan { from: from.to_owned(), manifest, roster, whole, data_dir, target })
}

fn open(path: &Path) -> Result<Reading<BufReader<File>>, RestoreError> {
    let file = File::open(path).map_err(|source| RestoreError::File { path: path.to_owned(), source })?;
    Ok(Reading::begin(BufReader::with_capacity(BUFFER_BYTES, file))?)
}

/// Whether the folder may be restored into.
fn target(data_dir: &Path) -> Result<Target, RestoreError> {
    if Fence::stage(data_dir)? == Some(Stage::Begun) {
        return Ok(Target::Interrupted);
    }
    let fail = |source| RestoreError::File { path: data_dir.to_owned(), source };
    let entries = match fs::read_dir(data_dir) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Target::Empty),
        entries => entries.map_err(fail)?,
    };
    for entry in entries {
        if entry.map_err(fail)?.file_name() != NOT_OURS {
            return Err(RestoreError::NotEmpty { path: data_dir.to_owned() });
        }
    }
    Ok(Target::Empty)
}

/// Refuses the backup of another member, and keys that are not the member's: `roster` is the newest known.
fn is_own(config: &Config, manifest: &Manifest, whole: &Whole, roster: &Roster) -> Result<(), RestoreError> {
    let handle = &config.node.handle;
    if *handle != manifest.content.handle {
        let found = manifest.content.handle.clone();
        return Err(RestoreError::OtherMember { found, own: handle.clone() });
    }
    let key = keys::read_secret_key(&config.node.keys_dir.join(LOG_KEY))?.public();
    let member = roster.member_by_handle(handle);
    let listed = member.is_some_and(|member| member.log_keys.iter().any(|known| known.key == key));
    // It may have been rotated since: then it is the one that the log had committed to.
    let next = whole.next_log_key == Some(key.digest());
    if !listed && !next && key != manifest.log_key {
        return Err(RestoreError::OtherKey { handle: handle.clone() });
    }
    Ok(())
}

/// A data folder that holds its fence and nothing else, and that nobody else restores into.
#[derive(Debug)]
pub struct Begun<'plan> {
    plan: &'plan Plan,
    fence: Fence,
    /// Locked.
    _folder: File,
}

/// Puts the fence up, and removes what an interrupted restore has left.
///
/// # Errors
/// [`RestoreError`].
pub fn begin(plan: &Plan, now_ms: u64) -> Result<Begun<'_>, RestoreError> {
    let data_dir = &plan.data_dir;
    let io = |source| RestoreError::File { path: data_dir.clone(), source };
    fs::create_dir_all(data_dir).map_err(io)?;
    let folder = File::open(data_dir).map_err(io)?;
    folder.try_lock().map_err(|_| RestoreError::UnderWay { path: data_dir.clone() })?;
    // Again, now that nobody else restores here.
    let found = target(data_dir)?;
    let own_head = plan.manifest.own_head().map(|(at, hash)| LockedHead { at, hash });
    let fence = Fence {
        stage: Stage::Begun,
        restored_at_ms: now_ms,
        backup: plan.whole.digest,
        taken_at_ms: plan.manifest.content.taken_at_ms,
        own_head,
    };
    fence.write(data_dir)?;
    sync_dir(data_dir.parent().unwrap_or(data_dir)).map_err(io)?;
    if found == Target::Interrupted {
        clear(data_dir).map_err(io)?;
    }
    Ok(Begun { plan, fence, _folder: folder })
}

impl Begun<'_> {
    /// Builds the data folder as planned. `progress` hears entries done. On an error the folder is worthless until it is
    /// restored again, and says so to every node that would start in it.
    ///
    /// # Errors
    /// [`RestoreError`].
    pub fn finish(self, config: &Config, progress: &mut dyn FnMut(u64)) -> Result<Fence, RestoreError> {
        let data_dir = &self.plan.data_dir;
        Building::begin(config, self.plan, self.fence.restored_at_ms)?.fill(self.plan, progress)?;
        sync_dir(data_dir).map_err(|source| RestoreError::File { path: data_dir.clone(), source })?;
        let fence = Fence { stage: Stage::Done, ..self.fence };
        fence.write(data_dir)?;
        Ok(fence)
    }
}

/// Removes what an interrupted restore has left beside its fence.
fn clear(data_dir: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(data_dir)? {
        let entry = entry?;
        let name = entry.file_name();
        if name == FENCE_FILE || name == NOT_OURS {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// A data folder that comes to be.
struct Building {
    me: Origin,
    rosters: RosterFiles,
    lock: Journal,
    store: SledStore,
    head: Option<LockedHead>,
    entries: u64,
    /// A backup does not say when its maker first saw an entry; from here on it was seen by now.
    now_ms: u64,
    data_dir: PathBuf,
}

impl Building {
    fn begin(config: &Config, plan: &Plan, now_ms: u64) -> Result<Self, RestoreError> {
        let me = plan.manifest.origin;
        let (lock, store) = stores::begin(config, me)?;
        let rosters = rosters::folder(config)?;
        let data_dir = plan.data_dir.clone();
        Ok(Self { me, rosters, lock, store, head: None, entries: 0, now_ms, data_dir })
    }

    fn fill(mut self, plan: &Plan, progress: &mut dyn FnMut(u64)) -> Result<(), RestoreError> {
        let mut reading = open(&plan.from)?;
        let mut whole = None;
        while let Some(item) = reading.next_item()? {
            match item {
                Item::Manifest(_) => {}
                Item::Roster(version) => self.rosters.append(version.signed())?,
                Item::Fork(origin, epoch, proof) => self.store.put_fork(origin, epoch, &proof)?,
                Item::Entries(run) => self.put(&run)?,
                Item::File(file) => self.file(&file)?,
                Item::End(end) => whole = Some(end),
            }
            progress(self.entries);
        }
        // It was checked once already: the same bytes, or nothing of it counts.
        if whole.as_ref() != Some(&plan.whole) {
            return Err(RestoreError::Changed { path: plan.from.clone() });
        }
        self.store.sync()?;
        self.agree_with(&plan.manifest)
    }

    fn put(&mut self, run: &[Verified]) -> Result<(), RestoreError> {
        if run.first().is_some_and(|first| first.header().origin == self.me) {
            self.head = Some(self.lock.replace(self.head.as_ref(), run)?);
        }
        self.store.put(run, self.now_ms)?;
        self.entries += run.len() as u64;
        Ok(())
    }

    fn file(&self, file: &v1::BackupFile) -> Result<(), RestoreError> {
        // A name that this version does not know is left out: it must not decide where something is written.
        if file.name != PEERS_FILE {
            return Ok(());
        }
        let path = self.data_dir.join(PEERS_FILE);
        let write = || {
            let mut out = File::create(&path)?;
            out.write_all(&file.content)?;
            out.sync_all()
        };
        write().map_err(|source| RestoreError::File { path: path.clone(), source })
    }

    /// What was built is what the backup says.
    fn agree_with(&mut self, manifest: &Manifest) -> Result<(), RestoreError> {
        let row = |(origin, at, hash): &(Origin, Position, _)| ((*origin, at.epoch), (at.seq, *hash));
        let heads: Heads = manifest.heads.iter().map(row).collect();
        let own = manifest.own_head().map(|(at, hash)| LockedHead { at, hash });
        if self.store.heads()? != heads || self.lock.load()? != own {
            return Err(RestoreError::NotAsInBackup);
        }
        Ok(())
    }
}
