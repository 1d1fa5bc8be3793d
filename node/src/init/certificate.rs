//! Certificates as key containers. Their names and dates are read by people only.

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, date_time_ymd};
use wego_proto::key::SecretKey;

use super::InitError;

/// A self-signed certificate of `key` with the common name `name`, as PEM. Valid at all times: the roster and
/// the operators file say who is admitted, not a date.
pub(super) fn self_signed(key: &SecretKey, name: &str) -> Result<String, InitError> {
    let pair = KeyPair::from_pem(&key.to_pem()).map_err(InitError::Certificate)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(1970, 1, 1);
    params.not_after = date_time_ymd(9999, 12, 31);
    Ok(params.self_signed(&pair).map_err(InitError::Certificate)?.pem())
}
