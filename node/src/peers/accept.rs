//! Sessions that others open: the gRPC service of the peer listener.

use std::pin::Pin;

use tokio::sync::mpsc;
use tokio_stream::{Stream, StreamExt as _, wrappers::ReceiverStream};
use tonic::{Request, Response, Status, Streaming};
use tracing::Instrument as _;
use wego_ledger::{limits::MESSAGE_BYTES_MAX, session::Side};
use wego_proto::v1::{
    SessionMessage,
    peering_server::{Peering, PeeringServer},
};

use super::{
    Peers,
    session::{Line, STREAM_AHEAD},
};
use crate::tls::ConnectInfo;

impl Peers {
    /// The service to put on the peer listener.
    #[must_use]
    pub fn service(&self) -> PeeringServer<Self> {
        PeeringServer::new(self.clone())
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX)
    }
}

#[tonic::async_trait]
impl Peering for Peers {
    type SessionStream = Pin<Box<dyn Stream<Item = Result<SessionMessage, Status>> + Send>>;

    async fn session(
        &self,
        request: Request<Streaming<SessionMessage>>,
    ) -> Result<Response<Self::SessionStream>, Status> {
        let shared = self.shared.clone();
        let key = request.extensions().get::<ConnectInfo>().map(|info| info.key);
        // The roster may have changed since the handshake.
        let speaker =
            key.and_then(|key| shared.engine.view().roster.speaker(&key).map(|member| (member.origin, key)));
        let Some((member, speaker)) = speaker else {
            return Err(Status::unauthenticated("the connection's key speaks for no active member"));
        };
        if shared.stop.is_cancelled() {
            return Err(Status::unavailable("the node is stopping"));
        }
        let (outbound, messages) = mpsc::channel(STREAM_AHEAD);
        let conn = shared.next_conn();
        let line = Line { conn, member, speaker, side: Side::Accepted, shared: shared.clone() };
        let span = line.span();
        let run = async move {
            let ended = line.run(request.into_inner(), outbound, None).await;
            tracing::debug!(why = ended.text(), "session ended");
            shared.book.ended(member, ended.text(), ended.retry_after_ms());
        };
        self.shared.tasks.spawn(run.instrument(span));
        Ok(Response::new(Box::pin(ReceiverStream::new(messages).map(Ok))))
    }
}
