//! The accept loop as a stream of proved connections, for `serve_with_incoming`.
//!
//! It owns every handshake it began: dropped, it drops them. It never ends and never yields an error: a bad
//! caller is counted, and a system without descriptors is asked again after a pause.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll},
    time::Duration,
};

use arc_swap::ArcSwap;
use futures_util::Stream;
use rustls::{ServerConfig, server::Acceptor};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{Instant, Sleep},
};
use tokio_rustls::{LazyConfigAcceptor, server::TlsStream};
use wego_proto::pin;

use super::{
    conn::{Conn, ConnectInfo},
    counters::{Refusal, TlsCounters},
    gate::{Gate, Loopback, Permit, Ration},
    side::{Side, SideEntrance, SideIncoming},
};

/// Pause after the system refused a connection: long enough for others to close theirs, short enough not to show.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Bounds of one door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListenLimits {
    /// From TCP accept to the end of the handshake, waiting for the ration included.
    pub handshake_timeout: Duration,
    /// Connections open at once, handshakes included.
    pub connections_max: usize,
    /// Of these from one IPv4 address or IPv6 /64 network.
    pub connections_per_ip_max: usize,
    /// Handshakes a second that may fail; more have to wait. Successful ones are not rationed.
    pub failures_per_s: u32,
    /// Handshakes under way or failed at once before the ration holds.
    pub failures_burst: u32,
    /// Whether this machine's own connections count in the share of an address.
    pub loopback: Loopback,
}

impl Default for ListenLimits {
    /// A thousand members through one door; 20 failed handshakes a second cost 1.4 % of a core.
    fn default() -> Self {
        Self {
            handshake_timeout: Duration::from_secs(10),
            connections_max: 1_024,
            connections_per_ip_max: 64,
            failures_per_s: 20,
            failures_burst: 256,
            loopback: Loopback::Counted,
        }
    }
}

/// Accepts connections on `listener` and yields those whose handshake succeeded, in the order they finish.
///
/// `config` is read anew for every handshake: swap it to change the certificate. Must be called within a tokio
/// runtime.
pub fn incoming(
    listener: TcpListener,
    config: Arc<ArcSwap<ServerConfig>>,
    limits: ListenLimits,
    counters: Arc<TlsCounters>,
) -> Incoming {
    Incoming {
        gate: Gate::new(limits.connections_max, limits.connections_per_ip_max, limits.loopback),
        ration: Arc::new(Ration::new(limits.failures_per_s, limits.failures_burst, Instant::now())),
        timeout: limits.handshake_timeout,
        loopback: limits.loopback,
        side: None,
        listener,
        config,
        counters,
        handshakes: JoinSet::new(),
        pause: None,
    }
}

/// Proved connections, see [`incoming`].
#[derive(Debug)]
pub struct Incoming {
    listener: TcpListener,
    config: Arc<ArcSwap<ServerConfig>>,
    gate: Arc<Gate>,
    ration: Arc<Ration>,
    timeout: Duration,
    loopback: Loopback,
    side: Option<Arc<Side>>,
    counters: Arc<TlsCounters>,
    handshakes: JoinSet<Option<Conn>>,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Incoming {
    /// What became of connections here.
    #[must_use]
    pub fn counters(&self) -> &Arc<TlsCounters> {
        &self.counters
    }

    /// Opens a second way through this door; its connections come out of the other stream.
    #[must_use]
    pub fn beside(self, entrance: SideEntrance) -> (Self, SideIncoming) {
        let (side, incoming) = Side::open(entrance, self.loopback);
        (Self { side: Some(side), ..self }, incoming)
    }

    /// Takes all connections the system has for us and begins their handshakes.
    fn poll_listener(&mut self, cx: &mut Context<'_>) {
        while self.poll_pause(cx).is_ready() {
            match self.listener.poll_accept(cx) {
                Poll::Ready(Ok((tcp, remote_addr))) => self.begin(tcp, remote_addr),
                Poll::Ready(Err(error)) => self.accept_failed(&error),
                Poll::Pending => return,
            }
        }
    }

    fn poll_pause(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(pause) = &mut self.pause else { return Poll::Ready(()) };
        let ended = pause.as_mut().poll(cx);
        if ended.is_ready() {
            self.pause = None;
        }
        ended
    }

    fn begin(&mut self, tcp: TcpStream, remote_addr: SocketAddr) {
        let Some(permit) = self.gate.enter(remote_addr.ip()) else {
            tracing::debug!(%remote_addr, reason = Refusal::OverLimit.as_str(), "connection refused");
            return self.counters.refuse(Refusal::OverLimit);
        };
        let handshake = Handshake {
            config: self.config.load_full(),
            side: self.side.clone(),
            deadline: Instant::now() + self.timeout,
            ration: self.ration.clone(),
            counters: self.counters.clone(),
            remote_addr,
        };
        self.handshakes.spawn(handshake.run(tcp, permit));
    }

    fn accept_failed(&mut self, error: &io::Error) {
        // The connection was gone before it was taken: the next one is not affected.
        if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) {
            return self.counters.refuse(Refusal::Abandoned);
        }
        // Mostly no descriptors left: asking again at once would spin until somebody closes one.
        self.counters.accept_failures.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(error = %error, "connection cannot be accepted");
        self.pause = Some(Box::pin(tokio::time::sleep(ACCEPT_PAUSE)));
    }
}

impl Stream for Incoming {
    type Item = io::Result<Conn>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            this.poll_listener(cx);
            match this.handshakes.poll_join_next(cx) {
                Poll::Ready(Some(Ok(Some(conn)))) => return Poll::Ready(Some(Ok(conn))),
                // One that failed was counted by itself; a panic in one must not close the door for all.
                Poll::Ready(Some(Ok(None) | Err(_))) => {}
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
    }
}

/// One handshake under way.
struct Handshake {
    config: Arc<ServerConfig>,
    side: Option<Arc<Side>>,
    deadline: Instant,
    ration: Arc<Ration>,
    counters: Arc<TlsCounters>,
    remote_addr: SocketAddr,
}

/// Why a handshake failed, and the error if there was one.
type Failed = (Refusal, Option<io::Error>);

impl Handshake {
    /// A connection of the main way; one of the second way is handed on here.
    async fn run(self, tcp: TcpStream, permit: Permit) -> Option<Conn> {
        match self.proved(tcp, permit).await {
            Ok((conn, None)) => {
                self.ration.give_back();
                self.counters.accepted.fetch_add(1, Ordering::Relaxed);
                Some(conn)
            }
            // Its handshake stays taken from the ration: anybody can finish one.
            Ok((conn, Some(side))) => {
                self.counters.accepted_aside.fetch_add(1, Ordering::Relaxed);
                side.hand_on(conn);
                None
            }
            Err((refusal, error)) => {
                let (remote_addr, reason) = (self.remote_addr, refusal.as_str());
                let error = error.as_ref().map(tracing::field::display);
                tracing::debug!(%remote_addr, reason, error, "handshake failed");
                self.counters.refuse(refusal);
                None
            }
        }
    }

    async fn proved(&self, tcp: TcpStream, permit: Permit) -> Result<(Conn, Option<&Arc<Side>>), Failed> {
        let failed = |error| (Refusal::of(&error), Some(error));
        let handshake = async {
            // A handshake waits 40 ms for a delayed acknowledgement otherwise.
            tcp.set_nodelay(true).map_err(failed)?;
            let hello = LazyConfigAcceptor::new(Acceptor::default(), tcp).await.map_err(failed)?;
            let side = self.side.as_ref().filter(|side| side.is_asked_for(&hello.client_hello()));
            let (config, permit) = match side {
                None => (self.config.clone(), permit),
                // A place of its own instead of one of the door's.
                Some(side) => {
                    let place = side.enter(self.remote_addr.ip()).ok_or((Refusal::OverLimit, None))?;
                    (side.config(), place)
                }
            };
            // Only who has said something can cost a signature: silent callers must not use the ration up.
            self.ration.take().await;
            Ok((hello.into_stream(config).await.map_err(failed)?, permit, side))
        };
        match tokio::time::timeout_at(self.deadline, handshake).await {
            Ok(done) => done.and_then(|(stream, permit, side)| self.named(stream, permit, side)),
            Err(_) => Err((Refusal::Timeout, None)),
        }
    }

    /// Takes the key out of a connection whose handshake succeeded.
    fn named<'a>(
        &self,
        stream: TlsStream<TcpStream>,
        permit: Permit,
        side: Option<&'a Arc<Side>>,
    ) -> Result<(Conn, Option<&'a Arc<Side>>), Failed> {
        let malformed = |error| (Refusal::Malformed, Some(io::Error::other(error)));
        let tls = stream.get_ref().1;
        let certificate = tls.peer_certificates().unwrap_or_default().first();
        let key = pin::key_of(certificate.ok_or((Refusal::NoCertificate, None))?).map_err(malformed)?;
        let binding = side.map(|_| pin::bind(tls)).transpose().map_err(malformed)?;
        let info = ConnectInfo { key, remote_addr: self.remote_addr, binding };
        let conn = Conn::new(stream, info, permit);
        match side {
            None => Ok((conn, None)),
            Some(side) => Ok((conn.that_ends(side.lifetime()), Some(side))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[tokio::test]
    async fn a_system_without_descriptors_is_asked_again_after_a_pause() {
        const NO_DESCRIPTORS: i32 = 24;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(rustls::server::ResolvesServerCertUsingSni::new()));
        let config = Arc::new(ArcSwap::from_pointee(config));
        let mut door = incoming(listener, config, ListenLimits::default(), Arc::default());
        door.accept_failed(&io::Error::from_raw_os_error(NO_DESCRIPTORS));
        assert_eq!(door.counters().accept_failures.load(Ordering::Relaxed), 1);
        assert!(door.pause.is_some());
        poll_fn(|cx| door.poll_pause(cx)).await;
        assert!(door.pause.is_none());
    }
}
