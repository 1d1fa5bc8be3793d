//! A connection whose key was proved, and what handlers learn of it. Carries bytes and judges nothing.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::Sleep,
};
use tokio_rustls::server::TlsStream;
use tonic::transport::server::Connected;
use wego_proto::{invite::Binding, key::PublicKey};

use super::gate::Permit;

/// Who is at the other end: in the extensions of every request.
///
/// The key was known when the connection was made. A member may have been removed since: whoever acts on a
/// request asks again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectInfo {
    /// The key in the certificate, whose holder signed the handshake.
    pub key: PublicKey,
    /// Where the bytes come from; a proxy's address behind a proxy.
    pub remote_addr: SocketAddr,
    /// What TLS exports from the connection, when it came by the second way ([`super::SideEntrance`]).
    pub binding: Option<Binding>,
}

/// A TLS connection with a proved key. Counted among the open connections until it is dropped.
#[derive(Debug)]
pub struct Conn {
    stream: TlsStream<TcpStream>,
    info: ConnectInfo,
    /// When it is cut; most are not.
    ends: Option<Pin<Box<Sleep>>>,
    _permit: Permit,
}

impl Conn {
    pub(super) const fn new(stream: TlsStream<TcpStream>, info: ConnectInfo, permit: Permit) -> Self {
        Self { stream, info, ends: None, _permit: permit }
    }

    /// The same, cut after `lifetime`. HTTP/2 always reads, so the cut is noticed in any state.
    pub(super) fn that_ends(self, lifetime: Duration) -> Self {
        Self { ends: Some(Box::pin(tokio::time::sleep(lifetime))), ..self }
    }

    /// Who is at the other end.
    #[must_use]
    pub const fn info(&self) -> &ConnectInfo {
        &self.info
    }
}

impl Connected for Conn {
    type ConnectInfo = ConnectInfo;

    fn connect_info(&self) -> ConnectInfo {
        self.info
    }
}

impl AsyncRead for Conn {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.ends.as_mut().is_some_and(|ends| ends.as_mut().poll(cx).is_ready()) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Conn {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
