//! What became of connections at a door, counted since the start. Counts decide nothing.

use std::{
    io,
    sync::atomic::{AtomicU64, Ordering},
};

use rustls::{AlertDescription, CertificateError, Error as TlsError};

/// Why a connection was not handed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Its key is not a known one.
    UnknownKey,
    /// It showed no certificate.
    NoCertificate,
    /// It speaks no TLS version, cipher or exchange of ours.
    Incompatible,
    /// It sent bytes that are no TLS, or broke its rules.
    Malformed,
    /// It went away in the middle.
    Abandoned,
    /// It did not finish in time.
    Timeout,
    /// Too many connections were open, in all or from its address.
    OverLimit,
}

impl Refusal {
    /// A word for logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownKey => "unknown_key",
            Self::NoCertificate => "no_certificate",
            Self::Incompatible => "incompatible",
            Self::Malformed => "malformed",
            Self::Abandoned => "abandoned",
            Self::Timeout => "timeout",
            Self::OverLimit => "over_limit",
        }
    }

    /// Sorts the error of a failed handshake.
    pub(super) fn of(error: &io::Error) -> Self {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>());
        let Some(inner) = inner else { return Self::Abandoned };
        match inner {
            TlsError::InvalidCertificate(CertificateError::ApplicationVerificationFailure) => {
                Self::UnknownKey
            }
            TlsError::NoCertificatesPresented => Self::NoCertificate,
            TlsError::PeerIncompatible(_) => Self::Incompatible,
            // The other end refused us, or left politely.
            TlsError::AlertReceived(AlertDescription::ProtocolVersion) => Self::Incompatible,
            TlsError::AlertReceived(_) => Self::Abandoned,
            _ => Self::Malformed,
        }
    }
}

/// Connections at one door since the start, by what became of them.
#[derive(Debug, Default)]
pub struct TlsCounters {
    /// Handed on with a proved key.
    pub accepted: AtomicU64,
    /// Handed on by the second way, with a proved key that need not be known.
    pub accepted_aside: AtomicU64,
    /// [`Refusal::UnknownKey`]
    pub refused_key: AtomicU64,
    /// [`Refusal::NoCertificate`]
    pub no_certificate: AtomicU64,
    /// [`Refusal::Incompatible`]
    pub incompatible: AtomicU64,
    /// [`Refusal::Malformed`]
    pub malformed: AtomicU64,
    /// [`Refusal::Abandoned`]
    pub abandoned: AtomicU64,
    /// [`Refusal::Timeout`]
    pub timeouts: AtomicU64,
    /// [`Refusal::OverLimit`]
    pub over_limit: AtomicU64,
    /// Times the system gave no descriptor or memory for a connection.
    pub accept_failures: AtomicU64,
}

impl TlsCounters {
    /// The counter of `refusal`.
    #[must_use]
    pub const fn of(&self, refusal: Refusal) -> &AtomicU64 {
        match refusal {
            Refusal::UnknownKey => &self.refused_key,
            Refusal::NoCertificate => &self.no_certificate,
            Refusal::Incompatible => &self.incompatible,
            Refusal::Malformed => &self.malformed,
            Refusal::Abandoned => &self.abandoned,
            Refusal::Timeout => &self.timeouts,
            Refusal::OverLimit => &self.over_limit,
        }
    }

    /// All refusals so far, by reason.
    #[must_use]
    pub fn refusals(&self) -> [(&'static str, u64); 7] {
        [
            Refusal::UnknownKey,
            Refusal::NoCertificate,
            Refusal::Incompatible,
            Refusal::Malformed,
            Refusal::Abandoned,
            Refusal::Timeout,
            Refusal::OverLimit,
        ]
        .map(|refusal| (refusal.as_str(), self.of(refusal).load(Ordering::Relaxed)))
    }

    pub(super) fn refuse(&self, refusal: Refusal) {
        self.of(refusal).fetch_add(1, Ordering::Relaxed);
    }
}
