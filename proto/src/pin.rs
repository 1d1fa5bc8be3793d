//! Mutual TLS 1.3 between parties that know each other's keys: certificates are key containers, no more.
//!
//! The problem: a certificate authority says which names a key may use, and WeGO asks another question, whether
//! this key is one the roster (or the operators file) lists. The rule: the certificate's Ed25519 key is compared
//! with the known keys, the handshake signature is checked with it, names and dates are ignored. Session
//! resumption is off, so that a removed key cannot come back through an old ticket.
//!
//! This file must never decide which keys are known: that is the caller's [`Judge`].

use std::{fmt, io, sync::Arc, time::Duration};

use hyper_util::rt::TokioIo;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error as TlsError,
    ServerConfig, SignatureScheme,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject as _},
    server::{
        NoServerSessionStorage,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
};
use thiserror::Error;
use tokio::net::TcpStream;
use tonic::transport::{Channel, Endpoint, Uri};

use crate::key::PublicKey;

mod join;

pub use join::{JOIN_ALPN, JoinConnection, bind, connect_to_join, join_client_config, join_server_config};

/// Says whether a key may be at the other end. Asked at every handshake.
pub type Judge = Arc<dyn Fn(&PublicKey) -> bool + Send + Sync>;

/// DER before the 32 bytes of an Ed25519 key in a SubjectPublicKeyInfo (RFC 8410).
const ED25519_SPKI_PREFIX: [u8; 12] =
    [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// HTTP/2, the only protocol spoken.
const ALPN: &[u8] = b"h2";

/// Why an identity or a connection could not be made.
#[derive(Debug, Error)]
pub enum PinError {
    /// The PEM text holds no certificate or no private key.
    #[error("no {0} in the PEM text")]
    Pem(&'static str),
    /// Certificate and key do not belong together, or are of an unsupported type.
    #[error("certificate or key cannot be used")]
    Identity(#[source] TlsError),
    /// The endpoint is not `host:port`.
    #[error("endpoint {0:?} is not host:port")]
    Endpoint(String),
    /// TCP, TLS or HTTP/2 could not be set up.
    #[error("connection failed")]
    Connect(#[source] tonic::transport::Error),
}

/// A certificate with its private key.
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    /// Reads both from PEM text.
    ///
    /// # Errors
    /// [`PinError::Pem`].
    pub fn from_pem(certificate: &str, key: &str) -> Result<Self, PinError> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate.as_bytes()).collect();
        let chain = chain.map_err(|_| PinError::Pem("certificate"))?;
        if chain.is_empty() {
            return Err(PinError::Pem("certificate"));
        }
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| PinError::Pem("private key"))?;
        Ok(Self { chain, key })
    }

    /// The certificate that the other end will see, in DER.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.chain[0]
    }

    /// The key that the other end will see.
    ///
    /// # Errors
    /// [`PinError::Identity`] for a certificate without an Ed25519 key.
    pub fn public_key(&self) -> Result<PublicKey, PinError> {
        key_of(&self.chain[0]).map_err(PinError::Identity)
    }
}

impl Clone for Identity {
    fn clone(&self) -> Self {
        Self { chain: self.chain.clone(), key: self.key.clone_key() }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({} certificates)", self.chain.len())
    }
}

/// The Ed25519 key in a certificate.
///
/// # Errors
/// A certificate that cannot be parsed, or with a key of another type.
pub fn key_of(certificate: &CertificateDer<'_>) -> Result<PublicKey, TlsError> {
    let parsed = webpki::EndEntityCert::try_from(certificate)
        .map_err(|_| TlsError::InvalidCertificate(CertificateError::BadEncoding))?;
    let spki = parsed.subject_public_key_info();
    spki.strip_prefix(&ED25519_SPKI_PREFIX)
        .and_then(|key| PublicKey::from_bytes(key).ok())
        .ok_or(TlsError::InvalidCertificate(CertificateError::BadEncoding))
}

/// Configuration of the side that dials: shows `identity`, talks only to keys that `judge` knows.
///
/// # Errors
/// [`PinError::Identity`].
pub fn client_config(identity: Identity, judge: Judge) -> Result<ClientConfig, PinError> {
    client_config_for(ALPN, identity, judge)
}

fn client_config_for(protocol: &[u8], identity: Identity, judge: Judge) -> Result<ClientConfig, PinError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Arc::new(PinnedKeys::new(judge, &provider));
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(PinError::Identity)?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_client_auth_cert(identity.chain, identity.key)
        .map_err(PinError::Identity)?;
    config.resumption = Resumption::disabled();
    config.alpn_protocols = vec![protocol.to_vec()];
    Ok(config)
}

/// Configuration of the side that listens: shows `identity`, admits only keys that `judge` knows.
///
/// # Errors
/// [`PinError::Identity`].
pub fn server_config(identity: Identity, judge: Judge) -> Result<ServerConfig, PinError> {
    server_config_for(ALPN, identity, judge)
}

fn server_config_for(protocol: &[u8], identity: Identity, judge: Judge) -> Result<ServerConfig, PinError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Arc::new(PinnedKeys::new(judge, &provider));
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(PinError::Identity)?
        .with_client_cert_verifier(verifier)
        .with_single_cert(identity.chain, identity.key)
        .map_err(PinError::Identity)?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.alpn_protocols = vec![protocol.to_vec()];
    Ok(config)
}

/// Opens an HTTP/2 connection to `endpoint` (`host:port`) within `timeout`, TCP and TLS included.
///
/// # Errors
/// [`PinError::Endpoint`] or [`PinError::Connect`].
pub async fn connect(
    endpoint: &str,
    config: Arc<ClientConfig>,
    timeout: Duration,
) -> Result<Channel, PinError> {
    connect_by(endpoint, tower::service_fn(move |uri| dial(uri, config.clone())), timeout).await
}

async fn connect_by<C, F>(endpoint: &str, connector: C, timeout: Duration) -> Result<Channel, PinError>
where
    C: tower::Service<Uri, Response = TlsStream, Error = io::Error, Future = F> + Send + 'static,
    F: Future<Output = io::Result<TlsStream>> + Send + 'static,
{
    // The scheme is a formality: TLS is done by the connector, not by tonic.
    let bad = || PinError::Endpoint(endpoint.to_owned());
    let uri =
        Uri::builder().scheme("http").authority(endpoint).path_and_query("/").build().map_err(|_| bad())?;
    if uri.port().is_none() {
        return Err(bad());
    }
    Endpoint::from(uri)
        .connect_timeout(timeout)
        .http2_keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(10))
        .keep_alive_while_idle(true)
        .initial_stream_window_size(2 * 1_024 * 1_024)
        .initial_connection_window_size(4 * 1_024 * 1_024)
        .connect_with_connector(connector)
        .await
        .map_err(PinError::Connect)
}

type TlsStream = TokioIo<tokio_rustls::client::TlsStream<TcpStream>>;

async fn dial(uri: Uri, config: Arc<ClientConfig>) -> io::Result<TlsStream> {
    let authority = uri.authority().map(http::uri::Authority::as_str).unwrap_or_default();
    let tcp = TcpStream::connect(authority).await?;
    // A handshake waits 40 ms for a delayed acknowledgement otherwise.
    tcp.set_nodelay(true)?;
    let name = ServerName::try_from("wego.invalid").map_err(io::Error::other)?;
    Ok(TokioIo::new(tokio_rustls::TlsConnector::from(config).connect(name, tcp).await?))
}

struct PinnedKeys {
    judge: Judge,
    algorithms: WebPkiSupportedAlgorithms,
}

impl PinnedKeys {
    fn new(judge: Judge, provider: &CryptoProvider) -> Self {
        Self { judge, algorithms: provider.signature_verification_algorithms }
    }

    fn judge(&self, certificate: &CertificateDer<'_>) -> Result<(), TlsError> {
        let known = (self.judge)(&key_of(certificate)?);
        known
            .then_some(())
            .ok_or(TlsError::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
    }
}

impl fmt::Debug for PinnedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PinnedKeys")
    }
}

impl ServerCertVerifier for PinnedKeys {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        self.judge(end_entity).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        Err(TlsError::General("TLS 1.2 is not spoken".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}

impl ClientCertVerifier for PinnedKeys {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, TlsError> {
        self.judge(end_entity).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        ServerCertVerifier::verify_tls12_signature(self, message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}
