//! Who knocks at a door: operators of every role, strangers, members, and somebody without a certificate.

use std::{sync::Arc, time::Duration};

use rustls::{ClientConfig, client::ResolvesClientCert, sign::CertifiedKey};
use tonic::transport::Channel;
use wego_node::{
    demo::founding::Seat,
    keys,
    operators::{self, Editing, Operator, Role},
};
use wego_proto::{
    key::PublicKey,
    pin::{self, Identity, PinError},
};

/// A connection must stand within this time.
const PATIENCE: Duration = Duration::from_secs(20);

/// A key that nobody has ever seen, in a certificate.
#[must_use]
pub fn fresh() -> Identity {
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key");
    let params = rcgen::CertificateParams::new([]).expect("parameters");
    let certificate = params.self_signed(&pair).expect("a certificate");
    Identity::from_pem(&certificate.pem(), &pair.serialize_pem()).expect("an identity")
}

/// A new operator, written into the seat's file; a running node learns of it when it reads the file again.
#[must_use]
pub fn operator(seat: &Seat, name: &str, role: Role) -> Identity {
    let identity = fresh();
    let operator = Operator { name: name.to_owned(), key: key_of(&identity), role };
    change_operators(seat, |text| operators::added(text, &operator));
    identity
}

/// Takes an operator out of the seat's file.
pub fn remove_operator(seat: &Seat, name: &str) {
    change_operators(seat, |text| operators::removed(text, name));
}

fn change_operators(seat: &Seat, change: impl Fn(&str) -> Result<String, operators::OperatorsError>) {
    let path = &seat.config.node.operators;
    let file = Editing::begin(path).expect("the operators file");
    let text = change(file.text()).expect("a change that is allowed");
    file.replace(&text).expect("it can be written");
}

/// What the seat's node shows in TLS.
#[must_use]
pub fn transport(seat: &Seat) -> Identity {
    keys::load_transport(&seat.config.node.keys_dir).expect("transport keys").0
}

/// The key in an identity.
#[must_use]
pub fn key_of(identity: &Identity) -> PublicKey {
    identity.public_key().expect("an Ed25519 key")
}

/// Connects to a listener of the seat's node. TLS 1.3 lets a client finish before the server has judged it: whoever
/// is refused may learn it with the first call only.
///
/// # Errors
/// [`PinError`].
pub async fn connect(seat: &Seat, address: &str, identity: Identity) -> Result<Channel, PinError> {
    let config = config(seat, identity)?;
    pin::connect(address, Arc::new(config), PATIENCE).await
}

/// As [`connect`], without a certificate.
///
/// # Errors
/// [`PinError`].
pub async fn connect_without_certificate(seat: &Seat, address: &str) -> Result<Channel, PinError> {
    let mut config = config(seat, fresh())?;
    config.client_auth_cert_resolver = Arc::new(NoCertificate);
    pin::connect(address, Arc::new(config), PATIENCE).await
}

fn config(seat: &Seat, identity: Identity) -> Result<ClientConfig, PinError> {
    let server = seat.created.transport_key;
    pin::client_config(identity, Arc::new(move |key| *key == server))
}

#[derive(Debug)]
struct NoCertificate;

impl ResolvesClientCert for NoCertificate {
    fn resolve(&self, _: &[&[u8]], _: &[rustls::SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}
