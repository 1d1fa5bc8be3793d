//! Starting and stopping the engine's threads: the one that owns everything, and the eraser.
//!
//! Erasures under way are finished before the engine takes anything in; what was stored last is applied before it ends.

use std::{sync::Arc, thread};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    Commands, Engine, PEER_QUEUE_MAX, Parts, applied, backup, bell, erasure, governance, orders, worker,
};
use crate::store::{SharedLock, StoreError};

/// The engine's threads; to be joined.
#[derive(Debug)]
pub struct Running {
    /// The handle.
    pub engine: Engine,
    thread: thread::JoinHandle<()>,
    eraser: erasure::ErasingThread,
    bell: Arc<bell::Bell>,
}

impl Running {
    /// Puts the own log's entries that the store lacks, finishes the erasures under way, and starts the threads.
    ///
    /// # Errors
    /// [`StoreError`] when what is durable cannot be read or put again.
    pub fn start(mut parts: Parts) -> Result<Self, StoreError> {
        let lock = SharedLock::new(parts.lock);
        parts.lock = Box::new(lock.clone());
        let (store, bell) = (parts.store.clone(), parts.bell.clone());
        let projections = parts.projections.clone();
        let (me, takedowns) =
            (parts.start.me.origin, parts.start.roster.current().content().takedowns.clone());
        let done = Arc::default();
        let watch = applied::Watch::new(&projections, Arc::clone(&done));
        let (writes, waiting) = mpsc::channel(parts.writes_max);
        let (peers, from_peers) = mpsc::channel(PEER_QUEUE_MAX);
        let (questions, asked) = mpsc::channel(backup::QUESTIONS_MAX);
        let (orders, ordered) = mpsc::channel(orders::ORDERS_MAX);
        let (submits, submitted) = mpsc::channel(governance::SUBMITS_MAX);
        let stop = CancellationToken::new();
        let commands = Commands {
            writes: waiting,
            peers: from_peers,
            questions: asked,
            orders: ordered,
            submits: submitted,
            stop: stop.clone(),
        };
        let worker = worker::Worker::new(parts, watch)?;
        let mut eraser = erasure::Eraser { me, store, lock, projections, done };
        eraser.begin(&takedowns)?;
        let view = worker.view();
        let thread = thread::Builder::new()
            .name("engine".to_owned())
            .spawn(move || worker.run(commands))
            .map_err(|source| StoreError::Io { what: "starting the engine's thread", source })?;
        let eraser = eraser.start(bell.clone(), view.clone())?;
        let engine = Engine { writes, peers, questions, orders, submits, stop, view };
        Ok(Self { engine, thread, eraser, bell })
    }

    /// Finishes what waits and stops.
    pub async fn stop(self) {
        self.engine.stop.cancel();
        let joined = tokio::task::spawn_blocking(move || {
            let joined = self.thread.join();
            // What was stored last is applied by the followers before they stop as well.
            self.bell.stop();
            self.eraser.join();
            joined
        })
        .await;
        if !matches!(joined, Ok(Ok(()))) {
            tracing::error!("the engine's thread ended by a panic");
        }
    }
}
