//! `wego.v1.Backups`: a backup, streamed to whoever keeps it.

use std::{fs, io, path::PathBuf, pin::Pin, sync::Arc};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_stream::Stream;
use tonic::{Request, Response, Status};
use wego_proto::{
    backup::{PEERS_FILE, WriteError},
    causes::with_causes,
    v1::{self, backups_server::Backups},
};

use super::{Deed, blocking, status};
use crate::{
    clock::now_ms,
    engine::{
        Engine,
        backup::{BackupError, BackupPieces},
    },
    keys::{self, LOG_KEY},
    store::EntryStore,
};

/// Backups written at once: each reads everything there is.
const BACKUPS_MAX: usize = 1;

/// What backups are made from.
#[derive(Clone)]
pub struct BackupDoor {
    engine: Engine,
    store: Arc<dyn EntryStore>,
    keys_dir: PathBuf,
    data_dir: PathBuf,
    under_way: Arc<Semaphore>,
}

impl std::fmt::Debug for BackupDoor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BackupDoor").field("data_dir", &self.data_dir).finish_non_exhaustive()
    }
}

impl BackupDoor {
    /// The key that signs is read from `keys_dir` for each backup, the pinned peers from `data_dir`.
    #[must_use]
    pub fn new(engine: Engine, store: Arc<dyn EntryStore>, keys_dir: PathBuf, data_dir: PathBuf) -> Self {
        let under_way = Arc::new(Semaphore::new(BACKUPS_MAX));
        Self { engine, store, keys_dir, data_dir, under_way }
    }

    /// Begins a backup, with what keeps another one from beginning.
    async fn under_way(&self) -> Result<(BackupPieces, OwnedSemaphorePermit), Status> {
        let permit = self.under_way.clone().try_acquire_owned().map_err(|_| {
            Status::resource_exhausted("another backup is under way; hint: try again when it is done")
        })?;
        let door = self.clone();
        Ok((blocking(move || door.begin()).await?, permit))
    }

    fn begin(&self) -> Result<BackupPieces, Status> {
        let key = keys::read_secret_key(&self.keys_dir.join(LOG_KEY));
        let key = key.map_err(|error| {
            Status::internal(format!(
                "the log key cannot be read: {}; hint: {}",
                with_causes(&error),
                error.hint()
            ))
        })?;
        let files = self.files().map_err(|error| {
            Status::internal(format!("{PEERS_FILE} cannot be read: {error}; hint: see the data folder"))
        })?;
        BackupPieces::begin(&self.engine, self.store.clone(), key, files, now_ms()).map_err(|e| refused(&e))
    }

    fn files(&self) -> io::Result<Vec<v1::BackupFile>> {
        match fs::read(self.data_dir.join(PEERS_FILE)) {
            Ok(content) => Ok(vec![v1::BackupFile { name: PEERS_FILE.to_owned(), content }]),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

#[tonic::async_trait]
impl Backups for BackupDoor {
    type CreateStream = Pin<Box<dyn Stream<Item = Result<v1::BackupPiece, Status>> + Send>>;

    async fn create(
        &self,
        request: Request<v1::CreateBackupRequest>,
    ) -> Result<Response<Self::CreateStream>, Status> {
        // Held by the stream, which drops it before its end when the client is gone.
        let watch = Deed::begin(&request).await?;
        let (pieces, permit) = match self.under_way().await {
            Ok(under_way) => under_way,
            Err(status) => {
                watch.end(Some(&status)).await?;
                return Err(status);
            }
        };
        tracing::info!("backup begun");
        let state = (pieces, permit, watch);
        // The client pulls: nothing is read before it took what was read before.
        let stream = futures_util::stream::try_unfold(state, |(mut pieces, permit, watch)| async move {
            let next = blocking(move || {
                let piece = pieces.next_piece().map_err(|error| refused(&error))?;
                Ok(piece.map(|piece| (piece, pieces)))
            });
            match next.await {
                Ok(Some((piece, pieces))) => Ok(Some((piece, (pieces, permit, watch)))),
                Ok(None) => watch.end(None).await.map(|()| None),
                Err(status) => {
                    watch.end(Some(&status)).await?;
                    Err(status)
                }
            }
        });
        Ok(Response::new(Box::pin(stream)))
    }
}

fn refused(error: &BackupError) -> Status {
    let said = with_causes(error);
    tracing::warn!(error = said, "backup not finished");
    match error {
        BackupError::Stopping => Status::unavailable("the node is stopping; hint: try again when it runs"),
        BackupError::Missing { .. } => Status::failed_precondition(format!(
            "{said}; hint: see `wego status`; when it is well, try again"
        )),
        BackupError::Store(error) if error.is_corrupt() => Status::data_loss(format!(
            "{said}; hint: run wego-node rebuild-store, which fetches a good copy from the peers"
        )),
        BackupError::Store(error) => status::store(error),
        BackupError::Write(WriteError::Io(_)) => Status::internal(said),
        BackupError::Write(WriteError::Fault(_)) => Status::data_loss(format!(
            "{said}; hint: run wego-node rebuild-store, which fetches a good copy from the peers"
        )),
    }
}
