//! Moves the bytes of one session: stream to ledger, ledger to stream, answers from the store.

use std::{sync::Arc, time::Duration};

use thiserror::Error;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status, Streaming};
use wego_ledger::{
    limits::{ENTRIES_BYTES, ENTRIES_PER_MESSAGE, ENTRIES_PER_MESSAGE_MAX, MESSAGE_BYTES_MAX},
    reject::Reject,
    session::{ConnId, Side},
    state::{Input, check_counts, verify_entries, verify_receipts, verify_start},
};
use wego_proto::{
    convert::{FieldError, Problem},
    entry::Verified,
    id::Origin,
    key::PublicKey,
    prost::Message as _,
    v1::{self, SessionMessage, session_message::Body},
};

use super::Shared;
use crate::{
    engine::{FromPeer, Outbox, Outgoing},
    store::StoreError,
};

/// What the ledger may have waiting for one connection; above it the connection is dropped.
const OUTBOX_MAX: usize = 1_024;
/// Messages handed to the stream ahead of the network: enough to keep it busy, few enough to hold back the store.
pub(super) const STREAM_AHEAD: usize = 4;
/// Time a peer has to take the last messages of a session that this node ends.
const FAREWELL: Duration = Duration::from_secs(5);
/// Pulls waiting to be answered on one connection; the ledger admits fewer.
const SERVE_MAX: usize = 32;
/// Messages of one connection that wait in the engine's queue: enough to keep it busy, and at a mebibyte each few
/// enough that all sessions together stay within a quarter of a gibibyte.
const CREDITS: usize = 4;

/// Entries of a message that must be as large as one may be.
const WHOLE_MESSAGE_BYTES: usize = MESSAGE_BYTES_MAX - 16 * 1_024;

/// One session, from the moment the stream stands.
pub(super) struct Line {
    pub(super) shared: Arc<Shared>,
    pub(super) conn: ConnId,
    pub(super) member: Origin,
    /// The transport key at the other end.
    pub(super) speaker: PublicKey,
    pub(super) side: Side,
}

impl Line {
    /// What everything logged about this session carries.
    pub(super) fn span(&self) -> tracing::Span {
        let view = self.shared.engine.view();
        tracing::info_span!("session", peer = view.handle(self.member), conn = self.conn.0)
    }

    /// Runs the session until either side ends it, and says why it ended.
    pub(super) async fn run(
        self,
        mut inbound: Streaming<SessionMessage>,
        outbound: mpsc::Sender<SessionMessage>,
        lifetime: Option<Duration>,
    ) -> Ended {
        let (outbox, outgoing, gone) = Outbox::new(OUTBOX_MAX);
        let Self { conn, member, speaker, side, .. } = self;
        if !self.shared.engine.peer(FromPeer::Connected { conn, member, speaker, side, outbox }).await {
            return Ended::Stopping;
        }
        self.shared.book.connected(member);
        let (serve, pulls) = mpsc::channel(SERVE_MAX);
        let last_word = outbound.clone();
        let ended = tokio::select! {
            // Stopping first, so that a busy stream cannot hold the node up. Each arm owns what it waits for, and
            // losing one mid-way only ends the session.
            biased;
            () = self.shared.stop.cancelled() => Ended::Stopping,
            ended = self.write(outgoing, serve, outbound.clone()) => ended,
            ended = self.serve(pulls, outbound) => ended,
            ended = self.read(&mut inbound, &gone) => ended,
            () = farewell(&gone) => Ended::ByUs,
            () = expire(lifetime) => Ended::ByUs,
        };
        if matches!(ended, Ended::Stopping) {
            let reject = Body::Reject(Reject::Stopping.to_wire());
            // A peer that takes nothing any more finds the stream closed.
            let _ = last_word.try_send(SessionMessage { body: Some(reject) });
        }
        drop(last_word);
        self.shared.engine.peer(FromPeer::Input(Input::Closed { conn })).await;
        if side == Side::Dialled && matches!(ended, Ended::ByUs) {
            self.linger(inbound).await;
        }
        ended
    }

    /// Whoever dialled ends the stream by letting go of the answer, and what was said last would be lost with it.
    async fn linger(&self, mut inbound: Streaming<SessionMessage>) {
        let closed = async { while let Ok(Some(_)) = inbound.message().await {} };
        tokio::select! {
            // Nothing is lost by any arm: what comes is not looked at any more.
            biased;
            () = self.shared.stop.cancelled() => {}
            () = closed => {}
            () = tokio::time::sleep(FAREWELL) => {}
        }
    }

    async fn read(&self, inbound: &mut Streaming<SessionMessage>, gone: &CancellationToken) -> Ended {
        let credits = Arc::new(Semaphore::new(CREDITS));
        loop {
            let message = tokio::select! {
                // Nothing is taken in any more once the engine let go; the writer says why, and ends the session.
                biased;
                () = gone.cancelled() => return std::future::pending().await,
                message = inbound.message() => message,
            };
            let message = match message {
                Ok(Some(message)) => message,
                Ok(None) => return Ended::ByPeer,
                Err(status) => {
                    let Some(reject) = unreadable(&status) else { return Ended::Broken(status) };
                    let refused = FromPeer::Input(Input::Refused { conn: self.conn, reject });
                    if !self.shared.engine.peer(refused).await {
                        return Ended::Stopping;
                    }
                    // The writer tells the peer, and ends the session.
                    return std::future::pending().await;
                }
            };
            self.shared.book.heard(self.member, message.encoded_len());
            let told = match &message.body {
                Some(Body::Reject(reject)) => Some(reject.clone()),
                _ => None,
            };
            let input = self.judge(message);
            let Ok(credit) = credits.clone().acquire_owned().await else { return Ended::ByUs };
            if !self.shared.engine.peer_says(input, credit).await {
                return Ended::Stopping;
            }
            if let Some(reject) = told.filter(|reject| reject.reason() != v1::reject::Reason::NotSupportedYet)
            {
                return Ended::Rejected(reject);
            }
        }
    }

    /// Decodes a message and verifies its entries, on this connection's own task.
    fn judge(&self, message: SessionMessage) -> Input {
        let conn = self.conn;
        match message.body {
            Some(Body::Entries(entries)) => {
                let view = self.shared.engine.view();
                match verify_entries(entries.entries, entries.epochs, &view.roster) {
                    Ok(run) => Input::Entries { conn, request: entries.request, run, done: entries.done },
                    // An epoch whose opening this node has not heard of yet: asked for again once it has.
                    Err(reject) if reject.is_early() => {
                        Input::Entries { conn, request: entries.request, run: None, done: true }
                    }
                    Err(reject) => Input::Refused { conn, reject },
                }
            }
            Some(Body::Receipts(v1::Receipts { receipts, .. })) if !receipts.is_empty() => {
                self.judge_receipts(receipts)
            }
            Some(body) => match check_counts(&body) {
                Ok(()) => Input::Received { conn, body },
                Err(reject) => Input::Refused { conn, reject },
            },
            None => {
                // A message of a later version, or an empty one.
                let error = FieldError { field: "message.body", problem: Problem::Missing };
                Input::Refused { conn, reject: Reject::Malformed(error) }
            }
        }
    }

    fn judge_receipts(&self, receipts: Vec<v1::SignedReceipt>) -> Input {
        let conn = self.conn;
        let view = self.shared.engine.view();
        match verify_receipts(receipts, &view.roster, &view.receipts) {
            Ok(receipts) => Input::Receipts { conn, receipts },
            Err(reject) => Input::Refused { conn, reject },
        }
    }

    async fn write(
        &self,
        mut outgoing: mpsc::Receiver<Outgoing>,
        serve: mpsc::Sender<Asked>,
        outbound: mpsc::Sender<SessionMessage>,
    ) -> Ended {
        while let Some(outgoing) = outgoing.recv().await {
            let body = match outgoing {
                Outgoing::Message(body) => body,
                Outgoing::Serve(pull, below) => {
                    if serve.send((pull, below)).await.is_err() {
                        return Ended::ByUs;
                    }
                    continue;
                }
                Outgoing::Close(None) => return Ended::ByUs,
                Outgoing::Close(Some(reject)) => {
                    self.send(&outbound, Body::Reject(reject)).await;
                    return Ended::ByUs;
                }
            };
            if !self.send(&outbound, body).await {
                return Ended::ByPeer;
            }
        }
        Ended::ByUs
    }

    async fn serve(&self, mut pulls: mpsc::Receiver<Asked>, outbound: mpsc::Sender<SessionMessage>) -> Ended {
        let conn = self.conn;
        while let Some((pull, below)) = pulls.recv().await {
            if let Err(error) = self.answer(&pull, below, &outbound).await {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a peer's request could not be answered"
                );
                return Ended::ByUs;
            }
            if !self.shared.engine.peer(FromPeer::Input(Input::Served { conn })).await {
                return Ended::Stopping;
            }
        }
        // The writer holds the other end; when it is gone the session is over, and the writer says why.
        std::future::pending().await
    }

    /// Sends what is held of a request, in messages of bounded size, the last marked as such. What is sent was
    /// verified on the way out: the store is not trusted.
    async fn answer(
        &self,
        pull: &v1::Pull,
        mut below: Vec<v1::Entry>,
        outbound: &mpsc::Sender<SessionMessage>,
    ) -> Result<(), AnswerError> {
        // Logs begin at 1, whatever is asked for.
        let mut next = pull.from.max(1);
        loop {
            let entries = self.anchored(pull, next, bytes_of(&below)).await?;
            next += entries.len() as u64;
            let done = entries.is_empty() || next > pull.until;
            let epochs = std::mem::take(&mut below);
            let message = v1::Entries { request: pull.request, entries, done, epochs };
            if !self.send(outbound, Body::Entries(message)).await || done {
                return Ok(());
            }
        }
    }

    /// The next entries of a request, ended by one whose own signature verifies: the receiver believes a message by
    /// its last entry, and entries in between may be believed by their successors alone.
    async fn anchored(
        &self,
        pull: &v1::Pull,
        from: u64,
        taken_bytes: usize,
    ) -> Result<Vec<v1::Entry>, AnswerError> {
        let (store, engine, pull) = (self.shared.store.clone(), self.shared.engine.clone(), *pull);
        let read = move || {
            let view = engine.view();
            for (count, bytes) in [
                (ENTRIES_PER_MESSAGE, ENTRIES_BYTES),
                (ENTRIES_PER_MESSAGE_MAX, WHOLE_MESSAGE_BYTES - taken_bytes),
            ] {
                let until = pull.until.min(from.saturating_add(count as u64 - 1));
                let mut entries = store.range(Origin(pull.origin), pull.epoch, from, until, bytes)?;
                if entries.is_empty() {
                    return Ok(entries);
                }
                if pull.headers_only {
                    entries.iter_mut().for_each(|entry| entry.payload = None);
                }
                if let Some(run) = verify_start(entries, &view.roster) {
                    return Ok(run.into_entries().into_iter().map(Verified::into_wire).collect());
                }
            }
            Err(AnswerError::NoAnchor { origin: Origin(pull.origin), from })
        };
        let joined = tokio::task::spawn_blocking(read).await;
        joined.unwrap_or_else(|error| {
            Err(StoreError::Io { what: "reading entries", source: std::io::Error::other(error) }.into())
        })
    }

    /// Returns whether the stream still takes messages.
    async fn send(&self, outbound: &mpsc::Sender<SessionMessage>, body: Body) -> bool {
        let message = SessionMessage { body: Some(body) };
        let bytes = message.encoded_len();
        debug_assert!(bytes <= MESSAGE_BYTES_MAX, "messages are built within the limit");
        self.shared.book.said(self.member, bytes);
        outbound.send(message).await.is_ok()
    }
}

/// Comes when a session has lasted as long as it was meant to; never for one without such an end.
async fn expire(lifetime: Option<Duration>) {
    match lifetime {
        Some(lifetime) => tokio::time::sleep(lifetime).await,
        None => std::future::pending().await,
    }
}

/// Ends a session that the engine let go of and whose peer takes nothing, not even the reason.
async fn farewell(gone: &CancellationToken) {
    gone.cancelled().await;
    tokio::time::sleep(FAREWELL).await;
}

/// What is wrong with a message that could not be read; `None` when the connection broke instead, which always has
/// a cause.
fn unreadable(status: &Status) -> Option<Reject> {
    if std::error::Error::source(status).is_some() {
        return None;
    }
    match status.code() {
        Code::OutOfRange => Some(Reject::TooLarge { what: "message", max: MESSAGE_BYTES_MAX }),
        Code::Internal => {
            Some(Reject::Malformed(FieldError { field: "message", problem: Problem::Undecodable }))
        }
        _ => None,
    }
}

/// A request, and the openings that its answer continues from.
type Asked = (v1::Pull, Vec<v1::Entry>);

fn bytes_of(entries: &[v1::Entry]) -> usize {
    entries.iter().map(v1::Entry::encoded_len).sum()
}

/// Why a request could not be answered.
#[derive(Debug, Error)]
enum AnswerError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No entry from there on verifies: what is stored is not what was accepted.
    #[error("entries of member {origin} from {from} on do not verify")]
    NoAnchor {
        /// Author.
        origin: Origin,
        /// First of them.
        from: u64,
    },
}

/// Why a session ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// The peer closed it.
    ByPeer,
    /// This node closed it, after telling why.
    ByUs,
    /// The peer said why.
    Rejected(v1::Reject),
    /// The connection broke.
    Broken(Status),
    /// The node is stopping.
    Stopping,
}

impl Ended {
    /// For the operator.
    pub(super) fn text(&self) -> String {
        match self {
            Self::ByPeer => "closed by the peer".to_owned(),
            Self::ByUs => "closed by this node; its log says why".to_owned(),
            Self::Rejected(reject) => format!("refused by the peer: {}", reject.text),
            Self::Broken(status) => format!("connection lost: {}", status.message()),
            Self::Stopping => "this node is stopping".to_owned(),
        }
    }

    /// How long the peer asked to be left alone, ms.
    pub(super) fn retry_after_ms(&self) -> Option<u64> {
        match self {
            Self::Rejected(reject) => Some(u64::from(reject.retry_after_ms)),
            _ => None,
        }
    }
}
