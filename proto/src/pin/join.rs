//! The connection of a city that is no member yet: TLS with a protocol name (ALPN) of its own, by which the other
//! end knows that every key may knock, and that nothing but enrolment may be reached.
//!
//! Both ends export a value from the connection, to which proofs and spoken words are bound. So a connection is made
//! once and never silently again: on another one the value would be another.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, ConnectionCommon, Error as TlsError, ServerConfig};
use tonic::transport::Channel;

use super::{Identity, Judge, PinError, TlsStream, client_config_for, connect_by, dial, server_config_for};
use crate::invite::Binding;

/// The protocol that a city offers which wants to join.
pub const JOIN_ALPN: &[u8] = b"wego-join/1";
/// What is exported is for this use only (RFC 8446, 7.5).
const EXPORTER_LABEL: &[u8] = b"EXPORTER-wego-join-1";

/// As [`super::client_config`], to ask for enrolment.
///
/// # Errors
/// [`PinError::Identity`].
pub fn join_client_config(identity: Identity, judge: Judge) -> Result<ClientConfig, PinError> {
    client_config_for(JOIN_ALPN, identity, judge)
}

/// As [`super::server_config`], for everybody who asks for enrolment: any Ed25519 key, but its holder must have
/// signed the handshake.
///
/// # Errors
/// [`PinError::Identity`].
pub fn join_server_config(identity: Identity) -> Result<ServerConfig, PinError> {
    server_config_for(JOIN_ALPN, identity, Arc::new(|_| true))
}

/// The value that both ends of a connection export.
///
/// # Errors
/// A handshake that is not complete.
pub fn bind<Side>(connection: &ConnectionCommon<Side>) -> Result<Binding, TlsError> {
    connection.export_keying_material([0; 32], EXPORTER_LABEL, None).map(Binding::new)
}

/// A connection over which to ask for enrolment.
#[derive(Debug)]
pub struct JoinConnection {
    /// For calls. It is never dialled again when it breaks.
    pub channel: Channel,
    /// The value exported from it.
    pub binding: Binding,
}

/// As [`super::connect`], for a configuration of [`join_client_config`]. The other end's key was judged on return.
///
/// # Errors
/// [`PinError::Endpoint`] or [`PinError::Connect`].
pub async fn connect_to_join(
    endpoint: &str,
    config: Arc<ClientConfig>,
    timeout: Duration,
) -> Result<JoinConnection, PinError> {
    let exported = Arc::new(Mutex::new(None));
    let (filled, kept) = (exported.clone(), exported);
    let connector = tower::service_fn(move |uri| {
        let (config, filled) = (config.clone(), filled.clone());
        async move { once(dial(uri, config).await?, &filled) }
    });
    let channel = connect_by(endpoint, connector, timeout).await?;
    let binding = *kept.lock().unwrap_or_else(PoisonError::into_inner);
    // The connector filled it, or there would be no channel.
    let binding = binding.ok_or_else(|| PinError::Endpoint(endpoint.to_owned()))?;
    Ok(JoinConnection { channel, binding })
}

/// Hands on the first connection and no other.
fn once(stream: TlsStream, filled: &Mutex<Option<Binding>>) -> io::Result<TlsStream> {
    let mut filled = filled.lock().unwrap_or_else(PoisonError::into_inner);
    if filled.is_some() {
        return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the connection was closed"));
    }
    let stream: tokio_rustls::client::TlsStream<_> = stream.into_inner();
    *filled = Some(bind(stream.get_ref().1).map_err(io::Error::other)?);
    Ok(TokioIo::new(stream))
}
