//! Opens what a node keeps, and sets aside what is broken.
//!
//! A store that cannot be opened, fails its check or broke while running is renamed, never deleted, and a new one
//! is begun: own entries come back from the journal, others' from the peers. Of a damaged journal the segments from the
//! damage on are renamed too, after a note that makes this start unsure: what they held comes back from the store, from
//! what of them can still be read, and from the peers.

use std::{fs, io, path::Path, sync::Arc};

use wego_ledger::roster::History;
use wego_proto::id::Origin;

use crate::{
    clock::now_ms,
    config::Config,
    engine,
    records::Records,
    search::Search,
    store::{
        Arrived, DiskGuard, EntryStore, HeadLock, Journal, LockedHead, Projection, RosterFiles, SledStore,
        Space, StoreError, anchor::Anchor, aside, journal::Salvage, set_aside,
    },
};

/// Folders in the data folder.
const JOURNAL_DIR: &str = "journal";
const STORE_DIR: &str = "store";
const RECORDS_DIR: &str = "records";
const SEARCH_DIR: &str = "search";
/// Left by a node whose store broke while it ran.
const BROKEN_MARK: &str = "store.broken";
/// Entries applied to a projection at once.
const REINDEX_BATCH: usize = 512;

/// What a node keeps.
pub struct Stores {
    /// The own log's head.
    pub lock: Box<dyn HeadLock>,
    /// All entries.
    pub store: Arc<dyn EntryStore>,
    /// The roster's versions.
    pub rosters: RosterFiles,
    /// What each record is.
    pub records: Arc<Records>,
    /// The index.
    pub search: Arc<Search>,
    /// The disk guard.
    pub space: Arc<dyn Space>,
}

impl std::fmt::Debug for Stores {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stores")
    }
}

impl Stores {
    /// Opens everything; what is damaged is set aside, and begun anew.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process works there; [`StoreError::OtherOrigin`].
    pub fn open(config: &Config, me: Origin, rosters: RosterFiles) -> Result<Self, StoreError> {
        let data = &config.node.data_dir;
        let space: Arc<dyn Space> = Arc::new(DiskGuard::open(data, config.store.reserve_bytes)?);
        // First, because its lock keeps a second process away from everything else.
        let mut doubt = || Anchor::of(data).mark_incomplete();
        let lock = Journal::open_mended(&data.join(JOURNAL_DIR), me, space.clone(), &mut doubt)?;
        let store = Arc::new(open_or_renew(config, &space)?);
        let records = Arc::new(Records::open(&data.join(RECORDS_DIR), store.lineage(), space.as_ref())?);
        let search = Search::open(&data.join(SEARCH_DIR), store.lineage(), config.store.index_memory_bytes)?;
        Ok(Self { lock: Box::new(lock), store, rosters, records, search: Arc::new(search), space })
    }

    /// Takes what can be had again of the own log when its journal was damaged, before the peers are asked for the rest.
    ///
    /// # Errors
    /// [`StoreError`]; what was taken stays.
    pub(super) fn salvage(
        &mut self,
        config: &Config,
        me: Origin,
        roster: &History,
    ) -> Result<(), StoreError> {
        if !Anchor::of(&config.node.data_dir).is_incomplete() {
            return Ok(());
        }
        let entries = Salvage::of(&config.node.data_dir.join(JOURNAL_DIR))?;
        let salvaged = engine::salvage_own(self.lock.as_mut(), self.store.as_ref(), me, roster, entries)?;
        tracing::warn!(
            salvaged,
            "the journal was damaged: the own log is put together from it, the store and the peers, and goes on in a \
             new epoch"
        );
        Ok(())
    }
}

/// Begins an empty journal and an empty store: for a restore, which fills them.
///
/// # Errors
/// [`StoreError::Locked`] when another process works there; those of the file system.
pub(super) fn begin(config: &Config, me: Origin) -> Result<(Journal, SledStore), StoreError> {
    let data = &config.node.data_dir;
    let space: Arc<dyn Space> = Arc::new(DiskGuard::open(data, config.store.reserve_bytes)?);
    let lock = Journal::open(&data.join(JOURNAL_DIR), me, space.clone())?;
    Ok((lock, SledStore::open(&data.join(STORE_DIR), config.store.cache_bytes, space)?))
}

fn open_or_renew(config: &Config, space: &Arc<dyn Space>) -> Result<SledStore, StoreError> {
    let (dir, mark) = (config.node.data_dir.join(STORE_DIR), config.node.data_dir.join(BROKEN_MARK));
    let open = || SledStore::open(&dir, config.store.cache_bytes, space.clone());
    let broken = if mark.exists() {
        Some(StoreError::Corrupt { what: "store" })
    } else {
        match open().and_then(|store| store.check().map(|()| store)) {
            Ok(store) => return Ok(store),
            Err(error) if error.is_corrupt() => Some(error),
            Err(error) => return Err(error),
        }
    };
    if let Some(error) = broken.filter(|_| dir.exists()) {
        set_aside(&dir, &error)?;
        tracing::error!("a new store is filled from the journal and the peers");
    }
    match fs::remove_file(&mark) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(StoreError::Io { what: "removing the mark of a broken store", source })
        }
        _ => open(),
    }
}

/// Leaves word for the next start that the store is broken.
///
/// # Errors
/// Those of the file system.
pub fn mark_broken(data_dir: &Path) -> io::Result<()> {
    fs::File::create(data_dir.join(BROKEN_MARK))?.sync_all()
}

/// The own log's head, of a stopped node.
///
/// # Errors
/// [`StoreError::Locked`] while the node runs.
pub fn own_head(config: &Config, me: Origin) -> Result<Option<LockedHead>, StoreError> {
    let data = &config.node.data_dir;
    let space: Arc<dyn Space> = Arc::new(DiskGuard::open(data, config.store.reserve_bytes)?);
    Journal::open(&data.join(JOURNAL_DIR), me, space)?.load()
}

/// What a rebuild did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuilt {
    /// Where the old store is kept; none when there was none.
    pub kept: Option<std::path::PathBuf>,
    /// Own entries put again.
    pub own_entries: u64,
}

/// Sets the store aside and begins a new one with the own log from the journal; the peers give the rest once the
/// node runs.
///
/// # Errors
/// [`StoreError::Locked`] while the node runs.
pub fn rebuild(config: &Config, me: Origin, roster: &History) -> Result<Rebuilt, StoreError> {
    let data = &config.node.data_dir;
    let space: Arc<dyn Space> = Arc::new(DiskGuard::open(data, config.store.reserve_bytes)?);
    let mut lock = Journal::open(&data.join(JOURNAL_DIR), me, space.clone())?;
    let dir = data.join(STORE_DIR);
    let kept = if dir.exists() { Some(aside::replace(&dir)?) } else { None };
    let store = SledStore::open(&dir, config.store.cache_bytes, space)?;
    engine::restore_own(&mut lock, &store, me, roster)?;
    store.sync()?;
    Ok(Rebuilt { kept, own_entries: store.cursor().0 })
}

/// Builds both projections anew from the store. `progress` hears entries done and entries in all.
///
/// # Errors
/// [`StoreError::Locked`] while the node runs.
pub fn reindex(config: &Config, me: Origin, progress: &mut dyn FnMut(u64, u64)) -> Result<u64, StoreError> {
    let data = &config.node.data_dir;
    let space: Arc<dyn Space> = Arc::new(DiskGuard::open(data, config.store.reserve_bytes)?);
    let _lock = Journal::open(&data.join(JOURNAL_DIR), me, space.clone())?;
    let store = SledStore::open(&data.join(STORE_DIR), config.store.cache_bytes, space.clone())?;
    let records = Records::open(&data.join(RECORDS_DIR), store.lineage(), space.as_ref())?;
    let search = Search::open(&data.join(SEARCH_DIR), store.lineage(), config.store.index_memory_bytes)?;
    let total = store.cursor().0;
    let projections: [&dyn Projection; 2] = [&records, &search];
    for (done, projection) in (0..).zip(projections) {
        projection.wipe()?;
        loop {
            let (entries, next) = store.tail(projection.next_cursor()?, REINDEX_BATCH)?;
            if entries.is_empty() {
                break;
            }
            projection.apply(&Arrived::read(entries, now_ms()), next)?;
            progress(done * total + next.0, 2 * total);
        }
        projection.settle()?;
    }
    records.flush()?;
    Ok(total)
}
