//! The randomness of a new member, drawn by the caller: from the system for a city, from a number for a test.
//!
//! Never printed, never copied, wiped when dropped.

use std::fmt;

use wego_proto::key::SecretKey;
use zeroize::Zeroizing;

/// One secret a key, and the nonce of the inception record.
pub struct Seeds {
    log: Zeroizing<[u8; 32]>,
    next_log: Zeroizing<[u8; 32]>,
    recovery: Zeroizing<[u8; 32]>,
    governance: Zeroizing<[u8; 32]>,
    transport: Zeroizing<[u8; 32]>,
    operator: Zeroizing<[u8; 32]>,
    nonce: [u8; 16],
}

impl Seeds {
    /// Takes what `fill` puts into each buffer.
    ///
    /// # Errors
    /// Those of `fill`.
    pub fn draw<E>(mut fill: impl FnMut(&mut [u8]) -> Result<(), E>) -> Result<Self, E> {
        let mut seed = || {
            let mut bytes = Zeroizing::new([0; 32]);
            fill(bytes.as_mut_slice()).map(|()| bytes)
        };
        let (log, next_log, recovery) = (seed()?, seed()?, seed()?);
        let (governance, transport, operator) = (seed()?, seed()?, seed()?);
        let mut nonce = [0; 16];
        fill(&mut nonce)?;
        Ok(Self { log, next_log, recovery, governance, transport, operator, nonce })
    }

    pub(super) fn log_key(&self) -> SecretKey {
        SecretKey::from_seed(&self.log)
    }

    pub(super) fn next_log_key(&self) -> SecretKey {
        SecretKey::from_seed(&self.next_log)
    }

    pub(super) fn recovery_key(&self) -> SecretKey {
        SecretKey::from_seed(&self.recovery)
    }

    pub(super) fn governance_key(&self) -> SecretKey {
        SecretKey::from_seed(&self.governance)
    }

    pub(super) fn transport_key(&self) -> SecretKey {
        SecretKey::from_seed(&self.transport)
    }

    pub(super) fn operator_key(&self) -> SecretKey {
        SecretKey::from_seed(&self.operator)
    }

    pub(super) const fn nonce(&self) -> &[u8; 16] {
        &self.nonce
    }
}

impl fmt::Debug for Seeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seeds")
    }
}
