//! Calls below the generated clients: any path, any bytes, also such as no client would send.

use tonic::{
    Request, Status, Streaming,
    body::Body,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    transport::Channel,
};
use tower::{Service as _, ServiceExt as _};
use wego_proto::prost::bytes::{Buf as _, BufMut as _};

/// Calls `path` with one message and returns the first message of the answer.
///
/// # Errors
/// The status, or what became of the connection as a status.
pub async fn call(channel: &Channel, path: &str, message: Vec<u8>) -> Result<Option<Vec<u8>>, Status> {
    let messages = tokio_stream::once(message);
    open(channel, path, messages).await?.message().await
}

/// Opens a stream to `path` and sends `messages`.
///
/// # Errors
/// The status, or what became of the connection as a status.
pub async fn open(
    channel: &Channel,
    path: &str,
    messages: impl tokio_stream::Stream<Item = Vec<u8>> + Send + 'static,
) -> Result<Streaming<Vec<u8>>, Status> {
    let path = path.parse().expect("a path");
    let mut grpc = Grpc::new(channel.clone());
    grpc.ready().await.map_err(|error| Status::from_error(error.into()))?;
    Ok(grpc.streaming(Request::new(messages), path, Bytes).await?.into_inner())
}

/// Posts a body that need not be gRPC at all, and ends there.
///
/// # Errors
/// What became of the connection.
pub async fn post(
    channel: &Channel,
    path: &str,
    body: String,
) -> Result<Streaming<Vec<u8>>, tonic::transport::Error> {
    let request = http::Request::post(path)
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Body::new(body))
        .expect("a request");
    let answer = channel.clone().ready().await?.call(request).await?;
    let status = answer.status();
    Ok(Streaming::new_response(Bytes, answer.into_body(), status, None, None))
}

/// Messages as they are.
#[derive(Debug, Clone, Copy)]
struct Bytes;

impl Codec for Bytes {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        into.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining()).to_vec()))
    }
}
