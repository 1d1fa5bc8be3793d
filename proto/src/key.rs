//! Ed25519 keys. A secret key never prints, compares or copies itself, and is wiped when dropped.
//!
//! One verification rule for the whole federation: `verify_strict` (RFC 8032 with small-order points refused).
//! Batch or cofactored verification accept other sets of signatures and would split the replicas.

use std::fmt;

use data_encoding::{BASE32_NOPAD, HEXLOWER};
use ed25519_dalek::{
    Signature as DalekSignature, Signer as _, SigningKey, VerifyingKey,
    pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, KeypairBytes, spki::der::pem::LineEnding},
};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::id::{self, Hash, IdError};

/// What a signature is for. Each purpose signs under its own prefix, so that a signature made for one is
/// worthless for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// An entry's header.
    Entry,
    /// A roster version.
    Roster,
    /// A member card.
    Card,
    /// What a member has applied of every log.
    Receipt,
    /// That a card's maker holds an invite's secret.
    Invite,
    /// A line of a member's audit log.
    Audit,
    /// One start of a member's process.
    Run,
    /// A backup's manifest or trailer.
    Backup,
    /// That a transport key's holder agrees with a change of endpoints.
    Transport,
}

impl Purpose {
    const fn prefix(self) -> &'static [u8] {
        match self {
            Self::Entry => b"wego-entry-v1",
            Self::Roster => b"wego-roster-v1",
            Self::Card => b"wego-card-v1",
            Self::Receipt => b"wego-receipt-v1",
            Self::Invite => b"wego-invite-v1",
            Self::Audit => b"wego-audit-v1",
            Self::Run => b"wego-run-v1",
            Self::Backup => b"wego-backup-v1",
            Self::Transport => b"wego-transport-v1",
        }
    }
}

/// Why a key or signature cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyError {
    /// Not 32 bytes, or not a point of the curve.
    #[error("not an Ed25519 public key")]
    NotAKey,
    /// A point of small order: signatures under it prove nothing.
    #[error("weak Ed25519 public key")]
    Weak,
    /// The signature does not match key and message.
    #[error("signature does not verify")]
    BadSignature,
    /// The file is no PKCS #8 Ed25519 private key.
    #[error("not a PKCS #8 Ed25519 private key")]
    NotPkcs8,
}

/// A public key, checked to be a strong point.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Parses 32 bytes.
    ///
    /// # Errors
    /// [`KeyError::NotAKey`] or [`KeyError::Weak`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let bytes: &[u8; 32] = bytes.try_into().map_err(|_| KeyError::NotAKey)?;
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::NotAKey)?;
        if key.is_weak() {
            return Err(KeyError::Weak);
        }
        Ok(Self(key))
    }

    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// SHA-256 of the key: what pre-rotation and recovery commit to.
    #[must_use]
    pub fn digest(&self) -> Hash {
        Hash::of(&[self.as_bytes()])
    }

    /// What a person compares over the telephone.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        id::fingerprint(self.as_bytes())
    }

    /// Checks `signature` over the purpose's prefix and `parts`.
    ///
    /// # Errors
    /// [`KeyError::BadSignature`].
    pub fn verify(&self, purpose: Purpose, parts: &[&[u8]], signature: &Signature) -> Result<(), KeyError> {
        let message = domain_separated(purpose, parts);
        self.0
            .verify_strict(&message, &DalekSignature::from_bytes(&signature.0))
            .map_err(|_| KeyError::BadSignature)
    }
}

impl PartialOrd for PublicKey {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PublicKey {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(self.as_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({}…)", BASE32_NOPAD.encode(&self.as_bytes()[..5]))
    }
}

/// A private key.
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// From 32 random bytes: randomness comes in as an argument.
    #[must_use]
    pub fn from_seed(seed: &Zeroizing<[u8; 32]>) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// Its public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Signs the purpose's prefix and `parts`. Deterministic: one message has one signature.
    #[must_use]
    pub fn sign(&self, purpose: Purpose, parts: &[&[u8]]) -> Signature {
        Signature(self.0.sign(&domain_separated(purpose, parts)).to_bytes())
    }

    /// Reads a PKCS #8 PEM file's text, of version 1 or 2. Version 2 names the public key too, which is checked.
    ///
    /// # Errors
    /// [`KeyError::NotPkcs8`].
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        SigningKey::from_pkcs8_pem(pem).map(Self).map_err(|_| KeyError::NotPkcs8)
    }

    /// As PKCS #8 PEM of version 1, without the public key: OpenSSL 3.0 and all that is built on it refuse version 2.
    ///
    /// # Panics
    /// Never: an Ed25519 key always has a PKCS #8 form.
    #[must_use]
    #[expect(clippy::expect_used, reason = "encoding 48 bytes of DER cannot fail")]
    pub fn to_pem(&self) -> Zeroizing<String> {
        // Wiped when dropped.
        let form = KeypairBytes { secret_key: self.0.to_bytes(), public_key: None };
        form.to_pkcs8_pem(LineEnding::LF).expect("an Ed25519 key has a PKCS #8 form")
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey(of {:?})", self.public())
    }
}

/// 64 bytes of signature, not known to verify.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; 64]);

impl Signature {
    /// From its bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl TryFrom<&[u8]> for Signature {
    type Error = IdError;
    fn try_from(bytes: &[u8]) -> Result<Self, IdError> {
        bytes.try_into().map(Self).map_err(|_| IdError { what: "signature", expected: "64 bytes" })
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({}…)", HEXLOWER.encode(&self.0[..6]))
    }
}

fn domain_separated(purpose: Purpose, parts: &[&[u8]]) -> Vec<u8> {
    let mut message = purpose.prefix().to_vec();
    for part in parts {
        message.extend_from_slice(part);
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(seed: u8) -> SecretKey {
        SecretKey::from_seed(&Zeroizing::new([seed; 32]))
    }

    #[test]
    fn a_signature_for_one_purpose_is_worthless_for_another() {
        let signature = key(1).sign(Purpose::Roster, &[b"bytes"]);
        assert_eq!(key(1).public().verify(Purpose::Roster, &[b"bytes"], &signature), Ok(()));
        assert_eq!(
            key(1).public().verify(Purpose::Entry, &[b"bytes"], &signature),
            Err(KeyError::BadSignature)
        );
    }

    #[test]
    fn a_weak_key_is_refused() {
        // The identity point, whose signatures verify for any message.
        let mut identity = [0; 32];
        identity[0] = 1;
        assert_eq!(PublicKey::from_bytes(&identity), Err(KeyError::Weak));
    }

    /// Of the seed `[9; 32]`, as `wego` 0.1 wrote it.
    const VERSION_2: &str = "-----BEGIN PRIVATE KEY-----\n\
        MFECAQEwBQYDK2VwBCIEIAkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJ\n\
        gSEA/RckOFqgx1tk+3jNYC+h2ZH96/drE8WO1wLqyDXp9hg=\n\
        -----END PRIVATE KEY-----\n";

    #[test]
    fn a_key_is_written_as_pkcs8_version_1_and_both_versions_are_read() {
        let pem = key(9).to_pem();
        let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let der = data_encoding::BASE64.decode(body.as_bytes()).expect("base64");
        // RFC 8410, 7: SEQUENCE, version 0, the algorithm, the seed, and nothing behind it.
        let mut expected = HEXLOWER.decode(b"302e020100300506032b657004220420").expect("hexadecimal");
        expected.extend([9; 32]);
        assert_eq!(der, expected);
        for pem in [pem.as_str(), VERSION_2] {
            assert_eq!(SecretKey::from_pem(pem).expect("a key").public(), key(9).public());
        }
        let other = VERSION_2.replace("gSEA/Rck", "gSEA/RcA");
        assert!(SecretKey::from_pem(&other).is_err(), "the public key in it is of another one");
    }

    #[test]
    fn a_secret_key_survives_pem_and_never_prints() {
        let pem = key(9).to_pem();
        let again = SecretKey::from_pem(&pem).expect("own PEM");
        assert_eq!(again.public(), key(9).public());
        let printed = format!("{:?}", key(9));
        assert!(!printed.contains(&HEXLOWER.encode(&[9; 32])[..12]), "{printed}");
        assert!(
            SecretKey::from_pem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").is_err()
        );
    }
}
