//! Sessions this node opens, and pings.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use thiserror::Error;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming, transport::Channel};
use tracing::Instrument as _;
use wego_ledger::{limits::MESSAGE_BYTES_MAX, session::Side};
use wego_proto::{
    causes::with_causes,
    id::Origin,
    key::PublicKey,
    pin::{self, PinError},
    v1::{SessionMessage, peering_client::PeeringClient, session_message::Body},
};

use super::{
    Peers, Shared,
    session::{Line, STREAM_AHEAD},
};

/// A ping's greeting must come within this time.
const GREETING: Duration = Duration::from_secs(5);

/// Why a node could not be reached.
#[derive(Debug, Error)]
pub enum PingError {
    /// The roster names no endpoint, and no operator did.
    #[error("no endpoint is known for it")]
    NoEndpoint,
    /// TCP, TLS or HTTP/2.
    #[error("connecting")]
    Connect(#[source] PinError),
    /// The session was refused or broke.
    #[error("opening a session")]
    Session(#[source] Status),
    /// The connection stood, and nothing more came in time.
    #[error("no answer in time")]
    NoAnswer,
    /// The first message was no greeting, or there was none in time.
    #[error("no greeting")]
    NoGreeting,
}

/// A node that was reached.
#[derive(Debug, Clone)]
pub struct Pong {
    /// Where.
    pub endpoint: String,
    /// TCP, TLS and HTTP/2.
    pub handshake: Duration,
    /// From opening the session to the greeting.
    pub round_trip: Duration,
    /// As the node says.
    pub software: String,
}

impl Peers {
    /// Dials a member afresh, checks its key and waits for its greeting. Says also where it tried.
    ///
    /// # Errors
    /// [`PingError`] of the last endpoint tried.
    pub async fn ping(&self, member: Origin) -> Result<Pong, (String, PingError)> {
        let view = self.shared.engine.view();
        let keys = Shared::keys(&view, member);
        let mut last = (String::new(), PingError::NoEndpoint);
        for endpoint in self.shared.endpoints(&view, member) {
            match self.shared.greet(&endpoint, keys.clone()).await {
                Ok(pong) => return Ok(pong),
                Err(error) => last = (endpoint, error),
            }
        }
        Err(last)
    }
}

impl Shared {
    /// Opens a session and runs it to its end, or to the end of its lifetime; the book says what became of it.
    pub(super) async fn dial(
        self: Arc<Self>,
        member: Origin,
        endpoint: String,
        keys: Vec<PublicKey>,
        lifetime: Option<Duration>,
    ) {
        let (outbound, messages) = mpsc::channel(STREAM_AHEAD);
        let opened = tokio::select! {
            biased;
            () = self.stop.cancelled() => return,
            opened = self.open(&endpoint, keys, messages) => opened,
            () = tokio::time::sleep(self.config.connect_timeout * 2) => Err(PingError::NoAnswer),
        };
        let (inbound, channel, speaker) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                let why = with_causes(&error);
                tracing::debug!(member = member.0, endpoint, why, "dial failed");
                self.book.ended(member, why, None);
                return;
            }
        };
        let conn = self.next_conn();
        let line = Line { conn, member, speaker, side: Side::Dialled, shared: self.clone() };
        let span = line.span();
        let ended = line.run(inbound, outbound, lifetime).instrument(span).await;
        drop(channel);
        tracing::debug!(member = member.0, endpoint, why = ended.text(), "session ended");
        self.book.ended(member, ended.text(), ended.retry_after_ms());
    }

    async fn open(
        &self,
        endpoint: &str,
        keys: Vec<PublicKey>,
        messages: mpsc::Receiver<SessionMessage>,
    ) -> Result<(Streaming<SessionMessage>, Channel, PublicKey), PingError> {
        let shown = Arc::new(OnceLock::new());
        let seen = shown.clone();
        let judge = Arc::new(move |key: &PublicKey| {
            let known = keys.contains(key);
            if known {
                // The first handshake is the only one: a channel that is lost is dialled anew.
                let _ = seen.set(*key);
            }
            known
        });
        let config = pin::client_config(self.config.shown.face().identity.clone(), judge)
            .map_err(PingError::Connect)?;
        let channel = pin::connect(endpoint, Arc::new(config), self.config.connect_timeout)
            .await
            .map_err(PingError::Connect)?;
        let mut client = PeeringClient::new(channel.clone())
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX);
        let opened = client.session(ReceiverStream::new(messages)).await.map_err(PingError::Session)?;
        let speaker = shown.get().copied().ok_or(PingError::NoAnswer)?;
        Ok((opened.into_inner(), channel, speaker))
    }

    async fn greet(&self, endpoint: &str, keys: Vec<PublicKey>) -> Result<Pong, PingError> {
        let begun = Instant::now();
        let (_outbound, messages) = mpsc::channel(STREAM_AHEAD);
        let (mut inbound, _channel, _speaker) = self.open(endpoint, keys, messages).await?;
        let opened = begun.elapsed();
        let first = tokio::time::timeout(GREETING, inbound.message()).await;
        let first = first.map_err(|_| PingError::NoGreeting)?.map_err(PingError::Session)?;
        let Some(SessionMessage { body: Some(Body::Hello(hello)) }) = first else {
            return Err(PingError::NoGreeting);
        };
        Ok(Pong {
            endpoint: endpoint.to_owned(),
            handshake: opened,
            round_trip: begun.elapsed().saturating_sub(opened),
            software: hello.software.chars().filter(|c| !c.is_control()).take(100).collect(),
        })
    }
}
