//! A second way through a door, for callers that offer a protocol of their own in TLS (ALPN): strangers who may knock.
//!
//! Which way a connection takes is said by the first bytes of its handshake, and decides which keys are admitted and
//! who is given the connection. It must never lead to where the main way leads, and has places, shares and an end
//! of its own, so that strangers never take those of members.

use std::{
    io,
    net::IpAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use arc_swap::ArcSwap;
use futures_util::Stream;
use rustls::{ServerConfig, server::ClientHello};
use tokio::sync::mpsc;

use super::{
    conn::Conn,
    gate::{Gate, Loopback, Permit},
};

/// The second way and its bounds.
#[derive(Debug, Clone)]
pub struct SideEntrance {
    /// The protocol by which it is asked for.
    pub protocol: &'static [u8],
    /// Says which keys are admitted; read anew for every handshake.
    pub config: Arc<ArcSwap<ServerConfig>>,
    /// Connections open at once.
    pub connections_max: usize,
    /// Of these from one IPv4 address or IPv6 /64 network.
    pub connections_per_ip_max: usize,
    /// A connection is cut after this time, whatever it is doing.
    pub lifetime: Duration,
}

/// Proved connections that came by the second way. Polled or not, they come only while [`super::Incoming`] is polled.
#[derive(Debug)]
pub struct SideIncoming(mpsc::Receiver<Conn>);

impl Stream for SideIncoming {
    type Item = io::Result<Conn>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(cx).map(|conn| conn.map(Ok))
    }
}

/// The second way as handshakes see it.
#[derive(Debug)]
pub(super) struct Side {
    entrance: SideEntrance,
    gate: Arc<Gate>,
    out: mpsc::Sender<Conn>,
}

impl Side {
    pub(super) fn open(entrance: SideEntrance, loopback: Loopback) -> (Arc<Self>, SideIncoming) {
        // As many as there are places: one more never has a permit.
        let (out, incoming) = mpsc::channel(entrance.connections_max);
        let gate = Gate::new(entrance.connections_max, entrance.connections_per_ip_max, loopback);
        (Arc::new(Self { entrance, gate, out }), SideIncoming(incoming))
    }

    /// Whether this way is asked for. A member never offers its protocol, not even among others.
    pub(super) fn is_asked_for(&self, hello: &ClientHello<'_>) -> bool {
        hello.alpn().is_some_and(|mut offered| offered.any(|protocol| protocol == self.entrance.protocol))
    }

    pub(super) fn enter(&self, ip: IpAddr) -> Option<Permit> {
        self.gate.enter(ip)
    }

    pub(super) fn config(&self) -> Arc<ServerConfig> {
        self.entrance.config.load_full()
    }

    pub(super) fn lifetime(&self) -> Duration {
        self.entrance.lifetime
    }

    /// Gives the connection to whoever serves this way; nobody does while the node stops.
    pub(super) fn hand_on(&self, conn: Conn) {
        let _ = self.out.try_send(conn);
    }
}
