//! Certificates as key containers. Their names and dates decide nothing: the roster and the operators file say who is
//! admitted. Dates are there for tools that watch a network and take one that never ends for a mistake.

use std::time::Duration;

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, date_time_ymd};
use thiserror::Error;
use wego_proto::key::SecretKey;
use x509_cert::{Certificate, der::Decode as _};

/// A node's certificate is valid for so long: what tools accept that watch certificates (CA/Browser Forum Baseline
/// Requirements 6.3.2, 398 days), less a day for clocks that differ.
const LIFE: Duration = Duration::from_hours(397 * 24);
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// How long a certificate is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// At all times.
    Unending,
    /// For 397 days from a day before this time on, ms since 1970.
    From(u64),
}

/// Why a certificate cannot be made or read.
#[derive(Debug, Error)]
pub enum CertificateError {
    /// It cannot be made.
    #[error("a certificate cannot be made")]
    Make(#[source] rcgen::Error),
    /// It is not X.509.
    #[error("not an X.509 certificate")]
    Read(#[source] x509_cert::der::Error),
}

/// A self-signed certificate of `key` with the common name `name`, as PEM.
///
/// # Errors
/// [`CertificateError::Make`].
pub fn self_signed(key: &SecretKey, name: &str, life: Life) -> Result<String, CertificateError> {
    let pair = KeyPair::from_pem(&key.to_pem()).map_err(CertificateError::Make)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    (params.not_before, params.not_after) = match life {
        Life::Unending => (date_time_ymd(1970, 1, 1), date_time_ymd(9999, 12, 31)),
        Life::From(now_ms) => {
            let begin = date_time_ymd(1970, 1, 1) + Duration::from_millis(now_ms.saturating_sub(DAY_MS));
            (begin, begin + LIFE)
        }
    };
    Ok(params.self_signed(&pair).map_err(CertificateError::Make)?.pem())
}

/// From when until when a certificate is valid, and who says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// ms since 1970.
    pub from_ms: u64,
    /// ms since 1970.
    pub until_ms: u64,
    /// It names itself as its issuer: the node may make another in its place.
    pub self_issued: bool,
}

impl Validity {
    /// Reads a certificate.
    ///
    /// # Errors
    /// [`CertificateError::Read`].
    pub fn of(der: &[u8]) -> Result<Self, CertificateError> {
        let certificate = Certificate::from_der(der).map_err(CertificateError::Read)?;
        let tbs = certificate.tbs_certificate();
        let ms = |time: &x509_cert::time::Time| time.to_unix_duration().as_millis() as u64;
        Ok(Self {
            from_ms: ms(&tbs.validity().not_before),
            until_ms: ms(&tbs.validity().not_after),
            self_issued: tbs.issuer() == tbs.subject(),
        })
    }

    /// From when on it is to be replaced: the last third of its life is for the case that nobody does, ms since 1970.
    #[must_use]
    pub fn renew_ms(&self) -> u64 {
        self.from_ms + self.until_ms.saturating_sub(self.from_ms) / 3 * 2
    }
}

#[cfg(test)]
mod tests {
    use wego_proto::pin::Identity;

    use super::*;

    /// 2026-11-25.
    const NOW_MS: u64 = 1_795_564_800_000;

    fn validity(life: Life) -> Validity {
        let key = SecretKey::from_seed(&[7; 32].into());
        let pem = self_signed(&key, "kr-seoul", life).unwrap();
        let identity = Identity::from_pem(&pem, &key.to_pem()).unwrap();
        Validity::of(identity.certificate()).unwrap()
    }

    #[test]
    fn a_certificate_says_for_how_long_it_is_valid() {
        let validity = validity(Life::From(NOW_MS));
        assert_eq!(validity.until_ms - validity.from_ms, 397 * DAY_MS);
        assert!(validity.from_ms <= NOW_MS && validity.self_issued);
        assert!(validity.renew_ms() > NOW_MS + 200 * DAY_MS && validity.renew_ms() < validity.until_ms);
    }

    #[test]
    fn one_without_an_end_is_never_to_be_replaced() {
        assert!(validity(Life::Unending).renew_ms() > NOW_MS + 1_000 * 365 * DAY_MS);
    }
}
