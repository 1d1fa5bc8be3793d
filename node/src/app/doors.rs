//! Opens the listeners: peers, operators, citizens.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use tower::util::MapResponseLayer;
use wego_proto::{
    key::PublicKey,
    pin::{Judge, join_server_config, server_config},
};

use super::{Addresses, Listeners, StartError};
use crate::{
    audit::Audit,
    config::Config,
    engine::{Engine, read::ReadHandle},
    enrolment::{self, Enrolment, JOIN_STREAMS_MAX, JOIN_WINDOW_BYTES},
    keys::LogKeys,
    operators::Operators,
    peers::Peers,
    portal,
    rpc::{BackupDoor, Doors, GuardLayer, roles, tell_next_key},
    tls::{Incoming, ListenLimits, Loopback, Shown, TlsCounters, harden, http2::PEER_STREAMS_MAX, incoming},
    transport::Transport,
};

/// How often what the node knows becomes its health.
const HEALTH_EVERY: Duration = Duration::from_secs(1);

/// What the doors lead to.
pub(super) struct Front<'a> {
    pub(super) config: &'a Config,
    pub(super) shown: &'a Arc<Shown>,
    pub(super) transport: &'a Transport,
    pub(super) engine: &'a Engine,
    pub(super) reader: &'a ReadHandle,
    pub(super) peers: &'a Peers,
    pub(super) enrolment: &'a Enrolment,
    pub(super) backups: &'a BackupDoor,
    pub(super) operators: &'a Arc<ArcSwap<Operators>>,
    pub(super) audit: &'a Audit,
    pub(super) closing: &'a CancellationToken,
    pub(super) counters: &'a DoorCounters,
}

/// What became of connections at the doors.
#[derive(Debug, Default)]
pub(super) struct DoorCounters {
    pub(super) peers: Arc<TlsCounters>,
    pub(super) clients: Arc<TlsCounters>,
}

impl Front<'_> {
    pub(super) fn open(&self, listeners: Listeners) -> Result<(Vec<JoinHandle<()>>, Addresses), StartError> {
        let addresses = Addresses {
            peers: local(&listeners.peers)?,
            clients: local(&listeners.clients)?,
            portal: listeners.portal.as_ref().map(local).transpose()?,
        };
        let mut doors = vec![self.peer_door(listeners.peers)?, self.client_door(listeners.clients)?];
        if let Some(listener) = listeners.portal {
            doors.push(self.portal_door(listener));
        }
        Ok((doors, addresses))
    }

    /// Only keys that speak for an active member come past the handshake; whoever asks to join comes by a way beside,
    /// which ends at the enrolment.
    fn peer_door(&self, listener: TcpListener) -> Result<JoinHandle<()>, StartError> {
        let view = self.engine.view_cell();
        let member = move |key: &PublicKey| view.load().roster.speaker(key).is_some();
        let incoming = self.incoming(listener, Arc::new(member), &self.counters.peers)?;
        let join = self.shown.door(join_server_config)?;
        let (incoming, strangers) = incoming.beside(enrolment::beside(join));
        let server = harden(Server::builder())
            .max_concurrent_streams(PEER_STREAMS_MAX)
            .add_service(self.peers.service());
        let aside = harden(Server::builder())
            .max_concurrent_streams(JOIN_STREAMS_MAX)
            .initial_stream_window_size(JOIN_WINDOW_BYTES)
            .initial_connection_window_size(JOIN_WINDOW_BYTES)
            .add_service(self.enrolment.service());
        let closed = || self.closing.clone().cancelled_owned();
        let served = server.serve_with_incoming_shutdown(incoming, closed());
        let served_aside = aside.serve_with_incoming_shutdown(strangers, closed());
        Ok(tokio::spawn(async move {
            let (served, served_aside) = tokio::join!(served, served_aside);
            report("peers", served);
            report("enrolment", served_aside);
        }))
    }

    /// Every key comes past the handshake, so that a person whose key is not listed is told so; none comes past
    /// the guard.
    fn client_door(&self, listener: TcpListener) -> Result<JoinHandle<()>, StartError> {
        let incoming = self.incoming(listener, Arc::new(|_: &PublicKey| true), &self.counters.clients)?;
        let doors = Doors {
            engine: self.engine.clone(),
            reader: self.reader.clone(),
            peers: self.peers.clone(),
            backups: self.backups.clone(),
            keys: LogKeys::of(&self.config.node.keys_dir),
            key_change: Arc::default(),
            transport: self.transport.clone(),
            enrolment: self.enrolment.clone(),
            operators: self.operators.clone(),
            audit: self.audit.clone(),
        };
        let (reporter, health) = tonic_health::server::health_reporter();
        let server = harden(Server::builder())
            .trace_fn(|request| tracing::info_span!("call", method = request.uri().path()))
            .layer(MapResponseLayer::new(tell_next_key(self.shown.clone())))
            .layer(GuardLayer::new(self.operators.clone(), self.audit.clone()))
            .add_routes(doors.routes())
            .add_service(health);
        let (closed, closing) = (self.closing.clone().cancelled_owned(), self.closing.clone());
        let reader = self.reader.clone();
        Ok(tokio::spawn(async move {
            let reporting = report_health(reporter, reader, closing);
            let (served, ()) = tokio::join!(server.serve_with_incoming_shutdown(incoming, closed), reporting);
            report("clients", served);
        }))
    }

    fn portal_door(&self, listener: TcpListener) -> JoinHandle<()> {
        let closed = self.closing.clone().cancelled_owned();
        let library = Arc::new(self.reader.clone());
        tokio::spawn(async move {
            if let Err(error) = portal::serve(listener, library, closed).await {
                tracing::error!(error = &error as &dyn std::error::Error, "the portal closed");
            }
        })
    }

    fn incoming(
        &self,
        listener: TcpListener,
        judge: Judge,
        counters: &Arc<TlsCounters>,
    ) -> Result<Incoming, StartError> {
        let config = self.shown.door(move |identity| server_config(identity, judge.clone()))?;
        let limits = ListenLimits {
            handshake_timeout: self.config.limits.handshake_timeout,
            connections_max: self.config.limits.connections_max,
            connections_per_ip_max: self.config.limits.connections_per_ip_max,
            loopback: Loopback::Exempt,
            ..ListenLimits::default()
        };
        Ok(incoming(listener, config, limits, counters.clone()))
    }
}

fn local(listener: &TcpListener) -> Result<SocketAddr, StartError> {
    let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
    listener.local_addr().map_err(|source| StartError::Listen { at: unknown, source })
}

fn report(door: &str, served: Result<(), tonic::transport::Error>) {
    if let Err(error) = served {
        tracing::error!(door, error = &error as &dyn std::error::Error, "a door closed");
    }
}

/// Says SERVING while the node can do its work, also when it is degraded.
async fn report_health(
    reporter: tonic_health::server::HealthReporter,
    reader: ReadHandle,
    closing: CancellationToken,
) {
    loop {
        let failed = reader.view().broken.is_some();
        let status = if failed || closing.is_cancelled() {
            tonic_health::ServingStatus::NotServing
        } else {
            tonic_health::ServingStatus::Serving
        };
        for service in std::iter::once("").chain(roles::services()) {
            reporter.set_service_status(service, status).await;
        }
        tokio::select! {
            // Stopping first; a lost sleep is nothing.
            biased;
            () = closing.cancelled(), if !closing.is_cancelled() => {}
            () = tokio::time::sleep(HEALTH_EVERY) => {}
        }
        if closing.is_cancelled() {
            return;
        }
    }
}
