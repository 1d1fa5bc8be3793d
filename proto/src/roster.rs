//! Which bytes of a roster are hashed and signed, and when one version may follow another.
//!
//! A roster version decides who may write, so it is believed only with a threshold of signatures: of its
//! predecessor's governance keys and of its own, each key counted once. [`Roster`] exists only with its own
//! threshold reached; [`Roster::succeeded_by`] is the only way from one version to the next.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use crate::{
    convert::{FieldError, Problem},
    id::{FederationId, Hash, Origin},
    key::{PublicKey, Purpose, SecretKey, Signature},
    v1,
};

mod committee;
mod continuity;
mod draft;
mod member;
mod settle;

pub use continuity::Breach;
pub use draft::Draft;
pub(crate) use member::check_names;
pub use member::{Committed, Cut, LogKey, Member, check_handle, last_signed};
pub use settle::{CONFLICT_VERSIONS_MAX, check_settlement};

/// Largest encoded version in bytes: about 1,200 members of 800 bytes, and one fits into a session message.
pub const ROSTER_BYTES_MAX: usize = 960 * 1_024;
/// Largest chain taken from a file or from an inviter, in bytes without armour.
pub const CHAIN_BYTES_MAX: usize = 64 * ROSTER_BYTES_MAX;
/// Members of one version.
pub const MEMBERS_MAX: usize = 20_000;
/// Endpoints, and transport keys, of one member.
pub const ENDPOINTS_MAX: usize = 8;
/// Governance keys.
pub const GOVERNANCE_KEYS_MAX: usize = 64;
/// Signatures among which those of the keys are looked for: every key of the version before and of the version itself.
pub const SIGNATURES_MAX: usize = 2 * GOVERNANCE_KEYS_MAX;

/// Why a roster version is refused. The version known before stays in force.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RosterError {
    /// A field is missing, wrong or over its limit.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// Too few of the keys that must sign have signed.
    #[error("{have} of the {need} signatures of {whose} keys are there")]
    TooFewSignatures {
        /// Distinct valid signatures.
        have: usize,
        /// Threshold.
        need: usize,
        /// Whose threshold: the predecessor's or its own.
        whose: &'static str,
    },
    /// It is not the next version of the one known.
    #[error("version {found} does not follow version {known}")]
    NotNext {
        /// Version in force.
        known: u64,
        /// Version offered.
        found: u64,
    },
    /// It names another predecessor.
    #[error("version {version} follows another version {} than the one known", version - 1)]
    OtherPredecessor {
        /// Version offered.
        version: u64,
    },
    /// It belongs to another federation.
    #[error("it belongs to federation {found}")]
    OtherFederation {
        /// Federation named in it.
        found: FederationId,
    },
    /// It breaks what the version before promised.
    #[error("version {version} {breach}")]
    Breaks {
        /// Version offered.
        version: u64,
        /// What it breaks.
        breach: Breach,
    },
}

/// A roster version with its own threshold of signatures.
#[derive(Debug, Clone, PartialEq)]
pub struct Roster {
    signed: v1::SignedRoster,
    content: v1::Roster,
    hash: Hash,
    federation: FederationId,
    governance: Governance,
    members: BTreeMap<Origin, Member>,
}

/// The keys that decide, and how many of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Governance {
    /// Distinct keys.
    pub keys: BTreeSet<PublicKey>,
    /// More than half of them.
    pub threshold: usize,
}

impl Roster {
    /// Reads a version and checks its own threshold. For version 1 that is all there is to check; a later one
    /// must also be checked against its predecessor by [`Roster::succeeded_by`].
    ///
    /// # Errors
    /// [`RosterError::Field`] or [`RosterError::TooFewSignatures`].
    pub fn open(signed: v1::SignedRoster) -> Result<Self, RosterError> {
        let draft = Draft::parse(&signed.roster)?;
        Self::of(draft, signed)
    }

    fn of(draft: Draft, signed: v1::SignedRoster) -> Result<Self, RosterError> {
        draft.governance.require(&signed, "its own")?;
        let Draft { content, hash, federation, governance, members } = draft;
        Ok(Self { signed, content, hash, federation, governance, members })
    }

    /// Reads a chain from version 1 on.
    ///
    /// # Errors
    /// The first step that fails; or a missing version 1.
    pub fn open_chain(chain: v1::RosterChain) -> Result<Vec<Self>, RosterError> {
        let mut opened: Vec<Self> = Vec::with_capacity(chain.versions.len());
        for signed in chain.versions {
            let next = match opened.last() {
                Some(last) => last.succeeded_by(signed)?,
                None => Self::open_genesis(signed)?,
            };
            opened.push(next);
        }
        if opened.is_empty() {
            return Err(FieldError { field: "roster.versions", problem: Problem::Missing }.into());
        }
        Ok(opened)
    }

    /// Reads version 1.
    ///
    /// # Errors
    /// As [`Roster::open`]; [`RosterError::NotNext`] for a later version.
    pub fn open_genesis(signed: v1::SignedRoster) -> Result<Self, RosterError> {
        let roster = Self::open(signed)?;
        if roster.version() != 1 {
            return Err(RosterError::NotNext { known: 0, found: roster.version() });
        }
        Ok(roster)
    }

    /// Accepts `signed` as the version after this one: number, predecessor, what this one promised, both thresholds.
    ///
    /// # Errors
    /// [`RosterError`]; this version stays in force.
    pub fn succeeded_by(&self, signed: v1::SignedRoster) -> Result<Self, RosterError> {
        let draft = Draft::parse(&signed.roster)?;
        self.precedes(&draft)?;
        let next = Self::of(draft, signed)?;
        self.governance.require(&next.signed, "the predecessor's")?;
        Ok(next)
    }

    /// Whether `next` may follow this version once enough have signed it: number, predecessor, what this one promised.
    ///
    /// # Errors
    /// [`RosterError`].
    pub fn precedes(&self, next: &Draft) -> Result<(), RosterError> {
        if next.federation != self.federation {
            return Err(RosterError::OtherFederation { found: next.federation });
        }
        let version = next.content.version;
        if version != self.version() + 1 {
            return Err(RosterError::NotNext { known: self.version(), found: version });
        }
        if next.content.prev_hash != self.hash.as_bytes() {
            return Err(RosterError::OtherPredecessor { version });
        }
        continuity::check(self, next).map_err(|breach| RosterError::Breaks { version, breach })
    }

    /// The members that `next` admits.
    pub fn admitted_by<'a>(&'a self, next: &'a Draft) -> impl Iterator<Item = &'a Member> {
        next.members.values().filter(|member| !self.members.contains_key(&member.origin))
    }

    /// Number of the version, from 1.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.content.version
    }

    /// SHA-256 of its bytes.
    #[must_use]
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// SHA-256 of version 1's bytes.
    #[must_use]
    pub fn federation(&self) -> FederationId {
        self.federation
    }

    /// As it stands in the roster.
    #[must_use]
    pub fn content(&self) -> &v1::Roster {
        &self.content
    }

    /// The signed bytes.
    #[must_use]
    pub fn signed(&self) -> &v1::SignedRoster {
        &self.signed
    }

    /// The keys that decide.
    #[must_use]
    pub fn governance(&self) -> &Governance {
        &self.governance
    }

    /// All members by origin, also those that no longer take part.
    #[must_use]
    pub fn members(&self) -> &BTreeMap<Origin, Member> {
        &self.members
    }

    /// The member with this handle.
    #[must_use]
    pub fn member_by_handle(&self, handle: &str) -> Option<&Member> {
        self.members.values().find(|member| member.handle == handle)
    }

    /// Whether this version settles a conflict against the branch that ends in the version with this hash.
    #[must_use]
    pub fn gives_up(&self, newest: &Hash) -> bool {
        let is_it = |hash: &Vec<u8>| hash == newest.as_bytes();
        self.content.resolves.iter().any(is_it) && !is_it(&self.content.prev_hash)
    }

    /// Past this time, ms since 1970, admissions stop and nothing else.
    #[must_use]
    pub fn is_soft_expired(&self, now_ms: u64) -> bool {
        self.content.soft_expires_at_ms != 0 && now_ms > self.content.soft_expires_at_ms
    }
}

impl Governance {
    /// How many distinct keys of these have signed.
    #[must_use]
    pub fn count_signatures(&self, signed: &v1::SignedRoster) -> usize {
        self.signers(signed).len()
    }

    /// The distinct keys of these that have signed.
    #[must_use]
    pub fn signers(&self, signed: &v1::SignedRoster) -> BTreeSet<PublicKey> {
        let has_signed =
            |key: &&PublicKey| first_of(signed, key).is_some_and(|one| holds(key, &signed.roster, one));
        self.keys.iter().filter(has_signed).copied().collect()
    }

    fn require(&self, signed: &v1::SignedRoster, whose: &'static str) -> Result<(), RosterError> {
        let (have, need) = (self.count_signatures(signed), self.threshold);
        if have < need { Err(RosterError::TooFewSignatures { have, need, whose }) } else { Ok(()) }
    }
}

/// The signature of a key that is looked at: whoever fills a copy with others makes nobody check them.
fn first_of<'a>(signed: &'a v1::SignedRoster, key: &PublicKey) -> Option<&'a v1::RosterSignature> {
    signed.signatures.iter().take(SIGNATURES_MAX).find(|one| one.key == key.as_bytes())
}

fn holds(key: &PublicKey, roster: &[u8], one: &v1::RosterSignature) -> bool {
    let signature = Signature::try_from(one.signature.as_slice());
    signature.is_ok_and(|signature| key.verify(Purpose::Roster, &[roster], &signature).is_ok())
}

/// Whether a copy names a key that may sign whose signature is not among those that were joined from it: it does not
/// hold. Nobody honest passes such a copy on.
#[must_use]
pub fn has_forged(copy: &v1::SignedRoster, joined: &v1::SignedRoster, keys: &[&Governance]) -> bool {
    let may_sign = |bytes: &[u8]| keys.iter().any(|some| some.keys.iter().any(|key| key.as_bytes() == bytes));
    let kept = |bytes: &[u8]| joined.signatures.iter().any(|one| one.key == bytes);
    copy.signatures.iter().take(SIGNATURES_MAX).any(|one| may_sign(&one.key) && !kept(&one.key))
}

/// Adds a signature to `signed`, replacing an earlier one of the same key.
pub fn add_signature(signed: &mut v1::SignedRoster, key: &SecretKey) {
    let public = key.public().as_bytes().to_vec();
    let signature = key.sign(Purpose::Roster, &[&signed.roster]).as_bytes().to_vec();
    signed.signatures.retain(|one| one.key != public);
    signed.signatures.push(v1::RosterSignature { key: public, signature });
}

/// The signatures of both copies of one version that are valid and of these keys, one of each key, by key. Joining is
/// the same in any order, so that copies that took different ways become the same copy.
#[must_use]
pub fn join_signatures(
    one: &v1::SignedRoster,
    other: &v1::SignedRoster,
    keys: &[&Governance],
) -> v1::SignedRoster {
    let keys: BTreeSet<&PublicKey> = keys.iter().flat_map(|some| &some.keys).collect();
    let valid = |key: &PublicKey| {
        let first = first_of(one, key);
        // Two copies mostly have the same signatures: each is checked once.
        let second = first_of(other, key).filter(|second| Some(*second) != first);
        [first, second].into_iter().flatten().find(|found| holds(key, &one.roster, found)).cloned()
    };
    v1::SignedRoster { roster: one.roster.clone(), signatures: keys.into_iter().filter_map(valid).collect() }
}

#[cfg(test)]
mod tests;
