//! Why a change of the transport key did not begin or end.

use thiserror::Error;
use wego_proto::{key::PublicKey, pin::PinError};

use crate::{
    engine::orders::OrderError,
    keys::{KeysError, certificate::CertificateError},
};

/// Why a change did not begin or end. What was in use stays in use.
#[derive(Debug, Error)]
pub enum TransportError {
    /// One is not finished.
    #[error("a change is under way: {} takes over", .0.fingerprint())]
    UnderWay(PublicKey),
    /// None is.
    #[error("no change is under way")]
    NoChange,
    /// Neither roster nor log name the key in use, so it cannot agree with another.
    #[error("the key in use does not speak for this member")]
    NotListed,
    /// An entry has no room for one more.
    #[error("this member has {0} transport keys already")]
    TooMany(usize),
    /// The endpoints are more, or longer, than an entry may name.
    #[error("this member has more or longer endpoints than an entry may name")]
    Endpoints,
    /// Nobody has confirmed that it knows the key: it would be shown to strangers.
    #[error("no member has confirmed that it knows {}", .0.fingerprint())]
    Unknown(PublicKey),
    /// The system gives no randomness.
    #[error("the system gives no randomness: {0}")]
    Random(getrandom::Error),
    /// The keys folder.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The entry was not written.
    #[error(transparent)]
    Order(#[from] OrderError),
    /// The new pair cannot be shown.
    #[error(transparent)]
    Identity(#[from] PinError),
    /// The certificate cannot be read.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// A task of this process ended abnormally.
    #[error("reading the keys folder ended abnormally")]
    Ended,
}
