//! Names for things that must not be confused: newtypes over bytes and numbers.
//!
//! An id here is only well-formed; whether it exists is somebody else's knowledge.

use std::{fmt, str::FromStr};

use data_encoding::{BASE32_NOPAD, HEXLOWER, HEXLOWER_PERMISSIVE};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// Text or bytes that are not the id they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{what} must be {expected}")]
pub struct IdError {
    /// Which id was expected.
    pub what: &'static str,
    /// The form it must have.
    pub expected: &'static str,
}

macro_rules! bytes_id {
    ($(#[$doc:meta])* $name:ident, $len:literal, $what:literal, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $len]);

        impl $name {
            /// From bytes of the right length.
            #[must_use]
            pub const fn new(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }

            /// The bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = IdError;
            fn try_from(bytes: &[u8]) -> Result<Self, IdError> {
                let bytes = bytes.try_into().map_err(|_| IdError { what: $what, expected: $expected })?;
                Ok(Self(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&HEXLOWER.encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({}…)"), HEXLOWER.encode(&self.0[..6]))
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                let bytes = HEXLOWER_PERMISSIVE
                    .decode(text.trim().as_bytes())
                    .map_err(|_| IdError { what: $what, expected: $expected })?;
                Self::try_from(bytes.as_slice())
            }
        }
    };
}

bytes_id!(
    /// SHA-256 of the first roster version's bytes.
    FederationId, 32, "federation id", "32 bytes (64 hexadecimal digits)"
);
bytes_id!(
    /// SHA-256 of a signed item; for an entry, the RFC 6962 leaf hash.
    Hash, 32, "hash", "32 bytes (64 hexadecimal digits)"
);
bytes_id!(
    /// A city's permanent identity: SHA-256 of its inception record. Not a key.
    CityId, 32, "city id", "32 bytes (64 hexadecimal digits)"
);
bytes_id!(
    /// A record over all its versions.
    RecordId, 16, "record id", "16 bytes (32 hexadecimal digits)"
);
bytes_id!(
    /// A client's name for one intended write: it yields at most one entry.
    RequestId, 16, "request id", "16 bytes (32 hexadecimal digits)"
);
bytes_id!(
    /// One invite of one node.
    InviteId, 8, "invite id", "8 bytes (16 hexadecimal digits)"
);
bytes_id!(
    /// One incarnation of a node's database; new after every loss or copy.
    StoreId, 16, "store id", "16 bytes (32 hexadecimal digits)"
);

impl Hash {
    /// SHA-256 of `parts`, one after the other.
    #[must_use]
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut sha = Sha256::new();
        for part in parts {
            sha.update(part);
        }
        Self(sha.finalize().into())
    }
}

impl RecordId {
    /// The id of an imported record: the same source and identifier give the same record at every import.
    ///
    /// The owner is part of it, so that two members may import one source.
    #[must_use]
    pub fn imported(owner: &CityId, source: &str, identifier: &str) -> Self {
        let length = (source.len() as u64).to_be_bytes();
        let hash = Hash::of(&[
            b"wego-import-v1",
            owner.as_bytes(),
            &length,
            source.as_bytes(),
            identifier.as_bytes(),
        ]);
        let mut id = [0; 16];
        id.copy_from_slice(&hash.as_bytes()[..16]);
        Self(id)
    }
}

/// A member's roster index: the origin of its entries. Given once, never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(pub u32);

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Largest sequence number plus one: JSON clients hold 53 bits exactly.
pub const SEQ_END: u64 = 1 << 53;

/// A place in a log: epochs count from 1, entries from 1 in each epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Which epoch.
    pub epoch: u32,
    /// Which entry of it.
    pub seq: u64,
}

impl Position {
    /// The first entry of a log.
    pub const FIRST: Self = Self { epoch: 1, seq: 1 };

    /// The position after this one in the same epoch, if there can be one.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        let seq = self.seq.checked_add(1).filter(|seq| *seq < SEQ_END)?;
        Some(Self { epoch: self.epoch, seq })
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.seq)
    }
}

/// What a person compares over the telephone: base32 groups of four with a check digit each.
#[must_use]
pub fn fingerprint(key: &[u8; 32]) -> String {
    let digest = Hash::of(&[b"wego-fingerprint-v1", key]);
    let text = BASE32_NOPAD.encode(&digest.as_bytes()[..15]);
    text.as_bytes()
        .chunks(4)
        .map(|group| format!("{}{}", String::from_utf8_lossy(group), check_digit(group)))
        .collect::<Vec<_>>()
        .join("-")
}

/// A fingerprint as somebody typed it, in the form in which it is shown; none where it is no fingerprint, or mistyped.
#[must_use]
pub fn read_fingerprint(typed: &str) -> Option<String> {
    let text = typed.trim().to_ascii_uppercase();
    let group = |group: &str| {
        let symbols = group.bytes().all(|b| b.is_ascii_uppercase() || (b'2'..=b'7').contains(&b));
        symbols && group.len() == 5 && group.ends_with(check_digit(&group.as_bytes()[..4]))
    };
    let groups: Vec<_> = text.split('-').collect();
    (groups.len() == FINGERPRINT_GROUPS && groups.into_iter().all(group)).then_some(text)
}

/// 15 bytes in base32.
const FINGERPRINT_GROUPS: usize = 6;

/// A digit that differs when one symbol of the group is wrong or two neighbours are swapped.
fn check_digit(group: &[u8]) -> char {
    let sum: usize = group
        .iter()
        .enumerate()
        .map(|(at, symbol)| {
            (at * 2 + 1) * b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|s| s == symbol).unwrap_or(0)
        })
        .sum();
    char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[sum % 32])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text_form() {
        let id = RecordId::new([7; 16]);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!("07".parse::<RecordId>().is_err());
        assert!("zz".repeat(16).parse::<RecordId>().is_err());
    }

    #[test]
    fn a_position_ends_before_json_loses_digits() {
        let last = Position { epoch: 1, seq: SEQ_END - 1 };
        assert_eq!(last.next(), None);
        assert_eq!(Position { epoch: 1, seq: u64::MAX }.next(), None);
    }

    #[test]
    fn source_and_identifier_cannot_run_together() {
        let city = CityId::new([1; 32]);
        assert_ne!(RecordId::imported(&city, "ab", "c"), RecordId::imported(&city, "a", "bc"));
    }

    #[test]
    fn every_single_wrong_symbol_of_a_group_changes_its_check_digit() {
        let good = check_digit(b"ABCD");
        for at in 0..4 {
            let mut wrong = *b"ABCD";
            wrong[at] = b'7';
            assert_ne!(check_digit(&wrong), good, "position {at}");
        }
    }

    #[test]
    fn a_fingerprint_is_read_as_it_is_shown_and_not_when_it_is_mistyped() {
        let shown = fingerprint(&[7; 32]);
        assert_eq!(read_fingerprint(&format!(" {} ", shown.to_lowercase())), Some(shown.clone()));
        let other = if shown.starts_with('A') { "B" } else { "A" };
        for wrong in
            [other.to_owned() + &shown[1..], shown[..29].to_owned(), shown.replace('-', ""), "é".repeat(18)]
        {
            assert_eq!(read_fingerprint(&wrong), None, "{wrong}");
        }
    }
}
