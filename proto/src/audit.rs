//! A line of the audit log: which of its bytes are hashed and signed, and what makes lines a chain.
//!
//! The problem: whoever may change a node may also want to change what is written about it. The rule: each line is a
//! JSON object, read by people and collectors as it stands; it ends in the hash of the line before and in a
//! signature of the member's log key over all bytes before the signature, exactly as they stand in the file. So a
//! changed, dropped, added or moved line shows, whoever has the file. Nothing shows that the end is missing, unless
//! somebody noted a later head: hence [`Chain::expect`].
//!
//! The log key signs, under a prefix of its own, because it is the key by which others know the member: a line can
//! be checked with nothing but the roster. A key made for this alone would be known to nobody, and the transport
//! key is replaced too often. This file must never say what an event means.

use data_encoding::HEXLOWER;
use thiserror::Error;

use crate::{
    id::Hash,
    key::{PublicKey, Purpose, SecretKey, Signature},
};

/// Longest line in bytes, its end not counted: the longest texts an event takes, all of them escaped.
pub const LINE_BYTES_MAX: usize = 16 * 1_024;

/// What the first event has for the hash of the one before.
pub const NO_EVENT: Hash = Hash::new([0; 32]);

const NUMBER: &str = "{\"n\":";
const PREV: &str = ",\"prev\":\"";
const SIGNATURE: &str = "\",\"sig\":\"";
const END: &str = "\"}";
const HASH_DIGITS: usize = 64;
const SIGNATURE_DIGITS: usize = 128;

/// Event `n` as a line without its line break. `members` is the inside of a JSON object: names and values with
/// commas between, no braces.
#[must_use]
pub fn seal(key: &SecretKey, n: u64, members: &str, prev: &Hash) -> String {
    let mut line = format!("{NUMBER}{n},{members}{PREV}{prev}");
    let signature = key.sign(Purpose::Audit, &[line.as_bytes()]);
    line.push_str(SIGNATURE);
    line.push_str(&HEXLOWER.encode(signature.as_bytes()));
    line.push_str(END);
    line
}

/// A line that has the form of one. Whether it is genuine is not known.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    text: &'a str,
    n: u64,
    prev: Hash,
    signature: Signature,
}

impl<'a> Line<'a> {
    /// Takes a line, without its line break, apart.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let (signed, signature) = end_of(text, SIGNATURE, SIGNATURE_DIGITS)?;
        let (body, prev) = end_of_signed(signed)?;
        let n: u64 = body.strip_prefix(NUMBER)?.split(',').next()?.parse().ok()?;
        // One number has one form.
        let plain = body.starts_with(&format!("{NUMBER}{n},")) && text.len() <= LINE_BYTES_MAX;
        let signature = HEXLOWER.decode(signature.as_bytes()).ok()?;
        let signature = Signature::try_from(signature.as_slice()).ok()?;
        plain.then_some(Self { text, n, prev: prev.parse().ok()?, signature })
    }

    /// Its number.
    #[must_use]
    pub const fn n(&self) -> u64 {
        self.n
    }

    /// What the next line names: the hash of this one, signature included.
    #[must_use]
    pub fn hash(&self) -> Hash {
        hash_of(self.text)
    }

    /// Whether one of `keys` signed it.
    #[must_use]
    pub fn is_signed_by(&self, keys: &[PublicKey]) -> bool {
        let signed = &self.text[..self.text.len() - SIGNATURE.len() - SIGNATURE_DIGITS - END.len()];
        keys.iter().any(|key| key.verify(Purpose::Audit, &[signed.as_bytes()], &self.signature).is_ok())
    }
}

/// The hash of a line, whatever it is.
#[must_use]
pub fn hash_of(line: &str) -> Hash {
    Hash::of(&[line.as_bytes()])
}

fn end_of<'a>(text: &'a str, mark: &str, digits: usize) -> Option<(&'a str, &'a str)> {
    let rest = text.strip_suffix(END)?;
    let (before, value) = rest.split_at_checked(rest.len().checked_sub(digits)?)?;
    Some((before.strip_suffix(mark)?, value))
}

fn end_of_signed(signed: &str) -> Option<(&str, &str)> {
    let (before, value) = signed.split_at_checked(signed.len().checked_sub(HASH_DIGITS)?)?;
    Some((before.strip_suffix(PREV)?, value))
}

/// Where an audit log is not what a node wrote. Whoever reads it acts; nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Break {
    /// Something that is no event.
    #[error("after event {after}: a line that is no event")]
    NotAnEvent {
        /// The event before it; 0 at the beginning.
        after: u64,
    },
    /// Events are missing, or stand in another order.
    #[error("event {found} stands where event {expected} must stand")]
    Order {
        /// Number that must follow.
        expected: u64,
        /// Number that follows.
        found: u64,
    },
    /// The event before is not the one that stood there when this one was written.
    #[error("event {n} does not follow from the event before it")]
    Chain {
        /// The event.
        n: u64,
    },
    /// None of the keys signed it.
    #[error("event {n} is not signed by this member's key")]
    Signature {
        /// The event.
        n: u64,
    },
    /// The log has another event than the one noted.
    #[error("event {n} is not the one that was noted")]
    Other {
        /// The event.
        n: u64,
    },
    /// The log ends before the event noted, or begins after it.
    #[error("event {n}, which was noted, is missing")]
    Missing {
        /// The event.
        n: u64,
    },
}

/// Walks lines in order and says where they are no chain. Goes on after a break, so that later ones are found too.
#[derive(Debug, Clone)]
pub struct Chain<'k> {
    keys: &'k [PublicKey],
    first: Option<u64>,
    last: Option<(u64, Hash)>,
    expected: Option<(u64, Hash)>,
    met: bool,
}

impl<'k> Chain<'k> {
    /// Begins at any event, or after `last` when it is known. Each line must be signed by one of `keys`.
    #[must_use]
    pub const fn new(keys: &'k [PublicKey], last: Option<(u64, Hash)>) -> Self {
        Self { keys, first: None, last, expected: None, met: false }
    }

    /// Demands that event `n` is there with this hash: a head that was noted earlier shows a missing end, and a log
    /// written anew with a stolen key.
    #[must_use]
    pub const fn expect(mut self, head: (u64, Hash)) -> Self {
        self.expected = Some(head);
        self
    }

    /// The first event walked over.
    #[must_use]
    pub const fn first(&self) -> Option<u64> {
        self.first
    }

    /// The event walked over last, with its hash.
    #[must_use]
    pub const fn last(&self) -> Option<(u64, Hash)> {
        self.last
    }

    /// Takes the next line.
    ///
    /// # Errors
    /// [`Break`]; the walk can go on.
    pub fn step(&mut self, text: &str) -> Result<(), Break> {
        let before = self.last;
        let after = before.map_or(0, |(n, _)| n);
        let Some(line) = Line::parse(text) else {
            self.advance(after.saturating_add(1), hash_of(text));
            return Err(Break::NotAnEvent { after });
        };
        let (n, hash) = (line.n(), line.hash());
        self.advance(n, hash);
        match before {
            Some((last, _)) if n != last.saturating_add(1) => {
                return Err(Break::Order { expected: last.saturating_add(1), found: n });
            }
            Some((_, prev)) if line.prev != prev => return Err(Break::Chain { n }),
            None if n == 0 || (n == 1 && line.prev != NO_EVENT) => return Err(Break::Chain { n }),
            _ => {}
        }
        if !line.is_signed_by(self.keys) {
            return Err(Break::Signature { n });
        }
        match self.expected {
            Some((noted, other)) if noted == n && other != hash => Err(Break::Other { n }),
            _ => Ok(()),
        }
    }

    /// At the end of the log.
    ///
    /// # Errors
    /// [`Break::Missing`] when the event noted was not met.
    pub const fn finish(&self) -> Result<(), Break> {
        match self.expected {
            Some((n, _)) if !self.met => Err(Break::Missing { n }),
            _ => Ok(()),
        }
    }

    fn advance(&mut self, n: u64, hash: Hash) {
        self.first.get_or_insert(n);
        self.met |= self.expected.is_some_and(|(noted, _)| noted == n);
        self.last = Some((n, hash));
    }
}

#[cfg(test)]
mod tests;
