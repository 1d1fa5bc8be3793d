//! An invite: the one string with which a city that is no member yet finds one node, knows its key before it says
//! anything, and shows that it was invited.
//!
//! The problem: whoever is not in the roster yet can be told any address and any key. The rule: the string carries
//! the hash of the inviter's key, so the other end is known before a byte of ours goes there, and a secret that never
//! travels: it makes a key, and that key signs the connection and the new member's card together. Without it a
//! relay could spend somebody's invite on keys of its own.
//!
//! Nothing compares a secret here or anywhere. The inviter keeps the public half of the key that the secret makes,
//! and checks a signature with it; there is nothing whose timing could tell, and what it stores admits nobody.
//!
//! The string: `wego1-`, then base32 of version, federation id prefix, inviter's key hash, invite id, secret, expiry,
//! endpoint, and four bytes of checksum against misprints. It must never be logged.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{
    id::{FederationId, Hash, InviteId},
    key::{KeyError, PublicKey, Purpose, SecretKey, Signature},
    v1,
};

/// First 16 bytes of the SHA-256 of a transport key.
pub type KeyHash = [u8; 16];
/// First 8 bytes of a federation id.
pub type FederationPrefix = [u8; 8];

/// Longest endpoint in bytes: a DNS name and a port.
pub const ENDPOINT_BYTES_MAX: usize = 253 + 6;
/// Longest string that is looked at, in bytes: twice the longest invite, for line breaks of a mail program.
pub const STRING_BYTES_MAX: usize = 1_024;

const PREFIX: &str = "wego1-";
const VERSION: u8 = 1;
const CHECKSUM_BYTES: usize = 4;
/// Everything before the endpoint.
const FIXED_BYTES: usize = 1 + 8 + 16 + 8 + 16 + 4;

/// Why a string is no invite. Nothing was sent anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InviteError {
    /// It begins with something else, or is far too long.
    #[error("it is no invite: invites begin with {PREFIX}")]
    NotAnInvite,
    /// A letter is wrong or missing.
    #[error("the invite is damaged: a letter is wrong or missing")]
    Damaged,
    /// A form of a later version.
    #[error("the invite has version {0}, this program knows version {VERSION}")]
    Version(u8),
    /// The endpoint is not `host:port`.
    #[error("the endpoint in the invite is not host:port")]
    Endpoint,
}

/// What an invite says.
#[derive(Debug)]
pub struct Invite {
    /// The federation that the inviter belongs to.
    pub federation: FederationPrefix,
    /// The key that the inviter's node must show.
    pub inviter: KeyHash,
    /// Its name at the inviter's node.
    pub id: InviteId,
    /// What makes its holder the invited city.
    pub secret: InviteSecret,
    /// When it ends by the inviter's clock, s since 1970. For people; the inviter decides.
    pub expires_s: u32,
    /// Where the inviter's peer listener is reached.
    pub endpoint: String,
}

impl Invite {
    /// The string to hand over. Whoever reads it can ask to become a member in the city's place.
    #[must_use]
    pub fn encode(&self) -> Zeroizing<String> {
        let mut bytes =
            Zeroizing::new(Vec::with_capacity(FIXED_BYTES + self.endpoint.len() + CHECKSUM_BYTES));
        bytes.push(VERSION);
        bytes.extend_from_slice(&self.federation);
        bytes.extend_from_slice(&self.inviter);
        bytes.extend_from_slice(self.id.as_bytes());
        bytes.extend_from_slice(self.secret.0.as_slice());
        bytes.extend_from_slice(&self.expires_s.to_be_bytes());
        bytes.extend_from_slice(self.endpoint.as_bytes());
        let checksum = checksum(&bytes);
        bytes.extend_from_slice(&checksum);
        let mut text =
            Zeroizing::new(String::with_capacity(PREFIX.len() + BASE32_NOPAD.encode_len(bytes.len())));
        text.push_str(PREFIX);
        BASE32_NOPAD.encode_append(&bytes, &mut text);
        text
    }

    /// Reads a string as a person may have pasted it: in small letters, broken into lines.
    ///
    /// # Errors
    /// [`InviteError`].
    pub fn parse(text: &str) -> Result<Self, InviteError> {
        if text.len() > STRING_BYTES_MAX {
            return Err(InviteError::NotAnInvite);
        }
        let mut plain = Zeroizing::new(String::with_capacity(text.len()));
        plain.extend(text.chars().filter(|c| !c.is_whitespace()));
        plain.make_ascii_uppercase();
        let body = plain.strip_prefix(&PREFIX.to_ascii_uppercase()).ok_or(InviteError::NotAnInvite)?;
        let bytes = BASE32_NOPAD.decode(body.as_bytes()).map(Zeroizing::new);
        let bytes = bytes.map_err(|_| InviteError::Damaged)?;
        let (content, sum) = bytes.split_last_chunk::<CHECKSUM_BYTES>().ok_or(InviteError::Damaged)?;
        if checksum(content) != *sum {
            return Err(InviteError::Damaged);
        }
        Self::read(content)
    }

    fn read(content: &[u8]) -> Result<Self, InviteError> {
        let (version, rest) = take::<1>(content)?;
        if version != [VERSION] {
            return Err(InviteError::Version(version[0]));
        }
        let (federation, rest) = take(rest)?;
        let (inviter, rest) = take(rest)?;
        let (id, rest) = take(rest)?;
        let (secret, rest) = take(rest)?;
        let secret = InviteSecret::new(Zeroizing::new(secret));
        let (expires, endpoint) = take(rest)?;
        let endpoint = std::str::from_utf8(endpoint).map_err(|_| InviteError::Endpoint)?;
        check_endpoint(endpoint)?;
        Ok(Self {
            federation,
            inviter,
            id: InviteId::new(id),
            secret,
            expires_s: u32::from_be_bytes(expires),
            endpoint: endpoint.to_owned(),
        })
    }
}

fn take<const N: usize>(bytes: &[u8]) -> Result<([u8; N], &[u8]), InviteError> {
    let (first, rest) = bytes.split_first_chunk::<N>().ok_or(InviteError::Damaged)?;
    Ok((*first, rest))
}

fn checksum(content: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut sum = [0; CHECKSUM_BYTES];
    let hash = Hash::of(&[b"wego-invite-checksum-v1", content]);
    sum.copy_from_slice(&hash.as_bytes()[..CHECKSUM_BYTES]);
    sum
}

/// Whether a text is `host:port` as an invite may carry it: printable, and nothing that drives a terminal.
///
/// # Errors
/// [`InviteError::Endpoint`].
pub fn check_endpoint(endpoint: &str) -> Result<(), InviteError> {
    let (host, port) = endpoint.rsplit_once(':').ok_or(InviteError::Endpoint)?;
    let of_host = |c: char| c.is_ascii_alphanumeric() || "-.[]:".contains(c);
    let fits = endpoint.len() <= ENDPOINT_BYTES_MAX && !host.is_empty() && host.chars().all(of_host);
    let port = port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port != 0);
    if fits && port { Ok(()) } else { Err(InviteError::Endpoint) }
}

/// The part of a federation id that a string has room for.
#[must_use]
pub fn prefix_of(federation: &FederationId) -> FederationPrefix {
    let mut prefix = [0; 8];
    prefix.copy_from_slice(&federation.as_bytes()[..8]);
    prefix
}

/// The hash of a transport key that a string has room for.
#[must_use]
pub fn key_hash(key: &PublicKey) -> KeyHash {
    let mut hash = [0; 16];
    hash.copy_from_slice(&key.digest().as_bytes()[..16]);
    hash
}

/// The secret of an invite. Never prints or compares itself; wiped when dropped.
pub struct InviteSecret(Zeroizing<[u8; 16]>);

impl InviteSecret {
    /// From 16 random bytes.
    #[must_use]
    pub const fn new(bytes: Zeroizing<[u8; 16]>) -> Self {
        Self(bytes)
    }

    /// The key that the secret makes. Its public half is all that the inviter keeps.
    #[must_use]
    pub fn key(&self) -> SecretKey {
        let seed = Hash::of(&[b"wego-invite-key-v1", self.0.as_slice()]);
        SecretKey::from_seed(&Zeroizing::new(*seed.as_bytes()))
    }
}

impl fmt::Debug for InviteSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InviteSecret")
    }
}

/// What TLS exports from one connection, the same at both of its ends and at no other.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Binding([u8; 32]);

impl Binding {
    /// From the exported bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Binding")
    }
}

/// Shows on one connection that the maker of `card` holds the secret of invite `id`.
#[must_use]
pub fn prove(
    secret: &InviteSecret,
    id: &InviteId,
    binding: &Binding,
    card: &v1::SignedMemberCard,
) -> Signature {
    let card = Hash::of(&[&card.card, &card.signature]);
    secret.key().sign(Purpose::Invite, &[id.as_bytes(), binding.as_bytes(), card.as_bytes()])
}

/// Checks a proof against the public half of the key that the secret makes.
///
/// # Errors
/// [`KeyError::BadSignature`].
pub fn check_proof(
    kept: &PublicKey,
    id: &InviteId,
    binding: &Binding,
    card: &v1::SignedMemberCard,
    proof: &Signature,
) -> Result<(), KeyError> {
    let card = Hash::of(&[&card.card, &card.signature]);
    kept.verify(Purpose::Invite, &[id.as_bytes(), binding.as_bytes(), card.as_bytes()], proof)
}

#[cfg(test)]
mod tests;
